//! The breaker beside `recloser` and `failsafe`: one caller and two, few records in the window and many.

use std::{
    convert::Infallible,
    hint::black_box,
    sync::Barrier,
    time::{Duration, Instant},
};

use criterion::Criterion;
use failsafe::CircuitBreaker as _;
use palisade::{
    core::{Clock, Decision, Dimension, Key, ManualClock, SystemClock},
    resilience::{Breaker, BreakerConfig, BreakerPolicy, BreakerRegistry, Failure, Permit, Window},
};

fn upstream() -> Key {
    Key::new(Dimension::Provider, "openai").expect("a valid key")
}

fn ok() -> Result<u32, Infallible> {
    Ok(black_box(1))
}

fn well(_: &Result<u32, Infallible>) -> Option<Failure> {
    None
}

/// A call through a handle that is at hand.
fn call<C: Clock>(breaker: &Breaker<C>) -> Option<Result<u32, Infallible>> {
    breaker.call(&well, ok).allowed()
}

/// A call whose permit may travel.
fn owned<C: Clock>(breaker: &Breaker<C>) -> Option<u32> {
    match breaker.admit() {
        Decision::Allow(permit) => {
            let answer = black_box(1);
            permit.success();
            Some(answer)
        }
        Decision::Deny(_) => None,
    }
}

fn last_100_calls() -> BreakerPolicy {
    let config = BreakerConfig::default().with_window(Window::Calls(100));
    config.build().expect("a valid policy")
}

/// How long `threads` threads need for `iterations` calls each, when they begin together.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
fn together(threads: usize, iterations: u64, work: &(dyn Fn() + Sync)) -> Duration {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let each = || {
            start.wait();
            let began = Instant::now();
            for _ in 0..iterations {
                work();
            }
            began.elapsed()
        };
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(each)).collect();
        let mine = each();
        let rest = others
            .into_iter()
            .map(|other| other.join().expect("it does not panic"));
        rest.chain([mine]).sum::<Duration>() / u32::try_from(threads).expect("a few threads")
    })
}

/// A breaker that is closed and hears of a success.
pub fn closed(c: &mut Criterion) {
    let breaker = Breaker::new(upstream(), BreakerPolicy::default(), SystemClock);
    let counting = Breaker::new(upstream(), last_100_calls(), SystemClock);
    let registry = BreakerRegistry::new(BreakerPolicy::default(), SystemClock);
    let key = upstream();
    let failsafe = failsafe::Config::new().build();
    let recloser = recloser::Recloser::custom().build();

    let cases: [(&str, Box<dyn Fn() + Sync>); 8] = [
        (
            "clock",
            Box::new(|| {
                black_box(SystemClock.instant());
            }),
        ),
        (
            "palisade",
            Box::new(|| {
                call(black_box(&breaker));
            }),
        ),
        (
            "palisade_owned",
            Box::new(|| {
                owned(black_box(&breaker));
            }),
        ),
        (
            "palisade_last_100_calls",
            Box::new(|| {
                call(black_box(&counting));
            }),
        ),
        (
            "palisade_by_key",
            Box::new(|| {
                let admitted = registry.admit(black_box(&key)).allowed();
                black_box(admitted.map(Permit::success));
            }),
        ),
        (
            "failsafe",
            Box::new(|| {
                let _ = black_box(failsafe.call(ok));
            }),
        ),
        (
            "recloser",
            Box::new(|| {
                let _ = black_box(recloser.call(ok));
            }),
        ),
        (
            "nothing",
            Box::new(|| {
                let _ = black_box(ok());
            }),
        ),
    ];
    for threads in [1, 2] {
        let mut group = c.benchmark_group(format!("resilience/breaker_closed_{threads}_threads"));
        for (name, work) in &cases {
            group.bench_function(*name, |b| {
                b.iter_custom(|iterations| together(threads, iterations, work));
            });
        }
        group.finish();
    }
}

/// A window of time that already holds so many records, of which half failed.
pub fn window(c: &mut Criterion) {
    let mut group = c.benchmark_group("resilience/breaker_time_window");
    for records in [100, 40_000] {
        let config = BreakerConfig::default()
            .with_window(Window::Time(Duration::from_secs(60)))
            .with_failure_rate(101);
        let clock = ManualClock::default();
        let policy = config.build().expect("a valid policy");
        let breaker = Breaker::new(upstream(), policy, clock.clone());
        for record in 0..records {
            if record % 2 == 0 {
                call(&breaker);
            } else {
                fail(&breaker);
            }
            clock.advance(Duration::from_secs(50) / records);
        }
        group.bench_function(format!("success_after_{records}"), |b| {
            b.iter(|| call(black_box(&breaker)));
        });
        group.bench_function(format!("failure_after_{records}"), |b| {
            b.iter(|| fail(black_box(&breaker)));
        });
    }
    group.finish();
}

fn fail<C: Clock>(breaker: &Breaker<C>) {
    let down = |_: &()| Some(Failure::new(palisade::resilience::ErrorKind::Unavailable));
    let _ = black_box(breaker.call(&down, || ()));
}

/// A breaker that is open: the refusal that is meant to be cheap.
pub fn open(c: &mut Criterion) {
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
