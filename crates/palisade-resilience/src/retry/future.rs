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
        later: Seldom(None),
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
        // Of the attempt under way.
        limit: Option<Limit>,
        // What few calls come to. In one place, so that the end of a call without it is short enough to be inlined, and the
        // whole call can be held in registers.
        later: Seldom<Box<Later>>,
        #[pin]
        attempt: Option<Fut>,
    }
}

/// The limit of one attempt.
#[derive(Clone, Copy)]
struct Limit {
    length: Duration,
    until: Instant,
}

/// What is seldom there, and whose end is a call of its own.
struct Seldom<T>(Option<T>);

impl<T> Drop for Seldom<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            end(value);
        }
    }
}

#[cold]
#[inline(never)]
fn end<T>(value: T) {
    drop(value);
}

/// What a call that waits, or has failed, comes to.
#[derive(Default)]
struct Later {
    /// Until the limit of the attempt under way, or until the end of the pause.
    sleep: Option<Sleep>,
    earlier: Option<Earlier>,
}

/// What is remembered of the attempts before.
struct Earlier {
    failure: Failure,
    pause: Duration,
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
            self.call.deposit();
            if !self.as_mut().begin() {
                return Poll::Ready(Err(too_late(self.number, None)));
            }
        }
        loop {
            let this = self.as_mut().project();
            let Some(attempt) = this.attempt.as_pin_mut() else {
                // A pause, and after it the next attempt.
                if let Some(later) = &mut this.later.0 {
                    ready!(later.poll(cx));
                }
                if self.as_mut().begin() {
                    continue;
                }
                let later = self.as_mut().project().later.0.take();
                return Poll::Ready(Err(too_late(self.number, later)));
            };
            let (failure, outcome) = match attempt.poll(cx) {
                Poll::Ready(outcome) => {
                    let failure = this.classify.classify(&outcome);
                    match outcome {
                        Ok(value) if failure.is_none() => return Poll::Ready(Ok(value)),
                        outcome => (failure, Some(outcome)),
                    }
                }
                Poll::Pending => match *this.limit {
                    None => return Poll::Pending,
                    Some(limit) => {
                        let (later, poll) =
                            limit.poll(this.later.0.take(), *this.timer, *this.clock, cx);
                        this.later.0 = Some(later);
                        (Some(ready!(poll).into()), None)
                    }
                },
            };
            let number = self.number;
            let (failure, next) = self.as_mut().failed(failure);
            match next {
                Next::GiveUp(why) => {
                    return Poll::Ready(Err(GaveUp::new(failure, outcome, why, number)));
                }
                Next::RetryAfter(pause) => {
                    drop(outcome);
                    let sleep = (!pause.is_zero()).then(|| self.timer.sleep(pause));
                    self.as_mut().project().later.0 = Some(Later::after(failure, pause, sleep));
                }
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
    /// Begins the next attempt. False if its time is over: there was none at first, or a pause took longer than asked.
    #[inline]
    fn begin(self: Pin<&mut Self>) -> bool {
        let mut this = self.project();
        let first = *this.number == 0;
        *this.number += 1;
        if this.call.is_limited() || this.policy.is_limited() {
            // One look at the clock, for the whole and for the attempt.
            let now = this.clock.instant();
            if first {
                *this.deadline = this.call.deadline_under(this.policy, now);
            }
            let left = this
                .deadline
                .map_or(Duration::MAX, |deadline| deadline.remaining(now));
            let length = this
                .policy
                .attempt_timeout()
                .map_or(left, |own| own.min(left));
            if length.is_zero() {
                return false;
            }
            *this.limit = Some(Limit {
                length,
                until: now.saturating_add(length),
            });
        }
        let attempt = Attempt {
            number: *this.number,
            last: *this.number >= this.policy.attempts(),
            deadline: this.limit.map(|limit| Deadline::at(limit.until)),
        };
        let attempt = (this.op)(attempt);
        this.attempt.set(Some(attempt));
        true
    }

    /// Ends a failed attempt, and says what follows.
    #[inline]
    fn failed(self: Pin<&mut Self>, failure: Option<Failure>) -> (Failure, Next) {
        let mut this = self.project();
        // A failed attempt must not hold its connection while we wait.
        this.attempt.set(None);
        *this.limit = None;
        let before = Before {
            number: *this.number,
            deadline: *this.deadline,
            pause: Duration::ZERO,
        };
        let later = this.later.0.take();
        judge(*this.call, this.policy, before, later, failure, *this.clock)
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
    later: Option<Box<Later>>,
    failure: Option<Failure>,
    clock: &(impl Clock + ?Sized),
) -> (Failure, Next) {
    // An error that the classifier does not know. Nothing is known of it, so nothing is repeated.
    let mut failure = failure.unwrap_or(Failure::new(ErrorKind::Internal));
    if let Some(earlier) = later.and_then(|later| later.earlier) {
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
        self,
        later: Option<Box<Later>>,
        timer: &(impl Timer + ?Sized),
        clock: &(impl Clock + ?Sized),
        cx: &mut Context<'_>,
    ) -> (Box<Later>, Poll<Elapsed>) {
        let mut later = later.unwrap_or_default();
        let sleep = later.sleep.get_or_insert_with(|| {
            // The first poll of the attempt may have taken a while.
            timer.sleep(self.until.saturating_since(clock.instant()))
        });
        let elapsed = sleep.as_mut().poll(cx).map(|()| Elapsed::of(self.length));
        (later, elapsed)
    }
}

impl Later {
    fn after(failure: Failure, pause: Duration, sleep: Option<Sleep>) -> Box<Self> {
        Box::new(Self {
            sleep,
            earlier: Some(Earlier { failure, pause }),
        })
    }

    /// Waits for the end of the pause.
    #[cold]
    #[inline(never)]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(sleep) = &mut self.sleep {
            ready!(sleep.as_mut().poll(cx));
            self.sleep = None;
        }
        Poll::Ready(())
    }
}

#[cold]
#[inline(never)]
fn too_late<T, E>(number: u32, later: Option<Box<Later>>) -> GaveUp<T, E> {
    let failure = match later.and_then(|later| later.earlier) {
        Some(earlier) => earlier.failure,
        None => Elapsed::immediately().into(),
    };
    GaveUp::new(failure, None, Stop::Deadline, number - 1)
}

impl<C: ?Sized, R: ?Sized, K: ?Sized, F, Fut> fmt::Debug for Retry<'_, C, R, K, F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("policy", &self.policy)
            .field("attempt", &self.number)
            .finish_non_exhaustive()
    }
}
