//! May this key go now? What one answer costs in memory, beside `governor`, the usual choice in Rust.
//!
//! Both read their own clock at every check and are asked with the same keys. `governor` stands for itself: its keyed
//! limiter in a sharded map that grows, one limit at a time. For two limits it is asked twice, which charges the first
//! even when the second refuses; ours charges both or neither.
//!
//! Its clock is the processor's counter. So is ours where the name says *fast clock*, which is the setting for speed: without
//! it, `palisade` reads the clock of the operating system. *Keyed* is the limiter for one limit, which answers as little as
//! `governor`'s does: yes, or when.

use std::{
    hint::black_box,
    num::NonZeroU32,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use governor::{DefaultKeyedRateLimiter, RateLimiter};
use palisade::{
    core::{Dimension, Key, SystemClock},
    rate_limit::{
        CachedClock, Charge, CheckRequest, Direct, DynRateLimiter, FastClock, InMemory, Keyed,
        Limit, MemoryConfig,
    },
};

/// Many enough that the table leaves every cache.
const MANY: u32 = 1_000_000;

/// So high that nothing is refused unless a bench wants it.
const PER_SECOND: u32 = 1_000_000_000;

fn key(number: u32) -> Key {
    Key::new(Dimension::User, format!("user-{number:07}")).expect("a short name is a valid key")
}

fn ours(capacity: usize) -> InMemory {
    InMemory::new(MemoryConfig::new().with_capacity(capacity), SystemClock)
        .expect("a valid capacity")
}

fn limit(name: &str) -> Limit {
    Limit::per_second(name, PER_SECOND.into()).expect("a valid limit")
}

fn peer() -> DefaultKeyedRateLimiter<Key> {
    let per_second = NonZeroU32::new(PER_SECOND).expect("not zero");
    RateLimiter::keyed(governor::Quota::per_second(per_second))
}

/// How long it takes two threads to ask so many times each, when both do. `ask` is told the number of the turn, and the two
/// count from places far apart.
#[expect(
    clippy::disallowed_methods,
    reason = "two threads are timed by the clock they are measured with"
)]
fn on_two_threads(times: u64, ask: impl Fn(u64) -> bool + Sync) -> Duration {
    let begin = Barrier::new(2);
    let run = |first: u64| {
        begin.wait();
        let start = Instant::now();
        for turn in first..first + times {
            black_box(ask(turn));
        }
        start.elapsed()
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| run(500_009));
        run(0).max(other.join().expect("it ends"))
    })
}

/// No key at all: what is left is the clock, a word and its exchange.
fn no_key(c: &mut Criterion) {
    let mut group = c.benchmark_group("rate_limit/no_key");
    let system = Direct::new(limit("requests"), SystemClock).expect("a bucket");
    group.bench_function("palisade", |b| b.iter(|| system.decide(1).is_allow()));
    let cached = CachedClock::new(SystemClock);
    let cached = Direct::new(limit("requests"), cached).expect("a bucket");
    group.bench_function("palisade_with_a_cached_clock", |b| {
        b.iter(|| cached.decide(1).is_allow());
    });
    let fast = Direct::new(limit("requests"), FastClock::new()).expect("a bucket");
    group.bench_function("palisade_with_a_fast_clock", |b| {
        b.iter(|| fast.decide(1).is_allow());
    });
    group.bench_function("palisade_with_a_fast_clock/two_threads", |b| {
        b.iter_custom(|times| on_two_threads(times, |_| fast.decide(1).is_allow()));
    });
    let per_second = NonZeroU32::new(PER_SECOND).expect("not zero");
    let governor = RateLimiter::direct(governor::Quota::per_second(per_second));
    group.bench_function("governor", |b| b.iter(|| governor.check().is_ok()));
    group.bench_function("governor/two_threads", |b| {
        b.iter_custom(|times| on_two_threads(times, |_| governor.check().is_ok()));
    });
    group.finish();
}

/// A million numbers as keys, under one limit.
fn a_million_numbers(c: &mut Criterion) {
    let mut group = c.benchmark_group("rate_limit/a_million_numbers");
    let step = 618_033_u64;
    let config = MemoryConfig::new().with_capacity(MANY as usize);
    let limiter = Keyed::<u64, _>::new(limit("requests"), config, SystemClock).expect("a bucket");
    let per_second = NonZeroU32::new(PER_SECOND).expect("not zero");
    let fast = Keyed::<u64, _>::new(limit("requests"), config, FastClock::new()).expect("a bucket");
    let governor: DefaultKeyedRateLimiter<u64> =
        RateLimiter::keyed(governor::Quota::per_second(per_second));
    for number in 0..u64::from(MANY) {
        assert!(limiter.decide(&number, 1).is_allow());
        assert!(fast.decide(&number, 1).is_allow());
        assert!(governor.check_key(&number).is_ok());
    }
    let mut at = 0;
    group.bench_function("palisade", |b| {
        b.iter(|| {
            at = (at + step) % u64::from(MANY);
            limiter.decide(&at, 1).is_allow()
        });
    });
    group.bench_function("palisade_with_a_fast_clock", |b| {
        b.iter(|| {
            at = (at + step) % u64::from(MANY);
            fast.decide(&at, 1).is_allow()
        });
    });
    group.bench_function("governor", |b| {
        b.iter(|| {
            at = (at + step) % u64::from(MANY);
            governor.check_key(&at).is_ok()
        });
    });
    let number = |turn: u64| turn * step % u64::from(MANY);
    group.bench_function("palisade_with_a_fast_clock/two_threads", |b| {
        b.iter_custom(|times| {
            on_two_threads(times, |turn| fast.decide(&number(turn), 1).is_allow())
        });
    });
    group.bench_function("governor/two_threads", |b| {
        b.iter_custom(|times| {
            on_two_threads(times, |turn| governor.check_key(&number(turn)).is_ok())
        });
    });
    group.finish();
}

/// One key, over and over: arithmetic, a lock and the clock.
fn hot_key(c: &mut Criterion) {
    let mut group = c.benchmark_group("rate_limit/hot_key");
    let alice = key(1);
    let requests = limit("requests");

    let limiter = ours(1_024);
    group.bench_function("palisade", |b| {
        b.iter(|| {
            let charge = Charge::new(&requests, black_box(&alice), 1);
            limiter.decide(CheckRequest::one(&charge)).is_allow()
        });
    });
    let erased = DynRateLimiter::new(ours(1_024));
    group.bench_function("palisade_behind_the_port", |b| {
        b.iter(|| {
            use futures_util::FutureExt as _;
            use palisade::rate_limit::RateLimiterExt as _;
            let charge = Charge::new(&requests, black_box(&alice), 1);
            erased.check(CheckRequest::one(&charge)).now_or_never()
        });
    });
    let keyed = Keyed::<Key, _>::new(
        requests,
        MemoryConfig::new().with_capacity(1_024),
        FastClock::new(),
    )
    .expect("a bucket");
    let ask = |_| keyed.decide(black_box(&alice), 1).is_allow();
    group.bench_function("palisade_keyed_with_a_fast_clock", |b| b.iter(|| ask(0)));
    group.bench_function("palisade_keyed_with_a_fast_clock/two_threads", |b| {
        b.iter_custom(|times| on_two_threads(times, ask));
    });
    let governor = peer();
    let ask = |_| governor.check_key(black_box(&alice)).is_ok();
    group.bench_function("governor", |b| b.iter(|| ask(0)));
    group.bench_function("governor/two_threads", |b| {
        b.iter_custom(|times| on_two_threads(times, ask));
    });
    group.finish();
}

/// One key that has used up what it may: the refusal says when to come back.
fn refused(c: &mut Criterion) {
    let mut group = c.benchmark_group("rate_limit/refused");
    let alice = key(1);
    let once = Limit::per_day("requests", 1).expect("a valid limit");

    let limiter = ours(1_024);
    let charge = Charge::new(&once, &alice, 1);
    assert!(limiter.decide(CheckRequest::one(&charge)).is_allow());
    group.bench_function("palisade", |b| {
        b.iter(|| {
            let charge = Charge::new(&once, black_box(&alice), 1);
            limiter
                .decide(CheckRequest::one(&charge))
                .denied()
                .map(|denied| denied.retry_after())
        });
    });
    let day = governor::Quota::with_period(once.period()).expect("not zero");
    let governor: DefaultKeyedRateLimiter<Key> = RateLimiter::keyed(day);
    assert!(governor.check_key(&alice).is_ok());
    group.bench_function("governor", |b| {
        use governor::clock::{Clock as _, DefaultClock};
        let clock = DefaultClock::default();
        b.iter(|| {
            governor
                .check_key(black_box(&alice))
                .err()
                .map(|not_until| not_until.wait_time_from(clock.now()))
        });
    });
    group.finish();
}

/// A million keys in an order that no cache foresees.
fn a_million_keys(c: &mut Criterion) {
    let mut group = c.benchmark_group("rate_limit/a_million_keys");
    let keys: Vec<Key> = (0..MANY).map(key).collect();
    let requests = limit("requests");
    // It has no divisor in common with a million, so every key has its turn.
    let step = 618_033_usize;

    let limiter = ours(keys.len());
    for key in &keys {
        let charge = Charge::new(&requests, key, 1);
        assert!(limiter.decide(CheckRequest::one(&charge)).is_allow());
    }
    let mut at = 0;
    group.bench_function("palisade", |b| {
        b.iter(|| {
            at = (at + step) % keys.len();
            let charge = Charge::new(&requests, &keys[at], 1);
            limiter.decide(CheckRequest::one(&charge)).is_allow()
        });
    });
    let config = MemoryConfig::new().with_capacity(keys.len());
    let keyed = Keyed::<Key, _>::new(requests, config, FastClock::new()).expect("a bucket");
    for key in &keys {
        assert!(keyed.decide(key, 1).is_allow());
    }
    let mut at = 0;
    group.bench_function("palisade_keyed_with_a_fast_clock", |b| {
        b.iter(|| {
            at = (at + step) % keys.len();
            keyed.decide(&keys[at], 1).is_allow()
        });
    });
    let governor = peer();
    for key in &keys {
        assert!(governor.check_key(key).is_ok());
    }
    let mut at = 0;
    group.bench_function("governor", |b| {
        b.iter(|| {
            at = (at + step) % keys.len();
            governor.check_key(&keys[at]).is_ok()
        });
    });
    group.finish();
}

/// Requests and tokens of one key in one question.
fn two_limits(c: &mut Criterion) {
    let mut group = c.benchmark_group("rate_limit/two_limits");
    let alice = key(1);
    let (requests, tokens) = (limit("requests"), limit("tokens"));

    let limiter = ours(1_024);
    group.bench_function("palisade", |b| {
        b.iter(|| {
            let alice = black_box(&alice);
            let charges = [
                Charge::new(&requests, alice, 1),
                Charge::new(&tokens, alice, 12),
            ];
            let request = CheckRequest::new(&charges).expect("two different limits");
            limiter.decide(request).is_allow()
        });
    });
    let governors = [peer(), peer()];
    let twelve = NonZeroU32::new(12).expect("not zero");
    group.bench_function("governor_asked_twice", |b| {
        b.iter(|| {
            let alice = black_box(&alice);
            let requests = governors[0].check_key(alice).is_ok();
            let tokens = matches!(governors[1].check_key_n(alice, twelve), Ok(Ok(())));
            requests && tokens
        });
    });
    group.finish();
}

/// A table for a million keys is there before the first request, and so is its price.
fn allocate(c: &mut Criterion) {
    let mut group = c.benchmark_group("rate_limit/allocate_a_million");
    group.sample_size(10);
    group.bench_function("palisade", |b| {
        b.iter_batched(|| (), |()| ours(MANY as usize), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(
    benches,
    no_key,
    hot_key,
    refused,
    a_million_keys,
    a_million_numbers,
    two_limits,
    allocate
);
criterion_main!(benches);
