use std::time::Duration;

use palisade_core::RetryAfter;

use crate::{ConfigError, error};

/// How long to wait before the next attempt.
///
/// Without jitter, everybody whom one hiccup hit comes back in the same instant and makes the next one. So the default
/// is exponential growth with *full jitter* (Brooker, *Exponential Backoff And Jitter*, 2015): anything from zero to
/// the step.
///
/// What the server asked for wins: no wait is ever shorter than its `Retry-After`, and jitter is added on top (the step, or
/// an eighth of what was asked if that is more), so that a crowd told "30 s" does not arrive as one. A request to wait longer than [`advice_max`](Backoff::advice_max) is
/// answered by [`LongAdvice`].
///
/// It is plain data and a pure function: the chance comes in as an argument.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::RetryAfter;
/// use palisade_resilience::{Backoff, Jitter, Random, Wait};
///
/// let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5))?;
/// let random = Random::seeded(7);
/// let Wait::For(wait) = backoff.wait(3, None, random.next()) else { unreachable!() };
/// assert!(wait <= Duration::from_millis(400));
///
/// let asked = RetryAfter::After(Duration::from_secs(2));
/// let Wait::For(wait) = backoff.wait(1, Some(asked), random.next()) else { unreachable!() };
/// assert!(wait >= Duration::from_secs(2));
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    growth: Growth,
    jitter: Jitter,
    advice_max: Duration,
    long_advice: LongAdvice,
}

/// How the steps grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Growth {
    /// 1, 2, 4, 8, … times the base. The default.
    #[default]
    Exponential,
    /// 1, 1, 2, 3, 5, … times the base: gentler, where few attempts must be close together.
    Fibonacci,
    /// Always the base: for polling, not for overload.
    Constant,
}

/// How chance spreads a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Jitter {
    /// Anything from zero to the step. The least work for the server, and the default.
    #[default]
    Full,
    /// Half the step, and anything from zero to the other half: never almost at once.
    Equal,
    /// Anything from the base to three times the wait before, up to the cap. Waits grow by chance alone, so callers who
    /// began together drift apart; the [`Growth`] is not looked at.
    Decorrelated,
    /// The step exactly. For tests, and where somebody else spreads the load.
    None,
}

/// What to do when the server asks for more patience than is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum LongAdvice {
    /// Do not retry; the failure carries the advice to whoever can wait that long. The default.
    #[default]
    GiveUp,
    /// Wait for the maximum and ask again, earlier than the server wanted.
    Clamp,
}

/// The answer of a [`Backoff`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wait {
    /// Ask again after this long.
    For(Duration),
    /// Do not ask again: the server wants more patience than the policy allows.
    TooLong(Duration),
    /// Do not ask again: the other side said that it can never succeed.
    Never,
}

impl Backoff {
    /// The longest cap and the longest advice that may be configured: one day.
    pub const MAX: Duration = Duration::from_secs(86_400);

    /// Steps of `base`, 2 × `base`, 4 × `base`, … up to `cap`, with full jitter.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless 1 ms ≤ `base` ≤ `cap` ≤ [`Backoff::MAX`].
    pub fn new(base: Duration, cap: Duration) -> Result<Self, ConfigError> {
        error::duration("backoff base", base, Duration::from_millis(1), Self::MAX)?;
        error::duration("backoff cap", cap, base, Self::MAX)?;
        Ok(Self {
            base,
            cap,
            ..Self::default()
        })
    }

    /// The same with steps that grow otherwise.
    #[must_use]
    pub const fn with_growth(mut self, growth: Growth) -> Self {
        self.growth = growth;
        self
    }

    /// The same with another way of spreading.
    #[must_use]
    pub const fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The same with another limit on the patience a server may ask for, and what happens beyond it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `max` is longer than [`Backoff::MAX`].
    pub fn with_advice_max(
        mut self,
        max: Duration,
        beyond: LongAdvice,
    ) -> Result<Self, ConfigError> {
        error::duration("backoff advice_max", max, Duration::ZERO, Self::MAX)?;
        self.advice_max = max;
        self.long_advice = beyond;
        Ok(self)
    }

    /// The most patience a server may ask for.
    #[must_use]
    pub const fn advice_max(&self) -> Duration {
        self.advice_max
    }

    /// The step after attempt number `attempt` (the first is 1) before any jitter.
    #[must_use]
    pub fn step(&self, attempt: u32) -> Duration {
        let steps = attempt.saturating_sub(1);
        let factor = match self.growth {
            Growth::Exponential => 1 << steps.min(63),
            Growth::Fibonacci => fibonacci(steps.min(90)),
            Growth::Constant => 1,
        };
        from_nanos(self.base.as_nanos().saturating_mul(factor)).min(self.cap)
    }

    /// The wait after attempt number `attempt` (the first is 1), given the server's advice and 64 random bits.
    ///
    /// With [`Jitter::Decorrelated`] it is as if there had been no wait before; see [`wait_after`](Backoff::wait_after).
    #[must_use]
    pub fn wait(&self, attempt: u32, advice: Option<RetryAfter>, random: u64) -> Wait {
        self.wait_after(Duration::ZERO, attempt, advice, random)
    }

    /// The same, knowing the wait before this one, which [`Jitter::Decorrelated`] grows from.
    #[must_use]
    pub fn wait_after(
        &self,
        before: Duration,
        attempt: u32,
        advice: Option<RetryAfter>,
        random: u64,
    ) -> Wait {
        let step = match self.jitter {
            Jitter::Decorrelated => before.max(self.base).saturating_mul(3).min(self.cap),
            _ => self.step(attempt),
        };
        let asked = match advice {
            Some(RetryAfter::Never) => return Wait::Never,
            Some(RetryAfter::After(asked)) => asked,
            _ => return Wait::For(self.spread(step, random)),
        };
        let asked = match self.long_advice {
            _ if asked <= self.advice_max => asked,
            LongAdvice::Clamp => self.advice_max,
            LongAdvice::GiveUp => return Wait::TooLong(asked),
        };
        Wait::For(match self.jitter {
            Jitter::None => asked.max(step),
            // Only ever upwards: an early guest is turned away again, and made somebody else wait for it. A crowd that
            // was told a long time needs more room than the step gives, or it arrives as one.
            Jitter::Full | Jitter::Equal | Jitter::Decorrelated => {
                let spread = step.max((asked / 8).min(self.cap));
                asked.saturating_add(uniform(spread, random))
            }
        })
    }

    fn spread(&self, step: Duration, random: u64) -> Duration {
        match self.jitter {
            Jitter::Full => uniform(step, random),
            Jitter::Equal => {
                let half = step / 2;
                half + uniform(step - half, random)
            }
            Jitter::Decorrelated => self.base + uniform(step.saturating_sub(self.base), random),
            Jitter::None => step,
        }
    }
}

/// 1, 1, 2, 3, 5, …: up to the 91st it fits.
const fn fibonacci(index: u32) -> u128 {
    let (mut a, mut b, mut i) = (1, 1, 0);
    while i < index {
        (a, b, i) = (b, a + b, i + 1);
    }
    a
}

/// 200 ms to 20 s, full jitter; a server may ask for up to a minute.
impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(200),
            cap: Duration::from_secs(20),
            growth: Growth::Exponential,
            jitter: Jitter::Full,
            advice_max: Duration::from_secs(60),
            long_advice: LongAdvice::GiveUp,
        }
    }
}

/// Evenly from zero to `max`, both included.
fn uniform(max: Duration, random: u64) -> Duration {
    // A step, and a spread, is at most a day, 2^47 nanoseconds, so the product fits.
    from_nanos(((max.as_nanos() + 1) * u128::from(random)) >> 64)
}

fn from_nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn steps_double_from_the_base_to_the_cap() {
        let backoff = Backoff::new(10 * MS, 100 * MS).unwrap();
        let steps: Vec<_> = [0, 1, 2, 3, 4, 5, 6, 64, u32::MAX]
            .map(|attempt| backoff.step(attempt).as_millis())
            .to_vec();
        assert_eq!(steps, [10, 10, 20, 40, 80, 100, 100, 100, 100]);
    }

    #[test]
    fn steps_grow_as_told_and_never_beyond_the_cap() {
        let steps = |growth| {
            let backoff = Backoff::new(10 * MS, 100 * MS).unwrap().with_growth(growth);
            [0, 1, 2, 3, 4, 5, 6, 7, 90, 200, u32::MAX]
                .map(|attempt| backoff.step(attempt).as_millis())
        };
        assert_eq!(
            steps(Growth::Fibonacci),
            [10, 10, 10, 20, 30, 50, 80, 100, 100, 100, 100]
        );
        assert_eq!(steps(Growth::Constant), [10; 11]);
    }

    #[test]
    fn decorrelated_jitter_grows_from_the_wait_before() {
        let backoff = Backoff::new(10 * MS, 100 * MS)
            .unwrap()
            .with_jitter(Jitter::Decorrelated);
        let wait = |before, random| match backoff.wait_after(before, 9, None, random) {
            Wait::For(wait) => wait,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(Duration::ZERO, 0), 10 * MS);
        assert_eq!(wait(Duration::ZERO, u64::MAX), 30 * MS);
        assert_eq!(wait(20 * MS, u64::MAX), 60 * MS);
        assert_eq!(wait(Duration::MAX, u64::MAX), 100 * MS);
        assert_eq!(wait(Duration::MAX, 0), 10 * MS);
    }

    #[test]
    fn full_jitter_reaches_both_ends() {
        let backoff = Backoff::new(10 * MS, 100 * MS).unwrap();
        assert_eq!(backoff.wait(1, None, 0), Wait::For(Duration::ZERO));
        assert_eq!(backoff.wait(1, None, u64::MAX), Wait::For(10 * MS));
        let equal = backoff.with_jitter(Jitter::Equal);
        assert_eq!(equal.wait(1, None, 0), Wait::For(5 * MS));
        assert_eq!(equal.wait(1, None, u64::MAX), Wait::For(10 * MS));
    }

    #[test]
    fn too_much_patience_is_not_shown_unless_clamped() {
        let asked = Some(RetryAfter::After(Duration::MAX));
        let backoff = Backoff::new(10 * MS, 100 * MS).unwrap();
        assert_eq!(backoff.wait(1, asked, 1), Wait::TooLong(Duration::MAX));
        let clamping = backoff
            .with_advice_max(Duration::from_secs(3), LongAdvice::Clamp)
            .unwrap()
            .with_jitter(Jitter::None);
        assert_eq!(
            clamping.wait(1, asked, 1),
            Wait::For(Duration::from_secs(3))
        );
        assert_eq!(clamping.wait(1, Some(RetryAfter::Never), 1), Wait::Never);
    }

    #[test]
    fn a_backoff_that_cannot_work_is_refused() {
        assert!(Backoff::new(Duration::ZERO, MS).is_err());
        assert!(Backoff::new(2 * MS, MS).is_err());
        assert!(Backoff::new(MS, Duration::MAX).is_err());
        assert!(
            Backoff::default()
                .with_advice_max(Duration::MAX, LongAdvice::Clamp)
                .is_err()
        );
        let error = Backoff::new(2 * MS, MS).unwrap_err();
        assert_eq!(
            error.to_string(),
            "backoff cap is 1ms; it must be from 2ms to 86400s"
        );
    }
}
