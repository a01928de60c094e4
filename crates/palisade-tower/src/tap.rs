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

/// A body that tells an observer what passes and how it ended: at the end of the stream, at an error, or when it
/// is dropped half-read, exactly once.
///
/// A response to a model call is over when its *body* is: that is when the tokens are known, a permit is free
/// and a trace is complete. A layer that acts when the head arrives releases and counts too early; one that
/// acts only at the end of the stream never acts for the client that hung up.
///
/// A reader that was told the length of a body does not ask for its end: it stops at the last byte. So a body that
/// says, with its last piece, that nothing follows ([`Body::is_end_stream`]) has ended there and then. The last piece
/// is handed over when the observer is through with the end, not before.
///
/// It is one pointer large. Answers are moved through every layer, and a tap within a tap within a tap would be a kilobyte
/// to move.
///
/// # Cancel safety
///
/// Dropping it at any moment ends the observer exactly once: with [`End::Complete`] if all of the body had been handed
/// over, as its end or its length tell, with [`End::Dropped`] otherwise.
pub struct Tap<B>(Pin<Box<Watched<B>>>);

pin_project_lite::pin_project! {
    struct Watched<B> {
        #[pin]
        inner: Option<B>,
        observer: Option<Box<dyn Observe>>,
        ending: Option<Ending>,
        // What to tell the reader once the ending is through: the last piece, or the error.
        last: Option<Result<Frame<Bytes>, BoxError>>,
        // The inner body has nothing more to give, as far as it says.
        exhausted: bool,
    }

    impl<B> PinnedDrop for Watched<B> {
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
        Self::over(body, Some(Box::new(observer)))
    }

    /// A body that nobody watches.
    pub fn unwatched(body: B) -> Self {
        Self::over(body, None)
    }

    fn over(body: B, observer: Option<Box<dyn Observe>>) -> Self {
        let exhausted = is_exhausted(&body);
        Self(Box::pin(Watched {
            inner: Some(body),
            observer,
            ending: None,
            last: None,
            exhausted,
        }))
    }
}

/// Whether every byte has been handed over: the end was reached, or the length that was announced.
fn is_exhausted(body: &impl Body) -> bool {
    body.is_end_stream() || body.size_hint().exact() == Some(0)
}

impl<B> Body for Tap<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.0.as_mut().project();
        if let Some(mut inner) = this.inner.as_mut().as_pin_mut() {
            let polled = match inner.as_mut().poll_frame(cx) {
                Poll::Ready(polled) => polled,
                Poll::Pending => return Poll::Pending,
            };
            let end = match polled {
                Some(Ok(frame)) => {
                    if let (Some(data), Some(observer)) = (frame.data_ref(), this.observer.as_mut())
                    {
                        observer.data(data);
                    }
                    *this.exhausted = is_exhausted(&*inner);
                    if !inner.is_end_stream() {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    *this.last = Some(Ok(frame));
                    End::Complete
                }
                Some(Err(error)) => {
                    *this.last = Some(Err(error.into()));
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
        Poll::Ready(this.last.take())
    }

    fn is_end_stream(&self) -> bool {
        // Not before the observer has had its end: a reader that believes this never polls again.
        self.0.inner.as_ref().is_none_or(Body::is_end_stream)
            && self.0.observer.is_none()
            && self.0.ending.is_none()
            && self.0.last.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.0.inner, &self.0.last) {
            (Some(inner), _) => inner.size_hint(),
            (None, Some(Ok(frame))) => {
                SizeHint::with_exact(frame.data_ref().map_or(0, |data| data.len() as u64))
            }
            (None, _) => SizeHint::with_exact(0),
        }
    }
}

impl<B> fmt::Debug for Tap<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap")
            .field("exhausted", &self.0.exhausted)
            .finish_non_exhaustive()
    }
}
