//! Deadline, retry, breaker and time-out around an upstream that fails in every way.

#![cfg(feature = "full")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{Pieces, Reply, Step, Upstream, call, data, now, play, polls, read};
use http::{Request, Response, StatusCode};
use palisade_core::{Clock, Dimension, Key, ManualClock, ModelId};
use palisade_resilience::{
    Backoff, Breaker, BreakerConfig, BreakerRegistry, Certainty, Classify, Deadline, Jitter, Phase,
    RetryPolicy,
};
use palisade_tower::{
    BoxError, BreakerLayer, DeadlineLayer, Reason, Rejection, RetryLayer, Route, RouteLayer, Time,
    TimeoutLayer, find,
};
use tower_layer::Layer as _;
use tower_service::Service;

const SECOND: Duration = Duration::from_secs(1);

struct Bench {
    clock: ManualClock,
    breakers: Arc<BreakerRegistry<ManualClock>>,
    attempts: u32,
    deadline: Duration,
    head: Duration,
}

impl Bench {
    fn new(failures: u32) -> Self {
        let clock = common::clock();
        let policy = BreakerConfig::default()
            .with_consecutive_failures(failures)
            .with_open_for(SECOND * 30, SECOND * 30)
            .with_open_jitter(0)
            .with_probes(1, SECOND * 60)
            .build()
            .unwrap();
        Self {
            breakers: Arc::new(BreakerRegistry::new(policy, clock.clone())),
            clock,
            attempts: 3,
            deadline: SECOND * 60,
            head: SECOND * 10,
        }
    }

    fn key() -> Key {
        Key::new(Dimension::Provider, "acme")
            .and_then(|key| key.with(Dimension::Model, "large"))
            .unwrap()
    }

    fn breaker(&self) -> Breaker<ManualClock> {
        self.breakers.breaker(&Self::key()).allowed().unwrap()
    }

    /// Route, deadline, retry, breaker, time-out: as the stack orders them.
    fn service<S>(
        &self,
        inner: S,
    ) -> impl Service<
        Request<()>,
        Response = Response<impl http_body::Body<Data = bytes::Bytes, Error = BoxError> + use<S>>,
        Error = BoxError,
        Future: Send,
    > + Clone
    + use<S>
    where
        S: Service<Request<()>, Response = Response<Pieces>, Error = BoxError>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        let policy = RetryPolicy::new(self.attempts).unwrap().with_backoff(
            Backoff::new(SECOND, SECOND)
                .unwrap()
                .with_jitter(Jitter::None),
        );
        let time = Time::new(self.clock.clone(), self.clock.clone());
        let inner = TimeoutLayer::new(self.head, SECOND * 5, time.clone()).layer(inner);
        let classify = palisade_tower::Upstream::new(self.clock.clone());
        let inner = BreakerLayer::new(Arc::clone(&self.breakers), classify).layer(inner);
        let inner = RetryLayer::new(policy, time.clone()).layer(inner);
        let inner = DeadlineLayer::new(self.deadline, time).layer(inner);
        RouteLayer::new(|_: &Request<()>| {
            let priced_as = ModelId::new("acme", "large").unwrap();
            Ok(Route::new(
                "acme".into(),
                "large".into(),
                priced_as,
                "configured",
            ))
        })
        .layer(inner)
    }

    fn ask(&self, upstream: &Upstream) -> Result<StatusCode, Reason> {
        let service = self.service(upstream.clone());
        match play(&self.clock, SECOND, call(&service, Request::new(()))) {
            Ok(response) => {
                let status = response.status();
                assert!(
                    play(&self.clock, SECOND, read(response.into_body()))
                        .1
                        .is_ok()
                );
                Ok(status)
            }
            Err(error) => Err(reason(&error)),
        }
    }
}

fn reason(error: &BoxError) -> Reason {
    find::<Rejection>(&**error).expect("a rejection").reason()
}

#[test]
fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    for (first, calls) in [
        (Reply::status(500), 2),
        (Reply::status(503), 2),
        (Reply::status(429), 2),
        (Reply::status(529), 2),
        (Reply::Refused, 2),
        (Reply::Lost, 2),
        (Reply::Hang, 2),
        (Reply::status(400), 1),
        (Reply::status(404), 1),
        (Reply::status(413), 1),
        (Reply::status(401), 1),
        (Reply::status(403), 1),
        (Reply::status(402), 1),
        (Reply::status(501), 1),
    ] {
        let bench = Bench::new(100);
        let upstream = Upstream::new([first.clone(), Reply::json("{}")]);
        let outcome = bench.ask(&upstream);
        assert_eq!(upstream.calls(), calls, "{first:?}");
        assert_eq!(
            outcome.is_ok_and(|status| status.is_success()),
            calls == 2,
            "{first:?}"
        );
        assert_eq!(bench.clock.sleepers(), 0, "{first:?}");
    }
}

#[test]
fn the_callers_own_faults_come_through_as_the_upstream_said_them() {
    for status in [400, 404, 413, 422] {
        let bench = Bench::new(1);
        let upstream = Upstream::new([Reply::status(status)]);
        assert_eq!(bench.ask(&upstream).unwrap().as_u16(), status);
        assert_eq!(bench.breaker().status().phase, Phase::Closed, "{status}");
    }
}

#[test]
fn what_the_upstream_holds_against_this_service_is_never_held_against_the_client() {
    for (status, expected) in [
        (401, Reason::UpstreamUnavailable),
        (403, Reason::UpstreamUnavailable),
        (429, Reason::UpstreamOverloaded),
        (402, Reason::UpstreamOverloaded),
        (500, Reason::UpstreamUnavailable),
        (503, Reason::UpstreamUnavailable),
        (529, Reason::UpstreamOverloaded),
        (504, Reason::UpstreamTimeout),
    ] {
        let bench = Bench::new(100);
        let upstream = Upstream::new([Reply::status(status)]);
        let reason = bench.ask(&upstream).unwrap_err();
        assert_eq!(reason, expected, "{status}");
        assert!(reason.status().is_server_error(), "{status}");
    }
}

#[test]
fn the_upstreams_wish_for_patience_reaches_the_client_when_it_is_too_long_to_wait() {
    let bench = Bench::new(100);
    let upstream = Upstream::new([Reply::status(429).with_header("retry-after", "7200")]);
    let service = bench.service(upstream.clone());
    let error = play(&bench.clock, SECOND, call(&service, Request::new(())))
        .err()
        .unwrap();
    let rejection = find::<Rejection>(&*error).unwrap();
    assert_eq!(rejection.retry_after(), Some(Duration::from_secs(7200)));
    assert_eq!(upstream.calls(), 1);
}

#[test]
fn an_open_breaker_refuses_without_a_call_until_its_time_is_over() {
    let bench = Bench::new(3);
    let upstream = Upstream::new([
        Reply::status(500),
        Reply::status(500),
        Reply::status(500),
        Reply::json("{}"),
    ]);
    assert!(bench.ask(&upstream).is_err());
    assert_eq!(bench.breaker().status().phase, Phase::Open);
    assert_eq!(bench.ask(&upstream), Err(Reason::CircuitOpen));
    assert_eq!(upstream.calls(), 3);
    bench.clock.advance(SECOND * 30);
    assert_eq!(bench.ask(&upstream), Ok(StatusCode::OK));
    assert_eq!(bench.breaker().status().phase, Phase::Closed);
}

#[test]
fn an_upstream_that_hangs_is_failing() {
    let mut bench = Bench::new(3);
    let upstream = Upstream::new([Reply::Hang]);
    assert_eq!(bench.ask(&upstream), Err(Reason::UpstreamTimeout));
    assert_eq!(bench.breaker().status().phase, Phase::Open);

    // Also when it is the deadline of the whole that ends it.
    bench = Bench::new(1);
    (bench.deadline, bench.head) = (SECOND * 5, SECOND * 10);
    let upstream = Upstream::new([Reply::Hang]);
    assert_eq!(bench.ask(&upstream), Err(Reason::DeadlineExceeded));
    assert_eq!(bench.breaker().status().phase, Phase::Open);
}

#[test]
fn an_upstream_that_hangs_is_failing_whichever_timer_wakes_first() {
    let mut bench = Bench::new(1);
    (bench.deadline, bench.head) = (SECOND * 5, SECOND * 10);
    let service = bench.service(Upstream::new([Reply::Hang]));
    // As if the timer of the whole had fired and that of the attempt had not: the call is dropped at its deadline.
    let clock = bench.clock.clone();
    let asking = call(&service, Request::new(()));
    assert!(polls(asking, 100).is_none());
    assert_eq!(
        bench.breaker().status().phase,
        Phase::Closed,
        "a client that left says nothing"
    );
    let mut asking = Box::pin(call(&service, Request::new(())));
    assert!(polls(asking.as_mut(), 100).is_none());
    clock.advance(SECOND * 5);
    drop(asking);
    assert_eq!(bench.breaker().status().phase, Phase::Open);
}

#[test]
fn a_retry_is_not_begun_that_cannot_end_in_time() {
    let mut bench = Bench::new(100);
    bench.deadline = SECOND;
    let upstream = Upstream::new([Reply::status(503)]);
    assert_eq!(bench.ask(&upstream), Err(Reason::UpstreamUnavailable));
    assert_eq!(upstream.calls(), 1);
}

#[test]
fn an_earlier_deadline_further_out_holds() {
    let bench = Bench::new(100);
    let service = bench.service(Upstream::new([Reply::Hang]));
    let mut request = Request::new(());
    request
        .extensions_mut()
        .insert(Deadline::after(&bench.clock, SECOND * 2));
    let began = bench.clock.instant();
    assert!(play(&bench.clock, SECOND, call(&service, request)).is_err());
    assert_eq!(bench.clock.instant().saturating_since(began), SECOND * 2);
}

#[test]
fn an_attempt_waits_no_longer_than_anybody_waits_for_it() {
    let clock = common::clock();
    let time = Time::new(clock.clone(), clock.clone());
    let layer = TimeoutLayer::new(SECOND * 10, SECOND * 10, time);
    for (left, calls) in [(SECOND * 4, 1), (Duration::ZERO, 0)] {
        let upstream = Upstream::new([Reply::Hang]);
        let mut request = Request::new(());
        request
            .extensions_mut()
            .insert(Deadline::after(&clock, left));
        let began = clock.instant();
        let error = play(
            &clock,
            SECOND,
            call(&layer.layer(upstream.clone()), request),
        )
        .err()
        .unwrap();
        assert_eq!(clock.instant().saturating_since(began), left);
        assert_eq!(
            upstream.calls(),
            calls,
            "what nobody waits for is not begun"
        );
        // And so it has certainly cost nothing.
        let failure = Classify::classify(
            &palisade_tower::Upstream::new(clock.clone()),
            &Err::<Response<Pieces>, _>(error),
        );
        let certain = if calls == 0 {
            Certainty::No
        } else {
            Certainty::Unknown
        };
        assert_eq!(failure.unwrap().billed(), certain);
    }
}

#[test]
fn a_permit_is_free_again_whatever_ends_the_call() {
    // One trial at a time: a permit that leaked would keep the breaker half open and refusing.
    let half_open = || {
        let bench = Bench::new(1);
        assert!(
            bench
                .ask(&Upstream::new([Reply::status(400), Reply::status(500)]))
                .is_ok()
        );
        let mut once = Bench {
            attempts: 1,
            ..bench
        };
        assert!(once.ask(&Upstream::new([Reply::status(500)])).is_err());
        once.clock.advance(SECOND * 30);
        once.attempts = 1;
        once
    };
    let admits = |bench: &Bench| bench.breaker().admit().is_allow();

    for polled in 0..6 {
        let bench = half_open();
        let service = bench.service(Upstream::new([Reply::json("{}")]));
        drop(polls(call(&service, Request::new(())), polled));
        assert!(admits(&bench), "dropped after {polled} polls");
    }
    for pieces in 0..4 {
        let bench = half_open();
        let reply = Reply::events(["a", "b"])
            .then(Step::Wait)
            .then(data("c"))
            .then(Step::Hang);
        let service = bench.service(Upstream::new([reply]));
        let response = now(call(&service, Request::new(()))).unwrap();
        assert!(!admits(&bench), "the trial lasts until its body ends");
        drop(polls(read(response.into_body()), pieces));
        assert!(admits(&bench), "dropped after {pieces} polls of the body");
        assert_eq!(
            bench.breaker().status().phase,
            Phase::HalfOpen,
            "and it was no success"
        );
    }
    let bench = half_open();
    assert!(bench.ask(&Upstream::new([Reply::status(400)])).is_ok());
    assert!(
        admits(&bench),
        "the caller's fault decides nothing and keeps nothing"
    );
}

#[test]
fn an_answer_that_breaks_off_or_falls_silent_counts_against_the_upstream() {
    for last in [Step::Break, Step::Hang] {
        let bench = Bench::new(1);
        let service = bench.service(Upstream::new([Reply::events(["a"]).then(last)]));
        let response = now(call(&service, Request::new(()))).unwrap();
        assert_eq!(bench.breaker().status().phase, Phase::Closed);
        let (all, end) = play(&bench.clock, SECOND, read(response.into_body()));
        assert_eq!((all.as_slice(), end.is_err()), (&b"a"[..], true));
        assert_eq!(bench.breaker().status().phase, Phase::Open);
    }
}

#[test]
fn every_attempt_asks_the_breaker_anew_and_an_open_one_ends_the_retries() {
    let mut bench = Bench::new(2);
    bench.attempts = 5;
    let upstream = Upstream::new([Reply::status(500)]);
    assert_eq!(bench.ask(&upstream), Err(Reason::CircuitOpen));
    assert_eq!(upstream.calls(), 2);
}

#[test]
fn nothing_is_alive_once_the_answer_is_gone() {
    let bench = Bench::new(100);
    for reply in [
        Reply::json("{}"),
        Reply::status(500),
        Reply::Lost,
        Reply::Hang,
    ] {
        let upstream = Upstream::new([reply]);
        let _ = bench.ask(&upstream);
        assert_eq!(upstream.alive.others(), 0);
    }
}
