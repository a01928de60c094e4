use std::{collections::HashMap, fmt, sync::PoisonError, time::Duration};

use palisade_core::{Instant, Key};

use crate::{
    ConfigError, RetryBudget, RetryBudgetConfig, error,
    sync::{Arc, AtomicU64, Ordering, RwLock},
};

/// One [`RetryBudget`] for each key, such as tenant and upstream, all within one for the whole.
///
/// A budget that tenants share is drained by the one whose calls fail, and then nobody's calls are retried. Here that
/// tenant is out of retries, and the others are not; and all of them together still spend no more than the whole allows.
///
/// **The limit.** At most [`limit`](RetryBudgets::with_limit) budgets are kept (10,000 unless told otherwise). When a new key
/// comes and there is no room, budgets that hold at least what a new one begins with are forgotten, the longest unused
/// first, a sixteenth of the limit at once: nobody gets back what they have spent by being forgotten. If there are none,
/// newcomers share one.
///
/// ```
/// use palisade_core::{Dimension, Instant, Key};
/// use palisade_resilience::{RetryBudgetConfig, RetryBudgets};
///
/// let whole = RetryBudgetConfig::default().with_percent(20).with_floor(10);
/// let each = RetryBudgetConfig::default().with_percent(20).with_floor(1);
/// let budgets = RetryBudgets::new(whole, each)?;
/// let now = Instant::ORIGIN;
/// let (a, b) = (Key::new(Dimension::Org, "a")?, Key::new(Dimension::Org, "b")?);
/// while budgets.of(&a, now).withdraw(1, now) {}
/// assert!(budgets.of(&b, now).withdraw(1, now));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RetryBudgets {
    whole: Arc<RetryBudget>,
    each: RetryBudgetConfig,
    limit: usize,
    table: RwLock<Table>,
    /// Counts the lookups, which tells old from recent without a clock.
    round: AtomicU64,
}

struct Table {
    slots: HashMap<Key, Slot>,
    /// The budget of those for whom there is no room.
    rest: Arc<RetryBudget>,
    /// No clean-up before this: the last one found nothing, and each costs a look at every slot.
    not_before: Instant,
}

struct Slot {
    budget: Arc<RetryBudget>,
    used: AtomicU64,
}

impl RetryBudgets {
    /// The most budgets that may be kept.
    pub const LIMIT_MAX: usize = 1 << 20;
    /// The pause after a clean-up that found nothing.
    const CLEAN_UP_PAUSE: Duration = Duration::from_millis(100);

    /// Budgets of `each` for every key, within `whole` for all of them.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as of [`RetryBudget::new`].
    pub fn new(whole: RetryBudgetConfig, each: RetryBudgetConfig) -> Result<Self, ConfigError> {
        let whole = Arc::new(RetryBudget::new(whole)?);
        let rest = Arc::new(RetryBudget::new(each)?.within(Arc::clone(&whole)));
        Ok(Self {
            whole,
            each,
            limit: 10_000,
            table: RwLock::new(Table {
                slots: HashMap::new(),
                rest,
                not_before: Instant::ORIGIN,
            }),
            round: AtomicU64::new(0),
        })
    }

    /// The same, keeping at most `limit` budgets.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless it is from 1 to [`RetryBudgets::LIMIT_MAX`].
    pub fn with_limit(mut self, limit: usize) -> Result<Self, ConfigError> {
        let found = u64::try_from(limit).unwrap_or(u64::MAX);
        error::number("retry budgets limit", found, 1, Self::LIMIT_MAX as u64)?;
        self.limit = limit;
        Ok(self)
    }

    /// The budget of `key`.
    #[must_use]
    pub fn of(&self, key: &Key, now: Instant) -> Arc<RetryBudget> {
        let round = self.round.fetch_add(1, Ordering::Relaxed);
        {
            let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(slot) = table.slots.get(key) {
                slot.used.store(round, Ordering::Relaxed);
                return Arc::clone(&slot.budget);
            }
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = table.slots.get(key) {
            return Arc::clone(&slot.budget);
        }
        if table.slots.len() >= self.limit && !table.make_room(self.limit, now) {
            return Arc::clone(&table.rest);
        }
        // It was checked when the whole was built, so it builds; and if not, the rest is safe.
        let Ok(budget) = RetryBudget::new(self.each) else {
            return Arc::clone(&table.rest);
        };
        let budget = Arc::new(budget.within(Arc::clone(&self.whole)));
        // A new budget has been paid up to now, and begins with one second's floor.
        budget.begin(now);
        let slot = Slot {
            budget: Arc::clone(&budget),
            used: AtomicU64::new(round),
        };
        table.slots.insert(key.clone(), slot);
        budget
    }

    /// The budget of all together.
    #[must_use]
    pub fn whole(&self) -> &Arc<RetryBudget> {
        &self.whole
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.slots.len()
    }

    /// Whether none are kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Table {
    fn make_room(&mut self, limit: usize, now: Instant) -> bool {
        if now < self.not_before {
            return false;
        }
        let mut idle: Vec<u64> = self
            .slots
            .values_mut()
            .filter_map(|slot| {
                let idle = slot.is_idle(now);
                idle.then(|| slot.used.load(Ordering::Relaxed))
            })
            .collect();
        if idle.is_empty() {
            self.not_before = now.saturating_add(RetryBudgets::CLEAN_UP_PAUSE);
            return false;
        }
        let count = (limit / 16 + 1).min(idle.len());
        let (_, oldest, _) = idle.select_nth_unstable(count - 1);
        let oldest = *oldest;
        self.slots
            .retain(|_, slot| slot.used.load(Ordering::Relaxed) > oldest || !slot.is_idle(now));
        self.slots.len() < limit
    }
}

impl Slot {
    /// Whether nobody holds it, and nothing is lost or given when it is forgotten.
    fn is_idle(&mut self, now: Instant) -> bool {
        // Not the mere count: what those spent who held it last must be seen before it is judged.
        Arc::get_mut(&mut self.budget).is_some_and(|budget| budget.is_as_new(now))
    }
}

impl fmt::Debug for RetryBudgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudgets")
            .field("whole", &self.whole)
            .field("each", &self.each)
            .field("kept", &self.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::Dimension;

    use super::*;

    const NOW: Instant = Instant::from_nanos(1_000_000_000_000);

    fn config(percent: u32, floor: u32) -> RetryBudgetConfig {
        RetryBudgetConfig::default()
            .with_percent(percent)
            .with_floor(floor)
            .with_capacity(100)
    }

    fn key(name: u32) -> Key {
        Key::new(Dimension::Org, name.to_string()).unwrap()
    }

    #[test]
    fn one_tenant_who_fails_does_not_stop_the_retries_of_another() {
        let budgets = RetryBudgets::new(config(20, 10), config(20, 2)).unwrap();
        let spent = (0..1_000)
            .filter(|_| budgets.of(&key(1), NOW).withdraw(1, NOW))
            .count();
        assert_eq!(spent, 2);
        assert!(budgets.of(&key(2), NOW).withdraw(1, NOW));
    }

    #[test]
    fn all_tenants_together_spend_no_more_than_the_whole() {
        let budgets = RetryBudgets::new(config(0, 10), config(0, 2)).unwrap();
        // The whole begins with a second's floor and has been idle until now, so it is full.
        let spent = (0..1_000)
            .filter(|tenant| budgets.of(&key(*tenant), NOW).withdraw(1, NOW))
            .count();
        assert_eq!(spent, 100);
    }

    #[test]
    fn a_flood_of_keys_takes_no_room_and_gives_nobody_back_what_they_spent() {
        let budgets = RetryBudgets::new(config(0, 100), config(0, 1))
            .unwrap()
            .with_limit(32)
            .unwrap();
        assert!(budgets.of(&key(0), NOW).withdraw(1, NOW));
        for name in 1..10_000 {
            let _ = budgets.of(&key(name), NOW);
            assert!(budgets.len() <= 32);
        }
        assert!(
            !budgets.of(&key(0), NOW).withdraw(1, NOW),
            "it was forgotten, and came back with a gift"
        );
    }

    #[test]
    fn when_nothing_can_be_forgotten_newcomers_share() {
        let budgets = RetryBudgets::new(config(0, 100), config(0, 1))
            .unwrap()
            .with_limit(4)
            .unwrap();
        for name in 0..4 {
            assert!(budgets.of(&key(name), NOW).withdraw(1, NOW));
        }
        let shared = budgets.of(&key(4), NOW);
        assert!(Arc::ptr_eq(&shared, &budgets.of(&key(5), NOW)));
        assert_eq!(budgets.len(), 4);
        // A second later they have recovered, and there is room again.
        let later = NOW.saturating_add(Duration::from_secs(1));
        assert!(!Arc::ptr_eq(&shared, &budgets.of(&key(5), later)));
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        let budgets = || RetryBudgets::new(config(1, 1), config(1, 1)).unwrap();
        assert!(budgets().with_limit(0).is_err());
        assert!(budgets().with_limit(usize::MAX).is_err());
        assert!(RetryBudgets::new(config(1, 1), config(1, 101)).is_err());
    }
}
