//! What do the guards add to a request? Each layer alone, and all of them as the stack, over an upstream that has its
//! answer ready.
//!
//! Read a layer's cost as its time less that of `none`: building the request, calling the upstream and reading the answer
//! is in all of them. Stores are in memory; what a store on disk adds is the question of `quota.rs`.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use criterion::{
    BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime,
};
use futures_util::{FutureExt as _, stream};
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body, Frame};
use palisade::{
    auth::{self, ApiKeys, IssueRequest, Principal, Role},
    core::{Channel, Dimension, Key, ModelId, Money, Param, SystemClock, Text, Texts, Tokens},
    cost::{PriceBook, UsageShape},
    injection::Ensemble,
    quota::{self, Amount, Defaults, Quota, ReservationId, ReserveRequest, Settler, SettlerTask},
    rate_limit::{self, Limit, MemoryConfig},
    redaction::{Policy, Scanner},
    resilience::{
        BreakerPolicy, BreakerRegistry, Idempotency, RetryBudget, RetryPolicy, TokioTimer,
    },
    tower::{
        Asks, AuthLayer, BoxError, BreakerLayer, DeadlineLayer, InjectionScan, MeterLayer, Metered,
        QuotaLayer, RateLimitLayer, RedactLayer, RetryLayer, Route, RouteLayer, Router, ScanLayer,
        SecretScan, Stack, Take, Takes, Time, TimeoutLayer, TraceLayer, Upstream,
    },
    trace::{self, Recorder},
};
use palisade_benches::texts;
use tower::{Layer, Service, ServiceExt as _, layer::util::Identity, service_fn};

type Pieces = StreamBody<stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

/// A request to a model, as a host has read it.
#[derive(Clone)]
struct Prompt(Arc<str>);

impl Texts for Prompt {
    fn texts(&self, visit: &mut dyn FnMut(Text<'_>)) {
        visit(Text::new(Channel::User, &self.0));
    }
}

impl Param<UsageShape> for Prompt {
    fn param(&self) -> UsageShape {
        UsageShape::OpenAiChat
    }
}

/// What the upstream answers, each time the same.
#[derive(Clone)]
struct Answer {
    content_type: &'static str,
    pieces: Arc<[Bytes]>,
}

impl Answer {
    fn document() -> Self {
        let text = texts::prose(800).replace('"', "'").replace('\n', " ");
        let document = format!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-mini","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":250,"completion_tokens":200,"total_tokens":450}}}}"#
        );
        Self {
            content_type: "application/json",
            pieces: Arc::new([document.into()]),
        }
    }

    /// 200 events with four characters each.
    fn stream() -> Self {
        let text = texts::prose(800).replace('"', "'").replace('\n', " ");
        let mut pieces: Vec<Bytes> = Vec::new();
        for piece in text.as_bytes().chunks(4) {
            let piece = std::str::from_utf8(piece).expect("the text is ASCII");
            let event = format!(
                "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{piece}\"}},\"finish_reason\":null}}]}}\n\n"
            );
            pieces.push(event.into());
        }
        pieces.push(
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[],\"usage\":{\"prompt_tokens\":250,\"completion_tokens\":200,\"total_tokens\":450}}\n\n".into(),
        );
        pieces.push("data: [DONE]\n\n".into());
        Self {
            content_type: "text/event-stream",
            pieces: pieces.into(),
        }
    }

    fn respond(&self) -> Response<Pieces> {
        let frames: Vec<_> = self
            .pieces
            .iter()
            .cloned()
            .map(|data| Ok(Frame::data(data)))
            .collect();
        Response::builder()
            .header(header::CONTENT_TYPE, self.content_type)
            .body(StreamBody::new(stream::iter(frames)))
            .expect("a valid response")
    }
}

/// Everything the layers need, made once.
struct House {
    prompt: Prompt,
    route: Route,
    bearer: String,
    keys: Arc<ApiKeys<Arc<auth::InMemory>>>,
    cached_keys: Arc<ApiKeys<Arc<auth::InMemory>>>,
    limiter: Arc<rate_limit::InMemory>,
    ledger: quota::InMemory<SystemClock>,
    settler: Settler,
    // Held, so that the settler's queue stays open; nothing is dropped here, so nothing comes into it.
    _settling: SettlerTask<quota::InMemory<SystemClock>>,
    scanner: Arc<Scanner>,
    detector: Ensemble,
    recorder: Recorder,
    breakers: Arc<BreakerRegistry>,
    budget: Arc<RetryBudget>,
    prices: Arc<PriceBook>,
    time: Time,
}

impl House {
    fn new() -> Result<Self, BoxError> {
        let store = Arc::new(auth::InMemory::default());
        let keys = ApiKeys::new(store.clone(), SystemClock);
        let owner = Principal::new("acme", Role::Developer)?.with_user("alice")?;
        let issued = keys.issue(IssueRequest::new(owner)).now_or_never();
        let issued = issued.expect("memory never waits")?;
        let ledger = quota::InMemory::new(SystemClock, Defaults::new(Quota::UNLIMITED));
        let (settler, settling) = Settler::new(ledger.clone(), 1_024);
        Ok(Self {
            prompt: Prompt(texts::prose(1_024).into()),
            route: Route::new(
                "openai".into(),
                "gpt-4o-mini".into(),
                ModelId::new("openai", "gpt-4o-mini")?,
                "configured",
            ),
            bearer: format!("Bearer {}", issued.key.expose()),
            keys: Arc::new(keys),
            cached_keys: Arc::new(
                ApiKeys::new(store, SystemClock).with_cache(Duration::from_secs(60)),
            ),
            limiter: Arc::new(rate_limit::InMemory::new(
                MemoryConfig::new().with_capacity(10_000),
                SystemClock,
            )?),
            ledger,
            settler,
            _settling: settling,
            scanner: Arc::new(Scanner::new()),
            detector: Ensemble::standard(),
            recorder: Recorder::new(trace::InMemory::new(16 << 20), SystemClock),
            breakers: Arc::new(BreakerRegistry::new(BreakerPolicy::default(), SystemClock)),
            budget: Arc::new(RetryBudget::new(Default::default())?),
            prices: Arc::new(PriceBook::embedded()),
            time: Time::new(SystemClock, TokioTimer),
        })
    }

    fn request(&self) -> Request<Prompt> {
        let mut request = Request::new(self.prompt.clone());
        let bearer = self.bearer.parse().expect("a key is ASCII");
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        request.extensions_mut().insert(self.route.clone());
        request
    }

    fn trace(&self) -> TraceLayer {
        TraceLayer::new(self.recorder.clone())
    }

    fn rate_limit(&self) -> RateLimitLayer<Arc<rate_limit::InMemory>, impl Takes<Prompt> + use<>> {
        let each = Limit::per_second("chat", 1_000_000_000).expect("a valid limit");
        let all = Limit::per_second("gateway", 1_000_000_000).expect("a valid limit");
        let alice = Key::new(Dimension::User, "alice").expect("a valid key");
        RateLimitLayer::new(Arc::clone(&self.limiter), move |_: &Request<Prompt>| {
            Ok(vec![
                Take::one(each, alice.clone()),
                Take::one(all, Key::global()),
            ])
        })
    }

    fn redact(&self) -> RedactLayer {
        RedactLayer::new(Arc::clone(&self.scanner))
    }

    fn quota(&self) -> QuotaLayer<quota::InMemory<SystemClock>, impl Asks<Prompt> + use<>> {
        let org = Key::new(Dimension::Org, "acme").expect("a valid key");
        let user = org.with(Dimension::User, "alice").expect("a valid key");
        let ask =
            Amount::new(Tokens::new(4_000), Money::from_nano_usd(60_000)).expect("a small amount");
        QuotaLayer::new(
            self.ledger.clone(),
            self.settler.clone(),
            move |_: &Request<Prompt>| {
                let id = ReservationId::random().expect("the system has random bytes");
                let scopes = [org.clone(), user.clone()];
                Ok(Some(
                    ReserveRequest::new(id, scopes, ask).expect("two scopes"),
                ))
            },
        )
    }

    fn scan_injection(&self) -> ScanLayer {
        ScanLayer::new().with(InjectionScan::new(self.detector.clone()))
    }

    fn scan_secrets(&self) -> ScanLayer {
        ScanLayer::new().with(SecretScan::new(
            Arc::clone(&self.scanner),
            Policy::for_prompts(),
        ))
    }

    fn scan(&self) -> ScanLayer {
        self.scan_injection().with(SecretScan::new(
            Arc::clone(&self.scanner),
            Policy::for_prompts(),
        ))
    }

    fn route(&self) -> RouteLayer<impl Router<Prompt> + use<>> {
        let route = self.route.clone();
        RouteLayer::new(move |_: &Request<Prompt>| Ok(route.clone()))
    }

    fn deadline(&self) -> DeadlineLayer {
        DeadlineLayer::new(Duration::from_secs(60), self.time.clone())
    }

    fn retry(&self) -> RetryLayer {
        let policy = RetryPolicy::new(3).expect("a valid policy");
        RetryLayer::new(policy, self.time.clone())
            .with_budget(Arc::clone(&self.budget))
            .with_idempotency(Idempotency::Declared)
    }

    fn breaker(&self) -> BreakerLayer {
        BreakerLayer::new(Arc::clone(&self.breakers), Upstream::new(SystemClock))
    }

    fn meter(&self) -> MeterLayer {
        let sink = |metered: &Metered, _: &http::Extensions| {
            assert!(metered.priced.cost.is_some(), "the answer states its usage");
        };
        MeterLayer::new(Arc::clone(&self.prices), Arc::new(sink), SystemClock)
    }

    fn timeout(&self) -> TimeoutLayer {
        let patience = Duration::from_secs(20);
        TimeoutLayer::new(patience, patience, self.time.clone())
    }
}

/// Measures one request through `layer` to the last byte of its answer.
fn measure<L, S, B>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    house: &House,
    answer: &Answer,
    layer: L,
) where
    L: Layer<
            tower::util::BoxCloneSyncService<Request<Prompt>, Response<Pieces>, BoxError>,
            Service = S,
        >,
    S: Service<Request<Prompt>, Response = Response<B>> + Clone,
    S::Error: std::fmt::Debug,
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let answer = answer.clone();
    let upstream = service_fn(move |request: Request<Prompt>| {
        drop(request);
        std::future::ready(Ok::<_, BoxError>(answer.respond()))
    });
    let service = layer.layer(tower::util::BoxCloneSyncService::new(upstream));
    group.bench_function(name, |b| {
        b.iter(|| {
            let walk = async {
                let response = service
                    .clone()
                    .oneshot(house.request())
                    .await
                    .expect("the request passes");
                assert!(response.status().is_success());
                let body = response
                    .into_body()
                    .collect()
                    .await
                    .expect("the answer is whole");
                body.to_bytes().len()
            };
            // Nothing here waits: no runtime is measured.
            walk.now_or_never().expect("everything is ready")
        });
    });
}

fn layers(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let _inside = runtime.enter();
    let house = House::new().expect("a house to measure");
    let answer = Answer::document();
    let group = &mut c.benchmark_group("tower/layer");
    measure(group, "none", &house, &answer, Identity::new());
    measure(group, "trace", &house, &answer, house.trace());
    measure(
        group,
        "auth",
        &house,
        &answer,
        AuthLayer::new(Arc::clone(&house.keys)),
    );
    measure(
        group,
        "auth_remembered",
        &house,
        &answer,
        AuthLayer::new(Arc::clone(&house.cached_keys)),
    );
    measure(group, "rate_limit", &house, &answer, house.rate_limit());
    measure(group, "redact", &house, &answer, house.redact());
    measure(group, "quota", &house, &answer, house.quota());
    measure(
        group,
        "scan_injection",
        &house,
        &answer,
        house.scan_injection(),
    );
    measure(group, "scan_secrets", &house, &answer, house.scan_secrets());
    measure(group, "route", &house, &answer, house.route());
    measure(group, "deadline", &house, &answer, house.deadline());
    measure(group, "retry", &house, &answer, house.retry());
    measure(group, "breaker", &house, &answer, house.breaker());
    measure(group, "meter", &house, &answer, house.meter());
    measure(group, "timeout", &house, &answer, house.timeout());
}

fn stack(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let _inside = runtime.enter();
    let house = House::new().expect("a house to measure");
    let group = &mut c.benchmark_group("tower/stack");
    for (name, answer) in [
        ("document", Answer::document()),
        ("stream_of_200_events", Answer::stream()),
    ] {
        measure(
            group,
            &format!("none/{name}"),
            &house,
            &answer,
            Identity::new(),
        );
        let stack = Stack::new()
            .trace(house.trace())
            .auth(AuthLayer::new(Arc::clone(&house.cached_keys)))
            .rate_limit(house.rate_limit())
            .redact(house.redact())
            .quota(house.quota())
            .scan(house.scan())
            .route(house.route())
            .deadline(house.deadline())
            .retry(house.retry())
            .breaker(house.breaker())
            .meter(house.meter())
            .timeout(house.timeout());
        measure(
            group,
            &format!("every_layer/{name}"),
            &house,
            &answer,
            stack,
        );
    }
}

criterion_group!(benches, layers, stack);
criterion_main!(benches);
