//! What a ledger in memory does when it is full, and how long it remembers.

use std::{sync::Arc, thread, time::Duration};

use palisade_conformance::block_on;
use palisade_core::{Decision, Dimension, Key, ManualClock, StoreErrorKind, Timestamp, Tokens};
use palisade_quota::{
    Amount, Bounds, Defaults, InMemory, Outcome, Quota, QuotaLedger, ReservationId, ReserveRequest,
    SettleRequest,
};

/// 2026-11-20T12:00:00Z.
const NOON: Timestamp = Timestamp::from_secs(1_795_176_000);
const DAY: Duration = Duration::from_secs(86_400);

fn user(n: u64) -> Key {
    Key::new(Dimension::User, n.to_string()).expect("short")
}

fn id(bits: u128) -> ReservationId {
    ReservationId::from_u128(bits)
}

fn tokens(count: i64) -> Amount {
    Amount::from_columns(count, 0).expect("not negative")
}

fn request(bits: u128, scope: Key, ask: Amount) -> ReserveRequest {
    ReserveRequest::new(id(bits), [scope], ask).expect("one scope")
}

fn ledger(bounds: Bounds) -> (InMemory<ManualClock>, ManualClock) {
    let clock = ManualClock::at(NOON);
    (
        InMemory::with_bounds(clock.clone(), Defaults::default(), bounds),
        clock,
    )
}

fn reserve(ledger: &impl QuotaLedger, bits: u128, scope: Key) -> Result<bool, StoreErrorKind> {
    let answer = block_on(ledger.reserve(request(bits, scope, tokens(1))));
    answer
        .map(|decision| decision.is_allow())
        .map_err(|error| error.kind())
}

#[test]
fn at_its_bound_of_scopes_it_is_busy_and_forgets_nobody_before_their_time() {
    let (ledger, clock) = ledger(Bounds::default().with_scopes_max(3));
    for n in 0..3 {
        assert_eq!(reserve(&ledger, n.into(), user(n)), Ok(true));
        block_on(ledger.settle(SettleRequest::new(id(n.into()), tokens(9)))).expect("an answer");
    }
    assert_eq!(reserve(&ledger, 10, user(10)), Err(StoreErrorKind::Busy));
    // Those who are in may go on, and looking takes no room.
    assert_eq!(reserve(&ledger, 11, user(1)), Ok(true));
    assert_eq!(
        block_on(ledger.balance(&user(99)))
            .map(|found| found.spent)
            .ok(),
        Some(Amount::ZERO)
    );
    assert_eq!(
        block_on(ledger.set_quota(&user(99), None)).map_err(|e| e.kind()),
        Err(StoreErrorKind::Busy)
    );
    // The day ends in twelve hours and is remembered for one day more.
    clock.advance(DAY.saturating_mul(3) / 2 - Duration::from_nanos(1));
    assert_eq!(reserve(&ledger, 12, user(12)), Err(StoreErrorKind::Busy));
    clock.advance(Duration::from_secs(1));
    assert_eq!(reserve(&ledger, 13, user(13)), Ok(true));
}

#[test]
fn a_scope_with_a_quota_of_its_own_is_never_forgotten() {
    let (ledger, clock) = ledger(Bounds::default().with_scopes_max(1));
    let own = Quota::default()
        .with_tokens(Some(Tokens::new(5)))
        .expect("small");
    block_on(ledger.set_quota(&user(1), Some(own.clone()))).expect("room for one");
    clock.advance(DAY.saturating_mul(365));
    assert_eq!(reserve(&ledger, 1, user(2)), Err(StoreErrorKind::Busy));
    let balance = block_on(ledger.balance(&user(1))).expect("an answer");
    assert_eq!(balance.limit, own.allowance());
    // Taken back, it makes room.
    block_on(ledger.set_quota(&user(1), None)).expect("it is known");
    assert_eq!(reserve(&ledger, 2, user(2)), Ok(true));
}

#[test]
fn at_its_bound_of_reservations_it_forgets_the_longest_ended_and_no_live_one() {
    let (ledger, clock) = ledger(Bounds::default().with_holds_max(3));
    for n in 0..3 {
        assert_eq!(reserve(&ledger, n, user(1)), Ok(true));
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(reserve(&ledger, 3, user(1)), Err(StoreErrorKind::Busy));
    for bits in [1, 0] {
        block_on(ledger.settle(SettleRequest::new(id(bits), tokens(1)))).expect("an answer");
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(reserve(&ledger, 4, user(1)), Ok(true));
    let outcome = |bits| {
        block_on(ledger.release(id(bits)))
            .expect("an answer")
            .outcome
    };
    assert_eq!(outcome(1), Outcome::Unknown);
    assert_eq!(
        outcome(0),
        Outcome::Settled {
            actual: tokens(1),
            late: false
        }
    );
    assert_eq!(outcome(2), Outcome::Released);
    // What was spent is not forgotten with the reservation.
    let balance = block_on(ledger.balance(&user(1))).expect("an answer");
    assert_eq!((balance.spent, balance.held), (tokens(2), tokens(1)));
}

#[test]
fn a_reservation_that_ended_is_remembered_for_as_long_as_was_said() {
    let bounds = Bounds::default().with_remember(Duration::from_secs(60));
    let (ledger, clock) = ledger(bounds);
    assert_eq!(reserve(&ledger, 1, user(1)), Ok(true));
    block_on(ledger.release(id(1))).expect("an answer");
    clock.advance(Duration::from_secs(59));
    assert_eq!(reserve(&ledger, 2, user(1)), Ok(true));
    assert_eq!(
        block_on(ledger.release(id(1))).map(|r| r.outcome).ok(),
        Some(Outcome::Released)
    );
    clock.advance(Duration::from_secs(1));
    assert_eq!(reserve(&ledger, 3, user(1)), Ok(true));
    assert_eq!(
        block_on(ledger.release(id(1))).map(|r| r.outcome).ok(),
        Some(Outcome::Unknown)
    );
}

#[test]
fn a_cost_that_comes_after_its_window_was_forgotten_is_booked_all_the_same() {
    let bounds = Bounds::default().with_remember(Duration::ZERO);
    let (ledger, clock) = ledger(bounds);
    let late = request(1, user(1), tokens(5))
        .with_timeout(DAY)
        .expect("a day");
    assert!(
        block_on(ledger.reserve(late))
            .expect("an answer")
            .is_allow()
    );
    // The hold expires in the next day; nobody reserves meanwhile, so it is known when its cost comes.
    clock.advance(DAY.saturating_mul(2));
    let booked = block_on(ledger.settle(SettleRequest::new(id(1), tokens(5)))).expect("an answer");
    assert_eq!(
        booked.outcome,
        Outcome::Settled {
            actual: tokens(5),
            late: true
        }
    );
    clock.set_wall(NOON);
    let balance = block_on(ledger.balance(&user(1))).expect("an answer");
    assert_eq!(balance.spent, tokens(5));
}

#[test]
fn a_window_that_holds_something_is_kept_however_little_is_remembered() {
    let bounds = Bounds::default().with_remember(Duration::ZERO);
    let (ledger, clock) = ledger(bounds);
    let long = request(1, user(1), tokens(5))
        .with_timeout(DAY)
        .expect("a day");
    assert!(
        block_on(ledger.reserve(long))
            .expect("an answer")
            .is_allow()
    );
    // Past midnight; another reservation tidies up.
    clock.advance(DAY / 2);
    assert_eq!(reserve(&ledger, 2, user(1)), Ok(true));
    let booked = block_on(ledger.settle(SettleRequest::new(id(1), tokens(4)))).expect("an answer");
    assert_eq!(
        booked.outcome,
        Outcome::Settled {
            actual: tokens(4),
            late: false
        }
    );
}

#[test]
fn a_late_settlement_is_remembered_from_when_it_came() {
    let bounds = Bounds::default().with_remember(Duration::from_secs(60));
    let (ledger, clock) = ledger(bounds);
    assert_eq!(reserve(&ledger, 1, user(1)), Ok(true));
    clock.advance(ReserveRequest::TIMEOUT_DEFAULT);
    assert_eq!(block_on(ledger.expire(9)).ok(), Some(1));
    clock.advance(Duration::from_secs(50));
    let late = Outcome::Settled {
        actual: tokens(1),
        late: true,
    };
    let settled = block_on(ledger.settle(SettleRequest::new(id(1), tokens(1))));
    assert_eq!(settled.map(|r| r.outcome).ok(), Some(late));
    clock.advance(Duration::from_secs(59));
    assert_eq!(reserve(&ledger, 2, user(1)), Ok(true));
    assert_eq!(
        block_on(ledger.release(id(1))).map(|r| r.outcome).ok(),
        Some(late)
    );
}

#[test]
fn threads_that_reserve_settle_and_release_leave_exact_sums() {
    let (ledger, _clock) = ledger(Bounds::default());
    let ledger = Arc::new(ledger);
    let threads: Vec<_> = (0..8_u128)
        .map(|thread| {
            let ledger = Arc::clone(&ledger);
            thread::spawn(move || {
                for n in 0..500_u128 {
                    let bits = thread << 64 | n;
                    let scopes = [user(1), user(2 + u64::try_from(thread).expect("small"))];
                    let asked = ReserveRequest::new(id(bits), scopes, tokens(3)).expect("two");
                    let answer = block_on(ledger.reserve(asked)).expect("an answer");
                    assert!(matches!(answer, Decision::Allow(_)));
                    match n % 5 {
                        0 => drop(block_on(ledger.release(id(bits))).expect("an answer")),
                        1 => {}
                        _ => {
                            let settle = SettleRequest::new(id(bits), tokens(2));
                            block_on(ledger.settle(settle)).expect("an answer");
                        }
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no thread fails");
    }
    let shared = block_on(ledger.balance(&user(1))).expect("an answer");
    assert_eq!(
        (shared.spent, shared.held),
        (tokens(8 * 300 * 2), tokens(8 * 100 * 3))
    );
    let own = block_on(ledger.balance(&user(5))).expect("an answer");
    assert_eq!((own.spent, own.held), (tokens(300 * 2), tokens(100 * 3)));
}
