//! Traces come back as they went in, are counted if they do not, and are found as the ones in memory are.
#![cfg(feature = "trace")]

use std::{collections::BTreeSet, thread, time::Duration};

use palisade_conformance::block_on;
use palisade_core::{Key, ModelId, Money, SystemClock, Timestamp, Tokens, Usage};
use palisade_sqlite::{DropTables, Migrations, Sqlite, SqliteConfig};
use palisade_trace::{
    Candidate, Cursor, ErrorStep, GuardDecision, GuardVerdict, InMemory, LlmCall, Loss, Outcome,
    Recorder, RoutingDecision, SpanId, Step, Summary, ToolCall, Trace, TraceId, TraceQuery,
    TraceSink, TraceStatus, TraceStore,
};
use proptest::{collection::vec, prelude::*, sample::select};
use tempfile::TempDir;

fn in_file(config: SqliteConfig) -> (TempDir, Sqlite) {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(directory.path().join("palisade.db"), config).unwrap();
    (directory, sqlite)
}

fn trace(secs: i64, principal: &str) -> Trace {
    let started = Timestamp::from_secs(secs);
    let mut summary = Summary::new(TraceId::random(), SpanId::random(), "chat", started);
    summary.principal = Key::parse(principal).unwrap();
    Trace::new(summary, Vec::new())
}

async fn all(store: &impl TraceStore, mut query: TraceQuery) -> Vec<Summary> {
    let mut items = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        items.extend(page.items);
        match page.next {
            Some(next) => query = query.with_after(next),
            None => return items,
        }
    }
}

#[test]
fn a_trace_comes_back_as_it_went_in_also_from_a_file_opened_again() {
    let (directory, sqlite) = in_file(SqliteConfig::default());
    let model = ModelId::new("anthropic", "claude").unwrap();
    let cost: Money = "0.000000000001".parse().unwrap();
    let mut trace = trace(1_795_132_800, "org=a%2Fb/user=ann");
    trace.summary.model = Some(model.clone());
    trace.summary.status = TraceStatus::Refused;
    trace.summary.reason = Some("quota".into());
    trace.summary.parent = Some(SpanId::random());
    trace.summary.cost = cost;
    trace.summary.duration = Duration::from_nanos(1_234_567_891);
    let call = LlmCall::new(model.clone(), 2, Outcome::failed("timeout"))
        .with_usage(Usage::new(Tokens::new(u64::MAX), Tokens::new(1)))
        .with_cost(cost)
        .with_ttft(Duration::from_nanos(7));
    let candidate = Candidate::new(model.clone()).with_score(0.1);
    trace.steps = vec![
        Step::new(
            "scan",
            GuardVerdict::new("injection", GuardDecision::Flag).with_score(0.3),
        ),
        Step::new(
            "route",
            RoutingDecision::new(Some(model), "r").with_candidates([candidate]),
        ),
        Step::new("call", call).with_span(SpanId::random()),
        Step::new("tool", ToolCall::new("search", Outcome::Cancelled)),
        Step::new(
            "error",
            ErrorStep::new("k", "\u{0}'; DROP TABLE traces; --"),
        ),
    ];
    block_on(async {
        sqlite.record(trace.clone());
        sqlite.flush_traces().await.unwrap();
        let global = Key::global();
        assert_eq!(
            sqlite.get(trace.summary.id, &global).await.unwrap(),
            [trace.clone()]
        );
        sqlite.close().await;
        let file = directory.path().join("palisade.db");
        let sqlite = Sqlite::open(file, SqliteConfig::default()).unwrap();
        assert_eq!(
            sqlite.get(trace.summary.id, &global).await.unwrap(),
            [trace.clone()]
        );
        let listed = all(&sqlite, TraceQuery::new(global)).await;
        assert_eq!(listed, [trace.summary]);
    });
}

/// A trace as the versions before wrote it.
fn write_in_two_tables(connection: &rusqlite::Connection, trace: &Trace) {
    let summary = &trace.summary;
    let json = (
        serde_json::to_string(summary).unwrap(),
        serde_json::to_string(&trace.steps).unwrap(),
    );
    connection
        .execute(
            "INSERT INTO traces (id, span, started, org, principal, status, summary)
             VALUES (?1, ?2, ?3, 'org=acme', ?4, ?5, ?6)",
            (
                summary.id.as_bytes(),
                summary.span.as_bytes(),
                summary.started.as_nanos(),
                summary.principal.as_str(),
                summary.status.as_str(),
                json.0,
            ),
        )
        .unwrap();
    connection
        .execute(
            "INSERT INTO trace_steps VALUES (last_insert_rowid(), ?1)",
            [json.1],
        )
        .unwrap();
}

#[test]
fn traces_of_an_older_version_are_found_beside_new_ones_and_go_with_their_steps() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let mut migrations = Migrations::open(&file, SqliteConfig::default()).unwrap();
    migrations.up().unwrap();
    migrations.down(5, DropTables::Empty).unwrap();
    let connection = rusqlite::Connection::open(&file).unwrap();
    let mut traces: Vec<Trace> = (0..6).map(|secs| trace(secs, "org=acme")).collect();
    for trace in &mut traces {
        let verdict = GuardVerdict::new("g", GuardDecision::Allow);
        trace.steps.push(Step::new("g", verdict));
    }
    for old in &traces[..4] {
        write_in_two_tables(&connection, old);
    }
    let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
    block_on(async {
        for new in &traces[3..] {
            sqlite.record(new.clone());
        }
        sqlite.flush_traces().await.unwrap();
        assert_eq!(sqlite.losses().by(Loss::Duplicate), 1);
        for trace in &traces {
            let found = sqlite.get(trace.summary.id, &Key::global()).await.unwrap();
            assert_eq!(found, std::slice::from_ref(trace));
        }
        let within = TraceQuery::new(Key::parse("org=acme").unwrap());
        let listed = all(&sqlite, within).await;
        let expected = traces.iter().rev().map(|trace| trace.summary.clone());
        assert_eq!(listed, expected.collect::<Vec<_>>());
        let forgotten = sqlite.forget_traces(Timestamp::from_secs(2), 9).await;
        assert_eq!(forgotten.unwrap(), 2);
        sqlite.close().await;
    });
    let count = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, (), |row| row.get(0)).unwrap()
    };
    assert_eq!((count("traces"), count("trace_steps")), (4, 2));

    // The version before cannot read the new ones.
    assert!(migrations.down(5, DropTables::Empty).is_err());
    migrations.down(5, DropTables::WithData).unwrap();
    assert_eq!((count("traces"), count("trace_steps")), (2, 2));
}

#[test]
fn every_trace_of_a_burst_is_written_and_closing_waits_for_it() {
    let (directory, sqlite) = in_file(SqliteConfig::default());
    let recorder = Recorder::new(sqlite.clone(), SystemClock);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_500 {
                    let trace = recorder.start("chat", None);
                    trace.add(Step::new("s", GuardVerdict::new("g", GuardDecision::Allow)));
                    trace.end(TraceStatus::Ok);
                }
            });
        }
    });
    block_on(sqlite.close());
    assert_eq!(sqlite.losses().accepted(), 10_000);
    assert_eq!(sqlite.losses().total(), 0);
    sqlite.record(trace(1, ""));
    assert_eq!(sqlite.losses().by(Loss::Closed), 1);
    let file = directory.path().join("palisade.db");
    let sqlite = Sqlite::open(file, SqliteConfig::default()).unwrap();
    let query = TraceQuery::new(Key::global()).with_limit(500).unwrap();
    let listed = block_on(all(&sqlite, query));
    let spans: BTreeSet<_> = listed.iter().map(|summary| summary.span).collect();
    assert_eq!((listed.len(), spans.len()), (10_000, 10_000));
}

#[test]
fn what_the_buffer_cannot_take_is_counted_and_the_rest_is_written() {
    let (directory, sqlite) = in_file(
        SqliteConfig::default()
            .with_trace_queue_bytes_max(20_000)
            .with_busy_timeout(Duration::from_secs(600)),
    );
    let other = rusqlite::Connection::open(directory.path().join("palisade.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut large = trace(0, "");
    large
        .steps
        .push(Step::new("s", ErrorStep::new("k", "x".repeat(20_000))));
    sqlite.record(large);
    for secs in 0..1_000 {
        sqlite.record(trace(secs, "org=acme"));
    }
    let twin = trace(5, "org=acme");
    other.execute_batch("ROLLBACK").unwrap();
    block_on(async {
        sqlite.flush_traces().await.unwrap();
        sqlite.record(twin.clone());
        sqlite.record(twin);
        sqlite.flush_traces().await.unwrap();
        let kept = all(&sqlite, TraceQuery::new(Key::global())).await.len() as u64;
        let losses = sqlite.losses();
        assert_eq!(losses.accepted(), 1_003);
        assert_eq!(losses.total(), losses.accepted() - kept);
        assert_eq!(losses.by(Loss::TooLarge), 1);
        assert_eq!(losses.by(Loss::Duplicate), 1);
        assert!(losses.by(Loss::QueueFull) > 900 && kept > 10, "{losses:?}");
    });
}

#[test]
fn traces_that_the_file_refuses_are_counted_and_nobody_is_held_up() {
    let config = SqliteConfig::default()
        .with_file_bytes_max(Some(SqliteConfig::FILE_BYTES_MIN))
        .unwrap();
    let (_directory, sqlite) = in_file(config);
    for secs in 0..3_000 {
        sqlite.record(trace(secs, "org=acme"));
    }
    block_on(async {
        sqlite.flush_traces().await.unwrap();
        let query = TraceQuery::new(Key::global()).with_limit(500).unwrap();
        let kept = all(&sqlite, query).await.len() as u64;
        let losses = sqlite.losses();
        assert!(
            kept > 0 && losses.by(Loss::Store) > 0,
            "{kept} kept, {losses:?}"
        );
        assert_eq!(losses.total(), losses.accepted() - kept);
    });
}

#[test]
fn the_traces_written_first_make_room() {
    let config = SqliteConfig::default().with_traces_max(100).unwrap();
    let (_directory, sqlite) = in_file(config);
    block_on(async {
        for secs in 0..2_000 {
            sqlite.record(trace(secs, ""));
        }
        sqlite.flush_traces().await.unwrap();
        let kept = all(&sqlite, TraceQuery::new(Key::global())).await;
        let secs: Vec<_> = kept
            .iter()
            .map(|summary| summary.started.as_secs())
            .collect();
        assert_eq!(secs, (1_900..2_000).rev().collect::<Vec<_>>());
        let losses = sqlite.losses();
        assert_eq!((losses.accepted(), losses.total()), (2_000, 1_900));
        assert_eq!(losses.by(Loss::Evicted), 1_900);
        assert_eq!(
            sqlite
                .forget_traces(Timestamp::from_secs(1_950), 30)
                .await
                .unwrap(),
            30
        );
        assert_eq!(
            sqlite
                .forget_traces(Timestamp::from_secs(1_950), 30)
                .await
                .unwrap(),
            20
        );
        assert_eq!(all(&sqlite, TraceQuery::new(Key::global())).await.len(), 50);
        assert_eq!(sqlite.losses(), losses, "who asked knows of these");
    });
}

#[test]
fn what_goes_from_a_full_file_is_counted_by_whoever_makes_it_go() {
    let config = SqliteConfig::default().with_traces_max(100).unwrap();
    let (directory, first) = in_file(config.clone());
    let second = Sqlite::open(directory.path().join("palisade.db"), config).unwrap();
    block_on(async {
        for (sqlite, begin, count) in [(&first, 0, 80), (&second, 80, 50), (&first, 130, 90)] {
            for secs in begin..begin + count {
                sqlite.record(trace(secs, "org=acme"));
            }
            sqlite.flush_traces().await.unwrap();
        }
        let evicted = [&first, &second].map(|sqlite| sqlite.losses().by(Loss::Evicted));
        assert_eq!(evicted, [90, 30]);
        let totals = [&first, &second].map(|sqlite| sqlite.losses().total());
        assert_eq!(totals, evicted);
        assert_eq!(
            all(&second, TraceQuery::new(Key::global())).await.len(),
            100
        );
    });
}

fn principals() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "org=acme",
        "org=acme/user=ann",
        "org=acme/project=p/user=bob",
        "org=other/user=ann",
        "user=ann",
        "org=evil%2Fuser%3Dann/user=x",
        "org=acme/user=a%25n",
    ])
}

fn traces() -> impl Strategy<Value = Trace> {
    let status = select(vec![
        TraceStatus::Ok,
        TraceStatus::Refused,
        TraceStatus::Abandoned,
    ]);
    let model = proptest::option::of(select(vec!["m", "n"]));
    (-5..30_i64, principals(), status, model).prop_map(|(secs, principal, status, model)| {
        let mut trace = trace(secs, principal);
        trace.summary.status = status;
        trace.summary.model = model.map(|model| ModelId::new("p", model).unwrap());
        trace
    })
}

fn queries() -> impl Strategy<Value = TraceQuery> {
    let status = proptest::option::of(select(vec![TraceStatus::Ok, TraceStatus::Refused]));
    let bounds = (
        proptest::option::of(-5..30_i64),
        proptest::option::of(-5..30_i64),
    );
    (principals(), status, bounds, any::<bool>(), 1..6_usize).prop_map(
        |(within, status, (from, to), by_model, limit)| {
            let mut query = TraceQuery::new(Key::parse(within).unwrap());
            query.status = status;
            query.from = from.map(Timestamp::from_secs);
            query.to = to.map(Timestamp::from_secs);
            query.model = by_model.then(|| ModelId::new("p", "m").unwrap());
            query.with_limit(limit).unwrap()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn lists_and_lookups_agree_with_the_store_in_memory(
        traces in vec(traces(), 0..40),
        queries in vec(queries(), 1..10),
        requests_of_one_trace in 1..4_usize,
    ) {
        block_on(async {
            let sqlite = Sqlite::in_memory(SqliteConfig::default()).unwrap();
            let memory = InMemory::new(1 << 24);
            let mut id = TraceId::random();
            for (index, mut trace) in traces.into_iter().enumerate() {
                // Requests of one client share a trace.
                if index % requests_of_one_trace == 0 {
                    id = trace.summary.id;
                }
                trace.summary.id = id;
                sqlite.record(trace.clone());
                memory.record(trace);
            }
            sqlite.flush_traces().await.unwrap();
            prop_assert_eq!(sqlite.losses(), memory.losses());
            for mut query in queries {
                loop {
                    let expected = memory.list(&query).await.unwrap();
                    let found = sqlite.list(&query).await.unwrap();
                    prop_assert_eq!(&found, &expected);
                    for summary in &found.items {
                        let expected = memory.get(summary.id, &query.within).await.unwrap();
                        let found = sqlite.get(summary.id, &query.within).await.unwrap();
                        prop_assert_eq!(found, expected);
                    }
                    match expected.items.last().map(Cursor::of).filter(|_| expected.next.is_some()) {
                        Some(next) => query = query.with_after(next),
                        None => break,
                    }
                }
            }
            Ok(())
        })?;
    }
}
