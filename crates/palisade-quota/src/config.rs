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
}

/// What one scope may spend in one window: tokens, money, or both.
///
/// The default is 1,000,000 tokens and 10 USD for each civil day in UTC. With the `serde` feature a quota is read from
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
    tokens: Option<i64>,
    nano_usd: Option<i64>,
    period: Period,
    zone: Zone,
}

impl Quota {
    /// No limit at all, counted by the day in UTC.
    pub const UNLIMITED: Self = Self {
        tokens: None,
        nano_usd: None,
        period: Period::Day,
        zone: Zone::utc(),
    };

    /// The same with another limit of tokens; `None` is no limit.
    ///
    /// # Errors
    ///
    /// [`QuotaError::TooMuch`] beyond [`Amount::MAX`].
    pub fn with_tokens(mut self, tokens: Option<Tokens>) -> Result<Self, QuotaError> {
        self.tokens = tokens
            .map(|tokens| i64::try_from(tokens.get()).map_err(|_| QuotaError::TooMuch))
            .transpose()?;
        Ok(self)
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
        self.nano_usd = money.map(nano).transpose()?;
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
        let amount = |measure| Amount::from_units(self.ceiling(measure), self.ceiling(measure));
        Allowance {
            tokens: self.tokens.map(|_| amount(Measure::Tokens).tokens()),
            money: self.nano_usd.map(|_| amount(Measure::Money).money()),
        }
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

    /// The window that `now` lies in.
    #[must_use]
    pub fn window(&self, now: palisade_core::Timestamp) -> crate::Window {
        self.period.window(now, &self.zone)
    }

    /// The limit of a measure in its whole units, or `None` if there is none.
    #[must_use]
    pub const fn limit(&self, measure: Measure) -> Option<i64> {
        match measure {
            Measure::Tokens => self.tokens,
            Measure::Money => self.nano_usd,
        }
    }

    /// The limit; where there is none, what a ledger can count. So a sum never leaves its range by admission.
    pub(crate) fn ceiling(&self, measure: Measure) -> i64 {
        self.limit(measure).unwrap_or(i64::MAX)
    }
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            tokens: Some(DEFAULT_TOKENS_PER_DAY),
            nano_usd: Some(DEFAULT_NANO_USD_PER_DAY),
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
        let mut fields = serializer.serialize_struct("Quota", 4)?;
        fields.serialize_field("tokens", &allowance.tokens)?;
        fields.serialize_field("money", &allowance.money)?;
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
            period: Period,
            zone: Zone,
        }
        impl Default for Fields {
            fn default() -> Self {
                let quota = Quota::default();
                let Allowance { tokens, money } = quota.allowance();
                Self {
                    tokens,
                    money,
                    period: quota.period,
                    zone: quota.zone,
                }
            }
        }
        let fields = Fields::deserialize(deserializer)?;
        Self::default()
            .with_tokens(fields.tokens)
            .and_then(|quota| quota.with_money(fields.money))
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
