//! What limits do while their store does not answer, on a clock that moves when it is told to.
#![cfg(feature = "rate-limit")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use palisade_conformance::block_on;
use palisade_core::{
    Decision, Dimension, Key, ManualClock, Probe as _, RetryAfter, Status, StoreError,
    StoreErrorKind,
};
use palisade_rate_limit::{
    Allowed, Charge, CheckRequest, Denied, Hold, HoldId, InMemory, Limit, MemoryConfig,
    RateLimiter, RateLimiterExt as _, ReserveRequest, SettleRequest, Settled, Source, Use,
};
use palisade_redis::{Fallback, FallbackConfig, WithFallback};

/// A store that can be lost.
struct Losable {
    inner: InMemory<ManualClock>,
    lost: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
}

impl Losable {
    fn answers(&self) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.lost.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(StoreError::new(StoreErrorKind::Timeout, "testing")),
        }
    }
}

impl RateLimiter for Losable {
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        self.answers()?;
        self.inner.reserve(request).await
    }

    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        self.answers()?;
        self.inner.settle(request).await
    }

    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        self.answers()?;
        self.inner.reset(limit, key).await
    }
}

struct Bench {
    limiter: WithFallback<Losable, ManualClock>,
    clock: ManualClock,
    lost: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    key: Key,
}

fn bench(config: FallbackConfig) -> Bench {
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(1_000));
    let (lost, asked) = (Arc::default(), Arc::default());
    let store = Losable {
        inner: InMemory::new(MemoryConfig::new(), clock.clone()).unwrap(),
        lost: Arc::clone(&lost),
        asked: Arc::clone(&asked),
    };
    Bench {
        limiter: WithFallback::new(store, config, clock.clone()).unwrap(),
        clock,
        lost,
        asked,
        key: Key::new(Dimension::User, "alice").unwrap(),
    }
}

impl Bench {
    fn ask(&self, limit: &Limit, cost: u64) -> Result<Decision<Allowed, Denied>, StoreError> {
        let charge = Charge::new(limit, &self.key, cost);
        block_on(self.limiter.check(CheckRequest::one(&charge)))
    }

    fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }
}

fn source(decision: &Decision<Allowed, Denied>) -> Source {
    match decision {
        Decision::Allow(allowed) => allowed.source(),
        Decision::Deny(denied) => denied.source(),
    }
}

fn hundred() -> Limit {
    Limit::per_hour("chat", 100).unwrap()
}

#[test]
fn each_rule_answers_as_it_was_told_and_says_who_did() {
    let config = FallbackConfig::new(Fallback::Fail)
        .with_rule("open", Fallback::Open)
        .with_rule("closed", Fallback::Closed)
        .with_rule("share", Fallback::Share);
    let bench = bench(config);
    let named = |name| Limit::per_hour(name, 100).unwrap();
    assert_eq!(
        source(&bench.ask(&named("open"), 1).unwrap()),
        Source::Store
    );
    bench.lose();
    assert!(bench.ask(&named("other"), 1).is_err());
    let open = bench.ask(&named("open"), 1).unwrap();
    assert!(open.is_allow() && source(&open) == Source::Default);
    let closed = bench.ask(&named("closed"), 1).unwrap();
    assert!(closed.is_deny() && source(&closed) == Source::Default);
    let share = bench.ask(&named("share"), 1).unwrap();
    assert!(share.is_allow() && source(&share) == Source::Local);
    let counts = bench.limiter.counts();
    assert_eq!((counts.store, counts.failed), (1, 1));
    assert_eq!((counts.default, counts.local, counts.lost), (2, 1, 1));
}

#[test]
fn the_strictest_rule_of_a_request_decides() {
    let config = FallbackConfig::new(Fallback::Open).with_rule("closed", Fallback::Closed);
    let bench = bench(config);
    bench.lose();
    let (open, closed) = (hundred(), Limit::per_hour("closed", 5).unwrap());
    let charges = [
        Charge::new(&open, &bench.key, 1),
        Charge::new(&closed, &bench.key, 1),
    ];
    let request = CheckRequest::new(&charges).unwrap();
    let decision = block_on(bench.limiter.check(request)).unwrap();
    let Decision::Deny(denied) = decision else {
        panic!("a closed rule lets nobody pass: {decision:?}");
    };
    assert_eq!(denied.binding().limit.name(), "closed");
    assert_eq!(denied.statuses().len(), 2);
}

#[test]
fn a_share_is_warm_and_no_outage_is_a_present() {
    let config = FallbackConfig::new(Fallback::Share)
        .with_share(2, 50)
        .unwrap();
    let bench = bench(config);
    // A quarter of a hundred is the share; twenty of it were admitted by the store.
    for _ in 0..20 {
        assert!(bench.ask(&hundred(), 1).unwrap().is_allow());
    }
    bench.lose();
    let admitted = (0..50)
        .filter(|_| bench.ask(&hundred(), 1).unwrap().is_allow())
        .count();
    assert_eq!(admitted, 5);
}

#[test]
fn flapping_admits_no_more_than_the_limit_and_the_shares() {
    let config = FallbackConfig::new(Fallback::Share)
        .with_share(2, 80)
        .unwrap();
    let bench = bench(config);
    let mut admitted = 0;
    for round in 0..60 {
        bench.lost.store(round % 2 == 1, Ordering::Relaxed);
        for _ in 0..20 {
            admitted += u64::from(bench.ask(&hundred(), 1).unwrap().is_allow());
        }
        bench.clock.advance(Duration::from_secs(1));
    }
    // A hundred and forty at once, and what a minute brings back of both.
    assert!((100..=143).contains(&admitted), "{admitted}");
}

#[test]
fn what_is_too_much_for_a_share_is_not_never() {
    let config = FallbackConfig::new(Fallback::Share)
        .with_share(10, 100)
        .unwrap();
    let bench = bench(config);
    bench.lose();
    let wait = |cost| match bench.ask(&hundred(), cost).unwrap() {
        Decision::Deny(denied) => denied.retry_after(),
        Decision::Allow(allowed) => panic!("{allowed:?}"),
    };
    assert!(matches!(wait(50), RetryAfter::After(_)));
    assert_eq!(wait(101), RetryAfter::Never);
}

#[test]
fn a_lost_store_is_left_alone_and_found_again() {
    let config = FallbackConfig::new(Fallback::Open)
        .with_failures_max(3)
        .with_waits(Duration::from_secs(1), Duration::from_secs(2));
    let bench = bench(config);
    bench.lose();
    for _ in 0..100 {
        assert!(bench.ask(&hundred(), 1).unwrap().is_allow());
    }
    assert_eq!(bench.asked.load(Ordering::Relaxed), 3);
    assert_eq!(bench.limiter.health().status, Status::Degraded);
    bench.clock.advance(Duration::from_secs(1));
    for _ in 0..2 {
        assert!(bench.ask(&hundred(), 1).unwrap().is_allow());
    }
    assert_eq!(bench.asked.load(Ordering::Relaxed), 4);
    bench.lost.store(false, Ordering::Relaxed);
    bench.clock.advance(Duration::from_secs(2));
    assert_eq!(source(&bench.ask(&hundred(), 1).unwrap()), Source::Store);
    assert_eq!(source(&bench.ask(&hundred(), 1).unwrap()), Source::Store);
    assert_eq!(bench.limiter.health().status, Status::Up);
}

#[test]
fn a_permit_held_in_a_share_comes_back_by_its_settlement() {
    let config = FallbackConfig::new(Fallback::Share);
    let bench = bench(config);
    let open = Limit::concurrency("open", 1).unwrap();
    bench.lose();
    let reserve = |id| {
        let charges = [Charge::new(&open, &bench.key, 1)];
        let request = ReserveRequest::hold(
            CheckRequest::new(&charges).unwrap(),
            Hold::new(HoldId::from_u128(id)),
        );
        block_on(bench.limiter.reserve(request)).unwrap().is_allow()
    };
    assert!(reserve(1));
    assert!(!reserve(2));
    let uses = [Use::new(&open, &bench.key, 1, 1)];
    let settle = SettleRequest::new(HoldId::from_u128(1), &uses).unwrap();
    // The store has to hear of it too, later.
    assert!(block_on(bench.limiter.settle(settle)).is_err());
    assert!(reserve(2));
}

#[test]
fn a_wrong_question_is_no_loss() {
    let bench = bench(FallbackConfig::new(Fallback::Open).with_failures_max(1));
    let hold = Hold::new(HoldId::from_u128(9));
    let limit = hundred();
    let charges = [Charge::new(&limit, &bench.key, 1)];
    let request = ReserveRequest::hold(CheckRequest::new(&charges).unwrap(), hold);
    assert!(block_on(bench.limiter.reserve(request)).unwrap().is_allow());
    let uses = [Use::new(&limit, &bench.key, 1, 1)];
    let settle = SettleRequest::new(hold.id(), &uses).unwrap();
    block_on(bench.limiter.settle(settle)).unwrap();
    let error = block_on(bench.limiter.reserve(request)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
    assert_eq!(bench.limiter.health().status, Status::Up);
}
