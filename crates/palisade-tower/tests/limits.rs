//! What a limit has reserved is settled with what was used, whatever becomes of the request, and a permit is held until the
//! last byte.

#![cfg(feature = "full")]

mod common;

use std::sync::Arc;

use common::{Ask, Pieces, Reply, Step, Upstream, call, data, now, polls, read};
use http::{Request, Response};
use palisade_core::{Key, ManualClock, Money, Tokens};
use palisade_rate_limit::{
    Charge, CheckRequest, InMemory, Limit, MemoryConfig, PartitionSecret, RateLimiterExt as _,
    Settler, SettlerTask,
};
use palisade_tower::{
    Bill, BoxError, Measure, RateLimitLayer, Reason, Rejection, Spent, Take, find,
};
use tower_layer::Layer as _;
use tower_service::Service;

type Limiter = Arc<InMemory<ManualClock>>;

const RESERVED: u64 = 100;

struct Bench {
    clock: ManualClock,
    limiter: Limiter,
    settler: Settler,
    task: SettlerTask<Limiter>,
}

fn bench() -> Bench {
    let clock = common::clock();
    let config = MemoryConfig::new().with_capacity(64);
    let limiter = Arc::new(InMemory::new(config, clock.clone()).unwrap());
    let (settler, task) = Settler::new(Arc::clone(&limiter), 64);
    Bench {
        clock,
        limiter,
        settler,
        task,
    }
}

/// Five requests, a thousand tokens, a thousand nano-dollars, two at a time.
fn limits() -> [Limit; 4] {
    [
        Limit::per_day("requests", 5).unwrap(),
        Limit::per_day("tokens", 1_000).unwrap(),
        Limit::per_day("money", 1_000).unwrap(),
        Limit::concurrency("open", 2).unwrap(),
    ]
}

fn takes(_: &Request<Ask>) -> Result<Vec<Take>, Rejection> {
    let [requests, tokens, money, open] = limits();
    let all = Key::global;
    Ok(vec![
        Take::one(requests, all()),
        Take::one(tokens, all()).with_cost(RESERVED),
        Take::one(money, all()).with_cost(RESERVED),
        Take::one(open, all()),
    ])
}

/// What is used of each limit now.
fn used(limiter: &Limiter) -> [u64; 4] {
    limits().map(|limit| {
        let key = Key::global();
        let charge = Charge::new(&limit, &key, 0);
        let answer = now(limiter.check(CheckRequest::one(&charge))).unwrap();
        limit.burst() - answer.allowed().unwrap().binding().remaining
    })
}

impl Bench {
    fn layer(
        &self,
    ) -> RateLimitLayer<Limiter, impl Fn(&Request<Ask>) -> Result<Vec<Take>, Rejection> + use<>>
    {
        RateLimitLayer::new(Arc::clone(&self.limiter), takes)
            .settling(self.settler.clone())
            .with_measured("tokens", Measure::Tokens)
            .with_measured("money", Measure::NanoUsd)
    }

    fn used(&self) -> [u64; 4] {
        used(&self.limiter)
    }

    /// What is used of each limit when the settler has worked off what was left to it.
    fn used_at_last(self) -> [u64; 4] {
        // It waits for more, as a service that holds the settler is still there.
        polls(self.task.run(self.clock), usize::MAX);
        used(&self.limiter)
    }
}

/// Answers in two pieces; what it says of its use, it says when it is called.
#[derive(Clone)]
struct Model(fn(&Bill, &Spent));

impl Service<Request<Ask>> for Model {
    type Response = Response<Pieces>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Response<Pieces>, BoxError>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Ask>) -> Self::Future {
        let extensions = request.extensions();
        (self.0)(extensions.get().unwrap(), extensions.get().unwrap());
        let body = Pieces::new([data("a"), Step::Wait, data("b")]);
        std::future::ready(Ok(Response::new(body)))
    }
}

fn uses(bill: &Bill) {
    bill.send().used(Tokens::new(30), Money::from_nano_usd(7));
}

#[test]
fn what_was_used_counts_when_the_body_has_ended_and_no_earlier() {
    let bench = bench();
    let service = bench.layer().layer(Model(|bill, _| uses(bill)));
    let response = now(call(&service, Ask::openai("hi"))).unwrap();
    assert_eq!(bench.used(), [1, 100, 100, 1], "while it is under way");
    assert!(now(read(response.into_body())).1.is_ok());
    assert_eq!(bench.used(), [1, 30, 7, 0]);
}

#[test]
fn a_permit_is_held_until_the_last_byte() {
    let bench = bench();
    let service = bench.layer().layer(Model(|bill, _| uses(bill)));
    let ask = || now(call(&service, Ask::openai("hi")));
    let first = ask().unwrap();
    let second = ask().unwrap();
    let error = ask().err().unwrap();
    let refused = find::<Rejection>(&*error).unwrap();
    assert_eq!(refused.reason(), Reason::RateLimited);
    assert!(
        refused.problem().contains("2 at a time"),
        "{}",
        refused.problem()
    );
    assert!(now(read(first.into_body())).1.is_ok());
    assert_eq!(
        bench.used(),
        [2, 130, 107, 1],
        "the refused one has taken nothing"
    );
    let third = ask().unwrap();
    drop((second, third));
    assert_eq!(bench.used_at_last(), [3, 90, 21, 0]);
}

#[test]
fn what_is_said_while_it_streams_counts_more_than_the_bill() {
    let bench = bench();
    let service = bench.layer().layer(Model(|bill, spent| {
        uses(bill);
        spent.see("tokens", 900);
        spent.see("tokens", 20);
        spent.see("unheard-of", 1);
    }));
    let response = now(call(&service, Ask::openai("hi"))).unwrap();
    assert!(now(read(response.into_body())).1.is_ok());
    assert_eq!(
        bench.used(),
        [1, 900, 7, 0],
        "what was not reserved is owed"
    );
}

#[test]
fn a_client_that_leaves_in_the_midst_is_settled_with_what_was_seen() {
    let bench = bench();
    let service = bench
        .layer()
        .layer(Model(|_, spent| spent.see("tokens", 12)));
    let response = now(call(&service, Ask::openai("hi"))).unwrap();
    assert!(polls(read(response.into_body()), 1).is_none());
    assert_eq!(bench.used_at_last(), [1, 12, 100, 0]);
}

#[test]
fn an_answer_of_which_nobody_says_anything_is_no_zero() {
    let bench = bench();
    let service = bench.layer().layer(Model(|_, _| {}));
    let response = now(call(&service, Ask::openai("hi"))).unwrap();
    assert!(now(read(response.into_body())).1.is_ok());
    assert_eq!(bench.used(), [1, 100, 100, 0]);
}

#[test]
fn a_request_that_no_attempt_was_sent_for_has_used_nothing_but_itself() {
    let bench = bench();
    let service = bench.layer().layer(Upstream::new([Reply::Refused]));
    assert!(now(call(&service, Ask::openai("hi"))).is_err());
    assert_eq!(bench.used(), [1, 0, 0, 0]);
}

#[test]
fn dropped_at_any_moment_nothing_stays_reserved() {
    for count in 0..12 {
        let bench = bench();
        let upstream = Upstream::new([Reply::json("{}").then(Step::Wait).then(data("x"))]);
        let service = bench.layer().layer(upstream);
        polls(
            async {
                let response = call(&service, Ask::openai("hi")).await.unwrap();
                read(response.into_body()).await
            },
            count,
        );
        let used = bench.used_at_last();
        assert_eq!(used[3], 0, "a permit leaked after {count} polls");
    }
}

#[test]
fn the_fields_tell_counters_apart_without_telling_whose_they_are() {
    let bench = bench();
    let layer = bench
        .layer()
        .with_partition_secret(PartitionSecret::new([7; 16]));
    let response = now(call(&layer.layer(Model(|_, _| {})), Ask::openai("hi"))).unwrap();
    let field = |name| response.headers()[name].to_str().unwrap().to_owned();
    for name in ["ratelimit", "ratelimit-policy"] {
        assert_eq!(field(name).matches(";pk=:").count(), 4, "{}", field(name));
    }
}
