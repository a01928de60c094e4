use std::{fmt, time::Duration};

use crate::LimitError;

/// How much may pass: an amount per period, and how much of it at once.
///
/// The amount is given back evenly, one unit every `period / amount`, and the burst is what has gathered when nobody
/// asked for a while. So in *any* interval of length *t*, wherever it begins, at most `burst + amount · t / period`
/// units pass: with 60 per minute and a burst of 10, ten at one instant, 70 in any minute, 3,610 in any hour. There are
/// no window edges at which twice the limit slips through.
///
/// A limit that exists is valid, and its arithmetic is exact: no rate is rounded, nothing overflows. It is plain data,
/// cheap to copy. Changing a limit at run time keeps what its keys have used: stored state does not know the limit.
///
/// ```
/// use palisade_rate_limit::Limit;
///
/// let chat = Limit::per_minute("chat", 60)?.with_burst(10)?;
/// assert_eq!(chat.burst(), 10);
/// // A burst that takes centuries to fill is a mistake, not a limit.
/// assert!(Limit::per_day("typo", 1)?.with_burst(1_000_000).is_err());
/// # Ok::<(), palisade_rate_limit::LimitError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "crate::LimitConfig", into = "crate::LimitConfig")
)]
pub struct Limit {
    name: Name,
    amount: u64,
    period_nanos: u64,
    burst: u64,
    // What the model computes with. A *tick* is the part of a nanosecond in which the rate is a whole number: with
    // `amount / period` in lowest terms a/p, one unit takes exactly p ticks and one nanosecond has exactly a.
    ticks_per_unit: u64,
    ticks_per_nano: u32,
    fill: Span,
}

/// A length of time, exact: whole nanoseconds and a fraction in ticks, less than a nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    pub(crate) nanos: u64,
    pub(crate) fraction: u32,
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl Limit {
    /// The longest name, in bytes.
    pub const NAME_BYTES_MAX: usize = 31;
    /// The longest period: a leap year.
    pub const PERIOD_MAX: Duration = Duration::from_secs(366 * 86_400);
    /// The longest time an empty bucket may take to fill. It leaves the arithmetic room for 292 years of uptime.
    pub const FILL_MAX: Duration = Duration::from_nanos(1 << 62);

    /// A limit of `amount` per `period`, with a burst of `amount`: a whole period's worth at once, if nobody asked for
    /// that long. Lower it with [`Limit::with_burst`].
    ///
    /// The name tells this limit's counters from those of another limit on the same key, and appears in headers and
    /// metrics.
    ///
    /// # Errors
    ///
    /// [`LimitError`] if a part is out of range or the rate cannot be kept exactly.
    pub fn new(name: &str, amount: u64, period: Duration) -> Result<Self, LimitError> {
        let Ok(period_nanos) = u64::try_from(period.as_nanos()) else {
            return Err(LimitError::Period);
        };
        Self::checked(name, amount, period_nanos, amount)
    }

    /// A limit of `amount` per second.
    ///
    /// # Errors
    ///
    /// As [`Limit::new`].
    pub fn per_second(name: &str, amount: u64) -> Result<Self, LimitError> {
        Self::new(name, amount, Duration::from_secs(1))
    }

    /// A limit of `amount` per minute.
    ///
    /// # Errors
    ///
    /// As [`Limit::new`].
    pub fn per_minute(name: &str, amount: u64) -> Result<Self, LimitError> {
        Self::new(name, amount, Duration::from_secs(60))
    }

    /// A limit of `amount` per hour.
    ///
    /// # Errors
    ///
    /// As [`Limit::new`].
    pub fn per_hour(name: &str, amount: u64) -> Result<Self, LimitError> {
        Self::new(name, amount, Duration::from_secs(3_600))
    }

    /// A limit of `amount` per 24 hours. Not a calendar day: it knows no midnight.
    ///
    /// # Errors
    ///
    /// As [`Limit::new`].
    pub fn per_day(name: &str, amount: u64) -> Result<Self, LimitError> {
        Self::new(name, amount, Duration::from_secs(86_400))
    }

    /// The same rate, with at most `burst` units at one instant.
    ///
    /// # Errors
    ///
    /// [`LimitError::ZeroBurst`] or [`LimitError::FillTooLong`].
    pub fn with_burst(self, burst: u64) -> Result<Self, LimitError> {
        Self::checked(self.name.as_str(), self.amount, self.period_nanos, burst)
    }

    /// The one place that can refuse. `const`, so that the presets are checked by the compiler.
    pub(crate) const fn checked(
        name: &str,
        amount: u64,
        period_nanos: u64,
        burst: u64,
    ) -> Result<Self, LimitError> {
        let Some(name) = Name::new(name) else {
            return Err(LimitError::Name { length: name.len() });
        };
        if amount == 0 {
            return Err(LimitError::ZeroAmount);
        }
        if period_nanos == 0 || period_nanos > Self::PERIOD_MAX.as_secs() * NANOS_PER_SECOND {
            return Err(LimitError::Period);
        }
        if burst == 0 {
            return Err(LimitError::ZeroBurst);
        }
        let divisor = greatest_common_divisor(amount, period_nanos);
        let (ticks_per_unit, ticks_per_nano) = (period_nanos / divisor, amount / divisor);
        if ticks_per_nano > u32::MAX as u64 {
            return Err(LimitError::Inexact {
                amount,
                period_nanos,
            });
        }
        let fill_ticks = burst as u128 * ticks_per_unit as u128;
        let fill_nanos = fill_ticks / ticks_per_nano as u128;
        if fill_nanos >= Self::FILL_MAX.as_nanos() {
            return Err(LimitError::FillTooLong { burst });
        }
        Ok(Self {
            name,
            amount,
            period_nanos,
            burst,
            ticks_per_unit,
            ticks_per_nano: ticks_per_nano as u32,
            fill: Span {
                nanos: fill_nanos as u64,
                fraction: (fill_ticks % ticks_per_nano as u128) as u32,
            },
        })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// How much may pass per period, in the long run.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// The period.
    #[must_use]
    pub const fn period(&self) -> Duration {
        Duration::from_nanos(self.period_nanos)
    }

    /// How much may pass at one instant. A request that costs more can never pass.
    #[must_use]
    pub const fn burst(&self) -> u64 {
        self.burst
    }

    /// How long an empty bucket takes to fill, rounded up to a whole nanosecond. What is stored about a key may be
    /// forgotten this long after its last charge.
    #[must_use]
    pub const fn fill_time(&self) -> Duration {
        Duration::from_nanos(self.fill.nanos + (self.fill.fraction > 0) as u64)
    }

    pub(crate) const fn fill(&self) -> Span {
        self.fill
    }

    pub(crate) const fn ticks_per_nano(&self) -> u32 {
        self.ticks_per_nano
    }

    /// The time in which `units` are given back. `units` is at most the burst.
    pub(crate) fn span(&self, units: u64) -> Span {
        debug_assert!(units <= self.burst);
        // One test instead of a division: with most limits people write, a unit takes whole nanoseconds.
        if self.ticks_per_nano == 1 {
            return Span {
                nanos: units * self.ticks_per_unit,
                fraction: 0,
            };
        }
        let ticks = u128::from(units) * u128::from(self.ticks_per_unit);
        let (nanos, fraction) = match u64::try_from(ticks) {
            Ok(ticks) => {
                let per_nano = u64::from(self.ticks_per_nano);
                (ticks / per_nano, ticks % per_nano)
            }
            Err(_) => {
                let per_nano = u128::from(self.ticks_per_nano);
                // The quotient is at most `FILL_MAX`, the rest less than a u32.
                ((ticks / per_nano) as u64, (ticks % per_nano) as u64)
            }
        };
        Span {
            nanos,
            fraction: fraction as u32,
        }
    }

    /// How many whole units are given back within `span`.
    pub(crate) fn units(&self, span: Span) -> u64 {
        let ticks =
            u128::from(span.nanos) * u128::from(self.ticks_per_nano) + u128::from(span.fraction);
        match u64::try_from(ticks) {
            Ok(ticks) => ticks / self.ticks_per_unit,
            // Only ever asked of spans up to the fill time, which holds `burst` units.
            Err(_) => (ticks / u128::from(self.ticks_per_unit)) as u64,
        }
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit")
            .field("name", &self.name())
            .field("amount", &self.amount)
            .field("period", &self.period())
            .field("burst", &self.burst)
            .finish()
    }
}

/// A short name, stored in place: a limit travels with every answer, and a shared counter of its owners would be the
/// most contended word of the process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Name {
    length: u8,
    bytes: [u8; Limit::NAME_BYTES_MAX],
}

impl Name {
    const fn new(name: &str) -> Option<Self> {
        let text = name.as_bytes();
        if text.is_empty() || text.len() > Limit::NAME_BYTES_MAX {
            return None;
        }
        let mut bytes = [0; Limit::NAME_BYTES_MAX];
        let mut index = 0;
        while index < text.len() {
            if !matches!(text[index], b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.')
            {
                return None;
            }
            bytes[index] = text[index];
            index += 1;
        }
        Some(Self {
            length: text.len() as u8,
            bytes,
        })
    }

    fn as_str(&self) -> &str {
        // Always ASCII, by `new`.
        str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

/// Euclid's algorithm.
const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_divides_no_nanosecond_is_still_exact() {
        // 7 a minute: one unit is 8,571,428,571 and 3/7 ns.
        let limit = Limit::per_minute("seven", 7).unwrap();
        assert_eq!(
            limit.span(1),
            Span {
                nanos: 8_571_428_571,
                fraction: 3
            }
        );
        assert_eq!(
            limit.span(7),
            Span {
                nanos: 60_000_000_000,
                fraction: 0
            }
        );
        assert_eq!(limit.units(limit.span(6)), 6);
    }

    #[test]
    fn what_is_wrong_with_a_limit_is_named() {
        let second = Duration::from_secs(1);
        let wrong = |name: &str, amount, period, burst| {
            Limit::new(name, amount, period)
                .and_then(|limit| limit.with_burst(burst))
                .unwrap_err()
        };
        assert_eq!(wrong("", 1, second, 1), LimitError::Name { length: 0 });
        assert_eq!(
            wrong(&"n".repeat(32), 1, second, 1),
            LimitError::Name { length: 32 }
        );
        assert_eq!(wrong("a\"b", 1, second, 1), LimitError::Name { length: 3 });
        assert_eq!(wrong("a", 0, second, 1), LimitError::ZeroAmount);
        assert_eq!(wrong("a", 1, Duration::ZERO, 1), LimitError::Period);
        assert_eq!(wrong("a", 1, Duration::MAX, 1), LimitError::Period);
        assert_eq!(
            wrong("a", 1, Limit::PERIOD_MAX + Duration::from_nanos(1), 1),
            LimitError::Period
        );
        assert_eq!(wrong("a", 1, second, 0), LimitError::ZeroBurst);
        assert_eq!(
            wrong("a", 1, Duration::from_secs(86_400), 213_504),
            LimitError::FillTooLong { burst: 213_504 }
        );
        assert_eq!(
            wrong("a", 4_294_967_297, second, 1),
            LimitError::Inexact {
                amount: 4_294_967_297,
                period_nanos: 1_000_000_000
            }
        );
        assert!(Limit::new(&"n".repeat(31), 1, Limit::PERIOD_MAX).is_ok());
        assert!(Limit::new("a", u64::from(u32::MAX), Duration::from_nanos(1)).is_ok());
    }
}
