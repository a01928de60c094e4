//! Token bucket, as the *generic cell rate algorithm* (ITU-T I.371, Annex A, in its virtual-scheduling form).
//!
//! It is a token bucket seen from the side: instead of a level that has to be refilled, each key keeps one point in time,
//! the *theoretical arrival time* at which its bucket will be full again. Charging moves the point into the future by what
//! the cost takes to be given back; a request passes if that does not move it further ahead than a whole burst. A point
//! in the past is a full bucket, so an idle key needs no memory.
//!
//! *Bound*: in any interval of length *t* at most `burst + amount · t / period` pass, and that much can. What is charged as
//! a debt comes on top once, and is paid before anything else passes.
//!
//! The arithmetic is exact, also where a unit takes no whole number of nanoseconds.

use std::time::Duration;

use palisade_core::{Instant, RetryAfter};

use super::Mark;
use crate::{Limit, Span, Status};

/// What is remembered about one key of one bucket: the time at which it will be full again.
///
/// It does not know its limit. When a limit changes, the keys keep the time they owe; the fraction, which counts parts
/// of a nanosecond in a unit of the limit's own, is then off by less than a nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    nanos: u64,
    fraction: u32,
    indebted: bool,
}

impl State {
    /// A key that nobody has charged, or not for a long time.
    pub const FRESH: Self = Self {
        nanos: 0,
        fraction: 0,
        indebted: false,
    };

    /// The state a store has kept as two numbers and a flag.
    #[must_use]
    pub const fn from_parts(nanos: u64, fraction: u32, indebted: bool) -> Self {
        Self {
            nanos,
            fraction,
            indebted,
        }
    }

    /// The whole nanoseconds, on the clock that the store decides by. Less than 2^63.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.nanos
    }

    /// The part of a nanosecond beyond, in [ticks](Limit::ticks_per_nano) of the limit. Zero for every limit whose unit
    /// takes whole nanoseconds.
    #[must_use]
    pub const fn fraction(self) -> u32 {
        self.fraction
    }

    /// Whether the key has been charged beyond its burst, so that it may lie further ahead than a burst.
    #[must_use]
    pub const fn is_indebted(self) -> bool {
        self.indebted
    }

    /// Whether it says no more than [`State::FRESH`] does, now and from now on: then it may be forgotten.
    #[inline]
    #[must_use]
    pub const fn is_fresh(self, now: Instant) -> bool {
        self.nanos < now.as_nanos() || (self.nanos == now.as_nanos() && self.fraction == 0)
    }

    /// The first whole nanosecond at which it may be forgotten.
    #[must_use]
    pub const fn fresh_at(self) -> Instant {
        Instant::from_nanos(self.nanos.saturating_add((self.fraction > 0) as u64))
    }

    #[inline]
    fn point(self) -> Point {
        Point {
            nanos: self.nanos,
            fraction: self.fraction,
        }
    }
}

/// Time past this point stands still: 146 years after the origin of a clock, limits stop refilling instead of the
/// arithmetic overflowing.
const NOW_NANOS_MAX: u64 = 1 << 62;
/// A debt reaches no further ahead than this: 146 years.
const DEBT_NANOS_MAX: u64 = (1 << 62) - 1;

/// Decides about one charge of `cost` to a key in `state`, at `now`.
///
/// Gives the status of the limit and, if the charge may pass, the state to keep. Without one, the old state stands: a
/// refusal changes nothing.
///
/// A time earlier than one seen before gives nothing back and takes nothing away. A state further in the future than a
/// whole burst, which without a debt only a clock that was set back or a lowered limit can leave behind, is read as an
/// empty bucket: so nobody ever waits longer than [`Limit::fill_time`].
///
/// ```
/// use std::time::Duration;
/// use palisade_core::{Instant, RetryAfter};
/// use palisade_rate_limit::{Limit, model::bucket::{State, decide}};
///
/// let limit = Limit::per_second("api", 10)?.with_burst(2)?;
/// let now = Instant::from_nanos(5_000);
///
/// let (status, state) = decide(&limit, State::FRESH, 2, now);
/// assert_eq!(status.remaining, 0);
/// let (status, denied) = decide(&limit, state.unwrap(), 1, now);
/// assert_eq!(status.retry_after, Some(RetryAfter::After(Duration::from_millis(100))));
/// assert_eq!(denied, None);
/// # Ok::<(), palisade_rate_limit::LimitError>(())
/// ```
#[inline]
#[must_use]
pub fn decide(limit: &Limit, state: State, cost: u64, now: Instant) -> (Status, Option<State>) {
    match charge(limit, state, cost, now) {
        Ok(charged) => (status(limit, charged, now, None), Some(charged)),
        Err(refusal) => (status(limit, state, now, Some(refusal)), None),
    }
}

/// The state after a charge that may pass, or when it may. What [`decide`] does, without the report.
#[inline]
pub(crate) fn charge(
    limit: &Limit,
    state: State,
    cost: u64,
    now: Instant,
) -> Result<State, RetryAfter> {
    if cost > limit.burst() {
        return Err(RetryAfter::Never);
    }
    let per_nano = limit.ticks_per_nano();
    let at = Point::at(now);
    let empty = at.plus(limit.fill(), per_nano);
    let charged = full_at(limit, state, now).plus(limit.span(cost), per_nano);
    if charged <= empty {
        Ok(charged.state(false))
    } else if cost == 0 {
        // Nothing may always be taken, also from a bucket in debt, which it leaves as it is.
        Ok(charged.state(true))
    } else {
        // `empty` moves with the clock, one nanosecond a nanosecond, and the state stands still.
        Err(RetryAfter::After(nanos_ceil(
            charged.since(empty, per_nano),
        )))
    }
}

/// When a charge of `cost` would pass; `None` if it does now.
#[must_use]
pub fn ask(limit: &Limit, state: State, cost: u64, now: Instant) -> Option<RetryAfter> {
    charge(limit, state, cost, now).err()
}

/// The state after a charge that is made whether or not there is enough: what is not there is owed.
#[must_use]
pub fn take(limit: &Limit, state: State, cost: u64, now: Instant) -> State {
    let per_nano = limit.ticks_per_nano();
    let at = Point::at(now);
    let charged = full_at(limit, state, now).plus(limit.span_of(cost), per_nano);
    let farthest = at.plus(
        Span {
            nanos: DEBT_NANOS_MAX,
            fraction: 0,
        },
        per_nano,
    );
    let charged = charged.min(farthest);
    charged.state(charged > at.plus(limit.fill(), per_nano))
}

/// How the limit stands.
#[inline]
#[must_use]
pub fn status(
    limit: &Limit,
    state: State,
    now: Instant,
    retry_after: Option<RetryAfter>,
) -> Status {
    let per_nano = limit.ticks_per_nano();
    let at = Point::at(now);
    let empty = at.plus(limit.fill(), per_nano);
    let full_at = full_at(limit, state, now);
    let remaining = if full_at < empty {
        limit.units(empty.since(full_at, per_nano))
    } else {
        0
    };
    let reset = nanos_ceil(full_at.since(at, per_nano));
    Status::new(*limit, remaining, reset, retry_after)
}

/// What a hold remembers of a charge: where the charge had brought the state, and what had been given back before.
#[must_use]
pub fn mark(limit: &Limit, charged: State, refunded: Span) -> Mark {
    let per_nano = limit.ticks_per_nano();
    let until = charged
        .point()
        .clamped(per_nano)
        .saturating_plus(refunded, per_nano);
    Mark {
        nanos: until.nanos,
        fraction: until.fraction,
    }
}

/// Gives back `units` of a charge, as far as time has not given them back already.
///
/// What a charge took comes back at `mark` by itself; until then, what is left of it may be given back early, and no more:
/// a unit that time has brought back may have been taken by somebody else since. `refunded` is the sum of what was given
/// back to this key so far: each refund brings forward everything behind it. With [`State`] it is returned as it is
/// afterwards. A store must remember it as long as any hold on the key lasts.
///
/// So in every interval what was *used*, rather than reserved, keeps to the bound of the limit.
#[must_use]
pub fn give_back(
    limit: &Limit,
    state: State,
    refunded: Span,
    mark: Mark,
    units: u64,
    now: Instant,
) -> (State, Span) {
    let per_nano = limit.ticks_per_nano();
    let at = Point::at(now);
    let full_at = full_at(limit, state, now);
    let until = Point {
        nanos: mark.nanos,
        fraction: mark.fraction,
    }
    .clamped(per_nano);
    let left = until
        .ticks(per_nano)
        .saturating_sub(ticks(refunded, per_nano))
        .saturating_sub(at.ticks(per_nano));
    let owed = full_at.ticks(per_nano) - at.ticks(per_nano);
    let back = ticks(limit.span_of(units), per_nano).min(left).min(owed);
    let full_at = Point::from_ticks(full_at.ticks(per_nano) - back, per_nano);
    let empty = at.plus(limit.fill(), per_nano);
    let sum = Point::from_ticks(ticks(refunded, per_nano) + back, per_nano);
    (
        full_at.state(full_at > empty),
        Span {
            nanos: sum.nanos,
            fraction: sum.fraction,
        },
    )
}

/// The sum of refunds after a reset, which gives back all that is owed: so a hold from before finds nothing left of its own.
#[must_use]
pub fn reset(limit: &Limit, state: State, refunded: Span, now: Instant) -> Span {
    let per_nano = limit.ticks_per_nano();
    let owed = full_at(limit, state, now).since(Point::at(now), per_nano);
    let sum = Point {
        nanos: refunded.nanos,
        fraction: refunded.fraction,
    };
    let sum = sum.clamped(per_nano).saturating_plus(owed, per_nano);
    Span {
        nanos: sum.nanos,
        fraction: sum.fraction,
    }
}

/// When the bucket is full again, as this limit reads the state at this time. Never in the past.
#[inline]
fn full_at(limit: &Limit, state: State, now: Instant) -> Point {
    let per_nano = limit.ticks_per_nano();
    let at = Point::at(now);
    // A fraction kept under another limit may not be one under this.
    let kept = state.point().clamped(per_nano).max(at);
    if state.indebted {
        return kept.min(Point {
            nanos: at.nanos + DEBT_NANOS_MAX,
            fraction: 0,
        });
    }
    kept.min(at.plus(limit.fill(), per_nano))
}

/// A point in time, exact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    nanos: u64,
    fraction: u32,
}

impl Point {
    #[inline]
    fn at(now: Instant) -> Self {
        Self {
            nanos: now.as_nanos().min(NOW_NANOS_MAX),
            fraction: 0,
        }
    }

    #[inline]
    fn clamped(self, per_nano: u32) -> Self {
        Self {
            nanos: self.nanos,
            fraction: self.fraction.min(per_nano - 1),
        }
    }

    #[inline]
    fn state(self, indebted: bool) -> State {
        State::from_parts(self.nanos, self.fraction, indebted)
    }

    #[inline]
    fn plus(self, span: Span, per_nano: u32) -> Self {
        // In u64, since two fractions can exceed a u32. Nanoseconds cannot: points lie below 2^63, spans below 2^62 + 1.
        let fraction = u64::from(self.fraction) + u64::from(span.fraction);
        let carry = fraction >= u64::from(per_nano);
        let fraction = fraction - if carry { u64::from(per_nano) } else { 0 };
        Self {
            nanos: self.nanos + span.nanos + u64::from(carry),
            fraction: fraction as u32,
        }
    }

    /// The same where the sum of refunds takes part, which debts that are forgiven over and over can bring to any height. At
    /// the end of the range nothing more is given back.
    fn saturating_plus(self, span: Span, per_nano: u32) -> Self {
        let sum = self.ticks(per_nano).saturating_add(ticks(span, per_nano));
        Self::from_ticks(sum, per_nano)
    }

    /// The exact time from `earlier` to here. `earlier` is not later.
    #[inline]
    fn since(self, earlier: Self, per_nano: u32) -> Span {
        debug_assert!(earlier <= self);
        let borrow = self.fraction < earlier.fraction;
        let fraction = u64::from(self.fraction) + if borrow { u64::from(per_nano) } else { 0 }
            - u64::from(earlier.fraction);
        Span {
            nanos: self.nanos - earlier.nanos - u64::from(borrow),
            fraction: fraction as u32,
        }
    }

    fn ticks(self, per_nano: u32) -> u128 {
        u128::from(self.nanos) * u128::from(per_nano) + u128::from(self.fraction)
    }

    fn from_ticks(ticks: u128, per_nano: u32) -> Self {
        let per_nano = u128::from(per_nano);
        Self {
            nanos: u64::try_from(ticks / per_nano).unwrap_or(u64::MAX >> 1),
            // Less than a u32.
            fraction: (ticks % per_nano) as u32,
        }
    }
}

fn ticks(span: Span, per_nano: u32) -> u128 {
    u128::from(span.nanos) * u128::from(per_nano) + u128::from(span.fraction)
}

#[inline]
fn nanos_ceil(span: Span) -> Duration {
    Duration::from_nanos(span.nanos + u64::from(span.fraction > 0))
}
