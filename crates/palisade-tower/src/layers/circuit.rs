use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use palisade_core::{Clock, Decision, SystemClock};
use palisade_resilience::{Breaker, Classify, Denied, Failure, Permit};
use tower_layer::Layer;
use tower_service::Service;

use crate::BoxError;

/// One breaker around any service: no HTTP, no key, no box.
///
/// For clients that are not model calls, such as a database or a tool. [`BreakerLayer`](crate::BreakerLayer) is the one for
/// model calls: it keeps a breaker for each upstream and model, and holds the permit until the body ends. This one holds it until
/// the future does.
///
/// The layer holds a handle, so every service it is laid over shares the circuit.
#[derive(Debug)]
pub struct CircuitLayer<K, C = SystemClock> {
    breaker: Breaker<C>,
    classify: K,
}

impl<K, C> CircuitLayer<K, C> {
    /// Asks `breaker`; `classify` says what is a failure, and whose.
    #[must_use]
    pub const fn new(breaker: Breaker<C>, classify: K) -> Self {
        Self { breaker, classify }
    }
}

impl<K: Clone, C> Clone for CircuitLayer<K, C> {
    fn clone(&self) -> Self {
        Self {
            breaker: self.breaker.clone(),
            classify: self.classify.clone(),
        }
    }
}

impl<S, K: Clone, C> Layer<S> for CircuitLayer<K, C> {
    type Service = Circuit<S, K, C>;

    fn layer(&self, inner: S) -> Circuit<S, K, C> {
        Circuit {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service of a [`CircuitLayer`].
#[derive(Debug)]
pub struct Circuit<S, K, C = SystemClock> {
    inner: S,
    layer: CircuitLayer<K, C>,
}

impl<S: Clone, K: Clone, C> Clone for Circuit<S, K, C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S, R, K, C> Service<R> for Circuit<S, K, C>
where
    S: Service<R>,
    S::Error: Into<BoxError>,
    K: Classify<Result<S::Response, S::Error>> + Clone,
    C: Clock,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = CircuitFuture<S::Future, K, C>;

    /// As ready as the inner service. The breaker is asked at the call, as being ready is no promise to call.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        match self.layer.breaker.admit() {
            Decision::Allow(permit) => CircuitFuture {
                call: Some(self.inner.call(request)),
                permit: Some(permit),
                denied: None,
                classify: self.layer.classify.clone(),
            },
            Decision::Deny(denied) => CircuitFuture {
                call: None,
                permit: None,
                denied: Some(denied),
                classify: self.layer.classify.clone(),
            },
        }
    }
}

pin_project_lite::pin_project! {
    /// The future of a [`Circuit`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, the call counts as cancelled.
    pub struct CircuitFuture<F, K, C>
    where
        C: Clock,
    {
        #[pin]
        call: Option<F>,
        permit: Option<Permit<C>>,
        denied: Option<Denied>,
        classify: K,
    }
}

impl<F, K, C, T, E> Future for CircuitFuture<F, K, C>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
    K: Classify<Result<T, E>>,
    C: Clock,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(call) = this.call.as_pin_mut() else {
            // There is a refusal where there is no call. Polled again after the end, it stays pending, as a future may.
            return match this.denied.take() {
                Some(denied) => Poll::Ready(Err(Failure::from(denied).into())),
                None => Poll::Pending,
            };
        };
        let outcome = ready!(call.poll(cx));
        if let Some(permit) = this.permit.take() {
            permit.outcome(this.classify.classify(&outcome).as_ref());
        }
        Poll::Ready(outcome.map_err(Into::into))
    }
}

impl<F, K, C: Clock> fmt::Debug for CircuitFuture<F, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitFuture")
            .field("denied", &self.denied)
            .finish_non_exhaustive()
    }
}
