//! May it cost this much? What a reservation and its settlement cost, in memory and on disk.
//!
//! One element is one `reserve` and one `settle` of the same reservation, in the scopes of a user, a project and an
//! organisation. All callers spend from the same three scopes, which is the worst case for a ledger: every transaction
//! meets every other one. With 32 callers the disk's wait is shared; that is what the writer's groups are for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use palisade::{
    core::{Clock as _, Dimension, Key, Money, SystemClock, Tokens},
    quota::{
        Amount, Defaults, InMemory, LeaseConfig, Leased, Quota, QuotaLedger, ReservationId,
        ReserveRequest, SettleRequest,
    },
    resilience::TokioTimer,
    sqlite::{Durability, Sqlite, SqliteConfig},
};
use tokio::runtime::Runtime;

/// The ids are counted, because a random one costs a call of the system, and that is not the question.
static IDS: AtomicU64 = AtomicU64::new(1);

/// Counts everything and refuses nothing, so that a long run measures what a short one does.
fn unlimited() -> Defaults {
    Defaults::new(Quota::UNLIMITED)
}

fn scopes() -> [Key; 3] {
    let org = Key::new(Dimension::Org, "acme").expect("a valid key");
    let project = org
        .with(Dimension::Project, "chatbot")
        .expect("a valid key");
    let user = project.with(Dimension::User, "alice").expect("a valid key");
    [org, project, user]
}

fn amount(tokens: u64, nano_usd: i64) -> Amount {
    Amount::new(Tokens::new(tokens), Money::from_nano_usd(nano_usd)).expect("a small amount")
}

async fn reserve_and_settle(ledger: &impl QuotaLedger, scopes: &[Key; 3]) {
    let id = ReservationId::from_u128(IDS.fetch_add(1, Ordering::Relaxed).into());
    let request =
        ReserveRequest::new(id, scopes.clone(), amount(4_000, 60_000)).expect("a valid request");
    let granted = ledger.reserve(request).await.expect("the ledger answers");
    assert!(granted.is_allow());
    let settled = ledger
        .settle(SettleRequest::new(id, amount(812, 11_000)))
        .await;
    assert!(settled.is_ok());
}

/// Each of `callers` settles `rounds` reservations, one after the other. No round waits for another caller's.
async fn all<L: QuotaLedger + 'static>(ledger: Arc<L>, callers: usize, rounds: u64) -> Duration {
    let began = SystemClock.instant();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move {
                let scopes = scopes();
                for _ in 0..rounds {
                    reserve_and_settle(&*ledger, &scopes).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no caller panics");
    }
    SystemClock.instant().saturating_since(began)
}

fn callers<L: QuotaLedger + 'static>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    runtime: &Runtime,
    name: &str,
    ledger: &Arc<L>,
) {
    for callers in [1, 32] {
        group.throughput(Throughput::Elements(callers as u64));
        group.bench_function(format!("{name}/{callers}_callers"), |b| {
            b.iter_custom(|rounds| runtime.block_on(all(Arc::clone(ledger), callers, rounds)));
        });
    }
}

fn reserve_settle(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime starts");
    let mut group = c.benchmark_group("quota/reserve_settle");

    let memory = Arc::new(InMemory::new(SystemClock, unlimited()));
    callers(&mut group, &runtime, "memory", &memory);

    for (name, durability) in [
        ("sqlite_process", Durability::Process),
        ("sqlite_power", Durability::Power),
    ] {
        let folder = tempfile::tempdir().expect("a folder for the file");
        let config = SqliteConfig::default()
            .with_durability(durability)
            .with_quota_defaults(unlimited());
        let sqlite =
            Sqlite::open(folder.path().join("bench.db"), config).expect("a new file opens");
        callers(&mut group, &runtime, name, &Arc::new(sqlite.clone()));
        let (leased, task) = Leased::new(sqlite.clone(), SystemClock, LeaseConfig::default())
            .expect("there is randomness");
        let lending = runtime.spawn(task.run(TokioTimer));
        let (leased, name) = (Arc::new(leased), format!("{name}_leased"));
        callers(&mut group, &runtime, &name, &leased);
        drop(leased);
        runtime.block_on(lending).expect("the last word is said");
        runtime.block_on(sqlite.close());
    }
    group.finish();
}

/// What the lock costs nobody else: the ledger in memory without a runtime around it.
fn in_one_thread(c: &mut Criterion) {
    use futures_util::FutureExt as _;
    let mut group = c.benchmark_group("quota/in_one_thread");
    let ledger = InMemory::new(SystemClock, unlimited());
    let scopes = scopes();
    group.bench_function("memory_three_scopes", |b| {
        b.iter(|| {
            reserve_and_settle(&ledger, &scopes)
                .now_or_never()
                .expect("memory never waits");
        });
    });
    group.finish();
}

criterion_group!(benches, in_one_thread, reserve_settle);
criterion_main!(benches);
