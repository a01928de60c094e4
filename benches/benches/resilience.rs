//! Call it how often, how long, or not at all? What the guards cost while nothing goes wrong, which is nearly always.
//!
//! Beside the breaker stand `failsafe` and `recloser`, beside the retry `backon` and, with a budget, `tower`, each with its defaults. They answer
//! smaller questions: none of them separates failures by whose fault they were, holds a permit that a cancelled call gives
//! back, or keeps a budget.

#[path = "resilience/breaker.rs"]
mod breaker;

use std::{hint::black_box, time::Duration};

use backon::{ExponentialBuilder, Retryable as _};
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use palisade::{
    core::SystemClock,
    resilience::{
        AsFailure, Call, ErrorKind, Failure, Idempotency, RetryBudget, RetryPolicy, TokioTimer,
        retry,
    },
};
use tower::{
    Service as _,
    retry::{
        Policy,
        budget::{Budget as _, TpsBudget},
    },
};

/// What tower leaves to its users: deposit for each success, withdraw for each retry.
#[derive(Clone)]
struct Budgeted(std::sync::Arc<TpsBudget>);

impl Policy<u32, u32, Failure> for Budgeted {
    type Future = std::future::Ready<()>;

    fn retry(&mut self, _: &mut u32, result: &mut Result<u32, Failure>) -> Option<Self::Future> {
        if result.is_ok() {
            self.0.deposit();
            return None;
        }
        self.0.withdraw().then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &u32) -> Option<u32> {
        Some(*request)
    }
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
            retry(
                black_box(&policy),
                call,
                &AsFailure,
                &TokioTimer,
                &SystemClock,
                |_| ok(),
            )
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
            retry(
                black_box(&policy),
                call,
                &AsFailure,
                &TokioTimer,
                &SystemClock,
                |_| ok(),
            )
            .now_or_never()
        });
    });
    group.bench_function("palisade_with_budget", |b| {
        b.iter(|| {
            let call = Call::new(Idempotency::Declared).with_budget(black_box(&budget));
            retry(
                black_box(&policy),
                call,
                &AsFailure,
                &TokioTimer,
                &SystemClock,
                |_| ok(),
            )
            .now_or_never()
        });
    });
    let budgeted = Budgeted(std::sync::Arc::new(TpsBudget::default()));
    let upstream = tower::service_fn(|_: u32| async { Ok::<u32, Failure>(black_box(1)) });
    let mut tower = tower::retry::Retry::new(budgeted, upstream);
    group.bench_function("tower_with_budget", |b| {
        b.iter(|| tower.call(black_box(1)).now_or_never());
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
            retry(
                black_box(&policy),
                call,
                &AsFailure,
                &TokioTimer,
                &SystemClock,
                |_| bad(),
            )
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

criterion_group!(
    benches,
    breaker::closed,
    breaker::window,
    breaker::tower_layer,
    breaker::open,
    retry_success,
    retry_refused
);
criterion_main!(benches);
