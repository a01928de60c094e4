use std::{
    fmt,
    hash::{BuildHasher as _, Hasher as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use foldhash::quality::RandomState;
use palisade_core::{Clock, Decision, Instant, RetryAfter, StoreError, SystemClock};

use crate::{
    Allowed, Charge, CheckRequest, ConfigError, Denied, MemoryConfig, Overflow, RateLimiter,
    Status,
    model::{State, decide, decide_all, refuse, standing},
    table::{Hashed, Place, Table, WAYS},
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
    shards: Box<[Shard]>,
    hasher: RandomState,
    overflow: Overflow,
    clock: C,
}

/// Two cache lines apart, so that locking one does not slow its neighbour.
#[repr(align(128))]
struct Shard(Mutex<Table>);

/// How full the table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occupancy {
    /// Keys that still owe something.
    pub live: usize,
    /// Places in the table. Somewhat more than the capacity asked for.
    pub places: usize,
    /// How many checks have found no place for their key since the start. If it grows, raise the capacity, or look who
    /// invents keys.
    pub overflowed: u64,
}

/// Enough that threads rarely meet; a table smaller than this many keys a shard has fewer.
const SHARDS_MAX: usize = 64;
const KEYS_PER_SHARD_MIN: usize = 1_024;

impl<C: Clock> InMemory<C> {
    /// An empty table.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Capacity`] if the capacity is zero or above [`MemoryConfig::CAPACITY_MAX`].
    pub fn new(config: MemoryConfig, clock: C) -> Result<Self, ConfigError> {
        if !(1..=MemoryConfig::CAPACITY_MAX).contains(&config.capacity) {
            return Err(ConfigError::Capacity {
                found: config.capacity,
            });
        }
        Ok(Self::sized(config, clock))
    }

    /// Decides about one request and charges it if it may go. What [`check`](RateLimiter::check) does, for callers that
    /// are not async.
    pub fn decide(&self, request: CheckRequest<'_>) -> Decision<Allowed, Denied> {
        match request.charges() {
            [charge] => self.decide_one(charge),
            _ => self.decide_several(request),
        }
    }

    /// How full the table is now. It looks at every place, one shard at a time: ask every few seconds, not every request.
    pub fn occupancy(&self) -> Occupancy {
        let now = self.clock.instant();
        let mut occupancy = Occupancy {
            live: 0,
            places: 0,
            overflowed: 0,
        };
        for shard in &self.shards {
            let table = lock(shard);
            let (live, overflowed) = table.occupancy(now);
            occupancy.live += live;
            occupancy.places += table.places();
            occupancy.overflowed += overflowed;
        }
        occupancy
    }

    fn sized(config: MemoryConfig, clock: C) -> Self {
        let shards = (config.capacity / KEYS_PER_SHARD_MIN).clamp(1, SHARDS_MAX);
        let shards = 1 << shards.ilog2();
        // Half as much again: with two buckets to choose from, keys begin to miss a place at about three quarters.
        let places = config.capacity.div_ceil(shards) * 3 / 2;
        let buckets = places.div_ceil(WAYS).max(2);
        Self {
            shards: (0..shards)
                .map(|_| Shard(Mutex::new(Table::new(buckets))))
                .collect(),
            hasher: RandomState::default(),
            overflow: config.overflow,
            clock,
        }
    }

    fn decide_one(&self, charge: &Charge<'_>) -> Decision<Allowed, Denied> {
        let hashed = self.hash(charge);
        let now = self.clock.instant();
        let mut table = lock(&self.shards[self.shard(hashed)]);
        let now = table.advance(now);
        let (place, state) = table.locate(hashed, now, self.overflow, &[]);
        if let Some(refused) = no_place(charge, place, now) {
            return refuse([refused]);
        }
        let (status, charged) = decide(charge.limit, state, charge.cost, now);
        let Some(charged) = charged else {
            drop(table);
            return refuse([status]);
        };
        table.put(hashed, place, charged);
        drop(table);
        Decision::Allow(Allowed::one(status))
    }

    fn decide_several(&self, request: CheckRequest<'_>) -> Decision<Allowed, Denied> {
        let hashes: Vec<Hashed> = request.charges().iter().map(|c| self.hash(c)).collect();
        let mut shards: Vec<usize> = hashes.iter().map(|hashed| self.shard(*hashed)).collect();
        let of_charge = shards.clone();
        // Always in ascending order, each once: so no two requests wait for one another.
        shards.sort_unstable();
        shards.dedup();
        let now = self.clock.instant();
        let mut tables: Vec<MutexGuard<'_, Table>> = shards
            .iter()
            .map(|shard| lock(&self.shards[*shard]))
            .collect();
        let table_of = |charge: usize| {
            // Found: `shards` holds the shard of every charge.
            shards.binary_search(&of_charge[charge]).unwrap_or_default()
        };

        // One time for all of them: the latest that any of the tables has seen.
        let now = tables
            .iter_mut()
            .fold(now, |now, table| table.advance(now).max(now));
        for table in &mut tables {
            table.advance(now);
        }

        let mut places: Vec<Place> = Vec::with_capacity(hashes.len());
        let mut states: Vec<State> = Vec::with_capacity(hashes.len());
        for (charge, hashed) in hashes.iter().enumerate() {
            let taken: Vec<Place> = (0..charge)
                .filter(|earlier| of_charge[*earlier] == of_charge[charge])
                .map(|earlier| places[earlier])
                .collect();
            let table = &mut tables[table_of(charge)];
            let (place, state) = table.locate(*hashed, now, self.overflow, &taken);
            places.push(place);
            states.push(state);
        }
        let seated = || request.charges().iter().zip(&places).zip(&states);
        if seated().any(|((charge, place), _)| no_place(charge, *place, now).is_some()) {
            return refuse(seated().map(|((charge, place), state)| {
                no_place(charge, *place, now).unwrap_or_else(|| standing(charge, *state, now))
            }));
        }
        let decision = decide_all(request, &mut states, now);
        if decision.is_allow() {
            for (charge, (place, state)) in places.into_iter().zip(states).enumerate() {
                tables[table_of(charge)].put(hashes[charge], place, state);
            }
        }
        decision
    }

    fn hash(&self, charge: &Charge<'_>) -> Hashed {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(charge.limit.name().as_bytes());
        // A byte that no name has: no name and key run together into another name and key.
        hasher.write_u8(0xFF);
        let limit = hasher.clone().finish();
        hasher.write(charge.key.as_str().as_bytes());
        Hashed {
            key: hasher.finish().max(1),
            limit,
        }
    }

    fn shard(&self, hashed: Hashed) -> usize {
        // The top bits; there are a power of two of shards, at most 64.
        (hashed.key >> 58) as usize & (self.shards.len() - 1)
    }
}

impl Default for InMemory {
    /// The default table on the clock of the operating system.
    fn default() -> Self {
        Self::sized(MemoryConfig::default(), SystemClock)
    }
}

impl<C: Clock> RateLimiter for InMemory<C> {
    /// Never fails, and decides in one poll: no lock is held while anything waits.
    async fn check(
        &self,
        request: CheckRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        Ok(self.decide(request))
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

/// A table is whole after every statement, so a poisoned lock is still good.
fn lock(shard: &Shard) -> MutexGuard<'_, Table> {
    shard.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The refusal of a charge whose key has no place to be written to. A charge of nothing needs none.
fn no_place(charge: &Charge<'_>, place: Place, now: Instant) -> Option<Status> {
    let Place::None { free_at } = place else {
        return None;
    };
    let wait = free_at.saturating_since(now);
    let retry_after = match charge.cost {
        0 => return None,
        cost if cost > charge.limit.burst() => RetryAfter::Never,
        _ => RetryAfter::After(wait),
    };
    Some(Status::new(*charge.limit, 0, wait, Some(retry_after)))
}
