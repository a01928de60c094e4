//! The layers that guard against load: places, limits that learn, throttle, gate; one breaker for any service; chaos.

#![cfg(feature = "full")]

mod common;

use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use common::{Reply, Step, Upstream, call, now, play, polls, read};
use http::{Request, Response};
use palisade_core::{Clock as _, Key, ManualClock, ModelId, RetryAfter};
use palisade_resilience::{
    Adaptation, AdaptiveConfig, AdaptiveLimit, Breaker, BreakerConfig, BreakerRegistry, Bulkhead,
    Chaos, ClientThrottle, Deadline, ErrorKind, Failure, OnError, Phase, PushbackGate,
    ThrottleConfig,
};
use palisade_tower::{
    AdmitLayer, BoxError, BreakerLayer, ChaosLayer, CircuitLayer, Gate, LearnedPlaces, PerRoute,
    Places, Route, Time, Until, find,
};
use tower_layer::Layer as _;
use tower_service::Service;

const SECOND: Duration = Duration::from_secs(1);

fn time() -> (ManualClock, Time) {
    let clock = common::clock();
    (clock.clone(), Time::new(clock.clone(), clock))
}

fn kind(error: &BoxError) -> ErrorKind {
    find::<Failure>(&**error).expect("a failure").kind()
}

#[test]
fn a_place_is_held_until_the_body_ends_or_the_head_is_there_as_chosen() {
    for (until, open_at_once) in [(Until::Body, 1), (Until::Head, 10)] {
        let (_clock, time) = time();
        let bulkhead = Bulkhead::new(1).unwrap();
        let layer =
            AdmitLayer::new(Places::new(bulkhead.clone(), time.clone()), time).with_until(until);
        let service = layer.layer(Upstream::new([Reply::json("{}")]));
        let open: Vec<_> = (0..10)
            .filter_map(|_| now(call(&service, Request::new(()))).ok())
            .collect();
        assert_eq!(open.len(), open_at_once, "{until:?}");
        for response in open {
            assert_eq!(now(read(response.into_body())).0, b"{}");
        }
        assert_eq!(bulkhead.busy(), 0);
        assert!(now(call(&service, Request::new(()))).is_ok());
    }
}

#[test]
fn a_client_that_hangs_up_gives_its_place_back_at_any_moment() {
    let (_clock, time) = time();
    let bulkhead = Bulkhead::new(1).unwrap();
    let layer = AdmitLayer::new(Places::new(bulkhead.clone(), time.clone()), time);
    let service = layer.layer(Upstream::new([Reply::json("{}").then(Step::Hang)]));
    for polled in 0..6 {
        drop(polls(call(&service, Request::new(())), polled));
        assert_eq!(bulkhead.busy(), 0, "after {polled} polls");
    }
}

#[test]
fn who_waits_for_a_place_waits_no_longer_than_the_deadline() {
    let (clock, time) = time();
    let bulkhead = Bulkhead::new(1)
        .unwrap()
        .with_queue(10, 60 * SECOND)
        .unwrap();
    let _held = bulkhead.enter().allowed();
    let layer = AdmitLayer::new(Places::new(bulkhead.clone(), time.clone()), time);
    let upstream = Upstream::new([Reply::json("{}")]);
    let service = layer.layer(upstream.clone());
    let mut request = Request::new(());
    let begun = clock.instant();
    request
        .extensions_mut()
        .insert(Deadline::after(&clock, 5 * SECOND));
    let error = play(&clock, SECOND, call(&service, request)).unwrap_err();
    assert_eq!(kind(&error), ErrorKind::Overloaded);
    assert_eq!(clock.instant().saturating_since(begun), 5 * SECOND);
    assert_eq!((upstream.calls(), bulkhead.waiting()), (0, 0));
}

#[test]
fn a_limit_learns_from_the_head_and_not_from_the_length_of_a_stream() {
    let (clock, time) = time();
    let config = AdaptiveConfig::new(Adaptation::Aimd).with_range(1, 4, 8);
    let limit = AdaptiveLimit::new(config.build().unwrap(), clock.clone());
    let guard = LearnedPlaces::new(limit.clone(), 0, SECOND, time.clone());
    let layer = AdmitLayer::new(guard, time);
    let long = layer.layer(Upstream::new([Reply::events(["data: x\n\n"])]));
    let response = now(call(&long, Request::new(()))).unwrap();
    clock.advance(3_600 * SECOND);
    assert_eq!(limit.busy(), 1);
    now(read(response.into_body())).1.unwrap();
    assert_eq!((limit.busy(), limit.limit()), (0, 4));
    let overloaded = layer.layer(Upstream::new([Reply::status(503)]));
    assert!(now(call(&overloaded, Request::new(()))).is_ok());
    assert_eq!((limit.busy(), limit.limit()), (0, 3));
}

#[test]
fn each_route_has_a_guard_of_its_own_and_a_flood_of_routes_shares_one() {
    let (_clock, time) = time();
    let guard_time = time.clone();
    let make = move || made(1, &guard_time);
    let layer = AdmitLayer::new((Some(PerRoute::new(make)), None::<Places>), time);
    let service = layer.layer(Upstream::new([Reply::json("{}")]));
    let ask = |model: &str| {
        let mut request = Request::new(());
        let priced_as = ModelId::new("acme", "large").unwrap();
        let route = Route::new("acme".into(), model.into(), priced_as, "configured");
        request.extensions_mut().insert(route);
        now(call(&service, request))
    };
    let _held = (ask("a").unwrap(), ask("b").unwrap());
    assert!(ask("a").is_err());
    let many: Vec<_> = (0..2_000).map(|model| ask(&model.to_string())).collect();
    // Two are taken, the rest of the guards serve one each, and so does the shared one.
    assert_eq!(
        many.iter().filter(|answer| answer.is_ok()).count(),
        1_024 - 2 + 1
    );
}

fn made(places: usize, time: &Time) -> Places {
    Places::new(Bulkhead::new(places).unwrap(), time.clone())
}

#[test]
fn two_guards_together_wait_no_longer_than_the_deadline() {
    let (clock, time) = time();
    let queued = || {
        Bulkhead::new(1)
            .unwrap()
            .with_queue(10, 60 * SECOND)
            .unwrap()
    };
    let (first, second) = (queued(), queued());
    let guards = (
        Places::new(first.clone(), time.clone()),
        Places::new(second.clone(), time.clone()),
    );
    let service = AdmitLayer::new(guards, time).layer(Upstream::new([Reply::json("{}")]));
    let held = [first.enter().allowed(), second.enter().allowed()];
    let mut request = Request::new(());
    request
        .extensions_mut()
        .insert(Deadline::after(&clock, 5 * SECOND));
    let begun = clock.instant();
    let mut asked = pin!(call(&service, request));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(asked.as_mut().poll(&mut cx).is_pending());
    clock.advance(4 * SECOND);
    let [first_place, _second_place] = held;
    drop(first_place);
    assert!(asked.as_mut().poll(&mut cx).is_pending());
    clock.advance(SECOND);
    let Poll::Ready(Err(error)) = asked.as_mut().poll(&mut cx) else {
        panic!("it waits on")
    };
    assert_eq!(kind(&error), ErrorKind::Overloaded);
    assert_eq!(clock.instant().saturating_since(begun), 5 * SECOND);
    assert_eq!((first.busy(), second.waiting()), (0, 0));
}

#[test]
fn what_the_first_guard_gave_goes_back_if_the_second_refuses() {
    let (_clock, time) = time();
    let (first, second) = (Bulkhead::new(1).unwrap(), Bulkhead::new(1).unwrap());
    let guards = (
        Places::new(first.clone(), time.clone()),
        Places::new(second.clone(), time.clone()),
    );
    let service = AdmitLayer::new(guards, time).layer(Upstream::new([Reply::json("{}")]));
    let taken = second.enter().allowed();
    assert!(now(call(&service, Request::new(()))).is_err());
    assert_eq!(first.busy(), 0);
    drop(taken);
    let answer = now(call(&service, Request::new(()))).unwrap();
    assert_eq!((first.busy(), second.busy()), (1, 1));
    drop(answer);
    assert_eq!((first.busy(), second.busy()), (0, 0));
}

#[test]
fn a_throttle_spares_an_upstream_that_turns_everybody_away() {
    let (clock, time) = time();
    let throttle = ClientThrottle::new(ThrottleConfig::default(), clock).unwrap();
    let upstream = Upstream::new([Reply::status(503)]);
    let service = AdmitLayer::new(throttle, time).layer(upstream.clone());
    let refused = (0..1_000).filter_map(|_| now(call(&service, Request::new(()))).err());
    let kinds: Vec<_> = refused.map(|error| kind(&error)).collect();
    assert!(kinds.iter().all(|kind| *kind == ErrorKind::Overloaded));
    assert!(
        upstream.calls() < 150,
        "{} of 1,000 went out",
        upstream.calls()
    );
}

#[test]
fn what_one_attempt_was_told_the_others_obey_without_asking() {
    let (clock, time) = time();
    let gate = PushbackGate::new(clock.clone());
    let layer = AdmitLayer::new(
        Gate::new(gate.clone(), Duration::ZERO, time.clone()),
        time.clone(),
    );
    let upstream = Upstream::new([
        Reply::status(429).with_header("retry-after", "20"),
        Reply::json("{}"),
    ]);
    let service = layer.layer(upstream.clone());
    assert_eq!(now(call(&service, Request::new(()))).unwrap().status(), 429);
    for _ in 0..100 {
        let error = now(call(&service, Request::new(()))).unwrap_err();
        let advice = find::<Failure>(&*error).and_then(Failure::advice);
        assert!(matches!(advice, Some(RetryAfter::After(wait)) if wait >= 20 * SECOND));
    }
    assert_eq!(upstream.calls(), 1);
    // With patience it waits, and comes a little later than it was told.
    let layer = AdmitLayer::new(Gate::new(gate, 60 * SECOND, time.clone()), time);
    let begun = clock.instant();
    let patient = layer.layer(upstream.clone());
    assert_eq!(
        play(&clock, SECOND, call(&patient, Request::new(())))
            .unwrap()
            .status(),
        200
    );
    let waited = clock.instant().saturating_since(begun);
    assert!((20 * SECOND..=26 * SECOND).contains(&waited), "{waited:?}");
}

#[test]
fn a_breaker_sees_the_first_token_in_the_body() {
    let (clock, _time) = time();
    let policy = BreakerConfig::default()
        .with_minimum_calls(1)
        .with_slow_first_token(5 * SECOND, 50);
    let breakers = Arc::new(BreakerRegistry::new(policy.build().unwrap(), clock.clone()));
    let classify = palisade_tower::Upstream::new(clock.clone());
    let layer = BreakerLayer::new(Arc::clone(&breakers), classify);
    let service = layer.layer(Upstream::new([Reply::events(["data: x\n\n"])]));
    let phase = || {
        breakers
            .breaker(&Key::global())
            .allowed()
            .unwrap()
            .status()
            .phase
    };
    let quick = now(call(&service, Request::new(()))).unwrap();
    now(read(quick.into_body())).1.unwrap();
    assert_eq!(phase(), Phase::Closed);
    let slow = now(call(&service, Request::new(()))).unwrap();
    clock.advance(5 * SECOND);
    let mut body = pin!(slow.into_body());
    let first = std::future::poll_fn(|cx| http_body::Body::poll_frame(body.as_mut(), cx));
    now(first).unwrap().unwrap();
    assert_eq!(phase(), Phase::Open);
}

/// Fails as often as it is told, then answers; a service of numbers, to show that nothing here is about HTTP.
#[derive(Clone)]
struct Numbers(Arc<AtomicU32>);

impl Service<u32> for Numbers {
    type Response = u32;
    type Error = std::io::Error;
    type Future = std::future::Ready<Result<u32, std::io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), std::io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, number: u32) -> Self::Future {
        let left = self.0.load(Ordering::Relaxed);
        if left > 0 {
            self.0.store(left - 1, Ordering::Relaxed);
            return std::future::ready(Err(std::io::ErrorKind::TimedOut.into()));
        }
        std::future::ready(Ok(number))
    }
}

#[test]
fn one_breaker_around_any_service_is_shared_by_all_it_is_laid_over() {
    let clock = ManualClock::default();
    let policy = BreakerConfig::default()
        .with_consecutive_failures(2)
        .with_open_jitter(0);
    let breaker = Breaker::new(Key::global(), policy.build().unwrap(), clock.clone());
    let timed_out = OnError(|_: &std::io::Error| Failure::new(ErrorKind::Timeout));
    let layer = CircuitLayer::new(breaker.clone(), timed_out);
    let upstream = Numbers(Arc::new(AtomicU32::new(2)));
    let (one, other) = (layer.layer(upstream.clone()), layer.layer(upstream));
    assert!(now(call(&one, 7)).is_err());
    let error = now(call(&other, 7)).unwrap_err();
    assert!(find::<std::io::Error>(&*error).is_some());
    for service in [&one, &other] {
        assert_eq!(
            kind(&now(call(service, 7)).unwrap_err()),
            ErrorKind::CircuitOpen
        );
    }
    clock.advance(5 * SECOND);
    // A trial call that is dropped unasked gives its place back and closes nothing.
    for _ in 0..10 {
        drop(one.clone().call(7));
    }
    assert_eq!(breaker.status().phase, Phase::HalfOpen);
    for _ in 0..3 {
        assert_eq!(now(call(&one, 7)).unwrap(), 7);
    }
    assert_eq!(breaker.status().phase, Phase::Closed);
}

#[test]
fn chaos_stands_in_for_a_bad_day() {
    let (clock, time) = time();
    let upstream = Upstream::new([Reply::json("{}")]);
    let chaos = Chaos::<Result<Response<_>, BoxError>>::seeded(3)
        .with_latency(500_000, SECOND, SECOND)
        .unwrap()
        .with_result(300_000, || Err(Failure::new(ErrorKind::Overloaded).into()))
        .unwrap();
    let service = ChaosLayer::new(chaos, time).layer(upstream.clone());
    let begun = clock.instant();
    let failed = (0..1_000)
        .filter(|_| play(&clock, SECOND, call(&service, Request::new(()))).is_err())
        .count();
    assert!((250..350).contains(&failed), "{failed}");
    assert_eq!(upstream.calls() as usize, 1_000 - failed);
    let slow = clock.instant().saturating_since(begun).as_secs();
    assert!((450..550).contains(&slow), "{slow}");
}

#[test]
fn a_future_of_a_circuit_that_is_polled_too_often_stays_silent() {
    let breaker = Breaker::new(
        Key::global(),
        BreakerConfig::default().build().unwrap(),
        ManualClock::default(),
    );
    breaker.force_open();
    let well = |_: &Result<u32, Infallible>| None::<Failure>;
    let service = tower::service_fn(|number: u32| async move { Ok::<_, Infallible>(number) });
    let mut service = CircuitLayer::new(breaker, well).layer(service);
    let mut cx = Context::from_waker(Waker::noop());
    let mut refused = pin!(service.call(1));
    assert!(refused.as_mut().poll(&mut cx).is_ready());
    assert!(refused.as_mut().poll(&mut cx).is_pending());
}
