//! What throttle, gate and chaos promise.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Clock, Decision, Dimension, Key, ManualClock, RetryAfter};
use palisade_resilience::{
    Chaos, ClientThrottle, ErrorKind, Failure, PushbackGate, Random, ThrottleConfig,
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn key(name: &str) -> Key {
    Key::new(Dimension::Provider, name).unwrap()
}

fn throttle(clock: &ManualClock) -> ClientThrottle<ManualClock> {
    let random = Random::seeded(1);
    ClientThrottle::with_random(ThrottleConfig::default(), clock.clone(), random).unwrap()
}

/// How many of `calls` reach an upstream that accepts every `accepts`th of them.
fn reach(
    throttle: &ClientThrottle<ManualClock>,
    clock: &ManualClock,
    calls: u32,
    accepts: u32,
) -> u32 {
    let mut reached = 0;
    for _ in 0..calls {
        clock.advance(10 * MS);
        if let Decision::Allow(asked) = throttle.ask() {
            reached += 1;
            let overloaded = Failure::new(ErrorKind::Overloaded);
            asked.outcome((reached % accepts != 0).then_some(&overloaded));
        }
    }
    reached
}

#[test]
fn a_healthy_upstream_is_never_kept_from() {
    let clock = ManualClock::default();
    assert_eq!(reach(&throttle(&clock), &clock, 10_000, 1), 10_000);
}

#[test]
fn an_upstream_that_accepts_half_is_asked_by_nearly_all() {
    // Twice as much as is accepted may be asked for.
    let clock = ManualClock::default();
    assert!(reach(&throttle(&clock), &clock, 10_000, 2) > 9_000);
}

#[test]
fn a_dead_upstream_is_spared_and_found_again_when_it_lives() {
    let clock = ManualClock::default();
    let throttle = throttle(&clock);
    reach(&throttle, &clock, 3_000, 1);
    let dead = u32::MAX;
    reach(&throttle, &clock, 3_000, dead);
    let asked = reach(&throttle, &clock, 12_000, dead);
    assert!(
        (480..720).contains(&asked),
        "{asked} of 12,000 reached a dead upstream"
    );
    assert_eq!(throttle.refuses_percent(), 95);
    // Four windows, and it is trusted again.
    reach(&throttle, &clock, 12_000, 1);
    assert_eq!(throttle.refuses_percent(), 0);
    assert_eq!(reach(&throttle, &clock, 1_000, 1), 1_000);
}

#[test]
fn only_overload_counts_against_the_upstream() {
    let clock = ManualClock::default();
    let throttle = throttle(&clock);
    for kind in [
        ErrorKind::Validation,
        ErrorKind::NotFound,
        ErrorKind::ContentRefused,
    ] {
        for _ in 0..100 {
            throttle
                .ask()
                .allowed()
                .unwrap()
                .outcome(Some(&Failure::new(kind)));
        }
    }
    for _ in 0..100 {
        drop(throttle.ask().allowed().unwrap());
    }
    assert_eq!(throttle.refuses_percent(), 0);
}

#[test]
fn calls_under_way_do_not_look_like_calls_turned_away() {
    let clock = ManualClock::default();
    let throttle = throttle(&clock);
    // A thousand answers of half a minute each, begun at once, from an upstream of which nothing is known yet.
    let overloaded = Failure::new(ErrorKind::Overloaded);
    let under_way: Vec<_> = (0..1_000)
        .filter_map(|_| throttle.ask().allowed())
        .collect();
    assert_eq!((under_way.len(), throttle.refuses_percent()), (1_000, 0));
    clock.advance(Duration::from_secs(30));
    for (index, asked) in under_way.into_iter().enumerate() {
        asked.outcome((index % 2 == 1).then_some(&overloaded));
    }
    assert_eq!(throttle.refuses_percent(), 0, "one in two is carried");
    for _ in 0..100 {
        if let Decision::Allow(asked) = throttle.ask() {
            asked.outcome(Some(&overloaded));
        }
    }
    assert!(throttle.refuses_percent() > 0, "less is not");
}

#[test]
fn a_throttle_that_cannot_work_is_refused() {
    let ok = ThrottleConfig::default();
    for bad in [
        ok.with_ratio(100),
        ok.with_ratio(10_001),
        ok.with_window(Duration::ZERO),
        ok.with_refuse_max(100),
    ] {
        assert!(ClientThrottle::new(bad, ManualClock::default()).is_err());
    }
}

#[test]
fn what_one_was_told_all_obey_and_others_do_not() {
    let clock = ManualClock::default();
    let gate = PushbackGate::new(clock.clone());
    let slow_down =
        Failure::new(ErrorKind::RateLimited).with_advice(RetryAfter::After(30 * SECOND));
    gate.heard(&key("a"), &slow_down);
    assert!(gate.clone().ask(&key("a")).is_deny());
    assert!(gate.ask(&key("b")).is_allow());
    // An empty account is no reason to wait, nor is a failure without advice.
    gate.heard(
        &key("c"),
        &Failure::new(ErrorKind::QuotaExhausted).with_advice(RetryAfter::After(SECOND)),
    );
    gate.heard(&key("c"), &Failure::new(ErrorKind::RateLimited));
    assert!(gate.ask(&key("c")).is_allow());
    // A shorter word does not open it sooner, a longer one holds.
    gate.push(&key("a"), SECOND);
    assert_eq!(gate.shut(), [(key("a"), 30 * SECOND)]);
    gate.push(&key("a"), 40 * SECOND);
    assert_eq!(gate.shut(), [(key("a"), 40 * SECOND)]);
    clock.advance(40 * SECOND);
    assert!(gate.ask(&key("a")).is_allow());
    gate.push(&key("a"), Duration::MAX);
    assert_eq!(gate.shut(), [(key("a"), 300 * SECOND)]);
    gate.release(&key("a"));
    assert!(gate.ask(&key("a")).is_allow());
}

#[test]
fn a_thousand_that_were_told_thirty_seconds_do_not_come_as_one() {
    let clock = ManualClock::default();
    let gate = PushbackGate::new(clock.clone());
    gate.push(&key("a"), 30 * SECOND);
    let mut arrivals = BTreeMap::<u128, u32>::new();
    for _ in 0..1_000 {
        let wait = gate
            .ask(&key("a"))
            .denied()
            .and_then(RetryAfter::duration)
            .unwrap();
        assert!(wait >= 30 * SECOND, "earlier than the server asked");
        *arrivals
            .entry((wait - 30 * SECOND).as_millis() / 250)
            .or_default() += 1;
    }
    // Thirty quarters of a second.
    let mean = 1_000 / 30;
    assert!(
        arrivals.values().all(|many| *many <= 3 * mean),
        "{arrivals:?}"
    );
    assert_eq!(arrivals.len(), 30);
}

#[test]
fn waiters_at_a_gate_come_out_after_it_and_those_without_the_time_are_told_at_once() {
    let clock = ManualClock::default();
    let gate = PushbackGate::new(clock.clone());
    gate.push(&key("a"), 8 * SECOND);
    let mut cx = Context::from_waker(Waker::noop());
    let (a, other) = (key("a"), key("b"));
    assert_eq!(
        pin!(gate.wait(&other, Duration::ZERO, &clock)).poll(&mut cx),
        Poll::Ready(Decision::Allow(()))
    );
    let hurried = pin!(gate.wait(&a, 7 * SECOND, &clock)).poll(&mut cx);
    assert!(
        matches!(hurried, Poll::Ready(Decision::Deny(RetryAfter::After(wait))) if wait >= 8 * SECOND)
    );
    let mut patient = pin!(gate.wait(&a, 60 * SECOND, &clock));
    assert!(patient.as_mut().poll(&mut cx).is_pending());
    clock.advance(7 * SECOND);
    // The server changes its mind while they wait.
    gate.push(&a, 20 * SECOND);
    let mut waited = 7;
    while patient.as_mut().poll(&mut cx).is_pending() {
        clock.advance(SECOND);
        waited += 1;
        assert!(waited < 60);
    }
    assert!(waited >= 27);
}

#[test]
fn a_flood_of_keys_never_holds_more_than_the_limit() {
    let clock = ManualClock::default();
    let gate = PushbackGate::new(clock.clone())
        .with_limit(16, 60 * SECOND)
        .unwrap();
    gate.push(&key("long"), 60 * SECOND);
    for n in 0..10_000 {
        gate.push(&key(&n.to_string()), 30 * SECOND);
        assert!(gate.shut().len() <= 16);
    }
    assert!(
        gate.ask(&key("long")).is_deny(),
        "the one that ends last went first"
    );
    assert!(PushbackGate::new(clock).with_limit(0, SECOND).is_err());
}

/// How long it was held up, and what came of it if it was not made.
type Call = (Option<Duration>, Option<Option<u32>>);

#[test]
fn chaos_hits_the_share_it_was_told_and_repeats_itself() {
    let run = |seed| {
        let chaos = Chaos::<Result<u32, Failure>>::seeded(seed)
            .with_latency(200_000, 10 * MS, 20 * MS)
            .unwrap()
            .with_failure(100_000, Failure::new(ErrorKind::Overloaded))
            .unwrap()
            .with_result(50_000, || Ok(7))
            .unwrap();
        (0..10_000)
            .map(|_| {
                let injection = chaos.next();
                (injection.delay, injection.result.map(Result::ok))
            })
            .collect::<Vec<_>>()
    };
    let calls = run(42);
    assert_eq!(calls, run(42));
    assert_ne!(calls, run(43));
    let count = |of: fn(&Call) -> bool| calls.iter().filter(|call| of(call)).count();
    assert!((1_850..2_150).contains(&count(|call| call.0.is_some())));
    assert!((900..1_100).contains(&count(|call| call.1 == Some(None))));
    assert!((430..570).contains(&count(|call| call.1 == Some(Some(7)))));
    assert!(
        calls
            .iter()
            .flat_map(|call| call.0)
            .all(|delay| (10 * MS..=20 * MS).contains(&delay))
    );
}

#[test]
fn a_call_that_chaos_answers_is_not_made_and_a_delay_comes_first() {
    let clock = ManualClock::default();
    let chaos = Chaos::seeded(1)
        .with_latency(Chaos::<u32>::ALWAYS, SECOND, SECOND)
        .unwrap()
        .with_result(Chaos::<u32>::ALWAYS, || 2)
        .unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut call = pin!(chaos.run(&clock, async { panic!("it was made") }));
    assert!(call.as_mut().poll(&mut cx).is_pending());
    clock.advance(SECOND);
    assert_eq!(call.as_mut().poll(&mut cx), Poll::Ready(2));
    let begun = clock.instant();
    assert_eq!(
        pin!(Chaos::seeded(1).run(&clock, async { 3 })).poll(&mut cx),
        Poll::Ready(3)
    );
    assert_eq!(clock.instant(), begun);
}

#[test]
fn chaos_that_cannot_be_is_refused() {
    let chaos = || Chaos::<u32>::seeded(1);
    assert!(chaos().with_latency(1_000_001, MS, MS).is_err());
    assert!(chaos().with_latency(1, SECOND, MS).is_err());
    assert!(chaos().with_latency(1, MS, Duration::MAX).is_err());
    let half = chaos().with_result(600_000, || 1).unwrap();
    assert!(half.with_result(600_000, || 1).is_err());
}
