use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use palisade_core::Sleep;
use palisade_resilience::timeout;
use tower_layer::Layer;
use tower_service::Service;

use super::{Time, time::deadline};
use crate::{
    BoxError,
    call::{BoxFuture, ready_call},
};

/// Waits so long for one attempt, and so long between two pieces of its answer.
///
/// It stands innermost, under the breaker and the meter: an attempt that is given up must be seen by both as failed,
/// not as cancelled. The wait for the head is cut to what the [`Deadline`](palisade_resilience::Deadline) of the request and
/// of the [`Attempt`](palisade_resilience::Attempt) leave. A stream may last as long as
/// it likes, but not be silent: an upstream that hangs in the middle would otherwise hold a connection, a permit and a
/// reservation for ever.
#[derive(Clone, Debug)]
pub struct TimeoutLayer {
    head: Duration,
    idle: Duration,
    time: Time,
}

impl TimeoutLayer {
    /// Waits for `head` until the answer begins, and for `idle` between two pieces of it.
    #[must_use]
    pub const fn new(head: Duration, idle: Duration, time: Time) -> Self {
        Self { head, idle, time }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = TimedOut<S>;

    fn layer(&self, inner: S) -> TimedOut<S> {
        TimedOut {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`TimeoutLayer`].
#[derive(Clone, Debug)]
pub struct TimedOut<S> {
    inner: S,
    layer: Arc<TimeoutLayer>,
}

impl<S, T, B> Service<Request<T>> for TimedOut<S>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    T: Send + 'static,
    B: Body<Data = Bytes>,
{
    type Response = Response<IdleBody<B>>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let layer = Arc::clone(&self.layer);
        let head = deadline(request.extensions()).map_or(layer.head, |deadline| {
            layer.head.min(deadline.remaining(layer.time.instant()))
        });
        let inner = self.inner.clone();
        Box::pin(async move {
            let response = timeout(&layer.time.timer, head, ready_call(inner, request)).await?;
            let response = response.map_err(Into::into)?;
            Ok(response.map(|inner| IdleBody {
                inner,
                layer,
                silence: None,
            }))
        })
    }
}

pin_project_lite::pin_project! {
    /// A body that fails with [`Silent`] when its source is silent for too long.
    pub struct IdleBody<B> {
        #[pin]
        inner: B,
        layer: Arc<TimeoutLayer>,
        silence: Option<Sleep>,
    }
}

impl<B> Body for IdleBody<B>
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
        let this = self.project();
        if let Poll::Ready(frame) = this.inner.poll_frame(cx) {
            *this.silence = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        // A timer is set only when there is something to wait for.
        let silence = this
            .silence
            .get_or_insert_with(|| this.layer.time.timer.sleep(this.layer.idle));
        ready!(silence.as_mut().poll(cx));
        *this.silence = None;
        Poll::Ready(Some(Err(Box::new(Silent(this.layer.idle)))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for IdleBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdleBody")
            .field("idle", &self.layer.idle)
            .finish_non_exhaustive()
    }
}

/// An upstream said nothing for too long in the middle of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upstream was silent for {0:?}")]
pub struct Silent(pub Duration);
