use std::{
    fmt,
    hash::{BuildHasher as _, Hash},
    marker::PhantomData,
    sync::{PoisonError, atomic::Ordering},
};

use foldhash::quality::RandomState;
use palisade_core::{Clock, Decision, RetryAfter, SystemClock};

use crate::{
    Algorithm, ConfigError, Limit, MemoryConfig, Occupancy, Overflow, Status,
    model::bucket::{self, State},
    sizes::Sizes,
    sync::{AtomicU64, Mutex, MutexGuard},
    table::Table,
};

/// One token bucket for each key of any type, under one limit: what [`InMemory`](crate::InMemory) does, for those who have
/// one limit and keys of their own.
///
/// It has the same table: of fixed size, seeded, and it drops nobody who owes something. It answers with no more than *yes*
/// or *when*.
///
/// ```
/// use palisade_core::SystemClock;
/// use palisade_rate_limit::{Keyed, Limit, MemoryConfig};
///
/// let limit = Limit::per_second("pings", 1)?;
/// let limiter = Keyed::new(limit, MemoryConfig::new().with_capacity(10_000), SystemClock)?;
/// assert!(limiter.decide(&42_u64, 1).is_allow());
/// assert!(limiter.decide(&42_u64, 1).is_deny());
/// assert!(limiter.decide(&43_u64, 1).is_allow());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Keyed<K: ?Sized, C = SystemClock> {
    limit: Limit,
    table: Table,
    /// What keys without a place share: hardly any two of them the same.
    shared: Box<[Mutex<State>]>,
    overflowed: AtomicU64,
    hasher: RandomState,
    overflow: Overflow,
    clock: C,
    keys: PhantomData<fn(&K)>,
}

/// The most keys without a place that share nothing with one another.
const SHARED_MAX: usize = 4_096;

impl<K: Hash + ?Sized, C: Clock> Keyed<K, C> {
    /// An empty table. Of the settings, [`holds`](MemoryConfig::with_holds) has no meaning here.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Capacity`] if the capacity is zero or above [`MemoryConfig::CAPACITY_MAX`];
    /// [`ConfigError::NotABucket`] for a limit of another algorithm.
    pub fn new(limit: Limit, config: MemoryConfig, clock: C) -> Result<Self, ConfigError> {
        if limit.algorithm() != Algorithm::TokenBucket {
            return Err(ConfigError::NotABucket {
                found: limit.algorithm(),
            });
        }
        let sizes = Sizes::new(config)?;
        let shared = (config.capacity / 64).clamp(1, SHARED_MAX);
        Ok(Self {
            limit,
            table: Table::new(sizes.lines),
            shared: (0..shared).map(|_| Mutex::new(State::FRESH)).collect(),
            overflowed: AtomicU64::new(0),
            hasher: RandomState::default(),
            overflow: config.overflow,
            clock,
            keys: PhantomData,
        })
    }

    /// May `cost` go now for this key; if not, when?
    #[inline]
    pub fn decide(&self, key: &K, cost: u64) -> Decision {
        let hash = self.hasher.hash_one(key);
        let line = self.table.home(hash);
        // Read under the lock: so no charge is ever made at an earlier time than one before it.
        let now = self.clock.instant();
        let fresh = || Some((line.seat(now)?, State::FRESH));
        let Some((way, state)) = line.find(hash).or_else(fresh) else {
            drop(line);
            return self.decide_new(hash, cost);
        };
        match bucket::charge(&self.limit, state, cost, now) {
            Ok(charged) => {
                line.put(hash, way, charged);
                Decision::Allow(())
            }
            Err(refusal) => Decision::Deny(refusal),
        }
    }

    /// How the limit stands for a key.
    pub fn status(&self, key: &K) -> Status {
        let hash = self.hasher.hash_one(key);
        let shared = self.shared(hash);
        let lines = self.table.all([hash].into_iter());
        let state = match lines.find(hash) {
            Some((_, state)) => state,
            None => *shared,
        };
        bucket::status(&self.limit, state, self.clock.instant(), None)
    }

    /// Forgets what one key has used.
    pub fn reset(&self, key: &K) {
        let hash = self.hasher.hash_one(key);
        let lines = self.table.all([hash].into_iter());
        if let Some((place, _)) = lines.find(hash) {
            lines.put(hash, place, State::FRESH);
        }
    }

    /// The same keys under another limit, and what they have used stays used.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NotABucket`] for a limit of another algorithm.
    pub fn set_limit(&mut self, limit: Limit) -> Result<(), ConfigError> {
        if limit.algorithm() != Algorithm::TokenBucket {
            return Err(ConfigError::NotABucket {
                found: limit.algorithm(),
            });
        }
        self.limit = limit;
        Ok(())
    }

    /// How full the table is now. It looks at every place, one line at a time: ask every few seconds, not every request.
    pub fn occupancy(&self) -> Occupancy {
        Occupancy {
            live: self.table.live(self.clock.instant()),
            places: self.table.places(),
            overflowed: self.overflowed.load(Ordering::Relaxed),
            ..Occupancy::default()
        }
    }

    /// Decides about a key that is not in its first line.
    #[cold]
    fn decide_new(&self, hash: u64, cost: u64) -> Decision {
        let mut shared = self.shared(hash);
        let lines = self.table.all([hash].into_iter());
        let now = self.clock.instant();
        let (place, state) = match lines.find(hash) {
            Some((place, state)) => (Ok(place), state),
            // A key that shared before must not start afresh in a place of its own: it begins where they all stand.
            None => (lines.seat(hash, now, |_| false), *shared),
        };
        if let Err(free_at) = place {
            self.overflowed.fetch_add(1, Ordering::Relaxed);
            if self.overflow == Overflow::Deny && cost > 0 && cost <= self.limit.burst() {
                return Decision::Deny(RetryAfter::After(free_at.saturating_since(now)));
            }
        }
        match (bucket::charge(&self.limit, state, cost, now), place) {
            (Err(refusal), _) => return Decision::Deny(refusal),
            (Ok(charged), Ok(place)) => lines.put(hash, place, charged),
            (Ok(charged), Err(_)) => *shared = charged,
        }
        Decision::Allow(())
    }

    fn shared(&self, hash: u64) -> MutexGuard<'_, State> {
        let company = ((hash >> 32) * self.shared.len() as u64) >> 32;
        // Whole after every statement, so a poisoned lock is still good.
        self.shared[company as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: ?Sized, C> fmt::Debug for Keyed<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed")
            .field("limit", &self.limit)
            .field("overflow", &self.overflow)
            .finish_non_exhaustive()
    }
}
