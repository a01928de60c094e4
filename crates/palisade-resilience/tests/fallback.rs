//! What falling back to another upstream promises.

use std::{
    cell::RefCell,
    future::{Future, ready},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Decision, Key, ManualClock, RetryAfter, Timer};
use palisade_resilience::{
    AsFailure, Breaker, BreakerConfig, Call, Certainty, Deadline, ErrorKind, Failure, Fault,
    GaveUp, Idempotency, Phase, RetryBudget, RetryBudgetConfig, Served, Stop, Target, fallback,
};

const SECOND: Duration = Duration::from_secs(1);

fn now<F: Future>(future: F) -> F::Output {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn breaker(clock: &ManualClock) -> Breaker<ManualClock> {
    let policy = BreakerConfig::default()
        .with_consecutive_failures(2)
        .with_open_for(5 * SECOND, 60 * SECOND);
    Breaker::new(Key::global(), policy.build().unwrap(), clock.clone())
}

type Outcome = Result<&'static str, Failure>;
type Ended = Result<Served<&'static str>, GaveUp<&'static str, Failure>>;

/// Falls back over targets that end as they are told, and tells who was called.
fn run(call: Call<'_>, outcomes: &[Outcome]) -> (Ended, Vec<usize>) {
    let clock = ManualClock::default();
    let indices: Vec<usize> = (0..outcomes.len()).collect();
    let targets: Vec<_> = indices
        .iter()
        .map(Target::<usize, ManualClock>::new)
        .collect();
    let called = RefCell::new(Vec::new());
    let ended = now(fallback(
        &targets,
        call,
        &AsFailure,
        &clock,
        |index, attempt| {
            called.borrow_mut().push(*index);
            assert_eq!(attempt.last, index + 1 == outcomes.len());
            ready(outcomes[*index].clone())
        },
    ));
    (ended, called.into_inner())
}

fn declared() -> Call<'static> {
    Call::new(Idempotency::Declared)
}

fn fails(kind: ErrorKind) -> Outcome {
    Err(Failure::new(kind))
}

#[test]
fn the_first_that_can_answers_in_order() {
    let (ended, called) = run(declared(), &[fails(ErrorKind::Timeout), Ok("b"), Ok("c")]);
    let served = ended.unwrap();
    assert_eq!((served.answer, served.target, served.attempts), ("b", 1, 2));
    assert_eq!(called, [0, 1]);
}

#[test]
fn an_empty_account_here_says_nothing_about_the_account_there() {
    for kind in [
        ErrorKind::QuotaExhausted,
        ErrorKind::Authentication,
        ErrorKind::RateLimited,
        ErrorKind::CircuitOpen,
        ErrorKind::Internal,
    ] {
        let (ended, _) = run(declared(), &[fails(kind), Ok("b")]);
        assert!(ended.is_ok(), "{kind:?}");
    }
}

#[test]
fn the_callers_own_fault_is_the_same_everywhere() {
    let outcomes = [fails(ErrorKind::Validation), Ok("b")];
    let (ended, called) = run(declared(), &outcomes);
    assert_eq!(ended.unwrap_err().why, Stop::NotRetryable);
    assert_eq!(called, [0]);
}

#[test]
fn an_answer_that_broke_off_is_not_begun_anew_elsewhere() {
    let outcomes = [fails(ErrorKind::Interrupted), Ok("b")];
    let (ended, called) = run(declared(), &outcomes);
    assert_eq!(ended.unwrap_err().failure.kind(), ErrorKind::Interrupted);
    assert_eq!(called, [0]);
}

#[test]
fn what_may_have_been_carried_out_is_not_sent_elsewhere_unless_declared_harmless() {
    let outcomes = [fails(ErrorKind::Timeout), Ok("b")];
    let (ended, called) = run(Call::default(), &outcomes);
    assert_eq!(ended.unwrap_err().why, Stop::NotIdempotent);
    assert_eq!(called, [0]);
    // Provably not carried out.
    let (ended, _) = run(Call::default(), &[fails(ErrorKind::Overloaded), Ok("b")]);
    assert!(ended.is_ok());
    let call = declared().with_replayable(false);
    let (ended, _) = run(call, &outcomes);
    assert_eq!(ended.unwrap_err().why, Stop::NotReplayable);
}

#[test]
fn the_budget_keeps_one_upstreams_trouble_from_flooding_the_next() {
    let config = RetryBudgetConfig::default()
        .with_percent(10)
        .with_floor(0)
        .with_capacity(100);
    let budget = RetryBudget::new(config).unwrap();
    let call = declared().with_budget(&budget);
    let outcomes = [fails(ErrorKind::Overloaded), Ok("b")];
    let served = (0..1_000)
        .filter(|_| run(call, &outcomes).0.is_ok())
        .count();
    assert_eq!(served, 100);
    let (ended, _) = run(call, &outcomes);
    assert_eq!(ended.unwrap_err().why, Stop::Budget);
}

#[test]
fn an_open_breaker_is_passed_over_free_of_charge_and_a_failing_target_opens_its_own() {
    let clock = ManualClock::default();
    let (one, two) = (breaker(&clock), breaker(&clock));
    let targets = [Target::guarded(&"one", &one), Target::guarded(&"two", &two)];
    let budget = RetryBudget::new(
        RetryBudgetConfig::default()
            .with_percent(0)
            .with_floor(2)
            .with_capacity(2),
    )
    .unwrap();
    let called = RefCell::new(Vec::new());
    let ask = || {
        let call = declared().with_budget(&budget);
        now(fallback(&targets, call, &AsFailure, &clock, |name, _| {
            called.borrow_mut().push(*name);
            ready(match *name {
                "one" => fails(ErrorKind::Unavailable),
                name => Ok(name),
            })
        }))
    };
    for _ in 0..10 {
        assert_eq!(ask().unwrap().target, 1);
    }
    assert_eq!(one.status().phase, Phase::Open);
    assert_eq!(two.status().phase, Phase::Closed);
    let calls = called
        .borrow()
        .iter()
        .filter(|name| **name == "one")
        .count();
    assert_eq!(calls, 2, "and then it was left alone");

    two.force_open();
    let gave_up = ask().unwrap_err();
    assert_eq!((gave_up.why, gave_up.attempts), (Stop::CircuitOpen, 0));
    assert!(
        matches!(gave_up.failure.advice(), Some(RetryAfter::After(_))),
        "it says when the first of them opens"
    );
}

#[test]
fn a_call_that_a_breaker_further_in_refused_costs_the_next_one_nothing() {
    let config = RetryBudgetConfig::default().with_percent(0).with_floor(0);
    let empty = RetryBudget::new(config).unwrap();
    let call = || declared().with_budget(&empty);
    let (ended, _) = run(call(), &[fails(ErrorKind::CircuitOpen), Ok("b")]);
    assert_eq!(ended.unwrap().answer, "b");
    let (ended, _) = run(call(), &[fails(ErrorKind::Overloaded), Ok("b")]);
    assert_eq!(ended.unwrap_err().why, Stop::Budget);
}

#[test]
fn what_the_first_may_have_done_is_not_denied_by_the_refusal_of_the_next() {
    let refused = Failure::new(ErrorKind::Unavailable).not_processed();
    let (ended, called) = run(declared(), &[fails(ErrorKind::Timeout), Err(refused)]);
    assert_eq!(called, [0, 1]);
    assert_eq!(ended.unwrap_err().failure.processed(), Certainty::Unknown);
}

#[test]
fn after_the_deadline_nobody_is_called() {
    let clock = ManualClock::default();
    let call = declared().with_deadline(Deadline::after(&clock, Duration::ZERO));
    let targets = [Target::<(), ManualClock>::new(&())];
    let ended = now(fallback(&targets, call, &AsFailure, &clock, |(), _| {
        ready(Ok::<_, Failure>(()))
    }));
    let gave_up = ended.unwrap_err();
    assert_eq!((gave_up.why, gave_up.attempts), (Stop::Deadline, 0));
}

#[test]
fn no_targets_at_all_is_our_own_fault_and_not_a_panic() {
    let (ended, _) = run(declared(), &[]);
    let gave_up = ended.unwrap_err();
    assert_eq!(gave_up.failure.fault(), Fault::Us);
    assert!(!gave_up.failure.is_retryable());
}

#[test]
fn dropped_at_any_moment_every_breaker_has_its_permit_back() {
    for polls in 0..8 {
        let clock = ManualClock::default();
        let breakers = [breaker(&clock), breaker(&clock)];
        for breaker in &breakers {
            for _ in 0..2 {
                let Decision::Allow(permit) = breaker.admit() else {
                    panic!("it is closed");
                };
                permit.failure(&Failure::new(ErrorKind::Unavailable));
            }
        }
        clock.advance(60 * SECOND);
        let targets = breakers
            .each_ref()
            .map(|breaker| Target::guarded(&(), breaker));
        {
            let timer = clock.clone();
            let mut work = pin!(fallback(
                &targets,
                declared(),
                &AsFailure,
                &clock,
                |(), _| {
                    let sleep = timer.sleep(SECOND);
                    async move {
                        sleep.await;
                        Err::<(), _>(Failure::new(ErrorKind::Unavailable))
                    }
                }
            ));
            for _ in 0..polls {
                let mut cx = Context::from_waker(Waker::noop());
                if work.as_mut().poll(&mut cx).is_ready() {
                    break;
                }
                clock.advance(SECOND);
            }
        }
        assert_eq!(clock.sleepers(), 0);
        // Each was half open with few places: they are all free again, or it has failed and is open.
        for breaker in &breakers {
            clock.advance(600 * SECOND);
            assert!(breaker.admit().is_allow(), "after {polls} polls");
        }
    }
}
