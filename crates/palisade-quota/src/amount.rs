use std::fmt;

use palisade_core::{Money, Tokens};

use crate::AmountError;

/// One of the two things a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Measure {
    /// Tokens read and written.
    Tokens,
    /// US dollars.
    Money,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Tokens, Self::Money];
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tokens => "tokens",
            Self::Money => "money",
        })
    }
}

/// So many tokens and so much money: what a request asks for, what a call cost, what a window has spent.
///
/// Never negative, and whole: money is rounded up to a nano-dollar once, on the way in. Both measures fit in a signed
/// 64-bit column, so that a ledger in memory and one in a database hold exactly the same numbers. Arithmetic is
/// checked.
///
/// ```
/// use palisade_core::{Money, Tokens};
/// use palisade_quota::Amount;
///
/// let amount = Amount::new(Tokens::new(1_200), "0.0000000125".parse()?)?;
/// assert_eq!(amount.money(), "0.000000013".parse::<Money>()?);
/// assert!(Amount::new(Tokens::ZERO, Money::from_usd(-1)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Amount {
    tokens: i64,
    nano_usd: i64,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self {
        tokens: 0,
        nano_usd: 0,
    };
    /// The most a ledger can count of either measure.
    pub const MAX: Self = Self {
        tokens: i64::MAX,
        nano_usd: i64::MAX,
    };

    /// An amount of both measures; money is rounded up to a whole nano-dollar.
    ///
    /// # Errors
    ///
    /// [`AmountError`] if the money is negative or either measure is more than [`Amount::MAX`].
    pub fn new(tokens: Tokens, money: Money) -> Result<Self, AmountError> {
        if money.is_negative() {
            return Err(AmountError::Negative);
        }
        Ok(Self {
            tokens: i64::try_from(tokens.get()).map_err(|_| AmountError::TooMuch)?,
            nano_usd: money.as_nano_usd_ceil().map_err(|_| AmountError::TooMuch)?,
        })
    }

    /// An amount as a store holds it: whole tokens and whole nano-dollars.
    ///
    /// # Errors
    ///
    /// [`AmountError::Negative`] if either is less than zero: the store is damaged.
    pub const fn from_columns(tokens: i64, nano_usd: i64) -> Result<Self, AmountError> {
        if tokens < 0 || nano_usd < 0 {
            return Err(AmountError::Negative);
        }
        Ok(Self { tokens, nano_usd })
    }

    /// The amount as a store holds it: whole tokens and whole nano-dollars.
    #[must_use]
    pub const fn to_columns(self) -> (i64, i64) {
        (self.tokens, self.nano_usd)
    }

    /// The tokens.
    #[must_use]
    pub const fn tokens(self) -> Tokens {
        Tokens::new(self.tokens.unsigned_abs())
    }

    /// The money.
    #[must_use]
    pub const fn money(self) -> Money {
        Money::from_nano_usd(self.nano_usd)
    }

    /// Whole tokens, or whole nano-dollars.
    #[must_use]
    pub const fn get(self, measure: Measure) -> i64 {
        match measure {
            Measure::Tokens => self.tokens,
            Measure::Money => self.nano_usd,
        }
    }

    /// Whether there is nothing of either.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.tokens == 0 && self.nano_usd == 0
    }

    /// The sum, or `None` if a measure exceeds [`Amount::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            tokens: self.tokens.checked_add(other.tokens)?,
            nano_usd: self.nano_usd.checked_add(other.nano_usd)?,
        })
    }

    /// The difference, or `None` if `other` has more of a measure.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::from_columns(
            self.tokens.checked_sub(other.tokens)?,
            self.nano_usd.checked_sub(other.nano_usd)?,
        )
        .ok()
    }

    /// The larger of each measure.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.max(other.tokens),
            nano_usd: self.nano_usd.max(other.nano_usd),
        }
    }

    /// The smaller of each measure.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.min(other.tokens),
            nano_usd: self.nano_usd.min(other.nano_usd),
        }
    }

    /// The sum, at most [`Amount::MAX`].
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            nano_usd: self.nano_usd.saturating_add(other.nano_usd),
        }
    }

    /// The difference, at least zero in each measure.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens).max(0),
            nano_usd: self.nano_usd.saturating_sub(other.nano_usd).max(0),
        }
    }

    /// Whether `other` is no more than this, in each measure.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        self.tokens >= other.tokens && self.nano_usd >= other.nano_usd
    }

    /// Each measure made of whole units, not negative by the caller's proof.
    pub(crate) const fn from_units(tokens: i64, nano_usd: i64) -> Self {
        debug_assert!(tokens >= 0 && nano_usd >= 0);
        Self { tokens, nano_usd }
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({} tokens, {} USD)", self.tokens, self.money())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("Amount", 2)?;
        fields.serialize_field("tokens", &self.tokens)?;
        fields.serialize_field("money", &self.money())?;
        fields.end()
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            tokens: Tokens,
            money: Money,
        }
        let Fields { tokens, money } = Fields::deserialize(deserializer)?;
        Self::new(tokens, money).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_never_negative_and_never_wraps() {
        assert_eq!(
            Amount::new(Tokens::ZERO, Money::from_pico_usd(-1)),
            Err(AmountError::Negative)
        );
        assert_eq!(
            Amount::new(Tokens::new(u64::MAX), Money::ZERO),
            Err(AmountError::TooMuch)
        );
        assert_eq!(
            Amount::new(Tokens::ZERO, Money::MAX),
            Err(AmountError::TooMuch)
        );
        let most = u64::try_from(i64::MAX).expect("i64::MAX is positive");
        let top = Amount::new(Tokens::new(most), Money::from_nano_usd(i64::MAX));
        assert_eq!(top, Ok(Amount::MAX));
        let one = Amount::from_units(1, 0);
        assert_eq!(Amount::MAX.checked_add(one), None);
        assert_eq!(Amount::ZERO.checked_sub(one), None);
        assert_eq!(Amount::from_columns(0, -1), Err(AmountError::Negative));
    }

    #[test]
    fn money_is_rounded_up_once_and_sums_stay_exact() {
        let amount = |pico| Amount::new(Tokens::ZERO, Money::from_pico_usd(pico)).expect("small");
        for (pico, nano) in [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2)] {
            assert_eq!(amount(pico).get(Measure::Money), nano);
        }
        let mut sum = Amount::ZERO;
        for _ in 0..10_000 {
            sum = sum.checked_add(amount(12_500_000)).expect("small");
        }
        assert_eq!(sum.money().to_string(), "0.125");
    }
}
