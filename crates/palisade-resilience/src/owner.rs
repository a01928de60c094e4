use std::{fmt, sync::Arc};

use palisade_core::Instant;

use crate::{Attempt, ConfigError, Deadline, error, retry_after::short_text};

/// Who retries a request, and how far they are.
///
/// A client that tries three times, before a gateway that tries three times, before a service that tries three times, make
/// twenty-seven calls of one request, and they do so when the last one is failing already. So one of them owns the retries:
/// it says so in the request, within a process as an extension and between processes as a header, and those further in
/// stand down ([`Call::owned_by`](crate::Call::owned_by)). The deadline of the attempt travels with it, as what is left and
/// not as a moment, since clocks differ.
///
/// The header is a Structured Field (RFC 9651): a string with parameters.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::Instant;
/// use palisade_resilience::{Deadline, RetryOwner};
///
/// let now = Instant::ORIGIN;
/// let owner = RetryOwner::new("gateway")?
///     .with_attempt(2, 3)
///     .with_deadline(Deadline::at(now.saturating_add(Duration::from_secs(12))));
/// let value = owner.header_value(now);
/// assert_eq!(value, r#""gateway";n=2;max=3;left=12000"#);
/// assert_eq!(RetryOwner::parse(value.as_bytes(), now), Some(owner));
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RetryOwner {
    name: Arc<str>,
    attempt: u32,
    attempts: u32,
    deadline: Option<Deadline>,
}

impl RetryOwner {
    /// The name of the header field.
    pub const HEADER: &'static str = "retry-owner";
    /// The most bytes of a name.
    pub const NAME_MAX: usize = 64;

    /// An owner with one attempt and no deadline.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless the name has 1 to [`NAME_MAX`](RetryOwner::NAME_MAX) letters, digits, `.`, `_`, `-` or `/`.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        error::number(
            "length of the retry owner's name",
            name.len() as u64,
            1,
            Self::NAME_MAX as u64,
        )?;
        if !name.bytes().all(is_of_a_name) {
            return Err(ConfigError::Contradiction(
                "the retry owner's name goes into a header; it must be letters, digits, '.', '_', '-' or '/'",
            ));
        }
        Ok(Self {
            name: name.into(),
            attempt: 1,
            attempts: 1,
            deadline: None,
        })
    }

    /// The same in attempt `attempt` of at most `attempts`.
    #[must_use]
    pub const fn with_attempt(mut self, attempt: u32, attempts: u32) -> Self {
        self.attempt = attempt;
        self.attempts = attempts;
        self
    }

    /// The same, whose attempt ends at `deadline`.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Deadline) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same in this attempt, of at most `attempts`.
    #[must_use]
    pub fn at(&self, attempt: &Attempt, attempts: u32) -> Self {
        Self {
            name: Arc::clone(&self.name),
            attempt: attempt.number,
            attempts,
            deadline: attempt.deadline,
        }
    }

    /// The owner's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which attempt this is; the first is 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How many there may be.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// When the attempt is given up.
    #[must_use]
    pub const fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    /// The value of the header field, sent at `now`.
    #[must_use]
    pub fn header_value(&self, now: Instant) -> String {
        let Self {
            name,
            attempt,
            attempts,
            deadline,
        } = self;
        let head = format!("\"{name}\";n={attempt};max={attempts}");
        match deadline {
            // Rounded down: nobody waits longer than they are waited for.
            Some(deadline) => format!("{head};left={}", millis(deadline.remaining(now))),
            None => head,
        }
    }

    /// Reads the value of a header field that came at `now`. Parameters that are not known are passed over, as RFC 9651 has
    /// it; what is malformed otherwise is `None`.
    #[must_use]
    pub fn parse(value: &[u8], now: Instant) -> Option<Self> {
        let text = short_text(value)?.strip_prefix('"')?;
        let (name, mut parameters) = text.split_once('"')?;
        let mut owner = Self::new(name).ok()?;
        while !parameters.is_empty() {
            parameters = parameters.strip_prefix(';')?.trim_ascii_start();
            let end = parameters.find(';').unwrap_or(parameters.len());
            let (parameter, rest) = parameters.split_at(end);
            parameters = rest;
            let Some((name, number)) = parameter.split_once('=') else {
                continue;
            };
            match name {
                "n" => owner.attempt = whole(number)?.try_into().ok()?,
                "max" => owner.attempts = whole(number)?.try_into().ok()?,
                "left" => {
                    let left = std::time::Duration::from_millis(whole(number)?);
                    owner.deadline = Some(Deadline::at(now.saturating_add(left)));
                }
                _ => {}
            }
        }
        Some(owner)
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-/".contains(&byte)
}

/// Milliseconds of at most the fifteen digits a Structured Field may have.
fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .min(999_999_999_999_999)
}

/// An integer of RFC 9651 §3.3.1, not negative.
fn whole(text: &str) -> Option<u64> {
    let digits = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Debug for RetryOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RetryOwner({}, {} of {})",
            self.name, self.attempt, self.attempts
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Instant = Instant::from_nanos(5_000_000_000);

    #[test]
    fn what_is_sent_is_read_again_on_another_clock() {
        let sent = RetryOwner::new("edge/eu-1")
            .unwrap()
            .with_attempt(3, 5)
            .with_deadline(Deadline::at(
                NOW.saturating_add(Duration::from_micros(1_500)),
            ));
        let value = sent.header_value(NOW);
        assert_eq!(value, r#""edge/eu-1";n=3;max=5;left=1"#);
        let elsewhere = Instant::from_nanos(77);
        let read = RetryOwner::parse(value.as_bytes(), elsewhere).unwrap();
        assert_eq!(
            (read.name(), read.attempt(), read.attempts()),
            ("edge/eu-1", 3, 5)
        );
        let left = read.deadline().unwrap().remaining(elsewhere);
        assert_eq!(left, Duration::from_millis(1), "rounded down");
    }

    #[test]
    fn what_is_malformed_is_nobodys() {
        for value in [
            "",
            "gateway",
            "\"gateway",
            "\"\"",
            "\"a b\"",
            "\"a\\\"\"",
            "\"a\"n=1",
            "\"a\";n=",
            "\"a\";n=-1",
            "\"a\";n=1.5",
            "\"a\";n=99999999999",
            "\"a\";left=1234567890123456",
            "\"a\", \"b\"",
        ] {
            assert_eq!(RetryOwner::parse(value.as_bytes(), NOW), None, "{value}");
        }
        let long = format!("\"{}\"", "a".repeat(65));
        assert_eq!(RetryOwner::parse(long.as_bytes(), NOW), None);
        let known = RetryOwner::parse(b"\"a\";x;y=?1; n=2", NOW).unwrap();
        assert_eq!(known.attempt(), 2);
    }

    #[test]
    fn the_longest_that_can_be_said_can_be_read() {
        let endless = Instant::from_nanos(u64::MAX);
        for deadline in [endless, NOW, Instant::ORIGIN] {
            let longest = RetryOwner::new(&"a".repeat(RetryOwner::NAME_MAX))
                .unwrap()
                .with_attempt(u32::MAX, u32::MAX)
                .with_deadline(Deadline::at(deadline));
            let value = longest.header_value(Instant::ORIGIN);
            let read = RetryOwner::parse(value.as_bytes(), Instant::ORIGIN).unwrap();
            assert_eq!(read.header_value(Instant::ORIGIN), value);
        }
        // A number of the fifteen digits that a field may have, and a moment that no clock reaches.
        let read = RetryOwner::parse(b"\"a\";left=999999999999999", NOW).unwrap();
        assert_eq!(read.deadline(), Some(Deadline::at(endless)));
    }

    #[test]
    fn what_is_longer_than_its_limit_by_one_is_nobodys() {
        let padded = |length: usize| {
            let head = "\"a\";n=2;max=3;x=";
            format!("{head}{}", "y".repeat(length - head.len()))
        };
        let read = RetryOwner::parse(padded(128).as_bytes(), NOW).unwrap();
        assert_eq!((read.attempt(), read.attempts()), (2, 3));
        assert_eq!(RetryOwner::parse(padded(129).as_bytes(), NOW), None);
        for (most, more) in [
            ("\"a\";n=4294967295", "\"a\";n=4294967296"),
            ("\"a\";max=4294967295", "\"a\";max=4294967296"),
            ("\"a\";left=999999999999999", "\"a\";left=1000000000000000"),
        ] {
            assert!(RetryOwner::parse(most.as_bytes(), NOW).is_some(), "{most}");
            assert_eq!(RetryOwner::parse(more.as_bytes(), NOW), None, "{more}");
        }
        let named = |length| format!("\"{}\"", "a".repeat(length));
        assert!(RetryOwner::parse(named(64).as_bytes(), NOW).is_some());
        assert_eq!(RetryOwner::parse(named(65).as_bytes(), NOW), None);
    }

    #[test]
    fn a_name_that_could_break_the_header_is_refused() {
        assert!(RetryOwner::new("").is_err());
        assert!(RetryOwner::new("a\r\nb: c").is_err());
        assert!(RetryOwner::new("a\"").is_err());
        assert!(RetryOwner::new(&"a".repeat(64)).is_ok());
    }
}
