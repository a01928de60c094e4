use std::{
    fmt,
    sync::{PoisonError, atomic::Ordering},
};

use palisade_core::{Clock, Decision, Instant, RetryAfter, SystemClock};

use crate::{
    Algorithm, ConfigError, Limit, Status,
    model::bucket::{self, State},
    sync::{AtomicU64, Mutex},
};

/// One token bucket for everything that asks: no keys, no table, one word.
///
/// For a client that must not exceed what its provider allows, or a queue that drains at a steady pace. A question costs
/// about what reading the clock costs; a refusal writes nothing, so refused threads do not slow one another.
///
/// ```
/// use palisade_core::SystemClock;
/// use palisade_rate_limit::{Direct, Limit};
///
/// let limiter = Direct::new(Limit::per_minute("upstream", 600)?.with_burst(2)?, SystemClock)?;
/// assert!(limiter.decide(1).is_allow());
/// assert!(limiter.decide(1).is_allow());
/// assert!(limiter.decide(1).is_deny());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Direct<C = SystemClock> {
    cell: Cell,
    limit: Limit,
    ticks: Ticks,
    clock: C,
}

/// What the word is computed with, worked out once.
#[derive(Clone, Copy)]
struct Ticks {
    burst: u64,
    per_nano: u64,
    per_unit: u64,
    fill: u64,
    now_nanos_max: u64,
}

/// Two lines apart from whatever lies beside it.
#[repr(align(128))]
enum Cell {
    /// The time at which the bucket is full, in ticks: for limits whose ticks are few enough that 36 years of them fit.
    Word(AtomicU64),
    /// The same in nanoseconds and ticks, for all others.
    Whole(Mutex<State>),
}

/// The most ticks a nanosecond may have for its time to be one word.
const WORD_TICKS_MAX: u32 = 8;
/// The longest fill time for it: two years.
const WORD_FILL_NANOS_MAX: u64 = 1 << 56;

impl<C: Clock> Direct<C> {
    /// A full bucket.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NotABucket`] for a limit of another algorithm.
    pub fn new(limit: Limit, clock: C) -> Result<Self, ConfigError> {
        if limit.algorithm() != Algorithm::TokenBucket {
            return Err(ConfigError::NotABucket {
                found: limit.algorithm(),
            });
        }
        let small =
            limit.ticks_per_nano() <= WORD_TICKS_MAX && limit.fill().nanos <= WORD_FILL_NANOS_MAX;
        let cell = if small {
            Cell::Word(AtomicU64::new(0))
        } else {
            Cell::Whole(Mutex::new(State::FRESH))
        };
        let per_nano = u64::from(limit.ticks_per_nano());
        let ticks = Ticks {
            burst: limit.burst(),
            per_nano,
            per_unit: limit.ticks_per_unit(),
            fill: limit.fill_ticks(),
            now_nanos_max: (1 << 62) / per_nano,
        };
        Ok(Self {
            cell,
            limit,
            ticks,
            clock,
        })
    }

    /// May `cost` go now; if not, when?
    #[inline]
    pub fn decide(&self, cost: u64) -> Decision {
        self.decide_at(cost, self.clock.instant())
    }

    /// The same at a time that the caller has read from the clock already.
    #[inline]
    pub fn decide_at(&self, cost: u64, now: Instant) -> Decision {
        match &self.cell {
            Cell::Word(word) => charge_word(&self.ticks, word, cost, now),
            Cell::Whole(state) => charge_whole(&self.limit, state, cost, now),
        }
    }

    /// How the limit stands.
    pub fn status(&self) -> Status {
        let now = self.clock.instant();
        let state = match &self.cell {
            Cell::Word(word) => {
                let (ticks, per_nano) = (
                    word.load(Ordering::Acquire),
                    u64::from(self.limit.ticks_per_nano()),
                );
                // A fraction is less than eight.
                State::from_parts(ticks / per_nano, (ticks % per_nano) as u32, false)
            }
            Cell::Whole(state) => *state.lock().unwrap_or_else(PoisonError::into_inner),
        };
        bucket::status(&self.limit, state, now, None)
    }

    /// The limit.
    #[must_use]
    pub const fn limit(&self) -> &Limit {
        &self.limit
    }
}

/// GCRA on one word, as in [`bucket`]: read, compute, compare and swap.
#[inline]
fn charge_word(ticks: &Ticks, word: &AtomicU64, cost: u64, now: Instant) -> Decision {
    if cost > ticks.burst {
        return Decision::Deny(RetryAfter::Never);
    }
    // At most the fill time, so below 2^60.
    let span = cost * ticks.per_unit;
    let now = now.as_nanos().min(ticks.now_nanos_max) * ticks.per_nano;
    let empty = now + ticks.fill;
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        let charged = seen.clamp(now, empty) + span;
        if charged > empty {
            return Decision::Deny(RetryAfter::After(wait(charged - empty, ticks.per_nano)));
        }
        // One word is all there is, so its own order of changes is all the order there has to be.
        match word.compare_exchange_weak(seen, charged, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return Decision::Allow(()),
            Err(present) => seen = present,
        }
    }
}

#[cold]
fn wait(ticks: u64, per_nano: u64) -> std::time::Duration {
    std::time::Duration::from_nanos(ticks.div_ceil(per_nano))
}

fn charge_whole(limit: &Limit, state: &Mutex<State>, cost: u64, now: Instant) -> Decision {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    match bucket::charge(limit, *state, cost, now) {
        Ok(charged) => {
            *state = charged;
            Decision::Allow(())
        }
        Err(refusal) => Decision::Deny(refusal),
    }
}

impl<C> fmt::Debug for Direct<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
