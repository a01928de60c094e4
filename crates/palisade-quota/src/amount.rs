use std::fmt;

use palisade_core::{Money, Tokens};

use crate::AmountError;

/// One of the things a quota counts.
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
    /// Calls.
    Requests,
    /// Tokens read.
    Input,
    /// Tokens written.
    Output,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Tokens,
        Self::Money,
        Self::Requests,
        Self::Input,
        Self::Output,
    ];
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tokens => "tokens",
            Self::Money => "money",
            Self::Requests => "requests",
            Self::Input => "input tokens",
            Self::Output => "output tokens",
        })
    }
}

/// How many measures there are.
const MEASURES: usize = Measure::ALL.len();

/// So much of each measure: what a request asks for, what a call cost, what a window has spent.
///
/// Never negative, and whole: money is rounded up to a nano-dollar once, on the way in. Every measure fits in a signed
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
///
/// // One call, its tokens by direction and together, and its price.
/// let call = Amount::of_call(Tokens::new(1_000), Tokens::new(200), "0.01".parse()?)?;
/// assert_eq!((call.requests(), call.tokens()), (1, Tokens::new(1_200)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A float is no money, and the compiler says so:
///
/// ```compile_fail
/// # use palisade_core::Tokens;
/// # use palisade_quota::Amount;
/// let amount = Amount::new(Tokens::new(1_200), 0.0125);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Amount([i64; MEASURES]);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self([0; MEASURES]);
    /// The most a ledger can count of any measure.
    pub const MAX: Self = Self([i64::MAX; MEASURES]);

    /// An amount of tokens and money; money is rounded up to a whole nano-dollar.
    ///
    /// # Errors
    ///
    /// [`AmountError`] if the money is negative or either measure is more than [`Amount::MAX`].
    pub fn new(tokens: Tokens, money: Money) -> Result<Self, AmountError> {
        if money.is_negative() {
            return Err(AmountError::Negative);
        }
        let nano_usd = money.as_nano_usd_ceil().map_err(|_| AmountError::TooMuch)?;
        Ok(Self::from_units(whole(tokens.get())?, nano_usd))
    }

    /// One call in every measure: what it reads and writes, both together, its price, and one request.
    ///
    /// # Errors
    ///
    /// As [`Amount::new`], and if the tokens together are more than [`Amount::MAX`].
    pub fn of_call(input: Tokens, output: Tokens, money: Money) -> Result<Self, AmountError> {
        let tokens = input.checked_add(output).ok_or(AmountError::TooMuch)?;
        Self::new(tokens, money)?
            .with_requests(1)?
            .with_input(input)?
            .with_output(output)
    }

    /// The same with so many requests.
    ///
    /// # Errors
    ///
    /// [`AmountError::TooMuch`] beyond [`Amount::MAX`].
    pub fn with_requests(self, requests: u64) -> Result<Self, AmountError> {
        self.with(Measure::Requests, requests)
    }

    /// The same with so many tokens read. The total is a measure of its own and stays.
    ///
    /// # Errors
    ///
    /// [`AmountError::TooMuch`] beyond [`Amount::MAX`].
    pub fn with_input(self, input: Tokens) -> Result<Self, AmountError> {
        self.with(Measure::Input, input.get())
    }

    /// The same with so many tokens written. The total is a measure of its own and stays.
    ///
    /// # Errors
    ///
    /// [`AmountError::TooMuch`] beyond [`Amount::MAX`].
    pub fn with_output(self, output: Tokens) -> Result<Self, AmountError> {
        self.with(Measure::Output, output.get())
    }

    fn with(mut self, measure: Measure, count: u64) -> Result<Self, AmountError> {
        self.0[measure as usize] = whole(count)?;
        Ok(self)
    }

    /// An amount of whole tokens and whole nano-dollars, as a store holds it, and of nothing else.
    ///
    /// # Errors
    ///
    /// [`AmountError::Negative`] if either is less than zero: the store is damaged.
    pub const fn from_columns(tokens: i64, nano_usd: i64) -> Result<Self, AmountError> {
        if tokens < 0 || nano_usd < 0 {
            return Err(AmountError::Negative);
        }
        Ok(Self::from_units(tokens, nano_usd))
    }

    /// The whole tokens and whole nano-dollars. A store that keeps only these two asks
    /// [`is_tokens_and_money`](Self::is_tokens_and_money) first, so that nothing is lost on the way.
    #[must_use]
    pub const fn to_columns(self) -> (i64, i64) {
        (self.0[0], self.0[1])
    }

    /// An amount of every measure as a store holds it, in the order of [`Measure::ALL`].
    ///
    /// # Errors
    ///
    /// [`AmountError::Negative`] if one is less than zero: the store is damaged.
    pub fn from_measures(units: [i64; 5]) -> Result<Self, AmountError> {
        if units.iter().any(|units| *units < 0) {
            return Err(AmountError::Negative);
        }
        Ok(Self(units))
    }

    /// Every measure in its whole units, in the order of [`Measure::ALL`].
    #[must_use]
    pub const fn to_measures(self) -> [i64; 5] {
        self.0
    }

    /// Whether there is nothing in it but tokens and money.
    #[must_use]
    pub const fn is_tokens_and_money(self) -> bool {
        self.0[2] == 0 && self.0[3] == 0 && self.0[4] == 0
    }

    /// The tokens.
    #[must_use]
    pub const fn tokens(self) -> Tokens {
        Tokens::new(self.get(Measure::Tokens).unsigned_abs())
    }

    /// The money.
    #[must_use]
    pub const fn money(self) -> Money {
        Money::from_nano_usd(self.get(Measure::Money))
    }

    /// The requests.
    #[must_use]
    pub const fn requests(self) -> u64 {
        self.get(Measure::Requests).unsigned_abs()
    }

    /// The tokens read.
    #[must_use]
    pub const fn input(self) -> Tokens {
        Tokens::new(self.get(Measure::Input).unsigned_abs())
    }

    /// The tokens written.
    #[must_use]
    pub const fn output(self) -> Tokens {
        Tokens::new(self.get(Measure::Output).unsigned_abs())
    }

    /// Whole tokens or requests, or whole nano-dollars.
    #[must_use]
    pub const fn get(self, measure: Measure) -> i64 {
        self.0[measure as usize]
    }

    /// Whether there is nothing of any measure.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0[0] == 0 && self.0[1] == 0 && self.is_tokens_and_money()
    }

    #[cfg(feature = "serde")]
    pub(crate) const fn is_nothing(&self) -> bool {
        self.is_zero()
    }

    /// The sum, or `None` if a measure exceeds [`Amount::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.try_each(other, i64::checked_add)
    }

    /// The difference, or `None` if `other` has more of a measure.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.try_each(other, |a, b| a.checked_sub(b).filter(|rest| *rest >= 0))
    }

    /// The larger of each measure.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        self.each(other, Ord::max)
    }

    /// The smaller of each measure.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        self.each(other, Ord::min)
    }

    /// The sum, at most [`Amount::MAX`].
    #[must_use]
    pub const fn saturating_add(mut self, other: Self) -> Self {
        let mut at = 0;
        while at < MEASURES {
            self.0[at] = self.0[at].saturating_add(other.0[at]);
            at += 1;
        }
        self
    }

    /// The difference, at least zero in each measure.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        self.each(other, |a, b| a.saturating_sub(b).max(0))
    }

    /// Whether `other` is no more than this, in each measure.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.0.iter().zip(&other.0).all(|(own, other)| own >= other)
    }

    /// Tokens and money in whole units, not negative by the caller's proof.
    pub(crate) const fn from_units(tokens: i64, nano_usd: i64) -> Self {
        debug_assert!(tokens >= 0 && nano_usd >= 0);
        Self([tokens, nano_usd, 0, 0, 0])
    }

    /// Each measure by a function whose answers are not negative, by the caller's proof.
    pub(crate) fn by_measure(units: impl Fn(Measure) -> i64) -> Self {
        Self(Measure::ALL.map(units))
    }

    fn each(mut self, other: Self, combine: impl Fn(i64, i64) -> i64) -> Self {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own = combine(*own, other);
        }
        self
    }

    fn try_each(mut self, other: Self, combine: impl Fn(i64, i64) -> Option<i64>) -> Option<Self> {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own = combine(*own, other)?;
        }
        Some(self)
    }
}

fn whole(count: u64) -> Result<i64, AmountError> {
    i64::try_from(count).map_err(|_| AmountError::TooMuch)
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({} tokens, {} USD", self.tokens(), self.money())?;
        for measure in [Measure::Requests, Measure::Input, Measure::Output] {
            if self.get(measure) != 0 {
                write!(f, ", {} {measure}", self.get(measure))?;
            }
        }
        f.write_str(")")
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let more = [
            ("requests", Measure::Requests),
            ("input", Measure::Input),
            ("output", Measure::Output),
        ];
        let more = more
            .into_iter()
            .filter(|(_, measure)| self.get(*measure) != 0);
        let mut fields = serializer.serialize_struct("Amount", 2 + more.clone().count())?;
        fields.serialize_field("tokens", &self.get(Measure::Tokens))?;
        fields.serialize_field("money", &self.money())?;
        for (name, measure) in more {
            fields.serialize_field(name, &self.get(measure))?;
        }
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
            #[serde(default)]
            requests: u64,
            #[serde(default)]
            input: Tokens,
            #[serde(default)]
            output: Tokens,
        }
        let fields = Fields::deserialize(deserializer)?;
        Self::new(fields.tokens, fields.money)
            .and_then(|amount| amount.with_requests(fields.requests))
            .and_then(|amount| amount.with_input(fields.input))
            .and_then(|amount| amount.with_output(fields.output))
            .map_err(serde::de::Error::custom)
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
        let in_both = Amount::from_units(i64::MAX, i64::MAX);
        assert_eq!(top, Ok(in_both));
        for measure in Measure::ALL {
            let one = Amount::by_measure(|other| i64::from(other == measure));
            assert_eq!(Amount::MAX.checked_add(one), None, "{measure}");
            assert_eq!(Amount::ZERO.checked_sub(one), None, "{measure}");
            assert_eq!(Amount::MAX.saturating_add(one), Amount::MAX);
            assert_eq!(Amount::ZERO.saturating_sub(one), Amount::ZERO);
            assert!(one.covers(Amount::ZERO) && !Amount::ZERO.covers(one));
            assert_eq!(one.get(measure), 1);
            assert!(!one.is_zero());
        }
        assert_eq!(Amount::from_columns(0, -1), Err(AmountError::Negative));
        let damaged = Amount::from_measures([0, 0, 0, 0, -1]);
        assert_eq!(damaged, Err(AmountError::Negative));
        assert_eq!(
            Amount::of_call(Tokens::new(u64::MAX), Tokens::new(1), Money::ZERO),
            Err(AmountError::TooMuch)
        );
    }

    #[test]
    fn two_columns_say_whether_they_are_all_there_is() {
        let call = Amount::of_call(Tokens::new(3), Tokens::new(4), Money::from_nano_usd(5));
        let call = call.expect("small");
        assert_eq!(call.to_measures(), [7, 5, 1, 3, 4]);
        assert_eq!(Amount::from_measures(call.to_measures()), Ok(call));
        assert_eq!(call.to_columns(), (7, 5));
        assert!(!call.is_tokens_and_money());
        assert!(Amount::from_units(7, 5).is_tokens_and_money());
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
