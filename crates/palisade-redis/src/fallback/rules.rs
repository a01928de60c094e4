use std::{collections::BTreeMap, time::Duration};

use palisade_rate_limit::{Algorithm, Limit};

/// What a limit does while the store does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fallback {
    /// It has no answer: the question fails, and whoever asked decides.
    #[default]
    Fail,
    /// It refuses: better nobody than one too many.
    Closed,
    /// It lets everybody pass uncounted: better one too many than nobody.
    Open,
    /// This process keeps a share of the limit by itself. The share has counted all the time what this process was admitted,
    /// so an outage neither gives it a full bucket nor shuts it out.
    Share,
}

/// What every limit does while the store does not answer, and when it is asked again.
///
/// ```
/// use palisade_redis::{Fallback, FallbackConfig};
///
/// // Four processes, and each keeps at most a fifth of a limit by itself.
/// let config = FallbackConfig::new(Fallback::Share)
///     .with_share(4, 80)?
///     .with_rule("login", Fallback::Closed)
///     .with_rule("health", Fallback::Open);
/// # Ok::<(), palisade_redis::FallbackError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FallbackConfig {
    pub(super) default: Fallback,
    pub(super) rules: BTreeMap<String, Fallback>,
    pub(super) failures_max: u32,
    pub(super) waits: (Duration, Duration),
    pub(super) keys: usize,
    nodes: u64,
    percent: u64,
}

impl FallbackConfig {
    /// The most processes.
    pub const NODES_MAX: u32 = 65_536;

    /// This for every limit. Three failures in a row and the store is left alone for 100 ms; then one question tries, and the
    /// wait doubles up to 5 s. A share is the whole limit of one process.
    #[must_use]
    pub fn new(default: Fallback) -> Self {
        Self {
            default,
            rules: BTreeMap::new(),
            failures_max: 3,
            waits: (Duration::from_millis(100), Duration::from_secs(5)),
            keys: 65_536,
            nodes: 1,
            percent: 100,
        }
    }

    /// The same with another fallback for the limit of this name.
    #[must_use]
    pub fn with_rule(mut self, limit: impl Into<String>, fallback: Fallback) -> Self {
        self.rules.insert(limit.into(), fallback);
        self
    }

    /// The same with a share for each of so many processes, of so many percent of the limit together. While the store is
    /// away all of them together admit at most that part of the limit, beside what the store had admitted.
    ///
    /// # Errors
    ///
    /// [`FallbackError::Nodes`], [`FallbackError::Percent`].
    pub fn with_share(mut self, nodes: u32, percent: u8) -> Result<Self, FallbackError> {
        if !(1..=Self::NODES_MAX).contains(&nodes) {
            return Err(FallbackError::Nodes { found: nodes });
        }
        if !(1..=100).contains(&percent) {
            return Err(FallbackError::Percent { found: percent });
        }
        (self.nodes, self.percent) = (nodes.into(), percent.into());
        Ok(self)
    }

    /// The same, leaving the store alone after so many failures in a row; at least one.
    #[must_use]
    pub fn with_failures_max(mut self, failures: u32) -> Self {
        self.failures_max = failures.max(1);
        self
    }

    /// The same with other waits before the store is tried again: the first, and the longest.
    #[must_use]
    pub fn with_waits(mut self, first: Duration, longest: Duration) -> Self {
        let first = first.max(Duration::from_millis(1));
        self.waits = (first, longest.max(first));
        self
    }

    /// The same with room for the shares of so many keys.
    #[must_use]
    pub const fn with_keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    pub(super) fn of(&self, limit: &Limit) -> Fallback {
        let rule = self.rules.get(limit.name()).copied();
        rule.unwrap_or(self.default)
    }

    pub(super) fn has_shares(&self) -> bool {
        self.default == Fallback::Share || self.rules.values().any(|rule| *rule == Fallback::Share)
    }

    /// This process's share of a limit: at least one unit. `None` if it cannot be kept exactly.
    pub(super) fn share(&self, limit: &Limit) -> Option<Limit> {
        let part = |whole: u64| {
            let part = u128::from(whole) * u128::from(self.percent) / u128::from(self.nodes * 100);
            // No more than the whole.
            (part as u64).max(1)
        };
        let (name, amount, period) = (limit.name(), part(limit.amount()), limit.period());
        let share = match limit.algorithm() {
            Algorithm::FixedWindow => Limit::fixed_window(name, amount, period),
            Algorithm::SlidingWindow => Limit::sliding_window(name, amount, period),
            Algorithm::SlidingLog => Limit::sliding_log(name, amount, period),
            Algorithm::Concurrency => Limit::concurrency(name, amount),
            _ => bucket(name, amount, period, part(limit.burst())),
        };
        share
            .and_then(|share| share.with_soft_percent(limit.soft_percent()))
            .ok()
    }
}

/// A rate that cannot be kept exactly is lowered by less than a part in four to one that can.
fn bucket(
    name: &str,
    amount: u64,
    period: Duration,
    burst: u64,
) -> Result<Limit, palisade_rate_limit::LimitError> {
    let rounded = amount - amount % 1_000_000_000;
    Limit::new(name, amount, period)
        .or_else(|error| match rounded {
            0 => Err(error),
            _ => Limit::new(name, rounded, period),
        })?
        .with_burst(burst)
}

/// Why shares cannot be cut so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FallbackError {
    /// Nobody, or more than there should be.
    #[error("a limit is shared by 1 to {max} processes; found {found}", max = FallbackConfig::NODES_MAX)]
    Nodes {
        /// The number found.
        found: u32,
    },
    /// No part of the limit, or more than all of it.
    #[error("the shares together are 1 to 100 percent of a limit; found {found}")]
    Percent {
        /// The number found.
        found: u8,
    },
}
