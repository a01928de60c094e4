//! What threads share, under a model checker that tries every order of their steps.
//!
//! Built and run by `cargo xtask ci races`, which sets `--cfg palisade_loom`; empty otherwise.

#![cfg(palisade_loom)]

use std::sync::Arc;

use loom::{model, thread};
use palisade_core::{Key, ManualClock};
use palisade_rate_limit::{Charge, CheckRequest, Direct, InMemory, Keyed, Limit, MemoryConfig};

fn limit(name: &str, burst: u64) -> Limit {
    Limit::per_hour(name, burst).unwrap()
}

/// A table of one line.
fn config() -> MemoryConfig {
    MemoryConfig::new().with_capacity(1).with_holds(1)
}

#[test]
fn one_word_never_gives_more_than_its_burst() {
    model(|| {
        let limiter = Arc::new(Direct::new(limit("x", 2), ManualClock::default()).unwrap());
        let others = [(); 2].map(|()| {
            let limiter = Arc::clone(&limiter);
            thread::spawn(move || u32::from(limiter.decide(1).is_allow()))
        });
        let mine = u32::from(limiter.decide(1).is_allow());
        let sum = others.into_iter().map(|other| other.join().unwrap());
        assert_eq!(mine + sum.sum::<u32>(), 2);
    });
}

#[test]
fn a_slot_never_gives_its_last_unit_twice() {
    model(|| {
        let limiter = Keyed::<u64, _>::new(limit("x", 2), config(), ManualClock::default());
        let limiter = Arc::new(limiter.unwrap());
        assert!(limiter.decide(&7, 1).is_allow());
        let other = {
            let limiter = Arc::clone(&limiter);
            thread::spawn(move || limiter.decide(&7, 1).is_allow())
        };
        let mine = limiter.decide(&7, 1).is_allow();
        assert!(mine ^ other.join().unwrap());
    });
}

#[test]
fn two_keys_of_one_line_do_not_overwrite_one_another() {
    model(|| {
        let limiter = Keyed::<u64, _>::new(limit("x", 1), config(), ManualClock::default());
        let limiter = Arc::new(limiter.unwrap());
        let other = {
            let limiter = Arc::clone(&limiter);
            thread::spawn(move || assert!(limiter.decide(&1, 1).is_allow()))
        };
        assert!(limiter.decide(&2, 1).is_allow());
        other.join().unwrap();
        assert!(limiter.decide(&1, 1).is_deny());
        assert!(limiter.decide(&2, 1).is_deny());
    });
}

#[test]
fn several_limits_are_taken_together_whatever_the_order_they_are_named_in() {
    model(|| {
        let limiter = Arc::new(InMemory::new(config(), ManualClock::default()).unwrap());
        let ask = |limiter: &InMemory<ManualClock>, turned: bool| {
            let (wide, tight, key) = (limit("wide", 9), limit("tight", 1), Key::global());
            let mut charges = [Charge::new(&wide, &key, 1), Charge::new(&tight, &key, 1)];
            if turned {
                charges.reverse();
            }
            limiter
                .decide(CheckRequest::new(&charges).unwrap())
                .is_allow()
        };
        let other = {
            let limiter = Arc::clone(&limiter);
            thread::spawn(move || ask(&limiter, true))
        };
        let mine = ask(&limiter, false);
        assert!(mine ^ other.join().unwrap());
        // The one who was refused has taken nothing of the other limit either.
        let (wide, key) = (limit("wide", 9), Key::global());
        let charge = Charge::new(&wide, &key, 0);
        let left = limiter
            .decide(CheckRequest::one(&charge))
            .allowed()
            .unwrap();
        assert_eq!(left.binding().remaining, 8);
    });
}
