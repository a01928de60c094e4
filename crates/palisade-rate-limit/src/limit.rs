use std::{fmt, time::Duration};

use crate::LimitError;

/// How much may pass: a name, an amount, a period, and the [`Algorithm`] that says what the period means.
///
/// Unless you say otherwise it is a *token bucket*: the amount is given back evenly, one unit every `period / amount`, and
/// the burst is what has gathered when nobody asked for a while. So in *any* interval of length *t*, wherever it begins,
/// at most `burst + amount · t / period` units pass: with 60 per minute and a burst of 10, ten at one instant, 70 in any
/// minute, 3,610 in any hour. There are no window edges at which twice the limit slips through.
///
/// A limit that exists is valid, and its arithmetic is exact: no rate is rounded, nothing overflows. It is plain data,
/// cheap to copy. Changing a limit at run time keeps what its keys have used: stored state does not know the limit.
/// Another algorithm under the same name is another counter.
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
    algorithm: Algorithm,
    soft_percent: u8,
    amount: u64,
    period_nanos: u64,
    burst: u64,
    // What the model computes with. A *tick* is the part of a nanosecond in which the rate is a whole number: with
    // `amount / period` in lowest terms a/p, one unit takes exactly p ticks and one nanosecond has exactly a.
    ticks_per_unit: u64,
    ticks_per_nano: u32,
    fill: Span,
}

/// What the period of a limit means. Each says what it lets pass in *any* interval of length *t*, wherever it begins.
///
/// | algorithm | at most, in any interval of length *t* | remembers of a key | choose it |
/// |---|---|---|---|
/// | [`TokenBucket`](Self::TokenBucket) | `burst + amount · t / period` | one point in time | unless you know why not |
/// | [`SlidingLog`](Self::SlidingLog) | `amount` if *t* is no longer than the period; `amount · ⌈t / period⌉` in general | each admission | for small limits that must hold to the letter |
/// | [`SlidingWindow`](Self::SlidingWindow) | `amount · (⌈t / period⌉ + 1)`; with even traffic hardly more than `amount · t / period` | two counts | to show users "so many per window" without a jump at its end |
/// | [`FixedWindow`](Self::FixedWindow) | `amount · (⌈t / period⌉ + 1)` | one count | where the window itself is the promise, as in a plan "1,000 a day" |
/// | [`Concurrency`](Self::Concurrency) | – ; at every instant at most `amount` are held | each holder | for work in flight, not for work per time |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Algorithm {
    /// Evenly refilled up to a burst; GCRA. See [`model::bucket`](crate::model::bucket).
    #[default]
    TokenBucket,
    /// A count for each window of the store's clock, the last one weighted by how much of it still lies within a period.
    /// See [`model::sliding_window`](crate::model::sliding_window).
    SlidingWindow,
    /// Every admission by its time. See [`model::sliding_log`](crate::model::sliding_log).
    SlidingLog,
    /// A count for each window of the store's clock. See [`model::fixed_window`](crate::model::fixed_window).
    FixedWindow,
    /// Permits that are held, and come back when given back or when their time is over. See
    /// [`model::concurrency`](crate::model::concurrency).
    Concurrency,
}

/// A length of time, exact: whole nanoseconds and a fraction in ticks, less than a nanosecond.
///
/// A *tick* is a unit of the limit's own: [`Limit::ticks_per_nano`] of them are a nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Whole nanoseconds.
    pub nanos: u64,
    /// The rest, in ticks.
    pub fraction: u32,
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl Limit {
    /// The longest name, in bytes.
    pub const NAME_BYTES_MAX: usize = 31;
    /// The longest period: a leap year.
    pub const PERIOD_MAX: Duration = Duration::from_secs(366 * 86_400);
    /// The longest time an empty bucket may take to fill. It leaves the arithmetic room for 146 years of uptime.
    pub const FILL_MAX: Duration = Duration::from_nanos(1 << 61);
    /// The largest amount of a window. Every store counts so far exactly, also one that counts in doubles.
    pub const WINDOW_AMOUNT_MAX: u64 = 1 << 53;
    /// The largest amount of a sliding log: it remembers each admission.
    pub const LOG_AMOUNT_MAX: u64 = 4_096;
    /// The largest amount of a limit on concurrency: it remembers each holder.
    pub const CONCURRENCY_MAX: u64 = 65_536;

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
        if self.algorithm != Algorithm::TokenBucket {
            return Err(LimitError::NoBurst {
                algorithm: self.algorithm,
            });
        }
        let changed = Self::checked(self.name.as_str(), self.amount, self.period_nanos, burst)?;
        Ok(Self {
            soft_percent: self.soft_percent,
            ..changed
        })
    }

    /// A limit of `amount` in each window of `period`. The windows are those of the store's clock, one after the other.
    ///
    /// # Errors
    ///
    /// [`LimitError`] if a part is out of range.
    pub fn fixed_window(name: &str, amount: u64, period: Duration) -> Result<Self, LimitError> {
        Self::window(name, amount, period, Algorithm::FixedWindow)
    }

    /// A limit of `amount` in the last `period`, estimated from the counts of two windows.
    ///
    /// # Errors
    ///
    /// [`LimitError`] if a part is out of range.
    pub fn sliding_window(name: &str, amount: u64, period: Duration) -> Result<Self, LimitError> {
        Self::window(name, amount, period, Algorithm::SlidingWindow)
    }

    /// A limit of `amount` in the last `period`, to the letter.
    ///
    /// # Errors
    ///
    /// [`LimitError`] if a part is out of range; the amount is at most [`Limit::LOG_AMOUNT_MAX`].
    pub fn sliding_log(name: &str, amount: u64, period: Duration) -> Result<Self, LimitError> {
        Self::window(name, amount, period, Algorithm::SlidingLog)
    }

    /// At most `amount` held at the same time.
    ///
    /// # Errors
    ///
    /// [`LimitError`] if a part is out of range; the amount is at most [`Limit::CONCURRENCY_MAX`].
    pub fn concurrency(name: &str, amount: u64) -> Result<Self, LimitError> {
        Self::plain(name, amount, 0, Algorithm::Concurrency)
    }

    fn window(
        name: &str,
        amount: u64,
        period: Duration,
        algorithm: Algorithm,
    ) -> Result<Self, LimitError> {
        let Ok(period_nanos) = u64::try_from(period.as_nanos()) else {
            return Err(LimitError::Period);
        };
        Self::plain(name, amount, period_nanos, algorithm)
    }

    /// A limit that is not a bucket. `const`, for the presets.
    pub(crate) const fn plain(
        name: &str,
        amount: u64,
        period_nanos: u64,
        algorithm: Algorithm,
    ) -> Result<Self, LimitError> {
        let Some(name) = Name::new(name) else {
            return Err(LimitError::Name { length: name.len() });
        };
        if amount == 0 {
            return Err(LimitError::ZeroAmount);
        }
        let held = matches!(algorithm, Algorithm::Concurrency);
        if !held
            && (period_nanos == 0 || period_nanos > Self::PERIOD_MAX.as_secs() * NANOS_PER_SECOND)
        {
            return Err(LimitError::Period);
        }
        let max = match algorithm {
            Algorithm::SlidingLog => Self::LOG_AMOUNT_MAX,
            Algorithm::Concurrency => Self::CONCURRENCY_MAX,
            _ => Self::WINDOW_AMOUNT_MAX,
        };
        if amount > max {
            return Err(LimitError::AmountTooLarge { amount, max });
        }
        Ok(Self {
            name,
            algorithm,
            soft_percent: 100,
            amount,
            period_nanos,
            burst: amount,
            ticks_per_unit: 1,
            ticks_per_nano: 1,
            fill: Span {
                nanos: period_nanos,
                fraction: 0,
            },
        })
    }

    /// The same, with a warning before it is reached: an answer that leaves less than this part unused says so
    /// ([`Status::is_soft_breach`](crate::Status::is_soft_breach)). 80 warns when four fifths are used; 100, the default,
    /// never warns.
    ///
    /// # Errors
    ///
    /// [`LimitError::SoftPercent`] above 100 or at zero.
    pub const fn with_soft_percent(mut self, percent: u8) -> Result<Self, LimitError> {
        if percent == 0 || percent > 100 {
            return Err(LimitError::SoftPercent { found: percent });
        }
        self.soft_percent = percent;
        Ok(self)
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
            algorithm: Algorithm::TokenBucket,
            soft_percent: 100,
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

    /// What the period means.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The part, in percent, from which on answers warn. See [`Limit::with_soft_percent`].
    #[must_use]
    pub const fn soft_percent(&self) -> u8 {
        self.soft_percent
    }

    /// How much may pass per period, in the long run; or how much may be held.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// The period. Zero for a limit on concurrency, which has none.
    #[must_use]
    pub const fn period(&self) -> Duration {
        Duration::from_nanos(self.period_nanos)
    }

    /// How much may pass at one instant: the amount, unless it is a bucket of another size. A request that costs more can
    /// never pass.
    #[must_use]
    pub const fn burst(&self) -> u64 {
        self.burst
    }

    /// How long an empty bucket takes to fill, rounded up to a whole nanosecond; for others, the period. What is stored
    /// about a bucket without debt may be forgotten this long after its last charge.
    #[must_use]
    pub const fn fill_time(&self) -> Duration {
        Duration::from_nanos(self.fill.nanos + (self.fill.fraction > 0) as u64)
    }

    pub(crate) const fn fill(&self) -> Span {
        self.fill
    }

    /// How many ticks are a nanosecond: the amount, in the lowest terms of `amount / period`. One for most limits people
    /// write. A store that computes as [`model::bucket`](crate::model::bucket) does needs this and
    /// [`ticks_per_unit`](Limit::ticks_per_unit).
    #[must_use]
    pub const fn ticks_per_nano(&self) -> u32 {
        self.ticks_per_nano
    }

    /// How many ticks a bucket takes to give one unit back: the period in nanoseconds, in the lowest terms of
    /// `amount / period`.
    #[must_use]
    pub const fn ticks_per_unit(&self) -> u64 {
        self.ticks_per_unit
    }

    /// The fill time in ticks, if it fits.
    #[inline]
    pub(crate) const fn fill_ticks(&self) -> u64 {
        self.fill
            .nanos
            .saturating_mul(self.ticks_per_nano as u64)
            .saturating_add(self.fill.fraction as u64)
    }

    /// The time in which a bucket gives `units` back, at most [`Limit::FILL_MAX`].
    #[must_use]
    pub fn span_of(&self, units: u64) -> Span {
        let ticks = u128::from(units) * u128::from(self.ticks_per_unit);
        if ticks / u128::from(self.ticks_per_nano) >= Self::FILL_MAX.as_nanos() {
            return Span {
                nanos: Self::FILL_MAX.as_nanos() as u64,
                fraction: 0,
            };
        }
        self.span(units)
    }

    /// The same without a test. `units` is at most the burst, or known not to exceed [`Limit::FILL_MAX`].
    #[inline]
    pub(crate) fn span(&self, units: u64) -> Span {
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
            .field("algorithm", &self.algorithm)
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
