//! Concurrency: permits that are held, and come back when they are given back or their time is over.
//!
//! *Bound*: at every instant at most the amount is held by holds whose time is not over. A holder that died counts until
//! then and no longer, however busy its key is: every permit has its own end.

use std::time::Duration;

use palisade_core::{Instant, RetryAfter};

use crate::{HoldId, Limit, Status};

/// What is remembered about one key: who holds how much until when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leases {
    /// One for each hold.
    pub leases: Vec<Lease>,
}

/// What one hold holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Whose it is.
    pub id: HoldId,
    /// How much.
    pub amount: u64,
    /// When it comes back by itself: from this instant on it is no longer held.
    pub until: Instant,
}

impl Leases {
    /// Forgets permits whose time is over.
    pub fn prune(&mut self, now: Instant) {
        self.leases.retain(|lease| lease.until > now);
    }

    /// Gives `more` permits to a hold, and all it has another end.
    pub fn take(&mut self, id: HoldId, more: u64, until: Instant) {
        if let Some(lease) = self.leases.iter_mut().find(|lease| lease.id == id) {
            lease.amount = lease.amount.saturating_add(more);
            lease.until = until;
        } else if more > 0 {
            self.leases.push(Lease {
                id,
                amount: more,
                until,
            });
        }
    }

    /// Takes back what a hold has.
    pub fn give_back(&mut self, id: HoldId) {
        self.leases.retain(|lease| lease.id != id);
    }

    /// When it may be forgotten.
    #[must_use]
    pub fn fresh_at(&self) -> Instant {
        let ends = self.leases.iter().map(|lease| lease.until);
        ends.max().unwrap_or(Instant::ORIGIN)
    }

    fn held(&self) -> u64 {
        self.leases
            .iter()
            .fold(0, |sum, lease| sum.saturating_add(lease.amount))
    }
}

/// When `cost` more permits would be free, if nobody gave any back before its time; `None` if they are now. The leases
/// have been [pruned](Leases::prune).
#[must_use]
pub fn ask(limit: &Limit, leases: &Leases, cost: u64, now: Instant) -> Option<RetryAfter> {
    if cost > limit.amount() {
        return Some(RetryAfter::Never);
    }
    let mut held = leases.held();
    if cost == 0 || held.saturating_add(cost) <= limit.amount() {
        return None;
    }
    let mut ends: Vec<(Instant, u64)> = leases
        .leases
        .iter()
        .map(|lease| (lease.until, lease.amount))
        .collect();
    ends.sort_unstable();
    let mut free_at = now;
    for (until, amount) in ends {
        if held.saturating_add(cost) <= limit.amount() {
            break;
        }
        held = held.saturating_sub(amount);
        free_at = until;
    }
    Some(RetryAfter::After(free_at.saturating_since(now)))
}

/// How the limit stands. The leases have been [pruned](Leases::prune).
#[must_use]
pub fn status(
    limit: &Limit,
    leases: &Leases,
    now: Instant,
    retry_after: Option<RetryAfter>,
) -> Status {
    let remaining = limit.amount().saturating_sub(leases.held());
    let reset = match leases.leases.is_empty() {
        true => Duration::ZERO,
        false => leases.fresh_at().saturating_since(now),
    };
    Status::new(*limit, remaining, reset, retry_after)
}
