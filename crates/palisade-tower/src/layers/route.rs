use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use palisade_core::ModelId;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    BoxError, Rejection,
    call::{BoxFuture, ready_call},
};

/// Where a request goes: found in the request's extensions by every layer behind the [`RouteLayer`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The upstream, by the name the host gave it. Breakers are kept by it and the model.
    pub upstream: Arc<str>,
    /// What the upstream calls the model.
    pub model: Arc<str>,
    /// Whose prices hold, and under which name the trace shows it.
    pub priced_as: ModelId,
    /// Why this one, in a stable word.
    pub reason: Cow<'static, str>,
}

impl Route {
    /// A route to `model` of `upstream`.
    #[must_use]
    pub fn new(
        upstream: Arc<str>,
        model: Arc<str>,
        priced_as: ModelId,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            upstream,
            model,
            priced_as,
            reason: reason.into(),
        }
    }
}

/// Chooses a route. Implemented by closures.
pub trait Router<T>: Send + Sync + 'static {
    /// Where `request` goes.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] if there is no such model, or none that may be used now.
    fn route(&self, request: &Request<T>) -> Result<Route, Rejection>;
}

impl<T, F> Router<T> for F
where
    F: Fn(&Request<T>) -> Result<Route, Rejection> + Send + Sync + 'static,
{
    fn route(&self, request: &Request<T>) -> Result<Route, Rejection> {
        self(request)
    }
}

/// Decides which model answers, and writes the decision into the trace.
///
/// The route is chosen outside the retry: attempts go to the same model. It is put into the request's extensions.
pub struct RouteLayer<R>(Arc<R>);

impl<R> RouteLayer<R> {
    /// Routes by `router`.
    pub fn new(router: R) -> Self {
        Self(Arc::new(router))
    }
}

impl<R> Clone for RouteLayer<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R> fmt::Debug for RouteLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RouteLayer")
    }
}

impl<S, R> Layer<S> for RouteLayer<R> {
    type Service = Routed<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Routed {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service of a [`RouteLayer`].
#[derive(Debug)]
pub struct Routed<S, R> {
    inner: S,
    layer: RouteLayer<R>,
}

impl<S: Clone, R> Clone for Routed<S, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S, R, T, B> Service<Request<T>> for Routed<S, R>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: Router<T>,
    T: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<T>) -> Self::Future {
        let routed = self.layer.0.route(&request);
        #[cfg(feature = "trace")]
        if let Some(trace) = request.extensions().get::<palisade_trace::ActiveTrace>() {
            use palisade_trace::RoutingDecision;
            match &routed {
                Ok(route) => {
                    trace.set_model(route.priced_as.clone());
                    let chosen = Some(route.priced_as.clone());
                    trace
                        .begin("route")
                        .finish(RoutingDecision::new(chosen, route.reason.clone()));
                }
                Err(rejection) => {
                    let reason = rejection.reason().code();
                    trace
                        .begin("route")
                        .finish(RoutingDecision::new(None, reason));
                }
            }
        }
        let inner = self.inner.clone();
        Box::pin(async move {
            request.extensions_mut().insert(routed?);
            ready_call(inner, request).await.map_err(Into::into)
        })
    }
}
