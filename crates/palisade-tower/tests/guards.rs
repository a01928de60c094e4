//! Who may pass, how the others are told, and what the next one sees of the request.

#![cfg(feature = "full")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    Ask, Reply, Upstream, call,
    house::{SECOND, Traces},
    now, polls, read,
};
use http::{HeaderValue, Request, Response, StatusCode, header};
use palisade_auth::{ApiKeys, Authenticator, Credentials, IssueRequest, Principal, Refusal, Role};
use palisade_core::{Clock as _, Decision, Key, StoreError, StoreErrorKind};
use palisade_rate_limit::{
    Allowed, Denied, Limit, MemoryConfig, RateLimiter, ReserveRequest, SettleRequest, Settled,
};
use palisade_tower::{
    AuthLayer, BoxError, Inspect, Inspected, OnStoreFailure, RateLimitLayer, Reason, Rejection,
    ScanLayer, Take, TraceLayer, find,
};
use palisade_trace::{ActiveTrace, Recorder, TraceStatus};
use tower_layer::Layer as _;

fn rejection<T>(outcome: Result<T, BoxError>) -> Rejection {
    let error = outcome.err().expect("a refusal");
    find::<Rejection>(&*error).expect("a rejection").clone()
}

fn with(fields: &[(header::HeaderName, &str)]) -> Request<Ask> {
    let mut request = Ask::openai("hi");
    for (name, value) in fields {
        let value = HeaderValue::from_str(value).unwrap();
        request.headers_mut().append(name, value);
    }
    request
}

const X_API_KEY: header::HeaderName = header::HeaderName::from_static("x-api-key");

#[test]
fn who_asks_is_known_behind_the_door_and_their_key_is_not() {
    let keys = Arc::new(ApiKeys::new(
        palisade_auth::InMemory::default(),
        common::clock(),
    ));
    let principal = Principal::new("acme", Role::Developer).unwrap();
    let issued = now(keys.issue(IssueRequest::new(principal))).unwrap();
    let upstream = Upstream::new([Reply::json("{}")]);
    let service = AuthLayer::new(keys).layer(upstream.clone());
    let key = issued.key.expose();
    for request in [
        with(&[(header::AUTHORIZATION, &format!("Bearer {key}"))]),
        with(&[(X_API_KEY, key)]),
    ] {
        assert!(now(call(&service, request)).is_ok());
    }
    for seen in upstream.seen.lock().unwrap().iter() {
        assert!(seen.headers.is_empty());
        assert_eq!(seen.extensions.get::<Principal>().unwrap().org(), "acme");
    }
    let bearer = format!("Bearer {key}");
    for (name, fields) in [
        ("none", vec![]),
        ("wrong", vec![(X_API_KEY, "pk_nonsense")]),
        (
            "twice",
            vec![
                (header::AUTHORIZATION, bearer.as_str()),
                (header::AUTHORIZATION, "Bearer x"),
            ],
        ),
        (
            "both",
            vec![(header::AUTHORIZATION, bearer.as_str()), (X_API_KEY, "x")],
        ),
        ("no text", vec![(header::AUTHORIZATION, "Bearer \u{e9}")]),
        (
            "another scheme",
            vec![(header::AUTHORIZATION, "Basic eDp5")],
        ),
    ] {
        let refused = rejection(now(call(&service, with(&fields))));
        let (status, headers) = refused.head();
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{name}");
        assert!(
            headers[header::WWW_AUTHENTICATE]
                .to_str()
                .unwrap()
                .starts_with("Bearer"),
            "{name}"
        );
        assert!(!refused.problem().contains(key), "{name}");
    }
    assert_eq!(upstream.calls(), 2);
}

/// A store that gives no answer.
#[derive(Debug)]
struct Down;

impl Authenticator for Down {
    async fn authenticate(
        &self,
        _: &Credentials,
    ) -> Result<Decision<Principal, Refusal>, StoreError> {
        Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "looking up a key",
        ))
    }
}

impl RateLimiter for Down {
    async fn reserve(
        &self,
        _: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        Err(StoreError::new(StoreErrorKind::Unavailable, "counting"))
    }

    async fn settle(&self, _: SettleRequest<'_>) -> Result<Settled, StoreError> {
        Err(StoreError::new(StoreErrorKind::Unavailable, "counting"))
    }

    async fn reset(&self, _: &Limit, _: &Key) -> Result<(), StoreError> {
        Err(StoreError::new(StoreErrorKind::Unavailable, "counting"))
    }
}

fn one_a_minute(_: &Request<Ask>) -> Result<Vec<Take>, Rejection> {
    Ok(vec![Take::one(
        Limit::per_minute("chat", 1).unwrap(),
        Key::global(),
    )])
}

#[test]
fn a_store_that_gives_no_answer_lets_nobody_in_unless_the_policy_says_so() {
    let upstream = Upstream::new([Reply::json("{}")]);
    let service = AuthLayer::new(Arc::new(Down)).layer(upstream.clone());
    let refused = rejection(now(call(&service, with(&[(X_API_KEY, "x")]))));
    assert_eq!(refused.reason(), Reason::GuardUnavailable);
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(1)));

    let closed = RateLimitLayer::new(Arc::new(Down), one_a_minute);
    let open = closed
        .clone()
        .on_store_failure(OnStoreFailure::Open)
        .layer(upstream.clone());
    let refused = rejection(now(call(
        &closed.layer(upstream.clone()),
        Ask::openai("hi"),
    )));
    assert_eq!(refused.reason(), Reason::GuardUnavailable);
    assert_eq!(upstream.calls(), 0);
    let passed = now(call(&open, Ask::openai("hi"))).unwrap();
    assert!(
        !passed.headers().contains_key("ratelimit"),
        "nothing is known, so nothing is said"
    );
}

#[test]
fn every_answer_says_how_the_client_stands_and_not_how_the_service_does() {
    let clock = common::clock();
    let limiter = palisade_rate_limit::InMemory::new(MemoryConfig::new(), clock.clone()).unwrap();
    let limits = |_: &Request<Ask>| {
        let limit = Limit::per_minute("chat", 3).unwrap();
        Ok(vec![
            Take::one(limit, Key::global()),
            Take::one(Limit::per_hour("all", 100).unwrap(), Key::global()).with_cost(5),
        ])
    };
    let reply = Reply::json("{}").with_header("x-ratelimit-remaining", "999999");
    let refuses = Refuses(Rejection::new(Reason::PromptRejected, "no"));
    let layer = RateLimitLayer::new(Arc::new(limiter), limits);
    let service = layer.layer(Upstream::new([reply]));
    let fields = |headers: &http::HeaderMap| {
        [
            "ratelimit-policy",
            "ratelimit",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ]
        .map(|name| {
            headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
                .join("; ")
        })
    };
    let passed = now(call(&service, Ask::openai("hi"))).unwrap();
    assert_eq!(
        fields(passed.headers()),
        [
            "\"chat\";q=3;w=60, \"all\";q=100;w=3600",
            "\"chat\";r=2;t=20, \"all\";r=95;t=180",
            "3",
            "2",
            "20"
        ]
    );
    // Refused by somebody further in.
    let scanned = layer.layer(
        ScanLayer::new()
            .with(refuses)
            .layer(Upstream::new([Reply::Hang])),
    );
    let refused = rejection(now(call(&scanned, Ask::openai("hi"))));
    assert_eq!(refused.reason(), Reason::PromptRejected);
    assert_eq!(fields(&refused.head().1)[3], "1");
    // Refused here, at last.
    assert!(now(call(&service, Ask::openai("hi"))).is_ok());
    let (status, headers) = rejection(now(call(&service, Ask::openai("hi")))).head();
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(headers[header::RETRY_AFTER], "20");
    assert_eq!(fields(&headers)[3], "0");
    clock.advance(SECOND * 20);
    assert!(now(call(&service, Ask::openai("hi"))).is_ok());
}

/// An inspection that says always the same.
struct Refuses(Rejection);

impl Inspect for Refuses {
    fn inspect(&self, request: &dyn palisade_core::Texts) -> Inspected {
        let mut inspected = Inspected::clean("mine");
        request.texts(&mut |_| inspected.findings += 1);
        inspected.refusal = Some(self.0.clone());
        inspected
    }
}

#[test]
fn the_first_refusal_ends_the_scan() {
    let second = Refuses(Rejection::new(Reason::ContentRejected, "second"));
    let scan = ScanLayer::new()
        .with(Refuses(Rejection::new(Reason::PromptRejected, "first")))
        .with(second);
    let upstream = Upstream::new([Reply::json("{}")]);
    let refused = rejection(now(call(&scan.layer(upstream.clone()), Ask::openai("hi"))));
    assert_eq!((refused.detail(), upstream.calls()), ("first", 0));
}

#[test]
fn a_trace_ends_once_and_says_how() {
    let clock = common::clock();
    let ended = |reply: Reply, polled: Option<usize>| {
        let traces = Traces::default();
        let layer = TraceLayer::new(Recorder::new(traces.clone(), clock.clone()));
        let upstream = Upstream::new([reply]);
        let service = layer.layer(upstream.clone());
        // Somebody holds on to it: it ends all the same.
        let asking = async {
            let response = call(&service, Ask::openai("hi")).await?;
            read(response.into_body()).await.1
        };
        drop(match polled {
            Some(count) => polls(asking, count),
            None => Some(now(asking)),
        });
        let seen = upstream.seen.lock().unwrap();
        assert!(
            seen.iter()
                .all(|parts| parts.extensions.get::<ActiveTrace>().is_some())
        );
        let mut traces = traces.take();
        assert_eq!(traces.len(), 1);
        traces.pop().unwrap().summary.status
    };
    assert_eq!(ended(Reply::json("{}"), None), TraceStatus::Ok);
    assert_eq!(ended(Reply::status(404), None), TraceStatus::Refused);
    assert_eq!(ended(Reply::status(500), None), TraceStatus::Failed);
    assert_eq!(ended(Reply::Lost, None), TraceStatus::Failed);
    assert_eq!(
        ended(Reply::json("{").then(common::Step::Break), None),
        TraceStatus::Failed
    );
    assert_eq!(
        ended(Reply::json("{").then(common::Step::Hang), Some(10)),
        TraceStatus::Abandoned
    );
    assert_eq!(ended(Reply::Hang, Some(10)), TraceStatus::Abandoned);
}

#[test]
fn a_callers_trace_is_joined_only_where_that_is_allowed() {
    let clock = common::clock();
    let id = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{id}-b7ad6b7169203331-01");
    let field = header::HeaderName::from_static("traceparent");
    for joins in [false, true] {
        let layer = TraceLayer::new(Recorder::new(Traces::default(), clock.clone()));
        let layer = if joins {
            layer.joining_callers()
        } else {
            layer
        };
        let service = layer.layer(Upstream::new([Reply::json("{}")]));
        let response = now(call(&service, with(&[(field.clone(), &parent)]))).unwrap();
        let told = response.headers()["traceresponse"].to_str().unwrap();
        assert_eq!(told.contains(id), joins);
        assert!(now(call(&service, with(&[(field.clone(), "nonsense")]))).is_ok());
    }
    assert!(clock.now() > palisade_core::Timestamp::UNIX_EPOCH);
}

#[test]
fn a_rejection_is_a_problem_document_a_stranger_may_read() {
    let every = [
        Reason::Unauthenticated,
        Reason::Forbidden,
        Reason::Invalid,
        Reason::NotFound,
        Reason::UnknownModel,
        Reason::TooLarge,
        Reason::RateLimited,
        Reason::QuotaExhausted,
        Reason::QuotaTooSmall,
        Reason::PromptRejected,
        Reason::ContentRejected,
        Reason::CircuitOpen,
        Reason::UpstreamUnavailable,
        Reason::UpstreamOverloaded,
        Reason::UpstreamTimeout,
        Reason::DeadlineExceeded,
        Reason::GuardUnavailable,
        Reason::ShuttingDown,
        Reason::Internal,
    ];
    let mut codes = std::collections::BTreeSet::new();
    for reason in every {
        let response: Response<String> = Rejection::new(reason, "why \"so\"")
            .with_header(header::VARY, HeaderValue::from_static("a"))
            .into_response();
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(response.headers()[header::VARY], "a");
        let problem: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        assert_eq!(problem["status"], response.status().as_u16());
        assert_eq!(
            problem["type"],
            format!("urn:palisade:problem:{}", reason.code())
        );
        assert_eq!(
            (problem["title"].as_str(), problem["detail"].as_str()),
            (Some(reason.title()), Some("why \"so\""))
        );
        assert!(codes.insert(reason.code()), "{reason:?}");
        assert_eq!(
            response.status() == StatusCode::UNAUTHORIZED,
            response.headers().contains_key(header::WWW_AUTHENTICATE)
        );
    }
}
