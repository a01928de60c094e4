use std::{future::Future, time::Duration};

use palisade_core::{Clock, Decision, RetryAfter, SystemClock};

use crate::{
    Attempt, AttemptFailed, Breaker, Call, Classify, Elapsed, ErrorKind, Failure, Fault, GaveUp,
    Next, Stop,
};

/// One place where a call can be made: the first choice, or one to fall back to.
#[derive(Debug)]
pub struct Target<'a, X: ?Sized, K: Clock = SystemClock> {
    value: &'a X,
    breaker: Option<&'a Breaker<K>>,
}

impl<X: ?Sized, K: Clock> Clone for Target<'_, X, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<X: ?Sized, K: Clock> Copy for Target<'_, X, K> {}

impl<'a, X: ?Sized, K: Clock> Target<'a, X, K> {
    /// A place that is always tried.
    pub const fn new(value: &'a X) -> Self {
        Self {
            value,
            breaker: None,
        }
    }

    /// A place that is passed over while its breaker refuses.
    pub const fn guarded(value: &'a X, breaker: &'a Breaker<K>) -> Self {
        Self {
            value,
            breaker: Some(breaker),
        }
    }
}

/// An answer, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served<T> {
    /// The answer.
    pub answer: T,
    /// Which of the targets gave it; the first is 0.
    pub target: usize,
    /// How many were called. Those whose breakers refused were not.
    pub attempts: u32,
}

impl Failure {
    /// Whether another upstream may succeed where this one failed.
    ///
    /// Another question than whether the same one may later: an empty account here says nothing about the account there, and
    /// a malformed request is malformed everywhere. An answer that began and broke off is not made whole by another one.
    #[must_use]
    pub fn may_succeed_elsewhere(&self) -> bool {
        self.fault() != Fault::Caller
            && !matches!(self.kind(), ErrorKind::Interrupted | ErrorKind::Cancelled)
    }
}

/// Calls the first of `targets` that can answer, in their order.
///
/// A target whose [`Breaker`] refuses is passed over, which costs nothing. After a failure the next one is called if that
/// may succeed there ([`Failure::may_succeed_elsewhere`]), if the request may be sent twice or was provably not carried out,
/// before the deadline, and if the budget of the [`Call`] pays for it: that an upstream is in trouble is no reason to flood
/// the next one.
///
/// ```
/// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// use palisade_core::ManualClock;
/// use palisade_resilience::{
///     AsFailure, Call, ErrorKind, Failure, Idempotency, Target, fallback,
/// };
///
/// # let clock = ManualClock::default();
/// # let work = async {
/// let targets = ["large", "small"].map(|model| Target::<str, ManualClock>::new(model));
/// let call = Call::new(Idempotency::Declared);
/// let served = fallback(&targets, call, &AsFailure, &clock, |model, _| async move {
///     match model {
///         "large" => Err(Failure::new(ErrorKind::Overloaded)),
///         model => Ok(model),
///     }
/// })
/// .await
/// .unwrap();
/// assert_eq!((served.answer, served.target), ("small", 1));
/// # };
/// # assert!(pin!(work).poll(&mut Context::from_waker(Waker::noop())).is_ready());
/// ```
///
/// # Errors
///
/// [`GaveUp`], with the last failure and the last outcome. If every breaker refused, the failure is
/// [`ErrorKind::CircuitOpen`] and says when the first of them lets somebody try.
///
/// # Cancel safety
///
/// Dropping the future drops the call under way; its breaker hears of a cancelled call.
pub async fn fallback<'t, X, T, E, K, Fut>(
    targets: &[Target<'t, X, K>],
    call: Call<'_>,
    classify: &(impl Classify<Result<T, E>> + ?Sized),
    clock: &(impl Clock + ?Sized),
    mut op: impl FnMut(&'t X, Attempt) -> Fut,
) -> Result<Served<T>, GaveUp<T, E>>
where
    X: ?Sized + 't,
    K: Clock,
    Fut: Future<Output = Result<T, E>>,
{
    call.deposit();
    let mut attempts = 0;
    let mut failed: Option<(Failure, Option<Result<T, E>>)> = None;
    let mut open: Option<Failure> = None;
    for (index, target) in targets.iter().enumerate() {
        let permit = match target.breaker.map(Breaker::admit) {
            Some(Decision::Deny(denied)) => {
                open = Some(sooner(open, denied.into()));
                continue;
            }
            Some(Decision::Allow(permit)) => Some(permit),
            None => None,
        };
        if let Some((failure, last)) = failed.take() {
            // The permit of the next falls with the refusal: nothing was learnt of it.
            if let Some(why) = refusal(&call, &failure, clock) {
                tell(&call, attempts, &failure, Next::GiveUp(why));
                return Err(GaveUp::new(failure, last, why, attempts));
            }
            tell(&call, attempts, &failure, Next::RetryAfter(Duration::ZERO));
            drop(last);
            failed = Some((failure, None));
        }
        attempts += 1;
        if let Some(deadline) = call.deadline
            && deadline.has_passed(clock.instant())
        {
            let failure = failed.map_or_else(|| Elapsed::immediately().into(), |(f, _)| f);
            return Err(GaveUp::new(failure, None, Stop::Deadline, attempts - 1));
        }
        let attempt = Attempt {
            number: attempts,
            last: index + 1 == targets.len(),
            deadline: call.deadline,
        };
        let outcome = op(target.value, attempt).await;
        let failure = classify.classify(&outcome);
        if let Some(permit) = permit {
            permit.outcome(failure.as_ref());
        }
        let (failure, outcome) = match (failure, outcome) {
            (None, Ok(answer)) => {
                return Ok(Served {
                    answer,
                    target: index,
                    attempts,
                });
            }
            (None, error) => (Failure::new(ErrorKind::Internal), error),
            (Some(failure), outcome) => (failure, outcome),
        };
        let failure = match failed.take() {
            Some((earlier, _)) => failure.joined(&earlier),
            None => failure,
        };
        if !failure.may_succeed_elsewhere() {
            tell(&call, attempts, &failure, Next::GiveUp(Stop::NotRetryable));
            return Err(GaveUp::new(
                failure,
                Some(outcome),
                Stop::NotRetryable,
                attempts,
            ));
        }
        failed = Some((failure, Some(outcome)));
    }
    let (failure, last, why) = match (failed, open) {
        (Some((failure, last)), _) => (failure, last, Stop::Attempts),
        (None, Some(open)) => (open, None, Stop::CircuitOpen),
        // No targets at all.
        (None, None) => (
            Failure::new(ErrorKind::Unavailable)
                .with_fault(Fault::Us)
                .with_retryable(false)
                .not_processed(),
            None,
            Stop::NotRetryable,
        ),
    };
    tell(&call, attempts, &failure, Next::GiveUp(why));
    Err(GaveUp::new(failure, last, why, attempts))
}

/// Why the next target is not called, if it is not.
fn refusal(call: &Call<'_>, failure: &Failure, clock: &(impl Clock + ?Sized)) -> Option<Stop> {
    if !call.idempotency.allows_after(failure) {
        return Some(Stop::NotIdempotent);
    }
    if !call.replayable {
        return Some(Stop::NotReplayable);
    }
    let now = clock.instant();
    if call
        .deadline
        .is_some_and(|deadline| deadline.has_passed(now))
    {
        return Some(Stop::Deadline);
    }
    // What was refused before it was sent has made no load.
    let free = failure.kind() == ErrorKind::CircuitOpen;
    (!free && !call.withdraw(now)).then_some(Stop::Budget)
}

/// The refusal that ends first.
fn sooner(one: Option<Failure>, other: Failure) -> Failure {
    let wait = |failure: &Failure| {
        let wait = failure.advice().and_then(RetryAfter::duration);
        wait.unwrap_or(Duration::MAX)
    };
    match one {
        Some(one) if wait(&one) <= wait(&other) => one,
        _ => other,
    }
}

fn tell(call: &Call<'_>, number: u32, failure: &Failure, next: Next) {
    if let Some(observer) = call.observer {
        observer.attempt_failed(&AttemptFailed {
            number,
            failure,
            next,
        });
    }
}
