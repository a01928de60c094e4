//! Servers and clients that die, connections that are cut, locks that are not let go: nothing that was acknowledged is
//! lost, and nothing counts twice.

#![cfg(feature = "quota")]

#[path = "support/server.rs"]
mod server;
mod support;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use palisade_core::{Clock, Dimension, Key, ManualClock, StoreErrorKind, SystemClock};
use palisade_postgres::{Postgres, PostgresConfig};
use palisade_quota::{
    Amount, Defaults, Outcome, Period, Quota, QuotaLedger, ReservationId, ReserveRequest,
    SettleRequest,
};
use server::Server;
use support::block_on;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

const CALLERS: u64 = 8;
const EACH: u64 = 60;

fn config() -> PostgresConfig {
    // For ever, so that no midnight comes between.
    let quota = Quota::UNLIMITED.with_period(Period::Lifetime);
    PostgresConfig::default()
        .with_quota_defaults(Defaults::new(quota))
        .with_connections_max(12)
        .and_then(|config| config.with_deadline(Duration::from_secs(30)))
        .expect("a good configuration")
}

fn scope() -> Key {
    Key::new(Dimension::User, "alice").expect("a short name")
}

fn amount(tokens: i64) -> Amount {
    Amount::from_columns(tokens, 0).expect("positive")
}

fn request(id: u64) -> ReserveRequest {
    let id = ReservationId::from_u128(id.into());
    ReserveRequest::new(id, [scope()], amount(10)).expect("a good request")
}

/// Reserves and settles, as often as it takes to be answered.
async fn spend(ledger: &Postgres, id: u64) {
    let granted = loop {
        match ledger.reserve(request(id)).await {
            Ok(decision) => break decision,
            Err(error) => assert!(error.is_transient(), "{error:?}"),
        }
    };
    assert!(granted.is_allow(), "{granted:?}");
    let settle = SettleRequest::new(ReservationId::from_u128(id.into()), amount(7));
    loop {
        match ledger.settle(settle).await {
            Ok(resolution) => {
                let expected = Outcome::Settled {
                    actual: amount(7),
                    late: false,
                };
                assert_eq!(resolution.outcome, expected);
                return;
            }
            Err(error) => assert!(error.is_transient(), "{error:?}"),
        }
    }
}

async fn stands(ledger: &Postgres, spent: i64) {
    let balance = ledger.balance(&scope()).await.expect("an answer");
    assert_eq!((balance.spent, balance.held), (amount(spent), amount(0)));
}

#[test]
fn a_server_killed_under_load_loses_nothing_and_counts_nothing_twice() {
    let server = Server::start();
    block_on(async {
        let ledger = Postgres::connect(&server.url(), config())
            .await
            .expect("the server answers");
        let (done, mut progress) = mpsc::unbounded_channel();
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (ledger, done) = (ledger.clone(), done.clone());
                tokio::spawn(async move {
                    for round in 0..EACH {
                        spend(&ledger, caller * 1_000 + round).await;
                        done.send(()).expect("somebody listens");
                    }
                })
            })
            .collect();
        drop(done);
        let mut settled = 0;
        while progress.recv().await.is_some() {
            settled += 1;
            if [40, 160, 300].contains(&settled) {
                server.kill();
                server.start_again();
            }
        }
        for caller in callers {
            caller.await.expect("nobody panics");
        }
        assert_eq!(settled, CALLERS * EACH);
        stands(&ledger, 7 * i64::try_from(CALLERS * EACH).expect("few")).await;
    });
}

/// Passes bytes on, and closes a connection when so many have come back from the server.
struct Proxy {
    port: u16,
    left: Arc<AtomicI64>,
}

impl Proxy {
    async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let own = listener.local_addr().expect("a port").port();
        let left = Arc::new(AtomicI64::new(i64::MAX));
        let shared = Arc::clone(&left);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let left = Arc::clone(&shared);
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                        pass_on(client, server, &left).await;
                    }
                });
            }
        });
        Self { port: own, left }
    }
}

async fn pass_on(mut client: TcpStream, mut server: TcpStream, left: &AtomicI64) {
    let (mut up, mut down) = ([0; 4_096], [0; 4_096]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(1..) if server.write_all(&up[..read.unwrap_or(0)]).await.is_ok() => {}
                _ => return,
            },
            read = server.read(&mut down) => {
                let Ok(count @ 1..) = read else { return };
                let before = left.fetch_sub(i64::try_from(count).unwrap_or(0), Ordering::Relaxed);
                let rest = usize::try_from(before.max(0)).unwrap_or(usize::MAX);
                if client.write_all(&down[..count.min(rest)]).await.is_err() || rest < count {
                    // One cut at a time: the next connection gets through.
                    left.store(i64::MAX, Ordering::Relaxed);
                    return;
                }
            }
        }
    }
}

#[test]
fn a_connection_cut_between_any_two_bytes_of_the_answers_counts_nothing_twice() {
    let server = Server::start();
    block_on(async {
        let proxy = Proxy::before(server.port()).await;
        let ledger = Postgres::connect(&server.url_at(proxy.port), config())
            .await
            .expect("the server answers");
        // More than the answers to a reservation and a settlement have on a connection that knows the statements.
        const BYTES: i64 = 420;
        spend(&ledger, 1).await;
        let mut spent = 7;
        for cut in 0..BYTES {
            proxy.left.store(cut, Ordering::Relaxed);
            spend(&ledger, 100 + cut.unsigned_abs()).await;
            proxy.left.store(i64::MAX, Ordering::Relaxed);
            spent += 7;
        }
        stands(&ledger, spent).await;
    });
}

#[test]
fn a_server_that_hangs_is_given_up_at_the_deadline() {
    let server = Server::start();
    block_on(async {
        let quick = || {
            let config = config().with_deadline(Duration::from_millis(300));
            config.expect("a good time")
        };
        let ledger = Postgres::connect(&server.url(), config())
            .await
            .expect("the server answers");
        // Somebody who takes connections and says nothing.
        let silent = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = silent.local_addr().expect("a port").port();
        let refused = Postgres::connect(&server.url_at(port), quick()).await;
        let kind = refused.expect_err("nobody says anything").kind();
        assert_eq!(kind, StoreErrorKind::Unavailable);
        drop(silent);
        stands(&ledger, 0).await;
    });
}

#[test]
fn a_lock_that_is_not_let_go_makes_a_call_busy_and_no_more() {
    let server = Server::start();
    block_on(async {
        let config = config()
            .with_lock_timeout(Duration::from_millis(50))
            .expect("a good time");
        let ledger = Postgres::connect(&server.url(), config)
            .await
            .expect("the server answers");
        spend(&ledger, 1).await;
        let (mut holder, connection) =
            tokio_postgres::connect(&server.url(), tokio_postgres::NoTls)
                .await
                .expect("the server answers");
        tokio::spawn(connection);
        let lock = holder.transaction().await.expect("an answer");
        lock.batch_execute("SELECT FROM palisade.quota_accounts FOR UPDATE")
            .await
            .expect("an answer");
        let busy = ledger.reserve(request(2)).await;
        assert_eq!(busy.expect_err("it is locked").kind(), StoreErrorKind::Busy);
        lock.rollback().await.expect("an answer");
        spend(&ledger, 2).await;
        stands(&ledger, 14).await;
    });
}

#[test]
fn a_statement_that_takes_too_long_is_given_up_and_leaves_nothing() {
    let server = Server::start();
    block_on(async {
        let config = config()
            .with_statement_timeout(Duration::from_millis(80))
            .expect("a good time");
        let ledger = Postgres::connect(&server.url(), config)
            .await
            .expect("the server answers");
        spend(&ledger, 1).await;
        let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
             CREATE TRIGGER slow BEFORE INSERT ON quota_holds FOR EACH ROW EXECUTE FUNCTION slow()";
        on(&server, slow).await;
        let given_up = ledger.reserve(request(2)).await;
        assert_eq!(
            given_up.expect_err("it sleeps").kind(),
            StoreErrorKind::Timeout
        );
        on(&server, "DROP TRIGGER slow ON quota_holds").await;
        stands(&ledger, 7).await;
        spend(&ledger, 2).await;
        stands(&ledger, 14).await;
    });
}

async fn on(server: &Server, statements: &str) {
    let (client, connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls)
        .await
        .expect("the server answers");
    tokio::spawn(connection);
    let statements = format!("SET search_path = palisade; {statements}");
    client
        .batch_execute(&statements)
        .await
        .expect("good statements");
}

/// Set for the process that is going to be killed.
const VICTIM: &str = "PALISADE_TEST_VICTIM";

#[test]
fn a_client_killed_between_any_two_steps_leaves_what_comes_back_by_itself() {
    if let Ok(url) = std::env::var(VICTIM) {
        block_on(work_until_killed(&url));
    }
    let server = Server::start();
    block_on(async {
        let ledger = Postgres::connect(&server.url(), config())
            .await
            .expect("the server answers");
        let mut settled = Vec::new();
        for life in 0..6_u64 {
            let name = "a_client_killed_between_any_two_steps_leaves_what_comes_back_by_itself";
            let mut victim = Command::new(std::env::current_exe().expect("this program"))
                .args(["--exact", name, "--nocapture"])
                .env(VICTIM, server.url())
                .env("PALISADE_TEST_LIFE", life.to_string())
                .stdout(Stdio::piped())
                .spawn()
                .expect("it starts");
            let lines = BufReader::new(victim.stdout.take().expect("a pipe")).lines();
            let words = lines.map_while(Result::ok);
            let acknowledged =
                words.filter_map(|line| line.strip_prefix("settled ")?.parse::<u64>().ok());
            // Somewhere in the middle of what comes after.
            settled.extend(acknowledged.take(5 + 3 * usize::try_from(life).expect("few")));
            victim.kill().expect("it lives");
            victim.wait().expect("it ends");
        }
        for id in &settled {
            let id = ReservationId::from_u128(u128::from(*id));
            let again = ledger.settle(SettleRequest::new(id, amount(7))).await;
            assert!(again.expect("an answer").earlier, "{id} was acknowledged");
        }
        // What was reserved and never settled holds until its time is over, and is no part of what was spent.
        let booked = ledger.balance(&scope()).await.expect("an answer");
        let clock = ManualClock::at(SystemClock.now().saturating_add(Duration::from_secs(602)));
        let later = Postgres::connect(&server.url(), config().with_clock(clock))
            .await
            .expect("the server answers");
        let balance = later.balance(&scope()).await.expect("an answer");
        assert_eq!(balance.held, Amount::ZERO);
        let least = 7 * i64::try_from(settled.len()).expect("few");
        assert!(booked.spent.covers(amount(least)), "{booked:?}");
        assert_eq!(booked.spent.to_columns().0 % 7, 0, "{booked:?}");
    });
}

async fn work_until_killed(url: &str) {
    let ledger = Postgres::connect(url, config()).await.expect("an answer");
    let life: u64 = std::env::var("PALISADE_TEST_LIFE")
        .expect("it is set")
        .parse()
        .expect("a number");
    for round in 0.. {
        let id = life * 1_000_000 + round;
        spend(&ledger, id).await;
        println!("settled {id}");
    }
}
