use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use palisade_resilience::Chaos;
use tower_layer::Layer;
use tower_service::Service;

use super::Time;
use crate::{
    BoxError,
    call::{BoxFuture, ready_call},
};

/// Makes a share of the calls slow, or answers them itself. For tests: it stands innermost, in the place of a bad day.
pub struct ChaosLayer<T> {
    chaos: Arc<Chaos<Result<T, BoxError>>>,
    time: Time,
}

impl<T> ChaosLayer<T> {
    /// Does as `chaos` says.
    #[must_use]
    pub fn new(chaos: Chaos<Result<T, BoxError>>, time: Time) -> Self {
        Self {
            chaos: Arc::new(chaos),
            time,
        }
    }
}

impl<T> Clone for ChaosLayer<T> {
    fn clone(&self) -> Self {
        Self {
            chaos: Arc::clone(&self.chaos),
            time: self.time.clone(),
        }
    }
}

impl<T> fmt::Debug for ChaosLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChaosLayer").field(&self.chaos).finish()
    }
}

impl<S, T> Layer<S> for ChaosLayer<T> {
    type Service = Chaotic<S, T>;

    fn layer(&self, inner: S) -> Chaotic<S, T> {
        Chaotic {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service of a [`ChaosLayer`].
#[derive(Debug)]
pub struct Chaotic<S, T> {
    inner: S,
    layer: ChaosLayer<T>,
}

impl<S: Clone, T> Clone for Chaotic<S, T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S, R, T> Service<R> for Chaotic<S, T>
where
    S: Service<R, Response = T> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: Send + 'static,
    T: Send + 'static,
{
    type Response = T;
    type Error = BoxError;
    type Future = BoxFuture<Result<T, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let inner = self.inner.clone();
        let ChaosLayer { chaos, time } = self.layer.clone();
        Box::pin(async move {
            let call = async { ready_call(inner, request).await.map_err(Into::into) };
            chaos.run(&time.timer, call).await
        })
    }
}
