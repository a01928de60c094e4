//! What retries, budgets and deadlines promise.

use std::{
    cell::{Cell, RefCell},
    future::{Future, pending, ready},
    pin::pin,
    sync::Mutex,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Clock, Instant, ManualClock, RetryAfter};
use palisade_resilience::{
    AsFailure, Attempt, AttemptFailed, Backoff, Call, Certainty, Deadline, ErrorKind, Failure,
    GaveUp, Idempotency, Jitter, Next, Random, RetryBudget, RetryBudgetConfig, RetryPolicy, Stop,
    Wait, retry, timeout,
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// Polls to the end, moving the clock by `step` whenever the future waits.
fn drive<F: Future>(clock: &ManualClock, step: Duration, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => clock.advance(step),
        }
    }
    panic!("the future waits for something that is not the clock");
}

type Outcome = Result<&'static str, GaveUp<&'static str, Failure>>;

/// Retries an operation that fails with `failures` in turn, then succeeds. Tells the instants of the attempts too.
fn run(policy: &RetryPolicy, call: Call<'_>, failures: &[Failure]) -> (Outcome, Vec<Instant>) {
    let clock = ManualClock::default();
    let attempts = RefCell::new(Vec::new());
    let op = |attempt: Attempt| {
        attempts.borrow_mut().push(clock.instant());
        let outcome = match failures.get(attempt.number as usize - 1) {
            Some(failure) => Err(failure.clone()),
            None => Ok("answer"),
        };
        ready(outcome)
    };
    let outcome = drive(
        &clock,
        MS,
        retry(policy, call, &AsFailure, &clock, &clock, op),
    );
    (outcome, attempts.into_inner())
}

fn declared() -> Call<'static> {
    Call::new(Idempotency::Declared)
}

fn exact(base: Duration, cap: Duration) -> Backoff {
    Backoff::new(base, cap).unwrap().with_jitter(Jitter::None)
}

fn down() -> Failure {
    Failure::new(ErrorKind::Unavailable)
}

#[test]
fn the_first_success_ends_it() {
    let policy = RetryPolicy::new(5)
        .unwrap()
        .with_backoff(exact(10 * MS, 15 * MS));
    let (outcome, attempts) = run(&policy, declared(), &[down(), down()]);
    assert_eq!(outcome.unwrap(), "answer");
    let millis: Vec<_> = attempts
        .iter()
        .map(|at| at.as_nanos() / 1_000_000)
        .collect();
    assert_eq!(millis, [0, 10, 25]);
}

#[test]
fn attempts_are_counted_with_the_first() {
    let policy = RetryPolicy::new(3).unwrap();
    let (outcome, attempts) = run(&policy, declared(), &vec![down(); 10]);
    let gave_up = outcome.unwrap_err();
    assert_eq!(
        (gave_up.why, gave_up.attempts, attempts.len()),
        (Stop::Attempts, 3, 3)
    );
    assert_eq!(gave_up.last, Some(Err(down())));
}

#[test]
fn what_would_fail_again_is_tried_once() {
    for failure in [
        Failure::new(ErrorKind::QuotaExhausted),
        Failure::new(ErrorKind::Validation),
        Failure::new(ErrorKind::Authentication),
        down().with_advice(RetryAfter::Never),
    ] {
        let (outcome, attempts) = run(&RetryPolicy::default(), declared(), &[failure]);
        assert_eq!(outcome.unwrap_err().why, Stop::NotRetryable);
        assert_eq!(attempts.len(), 1);
    }
}

#[test]
fn what_may_have_been_carried_out_is_not_repeated_unless_declared_harmless() {
    let policy = RetryPolicy::default();
    let unknown = [Failure::new(ErrorKind::Timeout)];
    let not_sent = [down().not_processed()];
    let undeclared = Call::default();
    assert_eq!(
        run(&policy, undeclared, &unknown).0.unwrap_err().why,
        Stop::NotIdempotent
    );
    assert!(run(&policy, undeclared, &not_sent).0.is_ok());
    assert!(run(&policy, declared(), &unknown).0.is_ok());
    let never = Call::new(Idempotency::Never);
    assert_eq!(
        run(&policy, never, &not_sent).0.unwrap_err().why,
        Stop::NotIdempotent
    );
}

#[test]
fn a_refusal_at_the_end_does_not_deny_what_an_earlier_attempt_may_have_done() {
    let policy = RetryPolicy::new(2).unwrap();
    let failures = [Failure::new(ErrorKind::Timeout), down().not_processed()];
    let gave_up = run(&policy, declared(), &failures).0.unwrap_err();
    assert_eq!(gave_up.failure.kind(), ErrorKind::Unavailable);
    assert_eq!(gave_up.failure.processed(), Certainty::Unknown);
    assert_eq!(gave_up.failure.billed(), Certainty::Unknown);
}

#[test]
fn nobody_comes_back_earlier_than_the_server_asked() {
    let policy = RetryPolicy::default();
    let asked = down().with_advice(RetryAfter::After(7 * SECOND));
    let (outcome, attempts) = run(&policy, declared(), &[asked]);
    assert!(outcome.is_ok());
    assert!(attempts[1].saturating_since(attempts[0]) >= 7 * SECOND);
}

#[test]
fn a_crowd_that_was_told_one_time_does_not_arrive_as_one() {
    let random = Random::seeded(41);
    let asked = RetryAfter::After(30 * SECOND);
    let mut arrivals = std::collections::BTreeMap::new();
    for _ in 0..1_000 {
        let Wait::For(wait) = Backoff::default().wait(1, Some(asked), random.next()) else {
            panic!("half a minute is not too long");
        };
        *arrivals.entry(wait.as_millis() / 250).or_insert(0) += 1;
    }
    // Three and three quarters of a second hold fifteen quarters.
    assert_eq!(arrivals.len(), 15);
    assert!(arrivals.values().all(|arrived| *arrived <= 3 * 1_000 / 15));
}

#[test]
fn a_server_that_asks_for_too_much_patience_gets_its_word_passed_on() {
    let asked = RetryAfter::After(61 * SECOND);
    let failures = [down().with_advice(asked)];
    let (outcome, attempts) = run(&RetryPolicy::default(), declared(), &failures);
    let gave_up = outcome.unwrap_err();
    assert_eq!((gave_up.why, attempts.len()), (Stop::Advice, 1));
    assert_eq!(gave_up.failure.advice(), Some(asked));
}

#[test]
fn nobody_sleeps_past_the_deadline() {
    let policy = RetryPolicy::new(10)
        .unwrap()
        .with_backoff(exact(10 * SECOND, 10 * SECOND))
        .with_total(30 * SECOND)
        .unwrap();
    let clock = ManualClock::default();
    let work = retry(&policy, declared(), &AsFailure, &clock, &clock, |_| {
        ready(Err::<(), _>(down()))
    });
    let gave_up = drive(&clock, SECOND, work).unwrap_err();
    // At 0, 10 and 20 s; a fourth would begin at the deadline, with no time left.
    assert_eq!((gave_up.why, gave_up.attempts), (Stop::Deadline, 3));
    assert_eq!(clock.instant(), Instant::ORIGIN.saturating_add(20 * SECOND));
}

#[test]
fn the_last_attempt_gets_only_what_is_left() {
    let policy = RetryPolicy::new(10)
        .unwrap()
        .with_backoff(exact(SECOND, SECOND))
        .with_total(10 * SECOND)
        .unwrap()
        .with_attempt_timeout(6 * SECOND)
        .unwrap();
    let clock = ManualClock::default();
    let deadlines = RefCell::new(Vec::new());
    let work = retry(&policy, declared(), &AsFailure, &clock, &clock, |attempt| {
        let deadline = attempt.deadline.unwrap();
        deadlines
            .borrow_mut()
            .push(deadline.remaining(clock.instant()));
        pending::<Result<(), Failure>>()
    });
    let gave_up = drive(&clock, SECOND, work).unwrap_err();
    assert_eq!(gave_up.failure.kind(), ErrorKind::Timeout);
    assert!(gave_up.last.is_none());
    assert_eq!(gave_up.why, Stop::Deadline);
    drop(gave_up);
    assert_eq!(*deadlines.borrow(), [6 * SECOND, 3 * SECOND]);
    assert_eq!(clock.instant(), Instant::ORIGIN.saturating_add(10 * SECOND));
}

#[test]
fn nothing_is_begun_after_the_deadline() {
    let clock = ManualClock::default();
    clock.advance(5 * SECOND);
    let call = declared().with_deadline(Deadline::at(clock.instant()));
    let begun = Cell::new(false);
    let policy = RetryPolicy::default();
    let work = retry(&policy, call, &AsFailure, &clock, &clock, |_| {
        begun.set(true);
        ready(Ok::<_, Failure>(()))
    });
    let gave_up = drive(&clock, SECOND, work).unwrap_err();
    assert!(!begun.get());
    assert_eq!((gave_up.why, gave_up.attempts), (Stop::Deadline, 0));
    assert_eq!(gave_up.failure.processed(), Certainty::No);
}

#[test]
fn an_empty_budget_ends_it_and_forbidden_retries_cost_nothing() {
    let config = RetryBudgetConfig::default().with_percent(0).with_floor(1);
    let budget = RetryBudget::new(config).unwrap();
    let call = declared().with_budget(&budget);
    let policy = RetryPolicy::new(3).unwrap();
    let (outcome, _) = run(&policy, call, &[Failure::new(ErrorKind::Validation)]);
    assert_eq!(outcome.unwrap_err().why, Stop::NotRetryable);
    assert_eq!(budget.balance(Instant::ORIGIN), 1);
    let (outcome, attempts) = run(&policy, call, &vec![down(); 3]);
    assert_eq!(outcome.unwrap_err().why, Stop::Budget);
    assert_eq!(attempts.len(), 2);
}

#[test]
fn a_storm_of_failing_callers_stays_within_the_budget() {
    let config = RetryBudgetConfig::default().with_percent(20).with_floor(0);
    let budget = RetryBudget::new(config).unwrap();
    let policy = RetryPolicy::new(10).unwrap();
    let attempts: usize = (0..1_000)
        .map(|_| {
            let call = declared().with_budget(&budget);
            run(&policy, call, &vec![down(); 10]).1.len()
        })
        .sum();
    assert_eq!(attempts, 1_200);
}

#[test]
fn an_error_that_nobody_knows_is_not_repeated() {
    let clock = ManualClock::default();
    let knows_nothing = |_: &Result<(), &str>| None;
    let calls = Cell::new(0);
    let policy = RetryPolicy::default();
    let work = retry(&policy, declared(), &knows_nothing, &clock, &clock, |_| {
        calls.set(calls.get() + 1);
        ready(Err("strange"))
    });
    let gave_up = drive(&clock, SECOND, work).unwrap_err();
    assert_eq!(calls.get(), 1);
    assert_eq!(gave_up.last, Some(Err("strange")));
}

#[test]
fn an_ok_that_is_a_failure_is_retried_and_handed_back_at_the_end() {
    let clock = ManualClock::default();
    let status = |outcome: &Result<u16, ()>| (*outcome == Ok(503)).then(down);
    let policy = RetryPolicy::new(2).unwrap();
    let calls = Cell::new(0);
    let work = retry(&policy, declared(), &status, &clock, &clock, |_| {
        calls.set(calls.get() + 1);
        ready(Ok(503))
    });
    let gave_up = drive(&clock, SECOND, work).unwrap_err();
    assert_eq!(calls.get(), 2);
    assert_eq!(gave_up.last, Some(Ok(503)));
}

#[test]
fn every_failed_attempt_is_told() {
    let told = Mutex::new(Vec::new());
    let observer = |event: &AttemptFailed<'_>| {
        told.lock().unwrap().push((event.number, event.next));
    };
    let policy = RetryPolicy::new(2)
        .unwrap()
        .with_backoff(exact(10 * MS, 10 * MS));
    let call = declared().with_observer(&observer);
    assert!(run(&policy, call, &vec![down(); 2]).0.is_err());
    assert_eq!(
        *told.lock().unwrap(),
        [
            (1, Next::RetryAfter(10 * MS)),
            (2, Next::GiveUp(Stop::Attempts))
        ]
    );
}

#[test]
fn a_ready_answer_beats_the_time_out_and_a_late_one_does_not() {
    let clock = ManualClock::default();
    let answer = drive(&clock, SECOND, timeout(&clock, SECOND, ready(1)));
    assert_eq!(answer, Ok(1));
    let late = drive(&clock, SECOND, timeout(&clock, 3 * SECOND, pending::<()>()));
    assert_eq!(late.unwrap_err().after(), 3 * SECOND);
    assert_eq!(clock.sleepers(), 0);
    assert!(drive(&clock, SECOND, timeout(&clock, Duration::ZERO, ready(1))).is_err());
}

#[test]
fn the_future_can_travel_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let clock = ManualClock::default();
    let policy = RetryPolicy::default();
    is_send(&retry(
        &policy,
        Call::default(),
        &AsFailure,
        &clock,
        &clock,
        |_| ready(Ok::<_, Failure>(())),
    ));
    is_send(&timeout(&clock, SECOND, ready(())));
}
