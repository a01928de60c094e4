//! Sliding window by two counts: what was taken in this window of the store's clock, and as much of what was taken in the
//! last one as still lies within a period if it came evenly.
//!
//! *Bound*: in any interval of length *t* at most `amount · (⌈t / period⌉ + 1)` pass, since no window of the clock gets more
//! than its amount. Who comes evenly gets hardly more than `amount · t / period`: at no point of time does the estimate of
//! the last period exceed the amount. If the bound must be the amount itself, take the [log](super::sliding_log).
//!
//! The estimate is compared exactly, in integers: `previous · left + used · period ≤ amount · period`.

use std::time::Duration;

use palisade_core::{Instant, RetryAfter};

use super::window::{Windows, elapsed, nanos, until};
use crate::{Limit, Status};

/// When a charge of `cost` would pass; `None` if it does now.
#[must_use]
pub fn ask(limit: &Limit, state: Windows, cost: u64, now: Instant) -> Option<RetryAfter> {
    let amount = limit.amount();
    if cost > amount {
        return Some(RetryAfter::Never);
    }
    if cost == 0 {
        return None;
    }
    let state = state.at(limit, now);
    let elapsed = elapsed(limit, state.index, now);
    if state.owed == 0
        && let Some(room) = amount
            .checked_sub(cost)
            .and_then(|room| room.checked_sub(state.used))
    {
        // It fits into this window, as soon as enough of the last one has passed.
        let needed = elapsed_until(limit, state.previous, room);
        return match needed.checked_sub(elapsed) {
            None | Some(0) => None,
            // From the begin of the window, which a clock that was set back has yet to reach.
            Some(_) => Some(RetryAfter::After(until_within(
                limit,
                state.index,
                needed,
                now,
            ))),
        };
    }
    // The first window to come whose own count leaves room, and how much of it must pass.
    let windows = state.windows_until_room(limit, cost).saturating_add(1);
    let taken = |windows: u64| match windows {
        0 => state.used,
        _ => state
            .owed
            .saturating_sub(amount.saturating_mul(windows - 1))
            .min(amount),
    };
    let room = amount - cost - taken(windows);
    let needed = elapsed_until(limit, taken(windows - 1), room);
    Some(RetryAfter::After(until_within(
        limit,
        state.index.saturating_add(windows),
        needed,
        now,
    )))
}

/// How the limit stands.
#[must_use]
pub fn status(
    limit: &Limit,
    state: Windows,
    now: Instant,
    retry_after: Option<RetryAfter>,
) -> Status {
    let state = state.at(limit, now);
    let period = nanos(limit);
    let left = period - elapsed(limit, state.index, now);
    // Rounded up, so that what remains is never more than what passes.
    let past = (u128::from(state.previous) * u128::from(left)).div_ceil(u128::from(period));
    let remaining = u128::from(limit.amount())
        .saturating_sub(past)
        .saturating_sub(u128::from(state.used));
    let reset = match (state.used, state.previous, state.owed) {
        (0, 0, 0) => Duration::ZERO,
        (0, _, 0) => until(limit, state.index.saturating_add(1), now),
        (_, _, owed) => until(
            limit,
            state
                .index
                .saturating_add(2)
                .saturating_add(owed.div_ceil(limit.amount())),
            now,
        ),
    };
    let remaining = u64::try_from(remaining).unwrap_or(u64::MAX);
    Status::new(*limit, remaining, reset, retry_after)
}

/// The time until `elapsed` of the window `index` has passed.
fn until_within(limit: &Limit, index: u64, elapsed: u64, now: Instant) -> Duration {
    let begin = index.saturating_mul(nanos(limit));
    Instant::from_nanos(begin.saturating_add(elapsed)).saturating_since(now)
}

/// How much of a window must have passed for `previous` of the window before to weigh no more than `room`.
fn elapsed_until(limit: &Limit, previous: u64, room: u64) -> u64 {
    let Some(excess) = previous.checked_sub(room).filter(|excess| *excess > 0) else {
        return 0;
    };
    let product = u128::from(nanos(limit)) * u128::from(excess);
    // At most the period: the excess is part of `previous`.
    product.div_ceil(u128::from(previous)) as u64
}
