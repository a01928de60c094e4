//! Call it how often, how long, or not at all? What the guards cost while nothing goes wrong, which is nearly always.
//!
//! Beside the breaker stand `failsafe` and `recloser`, beside the retry `backon`, each with its defaults. They answer
//! smaller questions: none of them separates failures by whose fault they were, holds a permit that a cancelled call gives
//! back, or keeps a budget.

use std::{convert::Infallible, hint::black_box, time::Duration};

use backon::{ExponentialBuilder, Retryable as _};
use criterion::{Criterion, criterion_group, criterion_main};
use failsafe::CircuitBreaker as _;
use futures_util::FutureExt as _;
use palisade::{
    core::{Decision, Dimension, Key, SystemClock},
    resilience::{
        AsFailure, Breaker, BreakerConfig, BreakerPolicy, BreakerRegistry, Call, ErrorKind,
        Failure, Idempotency, RetryBudget, RetryPolicy, TokioTimer, Window, retry,
    },
};

fn upstream() -> Key {
    Key::new(Dimension::Provider, "openai").expect("a valid key")
}

fn call<C: palisade::core::Clock>(breaker: &Breaker<C>) -> Option<u32> {
    match breaker.admit() {
        Decision::Allow(permit) => {
            let answer = black_box(1);
            permit.success();
            Some(answer)
        }
        Decision::Deny(_) => None,
    }
}

/// A breaker that is closed and hears of a success.
fn closed(c: &mut Criterion) {
    let mut group = c.benchmark_group("resilience/breaker_closed");
    let ok = || Ok::<u32, Infallible>(black_box(1));

    let breaker = Breaker::new(upstream(), BreakerPolicy::default(), SystemClock);
    group.bench_function("palisade", |b| b.iter(|| call(black_box(&breaker))));
    let window = Window::Calls(100);
    let policy = BreakerConfig::default()
        .with_window(window)
        .build()
        .expect("a valid policy");
    let counting = Breaker::new(upstream(), policy, SystemClock);
    group.bench_function("palisade_last_100_calls", |b| {
        b.iter(|| call(black_box(&counting)));
    });
    let registry = BreakerRegistry::new(BreakerPolicy::default(), SystemClock);
    let key = upstream();
    group.bench_function("palisade_by_key", |b| {
        b.iter(|| {
            let admitted = registry.admit(black_box(&key)).allowed();
            admitted.map(palisade::resilience::Permit::success)
        });
    });
    let failsafe = failsafe::Config::new().build();
    group.bench_function("failsafe", |b| b.iter(|| failsafe.call(ok)));
    let recloser = recloser::Recloser::custom().build();
    group.bench_function("recloser", |b| b.iter(|| recloser.call(ok)));
    group.finish();
}

/// A breaker that is open: the refusal that is meant to be cheap.
fn open(c: &mut Criterion) {
    let mut group = c.benchmark_group("resilience/breaker_open");
    let hour = Duration::from_secs(3_600);

    let breaker = Breaker::new(upstream(), BreakerPolicy::default(), SystemClock);
    breaker.force_open();
    group.bench_function("palisade", |b| b.iter(|| call(black_box(&breaker))));

    let policy =
        failsafe::failure_policy::consecutive_failures(1, failsafe::backoff::constant(hour));
    let failsafe = failsafe::Config::new().failure_policy(policy).build();
    assert!(failsafe.call(|| Err::<u32, u32>(0)).is_err());
    assert!(!failsafe.is_call_permitted());
    group.bench_function("failsafe", |b| {
        b.iter(|| failsafe.call(|| Ok::<u32, u32>(black_box(1))));
    });

    let recloser = recloser::Recloser::custom()
        .closed_len(1)
        .open_wait(hour)
        .build();
    for _ in 0..3 {
        assert!(recloser.call(|| Err::<u32, u32>(0)).is_err());
    }
    assert!(recloser.call(|| Ok::<u32, u32>(1)).is_err());
    group.bench_function("recloser", |b| {
        b.iter(|| recloser.call(|| Ok::<u32, u32>(black_box(1))));
    });
    group.finish();
}

/// A call that succeeds at once, with the retry around it.
fn retry_success(c: &mut Criterion) {
    let mut group = c.benchmark_group("resilience/retry_success");
    let policy = RetryPolicy::new(3).expect("a valid policy");
    let budget = RetryBudget::new(Default::default()).expect("a valid budget");
    let ok = || async { Ok::<u32, Failure>(black_box(1)) };

    group.bench_function("palisade", |b| {
        b.iter(|| {
            let call = Call::new(Idempotency::Declared);
            retry(&policy, call, &AsFailure, &TokioTimer, &SystemClock, |_| {
                ok()
            })
            .now_or_never()
        });
    });
    group.bench_function("palisade_with_budget_and_deadline", |b| {
        let policy = policy
            .with_total(Duration::from_secs(30))
            .expect("a valid time");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
        let _inside = runtime.enter();
        b.iter(|| {
            let call = Call::new(Idempotency::Declared).with_budget(&budget);
            retry(&policy, call, &AsFailure, &TokioTimer, &SystemClock, |_| {
                ok()
            })
            .now_or_never()
        });
    });
    let backoff = ExponentialBuilder::default().with_jitter();
    group.bench_function("backon", |b| {
        b.iter(|| {
            ok.retry(black_box(backoff))
                .when(Failure::is_retryable)
                .into_future()
                .now_or_never()
        });
    });
    group.finish();
}

/// The judgement after a failure that will not be repeated.
fn retry_refused(c: &mut Criterion) {
    let mut group = c.benchmark_group("resilience/retry_not_worth_it");
    let policy = RetryPolicy::new(3).expect("a valid policy");
    let bad = || async { Err::<u32, Failure>(Failure::new(ErrorKind::Validation)) };

    group.bench_function("palisade", |b| {
        b.iter(|| {
            let call = Call::new(Idempotency::Declared);
            retry(&policy, call, &AsFailure, &TokioTimer, &SystemClock, |_| {
                bad()
            })
            .now_or_never()
        });
    });
    let backoff = ExponentialBuilder::default().with_jitter();
    group.bench_function("backon", |b| {
        b.iter(|| {
            bad.retry(black_box(backoff))
                .when(Failure::is_retryable)
                .into_future()
                .now_or_never()
        });
    });
    group.finish();
}

criterion_group!(benches, closed, open, retry_success, retry_refused);
criterion_main!(benches);
