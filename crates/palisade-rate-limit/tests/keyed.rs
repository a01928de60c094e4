//! The limiters without a port answer as the model does.

use std::{collections::HashMap, time::Duration};

use palisade_core::{Clock as _, Decision, ManualClock, RetryAfter};
use palisade_rate_limit::{
    ConfigError, Direct, Keyed, Limit, MemoryConfig, Overflow,
    model::bucket::{State, ask, decide},
};
use proptest::{collection::vec, prelude::*};

fn limits() -> impl Strategy<Value = Limit> {
    // Of few ticks a nanosecond, which fit one word, and of many.
    let amount = prop_oneof![1_u64..20, Just(7_919), Just(999_999_937)];
    (amount, 1_u64..100).prop_map(|(amount, burst)| {
        Limit::per_minute("x", amount)
            .and_then(|limit| limit.with_burst(burst))
            .unwrap()
    })
}

proptest! {
    #[test]
    fn one_bucket_answers_as_the_model(
        limit in limits(),
        walk in vec((0_u64..9_000_000_000, 0_u64..110), 1..60),
    ) {
        let clock = ManualClock::default();
        let limiter = Direct::new(limit, clock.clone()).unwrap();
        let mut state = State::FRESH;
        for (step, cost) in walk {
            clock.advance(Duration::from_nanos(step));
            let now = clock.instant();
            let expected = match ask(&limit, state, cost, now) {
                None => Decision::Allow(()),
                Some(refusal) => Decision::Deny(refusal),
            };
            prop_assert_eq!(limiter.decide(cost), expected);
            let (status, charged) = decide(&limit, state, cost, now);
            state = charged.unwrap_or(state);
            prop_assert_eq!(limiter.status().remaining, status.remaining);
        }
    }

    #[test]
    fn every_key_answers_as_the_model(
        limit in limits(),
        walk in vec((0_u64..9_000_000_000, 0_u8..9, 0_u64..110), 1..100),
    ) {
        let clock = ManualClock::default();
        let limiter = Keyed::<u8, _>::new(limit, MemoryConfig::new(), clock.clone()).unwrap();
        let mut states: HashMap<u8, State> = HashMap::new();
        for (step, key, cost) in walk {
            clock.advance(Duration::from_nanos(step));
            let state = states.entry(key).or_default();
            let (status, charged) = decide(&limit, *state, cost, clock.instant());
            let answer = limiter.decide(&key, cost);
            prop_assert_eq!(answer.denied(), status.retry_after);
            *state = charged.unwrap_or(*state);
            prop_assert_eq!(limiter.status(&key).remaining, status.remaining);
        }
    }
}

#[test]
fn a_flood_frees_nobody_and_the_table_does_not_grow() {
    for overflow in [Overflow::Share, Overflow::Deny] {
        let clock = ManualClock::default();
        let config = MemoryConfig::new()
            .with_capacity(1_000)
            .with_overflow(overflow);
        let limit = Limit::per_hour("x", 10).unwrap();
        let limiter = Keyed::<u64, _>::new(limit, config, clock.clone()).unwrap();
        for victim in 0..100 {
            assert!(limiter.decide(&victim, 10).is_allow());
        }
        let places = limiter.occupancy().places;
        for stranger in 1_000..50_000 {
            let _ = limiter.decide(&stranger, 1);
        }
        for victim in 0..100 {
            assert!(limiter.decide(&victim, 1).is_deny(), "{victim} was freed");
        }
        assert_eq!(limiter.occupancy().places, places);
        assert!(limiter.occupancy().overflowed > 0);
        clock.advance(limit.fill_time());
        assert_eq!(limiter.occupancy().live, 0);
        assert!(limiter.decide(&0, 10).is_allow());
    }
}

#[test]
fn a_reset_key_begins_anew_and_a_changed_limit_keeps_what_was_used() {
    let limit = Limit::per_hour("x", 10).unwrap();
    let mut limiter =
        Keyed::<str, _>::new(limit, MemoryConfig::new(), ManualClock::default()).unwrap();
    assert!(limiter.decide("a", 10).is_allow());
    assert!(limiter.decide("b", 10).is_allow());
    limiter.reset("a");
    assert!(limiter.decide("a", 10).is_allow());
    limiter.set_limit(limit.with_burst(12).unwrap()).unwrap();
    assert!(limiter.decide("b", 2).is_allow());
    assert_eq!(limiter.decide("b", 13), Decision::Deny(RetryAfter::Never));
}

#[test]
fn only_buckets_fit() {
    let log = Limit::sliding_log("x", 10, Duration::from_secs(1)).unwrap();
    let found = log.algorithm();
    let error = Direct::new(log, ManualClock::default()).unwrap_err();
    assert_eq!(error, ConfigError::NotABucket { found });
    let keyed = Keyed::<u8, _>::new(log, MemoryConfig::new(), ManualClock::default());
    assert_eq!(keyed.unwrap_err(), ConfigError::NotABucket { found });
}
