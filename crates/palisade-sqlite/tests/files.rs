//! A file that is locked, damaged, full, read-only or closed: an answer that says so, and nothing lost.
#![cfg(all(feature = "quota", feature = "cost"))]

use std::{
    fs,
    future::Future,
    path::Path,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_conformance::{block_on, join_all};
use palisade_core::{
    Key, ModelId, Probe, Status, StoreError, StoreErrorKind, Timestamp, Tokens, Usage,
};
use palisade_cost::{CostLedger, GroupBy, RecordId, Recorded, ReportQuery, UsageRecord};
use palisade_quota::{Amount, QuotaLedger, ReservationId, ReserveRequest};
use palisade_sqlite::{Migrations, Sqlite, SqliteConfig};
use rusqlite::Connection;

fn record(number: usize) -> UsageRecord {
    UsageRecord::new(
        RecordId::new(&format!("record-{number:08}")).unwrap(),
        Timestamp::from_secs(1),
        Key::parse("org=acme/user=7").unwrap(),
        ModelId::new("openai", "m").unwrap(),
        Usage::new(Tokens::new(10), Tokens::new(1)),
    )
}

async fn count(sqlite: &Sqlite) -> u64 {
    let all = ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::Model);
    sqlite.report(all).await.unwrap().total.calls
}

fn kind<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

type Recording<'a> = Pin<Box<dyn Future<Output = Result<Recorded, StoreError>> + 'a>>;

/// Asks for many records, without waiting for an answer.
fn ask_for<'a>(sqlite: &'a Sqlite, numbers: std::ops::Range<usize>) -> Vec<Recording<'a>> {
    numbers
        .map(|number| {
            let mut recording: Recording<'a> = Box::pin(sqlite.record(record(number)));
            match recording
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Pending => recording,
                Poll::Ready(answer) => Box::pin(async { answer }),
            }
        })
        .collect()
}

#[test]
fn a_locked_file_is_busy_and_works_again_when_it_is_let_go() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let config = SqliteConfig::default().with_busy_timeout(Duration::from_millis(1));
    let sqlite = Sqlite::open(&file, config).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    block_on(async {
        let error = sqlite.record(record(1)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Busy);
        assert!(error.is_transient());
        assert_eq!(sqlite.health().status, Status::Degraded);
        assert_eq!(count(&sqlite).await, 0, "readers go on");
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(sqlite.record(record(1)).await.unwrap(), Recorded::New);
        assert_eq!(sqlite.health().status, Status::Up);
    });
}

#[test]
fn beyond_the_bound_of_the_queue_the_answer_is_busy_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let config = SqliteConfig::default()
        .with_busy_timeout(Duration::from_secs(600))
        .with_queue_max(4)
        .unwrap();
    let sqlite = Sqlite::open(&file, config).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The writer has taken at most four and waits for the lock; four more fit into the queue.
    let asked = ask_for(&sqlite, 0..40);
    other.execute_batch("ROLLBACK").unwrap();
    let answers = block_on(join_all(asked));
    let kept = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!((4..=8).contains(&kept), "{kept} were taken");
    for refused in answers.into_iter().filter_map(Result::err) {
        assert_eq!(refused.kind(), StoreErrorKind::Busy);
    }
    assert_eq!(block_on(count(&sqlite)), kept as u64);
}

#[test]
fn what_is_no_database_is_corrupt() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    fs::write(
        &file,
        "not a database at all, but long enough to look at ".repeat(100),
    )
    .unwrap();
    assert_eq!(
        kind(Sqlite::open(&file, SqliteConfig::default())),
        StoreErrorKind::Corrupt
    );
    let nowhere = directory.path().join("no/such/directory/palisade.db");
    assert_eq!(
        kind(Sqlite::open(nowhere, SqliteConfig::default())),
        StoreErrorKind::Unavailable
    );
}

#[test]
fn damage_is_found_and_named_and_never_answered_with_a_guess() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    filled(&file, 2_000);
    let mut bytes = fs::read(&file).unwrap();
    // The first pages, with the list of tables and of migrations, stay whole.
    let from = bytes.len() / 2;
    bytes[from..].fill(0xA5);
    fs::write(&file, bytes).unwrap();
    let Ok(sqlite) = Sqlite::open(&file, SqliteConfig::default()) else {
        panic!("the tables are there");
    };
    block_on(async {
        let all = ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::Model);
        let error = sqlite.report(all).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert!(!error.is_transient());
    });
}

#[test]
fn a_file_opened_to_look_at_answers_questions_and_refuses_writes() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let looking = || SqliteConfig::default().with_read_only(true);
    assert_eq!(
        kind(Sqlite::open(&file, looking())),
        StoreErrorKind::Unavailable,
        "not made"
    );
    drop(Migrations::open(&file, SqliteConfig::default()).unwrap());
    assert_eq!(
        kind(Sqlite::open(&file, looking())),
        StoreErrorKind::Corrupt,
        "no tables"
    );
    filled(&file, 3);
    let sqlite = Sqlite::open(&file, looking()).unwrap();
    block_on(async {
        assert_eq!(count(&sqlite).await, 3);
        let balance = sqlite.balance(&Key::global()).await.unwrap();
        assert!(balance.spent.is_zero());
        assert_eq!(
            kind(sqlite.record(record(9)).await),
            StoreErrorKind::Unwritable
        );
        let ask = Amount::new(Tokens::new(1), palisade_core::Money::ZERO).unwrap();
        let id = ReservationId::from_u128(1);
        let request = ReserveRequest::new(id, [Key::global()], ask).unwrap();
        assert_eq!(
            kind(sqlite.reserve(request).await),
            StoreErrorKind::Unwritable
        );
        assert_eq!(count(&sqlite).await, 3);
    });
}

#[test]
fn a_full_file_refuses_what_does_not_fit_and_keeps_what_did() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let config = SqliteConfig::default()
        .with_file_bytes_max(Some(SqliteConfig::FILE_BYTES_MIN))
        .unwrap();
    let sqlite = Sqlite::open(&file, config).unwrap();
    block_on(async {
        // In groups, so that some that fit share a transaction with some that do not.
        let mut kept = Vec::new();
        let mut refused = 0;
        for group in 0..200 {
            let numbers = group * 50..(group + 1) * 50;
            let answers = join_all(ask_for(&sqlite, numbers.clone())).await;
            for (number, answer) in numbers.zip(answers) {
                match answer {
                    Ok(recorded) => {
                        assert_eq!(recorded, Recorded::New);
                        kept.push(number);
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), StoreErrorKind::Unwritable);
                        refused += 1;
                    }
                }
            }
            if refused > 100 {
                break;
            }
        }
        assert!(
            refused > 100 && kept.len() > 100,
            "{} kept, {refused} refused",
            kept.len()
        );
        assert_eq!(sqlite.health().status, Status::Down);
        assert_eq!(count(&sqlite).await, kept.len() as u64, "reads go on");
        for number in &kept {
            assert_eq!(
                sqlite.record(record(*number)).await.unwrap(),
                Recorded::Before
            );
        }
        // Room is made by forgetting.
        let forgotten = sqlite.forget_usage(Timestamp::MAX, 100).await.unwrap();
        assert_eq!(forgotten, 100);
        assert_eq!(sqlite.record(record(999_999)).await.unwrap(), Recorded::New);
        assert_eq!(sqlite.health().status, Status::Up);
    });
    let bytes = fs::metadata(&file).unwrap().len();
    assert!(bytes <= SqliteConfig::FILE_BYTES_MIN, "{bytes} bytes");
}

#[test]
fn records_that_are_kept_together_are_all_refused_by_a_full_file() {
    let directory = tempfile::tempdir().unwrap();
    let config = SqliteConfig::default()
        .with_file_bytes_max(Some(SqliteConfig::FILE_BYTES_MIN))
        .unwrap();
    let sqlite = Sqlite::open(directory.path().join("palisade.db"), config).unwrap();
    block_on(async {
        let batch = |first: usize| (first..first + 50).map(record).collect::<Vec<_>>();
        let mut kept = Vec::new();
        let mut refused = 0;
        for first in (0..10_000).step_by(50) {
            match sqlite.record_all(batch(first)).await {
                Ok(recorded) => {
                    assert_eq!(recorded, [Recorded::New; 50]);
                    kept.push(first);
                }
                Err(error) => {
                    assert_eq!(error.kind(), StoreErrorKind::Unwritable);
                    refused += 1;
                }
            }
            if refused > 3 {
                break;
            }
        }
        assert!(refused > 3 && kept.len() > 3, "{} kept", kept.len());
        assert_eq!(count(&sqlite).await, 50 * kept.len() as u64);
        for first in kept {
            let again = sqlite.record_all(batch(first)).await.unwrap();
            assert_eq!(again, [Recorded::Before; 50]);
        }
        assert_eq!(sqlite.record_all([]).await.unwrap(), []);
        sqlite.close().await;
        assert_eq!(
            kind(sqlite.record_all(batch(0)).await),
            StoreErrorKind::Closed
        );
    });
}

#[test]
fn closing_writes_what_was_accepted_and_refuses_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
    block_on(async {
        let asked = ask_for(&sqlite, 0..300);
        // Nobody waits for these: the writes stand all the same.
        drop(ask_for(&sqlite, 300..400));
        sqlite.close().await;
        for answer in join_all(asked).await {
            assert_eq!(answer.unwrap(), Recorded::New);
        }
        let clone = sqlite.clone();
        assert_eq!(kind(clone.record(record(1)).await), StoreErrorKind::Closed);
        assert_eq!(
            kind(clone.balance(&Key::global()).await),
            StoreErrorKind::Closed
        );
        clone.close().await;
    });
    let log = directory.path().join("palisade.db-wal");
    assert!(!log.exists(), "the log is back in the file");
    let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
    assert_eq!(block_on(count(&sqlite)), 400);
}

#[test]
fn a_write_whose_caller_leaves_is_done_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
    // Long enough for the writer's thread to have nothing to do and to rest.
    assert!((0..2_000).all(|_| block_on(count(&sqlite)) == 0));
    drop(ask_for(&sqlite, 0..1));
    // Nobody writes any more; reading takes long enough for the thread to wake.
    let written = (0..20_000).any(|_| block_on(count(&sqlite)) == 1);
    assert!(written, "the write waits for somebody who never comes");
}

#[test]
fn one_failing_write_does_not_take_its_group_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let config = SqliteConfig::default().with_busy_timeout(Duration::from_secs(600));
    let sqlite = Sqlite::open(&file, config).unwrap();
    let reserve = |id, tokens| {
        let ask = Amount::new(Tokens::new(tokens), palisade_core::Money::ZERO).unwrap();
        let scope = Key::parse("user=ann").unwrap();
        ReserveRequest::new(ReservationId::from_u128(id), [scope], ask).unwrap()
    };
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // All of these wait for the lock and then share a transaction or two.
    let asked: Vec<_> = (0..60_u64)
        .map(|number| {
            // Every third asks for an id that is in use for something else.
            let id = if number % 3 == 2 { number - 1 } else { number };
            let mut future = Box::pin(sqlite.reserve(reserve(u128::from(id), number + 1)));
            let first = future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(first.is_pending());
            future
        })
        .collect();
    other.execute_batch("ROLLBACK").unwrap();
    let answers = block_on(join_all(asked));
    let mut held = 0;
    for (number, answer) in (0_u64..).zip(answers) {
        if number % 3 == 2 {
            assert_eq!(kind(answer), StoreErrorKind::Invalid);
        } else {
            assert!(answer.unwrap().is_allow());
            held += number + 1;
        }
    }
    let scope = Key::parse("user=ann").unwrap();
    let balance = block_on(sqlite.balance(&scope)).unwrap();
    assert_eq!(balance.held.tokens(), Tokens::new(held));
}

#[test]
fn a_transaction_that_sqlite_gives_up_is_tried_again_write_by_write() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let config = SqliteConfig::default().with_busy_timeout(Duration::from_secs(600));
    let sqlite = Sqlite::open(&file, config).unwrap();
    let other = Connection::open(&file).unwrap();
    // A trigger does what a broken disk would: one write, and everything in its transaction is undone.
    other
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON cost_records WHEN new.id = 'record-00000033'
             BEGIN SELECT RAISE (ROLLBACK, 'broken'); END;
             BEGIN IMMEDIATE",
        )
        .unwrap();
    let asked = ask_for(&sqlite, 0..60);
    other.execute_batch("ROLLBACK").unwrap();
    for (number, answer) in block_on(join_all(asked)).into_iter().enumerate() {
        if number == 33 {
            assert_eq!(kind(answer), StoreErrorKind::Invalid);
        } else {
            assert_eq!(answer.unwrap(), Recorded::New);
        }
    }
    assert_eq!(block_on(count(&sqlite)), 59);
}

/// A file with so many records, closed.
fn filled(file: &Path, records: usize) {
    let sqlite = Sqlite::open(file, SqliteConfig::default()).unwrap();
    block_on(async {
        for answer in join_all(ask_for(&sqlite, 0..records)).await {
            answer.unwrap();
        }
        sqlite.close().await;
    });
}
