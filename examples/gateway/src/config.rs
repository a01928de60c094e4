//! The configuration: a TOML file, then environment variables, checked once.
//!
//! Every error names the key, what was found there and what is allowed. Environment variables are named after the key:
//! `PALISADE_SERVER__LISTEN` sets `server.listen`.

use std::{collections::BTreeSet, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use figment::{
    Figment,
    providers::{Env, Format as _, Toml},
};
use serde::Deserialize;

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) limits: Limits,
    pub(crate) quota: Quota,
    pub(crate) injection: Injection,
    pub(crate) redaction: Redaction,
    pub(crate) resilience: Resilience,
    pub(crate) trace: Trace,
    pub(crate) provider: Vec<Provider>,
    pub(crate) model: Vec<Model>,
}

/// Where it listens and how much it takes in.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) body_bytes_max: usize,
    pub(crate) shutdown_grace_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            body_bytes_max: 8 << 20,
            shutdown_grace_seconds: 20,
        }
    }
}

/// Where ledgers, logs, traces and keys are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Store {
    pub(crate) path: PathBuf,
    pub(crate) durability: Durability,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: PathBuf::from("data/palisade.db"),
            durability: Durability::Process,
        }
    }
}

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Durability {
    /// The death of the process, `kill -9` included.
    Process,
    /// The loss of power too: every commit waits for the disk.
    Power,
}

/// What to do when a store gives no answer.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnFailure {
    /// Let the request pass, and count it.
    Open,
    /// Refuse it.
    #[default]
    Closed,
}

/// How often a user may ask.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) requests_per_minute: u64,
    pub(crate) burst: u64,
    pub(crate) global_requests_per_second: u64,
    pub(crate) keys_max: usize,
    pub(crate) on_store_failure: OnFailure,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_minute: 60,
            burst: 10,
            global_requests_per_second: 1_000,
            keys_max: 100_000,
            on_store_failure: OnFailure::Closed,
        }
    }
}

/// What a user, a project and an organisation may spend in a day.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Quota {
    pub(crate) user: Allowance,
    pub(crate) project: Allowance,
    pub(crate) org: Allowance,
    pub(crate) zone: String,
    pub(crate) hold_seconds: u64,
    /// The output a request is reserved for when it does not say how much it wants.
    pub(crate) output_tokens_default: u64,
    pub(crate) on_store_failure: OnFailure,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            user: Allowance::default(),
            project: Allowance::default(),
            org: Allowance::default(),
            zone: "UTC".to_owned(),
            hold_seconds: 600,
            output_tokens_default: 1_024,
            on_store_failure: OnFailure::Closed,
        }
    }
}

/// Tokens and dollars of one day.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Allowance {
    pub(crate) tokens_per_day: u64,
    pub(crate) usd_per_day: String,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            tokens_per_day: 1_000_000,
            usd_per_day: "10".to_owned(),
        }
    }
}

/// From which score a prompt is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Injection {
    pub(crate) enabled: bool,
    pub(crate) block_at: f32,
    pub(crate) review_at: f32,
}

impl Default for Injection {
    fn default() -> Self {
        Self {
            enabled: true,
            block_at: 0.7,
            review_at: 0.4,
        }
    }
}

/// What must not leave.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Redaction {
    pub(crate) enabled: bool,
    pub(crate) pii: bool,
    pub(crate) commands: bool,
    pub(crate) mask: Mask,
}

impl Default for Redaction {
    fn default() -> Self {
        Self {
            enabled: true,
            pii: true,
            commands: false,
            mask: Mask::Full,
        }
    }
}

/// How a finding is covered.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mask {
    /// A placeholder that names the kind and shows nothing.
    Full,
    /// A few characters stay.
    Partial,
    /// The same secret gives the same token.
    Hash,
}

/// How often and how long an upstream is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Resilience {
    pub(crate) attempts: u32,
    pub(crate) deadline_seconds: u64,
    pub(crate) attempt_timeout_seconds: u64,
    pub(crate) backoff_base_ms: u64,
    pub(crate) backoff_max_ms: u64,
    pub(crate) breaker_failures: u32,
    pub(crate) breaker_open_seconds: u64,
}

impl Default for Resilience {
    fn default() -> Self {
        Self {
            attempts: 3,
            deadline_seconds: 120,
            attempt_timeout_seconds: 60,
            backoff_base_ms: 100,
            backoff_max_ms: 5_000,
            breaker_failures: 5,
            breaker_open_seconds: 10,
        }
    }
}

/// How much is kept of what happened.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Trace {
    pub(crate) queue_bytes_max: usize,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            queue_bytes_max: 64 << 20,
        }
    }
}

/// Somebody who runs models.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Absent for the embedded mock.
    #[serde(default)]
    pub(crate) base_url: Option<String>,
    /// The environment variable that holds the key. The key itself never stands in the file.
    #[serde(default)]
    pub(crate) api_key_env: Option<String>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A base URL may carry credentials.
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Which API a provider speaks.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// OpenAI's, and everybody's who copied it.
    Openai,
    /// Anthropic's.
    Anthropic,
    /// Both, from the mock inside this process.
    Mock,
}

/// A model that clients may ask for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// What clients call it.
    pub(crate) name: String,
    /// The provider that runs it.
    pub(crate) provider: String,
    /// What the provider calls it; the same name if absent.
    #[serde(default)]
    pub(crate) upstream: Option<String>,
    /// Which API it is reached by; needed only for the mock.
    #[serde(default)]
    pub(crate) api: Option<Api>,
    /// Whose prices hold, as `provider/model`; by default the provider kind's and the upstream name.
    #[serde(default)]
    pub(crate) priced_as: Option<String>,
}

/// How a model is asked.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Api {
    /// `/v1/chat/completions`.
    OpenaiChat,
    /// `/v1/embeddings`.
    OpenaiEmbeddings,
    /// `/v1/messages`.
    AnthropicMessages,
}

/// A value that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file or a variable cannot be read as configuration.
    #[error("{0}")]
    Unreadable(String),
    /// A value is not allowed.
    #[error("configuration key `{key}`: found {found}, allowed is {allowed}")]
    Value {
        key: String,
        found: String,
        allowed: String,
    },
}

impl Config {
    /// Reads `file` (which must exist if it is named) and the environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the key, what was found and what is allowed.
    pub(crate) fn load(file: Option<&std::path::Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            let text = std::fs::read_to_string(file).map_err(|error| {
                ConfigError::Unreadable(format!("configuration file {}: {error}", file.display()))
            })?;
            figment = figment.merge(Toml::string(&text));
        }
        Self::from_figment(
            figment.merge(Env::prefixed("PALISADE_").split("__").ignore(&["python"])),
        )
    }

    /// The configuration in `toml`.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub(crate) fn parse(toml: &str) -> Result<Self, ConfigError> {
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

    /// The models of the embedded mock, priced as the ones they stand for.
    fn use_mock(&mut self) {
        self.provider = vec![Provider {
            name: "mock".into(),
            kind: Kind::Mock,
            base_url: None,
            api_key_env: None,
        }];
        self.model = [
            ("gpt-4o-mini", Api::OpenaiChat, "openai/gpt-4o-mini"),
            ("gpt-4o", Api::OpenaiChat, "openai/gpt-4o"),
            (
                "text-embedding-3-small",
                Api::OpenaiEmbeddings,
                "openai/text-embedding-3-small",
            ),
            (
                "claude-sonnet-4-5",
                Api::AnthropicMessages,
                "anthropic/claude-sonnet-4-5",
            ),
        ]
        .into_iter()
        .map(|(name, api, price)| Model {
            name: name.into(),
            provider: "mock".into(),
            upstream: None,
            api: Some(api),
            priced_as: Some(price.into()),
        })
        .collect();
    }

    fn check(&self) -> Result<(), ConfigError> {
        within(
            "server.body_bytes_max",
            self.server.body_bytes_max as u64,
            1_024,
            1 << 30,
        )?;
        within(
            "server.shutdown_grace_seconds",
            self.server.shutdown_grace_seconds,
            0,
            3_600,
        )?;
        within(
            "limits.requests_per_minute",
            self.limits.requests_per_minute,
            1,
            1_000_000_000,
        )?;
        within("limits.burst", self.limits.burst, 0, 1_000_000_000)?;
        within(
            "limits.global_requests_per_second",
            self.limits.global_requests_per_second,
            1,
            100_000_000,
        )?;
        within(
            "limits.keys_max",
            self.limits.keys_max as u64,
            1,
            100_000_000,
        )?;
        within("quota.hold_seconds", self.quota.hold_seconds, 1, 86_400)?;
        within(
            "quota.output_tokens_default",
            self.quota.output_tokens_default,
            1,
            10_000_000,
        )?;
        within(
            "resilience.attempts",
            self.resilience.attempts.into(),
            1,
            10,
        )?;
        within(
            "resilience.deadline_seconds",
            self.resilience.deadline_seconds,
            1,
            86_400,
        )?;
        within(
            "resilience.attempt_timeout_seconds",
            self.resilience.attempt_timeout_seconds,
            1,
            86_400,
        )?;
        within(
            "resilience.backoff_base_ms",
            self.resilience.backoff_base_ms,
            1,
            60_000,
        )?;
        within(
            "resilience.backoff_max_ms",
            self.resilience.backoff_max_ms,
            self.resilience.backoff_base_ms,
            600_000,
        )?;
        within(
            "resilience.breaker_failures",
            self.resilience.breaker_failures.into(),
            1,
            1_000_000,
        )?;
        within(
            "resilience.breaker_open_seconds",
            self.resilience.breaker_open_seconds,
            1,
            86_400,
        )?;
        within(
            "trace.queue_bytes_max",
            self.trace.queue_bytes_max as u64,
            1 << 16,
            1 << 40,
        )?;
        self.check_injection()?;
        self.check_providers()?;
        self.check_models()
    }

    fn check_injection(&self) -> Result<(), ConfigError> {
        let Injection {
            block_at,
            review_at,
            ..
        } = self.injection;
        if !(0.0..=1.0).contains(&block_at) {
            return Err(value("injection.block_at", block_at, "a score from 0 to 1"));
        }
        if !(0.0..=block_at).contains(&review_at) {
            return Err(value(
                "injection.review_at",
                review_at,
                "a score from 0 to injection.block_at",
            ));
        }
        Ok(())
    }

    fn check_providers(&self) -> Result<(), ConfigError> {
        let mut names = BTreeSet::new();
        for (index, provider) in self.provider.iter().enumerate() {
            let key = |field: &str| format!("provider[{index}].{field}");
            if provider.name.is_empty() || !names.insert(&provider.name) {
                return Err(value(
                    &key("name"),
                    format!("{:?}", provider.name),
                    "a name that no other provider has",
                ));
            }
            match (provider.kind, &provider.base_url) {
                (Kind::Mock, _) => {}
                (_, Some(url)) if url.starts_with("http://") || url.starts_with("https://") => {}
                (_, found) => {
                    // A base URL may carry credentials, so what was found is named by its kind alone.
                    let found = if found.is_some() {
                        "something else"
                    } else {
                        "nothing"
                    };
                    return Err(value(
                        &key("base_url"),
                        found,
                        "a URL that begins with http:// or https://",
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_models(&self) -> Result<(), ConfigError> {
        let mut names = BTreeSet::new();
        for (index, model) in self.model.iter().enumerate() {
            let key = |field: &str| format!("model[{index}].{field}");
            if model.name.is_empty() || !names.insert(&model.name) {
                return Err(value(
                    &key("name"),
                    format!("{:?}", model.name),
                    "a name that no other model has",
                ));
            }
            if !self
                .provider
                .iter()
                .any(|provider| provider.name == model.provider)
            {
                let known: Vec<&str> = self
                    .provider
                    .iter()
                    .map(|provider| provider.name.as_str())
                    .collect();
                let allowed = format!("the name of a provider: {}", known.join(", "));
                return Err(value(
                    &key("provider"),
                    format!("{:?}", model.provider),
                    &allowed,
                ));
            }
            if model
                .priced_as
                .as_ref()
                .is_some_and(|price| !price.contains('/'))
            {
                let found = format!("{:?}", model.priced_as.as_deref().unwrap_or_default());
                return Err(value(
                    &key("priced_as"),
                    found,
                    "provider/model, such as openai/gpt-4o-mini",
                ));
            }
        }
        Ok(())
    }
}

impl Config {
    /// The ways a model is reached: what it says, or what its provider speaks.
    pub(crate) fn api_of(&self, model: &Model) -> Vec<Api> {
        let kind = self
            .provider
            .iter()
            .find(|provider| provider.name == model.provider);
        match (model.api, kind.map(|provider| provider.kind)) {
            (Some(api), _) => vec![api],
            (None, Some(Kind::Anthropic)) => vec![Api::AnthropicMessages],
            (None, Some(Kind::Openai)) => vec![Api::OpenaiChat, Api::OpenaiEmbeddings],
            (None, _) => {
                vec![
                    Api::OpenaiChat,
                    Api::OpenaiEmbeddings,
                    Api::AnthropicMessages,
                ]
            }
        }
    }

    /// The name under which the provider of a model stands in the price catalog.
    pub(crate) fn price_provider<'a>(&'a self, model: &'a Model) -> &'a str {
        let provider = self
            .provider
            .iter()
            .find(|provider| provider.name == model.provider);
        match provider.map(|provider| provider.kind) {
            Some(Kind::Anthropic) => "anthropic",
            Some(Kind::Openai) => "openai",
            Some(Kind::Mock) | None => &model.provider,
        }
    }
}

impl Resilience {
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_seconds)
    }

    pub(crate) fn attempt_timeout(&self) -> Duration {
        Duration::from_secs(self.attempt_timeout_seconds)
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

fn within(key: &str, found: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&found) {
        Ok(())
    } else {
        Err(value(
            key,
            found,
            &format!("a number from {least} to {most}"),
        ))
    }
}

fn value(key: &str, found: impl fmt::Display, allowed: &str) -> ConfigError {
    ConfigError::Value {
        key: key.to_owned(),
        found: found.to_string(),
        allowed: allowed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(toml: &str) -> String {
        Config::parse(toml).unwrap_err().to_string()
    }

    #[test]
    fn nothing_configured_is_the_mock_with_every_guard_on() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.provider[0].kind, Kind::Mock);
        assert!(config.injection.enabled && config.redaction.enabled);
        assert_eq!(config.quota.user.tokens_per_day, 1_000_000);
    }

    #[test]
    fn every_error_names_the_key_what_was_found_and_what_is_allowed() {
        for (toml, parts) in [
            (
                "[limits]\nburst = \"many\"",
                ["limits.burst", "many", "u64"],
            ),
            ("[limits]\nburts = 3", ["limits", "burts", "`burst`"]),
            (
                "[store]\ndurability = \"none\"",
                ["store.durability", "none", "`power`"],
            ),
            (
                "[resilience]\nattempts = 0",
                ["resilience.attempts", "found 0", "from 1 to 10"],
            ),
            (
                "[injection]\nblock_at = 1.5",
                ["injection.block_at", "1.5", "0 to 1"],
            ),
            (
                "[[provider]]\nname = \"a\"\nkind = \"openai\"",
                ["provider[0].base_url", "nothing", "http://"],
            ),
            (
                "[[provider]]\nname = \"a\"\nkind = \"mock\"\n[[model]]\nname = \"m\"\nprovider = \"b\"",
                ["model[0].provider", "\"b\"", "a provider: a"],
            ),
        ] {
            let refusal = refusal(toml);
            for part in parts {
                assert!(refusal.contains(part), "{part:?} in {refusal:?}");
            }
        }
    }

    #[test]
    fn a_base_url_with_credentials_is_never_shown() {
        let toml =
            "[[provider]]\nname = \"a\"\nkind = \"openai\"\nbase_url = \"ftp://u:hunter2@h\"";
        assert!(!refusal(toml).contains("hunter2"));
        let config = Config::parse(&toml.replace("ftp", "http")).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
