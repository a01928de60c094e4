//! What a breaker promises.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use palisade_core::{Decision, Dimension, Key, ManualClock, Probe, RetryAfter, Status};
use palisade_resilience::{
    Breaker, BreakerConfig, Cause, Change, DeniedWhy, ErrorKind, Failure, Fault, Permit, Phase,
    Window,
};

const SECOND: Duration = Duration::from_secs(1);

/// A window of 100 calls, 50 %, at least 10; open for 5 s up to 80 s; 3 probes.
fn config() -> BreakerConfig {
    BreakerConfig::default()
        .with_window(Window::Calls(100))
        .with_minimum_calls(10)
        .with_open_for(5 * SECOND, 80 * SECOND)
        .with_open_jitter(0)
}

fn key(name: &str) -> Key {
    Key::new(Dimension::Provider, name).unwrap()
}

fn breaker(config: BreakerConfig) -> (Breaker<ManualClock>, ManualClock) {
    let clock = ManualClock::default();
    let policy = config.build().unwrap();
    (Breaker::new(key("acme"), policy, clock.clone()), clock)
}

fn down() -> Failure {
    Failure::new(ErrorKind::Unavailable)
}

#[track_caller]
fn permit(breaker: &Breaker<ManualClock>) -> Permit<ManualClock> {
    breaker.admit().allowed().expect("the breaker should admit")
}

fn fail(breaker: &Breaker<ManualClock>, times: u32) {
    for _ in 0..times {
        permit(breaker).failure(&down());
    }
}

fn succeed(breaker: &Breaker<ManualClock>, times: u32) {
    for _ in 0..times {
        permit(breaker).success();
    }
}

#[test]
fn a_count_window_slides_however_many_successes_came_before() {
    for successes in [0, 100, 100_000] {
        let (breaker, _clock) = breaker(config());
        succeed(&breaker, successes);
        let mut failures = 0;
        while breaker.status().phase == Phase::Closed {
            fail(&breaker, 1);
            failures += 1;
        }
        assert_eq!(failures, if successes == 0 { 10 } else { 50 });
    }
}

#[test]
fn two_failures_an_hour_apart_open_nothing() {
    let (breaker, clock) = breaker(
        config()
            .with_window(Window::Time(10 * SECOND))
            .with_minimum_calls(2),
    );
    for _ in 0..100 {
        fail(&breaker, 1);
        clock.advance(3_600 * SECOND);
    }
    assert_eq!(breaker.status().phase, Phase::Closed);
    fail(&breaker, 2);
    assert_eq!(breaker.status().phase, Phase::Open);
}

#[test]
fn too_few_calls_are_not_judged() {
    let (breaker, _clock) = breaker(config());
    fail(&breaker, 9);
    assert_eq!(breaker.status().phase, Phase::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.status().phase, Phase::Open);
}

#[test]
fn failures_in_a_row_open_it_whatever_the_rate() {
    let (breaker, _clock) = breaker(config().with_consecutive_failures(3));
    succeed(&breaker, 50);
    for _ in 0..10 {
        fail(&breaker, 2);
        succeed(&breaker, 1);
    }
    assert_eq!(breaker.status().phase, Phase::Closed);
    fail(&breaker, 3);
    assert_eq!(breaker.status().phase, Phase::Open);
}

#[test]
fn the_callers_own_faults_never_open_it() {
    let (breaker, _clock) = breaker(config().with_consecutive_failures(1));
    for kind in [
        ErrorKind::Validation,
        ErrorKind::QuotaExhausted,
        ErrorKind::Authentication,
        ErrorKind::ContentRefused,
        ErrorKind::RateLimited,
        ErrorKind::Cancelled,
    ] {
        for _ in 0..10_000 {
            permit(&breaker).failure(&Failure::new(kind));
        }
    }
    assert_eq!(breaker.status().phase, Phase::Closed);
    assert_eq!(breaker.status().counts.calls, 0);
}

#[test]
fn it_is_denied_until_exactly_the_announced_instant() {
    let (breaker, clock) = breaker(config());
    fail(&breaker, 10);
    let denied = breaker.admit().denied().unwrap();
    assert_eq!(denied.why, DeniedWhy::Open);
    assert_eq!(denied.retry_after, RetryAfter::After(5 * SECOND));
    clock.advance(5 * SECOND - Duration::from_nanos(1));
    assert_eq!(
        breaker.admit().denied().unwrap().retry_after,
        RetryAfter::After(Duration::from_nanos(1))
    );
    clock.advance(Duration::from_nanos(1));
    assert!(breaker.admit().is_allow());
}

#[test]
fn half_open_lets_exactly_the_probes_through_and_closes_when_all_succeed() {
    let (breaker, clock) = breaker(config());
    fail(&breaker, 10);
    clock.advance(5 * SECOND);
    let mut admitted = Vec::new();
    for _ in 0..1_000 {
        match breaker.admit() {
            Decision::Allow(permit) => admitted.push(permit),
            Decision::Deny(denied) => assert_eq!(denied.why, DeniedWhy::Probing),
        }
    }
    assert_eq!(admitted.len(), 3);
    for permit in admitted.drain(1..) {
        permit.success();
    }
    assert_eq!(breaker.status().phase, Phase::HalfOpen);
    admitted.pop().unwrap().success();
    assert_eq!(breaker.status().phase, Phase::Closed);
}

#[test]
fn a_probe_that_fails_opens_it_again_for_longer_each_time() {
    let (breaker, clock) = breaker(config());
    fail(&breaker, 10);
    for seconds in [5, 10, 20, 40, 80, 80] {
        let wait = breaker.admit().denied().unwrap().retry_after;
        assert_eq!(wait, RetryAfter::After(seconds * SECOND));
        clock.advance(seconds * SECOND);
        permit(&breaker).failure(&down());
    }
}

#[test]
fn only_a_long_calm_makes_it_forget_how_often_it_opened() {
    let (breaker, clock) = breaker(config().with_probes(1, SECOND));
    let open_time = || breaker.admit().denied().unwrap().retry_after;
    fail(&breaker, 10);
    clock.advance(5 * SECOND);
    succeed(&breaker, 1);
    // Flapping: closed for a moment only.
    clock.advance(79 * SECOND);
    fail(&breaker, 10);
    assert_eq!(open_time(), RetryAfter::After(10 * SECOND));
    clock.advance(10 * SECOND);
    succeed(&breaker, 1);
    clock.advance(80 * SECOND);
    fail(&breaker, 10);
    assert_eq!(open_time(), RetryAfter::After(5 * SECOND));
}

#[test]
fn a_probe_that_is_dropped_panics_or_is_ignored_gives_its_place_back_and_closes_nothing() {
    let (breaker, clock) = breaker(config().with_probes(1, 60 * SECOND));
    fail(&breaker, 10);
    clock.advance(5 * SECOND);
    for round in 0..30 {
        let probe = permit(&breaker);
        assert!(breaker.admit().is_deny());
        match round % 3 {
            0 => drop(probe),
            1 => probe.failure(&Failure::new(ErrorKind::Validation)),
            _ => {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                    let _probe = probe;
                    std::panic::resume_unwind(Box::new("a defect in the caller"));
                }));
                assert!(result.is_err());
            }
        }
        assert_eq!(breaker.status().phase, Phase::HalfOpen);
    }
    succeed(&breaker, 1);
    assert_eq!(breaker.status().phase, Phase::Closed);
}

#[test]
fn a_probe_that_never_comes_back_does_not_keep_the_door_shut() {
    let (breaker, clock) = breaker(config().with_probes(1, 60 * SECOND));
    fail(&breaker, 10);
    clock.advance(5 * SECOND);
    std::mem::forget(permit(&breaker));
    clock.advance(60 * SECOND - Duration::from_nanos(1));
    assert_eq!(breaker.admit().denied().unwrap().why, DeniedWhy::Probing);
    clock.advance(Duration::from_nanos(1));
    // It counts as a failed probe: open again, twice as long.
    assert_eq!(
        breaker.admit().denied().unwrap().retry_after,
        RetryAfter::After(10 * SECOND)
    );
    clock.advance(10 * SECOND);
    succeed(&breaker, 1);
    assert_eq!(breaker.status().phase, Phase::Closed);
}

#[test]
fn a_late_outcome_of_an_earlier_phase_counts_nowhere() {
    let (breaker, clock) = breaker(config().with_probes(1, 60 * SECOND));
    let (late_success, late_failure) = (permit(&breaker), permit(&breaker));
    fail(&breaker, 10);
    clock.advance(5 * SECOND);
    let probe = permit(&breaker);
    late_success.success();
    assert_eq!(breaker.status().phase, Phase::HalfOpen, "closed by a ghost");
    probe.success();
    assert_eq!(breaker.status().phase, Phase::Closed);
    late_failure.failure(&down());
    assert_eq!(breaker.status().counts.calls, 0);
}

#[test]
fn a_cancelled_call_counts_only_if_it_had_been_slow() {
    let (breaker, clock) = breaker(config().with_slow_calls(10 * SECOND, 100));
    for _ in 0..1_000 {
        drop(permit(&breaker));
    }
    assert_eq!(breaker.status().counts.calls, 0);
    // What an outer time-out does to a hanging upstream.
    let hanging: Vec<_> = (0..10).map(|_| permit(&breaker)).collect();
    clock.advance(10 * SECOND);
    drop(hanging);
    assert_eq!(breaker.status().phase, Phase::Open);
}

#[test]
fn slow_successes_open_it_and_a_slow_probe_does_not_close_it() {
    let (breaker, clock) = breaker(
        config()
            .with_slow_calls(10 * SECOND, 60)
            .with_probes(1, 60 * SECOND),
    );
    succeed(&breaker, 4);
    let slow: Vec<_> = (0..6).map(|_| permit(&breaker)).collect();
    clock.advance(10 * SECOND);
    for permit in slow {
        permit.success();
    }
    assert_eq!(breaker.status().phase, Phase::Open);
    clock.advance(5 * SECOND);
    let probe = permit(&breaker);
    clock.advance(10 * SECOND);
    probe.success();
    assert_eq!(breaker.status().phase, Phase::Open);
}

#[test]
fn it_stays_open_for_as_long_as_the_server_says_within_its_maximum() {
    for (advice, open_for) in [(3, 5), (30, 30), (100_000, 80)] {
        let (breaker, _clock) = breaker(config().with_consecutive_failures(1));
        let advice = RetryAfter::After(advice * SECOND);
        permit(&breaker).failure(&down().with_advice(advice));
        assert_eq!(
            breaker.admit().denied().unwrap().retry_after,
            RetryAfter::After(open_for * SECOND)
        );
    }
}

#[test]
fn one_told_to_slow_down_holds_back_all_if_the_policy_says_so() {
    let slow_down =
        Failure::new(ErrorKind::RateLimited).with_advice(RetryAfter::After(20 * SECOND));
    let (deaf, _clock) = breaker(config());
    permit(&deaf).failure(&slow_down);
    assert!(deaf.admit().is_allow());

    let (obedient, _clock) = breaker(config().with_open_on_advice(true));
    permit(&obedient).failure(&slow_down);
    assert_eq!(
        obedient.admit().denied().unwrap().retry_after,
        RetryAfter::After(20 * SECOND)
    );
    // The caller's own limit is not the upstream's.
    let (obedient, _clock) = breaker(config().with_open_on_advice(true));
    permit(&obedient).failure(&slow_down.with_fault(Fault::Caller));
    assert!(obedient.admit().is_allow());
}

#[test]
fn an_operators_word_holds_until_it_is_taken_back() {
    let (breaker, clock) = breaker(config());
    breaker.force_open();
    clock.advance(1_000_000 * SECOND);
    let denied = breaker.admit().denied().unwrap();
    assert_eq!(denied.why, DeniedWhy::Forced);
    assert!(!Failure::from(denied).is_retryable());
    breaker.force_closed();
    fail(&breaker, 1_000);
    assert!(breaker.admit().is_allow());
    breaker.release();
    assert_eq!(breaker.status().counts.calls, 0);
    fail(&breaker, 10);
    assert!(breaker.admit().is_deny());
}

#[test]
fn every_change_is_told_once_and_in_order() {
    let clock = ManualClock::default();
    let told = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&told);
    let breaker = Breaker::with_observer(
        key("acme"),
        config().with_probes(1, SECOND).build().unwrap(),
        clock.clone(),
        Arc::new(move |key: &Key, change: &Change| {
            let event = (key.clone(), change.from, change.to, change.cause);
            record.lock().unwrap().push(event);
        }),
    );
    assert_eq!(breaker.health().status, Status::Up);
    fail(&breaker, 10);
    assert_eq!(breaker.health().status, Status::Down);
    clock.advance(5 * SECOND);
    let probe = permit(&breaker);
    assert_eq!(breaker.health().status, Status::Degraded);
    probe.success();
    use Phase::{Closed, HalfOpen, Open};
    let acme = key("acme");
    assert_eq!(
        *told.lock().unwrap(),
        [
            (acme.clone(), Closed, Open, Cause::FailureRate),
            (acme.clone(), Open, HalfOpen, Cause::WaitOver),
            (acme, HalfOpen, Closed, Cause::ProbesSucceeded),
        ]
    );
}

#[test]
fn threads_never_get_more_probes_than_allowed() {
    let (breaker, clock) = breaker(config());
    for _ in 0..200 {
        fail(&breaker, 10);
        clock.advance(80 * SECOND);
        let admitted: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let tries = (0..50).filter_map(|_| breaker.admit().allowed());
                        tries.collect::<Vec<_>>()
                    })
                })
                .collect();
            let joined = threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap());
            joined.collect()
        });
        assert_eq!(admitted.len(), 3);
        for permit in admitted {
            permit.success();
        }
        assert_eq!(breaker.status().phase, Phase::Closed);
    }
}
