use std::collections::VecDeque;

use palisade_core::Instant;

use super::config::Window;

/// What is to be counted of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Whether it is one more call, or more news of one that has been counted already.
    pub(crate) call: bool,
    pub(crate) failed: bool,
    pub(crate) slow: bool,
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
        self.calls += u64::from(mark.call);
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
pub(crate) enum Sliding {
    /// The last calls. They are numbered, and only those with something held against them are kept, so that a success is
    /// one more number and nothing else.
    Calls {
        length: u64,
        /// The number of the latest call.
        latest: u64,
        held: VecDeque<Held>,
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

/// What is held against the call of this number. No two have one number, so there are no more than the window is long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    number: u64,
    failed: u32,
    slow: u32,
}

/// Into how many parts a time window is cut. A power of two, so that finding a part is a mask.
pub(super) const BUCKETS: usize = 16;

impl Sliding {
    pub(crate) fn new(window: Window) -> Self {
        match window {
            Window::Calls(calls) => Self::Calls {
                length: calls.into(),
                latest: 0,
                held: VecDeque::new(),
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

    /// Counts what happened at `now`, and tells what the window holds then.
    pub(crate) fn record(&mut self, mark: Mark, now: Instant) -> Counts {
        self.advance(now);
        match self {
            Self::Calls {
                length,
                latest,
                held,
                totals,
            } => {
                *latest += u64::from(mark.call);
                if mark.failed || mark.slow {
                    let (failed, slow) = (mark.failed.into(), mark.slow.into());
                    match held.back_mut() {
                        Some(last) if last.number == *latest => {
                            last.failed = last.failed.saturating_add(failed);
                            last.slow = last.slow.saturating_add(slow);
                        }
                        _ => held.push_back(Held {
                            number: *latest,
                            failed,
                            slow,
                        }),
                    }
                    totals.failed += u64::from(failed);
                    totals.slow += u64::from(slow);
                }
                forget(*length, *latest, held, totals)
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

    /// Counts so many successes that came after everything recorded so far, and before the newest bucket ended.
    pub(super) fn successes(&mut self, count: u64) {
        match self {
            Self::Calls {
                length,
                latest,
                held,
                totals,
            } => {
                *latest += count;
                forget(*length, *latest, held, totals);
            }
            Self::Time {
                buckets,
                newest,
                totals,
                ..
            } => {
                buckets[*newest as usize % BUCKETS].calls += count;
                totals.calls += count;
            }
        }
    }

    /// When the newest bucket ends. A window of calls has but one, and it never does.
    pub(super) fn turns_at(&self) -> u64 {
        match self {
            Self::Calls { .. } => u64::MAX,
            Self::Time {
                bucket_nanos,
                newest,
                ..
            } => bucket_nanos.saturating_mul(newest.saturating_add(1)),
        }
    }

    /// What the window holds at `now`.
    pub(crate) fn counts(&mut self, now: Instant) -> Counts {
        self.advance(now);
        match self {
            Self::Calls { totals, .. } | Self::Time { totals, .. } => *totals,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        match self {
            Self::Calls {
                latest,
                held,
                totals,
                ..
            } => {
                *latest = 0;
                held.clear();
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
    pub(super) fn advance(&mut self, now: Instant) {
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

/// Lets go of what lies before the last `length` calls. Each is let go of once, so this costs as much as holding it did.
fn forget(length: u64, latest: u64, held: &mut VecDeque<Held>, totals: &mut Counts) -> Counts {
    totals.calls = latest.min(length);
    while let Some(oldest) = held.front().copied()
        && oldest.number + length <= latest
    {
        totals.failed -= u64::from(oldest.failed);
        totals.slow -= u64::from(oldest.slow);
        held.pop_front();
    }
    *totals
}
