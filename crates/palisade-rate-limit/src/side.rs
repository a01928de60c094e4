use palisade_core::{Instant, RetryAfter};

use crate::{
    Algorithm, Charge, Hold, HoldId, Limit, Occupancy, Overflow, Span,
    bounded::{Bounded, Ends},
    model::{Counter, Record, bucket},
    table::{Place, Table},
};

/// One part of the memory, under one lock: the table of buckets, and beside it what only few keys need.
pub(crate) struct Shard {
    pub(crate) table: Table,
    /// Counters of other algorithms than the token bucket, by their hash.
    counters: Bounded<u64, Stored>,
    /// Buckets that keys without a place of their own share, by the hash of their limit and some of their own.
    shared: Bounded<u64, Stored>,
    /// What was given back to buckets on which holds last.
    refunds: Bounded<u64, Refunds>,
    holds: Bounded<HoldId, Record<u64>>,
    overflowed: u64,
}

/// A counter and a limit, as the shard knows them.
#[derive(Clone, Copy)]
pub(crate) struct Hashed {
    /// The limit and the key.
    pub(crate) key: u64,
    /// The limit alone.
    pub(crate) limit: u64,
}

impl Hashed {
    /// With whom this key shares if it finds no place: with one in sixteen of those under the same limit in its shard.
    fn company(self) -> u64 {
        self.limit.wrapping_add(self.key >> 52 & 15)
    }
}

/// Where a counter was found, or will be put.
pub(crate) struct Seat {
    pub(crate) counter: Counter,
    pub(crate) at: At,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// In the table.
    Place(Place),
    /// Among the counters of other algorithms.
    Counter(u64),
    /// In the bucket or the counter that keys without a place share.
    Shared(u64),
    /// Nowhere. There will be room at this time.
    Nowhere(Instant),
}

struct Stored {
    counter: Counter,
    end: Instant,
}

struct Refunds {
    sum: Span,
    until: Instant,
}

impl Ends for Stored {
    fn end(&self) -> Instant {
        self.end
    }
}

impl Ends for Refunds {
    fn end(&self) -> Instant {
        self.until
    }
}

impl Ends for Record<u64> {
    fn end(&self) -> Instant {
        self.until
    }
}

/// How many shared counters a shard has: enough for sixteen limits.
const SHARED_MAX: usize = 256;

impl Shard {
    pub(crate) fn new(lines: usize, counters: usize, holds: usize) -> Self {
        Self {
            table: Table::new(lines),
            counters: Bounded::new(counters),
            shared: Bounded::new(SHARED_MAX),
            refunds: Bounded::new(holds),
            holds: Bounded::new(holds),
            overflowed: 0,
        }
    }

    /// Finds the counter, or a place for it. `others` were found in this shard for other charges of the same request.
    pub(crate) fn seat(
        &mut self,
        limit: &Limit,
        hashed: Hashed,
        now: Instant,
        overflow: Overflow,
        others: impl Iterator<Item = At> + Clone,
    ) -> Seat {
        let taken = |at: At| others.clone().any(|other| other == at);
        if limit.algorithm() == Algorithm::TokenBucket {
            let refunded = self
                .refunds
                .get(hashed.key)
                .map_or(Span::default(), |r| r.sum);
            if let Some((place, state)) = self.table.find(hashed.key)
                // Its place was free, and another key of this request has it now: look for a new one.
                && !taken(At::Place(place))
            {
                return Seat {
                    counter: Counter::Bucket(state, refunded),
                    at: At::Place(place),
                };
            }
            let found = self
                .table
                .seat(hashed.key, now, |place| taken(At::Place(place)));
            return match found {
                Ok(place) => Seat {
                    // A key that shared before must not start afresh in a place of its own: it begins where they all stand.
                    counter: match self.shared.get(hashed.company()) {
                        Some(shared) if shared.end > now => shared.counter.clone(),
                        _ => Counter::Bucket(bucket::State::FRESH, refunded),
                    },
                    at: At::Place(place),
                },
                Err(free_at) => self.share(limit, hashed, now, overflow, free_at, taken),
            };
        }
        if let Some(stored) = self.counters.get(hashed.key) {
            let mut counter = stored.counter.clone();
            counter.prune(limit, now);
            return Seat {
                counter,
                at: At::Counter(hashed.key),
            };
        }
        match self.counters.make_room(hashed.key, now) {
            Ok(()) => Seat {
                counter: match self.shared.get(hashed.company()) {
                    Some(shared) if shared.end > now => shared.counter.clone(),
                    _ => Counter::new(limit),
                },
                at: At::Counter(hashed.key),
            },
            Err(free_at) => self.share(limit, hashed, now, overflow, free_at, taken),
        }
    }

    #[cold]
    fn share(
        &mut self,
        limit: &Limit,
        hashed: Hashed,
        now: Instant,
        overflow: Overflow,
        free_at: Instant,
        taken: impl Fn(At) -> bool,
    ) -> Seat {
        self.overflowed += 1;
        let at = At::Shared(hashed.company());
        // Two keys of one request are never charged to one shared counter: in one step, they would be charged as one.
        if overflow == Overflow::Share
            && !taken(at)
            && self.shared.make_room(hashed.company(), now).is_ok()
        {
            let counter = match self.shared.get(hashed.company()) {
                Some(shared) => shared.counter.clone(),
                None => Counter::new(limit),
            };
            return Seat { counter, at };
        }
        Seat {
            counter: Counter::new(limit),
            at: At::Nowhere(free_at),
        }
    }

    /// Writes a counter to where it was found, with what a hold on it will need.
    pub(crate) fn put(
        &mut self,
        limit: &Limit,
        hashed: Hashed,
        seat: &Seat,
        counter: Counter,
        hold: Option<Hold>,
        now: Instant,
    ) {
        match (seat.at, counter) {
            (At::Place(place), Counter::Bucket(state, sum)) => {
                self.remember_refunds(hashed, sum, hold, now);
                self.table.put(hashed.key, place, state);
            }
            (At::Counter(key), counter) => self.counters.put(key, Stored::new(limit, counter)),
            (At::Shared(key), counter) => self.shared.put(key, Stored::new(limit, counter)),
            (At::Place(_) | At::Nowhere(_), _) => {}
        }
    }

    /// Forgets one counter.
    pub(crate) fn reset(&mut self, limit: &Limit, hashed: Hashed, now: Instant) {
        let now = self.table.advance(now);
        if let Some((place, state)) = self.table.find(hashed.key) {
            self.table.put(hashed.key, place, bucket::State::FRESH);
            if let Some(refunds) = self.refunds.get_mut(hashed.key) {
                refunds.sum = bucket::reset(limit, state, refunds.sum, now);
            }
        }
        self.counters.remove(hashed.key);
    }

    pub(crate) fn record(&self, id: HoldId) -> Option<&Record<u64>> {
        self.holds.get(id)
    }

    pub(crate) fn make_room_for_hold(&mut self, id: HoldId, now: Instant) -> Result<(), Instant> {
        self.holds.make_room(id, now)
    }

    /// Keeps a record, if there is room: of a settlement that nobody had reserved for, it is kept as a courtesy.
    pub(crate) fn put_record(&mut self, id: HoldId, record: Record<u64>, now: Instant) {
        if self.holds.make_room(id, now).is_ok() {
            self.holds.put(id, record);
        }
    }

    pub(crate) fn occupancy(&self, now: Instant) -> Occupancy {
        Occupancy {
            live: self.table.live(now),
            places: self.table.places(),
            counters: self.counters.len(),
            holds: self.holds.len(),
            overflowed: self.overflowed,
        }
    }

    fn remember_refunds(&mut self, hashed: Hashed, sum: Span, hold: Option<Hold>, now: Instant) {
        let until = hold.map_or(now, |hold| now.saturating_add(hold.ttl()));
        if let Some(refunds) = self.refunds.get_mut(hashed.key) {
            refunds.sum = sum;
            refunds.until = refunds.until.max(until);
        } else if hold.is_some() && self.refunds.make_room(hashed.key, now).is_ok() {
            self.refunds.put(hashed.key, Refunds { sum, until });
        }
    }
}

impl Stored {
    fn new(limit: &Limit, counter: Counter) -> Self {
        Self {
            end: counter.fresh_at(limit),
            counter,
        }
    }
}

impl Seat {
    /// Whether a charge made here can be given back to the very key that made it. One made to what several keys share
    /// cannot, nor one whose refunds nobody adds up.
    pub(crate) fn is_refundable(&self, shard: &Shard, hashed: Hashed) -> bool {
        match self.at {
            At::Place(_) => shard.refunds.get(hashed.key).is_some(),
            At::Counter(_) => true,
            At::Shared(_) | At::Nowhere(_) => false,
        }
    }

    /// Why there is no place for this charge. A charge of nothing needs none.
    pub(crate) fn refusal(&self, charge: &Charge<'_>, now: Instant) -> Option<RetryAfter> {
        match (self.at, charge.cost) {
            (At::Nowhere(_), cost) if cost > charge.limit.burst() => Some(RetryAfter::Never),
            (At::Nowhere(free_at), 1..) => Some(RetryAfter::After(free_at.saturating_since(now))),
            _ => None,
        }
    }
}
