use std::{
    fmt,
    hash::{BuildHasher as _, Hasher as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use foldhash::quality::RandomState;
use palisade_core::{
    Clock, Decision, Instant, Key, RetryAfter, StoreError, StoreErrorKind, SystemClock,
};

use crate::{
    Algorithm, Allowed, Charge, CheckRequest, ConfigError, Denied, HoldError, Limit, MemoryConfig,
    Over, Overflow, RateLimiter, ReserveRequest, SettleRequest, Settled, Status,
    model::{Record, bucket},
    shard::{Hashed, Seat, Shard},
    table::WAYS,
};

/// A rate limiter for one process: the model under locks, in a table of fixed size.
///
/// The table is allocated once and never grows, whatever keys strangers invent. It never drops a key that still owes
/// something; what happens to a key that finds no place is a setting ([`Overflow`]). Keys are hashed with a seed that
/// differs in every process, so nobody can choose keys that crowd one place.
///
/// A check takes one lock (one for each shard its charges touch, always in the same order), holds it for some dozen
/// nanoseconds, and waits for nothing else. It allocates nothing if the request has one charge.
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
    shards: Box<[Guarded]>,
    hasher: RandomState,
    overflow: Overflow,
    clock: C,
}

/// Two cache lines apart, so that locking one does not slow its neighbour.
#[repr(align(128))]
struct Guarded(Mutex<Shard>);

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

/// Enough that threads rarely meet; a table smaller than this many keys a shard has fewer.
const SHARDS_MAX: usize = 256;
const KEYS_PER_SHARD_MIN: usize = 1_024;

impl<C: Clock> InMemory<C> {
    /// An empty table.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Capacity`] if the capacity is zero or above [`MemoryConfig::CAPACITY_MAX`].
    pub fn new(config: MemoryConfig, clock: C) -> Result<Self, ConfigError> {
        for found in [config.capacity, config.holds] {
            if !(1..=MemoryConfig::CAPACITY_MAX).contains(&found) {
                return Err(ConfigError::Capacity { found });
            }
        }
        Ok(Self::sized(config, clock))
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
        let hold = self.shard_of_hold(request.id.as_u128());
        let mut locked = self.lock_all(&hashes, Some(hold));
        let now = locked.now;
        let mut seats: Vec<Seat> = Vec::with_capacity(uses.len());
        for used in uses {
            // A key without a place shares one: a settlement is never refused.
            seats.push(locked.seat(used.limit, &hashes, &seats, Overflow::Share));
        }
        let mut record = locked.at(hold).record(request.id).cloned();
        if let Some(record) = &mut record {
            locked.forbid_refunds(record, &hashes, &seats);
        }
        let names: Vec<u64> = hashes.iter().map(|hashed| hashed.key).collect();
        let mut counters: Vec<_> = seats.iter().map(|seat| seat.counter.clone()).collect();
        let (settled, record) = crate::model::settle(request, &names, &mut counters, record, now);
        for (((used, hashed), seat), counter) in uses.iter().zip(&hashes).zip(&seats).zip(counters)
        {
            let shard = locked.of(*hashed);
            shard.put(used.limit, *hashed, seat, counter, None, now);
        }
        locked.at(hold).put_record(request.id, record, now);
        settled
    }

    /// Forgets what one key has used of one limit.
    pub fn reset_now(&self, limit: &Limit, key: &Key) {
        let hashed = self.hash(limit, key);
        let now = self.clock.instant();
        lock(&self.shards[self.shard(hashed.key)]).reset(limit, hashed, now);
    }

    /// How full the table is now. It looks at every place, one shard at a time: ask every few seconds, not every request.
    pub fn occupancy(&self) -> Occupancy {
        let now = self.clock.instant();
        self.shards
            .iter()
            .map(|shard| lock(shard).occupancy(now))
            .fold(Occupancy::default(), |sum, shard| Occupancy {
                live: sum.live + shard.live,
                places: sum.places + shard.places,
                counters: sum.counters + shard.counters,
                holds: sum.holds + shard.holds,
                overflowed: sum.overflowed + shard.overflowed,
            })
    }

    fn sized(config: MemoryConfig, clock: C) -> Self {
        let shards = (config.capacity / KEYS_PER_SHARD_MIN).clamp(1, SHARDS_MAX);
        let shards = 1 << shards.ilog2();
        // Two places and an eighth for each key, which is 34 bytes: so three keys in ten thousand find their three lines
        // full when the table holds as many as it was made for.
        let places = (config.capacity.div_ceil(shards) * 17).div_ceil(8);
        let holds = config.holds.div_ceil(shards).max(16);
        let counters = config.capacity.div_ceil(shards).max(16);
        Self {
            shards: (0..shards)
                .map(|_| Shard::new(places.div_ceil(WAYS), counters, holds))
                .map(|shard| Guarded(Mutex::new(shard)))
                .collect(),
            hasher: RandomState::default(),
            overflow: config.overflow,
            clock,
        }
    }

    fn decide_one(&self, charge: &Charge<'_>) -> Decision<Allowed, Denied> {
        let hashed = self.hash(charge.limit, charge.key);
        let now = self.clock.instant();
        let mut shard = lock(&self.shards[self.shard(hashed.key)]);
        let now = shard.table.advance(now);
        let Some((place, state)) = shard.table.find(hashed.key) else {
            return decide_new(&mut shard, charge, hashed, now, self.overflow);
        };
        match bucket::charge(charge.limit, state, charge.cost, now) {
            Ok(charged) => {
                shard.table.put(hashed.key, place, charged);
                drop(shard);
                let status = bucket::status(charge.limit, charged, now, None);
                Decision::Allow(Allowed::one(status))
            }
            Err(refusal) => {
                drop(shard);
                refuse(bucket::status(charge.limit, state, now, Some(refusal)))
            }
        }
    }

    fn reserve_several(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, HoldError> {
        let charges = request.charges;
        let hashes: Vec<Hashed> = charges.iter().map(|c| self.hash(c.limit, c.key)).collect();
        let hold = request
            .hold
            .map(|hold| self.shard_of_hold(hold.id().as_u128()));
        let mut locked = self.lock_all(&hashes, hold);
        let now = locked.now;

        let mut seats: Vec<Seat> = Vec::with_capacity(hashes.len());
        for charge in charges {
            seats.push(locked.seat(charge.limit, &hashes, &seats, self.overflow));
        }
        let mut counters: Vec<_> = seats.iter().map(|seat| seat.counter.clone()).collect();
        let mut waits: Vec<Option<RetryAfter>> = charges
            .iter()
            .zip(&seats)
            .map(|(charge, seat)| seat.refusal(charge, now))
            .collect();
        let mut record = None;
        if let (Some(hold), Some(shard)) = (request.hold, hold) {
            record = locked.at(shard).record(hold.id()).cloned();
            if let Err(free_at) = locked.at(shard).make_room_for_hold(hold.id(), now) {
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
            return Ok(refuse_all(statuses));
        }

        let names: Vec<u64> = hashes.iter().map(|hashed| hashed.key).collect();
        let (answer, kept) = crate::model::reserve(request, &names, &mut counters, record, now)?;
        if answer.is_allow() && !request.dry_run {
            for (((charge, hashed), seat), counter) in
                charges.iter().zip(&hashes).zip(&seats).zip(counters)
            {
                let shard = locked.of(*hashed);
                shard.put(charge.limit, *hashed, seat, counter, request.hold, now);
            }
        }
        if let (Some(hold), Some(shard), Some(mut kept)) = (request.hold, hold, kept) {
            locked.forbid_refunds(&mut kept, &hashes, &seats);
            locked.at(shard).put_record(hold.id(), kept, now);
        }
        Ok(answer)
    }

    /// Takes the locks that these counters and this hold need, always in ascending order, each once: so no two requests
    /// wait for one another.
    fn lock_all(&self, hashes: &[Hashed], hold: Option<usize>) -> Locked<'_> {
        let mut shards: Vec<usize> = hashes.iter().map(|h| self.shard(h.key)).collect();
        shards.extend(hold);
        shards.sort_unstable();
        shards.dedup();
        let now = self.clock.instant();
        let mut guards: Vec<(usize, MutexGuard<'_, Shard>)> = shards
            .into_iter()
            .map(|shard| (shard, lock(&self.shards[shard])))
            .collect();
        // One time for all of them: the latest that any of the tables has seen.
        let now = guards
            .iter_mut()
            .fold(now, |now, (_, shard)| shard.table.advance(now).max(now));
        for (_, shard) in &mut guards {
            shard.table.advance(now);
        }
        Locked {
            guards,
            mask: self.shards.len() - 1,
            now,
        }
    }

    #[inline]
    fn hash(&self, limit: &Limit, key: &Key) -> Hashed {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(limit.name().as_bytes());
        // A byte that no name has: no name and key run together into another name and key. It tells the algorithm too.
        hasher.write_u8(0xFF - limit.algorithm() as u8);
        let limit = hasher.clone().finish();
        hasher.write(key.as_str().as_bytes());
        Hashed {
            key: hasher.finish(),
            limit,
        }
    }

    #[inline]
    fn shard(&self, hash: u64) -> usize {
        shard_of(hash, self.shards.len() - 1)
    }

    fn shard_of_hold(&self, id: u128) -> usize {
        self.shard(self.hasher.hash_one(id))
    }
}

/// The locks of one request.
struct Locked<'a> {
    guards: Vec<(usize, MutexGuard<'a, Shard>)>,
    mask: usize,
    now: Instant,
}

impl Locked<'_> {
    fn of(&mut self, hashed: Hashed) -> &mut Shard {
        self.at(shard_of(hashed.key, self.mask))
    }

    /// Finds the counter of the next of these hashes; the seats are those of the ones before.
    fn seat(
        &mut self,
        limit: &Limit,
        hashes: &[Hashed],
        seats: &[Seat],
        overflow: Overflow,
    ) -> Seat {
        let (mask, now, hashed) = (self.mask, self.now, hashes[seats.len()]);
        let shard = shard_of(hashed.key, mask);
        let others = hashes
            .iter()
            .zip(seats)
            .filter(move |(other, _)| shard_of(other.key, mask) == shard)
            .map(|(_, seat)| seat.at);
        self.at(shard).seat(limit, hashed, now, overflow, others)
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

    fn at(&mut self, shard: usize) -> &mut Shard {
        // Found: the guards are those of every counter and of the hold.
        let index = self.guards.binary_search_by_key(&shard, |guard| guard.0);
        &mut self.guards[index.unwrap_or_default()].1
    }
}

/// The top bits; there are a power of two of shards, at most 256.
#[inline]
fn shard_of(hash: u64, mask: usize) -> usize {
    (hash >> 56) as usize & mask
}

/// Decides about a bucket that the table does not know.
#[cold]
fn decide_new(
    shard: &mut Shard,
    charge: &Charge<'_>,
    hashed: Hashed,
    now: Instant,
    overflow: Overflow,
) -> Decision<Allowed, Denied> {
    let seat = shard.seat(charge.limit, hashed, now, overflow, std::iter::empty());
    let mut counter = seat.counter.clone();
    let refusal = seat
        .refusal(charge, now)
        .or_else(|| counter.ask(charge.limit, charge.cost, now));
    if refusal.is_some() {
        return refuse(counter.status(charge.limit, now, refusal));
    }
    if charge.cost > 0 {
        counter.take(charge.limit, charge.cost, now, None);
        shard.put(charge.limit, hashed, &seat, counter.clone(), None, now);
    }
    Decision::Allow(Allowed::one(counter.status(charge.limit, now, None)))
}

impl Default for InMemory {
    /// The default table on the clock of the operating system.
    fn default() -> Self {
        Self::sized(MemoryConfig::default(), SystemClock)
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
            .field("shards", &self.shards.len())
            .field("overflow", &self.overflow)
            .finish_non_exhaustive()
    }
}

/// A shard is whole after every statement, so a poisoned lock is still good.
#[inline]
fn lock(shard: &Guarded) -> MutexGuard<'_, Shard> {
    shard.0.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refuse(status: Status) -> Decision<Allowed, Denied> {
    refuse_all([status])
}

/// At least one of the statuses refuses.
fn refuse_all(statuses: impl IntoIterator<Item = Status>) -> Decision<Allowed, Denied> {
    Decision::Deny(Denied::from_statuses(statuses).expect("a status that refuses"))
}
