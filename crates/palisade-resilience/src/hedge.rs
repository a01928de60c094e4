use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use palisade_core::{Clock, Instant, Sleep, Timer};
use pin_project_lite::pin_project;

use crate::{
    Attempt, Call, Classify, ConfigError, Deadline, ErrorKind, Failure, GaveUp, Latencies, Stop,
    error,
};

/// When a second request is sent for a first one that takes too long.
///
/// Of a hundred calls one is slow for no reason of its own, and a page that makes ten of them is slow every tenth time. Asking
/// once more when an answer is later than usual, and taking whichever comes first, cuts that tail (Dean and Barroso, *The Tail
/// at Scale*, 2013). Done without measure it doubles the load on an upstream that is slow because it is overloaded; so a hedge
/// is paid from the same [`RetryBudget`](crate::RetryBudget) as a retry, and is not sent when that is empty.
///
/// Both requests may be carried out and charged. A call is hedged only if its [`Idempotency`](crate::Idempotency) allows it
/// to be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgePolicy {
    delay: HedgeDelay,
    extra: u32,
}

/// How long the first request is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HedgeDelay {
    /// Always so long.
    After(Duration),
    /// As long as `percent` of the calls of late took, but within bounds.
    Percentile {
        /// From 50 to 99: of the calls, 100 minus this are hedged at most.
        percent: u32,
        /// Never earlier than this.
        min: Duration,
        /// Never later than this, and this while fewer than [`Hedger::SAMPLES_MIN`] calls are remembered.
        max: Duration,
    },
}

impl HedgePolicy {
    /// The most requests besides the first.
    pub const EXTRA_MAX: u32 = 4;
    /// The longest delay: one hour.
    pub const DELAY_MAX: Duration = Duration::from_secs(3_600);

    /// One more request after `delay`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless it is from 1 ms to [`HedgePolicy::DELAY_MAX`].
    pub fn after(delay: Duration) -> Result<Self, ConfigError> {
        let ms = Duration::from_millis(1);
        error::duration("hedge delay", delay, ms, Self::DELAY_MAX)?;
        Ok(Self {
            delay: HedgeDelay::After(delay),
            extra: 1,
        })
    }

    /// One more request when the first takes longer than `percent` of the calls of late, from `min` to `max`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless 50 ≤ `percent` ≤ 99 and 1 ms ≤ `min` ≤ `max` ≤ [`HedgePolicy::DELAY_MAX`].
    pub fn percentile(percent: u32, min: Duration, max: Duration) -> Result<Self, ConfigError> {
        let ms = Duration::from_millis(1);
        error::number("hedge percentile", percent.into(), 50, 99)?;
        error::duration("hedge delay min", min, ms, Self::DELAY_MAX)?;
        error::duration("hedge delay max", max, min, Self::DELAY_MAX)?;
        Ok(Self {
            delay: HedgeDelay::Percentile { percent, min, max },
            extra: 1,
        })
    }

    /// The same with up to `extra` requests besides the first, each after another delay.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless it is from 1 to [`HedgePolicy::EXTRA_MAX`].
    pub fn with_extra(mut self, extra: u32) -> Result<Self, ConfigError> {
        error::number("hedge extra", extra.into(), 1, Self::EXTRA_MAX.into())?;
        self.extra = extra;
        Ok(self)
    }

    /// How long the first is waited for.
    #[must_use]
    pub const fn delay(&self) -> HedgeDelay {
        self.delay
    }

    /// How many requests there may be besides the first.
    #[must_use]
    pub const fn extra(&self) -> u32 {
        self.extra
    }
}

/// A [`HedgePolicy`] and what it must remember: how long calls take, and what hedges did. One for each upstream.
#[derive(Debug)]
pub struct Hedger {
    policy: HedgePolicy,
    latencies: Latencies,
    sent: AtomicU64,
    won: AtomicU64,
    refused: AtomicU64,
}

/// What a [`Hedger`] has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeCounts {
    /// Requests that were sent besides the first.
    pub sent: u64,
    /// Those of them that answered first.
    pub won: u64,
    /// Those that were not sent, since the budget was empty.
    pub refused: u64,
}

impl Hedger {
    /// With fewer calls remembered no percentile is told.
    pub const SAMPLES_MIN: u64 = 20;
    /// For how long calls are remembered.
    const WINDOW: Duration = Duration::from_secs(120);

    /// A hedger that has seen nothing yet.
    #[must_use]
    pub fn new(policy: HedgePolicy) -> Self {
        Self {
            policy,
            latencies: Latencies::over(Self::WINDOW),
            sent: AtomicU64::new(0),
            won: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &HedgePolicy {
        &self.policy
    }

    /// How long calls have taken lately.
    #[must_use]
    pub const fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// What it has done.
    #[must_use]
    pub fn counts(&self) -> HedgeCounts {
        HedgeCounts {
            sent: self.sent.load(Ordering::Relaxed),
            won: self.won.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// How long a request that is sent at `now` is waited for.
    #[must_use]
    pub fn delay(&self, now: Instant) -> Duration {
        match self.policy.delay {
            HedgeDelay::After(delay) => delay,
            HedgeDelay::Percentile { percent, min, max } => {
                if self.latencies.count(now) < Self::SAMPLES_MIN {
                    return max;
                }
                let seen = self.latencies.percentile(percent, now);
                seen.map_or(max, |seen| seen.clamp(min, max))
            }
        }
    }
}

/// Calls `op`, and once more if it takes longer than `hedger` waits; the first answer is taken, and the others are dropped.
///
/// A failure is not hedged: that is what [`retry`](crate::retry) is for, around this. One that another request may still
/// make good is waited out; one that is not worth repeating ends all of them.
///
/// # Errors
///
/// [`GaveUp`], with the last failure and the last outcome.
///
/// # Cancel safety
///
/// Dropping the future drops every request under way.
pub fn hedge<'a, C, R, K, F, Fut, T, E>(
    hedger: &'a Hedger,
    call: Call<'a>,
    classify: &'a C,
    timer: &'a R,
    clock: &'a K,
    op: F,
) -> Hedge<'a, C, R, K, F, Fut>
where
    C: Classify<Result<T, E>> + ?Sized,
    R: Timer + ?Sized,
    K: Clock + ?Sized,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    Hedge {
        hedger,
        call,
        classify,
        timer,
        clock,
        op,
        began: None,
        number: 0,
        next: None,
        failure: None,
        first: None,
        extra: Vec::new(),
    }
}

pin_project! {
    /// The future of [`hedge`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Hedge<'a, C: ?Sized, R: ?Sized, K: ?Sized, F, Fut> {
        hedger: &'a Hedger,
        call: Call<'a>,
        classify: &'a C,
        timer: &'a R,
        clock: &'a K,
        op: F,
        began: Option<Instant>,
        number: u32,
        // When the next request is sent.
        next: Option<Sleep>,
        failure: Option<Failure>,
        #[pin]
        first: Option<Fut>,
        // Most calls are over before there is a second.
        extra: Vec<Extra<Fut>>,
    }
}

struct Extra<Fut> {
    number: u32,
    future: Pin<Box<Fut>>,
}

impl<C, R, K, F, Fut, T, E> Future for Hedge<'_, C, R, K, F, Fut>
where
    C: Classify<Result<T, E>> + ?Sized,
    R: Timer + ?Sized,
    K: Clock + ?Sized,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Output = Result<T, GaveUp<T, E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let most = 1 + this.hedger.policy.extra;
        let attempt = |number: u32, deadline: Option<Deadline>| Attempt {
            number,
            last: number >= most,
            deadline,
        };
        let deadline = this.call.deadline;
        if *this.number == 0 {
            this.call.deposit();
            let now = this.clock.instant();
            *this.began = Some(now);
            *this.number = 1;
            let first = (this.op)(attempt(1, deadline));
            this.first.set(Some(first));
            // Whoever may not send it twice, or not own the repeating, does not set the timer either.
            let call = &this.call;
            if call.idempotency.allows_twice() && call.replayable && !call.owned {
                *this.next = Some(this.timer.sleep(this.hedger.delay(now)));
            }
        }
        loop {
            // The first comes first: what has been waited for longest is most welcome.
            let mut ended = None;
            if let Some(first) = this.first.as_mut().as_pin_mut()
                && let Poll::Ready(outcome) = first.poll(cx)
            {
                this.first.set(None);
                ended = Some((1, outcome));
            }
            if ended.is_none() {
                for (index, extra) in this.extra.iter_mut().enumerate() {
                    if let Poll::Ready(outcome) = extra.future.as_mut().poll(cx) {
                        let extra = this.extra.remove(index);
                        ended = Some((extra.number, outcome));
                        break;
                    }
                }
            }
            if let Some((number, outcome)) = ended {
                let (failure, last) = match (this.classify.classify(&outcome), outcome) {
                    (None, Ok(value)) => {
                        let now = this.clock.instant();
                        let began = this.began.unwrap_or(now);
                        // Also when a hedge won: the first had taken so long at least.
                        this.hedger
                            .latencies
                            .record(now.saturating_since(began), now);
                        if number > 1 {
                            this.hedger.won.fetch_add(1, Ordering::Relaxed);
                        }
                        // The losers are cancelled here, not whenever this future is dropped.
                        this.first.set(None);
                        this.extra.clear();
                        *this.next = None;
                        return Poll::Ready(Ok(value));
                    }
                    (None, error) => (Failure::new(ErrorKind::Internal), error),
                    (Some(failure), outcome) => (failure, outcome),
                };
                let failure = match this.failure.take() {
                    Some(earlier) => failure.joined(&earlier),
                    None => failure,
                };
                let alone = this.first.is_none() && this.extra.is_empty();
                if failure.is_retryable() && !alone {
                    // Another is on its way.
                    *this.failure = Some(failure);
                    continue;
                }
                this.first.set(None);
                this.extra.clear();
                *this.next = None;
                let why = if failure.is_retryable() {
                    Stop::Attempts
                } else {
                    Stop::NotRetryable
                };
                return Poll::Ready(Err(GaveUp::new(failure, Some(last), why, *this.number)));
            }
            let Some(next) = this.next else {
                return Poll::Pending;
            };
            if next.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            *this.next = None;
            let now = this.clock.instant();
            if deadline.is_some_and(|deadline| deadline.has_passed(now)) {
                return Poll::Pending;
            }
            if !this.call.withdraw(now) {
                this.hedger.refused.fetch_add(1, Ordering::Relaxed);
                return Poll::Pending;
            }
            *this.number += 1;
            this.hedger.sent.fetch_add(1, Ordering::Relaxed);
            let extra = (this.op)(attempt(*this.number, deadline));
            this.extra.push(Extra {
                number: *this.number,
                future: Box::pin(extra),
            });
            if *this.number < most {
                *this.next = Some(this.timer.sleep(this.hedger.delay(now)));
            }
        }
    }
}

impl<C: ?Sized, R: ?Sized, K: ?Sized, F, Fut> fmt::Debug for Hedge<'_, C, R, K, F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hedge")
            .field("policy", &self.hedger.policy)
            .field("sent", &self.number)
            .finish_non_exhaustive()
    }
}
