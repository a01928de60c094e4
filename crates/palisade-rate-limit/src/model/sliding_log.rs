//! Sliding window by a log: every admission is remembered by its time for one period.
//!
//! *Bound*: in any interval no longer than the period at most the amount passes, to the letter; in any of length *t*,
//! `amount · ⌈t / period⌉`. It costs memory for every admission, so the amount is at most
//! [`Limit::LOG_AMOUNT_MAX`](crate::Limit::LOG_AMOUNT_MAX).

use std::time::Duration;

use palisade_core::{Instant, RetryAfter};

use super::window::nanos;
use crate::{Limit, Status};

/// How many periods ahead a debt is remembered. What goes beyond is forgiven.
pub const DEBT_PERIODS_MAX: usize = 64;

/// What is remembered about one key: what was taken when, the oldest first. Entries in the future are debts: one amount a
/// period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Log {
    /// Times in nanoseconds on the store's clock, strictly ascending, with what was taken at each.
    pub entries: Vec<(u64, u64)>,
}

impl Log {
    /// Forgets what lies a period or more back.
    pub fn prune(&mut self, limit: &Limit, now: Instant) {
        let period = nanos(limit);
        let expired = |entry: &&(u64, u64)| entry.0.saturating_add(period) <= now.as_nanos();
        let count = self.entries.iter().take_while(expired).count();
        self.entries.drain(..count);
    }

    /// When it may be forgotten.
    #[must_use]
    pub fn fresh_at(&self, limit: &Limit) -> Instant {
        self.entries.last().map_or(Instant::ORIGIN, |(at, _)| {
            Instant::from_nanos(at.saturating_add(nanos(limit)))
        })
    }

    /// Charges `cost`. What there is no room for is owed in the periods to come.
    pub fn take(&mut self, limit: &Limit, cost: u64, now: Instant) {
        self.prune(limit, now);
        let period = nanos(limit);
        let room = limit.amount().saturating_sub(self.used());
        let mut left = cost;
        let fits = left.min(room);
        if fits > 0 {
            self.enter(now.as_nanos(), fits);
            left -= fits;
        }
        while left > 0 {
            let (last, taken) = self.entries.last().copied().unwrap_or_default();
            let ahead = last > now.as_nanos();
            if ahead && taken < limit.amount() {
                let fits = left.min(limit.amount() - taken);
                self.enter(last, fits);
                left -= fits;
                continue;
            }
            let periods = last.saturating_sub(now.as_nanos()) / period;
            if periods >= DEBT_PERIODS_MAX as u64 {
                return;
            }
            let at = last.max(now.as_nanos()).saturating_add(period);
            let fits = left.min(limit.amount());
            self.enter(at, fits);
            left -= fits;
        }
    }

    /// Takes `units` of a charge made at `at` off the log: what is still there of it.
    pub fn give_back(&mut self, at: u64, units: u64) {
        if let Some(index) = self.entries.iter().position(|entry| entry.0 == at) {
            self.entries[index].1 = self.entries[index].1.saturating_sub(units);
            if self.entries[index].1 == 0 {
                self.entries.remove(index);
            }
        }
    }

    fn used(&self) -> u64 {
        self.entries
            .iter()
            .fold(0, |sum, (_, taken)| sum.saturating_add(*taken))
    }

    fn enter(&mut self, at: u64, taken: u64) {
        match self.entries.binary_search_by_key(&at, |entry| entry.0) {
            Ok(index) => self.entries[index].1 += taken,
            Err(index) => self.entries.insert(index, (at, taken)),
        }
    }
}

/// When a charge of `cost` would pass; `None` if it does now. The log has been [pruned](Log::prune).
#[must_use]
pub fn ask(limit: &Limit, log: &Log, cost: u64, now: Instant) -> Option<RetryAfter> {
    if cost > limit.amount() {
        return Some(RetryAfter::Never);
    }
    let mut used = log.used();
    if cost == 0 || used.saturating_add(cost) <= limit.amount() {
        return None;
    }
    let mut free_at = now;
    for (at, taken) in &log.entries {
        if used.saturating_add(cost) <= limit.amount() {
            break;
        }
        used = used.saturating_sub(*taken);
        free_at = Instant::from_nanos(at.saturating_add(nanos(limit)));
    }
    Some(RetryAfter::After(free_at.saturating_since(now)))
}

/// How the limit stands. The log has been [pruned](Log::prune).
#[must_use]
pub fn status(limit: &Limit, log: &Log, now: Instant, retry_after: Option<RetryAfter>) -> Status {
    let remaining = limit.amount().saturating_sub(log.used());
    let reset = match log.entries.is_empty() {
        true => Duration::ZERO,
        false => log.fresh_at(limit).saturating_since(now),
    };
    Status::new(*limit, remaining, reset, retry_after)
}
