//! Every layer at once, in the order of `Stack`.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body::Body;
use palisade_auth::{ApiKeys, IssueRequest, Principal, Role};
use palisade_core::{Dimension, Key, ManualClock, ModelId, Money, Tokens};
use palisade_cost::{PriceBook, PriceClass, PriceRow, Variant};
use palisade_injection::Ensemble;
use palisade_quota::{
    Amount, Defaults, Quota, QuotaLedger, ReservationId, ReserveRequest, Settler, SettlerTask,
};
use palisade_rate_limit::{Limit, MemoryConfig};
use palisade_redaction::{Kind, Policy, Scanner};
use palisade_resilience::{Backoff, BreakerConfig, BreakerRegistry, Jitter, RetryPolicy};
use palisade_tower::{
    AuthLayer, BoxError, BreakerLayer, DeadlineLayer, InjectionScan, MeterLayer, Metered,
    QuotaLayer, RateLimitLayer, RedactLayer, RetryLayer, Route, RouteLayer, ScanLayer, SecretScan,
    Stack, Take, Time, TimeoutLayer, TraceLayer, Upstream,
};
use palisade_trace::{Losses, Recorder, Trace, TraceSink};
use tower_layer::{Identity, Layer as _};
use tower_service::Service;

use super::{Ask, now};

pub const RESERVED: u64 = 100;
pub const SECOND: Duration = Duration::from_secs(1);

/// Keeps every trace.
#[derive(Clone, Debug, Default)]
pub struct Traces(pub Arc<Mutex<Vec<Trace>>>);

impl TraceSink for Traces {
    fn record(&self, trace: Trace) {
        self.0.lock().unwrap().push(trace);
    }

    fn losses(&self) -> Losses {
        unreachable!("nobody asks")
    }
}

impl Traces {
    pub fn take(&self) -> Vec<Trace> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// What stands around a stack.
pub struct House<L> {
    pub clock: ManualClock,
    pub ledger: L,
    pub settler: Settler,
    pub task: SettlerTask<L>,
    pub traces: Traces,
    pub breakers: Arc<BreakerRegistry<ManualClock>>,
    pub metered: Arc<Mutex<Vec<Metered>>>,
    pub requests_per_minute: u64,
    key: String,
    keys: Arc<ApiKeys<palisade_auth::InMemory, ManualClock>>,
    ids: Arc<AtomicU64>,
}

pub fn scope() -> Key {
    Key::new(Dimension::Org, "acme").unwrap()
}

pub fn defaults(limit: u64) -> Defaults {
    let quota = Quota::UNLIMITED
        .with_tokens(Some(Tokens::new(limit)))
        .and_then(|quota| quota.with_money(Some(Money::from_nano_usd(limit as i64))));
    Defaults::new(quota.unwrap())
}

/// A nano-dollar a token.
pub fn prices() -> Arc<PriceBook> {
    let price: Money = "0.001".parse().unwrap();
    let row = PriceRow::new(ModelId::new("acme", "large").unwrap())
        .with_price(Variant::STANDARD, PriceClass::Input, price)
        .and_then(|row| row.with_price(Variant::STANDARD, PriceClass::Output, price));
    Arc::new(PriceBook::empty().with_rows([row.unwrap()]))
}

pub fn scanner() -> Arc<Scanner> {
    let scanner = Scanner::builder()
        .with_kind(Kind::Secret, true)
        .with_kind(Kind::Pii, true)
        .with_policy(Policy::for_outputs());
    Arc::new(scanner.build().unwrap())
}

impl<L: QuotaLedger + Clone + 'static> House<L> {
    pub fn new(clock: ManualClock, ledger: L) -> Self {
        let (settler, task) = Settler::new(ledger.clone(), 4_096);
        let keys = Arc::new(ApiKeys::new(
            palisade_auth::InMemory::default(),
            clock.clone(),
        ));
        let principal = Principal::new("acme", Role::Developer).unwrap();
        let issued = now(keys.issue(IssueRequest::new(principal))).unwrap();
        let breaker = BreakerConfig::default()
            .with_consecutive_failures(5)
            .with_open_for(SECOND * 5, SECOND * 5)
            .with_open_jitter(0)
            .with_probes(1, SECOND * 300);
        Self {
            breakers: Arc::new(BreakerRegistry::new(
                breaker.build().unwrap(),
                clock.clone(),
            )),
            clock,
            ledger,
            settler,
            task,
            traces: Traces::default(),
            metered: Arc::default(),
            requests_per_minute: 60,
            key: format!("Bearer {}", issued.key.expose()),
            keys,
            ids: Arc::default(),
        }
    }

    pub fn breaker_key() -> Key {
        Key::new(Dimension::Provider, "acme")
            .and_then(|key| key.with(Dimension::Model, "large"))
            .unwrap()
    }

    pub fn request(&self, prompt: &'static str) -> Request<Ask> {
        let mut request = Ask::openai(prompt);
        let key = header::HeaderValue::try_from(&self.key).unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, key);
        request
    }

    pub fn service<S, B>(
        &self,
        upstream: S,
    ) -> impl Service<
        Request<Ask>,
        Response = Response<impl Body<Data = Bytes, Error = BoxError> + Send + use<S, B, L>>,
        Error = BoxError,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + use<S, B, L>
    where
        S: Service<Request<Ask>, Response = Response<B>, Error = BoxError>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
        B: Body<Data = Bytes, Error = BoxError> + Send + 'static,
    {
        let time = Time::new(self.clock.clone(), self.clock.clone());
        let limit = Limit::per_minute("chat", self.requests_per_minute).unwrap();
        let limiter =
            palisade_rate_limit::InMemory::new(MemoryConfig::new(), self.clock.clone()).unwrap();
        let ids = Arc::clone(&self.ids);
        let metered = Arc::clone(&self.metered);
        let scan = ScanLayer::new()
            .with(InjectionScan::new(Ensemble::standard()))
            .with(SecretScan::new(scanner(), Policy::for_prompts()));
        let backoff = Backoff::new(SECOND, SECOND)
            .unwrap()
            .with_jitter(Jitter::None);
        let policy = RetryPolicy::new(3).unwrap().with_backoff(backoff);
        Stack::new()
            .trace(TraceLayer::new(Recorder::new(
                self.traces.clone(),
                self.clock.clone(),
            )))
            .auth(AuthLayer::new(Arc::clone(&self.keys)))
            .rate_limit(RateLimitLayer::new(
                Arc::new(limiter),
                move |request: &Request<Ask>| {
                    let principal = request
                        .extensions()
                        .get::<Principal>()
                        .expect("auth was here");
                    Ok(vec![Take::one(limit, principal.key())])
                },
            ))
            .read(Identity::new())
            .redact(RedactLayer::new(scanner()))
            .quota(QuotaLayer::new(
                self.ledger.clone(),
                self.settler.clone(),
                move |_: &Request<Ask>| {
                    let id = ReservationId::from_u128(ids.fetch_add(1, Ordering::Relaxed).into());
                    let ask = Amount::from_columns(RESERVED as i64, RESERVED as i64).unwrap();
                    Ok(Some(ReserveRequest::new(id, [scope()], ask).unwrap()))
                },
            ))
            .scan(scan)
            .route(RouteLayer::new(|_: &Request<Ask>| {
                let priced_as = ModelId::new("acme", "large").unwrap();
                Ok(Route::new(
                    "acme".into(),
                    "large".into(),
                    priced_as,
                    "configured",
                ))
            }))
            .deadline(DeadlineLayer::new(SECOND * 30, time.clone()))
            .retry(RetryLayer::new(policy, time.clone()))
            .breaker(BreakerLayer::new(
                Arc::clone(&self.breakers),
                Upstream::new(self.clock.clone()),
            ))
            .meter(MeterLayer::new(
                prices(),
                Arc::new(move |call: &Metered, _: &http::Extensions| {
                    metered.lock().unwrap().push(call.clone());
                }),
                self.clock.clone(),
            ))
            .timeout(TimeoutLayer::new(SECOND * 10, SECOND * 5, time))
            .layer(upstream)
    }
}
