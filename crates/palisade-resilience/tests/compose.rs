//! What one policy for an upstream promises: its order, its refusals, its changes while calls are under way.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Clock, Key, ManualClock, Timer};
use palisade_resilience::{
    Adaptation, AdaptiveConfig, AsFailure, Attempt, BreakerConfig, Call, Certainty,
    ConcurrencyConfig, Deadline, ErrorKind, Failure, GateConfig, GaveUp, Growth, HedgeConfig,
    Idempotency, Jitter, Phase, Policy, PolicyCell, PolicyConfig, RetryBudgetConfig, RetryConfig,
    Step, Stop, ThrottleConfig,
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn polled<F: Future>(
    clock: &ManualClock,
    most: usize,
    mut future: Pin<&mut F>,
) -> Option<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..most {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return Some(output),
            Poll::Pending => clock.advance(100 * MS),
        }
    }
    None
}

fn retry(attempts: u32) -> RetryConfig {
    RetryConfig::default()
        .with_attempts(attempts)
        .with_pauses(SECOND, SECOND)
        .with_shape(Growth::Constant, Jitter::None)
}

fn breaker() -> BreakerConfig {
    BreakerConfig::default()
        .with_consecutive_failures(3)
        .with_open_jitter(0)
}

fn everything() -> PolicyConfig {
    PolicyConfig::new("acme")
        .with_deadline(30 * SECOND)
        .with_attempt_timeout(10 * SECOND)
        .with_retry(retry(3))
        .with_budget(RetryBudgetConfig::default())
        .with_hedge(HedgeConfig::after(2 * SECOND))
        .with_gate(GateConfig::default())
        .with_concurrency(ConcurrencyConfig::new(10))
        .with_adaptive(AdaptiveConfig::default())
        .with_breaker(breaker())
        .with_throttle(ThrottleConfig::default())
}

fn policy(config: PolicyConfig, clock: &ManualClock) -> Policy<ManualClock> {
    Policy::new(config, Key::global(), clock.clone()).unwrap()
}

/// Runs a call whose attempts take and end as the script says, which is repeated at its end.
fn run(
    policy: &Policy<ManualClock>,
    clock: &ManualClock,
    call: Call<'_>,
    script: &[(u32, Result<u32, ErrorKind>)],
) -> (Result<u32, GaveUp<u32, Failure>>, Vec<u64>) {
    let began = RefCell::new(Vec::new());
    let op = |_: Attempt| {
        let turn = began.borrow().len().min(script.len() - 1);
        began
            .borrow_mut()
            .push(clock.instant().as_nanos() / 1_000_000);
        let (tenths, outcome) = script[turn];
        let sleep = clock.sleep(tenths * 100 * MS);
        async move {
            sleep.await;
            outcome.map_err(Failure::new)
        }
    };
    let work = pin!(policy.run(call, &AsFailure, clock, op));
    let ended = polled(clock, 10_000, work).expect("it ends");
    assert_eq!(clock.sleepers(), 0, "a timer goes on");
    assert!(policy.bulkhead().is_none_or(|places| places.busy() == 0));
    (ended, began.borrow().clone())
}

fn declared() -> Call<'static> {
    Call::new(Idempotency::Declared)
}

#[test]
fn the_order_can_be_read_and_asserted() {
    let policy = policy(everything(), &ManualClock::default());
    assert_eq!(
        policy.steps(),
        [
            Step::Deadline,
            Step::Retry,
            Step::Hedge,
            Step::Gate,
            Step::Concurrency,
            Step::Adaptive,
            Step::Breaker,
            Step::Throttle,
            Step::Timeout
        ]
    );
    assert_eq!(
        policy.to_string(),
        "acme: deadline 30s > retry 3 (budget 20 % + 1/s) > hedge after 2s > gate up to 5m > \
         concurrency 10 > adaptive 1 to 1000 > breaker 50 % > throttle up to 95 % > timeout 10s > call"
    );
}

#[test]
fn every_wrong_field_is_named_with_what_would_be_right() {
    let config = PolicyConfig::new("")
        .with_deadline(SECOND)
        .with_attempt_timeout(2 * SECOND)
        .with_retry(retry(0).with_pauses(2 * SECOND, SECOND))
        .with_budget(RetryBudgetConfig::default().with_percent(1_001))
        .with_hedge(HedgeConfig::after(3 * SECOND))
        .with_gate(
            GateConfig::default()
                .with_longest(Duration::ZERO)
                .with_patience(Duration::MAX),
        )
        .with_concurrency(ConcurrencyConfig::new(0))
        .with_adaptive(AdaptiveConfig::default().with_range(0, 1, 2))
        .with_breaker(BreakerConfig::default().with_minimum_calls(0))
        .with_throttle(ThrottleConfig::default().with_ratio(100));
    let refused = Policy::new(config, Key::global(), ManualClock::default()).unwrap_err();
    let fields: Vec<_> = refused.errors().iter().map(|error| error.field).collect();
    assert_eq!(
        fields,
        [
            "name",
            "deadline",
            "retry.attempts",
            "retry.cap",
            "budget",
            "hedge.after",
            "gate.longest",
            "gate.patience",
            "concurrency",
            "adaptive",
            "breaker",
            "throttle"
        ]
    );
    let text = refused.to_string();
    assert!(
        text.contains("deadline: deadline is 1s; it must be from 2s to 86400s"),
        "{text}"
    );
    let mut both = HedgeConfig::after(SECOND);
    both.percentile = Some(95);
    assert!(PolicyConfig::new("a").with_hedge(both).check().is_err());
    let neither = HedgeConfig::default();
    assert!(PolicyConfig::new("a").with_hedge(neither).check().is_err());
}

#[test]
fn a_policy_without_guards_makes_one_call() {
    let clock = ManualClock::default();
    let policy = policy(PolicyConfig::default(), &clock);
    assert_eq!(policy.to_string(), "upstream: call");
    let (ended, began) = run(
        &policy,
        &clock,
        declared(),
        &[(1, Err(ErrorKind::Overloaded))],
    );
    assert_eq!((ended.unwrap_err().why, began.len()), (Stop::Attempts, 1));
}

#[test]
fn all_guards_work_together_in_their_order() {
    // The first attempt hangs: its hedge answers. Then nothing else happens.
    let clock = ManualClock::default();
    let policy = policy(everything(), &clock);
    let (ended, began) = run(&policy, &clock, declared(), &[(1_000, Ok(1)), (1, Ok(2))]);
    assert_eq!((ended.unwrap(), began), (2, vec![0, 2_000]));
    assert_eq!(policy.hedger().unwrap().counts().won, 1);
}

#[test]
fn a_time_out_is_a_failure_to_the_breaker_and_to_the_retry() {
    let clock = ManualClock::default();
    let config = PolicyConfig::new("acme")
        .with_attempt_timeout(2 * SECOND)
        .with_retry(retry(5))
        .with_breaker(breaker());
    let policy = policy(config, &clock);
    let (ended, began) = run(&policy, &clock, declared(), &[(1_000, Ok(1))]);
    let gave_up = ended.unwrap_err();
    // Three time-outs open it, and the fourth attempt is refused.
    assert_eq!(began, [0, 3_000, 6_000]);
    assert_eq!(gave_up.why, Stop::CircuitOpen);
    assert_eq!(gave_up.failure.processed(), Certainty::Unknown);
    assert_eq!(policy.breaker().unwrap().status().phase, Phase::Open);
}

#[test]
fn each_attempt_gets_what_is_left_and_nothing_outlasts_the_deadline() {
    let clock = ManualClock::default();
    let config = PolicyConfig::new("acme")
        .with_deadline(5 * SECOND)
        .with_attempt_timeout(2 * SECOND)
        .with_retry(retry(10));
    let policy = policy(config, &clock);
    let seen = RefCell::new(Vec::new());
    let op = |attempt: Attempt| {
        let left = attempt.deadline.unwrap().remaining(clock.instant());
        seen.borrow_mut().push(left.as_millis());
        std::future::pending::<Result<(), Failure>>()
    };
    let work = pin!(policy.run(declared(), &AsFailure, &clock, op));
    let ended = polled(&clock, 1_000, work).unwrap();
    assert_eq!(ended.unwrap_err().why, Stop::Deadline);
    assert_eq!(*seen.borrow(), [2_000, 2_000]);
    assert!(clock.instant().as_nanos() <= 5_000_000_000);

    // The request's own deadline, if it is earlier, holds.
    let call = declared().with_deadline(Deadline::after(&clock, SECOND));
    let before = clock.instant();
    let work = pin!(policy.run(call, &AsFailure, &clock, |_| {
        std::future::pending::<Result<(), Failure>>()
    }));
    assert!(polled(&clock, 1_000, work).unwrap().is_err());
    assert_eq!(clock.instant().saturating_since(before), SECOND);
}

#[test]
fn a_call_that_pauses_holds_no_place() {
    let clock = ManualClock::default();
    let config = PolicyConfig::new("acme")
        .with_retry(retry(2))
        .with_concurrency(ConcurrencyConfig::new(1));
    let policy = policy(config, &clock);
    let op = |_: Attempt| async { Err::<(), _>(Failure::new(ErrorKind::Overloaded)) };
    let mut one = pin!(policy.run(declared(), &AsFailure, &clock, op));
    assert!(polled(&clock, 1, one.as_mut()).is_none());
    assert_eq!(policy.bulkhead().unwrap().busy(), 0);
}

#[test]
fn a_place_that_is_not_free_is_no_failure_of_the_upstream() {
    let clock = ManualClock::default();
    let config = PolicyConfig::new("acme")
        .with_concurrency(ConcurrencyConfig::new(1))
        .with_breaker(breaker());
    let policy = policy(config, &clock);
    let hang = |_: Attempt| std::future::pending::<Result<(), Failure>>();
    let mut first = pin!(policy.run(declared(), &AsFailure, &clock, hang));
    assert!(polled(&clock, 1, first.as_mut()).is_none());
    for _ in 0..100 {
        let other = pin!(policy.run(declared(), &AsFailure, &clock, hang));
        let gave_up = polled(&clock, 1, other).unwrap().unwrap_err();
        assert_eq!(gave_up.failure.processed(), Certainty::No);
    }
    assert_eq!(policy.breaker().unwrap().status().phase, Phase::Closed);
}

#[test]
fn dropped_at_any_moment_nothing_is_left() {
    for polls in 0..120 {
        let clock = ManualClock::default();
        let policy = policy(everything(), &clock);
        let alive = Cell::new(0);
        {
            let op = |_: Attempt| {
                let clock = &clock;
                let alive = &alive;
                async move {
                    alive.set(alive.get() + 1);
                    let _gone = Gone(alive);
                    clock.sleep(3 * SECOND).await;
                    Err::<(), _>(Failure::new(ErrorKind::Overloaded))
                }
            };
            let work = pin!(policy.run(declared(), &AsFailure, &clock, op));
            let _ended = polled(&clock, polls, work);
        }
        let busy = policy.bulkhead().unwrap().busy() + policy.adaptive().unwrap().busy();
        assert_eq!((alive.get(), busy, clock.sleepers()), (0, 0, 0), "{polls}");
    }
}

struct Gone<'a>(&'a Cell<i32>);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[test]
fn a_change_drops_no_call_and_forgets_nothing_that_was_not_changed() {
    let clock = ManualClock::default();
    let config = everything();
    let cell = PolicyCell::new(policy(config.clone(), &clock));
    // A call is under way, and the breaker is open from others.
    let old = cell.load();
    let answer = |_: Attempt| {
        let sleep = clock.sleep(SECOND);
        async move {
            sleep.await;
            Ok::<_, Failure>(7)
        }
    };
    let mut under_way = pin!(old.run(declared(), &AsFailure, &clock, answer));
    assert!(polled(&clock, 1, under_way.as_mut()).is_none());
    old.breaker().unwrap().force_open();
    let spent = old.budget().unwrap();
    while spent.withdraw(1, clock.instant()) {}

    let mut changed = config.with_retry(retry(2));
    changed.budget = Some(RetryBudgetConfig::default().with_percent(50));
    changed.concurrency = Some(ConcurrencyConfig::new(1));
    cell.change(changed.clone()).unwrap();
    let new = cell.load();
    assert_eq!(new.breaker().unwrap().status().phase, Phase::ForcedOpen);
    assert_eq!(new.budget().unwrap().balance(clock.instant()), 0);
    let places = new.bulkhead().unwrap();
    assert_eq!((places.limit(), places.busy()), (1, 1));

    assert_eq!(polled(&clock, 100, under_way).unwrap().unwrap(), 7);
    assert_eq!(places.busy(), 0);

    changed.retry = Some(retry(0));
    let refused = cell.change(changed).unwrap_err();
    assert_eq!(refused.errors()[0].field, "retry.attempts");
    assert_eq!(
        cell.load().to_string(),
        new.to_string(),
        "and nothing changed"
    );
}

#[test]
fn what_one_call_is_told_all_obey_and_a_change_does_not_make_them_forget() {
    let clock = ManualClock::default();
    let config = PolicyConfig::new("acme").with_gate(GateConfig::default());
    let cell = PolicyCell::new(policy(config.clone(), &clock));
    let asked = Cell::new(0);
    let ask = |policy: &Policy<ManualClock>| {
        let op = |_: Attempt| {
            asked.set(asked.get() + 1);
            let told = Failure::new(ErrorKind::RateLimited)
                .with_advice(palisade_core::RetryAfter::After(20 * SECOND));
            async { Err::<u32, _>(told) }
        };
        let call = pin!(policy.run(declared(), &AsFailure, &clock, op));
        let gave_up = polled(&clock, 300, call).unwrap().unwrap_err();
        gave_up.into_parts().failure
    };
    let _told = ask(&cell.load());
    for change in [
        config.clone(),
        config
            .clone()
            .with_gate(GateConfig::default().with_longest(60 * SECOND)),
    ] {
        cell.change(change).unwrap();
        let refused = ask(&cell.load());
        assert_eq!((asked.get(), refused.kind()), (1, ErrorKind::RateLimited));
        let wait = refused
            .advice()
            .and_then(palisade_core::RetryAfter::duration);
        assert!(wait.unwrap() >= 20 * SECOND, "and says until when");
        assert_eq!(refused.processed(), Certainty::No);
    }
    // With patience an attempt waits for it.
    let patient = GateConfig::default().with_patience(60 * SECOND);
    cell.change(config.with_gate(patient)).unwrap();
    let _told = ask(&cell.load());
    assert_eq!(asked.get(), 2);
    assert!(clock.instant().as_nanos() >= 20_000_000_000);
}

#[test]
fn the_limit_and_the_throttle_hear_how_calls_go_and_the_breaker_nothing_of_their_refusals() {
    let clock = ManualClock::default();
    let adaptive = AdaptiveConfig::new(Adaptation::Aimd)
        .with_range(1, 8, 8)
        .with_keep(50);
    let config = PolicyConfig::new("acme")
        .with_adaptive(adaptive)
        .with_breaker(
            breaker()
                .with_consecutive_failures(1_000_000)
                .with_failure_rate(101),
        )
        .with_throttle(ThrottleConfig::default());
    let policy = policy(config, &clock);
    let mut made = 0;
    for _ in 0..1_000 {
        let (ended, began) = run(
            &policy,
            &clock,
            declared(),
            &[(0, Err(ErrorKind::Overloaded))],
        );
        assert_eq!(ended.unwrap_err().failure.kind(), ErrorKind::Overloaded);
        made += began.len() as u64;
    }
    assert!(made < 500, "the throttle lets a part through: {made}");
    assert!(policy.throttle().unwrap().refuses_percent() > 50);
    assert_eq!(policy.adaptive().unwrap().limit(), 1);
    assert_eq!(policy.adaptive().unwrap().busy(), 0);
    let counts = policy.breaker().unwrap().status().counts;
    assert_eq!((counts.calls, counts.failed), (made, made));
    // And what the breaker refuses is no reason to trust the upstream again.
    let before = policy.throttle().unwrap().refuses_percent();
    policy.breaker().unwrap().force_open();
    for _ in 0..200 {
        let (ended, began) = run(&policy, &clock, declared(), &[(0, Ok(7))]);
        let kind = ended.unwrap_err().failure.kind();
        assert_eq!((kind, began.len()), (ErrorKind::CircuitOpen, 0));
    }
    assert_eq!(policy.throttle().unwrap().refuses_percent(), before);
}

#[test]
fn a_place_under_the_adaptive_limit_is_waited_for_in_the_line_of_the_fixed_one() {
    for (line, calls) in [
        (None, 0),
        (Some(ConcurrencyConfig::new(9)), 0),
        (Some(ConcurrencyConfig::new(9).with_queue(1, 2 * SECOND)), 1),
    ] {
        let clock = ManualClock::default();
        let mut config =
            PolicyConfig::new("acme").with_adaptive(AdaptiveConfig::default().with_range(1, 1, 1));
        config.concurrency = line;
        let policy = policy(config, &clock);
        let held = policy.adaptive().unwrap().enter().allowed();
        let made = Cell::new(0);
        let op = |_: Attempt| {
            made.set(made.get() + 1);
            async { Ok::<_, Failure>(7) }
        };
        let mut waiting = pin!(policy.run(declared(), &AsFailure, &clock, op));
        let _busy = polled(&clock, 1, waiting.as_mut());
        drop(held);
        if calls == 1 {
            assert_eq!(polled(&clock, 5, waiting).unwrap().unwrap(), 7);
        }
        assert_eq!(made.get(), calls);
    }
}

#[cfg(feature = "serde")]
mod serde {
    use super::*;

    #[test]
    fn a_policy_is_read_as_it_is_written() {
        for config in [PolicyConfig::new("bare"), everything()] {
            let text = serde_json::to_string(&config).unwrap();
            let read: PolicyConfig = serde_json::from_str(&text).unwrap();
            assert_eq!(read, config, "{text}");
        }
    }

    #[test]
    fn lengths_of_time_are_texts_and_what_is_left_out_has_its_default() {
        let text = r#"{
            "name": "acme",
            "deadline": "1m30s",
            "attempt_timeout": "20s",
            "retry": {"attempts": 4, "base": "250ms", "jitter": "decorrelated"},
            "hedge": {"percentile": 95, "max": "5s"},
            "gate": {"longest": "2m", "patience": "1s"},
            "adaptive": {"adaptation": "vegas", "ceiling": 64},
            "throttle": {"ratio": 150},
            "breaker": {"failure_rate": 40, "window": {"time": "10s"}, "open_for": "5s"}
        }"#;
        let config: PolicyConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.deadline, Some(90 * SECOND));
        let retry = config.retry.unwrap();
        assert_eq!((retry.base, retry.cap), (250 * MS, 20 * SECOND));
        assert_eq!(retry.jitter, Jitter::Decorrelated);
        assert!(config.check().is_ok());
    }

    #[test]
    fn what_is_not_known_or_no_length_of_time_is_refused() {
        for (text, says) in [
            (r#"{"deadlin": "1s"}"#, "unknown field `deadlin`"),
            (r#"{"deadline": "1 second"}"#, "it must be like \"250ms\""),
            (r#"{"deadline": 30}"#, "string"),
            (r#"{"retry": {"attempts": -1}}"#, "u32"),
            (r#"{"retry": {"attempts": 1e400}}"#, "number out of range"),
            (r#"{"retry": {"attempts": NaN}}"#, "expected value"),
            (r#"{"budget": {"percent": 1.5}}"#, "u32"),
            (r#"{"gate": {"limit": 3}}"#, "unknown field `limit`"),
            (r#"{"throttle": {"ratio": 1.5}}"#, "u32"),
            (
                r#"{"adaptive": {"adaptation": "magic"}}"#,
                "unknown variant",
            ),
            (r#"{"breaker": {"window": {"years": 3}}}"#, "years"),
        ] {
            let error = serde_json::from_str::<PolicyConfig>(text).unwrap_err();
            assert!(error.to_string().contains(says), "{text}: {error}");
        }
    }
}
