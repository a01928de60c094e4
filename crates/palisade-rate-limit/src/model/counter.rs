use palisade_core::{Instant, RetryAfter};

use super::{
    Mark, Windows, bucket,
    concurrency::{self, Leases},
    fixed_window,
    sliding_log::{self, Log},
    sliding_window, window,
};
use crate::{Algorithm, Hold, HoldId, Limit, Span, Status};

/// What is remembered about one key of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counter {
    /// A token bucket, and the sum of what was given back to it while holds on it lasted.
    Bucket(bucket::State, Span),
    /// A fixed window.
    FixedWindow(Windows),
    /// A sliding window.
    SlidingWindow(Windows),
    /// A sliding log.
    SlidingLog(Log),
    /// Permits held.
    Concurrency(Leases),
}

impl Counter {
    /// That of a key that nobody has charged.
    #[must_use]
    pub fn new(limit: &Limit) -> Self {
        match limit.algorithm() {
            Algorithm::TokenBucket => Self::Bucket(bucket::State::FRESH, Span::default()),
            Algorithm::FixedWindow => Self::FixedWindow(Windows::default()),
            Algorithm::SlidingWindow => Self::SlidingWindow(Windows::default()),
            Algorithm::SlidingLog => Self::SlidingLog(Log::default()),
            Algorithm::Concurrency => Self::Concurrency(Leases::default()),
        }
    }

    /// Forgets what no longer counts. Every question below is about a counter that was pruned at the same time.
    pub fn prune(&mut self, limit: &Limit, now: Instant) {
        match self {
            Self::Bucket(..) => {}
            Self::FixedWindow(windows) | Self::SlidingWindow(windows) => {
                *windows = windows.at(limit, now);
            }
            Self::SlidingLog(log) => log.prune(limit, now),
            Self::Concurrency(leases) => leases.prune(now),
        }
    }

    /// When a charge of `cost` would pass, were nobody else to ask; `None` if it does now.
    #[must_use]
    pub fn ask(&self, limit: &Limit, cost: u64, now: Instant) -> Option<RetryAfter> {
        match self {
            Self::Bucket(state, _) => bucket::ask(limit, *state, cost, now),
            Self::FixedWindow(windows) => fixed_window::ask(limit, *windows, cost, now),
            Self::SlidingWindow(windows) => sliding_window::ask(limit, *windows, cost, now),
            Self::SlidingLog(log) => sliding_log::ask(limit, log, cost, now),
            Self::Concurrency(leases) => concurrency::ask(limit, leases, cost, now),
        }
    }

    /// How the limit stands.
    #[must_use]
    pub fn status(&self, limit: &Limit, now: Instant, refusal: Option<RetryAfter>) -> Status {
        match self {
            Self::Bucket(state, _) => bucket::status(limit, *state, now, refusal),
            Self::FixedWindow(windows) => fixed_window::status(limit, *windows, now, refusal),
            Self::SlidingWindow(windows) => sliding_window::status(limit, *windows, now, refusal),
            Self::SlidingLog(log) => sliding_log::status(limit, log, now, refusal),
            Self::Concurrency(leases) => concurrency::status(limit, leases, now, refusal),
        }
    }

    /// Charges `cost`, whether or not it passes; what there is no room for is owed. Of a limit on concurrency nothing is
    /// taken without a hold.
    pub fn take(&mut self, limit: &Limit, cost: u64, now: Instant, hold: Option<Hold>) -> Mark {
        match self {
            Self::Bucket(state, refunded) => {
                *state = bucket::take(limit, *state, cost, now);
                bucket::mark(limit, *state, *refunded)
            }
            Self::FixedWindow(windows) | Self::SlidingWindow(windows) => {
                *windows = windows.at(limit, now).take(limit, cost);
                Mark {
                    nanos: windows.index,
                    fraction: 0,
                }
            }
            Self::SlidingLog(log) => {
                log.take(limit, cost, now);
                Mark {
                    nanos: now.as_nanos(),
                    fraction: 0,
                }
            }
            Self::Concurrency(leases) => {
                if let Some(hold) = hold {
                    leases.take(hold.id(), cost, now.saturating_add(hold.ttl()));
                }
                Mark::default()
            }
        }
    }

    /// Gives back `units` of the charge that `mark` is of, into the window it came from and no other. A hold on a
    /// concurrency gives back all it holds.
    pub fn give_back(&mut self, limit: &Limit, id: HoldId, mark: Mark, units: u64, now: Instant) {
        match self {
            Self::Bucket(state, refunded) => {
                (*state, *refunded) = bucket::give_back(limit, *state, *refunded, mark, units, now);
            }
            Self::FixedWindow(windows) | Self::SlidingWindow(windows) => {
                *windows = windows.at(limit, now).give_back(mark.nanos, units);
            }
            Self::SlidingLog(log) => log.give_back(mark.nanos, units),
            Self::Concurrency(leases) => leases.give_back(id),
        }
    }

    /// Forgets what was used.
    pub fn reset(&mut self, limit: &Limit, now: Instant) {
        *self = match self {
            Self::Bucket(state, refunded) => Self::Bucket(
                bucket::State::FRESH,
                bucket::reset(limit, *state, *refunded, now),
            ),
            _ => Self::new(limit),
        };
    }

    /// From when on it says no more than a [new](Counter::new) one, so that it may be forgotten. The sum of a bucket's
    /// refunds must be kept while any hold on it lasts.
    #[must_use]
    pub fn fresh_at(&self, limit: &Limit) -> Instant {
        let windows_end = |windows: &Windows, more: u64| {
            let count = windows.owed.div_ceil(limit.amount());
            let count = windows.index.saturating_add(count).saturating_add(more);
            Instant::from_nanos(count.saturating_mul(window::nanos(limit)))
        };
        match self {
            Self::Bucket(state, _) => state.fresh_at(),
            Self::FixedWindow(windows) => windows_end(windows, 1),
            Self::SlidingWindow(windows) => windows_end(windows, 2),
            Self::SlidingLog(log) => log.fresh_at(limit),
            Self::Concurrency(leases) => leases.fresh_at(),
        }
    }
}
