//! A first attempt that succeeds asks for no memory.

use std::{
    future::{Future, ready},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Key, ManualClock};
use palisade_resilience::{
    AsFailure, Attempt, Breaker, BreakerConfig, Call, Deadline, ErrorKind, Failure, Idempotency,
    RetryBudget, RetryBudgetConfig, RetryExt, RetryPolicy, Window, retry,
};

fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[test]
fn a_first_attempt_that_succeeds_allocates_nothing() {
    let clock = ManualClock::default();
    let policy = RetryPolicy::new(5)
        .unwrap()
        .with_total(Duration::from_secs(30))
        .unwrap()
        .with_attempt_timeout(Duration::from_secs(10))
        .unwrap();
    let budget = RetryBudget::new(RetryBudgetConfig::default()).unwrap();
    let call = Call::new(Idempotency::Declared)
        .with_budget(&budget)
        .with_deadline(Deadline::after(&clock, Duration::from_secs(5)));
    let ok = |_: Attempt| ready(Ok::<_, Failure>(1));
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            let answer = poll_once(retry(&policy, call, &AsFailure, &clock, &clock, ok));
            assert!(matches!(answer, Some(Ok(1))));
            let answer = poll_once(ok.retry(&policy).call(call).run(&clock, &clock));
            assert!(matches!(answer, Some(Ok(1))));
        }
    });
    assert_eq!(counted.count_total, 0);
}

/// What is not kept cannot be walked over.
#[test]
fn a_time_window_keeps_as_little_of_a_hundred_thousand_calls_as_of_a_hundred() {
    let clock = ManualClock::default();
    let config = BreakerConfig::default()
        .with_window(Window::Time(Duration::from_secs(60)))
        .with_failure_rate(101);
    let breaker = Breaker::new(Key::global(), config.build().unwrap(), clock.clone());
    let call = |number: u32| {
        let permit = breaker.admit().allowed().unwrap();
        let down = Failure::new(ErrorKind::Unavailable);
        permit.outcome(number.is_multiple_of(2).then_some(&down));
    };
    (0..100).for_each(call);
    for calls in [100, 100_000] {
        let counted = allocation_counter::measure(|| {
            for number in 0..calls {
                call(number);
                clock.advance(Duration::from_micros(50));
            }
        });
        assert_eq!(
            (counted.count_total, counted.bytes_max),
            (0, 0),
            "{calls} calls"
        );
    }
    assert_eq!(breaker.status().counts.calls, 100_200);
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(Box::new(1))));
    assert_eq!(counted.count_total, 1);
}
