//! Callers who walk away at any moment leave nothing behind: the whole call is dropped after every possible number of polls.

use std::{
    cell::Cell,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Decision, Instant, Key, ManualClock, Timer};
use palisade_resilience::{
    AsFailure, Attempt, Backoff, Breaker, BreakerConfig, Bulkhead, Call, Classify, ErrorKind,
    Failure, Idempotency, Jitter, Phase, RetryBudget, RetryBudgetConfig, RetryPolicy, retry,
};

const SECOND: Duration = Duration::from_secs(1);

/// A service as a host would build it: retries around a breaker around a limit on concurrency around the upstream.
struct Service {
    clock: ManualClock,
    policy: RetryPolicy,
    budget: RetryBudget,
    breaker: Breaker<ManualClock>,
    bulkhead: Bulkhead,
    /// How many requests are with the upstream now.
    with_upstream: Arc<Cell<i32>>,
}

/// What the upstream does with one request.
#[derive(Clone, Copy)]
enum Upstream {
    Answers,
    Fails,
    Hangs,
}

impl Service {
    fn new() -> Self {
        let clock = ManualClock::default();
        let backoff = Backoff::new(SECOND, SECOND).unwrap();
        let policy = BreakerConfig::default()
            .with_consecutive_failures(3)
            .with_open_for(5 * SECOND, 60 * SECOND)
            .with_open_jitter(0)
            .with_probes(1, 60 * SECOND);
        Self {
            policy: RetryPolicy::new(4)
                .unwrap()
                .with_backoff(backoff.with_jitter(Jitter::None))
                .with_attempt_timeout(4 * SECOND)
                .unwrap(),
            budget: RetryBudget::new(RetryBudgetConfig::default().with_floor(10)).unwrap(),
            breaker: Breaker::new(Key::global(), policy.build().unwrap(), clock.clone()),
            bulkhead: Bulkhead::new(1).unwrap(),
            with_upstream: Arc::default(),
            clock,
        }
    }

    async fn call(&self, script: &[Upstream]) -> Result<(), Failure> {
        let call = Call::new(Idempotency::Declared).with_budget(&self.budget);
        let attempt = |attempt: Attempt| self.attempt(script[attempt.number as usize - 1]);
        retry(
            &self.policy,
            call,
            &AsFailure,
            &self.clock,
            &self.clock,
            attempt,
        )
        .await
        .map_err(Failure::from)
    }

    async fn attempt(&self, upstream: Upstream) -> Result<(), Failure> {
        let permit = match self.breaker.admit() {
            Decision::Allow(permit) => permit,
            Decision::Deny(denied) => return Err(denied.into()),
        };
        let Decision::Allow(_slot) = self.bulkhead.enter() else {
            return Err(Bulkhead::full());
        };
        let _request = Request::send(&self.with_upstream);
        self.clock.sleep(SECOND).await;
        let outcome = match upstream {
            Upstream::Answers => Ok(()),
            Upstream::Fails => Err(Failure::new(ErrorKind::Unavailable)),
            Upstream::Hangs => {
                self.clock.sleep(1_000_000 * SECOND).await;
                Ok(())
            }
        };
        permit.outcome(AsFailure.classify(&outcome).as_ref());
        outcome
    }
}

/// A request that is with the upstream for as long as this lives.
struct Request(Arc<Cell<i32>>);

impl Request {
    fn send(counter: &Arc<Cell<i32>>) -> Self {
        counter.set(counter.get() + 1);
        Self(Arc::clone(counter))
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Polls at most `polls` times, a second apart, and drops what is not ready by then.
fn poll_and_drop<F: Future>(clock: &ManualClock, polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(output) => return Some(output),
            Poll::Pending => clock.advance(SECOND),
        }
    }
    None
}

fn nothing_is_left(service: &Service) {
    assert_eq!(service.with_upstream.get(), 0, "a request goes on");
    assert_eq!(service.bulkhead.busy(), 0, "a slot is taken");
    assert_eq!(service.clock.sleepers(), 0, "a sleep goes on");
}

#[test]
fn a_call_dropped_at_any_moment_gives_everything_back() {
    use Upstream::{Answers, Fails, Hangs};
    let mut finished = 0;
    for polls in 0..30 {
        let service = Service::new();
        let script = [Fails, Hangs, Fails, Answers];
        let outcome = poll_and_drop(&service.clock, polls, service.call(&script));
        nothing_is_left(&service);
        finished += usize::from(outcome.is_some_and(|outcome| outcome.is_ok()));
        // The next caller is served as if nothing had been.
        let outcome = poll_and_drop(&service.clock, 30, service.call(&[Answers]));
        assert_eq!(outcome, Some(Ok(())), "after {polls} polls");
    }
    assert!((1..30).contains(&finished));
}

#[test]
fn a_probe_dropped_at_any_moment_neither_blocks_nor_closes_the_circuit() {
    use Upstream::{Answers, Fails, Hangs};
    for polls in 1..4 {
        let service = Service::new();
        let failed = poll_and_drop(&service.clock, 30, service.call(&[Fails; 4]));
        assert!(failed.is_some_and(|outcome| outcome.is_err()));
        assert_eq!(service.breaker.status().phase, Phase::Open);
        service.clock.advance(60 * SECOND);
        for _ in 0..10 {
            let dropped = poll_and_drop(&service.clock, polls, service.call(&[Hangs; 4]));
            assert_eq!(dropped, None);
            nothing_is_left(&service);
            assert_eq!(service.breaker.status().phase, Phase::HalfOpen);
        }
        let outcome = poll_and_drop(&service.clock, 30, service.call(&[Answers]));
        assert_eq!(outcome, Some(Ok(())));
        assert_eq!(service.breaker.status().phase, Phase::Closed);
    }
}

#[test]
fn a_hanging_upstream_is_left_at_the_time_out_and_the_budget_pays_for_each_retry() {
    let service = Service::new();
    let outcome = poll_and_drop(&service.clock, 1_000, service.call(&[Upstream::Hangs; 4]));
    assert_eq!(outcome.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    nothing_is_left(&service);
    // Four attempts of four seconds, and three pauses of one.
    let now = palisade_core::Clock::instant(&service.clock);
    assert_eq!(now, Instant::ORIGIN.saturating_add(19 * SECOND));
}
