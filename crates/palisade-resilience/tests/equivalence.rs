//! The breaker with its short cuts does what the pure model does, call for call.

use std::time::Duration;

use palisade_core::{Clock, Decision, Key, ManualClock, RetryAfter};
use palisade_resilience::{
    Breaker, BreakerConfig, BreakerModel, Ended, ErrorKind, Failure, Window,
};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Debug)]
enum Event {
    Advance(u64),
    Admit,
    End(usize, Ended),
    FirstToken(usize),
    Look,
    Operator(u8),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let ended = prop_oneof![
        6 => Just(Ended::Success),
        2 => Just(Ended::Failure(None)),
        1 => Just(Ended::Failure(Some(700 * MS))),
        1 => Just(Ended::Pushback(300 * MS)),
        1 => Just(Ended::Nothing),
        1 => Just(Ended::Cancelled),
    ];
    let event = prop_oneof![
        3 => (0..400u64).prop_map(Event::Advance),
        8 => Just(Event::Admit),
        8 => (0..6usize, ended).prop_map(|(which, ended)| Event::End(which, ended)),
        1 => (0..6usize).prop_map(Event::FirstToken),
        1 => Just(Event::Look),
        1 => (0..40u8).prop_map(Event::Operator),
    ];
    prop::collection::vec(event, 0..500)
}

fn configs() -> impl Strategy<Value = BreakerConfig> {
    let window = prop_oneof![
        (5..60u32).prop_map(Window::Calls),
        (100..4_000u64).prop_map(|ms| Window::Time(Duration::from_millis(ms))),
    ];
    let maybe_ms = || prop::option::of((1..900u64).prop_map(Duration::from_millis));
    (
        (window, 1..=101u32, 1..5u32, prop::option::of(1..6u32)),
        (maybe_ms(), maybe_ms(), maybe_ms()),
        (1..4u32, any::<bool>(), 0..2_000u64),
    )
        .prop_map(
            |(
                (window, rate, minimum, in_a_row),
                (slow, first, abandoned),
                (probes, advice, ramp),
            )| {
                let mut config = BreakerConfig::default()
                    .with_window(window)
                    .with_failure_rate(rate)
                    .with_minimum_calls(minimum)
                    .with_open_for(500 * MS, 2_000 * MS)
                    .with_open_jitter(0)
                    .with_probes(probes, 1_000 * MS)
                    .with_open_on_advice(advice)
                    .with_ramp(20, Duration::from_millis(ramp));
                config.consecutive_failures = in_a_row;
                config.slow_after = slow;
                config.slow_first_token = first;
                config.abandoned_after = abandoned;
                if slow.or(first).is_some() {
                    config.slow_rate = 60;
                }
                config
            },
        )
}

fn failure(kind: ErrorKind, advice: Option<Duration>) -> Failure {
    let failure = Failure::new(kind);
    match advice {
        Some(advice) => failure.with_advice(RetryAfter::After(advice)),
        None => failure,
    }
}

proptest! {
    #[test]
    fn short_cuts_change_nothing(config in configs(), events in events()) {
        let policy = config.build().unwrap();
        let clock = ManualClock::default();
        let breaker = Breaker::new(Key::global(), policy, clock.clone());
        let mut model = BreakerModel::new(policy);
        let mut under_way = Vec::new();
        for event in events {
            let now = clock.instant();
            match event {
                Event::Advance(ms) => clock.advance(Duration::from_millis(ms)),
                Event::Admit => match (breaker.admit(), model.admit(now).0) {
                    (Decision::Allow(permit), Decision::Allow(ticket)) => under_way.push((permit, ticket)),
                    (Decision::Deny(left), Decision::Deny(right)) => prop_assert_eq!(left, right),
                    (left, right) => prop_assert!(false, "{left:?} is not {right:?}"),
                },
                Event::End(which, ended) if which < under_way.len() => {
                    let (permit, ticket) = under_way.remove(which);
                    match ended {
                        Ended::Success => permit.success(),
                        Ended::Failure(advice) => permit.failure(&failure(ErrorKind::Unavailable, advice)),
                        Ended::Pushback(advice) => permit.failure(&failure(ErrorKind::RateLimited, Some(advice))),
                        Ended::Nothing => permit.failure(&Failure::new(ErrorKind::Validation)),
                        _ => drop(permit),
                    }
                    model.end(ticket, ended, now);
                }
                Event::FirstToken(which) if which < under_way.len() => {
                    let (permit, ticket) = &mut under_way[which];
                    permit.first_token();
                    model.first_token(ticket, now);
                }
                Event::End(..) | Event::FirstToken(_) => {}
                Event::Look => {
                    breaker.check();
                    model.check(now);
                }
                Event::Operator(0) => {
                    breaker.force_closed();
                    model.force(false, now);
                }
                Event::Operator(1) => {
                    breaker.force_open();
                    model.force(true, now);
                }
                Event::Operator(2) => {
                    breaker.disable();
                    model.disable(now);
                }
                Event::Operator(3..6) => {
                    breaker.release();
                    model.release(now);
                }
                Event::Operator(_) => {}
            }
            // Seldom, so that what is pending piles up.
            if under_way.len() % 4 == 3 {
                let now = clock.instant();
                let status = breaker.status();
                prop_assert_eq!(status.phase, model.phase());
                prop_assert_eq!(status.counts, model.counts(now));
                prop_assert_eq!(status.changes, model.generation());
            }
        }
        let status = breaker.status();
        prop_assert_eq!(status.phase, model.phase());
        prop_assert_eq!(status.counts, model.counts(clock.instant()));
    }
}
