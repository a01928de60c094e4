//! What the limits promise beyond the rules of the kit: they outlive their process, several processes share one file, and
//! what nobody needs is deleted.
#![cfg(feature = "rate-limit")]

use std::{path::Path, thread, time::Duration};

use palisade_conformance::block_on;
use palisade_core::{Dimension, Key, ManualClock, StoreErrorKind};
use palisade_rate_limit::{
    Charge, CheckRequest, Hold, HoldId, Limit, Outcome, RateLimiter, RateLimiterExt as _,
    ReserveRequest, SettleRequest, Use,
};
use palisade_sqlite::{Sqlite, SqliteConfig};
use rusqlite::Connection;

fn open(path: &Path, clock: &ManualClock) -> Sqlite {
    Sqlite::open(path, SqliteConfig::default().with_clock(clock.clone())).unwrap()
}

fn user(name: impl std::fmt::Display) -> Key {
    Key::new(Dimension::User, name.to_string()).unwrap()
}

fn passes(sqlite: &Sqlite, limit: &Limit, key: &Key, cost: u64) -> bool {
    let charge = Charge::new(limit, key, cost);
    block_on(sqlite.check(CheckRequest::one(&charge)))
        .unwrap()
        .is_allow()
}

fn hold(sqlite: &Sqlite, id: u128, limit: &Limit, key: &Key, cost: u64) -> bool {
    let charge = Charge::new(limit, key, cost);
    let hold = Hold::new(HoldId::from_u128(id));
    let request = ReserveRequest::hold(CheckRequest::one(&charge), hold);
    block_on(sqlite.reserve(request)).unwrap().is_allow()
}

fn settle(sqlite: &Sqlite, id: u128, limit: &Limit, key: &Key, used: u64) -> Outcome {
    let uses = [Use::new(limit, key, 0, used)];
    let request = SettleRequest::new(HoldId::from_u128(id), &uses).unwrap();
    block_on(sqlite.settle(request)).unwrap().outcome()
}

#[test]
fn what_was_used_and_what_is_held_outlive_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("palisade.db");
    let clock = ManualClock::at(palisade_core::Timestamp::from_secs(1_772_452_800));
    let (chat, ann) = (Limit::per_day("chat", 10).unwrap(), user("ann"));
    let open_calls = Limit::concurrency("open", 1).unwrap();
    let before = open(&path, &clock);
    assert!(passes(&before, &chat, &ann, 6));
    assert!(hold(&before, 1, &chat, &ann, 4) && hold(&before, 2, &open_calls, &ann, 1));
    block_on(before.close());

    let after = open(&path, &clock);
    assert!(!passes(&after, &chat, &ann, 1));
    assert!(!hold(&after, 3, &open_calls, &ann, 1));
    assert_eq!(settle(&after, 1, &chat, &ann, 1), Outcome::Settled);
    assert!(passes(&after, &chat, &ann, 3) && !passes(&after, &chat, &ann, 1));
    assert_eq!(settle(&after, 1, &chat, &ann, 1), Outcome::Earlier);
    // Nobody gives the permit back: it comes back by itself.
    clock.advance(Hold::TTL_DEFAULT);
    assert!(hold(&after, 4, &open_calls, &ann, 1));
}

#[test]
fn those_who_share_a_file_never_share_the_last_unit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("palisade.db");
    let clock = ManualClock::at(palisade_core::Timestamp::from_secs(1_772_452_800));
    let limit = Limit::per_day("all", 100).unwrap();
    // Each handle is a connection of its own, as each process has one.
    let nodes: Vec<Sqlite> = (0..4).map(|_| open(&path, &clock)).collect();
    let passed: usize = thread::scope(|scope| {
        let ask = |node| {
            move || {
                (0..50)
                    .filter(|_| passes(node, &limit, &user("all"), 1))
                    .count()
            }
        };
        let racers: Vec<_> = nodes.iter().map(|node| scope.spawn(ask(node))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(passed, 100);
}

#[test]
fn what_says_no_more_than_nothing_would_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("palisade.db");
    let clock = ManualClock::at(palisade_core::Timestamp::from_secs(1_772_452_800));
    let sqlite = open(&path, &clock);
    let limit = Limit::per_second("chat", 1).unwrap();
    for number in 0..600 {
        assert!(hold(&sqlite, number, &limit, &user(number), 1));
    }
    clock.advance(Hold::TTL_DEFAULT);
    for number in 0..256 {
        assert!(passes(&sqlite, &limit, &user(format!("new-{number}")), 1));
    }
    let other = Connection::open(&path).unwrap();
    let rows = |sql: &str| {
        other
            .query_row(sql, (), |row| row.get::<_, u32>(0))
            .unwrap()
    };
    assert_eq!(
        rows("SELECT count(*) FROM limit_counters WHERE name LIKE 'chat b user=new-%'"),
        256
    );
    assert_eq!(rows("SELECT count(*) FROM limit_counters"), 256);
    assert_eq!(rows("SELECT count(*) FROM limit_holds"), 0);
}

#[test]
fn a_refusal_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("palisade.db");
    let clock = ManualClock::at(palisade_core::Timestamp::from_secs(1_772_452_800));
    let sqlite = open(&path, &clock);
    let limit = Limit::per_second("chat", 1).unwrap();
    assert!(!passes(&sqlite, &limit, &user("ann"), 2));
    let other = Connection::open(&path).unwrap();
    let rows: u32 = other
        .query_row("SELECT count(*) FROM limit_counters", (), |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 0);
}

#[test]
fn a_counter_that_is_none_is_damage_and_not_a_fresh_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("palisade.db");
    let clock = ManualClock::at(palisade_core::Timestamp::from_secs(1_772_452_800));
    let sqlite = open(&path, &clock);
    let limit = Limit::per_second("chat", 1).unwrap();
    assert!(passes(&sqlite, &limit, &user("ann"), 1));
    let other = Connection::open(&path).unwrap();
    other
        .execute("UPDATE limit_counters SET state = x'62'", ())
        .unwrap();
    let (ann, bob) = (user("ann"), user("bob"));
    let charge = Charge::new(&limit, &ann, 1);
    let error = block_on(sqlite.check(CheckRequest::one(&charge))).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(passes(&sqlite, &limit, &bob, 1), "the others go on");
    clock.advance(Duration::from_secs(1));
    block_on(sqlite.reset(&limit, &bob)).unwrap();
    assert!(passes(&sqlite, &limit, &bob, 1));
}
