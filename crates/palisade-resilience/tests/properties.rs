//! The promises that hold for every input, against naive oracles.

use std::{
    cell::Cell,
    collections::VecDeque,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Clock, Decision, Instant, ManualClock, RetryAfter, Timer};
use palisade_resilience::{
    AsFailure, Backoff, BreakerConfig, BreakerModel, Call, Cause, Ended, ErrorKind, Failure,
    Growth, HttpReply, Idempotency, Jitter, LongAdvice, Phase, Random, RetryBudget,
    RetryBudgetConfig, RetryPolicy, Ticket, UpstreamLimits, Wait, Window, parse_retry_after, retry,
};
use proptest::prelude::*;

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

/// One thing that happens to a breaker.
#[derive(Clone, Debug)]
enum Event {
    Advance(u64),
    Admit,
    /// Ends one of the calls under way, counted from the oldest.
    End(usize, Ended),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let ended = prop_oneof![
        3 => Just(Ended::Success),
        3 => Just(Ended::Failure(None)),
        1 => Just(Ended::Nothing),
    ];
    let event = prop_oneof![
        2 => (0..4_000u64).prop_map(Event::Advance),
        5 => Just(Event::Admit),
        5 => (0..8usize, ended).prop_map(|(which, ended)| Event::End(which, ended)),
    ];
    prop::collection::vec(event, 0..400)
}

fn backoffs() -> impl Strategy<Value = Backoff> {
    let jitter = prop_oneof![Just(Jitter::Full), Just(Jitter::Equal), Just(Jitter::None)];
    let growth = prop_oneof![
        Just(Growth::Exponential),
        Just(Growth::Fibonacci),
        Just(Growth::Constant)
    ];
    (1..10_000u32, 0..100_000u32, jitter, growth).prop_map(|(base, more, jitter, growth)| {
        let backoff = Backoff::new(base * MS, (base + more) * MS).unwrap();
        backoff.with_jitter(jitter).with_growth(growth)
    })
}

proptest! {
    #[test]
    fn jitter_stays_within_the_step(backoff in backoffs(), attempt in any::<u32>(), random: u64) {
        let step = backoff.step(attempt);
        let Wait::For(wait) = backoff.wait(attempt, None, random) else {
            return Err(TestCaseError::fail("nobody gave advice"));
        };
        prop_assert!(wait <= step);
        let equal = backoff.with_jitter(Jitter::Equal).wait(attempt, None, random);
        prop_assert!(matches!(equal, Wait::For(wait) if wait >= step / 2 && wait <= step));
        let exact = backoff.with_jitter(Jitter::None).wait(attempt, None, random);
        prop_assert_eq!(exact, Wait::For(step));
    }

    #[test]
    fn decorrelated_waits_stay_between_base_and_cap_and_never_before_the_advice(
        base in 1..1_000u32,
        more in 0..100_000u32,
        asked in 0..60_000u32,
        seed: u64,
    ) {
        let backoff = Backoff::new(base * MS, (base + more) * MS)
            .unwrap()
            .with_jitter(Jitter::Decorrelated);
        let random = Random::seeded(seed);
        let mut before = Duration::ZERO;
        for attempt in 1..50 {
            let Wait::For(wait) = backoff.wait_after(before, attempt, None, random.next()) else {
                return Err(TestCaseError::fail("nobody gave advice"));
            };
            prop_assert!(wait >= base * MS && wait <= (base + more) * MS);
            prop_assert!(wait <= before.max(base * MS) * 3);
            let advice = Some(RetryAfter::After(asked * MS));
            let advised = backoff.wait_after(before, attempt, advice, random.next());
            prop_assert!(matches!(advised, Wait::For(wait) if wait >= asked * MS));
            before = wait;
        }
    }

    #[test]
    fn advice_is_a_floor_and_its_limit_is_a_limit(
        backoff in backoffs(),
        attempt in 0..50u32,
        random: u64,
        asked in 0..200_000u32,
    ) {
        let asked = asked * MS;
        let wait = backoff.wait(attempt, Some(RetryAfter::After(asked)), random);
        if asked > backoff.advice_max() {
            prop_assert_eq!(wait, Wait::TooLong(asked));
        } else {
            let most = asked + backoff.step(attempt).max(asked / 8);
            prop_assert!(matches!(wait, Wait::For(wait) if wait >= asked && wait <= most));
        }
        let clamping = backoff.with_advice_max(60 * SECOND, LongAdvice::Clamp).unwrap();
        let wait = clamping.wait(attempt, Some(RetryAfter::After(Duration::MAX)), random);
        prop_assert!(matches!(wait, Wait::For(wait) if wait >= 60 * SECOND));
    }

    #[test]
    fn neither_attempts_nor_deadline_are_ever_exceeded(
        attempts in 1..10u32,
        total_ms in 1..5_000u32,
        attempt_ms in 1..2_000u32,
        base_ms in 1..500u32,
        seed: u64,
        durations in prop::collection::vec(0..3_000u32, 10),
    ) {
        let policy = RetryPolicy::new(attempts)
            .unwrap()
            .with_backoff(Backoff::new(base_ms * MS, 10 * SECOND).unwrap())
            .with_total(total_ms * MS)
            .unwrap()
            .with_attempt_timeout(attempt_ms * MS)
            .unwrap();
        let clock = ManualClock::default();
        let random = Random::seeded(seed);
        let made = Cell::new(0);
        let work = retry(
            &policy,
            Call::new(Idempotency::Declared).with_random(&random),
            &AsFailure,
            &clock,
            &clock,
            |attempt| {
                made.set(made.get() + 1);
                let length = durations[attempt.number as usize - 1] * MS;
                let clock = clock.clone();
                async move {
                    clock.sleep(length).await;
                    Err::<(), _>(Failure::new(ErrorKind::Unavailable))
                }
            },
        );
        let gave_up = drive(&clock, MS, work).unwrap_err();
        prop_assert!(made.get() <= attempts);
        prop_assert_eq!(made.get(), gave_up.attempts);
        // The clock moves in steps of a millisecond, and pauses end between steps.
        let spent = clock.instant().saturating_since(Instant::ORIGIN);
        prop_assert!(spent <= total_ms * MS, "{spent:?} of {total_ms} ms");
    }

    #[test]
    fn a_budget_keeps_its_bound(
        percent in 0..300u32,
        floor in 0..20u32,
        capacity in 20..100u32,
        steps in prop::collection::vec((0..1_000u64, 0..5u32, 0..5u32), 1..300),
    ) {
        let config = RetryBudgetConfig::default()
            .with_percent(percent)
            .with_floor(floor)
            .with_capacity(capacity);
        let budget = RetryBudget::new(config).unwrap();
        let (mut millis, mut deposited, mut withdrawn) = (0u64, 0u64, 0u64);
        for (step, deposit, withdraw) in steps {
            millis += step;
            budget.deposit(deposit);
            deposited += u64::from(deposit);
            if budget.withdraw(withdraw, Instant::from_nanos(millis * 1_000_000)) {
                withdrawn += u64::from(withdraw);
            }
            // In hundred-thousandths: percent of deposits, floor per millisecond, and what may have been saved.
            let bound = u64::from(capacity) * 100_000
                + u64::from(floor) * millis * 100
                + deposited * u64::from(percent) * 1_000;
            prop_assert!(withdrawn * 100_000 <= bound);
        }
    }

    #[test]
    fn half_open_never_has_more_probes_than_allowed(
        events in events(),
        probes in 1..5u32,
        calls in 1..20u32,
    ) {
        let policy = BreakerConfig::default()
            .with_window(Window::Calls(calls))
            .with_minimum_calls(calls.min(3))
            .with_probes(probes, 1_000 * SECOND)
            .build()
            .unwrap();
        let mut model = BreakerModel::new(policy);
        let mut now = Instant::ORIGIN;
        let mut under_way: VecDeque<(u64, Ticket)> = VecDeque::new();
        let mut succeeded = 0;
        let mut generation = 0;
        for event in events {
            match event {
                Event::Advance(millis) => now = now.saturating_add(Duration::from_millis(millis)),
                Event::Admit => {
                    if let (Decision::Allow(ticket), _) = model.admit(now) {
                        under_way.push_back((model.generation(), ticket));
                    }
                }
                Event::End(which, ended) => {
                    let Some((issued, ticket)) = under_way.remove(which) else { continue };
                    let phase = model.phase();
                    let change = model.end(ticket, ended, now);
                    if issued != generation {
                        prop_assert_eq!(change, None, "a stale outcome changed something");
                    } else if phase == Phase::HalfOpen && ended == Ended::Success {
                        succeeded += 1;
                    }
                    if change.is_some_and(|change| change.cause == Cause::ProbesSucceeded) {
                        prop_assert_eq!(succeeded, probes, "closed without its successes");
                    }
                }
            }
            if model.generation() != generation {
                generation = model.generation();
                succeeded = 0;
            }
            let probing = under_way.iter().filter(|(issued, _)| *issued == generation).count();
            match model.phase() {
                Phase::HalfOpen => prop_assert!(probing as u32 + succeeded <= probes),
                Phase::Open => prop_assert_eq!(probing, 0),
                _ => {}
            }
        }
    }

    #[test]
    fn a_count_window_is_the_last_so_many_calls(
        outcomes in prop::collection::vec(any::<bool>(), 0..300),
        calls in 1..50u32,
    ) {
        // Over 100 % never opens, so that every outcome reaches the window.
        let policy = BreakerConfig::default()
            .with_window(Window::Calls(calls))
            .with_minimum_calls(1)
            .with_failure_rate(101)
            .build()
            .unwrap();
        let mut model = BreakerModel::new(policy);
        let mut oracle = VecDeque::new();
        for failed in outcomes {
            let ticket = model.admit(Instant::ORIGIN).0.allowed().unwrap();
            let ended = if failed { Ended::Failure(None) } else { Ended::Success };
            model.end(ticket, ended, Instant::ORIGIN);
            oracle.push_back(failed);
            if oracle.len() > calls as usize {
                oracle.pop_front();
            }
            let counts = model.counts(Instant::ORIGIN);
            prop_assert_eq!(counts.calls, oracle.len() as u64);
            prop_assert_eq!(counts.failed, oracle.iter().filter(|f| **f).count() as u64);
        }
    }

    #[test]
    fn a_time_window_holds_all_of_the_last_fifteen_sixteenths_and_nothing_older_than_the_whole(
        steps in prop::collection::vec((0..5_000u64, any::<bool>()), 0..300),
        window_ms in 1..20_000u64,
    ) {
        let window = Duration::from_millis(window_ms);
        let policy = BreakerConfig::default()
            .with_window(Window::Time(window))
            .with_failure_rate(101)
            .build()
            .unwrap();
        let mut model = BreakerModel::new(policy);
        let mut now = Instant::ORIGIN;
        let mut oracle: Vec<(Instant, bool)> = Vec::new();
        for (millis, failed) in steps {
            now = now.saturating_add(Duration::from_millis(millis));
            let ticket = model.admit(now).0.allowed().unwrap();
            let ended = if failed { Ended::Failure(None) } else { Ended::Success };
            model.end(ticket, ended, now);
            oracle.push((now, failed));
            now = now.saturating_add(Duration::from_millis(millis / 3));
            let counts = model.counts(now);
            let within = |limit: Duration, failures: bool| {
                let young = oracle.iter().filter(|(at, failed)| {
                    now.saturating_since(*at) < limit && (*failed || !failures)
                });
                young.count() as u64
            };
            // A sixteenth is rounded down to a nanosecond, so 15 of them are a little less than 15/16.
            let sure = window / 16 * 15;
            prop_assert!((within(sure, false)..=within(window, false)).contains(&counts.calls));
            prop_assert!((within(sure, true)..=within(window, true)).contains(&counts.failed));
        }
    }

    #[test]
    fn no_bytes_in_a_header_make_it_panic(value in prop::collection::vec(any::<u8>(), 0..200), status: u16) {
        let now = palisade_core::Timestamp::UNIX_EPOCH;
        let _any = parse_retry_after(&value, now);
        let mut reply = HttpReply::new(status);
        let plain = ["retry-after", "retry-after-ms", "grpc-retry-pushback-ms", "x-should-retry", "date"];
        for name in UpstreamLimits::fields().chain(plain) {
            reply = reply.with_header(name, &value);
        }
        let failure = reply.failure(now);
        prop_assert_eq!(failure.is_some(), status >= 400);
    }

    #[test]
    fn dates_that_look_right_are_read_as_the_calendar_has_them(secs in 0..4_000_000_000i64, ahead in 0..100_000i64) {
        let now = palisade_core::Timestamp::from_secs(secs);
        let then = palisade_core::Timestamp::from_secs(secs + ahead);
        // 2026-11-20T18:58:10Z, from a formatter that is not ours to test.
        let text = then.to_string();
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = MONTHS[text[5..7].parse::<usize>().unwrap() - 1];
        let date = format!("Mon, {} {month} {} {} GMT", &text[8..10], &text[..4], &text[11..19]);
        prop_assert_eq!(parse_retry_after(date.as_bytes(), now), Some(Duration::from_secs(ahead as u64)));
    }
}
