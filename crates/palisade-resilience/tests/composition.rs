//! What the pieces do together, in each order: how often does the upstream really see a request?

use std::{
    cell::Cell,
    future::{Future, ready},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Clock, Decision, Instant, Key, ManualClock};
use palisade_resilience::{
    AsFailure, Attempt, Backoff, Breaker, BreakerConfig, Call, Classify, Deadline, ErrorKind,
    Failure, Idempotency, Jitter, RetryOwner, RetryPolicy, Stop, retry,
};

const SECOND: Duration = Duration::from_secs(1);

fn drive<F: Future>(clock: &ManualClock, future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..10_000 {
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(output) => return output,
            Poll::Pending => clock.advance(Duration::from_millis(100)),
        }
    }
    panic!("the future waits for something that is not the clock");
}

/// Five attempts, a tenth of a second apart.
fn policy() -> RetryPolicy {
    let tenth = Duration::from_millis(100);
    let backoff = Backoff::new(tenth, tenth).unwrap();
    RetryPolicy::new(5)
        .unwrap()
        .with_backoff(backoff.with_jitter(Jitter::None))
}

/// Opens at the third failure in a row, for 5 s; one trial call.
fn breaker(clock: &ManualClock) -> Breaker<ManualClock> {
    let policy = BreakerConfig::default()
        .with_consecutive_failures(3)
        .with_open_for(5 * SECOND, 5 * SECOND)
        .with_open_jitter(0)
        .with_probes(1, 60 * SECOND)
        .build()
        .unwrap();
    Breaker::new(Key::global(), policy, clock.clone())
}

/// An upstream that fails `failures` times and then answers.
struct Upstream {
    failures: u32,
    seen: Cell<u32>,
}

impl Upstream {
    fn failing(failures: u32) -> Self {
        Self {
            failures,
            seen: Cell::new(0),
        }
    }

    fn ask(&self) -> Result<(), Failure> {
        self.seen.set(self.seen.get() + 1);
        if self.seen.get() <= self.failures {
            Err(Failure::new(ErrorKind::Unavailable))
        } else {
            Ok(())
        }
    }
}

fn guarded(breaker: &Breaker<ManualClock>, upstream: &Upstream) -> Result<(), Failure> {
    match breaker.admit() {
        Decision::Allow(permit) => {
            let outcome = upstream.ask();
            permit.outcome(AsFailure.classify(&outcome).as_ref());
            outcome
        }
        Decision::Deny(denied) => Err(denied.into()),
    }
}

#[test]
fn a_breaker_inside_the_retry_cuts_it_short() {
    let clock = ManualClock::default();
    let (breaker, upstream) = (breaker(&clock), Upstream::failing(100));
    let policy = policy();
    let call = Call::new(Idempotency::Declared);
    let work = retry(&policy, call, &AsFailure, &clock, &clock, |_| {
        ready(guarded(&breaker, &upstream))
    });
    let gave_up = drive(&clock, work).unwrap_err();
    assert_eq!(gave_up.why, Stop::CircuitOpen);
    assert_eq!(gave_up.failure.kind(), ErrorKind::CircuitOpen);
    assert_eq!(upstream.seen.get(), 3);
    // The next caller is sent away at once, and told for how long.
    let work = retry(&policy, call, &AsFailure, &clock, &clock, |_| {
        ready(guarded(&breaker, &upstream))
    });
    let before = clock.instant();
    let gave_up = drive(&clock, work).unwrap_err();
    assert_eq!(clock.instant(), before);
    let advice = gave_up.failure.advice().unwrap();
    assert_eq!(advice.as_secs_ceil(), Some(5));
    assert_eq!(upstream.seen.get(), 3);
}

#[test]
fn who_waits_for_the_breaker_becomes_its_trial_call() {
    let clock = ManualClock::default();
    let (breaker, upstream) = (breaker(&clock), Upstream::failing(3));
    let policy = policy().with_wait_for_circuit(true);
    let call = Call::new(Idempotency::Declared);
    let work = retry(&policy, call, &AsFailure, &clock, &clock, |_| {
        ready(guarded(&breaker, &upstream))
    });
    assert!(drive(&clock, work).is_ok());
    assert_eq!(upstream.seen.get(), 4);
    assert!(clock.instant() >= Instant::ORIGIN.saturating_add(5 * SECOND));
}

#[test]
fn a_breaker_around_the_retry_sees_one_call() {
    let clock = ManualClock::default();
    let (breaker, upstream) = (breaker(&clock), Upstream::failing(100));
    let policy = policy();
    let permit = breaker.admit().allowed().unwrap();
    let call = Call::new(Idempotency::Declared);
    let work = retry(&policy, call, &AsFailure, &clock, &clock, |_| {
        ready(upstream.ask())
    });
    let gave_up = drive(&clock, work).unwrap_err();
    permit.failure(&gave_up.failure);
    assert_eq!(upstream.seen.get(), 5);
    assert_eq!(breaker.status().counts.failed, 1);
}

#[test]
fn layers_multiply_unless_only_one_of_them_retries() {
    // The outer layer's operation is a call that retries on its own. Driven to its end inside, as both are quick.
    let attempts_seen = |inner: Idempotency| {
        let clock = ManualClock::default();
        let upstream = Upstream::failing(100);
        let outer = Call::new(Idempotency::Declared);
        let policy = policy();
        let work = retry(&policy, outer, &AsFailure, &clock, &clock, |_: Attempt| {
            let inner = Call::new(inner);
            let nested = retry(&policy, inner, &AsFailure, &clock, &clock, |_| {
                ready(upstream.ask())
            });
            ready(drive(&clock, nested).map_err(Failure::from))
        });
        assert!(drive(&clock, work).is_err());
        upstream.seen.get()
    };
    assert_eq!(attempts_seen(Idempotency::Declared), 25);
    assert_eq!(attempts_seen(Idempotency::Never), 5);
}

#[test]
fn three_nested_retries_make_the_attempts_of_one_and_keep_its_deadline() {
    // Between processes the ownership travels as a header, and the clocks differ.
    let elsewhere = ManualClock::default();
    elsewhere.advance(Duration::from_secs(77));
    let clock = ManualClock::default();
    let upstream = Upstream::failing(100);
    let policy = policy();
    let name = RetryOwner::new("gateway").unwrap();
    let outer = Call::new(Idempotency::Declared)
        .with_deadline(Deadline::after(&clock, Duration::from_secs(3_600)));
    let work = retry(
        &policy,
        outer,
        &AsFailure,
        &clock,
        &clock,
        |first: Attempt| {
            let middle = Call::new(Idempotency::Declared).inside(&first);
            let nested = retry(&policy, middle, &AsFailure, &clock, &clock, |attempt| {
                assert!(attempt.deadline <= first.deadline);
                let owner = name.at(&first, policy.attempts());
                let header = owner.header_value(clock.instant());
                let told = RetryOwner::parse(header.as_bytes(), elsewhere.instant()).unwrap();
                let inner = Call::new(Idempotency::Declared).owned_by(&told);
                let most = attempt.deadline.unwrap().remaining(clock.instant());
                let third = retry(
                    &policy,
                    inner,
                    &AsFailure,
                    &elsewhere,
                    &elsewhere,
                    |third| {
                        assert!(third.deadline.unwrap().remaining(elsewhere.instant()) <= most);
                        ready(upstream.ask())
                    },
                );
                let gave_up = drive(&elsewhere, third).unwrap_err();
                assert_eq!(gave_up.why, Stop::NotOwner);
                ready(Err::<(), _>(gave_up.into_parts().failure))
            });
            ready(drive(&clock, nested).map_err(Failure::from))
        },
    );
    assert!(drive(&clock, work).is_err());
    assert_eq!(upstream.seen.get(), policy.attempts());
}
