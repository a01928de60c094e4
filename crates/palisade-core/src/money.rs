use std::{fmt, iter, str::FromStr};

/// One US dollar in pico-dollars.
const PICO_PER_USD: i128 = 1_000_000_000_000;
/// One nano-dollar in pico-dollars.
const PICO_PER_NANO: i128 = 1_000;
/// Digits after the decimal point.
const SCALE: usize = 12;

/// An exact amount of money in US dollars: a whole number of pico-dollars (1e-12 USD).
///
/// A token costs fractions of a millionth of a dollar, and ten million tokens must cost exactly ten million times
/// that. So no float ever touches an amount, and sums never round. One rounding exists, up, and only where a charge
/// is booked: [`Money::round_up_to_nano`].
///
/// Pico-dollars hold every published token price per token exactly. Amounts may be negative (what remains of a
/// budget that is in debt). The range, ±1.7e26 USD, is never wrapped: arithmetic is checked.
///
/// ```
/// use palisade_core::Money;
///
/// let per_token: Money = "0.0000125".parse()?;
/// let cost = per_token.checked_mul(10_000_000)?;
/// assert_eq!(cost.to_string(), "125");
/// assert_eq!("0.000000000001".parse::<Money>()?.round_up_to_nano()?.to_string(), "0.000000001");
/// # Ok::<(), palisade_core::MoneyError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i128);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(i128::MAX);

    /// An amount of whole pico-dollars (1e-12 USD).
    #[must_use]
    pub const fn from_pico_usd(pico: i128) -> Self {
        Self(pico)
    }

    /// An amount of whole nano-dollars (1e-9 USD).
    #[must_use]
    pub const fn from_nano_usd(nano: i64) -> Self {
        Self(nano as i128 * PICO_PER_NANO)
    }

    /// An amount of whole dollars.
    #[must_use]
    pub const fn from_usd(usd: i64) -> Self {
        Self(usd as i128 * PICO_PER_USD)
    }

    /// The amount in pico-dollars.
    #[must_use]
    pub const fn as_pico_usd(self) -> i128 {
        self.0
    }

    /// The smallest whole number of nano-dollars that is not less than this: what a charge is booked as.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] beyond ±9.2 billion dollars.
    pub fn as_nano_usd_ceil(self) -> Result<i64, MoneyError> {
        let nano =
            self.0.div_euclid(PICO_PER_NANO) + i128::from(self.0.rem_euclid(PICO_PER_NANO) > 0);
        i64::try_from(nano).map_err(|_| MoneyError::Overflow)
    }

    /// This amount rounded up to a whole nano-dollar: the one rounding there is, done once, when a charge is booked.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] beyond ±9.2 billion dollars.
    pub fn round_up_to_nano(self) -> Result<Self, MoneyError> {
        self.as_nano_usd_ceil().map(Self::from_nano_usd)
    }

    /// The sum.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] if it is out of range.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.0
            .checked_add(other.0)
            .map(Self)
            .ok_or(MoneyError::Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] if it is out of range.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.0
            .checked_sub(other.0)
            .map(Self)
            .ok_or(MoneyError::Overflow)
    }

    /// This amount `count` times.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] if it is out of range.
    pub fn checked_mul(self, count: u64) -> Result<Self, MoneyError> {
        self.0
            .checked_mul(i128::from(count))
            .map(Self)
            .ok_or(MoneyError::Overflow)
    }

    /// The exact sum of many amounts.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] if a partial sum is out of range.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// Whether this is less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// The shortest exact decimal text, in dollars, without exponent: `10`, `0.0000125`, `-3.5`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (whole, fraction) = (
            magnitude / PICO_PER_USD.unsigned_abs(),
            magnitude % PICO_PER_USD.unsigned_abs(),
        );
        let mut text = whole.to_string();
        if fraction > 0 {
            let digits = format!("{fraction:012}");
            text.push('.');
            text.push_str(digits.trim_end_matches('0'));
        }
        f.pad_integral(self.0 >= 0, "", &text)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money({self} USD)")
    }
}

/// Reads decimal text in dollars, exactly: an optional sign, digits, and at most twelve digits after the point.
/// Anything else (an exponent, a separator, a currency sign, more digits than the scale holds) is refused.
impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let dangling_point = digits.contains('.') && fraction.is_empty();
        if whole.is_empty() || dangling_point || !is_digits(whole) || !is_digits(fraction) {
            return Err(MoneyError::Malformed);
        }
        // Zeros beyond the scale lose nothing.
        let significant = fraction.trim_end_matches('0');
        if significant.len() > SCALE {
            return Err(MoneyError::TooPrecise);
        }
        let padding = iter::repeat_n(b'0', SCALE - significant.len());
        // Summed towards the sign, so that the least amount is reached without passing the greatest.
        let sign = if negative { -1 } else { 1 };
        let mut pico: i128 = 0;
        for digit in whole.bytes().chain(significant.bytes()).chain(padding) {
            pico = pico
                .checked_mul(10)
                .and_then(|pico| pico.checked_add(sign * i128::from(digit - b'0')))
                .ok_or(MoneyError::Overflow)?;
        }
        Ok(Self(pico))
    }
}

/// A decimal string, never a number: a JSON number becomes a float in too many readers.
#[cfg(feature = "serde")]
impl serde::Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Money;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of US dollars as decimal text, such as \"0.25\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Money, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Why an amount could not be read or computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// The text is not a decimal number.
    #[error("not an amount of money; expected decimal text such as 10 or 0.0000125")]
    Malformed,
    /// The text has more digits after the point than a pico-dollar.
    #[error("an amount of money has at most {SCALE} digits after the point")]
    TooPrecise,
    /// The amount is out of range.
    #[error("the amount of money is out of range")]
    Overflow,
}
