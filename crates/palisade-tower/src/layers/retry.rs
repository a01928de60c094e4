use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use palisade_resilience::{
    Attempt, AttemptFailed, Call, Classify, Deadline, Fault, GaveUp, Idempotency, RetryBudget,
    RetryPolicy, Stop, retry,
};
use tower_layer::Layer;
use tower_service::Service;

use super::Time;
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
/// attempt. The request is cloned for each attempt, so its body must be cheap to clone; the number of the
/// [`Attempt`] is put into the extensions of each.
///
/// A failure that is the caller's own fault (a bad request) is handed on as the upstream's answer. One that is not (an
/// overloaded upstream, this service's own key refused) becomes a [`Rejection`], so that nobody is accused of what
/// somebody else did.
#[derive(Clone, Debug)]
pub struct RetryLayer<C = Upstream> {
    policy: RetryPolicy,
    budget: Option<Arc<RetryBudget>>,
    idempotency: Idempotency,
    classify: C,
    time: Time,
}

impl RetryLayer {
    /// Retries by `policy`. A model call changes nothing in the world, so calls are declared idempotent: what is lost
    /// with a wasted attempt is money, and the budget guards that.
    #[must_use]
    pub fn new(policy: RetryPolicy, time: Time) -> Self {
        Self {
            policy,
            budget: None,
            idempotency: Idempotency::Declared,
            classify: Upstream::new(Arc::clone(&time.clock)),
            time,
        }
    }
}

impl<C> RetryLayer<C> {
    /// Lets all requests together retry only as much as `budget` has.
    #[must_use]
    pub fn with_budget(mut self, budget: Arc<RetryBudget>) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Says whether an attempt may be repeated that perhaps was carried out.
    #[must_use]
    pub const fn with_idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// Judges answers and errors by another classifier.
    #[must_use]
    pub fn with_classify<D>(self, classify: D) -> RetryLayer<D> {
        RetryLayer {
            policy: self.policy,
            budget: self.budget,
            idempotency: self.idempotency,
            classify,
            time: self.time,
        }
    }
}

impl<S, C: Clone> Layer<S> for RetryLayer<C> {
    type Service = Retried<S, C>;

    fn layer(&self, inner: S) -> Retried<S, C> {
        Retried {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`RetryLayer`].
#[derive(Clone, Debug)]
pub struct Retried<S, C = Upstream> {
    inner: S,
    layer: Arc<RetryLayer<C>>,
}

impl<S, C, T, B> Service<Request<T>> for Retried<S, C>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    C: Classify<Result<Response<B>, BoxError>> + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
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
            let notes = Notes::of(request.extensions());
            let observer = move |failed: &AttemptFailed<'_>| {
                notes
                    .begin("attempt")
                    .error(failed.failure.kind().slug(), "the attempt failed");
            };
            let mut call = Call::new(layer.idempotency).with_observer(&observer);
            if let Some(deadline) = request.extensions().get::<Deadline>() {
                call = call.with_deadline(*deadline);
            }
            if let Some(budget) = &layer.budget {
                call = call.with_budget(budget);
            }
            let Time { clock, timer } = &layer.time;
            let attempt = |attempt: Attempt| {
                let mut request = request.clone();
                request.extensions_mut().insert(attempt);
                let inner = inner.clone();
                async move { ready_call(inner, request).await.map_err(Into::into) }
            };
            let answer = retry(&layer.policy, call, &layer.classify, timer, clock, attempt).await;
            answer.or_else(|gave_up| {
                let late = request
                    .extensions()
                    .get::<Deadline>()
                    .is_some_and(|deadline| deadline.has_passed(clock.instant()));
                blame(gave_up, late)
            })
        })
    }
}

/// What the client gets when there is no good answer.
fn blame<B>(gave_up: GaveUp<Response<B>, BoxError>, late: bool) -> Result<Response<B>, BoxError> {
    let GaveUp {
        failure, last, why, ..
    } = gave_up;
    match last {
        // The caller's own fault: the upstream says it best.
        Some(Ok(response)) if failure.fault() == Fault::Caller => Ok(response),
        // A guard further in has said it already.
        Some(Err(error)) if crate::find::<Rejection>(&*error).is_some() => Err(error),
        _ => Err(rejection(&failure, late || why == Stop::Deadline).into()),
    }
}
