use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use palisade_core::{Clock as _, Key};
use palisade_resilience::{
    Attempt, Call, Classify, ErrorKind, Failure, Hedger, Idempotency, RetryBudget, RetryBudgets,
    hedge,
};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    Time,
    replay::{Account, CloneBody, Repeatable, Replay, RetryWeight, idempotency},
    time::deadline,
};
use crate::{
    BoxError,
    call::{BoxFuture, pass, ready_call},
    failure::Upstream,
};

/// Sends a second request for an answer that is late, and takes whichever begins first.
///
/// It stands inside the retry, so that it hedges single attempts, and outside the breaker and the meter, so that each
/// request is asked for, counted and paid. Give it the retry's own budget: the two together then send no more than that
/// allows. The loser is dropped when the head of the winner's answer is there; what it has cost by then is metered.
///
/// It follows the rules of a retry: a request is hedged only if sending it twice does no harm and its body can be made anew.
#[derive(Clone, Debug)]
pub struct HedgeLayer<C = Upstream, P = CloneBody> {
    hedger: Option<Arc<Hedger>>,
    account: Account,
    idempotency: Idempotency,
    classify: C,
    replay: P,
    time: Time,
}

impl HedgeLayer {
    /// Hedges what may be sent twice without harm, as far as the request itself tells.
    #[must_use]
    pub fn new(hedger: Arc<Hedger>, time: Time) -> Self {
        Self {
            hedger: Some(hedger),
            ..Self::off(time)
        }
    }

    /// Hedges nothing: for a place in a stack that configuration may leave empty.
    #[must_use]
    pub fn off(time: Time) -> Self {
        Self {
            hedger: None,
            account: Account::None,
            idempotency: Idempotency::Undeclared,
            classify: Upstream::new(Arc::clone(&time.clock)),
            replay: CloneBody,
            time,
        }
    }
}

impl<C, P> HedgeLayer<C, P> {
    /// Pays from `budget`.
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

    /// Judges answers and errors by another classifier.
    #[must_use]
    pub fn with_classify<D>(self, classify: D) -> HedgeLayer<D, P> {
        HedgeLayer {
            hedger: self.hedger,
            account: self.account,
            idempotency: self.idempotency,
            classify,
            replay: self.replay,
            time: self.time,
        }
    }

    /// Makes bodies anew in another way than by cloning them.
    #[must_use]
    pub fn with_replay<Q>(self, replay: Q) -> HedgeLayer<C, Q> {
        HedgeLayer {
            hedger: self.hedger,
            account: self.account,
            idempotency: self.idempotency,
            classify: self.classify,
            replay,
            time: self.time,
        }
    }
}

impl<S, C: Clone, P: Clone> Layer<S> for HedgeLayer<C, P> {
    type Service = Hedged<S, C, P>;

    fn layer(&self, inner: S) -> Hedged<S, C, P> {
        Hedged {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`HedgeLayer`].
#[derive(Debug)]
pub struct Hedged<S, C = Upstream, P = CloneBody> {
    inner: S,
    layer: Arc<HedgeLayer<C, P>>,
}

impl<S: Clone, C, P> Clone for Hedged<S, C, P> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: Arc::clone(&self.layer),
        }
    }
}

impl<S, C, P, T, B> Service<Request<T>> for Hedged<S, C, P>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    C: Classify<Result<Response<B>, BoxError>> + Send + Sync + 'static,
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
        let Some(hedger) = layer.hedger.clone() else {
            return Box::pin(pass(inner, request));
        };
        Box::pin(async move {
            let hedger = &hedger;
            let Time { clock, timer } = &layer.time;
            let extensions = request.extensions();
            let set = idempotency(layer.idempotency, request.method(), request.headers());
            let mut call = Call::new(set);
            if let Some(RetryWeight(weight)) = extensions.get() {
                call = call.with_weight(*weight);
            }
            if let Some(deadline) = deadline(extensions) {
                call = call.with_deadline(deadline);
            }
            // Inside a retry, that has paid the request's share already.
            if extensions.get::<Attempt>().is_some() {
                call = call.without_deposit();
            }
            let budget = layer.account.of(extensions, clock.instant());
            if let Some(budget) = &budget {
                call = call.with_budget(budget);
            }
            let most = 1 + hedger.policy().extra();
            let mut requests = Repeatable::new(request, most, &layer.replay);
            call = call.with_replayable(requests.can_repeat());
            let send = |attempt: Attempt| {
                let request = requests.next(attempt.last, &layer.replay);
                let inner = inner.clone();
                async move {
                    match request {
                        Some(request) => ready_call(inner, request).await.map_err(Into::into),
                        None => Err(Failure::new(ErrorKind::Internal).not_processed().into()),
                    }
                }
            };
            let answer = hedge(hedger, call, &layer.classify, timer, clock, send).await;
            // As it would be without a hedge: the retry, or the client, judges it.
            answer.or_else(|gave_up| {
                let parts = gave_up.into_parts();
                parts.last.unwrap_or_else(|| Err(parts.failure.into()))
            })
        })
    }
}
