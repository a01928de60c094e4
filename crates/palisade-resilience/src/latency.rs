use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use palisade_core::Instant;

/// How long calls have taken lately, for whoever asks for a percentile: a hedge, or a page of metrics.
///
/// A histogram of fixed size in two halves of the window: what is older than the window is forgotten, and what is younger
/// than half of it never is. A percentile is told at most an eighth too high and never too low.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::Instant;
/// use palisade_resilience::Latencies;
///
/// let latencies = Latencies::over(Duration::from_secs(60));
/// for millis in 1..=100 {
///     latencies.record(Duration::from_millis(millis), Instant::ORIGIN);
/// }
/// let median = latencies.percentile(50, Instant::ORIGIN).unwrap();
/// assert!((50..=57).contains(&median.as_millis()));
/// ```
pub struct Latencies {
    half: Duration,
    state: Mutex<State>,
}

/// Eight parts to each power of two of microseconds.
const PARTS: u32 = 8;
/// Up to 2^42 µs, 50 days.
const BUCKETS: usize = 40 * PARTS as usize;

struct State {
    halves: [Box<[u32; BUCKETS]>; 2],
    counts: [u64; 2],
    /// Which half is written to, and since when.
    current: usize,
    since: Instant,
}

impl Latencies {
    /// The shortest window.
    pub const WINDOW_MIN: Duration = Duration::from_millis(2);

    /// Remembers the calls of the last `window`, of at least [`WINDOW_MIN`](Latencies::WINDOW_MIN).
    #[must_use]
    pub fn over(window: Duration) -> Self {
        let empty = || Box::new([0; BUCKETS]);
        Self {
            half: window.max(Self::WINDOW_MIN) / 2,
            state: Mutex::new(State {
                halves: [empty(), empty()],
                counts: [0; 2],
                current: 0,
                since: Instant::ORIGIN,
            }),
        }
    }

    /// Notes a call that took `duration` and has just ended.
    pub fn record(&self, duration: Duration, now: Instant) {
        let mut state = self.turned(now);
        let (current, bucket) = (state.current, bucket_of(duration));
        let count = &mut state.halves[current][bucket];
        // A count that is full stands; the share of the others is then told too low by less than it matters.
        *count = count.saturating_add(1);
        state.counts[current] += 1;
    }

    /// How many calls are remembered.
    #[must_use]
    pub fn count(&self, now: Instant) -> u64 {
        self.turned(now).counts.iter().sum()
    }

    /// The time within which `percent` of the calls ended; `None` if none are remembered.
    #[must_use]
    pub fn percentile(&self, percent: u32, now: Instant) -> Option<Duration> {
        let state = self.turned(now);
        let total: u64 = state.counts.iter().sum();
        if total == 0 {
            return None;
        }
        let percent = u128::from(percent.min(100));
        let rank = (u128::from(total) * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let [one, other] = &state.halves;
        let both = one.iter().zip(other.iter());
        for (bucket, (one, other)) in both.enumerate() {
            seen += u128::from(*one) + u128::from(*other);
            if seen >= rank {
                return Some(upper_end(bucket));
            }
        }
        Some(upper_end(BUCKETS - 1))
    }

    /// The state, without what is too old at `now`.
    fn turned(&self, now: Instant) -> std::sync::MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.saturating_since(state.since);
        if age >= self.half {
            let next = 1 - state.current;
            state.clear(next);
            if age >= self.half * 2 {
                state.clear(1 - next);
            }
            state.current = next;
            state.since = now;
        }
        state
    }
}

impl State {
    fn clear(&mut self, half: usize) {
        if self.counts[half] > 0 {
            self.halves[half].fill(0);
            self.counts[half] = 0;
        }
    }
}

fn bucket_of(duration: Duration) -> usize {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    if micros < u64::from(PARTS) {
        return micros as usize;
    }
    let power = micros.ilog2();
    let part = (micros >> (power - 3)) & u64::from(PARTS - 1);
    // The first eight stand for themselves, then come eight for each power from 2^3 on.
    let bucket = (power - 2) * PARTS + part as u32;
    (bucket as usize).min(BUCKETS - 1)
}

/// The end of a bucket, itself included: no call in it took longer, but for those in the last.
fn upper_end(bucket: usize) -> Duration {
    let (power, part) = (bucket as u64 / 8, bucket as u64 % 8);
    // One nanosecond short of the next whole microsecond, which calls are rounded down to.
    let end = |micros: u64| Duration::from_nanos(micros.saturating_mul(1_000) - 1);
    if power == 0 {
        return end(part + 1);
    }
    end((PARTS as u64 + part + 1) << (power - 1))
}

impl fmt::Debug for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latencies")
            .field("window", &(self.half * 2))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::from_nanos(secs * 1_000_000_000)
    }

    #[test]
    fn a_percentile_is_never_too_low_and_at_most_an_eighth_too_high() {
        let mut nanos: u64 = 1;
        while nanos < 3_600_000_000_000 {
            let duration = Duration::from_nanos(nanos);
            let latencies = Latencies::over(Duration::from_secs(60));
            latencies.record(duration, at(0));
            let told = latencies.percentile(99, at(0)).unwrap();
            assert!(told >= duration, "{duration:?} told as {told:?}");
            let allowed = duration + duration / 8 + Duration::from_micros(1);
            assert!(told <= allowed, "{duration:?} told as {told:?}");
            nanos = nanos * 21 / 20 + 1;
        }
        let latencies = Latencies::over(Duration::ZERO);
        latencies.record(Duration::MAX, at(0));
        assert!(latencies.percentile(50, at(0)).is_some());
    }

    #[test]
    fn the_rank_is_the_one_that_was_asked_for() {
        let latencies = Latencies::over(Duration::from_secs(60));
        for _ in 0..90 {
            latencies.record(Duration::from_millis(1), at(0));
        }
        for _ in 0..10 {
            latencies.record(Duration::from_secs(1), at(0));
        }
        let at_percent = |percent| latencies.percentile(percent, at(0)).unwrap();
        assert!(at_percent(0) < Duration::from_millis(2));
        assert!(at_percent(90) < Duration::from_millis(2));
        assert!(at_percent(91) >= Duration::from_secs(1));
        assert!(at_percent(u32::MAX) >= Duration::from_secs(1));
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten_and_half_of_it_is_kept() {
        let latencies = Latencies::over(Duration::from_secs(10));
        assert_eq!(latencies.percentile(50, at(0)), None);
        latencies.record(Duration::from_secs(1), at(0));
        assert_eq!(latencies.count(at(4)), 1);
        latencies.record(Duration::from_secs(1), at(6));
        assert_eq!(latencies.count(at(6)), 2);
        assert_eq!(latencies.count(at(11)), 1);
        assert_eq!(latencies.count(at(60)), 0);
        // A clock that steps back forgets nothing, and adds nothing.
        latencies.record(Duration::from_secs(1), at(60));
        assert_eq!(latencies.count(at(1)), 1);
    }
}
