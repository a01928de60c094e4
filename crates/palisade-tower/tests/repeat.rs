//! Who may send a request again, whether it may be, and where: retries, hedges and fallbacks as layers.

#![cfg(feature = "full")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{Reply, Step, Upstream, call, data, play, read};
use http::{Method, Request, StatusCode};
use http_body::Body as _;
use palisade_core::{Clock, Dimension, Instant, Key, ManualClock, ModelId};
use palisade_resilience::{
    Attempt, Backoff, BreakerConfig, BreakerRegistry, Deadline, HedgePolicy, Hedger, Idempotency,
    Jitter, RetryBudget, RetryBudgetConfig, RetryBudgets, RetryCounter, RetryOwner, RetryPolicy,
    Stop,
};
use palisade_tower::{
    BoxError, BreakerLayer, DiagnoseLayer, FallbackLayer, HedgeLayer, Reason, Rejection,
    RetryLayer, RetryWeight, Route, SendOnce, Time, find,
};
use tower_layer::Layer as _;

const SECOND: Duration = Duration::from_secs(1);

fn time(clock: &ManualClock) -> Time {
    Time::new(clock.clone(), clock.clone())
}

fn policy(attempts: u32) -> RetryPolicy {
    let backoff = Backoff::new(SECOND, SECOND).unwrap();
    RetryPolicy::new(attempts)
        .unwrap()
        .with_backoff(backoff.with_jitter(Jitter::None))
}

fn post() -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    request
}

fn reason(error: &BoxError) -> Option<Reason> {
    find::<Rejection>(&**error).map(Rejection::reason)
}

/// How often the upstream sees a request when every attempt ends with `reply`.
fn attempts(layer: &RetryLayer, reply: Reply, request: Request<()>) -> u32 {
    let clock = common::clock();
    let upstream = Upstream::new([reply]);
    let _ended = play(
        &clock,
        SECOND,
        call(&layer.layer(upstream.clone()), request),
    );
    upstream.calls()
}

#[test]
fn what_may_have_been_carried_out_is_sent_again_only_if_that_does_no_harm() {
    let clock = common::clock();
    let layer = RetryLayer::new(policy(3), time(&clock));
    // The clock of the layer is the one that is played.
    let seen = |request: Request<()>, reply: Reply| {
        let upstream = Upstream::new([reply]);
        let service = layer.layer(upstream.clone());
        let _ended = play(&clock, SECOND, call(&service, request));
        upstream.calls()
    };
    let mut keyed = post();
    keyed
        .headers_mut()
        .insert("idempotency-key", "7".parse().unwrap());
    let mut blank = post();
    blank
        .headers_mut()
        .insert("idempotency-key", "".parse().unwrap());
    assert_eq!(seen(post(), Reply::status(500)), 1);
    assert_eq!(seen(post(), Reply::Lost), 1);
    assert_eq!(seen(blank, Reply::status(500)), 1);
    assert_eq!(seen(keyed, Reply::status(500)), 3);
    assert_eq!(seen(Request::new(()), Reply::status(500)), 3, "a GET");
    // Provably not carried out.
    assert_eq!(seen(post(), Reply::Refused), 3);
    assert_eq!(seen(post(), Reply::status(429)), 3);
    // And by the host's word.
    let declared = layer.clone().with_idempotency(Idempotency::Declared);
    let upstream = Upstream::new([Reply::status(500)]);
    let service = declared.layer(upstream.clone());
    let _ended = play(&clock, SECOND, call(&service, post()));
    assert_eq!(upstream.calls(), 3);
}

#[test]
fn an_empty_account_is_asked_once() {
    let clock = common::clock();
    let layer = RetryLayer::new(policy(3), time(&clock));
    assert_eq!(attempts(&layer, Reply::status(402), Request::new(())), 1);
}

#[test]
fn nested_retries_make_the_attempts_of_one_and_tell_upstream_whose_they_are() {
    let clock = common::clock();
    let upstream = Upstream::new([Reply::status(503)]);
    let inner = RetryLayer::new(policy(3), time(&clock)).layer(upstream.clone());
    let middle = RetryLayer::new(policy(3), time(&clock)).layer(inner);
    let edge = RetryOwner::new("edge").unwrap();
    let outer = RetryLayer::new(policy(3), time(&clock))
        .with_owner(edge)
        .layer(middle);
    let mut request = Request::new(());
    request
        .extensions_mut()
        .insert(Deadline::after(&clock, SECOND * 60));
    assert!(play(&clock, SECOND, call(&outer, request)).is_err());
    assert_eq!(upstream.calls(), 3);
    let seen = upstream.seen.lock().unwrap();
    let told: Vec<_> = seen
        .iter()
        .map(|parts| {
            parts.headers[RetryOwner::HEADER]
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        told,
        [
            r#""edge";n=1;max=3;left=60000"#,
            r#""edge";n=2;max=3;left=59000"#,
            r#""edge";n=3;max=3;left=58000"#
        ]
    );
}

#[test]
fn a_sender_who_retries_is_believed_unless_told_otherwise() {
    let clock = common::clock();
    let asks = |layer: &RetryLayer| {
        let upstream = Upstream::new([Reply::status(503)]);
        let mut request = Request::new(());
        let value = r#""client";n=1;max=5;left=500"#.parse().unwrap();
        request.headers_mut().insert(RetryOwner::HEADER, value);
        let service = layer.layer(upstream.clone());
        let _ended = play(&clock, SECOND, call(&service, request));
        let seen = upstream.seen.lock().unwrap();
        let attempt = seen[0].extensions.get::<Attempt>().unwrap();
        (seen.len(), attempt.deadline.is_some())
    };
    let layer = RetryLayer::new(policy(3), time(&clock));
    assert_eq!(asks(&layer), (1, true), "it keeps the sender's deadline");
    assert_eq!(asks(&layer.with_believed_header(false)), (3, false));
}

#[test]
fn a_body_that_can_be_sent_once_is_and_the_lost_retry_is_counted() {
    let clock = common::clock();
    let counter = Arc::new(RetryCounter::new());
    let layer = RetryLayer::new(policy(3), time(&clock))
        .with_replay(SendOnce)
        .with_counter(Arc::clone(&counter));
    let upstream = Upstream::new([Reply::status(503)]);
    let service = layer.layer(upstream.clone());
    for _ in 0..5 {
        let ended = play(&clock, SECOND, call(&service, Request::new(())));
        assert!(ended.is_err());
    }
    assert_eq!(upstream.calls(), 5);
    assert_eq!(counter.counts().stopped(Stop::NotReplayable), 5);
    assert_eq!(counter.counts().retries, 0);
}

#[test]
fn one_tenant_whose_calls_fail_does_not_spend_the_retries_of_another() {
    let clock = common::clock();
    let config = RetryBudgetConfig::default().with_percent(0).with_floor(2);
    let whole = config.with_floor(50);
    let budgets = Arc::new(RetryBudgets::new(whole, config).unwrap());
    let layer = RetryLayer::new(policy(2), time(&clock))
        .with_budgets(Arc::clone(&budgets), |extensions| {
            extensions.get::<Key>().cloned().unwrap_or_else(Key::global)
        });
    let upstream = Upstream::new([Reply::status(503)]);
    let service = layer.layer(upstream.clone());
    // The clock must stand still, or the floor pays: no pause.
    let ask = |tenant: &str, weight: u32| {
        let before = upstream.calls();
        let mut request = Request::new(());
        let key = Key::new(Dimension::Org, tenant).unwrap();
        request.extensions_mut().insert(key);
        request.extensions_mut().insert(RetryWeight(weight));
        let mut asking = Box::pin(call(&service, request));
        drop(common::polls(asking.as_mut(), 50));
        drop(asking);
        upstream.calls() - before
    };
    let budget = |tenant| {
        let key = Key::new(Dimension::Org, tenant).unwrap();
        budgets.of(&key, clock.instant()).balance(clock.instant())
    };
    assert_eq!(budget("a"), 2);
    let _first = ask("a", 1);
    let _second = ask("a", 1);
    assert_eq!((budget("a"), budget("b")), (0, 2));
    let _heavy = ask("b", 2);
    assert_eq!(budget("b"), 0, "a retry of weight two costs two");
}

#[test]
fn a_late_answer_is_asked_for_again_and_the_loser_is_gone() {
    let clock = common::clock();
    let hedger = Arc::new(Hedger::new(HedgePolicy::after(SECOND * 2).unwrap()));
    let layer = HedgeLayer::new(Arc::clone(&hedger), time(&clock));
    let upstream = Upstream::new([Reply::Hang, Reply::json("{}")]);
    let service = layer.layer(upstream.clone());
    let began = clock.instant();
    let answer = play(&clock, SECOND, call(&service, Request::new(()))).unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(clock.instant().saturating_since(began), SECOND * 2);
    assert_eq!(upstream.calls(), 2);
    assert_eq!(hedger.counts().won, 1);
    drop((answer, service));
    assert_eq!(upstream.alive.others(), 0);
}

#[test]
fn a_hedge_asks_the_same_questions_as_a_retry() {
    let clock = common::clock();
    let hedger = || Arc::new(Hedger::new(HedgePolicy::after(SECOND).unwrap()));
    let calls = |layer: HedgeLayer, request: Request<()>| {
        let upstream = Upstream::new([Reply::Hang]);
        let service = layer.layer(upstream.clone());
        let mut asking = Box::pin(call(&service, request));
        for _ in 0..10 {
            assert!(common::polls(asking.as_mut(), 10).is_none());
            clock.advance(SECOND);
        }
        upstream.calls()
    };
    let layer = || HedgeLayer::new(hedger(), time(&clock));
    assert_eq!(calls(layer(), Request::new(())), 2);
    assert_eq!(calls(layer(), post()), 1, "it may be carried out twice");
    let declared = layer().with_idempotency(Idempotency::Declared);
    assert_eq!(calls(declared, post()), 2);
    let empty = RetryBudgetConfig::default().with_percent(0).with_floor(0);
    let empty = Arc::new(RetryBudget::new(empty).unwrap());
    assert_eq!(calls(layer().with_budget(empty), Request::new(())), 1);
    assert_eq!(calls(HedgeLayer::off(time(&clock)), Request::new(())), 1);
    let mut late = Request::new(());
    late.extensions_mut()
        .insert(Deadline::at(Instant::from_nanos(0)));
    assert_eq!(calls(layer(), late), 1, "nobody waits for it any more");
}

#[test]
fn a_hedge_inside_a_retry_pays_one_share_and_answers_like_one_attempt() {
    let clock = common::clock();
    let config = RetryBudgetConfig::default().with_percent(50).with_floor(0);
    let budget = Arc::new(RetryBudget::new(config).unwrap());
    let hedger = Arc::new(Hedger::new(HedgePolicy::after(SECOND).unwrap()));
    let hedge = HedgeLayer::new(hedger, time(&clock)).with_budget(Arc::clone(&budget));
    let retry = RetryLayer::new(policy(3), time(&clock)).with_budget(Arc::clone(&budget));
    let service = retry.layer(hedge.layer(Upstream::new([Reply::json("{}")])));
    for _ in 0..10 {
        assert!(play(&clock, SECOND, call(&service, Request::new(()))).is_ok());
    }
    assert_eq!(
        budget.balance(clock.instant()),
        5,
        "half of ten, and not all"
    );
}

#[test]
fn what_breaks_after_its_first_byte_is_never_asked_for_again() {
    let clock = common::clock();
    // No floor: what is spent stays spent.
    let config = RetryBudgetConfig::default().with_percent(100).with_floor(0);
    let budget = Arc::new(RetryBudget::new(config).unwrap());
    let counter = Arc::new(RetryCounter::new());
    let hedger = Arc::new(Hedger::new(HedgePolicy::after(SECOND * 5).unwrap()));
    // All who could send it again stand around it, and would: it is a GET, and there is budget.
    let again = |upstream: &Upstream| {
        let retry = RetryLayer::new(policy(3), time(&clock))
            .with_budget(Arc::clone(&budget))
            .with_counter(Arc::clone(&counter));
        let hedge =
            HedgeLayer::new(Arc::clone(&hedger), time(&clock)).with_budget(Arc::clone(&budget));
        FallbackLayer::new(|_: &Route| vec![route("second")], time(&clock))
            .with_budget(Arc::clone(&budget))
            .layer(retry.layer(hedge.layer(upstream.clone())))
    };
    let chunk = || data("data: {\"a\":1}\n\n");
    for before in [
        vec![chunk()],
        vec![Step::Wait, chunk(), Step::Wait],
        vec![chunk(), chunk(), chunk()],
        // The head has gone out, and that is enough: the client has been told that it is an answer.
        vec![],
    ] {
        let mut broken = Reply::events::<&str>([]);
        for step in before.iter().cloned().chain([Step::Break]) {
            broken = broken.then(step);
        }
        let upstream = Upstream::new([broken, Reply::events(["data: again\n\n"])]);
        let service = again(&upstream);
        let answer = play(&clock, SECOND, call(&service, routed(Method::GET))).unwrap();
        let (seen, end) = play(&clock, SECOND, read(answer.into_body()));
        let sent = before.iter().filter(|step| matches!(step, Step::Data(_)));
        assert_eq!(seen, b"data: {\"a\":1}\n\n".repeat(sent.count()));
        assert_eq!(end.unwrap_err().to_string(), "the connection broke");
        assert_eq!(upstream.calls(), 1);
    }
    assert_eq!(
        budget.balance(clock.instant()),
        4,
        "the share of each call, and nothing was spent"
    );
    assert_eq!(counter.counts(), RetryCounter::new().counts());
    assert_eq!(hedger.counts().sent, 0);
}

// --- elsewhere ------------------------------------------------------------------------------------------------------

fn route(upstream: &'static str) -> Route {
    let priced_as = ModelId::new("acme", "large").unwrap();
    Route::new(upstream.into(), "large".into(), priced_as, "configured")
}

fn routed(method: Method) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = method;
    request.extensions_mut().insert(route("first"));
    request
}

fn upstreams(seen: &Upstream) -> Vec<String> {
    let seen = seen.seen.lock().unwrap();
    seen.iter()
        .map(|parts| {
            parts
                .extensions
                .get::<Route>()
                .unwrap()
                .upstream
                .to_string()
        })
        .collect()
}

#[test]
fn another_upstream_answers_when_the_first_cannot() {
    let clock = common::clock();
    let fallback = || FallbackLayer::new(|_: &Route| vec![route("second")], time(&clock));
    for (reply, goes_on) in [
        (Reply::status(503), true),
        (Reply::status(402), true),
        (Reply::status(401), true),
        (Reply::Lost, true),
        (Reply::status(400), false),
        (Reply::status(413), false),
    ] {
        let upstream = Upstream::new([reply.clone(), Reply::json("{}")]);
        let retry = RetryLayer::new(policy(1), time(&clock)).layer(upstream.clone());
        let service = fallback().layer(retry);
        let answer = play(&clock, SECOND, call(&service, routed(Method::GET)));
        let ok = answer.is_ok_and(|answer| answer.status() == StatusCode::OK);
        assert_eq!(ok, goes_on, "{reply:?}");
        let expected: &[&str] = if goes_on {
            &["first", "second"]
        } else {
            &["first"]
        };
        assert_eq!(upstreams(&upstream), expected, "{reply:?}");
    }
    // A POST that may have been carried out is not sent elsewhere.
    let upstream = Upstream::new([Reply::Lost, Reply::json("{}")]);
    let retry = RetryLayer::new(policy(1), time(&clock)).layer(upstream.clone());
    let answer = play(
        &clock,
        SECOND,
        call(&fallback().layer(retry), routed(Method::POST)),
    );
    assert_eq!(
        reason(&answer.err().unwrap()),
        Some(Reason::UpstreamUnavailable)
    );
    assert_eq!(upstream.calls(), 1);
}

#[test]
fn an_open_breaker_is_passed_over_and_costs_nothing() {
    let clock = common::clock();
    let breaking = BreakerConfig::default()
        .with_consecutive_failures(1)
        .build()
        .unwrap();
    let breakers = Arc::new(BreakerRegistry::new(breaking, clock.clone()));
    let config = RetryBudgetConfig::default()
        .with_percent(0)
        .with_floor(1)
        .with_capacity(1);
    let budget = Arc::new(RetryBudget::new(config).unwrap());
    let classify = palisade_tower::Upstream::new(clock.clone());
    let upstream = Upstream::new([Reply::status(503), Reply::json("{}")]);
    let inner = BreakerLayer::new(breakers, classify).layer(upstream.clone());
    let inner = RetryLayer::new(policy(1), time(&clock)).layer(inner);
    let service = FallbackLayer::new(|_: &Route| vec![route("second")], time(&clock))
        .with_budget(Arc::clone(&budget))
        .layer(inner);
    let ask = || play(&clock, SECOND, call(&service, routed(Method::GET)));
    // The first failure is paid for and opens the breaker of the first upstream.
    assert!(ask().is_ok());
    assert_eq!(budget.balance(clock.instant()), 0);
    for _ in 0..10 {
        assert!(ask().is_ok());
    }
    let called = upstreams(&upstream);
    assert_eq!(called.iter().filter(|name| *name == "first").count(), 1);
    assert_eq!(called.len(), 12);
}

#[test]
fn nobody_is_flooded_by_anothers_trouble() {
    let clock = common::clock();
    let config = RetryBudgetConfig::default()
        .with_percent(0)
        .with_floor(3)
        .with_capacity(3);
    let budget = Arc::new(RetryBudget::new(config).unwrap());
    let upstream = Upstream::new([Reply::status(503)]);
    let retry = RetryLayer::new(policy(1), time(&clock)).layer(upstream.clone());
    let fallbacks = |_: &Route| vec![route("second"), route("third")];
    let service = FallbackLayer::new(fallbacks, time(&clock))
        .with_budget(budget)
        .layer(retry);
    for _ in 0..10 {
        let ended = play(&clock, SECOND, call(&service, routed(Method::GET)));
        assert!(ended.is_err());
    }
    assert_eq!(upstream.calls(), 10 + 3);
}

// --- what the upstream says of itself -------------------------------------------------------------------------------

#[test]
fn an_empty_account_is_not_asked_again_though_it_answers_like_a_full_minute() {
    let clock = common::clock();
    let with_body = |body: &'static str| {
        let Reply::Answer(_, headers, _) = Reply::status(429) else {
            unreachable!("it is an answer");
        };
        let half = body.len() / 2;
        let steps = vec![data(&body[..half]), Step::Wait, data(&body[half..])];
        Reply::Answer(StatusCode::TOO_MANY_REQUESTS, headers, steps)
    };
    let calls = |reply: Reply| {
        let upstream = Upstream::new([reply]);
        let told = DiagnoseLayer::new(clock.clone()).layer(upstream.clone());
        let service = RetryLayer::new(policy(3), time(&clock)).layer(told);
        let _ended = play(&clock, SECOND, call(&service, Request::new(())));
        upstream.calls()
    };
    assert_eq!(
        calls(with_body(r#"{"error":{"code":"rate_limit_exceeded"}}"#)),
        3
    );
    assert_eq!(
        calls(with_body(r#"{"error":{"code":"insufficient_quota"}}"#)),
        1
    );
    assert_eq!(calls(with_body("<html>slow down</html>")), 3);
    // The wait that stands in its words is kept.
    let wordy = r#"{"error":{"code":"rate_limit_exceeded","message":"try again in 20s."}}"#;
    let began = clock.instant();
    assert_eq!(calls(with_body(wordy)), 3);
    assert!(clock.instant().saturating_since(began) >= SECOND * 40);
}

#[test]
fn an_error_body_is_handed_on_as_it_was() {
    let clock = common::clock();
    let long = "x".repeat(DiagnoseLayer::BODY_MAX / 2 + 1);
    for steps in [
        vec![],
        vec![data("a"), Step::Wait, data("b")],
        vec![data(&long), data(&long), data(&long)],
        vec![data("a"), Step::Break],
    ] {
        let reply = Reply::Answer(
            StatusCode::BAD_REQUEST,
            http::HeaderMap::new(),
            steps.clone(),
        );
        let service = DiagnoseLayer::new(clock.clone()).layer(Upstream::new([reply]));
        let answer = play(&clock, SECOND, call(&service, Request::new(()))).unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let hint = answer.body().size_hint();
        let (all, end) = play(&clock, SECOND, read(answer.into_body()));
        let sent: Vec<u8> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Data(data) => Some(data.to_vec()),
                _ => None,
            })
            .flatten()
            .collect();
        let broke = steps.iter().any(|step| matches!(step, Step::Break));
        assert_eq!((all == sent, end.is_err()), (true, broke));
        let length = sent.len() as u64;
        assert!(hint.lower() <= length && hint.upper().is_none_or(|most| most >= length));
        // One that was read to its end says so.
        let read_whole = !broke && sent.len() <= DiagnoseLayer::BODY_MAX;
        assert_eq!(hint.exact(), read_whole.then_some(length));
    }
}
