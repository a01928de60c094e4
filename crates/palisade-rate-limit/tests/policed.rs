//! Limits that are listed, observed, replaced and counted.

use std::{sync::Arc, time::Duration};

use palisade_conformance::block_on;
use palisade_core::{Decision, Dimension, Key, ManualClock, RetryAfter, StoreError};
use palisade_rate_limit::{
    Adaptive, AdaptiveConfig, Allowed, Charge, CheckRequest, Controls, Denied, Hold, HoldId,
    InMemory, Limit, Lists, MemoryConfig, Mode, Observed, Policed, RateLimiter,
    RateLimiterExt as _, ReserveRequest, SettleRequest, Source, Use,
};

type Limiter = Policed<Arc<InMemory<ManualClock>>>;

fn limiter(clock: &ManualClock) -> (Limiter, Controls) {
    let controls = Controls::with_top(4);
    let memory = InMemory::new(MemoryConfig::new().with_capacity(64), clock.clone()).unwrap();
    (Policed::new(Arc::new(memory), controls.clone()), controls)
}

fn user(name: &str) -> Key {
    Key::new(Dimension::User, name).unwrap()
}

fn chat(burst: u64) -> Limit {
    Limit::per_minute("chat", 60)
        .unwrap()
        .with_burst(burst)
        .unwrap()
}

fn ask(limiter: &impl RateLimiter, charges: &[Charge<'_>]) -> Decision<Allowed, Denied> {
    block_on(limiter.check(CheckRequest::new(charges).unwrap())).unwrap()
}

fn one(limiter: &Limiter, limit: &Limit, key: &Key) -> Decision<Allowed, Denied> {
    ask(limiter, &[Charge::new(limit, key, 1)])
}

#[test]
fn who_is_listed_is_not_counted_or_gets_nothing_and_the_answer_says_who_said_so() {
    let (limiter, controls) = limiter(&ManualClock::default());
    let (chat, ann, bob) = (chat(1), user("ann"), user("bob"));
    let lists = Lists::new().with_free(ann.clone()).unwrap();
    controls.set_lists(lists.with_shut(bob.clone()).unwrap());
    for _ in 0..3 {
        let allowed = one(&limiter, &chat, &ann).allowed().unwrap();
        assert_eq!(
            (allowed.source(), allowed.binding().remaining),
            (Source::Default, 1)
        );
        let denied = one(&limiter, &chat, &bob).denied().unwrap();
        assert_eq!(
            (denied.source(), denied.retry_after()),
            (Source::Default, RetryAfter::Never)
        );
    }
    controls.set_lists(Lists::new());
    // Nothing was charged in all that time.
    for key in [&ann, &bob] {
        assert!(one(&limiter, &chat, key).is_allow());
        assert!(one(&limiter, &chat, key).is_deny());
    }
    let counts = controls.counts("chat");
    assert_eq!(
        (counts.free, counts.shut, counts.allowed, counts.refused),
        (3, 3, 2, 2)
    );
}

#[test]
fn a_free_reservation_is_settled_without_a_charge() {
    let (limiter, controls) = limiter(&ManualClock::default());
    let (chat, ann) = (chat(5), user("ann"));
    controls.set_lists(Lists::new().with_free(ann.clone()).unwrap());
    let hold = Hold::new(HoldId::from_u128(1));
    let charges = [Charge::new(&chat, &ann, 2)];
    let request = ReserveRequest::hold(CheckRequest::new(&charges).unwrap(), hold);
    assert!(block_on(limiter.reserve(request)).unwrap().is_allow());
    let uses = [Use::new(&chat, &ann, 2, 5)];
    block_on(limiter.settle(SettleRequest::new(hold.id(), &uses).unwrap())).unwrap();
    controls.set_lists(Lists::new());
    assert!(ask(&limiter, &[Charge::new(&chat, &ann, 5)]).is_allow());
}

#[test]
fn an_observed_limit_counts_as_if_it_refused_and_refuses_nobody() {
    let (limiter, controls) = limiter(&ManualClock::default());
    let (chat, ann) = (chat(2), user("ann"));
    let open = Limit::per_minute("open", 3).unwrap();
    controls.set_mode("chat", Mode::Observe).unwrap();
    let both = [Charge::new(&chat, &ann, 1), Charge::new(&open, &ann, 1)];
    for round in 0..3 {
        let allowed = ask(&limiter, &both).allowed().unwrap();
        let would: Vec<&str> = allowed
            .would_refuse()
            .iter()
            .map(|s| s.limit.name())
            .collect();
        assert_eq!(would, if round < 2 { vec![] } else { vec!["chat"] });
        let names: Vec<&str> = allowed.statuses().map(|s| s.limit.name()).collect();
        assert_eq!(names, ["chat", "open"], "in the order of the charges");
    }
    // The enforced one refuses, and then the observed one takes nothing.
    let denied = ask(&limiter, &both).denied().unwrap();
    assert_eq!(denied.binding().limit.name(), "open");
    assert_eq!(denied.statuses().len(), 2);
    let counts = controls.counts("chat");
    assert_eq!(
        (counts.allowed, counts.would_refuse, counts.refused),
        (2, 1, 0)
    );
    // Enforced from now on, it stands where it would have stood.
    controls.set_mode("chat", Mode::Enforce).unwrap();
    assert!(one(&limiter, &chat, &ann).is_deny());
}

#[test]
fn a_hold_on_an_observed_limit_is_settled_with_the_rest() {
    let (limiter, controls) = limiter(&ManualClock::default());
    let (chat, open, ann) = (chat(10), Limit::per_minute("open", 9).unwrap(), user("ann"));
    controls.set_mode("chat", Mode::Observe).unwrap();
    let hold = Hold::new(HoldId::from_u128(1));
    let charges = [Charge::new(&chat, &ann, 8), Charge::new(&open, &ann, 8)];
    let request = ReserveRequest::hold(CheckRequest::new(&charges).unwrap(), hold);
    assert!(block_on(limiter.reserve(request)).unwrap().is_allow());
    let uses = [Use::new(&chat, &ann, 8, 1), Use::new(&open, &ann, 8, 1)];
    block_on(limiter.settle(SettleRequest::new(hold.id(), &uses).unwrap())).unwrap();
    controls.clear("chat");
    let charges = [Charge::new(&chat, &ann, 0), Charge::new(&open, &ann, 0)];
    let allowed = ask(&limiter, &charges).allowed().unwrap();
    let left: Vec<u64> = allowed.statuses().map(|status| status.remaining).collect();
    assert_eq!(left, [9, 8]);
}

#[test]
fn a_limit_that_is_changed_while_it_runs_keeps_what_was_used() {
    let (limiter, controls) = limiter(&ManualClock::default());
    let (small, ann) = (chat(4), user("ann"));
    for _ in 0..4 {
        assert!(one(&limiter, &small, &ann).is_allow());
    }
    assert!(one(&limiter, &small, &ann).is_deny());
    controls.set_limit(chat(6)).unwrap();
    for _ in 0..2 {
        assert!(one(&limiter, &small, &ann).is_allow(), "two more, not six");
    }
    let denied = one(&limiter, &small, &ann).denied().unwrap();
    assert_eq!(denied.binding().limit.burst(), 6);
    block_on(limiter.reset(&small, &ann)).unwrap();
    let allowed = one(&limiter, &small, &ann).allowed().unwrap();
    assert_eq!(allowed.binding().remaining, 5);
    controls.clear("chat");
    let allowed = one(&limiter, &small, &ann).allowed().unwrap();
    assert_eq!(allowed.binding().remaining, 2);
}

#[test]
fn a_limit_follows_what_its_calls_come_to() {
    let clock = ManualClock::default();
    let (limiter, controls) = limiter(&clock);
    let upstream = Limit::per_second("upstream", 100).unwrap();
    let config = AdaptiveConfig::between(10, 100)
        .with_steps(5, 50)
        .with_window(Duration::from_secs(1), 10);
    let adaptive = Adaptive::new(upstream, config, clock.clone()).unwrap();
    controls.follow(adaptive.limit().clone()).unwrap();
    let key = Key::global();
    let passed = |clock: &ManualClock| {
        clock.advance(Duration::from_secs(2));
        (0..200)
            .filter(|_| one(&limiter, &upstream, &key).is_allow())
            .count()
    };
    assert_eq!(passed(&clock), 100);
    let see = |seen, windows: u32| {
        for _ in 0..windows * 10 {
            adaptive.observe(seen);
            clock.advance(Duration::from_millis(100));
        }
    };
    see(Observed::Overloaded, 3);
    assert_eq!(passed(&clock), 25);
    see(Observed::Overloaded, 9);
    assert_eq!(passed(&clock), 10);
    see(Observed::Answered(Duration::from_millis(20)), 30);
    assert_eq!(passed(&clock), 100);
}

#[test]
fn who_takes_the_most_is_named() {
    let (limiter, controls) = limiter(&ManualClock::default());
    let wide = Limit::per_minute("wide", 1_000).unwrap();
    for (name, cost) in [
        ("ann", 3),
        ("bob", 900),
        ("ann", 3),
        ("cid", 5),
        ("bob", 900),
    ] {
        let _ = ask(&limiter, &[Charge::new(&wide, &user(name), cost)]);
    }
    let top = controls.top("wide", 2);
    let found: Vec<_> = top
        .iter()
        .map(|c| (c.key.as_str(), c.count.taken, c.count.refused))
        .collect();
    assert_eq!(found, [("user=bob", 900, 1), ("user=ann", 6, 0)]);
    assert!(controls.top("other", 2).is_empty());
}

#[test]
fn the_soft_part_of_a_limit_is_told_before_the_hard_one_is_reached() {
    let (limiter, controls) = limiter(&ManualClock::default());
    let limit = chat(10).with_soft_percent(80).unwrap();
    let ann = user("ann");
    let soft: Vec<bool> = (0..10)
        .map(|_| {
            one(&limiter, &limit, &ann)
                .allowed()
                .unwrap()
                .is_soft_breach()
        })
        .collect();
    assert_eq!(soft, [[false; 8].as_slice(), &[true; 2]].concat());
    assert_eq!(controls.counts("chat").soft, 2);
}

#[test]
fn names_beyond_the_bound_are_counted_together() {
    let (limiter, controls) = limiter(&ManualClock::default());
    let key = Key::global();
    for number in 0..Controls::LIMITS_MAX + 3 {
        let limit = Limit::per_minute(&format!("n{number}"), 1).unwrap();
        let _ = one(&limiter, &limit, &key);
    }
    let all = controls.all_counts();
    assert_eq!(all.len(), Controls::LIMITS_MAX + 1);
    assert_eq!(
        all.last()
            .map(|(name, counts)| (name.as_str(), counts.allowed)),
        Some(("", 3))
    );
}

/// A store that never answers.
struct Broken;

impl RateLimiter for Broken {
    async fn reserve(
        &self,
        _: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        Err(StoreError::new(
            palisade_core::StoreErrorKind::Unavailable,
            "reserving",
        ))
    }

    async fn settle(
        &self,
        _: SettleRequest<'_>,
    ) -> Result<palisade_rate_limit::Settled, StoreError> {
        Err(StoreError::new(
            palisade_core::StoreErrorKind::Unavailable,
            "settling",
        ))
    }

    async fn reset(&self, _: &Limit, _: &Key) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn a_limit_that_only_looks_stops_nobody_when_it_cannot_see() {
    let controls = Controls::new();
    let limiter = Policed::new(Broken, controls.clone());
    let (chat, key) = (chat(1), Key::global());
    let charges = [Charge::new(&chat, &key, 1)];
    let request = CheckRequest::new(&charges).unwrap();
    assert!(block_on(limiter.check(request)).is_err());
    controls.set_mode("chat", Mode::Observe).unwrap();
    assert!(block_on(limiter.check(request)).unwrap().is_allow());
    assert_eq!(controls.counts("chat").failed, 2);
}
