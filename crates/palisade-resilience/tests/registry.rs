//! What a registry of breakers promises.

use std::time::Duration;

use palisade_core::{Decision, Dimension, Key, ManualClock, Probe, Status};
use palisade_resilience::{
    BreakerConfig, BreakerRegistry, DeniedWhy, ErrorKind, Failure, Overflow, Window,
};

fn key(name: &str) -> Key {
    Key::new(Dimension::Provider, name).unwrap()
}

fn down() -> Failure {
    Failure::new(ErrorKind::Unavailable)
}

const OPEN_FOR: Duration = Duration::from_secs(5);

fn registry(limit: usize) -> (BreakerRegistry<ManualClock>, ManualClock) {
    let clock = ManualClock::default();
    let policy = BreakerConfig::default()
        .with_window(Window::Calls(20))
        .with_open_for(OPEN_FOR, OPEN_FOR)
        .with_open_jitter(0)
        .with_consecutive_failures(1)
        .build()
        .unwrap();
    let registry = BreakerRegistry::new(policy, clock.clone());
    (registry.with_limit(limit).unwrap(), clock)
}

#[test]
fn equal_keys_share_a_circuit_and_others_do_not() {
    let (registry, _clock) = registry(10);
    registry
        .admit(&key("a"))
        .allowed()
        .unwrap()
        .failure(&down());
    assert!(registry.admit(&key("a")).is_deny());
    assert!(registry.admit(&key("b")).is_allow());
    assert_eq!(registry.health().status, Status::Degraded);
}

#[test]
fn a_flood_of_keys_never_reopens_the_way_to_a_dead_upstream() {
    let (registry, _clock) = registry(16);
    registry
        .admit(&key("dead"))
        .allowed()
        .unwrap()
        .failure(&down());
    for n in 0..10_000 {
        assert!(registry.admit(&key(&n.to_string())).is_allow());
        assert!(registry.len() <= 16);
    }
    assert!(registry.admit(&key("dead")).is_deny());
}

#[test]
fn the_long_unused_are_forgotten_first_and_the_held_never() {
    let (registry, _clock) = registry(3);
    let held = registry.breaker(&key("held")).allowed().unwrap();
    for name in ["old", "used"] {
        assert!(registry.admit(&key(name)).is_allow());
    }
    for n in 0..50 {
        assert!(registry.admit(&key("used")).is_allow());
        assert!(registry.admit(&key(&n.to_string())).is_allow());
    }
    let kept: Vec<_> = registry.statuses().into_iter().map(|s| s.key).collect();
    assert_eq!(kept, [key("49"), key("held"), key("used")]);
    held.force_open();
    assert!(registry.admit(&key("held")).is_deny(), "one circuit");
}

#[test]
fn when_all_are_live_a_newcomer_shares_or_is_refused() {
    for overflow in [Overflow::Share, Overflow::Deny] {
        let (registry, clock) = registry(2);
        let registry = registry.with_overflow(overflow);
        for name in ["a", "b"] {
            let permit = registry.admit(&key(name)).allowed().unwrap();
            permit.failure(&down());
        }
        match (overflow, registry.admit(&key("c"))) {
            (Overflow::Deny, Decision::Deny(denied)) => {
                assert_eq!(denied.why, DeniedWhy::RegistryFull);
            }
            (Overflow::Share, Decision::Allow(permit)) => {
                permit.failure(&down());
                assert!(
                    registry.admit(&key("d")).is_deny(),
                    "they share one circuit"
                );
            }
            (_, other) => panic!("{overflow:?} answered {other:?}"),
        }
        assert_eq!(registry.len(), 2);
        assert_eq!(registry.health().status, Status::Down);
        // An open breaker that nobody asks for is given up at last.
        clock.advance(OPEN_FOR + BreakerRegistry::<ManualClock>::FORGET_AFTER);
        assert!(registry.admit(&key("e")).is_allow());
        assert!(registry.statuses().iter().any(|s| s.key == key("e")));
    }
}
