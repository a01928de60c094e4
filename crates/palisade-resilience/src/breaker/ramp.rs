use std::time::Duration;

use palisade_core::{Decision, Instant};

use super::config::BreakerConfig;

/// Lets a growing share through after closing, so that the calls that were held back do not all arrive in the first moment.
///
/// Evenly, not by chance: what is not let through adds up until it makes a whole call, so that a share of a tenth means every
/// tenth call, and the first call after closing always passes.
#[derive(Clone, Debug)]
pub(super) struct Ramp {
    since: Instant,
    /// In ten-thousandths of a call.
    credit: u64,
}

const WHOLE: u64 = 10_000;

impl Ramp {
    pub(super) const fn new(since: Instant) -> Self {
        Self {
            since,
            credit: WHOLE,
        }
    }

    /// Whether the next call passes, or how long the ramp yet lasts. `None` once it is over.
    pub(super) fn admit(
        &mut self,
        config: &BreakerConfig,
        now: Instant,
    ) -> Option<Decision<(), Duration>> {
        let gone = now.saturating_since(self.since);
        let left = config
            .ramp_for
            .checked_sub(gone)
            .filter(|left| *left > Duration::ZERO)?;
        let from = u128::from(config.ramp_from) * u128::from(WHOLE / 100);
        let rise = (u128::from(WHOLE) - from) * gone.as_nanos() / config.ramp_for.as_nanos();
        // At most a whole, as a ten-thousandth of it is at most ten thousand.
        let share = u64::try_from(from + rise).unwrap_or(WHOLE);
        self.credit = (self.credit + share).min(2 * WHOLE);
        if self.credit >= WHOLE {
            self.credit -= WHOLE;
            return Some(Decision::Allow(()));
        }
        Some(Decision::Deny(left))
    }
}
