use std::time::Duration;

use crate::{ConfigError, error};

/// When a breaker opens, for how long, and how it finds out that things are well again. Plain data, checked once.
///
/// ```
/// use std::time::Duration;
/// use palisade_resilience::{BreakerConfig, Window};
///
/// let config = BreakerConfig::default()
///     .with_window(Window::Time(Duration::from_secs(30)))
///     .with_failure_rate(40)
///     .with_minimum_calls(10)
///     .with_slow_calls(Duration::from_secs(20), 80)
///     .build()?;
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct BreakerConfig {
    /// Which calls are looked at.
    pub window: Window,
    /// Opens when this share of the window has failed, in percent. Over 100 never opens by rate.
    pub failure_rate: u32,
    /// No rate is computed from fewer calls: two failures at night are not a 100 % failure rate.
    pub minimum_calls: u32,
    /// Opens after this many failures in a row, whatever the window says.
    pub consecutive_failures: Option<u32>,
    /// A call that takes this long counts as slow, also if the caller stopped waiting for it.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text_or_none"))]
    pub slow_after: Option<Duration>,
    /// A call whose first token took this long counts as slow, also while it is still waited for. For hosts that tell of
    /// it with [`Permit::first_token`](crate::Permit::first_token); otherwise the end of the call counts as its first token.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text_or_none"))]
    pub slow_first_token: Option<Duration>,
    /// Opens when this share of the window was slow, in percent.
    pub slow_rate: u32,
    /// A call that the caller gave up on after this long counts as failed. Younger ones tell nothing.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text_or_none"))]
    pub abandoned_after: Option<Duration>,
    /// How long it stays open the first time.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub open_for: Duration,
    /// The open time doubles each time it opens again soon after closing, up to this. Also bounds what a server may ask
    /// for, and how long it must stay closed for the doubling to be forgotten.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub open_for_max: Duration,
    /// How much longer than that it may stay open, in percent, drawn anew each time, so that replicas which opened
    /// together do not come back together. Never shorter, as a server may have named the time.
    pub open_jitter: u32,
    /// How long after closing calls are let through in a growing share only. Zero lets all pass at once.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub ramp_for: Duration,
    /// The share let through in the first moment after closing, in percent.
    pub ramp_from: u32,
    /// How many trial calls may be under way when it is half open, and how many must succeed to close it.
    pub probes: u32,
    /// A trial call that has not ended after this long counts as failed if others are waiting for its place. Choose it longer
    /// than the longest answer when permits are held until the end of a stream.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub probe_max: Duration,
    /// Opens at the first failure that carries advice ("retry after …"), for as long as advised. So a 429 told to one caller
    /// holds back all of them. Key such a breaker by credential as well as by model.
    pub open_on_advice: bool,
}

/// Which calls a breaker looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Window {
    /// The last so many calls.
    Calls(u32),
    /// The calls of the last so long. It slides in sixteenths: a call is counted for at least 15/16 of it and never
    /// for longer than the whole.
    Time(#[cfg_attr(feature = "serde", serde(with = "crate::when::text"))] Duration),
}

impl Window {
    /// The most calls a window may hold.
    pub const CALLS_MAX: u32 = 100_000;
    /// The shortest time window.
    pub const TIME_MIN: Duration = Duration::from_millis(1);
    /// The longest window.
    pub const TIME_MAX: Duration = Duration::from_secs(86_400);
}

/// Opens when half of at least 20 calls within 30 s failed; open for 5 s, doubling up to 2 min,
/// and up to a tenth longer; 3 trial calls of up to 5 min; no ramp.
impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            window: Window::Time(Duration::from_secs(30)),
            failure_rate: 50,
            minimum_calls: 20,
            consecutive_failures: None,
            slow_after: None,
            slow_first_token: None,
            slow_rate: 101,
            abandoned_after: None,
            open_for: Duration::from_secs(5),
            open_for_max: Duration::from_secs(120),
            open_jitter: 10,
            ramp_for: Duration::ZERO,
            ramp_from: 10,
            probes: 3,
            probe_max: Duration::from_secs(300),
            open_on_advice: false,
        }
    }
}

impl BreakerConfig {
    /// The same, looking at other calls.
    #[must_use]
    pub const fn with_window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// The same, opening at another share of failures, in percent.
    #[must_use]
    pub const fn with_failure_rate(mut self, percent: u32) -> Self {
        self.failure_rate = percent;
        self
    }

    /// The same, judging no fewer calls than this.
    #[must_use]
    pub const fn with_minimum_calls(mut self, calls: u32) -> Self {
        self.minimum_calls = calls;
        self
    }

    /// The same, opening also after this many failures in a row.
    #[must_use]
    pub const fn with_consecutive_failures(mut self, failures: u32) -> Self {
        self.consecutive_failures = Some(failures);
        self
    }

    /// The same, opening also when `percent` of the calls took `after` or longer.
    #[must_use]
    pub const fn with_slow_calls(mut self, after: Duration, percent: u32) -> Self {
        self.slow_after = Some(after);
        self.slow_rate = percent;
        self
    }

    /// The same, where a first token that took `after` or longer makes a call slow, and `percent` of slow calls open it.
    #[must_use]
    pub const fn with_slow_first_token(mut self, after: Duration, percent: u32) -> Self {
        self.slow_first_token = Some(after);
        self.slow_rate = percent;
        self
    }

    /// The same, taking a call that was given up on after `age` or longer for a failure.
    #[must_use]
    pub const fn with_abandoned_after(mut self, age: Duration) -> Self {
        self.abandoned_after = Some(age);
        self
    }

    /// The same, open for up to `percent` longer, by chance.
    #[must_use]
    pub const fn with_open_jitter(mut self, percent: u32) -> Self {
        self.open_jitter = percent;
        self
    }

    /// The same, letting a share of the calls through that grows from `percent` to all within `time` of closing.
    #[must_use]
    pub const fn with_ramp(mut self, percent: u32, time: Duration) -> Self {
        self.ramp_from = percent;
        self.ramp_for = time;
        self
    }

    /// The same, open for `first` and, when it keeps failing, up to `max`.
    #[must_use]
    pub const fn with_open_for(mut self, first: Duration, max: Duration) -> Self {
        self.open_for = first;
        self.open_for_max = max;
        self
    }

    /// The same with another number of trial calls, and another patience with each.
    #[must_use]
    pub const fn with_probes(mut self, probes: u32, max: Duration) -> Self {
        self.probes = probes;
        self.probe_max = max;
        self
    }

    /// The same, opening at once when a failure says how long to stay away.
    #[must_use]
    pub const fn with_open_on_advice(mut self, open: bool) -> Self {
        self.open_on_advice = open;
        self
    }

    /// Checks every value. [`Breaker::new`](crate::Breaker::new) takes only what passed here.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the first value that is wrong.
    pub fn build(self) -> Result<BreakerPolicy, ConfigError> {
        let ms = Duration::from_millis(1);
        match self.window {
            Window::Calls(calls) => {
                error::number(
                    "breaker window calls",
                    calls.into(),
                    1,
                    Window::CALLS_MAX.into(),
                )?;
                error::number(
                    "breaker minimum_calls",
                    self.minimum_calls.into(),
                    1,
                    calls.into(),
                )?;
            }
            Window::Time(time) => {
                error::duration(
                    "breaker window time",
                    time,
                    Window::TIME_MIN,
                    Window::TIME_MAX,
                )?;
                error::number(
                    "breaker minimum_calls",
                    self.minimum_calls.into(),
                    1,
                    u32::MAX.into(),
                )?;
            }
        }
        error::number("breaker failure_rate", self.failure_rate.into(), 1, 101)?;
        error::number("breaker slow_rate", self.slow_rate.into(), 1, 101)?;
        if let Some(failures) = self.consecutive_failures {
            error::number(
                "breaker consecutive_failures",
                failures.into(),
                1,
                u32::MAX.into(),
            )?;
        }
        for (name, age) in [
            ("breaker slow_after", self.slow_after),
            ("breaker slow_first_token", self.slow_first_token),
            ("breaker abandoned_after", self.abandoned_after),
        ] {
            if let Some(age) = age {
                error::duration(name, age, ms, Window::TIME_MAX)?;
            }
        }
        if self.slow_rate <= 100 && self.slow_after.is_none() && self.slow_first_token.is_none() {
            return Err(ConfigError::Contradiction(
                "breaker slow_rate is set but neither slow_after nor slow_first_token is: no call would ever be slow",
            ));
        }
        error::number("breaker open_jitter", self.open_jitter.into(), 0, 100)?;
        error::number("breaker ramp_from", self.ramp_from.into(), 1, 100)?;
        error::duration(
            "breaker ramp_for",
            self.ramp_for,
            Duration::ZERO,
            Window::TIME_MAX,
        )?;
        error::duration("breaker open_for", self.open_for, ms, Window::TIME_MAX)?;
        error::duration(
            "breaker open_for_max",
            self.open_for_max,
            self.open_for,
            Window::TIME_MAX,
        )?;
        error::number("breaker probes", self.probes.into(), 1, 1_000)?;
        error::duration("breaker probe_max", self.probe_max, ms, Window::TIME_MAX)?;
        Ok(BreakerPolicy(self))
    }
}

/// A [`BreakerConfig`] that has passed its checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreakerPolicy(BreakerConfig);

impl BreakerPolicy {
    /// The values.
    #[must_use]
    pub const fn config(&self) -> &BreakerConfig {
        &self.0
    }

    /// Whether calls under way are watched, so that hanging ones count before they end.
    pub(super) const fn watches_running(&self) -> bool {
        self.0.slow_after.is_some() || self.0.slow_first_token.is_some()
    }

    /// Whether it matters when a call began.
    pub(super) const fn needs_start(&self) -> bool {
        self.watches_running() || self.0.abandoned_after.is_some()
    }
}

impl TryFrom<BreakerConfig> for BreakerPolicy {
    type Error = ConfigError;

    fn try_from(config: BreakerConfig) -> Result<Self, ConfigError> {
        config.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert!(BreakerConfig::default().build().is_ok());
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let ok = BreakerConfig::default();
        let second = Duration::from_secs(1);
        for (config, name) in [
            (ok.with_window(Window::Calls(0)), "window calls"),
            (ok.with_window(Window::Calls(u32::MAX)), "window calls"),
            (ok.with_window(Window::Calls(10)), "minimum_calls"),
            (ok.with_window(Window::Time(Duration::ZERO)), "window time"),
            (ok.with_window(Window::Time(Duration::MAX)), "window time"),
            (ok.with_failure_rate(0), "failure_rate"),
            (ok.with_failure_rate(102), "failure_rate"),
            (ok.with_minimum_calls(0), "minimum_calls"),
            (ok.with_consecutive_failures(0), "consecutive_failures"),
            (ok.with_slow_calls(Duration::ZERO, 50), "slow_after"),
            (ok.with_slow_calls(second, 0), "slow_rate"),
            (ok.with_open_for(Duration::ZERO, second), "open_for"),
            (ok.with_open_for(2 * second, second), "open_for_max"),
            (ok.with_open_jitter(101), "open_jitter"),
            (ok.with_ramp(0, second), "ramp_from"),
            (ok.with_ramp(101, second), "ramp_from"),
            (ok.with_ramp(1, Duration::MAX), "ramp_for"),
            (
                ok.with_slow_first_token(Duration::ZERO, 50),
                "slow_first_token",
            ),
            (ok.with_abandoned_after(Duration::MAX), "abandoned_after"),
            (ok.with_probes(0, second), "probes"),
            (ok.with_probes(1, Duration::ZERO), "probe_max"),
        ] {
            let error = config.build().unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        let mut contradictory = ok;
        contradictory.slow_rate = 50;
        assert!(contradictory.build().is_err());
    }
}
