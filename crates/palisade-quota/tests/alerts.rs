//! Somebody is told before a quota is gone, once a window, and when it will be.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use palisade_conformance::{block_on, join_all};
use palisade_core::{Clock as _, Decision, Dimension, Key, ManualClock, Timestamp, Tokens};
use palisade_quota::{
    Alert, AlertMark, Amount, Defaults, InMemory, Measure, Period, Quota, QuotaLedger as _,
    ReservationId, ReserveRequest, Rolling, SettleRequest, Watched, exhausted_at,
};

const HOUR: Duration = Duration::from_secs(3_600);
/// 2026-11-20T00:00:00Z.
const MIDNIGHT: Timestamp = Timestamp::from_secs(1_795_132_800);

type Ledger = Watched<InMemory<ManualClock>, ManualClock>;
type Raised = Arc<Mutex<Vec<Alert>>>;

/// A ledger of a hundred tokens for each window, watched by so many processes.
fn watched(period: Period, processes: usize) -> (Vec<Ledger>, Raised, ManualClock) {
    let clock = ManualClock::at(MIDNIGHT);
    let quota = Quota::UNLIMITED.with_tokens(Some(Tokens::new(100)));
    let quota = quota.expect("small").with_period(period);
    let store = InMemory::new(clock.clone(), Defaults::new(quota));
    let raised = Raised::default();
    let watch = || {
        let raised = Arc::clone(&raised);
        let sink = move |alert| raised.lock().unwrap().push(alert);
        Watched::new(store.clone(), clock.clone(), sink)
    };
    let ledgers = (0..processes).map(|_| watch()).collect();
    (ledgers, raised, clock)
}

fn tokens(count: i64) -> Amount {
    Amount::from_columns(count, 0).expect("not negative")
}

fn alice() -> Key {
    Key::new(Dimension::User, "alice").expect("short")
}

async fn spend(ledger: &Ledger, bits: u128, count: i64) -> bool {
    let id = ReservationId::from_u128(bits);
    let request = ReserveRequest::new(id, [alice()], tokens(count)).expect("one scope");
    let Decision::Allow(_) = ledger.reserve(request).await.expect("memory is there") else {
        return false;
    };
    let settled = SettleRequest::new(id, tokens(count));
    ledger.settle(settled).await.expect("memory is there");
    true
}

fn marks(raised: &Raised) -> Vec<String> {
    let raised = raised.lock().unwrap();
    raised.iter().map(|alert| alert.mark.to_string()).collect()
}

#[test]
fn each_mark_is_raised_when_it_is_reached_and_not_before() {
    let (ledgers, raised, clock) = watched(Period::Day, 1);
    // In the last hour, so that the pace is too slow to run out.
    clock.advance(23 * HOUR + HOUR / 2);
    for (bits, spent, expected) in [
        (1, 49, 0),
        (2, 1, 1),
        (3, 29, 1),
        (4, 1, 2),
        (5, 10, 3),
        (6, 9, 3),
    ] {
        assert!(block_on(spend(&ledgers[0], bits, spent)));
        let percents = marks(&raised)
            .iter()
            .filter(|mark| mark.ends_with('%'))
            .count();
        assert_eq!(percents, expected, "after {bits}: {:?}", marks(&raised));
    }
    assert!(block_on(spend(&ledgers[0], 7, 1)));
    assert!(!block_on(spend(&ledgers[0], 8, 1)));
    let told = marks(&raised);
    let percents: Vec<_> = told.iter().filter(|mark| mark.ends_with('%')).collect();
    assert_eq!(percents, ["50 %", "80 %", "90 %", "100 %"]);
    assert_eq!(ledgers[0].failures(), 0);
}

#[test]
fn many_processes_at_once_raise_each_mark_once_and_again_in_the_next_window() {
    let (ledgers, raised, clock) = watched(Period::Day, 4);
    let at = |bits: u128| &ledgers[usize::try_from(bits % 4).unwrap()];
    for day in 0_u128..3 {
        clock.advance(23 * HOUR);
        let day = day * 1_000;
        std::thread::scope(|scope| {
            for thread in 0_u128..4 {
                scope.spawn(move || {
                    let calls = (0..50).map(|call| spend(at(thread), day + thread * 100 + call, 1));
                    block_on(join_all(calls.collect::<Vec<_>>()));
                });
            }
        });
        let mut told = marks(&raised);
        told.retain(|mark| mark.ends_with('%'));
        told.sort_unstable();
        assert_eq!(told, ["100 %", "50 %", "80 %", "90 %"], "day {day}");
        raised.lock().unwrap().clear();
        clock.advance(HOUR);
    }
}

#[test]
fn a_projection_goes_by_the_window_and_not_by_the_month() {
    for (period, hours, spent, exhausted_after) in [
        // Six tokens in an hour are a hundred in sixteen hours and forty minutes: within the day.
        (Period::Day, 3, 18, Some(60_000)),
        // Four in an hour are not, within the day.
        (Period::Day, 3, 12, None),
        // At the very pace of the window, it lasts.
        (Period::Day, 12, 50, None),
        (Period::Week, 24, 20, Some(5 * 86_400)),
        (Period::Lifetime, 24, 90, None),
    ] {
        let (ledgers, raised, clock) = watched(period, 1);
        if period == Period::Week {
            // To Monday.
            clock.advance(3 * 24 * HOUR);
        }
        let start = clock.now();
        clock.advance(hours * HOUR);
        assert!(block_on(spend(&ledgers[0], 1, spent)));
        let balance = block_on(ledgers[0].balance(&alice())).unwrap();
        let at = exhausted_at(&balance, Measure::Tokens, clock.now());
        let expected = exhausted_after.map(|s| start.saturating_add(Duration::from_secs(s)));
        assert_eq!(at, expected, "{period:?}");
        let raised = raised.lock().unwrap();
        let projected = raised
            .iter()
            .find(|alert| alert.mark == AlertMark::Projected);
        assert_eq!(
            projected.map(|alert| alert.exhausted_at),
            expected.map(Some),
            "{period:?}"
        );
    }
}

#[test]
fn one_call_at_the_beginning_is_no_trend() {
    let (ledgers, raised, clock) = watched(Period::Day, 1);
    clock.advance(HOUR);
    assert!(block_on(spend(&ledgers[0], 1, 40)));
    assert!(marks(&raised).is_empty(), "a tenth of the day is not over");
}

#[test]
fn a_rolling_period_is_told_of_once_a_length() {
    let rolling = Rolling::new(HOUR).expect("whole minutes");
    let (ledgers, raised, clock) = watched(Period::Rolling(rolling), 1);
    for bits in 0_u128..20 {
        block_on(spend(&ledgers[0], bits, 10));
        clock.advance(HOUR / 20);
    }
    assert_eq!(marks(&raised), ["50 %", "80 %", "90 %", "100 %"]);
}
