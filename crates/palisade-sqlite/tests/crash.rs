//! What was answered outlives `kill -9`.
//!
//! The test starts itself as another process, which writes and says on its output what was answered. Somewhere in the
//! midst it is killed; then the file is opened and held against what it had said.
#![cfg(all(unix, feature = "quota", feature = "cost", feature = "trace"))]

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write, stdout},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use palisade_conformance::{Random, block_on, seed};
use palisade_core::{Key, ModelId, Money, Timestamp, Tokens, Usage};
use palisade_cost::{
    CostLedger, CostStatus, GroupBy, RecordId, Recorded, ReportQuery, UsageRecord,
};
use palisade_quota::{
    Amount, Defaults, Outcome, Period, Quota, QuotaLedger, ReservationId, ReserveRequest,
    SettleRequest,
};
use palisade_sqlite::{Durability, Sqlite, SqliteConfig};
use palisade_trace::{ErrorStep, SpanId, Step, Summary, Trace, TraceId, TraceSink, TraceStore};
use rusqlite::Connection;

const CHILD: &str = "PALISADE_SQLITE_CRASH_TEST_FILE";
const SEED: &str = "PALISADE_SQLITE_CRASH_TEST_SEED";
const ROUNDS: u64 = 8;
const TOGETHER: usize = 3;

#[test]
fn everything_answered_is_there_after_a_kill_and_the_books_balance() {
    if let Some(file) = env::var_os(CHILD) {
        work_until_killed(Path::new(&file));
        return;
    }
    let seed = seed();
    let mut random = Random::new(seed);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let mut answered = Answered::default();
    for round in 0..ROUNDS {
        let mut child = start(&file, seed.wrapping_add(round));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Sometimes before the tables are there, mostly in the midst of the work.
        let patience = random.below(600);
        for line in lines.by_ref().take(usize::try_from(patience).unwrap()) {
            answered.note(&line.unwrap());
        }
        child.kill().unwrap();
        // What it had said before it died is still in the pipe; a line that it did not finish was not said.
        for line in lines.map_while(Result::ok) {
            answered.note(&line);
        }
        child.wait().unwrap();
        let place = format!("seed {seed}, round {round}");
        answered.compare(&file, &place);
        the_books_balance(&file, &place);
    }
    assert!(answered.settled.len() > 50, "the children did something");
    assert!(answered.traced.len() > 10, "the children traced something");
}

fn start(file: &Path, seed: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "everything_answered_is_there_after_a_kill_and_the_books_balance",
            "--nocapture",
        ])
        .env(CHILD, file)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn config() -> SqliteConfig {
    let quota = Quota::UNLIMITED.with_period(Period::Lifetime);
    SqliteConfig::default()
        .with_durability(Durability::Process)
        .with_quota_defaults(Defaults::new(quota))
}

fn scopes() -> [Key; 2] {
    ["org=acme", "org=acme/user=ann"].map(|text| Key::parse(text).unwrap())
}

fn amount(tokens: u64) -> Amount {
    Amount::new(Tokens::new(tokens), Money::from_nano_usd(7)).unwrap()
}

fn record(id: &str) -> UsageRecord {
    UsageRecord::new(
        RecordId::new(id).unwrap(),
        Timestamp::from_secs(1),
        Key::global(),
        ModelId::new("p", "m").unwrap(),
        Usage::new(Tokens::new(3), Tokens::new(1)),
    )
    .with_cost(Some(Money::from_pico_usd(1)), CostStatus::Priced)
}

/// Records that are written by one call.
fn together(id: ReservationId) -> Vec<UsageRecord> {
    let names = (0..TOGETHER).map(|index| format!("{id}-{index}"));
    names.map(|name| record(&name)).collect()
}

fn trace(id: ReservationId) -> Trace {
    let id = TraceId::from_bytes(id.as_u128().to_be_bytes()).unwrap();
    let span = SpanId::from_bytes([7; 8]).unwrap();
    let summary = Summary::new(id, span, "chat", Timestamp::from_secs(1));
    Trace::new(summary, vec![Step::new("s", ErrorStep::new("k", "m"))])
}

/// The other process: four callers at once, each saying what it was answered.
fn work_until_killed(file: &Path) {
    let sqlite = Sqlite::open(file, config()).unwrap();
    let seed: u64 = env::var(SEED).unwrap().parse().unwrap();
    thread::scope(|scope| {
        for caller in 0..4_u64 {
            let sqlite = &sqlite;
            scope.spawn(move || {
                let mut random = Random::new(seed.wrapping_mul(31).wrapping_add(caller));
                block_on(async {
                    loop {
                        one_call(sqlite, &mut random).await;
                    }
                });
            });
        }
    });
}

async fn one_call(sqlite: &Sqlite, random: &mut Random) {
    let id = ReservationId::from_u128(u128::from(random.bits()) << 64 | u128::from(random.bits()));
    let ask = random.below(1_000);
    let request = ReserveRequest::new(id, scopes(), amount(ask)).unwrap();
    assert!(sqlite.reserve(request).await.unwrap().is_allow());
    say(&format!("reserved {id} {ask}"));
    match random.below(4) {
        0 => {}
        1 => {
            sqlite.release(id).await.unwrap();
            say(&format!("released {id} 0"));
        }
        _ => {
            let actual = random.below(2_000);
            let settle = SettleRequest::new(id, amount(actual));
            sqlite.settle(settle).await.unwrap();
            say(&format!("settled {id} {actual}"));
            let usage = CostLedger::record(sqlite, record(&id.to_string()))
                .await
                .unwrap();
            assert_eq!(usage, Recorded::New);
            say(&format!("recorded {id} 0"));
        }
    }
    if random.below(4) == 0 {
        let usage = sqlite.record_all(together(id)).await.unwrap();
        assert_eq!(usage, [Recorded::New; TOGETHER]);
        say(&format!("together {id} 0"));
        TraceSink::record(sqlite, trace(id));
        sqlite.flush_traces().await.unwrap();
        say(&format!("traced {id} 0"));
    }
}

/// One line in one piece. The leading line end keeps it apart from what the test harness writes.
fn say(line: &str) {
    let mut out = stdout().lock();
    out.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

#[derive(Default)]
struct Answered {
    reserved: BTreeMap<ReservationId, u64>,
    settled: BTreeMap<ReservationId, u64>,
    released: Vec<ReservationId>,
    recorded: Vec<ReservationId>,
    together: Vec<ReservationId>,
    traced: Vec<ReservationId>,
}

impl Answered {
    fn note(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (Some(what), Some(id), Some(number)) = (words.next(), words.next(), words.next())
        else {
            return;
        };
        let (Ok(id), Ok(number)) = (id.parse::<ReservationId>(), number.parse()) else {
            return;
        };
        match what {
            "reserved" => drop(self.reserved.insert(id, number)),
            "settled" => drop(self.settled.insert(id, number)),
            "released" => self.released.push(id),
            "recorded" => self.recorded.push(id),
            "together" => self.together.push(id),
            "traced" => self.traced.push(id),
            _ => {}
        }
    }

    fn compare(&self, file: &Path, place: &str) {
        let sqlite = Sqlite::open(file, config()).unwrap();
        block_on(async {
            for (id, ask) in &self.reserved {
                let request = ReserveRequest::new(*id, scopes(), amount(*ask)).unwrap();
                let again = sqlite.reserve(request).await.unwrap();
                // Held still, or ended by a call whose answer did not arrive: in no case new.
                if let Some(granted) = again.allowed() {
                    assert!(granted.repeated, "{place}: {id} is forgotten");
                    assert!(!self.settled.contains_key(id) && !self.released.contains(id));
                }
            }
            for (id, actual) in &self.settled {
                let other = SettleRequest::new(*id, amount(999_999));
                let ended = sqlite.settle(other).await.unwrap();
                let (actual, late) = (amount(*actual), false);
                assert_eq!(ended.outcome, Outcome::Settled { actual, late }, "{place}");
                assert!(ended.earlier, "{place}");
            }
            for id in &self.released {
                let ended = sqlite.release(*id).await.unwrap();
                assert_eq!(ended.outcome, Outcome::Released, "{place}");
                assert!(ended.earlier, "{place}");
            }
            for id in &self.recorded {
                let again = CostLedger::record(&sqlite, record(&id.to_string()))
                    .await
                    .unwrap();
                assert_eq!(again, Recorded::Before, "{place}");
            }
            for id in &self.together {
                let again = sqlite.record_all(together(*id)).await.unwrap();
                assert_eq!(again, [Recorded::Before; TOGETHER], "{place}");
            }
            for id in &self.traced {
                let trace = trace(*id);
                let found = sqlite.get(trace.summary.id, &Key::global()).await.unwrap();
                assert_eq!(found, [trace], "{place}");
            }
            let all = ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::Model);
            let total = sqlite.report(all).await.unwrap().total;
            let answered = self.recorded.len() + TOGETHER * self.together.len();
            assert!(total.calls >= answered as u64, "{place}");
            assert_eq!(total.usage.input.get(), 3 * total.calls, "{place}");
            sqlite.close().await;
        });
    }
}

/// What the accounts say is what the holds add up to, answered or not.
fn the_books_balance(file: &Path, place: &str) {
    let connection = Connection::open(file).unwrap();
    let sums = |sql: &str| {
        connection
            .query_row(sql, (), |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
            .unwrap()
    };
    let holds = sums(
        "SELECT coalesce(sum(actual_tokens), 0),
             coalesce(sum(ask_tokens) FILTER (WHERE phase = 0), 0) FROM quota_holds",
    );
    for scope in scopes() {
        let account = sums(&format!(
            "SELECT coalesce(sum(spent_tokens), 0), coalesce(sum(held_tokens), 0)
             FROM quota_accounts WHERE scope = '{scope}'"
        ));
        assert_eq!(account, holds, "{place}, {scope}");
    }
    let sound: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok", "{place}");
}
