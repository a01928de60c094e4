//! What a reservation promises to whoever forgets it.

use std::{
    future::Future,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Decision, Dimension, Key, ManualClock, RetryAfter};
use palisade_rate_limit::{
    Charge, CheckRequest, Hold, HoldId, InMemory, Limit, MemoryConfig, Outcome, Over, Reservation,
    Settler, SettlerTask, Take,
};

type Memory = Arc<InMemory<ManualClock>>;

fn house() -> (ManualClock, Memory, Settler, SettlerTask<Memory>) {
    let clock = ManualClock::default();
    let limiter = Arc::new(InMemory::new(MemoryConfig::new(), clock.clone()).unwrap());
    let (settler, task) = Settler::new(Arc::clone(&limiter), 2);
    (clock, limiter, settler, task)
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing in memory waits"),
    }
}

fn alice() -> Key {
    Key::new(Dimension::User, "alice").unwrap()
}

fn takes() -> Vec<Take> {
    vec![
        Take::one(Limit::per_hour("requests", 10).unwrap(), alice()),
        Take::one(Limit::per_hour("tokens", 1_000).unwrap(), alice()).with_cost(400),
        Take::one(Limit::concurrency("open", 2).unwrap(), alice()),
    ]
}

fn left(limiter: &Memory) -> Vec<u64> {
    let takes = takes();
    let charges: Vec<_> = takes
        .iter()
        .map(|take| Charge::new(&take.limit, &take.key, 0))
        .collect();
    let answer = limiter.decide(CheckRequest::new(&charges).unwrap());
    let statuses = answer.allowed().unwrap();
    statuses.statuses().map(|status| status.remaining).collect()
}

fn reserve(limiter: &Memory, settler: &Settler) -> Decision<Reservation<Memory>, RetryAfter> {
    let hold = Hold::new(HoldId::unique());
    let limiter = Arc::clone(limiter);
    match ready(Reservation::take(limiter, settler, takes(), hold)).unwrap() {
        Decision::Allow(reservation) => Decision::Allow(reservation),
        Decision::Deny(denied) => Decision::Deny(denied.retry_after()),
    }
}

#[test]
fn what_was_used_stands_for_what_was_reserved() {
    let (_, limiter, settler, _task) = house();
    let mut reservation = reserve(&limiter, &settler).allowed().unwrap();
    assert_eq!(left(&limiter), [9, 600, 1]);
    reservation.observe(0, 1);
    reservation.observe(1, 150);
    let settled = ready(reservation.settle()).unwrap();
    assert_eq!(settled.outcome(), Outcome::Settled);
    assert_eq!(left(&limiter), [9, 850, 2]);
    assert_eq!(settler.counts().waiting, 0);
}

#[test]
fn a_dropped_reservation_is_settled_with_what_was_seen() {
    let (clock, limiter, settler, task) = house();
    let mut reservation = reserve(&limiter, &settler).allowed().unwrap();
    reservation.observe(0, 1);
    reservation.observe(1, 30);
    drop(reservation);
    assert_eq!(settler.counts().waiting, 1);
    drop(settler);
    ready(task.run(clock));
    assert_eq!(left(&limiter), [9, 970, 2]);
}

#[test]
fn a_stream_that_outgrows_its_estimate_tops_up_or_owes() {
    let (clock, limiter, settler, _task) = house();
    let mut reservation = reserve(&limiter, &settler).allowed().unwrap();
    reservation.observe(1, 500);
    assert!(reservation.is_overrun());
    assert!(
        ready(reservation.top_up(&[1, 900, 1], Over::Refuse))
            .unwrap()
            .is_allow()
    );
    assert_eq!(left(&limiter), [9, 100, 1]);
    // More than there is: refused, and what was reserved stays; or owed, and later requests wait for it.
    assert!(
        ready(reservation.top_up(&[1, 1_300, 1], Over::Refuse))
            .unwrap()
            .is_deny()
    );
    assert_eq!(left(&limiter), [9, 100, 1]);
    assert!(
        ready(reservation.top_up(&[1, 1_300, 1], Over::Owe))
            .unwrap()
            .is_allow()
    );
    assert_eq!(left(&limiter), [9, 0, 1]);
    reservation.observe(1, 1_300);
    ready(reservation.settle()).unwrap();
    // 300 are owed: at 1,000 an hour, the next 400 are there when 700 have come back.
    let denied = reserve(&limiter, &settler).denied().unwrap();
    assert_eq!(
        denied,
        RetryAfter::After(Duration::from_secs(3_600) * 7 / 10)
    );
    clock.advance(Duration::from_secs(3_600) * 7 / 10);
    assert!(reserve(&limiter, &settler).is_allow());
}

#[test]
fn a_refused_reservation_holds_and_queues_nothing() {
    let (_, limiter, settler, _task) = house();
    let held = [reserve(&limiter, &settler), reserve(&limiter, &settler)];
    assert!(held.iter().all(Decision::is_allow));
    let before = left(&limiter);
    assert!(reserve(&limiter, &settler).is_deny());
    assert_eq!(left(&limiter), before);
    assert_eq!(settler.counts().waiting, 0);
}

#[test]
fn takes_that_are_no_request_are_an_error_and_hold_nothing() {
    let (_, limiter, settler, _task) = house();
    let hold = Hold::new(HoldId::unique());
    let mut twice = takes();
    twice.push(twice[0].clone());
    for wrong in [Vec::new(), twice] {
        let answer = ready(Reservation::take(
            Arc::clone(&limiter),
            &settler,
            wrong,
            hold,
        ));
        assert!(!answer.unwrap_err().is_transient());
    }
    assert_eq!(settler.counts().waiting, 0);
}

#[test]
fn a_full_queue_and_a_task_that_is_gone_lose_settlements_and_count_them() {
    let (clock, limiter, settler, task) = house();
    let wide: Vec<_> = (0..3)
        .map(|n| {
            let take = Take::one(Limit::concurrency("wide", 9).unwrap(), alice());
            let hold = Hold::new(HoldId::from_u128(n))
                .with_ttl(Duration::from_secs(60))
                .unwrap();
            ready(Reservation::take(
                Arc::clone(&limiter),
                &settler,
                vec![take],
                hold,
            ))
            .unwrap()
        })
        .collect();
    drop(wide);
    let counts = settler.counts();
    assert_eq!((counts.waiting, counts.lost), (2, 1));
    drop(task);
    assert_eq!(settler.counts().lost, 3);
    // What nobody settles expires at its time.
    let wide = Limit::concurrency("wide", 9).unwrap();
    let key = alice();
    let free = || {
        let charge = Charge::new(&wide, &key, 0);
        let answer = limiter.decide(CheckRequest::one(&charge));
        answer.allowed().unwrap().binding().remaining
    };
    assert_eq!(free(), 6);
    clock.advance(Duration::from_secs(60));
    assert_eq!(free(), 9);
}
