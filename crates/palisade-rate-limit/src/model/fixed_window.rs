//! Fixed window: a count for each window of the store's clock.
//!
//! *Bound*: in any interval of length *t* at most `amount · (⌈t / period⌉ + 1)` pass. Just before the end of a window and
//! just after it, that is twice the amount within an instant: choose it where the window itself is what was promised.

use std::time::Duration;

use palisade_core::{Instant, RetryAfter};

use super::window::{Windows, until};
use crate::{Limit, Status};

/// When a charge of `cost` would pass; `None` if it does now.
#[must_use]
pub fn ask(limit: &Limit, state: Windows, cost: u64, now: Instant) -> Option<RetryAfter> {
    if cost > limit.amount() {
        return Some(RetryAfter::Never);
    }
    let state = state.at(limit, now);
    // Nothing may always be taken.
    if cost == 0 || (state.owed == 0 && state.used.saturating_add(cost) <= limit.amount()) {
        return None;
    }
    let free = state
        .index
        .saturating_add(1)
        .saturating_add(state.windows_until_room(limit, cost));
    Some(RetryAfter::After(until(limit, free, now)))
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
    let remaining = limit.amount().saturating_sub(state.used);
    let reset = match (state.used, state.owed) {
        (0, 0) => Duration::ZERO,
        (_, owed) => until(
            limit,
            state
                .index
                .saturating_add(1)
                .saturating_add(owed.div_ceil(limit.amount())),
            now,
        ),
    };
    Status::new(*limit, remaining, reset, retry_after)
}
