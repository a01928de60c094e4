//! What a node has on lease, and how much it asks for next. No store and no waiting: the limiter around it does both.

use std::{collections::HashMap, time::Duration};

use foldhash::quality::RandomState;
use palisade_core::{Decision, Instant, Key, RetryAfter};

use crate::{Allowed, Charge, Denied, HoldId, Limit, Source, Status};

/// A counter, by two hashes under two seeds: no two in a process are ever taken for one another.
pub(super) type Id = (u64, u64);

pub(super) struct Slices {
    map: HashMap<Id, Slice, RandomState>,
    keys_max: usize,
    slice_max: u64,
}

/// What is known of one counter.
struct Slice {
    limit: Limit,
    key: Key,
    /// What was borrowed, under which hold, and until when it may be spent.
    hold: Option<HoldId>,
    borrowed: u64,
    left: u64,
    until: Instant,
    /// How many requests like the last one to borrow for at the next time.
    next: u64,
    /// What the store had left, and when it will have all again.
    remaining: u64,
    full_at: Instant,
    /// What was refused, and until when it will be.
    refused: Option<(u64, Instant)>,
    /// From when on nothing of it says anything any more.
    end: Instant,
}

/// A part of a slice that nobody will spend.
pub(super) struct Rest {
    pub(super) hold: HoldId,
    pub(super) limit: Limit,
    pub(super) key: Key,
    pub(super) borrowed: u64,
    pub(super) used: u64,
}

impl Slices {
    pub(super) fn new(keys_max: usize, slice_max: u64) -> Self {
        Self {
            map: HashMap::default(),
            keys_max,
            slice_max,
        }
    }

    /// Decides without the store, if all that is asked for is on lease, or the same was refused a moment ago.
    pub(super) fn decide(
        &mut self,
        ids: &[Id],
        charges: &[Charge<'_>],
        now: Instant,
    ) -> Option<Decision<Allowed, Denied>> {
        let slice = |id: &Id, charge: &Charge<'_>| {
            let slice = self.map.get(id)?;
            // Another limit of this name is in force meanwhile: the store knows what that means.
            (slice.limit == *charge.limit).then_some(slice)
        };
        let pairs = || ids.iter().zip(charges);
        if pairs().all(|(id, charge)| slice(id, charge).is_some_and(|s| s.has(charge.cost, now))) {
            let statuses: Vec<Status> = pairs()
                .filter_map(|(id, charge)| {
                    let slice = self.map.get_mut(id)?;
                    slice.left -= charge.cost;
                    Some(slice.status(now, None))
                })
                .collect();
            return Allowed::from_statuses(statuses)
                .map(|allowed| Decision::Allow(allowed.with_source(Source::Lease)));
        }
        let statuses: Option<Vec<Status>> = pairs()
            .map(|(id, charge)| {
                let slice = slice(id, charge).filter(|slice| slice.end > now)?;
                Some(slice.status(now, slice.refuses(charge.cost, now)))
            })
            .collect();
        let denied = Denied::from_statuses(statuses?)?;
        Some(Decision::Deny(denied.with_source(Source::Lease)))
    }

    /// How much more than it needs a request should ask the store for, of each of its charges.
    pub(super) fn extras(&self, ids: &[Id], charges: &[Charge<'_>], now: Instant) -> Vec<u64> {
        let extra = |(id, charge): (&Id, &Charge<'_>)| {
            let Some(slice) = self
                .map
                .get(id)
                .filter(|slice| slice.limit == *charge.limit)
            else {
                return 0;
            };
            // Near the limit it shrinks to nothing, so that nobody is refused for what others have in hand. What the store
            // had is known from the last time, so all that has come back since is left out.
            let fair = slice.remaining.saturating_sub(charge.cost) / 4;
            let wanted = slice.next.saturating_mul(charge.cost);
            let is_known = slice.end > now;
            if is_known { wanted.min(fair) } else { 0 }
        };
        ids.iter().zip(charges).map(extra).collect()
    }

    /// Keeps what the store has said, and gives out what is left of the slices that were there before. `lent` is under
    /// which hold what more was lent, and until when it may be spent.
    pub(super) fn learn(
        &mut self,
        ids: &[Id],
        charges: &[Charge<'_>],
        answer: &Decision<Allowed, Denied>,
        lent: Option<(HoldId, &[u64], Instant)>,
        forget_at: Instant,
        now: Instant,
    ) -> Vec<Rest> {
        let statuses: Vec<Status> = match answer {
            Decision::Allow(allowed) => allowed.statuses().copied().collect(),
            Decision::Deny(denied) => denied.statuses().copied().collect(),
        };
        let mut rests = Vec::new();
        for (index, ((id, charge), status)) in ids.iter().zip(charges).zip(statuses).enumerate() {
            let before = self.map.remove(id);
            if !self.has_room(now) {
                rests.extend(before.and_then(Slice::rest));
                continue;
            }
            let mut slice = Slice {
                limit: *charge.limit,
                key: charge.key.clone(),
                hold: None,
                borrowed: 0,
                left: 0,
                until: now,
                next: before
                    .as_ref()
                    .map_or(1, |before| before.next_after(now, self.slice_max)),
                remaining: status.remaining,
                full_at: now.saturating_add(status.reset),
                refused: None,
                end: forget_at,
            };
            match (answer, lent) {
                (Decision::Allow(_), Some((hold, extras, until))) => {
                    slice.hold = Some(hold);
                    slice.borrowed = charge.cost.saturating_add(extras[index]);
                    slice.left = extras[index];
                    slice.until = until;
                }
                (Decision::Deny(_), _) => {
                    if let Some(RetryAfter::After(wait)) = status.retry_after {
                        let free_at = now.saturating_add(wait);
                        slice.refused = Some((charge.cost, free_at));
                        slice.end = slice.end.max(free_at);
                        slice.next = 1;
                    }
                }
                (Decision::Allow(_), None) => {}
            }
            rests.extend(before.and_then(Slice::rest));
            self.map.insert(*id, slice);
        }
        rests
    }

    /// Takes out one counter.
    pub(super) fn remove(&mut self, id: Id) -> Option<Rest> {
        self.map.remove(&id).and_then(Slice::rest)
    }

    /// Takes out what is left of slices whose time is over, or of all.
    pub(super) fn take(&mut self, now: Instant, all: bool) -> Vec<Rest> {
        let mut rests = Vec::new();
        self.map.retain(|_, slice| {
            if all || slice.until <= now {
                rests.extend(slice.take_rest());
            }
            !all && slice.end > now
        });
        rests
    }

    /// How many units are on lease and not spent.
    pub(super) fn on_lease(&self) -> u64 {
        self.map
            .values()
            .fold(0, |sum, slice| sum.saturating_add(slice.left))
    }

    fn has_room(&mut self, now: Instant) -> bool {
        if self.map.len() >= self.keys_max {
            // A slice that ends with something left stays charged, as one does whose node dies.
            self.map.retain(|_, slice| slice.end > now);
        }
        self.map.len() < self.keys_max
    }
}

impl Slice {
    fn has(&self, cost: u64, now: Instant) -> bool {
        self.hold.is_some() && self.until > now && self.left >= cost
    }

    fn refuses(&self, cost: u64, now: Instant) -> Option<RetryAfter> {
        let (refused, until) = self.refused?;
        let wait = until.saturating_since(now);
        (refused == cost && !wait.is_zero()).then_some(RetryAfter::After(wait))
    }

    fn status(&self, now: Instant, retry_after: Option<RetryAfter>) -> Status {
        let remaining = self.remaining.saturating_add(self.left);
        let reset: Duration = self.full_at.saturating_since(now);
        Status::new(self.limit, remaining, reset, retry_after)
    }

    /// Twice as much after a slice that was spent in its time, half as much after one that was not.
    fn next_after(&self, now: Instant, max: u64) -> u64 {
        let next = match (self.hold, self.until > now) {
            (None, _) => self.next.max(1),
            (Some(_), true) => self.next.saturating_mul(2),
            (Some(_), false) => (self.next / 2).max(1),
        };
        next.min(max)
    }

    fn rest(mut self) -> Option<Rest> {
        self.take_rest()
    }

    fn take_rest(&mut self) -> Option<Rest> {
        let hold = self.hold.take()?;
        let left = std::mem::take(&mut self.left);
        (left > 0).then(|| Rest {
            hold,
            limit: self.limit,
            key: self.key.clone(),
            borrowed: self.borrowed,
            used: self.borrowed - left,
        })
    }
}
