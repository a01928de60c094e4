use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use palisade_core::Instant;

use crate::Histogram;

/// How long requests took lately: percentiles over a rolling window.
///
/// The window is cut into slots that are forgotten one by one, so a snapshot covers between `window - window / slots` and
/// `window`. Its size is fixed (8 KB a slot). Time is an argument: give it [`Clock::instant`](palisade_core::Clock::instant).
///
/// ```
/// use std::time::Duration;
/// use palisade_core::Instant;
/// use palisade_trace::{RollingStats, Targets};
///
/// let stats = RollingStats::new(Duration::from_secs(60));
/// let now = Instant::ORIGIN;
/// for millis in 1..=100 {
///     stats.record(Duration::from_millis(millis), true, now);
/// }
/// let snapshot = stats.snapshot(now);
/// assert_eq!((snapshot.count, snapshot.failures), (100, 0));
/// assert!(snapshot.meets(&Targets::default().with_p95(Duration::from_millis(110))));
/// assert!(!snapshot.meets(&Targets::default().with_p50(Duration::from_millis(40))));
/// ```
pub struct RollingStats {
    slot: Duration,
    slots: Mutex<Box<[Slot]>>,
}

#[derive(Clone, Default)]
struct Slot {
    /// Which stretch of time the slot holds, counted in slots since the clock's origin.
    number: u64,
    failures: u64,
    durations: Histogram,
}

/// Stretches of the window.
const SLOTS: u32 = 12;

impl RollingStats {
    /// Statistics over the last `window`, in twelve slots. A window below twelve nanoseconds is taken as twelve.
    #[must_use]
    pub fn new(window: Duration) -> Self {
        Self {
            slot: (window / SLOTS).max(Duration::from_nanos(1)),
            slots: Mutex::new(vec![Slot::default(); SLOTS as usize].into()),
        }
    }

    /// Adds a request that took `duration`, ended at `now`, and went well or not.
    pub fn record(&self, duration: Duration, ok: bool, now: Instant) {
        let number = self.number(now);
        let mut slots = self.lock();
        let index = (number % u64::from(SLOTS)) as usize;
        let slot = &mut slots[index];
        if slot.number < number {
            slot.durations.clear();
            slot.failures = 0;
            slot.number = number;
        }
        // A thread that was held up since it read the clock adds to a stretch that is gone: let it count for the newer
        // one rather than nowhere.
        slot.durations.record(duration);
        slot.failures += u64::from(!ok);
    }

    /// The window that ends at `now`.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let number = self.number(now);
        let mut durations = Histogram::new();
        let mut failures = 0;
        for slot in &*self.lock() {
            if slot.number + u64::from(SLOTS) > number {
                durations.merge(&slot.durations);
                failures += slot.failures;
            }
        }
        Snapshot {
            count: durations.count(),
            failures,
            p50: durations.quantile(500),
            p95: durations.quantile(950),
            p99: durations.quantile(990),
            max: durations.max(),
        }
    }

    fn number(&self, now: Instant) -> u64 {
        // Never zero: `new` sees to it. Beyond 584 years the last slot stays.
        let slot = u64::try_from(self.slot.as_nanos()).unwrap_or(u64::MAX);
        now.as_nanos() / slot
    }

    fn lock(&self) -> MutexGuard<'_, Box<[Slot]>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RollingStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RollingStats")
            .field("window", &(self.slot * SLOTS))
            .finish_non_exhaustive()
    }
}

/// A reading of [`RollingStats`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// How many requests there were.
    pub count: u64,
    /// How many of them failed.
    pub failures: u64,
    /// Half of them took no longer.
    pub p50: Option<Duration>,
    /// 95 of 100 took no longer.
    pub p95: Option<Duration>,
    /// 99 of 100 took no longer.
    pub p99: Option<Duration>,
    /// None took longer.
    pub max: Option<Duration>,
}

impl Snapshot {
    /// Whether every target is met. Where nothing happened, nothing was missed.
    #[must_use]
    pub fn meets(&self, targets: &Targets) -> bool {
        let meets = |actual: Option<Duration>, target: Option<Duration>| match (actual, target) {
            (Some(actual), Some(target)) => actual <= target,
            (None, _) | (_, None) => true,
        };
        meets(self.p50, targets.p50) && meets(self.p95, targets.p95) && meets(self.p99, targets.p99)
    }
}

/// How long requests should take at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Targets {
    /// Half of them.
    pub p50: Option<Duration>,
    /// 95 of 100.
    pub p95: Option<Duration>,
    /// 99 of 100.
    pub p99: Option<Duration>,
}

impl Targets {
    /// The same with a target for the median.
    #[must_use]
    pub const fn with_p50(mut self, target: Duration) -> Self {
        self.p50 = Some(target);
        self
    }

    /// The same with a target for 95 of 100.
    #[must_use]
    pub const fn with_p95(mut self, target: Duration) -> Self {
        self.p95 = Some(target);
        self
    }

    /// The same with a target for 99 of 100.
    #[must_use]
    pub const fn with_p99(mut self, target: Duration) -> Self {
        self.p99 = Some(target);
        self
    }
}
