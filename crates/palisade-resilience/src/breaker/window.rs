use palisade_core::Instant;

use super::config::Window;

/// What happened to one call, as the window counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

/// How many calls the window holds, and how they went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// All calls.
    pub calls: u64,
    /// Those that failed by the upstream's fault.
    pub failed: u64,
    /// Those that were slow, failed or not.
    pub slow: u64,
}

impl Counts {
    fn add(&mut self, mark: Mark) {
        self.calls += 1;
        self.failed += u64::from(mark.failed);
        self.slow += u64::from(mark.slow);
    }

    fn remove(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failed -= other.failed;
        self.slow -= other.slow;
    }
}

/// A window over the latest calls with running totals: a call costs the same in a window of ten and of a million.
#[derive(Clone, Debug)]
pub(super) enum Sliding {
    /// A ring of the last calls.
    Calls {
        ring: Box<[Mark]>,
        next: usize,
        totals: Counts,
    },
    /// A ring of sixteenths of the window, each with its own counts.
    Time {
        bucket_nanos: u64,
        buckets: Box<[Counts; BUCKETS]>,
        /// The number of the newest bucket, counted from the clock's origin.
        newest: u64,
        totals: Counts,
    },
}

/// Into how many parts a time window is cut. A power of two, so that finding a part is a mask.
pub(super) const BUCKETS: usize = 16;

impl Sliding {
    pub(super) fn new(window: Window) -> Self {
        match window {
            Window::Calls(calls) => Self::Calls {
                ring: vec![Mark::default(); calls as usize].into_boxed_slice(),
                next: 0,
                totals: Counts::default(),
            },
            Window::Time(time) => Self::Time {
                // Rounded down, so that nothing is ever counted for longer than the window.
                bucket_nanos: u64::try_from(time.as_nanos() / BUCKETS as u128)
                    .unwrap_or(u64::MAX)
                    .max(1),
                buckets: Box::default(),
                newest: 0,
                totals: Counts::default(),
            },
        }
    }

    /// Counts a call that ended at `now`, and tells what the window holds then.
    pub(super) fn record(&mut self, mark: Mark, now: Instant) -> Counts {
        self.advance(now);
        match self {
            Self::Calls { ring, next, totals } => {
                if totals.calls == ring.len() as u64 {
                    let oldest = ring[*next];
                    totals.remove(Counts {
                        calls: 1,
                        failed: oldest.failed.into(),
                        slow: oldest.slow.into(),
                    });
                }
                ring[*next] = mark;
                *next = if *next + 1 == ring.len() {
                    0
                } else {
                    *next + 1
                };
                totals.add(mark);
                *totals
            }
            Self::Time {
                buckets,
                newest,
                totals,
                ..
            } => {
                buckets[*newest as usize % BUCKETS].add(mark);
                totals.add(mark);
                *totals
            }
        }
    }

    /// What the window holds at `now`.
    pub(super) fn counts(&mut self, now: Instant) -> Counts {
        self.advance(now);
        match self {
            Self::Calls { totals, .. } | Self::Time { totals, .. } => *totals,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        match self {
            // What lies beyond `totals.calls` is never read, so the ring itself may stay as it is.
            Self::Calls { next, totals, .. } => {
                *next = 0;
                *totals = Counts::default();
            }
            Self::Time {
                buckets, totals, ..
            } => {
                **buckets = [Counts::default(); BUCKETS];
                *totals = Counts::default();
            }
        }
    }

    /// Lets the buckets fall out that are too old at `now`: at most all sixteen, however long the pause was.
    fn advance(&mut self, now: Instant) {
        let Self::Time {
            bucket_nanos,
            buckets,
            newest,
            totals,
        } = self
        else {
            return;
        };
        let bucket = now.as_nanos() / *bucket_nanos;
        // A reading from before the last one (taken, then overtaken) counts into the newest bucket.
        let passed = bucket.saturating_sub(*newest);
        for step in 1..=passed.min(BUCKETS as u64) {
            let expired = &mut buckets[(*newest + step) as usize % BUCKETS];
            totals.remove(std::mem::take(expired));
        }
        *newest += passed;
    }
}
