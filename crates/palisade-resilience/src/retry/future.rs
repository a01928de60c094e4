use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use palisade_core::{Clock, Instant, Sleep, Timer};
use pin_project_lite::pin_project;

use super::{Attempt, AttemptFailed, Call, GaveUp, Next, Stop};
use crate::{Classify, Deadline, Elapsed, ErrorKind, Failure, RetryPolicy};

/// Calls `op` until it succeeds or trying again would be useless, unsafe, too late or too much.
///
/// In this order: is the failure worth repeating; is it a breaker's refusal that the policy does not wait for; are
/// attempts left; do the retries belong to this call; is repeating safe ([`Idempotency`](crate::Idempotency)); can the body
/// be sent again; is the server's wish for patience within the policy; does the pause fit before the deadline; does the
/// [`RetryBudget`](crate::RetryBudget) pay for it. The first *no* ends it, and [`GaveUp`] says which it was.
///
/// A first attempt that succeeds allocates nothing; without a time-out, a deadline or a budget with a floor the clock is
/// not read either.
///
/// ```
/// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// use palisade_core::ManualClock;
/// use palisade_resilience::{
///     AsFailure, Call, ErrorKind, Failure, Idempotency, RetryPolicy, retry,
/// };
///
/// # let clock = ManualClock::default();
/// # let timer = clock.clone();
/// # let work = async {
/// let policy = RetryPolicy::new(3)?;
/// let call = Call::new(Idempotency::Declared);
/// let answer = retry(&policy, call, &AsFailure, &timer, &clock, |attempt| async move {
///     match attempt.number {
///         1 => Err(Failure::new(ErrorKind::Overloaded)),
///         _ => Ok("hello"),
///     }
/// })
/// .await;
/// assert_eq!(answer.ok(), Some("hello"));
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// # };
/// # let mut work = pin!(work);
/// # loop {
/// #     match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
/// #         Poll::Ready(result) => { result.unwrap(); break; }
/// #         Poll::Pending => clock.advance(std::time::Duration::from_secs(1)),
/// #     }
/// # }
/// ```
///
/// # Errors
///
/// [`GaveUp`], with the last failure and the last outcome.
///
/// # Cancel safety
///
/// Dropping the future drops the attempt under way, or the pause, and nothing goes on behind its back. What was withdrawn
/// from the budget for an attempt that had begun stays spent.
#[inline]
pub fn retry<'a, C, R, K, F, Fut, T, E>(
    policy: &'a RetryPolicy,
    call: Call<'a>,
    classify: &'a C,
    timer: &'a R,
    clock: &'a K,
    op: F,
) -> Retry<'a, C, R, K, F, Fut>
where
    C: Classify<Result<T, E>> + ?Sized,
    R: Timer + ?Sized,
    K: Clock + ?Sized,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    Retry {
        policy,
        call,
        classify,
        timer,
        clock,
        op,
        number: 0,
        deadline: None,
        limit: None,
        after_failure: None,
        attempt: None,
    }
}

pin_project! {
    /// The future of [`retry`].
    // By hand: as an `async fn` it would hold the operation's future twice, and its first success would cost ten times
    // as much.
    #[must_use = "futures do nothing unless polled"]
    pub struct Retry<'a, C: ?Sized, R: ?Sized, K: ?Sized, F, Fut> {
        policy: &'a RetryPolicy,
        call: Call<'a>,
        classify: &'a C,
        timer: &'a R,
        clock: &'a K,
        op: F,
        // The attempt under way, or the one before the pause; 0 before the first.
        number: u32,
        deadline: Option<Deadline>,
        limit: Option<Limit>,
        // Most calls have no failure, and make no room for one.
        after_failure: Option<Box<AfterFailure>>,
        #[pin]
        attempt: Option<Fut>,
    }
}

/// The limit of one attempt. Its timer is set when there is something to wait for.
struct Limit {
    length: Duration,
    until: Instant,
    sleep: Option<Sleep>,
}

/// What is remembered of the attempts before.
struct AfterFailure {
    failure: Failure,
    pause: Duration,
    sleep: Option<Sleep>,
}

/// Where a call stands when an attempt of it has failed.
pub(super) struct Before {
    pub(super) number: u32,
    pub(super) deadline: Option<Deadline>,
    pub(super) pause: Duration,
}

impl<'a, C, R, K, F, Fut, T, E> Future for Retry<'a, C, R, K, F, Fut>
where
    C: Classify<Result<T, E>> + ?Sized,
    R: Timer + ?Sized,
    K: Clock + ?Sized,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Output = Result<T, GaveUp<T, E>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.number == 0 {
            let this = self.as_mut().project();
            this.call.deposit();
            *this.deadline = this.call.deadline_under(this.policy, *this.clock);
            if let Err(late) = self.as_mut().begin() {
                return Poll::Ready(Err(late));
            }
        }
        loop {
            let this = self.as_mut().project();
            let Some(attempt) = this.attempt.as_pin_mut() else {
                // A pause, and after it the next attempt.
                ready!(self.as_mut().poll_pause(cx));
                match self.as_mut().begin() {
                    Ok(()) => continue,
                    Err(late) => return Poll::Ready(Err(late)),
                }
            };
            let (failure, outcome) = match attempt.poll(cx) {
                Poll::Ready(outcome) => match (this.classify.classify(&outcome), outcome) {
                    (None, Ok(value)) => return Poll::Ready(Ok(value)),
                    // An error that the classifier does not know. Nothing is known of it, so nothing is repeated.
                    (None, error) => (Failure::new(ErrorKind::Internal), Some(error)),
                    (Some(failure), outcome) => (failure, Some(outcome)),
                },
                Poll::Pending => match this.limit.take() {
                    None => return Poll::Pending,
                    Some(limit) => {
                        let (limit, poll) = limit.poll(*this.timer, *this.clock, cx);
                        *this.limit = Some(limit);
                        (ready!(poll).into(), None)
                    }
                },
            };
            if let Some(gave_up) = self.as_mut().failed(failure, outcome) {
                return Poll::Ready(Err(gave_up));
            }
        }
    }
}

impl<'a, C, R, K, F, Fut, T, E> Retry<'a, C, R, K, F, Fut>
where
    C: Classify<Result<T, E>> + ?Sized,
    R: Timer + ?Sized,
    K: Clock + ?Sized,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    /// Begins the next attempt, unless its time is over.
    #[inline]
    fn begin(self: Pin<&mut Self>) -> Result<(), GaveUp<T, E>> {
        let mut this = self.project();
        *this.number += 1;
        let timed = this.deadline.is_some() || this.policy.attempt_timeout().is_some();
        if timed {
            let now = this.clock.instant();
            let left = this
                .deadline
                .map_or(Duration::MAX, |deadline| deadline.remaining(now));
            let length = this
                .policy
                .attempt_timeout()
                .map_or(left, |own| own.min(left));
            if length.is_zero() {
                // Nothing is left of the whole: there was nothing at first, or a pause took longer than asked.
                return Err(too_late(*this.number, this.after_failure.take()));
            }
            *this.limit = Some(Limit {
                length,
                until: now.saturating_add(length),
                sleep: None,
            });
        }
        let attempt = Attempt {
            number: *this.number,
            last: *this.number >= this.policy.attempts(),
            deadline: this.limit.as_ref().map(|limit| Deadline::at(limit.until)),
        };
        let attempt = (this.op)(attempt);
        this.attempt.set(Some(attempt));
        Ok(())
    }

    /// Ends a failed attempt: it is given up, or a pause begins.
    #[inline]
    fn failed(
        self: Pin<&mut Self>,
        failure: Failure,
        outcome: Option<Result<T, E>>,
    ) -> Option<GaveUp<T, E>> {
        let mut this = self.project();
        // A failed attempt must not hold its connection while we wait.
        this.attempt.set(None);
        *this.limit = None;
        let before = Before {
            number: *this.number,
            deadline: *this.deadline,
            pause: Duration::ZERO,
        };
        let earlier = this.after_failure.take();
        let (failure, next) = judge(
            *this.call,
            this.policy,
            before,
            earlier,
            failure,
            *this.clock,
        );
        match next {
            Next::GiveUp(why) => Some(GaveUp {
                failure,
                last: outcome,
                why,
                attempts: *this.number,
            }),
            Next::RetryAfter(pause) => {
                drop(outcome);
                let sleep = (!pause.is_zero()).then(|| this.timer.sleep(pause));
                *this.after_failure = Some(Box::new(AfterFailure {
                    failure,
                    pause,
                    sleep,
                }));
                None
            }
        }
    }

    fn poll_pause(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if let Some(after) = this.after_failure
            && let Some(sleep) = &mut after.sleep
        {
            ready!(sleep.as_mut().poll(cx));
            after.sleep = None;
        }
        Poll::Ready(())
    }
}

// What follows takes its arguments by value: a reference to a part of the future would keep the compiler from holding the
// rest in registers, and most calls never come here.

/// What follows a failure, and what is known of it together with those before.
#[cold]
#[inline(never)]
fn judge(
    call: Call<'_>,
    policy: &RetryPolicy,
    mut before: Before,
    earlier: Option<Box<AfterFailure>>,
    mut failure: Failure,
    clock: &(impl Clock + ?Sized),
) -> (Failure, Next) {
    if let Some(earlier) = earlier {
        // A refused connection proves nothing about the attempt before it, which may have been carried out and paid for.
        failure = failure.joined(&earlier.failure);
        before.pause = earlier.pause;
    }
    let next = call.next(policy, &before, &failure, clock);
    if let Some(observer) = call.observer {
        observer.attempt_failed(&AttemptFailed {
            number: before.number,
            failure: &failure,
            next,
        });
    }
    (failure, next)
}

impl Limit {
    #[cold]
    #[inline(never)]
    fn poll(
        mut self,
        timer: &(impl Timer + ?Sized),
        clock: &(impl Clock + ?Sized),
        cx: &mut Context<'_>,
    ) -> (Self, Poll<Elapsed>) {
        let sleep = self.sleep.get_or_insert_with(|| {
            // The first poll of the attempt may have taken a while.
            timer.sleep(self.until.saturating_since(clock.instant()))
        });
        let poll = sleep.as_mut().poll(cx);
        let elapsed = poll.map(|()| Elapsed::of(self.length));
        (self, elapsed)
    }
}

#[cold]
fn too_late<T, E>(number: u32, after: Option<Box<AfterFailure>>) -> GaveUp<T, E> {
    GaveUp {
        failure: match after {
            Some(after) => after.failure,
            None => Elapsed::immediately().into(),
        },
        last: None,
        why: Stop::Deadline,
        attempts: number - 1,
    }
}

impl<C: ?Sized, R: ?Sized, K: ?Sized, F, Fut> fmt::Debug for Retry<'_, C, R, K, F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("policy", &self.policy)
            .field("attempt", &self.number)
            .finish_non_exhaustive()
    }
}
