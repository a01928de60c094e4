//! Tables come and go whole, once, and never with data by accident.
#![cfg(all(feature = "quota", feature = "cost"))]

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    sync::Barrier,
    thread,
};

use palisade_conformance::block_on;
use palisade_core::{Key, ModelId, Money, StoreErrorKind, Timestamp, Tokens, Usage};
use palisade_cost::{CostLedger, GroupBy, RecordId, Recorded, ReportQuery, UsageRecord};
use palisade_quota::{Amount, QuotaLedger, ReservationId, ReserveRequest};
use palisade_sqlite::{DropTables, MigrateError, Migrations, Sqlite, SqliteConfig};
use rusqlite::Connection;

const CHILD: &str = "PALISADE_SQLITE_MIGRATION_TEST_FILE";
const STARTERS: usize = 8;

fn open(file: &Path) -> Migrations {
    Migrations::open(file, SqliteConfig::default()).unwrap()
}

fn record() -> UsageRecord {
    UsageRecord::new(
        RecordId::new("r").unwrap(),
        Timestamp::from_secs(1),
        Key::global(),
        ModelId::new("p", "m").unwrap(),
        Usage::default(),
    )
}

/// Everything about the tables that SQLite knows.
fn schema(file: &Path) -> Vec<String> {
    let connection = Connection::open(file).unwrap();
    let mut statement = connection
        .prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name")
        .unwrap();
    let rows = statement.query_map((), |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn reserve_one(sqlite: &Sqlite) {
    let ask = Amount::new(Tokens::new(1), Money::ZERO).unwrap();
    let id = ReservationId::random().unwrap();
    let request = ReserveRequest::new(id, [Key::global()], ask).unwrap();
    assert!(block_on(sqlite.reserve(request)).unwrap().is_allow());
}

#[test]
fn processes_that_start_at_once_apply_each_migration_once() {
    if let Some(file) = env::var_os(CHILD) {
        let sqlite = Sqlite::open(file, SqliteConfig::default()).unwrap();
        reserve_one(&sqlite);
        block_on(sqlite.close());
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let children: Vec<_> = (0..STARTERS)
        .map(|_| {
            Command::new(env::current_exe().unwrap())
                .args([
                    "--exact",
                    "processes_that_start_at_once_apply_each_migration_once",
                ])
                .env(CHILD, &file)
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let applied = open(&file).applied().unwrap();
    let versions: Vec<u32> = applied.iter().map(|migration| migration.version).collect();
    assert_eq!(versions, (1..=Migrations::newest()).collect::<Vec<_>>());
    let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
    let balance = block_on(sqlite.balance(&Key::global())).unwrap();
    assert_eq!(balance.held.tokens(), Tokens::new(STARTERS as u64));
}

#[test]
fn threads_that_start_at_once_on_an_old_file_apply_the_rest_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let mut migrations = open(&file);
    migrations.up().unwrap();
    migrations.down(1, DropTables::Empty).unwrap();
    let barrier = Barrier::new(STARTERS);
    let fresh: usize = thread::scope(|scope| {
        let starters: Vec<_> = (0..STARTERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut migrations = open(&file);
                    barrier.wait();
                    migrations.up().unwrap().len()
                })
            })
            .collect();
        starters
            .into_iter()
            .map(|starter| starter.join().unwrap())
            .sum()
    });
    assert_eq!(fresh, Migrations::newest() as usize - 1);
}

#[test]
fn up_and_down_and_up_again_gives_the_same_tables() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let mut migrations = open(&file);
    assert!(migrations.applied().unwrap().is_empty());
    let up = migrations.up().unwrap();
    assert_eq!(migrations.applied().unwrap(), up);
    let first = schema(&file);
    let mut down = migrations.down(0, DropTables::Empty).unwrap();
    down.reverse();
    assert_eq!(down, up);
    let left: Vec<_> = schema(&file)
        .into_iter()
        .filter(|sql| !sql.contains("palisade_migrations") && !sql.starts_with("sqlite_"))
        .filter(|sql| !sql.contains("sqlite_sequence"))
        .collect();
    assert_eq!(left, [""; 0], "nothing of ours is left");
    migrations.up().unwrap();
    assert_eq!(schema(&file), first);
    assert!(migrations.up().unwrap().is_empty(), "nothing is missing");
}

#[test]
fn a_table_with_rows_is_dropped_only_if_somebody_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
    block_on(async {
        sqlite.record(record()).await.unwrap();
        sqlite.close().await;
    });
    let mut migrations = open(&file);
    let before = schema(&file);
    let refused = migrations.down(0, DropTables::Empty).unwrap_err();
    assert!(
        matches!(
            refused,
            MigrateError::NotEmpty {
                table: "cost_records"
            }
        ),
        "{refused}"
    );
    assert_eq!(schema(&file), before, "all or nothing");

    let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
    block_on(async {
        assert_eq!(sqlite.record(record()).await.unwrap(), Recorded::Before);
        sqlite.close().await;
    });
    migrations.down(0, DropTables::WithData).unwrap();
    let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
    let all = ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::Model);
    assert_eq!(block_on(sqlite.report(all)).unwrap().total.calls, 0);
}

#[test]
fn a_file_of_a_newer_program_or_with_another_script_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    open(&file).up().unwrap();
    let connection = Connection::open(&file).unwrap();
    let refused = || {
        let error = Sqlite::open(&file, SqliteConfig::default()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        open(&file).up().unwrap_err()
    };

    connection
        .execute(
            "INSERT INTO palisade_migrations VALUES (999, 'later', 'x', 0)",
            (),
        )
        .unwrap();
    assert!(matches!(refused(), MigrateError::Newer { version: 999 }));
    connection
        .execute("DELETE FROM palisade_migrations WHERE version = 999", ())
        .unwrap();

    connection
        .execute(
            "UPDATE palisade_migrations SET script = script || ' ' WHERE version = 2",
            (),
        )
        .unwrap();
    assert!(matches!(refused(), MigrateError::Changed { version: 2 }));
}

#[test]
fn a_migration_that_fails_half_way_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    // Somebody else's table of the same name makes the second migration fail, after the first has worked.
    let connection = Connection::open(&file).unwrap();
    connection
        .execute("CREATE TABLE cost_records (theirs)", ())
        .unwrap();
    assert!(open(&file).up().is_err());
    assert!(open(&file).applied().unwrap().is_empty());
    assert!(!schema(&file).iter().any(|sql| sql.contains("quota")));
    connection.execute("DROP TABLE cost_records", ()).unwrap();
    open(&file).up().unwrap();
}
