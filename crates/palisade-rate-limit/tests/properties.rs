//! What a limit promises, whatever the rate, the burst, the costs and the times.

use std::time::Duration;

use palisade_core::{Clock as _, Dimension, Instant, Key, ManualClock, RetryAfter};
use palisade_rate_limit::{
    Charge, CheckRequest, InMemory, Limit, MemoryConfig, Overflow, ReserveRequest,
    model::{
        Book,
        bucket::{State, decide},
    },
};
use proptest::{collection::vec, prelude::*};

/// A token bucket in exact arithmetic, level and all: written the other way round than the model, to check it.
struct Bucket {
    /// In parts of a unit; `period` of them are one unit.
    level: u128,
    at: u64,
}

impl Bucket {
    fn full(limit: &Limit) -> Self {
        Self {
            level: u128::from(limit.burst()) * limit.period().as_nanos(),
            at: 0,
        }
    }

    fn refill(&mut self, limit: &Limit, now: u64) {
        let full = u128::from(limit.burst()) * limit.period().as_nanos();
        let gained = u128::from(now - self.at) * u128::from(limit.amount());
        self.level = (self.level + gained).min(full);
        self.at = now;
    }

    /// Takes the cost, or says how long until it can be taken.
    fn take(&mut self, limit: &Limit, cost: u64) -> Result<(), RetryAfter> {
        let cost_parts = u128::from(cost) * limit.period().as_nanos();
        if cost > limit.burst() {
            return Err(RetryAfter::Never);
        }
        let Some(rest) = self.level.checked_sub(cost_parts) else {
            let missing = cost_parts - self.level;
            let nanos = missing.div_ceil(u128::from(limit.amount()));
            let wait = Duration::from_nanos(u64::try_from(nanos).unwrap());
            return Err(RetryAfter::After(wait));
        };
        self.level = rest;
        Ok(())
    }

    fn remaining(&self, limit: &Limit) -> u64 {
        u64::try_from(self.level / limit.period().as_nanos()).unwrap()
    }

    fn reset(&self, limit: &Limit) -> Duration {
        let full = u128::from(limit.burst()) * limit.period().as_nanos();
        let nanos = (full - self.level).div_ceil(u128::from(limit.amount()));
        Duration::from_nanos(u64::try_from(nanos).unwrap())
    }
}

/// Rates from one a month to a thousand million a second, odd ones among them, and bursts up to 2^53.
fn limit() -> impl Strategy<Value = Limit> {
    let amount = prop_oneof![
        1_u64..100,
        1_u64..100_000,
        Just(999_999_937),
        Just(1_000_000_000)
    ];
    let period = prop_oneof![
        Just(1_000_000_000_u64),
        Just(60_000_000_000),
        Just(30 * 86_400_000_000_000),
        1_u64..1_000_000_000_000,
    ];
    let burst = prop_oneof![1_u64..20, 1_u64..100_000, Just(1 << 53)];
    (amount, period, burst).prop_filter_map(
        "a limit that can be kept",
        |(amount, period, burst)| {
            Limit::new("any", amount, Duration::from_nanos(period))
                .and_then(|limit| limit.with_burst(burst))
                .ok()
        },
    )
}

/// Steps in time and costs that matter to this limit: some small, some around what a unit or a burst takes.
fn walk(limit: &Limit) -> impl Strategy<Value = Vec<(u64, u64)>> + use<> {
    let fill = u64::try_from(limit.fill_time().as_nanos()).unwrap();
    let unit = fill / limit.burst();
    let step = prop_oneof![
        Just(0_u64),
        0..=2 * unit + 2,
        0..=fill / 3 + 1,
        Just(unit),
        Just(fill),
        0..=2 * fill,
    ]
    // Forty steps stay within the 146 years in which time is told apart.
    .prop_map(|step| step.min(1 << 56));
    let burst = limit.burst();
    let cost = prop_oneof![
        4 => 0..=3.min(burst),
        4 => 0..=burst,
        1 => Just(burst),
        1 => Just(burst + 1),
        1 => Just(u64::MAX),
    ];
    vec((step, cost), 1..40)
}

fn limit_and_walk() -> impl Strategy<Value = (Limit, Vec<(u64, u64)>)> {
    limit().prop_flat_map(|limit| (Just(limit), walk(&limit)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_model_agrees_with_a_bucket_in_exact_arithmetic((limit, walk) in limit_and_walk()) {
        let (mut state, mut bucket, mut now) = (State::FRESH, Bucket::full(&limit), 0_u64);
        for (step, cost) in walk {
            now += step;
            bucket.refill(&limit, now);
            let expected = bucket.take(&limit, cost);
            let (status, charged) = decide(&limit, state, cost, Instant::from_nanos(now));
            prop_assert_eq!(status.retry_after, expected.err());
            prop_assert_eq!(charged.is_some(), expected.is_ok());
            prop_assert_eq!(status.remaining, bucket.remaining(&limit));
            prop_assert_eq!(status.reset, bucket.reset(&limit));
            state = charged.unwrap_or(state);
        }
    }

    #[test]
    fn denied_until_exactly_the_announced_instant((limit, walk) in limit_and_walk()) {
        let (mut state, mut now) = (State::FRESH, 0_u64);
        for (step, cost) in walk {
            now += step;
            let (status, charged) = decide(&limit, state, cost, Instant::from_nanos(now));
            if let Some(RetryAfter::After(wait)) = status.retry_after {
                let wait = u64::try_from(wait.as_nanos()).unwrap();
                prop_assert!(wait > 0);
                let at = |nanos| decide(&limit, state, cost, Instant::from_nanos(nanos)).1;
                prop_assert!(at(now + wait - 1).is_none());
                prop_assert!(at(now + wait).is_some());
            }
            state = charged.unwrap_or(state);
        }
    }

    #[test]
    fn no_interval_lets_more_pass_than_burst_and_rate((limit, walk) in limit_and_walk()) {
        let (mut state, mut now) = (State::FRESH, 0_u64);
        let mut passed: Vec<(u64, u64)> = Vec::new();
        for (step, cost) in walk {
            now += step;
            if let (_, Some(charged)) = decide(&limit, state, cost, Instant::from_nanos(now)) {
                state = charged;
                passed.push((now, cost));
            }
        }
        for from in 0..passed.len() {
            let mut sum = 0_u128;
            for &(at, cost) in &passed[from..] {
                sum += u128::from(cost);
                let elapsed = u128::from(at - passed[from].0);
                // sum <= burst + rate * elapsed, without a division.
                let allowed = u128::from(limit.burst()) * limit.period().as_nanos()
                    + elapsed * u128::from(limit.amount());
                prop_assert!(sum * limit.period().as_nanos() <= allowed);
            }
        }
    }

    #[test]
    fn an_idle_key_has_its_burst_and_no_more((limit, walk) in limit_and_walk(), idle in 0_u64..1 << 62) {
        let (mut state, mut now) = (State::FRESH, 0_u64);
        for (step, cost) in walk {
            now += step;
            state = decide(&limit, state, cost, Instant::from_nanos(now)).1.unwrap_or(state);
        }
        let later = Instant::from_nanos(now).saturating_add(Duration::from_nanos(idle));
        let rested = Instant::from_nanos(now).saturating_add(limit.fill_time());
        prop_assert!(decide(&limit, state, 0, later).0.remaining <= limit.burst());
        prop_assert_eq!(decide(&limit, state, 0, rested).0.remaining, limit.burst());
        prop_assert!(state.is_fresh(rested));
    }

    #[test]
    fn a_clock_that_steps_back_neither_gives_nor_locks(
        (limit, walk) in limit_and_walk(),
        backs in vec(0_u64..1 << 40, 40),
    ) {
        let mut state = State::FRESH;
        let (mut forward, mut clock, mut passed) = (0_u128, 1_u64 << 41, 0_u128);
        for ((step, cost), back) in walk.into_iter().zip(backs) {
            clock = clock.saturating_sub(back).saturating_add(step);
            forward += u128::from(step);
            let (status, charged) = decide(&limit, state, cost, Instant::from_nanos(clock));
            if let Some(RetryAfter::After(wait)) = status.retry_after {
                prop_assert!(wait <= limit.fill_time());
            }
            if let Some(charged) = charged {
                passed += u128::from(cost);
                state = charged;
            }
        }
        let allowed = u128::from(limit.burst()) * limit.period().as_nanos()
            + forward * u128::from(limit.amount());
        prop_assert!(passed * limit.period().as_nanos() <= allowed);
    }

    #[test]
    fn changing_a_limit_keeps_what_was_used(
        amount in 1_u64..1_000,
        other in 1_u64..1_000,
        cost in 1_u64..=50,
    ) {
        let before = Limit::per_minute("x", amount).and_then(|l| l.with_burst(50)).unwrap();
        let after = Limit::per_minute("x", other).and_then(|l| l.with_burst(50)).unwrap();
        let now = Instant::from_nanos(1 << 40);
        let (status, state) = decide(&before, State::FRESH, cost, now);
        let (same_time, _) = decide(&after, state.unwrap(), 0, now);
        // The time owed stays (unless it is more than the new limit can owe), so the new rate decides what it is worth.
        let owed = status.reset.min(after.fill_time());
        prop_assert!(same_time.reset.abs_diff(owed) <= Duration::from_nanos(1));
    }

    #[test]
    fn no_parameters_make_a_limit_panic_or_lie(
        amount in any::<u64>(),
        period in any::<u64>(),
        burst in any::<u64>(),
        state in any::<(u64, u32)>(),
        cost in any::<u64>(),
        now in any::<u64>(),
    ) {
        let limit = Limit::new("any", amount, Duration::from_nanos(period))
            .and_then(|limit| limit.with_burst(burst));
        if let Ok(limit) = limit {
            let state = State::from_parts(state.0, state.1, false);
            let (status, charged) = decide(&limit, state, cost, Instant::from_nanos(now));
            prop_assert!(status.remaining <= burst);
            prop_assert!(status.reset <= limit.fill_time());
            prop_assert_eq!(charged.is_some(), status.retry_after.is_none());
            prop_assert_eq!(cost > burst, status.retry_after == Some(RetryAfter::Never));
        }
    }

    #[test]
    fn the_table_answers_as_the_model_does(
        steps in vec((0_u64..3_000, vec((0_usize..3, 0_u8..4, 0_u64..6), 1..4)), 1..60),
    ) {
        let limits = [
            Limit::per_second("a", 3).and_then(|l| l.with_burst(4)).unwrap(),
            Limit::per_second("b", 7).and_then(|l| l.with_burst(2)).unwrap(),
            Limit::per_minute("c", 11).and_then(|l| l.with_burst(5)).unwrap(),
        ];
        let keys: Vec<Key> = (0..4).map(|user| Key::new(Dimension::User, [user]).unwrap()).collect();
        let clock = ManualClock::default();
        let table = InMemory::new(MemoryConfig::new().with_capacity(5_000), clock.clone()).unwrap();
        let mut book = Book::default();
        for (millis, wants) in steps {
            clock.advance(Duration::from_millis(millis));
            let charges: Vec<Charge<'_>> = wants
                .iter()
                .map(|(limit, key, cost)| Charge::new(&limits[*limit], &keys[usize::from(*key)], *cost))
                .collect();
            let Ok(request) = CheckRequest::new(&charges) else { continue };
            let expected = book.reserve(ReserveRequest::check(request), clock.instant());
            prop_assert_eq!(table.decide(request), expected.unwrap());
        }
    }

    #[test]
    fn nobody_gets_more_than_the_limit_from_a_crowded_table(
        wants in vec((0_u16..200, 1_u64..4, 0_u64..400), 1..400),
        deny in any::<bool>(),
    ) {
        let limit = Limit::per_second("x", 2).and_then(|l| l.with_burst(5)).unwrap();
        let clock = ManualClock::default();
        let overflow = if deny { Overflow::Deny } else { Overflow::Share };
        let config = MemoryConfig::new().with_capacity(1).with_overflow(overflow);
        let table = InMemory::new(config, clock.clone()).unwrap();
        let mut buckets: std::collections::HashMap<u16, Bucket> = std::collections::HashMap::new();
        for (user, cost, millis) in wants {
            clock.advance(Duration::from_millis(millis));
            let key = Key::new(Dimension::User, user.to_be_bytes()).unwrap();
            let charge = Charge::new(&limit, &key, cost);
            if table.decide(CheckRequest::one(&charge)).is_allow() {
                let bucket = buckets.entry(user).or_insert_with(|| Bucket::full(&limit));
                bucket.refill(&limit, clock.instant().as_nanos());
                prop_assert!(bucket.take(&limit, cost).is_ok(), "user {user} got more than its limit");
            }
        }
    }
}
