//! What is reserved is settled or released, whatever becomes of the request, and the sum of all attempts is what it cost.

#![cfg(feature = "full")]

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use common::{Ask, Pieces, Reply, Step, Upstream, call, data, now, play, polls, read};
use http::Request;
use palisade_core::{
    Decision, Dimension, Key, ManualClock, ModelId, Money, StoreError, StoreErrorKind, Tokens,
};
use palisade_cost::{PriceBook, PriceClass, PriceRow, Variant};
use palisade_quota::{
    Amount, Balance, Defaults, Granted, InMemory, Quota, QuotaLedger, Refused, ReservationId,
    ReserveRequest, Resolution, SettleRequest, Settler, SettlerTask,
};
use palisade_resilience::{Backoff, Jitter, RetryPolicy};
use palisade_tower::{
    Bill, BoxError, MeterLayer, OnStoreFailure, QuotaLayer, Reason, Rejection, RetryLayer, Route,
    RouteLayer, Tap, Time, find,
};
use tower_layer::Layer as _;
use tower_service::Service;

/// What the mock answers cost: 25 tokens at a nano-dollar each.
const COST: u64 = 25;
const RESERVED: u64 = 100;
const LIMIT: u64 = 1_000;

struct Bench<L = InMemory<ManualClock>> {
    clock: ManualClock,
    ledger: L,
    settler: Settler,
    task: SettlerTask<L>,
}

fn scope() -> Key {
    Key::new(Dimension::Org, "acme").unwrap()
}

fn bench() -> Bench {
    let clock = common::clock();
    let quota = Quota::UNLIMITED
        .with_tokens(Some(Tokens::new(LIMIT)))
        .and_then(|quota| quota.with_money(Some(Money::from_nano_usd(LIMIT as i64))))
        .unwrap();
    let ledger = InMemory::new(clock.clone(), Defaults::new(quota));
    let (settler, task) = Settler::new(ledger.clone(), 64);
    Bench {
        clock,
        ledger,
        settler,
        task,
    }
}

fn prices() -> Arc<PriceBook> {
    let nano = |usd: &str| usd.parse::<Money>().unwrap();
    let row = PriceRow::new(ModelId::new("acme", "large").unwrap())
        .with_price(Variant::STANDARD, PriceClass::Input, nano("0.001"))
        .and_then(|row| row.with_price(Variant::STANDARD, PriceClass::Output, nano("0.001")))
        .unwrap();
    Arc::new(PriceBook::empty().with_rows([row]))
}

impl<L: QuotaLedger + Clone + 'static> Bench<L> {
    fn layer(
        &self,
    ) -> QuotaLayer<L, impl Fn(&Request<Ask>) -> Result<Option<ReserveRequest>, Rejection> + use<L>>
    {
        let ids = AtomicU64::new(1);
        QuotaLayer::new(
            self.ledger.clone(),
            self.settler.clone(),
            move |_: &Request<Ask>| {
                let id = ReservationId::from_u128(ids.fetch_add(1, Ordering::Relaxed).into());
                let ask = Amount::from_columns(RESERVED as i64, RESERVED as i64).unwrap();
                Ok(Some(ReserveRequest::new(id, [scope()], ask).unwrap()))
            },
        )
    }

    /// Quota, route, retry, meter: as the stack orders them.
    fn service(
        &self,
        upstream: Upstream,
        attempts: u32,
        model: &'static str,
    ) -> impl Service<
        Request<Ask>,
        Response = http::Response<Tap<Tap<Pieces>>>,
        Error = BoxError,
        Future: Send,
    > + Clone
    + use<L> {
        let meter = MeterLayer::new(prices(), Arc::new(|_: &_, _: &_| {}), self.clock.clone());
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1)).unwrap();
        let policy = RetryPolicy::new(attempts)
            .unwrap()
            .with_backoff(backoff.with_jitter(Jitter::None));
        let time = Time::new(self.clock.clone(), self.clock.clone());
        let inner = RetryLayer::new(policy, time).layer(meter.layer(upstream));
        let route = RouteLayer::new(move |_: &Request<Ask>| {
            let priced_as = ModelId::new("acme", model).unwrap();
            Ok(Route::new(
                "acme".into(),
                model.into(),
                priced_as,
                "configured",
            ))
        });
        self.layer().layer(route.layer(inner))
    }

    /// Spent and held, once the queue has been worked off.
    fn balance(self) -> (Amount, Amount) {
        let Self {
            clock,
            ledger,
            settler,
            task,
        } = self;
        assert_eq!(settler.counts().lost_full + settler.counts().lost_gone, 0);
        drop(settler);
        play(&clock, Duration::from_millis(100), task.run(clock.clone()));
        let balance = now(ledger.balance(&scope())).unwrap();
        (balance.spent, balance.held)
    }
}

fn amount(tokens: u64, money: u64) -> (Amount, Amount) {
    (
        Amount::from_columns(tokens as i64, money as i64).unwrap(),
        Amount::ZERO,
    )
}

/// Plays one request to its end, and says what it cost.
fn cost_of(replies: impl IntoIterator<Item = Reply>, attempts: u32) -> (Amount, Amount) {
    let bench = bench();
    let service = bench.service(Upstream::new(replies), attempts, "large");
    let response = play(
        &bench.clock,
        Duration::from_secs(1),
        call(&service, Ask::openai("hi")),
    );
    if let Ok(response) = response {
        let _ = now(read(response.into_body()));
    }
    drop(service);
    bench.balance()
}

#[test]
fn an_answer_costs_what_it_says_and_is_settled_before_the_client_sees_its_end() {
    let bench = bench();
    let service = bench.service(Upstream::new([Reply::json(common::JSON)]), 1, "large");
    let response = now(call(&service, Ask::openai("hi"))).unwrap();
    let balance = now(bench.ledger.balance(&scope())).unwrap();
    assert_eq!(
        (balance.spent, balance.held.tokens().get()),
        (Amount::ZERO, RESERVED)
    );
    assert!(now(read(response.into_body())).1.is_ok());
    assert_eq!(
        bench.settler.counts().waiting,
        0,
        "nothing was left to the queue"
    );
    drop(service);
    assert_eq!(bench.balance(), amount(COST, COST));
}

#[test]
fn a_stream_costs_what_its_last_event_says() {
    let stream = common::openai_stream(&["Hel", "lo"]);
    assert_eq!(cost_of([Reply::events(stream)], 1), amount(COST, COST));
}

#[test]
fn every_attempt_counts_and_their_sum_is_the_cost() {
    let free = || Reply::status(503);
    let unknown = || Reply::status(504);
    let known = || Reply::json(common::JSON);
    assert_eq!(cost_of([free(), free(), known()], 3), amount(COST, COST));
    assert_eq!(
        cost_of([Reply::Refused, known()], 3),
        amount(COST, COST),
        "never reached"
    );
    assert_eq!(
        cost_of([unknown(), known()], 3),
        amount(RESERVED + COST, RESERVED + COST)
    );
    assert_eq!(
        cost_of([Reply::Lost, known()], 3),
        amount(RESERVED + COST, RESERVED + COST)
    );
    assert_eq!(cost_of([unknown()], 3), amount(3 * RESERVED, 3 * RESERVED));
    assert_eq!(cost_of([free()], 3), amount(0, 0));
    assert_eq!(
        cost_of([Reply::status(400)], 3),
        amount(0, 0),
        "the caller's fault"
    );
}

#[test]
fn an_answer_without_usage_is_charged_what_was_reserved() {
    for reply in [
        Reply::json("{}"),
        Reply::json("no JSON"),
        Reply::json([0xFF]),
        Reply::events(["data: {}\n\n"]),
        Reply::json(&common::JSON[..100]),
        Reply::events(common::openai_stream(&["Hi"])[..1].to_vec()).then(Step::Break),
        Reply::json(r#"{"usage":{"prompt_tokens":-1,"completion_tokens":5}}"#),
    ] {
        assert_eq!(
            cost_of([reply.clone()], 1),
            amount(RESERVED, RESERVED),
            "{reply:?}"
        );
    }
}

#[test]
fn a_model_without_a_price_is_charged_its_tokens_and_the_money_that_was_reserved() {
    let bench = bench();
    let service = bench.service(Upstream::new([Reply::json(common::JSON)]), 1, "unheard-of");
    let response = now(call(&service, Ask::openai("hi"))).unwrap();
    let _ = now(read(response.into_body()));
    drop(service);
    assert_eq!(bench.balance(), amount(COST, RESERVED));
}

#[test]
fn a_count_that_no_ledger_can_book_is_charged_what_was_reserved() {
    let absurd = r#"{"usage":{"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807}}"#;
    assert_eq!(
        cost_of([Reply::json(absurd)], 1),
        amount(RESERVED, RESERVED)
    );
}

#[test]
fn dropped_at_any_moment_a_request_is_settled_or_released_and_never_held() {
    let replies = || {
        [
            Reply::status(504),
            Reply::events(["data: {}\n\n", "data: {}\n\n"])
                .then(Step::Wait)
                .then(data("data: {}\n\n")),
        ]
    };
    let mut seen = std::collections::BTreeSet::new();
    for polled in 0..40 {
        let bench = bench();
        let upstream = Upstream::new(replies());
        let service = bench.service(upstream.clone(), 2, "large");
        let asking = async {
            let response = call(&service, Ask::openai("hi")).await.unwrap();
            let _ = read(response.into_body()).await;
        };
        let mut asking = Box::pin(asking);
        for _ in 0..polled {
            if polls(asking.as_mut(), 1).is_some() {
                break;
            }
            bench.clock.advance(Duration::from_millis(250));
        }
        drop(asking);
        drop(service);
        let sent = u64::from(upstream.calls());
        assert_eq!(
            bench.balance(),
            amount(sent * RESERVED, sent * RESERVED),
            "after {polled} polls"
        );
        seen.insert(sent);
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        [0, 1, 2],
        "every stage was cut"
    );
}

#[test]
fn a_stream_dropped_after_any_piece_is_charged_and_one_dropped_after_its_usage_exactly() {
    let stream = common::openai_stream(&["Hel", "lo"]);
    for pieces in 0..=stream.len() {
        let bench = bench();
        let service = bench.service(Upstream::new([Reply::events(&stream)]), 1, "large");
        let response = now(call(&service, Ask::openai("hi"))).unwrap();
        let mut body = Box::pin(response.into_body());
        for _ in 0..pieces {
            let frame = now(std::future::poll_fn(|cx| {
                http_body::Body::poll_frame(body.as_mut(), cx)
            }));
            assert!(frame.unwrap().is_ok());
        }
        drop((body, service));
        // The usage stands in the event before the last.
        let due = if pieces >= stream.len() - 1 {
            COST
        } else {
            RESERVED
        };
        assert_eq!(bench.balance(), amount(due, due), "after {pieces} pieces");
    }
}

#[test]
fn a_refusal_further_in_gives_the_reservation_back() {
    let bench = bench();
    let refuses =
        RouteLayer::new(|_: &Request<Ask>| Err(Rejection::new(Reason::UnknownModel, "no")));
    let service = bench
        .layer()
        .layer(refuses.layer(Upstream::new([Reply::json("{}")])));
    assert!(now(call(&service, Ask::openai("hi"))).is_err());
    drop(service);
    assert_eq!(bench.balance(), amount(0, 0));
}

#[test]
fn a_host_without_a_meter_writes_the_bill_or_pays_what_it_reserved() {
    // Nobody said anything.
    let bench = bench();
    let service = bench.layer().layer(Upstream::new([Reply::json("{}")]));
    let response = now(call(&service, Ask::openai("hi"))).unwrap();
    let _ = now(read(response.into_body()));
    drop(service);
    assert_eq!(bench.balance(), amount(RESERVED, RESERVED));

    // A cache answers for nothing, and says so.
    let bench = self::bench();
    let upstream = Upstream::new([Reply::json("{}")]);
    let seen = Arc::clone(&upstream.seen);
    let service = bench.layer().layer(upstream);
    let response = now(call(&service, Ask::openai("hi"))).unwrap();
    let bill = seen.lock().unwrap()[0]
        .extensions
        .get::<Bill>()
        .cloned()
        .unwrap();
    bill.send().free();
    let _ = now(read(response.into_body()));
    drop(service);
    assert_eq!(bench.balance(), amount(0, 0));
}

#[test]
fn who_has_used_up_the_allowance_is_told_when_to_come_back() {
    let bench = bench();
    let service = bench.service(Upstream::new([Reply::json(common::JSON)]), 1, "large");
    let held: Vec<_> = (0..10)
        .map(|_| now(call(&service, Ask::openai("hi"))).unwrap())
        .collect();
    let error = now(call(&service, Ask::openai("hi"))).err().unwrap();
    let rejection = find::<Rejection>(&*error).unwrap();
    assert_eq!(rejection.reason(), Reason::QuotaExhausted);
    assert!(
        !rejection.detail().contains("acme"),
        "the scope's name is not the client's to know"
    );
    drop(held);
    drop(service);
    assert_eq!(bench.balance(), amount(10 * RESERVED, 10 * RESERVED));
}

/// A ledger that gives no answer to what its mode says, or gives it late.
#[derive(Clone)]
struct Sick {
    ledger: InMemory<ManualClock>,
    reserve_fails: bool,
    // How many settlements and releases fail.
    settle_fails: Arc<AtomicU64>,
}

impl Sick {
    fn error() -> StoreError {
        StoreError::new(StoreErrorKind::Unavailable, "asking")
    }

    fn fails(&self) -> bool {
        self.settle_fails
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            })
            .is_ok()
    }
}

impl QuotaLedger for Sick {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        // It takes effect, and the answer is lost.
        let granted = self.ledger.reserve(request).await;
        if self.reserve_fails {
            Err(Self::error())
        } else {
            granted
        }
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        if self.fails() {
            return Err(Self::error());
        }
        self.ledger.settle(request).await
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        if self.fails() {
            return Err(Self::error());
        }
        self.ledger.release(id).await
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        self.ledger.balance(scope).await
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        self.ledger.set_quota(scope, quota).await
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        self.ledger.expire(limit).await
    }
}

fn sick(reserve_fails: bool, settle_fails: u64) -> Bench<Sick> {
    let Bench { clock, ledger, .. } = bench();
    let ledger = Sick {
        ledger,
        reserve_fails,
        settle_fails: Arc::new(settle_fails.into()),
    };
    let (settler, task) = Settler::new(ledger.clone(), 64);
    Bench {
        clock,
        ledger,
        settler,
        task,
    }
}

#[test]
fn a_ledger_without_an_answer_shuts_the_door_or_leaves_it_open_as_the_policy_says() {
    let bench = sick(true, 0);
    let upstream = Upstream::new([Reply::json("{}")]);
    let service = bench.layer().layer(upstream.clone());
    let error = now(call(&service, Ask::openai("hi"))).err().unwrap();
    assert_eq!(
        find::<Rejection>(&*error).unwrap().reason(),
        Reason::GuardUnavailable
    );
    assert_eq!(upstream.calls(), 0);
    let open = bench
        .layer()
        .on_store_failure(OnStoreFailure::Open)
        .layer(upstream.clone());
    assert!(now(call(&open, Ask::openai("hi"))).is_ok());
    assert_eq!(upstream.calls(), 1);
    drop((service, open));
    assert_eq!(
        bench.balance(),
        amount(0, 0),
        "what was granted unheard is given back"
    );
}

#[test]
fn a_settlement_that_got_no_answer_is_made_again() {
    let bench = sick(false, 3);
    let service = bench.service(Upstream::new([Reply::json(common::JSON)]), 1, "large");
    let response = now(call(&service, Ask::openai("hi"))).unwrap();
    assert!(
        now(read(response.into_body())).1.is_ok(),
        "the client has its answer all the same"
    );
    assert_eq!(bench.settler.counts().waiting, 1);
    drop(service);
    assert_eq!(bench.balance(), amount(COST, COST));
}
