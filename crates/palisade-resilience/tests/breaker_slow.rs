//! What a breaker makes of time: calls that are slow, hang, are given up on; a return that is not a flood.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Decision, Instant, Key, ManualClock};
use palisade_resilience::{
    Breaker, BreakerConfig, BreakerEvents, BreakerModel, Cause, DeniedWhy, Ended, ErrorKind,
    Failure, Permit, Phase, Window,
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn config() -> BreakerConfig {
    BreakerConfig::default()
        .with_window(Window::Calls(100))
        .with_minimum_calls(10)
        .with_open_for(5 * SECOND, 80 * SECOND)
        .with_open_jitter(0)
}

fn breaker(config: BreakerConfig) -> (Breaker<ManualClock>, ManualClock) {
    let clock = ManualClock::default();
    let policy = config.build().unwrap();
    (Breaker::new(Key::global(), policy, clock.clone()), clock)
}

fn down() -> Failure {
    Failure::new(ErrorKind::Unavailable)
}

#[track_caller]
fn permit(breaker: &Breaker<ManualClock>) -> Permit<ManualClock> {
    breaker.admit().allowed().expect("the breaker should admit")
}

fn permits(breaker: &Breaker<ManualClock>, count: usize) -> Vec<Permit<ManualClock>> {
    (0..count).map(|_| permit(breaker)).collect()
}

fn phase(breaker: &Breaker<ManualClock>) -> Phase {
    breaker.status().phase
}

#[test]
fn twenty_hanging_calls_open_it_while_they_hang() {
    let (breaker, clock) = breaker(config().with_slow_calls(16 * SECOND, 50));
    let hanging = permits(&breaker, 20);
    clock.advance(16 * SECOND - MS);
    drop(permit(&breaker));
    assert_eq!(phase(&breaker), Phase::Closed);
    // Found within a sixteenth of the threshold.
    clock.advance(SECOND + MS);
    let denied = breaker.admit().denied().expect("it should have opened");
    assert_eq!(denied.why, DeniedWhy::Open);
    drop(hanging);
    assert_eq!(breaker.status().counts.calls, 0, "counted in a later phase");
}

#[test]
fn a_timer_that_checks_opens_it_without_a_new_call() {
    let (breaker, clock) = breaker(config().with_slow_calls(16 * SECOND, 50));
    let hanging = permits(&breaker, 20);
    clock.advance(17 * SECOND);
    assert_eq!(phase(&breaker), Phase::Closed);
    breaker.check();
    assert_eq!(phase(&breaker), Phase::Open);
    drop(hanging);
}

#[test]
fn a_call_is_slow_once_whether_it_is_found_hanging_or_ends() {
    let (breaker, clock) = breaker(config().with_slow_calls(10 * SECOND, 100));
    let mut slow = permits(&breaker, 4);
    clock.advance(11 * SECOND);
    breaker.check();
    assert_eq!(breaker.status().counts.slow, 4);
    slow.pop().unwrap().success();
    slow.pop().unwrap().failure(&down());
    drop(slow);
    let counts = breaker.status().counts;
    assert_eq!((counts.calls, counts.slow, counts.failed), (4, 4, 1));
}

#[test]
fn calls_that_end_in_time_are_never_found_late() {
    let (breaker, clock) = breaker(config().with_slow_calls(10 * SECOND, 1));
    for _ in 0..1_000 {
        let call = permit(&breaker);
        clock.advance(9 * SECOND);
        call.success();
    }
    assert_eq!(breaker.status().counts.slow, 0);
}

#[test]
fn a_late_first_token_makes_a_call_slow_though_it_ends_in_time() {
    let (breaker, clock) = breaker(config().with_slow_first_token(2 * SECOND, 50));
    for _ in 0..9 {
        let mut call = permit(&breaker);
        clock.advance(SECOND);
        call.first_token();
        clock.advance(60 * SECOND);
        call.success();
    }
    assert_eq!(breaker.status().counts.slow, 0);
    for _ in 0..9 {
        let mut call = permit(&breaker);
        clock.advance(2 * SECOND);
        call.first_token();
        call.first_token();
        call.success();
    }
    assert_eq!(phase(&breaker), Phase::Open);
}

#[test]
fn calls_without_a_first_token_count_while_they_wait_for_it_and_only_once() {
    let config = config()
        .with_slow_first_token(2 * SECOND, 100)
        .with_slow_calls(20 * SECOND, 100);
    let (breaker, clock) = breaker(config);
    let mut waiting = permits(&breaker, 9);
    clock.advance(3 * SECOND);
    breaker.check();
    assert_eq!(breaker.status().counts.slow, 9);
    clock.advance(60 * SECOND);
    breaker.check();
    for call in &mut waiting {
        call.first_token();
    }
    drop(waiting);
    let counts = breaker.status().counts;
    assert_eq!((counts.calls, counts.slow), (9, 9));
}

#[test]
fn a_trial_call_whose_first_token_is_late_does_not_close_it() {
    let (breaker, clock) = breaker(
        config()
            .with_slow_first_token(2 * SECOND, 50)
            .with_probes(1, 60 * SECOND),
    );
    for _ in 0..10 {
        permit(&breaker).failure(&down());
    }
    clock.advance(5 * SECOND);
    let mut probe = permit(&breaker);
    assert_eq!(phase(&breaker), Phase::HalfOpen);
    clock.advance(2 * SECOND);
    probe.first_token();
    assert_eq!(phase(&breaker), Phase::Open);
}

#[test]
fn a_trial_call_that_is_slow_already_is_not_waited_for() {
    let (breaker, clock) = breaker(
        config()
            .with_slow_calls(2 * SECOND, 50)
            .with_probes(1, 60 * SECOND),
    );
    for _ in 0..10 {
        permit(&breaker).failure(&down());
    }
    clock.advance(5 * SECOND);
    let probe = permit(&breaker);
    clock.advance(2 * SECOND);
    assert_eq!(breaker.admit().denied().unwrap().why, DeniedWhy::Open);
    drop(probe);
}

#[test]
fn calls_that_an_outer_time_out_drops_open_it_and_young_ones_do_not() {
    let (breaker, clock) = breaker(config().with_abandoned_after(10 * SECOND));
    for _ in 0..1_000 {
        let call = permit(&breaker);
        clock.advance(9 * SECOND);
        drop(call);
    }
    assert_eq!(breaker.status().counts.calls, 0);
    let hanging = permits(&breaker, 1_000);
    clock.advance(10 * SECOND);
    drop(hanging);
    assert_eq!(phase(&breaker), Phase::Open);
}

#[test]
fn somebody_elses_fault_is_not_an_abandoned_call_however_long_it_took() {
    let (breaker, clock) = breaker(config().with_abandoned_after(10 * SECOND));
    for _ in 0..100 {
        let call = permit(&breaker);
        clock.advance(60 * SECOND);
        call.failure(&Failure::new(ErrorKind::Validation));
    }
    assert_eq!(breaker.status().counts.calls, 0);
}

/// How many of `calls` calls, one each `pause`, it lets through; all succeed.
fn let_through(
    breaker: &Breaker<ManualClock>,
    clock: &ManualClock,
    calls: u32,
    pause: Duration,
) -> u32 {
    let mut passed = 0;
    for _ in 0..calls {
        if let Decision::Allow(permit) = breaker.admit() {
            passed += 1;
            permit.success();
        }
        clock.advance(pause);
    }
    passed
}

#[test]
fn after_closing_the_calls_come_back_by_and_by() {
    let ramp = config().with_ramp(10, 10 * SECOND).with_probes(1, SECOND);
    let (breaker, clock) = breaker(ramp);
    for _ in 0..10 {
        permit(&breaker).failure(&down());
    }
    clock.advance(5 * SECOND);
    permit(&breaker).success();
    assert_eq!(phase(&breaker), Phase::Closed);
    let seconds: Vec<u32> = (0..10)
        .map(|_| let_through(&breaker, &clock, 100, 10 * MS))
        .collect();
    // From a tenth to all: 14.5 % in the first second, 95.5 % in the last.
    assert!((13..=17).contains(&seconds[0]), "{seconds:?}");
    assert!((94..=97).contains(&seconds[9]), "{seconds:?}");
    assert!(seconds.is_sorted(), "{seconds:?}");
    assert_eq!(let_through(&breaker, &clock, 100, MS), 100);
}

#[test]
fn during_the_ramp_the_refused_are_told_so_and_a_failure_still_opens() {
    let config = config()
        .with_ramp(10, 10 * SECOND)
        .with_probes(1, SECOND)
        .with_consecutive_failures(2);
    let (breaker, clock) = breaker(config);
    breaker.force_open();
    breaker.release();
    assert_eq!(
        let_through(&breaker, &clock, 10, MS),
        10,
        "an operator's word needs no ramp"
    );
    permit(&breaker).failure(&down());
    permit(&breaker).failure(&down());
    clock.advance(5 * SECOND);
    permit(&breaker).success();
    permit(&breaker).failure(&down());
    let denied = breaker.admit().denied().unwrap();
    assert_eq!(denied.why, DeniedWhy::RampingUp);
    assert!(Failure::from(denied).is_retryable());
    clock.advance(9 * SECOND);
    permit(&breaker).failure(&down());
    assert_eq!(phase(&breaker), Phase::Open);
}

#[test]
fn jitter_only_ever_lengthens_the_open_time_and_differs_between_replicas() {
    let policy = config()
        .with_open_jitter(20)
        .with_consecutive_failures(1)
        .build()
        .unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..1_000 {
        let mut model = BreakerModel::new(policy).with_seed(seed);
        let ticket = model.admit(Instant::ORIGIN).0.allowed().unwrap();
        let advice = Some(20 * SECOND);
        let change = model
            .end(ticket, Ended::Failure(advice), Instant::ORIGIN)
            .unwrap();
        let open_for = change.open_for.unwrap();
        assert!(
            (20 * SECOND..=24 * SECOND).contains(&open_for),
            "{open_for:?}"
        );
        seen.insert(open_for.as_millis() / 100);
    }
    assert!(seen.len() > 35, "not spread: {}", seen.len());
}

#[test]
fn disabled_it_passes_and_counts_nothing() {
    let (breaker, clock) = breaker(config());
    let before = permit(&breaker);
    breaker.disable();
    for _ in 0..100 {
        permit(&breaker).failure(&down());
    }
    clock.advance(SECOND);
    assert_eq!(
        (phase(&breaker), breaker.status().counts.calls),
        (Phase::Disabled, 0)
    );
    breaker.release();
    before.failure(&down());
    assert_eq!(
        (phase(&breaker), breaker.status().counts.calls),
        (Phase::Closed, 0)
    );
}

#[test]
fn a_success_never_opens_it_and_the_next_failure_does() {
    let (breaker, _clock) = breaker(config());
    for _ in 0..9 {
        permit(&breaker).failure(&down());
    }
    permit(&breaker).success();
    assert_eq!(phase(&breaker), Phase::Closed);
    permit(&breaker).failure(&down());
    assert_eq!(phase(&breaker), Phase::Open);
}

#[test]
fn what_was_refused_and_how_often_it_opened_is_known() {
    let (breaker, clock) = breaker(config().with_consecutive_failures(1).with_probes(1, SECOND));
    for round in 1..=3 {
        permit(&breaker).failure(&down());
        for _ in 0..5 {
            assert!(breaker.admit().is_deny());
        }
        let status = breaker.status();
        assert_eq!((status.opened, status.refused), (round, 5 * round));
        clock.advance(80 * SECOND);
        permit(&breaker).success();
    }
}

#[test]
fn work_that_is_run_is_told_of_and_a_dropped_run_is_a_cancelled_call() {
    let (breaker, clock) = breaker(config().with_abandoned_after(SECOND).with_minimum_calls(1));
    let failing = |_: &u32| Some(down());
    let mut cx = Context::from_waker(Waker::noop());
    {
        let mut hanging = pin!(breaker.run(&failing, std::future::pending::<u32>()));
        assert!(hanging.as_mut().poll(&mut cx).is_pending());
        assert_eq!(breaker.status().counts.calls, 0);
    }
    assert_eq!(phase(&breaker), Phase::Closed, "dropped young");
    {
        let mut hanging = pin!(breaker.run(&failing, std::future::pending::<u32>()));
        assert!(hanging.as_mut().poll(&mut cx).is_pending());
        clock.advance(SECOND);
    }
    assert_eq!(phase(&breaker), Phase::Open, "dropped old");
    assert!(breaker.call(&failing, || 1).is_deny());
    clock.advance(5 * SECOND);
    let answer = pin!(breaker.run(&failing, std::future::ready(1))).poll(&mut cx);
    assert_eq!(answer, Poll::Ready(Decision::Allow(1)));
    assert_eq!(phase(&breaker), Phase::Open);
}

#[test]
fn subscribers_hear_of_everything_they_have_room_for_and_of_how_much_they_missed() {
    let clock = ManualClock::default();
    let events = BreakerEvents::default();
    let mut prompt = events.subscribe(100).unwrap();
    let mut sleepy = events.subscribe(2).unwrap();
    drop(events.subscribe(1).unwrap());
    assert!(events.subscribe(0).is_err());
    let breaker = Breaker::with_observer(
        Key::global(),
        config().build().unwrap(),
        clock.clone(),
        std::sync::Arc::new(events.clone()),
    );
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(prompt.next_event()).poll(&mut cx).is_pending());
    for _ in 0..3 {
        breaker.force_open();
        breaker.release();
    }
    let Poll::Ready(first) = pin!(prompt.next_event()).poll(&mut cx) else {
        panic!("there are six")
    };
    assert_eq!(
        (first.change.to, first.change.cause),
        (Phase::ForcedOpen, Cause::Forced)
    );
    assert_eq!(std::iter::from_fn(|| prompt.try_next()).count(), 5);
    assert_eq!(sleepy.try_next().unwrap().missed, 4);
    assert_eq!(sleepy.try_next().unwrap().missed, 0);
    assert_eq!(sleepy.try_next(), None);
}

#[test]
fn the_window_follows_the_clock_also_for_successes_that_took_no_lock() {
    let (breaker, clock) = breaker(config().with_window(Window::Time(16 * SECOND)));
    for expected in 1..=16 {
        permit(&breaker).success();
        assert_eq!(breaker.status().counts.calls, expected);
        clock.advance(SECOND);
    }
    // The first has left, and so do the others, one each second.
    for expected in (0..=15).rev() {
        assert_eq!(breaker.status().counts.calls, expected);
        clock.advance(SECOND);
    }
    permit(&breaker).success();
    clock.advance(3_600 * SECOND);
    permit(&breaker).success();
    assert_eq!(breaker.status().counts.calls, 1);
}
