use std::sync::atomic::{AtomicU64, Ordering};

use super::{AttemptFailed, Next, RetryObserver, Stop};

/// Counts what retries do, for a page of metrics: share it as the observer of every call of an upstream.
///
/// ```
/// use palisade_resilience::{Call, Idempotency, RetryCounter};
///
/// static COUNTER: RetryCounter = RetryCounter::new();
/// let call = Call::new(Idempotency::Declared).with_observer(&COUNTER);
/// assert_eq!(COUNTER.counts().retries, 0);
/// ```
#[derive(Debug)]
pub struct RetryCounter {
    retries: AtomicU64,
    stopped: [AtomicU64; Stop::ALL.len()],
}

/// What a [`RetryCounter`] has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryCounts {
    /// Attempts that were repeated.
    pub retries: u64,
    stopped: [u64; Stop::ALL.len()],
}

impl RetryCounter {
    /// Nothing counted yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            retries: AtomicU64::new(0),
            stopped: [const { AtomicU64::new(0) }; Stop::ALL.len()],
        }
    }

    /// What it has seen so far.
    #[must_use]
    pub fn counts(&self) -> RetryCounts {
        let mut counts = RetryCounts {
            retries: self.retries.load(Ordering::Relaxed),
            ..RetryCounts::default()
        };
        for (count, seen) in counts.stopped.iter_mut().zip(&self.stopped) {
            *count = seen.load(Ordering::Relaxed);
        }
        counts
    }
}

impl RetryCounts {
    /// Calls that ended without success for this reason. [`Stop::NotReplayable`] are those that a body lost which could not be
    /// sent twice.
    #[must_use]
    pub const fn stopped(&self, why: Stop) -> u64 {
        self.stopped[why as usize]
    }
}

impl Default for RetryCounter {
    fn default() -> Self {
        Self::new()
    }
}

impl RetryObserver for RetryCounter {
    fn attempt_failed(&self, event: &AttemptFailed<'_>) {
        let counter = match event.next {
            Next::RetryAfter(_) => &self.retries,
            Next::GiveUp(why) => &self.stopped[why as usize],
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
