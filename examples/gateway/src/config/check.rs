//! What is allowed. Every error names the key, what was found and what is allowed.

use std::{collections::BTreeSet, fmt};

use super::{Config, Injection, Kind};

/// A value that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file or a variable cannot be read as configuration.
    #[error("{0}")]
    Unreadable(String),
    /// A value is not allowed.
    #[error("configuration key `{key}`: found {found}, allowed is {allowed}")]
    Value {
        /// The key, from the root.
        key: String,
        /// What stands there; only its kind if it may be secret.
        found: String,
        /// What may stand there.
        allowed: String,
    },
    /// A value is not allowed, for a reason that its guard knows.
    #[error("configuration key `{key}`: {why}")]
    Refused {
        /// The key, from the root.
        key: String,
        /// What is wrong and what would be right.
        why: String,
    },
}

/// A day, in milliseconds: the longest time that can be set.
const DAY_MS: u64 = 86_400_000;

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_numbers()?;
        self.check_injection()?;
        self.check_providers()?;
        self.check_models()
    }

    fn check_numbers(&self) -> Result<(), ConfigError> {
        let Self {
            server,
            store,
            limits,
            quota,
            resilience,
            load,
            health,
            chaos,
            trace,
            ..
        } = self;
        let numbers: &[(&str, u64, u64, u64)] = &[
            (
                "server.workers",
                server.workers.unwrap_or(1) as u64,
                1,
                1_024,
            ),
            (
                "server.connections_max",
                server.connections_max as u64,
                1,
                1_000_000,
            ),
            (
                "server.body_bytes_max",
                server.body_bytes_max as u64,
                1_024,
                1 << 30,
            ),
            (
                "server.header_timeout_ms",
                server.header_timeout_ms,
                1,
                DAY_MS,
            ),
            ("server.body_timeout_ms", server.body_timeout_ms, 1, DAY_MS),
            (
                "server.shutdown_grace_ms",
                server.shutdown_grace_ms,
                0,
                3_600_000,
            ),
            ("store.busy_timeout_ms", store.busy_timeout_ms, 0, 600_000),
            (
                "limits.requests_per_minute",
                limits.requests_per_minute,
                1,
                1_000_000_000,
            ),
            ("limits.burst", limits.burst, 1, 1_000_000_000),
            (
                "limits.global_requests_per_second",
                limits.global_requests_per_second,
                1,
                100_000_000,
            ),
            ("limits.keys_max", limits.keys_max as u64, 1, 100_000_000),
            ("quota.hold_ms", quota.hold_ms, 1, DAY_MS),
            ("quota.lease_round_ms", quota.lease_round_ms, 1, 60_000),
            (
                "quota.output_tokens_default",
                quota.output_tokens_default,
                1,
                10_000_000,
            ),
            ("resilience.attempts", resilience.attempts.into(), 1, 10),
            ("resilience.deadline_ms", resilience.deadline_ms, 1, DAY_MS),
            (
                "resilience.attempt_timeout_ms",
                resilience.attempt_timeout_ms,
                1,
                DAY_MS,
            ),
            (
                "resilience.backoff_base_ms",
                resilience.backoff_base_ms,
                1,
                60_000,
            ),
            (
                "resilience.backoff_max_ms",
                resilience.backoff_max_ms,
                resilience.backoff_base_ms,
                600_000,
            ),
            (
                "resilience.advice_max_ms",
                resilience.advice_max_ms,
                0,
                DAY_MS,
            ),
            (
                "resilience.org_retries_per_second",
                resilience.org_retries_per_second.into(),
                0,
                1_000,
            ),
            (
                "resilience.hedge_percentile",
                resilience.hedge_percentile.into(),
                if resilience.hedge_percentile == 0 {
                    0
                } else {
                    50
                },
                99,
            ),
            (
                "resilience.hedge_delay_min_ms",
                resilience.hedge_delay_min_ms,
                1,
                3_600_000,
            ),
            (
                "resilience.hedge_delay_max_ms",
                resilience.hedge_delay_max_ms,
                resilience.hedge_delay_min_ms,
                3_600_000,
            ),
            (
                "resilience.hedge_after_ms",
                resilience.hedge_after_ms,
                0,
                // One or the other.
                if resilience.hedge_percentile == 0 {
                    3_600_000
                } else {
                    0
                },
            ),
            (
                "resilience.hedge_extra",
                resilience.hedge_extra.into(),
                1,
                4,
            ),
            (
                "resilience.retries_saved_max",
                resilience.retries_saved_max.into(),
                1,
                1_000_000,
            ),
            (
                "resilience.breaker_open_max_ms",
                resilience.breaker_open_max_ms,
                resilience.breaker_open_ms,
                DAY_MS,
            ),
            (
                "resilience.breaker_open_jitter_percent",
                resilience.breaker_open_jitter_percent.into(),
                0,
                100,
            ),
            (
                "resilience.breaker_probes",
                resilience.breaker_probes.into(),
                1,
                1_000,
            ),
            (
                "resilience.breaker_probe_max_ms",
                resilience.breaker_probe_max_ms,
                1,
                DAY_MS,
            ),
            (
                "resilience.retry_percent",
                resilience.retry_percent.into(),
                0,
                1_000,
            ),
            (
                "resilience.retries_per_second",
                resilience.retries_per_second.into(),
                0,
                1_000,
            ),
            (
                "resilience.breaker_failures",
                resilience.breaker_failures.into(),
                1,
                1_000_000,
            ),
            (
                "resilience.breaker_failure_percent",
                resilience.breaker_failure_percent.into(),
                1,
                100,
            ),
            (
                "resilience.breaker_calls_min",
                resilience.breaker_calls_min.into(),
                1,
                1_000_000,
            ),
            (
                "resilience.breaker_open_ms",
                resilience.breaker_open_ms,
                1,
                DAY_MS,
            ),
            ("health.fresh_ms", health.fresh_ms, 0, 3_600_000),
            ("health.timeout_ms", health.timeout_ms, 1, 60_000),
            ("chaos.fail_percent", chaos.fail_percent.into(), 0, 100),
            ("chaos.delay_percent", chaos.delay_percent.into(), 0, 100),
            ("chaos.delay_max_ms", chaos.delay_max_ms, 0, 3_600_000),
            ("load.wait_ms", load.wait_ms, 1, 3_600_000),
            ("load.adaptive_min", load.adaptive_min.into(), 1, 1_000_000),
            (
                "load.adaptive_from",
                load.adaptive_from.into(),
                load.adaptive_min.into(),
                load.adaptive_max.into(),
            ),
            ("load.adaptive_max", load.adaptive_max.into(), 1, 1_000_000),
            (
                "load.throttle_ratio_percent",
                load.throttle_ratio_percent.into(),
                101,
                10_000,
            ),
            (
                "load.throttle_window_ms",
                load.throttle_window_ms,
                1_000,
                DAY_MS,
            ),
            (
                "load.throttle_refuse_max_percent",
                load.throttle_refuse_max_percent.into(),
                1,
                99,
            ),
            ("load.pushback_wait_ms", load.pushback_wait_ms, 0, DAY_MS),
            ("load.pushback_max_ms", load.pushback_max_ms, 1_000, DAY_MS),
            (
                "load.breaker_abandoned_ms",
                load.breaker_abandoned_ms,
                0,
                DAY_MS,
            ),
            ("load.breaker_window_ms", load.breaker_window_ms, 1, DAY_MS),
            ("load.breaker_slow_ms", load.breaker_slow_ms, 0, DAY_MS),
            (
                "load.breaker_first_token_ms",
                load.breaker_first_token_ms,
                0,
                DAY_MS,
            ),
            (
                "load.breaker_slow_percent",
                load.breaker_slow_percent.into(),
                1,
                100,
            ),
            ("load.breaker_ramp_ms", load.breaker_ramp_ms, 0, DAY_MS),
            ("trace.kept_max", trace.kept_max, 1, 1 << 40),
            (
                "trace.queue_bytes_max",
                trace.queue_bytes_max as u64,
                1 << 16,
                1 << 40,
            ),
        ];
        numbers
            .iter()
            .try_for_each(|(key, found, least, most)| within(key, *found, *least, *most))
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
            let allowed = "a score from 0 to injection.block_at";
            return Err(value("injection.review_at", review_at, allowed));
        }
        Ok(())
    }

    fn check_providers(&self) -> Result<(), ConfigError> {
        let mut names = BTreeSet::new();
        for (index, provider) in self.provider.iter().enumerate() {
            let key = |field: &str| format!("provider[{index}].{field}");
            if provider.name.is_empty() || !names.insert(&provider.name) {
                let found = format!("{:?}", provider.name);
                return Err(value(
                    &key("name"),
                    found,
                    "a name that no other provider has",
                ));
            }
            match (provider.kind, &provider.base_url) {
                (Kind::Mock, None) => {}
                (_, Some(url)) if is_http(url) => {}
                (_, found) => {
                    // A base URL may carry credentials, so what was found is named by its kind alone.
                    let found = if found.is_some() {
                        "something else"
                    } else {
                        "nothing"
                    };
                    let allowed = "a URL such as https://api.openai.com";
                    return Err(value(&key("base_url"), found, allowed));
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
                let found = format!("{:?}", model.name);
                return Err(value(&key("name"), found, "a name that no other model has"));
            }
            let mut known = self.provider.iter().map(|provider| &*provider.name);
            if !known.any(|provider| provider == model.provider) {
                let known: Vec<&str> = self
                    .provider
                    .iter()
                    .map(|provider| &*provider.name)
                    .collect();
                let allowed = format!("the name of a provider: {}", known.join(", "));
                return Err(value(
                    &key("provider"),
                    format!("{:?}", model.provider),
                    &allowed,
                ));
            }
            if let Some(price) = model
                .priced_as
                .as_ref()
                .filter(|price| !price.contains('/'))
            {
                let allowed = "provider/model, such as openai/gpt-4o-mini";
                return Err(value(&key("priced_as"), format!("{price:?}"), allowed));
            }
            let apis = self.apis_of(model);
            for fallback in &model.fallback {
                let mut others = self.model.iter().filter(|other| other.name != model.name);
                let fits = others.any(|other| {
                    let speaks = self.apis_of(other);
                    other.name == *fallback && apis.iter().all(|api| speaks.contains(api))
                });
                if !fits {
                    let allowed = "another model that is asked by the same APIs";
                    return Err(value(&key("fallback"), format!("{fallback:?}"), allowed));
                }
            }
        }
        Ok(())
    }
}

/// Whether `url` is one that can be called.
fn is_http(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https")) && url.query().is_none()
    })
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
