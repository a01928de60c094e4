//! What a second request for a late answer promises.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Clock, ManualClock, Timer};
use palisade_resilience::{
    AsFailure, Attempt, Call, Certainty, Deadline, ErrorKind, Failure, HedgePolicy, Hedger,
    Idempotency, RetryBudget, RetryBudgetConfig, RetryOwner, RetryPolicy, Stop, Target, fallback,
    hedge, retry,
};

const MS: Duration = Duration::from_millis(1);

/// Polls to the end, a millisecond at a time.
fn drive<F: Future>(clock: &ManualClock, future: F) -> F::Output {
    polled(clock, 1_000_000, pin!(future)).expect("it waits for something that is not the clock")
}

fn polled<F: Future>(
    clock: &ManualClock,
    most: usize,
    mut future: Pin<&mut F>,
) -> Option<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..most {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return Some(output),
            Poll::Pending => clock.advance(MS),
        }
    }
    None
}

/// An upstream whose requests take as long, and end as, they are told.
#[derive(Clone)]
struct Upstream {
    clock: ManualClock,
    script: Rc<[(u32, Result<u32, Failure>)]>,
    began: Rc<RefCell<Vec<u128>>>,
    alive: Rc<Cell<i32>>,
}

struct Alive(Rc<Cell<i32>>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Upstream {
    fn new(script: &[(u32, Result<u32, Failure>)]) -> Self {
        Self {
            clock: ManualClock::default(),
            script: script.into(),
            began: Rc::default(),
            alive: Rc::default(),
        }
    }

    fn ask(&self, attempt: Attempt) -> impl Future<Output = Result<u32, Failure>> + use<> {
        let millis = u128::from(self.clock.instant().as_nanos()) / 1_000_000;
        self.began.borrow_mut().push(millis);
        self.alive.set(self.alive.get() + 1);
        let alive = Alive(Rc::clone(&self.alive));
        let (takes, outcome) = self.script[attempt.number as usize - 1].clone();
        let sleep = self.clock.sleep(takes * MS);
        async move {
            let _alive = alive;
            sleep.await;
            outcome
        }
    }

    fn hedged(&self, hedger: &Hedger, call: Call<'_>) -> Result<u32, Stop> {
        let op = |attempt: Attempt| self.ask(attempt);
        let clock = &self.clock;
        let outcome = drive(clock, hedge(hedger, call, &AsFailure, clock, clock, op));
        assert_eq!(self.alive.get(), 0, "a loser goes on");
        assert_eq!(clock.sleepers(), 0, "a timer goes on");
        outcome.map_err(|gave_up| gave_up.why)
    }
}

fn after(millis: u32) -> Hedger {
    Hedger::new(HedgePolicy::after(millis * MS).unwrap())
}

fn declared() -> Call<'static> {
    Call::new(Idempotency::Declared)
}

fn down() -> Failure {
    Failure::new(ErrorKind::Unavailable)
}

#[test]
fn an_answer_in_time_is_asked_for_once() {
    let upstream = Upstream::new(&[(9, Ok(1))]);
    let hedger = after(10);
    assert_eq!(upstream.hedged(&hedger, declared()), Ok(1));
    assert_eq!(*upstream.began.borrow(), [0]);
    assert_eq!(hedger.counts().sent, 0);
}

#[test]
fn the_first_answer_counts_and_the_loser_is_cancelled() {
    let upstream = Upstream::new(&[(1_000, Ok(1)), (5, Ok(2))]);
    let hedger = after(10);
    assert_eq!(upstream.hedged(&hedger, declared()), Ok(2));
    assert_eq!(*upstream.began.borrow(), [0, 10]);
    assert_eq!((hedger.counts().sent, hedger.counts().won), (1, 1));

    let upstream = Upstream::new(&[(12, Ok(1)), (5, Ok(2))]);
    assert_eq!(upstream.hedged(&hedger, declared()), Ok(1));
    assert_eq!((hedger.counts().sent, hedger.counts().won), (2, 1));
}

#[test]
fn the_loser_is_gone_with_the_answer_and_not_when_somebody_lets_go_of_the_call() {
    for script in [
        [(1_000, Ok(1)), (5, Ok(2))],
        [(12, Ok(1)), (1_000, Ok(2))],
        // Nor does it outlast a failure that nothing can mend.
        [(12, Err(ErrorKind::Validation.into())), (1_000, Ok(2))],
    ] {
        let upstream = Upstream::new(&script);
        let (hedger, clock) = (after(10), &upstream.clock);
        let op = |attempt: Attempt| upstream.ask(attempt);
        let mut call = pin!(hedge(&hedger, declared(), &AsFailure, clock, clock, op));
        let ended = polled(clock, 100, call.as_mut());
        assert!(ended.is_some());
        assert_eq!((upstream.alive.get(), clock.sleepers()), (0, 0));
    }
}

#[test]
fn what_one_request_may_have_done_is_not_denied_by_the_refusal_of_the_other() {
    let refused = down().not_processed();
    for (first, second) in [
        (ErrorKind::Timeout.into(), refused.clone()),
        (refused.clone(), ErrorKind::Timeout.into()),
    ] {
        let upstream = Upstream::new(&[(20, Err(first)), (20, Err(second))]);
        let (hedger, clock) = (after(10), &upstream.clock);
        let op = |attempt: Attempt| upstream.ask(attempt);
        let gave_up = drive(
            clock,
            hedge(&hedger, declared(), &AsFailure, clock, clock, op),
        );
        assert_eq!(gave_up.unwrap_err().failure.processed(), Certainty::Unknown);
    }
}

#[test]
fn a_percentile_is_learnt_from_the_calls_themselves() {
    let policy = HedgePolicy::percentile(90, MS, 500 * MS).unwrap();
    let hedger = Hedger::new(policy);
    let upstream = Upstream::new(&[(40, Ok(1)), (1_000, Ok(2))]);
    for _ in 0..Hedger::SAMPLES_MIN {
        assert_eq!(hedger.delay(upstream.clock.instant()), 500 * MS);
        assert_eq!(upstream.hedged(&hedger, declared()), Ok(1));
    }
    let delay = hedger.delay(upstream.clock.instant());
    assert!((35 * MS..=50 * MS).contains(&delay), "{delay:?}");
}

#[test]
fn each_further_request_waits_for_another_delay() {
    let policy = HedgePolicy::after(10 * MS).unwrap().with_extra(3).unwrap();
    let upstream = Upstream::new(&[(1_000, Ok(1)), (1_000, Ok(2)), (1_000, Ok(3)), (50, Ok(4))]);
    assert_eq!(upstream.hedged(&Hedger::new(policy), declared()), Ok(4));
    assert_eq!(*upstream.began.borrow(), [0, 10, 20, 30]);
}

#[test]
fn what_may_not_be_sent_twice_is_not_hedged() {
    let owner = RetryOwner::new("gateway").unwrap();
    for call in [
        Call::new(Idempotency::Undeclared),
        Call::new(Idempotency::Never),
        declared().with_replayable(false),
        declared().owned_by(&owner),
    ] {
        let upstream = Upstream::new(&[(1_000, Ok(1)), (1, Ok(2))]);
        assert_eq!(upstream.hedged(&after(10), call), Ok(1), "{call:?}");
        assert_eq!(upstream.began.borrow().len(), 1);
    }
    let keyed = Call::new(Idempotency::Keyed);
    let upstream = Upstream::new(&[(1_000, Ok(1)), (1, Ok(2))]);
    assert_eq!(upstream.hedged(&after(10), keyed), Ok(2));
}

#[test]
fn a_failure_waits_for_the_other_unless_nothing_can_mend_it() {
    let upstream = Upstream::new(&[(20, Err(down())), (100, Ok(2))]);
    assert_eq!(upstream.hedged(&after(10), declared()), Ok(2));

    let bad = Err(Failure::new(ErrorKind::Validation));
    let upstream = Upstream::new(&[(20, bad), (100, Ok(2))]);
    let outcome = upstream.hedged(&after(10), declared());
    assert_eq!(outcome, Err(Stop::NotRetryable));

    let upstream = Upstream::new(&[(20, Err(down())), (20, Err(down()))]);
    let outcome = upstream.hedged(&after(10), declared());
    assert_eq!(outcome, Err(Stop::Attempts));

    // A failure before the delay is not hedged: that is a retry's affair.
    let upstream = Upstream::new(&[(5, Err(down())), (20, Ok(2))]);
    let outcome = upstream.hedged(&after(10), declared());
    assert_eq!(outcome, Err(Stop::Attempts));
    assert_eq!(upstream.began.borrow().len(), 1);
}

#[test]
fn under_overload_hedges_stop() {
    let config = RetryBudgetConfig::default()
        .with_percent(5)
        .with_floor(0)
        .with_capacity(100);
    let budget = RetryBudget::new(config).unwrap();
    let hedger = after(10);
    for _ in 0..1_000 {
        let upstream = Upstream::new(&[(30, Ok(1)), (30, Ok(2))]);
        let call = declared().with_budget(&budget);
        assert_eq!(upstream.hedged(&hedger, call), Ok(1));
    }
    let counts = hedger.counts();
    assert_eq!((counts.sent, counts.refused), (50, 950), "5 % of 1,000");
}

#[test]
fn nothing_is_sent_after_the_deadline() {
    let upstream = Upstream::new(&[(1_000, Ok(1)), (1, Ok(2))]);
    let call = declared().with_deadline(Deadline::after(&upstream.clock, 10 * MS));
    assert_eq!(upstream.hedged(&after(10), call), Ok(1));
    assert_eq!(upstream.began.borrow().len(), 1);
}

#[test]
fn a_percentile_follows_what_is_seen_within_its_bounds() {
    let policy = HedgePolicy::percentile(90, 2 * MS, 500 * MS).unwrap();
    let hedger = Hedger::new(policy);
    let clock = ManualClock::default();
    let now = clock.instant();
    for _ in 1..Hedger::SAMPLES_MIN {
        hedger.latencies().record(20 * MS, now);
    }
    assert_eq!(hedger.delay(now), 500 * MS, "too few to tell");
    for _ in 0..80 {
        hedger.latencies().record(20 * MS, now);
    }
    let delay = hedger.delay(now);
    assert!((20 * MS..=23 * MS).contains(&delay), "{delay:?}");
    for _ in 0..100 {
        hedger.latencies().record(10_000 * MS, now);
    }
    assert_eq!(hedger.delay(now), 500 * MS);
    let quick = Hedger::new(policy);
    for _ in 0..100 {
        quick.latencies().record(Duration::from_micros(3), now);
    }
    assert_eq!(quick.delay(now), 2 * MS);
}

#[test]
fn dropped_at_any_moment_nothing_is_left() {
    for polls in 0..40 {
        let upstream = Upstream::new(&[(30, Err(down())), (25, Ok(2))]);
        let hedger = after(10);
        let clock = &upstream.clock;
        let op = |attempt: Attempt| upstream.ask(attempt);
        {
            let work = pin!(hedge(&hedger, declared(), &AsFailure, clock, clock, op));
            let _ended = polled(clock, polls, work);
        }
        assert_eq!((upstream.alive.get(), clock.sleepers()), (0, 0), "{polls}");
    }
}

#[test]
fn retries_hedges_and_fallbacks_spend_one_budget() {
    // Every call wants all three at every turn: two targets, three attempts each, each of them hedged.
    let config = RetryBudgetConfig::default()
        .with_percent(10)
        .with_floor(0)
        .with_capacity(1_000);
    let budget = RetryBudget::new(config).unwrap();
    let policy = RetryPolicy::new(3).unwrap();
    let hedger = after(1);
    let mut sent = 0;
    for _ in 0..500 {
        let upstream = Upstream::new(&[(5, Err(down())), (5, Err(down()))]);
        let clock = &upstream.clock;
        let call = declared().with_budget(&budget);
        let within = call.without_deposit();
        let targets = [1, 2].map(|_| Target::<(), ManualClock>::new(&()));
        let work = fallback(&targets, call, &AsFailure, clock, |(), _| {
            let (upstream, hedger, policy) = (&upstream, &hedger, &policy);
            async move {
                let tried = retry(policy, within, &AsFailure, clock, clock, |_| async move {
                    let op = |attempt: Attempt| upstream.ask(attempt);
                    let hedged = hedge(hedger, within, &AsFailure, clock, clock, op);
                    hedged.await.map_err(Failure::from)
                });
                tried.await.map_err(Failure::from)
            }
        });
        assert!(drive(clock, work).is_err());
        sent += upstream.began.borrow().len();
    }
    assert_eq!(sent, 500 + 50, "calls, and a tenth of them again");
}

#[test]
fn a_policy_that_cannot_work_is_refused_by_name() {
    let text = |error: palisade_resilience::ConfigError| error.to_string();
    let error = HedgePolicy::after(Duration::ZERO).unwrap_err();
    assert_eq!(
        text(error),
        "hedge delay is 0ns; it must be from 1ms to 3600s"
    );
    let error = HedgePolicy::percentile(100, MS, MS).unwrap_err();
    assert_eq!(
        text(error),
        "hedge percentile is 100; it must be from 50 to 99"
    );
    assert!(HedgePolicy::percentile(95, 2 * MS, MS).is_err());
    let policy = HedgePolicy::after(MS).unwrap();
    assert!(policy.with_extra(0).is_err() && policy.with_extra(5).is_err());
}
