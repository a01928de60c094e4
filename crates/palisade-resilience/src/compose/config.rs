use std::{error::Error, fmt, time::Duration};

use crate::{
    AdaptiveConfig, Backoff, Bulkhead, ConfigError, Growth, HedgePolicy, Jitter, LongAdvice,
    PushbackGate, RetryBudgetConfig, RetryPolicy, ThrottleConfig, breaker::BreakerConfig,
};

/// All guards of one upstream, as a configuration file has them. What is left out guards nothing.
///
/// With the feature `serde` it is read from any format: lengths of time are texts such as `250ms` and `1m30s`, names are in
/// `snake_case`, and a name that is not known is refused.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::{Key, SystemClock};
/// use palisade_resilience::{Policy, PolicyConfig, RetryConfig};
///
/// let config = PolicyConfig::new("acme")
///     .with_deadline(Duration::from_secs(30))
///     .with_attempt_timeout(Duration::from_secs(10))
///     .with_retry(RetryConfig::default());
/// let policy = Policy::new(config, Key::global(), SystemClock)?;
/// assert_eq!(
///     policy.to_string(),
///     "acme: deadline 30s > retry 3 > timeout 10s > call",
/// );
/// # Ok::<(), palisade_resilience::UnsoundPolicy>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct PolicyConfig {
    /// What it is called, for people and metrics.
    pub name: String,
    /// How long the whole may take.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text_or_none"))]
    pub deadline: Option<Duration>,
    /// How long one attempt may take, and never longer than what is left of the whole.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text_or_none"))]
    pub attempt_timeout: Option<Duration>,
    /// How failures are repeated.
    pub retry: Option<RetryConfig>,
    /// How much all calls together may repeat, be it by retry, hedge or fallback.
    pub budget: Option<RetryBudgetConfig>,
    /// When a second request is sent for a late answer.
    pub hedge: Option<HedgeConfig>,
    /// How long all calls obey what one of them was told.
    pub gate: Option<GateConfig>,
    /// How many calls may be under way.
    pub concurrency: Option<ConcurrencyConfig>,
    /// How it is found out how many calls the upstream carries. Places are waited for as `concurrency` has it; without that,
    /// nobody waits.
    pub adaptive: Option<AdaptiveConfig>,
    /// When the upstream is left alone.
    pub breaker: Option<BreakerConfig>,
    /// How readily calls are refused here that the upstream would refuse.
    pub throttle: Option<ThrottleConfig>,
}

/// The retries of a [`PolicyConfig`]. See [`RetryPolicy`] and [`Backoff`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct RetryConfig {
    /// The most attempts, the first included.
    pub attempts: u32,
    /// The first pause.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub base: Duration,
    /// The longest pause that nobody asked for.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub cap: Duration,
    /// How pauses grow.
    pub growth: Growth,
    /// How chance spreads them.
    pub jitter: Jitter,
    /// The most patience a server may ask for.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub advice_max: Duration,
    /// What happens beyond it.
    pub long_advice: LongAdvice,
    /// Whether to wait for a circuit breaker that refuses.
    pub wait_for_circuit: bool,
}

/// The hedging of a [`PolicyConfig`]: either `after` or `percentile`. See [`HedgePolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct HedgeConfig {
    /// A fixed delay.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text_or_none"))]
    pub after: Option<Duration>,
    /// As long as so many percent of the calls of late took.
    pub percentile: Option<u32>,
    /// Never earlier than this; for `percentile`.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub min: Duration,
    /// Never later than this; for `percentile`.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub max: Duration,
    /// Requests besides the first.
    pub extra: u32,
}

/// The gate of a [`PolicyConfig`]. See [`PushbackGate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct GateConfig {
    /// The longest it is shut, however long was told.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub longest: Duration,
    /// How long an attempt waits for it. Without patience it is refused, and the retry waits.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub patience: Duration,
}

/// The concurrency of a [`PolicyConfig`]. See [`Bulkhead`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct ConcurrencyConfig {
    /// The most calls under way.
    pub limit: usize,
    /// The most that wait for a place.
    pub queue: usize,
    /// How long they wait.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub patience: Duration,
}

/// One field that is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyError {
    /// The path of the field in the configuration, such as `retry.attempts`.
    pub field: &'static str,
    /// What was found, and what would be right.
    pub why: ConfigError,
}

/// A configuration that was refused: every field that is wrong, not only the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsoundPolicy {
    name: String,
    errors: Vec<PolicyError>,
}

impl PolicyConfig {
    /// No guards yet, for the upstream `name`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            deadline: None,
            attempt_timeout: None,
            retry: None,
            budget: None,
            hedge: None,
            gate: None,
            concurrency: None,
            adaptive: None,
            breaker: None,
            throttle: None,
        }
    }

    /// The same with a limit on the whole.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same with a limit on each attempt.
    #[must_use]
    pub const fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// The same with retries.
    #[must_use]
    pub const fn with_retry(mut self, retry: RetryConfig) -> Self {
        self.retry = Some(retry);
        self
    }

    /// The same with a budget.
    #[must_use]
    pub const fn with_budget(mut self, budget: RetryBudgetConfig) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The same with hedging.
    #[must_use]
    pub const fn with_hedge(mut self, hedge: HedgeConfig) -> Self {
        self.hedge = Some(hedge);
        self
    }

    /// The same with a gate.
    #[must_use]
    pub const fn with_gate(mut self, gate: GateConfig) -> Self {
        self.gate = Some(gate);
        self
    }

    /// The same with a limit on calls under way.
    #[must_use]
    pub const fn with_concurrency(mut self, concurrency: ConcurrencyConfig) -> Self {
        self.concurrency = Some(concurrency);
        self
    }

    /// The same with a limit on calls under way that finds itself.
    #[must_use]
    pub const fn with_adaptive(mut self, adaptive: AdaptiveConfig) -> Self {
        self.adaptive = Some(adaptive);
        self
    }

    /// The same with a circuit breaker.
    #[must_use]
    pub const fn with_breaker(mut self, breaker: BreakerConfig) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// The same with a throttle.
    #[must_use]
    pub const fn with_throttle(mut self, throttle: ThrottleConfig) -> Self {
        self.throttle = Some(throttle);
        self
    }

    /// Every field that is wrong. None, and it builds.
    ///
    /// # Errors
    ///
    /// [`UnsoundPolicy`], which names the fields and says what would be right.
    pub fn check(&self) -> Result<(), UnsoundPolicy> {
        let mut errors = Vec::new();
        let mut note = |field, result: Result<(), ConfigError>| {
            if let Err(why) = result {
                errors.push(PolicyError { field, why });
            }
        };
        let ms = Duration::from_millis(1);
        let length = |name, found: Option<Duration>, min| match found {
            Some(found) => crate::error::duration(name, found, min, RetryPolicy::TIMEOUT_MAX),
            None => Ok(()),
        };
        note(
            "name",
            crate::error::number(
                "length of the name",
                self.name.len() as u64,
                1,
                Self::NAME_MAX as u64,
            ),
        );
        note(
            "attempt_timeout",
            length("attempt_timeout", self.attempt_timeout, ms),
        );
        // A whole that is shorter than one attempt would cut every attempt off before its own time-out could say so.
        let least = self.attempt_timeout.unwrap_or(ms).max(ms);
        note("deadline", length("deadline", self.deadline, least));
        if let Some(retry) = &self.retry {
            note("retry.attempts", RetryPolicy::new(retry.attempts).map(drop));
            note(
                "retry.base",
                Backoff::new(retry.base, Backoff::MAX).map(drop),
            );
            let base = retry.base.clamp(ms, Backoff::MAX);
            note("retry.cap", Backoff::new(base, retry.cap).map(drop));
            let advice = Backoff::default().with_advice_max(retry.advice_max, retry.long_advice);
            note("retry.advice_max", advice.map(drop));
        }
        if let Some(budget) = self.budget {
            note("budget", crate::RetryBudget::new(budget).map(drop));
        }
        if let Some(hedge) = &self.hedge {
            note("hedge", hedge.build().map(drop));
            let too_late = self.attempt_timeout.is_some_and(|attempt| {
                let delay = hedge.after.unwrap_or(hedge.min);
                delay >= attempt
            });
            if too_late {
                note(
                    "hedge.after",
                    Err(ConfigError::Contradiction(
                        "the hedge would be sent when the attempt is over; it must be shorter than attempt_timeout",
                    )),
                );
            }
        }
        if let Some(gate) = &self.gate {
            let most = GateConfig::WAIT_MAX;
            let longest = crate::error::duration("longest", gate.longest, ms, most);
            note("gate.longest", longest);
            let patience = crate::error::duration("patience", gate.patience, Duration::ZERO, most);
            note("gate.patience", patience);
        }
        if let Some(concurrency) = &self.concurrency {
            note("concurrency", concurrency.build().map(drop));
        }
        if let Some(adaptive) = self.adaptive {
            note("adaptive", adaptive.build().map(drop));
        }
        if let Some(breaker) = self.breaker {
            note("breaker", breaker.build().map(drop));
        }
        if let Some(throttle) = &self.throttle {
            note("throttle", throttle.check());
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(UnsoundPolicy {
            name: crate::problem::cut(&self.name, Self::NAME_MAX).to_owned(),
            errors,
        })
    }

    /// The most bytes of a name.
    pub const NAME_MAX: usize = 256;
}

/// Nothing is guarded.
impl Default for PolicyConfig {
    fn default() -> Self {
        Self::new("upstream")
    }
}

impl RetryConfig {
    /// The same with another number of attempts, the first included.
    #[must_use]
    pub const fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The same with pauses from `base` to `cap`.
    #[must_use]
    pub const fn with_pauses(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// The same, growing and spread otherwise.
    #[must_use]
    pub const fn with_shape(mut self, growth: Growth, jitter: Jitter) -> Self {
        self.growth = growth;
        self.jitter = jitter;
        self
    }

    pub(super) fn build(&self) -> Result<RetryPolicy, ConfigError> {
        let backoff = Backoff::new(self.base, self.cap)?
            .with_growth(self.growth)
            .with_jitter(self.jitter)
            .with_advice_max(self.advice_max, self.long_advice)?;
        Ok(RetryPolicy::new(self.attempts)?
            .with_backoff(backoff)
            .with_wait_for_circuit(self.wait_for_circuit))
    }
}

/// Three attempts, pauses of 200 ms to 20 s with full jitter, up to a minute of patience.
impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: 3,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(20),
            growth: Growth::default(),
            jitter: Jitter::default(),
            advice_max: Duration::from_secs(60),
            long_advice: LongAdvice::default(),
            wait_for_circuit: false,
        }
    }
}

impl HedgeConfig {
    /// A second request after `delay`.
    #[must_use]
    pub fn after(delay: Duration) -> Self {
        Self {
            after: Some(delay),
            ..Self::default()
        }
    }

    /// A second request when the first takes longer than `percent` of the calls of late, from `min` to `max`.
    #[must_use]
    pub fn percentile(percent: u32, min: Duration, max: Duration) -> Self {
        Self {
            percentile: Some(percent),
            min,
            max,
            ..Self::default()
        }
    }

    pub(super) fn build(&self) -> Result<HedgePolicy, ConfigError> {
        let policy = match (self.after, self.percentile) {
            (Some(after), None) => HedgePolicy::after(after),
            (None, Some(percent)) => HedgePolicy::percentile(percent, self.min, self.max),
            _ => Err(ConfigError::Contradiction(
                "a hedge needs one of after and percentile, and not both",
            )),
        };
        policy?.with_extra(self.extra)
    }
}

/// No delay yet; one request more; bounds of 10 ms and 30 s for a percentile.
impl Default for HedgeConfig {
    fn default() -> Self {
        Self {
            after: None,
            percentile: None,
            min: Duration::from_millis(10),
            max: Duration::from_secs(30),
            extra: 1,
        }
    }
}

impl GateConfig {
    const WAIT_MAX: Duration = PushbackGate::<palisade_core::SystemClock>::WAIT_MAX;

    /// The same, shut for at most `longest`.
    #[must_use]
    pub const fn with_longest(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// The same, where an attempt waits for up to `patience`.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

/// Shut for up to five minutes; nobody waits.
impl Default for GateConfig {
    fn default() -> Self {
        Self {
            longest: Duration::from_secs(300),
            patience: Duration::ZERO,
        }
    }
}

impl ConcurrencyConfig {
    /// At most `limit` calls under way, and no queue.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// The same, where up to `waiting` wait for up to `patience`.
    #[must_use]
    pub const fn with_queue(mut self, waiting: usize, patience: Duration) -> Self {
        self.queue = waiting;
        self.patience = patience;
        self
    }

    pub(super) fn build(&self) -> Result<Bulkhead, ConfigError> {
        Bulkhead::new(self.limit)?.with_queue(self.queue, self.patience)
    }
}

/// 100 calls, and no queue.
impl Default for ConcurrencyConfig {
    fn default() -> Self {
        Self {
            limit: 100,
            queue: 0,
            patience: Duration::from_secs(1),
        }
    }
}

impl UnsoundPolicy {
    /// A refusal for one field.
    pub(super) fn of(name: &str, field: &'static str, why: ConfigError) -> Self {
        Self {
            name: crate::problem::cut(name, PolicyConfig::NAME_MAX).to_owned(),
            errors: vec![PolicyError { field, why }],
        }
    }

    /// The fields that are wrong.
    #[must_use]
    pub fn errors(&self) -> &[PolicyError] {
        &self.errors
    }
}

impl fmt::Display for UnsoundPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the policy of {:?} is refused", self.name)?;
        for (index, error) in self.errors.iter().enumerate() {
            let sign = if index == 0 { ": " } else { "; " };
            write!(f, "{sign}{}: {}", error.field, error.why)?;
        }
        Ok(())
    }
}

impl Error for UnsoundPolicy {}
