//! A rate that follows what comes of the calls it lets pass: additive increase, multiplicative decrease (Chiu and Jain, 1989).
//!
//! Time is cut into windows. After one in which too many calls failed or were slow, the rate is cut to a part of itself;
//! after any other with enough calls, it grows by a step. So many clients of one upstream that all do so end up with equal
//! shares of what it can do, and none has to be told what that is.
//!
//! *Bound*: the rate never leaves the range from floor to ceiling, and changes once a window at most. What the limit lets
//! pass is then what its [algorithm](crate::Algorithm) says of the largest amount in the interval.

use std::time::Duration;

use palisade_core::Instant;

use crate::AdaptiveError;

/// How a rate follows. Amounts are those of the limit's own period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct AdaptiveConfig {
    /// The least it falls to.
    pub floor: u64,
    /// The most it grows to, and where it begins.
    pub ceiling: u64,
    /// What it gains in a good window.
    pub increase: u64,
    /// What is left of it after a bad one, in percent.
    pub keep_percent: u8,
    /// From how many percent of failed or slow calls on a window is bad.
    pub bad_percent: u8,
    /// From how long on a call is slow.
    #[cfg_attr(feature = "serde", serde(with = "nanos"))]
    pub slow: Duration,
    /// The length of a window.
    #[cfg_attr(feature = "serde", serde(with = "nanos"))]
    pub window: Duration,
    /// From how many calls on a window says something. One with fewer goes on.
    pub calls_min: u32,
}

#[cfg(feature = "serde")]
mod nanos {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(of: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(of.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }
}

impl AdaptiveConfig {
    /// The largest ceiling.
    pub const CEILING_MAX: u64 = u32::MAX as u64;

    /// Between these amounts: windows of a second with ten calls or more, cut to 70 percent when more than a tenth of them
    /// failed or took longer than ten seconds, and otherwise a twentieth of the range more.
    #[must_use]
    pub const fn between(floor: u64, ceiling: u64) -> Self {
        let step = ceiling.saturating_sub(floor) / 20;
        Self {
            floor,
            ceiling,
            increase: if step == 0 { 1 } else { step },
            keep_percent: 70,
            bad_percent: 10,
            slow: Duration::from_secs(10),
            window: Duration::from_secs(1),
            calls_min: 10,
        }
    }

    /// The same with other steps: what a good window adds, and what percentage a bad one leaves.
    #[must_use]
    pub const fn with_steps(mut self, increase: u64, keep_percent: u8) -> Self {
        self.increase = increase;
        self.keep_percent = keep_percent;
        self
    }

    /// The same with another idea of what is bad: more than this percentage of calls that failed or took longer than `slow`.
    #[must_use]
    pub const fn with_bad(mut self, percent: u8, slow: Duration) -> Self {
        self.bad_percent = percent;
        self.slow = slow;
        self
    }

    /// The same with other windows.
    #[must_use]
    pub const fn with_window(mut self, window: Duration, calls_min: u32) -> Self {
        self.window = window;
        self.calls_min = calls_min;
        self
    }

    /// Whether it can be followed.
    ///
    /// # Errors
    ///
    /// [`AdaptiveError`], which says what would be right.
    pub const fn check(&self) -> Result<(), AdaptiveError> {
        if self.floor == 0 || self.floor > self.ceiling || self.ceiling > Self::CEILING_MAX {
            return Err(AdaptiveError::Range {
                floor: self.floor,
                ceiling: self.ceiling,
            });
        }
        if self.increase == 0 || self.keep_percent == 0 || self.keep_percent > 99 {
            return Err(AdaptiveError::Steps);
        }
        if self.bad_percent > 99 || self.calls_min == 0 || self.window.is_zero() {
            return Err(AdaptiveError::Window);
        }
        Ok(())
    }
}

/// How one call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Observed {
    /// It was answered after so long.
    Answered(Duration),
    /// It failed in a way that fewer calls would mend: refused as too many, overloaded, timed out.
    Overloaded,
}

/// What is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The amount in force.
    pub amount: u64,
    /// When the window began; the first begins with the first call.
    pub began: Option<Instant>,
    /// Calls of the window.
    pub calls: u32,
    /// Those that failed or were slow.
    pub bad: u32,
}

impl State {
    /// At the ceiling, with nothing seen.
    #[must_use]
    pub const fn new(config: &AdaptiveConfig) -> Self {
        Self {
            amount: config.ceiling,
            began: None,
            calls: 0,
            bad: 0,
        }
    }
}

/// The state after one more call has been seen. The window is judged by the first call that is seen after its end, which
/// counts as the first of the next.
#[must_use]
pub fn step(config: &AdaptiveConfig, state: State, seen: Observed, now: Instant) -> State {
    let began = state.began.unwrap_or(now);
    let over = now.saturating_since(began) >= config.window && state.calls >= config.calls_min;
    let mut next = State {
        began: Some(began),
        ..state
    };
    if over {
        let is_bad =
            u64::from(state.bad) * 100 > u64::from(state.calls) * u64::from(config.bad_percent);
        let amount = if is_bad {
            state.amount * u64::from(config.keep_percent) / 100
        } else {
            state.amount.saturating_add(config.increase)
        };
        next = State {
            amount: amount.clamp(config.floor, config.ceiling),
            began: Some(now),
            calls: 0,
            bad: 0,
        };
    }
    let is_bad = match seen {
        Observed::Answered(after) => after > config.slow,
        Observed::Overloaded => true,
    };
    next.calls = next.calls.saturating_add(1);
    next.bad = next.bad.saturating_add(u32::from(is_bad));
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn config() -> AdaptiveConfig {
        AdaptiveConfig::between(10, 100)
            .with_steps(5, 50)
            .with_window(Duration::from_secs(1), 4)
    }

    /// Windows of ten calls, so many of them bad.
    fn windows(mut state: State, at: &mut u64, count: u32, bad: u32) -> State {
        for _ in 0..count {
            for call in 0..10 {
                let seen = if call < bad {
                    Observed::Overloaded
                } else {
                    Observed::Answered(Duration::from_millis(5))
                };
                state = step(&config(), state, seen, Instant::from_nanos(*at));
                *at += SECOND / 10;
            }
        }
        state
    }

    #[test]
    fn it_falls_by_half_and_comes_back_by_steps() {
        let (mut at, start) = (SECOND, State::new(&config()));
        // The first call of the next window judges the one before.
        let state = windows(start, &mut at, 2, 5);
        assert_eq!(state.amount, 50);
        let state = windows(state, &mut at, 10, 10);
        assert_eq!(state.amount, 10, "never below the floor");
        let state = windows(state, &mut at, 18, 1);
        assert_eq!(state.amount, 95);
        let state = windows(state, &mut at, 9, 0);
        assert_eq!(state.amount, 100, "never above the ceiling");
    }

    #[test]
    fn slow_answers_count_as_failures_and_a_few_calls_say_nothing() {
        let config = config().with_bad(10, Duration::from_millis(100));
        let slow = Observed::Answered(Duration::from_millis(101));
        let mut state = State::new(&config);
        for second in 0..3 {
            state = step(&config, state, slow, Instant::from_nanos(second * SECOND));
        }
        assert_eq!(state.amount, 100, "three calls are not four");
        for second in 3..6 {
            state = step(&config, state, slow, Instant::from_nanos(second * SECOND));
        }
        assert_eq!(state.amount, 50);
    }

    #[test]
    fn what_cannot_be_followed_is_named() {
        let range = |floor, ceiling| AdaptiveConfig::between(floor, ceiling).check();
        assert!(range(1, 1).is_ok());
        for (floor, ceiling) in [(0, 1), (2, 1), (1, AdaptiveConfig::CEILING_MAX + 1)] {
            assert_eq!(
                range(floor, ceiling),
                Err(AdaptiveError::Range { floor, ceiling })
            );
        }
        for (increase, keep) in [(0, 50), (1, 0), (1, 100)] {
            let config = config().with_steps(increase, keep);
            assert_eq!(config.check(), Err(AdaptiveError::Steps));
        }
        let config = config().with_window(Duration::ZERO, 1);
        assert_eq!(config.check(), Err(AdaptiveError::Window));
    }
}
