//! The decision itself: state, cost and time in, answer out. Read this first.
//!
//! It is the *generic cell rate algorithm* (ITU-T I.371, Annex A, in its virtual-scheduling form), which is a token
//! bucket seen from the side: instead of a level that has to be refilled, each key keeps one point in time, the
//! *theoretical arrival time* at which its bucket will be full again. Charging moves the point into the future by what
//! the cost takes to be given back; a request passes if that does not move it further ahead than a whole burst. A point
//! in the past is a full bucket, so an idle key needs no memory.
//!
//! Every backend answers as these functions do. The arithmetic is exact, also where a unit takes no whole number of
//! nanoseconds.

use std::time::Duration;

use palisade_core::{Decision, Instant, RetryAfter};

use crate::{Allowed, Charge, CheckRequest, Denied, Limit, Status, limit::Span};

/// What is remembered about one key of one limit: the time at which its bucket will be full again.
///
/// It does not know its limit. When a limit changes, the keys keep the time they owe; the fraction, which counts parts
/// of a nanosecond in a unit of the limit's own, is then off by less than a nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    nanos: u64,
    fraction: u32,
}

impl State {
    /// A key that nobody has charged, or not for a long time.
    pub const FRESH: Self = Self {
        nanos: 0,
        fraction: 0,
    };

    /// The state a store has kept as two numbers.
    #[must_use]
    pub const fn from_parts(nanos: u64, fraction: u32) -> Self {
        Self { nanos, fraction }
    }

    /// The whole nanoseconds, on the clock that the store decides by.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.nanos
    }

    /// The part of a nanosecond beyond, in a unit of the limit's own. Zero for every limit whose unit takes whole
    /// nanoseconds.
    #[must_use]
    pub const fn fraction(self) -> u32 {
        self.fraction
    }

    /// Whether it says no more than [`State::FRESH`] does, now and from now on: then it may be forgotten.
    #[must_use]
    pub const fn is_fresh(self, now: Instant) -> bool {
        self.nanos < now.as_nanos() || (self.nanos == now.as_nanos() && self.fraction == 0)
    }

    /// The first whole nanosecond at which it may be forgotten.
    #[must_use]
    pub const fn fresh_at(self) -> Instant {
        Instant::from_nanos(self.nanos.saturating_add((self.fraction > 0) as u64))
    }

    fn plus(self, span: Span, ticks_per_nano: u32) -> Self {
        // In u64, since two fractions can exceed a u32. Nanoseconds cannot: at most 2^63 + 2^62 + 2^62 - 1.
        let fraction = u64::from(self.fraction) + u64::from(span.fraction);
        let carry = fraction >= u64::from(ticks_per_nano);
        let fraction = fraction - if carry { u64::from(ticks_per_nano) } else { 0 };
        Self {
            nanos: self.nanos + span.nanos + u64::from(carry),
            fraction: fraction as u32,
        }
    }

    /// The exact time from `earlier` to here. `earlier` is not later.
    fn since(self, earlier: Self, ticks_per_nano: u32) -> Span {
        debug_assert!(earlier <= self);
        let borrow = self.fraction < earlier.fraction;
        let fraction = u64::from(self.fraction)
            + if borrow { u64::from(ticks_per_nano) } else { 0 }
            - u64::from(earlier.fraction);
        Span {
            nanos: self.nanos - earlier.nanos - u64::from(borrow),
            fraction: fraction as u32,
        }
    }
}

/// Time past this point stands still: 292 years after the origin of a clock, limits stop refilling instead of the
/// arithmetic overflowing.
const NOW_NANOS_MAX: u64 = 1 << 63;

/// Decides about one charge of `cost` to a key in `state`, at `now`.
///
/// Gives the status of the limit and, if the charge may pass, the state to keep. Without one, the old state stands: a
/// refusal changes nothing.
///
/// A time earlier than one seen before gives nothing back and takes nothing away. A state further in the future than a
/// whole burst, which only a clock that was set back or a lowered limit can leave behind, is read as an empty bucket: so
/// nobody ever waits longer than [`Limit::fill_time`].
///
/// ```
/// use std::time::Duration;
/// use palisade_core::{Instant, RetryAfter};
/// use palisade_rate_limit::{Limit, model::{State, decide}};
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
#[must_use]
pub fn decide(limit: &Limit, state: State, cost: u64, now: Instant) -> (Status, Option<State>) {
    let per_nano = limit.ticks_per_nano();
    let now = State::from_parts(now.as_nanos().min(NOW_NANOS_MAX), 0);
    let empty = now.plus(limit.fill(), per_nano);
    // A fraction kept under another limit may not be one under this.
    let kept = State::from_parts(state.nanos, state.fraction.min(per_nano - 1));
    let full_at = kept.max(now).min(empty);

    let status = |full_at: State, retry_after| {
        let remaining = limit.units(empty.since(full_at, per_nano));
        let reset = nanos_ceil(full_at.since(now, per_nano));
        Status::new(*limit, remaining, reset, retry_after)
    };
    if cost > limit.burst() {
        return (status(full_at, Some(RetryAfter::Never)), None);
    }
    let charged = full_at.plus(limit.span(cost), per_nano);
    if charged <= empty {
        (status(charged, None), Some(charged))
    } else {
        // `empty` moves with the clock, one nanosecond a nanosecond, and `full_at` stands still.
        let wait = nanos_ceil(charged.since(empty, per_nano));
        (status(full_at, Some(RetryAfter::After(wait))), None)
    }
}

/// Decides about all charges of a request in one step. `states` holds the state of each charge, in the same order; they
/// change if all charges pass, and stay as they are otherwise.
///
/// This is what a backend does between reading and writing, inside its own transaction or lock.
///
/// # Panics
///
/// If there are not as many states as charges.
pub fn decide_all(
    request: CheckRequest<'_>,
    states: &mut [State],
    now: Instant,
) -> Decision<Allowed, Denied> {
    let charges = request.charges();
    assert_eq!(charges.len(), states.len(), "one state for each charge");
    let answers: Vec<(Status, Option<State>)> = charges
        .iter()
        .zip(&*states)
        .map(|(charge, state)| decide(charge.limit, *state, charge.cost, now))
        .collect();
    let statuses = answers.iter().map(|(status, _)| *status);
    if let Some(allowed) = Allowed::from_statuses(statuses) {
        for (state, (_, charged)) in states.iter_mut().zip(answers) {
            *state = charged.unwrap_or(*state);
        }
        return Decision::Allow(allowed);
    }
    // Some may have been reckoned as charged and are not: say how they stand without it.
    let charges = charges.iter().zip(&*states);
    refuse(charges.map(|(charge, state)| standing(charge, *state, now)))
}

/// How a limit stands for a charge that is not made because another one of the request is refused.
pub(crate) fn standing(charge: &Charge<'_>, state: State, now: Instant) -> Status {
    match decide(charge.limit, state, charge.cost, now) {
        (_, Some(_)) => decide(charge.limit, state, 0, now).0,
        (refused, None) => refused,
    }
}

/// A refusal. At least one of the statuses refuses.
pub(crate) fn refuse(statuses: impl IntoIterator<Item = Status>) -> Decision<Allowed, Denied> {
    Decision::Deny(Denied::from_statuses(statuses).expect("a status that refuses"))
}

fn nanos_ceil(span: Span) -> Duration {
    Duration::from_nanos(span.nanos + u64::from(span.fraction > 0))
}
