//! The walk of a request: every guard-rail, in one place, read from top to bottom.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::body::Body;
use http::{Request, Response};
use palisade::{
    auth::Principal,
    core::{Channel, Clock, Dimension, Key, ModelId, Money, SystemClock, Text, Tokens},
    cost::{CallFacts, EstimateFacts, PriceBook, estimate},
    injection::{Detector as _, Ensemble, Thresholds},
    quota::{Amount, ReservationId, ReserveRequest, Settler},
    rate_limit::{self, Limit},
    redaction::{Action, HashKey, Kind, Policy, Scanner},
    resilience::{
        Backoff, BreakerConfig, BreakerRegistry, HedgePolicy, Hedger, Idempotency,
        RetryBudgetConfig, RetryBudgets, RetryPolicy, TokioTimer,
    },
    tower::{
        AuthLayer, BoxError, By, DeadlineLayer, DiagnoseLayer, FallbackLayer, Fallbacks,
        HedgeLayer, InjectionScan, LimitRules, MeterLayer, QuotaLayer, RateLimitLayer, Reason,
        RedactLayer, Rejection, RetryLayer, Route, RouteLayer, ScanLayer, SecretScan, Stack, Time,
        TimeoutLayer, TraceLayer, UsageSink,
    },
    trace::Recorder,
};
use tower::util::BoxCloneSyncService;
use tower_layer::Layer as _;

use crate::{
    call::Call,
    chaos,
    config::{Config, ConfigError, Mask, Model, OnFailure},
    gateway::{Keys, Ledger},
    load,
    read::ReadLayer,
    upstream::Upstream,
};

/// A request with its body still unread goes in, an answer that may stream comes out.
pub(crate) type Service = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// What the stack shares with the rest of the gateway.
pub(crate) struct Parts {
    pub(crate) ledger: Ledger,
    pub(crate) keys: Arc<Keys>,
    pub(crate) recorder: Recorder,
    pub(crate) settler: Settler,
    pub(crate) breakers: Arc<BreakerRegistry>,
    pub(crate) prices: Arc<PriceBook>,
    pub(crate) usage: Arc<dyn UsageSink>,
}

/// Builds the walk, `times` over: the guards are the same in each, the connections to the providers its own.
///
/// # Errors
///
/// [`ConfigError`] for a value that only its room can judge.
pub(crate) fn build(
    config: &Config,
    times: usize,
    parts: Parts,
    upstream: &Upstream,
) -> Result<Vec<Service>, ConfigError> {
    let time = Time::new(SystemClock, TokioTimer);
    let scanner = Arc::new(scanner(config)?);
    let limits = rate_limits(config)?;
    let limiter = rate_limit::InMemory::new(
        rate_limit::MemoryConfig::new().with_capacity(config.limits.keys_max),
        SystemClock,
    )
    .map_err(|error| refused("limits.keys_max", &error))?;
    let asks = asks(config, Arc::clone(&parts.prices));

    let stack = Stack::new()
        // Outermost, so that a refusal is traced too.
        .trace(TraceLayer::new(parts.recorder))
        // Cheap before dear: who asks is known before anything is counted for them …
        .auth(AuthLayer::new(parts.keys))
        // … and a counter stands before the ledger, so that a flood does not reach it.
        .rate_limit(
            RateLimitLayer::new(Arc::new(limiter), limits)
                .on_store_failure(policy(config.limits.on_store_failure)),
        )
        // Nobody unknown and nobody too fast makes us read a body.
        .read(ReadLayer {
            bytes_max: config.server.body_bytes_max,
            patience: Duration::from_millis(config.server.body_timeout_ms),
        })
        // Around the settlement: tokens are counted as the model sent them, the client sees the cleaned text.
        .redact(RedactLayer::new(Arc::clone(&scanner)))
        // Outside the retry: one reservation covers all attempts.
        .quota(
            QuotaLayer::new(parts.ledger, parts.settler, asks)
                .on_store_failure(policy(config.quota.on_store_failure)),
        )
        // A scan costs more than a counter and less than a model.
        .scan(scan(config, &scanner)?)
        // The model is chosen once; attempts go to one place.
        .route(RouteLayer::new(router(config)?))
        // The client waits for the whole, however many attempts it takes.
        .deadline(DeadlineLayer::new(
            config.resilience.deadline(),
            time.clone(),
        ))
        // Every attempt asks the breaker anew. Outside, another model when this one cannot; inside, a second request when it
        // is late.
        .retry(repeats(config, &time)?)
        // Counts attempts, not requests. Around it what is too much, in the order that `around_breaker` gives reasons for.
        .breaker(load::layer(config, parts.breakers, time.clone())?)
        // Every attempt that was answered costs, also the one nobody wanted.
        .meter(MeterLayer::new(parts.prices, parts.usage, SystemClock))
        // Innermost: an attempt given up is a failure to the breaker and a known end to the meter.
        .timeout(TimeoutLayer::new(
            config.resilience.attempt_timeout(),
            config.resilience.attempt_timeout(),
            time.clone(),
        ));
    let chaos = chaos::layer(config, time)?;
    let walk = || {
        // In the place of the provider's bad day.
        let upstream =
            tower::util::option_layer(chaos.clone()).layer(upstream.with_own_connections());
        // Right before the provider, where its error bodies and all its fields are still there …
        let upstream = DiagnoseLayer::new(SystemClock).layer(upstream);
        // … and behind that, what the client should not see is taken off.
        let upstream = tower::ServiceExt::map_response(upstream, crate::upstream::hand_on);
        tower::ServiceExt::map_response(stack.layer(upstream), |response: Response<_>| {
            response.map(Body::new)
        })
    };
    Ok((0..times)
        .map(|_| BoxCloneSyncService::new(walk()))
        .collect())
}

/// Whether the rooms accept the configuration, without building the walk.
///
/// # Errors
///
/// [`ConfigError`] for a value that only its room can judge.
pub(crate) fn check(config: &Config) -> Result<(), ConfigError> {
    scanner(config)?;
    rate_limits(config)?;
    drop(router(config)?);
    Elsewhere::new(config)?;
    retry_policy(config)?;
    retry_budgets(config)?;
    hedger(config)?;
    let breakers = Arc::new(breakers(config)?);
    chaos::layer(config, Time::new(SystemClock, TokioTimer))?;
    load::layer(config, breakers, Time::new(SystemClock, TokioTimer))?;
    Ok(())
}

type Repeats = (FallbackLayer<Elsewhere>, RetryLayer, HedgeLayer);

/// Everything that sends a request again: to another model, once more, or a second time since it is late. All three on one
/// account.
fn repeats(config: &Config, time: &Time) -> Result<Repeats, ConfigError> {
    let budgets = Arc::new(retry_budgets(config)?);
    let fallback = FallbackLayer::new(Elsewhere::new(config)?, time.clone());
    let retry = RetryLayer::new(retry_policy(config)?, time.clone());
    let hedge = match hedger(config)? {
        Some(hedger) => HedgeLayer::new(Arc::new(hedger), time.clone()),
        None => HedgeLayer::off(time.clone()),
    };
    // A model call changes nothing in the world. What a wasted attempt costs is money, and the budget guards it.
    let harmless = Idempotency::Declared;
    Ok((
        fallback
            .with_budgets(Arc::clone(&budgets), account)
            .with_idempotency(harmless),
        retry
            .with_budgets(Arc::clone(&budgets), account)
            .with_idempotency(harmless),
        hedge
            .with_budgets(budgets, account)
            .with_idempotency(harmless),
    ))
}

/// What all requests together may repeat (a share of their number, and a few a second for quiet times), and what those of
/// one organisation may.
fn retry_budgets(config: &Config) -> Result<RetryBudgets, ConfigError> {
    let whole = RetryBudgetConfig::default()
        .with_percent(config.resilience.retry_percent)
        .with_floor(config.resilience.retries_per_second)
        .with_capacity(config.resilience.retries_saved_max);
    let each = whole.with_floor(config.resilience.org_retries_per_second);
    RetryBudgets::new(whole, each).map_err(|error| refused("resilience.retry_percent", &error))
}

/// On whose account attempts are repeated: an organisation's at one provider, so that neither another's calls nor another
/// provider's trouble spend them.
fn account(extensions: &http::Extensions) -> Key {
    let principal = extensions.get::<Principal>();
    let own = principal.map_or_else(Key::global, |principal| principal.key_of(&[Dimension::Org]));
    let Some(route) = extensions.get::<Route>() else {
        return own;
    };
    let there = own
        .clone()
        .with(Dimension::Provider, route.upstream.as_bytes());
    there.unwrap_or(own)
}

fn hedger(config: &Config) -> Result<Option<Hedger>, ConfigError> {
    let crate::config::Resilience {
        hedge_after_ms: after,
        hedge_percentile: percent,
        hedge_delay_min_ms: min,
        hedge_delay_max_ms: max,
        hedge_extra: extra,
        ..
    } = config.resilience;
    let ms = Duration::from_millis;
    let policy = match (after, percent) {
        (0, 0) => return Ok(None),
        (0, percent) => HedgePolicy::percentile(percent, ms(min), ms(max))
            .map_err(|error| refused("resilience.hedge_percentile", &error))?,
        (after, _) => HedgePolicy::after(ms(after))
            .map_err(|error| refused("resilience.hedge_after_ms", &error))?,
    };
    let policy = policy
        .with_extra(extra)
        .map_err(|error| refused("resilience.hedge_extra", &error))?;
    Ok(Some(Hedger::new(policy)))
}

/// Where a request goes when its model cannot answer: by provider and model.
#[derive(Clone)]
struct Elsewhere(Arc<HashMap<Place, Vec<Route>>>);

/// A provider, and what it calls a model.
type Place = (Arc<str>, Arc<str>);

impl Elsewhere {
    fn new(config: &Config) -> Result<Self, ConfigError> {
        let mut elsewhere = HashMap::new();
        for model in &config.model {
            let mut routes = Vec::new();
            for name in &model.fallback {
                // Those that are missing have been refused with the rest of the file.
                for other in config.model.iter().filter(|other| other.name == *name) {
                    routes.push(route_to(config, other, "fallback")?);
                }
            }
            if !routes.is_empty() {
                let first = route_to(config, model, "configured")?;
                elsewhere.insert((first.upstream, first.model), routes);
            }
        }
        Ok(Self(Arc::new(elsewhere)))
    }
}

impl Fallbacks for Elsewhere {
    fn after(&self, first: &Route) -> Vec<Route> {
        let key = (Arc::clone(&first.upstream), Arc::clone(&first.model));
        self.0.get(&key).cloned().unwrap_or_default()
    }
}

fn route_to(config: &Config, model: &Model, reason: &'static str) -> Result<Route, ConfigError> {
    let upstream = model.upstream.as_deref().unwrap_or(&model.name);
    Ok(Route::new(
        model.provider.as_str().into(),
        upstream.into(),
        priced_as(config, model)?,
        reason,
    ))
}

/// The breakers of the configuration.
///
/// # Errors
///
/// [`ConfigError`] for a value that the room refuses.
pub(crate) fn breakers(config: &Config) -> Result<BreakerRegistry, ConfigError> {
    let (resilience, ms) = (&config.resilience, Duration::from_millis);
    let open_for = ms(resilience.breaker_open_ms);
    let policy = BreakerConfig::default()
        .with_consecutive_failures(config.resilience.breaker_failures)
        .with_failure_rate(config.resilience.breaker_failure_percent)
        .with_minimum_calls(config.resilience.breaker_calls_min)
        .with_open_for(open_for, ms(resilience.breaker_open_max_ms))
        .with_open_jitter(resilience.breaker_open_jitter_percent)
        .with_open_on_advice(resilience.breaker_open_on_advice)
        .with_probes(
            resilience.breaker_probes,
            ms(resilience.breaker_probe_max_ms),
        );
    let policy = load::watching(config, policy)
        .build()
        .map_err(|error| refused("resilience.breaker_failures", &error))?;
    Ok(BreakerRegistry::new(policy, SystemClock))
}

/// What a request takes: one of its user's limit, and one of everybody's.
fn rate_limits(config: &Config) -> Result<LimitRules, ConfigError> {
    let Config { limits, .. } = config;
    let each = Limit::per_minute("chat", limits.requests_per_minute)
        .and_then(|limit| limit.with_burst(limits.burst))
        .map_err(|error| refused("limits.requests_per_minute", &error))?;
    let all = Limit::per_second("gateway", limits.global_requests_per_second)
        .map_err(|error| refused("limits.global_requests_per_second", &error))?;
    Ok(LimitRules::new().with(each, [By::Person]).with(all, []))
}

/// What a request may cost at most: its estimated input and the output it asks for, at the prices of its model.
fn asks(
    config: &Config,
    prices: Arc<PriceBook>,
) -> impl Fn(&Request<Call>) -> Result<Option<ReserveRequest>, Rejection> + Send + Sync + 'static {
    let models: HashMap<String, ModelId> = config
        .model
        .iter()
        .filter_map(|model| Some((model.name.clone(), priced_as(config, model).ok()?)))
        .collect();
    let output_default = config.quota.output_tokens_default;
    let hold = Duration::from_millis(config.quota.hold_ms);
    move |request| {
        let call = request.body();
        let input = Tokens::new(call.input_tokens_estimate);
        let output = Tokens::new(call.output_tokens_max.unwrap_or(output_default));
        let internal = |detail: String| Rejection::new(Reason::Internal, detail);
        let tokens = input.checked_add(output).ok_or_else(|| {
            Rejection::new(
                Reason::Invalid,
                "the request asks for more tokens than can be counted",
            )
        })?;
        // A model without a price is counted in tokens; what it costs is not known, and the answer says so.
        let cost = match models.get(&*call.model) {
            None => Money::ZERO,
            Some(model) => {
                let facts = CallFacts::new(model.clone(), SystemClock.now());
                estimate(&prices, &facts, &EstimateFacts::new(input, output))
                    .map_err(|error| Rejection::new(Reason::Invalid, error.to_string()))?
                    .unwrap_or(Money::ZERO)
            }
        };
        let ask = Amount::new(tokens, cost)
            .map_err(|error| Rejection::new(Reason::Invalid, error.to_string()))?;
        let id = ReservationId::random().map_err(|error| internal(error.to_string()))?;
        let reserve = ReserveRequest::new(id, scopes(principal(request)?), ask)
            .and_then(|reserve| reserve.with_timeout(hold))
            .map_err(|error| internal(error.to_string()))?;
        Ok(Some(reserve))
    }
}

/// The person who asks, whichever of their API keys they use; the API key itself if it belongs to nobody in particular.
pub(crate) fn own_key(principal: &Principal) -> Key {
    if principal.user().is_some() {
        principal.key_of(&[Dimension::Org, Dimension::Project, Dimension::User])
    } else {
        principal.key()
    }
}

/// Whose allowances a principal's requests are taken from: the organisation's, the project's and the user's.
pub(crate) fn scopes(principal: &Principal) -> Vec<Key> {
    let circles = [
        principal.key_of(&[Dimension::Org]),
        principal.key_of(&[Dimension::Org, Dimension::Project]),
        principal.key_of(&[Dimension::Org, Dimension::Project, Dimension::User]),
    ];
    let mut scopes = circles.to_vec();
    scopes.dedup();
    scopes
}

fn principal<T>(request: &Request<T>) -> Result<&Principal, Rejection> {
    request
        .extensions()
        .get()
        .ok_or_else(|| Rejection::new(Reason::Internal, "the request has no principal"))
}

/// What is looked for in prompts and answers, and how it is covered in answers.
fn scanner(config: &Config) -> Result<Scanner, ConfigError> {
    let mask = match config.redaction.mask {
        Mask::Full => palisade::redaction::Mask::Full,
        Mask::Partial => palisade::redaction::Mask::Partial { shown: 4 },
        Mask::Hash => {
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(|error| refused("redaction.mask", &error))?;
            palisade::redaction::Mask::hash(HashKey::new(key))
        }
    };
    let policy = if config.redaction.enabled {
        Policy::for_outputs()
    } else {
        let allow = |policy: Policy, kind| policy.with_action(kind, Action::Allow);
        Kind::ALL.into_iter().fold(Policy::for_outputs(), allow)
    };
    Scanner::builder()
        .with_kind(Kind::Secret, true)
        .with_kind(Kind::Pii, config.redaction.pii)
        .with_kind(Kind::Keyword, config.redaction.commands)
        .with_kind(Kind::Command, config.redaction.commands)
        .with_mask(mask)
        .with_policy(policy)
        .build()
        .map_err(|error| refused("redaction", &error))
}

fn scan(config: &Config, scanner: &Arc<Scanner>) -> Result<ScanLayer, ConfigError> {
    let mut scan = ScanLayer::new();
    if config.injection.enabled {
        let thresholds = Thresholds::new(config.injection.review_at, config.injection.block_at)
            .map_err(|error| refused("injection.block_at", &error))?;
        let detector = Ensemble::standard().with_thresholds(thresholds);
        // Its tables are built when they are first used: not while the first client waits.
        let _ = detector.detect(Text::new(Channel::User, "hello"));
        scan = scan.with(InjectionScan::new(detector));
    }
    if config.redaction.enabled {
        scan = scan.with(SecretScan::new(Arc::clone(scanner), Policy::for_prompts()));
    }
    Ok(scan)
}

fn router(
    config: &Config,
) -> Result<impl Fn(&Request<Call>) -> Result<Route, Rejection> + Send + Sync + 'static, ConfigError>
{
    let mut routes = HashMap::new();
    for model in &config.model {
        let route = route_to(config, model, "configured")?;
        routes.insert(model.name.clone(), (config.apis_of(model), route));
    }
    Ok(move |request: &Request<Call>| {
        let call = request.body();
        match routes.get(&*call.model) {
            Some((apis, route)) if apis.contains(&call.api) => Ok(route.clone()),
            Some(_) => {
                let detail = format!(
                    "the model {:?} is not reached by a {}",
                    call.model,
                    call.api.name()
                );
                Err(Rejection::new(Reason::UnknownModel, detail))
            }
            None => {
                let detail = format!("there is no model {:?}; /v1/models lists them", call.model);
                Err(Rejection::new(Reason::UnknownModel, detail))
            }
        }
    })
}

/// Under which name a model's prices stand in the catalog.
fn priced_as(config: &Config, model: &Model) -> Result<ModelId, ConfigError> {
    let (provider, name) = match model
        .priced_as
        .as_deref()
        .and_then(|price| price.split_once('/'))
    {
        Some(pair) => pair,
        None => {
            let upstream = model.upstream.as_deref().unwrap_or(&model.name);
            (config.price_provider(model), upstream)
        }
    };
    ModelId::new(provider, name).map_err(|error| refused("model.priced_as", &error))
}

fn retry_policy(config: &Config) -> Result<RetryPolicy, ConfigError> {
    let base = Duration::from_millis(config.resilience.backoff_base_ms);
    let cap = Duration::from_millis(config.resilience.backoff_max_ms);
    let backoff =
        Backoff::new(base, cap).map_err(|error| refused("resilience.backoff_base_ms", &error))?;
    let patience = Duration::from_millis(config.resilience.advice_max_ms);
    let backoff = backoff
        .with_growth(config.resilience.backoff_growth)
        .with_jitter(config.resilience.backoff_jitter)
        .with_advice_max(patience, config.resilience.advice_long)
        .map_err(|error| refused("resilience.advice_max_ms", &error))?;
    RetryPolicy::new(config.resilience.attempts)
        .map(|policy| policy.with_backoff(backoff))
        .map(|policy| policy.with_wait_for_circuit(config.resilience.wait_for_circuit))
        .map_err(|error| refused("resilience.attempts", &error))
}

const fn policy(on_failure: OnFailure) -> palisade::tower::OnStoreFailure {
    match on_failure {
        OnFailure::Open => palisade::tower::OnStoreFailure::Open,
        OnFailure::Closed => palisade::tower::OnStoreFailure::Closed,
    }
}

/// A value that the room behind it refuses.
pub(crate) fn refused(key: &str, why: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::Refused {
        key: key.to_owned(),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use palisade::auth::Role;

    use super::*;

    #[test]
    fn attempts_are_repeated_on_the_account_of_one_organisation_at_one_provider() {
        let account_of = |org: &str, provider: &str| {
            let mut extensions = http::Extensions::new();
            extensions.insert(Principal::new(org, Role::Developer).unwrap());
            let priced_as = ModelId::new("acme", "large").unwrap();
            let route = Route::new(provider.into(), "large".into(), priced_as, "configured");
            extensions.insert(route);
            account(&extensions)
        };
        let own = account_of("one", "acme");
        assert_eq!(own, account_of("one", "acme"));
        assert_ne!(own, account_of("two", "acme"));
        assert_ne!(own, account_of("one", "other"));
        assert_eq!(account(&http::Extensions::new()), Key::global());
    }
}
