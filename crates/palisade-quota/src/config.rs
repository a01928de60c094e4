use std::collections::BTreeMap;

use palisade_core::{Dimension, Key, Money, Tokens};

use crate::{Amount, Measure, Period, QuotaError, Zone};

/// The tokens a scope may use a day if nobody said otherwise.
const DEFAULT_TOKENS_PER_DAY: i64 = 1_000_000;
/// The nano-dollars a scope may spend a day if nobody said otherwise: 10 USD.
const DEFAULT_NANO_USD_PER_DAY: i64 = 10_000_000_000;

/// How much of each measure; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Allowance {
    /// Tokens, or no limit.
    pub tokens: Option<Tokens>,
    /// Money, or no limit.
    pub money: Option<Money>,
    /// Requests, or no limit.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub requests: Option<u64>,
    /// Tokens read, or no limit.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub input: Option<Tokens>,
    /// Tokens written, or no limit.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub output: Option<Tokens>,
}

impl Allowance {
    /// What an amount says, in the measures that are limited.
    pub(crate) fn of(amount: Amount, is_limited: impl Fn(Measure) -> bool) -> Self {
        let limited = |measure| is_limited(measure).then_some(amount);
        Self {
            tokens: limited(Measure::Tokens).map(Amount::tokens),
            money: limited(Measure::Money).map(Amount::money),
            requests: limited(Measure::Requests).map(Amount::requests),
            input: limited(Measure::Input).map(Amount::input),
            output: limited(Measure::Output).map(Amount::output),
        }
    }

    /// The units of a measure, or `None` for no limit.
    #[must_use]
    pub fn get(&self, measure: Measure) -> Option<u64> {
        match measure {
            Measure::Tokens => self.tokens.map(Tokens::get),
            // In range: it was whole nano-dollars before it was money.
            Measure::Money => self
                .money
                .map(|money| money.as_nano_usd_ceil().unwrap_or(i64::MAX).unsigned_abs()),
            Measure::Requests => self.requests,
            Measure::Input => self.input.map(Tokens::get),
            Measure::Output => self.output.map(Tokens::get),
        }
    }
}

/// What one scope may spend in one window: tokens, money, requests, in any combination.
///
/// Requests, input and output have no limit unless one is set. The default is 1,000,000 tokens and 10 USD for each civil day in UTC. With the `serde` feature a quota is read from
/// configuration; a field left out has the default's value, and `null` lifts the limit of a measure.
///
/// ```
/// use palisade_core::{Money, Tokens};
/// use palisade_quota::{Period, Quota, Zone};
///
/// let quota = Quota::default()
///     .with_tokens(None)?
///     .with_money(Some(Money::from_usd(250)))?
///     .with_period(Period::Month)
///     .with_zone(Zone::named("Europe/Berlin")?);
/// assert_eq!(quota.allowance().money, Some(Money::from_usd(250)));
/// assert!(quota.with_money(Some(Money::from_usd(-1))).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// In the order of [`Measure::ALL`].
    limits: [Option<i64>; Measure::ALL.len()],
    period: Period,
    zone: Zone,
}

impl Quota {
    /// No limit at all, counted by the day in UTC.
    pub const UNLIMITED: Self = Self {
        limits: [None; Measure::ALL.len()],
        period: Period::Day,
        zone: Zone::utc(),
    };

    /// The same with another limit of tokens; `None` is no limit.
    ///
    /// # Errors
    ///
    /// [`QuotaError::TooMuch`] beyond [`Amount::MAX`].
    pub fn with_tokens(mut self, tokens: Option<Tokens>) -> Result<Self, QuotaError> {
        self.limit_count(Measure::Tokens, tokens.map(Tokens::get))?;
        Ok(self)
    }

    /// The same with another limit of requests; `None` is no limit.
    ///
    /// # Errors
    ///
    /// [`QuotaError::TooMuch`] beyond [`Amount::MAX`].
    pub fn with_requests(mut self, requests: Option<u64>) -> Result<Self, QuotaError> {
        self.limit_count(Measure::Requests, requests)?;
        Ok(self)
    }

    /// The same with another limit of tokens read; `None` is no limit.
    ///
    /// # Errors
    ///
    /// [`QuotaError::TooMuch`] beyond [`Amount::MAX`].
    pub fn with_input(mut self, input: Option<Tokens>) -> Result<Self, QuotaError> {
        self.limit_count(Measure::Input, input.map(Tokens::get))?;
        Ok(self)
    }

    /// The same with another limit of tokens written; `None` is no limit.
    ///
    /// # Errors
    ///
    /// [`QuotaError::TooMuch`] beyond [`Amount::MAX`].
    pub fn with_output(mut self, output: Option<Tokens>) -> Result<Self, QuotaError> {
        self.limit_count(Measure::Output, output.map(Tokens::get))?;
        Ok(self)
    }

    fn limit_count(&mut self, measure: Measure, count: Option<u64>) -> Result<(), QuotaError> {
        self.limits[measure as usize] = count
            .map(|count| i64::try_from(count).map_err(|_| QuotaError::TooMuch))
            .transpose()?;
        Ok(())
    }

    /// The same with another limit of money; `None` is no limit.
    ///
    /// # Errors
    ///
    /// [`QuotaError`] if the limit is negative, beyond [`Amount::MAX`], or not whole nano-dollars.
    pub fn with_money(mut self, money: Option<Money>) -> Result<Self, QuotaError> {
        let nano = |money: Money| {
            if money.is_negative() {
                return Err(QuotaError::Negative);
            }
            let nano = money.as_nano_usd_ceil().map_err(|_| QuotaError::TooMuch)?;
            // Rounding a limit up would allow what nobody granted, and down would surprise who set it.
            if Money::from_nano_usd(nano) == money {
                Ok(nano)
            } else {
                Err(QuotaError::TooPrecise)
            }
        };
        self.limits[Measure::Money as usize] = money.map(nano).transpose()?;
        Ok(self)
    }

    /// The same for another period.
    #[must_use]
    pub fn with_period(mut self, period: Period) -> Self {
        self.period = period;
        self
    }

    /// The same in another zone.
    #[must_use]
    pub fn with_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// What may be spent in each window.
    #[must_use]
    pub fn allowance(&self) -> Allowance {
        Allowance::of(
            Amount::by_measure(|measure| self.ceiling(measure)),
            |measure| self.limit(measure).is_some(),
        )
    }

    /// How long a window is.
    #[must_use]
    pub const fn period(&self) -> Period {
        self.period
    }

    /// Whose calendar is meant.
    #[must_use]
    pub const fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The window that `now` lies in, to which a hold that is taken now belongs.
    #[must_use]
    pub fn window(&self, now: palisade_core::Timestamp) -> crate::Window {
        self.period.window(now, &self.zone)
    }

    /// The time whose windows are counted together for a decision at `now`: the window itself, or for a
    /// [rolling](Period::Rolling) period all of its slices.
    #[must_use]
    pub fn span(&self, now: palisade_core::Timestamp) -> crate::Window {
        self.period.span(self.window(now))
    }

    /// Whether nothing but tokens and money is limited. A store that keeps only these refuses other quotas.
    #[must_use]
    pub fn is_tokens_and_money(&self) -> bool {
        [Measure::Requests, Measure::Input, Measure::Output]
            .iter()
            .all(|measure| self.limit(*measure).is_none())
    }

    /// The limit of a measure in its whole units, or `None` if there is none.
    #[must_use]
    pub const fn limit(&self, measure: Measure) -> Option<i64> {
        self.limits[measure as usize]
    }

    /// The limit; where there is none, what a ledger can count. So a sum never leaves its range by admission.
    pub(crate) fn ceiling(&self, measure: Measure) -> i64 {
        self.limit(measure).unwrap_or(i64::MAX)
    }
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            limits: [
                Some(DEFAULT_TOKENS_PER_DAY),
                Some(DEFAULT_NANO_USD_PER_DAY),
                None,
                None,
                None,
            ],
            period: Period::Day,
            zone: Zone::utc(),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Quota {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let allowance = self.allowance();
        let more = [
            ("requests", allowance.requests),
            ("input", allowance.input.map(Tokens::get)),
            ("output", allowance.output.map(Tokens::get)),
        ];
        let more = more.into_iter().filter(|(_, limit)| limit.is_some());
        let mut fields = serializer.serialize_struct("Quota", 4 + more.clone().count())?;
        fields.serialize_field("tokens", &allowance.tokens)?;
        fields.serialize_field("money", &allowance.money)?;
        for (name, limit) in more {
            fields.serialize_field(name, &limit)?;
        }
        fields.serialize_field("period", &self.period)?;
        fields.serialize_field("zone", &self.zone)?;
        fields.end()
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Quota {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct Fields {
            tokens: Option<Tokens>,
            money: Option<Money>,
            requests: Option<u64>,
            input: Option<Tokens>,
            output: Option<Tokens>,
            period: Period,
            zone: Zone,
        }
        impl Default for Fields {
            fn default() -> Self {
                let quota = Quota::default();
                let limits = quota.allowance();
                Self {
                    tokens: limits.tokens,
                    money: limits.money,
                    requests: limits.requests,
                    input: limits.input,
                    output: limits.output,
                    period: quota.period,
                    zone: quota.zone,
                }
            }
        }
        let fields = Fields::deserialize(deserializer)?;
        Self::default()
            .with_tokens(fields.tokens)
            .and_then(|quota| quota.with_money(fields.money))
            .and_then(|quota| quota.with_requests(fields.requests))
            .and_then(|quota| quota.with_input(fields.input))
            .and_then(|quota| quota.with_output(fields.output))
            .map(|quota| quota.with_period(fields.period).with_zone(fields.zone))
            .map_err(serde::de::Error::custom)
    }
}

/// The quotas of scopes that nobody gave one of their own.
///
/// A scope falls under the rule for its narrowest part: `org=acme/user=alice` is a user. Nothing is written when a
/// default applies, so a scope's very first requests cannot race to create it, and a changed default holds for all at
/// once.
///
/// ```
/// use palisade_core::{Dimension, Key, Money};
/// use palisade_quota::{Defaults, Quota};
///
/// let thousand = Quota::default().with_tokens(None)?.with_money(Some(Money::from_usd(1_000)))?;
/// let defaults = Defaults::default().with(Dimension::Org, thousand.clone());
/// assert_eq!(defaults.quota(&Key::new(Dimension::Org, "acme")?), &thousand);
/// assert_eq!(defaults.quota(&Key::new(Dimension::User, "alice")?), &Quota::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    fallback: Quota,
    rules: BTreeMap<Dimension, Quota>,
}

impl Defaults {
    /// One quota for every scope.
    #[must_use]
    pub const fn new(quota: Quota) -> Self {
        Self {
            fallback: quota,
            rules: BTreeMap::new(),
        }
    }

    /// The same, with another quota for scopes whose narrowest part is of `dimension`.
    #[must_use]
    pub fn with(mut self, dimension: Dimension, quota: Quota) -> Self {
        self.rules.insert(dimension, quota);
        self
    }

    /// The quota that `scope` has if nobody gave it one of its own.
    #[must_use]
    pub fn quota(&self, scope: &Key) -> &Quota {
        if self.rules.is_empty() {
            return &self.fallback;
        }
        scope
            .parts()
            .last()
            .and_then(|(dimension, _)| self.rules.get(&dimension))
            .unwrap_or(&self.fallback)
    }
}
