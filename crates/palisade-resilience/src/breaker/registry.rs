use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use palisade_core::{Clock, Decision, Dimension, Health, Instant, Key, Probe, Status, SystemClock};

use super::{
    config::BreakerPolicy,
    handle::{Breaker, BreakerObserver, BreakerStatus},
    permit::Permit,
    phase::{Denied, Phase},
};
use crate::{ConfigError, error};

/// One breaker for each key, such as provider, model and region.
///
/// A single breaker for everything lets one sick model shut out the healthy ones; one for each route, by accident of how
/// a router was built, learns everything several times. Here the key decides, and equal keys share a circuit wherever they
/// are asked for.
///
/// **The limit.** At most [`limit`](BreakerRegistry::with_limit) breakers are kept (1,024 unless told otherwise). When a new
/// key comes to a full registry, closed breakers that nobody holds are forgotten, the quiet and the long unused first, a
/// sixteenth of the limit at once. Breakers that are open, half open or forced are never forgotten, as a flood of new keys
/// would otherwise re-open the way to a dead upstream; only an open breaker that nobody has asked for
/// [`FORGET_AFTER`](BreakerRegistry::FORGET_AFTER) its time was over is given up. If there is nothing to forget, [`Overflow`]
/// decides.
pub struct BreakerRegistry<C = SystemClock> {
    policy: BreakerPolicy,
    clock: C,
    limit: usize,
    overflow: Overflow,
    observer: Option<Arc<dyn BreakerObserver>>,
    table: RwLock<Table<C>>,
    /// The number of clean-ups so far. A lookup notes it in its slot, which tells old from recent without a clock.
    round: AtomicU64,
}

struct Table<C> {
    slots: HashMap<Key, Slot<C>>,
    /// The breaker of those for whom there is no room.
    shared: Option<Breaker<C>>,
    /// No clean-up before this: the last one found nothing, and each costs a look at every slot.
    not_before: Instant,
}

struct Slot<C> {
    breaker: Breaker<C>,
    used: AtomicU64,
}

/// What becomes of a new key when the registry is full of breakers that must not be forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// All of them share one breaker, `policy=overflow`. The default.
    #[default]
    Share,
    /// They are refused.
    Deny,
}

impl<C: Clock + Clone> BreakerRegistry<C> {
    /// How long after its open time an open breaker that nobody asks for is kept.
    pub const FORGET_AFTER: Duration = Duration::from_secs(600);
    /// The most breakers that may be configured.
    pub const LIMIT_MAX: usize = 1 << 20;
    /// The pause after a clean-up that found nothing.
    const CLEAN_UP_PAUSE: Duration = Duration::from_millis(100);

    /// An empty registry whose breakers all follow `policy`.
    #[must_use]
    pub fn new(policy: BreakerPolicy, clock: C) -> Self {
        Self {
            policy,
            clock,
            limit: 1_024,
            overflow: Overflow::default(),
            observer: None,
            table: RwLock::new(Table {
                slots: HashMap::new(),
                shared: None,
                not_before: Instant::ORIGIN,
            }),
            round: AtomicU64::new(0),
        }
    }

    /// The same, keeping at most `limit` breakers.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless it is from 1 to [`BreakerRegistry::LIMIT_MAX`].
    pub fn with_limit(mut self, limit: usize) -> Result<Self, ConfigError> {
        let found = u64::try_from(limit).unwrap_or(u64::MAX);
        error::number("breaker limit", found, 1, Self::LIMIT_MAX as u64)?;
        self.limit = limit;
        Ok(self)
    }

    /// The same, treating newcomers otherwise when it is full.
    #[must_use]
    pub const fn with_overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// The same, telling `observer` of every change of every breaker.
    #[must_use]
    pub fn with_observer(mut self, observer: impl BreakerObserver + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// May a call be made for `key` now?
    pub fn admit(&self, key: &Key) -> Decision<Permit<C>, Denied> {
        match self.breaker(key) {
            Decision::Allow(breaker) => breaker.admit(),
            Decision::Deny(denied) => Decision::Deny(denied),
        }
    }

    /// The breaker of `key`; refused only by [`Overflow::Deny`]. Whoever keeps the handle keeps the breaker from being
    /// forgotten.
    pub fn breaker(&self, key: &Key) -> Decision<Breaker<C>, Denied> {
        if let Some(slot) = self.read().slots.get(key) {
            return Decision::Allow(slot.take(self.round.load(Ordering::Relaxed)));
        }
        self.insert(key)
    }

    /// Every breaker it keeps, in the order of the keys.
    #[must_use]
    pub fn statuses(&self) -> Vec<BreakerStatus> {
        let breakers: Vec<_> = {
            let table = self.read();
            let kept = table.slots.values().map(|slot| slot.breaker.clone());
            kept.chain(table.shared.clone()).collect()
        };
        let mut statuses: Vec<_> = breakers.iter().map(Breaker::status).collect();
        statuses.sort_by(|left, right| left.key.cmp(&right.key));
        statuses
    }

    /// How many breakers it keeps, not counting the shared one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().slots.len()
    }

    /// Whether it keeps none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn insert(&self, key: &Key) -> Decision<Breaker<C>, Denied> {
        let mut table = self.write();
        let round = self.round.load(Ordering::Relaxed);
        // Somebody may have been quicker.
        if let Some(slot) = table.slots.get(key) {
            return Decision::Allow(slot.take(round));
        }
        if table.slots.len() >= self.limit && !self.clean_up(&mut table) {
            return match self.overflow {
                Overflow::Deny => Decision::Deny(Denied::registry_full()),
                Overflow::Share => Decision::Allow(self.overflow_breaker(&mut table)),
            };
        }
        let slot = Slot {
            breaker: self.new_breaker(key.clone()),
            used: AtomicU64::new(round),
        };
        let breaker = slot.breaker.clone();
        table.slots.insert(key.clone(), slot);
        Decision::Allow(breaker)
    }

    /// Makes room, if there is something to forget.
    fn clean_up(&self, table: &mut Table<C>) -> bool {
        let now = self.clock.instant();
        if now < table.not_before {
            return false;
        }
        self.round.fetch_add(1, Ordering::Relaxed);
        // The write lock is held, so nobody can take a handle that is not counted here.
        let mut idle: Vec<(bool, u64, Key)> = table
            .slots
            .iter()
            .filter(|(_, slot)| slot.breaker.is_unshared())
            .filter_map(|(key, slot)| {
                let status = slot.breaker.status();
                let forgettable = match status.phase {
                    Phase::Closed => true,
                    Phase::Open => slot
                        .breaker
                        .idle_open_for(now)
                        .is_some_and(|idle| idle >= Self::FORGET_AFTER),
                    Phase::HalfOpen | Phase::ForcedOpen | Phase::ForcedClosed | Phase::Disabled => {
                        false
                    }
                };
                let troubled = status.counts.failed > 0;
                forgettable.then(|| (troubled, slot.used.load(Ordering::Relaxed), key.clone()))
            })
            .collect();
        if idle.is_empty() {
            table.not_before = now.saturating_add(Self::CLEAN_UP_PAUSE);
            return false;
        }
        idle.sort();
        for (_, _, key) in idle.iter().take((self.limit / 16).max(1)) {
            table.slots.remove(key);
        }
        true
    }

    fn overflow_breaker(&self, table: &mut Table<C>) -> Breaker<C> {
        table
            .shared
            .get_or_insert_with(|| {
                // The name is within a key's limits, so the fallback is never taken.
                let key = Key::new(Dimension::Policy, "overflow").unwrap_or_else(|_| Key::global());
                self.new_breaker(key)
            })
            .clone()
    }

    fn new_breaker(&self, key: Key) -> Breaker<C> {
        Breaker::build(key, self.policy, self.clock.clone(), self.observer.clone())
    }
}

impl<C> BreakerRegistry<C> {
    /// The table is whole after every statement that changes it, so a poisoned lock is still good.
    fn read(&self) -> RwLockReadGuard<'_, Table<C>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table<C>> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Slot<C> {
    fn take(&self, round: u64) -> Breaker<C> {
        // Written only when it changes, so that lookups of one key do not fight over the line.
        if self.used.load(Ordering::Relaxed) != round {
            self.used.store(round, Ordering::Relaxed);
        }
        self.breaker.clone()
    }
}

impl<C: Clock + Clone> Probe for BreakerRegistry<C> {
    fn health(&self) -> Health {
        let statuses = self.statuses();
        let shut = statuses
            .iter()
            .filter(|status| matches!(status.phase, Phase::Open | Phase::ForcedOpen))
            .count();
        let trying = statuses
            .iter()
            .filter(|status| status.phase == Phase::HalfOpen)
            .count();
        let state = match (shut, trying) {
            (0, 0) => Status::Up,
            (shut, _) if shut == statuses.len() => Status::Down,
            _ => Status::Degraded,
        };
        let detail = format!(
            "{} breakers, {shut} open, {trying} half open",
            statuses.len()
        );
        Health::new("breakers", state, detail)
    }
}

impl<C> fmt::Debug for BreakerRegistry<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerRegistry")
            .field("breakers", &self.read().slots.len())
            .field("limit", &self.limit)
            .field("overflow", &self.overflow)
            .finish_non_exhaustive()
    }
}
