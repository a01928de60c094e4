use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use palisade_core::{Decision, StoreError};
use palisade_rate_limit::{Allowed, Denied, Hold, HoldId, RateLimiter, Reservation, Settler, Take};

use crate::{
    Bill,
    observe::{Notes, Said},
    tap::{End, Ending, Observe},
};

/// What a take is measured by when the request is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Measure {
    /// The tokens on the request's [`Bill`].
    Tokens,
    /// The money on it, in billionths of a US dollar.
    NanoUsd,
}

/// How a [`RateLimitLayer`](crate::RateLimitLayer) settles what it reserved.
#[derive(Clone, Debug)]
pub(super) struct Settling {
    settler: Settler,
    /// The same for every request but for its id.
    template: Hold,
    measured: Vec<(Arc<str>, Measure)>,
}

impl Settling {
    pub(super) const fn new(settler: Settler) -> Self {
        Self {
            settler,
            template: Hold::new(HoldId::from_u128(0)),
            measured: Vec::new(),
        }
    }

    pub(super) fn with_ttl(mut self, ttl: Duration) -> Self {
        let ttl = ttl.clamp(Duration::from_millis(1), Hold::TTL_MAX);
        // In range, as it was just made to be.
        self.template = self.template.with_ttl(ttl).unwrap_or(self.template);
        self
    }

    pub(super) fn with_measured(mut self, limit: &str, measure: Measure) -> Self {
        self.measured.push((limit.into(), measure));
        self
    }

    /// Reserves, and opens what is settled in the end.
    pub(super) async fn take<L: RateLimiter>(
        &self,
        limiter: L,
        takes: Vec<Take>,
        bill: Bill,
        spent: Spent,
        notes: Notes,
    ) -> Result<Decision<(Open<L>, Allowed), Denied>, StoreError> {
        let costs = takes
            .iter()
            .map(|take| (take.cost, self.measure(take)))
            .collect();
        let hold = Hold::new(HoldId::unique()).with_ttl(self.template.ttl());
        let hold = hold.unwrap_or(self.template);
        let taken = Reservation::take(limiter, &self.settler, takes, hold).await?;
        Ok(taken.map(|reservation| {
            let allowed = reservation.allowed().clone();
            let open = Open {
                reservation: Some(reservation),
                costs,
                bill,
                spent,
                notes,
                answered: false,
            };
            (open, allowed)
        }))
    }

    fn measure(&self, take: &Take) -> Option<Measure> {
        let found = self
            .measured
            .iter()
            .find(|(name, _)| **name == *take.limit.name());
        found.map(|(_, measure)| *measure)
    }
}

/// What a request is seen to use of the limits it was charged with, for hosts that know it while the answer is under way. A
/// [`RateLimitLayer`](crate::RateLimitLayer) that settles puts one into the request's extensions.
///
/// What is said counts instead of what was reserved, and instead of what the bill says. Clones share one account.
#[derive(Clone)]
pub struct Spent(Arc<[Line]>);

struct Line {
    limit: palisade_rate_limit::Limit,
    /// One more than what was used, or zero if nobody has said anything.
    used: AtomicU64,
}

impl Spent {
    pub(super) fn of(takes: &[Take]) -> Self {
        let lines = takes.iter().map(|take| Line {
            limit: take.limit,
            used: AtomicU64::new(0),
        });
        Self(lines.collect())
    }

    /// So much of the limit of this name is known to have been used in all. What is known only ever grows. A limit that the
    /// request was not charged with has no account.
    pub fn see(&self, limit: &str, used: u64) {
        for line in self.0.iter().filter(|line| line.limit.name() == limit) {
            line.used
                .fetch_max(used.saturating_add(1), Ordering::Relaxed);
        }
    }

    fn seen(&self, index: usize) -> Option<u64> {
        self.0
            .get(index)?
            .used
            .load(Ordering::Relaxed)
            .checked_sub(1)
    }
}

impl fmt::Debug for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.iter().enumerate();
        f.debug_map()
            .entries(lines.map(|(index, line)| (line.limit.name(), self.seen(index))))
            .finish()
    }
}

/// A reservation whose request is under way. Dropped, it leaves what is known by then to the settler.
pub(super) struct Open<L: RateLimiter> {
    reservation: Option<Reservation<L>>,
    /// What was reserved of each take, and what it is measured by.
    costs: Vec<(u64, Option<Measure>)>,
    bill: Bill,
    spent: Spent,
    notes: Notes,
    /// An answer has begun: there was something to pay for.
    pub(super) answered: bool,
}

impl<L: RateLimiter> Open<L> {
    /// What is known to have been used goes to the reservation. Of what nobody knows, it was used as reserved.
    fn conclude(&mut self) {
        let Some(reservation) = &mut self.reservation else {
            return;
        };
        let total = self.bill.total();
        // An attempt whose use never became known, or an answer that nobody wrote a line for: an unknown use is no zero.
        let unknown = total.unknown > 0 || (total.sent == 0 && self.answered);
        for (index, (cost, measure)) in self.costs.iter().enumerate() {
            let known = match measure {
                None => None,
                Some(Measure::Tokens) => Some((total.tokens.get(), unknown)),
                Some(Measure::NanoUsd) => {
                    let cost = total.cost.as_nano_usd_ceil().ok();
                    let cost = cost.and_then(|cost| u64::try_from(cost).ok());
                    // What does not fit is as good as unknown.
                    let unknown = unknown || total.unpriced > 0 || cost.is_none();
                    Some((cost.unwrap_or(0), unknown))
                }
            };
            let used = match (self.spent.seen(index), known) {
                (Some(seen), _) => seen,
                (None, Some((used, false))) => used,
                (None, Some((used, true))) => used.max(*cost),
                (None, None) => *cost,
            };
            reservation.observe(index, used);
        }
    }

    pub(super) async fn settle(mut self) {
        self.conclude();
        let Some(reservation) = self.reservation.take() else {
            return;
        };
        let note = self.notes.begin("rate_limit_settle");
        // A store that gave no answer gets the same settlement again, from the settler.
        note.said(match reservation.settle().await {
            Ok(_) => Said::Allow,
            Err(_) => Said::Unavailable,
        });
    }
}

impl<L: RateLimiter> Drop for Open<L> {
    fn drop(&mut self) {
        self.conclude();
    }
}

impl<L: RateLimiter + 'static> Observe for Open<L> {
    fn data(&mut self, _: &Bytes) {}

    fn end(self: Box<Self>, _: End, must_queue: bool) -> Option<Ending> {
        if must_queue {
            // The fall of `self` queues it.
            return None;
        }
        Some(Box::pin(async move { self.settle().await }))
    }
}
