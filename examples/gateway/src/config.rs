//! What can be set, and what holds if it is not.

mod check;
mod load;
mod read;
#[cfg(test)]
mod tests;
mod trial;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use palisade::{
    core::Money,
    resilience::{Growth, Jitter, LongAdvice},
};
use serde::Deserialize;

pub use check::ConfigError;
pub(crate) use load::Load;
pub(crate) use trial::{Chaos, Health};

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) limits: Limits,
    pub(crate) quota: Quota,
    pub(crate) injection: Injection,
    pub(crate) redaction: Redaction,
    pub(crate) resilience: Resilience,
    pub(crate) load: Load,
    pub(crate) health: Health,
    pub(crate) chaos: Chaos,
    pub(crate) trace: Trace,
    pub(crate) provider: Vec<Provider>,
    pub(crate) model: Vec<Model>,
}

/// Where it listens and how much it takes in.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    #[serde(deserialize_with = "read::address")]
    pub(crate) listen: SocketAddr,
    /// As many as there are cores if it is absent.
    pub(crate) workers: Option<usize>,
    pub(crate) connections_max: usize,
    pub(crate) body_bytes_max: usize,
    pub(crate) header_timeout_ms: u64,
    pub(crate) body_timeout_ms: u64,
    pub(crate) shutdown_grace_ms: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            workers: None,
            connections_max: 10_000,
            body_bytes_max: 8 << 20,
            header_timeout_ms: 60_000,
            body_timeout_ms: 30_000,
            shutdown_grace_ms: 20_000,
        }
    }
}

/// Where ledgers, logs, traces and keys are kept.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Store {
    pub(crate) path: PathBuf,
    pub(crate) durability: Durability,
    pub(crate) busy_timeout_ms: u64,
    /// No limit if it is absent.
    pub(crate) file_bytes_max: Option<u64>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: PathBuf::from("data/palisade.db"),
            durability: Durability::Process,
            busy_timeout_ms: 5_000,
            file_bytes_max: None,
        }
    }
}

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Durability {
    /// The death of the process, `kill -9` included.
    Process,
    /// The loss of power too: every commit waits for the disk.
    Power,
}

/// What to do when a store gives no answer.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize))]
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
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
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
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Quota {
    pub(crate) user: Allowance,
    pub(crate) project: Allowance,
    pub(crate) org: Allowance,
    pub(crate) zone: String,
    pub(crate) hold_ms: u64,
    /// How often the store is told what was spent of the slices this process has borrowed.
    pub(crate) lease_round_ms: u64,
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
            hold_ms: 600_000,
            lease_round_ms: 50,
            output_tokens_default: 1_024,
            on_store_failure: OnFailure::Closed,
        }
    }
}

/// Tokens and dollars of one day.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Allowance {
    pub(crate) tokens_per_day: u64,
    #[serde(deserialize_with = "read::dollars")]
    pub(crate) usd_per_day: Money,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            tokens_per_day: 1_000_000,
            usd_per_day: Money::from_usd(10),
        }
    }
}

/// From which score a prompt is refused.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
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
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
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
#[cfg_attr(test, derive(serde::Serialize))]
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
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Resilience {
    pub(crate) attempts: u32,
    pub(crate) deadline_ms: u64,
    pub(crate) attempt_timeout_ms: u64,
    pub(crate) backoff_base_ms: u64,
    pub(crate) backoff_max_ms: u64,
    pub(crate) backoff_growth: Growth,
    pub(crate) backoff_jitter: Jitter,
    pub(crate) advice_max_ms: u64,
    pub(crate) advice_long: LongAdvice,
    pub(crate) wait_for_circuit: bool,
    pub(crate) retry_percent: u32,
    pub(crate) retries_per_second: u32,
    pub(crate) retries_saved_max: u32,
    pub(crate) org_retries_per_second: u32,
    /// 0 hedges nothing after a fixed time.
    pub(crate) hedge_after_ms: u64,
    /// 0 hedges nothing by what was seen.
    pub(crate) hedge_percentile: u32,
    pub(crate) hedge_delay_min_ms: u64,
    pub(crate) hedge_delay_max_ms: u64,
    pub(crate) hedge_extra: u32,
    pub(crate) breaker_failures: u32,
    pub(crate) breaker_failure_percent: u32,
    pub(crate) breaker_calls_min: u32,
    pub(crate) breaker_open_ms: u64,
    pub(crate) breaker_open_max_ms: u64,
    pub(crate) breaker_open_jitter_percent: u32,
    pub(crate) breaker_open_on_advice: bool,
    pub(crate) breaker_probes: u32,
    pub(crate) breaker_probe_max_ms: u64,
}

impl Default for Resilience {
    fn default() -> Self {
        Self {
            attempts: 3,
            deadline_ms: 120_000,
            attempt_timeout_ms: 60_000,
            backoff_base_ms: 100,
            backoff_max_ms: 5_000,
            backoff_growth: Growth::Exponential,
            backoff_jitter: Jitter::Full,
            advice_max_ms: 60_000,
            advice_long: LongAdvice::GiveUp,
            wait_for_circuit: false,
            retry_percent: 20,
            retries_per_second: 10,
            retries_saved_max: 1_000,
            org_retries_per_second: 10,
            hedge_after_ms: 0,
            hedge_percentile: 0,
            hedge_delay_min_ms: 100,
            hedge_delay_max_ms: 10_000,
            hedge_extra: 1,
            breaker_failures: 5,
            breaker_failure_percent: 50,
            breaker_calls_min: 20,
            breaker_open_ms: 10_000,
            breaker_open_max_ms: 80_000,
            breaker_open_jitter_percent: 10,
            breaker_open_on_advice: false,
            breaker_probes: 3,
            breaker_probe_max_ms: 300_000,
        }
    }
}

impl Resilience {
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }

    pub(crate) fn attempt_timeout(&self) -> Duration {
        Duration::from_millis(self.attempt_timeout_ms)
    }
}

/// How much is kept of what happened.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Trace {
    pub(crate) kept_max: u64,
    pub(crate) queue_bytes_max: usize,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            kept_max: 1_000_000,
            queue_bytes_max: 64 << 20,
        }
    }
}

/// Somebody who runs models.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
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

impl Provider {
    /// Whether it is the mock inside this process.
    pub(crate) fn is_embedded(&self) -> bool {
        self.kind == Kind::Mock && self.base_url.is_none()
    }
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
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// OpenAI's, and everybody's who copied it.
    Openai,
    /// Anthropic's.
    Anthropic,
    /// Both: the mock inside this process, or one that runs by itself.
    Mock,
}

/// A model that clients may ask for.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// What clients call it.
    pub(crate) name: String,
    /// The provider that runs it.
    pub(crate) provider: String,
    /// What the provider calls it; the same name if absent.
    #[serde(default)]
    pub(crate) upstream: Option<String>,
    /// Which API it is reached by; every one its provider speaks if absent.
    #[serde(default)]
    pub(crate) api: Option<Api>,
    /// Whose prices hold, as `provider/model`; by default the provider kind's and the upstream name.
    #[serde(default)]
    pub(crate) priced_as: Option<String>,
    /// Which models answer when this one cannot, in order.
    #[serde(default)]
    pub(crate) fallback: Vec<String>,
}

/// How a model is asked.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Api {
    /// `/v1/chat/completions`.
    OpenaiChat,
    /// `/v1/embeddings`.
    OpenaiEmbeddings,
    /// `/v1/messages`.
    AnthropicMessages,
}

impl Config {
    /// The names of the models that clients may ask for.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.model.iter().map(|model| &*model.name)
    }

    /// The ways a model is reached: what it says, or what its provider speaks.
    pub(crate) fn apis_of(&self, model: &Model) -> Vec<Api> {
        match (model.api, self.provider_of(model).map(|found| found.kind)) {
            (Some(api), _) => vec![api],
            (None, Some(Kind::Anthropic)) => vec![Api::AnthropicMessages],
            (None, Some(Kind::Openai)) => vec![Api::OpenaiChat, Api::OpenaiEmbeddings],
            (None, Some(Kind::Mock) | None) => vec![
                Api::OpenaiChat,
                Api::OpenaiEmbeddings,
                Api::AnthropicMessages,
            ],
        }
    }

    /// The name under which the provider of a model stands in the price catalog.
    pub(crate) fn price_provider<'a>(&'a self, model: &'a Model) -> &'a str {
        match self.provider_of(model).map(|provider| provider.kind) {
            Some(Kind::Anthropic) => "anthropic",
            Some(Kind::Openai) => "openai",
            Some(Kind::Mock) | None => &model.provider,
        }
    }

    fn provider_of(&self, model: &Model) -> Option<&Provider> {
        let mut providers = self.provider.iter();
        providers.find(|provider| provider.name == model.provider)
    }

    /// The embedded mock and its models, priced as the ones they stand for.
    fn use_mock(&mut self) {
        self.provider = vec![Provider {
            name: "mock".into(),
            kind: Kind::Mock,
            base_url: None,
            api_key_env: None,
        }];
        let model = |name: &str, api, priced_as: &str| Model {
            name: name.into(),
            provider: "mock".into(),
            upstream: None,
            api: Some(api),
            priced_as: Some(priced_as.into()),
            fallback: Vec::new(),
        };
        let embedding = "text-embedding-3-small";
        let claude = "claude-sonnet-4-5";
        self.model = vec![
            model("gpt-4o-mini", Api::OpenaiChat, "openai/gpt-4o-mini"),
            model("gpt-4o", Api::OpenaiChat, "openai/gpt-4o"),
            model(
                embedding,
                Api::OpenaiEmbeddings,
                "openai/text-embedding-3-small",
            ),
            model(
                claude,
                Api::AnthropicMessages,
                "anthropic/claude-sonnet-4-5",
            ),
        ];
    }
}
