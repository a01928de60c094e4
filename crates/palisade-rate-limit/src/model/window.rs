//! What fixed and sliding windows have in common: counts for the windows of the store's clock.

use std::time::Duration;

use palisade_core::Instant;

use crate::Limit;

/// What is remembered about one key of a limit that counts in windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Windows {
    /// Which window the counts are of: the time since the origin of the store's clock, in periods.
    pub index: u64,
    /// What was taken in this window; never more than the amount, unless the limit was lowered.
    pub used: u64,
    /// What was taken in the window before. Sliding windows alone look at it.
    pub previous: u64,
    /// What was charged beyond the amount, and is taken from the windows to come before anybody else takes from them.
    pub owed: u64,
}

impl Windows {
    /// The same counts, as they are at `now`.
    ///
    /// A clock that was set back is read as if it still stood in the window it had reached, which gives nothing back; but
    /// no further than one window ahead of it, so that nobody is shut out for longer than two.
    #[must_use]
    pub fn at(self, limit: &Limit, now: Instant) -> Self {
        let index = now.as_nanos() / nanos(limit);
        let Some(turns) = index.checked_sub(self.index).filter(|turns| *turns > 0) else {
            return Self {
                index: self.index.min(index + 1),
                ..self
            };
        };
        let amount = limit.amount();
        // Each window pays up to its amount of what is owed.
        let owed_after = |turns: u64| self.owed.saturating_sub(amount.saturating_mul(turns));
        let used_after = |turns: u64| match turns {
            0 => self.used,
            _ => owed_after(turns - 1).min(amount),
        };
        Self {
            index,
            used: used_after(turns),
            previous: used_after(turns - 1),
            owed: owed_after(turns),
        }
    }

    /// The same after a charge. What the window has no room for is owed.
    #[must_use]
    pub fn take(mut self, limit: &Limit, cost: u64) -> Self {
        let fits = cost.min(limit.amount().saturating_sub(self.used));
        self.used += fits;
        self.owed = self.owed.saturating_add(cost - fits);
        self
    }

    /// The same without `units` of a charge that was made in the window `index`: nothing, if that lies too far back.
    #[must_use]
    pub fn give_back(mut self, index: u64, units: u64) -> Self {
        if index == self.index {
            let forgiven = units.min(self.owed);
            self.owed -= forgiven;
            self.used = self.used.saturating_sub(units - forgiven);
        } else if index.checked_add(1) == Some(self.index) {
            self.previous = self.previous.saturating_sub(units);
        }
        self
    }

    /// How many windows to come are wholly taken by what is owed and by `cost` beside it; zero if nothing is owed.
    #[must_use]
    pub fn windows_until_room(&self, limit: &Limit, cost: u64) -> u64 {
        // In the window `turns` from here, `owed - (turns - 1) · amount` is taken, and `cost` more must fit.
        self.owed
            .saturating_sub(limit.amount() - cost)
            .div_ceil(limit.amount())
    }
}

/// How much of the window `index` has passed.
pub(super) fn elapsed(limit: &Limit, index: u64, now: Instant) -> u64 {
    let start = index.saturating_mul(nanos(limit));
    now.as_nanos().saturating_sub(start).min(nanos(limit))
}

/// The time until the begin of the window `index`.
pub(super) fn until(limit: &Limit, index: u64, now: Instant) -> Duration {
    Instant::from_nanos(index.saturating_mul(nanos(limit))).saturating_since(now)
}

/// The length of a window. At least one: a limit with windows has a period.
pub(super) fn nanos(limit: &Limit) -> u64 {
    (limit.period().as_nanos() as u64).max(1)
}
