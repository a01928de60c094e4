//! What every layer promises alike, as tower's `Service` asks: it is called only when it is ready and calls only what is,
//! clones serve alike, errors pass, and everything can travel between threads.

#![cfg(feature = "full")]

mod common;

use std::{fmt::Debug, sync::Arc, time::Duration};

use common::{Ask, Reply, Upstream, call, house, now, polls};
use http::Request;
use palisade_core::ManualClock;
use palisade_quota::{InMemory, ReserveRequest, Settler};
use palisade_redaction::Policy;
use palisade_resilience::{
    AdaptiveLimit, AdaptivePolicy, BreakerConfig, BreakerRegistry, Bulkhead, Chaos, ClientThrottle,
    PushbackGate, RetryPolicy, ThrottleConfig,
};
use palisade_tower::{
    AdmitLayer, Asks, AuthLayer, BoxError, BreakerLayer, ChaosLayer, DeadlineLayer, Gate,
    InjectionScan, LearnedPlaces, MeterLayer, Places, QuotaLayer, RateLimitLayer, RedactLayer,
    Rejection, RetryLayer, Route, RouteLayer, Router, ScanLayer, SecretScan, Stack, Take, Takes,
    Time, TimeoutLayer, TraceLayer,
};
use palisade_trace::Recorder;
use tower_layer::Layer;
use tower_service::Service;

/// Every layer, each over an upstream of its own.
macro_rules! for_every_layer {
    ($check:ident, $argument:expr) => {{
        let clock = common::clock();
        let time = Time::new(clock.clone(), clock.clone());
        $check(
            "trace",
            TraceLayer::new(Recorder::new(house::Traces::default(), clock.clone())),
            $argument,
        );
        $check("auth", AuthLayer::new(Arc::new(Anybody)), $argument);
        $check(
            "rate_limit",
            RateLimitLayer::new(Arc::new(limiter(&clock)), free as FreeTakes),
            $argument,
        );
        $check("redact", RedactLayer::new(house::scanner()), $argument);
        let ledger = InMemory::new(clock.clone(), house::defaults(1_000));
        let (settler, task) = Settler::new(ledger.clone(), 16);
        $check(
            "quota",
            QuotaLayer::new(ledger, settler, free_asks as FreeAsks),
            $argument,
        );
        drop(task);
        let scan = ScanLayer::new().with(SecretScan::new(house::scanner(), Policy::for_prompts()));
        $check("scan", scan, $argument);
        $check("route", RouteLayer::new(route as Routes), $argument);
        $check(
            "deadline",
            DeadlineLayer::new(Duration::from_secs(9), time.clone()),
            $argument,
        );
        $check(
            "retry",
            RetryLayer::new(RetryPolicy::once(), time.clone()),
            $argument,
        );
        let breakers =
            BreakerRegistry::new(BreakerConfig::default().build().unwrap(), clock.clone());
        let classify = palisade_tower::Upstream::new(clock.clone());
        $check(
            "breaker",
            BreakerLayer::new(Arc::new(breakers), classify),
            $argument,
        );
        let meter = MeterLayer::new(house::prices(), Arc::new(|_: &_, _: &_| {}), clock.clone());
        $check("meter", meter, $argument);
        let second = Duration::from_secs(1);
        $check(
            "timeout",
            TimeoutLayer::new(second, second, time),
            $argument,
        );
        // The guards of the load share one layer.
        let time = Time::new(clock.clone(), clock.clone());
        let bulkhead = Bulkhead::new(8).unwrap();
        let guard = Places::new(bulkhead, time.clone());
        $check("bulkhead", AdmitLayer::new(guard, time.clone()), $argument);
        let limit = AdaptiveLimit::new(AdaptivePolicy::default(), clock.clone());
        let guard = LearnedPlaces::new(limit, 8, second, time.clone());
        $check("adaptive", AdmitLayer::new(guard, time.clone()), $argument);
        let guard = ClientThrottle::new(ThrottleConfig::default(), clock.clone()).unwrap();
        $check("throttle", AdmitLayer::new(guard, time.clone()), $argument);
        let guard = Gate::new(PushbackGate::new(clock.clone()), second, time.clone());
        $check("gate", AdmitLayer::new(guard, time.clone()), $argument);
        $check("chaos", ChaosLayer::new(Chaos::seeded(1), time), $argument);
        $check("stack", Stack::new(), $argument);
    }};
}

type FreeTakes = fn(&Request<Ask>) -> Result<Vec<Take>, Rejection>;
type FreeAsks = fn(&Request<Ask>) -> Result<Option<ReserveRequest>, Rejection>;
type Routes = fn(&Request<Ask>) -> Result<Route, Rejection>;

fn free(_: &Request<Ask>) -> Result<Vec<Take>, Rejection> {
    Ok(Vec::new())
}

fn free_asks(_: &Request<Ask>) -> Result<Option<ReserveRequest>, Rejection> {
    Ok(None)
}

fn route(_: &Request<Ask>) -> Result<Route, Rejection> {
    let priced_as = palisade_core::ModelId::new("acme", "large").unwrap();
    Ok(Route::new(
        "acme".into(),
        "large".into(),
        priced_as,
        "configured",
    ))
}

fn limiter(clock: &ManualClock) -> palisade_rate_limit::InMemory<ManualClock> {
    palisade_rate_limit::InMemory::new(palisade_rate_limit::MemoryConfig::new(), clock.clone())
        .unwrap()
}

/// Lets everybody in.
#[derive(Debug)]
struct Anybody;

impl palisade_auth::Authenticator for Anybody {
    async fn authenticate(
        &self,
        _: &palisade_auth::Credentials,
    ) -> Result<
        palisade_core::Decision<palisade_auth::Principal, palisade_auth::Refusal>,
        palisade_core::StoreError,
    > {
        let principal = palisade_auth::Principal::new("acme", palisade_auth::Role::Viewer).unwrap();
        Ok(palisade_core::Decision::Allow(principal))
    }
}

fn request() -> Request<Ask> {
    let mut request = Ask::openai("hi");
    let key = http::HeaderValue::from_static("Bearer x");
    request
        .headers_mut()
        .insert(http::header::AUTHORIZATION, key);
    request
}

/// The mock breaks the test if it is called without having said that it is ready, and clones of it have not said so.
fn calls_only_what_is_ready<L>(name: &str, layer: L, rounds: u32)
where
    L: Layer<Upstream>,
    L::Service: Service<Request<Ask>, Error = BoxError> + Clone,
{
    let upstream = Upstream::new([Reply::json(common::JSON)]);
    let service = layer.layer(upstream.clone());
    for _ in 0..rounds {
        // Used, cloned and used again, in any order.
        let clone = service.clone();
        assert!(now(call(&service, request())).is_ok(), "{name}");
        assert!(now(call(&clone, request())).is_ok(), "{name}");
        assert!(now(call(&clone.clone(), request())).is_ok(), "{name}");
    }
    assert_eq!(upstream.calls(), 3 * rounds, "{name}");
}

#[test]
fn the_inner_service_is_called_only_when_it_is_ready_and_clones_serve_alike() {
    for_every_layer!(calls_only_what_is_ready, 3);
}

/// Nothing goes out before the future is polled, or after it is dropped.
fn does_nothing_unasked<L>(name: &str, layer: L, most: usize)
where
    L: Layer<Upstream>,
    L::Service: Service<Request<Ask>, Error = BoxError> + Clone,
{
    for polled in 0..most {
        let upstream = Upstream::new([Reply::Hang]);
        let mut service = layer.layer(upstream.clone());
        let asked = std::future::poll_fn(|cx| service.poll_ready(cx));
        if name != "stack" {
            now(asked).unwrap();
            drop(polls(service.call(request()), polled));
            assert!(
                upstream.calls() <= 1 && (polled > 0 || upstream.calls() == 0),
                "{name}"
            );
        }
        drop(service);
        assert_eq!(upstream.alive.others(), 0, "{name} after {polled} polls");
    }
}

#[test]
fn a_future_that_is_dropped_leaves_nothing_alive() {
    for_every_layer!(does_nothing_unasked, 5);
}

/// An error of the inner service arrives: as itself, or as the rejection that the retry makes of it.
fn errors_pass<L>(name: &str, layer: L, (): ())
where
    L: Layer<Upstream>,
    L::Service: Service<Request<Ask>, Error = BoxError> + Clone,
{
    let upstream = Upstream::new([Reply::Lost]);
    let error = now(call(&layer.layer(upstream), request()))
        .err()
        .expect(name);
    let lost = palisade_tower::find::<std::io::Error>(&*error);
    if name == "retry" {
        assert!(palisade_tower::find::<Rejection>(&*error).is_some());
    } else {
        assert_eq!(
            lost.map(std::io::Error::kind),
            Some(std::io::ErrorKind::ConnectionReset),
            "{name}"
        );
    }
}

#[test]
fn errors_of_the_inner_service_pass() {
    for_every_layer!(errors_pass, ());
}

fn travels<L>(name: &str, layer: L, (): ())
where
    L: Layer<Upstream> + Clone + Debug + Send + Sync + 'static,
    L::Service: Service<Request<Ask>, Error = BoxError, Future: Send + 'static, Response: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    assert!(!format!("{layer:?}").is_empty(), "{name}");
    drop(layer.clone().layer(Upstream::new([Reply::Hang])));
}

#[test]
fn layers_services_and_futures_travel_between_threads() {
    let clock = common::clock();
    let time = Time::new(clock.clone(), clock.clone());
    travels(
        "trace",
        TraceLayer::new(Recorder::new(house::Traces::default(), clock.clone())),
        (),
    );
    travels("auth", AuthLayer::new(Arc::new(Anybody)), ());
    travels(
        "rate_limit",
        RateLimitLayer::new(Arc::new(limiter(&clock)), free as FreeTakes),
        (),
    );
    travels("redact", RedactLayer::new(house::scanner()), ());
    let ledger = InMemory::new(clock.clone(), house::defaults(1));
    let settler = Settler::new(ledger.clone(), 1).0;
    travels(
        "quota",
        QuotaLayer::new(ledger, settler, free_asks as FreeAsks),
        (),
    );
    let detector = palisade_injection::Ensemble::standard();
    travels(
        "scan",
        ScanLayer::new().with(InjectionScan::new(detector)),
        (),
    );
    travels("route", RouteLayer::new(route as Routes), ());
    travels(
        "deadline",
        DeadlineLayer::new(Duration::from_secs(9), time.clone()),
        (),
    );
    travels(
        "retry",
        RetryLayer::new(RetryPolicy::once(), time.clone()),
        (),
    );
    let breakers = BreakerRegistry::new(BreakerConfig::default().build().unwrap(), clock.clone());
    let classify = palisade_tower::Upstream::new(clock.clone());
    travels(
        "breaker",
        BreakerLayer::new(Arc::new(breakers), classify),
        (),
    );
    let meter = MeterLayer::new(house::prices(), Arc::new(|_: &_, _: &_| {}), clock);
    travels("meter", meter, ());
    let second = Duration::from_secs(1);
    travels("timeout", TimeoutLayer::new(second, second, time), ());

    const fn is<T: Send + Sync + Clone + Debug>() {}
    is::<Rejection>();
    is::<Route>();
    is::<palisade_tower::Bill>();
    is::<palisade_tower::Metered>();
    const fn is_send<T: Send>() {}
    is_send::<palisade_tower::Tap<common::Pieces>>();
    is_send::<palisade_tower::IdleBody<common::Pieces>>();
    is_send::<palisade_tower::RedactedBody<common::Pieces>>();
    // The questions are answered by closures.
    fn questions(_: impl Takes<Ask>, _: impl Asks<Ask>, _: impl Router<Ask>) {}
    questions(
        |_: &Request<Ask>| Ok(Vec::new()),
        |_: &Request<Ask>| Ok(None),
        route,
    );
}
