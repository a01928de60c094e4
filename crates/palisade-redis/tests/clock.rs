//! A server's clock that is set back and forth.
#![cfg(feature = "rate-limit")]

mod servers;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use palisade_conformance::Random;
use palisade_core::{Clock, Decision, Dimension, Instant, Key, RetryAfter, Timestamp};
use palisade_rate_limit::{
    Charge, CheckRequest, Limit, RateLimiterExt as _, ReserveRequest, Status, model::Book,
};

use self::servers::{block_on, fresh, node};

/// Shows what it is told to, also what lies before.
#[derive(Clone, Default)]
struct Steps(Arc<AtomicU64>);

impl Steps {
    fn set(&self, millis: u64) {
        self.0.store(millis, Ordering::Relaxed);
    }
}

impl Clock for Steps {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn instant(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::Relaxed) * 1_000_000)
    }
}

const HOUR: u64 = 3_600_000;

#[test]
fn a_clock_that_jumps_is_read_as_the_model_reads_it() {
    let clock = Steps::default();
    let redis = block_on(fresh(node().with_clock(clock.clone())));
    let minute = Duration::from_secs(60);
    let limits = [
        Limit::per_minute("bucket", 60).expect("a limit"),
        Limit::fixed_window("fixed", 10, minute).expect("a limit"),
        Limit::sliding_window("sliding", 10, minute).expect("a limit"),
    ];
    let key = Key::new(Dimension::User, "alice").expect("a short name");
    let seed = palisade_conformance::seed();
    let (mut random, mut book, mut now) = (Random::new(seed), Book::default(), 100 * HOUR);
    for step in 0..600 {
        now = match random.below(12) {
            0 => now + 6 * HOUR,
            1 => now.saturating_sub(6 * HOUR),
            2 => now.saturating_sub(random.below(90_000)),
            _ => now + random.below(3_000),
        };
        clock.set(now);
        let limit = &limits[random.below(3) as usize];
        let charge = Charge::new(limit, &key, 1 + random.below(4));
        let request = CheckRequest::one(&charge);
        // A refusal leaves the server's state as it is.
        let mut tried = book.clone();
        let expected = tried.reserve(ReserveRequest::check(request), clock.instant());
        let found = block_on(redis.check(request)).expect("an answer");
        let status = |decision: &Decision<_, _>| -> Status {
            match decision {
                Decision::Allow(allowed) => *palisade_rate_limit::Allowed::binding(allowed),
                Decision::Deny(denied) => *palisade_rate_limit::Denied::binding(denied),
            }
        };
        if found.is_allow() {
            book = tried;
        }
        let (expected, found) = (status(&expected.expect("no hold")), status(&found));
        assert_eq!(
            (
                expected.remaining,
                expected.reset,
                expected.retry_after.is_some()
            ),
            (found.remaining, found.reset, found.retry_after.is_some()),
            "PALISADE_SEED={seed}, step {step}: {expected:?}, {found:?}"
        );
        // Once the clock goes on as it should, nobody waits for longer than this window and two more.
        if let Some(RetryAfter::After(wait)) = found.retry_after {
            assert!(
                wait <= 3 * minute,
                "PALISADE_SEED={seed}, step {step}: {wait:?}"
            );
        }
    }
}
