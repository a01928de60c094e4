use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use palisade_resilience::Deadline;
use tower_layer::Layer;
use tower_service::Service;

use super::Time;
use crate::{
    BoxError, Reason, Rejection,
    call::{BoxFuture, ready_call},
};

/// Gives a request so long until its answer begins, over all attempts.
///
/// The [`Deadline`] travels in the request's extensions: the retry does not begin what cannot end in time, and a
/// time-out further in is never longer than what is left. If a layer further out has set one already, the earlier of the
/// two holds.
#[derive(Clone, Debug)]
pub struct DeadlineLayer {
    total: Duration,
    time: Time,
}

impl DeadlineLayer {
    /// Allows `total` for the whole.
    #[must_use]
    pub const fn new(total: Duration, time: Time) -> Self {
        Self { total, time }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadlined<S>;

    fn layer(&self, inner: S) -> Deadlined<S> {
        Deadlined {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`DeadlineLayer`].
#[derive(Clone, Debug)]
pub struct Deadlined<S> {
    inner: S,
    layer: Arc<DeadlineLayer>,
}

impl<S, T, B> Service<Request<T>> for Deadlined<S>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    T: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<T>) -> Self::Future {
        let layer = Arc::clone(&self.layer);
        let own = Deadline::after(&layer.time.clock, layer.total);
        let deadline = request
            .extensions()
            .get::<Deadline>()
            .map_or(own, |given| own.min(*given));
        request.extensions_mut().insert(deadline);
        let inner = self.inner.clone();
        Box::pin(async move {
            let answer = ready_call(inner, request);
            let time = &layer.time;
            match deadline.run(&time.timer, &time.clock, answer).await {
                Ok(answer) => answer.map_err(Into::into),
                Err(elapsed) => {
                    let detail = format!("no answer within {:?}", elapsed.after());
                    Err(Rejection::new(Reason::DeadlineExceeded, detail).into())
                }
            }
        })
    }
}
