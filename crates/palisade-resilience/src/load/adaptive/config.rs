use std::time::Duration;

use crate::{ConfigError, error};

/// How a limit on concurrency is learnt. Plain data, checked once.
///
/// ```
/// use std::time::Duration;
/// use palisade_resilience::{Adaptation, AdaptiveConfig};
///
/// let policy = AdaptiveConfig::new(Adaptation::Gradient)
///     .with_range(2, 20, 500)
///     .with_drop_after(Duration::from_secs(20))
///     .build()?;
/// # let _ = policy;
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct AdaptiveConfig {
    /// The rule by which it moves.
    pub adaptation: Adaptation,
    /// It never goes lower, so that something is always learnt.
    pub floor: u32,
    /// Where it begins.
    pub initial: u32,
    /// It never goes higher.
    pub ceiling: u32,
    /// A call that took this long counts as dropped, whatever came of it. Time-outs that all take the same time look like a
    /// steady upstream otherwise.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub drop_after: Duration,
    /// What is left of the limit after a drop, in percent.
    pub keep: u32,
    /// How often the time without load is measured anew, with few calls under way. Up to a tenth earlier or later, by
    /// chance. [`Adaptation::Aimd`] does not need it.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub probe_every: Duration,
    /// How many calls it is measured from.
    pub probe_calls: u32,
    /// How much slower than without load still counts as no queue, in percent.
    pub tolerance: u32,
}

/// By which rule a limit moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Adaptation {
    /// Up by one for each full round of calls without a drop, down to [`keep`](AdaptiveConfig::keep) percent at one. Knows
    /// nothing of time; needs an upstream that says no, or takes too long. As TCP does (Jacobson, *Congestion Avoidance and
    /// Control*, 1988).
    #[default]
    Aimd,
    /// Moves by the ratio of the time without load to the time now, with room for a queue of the limit's square root. After the
    /// adaptive concurrency of Envoy and Netflix's *concurrency-limits*.
    Gradient,
    /// Estimates how many calls stand in the upstream's queue, and keeps that between two bounds. After TCP Vegas (Brakmo and
    /// Peterson, 1995).
    Vegas,
}

/// From 1 to 1,000, beginning at 20; a call of 60 s is a drop and leaves 90 %; measured anew every minute from 10 calls; 50 %
/// slower is no queue.
impl Default for AdaptiveConfig {
    fn default() -> Self {
        Self::new(Adaptation::default())
    }
}

impl AdaptiveConfig {
    /// The defaults, with this rule.
    #[must_use]
    pub const fn new(adaptation: Adaptation) -> Self {
        Self {
            adaptation,
            floor: 1,
            initial: 20,
            ceiling: 1_000,
            drop_after: Duration::from_secs(60),
            keep: 90,
            probe_every: Duration::from_secs(60),
            probe_calls: 10,
            tolerance: 50,
        }
    }

    /// The same, between other bounds.
    #[must_use]
    pub const fn with_range(mut self, floor: u32, initial: u32, ceiling: u32) -> Self {
        self.floor = floor;
        self.initial = initial;
        self.ceiling = ceiling;
        self
    }

    /// The same, taking calls of this length for dropped ones.
    #[must_use]
    pub const fn with_drop_after(mut self, time: Duration) -> Self {
        self.drop_after = time;
        self
    }

    /// The same, keeping another share of the limit after a drop.
    #[must_use]
    pub const fn with_keep(mut self, percent: u32) -> Self {
        self.keep = percent;
        self
    }

    /// The same, measuring the time without load every `every`, from `calls` calls.
    #[must_use]
    pub const fn with_probe(mut self, every: Duration, calls: u32) -> Self {
        self.probe_every = every;
        self.probe_calls = calls;
        self
    }

    /// The same, tolerating another slowness, in percent.
    #[must_use]
    pub const fn with_tolerance(mut self, percent: u32) -> Self {
        self.tolerance = percent;
        self
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the first value that is wrong.
    pub fn build(self) -> Result<AdaptivePolicy, ConfigError> {
        let (ms, day) = (Duration::from_millis(1), Duration::from_secs(86_400));
        let floor = u64::from(self.floor);
        error::number("adaptive floor", floor, 1, 1_000_000)?;
        error::number("adaptive ceiling", self.ceiling.into(), floor, 1_000_000)?;
        error::number(
            "adaptive initial",
            self.initial.into(),
            floor,
            self.ceiling.into(),
        )?;
        error::duration("adaptive drop_after", self.drop_after, ms, day)?;
        error::number("adaptive keep", self.keep.into(), 10, 99)?;
        error::duration("adaptive probe_every", self.probe_every, ms, day)?;
        error::number("adaptive probe_calls", self.probe_calls.into(), 1, 1_000)?;
        error::number("adaptive tolerance", self.tolerance.into(), 0, 1_000)?;
        Ok(AdaptivePolicy(self))
    }
}

/// An [`AdaptiveConfig`] that has passed its checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdaptivePolicy(AdaptiveConfig);

impl AdaptivePolicy {
    /// The values.
    #[must_use]
    pub const fn config(&self) -> &AdaptiveConfig {
        &self.0
    }
}
