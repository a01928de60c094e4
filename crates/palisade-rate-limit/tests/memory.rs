//! What the limiter in memory promises: bounded, atomic, forgetful of nothing live.

use std::{
    future::Future,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use palisade_core::{Clock, Decision, Dimension, Instant, Key, ManualClock, RetryAfter, Timestamp};
use palisade_rate_limit::{
    Allowed, Charge, CheckRequest, ConfigError, Denied, DynRateLimiter, InMemory, Limit,
    MemoryConfig, Overflow, RateLimiterExt as _,
};

fn user(number: u64) -> Key {
    Key::new(Dimension::User, number.to_string()).unwrap()
}

fn ask(
    table: &InMemory<ManualClock>,
    limit: &Limit,
    key: &Key,
    cost: u64,
) -> Decision<Allowed, Denied> {
    table.decide(CheckRequest::one(&Charge::new(limit, key, cost)))
}

fn table(capacity: usize, overflow: Overflow) -> (ManualClock, InMemory<ManualClock>) {
    let clock = ManualClock::default();
    let config = MemoryConfig::new()
        .with_capacity(capacity)
        .with_overflow(overflow);
    (clock.clone(), InMemory::new(config, clock).unwrap())
}

#[test]
fn a_refusal_charges_nothing_and_names_the_exact_wait() {
    let (clock, table) = table(100, Overflow::Share);
    let limit = Limit::per_minute("chat", 60)
        .unwrap()
        .with_burst(10)
        .unwrap();
    let alice = user(1);
    assert!(ask(&table, &limit, &alice, 10).is_allow());
    for _ in 0..1_000 {
        let denied = ask(&table, &limit, &alice, 3).denied().unwrap();
        assert_eq!(
            denied.retry_after(),
            RetryAfter::After(Duration::from_secs(3))
        );
        assert_eq!(denied.binding().limit.name(), "chat");
    }
    clock.advance(Duration::from_secs(3) - Duration::from_nanos(1));
    assert!(ask(&table, &limit, &alice, 3).is_deny());
    clock.advance(Duration::from_nanos(1));
    let allowed = ask(&table, &limit, &alice, 3).allowed().unwrap();
    assert_eq!(allowed.binding().remaining, 0);
    assert_eq!(allowed.binding().reset, Duration::from_secs(10));
}

#[test]
fn a_cost_above_the_burst_is_never_and_leaves_the_key_alone() {
    let (_, table) = table(100, Overflow::Share);
    let limit = Limit::per_second("x", 10).unwrap();
    let denied = ask(&table, &limit, &user(1), 11).denied().unwrap();
    assert_eq!(denied.retry_after(), RetryAfter::Never);
    assert!(ask(&table, &limit, &user(1), 10).is_allow());
}

#[test]
fn a_refusal_by_one_limit_charges_no_other() {
    let (_, table) = table(10_000, Overflow::Share);
    let wide = Limit::per_second("wide", 100).unwrap();
    let tight = Limit::per_second("tight", 1).unwrap();
    let alice = user(1);
    let charges = [
        Charge::new(&wide, &alice, 10),
        Charge::new(&tight, &alice, 1),
    ];
    let request = CheckRequest::new(&charges).unwrap();
    assert!(table.decide(request).is_allow());
    for _ in 0..20 {
        let denied = table.decide(request).denied().unwrap();
        assert_eq!(denied.binding().limit.name(), "tight");
        let wide = denied.statuses().next().unwrap();
        assert_eq!((wide.remaining, wide.retry_after), (90, None));
    }
    assert!(ask(&table, &wide, &alice, 90).is_allow());
}

#[test]
fn the_same_key_under_another_limit_is_another_counter() {
    let (_, table) = table(100, Overflow::Share);
    let one = Limit::per_second("one", 1).unwrap();
    let other = Limit::per_second("other", 1).unwrap();
    assert!(ask(&table, &one, &user(1), 1).is_allow());
    assert!(ask(&table, &other, &user(1), 1).is_allow());
    assert!(ask(&table, &one, &user(2), 1).is_allow());
    assert!(ask(&table, &one, &user(1), 1).is_deny());
}

#[test]
fn a_charge_of_nothing_passes_and_tells_what_remains() {
    for overflow in [Overflow::Share, Overflow::Deny] {
        let (_, table) = table(1, overflow);
        let limit = Limit::per_hour("x", 5).unwrap();
        for other in 0..100 {
            let _ = ask(&table, &limit, &user(other), 5);
        }
        assert!(ask(&table, &limit, &user(1_000), 0).is_allow());
        // Shared or not: what a stranger may have is at most the limit.
        assert!(ask(&table, &limit, &user(1_000), 6).is_deny());
    }
}

#[test]
fn a_flood_of_keys_stays_within_the_table_and_frees_nobody() {
    for overflow in [Overflow::Share, Overflow::Deny] {
        let (clock, table) = table(1_000, overflow);
        let limit = Limit::per_hour("x", 10).unwrap();
        let victims: Vec<Key> = (0..100).map(user).collect();
        for victim in &victims {
            assert!(ask(&table, &limit, victim, 10).is_allow());
        }
        let places = table.occupancy().places;
        let mut passed = 0_u64;
        for flood in 0..50_000 {
            passed += u64::from(ask(&table, &limit, &user(1_000 + flood), 10).is_allow());
        }
        for victim in &victims {
            assert!(
                ask(&table, &limit, victim, 1).is_deny(),
                "a throttled key was freed"
            );
        }
        let occupancy = table.occupancy();
        assert_eq!(occupancy.places, places, "the table grew");
        // Whoever found a place got its limit; of the others, some got one limit together, or nothing.
        let seated = occupancy.live as u64 - 100;
        let shared = if overflow == Overflow::Share { 256 } else { 0 };
        assert!(
            (seated..=seated + shared).contains(&passed),
            "{passed} passed"
        );
        assert!(occupancy.overflowed > 0);
        assert!(occupancy.live >= places / 2, "{occupancy:?}");

        clock.advance(limit.fill_time());
        assert_eq!(table.occupancy().live, 0);
        assert!(ask(&table, &limit, &user(999_999), 10).is_allow());
        assert!(ask(&table, &limit, &victims[0], 10).is_allow());
    }
}

#[test]
fn a_table_seats_as_many_keys_as_it_was_made_for() {
    for capacity in [1, 10, 1_000, 5_000, 100_000] {
        let (_, table) = table(capacity, Overflow::Deny);
        let limit = Limit::per_hour("x", 1).unwrap();
        let seated = (0..capacity as u64)
            .filter(|number| ask(&table, &limit, &user(*number), 1).is_allow())
            .count();
        // One key in a thousand may find its three lines full.
        assert!(seated * 1_000 >= capacity * 999, "{seated} of {capacity}");
    }
}

#[test]
fn a_key_without_a_place_is_told_when_one_is_free() {
    let (clock, table) = table(1, Overflow::Deny);
    let limit = Limit::per_second("x", 1).unwrap();
    let refused = (0..1_000)
        .map(user)
        .find_map(|key| Some((ask(&table, &limit, &key, 1).denied()?, key)));
    let (denied, key) = refused.unwrap();
    assert_eq!(
        denied.retry_after(),
        RetryAfter::After(Duration::from_secs(1))
    );
    clock.advance(Duration::from_secs(1));
    assert!(ask(&table, &limit, &key, 1).is_allow());
}

/// A table of one shard in which every place is taken by somebody who owes something for an hour.
fn full_table(overflow: Overflow, limit: &Limit) -> (ManualClock, InMemory<ManualClock>) {
    let (clock, table) = table(1, overflow);
    let places = table.occupancy().places;
    for other in 0.. {
        let charge = ask(&table, limit, &user(other), 1);
        if table.occupancy().live == places {
            break;
        }
        drop(charge);
    }
    (clock, table)
}

#[test]
fn keys_of_one_request_that_find_no_place_are_not_charged_as_one() {
    let filler = Limit::per_hour("filler", 1).unwrap();
    let (_, table) = full_table(Overflow::Share, &filler);
    let limit = Limit::per_hour("x", 2).unwrap();
    // Whomever they share with: never with one another in one step, and never for more than each may have.
    for number in (1_000..1_200).step_by(2) {
        let (a, b) = (user(number), user(number + 1));
        let charges = [&a, &b].map(|key| Charge::new(&limit, key, 2));
        let passed = table
            .decide(CheckRequest::new(&charges).unwrap())
            .is_allow();
        for key in [&a, &b] {
            assert!(!passed || ask(&table, &limit, key, 1).is_deny());
        }
    }
}

#[test]
fn two_new_keys_of_one_request_get_two_places() {
    // One shard of two buckets: the two keys meet in the same bucket more often than not.
    for round in 0..200 {
        let (_, table) = table(1, Overflow::Deny);
        let limit = Limit::per_hour("x", 1).unwrap();
        let (a, b) = (user(2 * round), user(2 * round + 1));
        let both = [Charge::new(&limit, &a, 1), Charge::new(&limit, &b, 1)];
        assert!(table.decide(CheckRequest::new(&both).unwrap()).is_allow());
        assert_eq!(table.occupancy().live, 2);
        assert!(ask(&table, &limit, &a, 1).is_deny());
        assert!(ask(&table, &limit, &b, 1).is_deny());
    }
}

#[test]
fn several_limits_are_charged_together_under_threads() {
    let (_, table) = table(100_000, Overflow::Deny);
    let requests = Limit::per_hour("requests", 300).unwrap();
    let tokens = Limit::per_hour("tokens", 10_000).unwrap();
    let org = Key::new(Dimension::Org, "acme").unwrap();
    let users: Vec<Key> = (0..4).map(user).collect();
    let (asked, taken) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for thread in 0..4_usize {
            let (table, users, org, start) = (&table, &users, &org, &start);
            let (asked, taken) = (&asked, &taken);
            scope.spawn(move || {
                start.wait();
                for round in 0..500_usize {
                    let cost = 20 + (round as u64 * 7 + thread as u64) % 30;
                    let alice = &users[(round + thread) % 4];
                    // In an order that differs from thread to thread: a deadlock would show.
                    let mut charges = [
                        Charge::new(&requests, org, 1),
                        Charge::new(&tokens, org, cost),
                        Charge::new(&tokens, alice, cost),
                    ];
                    charges.rotate_left(thread % 3);
                    if table
                        .decide(CheckRequest::new(&charges).unwrap())
                        .is_allow()
                    {
                        asked.fetch_add(1, Ordering::Relaxed);
                        taken.fetch_add(cost, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let remaining = |limit, key: &Key| {
        ask(&table, limit, key, 0)
            .allowed()
            .unwrap()
            .binding()
            .remaining
    };
    let (asked, taken) = (asked.into_inner(), taken.into_inner());
    assert_eq!(remaining(&requests, &org), 300 - asked);
    assert_eq!(remaining(&tokens, &org), 10_000 - taken);
    let of_users: u64 = users
        .iter()
        .map(|key| 10_000 - remaining(&tokens, key))
        .sum();
    assert_eq!(of_users, taken);
    // Full to the brim: whatever was refused last did not fit.
    assert!(remaining(&requests, &org) == 0 || remaining(&tokens, &org) < 50);
}

#[test]
fn racing_threads_pass_no_more_than_the_burst() {
    for _ in 0..50 {
        let (_, table) = table(100, Overflow::Share);
        let limit = Limit::per_hour("x", 100).unwrap();
        let key = user(1);
        let start = Barrier::new(4);
        let passed: usize = thread::scope(|scope| {
            let race = || {
                start.wait();
                (0..100)
                    .filter(|_| ask(&table, &limit, &key, 1).is_allow())
                    .count()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(race)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(passed, 100);
    }
}

#[test]
fn time_that_stands_still_gives_the_burst_once() {
    let (_, table) = table(100, Overflow::Share);
    let limit = Limit::per_second("x", 1_000_000)
        .unwrap()
        .with_burst(50)
        .unwrap();
    let passed = (0..10_000)
        .filter(|_| ask(&table, &limit, &user(1), 1).is_allow())
        .count();
    assert_eq!(passed, 50);
}

#[test]
fn a_capacity_out_of_range_is_refused() {
    for found in [0, MemoryConfig::CAPACITY_MAX + 1] {
        let config = MemoryConfig::new().with_capacity(found);
        let error = InMemory::new(config, ManualClock::default()).unwrap_err();
        assert_eq!(error, ConfigError::Capacity { found });
    }
}

#[test]
fn a_hidden_backend_answers_as_itself_and_its_futures_may_cross_threads() {
    fn ready<T: Send>(future: impl Future<Output = T> + Send) -> T {
        match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("a check in memory never waits"),
        }
    }
    let (_, table) = table(100, Overflow::Share);
    let limiter = DynRateLimiter::new(Arc::new(table));
    let limit = Limit::per_hour("x", 1).unwrap();
    let key = user(1);
    let charge = Charge::new(&limit, &key, 1);
    let check = || ready(limiter.check(CheckRequest::one(&charge))).unwrap();
    // Not polled, not charged.
    drop(limiter.check(CheckRequest::one(&charge)));
    assert!(check().is_allow());
    assert!(check().is_deny());
}

#[test]
fn a_key_that_shared_does_not_start_afresh_in_a_place_of_its_own() {
    let (clock, table) = table(1, Overflow::Share);
    let limit = Limit::per_second("x", 1).unwrap().with_burst(5).unwrap();
    let places = table.occupancy().places as u64;
    let mut other = 0;
    while (table.occupancy().live as u64) < places {
        let _ = ask(&table, &limit, &user(other), if other == 0 { 1 } else { 5 });
        other += 1;
    }
    let late = user(1_000);
    while ask(&table, &limit, &late, 1).is_allow() {}
    // The place of the first key is free now, and the late one owes four seconds still.
    clock.advance(Duration::from_secs(1));
    let denied = ask(&table, &limit, &late, 2).denied().unwrap();
    assert_eq!(
        denied.retry_after(),
        RetryAfter::After(Duration::from_secs(1))
    );
    assert!(ask(&table, &limit, &late, 1).is_allow());
    assert_eq!(table.occupancy().live as u64, places);
}

#[test]
fn a_clock_that_goes_back_gives_a_key_nothing() {
    struct Wild(AtomicU64);
    impl Clock for Wild {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
        fn instant(&self) -> Instant {
            Instant::from_nanos(self.0.load(Ordering::Relaxed) * 1_000_000_000)
        }
    }
    let clock = Arc::new(Wild(AtomicU64::new(100)));
    let table = InMemory::new(MemoryConfig::new().with_capacity(1), clock.clone()).unwrap();
    let limit = Limit::per_second("x", 1).unwrap().with_burst(10).unwrap();
    let alice = user(1);
    let ask = |cost| table.decide(CheckRequest::one(&Charge::new(&limit, &alice, cost)));
    assert!(ask(10).is_allow());
    for second in [50, 99, 100, 0, 100] {
        clock.0.store(second, Ordering::Relaxed);
        assert!(ask(1).is_deny(), "at {second}");
    }
}

#[test]
fn a_new_key_does_not_take_the_old_place_of_another_key_in_its_request() {
    for round in 0..100 {
        let (clock, table) = table(1, Overflow::Deny);
        let limit = Limit::per_second("x", 1).unwrap();
        let (old, new) = (user(2 * round), user(2 * round + 1));
        assert!(ask(&table, &limit, &old, 1).is_allow());
        // The place of the old key is free again, and still bears its name.
        clock.advance(Duration::from_secs(2));
        let both = [Charge::new(&limit, &new, 1), Charge::new(&limit, &old, 1)];
        assert!(table.decide(CheckRequest::new(&both).unwrap()).is_allow());
        assert!(ask(&table, &limit, &new, 1).is_deny());
        assert!(ask(&table, &limit, &old, 1).is_deny());
    }
}

#[test]
fn debts_that_are_forgiven_over_and_over_never_overflow() {
    use palisade_rate_limit::{
        Hold, HoldId, Over, ReserveRequest, SettleRequest, Use, model::Book,
    };
    let mut book = Book::default();
    let limit = Limit::per_minute("chat", 60).unwrap();
    let key = Key::global();
    for turn in 0..64_u64 {
        let now = Instant::from_nanos(1 + turn);
        let hold = Hold::new(HoldId::from_u128(turn.into()));
        let charges = [Charge::new(&limit, &key, u64::MAX)];
        let request = ReserveRequest::hold(CheckRequest::new(&charges).unwrap(), hold);
        assert!(
            book.reserve(request.with_over(Over::Owe), now)
                .unwrap()
                .is_allow()
        );
        let uses = [Use::new(&limit, &key, u64::MAX, 0)];
        let settled = book.settle(SettleRequest::new(hold.id(), &uses).unwrap(), now);
        assert!(settled.statuses()[0].remaining <= 60);
    }
}
