use std::time::Duration;

use crate::{Algorithm, ConfigError, Limit};

/// A limit as it stands in a configuration file.
///
/// ```toml
/// [[limits]]
/// name = "chat"
/// amount = 60
/// period = "1m"
/// burst = 10
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct LimitConfig {
    /// The name: see [`Limit::new`].
    pub name: String,
    /// How much may pass per period.
    pub amount: u64,
    /// The period: a whole number and a unit, one of `ms`, `s`, `m`, `h`, `d`. Left out for a limit on concurrency.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "String::is_empty")
    )]
    pub period: String,
    /// How much may pass at once. Left out, it is the amount.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub burst: Option<u64>,
    /// What the period means. Left out, it is a token bucket.
    #[cfg_attr(feature = "serde", serde(default))]
    pub algorithm: Algorithm,
    /// From how many percent on answers warn. Left out, they never do.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub soft_percent: Option<u8>,
}

impl TryFrom<LimitConfig> for Limit {
    type Error = ConfigError;

    fn try_from(config: LimitConfig) -> Result<Self, ConfigError> {
        let refused = |source| ConfigError::Limit {
            name: config.name.chars().take(32).collect(),
            source,
        };
        let wrong_period = || ConfigError::Period {
            found: config.period.chars().take(32).collect(),
        };
        let (name, amount) = (&config.name, config.amount);
        let limit = if config.algorithm == Algorithm::Concurrency {
            if !config.period.is_empty() {
                return Err(wrong_period());
            }
            Self::concurrency(name, amount)
        } else {
            let period = parse_period(&config.period).ok_or_else(wrong_period)?;
            match config.algorithm {
                Algorithm::FixedWindow => Self::fixed_window(name, amount, period),
                Algorithm::SlidingWindow => Self::sliding_window(name, amount, period),
                Algorithm::SlidingLog => Self::sliding_log(name, amount, period),
                _ => Self::new(name, amount, period),
            }
        };
        limit
            .and_then(|limit| match config.burst {
                // Of a window, the burst is the amount; saying so is no mistake.
                Some(burst) if burst != limit.burst() => limit.with_burst(burst),
                _ => Ok(limit),
            })
            .and_then(|limit| limit.with_soft_percent(config.soft_percent.unwrap_or(100)))
            .map_err(refused)
    }
}

impl From<Limit> for LimitConfig {
    fn from(limit: Limit) -> Self {
        Self {
            name: limit.name().to_owned(),
            amount: limit.amount(),
            period: match limit.algorithm() {
                Algorithm::Concurrency => String::new(),
                _ => print_period(limit.period()),
            },
            burst: (limit.algorithm() == Algorithm::TokenBucket).then_some(limit.burst()),
            algorithm: limit.algorithm(),
            soft_percent: (limit.soft_percent() != 100).then_some(limit.soft_percent()),
        }
    }
}

/// What happens to a key that finds no place in the table. Keys that have a place are never moved out to make room:
/// that would hand them their whole limit again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Overflow {
    /// Keys without a place share one, with those of the same limit that the hash sends the same way. Together they get
    /// what one of them would have had. The default: a flood of invented keys then slows only those who are new.
    #[default]
    Share,
    /// A key without a place is refused until one is free. Stricter; a flood of invented keys shuts out everyone new.
    Deny,
}

/// The settings of [`InMemory`](crate::InMemory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct MemoryConfig {
    /// How many keys with something to remember the table is made for. It is allocated at once and never grows.
    pub capacity: usize,
    /// How many holds are remembered at most, until they are settled or expire. Settled ones count until then too.
    pub holds: usize,
    /// What happens to a key that finds no place.
    pub overflow: Overflow,
}

impl MemoryConfig {
    /// The largest capacity, and the largest number of holds: about 9 GiB of memory.
    pub const CAPACITY_MAX: usize = 1 << 28;

    /// The settings by default: 65,536 keys (2.3 MiB), which share when there are more, and as many holds.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            capacity: 65_536,
            holds: 65_536,
            overflow: Overflow::Share,
        }
    }

    /// The same with room for this many keys. Only keys whose bucket is not full again count: see
    /// [`Limit::fill_time`].
    #[must_use]
    pub const fn with_capacity(mut self, keys: usize) -> Self {
        self.capacity = keys;
        self
    }

    /// The same with room for this many holds. A reservation that finds none is refused until there is.
    #[must_use]
    pub const fn with_holds(mut self, holds: usize) -> Self {
        self.holds = holds;
        self
    }

    /// The same with another treatment of keys that find no place.
    #[must_use]
    pub const fn with_overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self::new()
    }
}

const UNITS: [(&str, u64); 6] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("ns", 1),
];

fn parse_period(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, nanos) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_nanos(number.checked_mul(nanos)?))
}

fn print_period(period: Duration) -> String {
    let nanos = period.as_nanos();
    let fits = |(_, unit): &(&str, u64)| {
        nanos >= u128::from(*unit) && nanos.is_multiple_of(u128::from(*unit))
    };
    let (name, unit) = UNITS.into_iter().find(fits).unwrap_or(("ns", 1));
    format!("{}{name}", nanos / u128::from(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_survives_its_text_and_nonsense_is_refused() {
        for (text, nanos) in [
            ("1m", 60_000_000_000),
            ("90s", 90_000_000_000),
            ("250ms", 250_000_000),
            ("1d", 86_400_000_000_000),
            ("7ns", 7),
        ] {
            assert_eq!(parse_period(text), Some(Duration::from_nanos(nanos)));
            assert_eq!(print_period(Duration::from_nanos(nanos)), text);
        }
        for text in [
            "",
            "m",
            "60",
            "1 m",
            "-1s",
            "1.5s",
            "1M",
            "99999999999999999999s",
            "9999999999d",
            "１s",
        ] {
            assert_eq!(parse_period(text), None, "{text:?}");
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn limits_are_read_from_configuration_and_checked_there() {
        let limit: Limit =
            serde_json::from_str(r#"{"name": "chat", "amount": 60, "period": "1m", "burst": 10}"#)
                .unwrap();
        assert_eq!(limit, crate::presets::CHAT);
        let text = serde_json::to_string(&limit).unwrap();
        assert_eq!(serde_json::from_str::<Limit>(&text).unwrap(), limit);
        for text in [
            r#"{"name":"bots","amount":10,"period":"1h","algorithm":"sliding_log","soft_percent":80}"#,
            r#"{"name":"open","amount":4,"algorithm":"concurrency"}"#,
        ] {
            let limit: Limit = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&limit).unwrap(), text);
        }
        for wrong in [
            r#"{"name": "open", "amount": 4, "period": "1m", "algorithm": "concurrency"}"#,
            r#"{"name": "open", "amount": 4, "period": "1m", "burst": 9, "algorithm": "fixed_window"}"#,
            r#"{"name": "open", "amount": 4, "period": "1m", "soft_percent": 101}"#,
            r#"{"name": "open", "amount": 4, "period": "1m", "algorithm": "fuzzy"}"#,
            r#"{"name": "chat", "amount": 0, "period": "1m"}"#,
            r#"{"name": "chat", "amount": 1, "period": "1x"}"#,
            r#"{"name": "chat", "amount": 1, "period": "1m", "brust": 3}"#,
            r#"{"name": "chat", "amount": -1, "period": "1m"}"#,
            r#"{"name": "chat", "amount": 1.5, "period": "1m"}"#,
        ] {
            assert!(serde_json::from_str::<Limit>(wrong).is_err(), "{wrong}");
        }
        let config: MemoryConfig = serde_json::from_str(r#"{"overflow": "deny"}"#).unwrap();
        assert_eq!(config, MemoryConfig::new().with_overflow(Overflow::Deny));
    }
}
