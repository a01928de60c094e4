use palisade_core::{Instant, RetryAfter};

use crate::{
    Charge, Hold, HoldId, Limit, Overflow, Span,
    bounded::{Bounded, Ends},
    model::{Counter, Record, bucket},
    table::Place,
};

/// What only few keys need, beside the table: one part of it, under one lock.
pub(crate) struct Side {
    /// Counters of other algorithms than the token bucket, by their hash.
    counters: Bounded<u64, Stored>,
    /// Buckets that keys without a place of their own share, by the hash of their limit and some of their own.
    shared: Bounded<u64, Stored>,
    /// What was given back to buckets on which holds last.
    refunds: Bounded<u64, Refunds>,
    holds: Bounded<HoldId, Record<u64>>,
    pub(crate) overflowed: u64,
}

/// A counter and a limit, as the memory knows them.
#[derive(Clone, Copy)]
pub(crate) struct Hashed {
    /// The limit and the key.
    pub(crate) key: u64,
    /// The limit alone.
    pub(crate) limit: u64,
}

impl Hashed {
    /// With whom this key shares if it finds no place, of those under the same limit in its part of the memory: with one in 4,096, which
    /// is hardly anybody; and if a flood leaves no room for so many, with one in sixteen.
    fn companies(self) -> [u64; 2] {
        let few = self.limit.wrapping_add(16 + (self.key >> 44 & 0xFFF));
        [few, self.limit.wrapping_add(self.key >> 52 & 15)]
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

/// How many shared counters a part has: those of four limits, and some more.
const SHARED_MAX: usize = 128;

impl Side {
    pub(crate) fn new(counters: usize, holds: usize) -> Self {
        Self {
            counters: Bounded::new(counters),
            shared: Bounded::new(SHARED_MAX),
            refunds: Bounded::new(holds),
            holds: Bounded::new(holds),
            overflowed: 0,
        }
    }

    /// Finds a counter of another algorithm than the token bucket, or a place for it. `taken` says which were found for other
    /// charges of the same request.
    pub(crate) fn seat(
        &mut self,
        limit: &Limit,
        hashed: Hashed,
        now: Instant,
        overflow: Overflow,
        taken: impl Fn(At) -> bool,
    ) -> Seat {
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
                counter: self
                    .shared_with(hashed, now)
                    .unwrap_or_else(|| Counter::new(limit)),
                at: At::Counter(hashed.key),
            },
            Err(free_at) => self.share(limit, hashed, now, overflow, free_at, taken),
        }
    }

    /// A bucket that was found in the table.
    pub(crate) fn found(&self, hashed: Hashed, place: Place, state: bucket::State) -> Seat {
        Seat {
            counter: Counter::Bucket(state, self.refunded(hashed)),
            at: At::Place(place),
        }
    }

    /// A bucket that the table has a place for.
    pub(crate) fn seated(&self, hashed: Hashed, place: Place, now: Instant) -> Seat {
        Seat {
            counter: self
                .shared_with(hashed, now)
                .unwrap_or(Counter::Bucket(bucket::State::FRESH, self.refunded(hashed))),
            at: At::Place(place),
        }
    }

    fn refunded(&self, hashed: Hashed) -> Span {
        let refunds = self.refunds.get(hashed.key);
        refunds.map_or(Span::default(), |refunds| refunds.sum)
    }

    /// What a key may have shared before: it begins there, and not afresh.
    fn shared_with(&self, hashed: Hashed, now: Instant) -> Option<Counter> {
        let shared = hashed.companies().map(|company| self.shared.get(company));
        let live = shared
            .into_iter()
            .flatten()
            .filter(|stored| stored.end > now);
        live.max_by_key(|stored| stored.end)
            .map(|stored| stored.counter.clone())
    }

    /// The counter that those share who find no place, if there is one.
    #[cold]
    pub(crate) fn share(
        &mut self,
        limit: &Limit,
        hashed: Hashed,
        now: Instant,
        overflow: Overflow,
        free_at: Instant,
        taken: impl Fn(At) -> bool,
    ) -> Seat {
        self.overflowed += 1;
        // Two keys of one request are never charged to one shared counter: in one step, they would be charged as one.
        let company = hashed.companies().into_iter().find(|company| {
            !taken(At::Shared(*company)) && self.shared.make_room(*company, now).is_ok()
        });
        if let (Overflow::Share, Some(company)) = (overflow, company) {
            return Seat {
                counter: self
                    .shared_with(hashed, now)
                    .unwrap_or_else(|| Counter::new(limit)),
                at: At::Shared(company),
            };
        }
        Seat {
            counter: Counter::new(limit),
            at: At::Nowhere(free_at),
        }
    }

    /// Writes a counter to where it was found, with what a hold on it will need; or gives back what belongs in the table.
    pub(crate) fn put(
        &mut self,
        limit: &Limit,
        hashed: Hashed,
        seat: &Seat,
        counter: Counter,
        hold: Option<Hold>,
        now: Instant,
    ) -> Option<(Place, bucket::State)> {
        match (seat.at, counter) {
            (At::Place(place), Counter::Bucket(state, sum)) => {
                self.remember_refunds(hashed, sum, hold, now);
                return Some((place, state));
            }
            (At::Counter(key), counter) => self.counters.put(key, Stored::new(limit, counter)),
            (At::Shared(key), counter) => self.shared.put(key, Stored::new(limit, counter)),
            (At::Place(_) | At::Nowhere(_), _) => {}
        }
        None
    }

    /// Forgets one counter; `state` is what the table had of it.
    pub(crate) fn reset(
        &mut self,
        limit: &Limit,
        hashed: Hashed,
        state: Option<bucket::State>,
        now: Instant,
    ) {
        if let (Some(state), Some(refunds)) = (state, self.refunds.get_mut(hashed.key)) {
            refunds.sum = bucket::reset(limit, state, refunds.sum, now);
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

    /// How many counters and holds are kept.
    pub(crate) fn kept(&self) -> (usize, usize) {
        (self.counters.len(), self.holds.len())
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
    pub(crate) fn is_refundable(&self, side: &Side, hashed: Hashed) -> bool {
        match self.at {
            At::Place(_) => side.refunds.get(hashed.key).is_some(),
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
