use std::time::Duration;

use crate::{Backoff, ConfigError, error};

/// How often, how long and with which pauses a call may be tried. Plain data, checked once.
///
/// ```
/// use std::time::Duration;
/// use palisade_resilience::RetryPolicy;
///
/// let policy = RetryPolicy::new(4)?
///     .with_total(Duration::from_secs(30))?
///     .with_attempt_timeout(Duration::from_secs(10))?;
/// assert_eq!(policy.attempts(), 4);
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    backoff: Backoff,
    total: Option<Duration>,
    attempt_timeout: Option<Duration>,
    wait_for_circuit: bool,
}

impl RetryPolicy {
    /// The most attempts that may be configured.
    pub const ATTEMPTS_MAX: u32 = 100;
    /// The longest time-out that may be configured: one day.
    pub const TIMEOUT_MAX: Duration = Duration::from_secs(86_400);

    /// One attempt, never repeated.
    #[must_use]
    pub fn once() -> Self {
        Self {
            attempts: 1,
            backoff: Backoff::default(),
            total: None,
            attempt_timeout: None,
            wait_for_circuit: false,
        }
    }

    /// Up to `attempts` attempts, the first included, with the default [`Backoff`] and no time-outs.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless `attempts` is from 1 to [`RetryPolicy::ATTEMPTS_MAX`].
    pub fn new(attempts: u32) -> Result<Self, ConfigError> {
        error::number(
            "retry attempts",
            attempts.into(),
            1,
            Self::ATTEMPTS_MAX.into(),
        )?;
        Ok(Self {
            attempts,
            ..Self::once()
        })
    }

    /// The same with other pauses.
    #[must_use]
    pub const fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The same with a limit on the whole: all attempts and all pauses.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless it is from 1 ms to [`RetryPolicy::TIMEOUT_MAX`].
    pub fn with_total(mut self, total: Duration) -> Result<Self, ConfigError> {
        error::duration(
            "retry total",
            total,
            Duration::from_millis(1),
            Self::TIMEOUT_MAX,
        )?;
        self.total = Some(total);
        Ok(self)
    }

    /// The same with a limit on each attempt. An attempt never gets more than is left of the whole.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless it is from 1 ms to [`RetryPolicy::TIMEOUT_MAX`].
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Result<Self, ConfigError> {
        error::duration(
            "retry attempt_timeout",
            timeout,
            Duration::from_millis(1),
            Self::TIMEOUT_MAX,
        )?;
        self.attempt_timeout = Some(timeout);
        Ok(self)
    }

    /// The same, waiting or not for a circuit breaker that refuses a call to try again.
    ///
    /// Not, unless told so: a breaker spares a service the callers who wait for a dead upstream, and a caller who waits for
    /// the breaker instead is held just as long. The failure says when to come back.
    #[must_use]
    pub const fn with_wait_for_circuit(mut self, wait: bool) -> Self {
        self.wait_for_circuit = wait;
        self
    }

    /// The most attempts.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The pauses.
    #[must_use]
    pub const fn backoff(&self) -> &Backoff {
        &self.backoff
    }

    /// The limit on the whole.
    #[must_use]
    pub const fn total(&self) -> Option<Duration> {
        self.total
    }

    /// Whether it waits for a circuit breaker.
    #[must_use]
    pub const fn waits_for_circuit(&self) -> bool {
        self.wait_for_circuit
    }

    /// Whether time limits it at all.
    #[inline]
    pub(crate) const fn is_limited(&self) -> bool {
        self.total.is_some() || self.attempt_timeout.is_some()
    }

    /// The limit on each attempt.
    #[must_use]
    pub const fn attempt_timeout(&self) -> Option<Duration> {
        self.attempt_timeout
    }
}

/// Three attempts with the default [`Backoff`].
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            ..Self::once()
        }
    }
}
