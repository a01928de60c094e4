use std::time::Duration;

use palisade_core::Instant;

use crate::{
    ConfigError, error,
    sync::{Arc, AtomicU64, Ordering},
};

/// How much retrying all callers together may do.
///
/// Limits per request do not stop a retry storm: with three attempts each, an upstream that fails for everybody gets
/// three times its load, just when it can bear least. A budget ties retries to the calls made: every call
/// [`deposit`](RetryBudget::deposit)s a share of its weight, every retry must
/// [`withdraw`](RetryBudget::withdraw) its whole weight. After Finagle's `RetryBudget`.
///
/// **The bound**: over any stretch of time, the weight of retries is at most `capacity` + `floor` × seconds + `percent` ×
/// the weight of calls. The floor lets a service with little traffic retry at all, and brings an empty budget back.
///
/// Share one budget among everything that sends a request again to one upstream, be it a retry, a hedge or a fallback, by
/// reference or `Arc`. Tenants who must not drain one another's get a budget each, [`within`](RetryBudget::within) that of
/// the upstream: see [`RetryBudgets`](crate::RetryBudgets). Percentages are exact: the balance is an integer of millionths.
///
/// ```
/// use palisade_core::Instant;
/// use palisade_resilience::{RetryBudget, RetryBudgetConfig};
///
/// let budget = RetryBudget::new(RetryBudgetConfig::default().with_percent(50).with_floor(0))?;
/// let now = Instant::ORIGIN;
/// budget.deposit(1);
/// assert!(!budget.withdraw(1, now));
/// budget.deposit(1);
/// assert!(budget.withdraw(1, now));
/// assert!(!budget.withdraw(1, now));
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct RetryBudget {
    /// Millionths of one unit of weight that each deposited unit brings.
    share: u64,
    floor: u64,
    capacity: u64,
    /// Millionths. Two words instead of one lock: they are only ever exchanged by compare-and-swap.
    balance: AtomicU64,
    /// Up to which microsecond the floor has been paid out.
    paid_until: AtomicU64,
    parent: Option<Arc<RetryBudget>>,
}

/// How generous a [`RetryBudget`] is. Weights are in whatever unit the callers use: 1 a call, or its estimated tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct RetryBudgetConfig {
    /// The share of the calls' weight that may be spent again, in percent. Up to 1,000.
    pub percent: u32,
    /// What may be spent per second whatever the traffic. An empty budget recovers at this rate.
    pub floor: u32,
    /// The most that can be saved up. It bounds the burst of retries after a long quiet time.
    pub capacity: u32,
}

/// One millionth of a unit of weight is the smallest step.
const UNIT: u64 = 1_000_000;

impl RetryBudgetConfig {
    /// The same with another share.
    #[must_use]
    pub const fn with_percent(mut self, percent: u32) -> Self {
        self.percent = percent;
        self
    }

    /// The same with another floor.
    #[must_use]
    pub const fn with_floor(mut self, per_second: u32) -> Self {
        self.floor = per_second;
        self
    }

    /// The same with another capacity.
    #[must_use]
    pub const fn with_capacity(mut self, capacity: u32) -> Self {
        self.capacity = capacity;
        self
    }
}

/// 20 percent, at least 1 a second, up to 100 saved. For weights of 1 a call.
impl Default for RetryBudgetConfig {
    fn default() -> Self {
        Self {
            percent: 20,
            floor: 1,
            capacity: 100,
        }
    }
}

impl RetryBudget {
    /// A budget that holds one second of its floor, and earns the floor from the origin of its clock on.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `percent` exceeds 1,000, `capacity` is 0, or `floor` exceeds `capacity`.
    pub fn new(config: RetryBudgetConfig) -> Result<Self, ConfigError> {
        let RetryBudgetConfig {
            percent,
            floor,
            capacity,
        } = config;
        error::number("retry budget percent", percent.into(), 0, 1_000)?;
        error::number("retry budget capacity", capacity.into(), 1, u32::MAX.into())?;
        error::number("retry budget floor", floor.into(), 0, capacity.into())?;
        Ok(Self {
            share: u64::from(percent) * (UNIT / 100),
            floor: floor.into(),
            capacity: u64::from(capacity) * UNIT,
            balance: AtomicU64::new(u64::from(floor) * UNIT),
            paid_until: AtomicU64::new(0),
            parent: None,
        })
    }

    /// The same as a part of `parent`: a deposit goes into both, and a retry is made if both pay for it.
    #[must_use]
    pub fn within(mut self, parent: Arc<Self>) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Notes a call of this weight. Once a call, not once an attempt.
    #[inline]
    pub fn deposit(&self, weight: u32) {
        self.add(u64::from(weight) * self.share);
        if let Some(parent) = &self.parent {
            parent.deposit(weight);
        }
    }

    /// Takes the weight of one retry, if the budget has it. A refusal takes nothing.
    #[must_use = "a retry that was refused must not be made"]
    pub fn withdraw(&self, weight: u32, now: Instant) -> bool {
        self.pay_floor(now);
        let amount = u64::from(weight) * UNIT;
        let paid = self
            .balance
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |balance| {
                balance.checked_sub(amount)
            })
            .is_ok();
        let Some(parent) = &self.parent else {
            return paid;
        };
        let both = paid && parent.withdraw(weight, now);
        if paid && !both {
            // What was taken comes back. Meanwhile another may have been refused, which is the safe side.
            self.add(amount);
        }
        both
    }

    /// The whole units that could be withdrawn at `now`.
    #[must_use]
    pub fn balance(&self, now: Instant) -> u64 {
        self.pay_floor(now);
        self.balance.load(Ordering::Relaxed) / UNIT
    }

    /// How long until a retry of this weight can be paid by the floor alone; `None` if never.
    #[must_use]
    pub fn recovers_in(&self, weight: u32, now: Instant) -> Option<Duration> {
        self.pay_floor(now);
        let amount = u64::from(weight) * UNIT;
        let missing = amount.saturating_sub(self.balance.load(Ordering::Relaxed));
        if missing == 0 {
            return Some(Duration::ZERO);
        }
        if amount > self.capacity {
            return None;
        }
        // The part of a microsecond that has begun is not counted, so add one.
        let micros = missing.checked_div(self.floor)?;
        Some(Duration::from_micros(micros + 1))
    }

    /// Begins with what `old` has, as far as there is room for it: changing a budget gives nothing back.
    pub(crate) fn take_over(&self, old: &Self, now: Instant) {
        self.begin(now);
        old.pay_floor(now);
        let balance = old.balance.load(Ordering::Relaxed).min(self.capacity);
        self.balance.store(balance, Ordering::Relaxed);
    }

    /// Pays no floor for the time before `now`.
    pub(crate) fn begin(&self, now: Instant) {
        self.paid_until
            .fetch_max(now.as_nanos() / 1_000, Ordering::Relaxed);
    }

    /// Whether it has at least what a new one begins with, so that nothing is lost, and nothing given, when it is forgotten.
    pub(crate) fn is_as_new(&self, now: Instant) -> bool {
        self.pay_floor(now);
        self.balance.load(Ordering::Relaxed) >= self.floor * UNIT
    }

    /// Pays out the floor for the time since the last payment, exactly once whoever asks.
    fn pay_floor(&self, now: Instant) {
        if self.floor == 0 {
            return;
        }
        // A unit is a million and a second is a million microseconds, so a microsecond earns exactly `floor`.
        let now = now.as_nanos() / 1_000;
        let paid_until = self.paid_until.fetch_max(now, Ordering::Relaxed);
        self.add(now.saturating_sub(paid_until).saturating_mul(self.floor));
    }

    #[inline]
    fn add(&self, amount: u64) {
        if amount == 0 {
            return;
        }
        // A full budget is only read, so that healthy callers on many cores do not fight over the word.
        let _full = self
            .balance
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |balance| {
                (balance < self.capacity).then(|| balance.saturating_add(amount).min(self.capacity))
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(percent: u32, floor: u32, capacity: u32) -> RetryBudget {
        RetryBudget::new(
            RetryBudgetConfig::default()
                .with_percent(percent)
                .with_floor(floor)
                .with_capacity(capacity),
        )
        .unwrap()
    }

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn every_percentage_is_exact() {
        for percent in 0..=1_000 {
            let budget = budget(percent, 0, 1_000);
            let mut retries = 0;
            for _ in 0..1_000 {
                budget.deposit(1);
                while budget.withdraw(1, at(0)) {
                    retries += 1;
                }
            }
            assert_eq!(retries, percent * 10, "{percent} %");
        }
    }

    #[test]
    fn an_empty_budget_comes_back_at_the_floor() {
        let budget = budget(20, 2, 10);
        assert!(budget.withdraw(2, at(0)));
        assert!(!budget.withdraw(1, at(0)));
        assert_eq!(
            budget.recovers_in(1, at(0)),
            Some(Duration::from_micros(500_001))
        );
        assert!(!budget.withdraw(1, at(499)));
        assert!(budget.withdraw(1, at(500)));
        assert!(!budget.withdraw(1, at(500)));
        assert_eq!(budget.balance(at(3_600_000)), 10);
    }

    #[test]
    fn a_storm_costs_at_most_what_the_bound_says() {
        // 1,000 failing calls a second for a minute, each wanting two retries.
        let budget = budget(10, 5, 50);
        let (mut calls, mut retries) = (0, 0);
        for millis in 0..60_000 {
            calls += 1;
            budget.deposit(1);
            for _ in 0..2 {
                retries += u64::from(budget.withdraw(1, at(millis)));
            }
        }
        assert!(retries <= 50 + 5 * 60 + calls / 10, "{retries} retries");
        assert!(retries >= calls / 10, "{retries} retries");
    }

    #[test]
    fn saving_ends_at_the_capacity() {
        let budget = budget(100, 0, 10);
        for _ in 0..1_000 {
            budget.deposit(1_000_000);
        }
        assert!(!budget.withdraw(11, at(0)));
        assert_eq!(budget.recovers_in(11, at(0)), None);
        assert!(budget.withdraw(10, at(0)));
        assert!(!budget.withdraw(1, at(0)));
    }

    #[test]
    fn a_part_spends_no_more_than_the_whole_has() {
        let whole = Arc::new(budget(0, 3, 3));
        let part = || budget(0, 2, 2).within(Arc::clone(&whole));
        let (a, b) = (part(), part());
        assert!(a.withdraw(2, at(0)));
        assert!(!a.withdraw(1, at(0)), "its own is spent");
        assert!(!b.withdraw(2, at(0)), "the whole has one left");
        assert_eq!(b.balance(at(0)), 2, "and a refusal takes nothing");
        assert!(b.withdraw(1, at(0)));
    }

    #[test]
    fn heavy_retries_cost_more_than_light_ones() {
        let budget = budget(10, 0, 1_000_000);
        budget.deposit(100_000);
        assert!(!budget.withdraw(100_000, at(0)));
        for _ in 0..100 {
            assert!(budget.withdraw(100, at(0)));
        }
        assert!(!budget.withdraw(1, at(0)));
    }

    #[test]
    fn a_clock_that_steps_back_pays_nothing_twice() {
        let budget = budget(0, 1, 100);
        assert!(budget.withdraw(1, at(0)));
        assert_eq!(budget.balance(at(5_000)), 5);
        assert_eq!(budget.balance(at(0)), 5);
        assert_eq!(budget.balance(at(5_000)), 5);
    }

    #[test]
    fn a_budget_that_makes_no_sense_is_refused() {
        let config = RetryBudgetConfig::default();
        assert!(RetryBudget::new(config.with_percent(1_001)).is_err());
        assert!(RetryBudget::new(config.with_capacity(0)).is_err());
        assert!(RetryBudget::new(config.with_floor(101)).is_err());
    }
}
