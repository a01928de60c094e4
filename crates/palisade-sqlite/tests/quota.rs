//! What the ledger promises beyond the rules of the kit: it forgets, it merges windows, and a call that fails half-way
//! leaves its neighbours alone.
#![cfg(feature = "quota")]

use std::{
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_conformance::{block_on, join_all};
use palisade_core::{Key, ManualClock, Money, StoreErrorKind, Timestamp, Tokens};
use palisade_quota::{
    Amount, Defaults, InMemory, Outcome, Period, Quota, QuotaLedger, ReservationId, ReserveRequest,
    SettleRequest,
};
use palisade_sqlite::{Sqlite, SqliteConfig};
use rusqlite::Connection;
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(86_400);

fn in_file(config: SqliteConfig) -> (TempDir, Sqlite) {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(directory.path().join("palisade.db"), config).unwrap();
    (directory, sqlite)
}

fn other(directory: &TempDir) -> Connection {
    Connection::open(directory.path().join("palisade.db")).unwrap()
}

fn tokens(tokens: u64) -> Amount {
    Amount::new(Tokens::new(tokens), Money::ZERO).unwrap()
}

fn reserve(id: u128, scopes: &[&str], ask: u64) -> ReserveRequest {
    let scopes = scopes.iter().map(|scope| Key::parse(scope).unwrap());
    ReserveRequest::new(ReservationId::from_u128(id), scopes, tokens(ask)).unwrap()
}

fn settle(id: u128, actual: u64) -> SettleRequest {
    SettleRequest::new(ReservationId::from_u128(id), tokens(actual))
}

#[test]
fn a_write_that_fails_half_way_is_undone_and_its_neighbours_stand() {
    let config = SqliteConfig::default()
        .with_busy_timeout(Duration::from_secs(600))
        .with_quota_defaults(Defaults::new(Quota::UNLIMITED));
    let (directory, sqlite) = in_file(config);
    let most = i64::MAX.unsigned_abs();
    block_on(async {
        // One reservation in two scopes, of which the second is then filled to the brim by another.
        assert!(
            sqlite
                .reserve(reserve(1, &["user=a", "user=b"], 5))
                .await
                .unwrap()
                .is_allow()
        );
        assert!(
            sqlite
                .reserve(reserve(2, &["user=b"], 1))
                .await
                .unwrap()
                .is_allow()
        );
        sqlite.settle(settle(2, most)).await.unwrap();
    });
    let lock = other(&directory);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut neighbours = Vec::new();
    let mut failing = Vec::new();
    for number in 0..20_u64 {
        let id = u128::from(100 + number);
        let mut neighbour = Box::pin(sqlite.reserve(reserve(id, &["user=c"], number)));
        // Books in `a`, then finds no room in `b`.
        let mut fails = Box::pin(sqlite.settle(settle(1, 10)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(
            neighbour.as_mut().poll(&mut context),
            Poll::Pending
        ));
        assert!(matches!(fails.as_mut().poll(&mut context), Poll::Pending));
        neighbours.push(neighbour);
        failing.push(fails);
    }
    lock.execute_batch("ROLLBACK").unwrap();
    block_on(async {
        for answer in join_all(failing).await {
            assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Invalid);
        }
        for answer in join_all(neighbours).await {
            assert!(answer.unwrap().is_allow());
        }
        let balance = |scope: &str| {
            let scope = Key::parse(scope).unwrap();
            let sqlite = &sqlite;
            async move { sqlite.balance(&scope).await.unwrap() }
        };
        let a = balance("user=a").await;
        assert_eq!((a.spent, a.held), (Amount::ZERO, tokens(5)));
        assert_eq!(balance("user=c").await.held, tokens((0..20).sum()));
        let released = sqlite.release(ReservationId::from_u128(1)).await.unwrap();
        assert_eq!(released.outcome, Outcome::Released);
    });
}

#[test]
fn the_tables_stop_growing_and_what_still_matters_is_kept() {
    // Noon.
    let clock = ManualClock::at(Timestamp::from_secs(1_795_176_000));
    let remember = Duration::from_secs(3_600);
    let lifetime = Quota::UNLIMITED.with_period(Period::Lifetime);
    let config = SqliteConfig::default()
        .with_clock(clock.clone())
        .with_quota_defaults(Defaults::new(Quota::UNLIMITED))
        .with_quota_remember(remember);
    let (directory, sqlite) = in_file(config);
    block_on(async {
        sqlite
            .set_quota(&Key::parse("user=old").unwrap(), Some(lifetime))
            .await
            .unwrap();
        assert!(
            sqlite
                .reserve(reserve(1, &["user=old"], 1))
                .await
                .unwrap()
                .is_allow()
        );
        sqlite.settle(settle(1, 40)).await.unwrap();
        let held = reserve(2, &["user=long"], 7).with_timeout(DAY).unwrap();
        assert!(sqlite.reserve(held).await.unwrap().is_allow());
        for number in 0..6_000_u64 {
            // A new scope each time, so that windows pile up too, and a minute between them: four days in all.
            let id = u128::from(1_000 + number);
            let scope = format!("user={number}");
            assert!(
                sqlite
                    .reserve(reserve(id, &[&scope], 1))
                    .await
                    .unwrap()
                    .is_allow()
            );
            sqlite.settle(settle(id, 1)).await.unwrap();
            clock.advance(Duration::from_secs(60));
            if number == 1_200 {
                // Taken twenty hours ago, in a day that is over for eight: both longer than is remembered, but it holds.
                let long = sqlite.settle(settle(2, 6)).await.unwrap();
                let (actual, late) = (tokens(6), false);
                assert_eq!(long.outcome, Outcome::Settled { actual, late });
                let sql = "SELECT spent_tokens FROM quota_accounts WHERE scope = 'user=long'";
                let spent = other(&directory).query_row(sql, (), |row| row.get::<_, i64>(0));
                assert_eq!(spent, Ok(6));
            }
        }
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            other(&directory)
                .query_row(&sql, (), |row| row.get::<_, i64>(0))
                .unwrap()
        };
        assert!(
            count("quota_holds") < 1_000,
            "{} holds",
            count("quota_holds")
        );
        assert!(
            count("quota_accounts") < 3_000,
            "{} accounts",
            count("quota_accounts")
        );
        // What lasts for ever is there still.
        let old = sqlite
            .balance(&Key::parse("user=old").unwrap())
            .await
            .unwrap();
        assert_eq!(old.spent, tokens(40));
        // What ended longer ago than is remembered has no name any more; the recent has.
        let forgotten = sqlite
            .release(ReservationId::from_u128(1_000))
            .await
            .unwrap();
        assert_eq!(forgotten.outcome, Outcome::Unknown);
        let recent = sqlite
            .release(ReservationId::from_u128(6_999))
            .await
            .unwrap();
        assert!(matches!(recent.outcome, Outcome::Settled { .. }));
    });
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Reserve(u128, u64),
    Settle(u128, u64),
    Release(u128),
    Calendar(Period),
    Wait(u64),
}

/// What a ledger answers to a move, and how it then stands.
async fn play(ledger: &impl QuotaLedger, action: Move) -> String {
    let scope = Key::parse("user=ann").unwrap();
    let answer = match action {
        Move::Reserve(id, ask) => {
            let long = reserve(id, &["user=ann"], ask).with_timeout(DAY).unwrap();
            format!("{:?}", ledger.reserve(long).await.unwrap())
        }
        Move::Settle(id, actual) => {
            format!("{:?}", ledger.settle(settle(id, actual)).await.unwrap())
        }
        Move::Release(id) => {
            let id = ReservationId::from_u128(id);
            format!("{:?}", ledger.release(id).await.unwrap())
        }
        Move::Calendar(period) => {
            let quota = Quota::default()
                .with_tokens(Some(Tokens::new(1_000)))
                .unwrap();
            let quota = Some(quota.with_period(period));
            format!("{:?}", ledger.set_quota(&scope, quota).await.unwrap())
        }
        Move::Wait(_) => String::new(),
    };
    format!("{answer} {:?}", ledger.balance(&scope).await.unwrap())
}

#[test]
fn windows_that_a_change_of_calendar_puts_together_add_up_as_in_memory() {
    // Noon of 1 November 2026: a day that begins where its month begins, so that the two share a start.
    let clock = ManualClock::at(Timestamp::from_secs(1_793_534_400));
    let config = SqliteConfig::default().with_clock(clock.clone());
    let sqlite = Sqlite::in_memory(config).unwrap();
    let memory = InMemory::new(clock.clone(), Defaults::default());
    block_on(async {
        for action in [
            Move::Reserve(1, 10),
            Move::Settle(1, 30),
            Move::Reserve(2, 100),
            Move::Wait(80_000),
            // The second of November, a window of its own.
            Move::Reserve(3, 7),
            Move::Reserve(4, 8),
            Move::Settle(3, 5),
            // The month takes in both days, with what they hold.
            Move::Calendar(Period::Month),
            Move::Settle(2, 50),
            Move::Settle(4, 9),
            Move::Reserve(4, 8),
            Move::Reserve(5, 3),
            // And becomes a day again, and a month.
            Move::Calendar(Period::Day),
            Move::Release(5),
            Move::Settle(5, 1),
            Move::Calendar(Period::Lifetime),
            Move::Calendar(Period::Month),
            Move::Reserve(6, 900),
            Move::Reserve(7, 1),
        ] {
            if let Move::Wait(secs) = action {
                clock.advance(Duration::from_secs(secs));
            }
            let expected = play(&memory, action).await;
            assert_eq!(play(&sqlite, action).await, expected, "{action:?}");
        }
    });
}
