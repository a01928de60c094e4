use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::BoxError;

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// All of it was handed over.
    Complete,
    /// It broke off with an error.
    Failed,
    /// Whoever read it went away before its end.
    Dropped,
}

/// What is left to do at the end of a body.
pub type Ending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Watches a body pass.
pub trait Observe: Send + 'static {
    /// A piece of data goes by.
    fn data(&mut self, data: &Bytes);

    /// The body has ended. Called exactly once, whatever happens, and after every observer further in.
    ///
    /// A future that is returned is driven to its end before the reader learns that the body is over, so what it
    /// settles is settled when the client has its answer. At a drop nobody is left to drive it: `must_queue` is then
    /// true, a returned future is dropped, and an observer that has work to do queues it instead.
    fn end(self: Box<Self>, end: End, must_queue: bool) -> Option<Ending>;
}

pin_project_lite::pin_project! {
    /// A body that tells an observer what passes and how it ended: at the end of the stream, at an error, or when it
    /// is dropped half-read, exactly once.
    ///
    /// A response to a model call is over when its *body* is: that is when the tokens are known, a permit is free
    /// and a trace is complete. A layer that acts when the head arrives releases and counts too early; one that
    /// acts only at the end of the stream never acts for the client that hung up.
    ///
    /// # Cancel safety
    ///
    /// Dropping it at any moment ends the observer exactly once: with [`End::Complete`] if the last byte had been
    /// handed over (a reader that knows the length does not ask again), with [`End::Dropped`] otherwise.
    pub struct Tap<B> {
        #[pin]
        inner: Option<B>,
        observer: Option<Box<dyn Observe>>,
        ending: Option<Ending>,
        // What to tell the reader once the ending is through.
        last: Option<BoxError>,
        // The inner body has said that it has nothing more.
        exhausted: bool,
    }

    impl<B> PinnedDrop for Tap<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Inner observers end first: what they learn, the outer ones report.
            this.inner.set(None);
            if let Some(observer) = this.observer.take() {
                let end = if *this.exhausted { End::Complete } else { End::Dropped };
                drop(observer.end(end, true));
            }
        }
    }
}

impl<B: Body> Tap<B> {
    /// Lets `observer` watch `body`.
    pub fn new(body: B, observer: impl Observe) -> Self {
        let exhausted = body.is_end_stream();
        Self {
            inner: Some(body),
            observer: Some(Box::new(observer)),
            ending: None,
            last: None,
            exhausted,
        }
    }

    /// A body that nobody watches.
    pub fn unwatched(body: B) -> Self {
        let exhausted = body.is_end_stream();
        Self {
            inner: Some(body),
            observer: None,
            ending: None,
            last: None,
            exhausted,
        }
    }
}

impl<B> Body for Tap<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        if let Some(mut inner) = this.inner.as_mut().as_pin_mut() {
            let polled = match inner.as_mut().poll_frame(cx) {
                Poll::Ready(polled) => polled,
                Poll::Pending => return Poll::Pending,
            };
            let end = match polled {
                Some(Ok(frame)) => {
                    *this.exhausted = inner.is_end_stream();
                    if let (Some(data), Some(observer)) = (frame.data_ref(), this.observer.as_mut())
                    {
                        observer.data(data);
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
                Some(Err(error)) => {
                    *this.last = Some(error.into());
                    End::Failed
                }
                None => End::Complete,
            };
            *this.exhausted = true;
            this.inner.set(None);
            *this.ending = this
                .observer
                .take()
                .and_then(|observer| observer.end(end, false));
        }
        if let Some(ending) = this.ending.as_mut() {
            if ending.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            *this.ending = None;
        }
        Poll::Ready(this.last.take().map(Err))
    }

    fn is_end_stream(&self) -> bool {
        // Not before the observer has had its end: a reader that believes this never polls again.
        self.inner.as_ref().is_none_or(Body::is_end_stream)
            && self.observer.is_none()
            && self.ending.is_none()
            && self.last.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B> fmt::Debug for Tap<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap")
            .field("exhausted", &self.exhausted)
            .finish_non_exhaustive()
    }
}
