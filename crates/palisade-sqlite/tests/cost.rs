//! The usage log answers as the one in memory does, whatever is recorded and asked.
#![cfg(feature = "cost")]

use palisade_conformance::{block_on, join_all};
use palisade_core::{Key, ModelId, Money, StoreErrorKind, Timestamp, Tokens, Usage};
use palisade_cost::{
    CostLedger, CostStatus, GroupBy, InMemory, Layer, RecordId, Recorded, ReportOrder, ReportQuery,
    UsageRecord,
};
use palisade_sqlite::{Sqlite, SqliteConfig};
use proptest::{collection::vec, prelude::*, sample::select};

const DAY: i64 = 86_400_000_000_000;

fn record(id: u32) -> UsageRecord {
    UsageRecord::new(
        RecordId::new(&format!("r{id}")).unwrap(),
        Timestamp::from_secs(1_795_132_800),
        Key::parse("org=acme/user=7").unwrap(),
        ModelId::new("openai", "m").unwrap(),
        Usage::new(Tokens::new(10), Tokens::new(5)),
    )
    .with_cost(Some(Money::from_pico_usd(1)), CostStatus::Priced)
}

fn subjects() -> impl Strategy<Value = Key> {
    select(vec![
        "",
        "org=acme",
        "org=acme/user=7",
        "org=other/user=7",
        "org=acme/project=p/user=7",
        "org=acme/project=p/user=8/api_key=k/ip=1.2.3.4",
        "user=7",
        // Values that only look like other parts.
        "org=acme%2Fuser%3D7",
        "org=acme/user=%27%20OR%201%3D1--",
    ])
    .prop_map(|text| Key::parse(text).unwrap())
}

/// Counts of every size, the absurd ones too.
fn counts() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => 0..100_000_u64,
        1 => Just(1 << 40),
        1 => Just((1 << 40) + 1),
        1 => (0..1_000_u64).prop_map(|less| (u64::MAX >> 8) - less),
    ]
}

fn costs() -> impl Strategy<Value = Option<Money>> {
    let pico = prop_oneof![
        6 => 0..10_000_000_000_000_i128,
        1 => -1_000_000_i128..0,
        1 => Just(i128::from(i64::MAX)),
        1 => Just(i128::from(i64::MIN)),
        1 => Just(i128::from(i64::MAX) + 1),
        1 => Just(i128::MAX >> 10),
    ];
    proptest::option::weighted(0.8, pico.prop_map(Money::from_pico_usd))
}

fn records() -> impl Strategy<Value = UsageRecord> {
    let names = (
        subjects(),
        select(vec![("openai", "m"), ("openai", "n"), ("azure", "m")]),
        select(vec!["answer", "router"]),
        select(CostStatus::ALL.to_vec()),
    );
    // Around midnight and around the epoch, where a day begins before 1970.
    let at = prop_oneof![-3 * DAY..3 * DAY, select(vec![-DAY, -1, 0, DAY - 1, DAY])];
    (0..60_u32, at, names, vec(counts(), 14), costs()).prop_map(|(id, at, names, n, cost)| {
        let (subject, (provider, model), layer, status) = names;
        let mut usage = Usage::new(Tokens::new(n[0]), Tokens::new(n[1]));
        usage.cache_read = Tokens::new(n[2]);
        usage.cache_write_5m = Tokens::new(n[3]);
        usage.cache_write_1h = Tokens::new(n[4]);
        usage.reasoning = Tokens::new(n[5]);
        usage.input_audio = Tokens::new(n[6]);
        usage.output_audio = Tokens::new(n[7]);
        usage.cache_read_audio = Tokens::new(n[8]);
        usage.input_image = Tokens::new(n[9]);
        usage.input_video = Tokens::new(n[10]);
        usage.citation = Tokens::new(n[11]);
        (usage.web_search_requests, usage.search_units) = (n[12], n[13]);
        let id = RecordId::new(&format!("r{id}")).unwrap();
        let model = ModelId::new(provider, model).unwrap();
        UsageRecord::new(id, Timestamp::from_nanos(at), subject, model, usage)
            .with_layer(Layer::new(layer).unwrap())
            .with_cost(cost, status)
    })
}

fn queries() -> impl Strategy<Value = ReportQuery> {
    let span = (-3 * DAY..3 * DAY, -3 * DAY..3 * DAY);
    let within = select(vec![
        "",
        "",
        "org=acme",
        "user=7",
        "org=acme/user=7",
        "org=acme/project=p",
        "api_key=k",
        "org=acme/user=%27%20OR%201%3D1--",
    ]);
    let order = select(vec![ReportOrder::Group, ReportOrder::Cost]);
    (
        span,
        any::<bool>(),
        select(GroupBy::ALL.to_vec()),
        within,
        order,
        1..5_usize,
    )
        .prop_map(|((from, until), all, by, within, order, limit)| {
            let (from, until) = if all {
                (Timestamp::MIN, Timestamp::MAX)
            } else {
                (Timestamp::from_nanos(from), Timestamp::from_nanos(until))
            };
            ReportQuery::new(from, until, by)
                .with_within(Key::parse(within).unwrap())
                .and_then(|query| query.with_order(order).with_limit(limit))
                .unwrap()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn reports_agree_with_the_ledger_in_memory(
        records in vec(records(), 0..80),
        together in 0..20_usize,
        queries in vec(queries(), 1..12),
    ) {
        block_on(async {
            let sqlite = Sqlite::in_memory(SqliteConfig::default()).unwrap();
            let memory = InMemory::new(1_000);
            for some in records.chunks(together.max(1)) {
                let recorded = if together == 0 {
                    vec![sqlite.record(some[0].clone()).await.unwrap()]
                } else {
                    sqlite.record_all(some).await.unwrap()
                };
                for (record, recorded) in some.iter().zip(&recorded) {
                    prop_assert_eq!(*recorded, memory.record(record.clone()).await.unwrap());
                }
                prop_assert_eq!(recorded.len(), some.len());
            }
            for query in queries {
                let expected = memory.report(query.clone()).await;
                let found = sqlite.report(query.clone()).await;
                match expected {
                    Ok(report) => prop_assert_eq!(found.unwrap(), report.clone()),
                    Err(error) => prop_assert_eq!(found.unwrap_err().kind(), error.kind()),
                }
            }
            Ok(())
        })?;
    }
}

#[test]
fn pages_continue_where_the_last_one_ended() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
    block_on(async {
        for user in 0..25_u32 {
            let mut record = record(user);
            record.subject = Key::parse(&format!("org=acme/user={user}")).unwrap();
            sqlite.record(record).await.unwrap();
        }
        let mut query = ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::User)
            .with_limit(10)
            .unwrap();
        let mut groups = Vec::new();
        loop {
            let page = sqlite.report(query.clone()).await.unwrap();
            assert_eq!(page.total.calls, 25);
            groups.extend(page.rows.into_iter().map(|row| row.group));
            if !page.more {
                break;
            }
            query = query.with_after(groups.last().unwrap().clone());
        }
        assert_eq!(groups.len(), 25);
        assert!(groups.is_sorted_by(|one, next| one < next));
    });
}

#[test]
fn the_largest_numbers_add_up_or_are_refused_and_never_wrap() {
    let sqlite = Sqlite::in_memory(SqliteConfig::default()).unwrap();
    block_on(async {
        let all = || ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::Model);
        let mut largest = record(1);
        largest.usage.input = Tokens::new(u64::MAX - 10);
        largest.cost = Some(Money::from_pico_usd(i128::MAX - 1));
        sqlite.record(largest).await.unwrap();
        sqlite.record(record(2)).await.unwrap();
        let total = sqlite.report(all()).await.unwrap().total;
        assert_eq!(total.usage.input, Tokens::new(u64::MAX));
        assert_eq!(total.cost, Money::MAX);
        sqlite.record(record(3)).await.unwrap();
        let error = sqlite.report(all()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Invalid);
    });
}

#[test]
fn the_same_record_from_many_callers_counts_once() {
    let sqlite = Sqlite::in_memory(SqliteConfig::default()).unwrap();
    block_on(async {
        let answers = join_all((0..100).map(|_| sqlite.record(record(1)))).await;
        let new = |answer: &Result<Recorded, _>| matches!(answer, Ok(Recorded::New));
        assert_eq!(answers.iter().filter(|answer| new(answer)).count(), 1);
    });
}
