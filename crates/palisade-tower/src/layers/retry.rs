use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, HeaderName, HeaderValue, Request, Response};
use palisade_core::{Clock as _, Key};
use palisade_resilience::{
    Attempt, AttemptFailed, Call, Classify, Deadline, ErrorKind, Failure, Fault, GaveUp,
    Idempotency, RetryBudget, RetryBudgets, RetryCounter, RetryObserver as _, RetryOwner,
    RetryPolicy, Stop, retry,
};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    Time,
    replay::{Account, CloneBody, Repeatable, Replay, RetryWeight, idempotency, owner},
};
use crate::{
    BoxError, Rejection,
    call::{BoxFuture, ready_call},
    failure::{Upstream, rejection},
    observe::Notes,
};

/// Calls the upstream again when that may help: within the deadline, within the budget, and not before the upstream
/// asked.
///
/// It decides when the head of the answer is there. Once a byte of an answer has gone to the client there is no second
/// attempt. The request is cloned for each attempt, and its body by a [`Replay`]; a body that can be sent only once is.
///
/// **What is repeated.** A request that may have been carried out is sent again only if that does no harm: its method is
/// idempotent, it carries an `Idempotency-Key`, or the host says so for all of them
/// ([`with_idempotency`](RetryLayer::with_idempotency)). A model call changes nothing in the world, so a host that accepts
/// to pay twice now and then says [`Idempotency::Declared`].
///
/// **Who repeats.** The layer owns the retries of a request unless somebody further out does: then it makes one attempt and
/// keeps their deadline. It says so to those further in: every attempt carries its [`Attempt`] and a [`RetryOwner`] in its
/// extensions, and the header field [`retry-owner`](RetryOwner::HEADER) with what is left of its time.
///
/// A failure that is the caller's own fault (a bad request) is handed on as the upstream's answer. One that is not (an
/// overloaded upstream, this service's own key refused) becomes a [`Rejection`], so that nobody is accused of what
/// somebody else did.
#[derive(Clone, Debug)]
pub struct RetryLayer<C = Upstream, P = CloneBody> {
    policy: RetryPolicy,
    account: Account,
    idempotency: Idempotency,
    owner: Option<RetryOwner>,
    believes_header: bool,
    counter: Option<Arc<RetryCounter>>,
    classify: C,
    replay: P,
    time: Time,
}

impl RetryLayer {
    /// Retries by `policy` what may be repeated without harm, as far as the request itself tells.
    #[must_use]
    pub fn new(policy: RetryPolicy, time: Time) -> Self {
        Self {
            policy,
            account: Account::None,
            idempotency: Idempotency::Undeclared,
            owner: RetryOwner::new("palisade").ok(),
            believes_header: true,
            counter: None,
            classify: Upstream::new(Arc::clone(&time.clock)),
            replay: CloneBody,
            time,
        }
    }
}

impl<C, P> RetryLayer<C, P> {
    /// Lets all requests together retry only as much as `budget` has.
    #[must_use]
    pub fn with_budget(mut self, budget: Arc<RetryBudget>) -> Self {
        self.account = Account::One(budget);
        self
    }

    /// Lets the requests of each key, such as tenant and upstream, retry only as much as its own budget has. `key` finds it in
    /// a request's extensions.
    #[must_use]
    pub fn with_budgets(
        mut self,
        budgets: Arc<RetryBudgets>,
        key: impl Fn(&Extensions) -> Key + Send + Sync + 'static,
    ) -> Self {
        self.account = Account::Keyed(budgets, Arc::new(key));
        self
    }

    /// Says for all requests whether an attempt may be repeated that perhaps was carried out.
    #[must_use]
    pub const fn with_idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// Owns the retries under another name than `palisade`.
    #[must_use]
    pub fn with_owner(mut self, owner: RetryOwner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Believes a request's own header or not when it says that its sender retries. Believed, unless told otherwise: who
    /// lies gets fewer attempts for it.
    #[must_use]
    pub const fn with_believed_header(mut self, believe: bool) -> Self {
        self.believes_header = believe;
        self
    }

    /// Counts what becomes of failed attempts.
    #[must_use]
    pub fn with_counter(mut self, counter: Arc<RetryCounter>) -> Self {
        self.counter = Some(counter);
        self
    }

    /// Judges answers and errors by another classifier.
    #[must_use]
    pub fn with_classify<D>(self, classify: D) -> RetryLayer<D, P> {
        RetryLayer {
            policy: self.policy,
            account: self.account,
            idempotency: self.idempotency,
            owner: self.owner,
            believes_header: self.believes_header,
            counter: self.counter,
            classify,
            replay: self.replay,
            time: self.time,
        }
    }

    /// Makes bodies anew in another way than by cloning them.
    #[must_use]
    pub fn with_replay<Q>(self, replay: Q) -> RetryLayer<C, Q> {
        RetryLayer {
            policy: self.policy,
            account: self.account,
            idempotency: self.idempotency,
            owner: self.owner,
            believes_header: self.believes_header,
            counter: self.counter,
            classify: self.classify,
            replay,
            time: self.time,
        }
    }
}

impl<S, C: Clone, P: Clone> Layer<S> for RetryLayer<C, P> {
    type Service = Retried<S, C, P>;

    fn layer(&self, inner: S) -> Retried<S, C, P> {
        Retried {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`RetryLayer`].
#[derive(Debug)]
pub struct Retried<S, C = Upstream, P = CloneBody> {
    inner: S,
    layer: Arc<RetryLayer<C, P>>,
}

impl<S: Clone, C, P> Clone for Retried<S, C, P> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: Arc::clone(&self.layer),
        }
    }
}

impl<S, C, P, T, B> Service<Request<T>> for Retried<S, C, P>
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
        Box::pin(async move {
            let Time { clock, timer } = &layer.time;
            let extensions = request.extensions();
            let notes = Notes::of(extensions);
            let counter = layer.counter.clone();
            let observer = move |failed: &AttemptFailed<'_>| {
                if let Some(counter) = &counter {
                    counter.attempt_failed(failed);
                }
                notes
                    .begin("attempt")
                    .error(failed.failure.kind().slug(), "the attempt failed");
            };
            let now = clock.instant();
            let set = idempotency(layer.idempotency, request.method(), request.headers());
            let mut call = Call::new(set).with_observer(&observer);
            if let Some(RetryWeight(weight)) = extensions.get() {
                call = call.with_weight(*weight);
            }
            let deadline = extensions.get::<Deadline>().copied();
            if let Some(deadline) = deadline {
                call = call.with_deadline(deadline);
            }
            // Whoever retries around us judges the outcome itself.
            let judged_outside = extensions.get::<RetryOwner>().is_some();
            let owned = owner(extensions, request.headers(), layer.believes_header, now);
            if let Some(owner) = &owned {
                call = call.owned_by(owner);
            }
            let budget = layer.account.of(extensions, now);
            if let Some(budget) = &budget {
                call = call.with_budget(budget);
            }
            // Nobody makes a copy for an attempt that will not be.
            let most = match owned {
                Some(_) => 1,
                None => layer.policy.attempts(),
            };
            let mut requests = Repeatable::new(request, most, &layer.replay);
            call = call.with_replayable(requests.can_repeat());
            let attempt = |attempt: Attempt| {
                let request = requests.next(attempt.last, &layer.replay);
                let request = request.map(|mut request| {
                    layer.sign(&mut request, &attempt, owned.as_ref());
                    request
                });
                let inner = inner.clone();
                async move {
                    match request {
                        Some(request) => ready_call(inner, request).await.map_err(Into::into),
                        // It could be made anew a moment ago, and now it cannot.
                        None => Err(Failure::new(ErrorKind::Internal).not_processed().into()),
                    }
                }
            };
            let answer = retry(&layer.policy, call, &layer.classify, timer, clock, attempt).await;
            answer.or_else(|gave_up| {
                if judged_outside {
                    let parts = gave_up.into_parts();
                    return parts.last.unwrap_or_else(|| Err(parts.failure.into()));
                }
                let late = deadline.is_some_and(|deadline| deadline.has_passed(clock.instant()));
                blame(gave_up, late)
            })
        })
    }
}

impl<C, P> RetryLayer<C, P> {
    /// Says in an attempt whose it is.
    fn sign<T>(&self, request: &mut Request<T>, attempt: &Attempt, owned: Option<&RetryOwner>) {
        request.extensions_mut().insert(*attempt);
        let owner = match (owned, &self.owner) {
            // The owner's own count stands; only the time that is left is ours to tell.
            (Some(owner), _) => match attempt.deadline {
                Some(deadline) => owner.clone().with_deadline(deadline),
                None => owner.clone(),
            },
            (None, Some(own)) => own.at(attempt, self.policy.attempts()),
            (None, None) => return,
        };
        let value = owner.header_value(self.time.instant());
        if let Ok(value) = HeaderValue::try_from(value) {
            request.headers_mut().insert(HEADER, value);
        }
        request.extensions_mut().insert(owner);
    }
}

const HEADER: HeaderName = HeaderName::from_static(RetryOwner::HEADER);

/// What the client gets when there is no good answer.
fn blame<B>(gave_up: GaveUp<Response<B>, BoxError>, late: bool) -> Result<Response<B>, BoxError> {
    let parts = gave_up.into_parts();
    let (failure, why) = (parts.failure, parts.why);
    match parts.last {
        // The caller's own fault: the upstream says it best.
        Some(Ok(response)) if failure.fault() == Fault::Caller => Ok(response),
        // A guard further in has said it already.
        Some(Err(error)) if crate::find::<Rejection>(&*error).is_some() => Err(error),
        _ => Err(rejection(&failure, late || why == Stop::Deadline).into()),
    }
}
