//! The breaker beside `recloser` and `failsafe`: one caller and two, few records in the window and many.

use std::{
    convert::Infallible,
    hint::black_box,
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use criterion::Criterion;
use failsafe::CircuitBreaker as _;
use futures_util::FutureExt as _;
use palisade::{
    core::{Clock, Decision, Dimension, Key, ManualClock, SystemClock},
    resilience::{Breaker, BreakerConfig, BreakerPolicy, BreakerRegistry, Failure, Permit, Window},
    tower::CircuitLayer,
};
use tower::{Layer as _, Service as _};
use tower_resilience_circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};

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

/// Calls in a slice, and between two signs of progress.
const SLICE: u64 = 1_000;
const SIGN: u64 = 50;

/// How long `iterations` calls take, on one thread or on two that call at the same time.
///
/// A machine that does other things as well interrupts a bench all the time, so the whole is worked out from slices: alone,
/// from the fastest; side by side, from the median of those in which the other thread got on about as well.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
fn together(threads: usize, iterations: u64, work: &(dyn Fn() + Sync)) -> Duration {
    #[repr(align(128))]
    #[derive(Default)]
    struct Progress(AtomicU64);

    let start = Barrier::new(threads);
    let progress: Vec<Progress> = (0..threads).map(|_| Progress::default()).collect();
    let each = |me: usize| {
        let others = |progress: &[Progress]| {
            let other = &progress[(me + 1) % progress.len()].0;
            other.load(Ordering::Relaxed)
        };
        let (mut done, mut slices) = (0, Vec::new());
        start.wait();
        while done < iterations {
            let size = SLICE.min(iterations - done);
            let (before, began) = (others(&progress), Instant::now());
            for call in 0..size {
                work();
                if call % SIGN == 0 {
                    progress[me].0.store(done + call, Ordering::Relaxed);
                }
            }
            let took = began.elapsed();
            let meanwhile = others(&progress) - before;
            done += size;
            let beside = threads > 1 && (size / 2..=2 * size).contains(&meanwhile);
            slices.push((beside, picos(took, size)));
        }
        slices
    };
    let mut slices = std::thread::scope(|scope| {
        let each = &each;
        let others: Vec<_> = (1..threads)
            .map(|me| scope.spawn(move || each(me)))
            .collect();
        let mine = each(0);
        let rest = others
            .into_iter()
            .flat_map(|other| other.join().expect("it does not panic"));
        rest.chain(mine).collect::<Vec<_>>()
    });
    // Not one slice side by side: then all of them have to do, and the spread will show it.
    if slices.iter().any(|(beside, _)| *beside) {
        slices.retain(|(beside, _)| *beside);
    }
    slices.sort_unstable();
    let chosen = if threads == 1 { 0 } else { slices.len() / 2 };
    whole(slices[chosen].1, iterations)
}

/// The same for what one thread alone may call.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
fn alone(iterations: u64, mut work: impl FnMut()) -> Duration {
    let slices = (0..iterations.div_ceil(SLICE)).map(|slice| {
        let size = SLICE.min(iterations - slice * SLICE);
        let began = Instant::now();
        for _ in 0..size {
            work();
        }
        picos(began.elapsed(), size)
    });
    whole(slices.min().unwrap_or(0), iterations)
}

/// How long a hundred calls take.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
fn one_hundred(mut work: impl FnMut()) -> Duration {
    let began = Instant::now();
    for _ in 0..100 {
        work();
    }
    began.elapsed()
}

/// Of one call, as a nanosecond is too coarse.
fn picos(took: Duration, calls: u64) -> u128 {
    took.as_nanos() * 1_000 / u128::from(calls)
}

fn whole(picos: u128, calls: u64) -> Duration {
    Duration::from_nanos(u64::try_from(picos * u128::from(calls) / 1_000).expect("minutes"))
}

/// What a case does again and again.
type Work<'a> = Box<dyn Fn() + Sync + 'a>;

/// A breaker that is closed and hears of a success.
pub(crate) fn closed(c: &mut Criterion) {
    let breaker = Breaker::new(upstream(), BreakerPolicy::default(), SystemClock);
    let counting = Breaker::new(upstream(), last_100_calls(), SystemClock);
    let registry = BreakerRegistry::new(BreakerPolicy::default(), SystemClock);
    let key = upstream();
    let failsafe = failsafe::Config::new().build();
    let recloser = recloser::Recloser::custom().build();

    let cases: [(&str, Work<'_>); 8] = [
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

/// The same as a layer around a service that answers at once.
pub(crate) fn tower_layer(c: &mut Criterion) {
    let mut group = c.benchmark_group("resilience/breaker_as_tower_layer");
    let service =
        || tower::service_fn(|number: u32| std::future::ready(ok().map(|one| one + number)));

    let mut bare = service();
    group.bench_function("nothing", |b| {
        b.iter_custom(|iterations| {
            alone(iterations, || {
                let _ = black_box(bare.call(1).now_or_never());
            })
        });
    });
    let breaker = Breaker::new(upstream(), BreakerPolicy::default(), SystemClock);
    let mut ours = CircuitLayer::new(breaker, well).layer(service());
    group.bench_function("palisade", |b| {
        b.iter_custom(|iterations| {
            alone(iterations, || {
                let _ = black_box(ours.call(1).now_or_never());
            })
        });
    });
    let breaker = Breaker::new(upstream(), last_100_calls(), SystemClock);
    let mut ours = CircuitLayer::new(breaker, well).layer(service());
    group.bench_function("palisade_last_100_calls", |b| {
        b.iter_custom(|iterations| {
            alone(iterations, || {
                let _ = black_box(ours.call(1).now_or_never());
            })
        });
    });
    let theirs = CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(100)
        .build()
        .expect("a valid policy");
    let mut theirs = theirs.layer(service());
    let answer = theirs.call(1).now_or_never();
    assert!(matches!(answer, Some(Ok(2))), "it needs no runtime");
    group.bench_function("tower_resilience_last_100_calls", |b| {
        b.iter_custom(|iterations| {
            alone(iterations, || {
                let _ = black_box(theirs.call(1).now_or_never());
            })
        });
    });
    // As long a window as ours by default. It walks over all records in it at every call, so it is given a hundred, which is
    // three calls a second.
    let theirs = CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_type(SlidingWindowType::TimeBased)
        .sliding_window_duration(Duration::from_secs(30))
        .build()
        .expect("a valid policy");
    group.bench_function("tower_resilience_with_100_records", |b| {
        b.iter_custom(|iterations| {
            let mut fastest = Duration::MAX;
            for _ in 0..iterations.div_ceil(100) {
                let mut theirs = theirs.layer(service());
                for _ in 0..50 {
                    let _ = black_box(theirs.call(1).now_or_never());
                }
                fastest = fastest.min(one_hundred(|| {
                    let _ = black_box(theirs.call(1).now_or_never());
                }));
            }
            fastest * u32::try_from(iterations.div_ceil(100)).unwrap_or(u32::MAX)
        });
    });
    group.finish();
}

/// A window of time that already holds so many records, of which half failed.
pub(crate) fn window(c: &mut Criterion) {
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
            b.iter_custom(|iterations| {
                alone(iterations, || {
                    call(black_box(&breaker));
                })
            });
        });
        group.bench_function(format!("failure_after_{records}"), |b| {
            b.iter_custom(|iterations| alone(iterations, || fail(black_box(&breaker))));
        });
    }
    group.finish();
}

fn fail<C: Clock>(breaker: &Breaker<C>) {
    let down = |_: &()| Some(Failure::new(palisade::resilience::ErrorKind::Unavailable));
    let _ = black_box(breaker.call(&down, || ()));
}

/// A breaker that is open: the refusal that is meant to be cheap.
pub(crate) fn open(c: &mut Criterion) {
    let mut group = c.benchmark_group("resilience/breaker_open");
    let hour = Duration::from_secs(3_600);

    let config = BreakerConfig::default().with_consecutive_failures(1);
    let policy = config.with_open_for(hour, hour).build();
    let breaker = Breaker::new(upstream(), policy.expect("a valid policy"), SystemClock);
    fail(&breaker);
    assert!(call(&breaker).is_none(), "it is open");
    group.bench_function("palisade", |b| {
        b.iter_custom(|iterations| {
            alone(iterations, || {
                black_box(call(black_box(&breaker)));
            })
        });
    });

    let policy =
        failsafe::failure_policy::consecutive_failures(1, failsafe::backoff::constant(hour));
    let failsafe = failsafe::Config::new().failure_policy(policy).build();
    assert!(failsafe.call(|| Err::<u32, u32>(0)).is_err());
    assert!(!failsafe.is_call_permitted());
    group.bench_function("failsafe", |b| {
        b.iter_custom(|iterations| {
            alone(iterations, || {
                let _ = black_box(failsafe.call(|| Ok::<u32, u32>(black_box(1))));
            })
        });
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
        b.iter_custom(|iterations| {
            alone(iterations, || {
                let _ = black_box(recloser.call(|| Ok::<u32, u32>(black_box(1))));
            })
        });
    });
    group.finish();
}
