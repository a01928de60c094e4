use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use palisade_core::{Clock as _, Key, ManualClock};
use palisade_resilience::{
    Attempt, Call, Classify, Deadline, ErrorKind, Failure, Fault, Idempotency, RetryBudget,
    RetryBudgets, Stop, Target, fallback,
};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    Time,
    replay::{Account, CloneBody, Repeatable, Replay, RetryWeight, idempotency},
    route::Route,
};
use crate::{
    BoxError, Reason, Rejection,
    call::{BoxFuture, find, pass, ready_call},
    failure::Upstream,
};

/// Where else a request can go, in order of preference. Implemented by closures.
pub trait Fallbacks: Send + Sync + 'static {
    /// The routes to try after `first` has failed. None is a good answer.
    fn after(&self, first: &Route) -> Vec<Route>;
}

impl<F> Fallbacks for F
where
    F: Fn(&Route) -> Vec<Route> + Send + Sync + 'static,
{
    fn after(&self, first: &Route) -> Vec<Route> {
        self(first)
    }
}

/// Sends a request to another upstream when the one it was routed to cannot answer.
///
/// It stands outside the retry, so that an upstream has had its attempts first, and inside the [`RouteLayer`](crate::RouteLayer),
/// whose [`Route`] is the first choice. Each place has its own breaker, since breakers are kept by route: one that is open is
/// passed over at no cost. Any other fallback is paid from the budget, which should be the retry's own.
///
/// The caller's own fault is the same everywhere and is handed on; so is what may have been carried out, unless sending it
/// twice does no harm.
#[derive(Clone, Debug)]
pub struct FallbackLayer<F, P = CloneBody> {
    fallbacks: F,
    account: Account,
    idempotency: Idempotency,
    classify: Upstream,
    replay: P,
    time: Time,
}

impl<F> FallbackLayer<F> {
    /// Goes on to what `fallbacks` says.
    #[must_use]
    pub fn new(fallbacks: F, time: Time) -> Self {
        Self {
            fallbacks,
            account: Account::None,
            idempotency: Idempotency::Undeclared,
            classify: Upstream::new(Arc::clone(&time.clock)),
            replay: CloneBody,
            time,
        }
    }
}

impl<F, P> FallbackLayer<F, P> {
    /// Pays from `budget`. The retry inside pays the requests' shares into it.
    #[must_use]
    pub fn with_budget(mut self, budget: Arc<RetryBudget>) -> Self {
        self.account = Account::One(budget);
        self
    }

    /// Pays from the budget of each request's key, which `key` finds in its extensions.
    #[must_use]
    pub fn with_budgets(
        mut self,
        budgets: Arc<RetryBudgets>,
        key: impl Fn(&Extensions) -> Key + Send + Sync + 'static,
    ) -> Self {
        self.account = Account::Keyed(budgets, Arc::new(key));
        self
    }

    /// Says for all requests whether they may be sent twice.
    #[must_use]
    pub const fn with_idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// Makes bodies anew in another way than by cloning them.
    #[must_use]
    pub fn with_replay<Q>(self, replay: Q) -> FallbackLayer<F, Q> {
        FallbackLayer {
            fallbacks: self.fallbacks,
            account: self.account,
            idempotency: self.idempotency,
            classify: self.classify,
            replay,
            time: self.time,
        }
    }
}

impl<S, F: Clone, P: Clone> Layer<S> for FallbackLayer<F, P> {
    type Service = FallenBack<S, F, P>;

    fn layer(&self, inner: S) -> FallenBack<S, F, P> {
        FallenBack {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`FallbackLayer`].
#[derive(Debug)]
pub struct FallenBack<S, F, P = CloneBody> {
    inner: S,
    layer: Arc<FallbackLayer<F, P>>,
}

impl<S: Clone, F, P> Clone for FallenBack<S, F, P> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: Arc::clone(&self.layer),
        }
    }
}

impl<S, F, P, T, B> Service<Request<T>> for FallenBack<S, F, P>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    F: Fallbacks,
    P: Replay<T>,
    T: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let inner = self.inner.clone();
        let layer = Arc::clone(&self.layer);
        let routes = match request.extensions().get::<Route>() {
            None => Vec::new(),
            Some(first) => {
                let mut routes = layer.fallbacks.after(first);
                routes.truncate(ROUTES_MAX - 1);
                if !routes.is_empty() {
                    routes.insert(0, first.clone());
                }
                routes
            }
        };
        if routes.is_empty() {
            return Box::pin(pass(inner, request));
        }
        Box::pin(async move {
            let clock = &layer.time.clock;
            let extensions = request.extensions();
            let set = idempotency(layer.idempotency, request.method(), request.headers());
            let mut call = Call::new(set).without_deposit();
            if let Some(RetryWeight(weight)) = extensions.get() {
                call = call.with_weight(*weight);
            }
            if let Some(deadline) = extensions.get::<Deadline>() {
                call = call.with_deadline(*deadline);
            }
            let budget = layer.account.of(extensions, clock.instant());
            if let Some(budget) = &budget {
                call = call.with_budget(budget);
            }
            let most = u32::try_from(routes.len()).unwrap_or(u32::MAX);
            let mut requests = Repeatable::new(request, most, &layer.replay);
            call = call.with_replayable(requests.can_repeat());
            let targets: Vec<_> = routes
                .iter()
                .map(Target::<Route, ManualClock>::new)
                .collect();
            let classify = |outcome: &Result<Response<B>, BoxError>| layer.judge(outcome);
            let send = |route: &Route, attempt: Attempt| {
                let request = requests.next(attempt.last, &layer.replay);
                let request = request.map(|mut request| {
                    request.extensions_mut().insert(route.clone());
                    request
                });
                let inner = inner.clone();
                async move {
                    match request {
                        Some(request) => ready_call(inner, request).await.map_err(Into::into),
                        None => Err(Failure::new(ErrorKind::Internal).not_processed().into()),
                    }
                }
            };
            match fallback(&targets, call, &classify, clock, send).await {
                Ok(served) => Ok(served.answer),
                Err(gave_up) => {
                    let parts = gave_up.into_parts();
                    let late = parts.why == Stop::Deadline;
                    let refusal = || crate::failure::rejection(&parts.failure, late).into();
                    parts.last.unwrap_or_else(|| Err(refusal()))
                }
            }
        })
    }
}

/// More places than these are not tried for one request.
const ROUTES_MAX: usize = 8;

impl<F, P> FallbackLayer<F, P> {
    /// The failure in what the layers further in made of an upstream's answer.
    fn judge<B>(&self, outcome: &Result<Response<B>, BoxError>) -> Option<Failure> {
        let rejected = outcome
            .as_ref()
            .err()
            .and_then(|error| find::<Rejection>(&**error));
        let Some(rejection) = rejected else {
            return self.classify.classify(outcome);
        };
        let failure = match rejection.reason() {
            Reason::CircuitOpen => Failure::new(ErrorKind::CircuitOpen),
            Reason::UpstreamUnavailable => Failure::new(ErrorKind::Unavailable),
            Reason::UpstreamOverloaded => {
                Failure::new(ErrorKind::Overloaded).with_fault(Fault::Upstream)
            }
            Reason::UpstreamTimeout => Failure::new(ErrorKind::Timeout),
            // A guard of ours refused it, or its time is over: elsewhere it would be the same.
            _ => Failure::new(ErrorKind::Validation),
        };
        Some(failure)
    }
}
