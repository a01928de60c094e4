//! From a file and the environment to a configuration.

use std::{fmt, net::SocketAddr, path::Path};

use figment::{
    Figment,
    providers::{Env, Format as _, Toml},
};
use palisade::core::Money;
use serde::{
    Deserialize as _, Deserializer,
    de::{Error, Visitor},
};

use super::{Config, ConfigError};

/// Environment variables that are named so set keys: `PALISADE_SERVER__LISTEN` sets `server.listen`.
const PREFIX: &str = "PALISADE_";
/// Stands for the dot between a section and a key. Other variables of the prefix are somebody else's.
const DOT: &str = "__";

impl Config {
    /// Reads `file`, which must exist if it is named, and then the environment, which wins.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the key, what was found and what is allowed.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            let text = std::fs::read_to_string(file).map_err(|error| {
                ConfigError::Unreadable(format!("configuration file {}: {error}", file.display()))
            })?;
            figment = figment.merge(Toml::string(&text));
        }
        let environment = Env::prefixed(PREFIX)
            .filter(|name| name.as_str().contains(DOT))
            .split(DOT);
        Self::from_figment(figment.merge(environment))
    }

    /// The configuration in `toml`, without the environment.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn parse(toml: &str) -> Result<Self, ConfigError> {
        Self::from_figment(Figment::from(Toml::string(toml)))
    }

    fn from_figment(figment: Figment) -> Result<Self, ConfigError> {
        let mut config: Self = figment.extract().map_err(|error| {
            let all: Vec<String> = error.into_iter().map(|error| describe(&error)).collect();
            ConfigError::Unreadable(all.join("; "))
        })?;
        if config.provider.is_empty() && config.model.is_empty() {
            config.use_mock();
        }
        config.check()?;
        Ok(config)
    }
}

/// One of figment's errors in our form: the key first.
fn describe(error: &figment::Error) -> String {
    let key = error.path.join(".");
    let kind = error.kind.to_string();
    if key.is_empty() {
        kind
    } else {
        format!("configuration key `{key}`: {kind}")
    }
}

/// An address with its port.
pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        let allowed = "an address and port, such as 127.0.0.1:8787 or [::1]:8787";
        D::Error::custom(format!("found {text:?}, allowed is {allowed}"))
    })
}

/// Dollars: exact, so written as text or as a whole number.
pub(super) fn dollars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    struct Dollars;

    impl Visitor<'_> for Dollars {
        type Value = Money;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("dollars, zero or more, as text such as \"2.50\" or as a whole number")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Money, E> {
            let money: Money = text.parse().map_err(|error| {
                E::custom(format!(
                    "found {text:?}, which is no amount of dollars: {error}"
                ))
            })?;
            if money < Money::ZERO {
                return Err(E::custom(format!(
                    "found {text:?}, allowed is zero or more"
                )));
            }
            Ok(money)
        }

        fn visit_u64<E: Error>(self, whole: u64) -> Result<Money, E> {
            self.visit_str(&whole.to_string())
        }

        fn visit_i64<E: Error>(self, whole: i64) -> Result<Money, E> {
            self.visit_str(&whole.to_string())
        }
    }

    deserializer.deserialize_any(Dollars)
}
