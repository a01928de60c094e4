//! What a reservation and its settlement cost on a PostgreSQL server.
//!
//! Takes the server that `PALISADE_POSTGRES_URL` names, and says whether that one waits for its disk: figures of one that
//! does not are no figures of a durable ledger. One element is one `reserve` and one `settle` of the same reservation. The
//! table has one row for each way of sharing: many keys, one hot key asked for directly, the same key on lease, and four
//! scopes at once beside one.

use std::{env, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use palisade::{
    core::{Clock as _, Dimension, Key, Money, SystemClock, Tokens},
    postgres::{Postgres, PostgresConfig},
    quota::{
        Amount, Defaults, LeaseConfig, Leased, Quota, QuotaLedger, ReservationId, ReserveRequest,
        SettleRequest,
    },
    resilience::TokioTimer,
};
use tokio::runtime::Builder;

const SECONDS: u64 = 5;

fn main() -> Result<()> {
    // `cargo test --benches` asks whether it runs at all, not how fast.
    let measures = env::args().any(|argument| argument == "--bench");
    let seconds = if measures { SECONDS } else { 0 };
    let Ok(url) = env::var("PALISADE_POSTGRES_URL") else {
        println!("PALISADE_POSTGRES_URL names no server; `cargo xtask services up` starts one");
        return Ok(());
    };
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(all(&url, Duration::from_secs(seconds)))
}

async fn all(url: &str, time: Duration) -> Result<()> {
    let schema = format!("bench_{}", std::process::id());
    let config = PostgresConfig::default()
        .with_schema(schema)?
        .with_connections_max(32)?
        .with_quota_defaults(Defaults::new(Quota::UNLIMITED));
    let postgres = Postgres::connect(url, config).await?;
    println!(
        "{:<44}{:>10}{:>12}{:>12}{:>12}",
        "", "pairs/s", "reserve p50", "p99", "max"
    );
    for callers in [1, 8, 32] {
        let keys = |caller: usize, round: u64| {
            let user = (caller as u64) << 32 | (round % 3_000);
            vec![key(&format!("u{user}"))]
        };
        let name = format!("many keys, {callers} callers");
        show(&name, &postgres, callers, time, keys).await?;
    }
    let four = |caller: usize, round: u64| {
        let user = (caller as u64) << 32 | (round % 3_000);
        ["o", "p", "u", "k"]
            .map(|scope| key(&format!("{scope}{user}")))
            .to_vec()
    };
    show(
        "many keys, four scopes, 32 callers",
        &postgres,
        32,
        time,
        four,
    )
    .await?;
    let hot = |_: usize, _: u64| vec![key("hot")];
    for callers in [1, 8, 32] {
        let name = format!("one hot key, {callers} callers");
        show(&name, &postgres, callers, time, hot).await?;
    }
    let (leased, task) = Leased::new(postgres.clone(), SystemClock, LeaseConfig::default())?;
    let keeper = tokio::spawn(task.run(TokioTimer));
    show("one hot key on lease, 32 callers", &leased, 32, time, hot).await?;
    keeper.abort();
    Ok(())
}

fn key(name: &str) -> Key {
    Key::new(Dimension::User, name).expect("a short name")
}

async fn show<L: QuotaLedger + Clone + 'static>(
    name: &str,
    ledger: &L,
    callers: usize,
    time: Duration,
    scopes: impl Fn(usize, u64) -> Vec<Key> + Send + Sync + Copy + 'static,
) -> Result<()> {
    let ask = Amount::new(Tokens::new(4_000), Money::from_nano_usd(60_000))?;
    let actual = Amount::new(Tokens::new(812), Money::from_nano_usd(11_000))?;
    let began = SystemClock.instant();
    let ledger = Arc::new(ledger.clone());
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move {
                let mut took = Vec::new();
                let mut round = 0;
                // Once at least, so that a run without time is a run.
                while round == 0 || SystemClock.instant().saturating_since(began) < time {
                    let id = ReservationId::random()?;
                    let request = ReserveRequest::new(id, scopes(caller, round), ask)?;
                    let asked = SystemClock.instant();
                    let granted = ledger.reserve(request).await?;
                    took.push(SystemClock.instant().saturating_since(asked));
                    anyhow::ensure!(granted.is_allow(), "nothing is limited");
                    ledger.settle(SettleRequest::new(id, actual)).await?;
                    round += 1;
                    // What is answered from memory never waits, and would keep the connections from being served.
                    if round.is_multiple_of(16) {
                        tokio::task::yield_now().await;
                    }
                }
                Ok(took)
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.context("a caller panicked")??);
    }
    let all = SystemClock.instant().saturating_since(began);
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    println!(
        "{name:<44}{:>10.0}{:>12.2?}{:>12.2?}{:>12.2?}",
        took.len() as f64 / all.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0),
    );
    Ok(())
}
