use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use palisade_core::{Clock, Decision, Dimension, Key, SystemClock};
use palisade_resilience::{BreakerRegistry, Classify, Deadline, ErrorKind, Failure, Permit};
use tower_layer::Layer;
use tower_service::Service;

use super::{route::Route, time::deadline};
use crate::{
    BoxError, Tap,
    call::{BoxFuture, ready_call},
    failure::Upstream,
    observe::{Notes, Said},
    tap::{End, Ending, Observe},
};

/// Leaves an upstream alone that has failed often enough.
///
/// There is one breaker for each upstream and model, named by the [`Route`]; requests without one share a breaker. It
/// stands inside the retry, so every attempt asks anew, and over the time-out, so that an upstream that hangs counts as
/// failing. The permit is held until the *body* ends: an answer that breaks off in the middle is a failure, and one that
/// the client no longer wanted says nothing about the upstream.
#[derive(Debug)]
pub struct BreakerLayer<C = SystemClock> {
    breakers: Arc<BreakerRegistry<C>>,
    classify: Upstream,
}

impl<C> BreakerLayer<C> {
    /// Asks the breakers of `registry`; `classify` says what is a failure, and whose.
    #[must_use]
    pub const fn new(registry: Arc<BreakerRegistry<C>>, classify: Upstream) -> Self {
        Self {
            breakers: registry,
            classify,
        }
    }
}

impl<C> Clone for BreakerLayer<C> {
    fn clone(&self) -> Self {
        Self {
            breakers: Arc::clone(&self.breakers),
            classify: self.classify.clone(),
        }
    }
}

impl<S, C> Layer<S> for BreakerLayer<C> {
    type Service = Broken<S, C>;

    fn layer(&self, inner: S) -> Broken<S, C> {
        Broken {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`BreakerLayer`].
#[derive(Debug)]
pub struct Broken<S, C = SystemClock> {
    inner: S,
    layer: Arc<BreakerLayer<C>>,
}

impl<S: Clone, C> Clone for Broken<S, C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: Arc::clone(&self.layer),
        }
    }
}

impl<S, C, T, B> Service<Request<T>> for Broken<S, C>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    C: Clock + Clone + 'static,
    T: Send + 'static,
    B: Body<Data = Bytes>,
{
    type Response = Response<Tap<B>>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<Tap<B>>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let inner = self.inner.clone();
        let layer = Arc::clone(&self.layer);
        Box::pin(async move {
            let permit = match layer.breakers.admit(&key(request.extensions().get())) {
                Decision::Allow(permit) => permit,
                Decision::Deny(denied) => {
                    Notes::of(request.extensions())
                        .begin("breaker")
                        .said(Said::Deny);
                    return Err(Failure::from(denied).into());
                }
            };
            let mut held = UnderWay {
                permit: Some(permit),
                until: deadline(request.extensions()),
                layer,
            };
            let outcome = ready_call(inner, request).await.map_err(Into::into);
            let failure = held.layer.classify.classify(&outcome);
            match (held.permit.take(), failure) {
                (Some(permit), None) => {
                    let begun = false;
                    let held = Held { permit, begun };
                    outcome.map(|response| response.map(|body| Tap::new(body, held)))
                }
                (permit, failure) => {
                    if let (Some(permit), Some(failure)) = (permit, failure) {
                        permit.failure(&failure);
                    }
                    outcome.map(|response| response.map(Tap::unwatched))
                }
            }
        })
    }
}

pub(super) fn key(route: Option<&Route>) -> Key {
    let named = route.and_then(|route| {
        Key::new(Dimension::Provider, route.upstream.as_bytes())
            .and_then(|key| key.with(Dimension::Model, route.model.as_bytes()))
            .ok()
    });
    named.unwrap_or_else(Key::global)
}

/// Holds a permit until the answer begins.
///
/// Dropped before, the call was cancelled, which says nothing about the upstream, unless its time is over: the timer
/// further out may be the first to wake, and an upstream that hangs must not pass for a client that left.
struct UnderWay<C: Clock> {
    permit: Option<Permit<C>>,
    until: Option<Deadline>,
    layer: Arc<BreakerLayer<C>>,
}

impl<C: Clock> Drop for UnderWay<C> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take()
            && self
                .until
                .is_some_and(|until| until.has_passed(self.layer.classify.instant()))
        {
            permit.failure(&Failure::new(ErrorKind::Timeout));
        }
    }
}

/// Holds a permit until the body ends.
struct Held<C: Clock> {
    permit: Permit<C>,
    begun: bool,
}

impl<C: Clock + 'static> Observe for Held<C> {
    fn data(&mut self, data: &Bytes) {
        // Only the first piece of them matters, and only to a policy that asks for it.
        if !data.is_empty() && !self.begun {
            self.begun = true;
            self.permit.first_token();
        }
    }

    fn end(self: Box<Self>, end: End, _: bool) -> Option<Ending> {
        match end {
            End::Complete => self.permit.success(),
            End::Failed => self.permit.failure(&Failure::new(ErrorKind::Interrupted)),
            // Cancelled: it says nothing about the upstream.
            End::Dropped => {}
        }
        None
    }
}
