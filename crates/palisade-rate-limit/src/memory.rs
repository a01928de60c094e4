use std::{
    fmt,
    hash::{BuildHasher as _, Hasher as _},
    sync::PoisonError,
};

use foldhash::quality::{FoldHasher, RandomState};
use palisade_core::{
    Clock, Decision, Instant, Key, RetryAfter, StoreError, StoreErrorKind, SystemClock,
};

use crate::{
    Algorithm, Allowed, Charge, CheckRequest, ConfigError, Denied, Hold, HoldError, HoldId, Limit,
    MemoryConfig, Over, Overflow, RateLimiter, ReserveRequest, SettleRequest, Settled, Status,
    model::{
        Counter, Record,
        bucket::{self, State},
    },
    side::{At, Hashed, Seat, Side},
    sizes::Sizes,
    sync::{Mutex, MutexGuard},
    table::{Lines, Table},
};

/// A rate limiter for one process: the model under locks, in a table of fixed size.
///
/// The table is allocated once and never grows, whatever keys strangers invent. It never drops a key that still owes
/// something; what happens to a key that finds no place is a setting ([`Overflow`]). Keys are hashed with a seed that
/// differs in every process, so nobody can choose keys that crowd one place.
///
/// A check of one bucket locks one cache line for some dozen nanoseconds, allocates nothing, and waits for nothing else.
/// A question about several limits, other algorithms or a hold locks all that it touches, always in the same order.
///
/// ```
/// use palisade_core::{Dimension, Key};
/// use palisade_rate_limit::{Charge, CheckRequest, InMemory, Limit};
///
/// let limiter = InMemory::default();
/// let limit = Limit::per_minute("chat", 60)?.with_burst(2)?;
/// let alice = Key::new(Dimension::User, "alice")?;
///
/// let charge = Charge::new(&limit, &alice, 1);
/// assert!(limiter.decide(CheckRequest::one(&charge)).is_allow());
/// assert!(limiter.decide(CheckRequest::one(&charge)).is_allow());
/// assert!(limiter.decide(CheckRequest::one(&charge)).is_deny());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct InMemory<C = SystemClock> {
    table: Table,
    sides: Box<[Guarded]>,
    hasher: RandomState,
    overflow: Overflow,
    clock: C,
}

/// Two cache lines apart, so that locking one does not slow its neighbour.
#[repr(align(128))]
struct Guarded(Mutex<Side>);

/// How full the table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occupancy {
    /// Buckets that still owe something.
    pub live: usize,
    /// Places for buckets. About twice the capacity asked for.
    pub places: usize,
    /// Counters of other algorithms.
    pub counters: usize,
    /// Holds that are remembered.
    pub holds: usize,
    /// How many questions have found no place since the start. If it grows, raise the capacity, or look who invents keys.
    pub overflowed: u64,
}

impl<C: Clock> InMemory<C> {
    /// An empty table.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Capacity`] if the capacity is zero or above [`MemoryConfig::CAPACITY_MAX`].
    pub fn new(config: MemoryConfig, clock: C) -> Result<Self, ConfigError> {
        Ok(Self::sized(&Sizes::new(config)?, config.overflow, clock))
    }

    /// Decides about one request and charges it if it may go. What [`check`](crate::RateLimiterExt::check) does, for
    /// callers that are not async.
    pub fn decide(&self, request: CheckRequest<'_>) -> Decision<Allowed, Denied> {
        match request.charges() {
            [charge] if charge.limit.algorithm() == Algorithm::TokenBucket => {
                self.decide_one(charge)
            }
            // Without a hold there is none that could have been settled.
            _ => match self.reserve_now(ReserveRequest::check(request)) {
                Ok(decision) => decision,
                Err(_) => unreachable!("a check has no hold"),
            },
        }
    }

    /// Reserves. What [`reserve`](RateLimiter::reserve) does, for callers that are not async.
    ///
    /// # Errors
    ///
    /// [`HoldError::Settled`] if the hold has been settled.
    pub fn reserve_now(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, HoldError> {
        let plain = request.hold.is_none() && request.over == Over::Refuse && !request.dry_run;
        match request.charges {
            [charge] if plain && charge.limit.algorithm() == Algorithm::TokenBucket => {
                Ok(self.decide_one(charge))
            }
            _ => self.reserve_several(request),
        }
    }

    /// Settles. What [`settle`](RateLimiter::settle) does, for callers that are not async.
    pub fn settle_now(&self, request: SettleRequest<'_>) -> Settled {
        let uses = request.uses();
        let hashes: Vec<Hashed> = uses.iter().map(|u| self.hash(u.limit, u.key)).collect();
        let limits: Vec<&Limit> = uses.iter().map(|used| used.limit).collect();
        let hold = self.side_of_hold(request.id);
        let mut grip = self.grip(&limits, &hashes, Some(hold));
        // A key without a place shares one: a settlement is never refused.
        let seats = grip.seats(&limits, &hashes, Overflow::Share);
        let now = grip.now;
        let mut record = grip.side(hold).record(request.id).cloned();
        if let Some(record) = &mut record {
            grip.forbid_refunds(record, &hashes, &seats);
        }
        let names: Vec<u64> = hashes.iter().map(|hashed| hashed.key).collect();
        let mut counters: Vec<_> = seats.iter().map(|seat| seat.counter.clone()).collect();
        let (settled, record) = crate::model::settle(request, &names, &mut counters, record, now);
        grip.put(&limits, &hashes, &seats, counters, None);
        grip.side(hold).put_record(request.id, record, now);
        settled
    }

    /// Forgets what one key has used of one limit.
    pub fn reset_now(&self, limit: &Limit, key: &Key) {
        let hashed = self.hash(limit, key);
        let mut grip = self.grip(&[limit], &[hashed], None);
        let now = grip.now;
        let state = grip.lines.find(hashed.key).map(|(place, state)| {
            grip.lines.put(hashed.key, place, State::FRESH);
            state
        });
        grip.of(hashed).reset(limit, hashed, state, now);
    }

    /// How full the memory is now. It looks at every place, one line at a time: ask every few seconds, not every request.
    pub fn occupancy(&self) -> Occupancy {
        let now = self.clock.instant();
        let mut sum = Occupancy {
            live: self.table.live(now),
            places: self.table.places(),
            ..Occupancy::default()
        };
        for side in &self.sides {
            let side = lock(side);
            let (counters, holds) = side.kept();
            sum.counters += counters;
            sum.holds += holds;
            sum.overflowed += side.overflowed;
        }
        sum
    }

    fn sized(sizes: &Sizes, overflow: Overflow, clock: C) -> Self {
        Self {
            table: Table::new(sizes.lines),
            sides: (0..sizes.parts)
                .map(|_| Guarded(Mutex::new(Side::new(sizes.counters, sizes.holds))))
                .collect(),
            hasher: RandomState::default(),
            overflow,
            clock,
        }
    }

    #[inline]
    fn decide_one(&self, charge: &Charge<'_>) -> Decision<Allowed, Denied> {
        let hash = self.hash_of_key(charge.limit, charge.key);
        let line = self.table.home(hash);
        // Read under the lock: so no charge is ever made at an earlier time than one before it.
        let now = self.clock.instant();
        let fresh = || Some((line.seat(now)?, State::FRESH));
        let Some((way, state)) = line.find(hash).or_else(fresh) else {
            drop(line);
            return self.decide_new(charge);
        };
        match bucket::charge(charge.limit, state, charge.cost, now) {
            Ok(charged) => {
                line.put(hash, way, charged);
                drop(line);
                let status = bucket::status(charge.limit, charged, now, None);
                Decision::Allow(Allowed::one(status))
            }
            Err(refusal) => {
                drop(line);
                refuse([bucket::status(charge.limit, state, now, Some(refusal))])
            }
        }
    }

    /// Decides about a bucket that is not in its first line.
    #[cold]
    fn decide_new(&self, charge: &Charge<'_>) -> Decision<Allowed, Denied> {
        let request = ReserveRequest::check(CheckRequest::one(charge));
        match self.reserve_several(request) {
            Ok(decision) => decision,
            Err(_) => unreachable!("a check has no hold"),
        }
    }

    fn reserve_several(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, HoldError> {
        let charges = request.charges;
        let hashes: Vec<Hashed> = charges.iter().map(|c| self.hash(c.limit, c.key)).collect();
        let limits: Vec<&Limit> = charges.iter().map(|charge| charge.limit).collect();
        let hold = request.hold.map(|hold| self.side_of_hold(hold.id()));
        let mut grip = self.grip(&limits, &hashes, hold);
        let now = grip.now;
        let seats = grip.seats(&limits, &hashes, self.overflow);
        let mut counters: Vec<_> = seats.iter().map(|seat| seat.counter.clone()).collect();
        let mut waits: Vec<Option<RetryAfter>> = charges
            .iter()
            .zip(&seats)
            .map(|(charge, seat)| seat.refusal(charge, now))
            .collect();
        let mut record = None;
        if let (Some(hold), Some(side)) = (request.hold, hold) {
            record = grip.side(side).record(hold.id()).cloned();
            if let Err(free_at) = grip.side(side).make_room_for_hold(hold.id(), now) {
                let wait = RetryAfter::After(free_at.saturating_since(now));
                waits[0] = waits[0].or(Some(wait));
            }
        }
        if waits.iter().any(Option::is_some) {
            let statuses =
                charges
                    .iter()
                    .zip(&counters)
                    .zip(waits)
                    .map(|((charge, counter), wait)| {
                        let refusal = wait.or_else(|| counter.ask(charge.limit, charge.cost, now));
                        counter.status(charge.limit, now, refusal)
                    });
            return Ok(refuse(statuses));
        }

        let names: Vec<u64> = hashes.iter().map(|hashed| hashed.key).collect();
        let (answer, kept) = crate::model::reserve(request, &names, &mut counters, record, now)?;
        if answer.is_allow() && !request.dry_run {
            grip.put(&limits, &hashes, &seats, counters, request.hold);
        }
        if let (Some(hold), Some(side), Some(mut kept)) = (request.hold, hold, kept) {
            grip.forbid_refunds(&mut kept, &hashes, &seats);
            grip.side(side).put_record(hold.id(), kept, now);
        }
        Ok(answer)
    }

    /// Takes the locks that these counters and this hold need: first what lies beside the table, then its lines, each in
    /// ascending order and once. So no two requests wait for one another, and nobody sleeps with a line in hand.
    fn grip(&self, limits: &[&Limit], hashes: &[Hashed], hold: Option<usize>) -> Grip<'_> {
        let mut parts: Vec<usize> = hashes.iter().map(|h| self.side_of(h.key)).collect();
        parts.extend(hold);
        parts.sort_unstable();
        parts.dedup();
        let sides = parts
            .into_iter()
            .map(|part| (part, lock(&self.sides[part])))
            .collect();
        let buckets = || {
            let of_bucket = limits.iter().zip(hashes);
            of_bucket
                .filter(|(limit, _)| limit.algorithm() == Algorithm::TokenBucket)
                .map(|(_, hashed)| hashed.key)
        };
        let mut lines = self.table.homes(buckets());
        if buckets().any(|hash| lines.find(hash).is_none()) {
            drop(lines);
            lines = self.table.all(buckets());
        }
        Grip {
            sides,
            lines,
            mask: self.sides.len() - 1,
            // Read under the locks: so no charge is ever made at an earlier time than one before it.
            now: self.clock.instant(),
        }
    }

    #[inline]
    fn hash_of_key(&self, limit: &Limit, key: &Key) -> u64 {
        let mut hasher = self.hash_of_limit(limit);
        hasher.write(key.as_str().as_bytes());
        hasher.finish()
    }

    #[inline]
    fn hash_of_limit(&self, limit: &Limit) -> FoldHasher<'_> {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(limit.name().as_bytes());
        // A byte that no name has: no name and key run together into another name and key. It tells the algorithm too.
        hasher.write_u8(0xFF - limit.algorithm() as u8);
        hasher
    }

    fn hash(&self, limit: &Limit, key: &Key) -> Hashed {
        Hashed {
            key: self.hash_of_key(limit, key),
            limit: self.hash_of_limit(limit).finish(),
        }
    }

    fn side_of(&self, hash: u64) -> usize {
        side_of(hash, self.sides.len() - 1)
    }

    fn side_of_hold(&self, id: HoldId) -> usize {
        self.side_of(self.hasher.hash_one(id))
    }
}

/// All that one request holds under lock.
struct Grip<'a> {
    sides: Vec<(usize, MutexGuard<'a, Side>)>,
    lines: Lines<'a>,
    mask: usize,
    now: Instant,
}

impl Grip<'_> {
    fn of(&mut self, hashed: Hashed) -> &mut Side {
        self.side(side_of(hashed.key, self.mask))
    }

    fn side(&mut self, part: usize) -> &mut Side {
        // Found: the sides are those of every counter and of the hold.
        let index = self.sides.binary_search_by_key(&part, |side| side.0);
        &mut self.sides[index.unwrap_or_default()].1
    }

    /// Finds the counters, or places for them.
    fn seats(&mut self, limits: &[&Limit], hashes: &[Hashed], overflow: Overflow) -> Vec<Seat> {
        let mut seats: Vec<Seat> = Vec::with_capacity(hashes.len());
        for (limit, hashed) in limits.iter().zip(hashes) {
            let seat = self.seat(limit, *hashed, &seats, overflow);
            seats.push(seat);
        }
        seats
    }

    fn seat(&mut self, limit: &Limit, hashed: Hashed, others: &[Seat], overflow: Overflow) -> Seat {
        let now = self.now;
        let taken = |at: At| others.iter().any(|other| other.at == at);
        if limit.algorithm() != Algorithm::TokenBucket {
            return self.of(hashed).seat(limit, hashed, now, overflow, taken);
        }
        if let Some((place, state)) = self.lines.find(hashed.key)
            // Its place was free, and another key of this request has it now: look for a new one.
            && !taken(At::Place(place))
        {
            return self.of(hashed).found(hashed, place, state);
        }
        match self
            .lines
            .seat(hashed.key, now, |place| taken(At::Place(place)))
        {
            Ok(place) => self.of(hashed).seated(hashed, place, now),
            Err(free_at) => self
                .of(hashed)
                .share(limit, hashed, now, overflow, free_at, taken),
        }
    }

    /// Writes the counters to where they were found.
    fn put(
        &mut self,
        limits: &[&Limit],
        hashes: &[Hashed],
        seats: &[Seat],
        counters: Vec<Counter>,
        hold: Option<Hold>,
    ) {
        let now = self.now;
        for (((limit, hashed), seat), counter) in limits.iter().zip(hashes).zip(seats).zip(counters)
        {
            let side = self.of(*hashed);
            if let Some((place, state)) = side.put(limit, *hashed, seat, counter, hold, now) {
                self.lines.put(hashed.key, place, state);
            }
        }
    }

    /// Notes in a record which of its charges can no longer be told apart from those of others.
    fn forbid_refunds(&mut self, record: &mut Record<u64>, hashes: &[Hashed], seats: &[Seat]) {
        for (hashed, seat) in hashes.iter().zip(seats) {
            if !seat.is_refundable(self.of(*hashed), *hashed)
                && let Some(taken) = record.taken.iter_mut().find(|t| t.counter == hashed.key)
            {
                taken.last = 0;
            }
        }
    }
}

/// The top bits; there are a power of two of parts, at most 64.
#[inline]
fn side_of(hash: u64, mask: usize) -> usize {
    (hash >> 58) as usize & mask
}

impl Default for InMemory {
    /// The default table on the clock of the operating system.
    fn default() -> Self {
        let config = MemoryConfig::default();
        let sizes = Sizes::new(config).expect("the settings by default are in range");
        Self::sized(&sizes, config.overflow, SystemClock)
    }
}

impl<C: Clock> RateLimiter for InMemory<C> {
    /// Decides in one poll: no lock is held while anything waits. The one error is that of a hold that was settled.
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        self.reserve_now(request).map_err(|error| {
            StoreError::new(StoreErrorKind::Invalid, "reserving of a limit").with_source(error)
        })
    }

    /// Never fails, and decides in one poll.
    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        Ok(self.settle_now(request))
    }

    /// Never fails.
    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        self.reset_now(limit, key);
        Ok(())
    }
}

impl<C> fmt::Debug for InMemory<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory")
            .field("places", &self.table.places())
            .field("overflow", &self.overflow)
            .finish_non_exhaustive()
    }
}

/// A side is whole after every statement, so a poisoned lock is still good.
fn lock(side: &Guarded) -> MutexGuard<'_, Side> {
    side.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// At least one of the statuses refuses.
fn refuse(statuses: impl IntoIterator<Item = Status>) -> Decision<Allowed, Denied> {
    Decision::Deny(Denied::from_statuses(statuses).expect("a status that refuses"))
}
