//! What the usage log promises, asked of the ledger in memory.

use std::sync::Arc;

use futures_util::FutureExt;
use palisade_core::{Key, ModelId, Money, StoreErrorKind, Timestamp, Tokens, Usage};
use palisade_cost::{
    CostLedger, CostStatus, DynCostLedger, GroupBy, InMemory, RecordId, Recorded, Report,
    ReportOrder, ReportQuery, UsageRecord,
};
use proptest::prelude::*;

fn record(id: &str, user: &str, cost: Option<i64>) -> UsageRecord {
    UsageRecord::new(
        RecordId::new(id).unwrap(),
        Timestamp::from_secs(0),
        Key::parse(&format!("org=acme/user={user}")).unwrap(),
        ModelId::new("openai", "gpt-4o").unwrap(),
        Usage::new(Tokens::new(10), Tokens::new(3)),
    )
    .with_cost(
        cost.map(Money::from_nano_usd),
        if cost.is_some() {
            CostStatus::Priced
        } else {
            CostStatus::UsageMissing
        },
    )
}

fn put(ledger: &impl CostLedger, record: UsageRecord) -> Recorded {
    ledger.record(record).now_or_never().unwrap().unwrap()
}

fn ask(ledger: &impl CostLedger, query: ReportQuery) -> Report {
    ledger.report(query).now_or_never().unwrap().unwrap()
}

fn by(group_by: GroupBy) -> ReportQuery {
    ReportQuery::new(Timestamp::MIN, Timestamp::MAX, group_by)
}

#[test]
fn a_record_counts_once_and_the_first_one_stands() {
    let ledger = DynCostLedger::new(Arc::new(InMemory::new(10)));
    assert_eq!(put(&ledger, record("a", "1", Some(5))), Recorded::New);
    assert_eq!(put(&ledger, record("a", "1", Some(900))), Recorded::Before);
    let total = ask(&ledger, by(GroupBy::User)).total;
    assert_eq!((total.calls, total.cost), (1, Money::from_nano_usd(5)));
}

#[test]
fn an_unknown_cost_is_counted_and_not_summed_as_zero() {
    let ledger = InMemory::new(10);
    put(&ledger, record("a", "1", Some(5)));
    put(&ledger, record("b", "1", None));
    let total = ask(&ledger, by(GroupBy::Model)).total;
    assert_eq!((total.calls, total.calls_of_unknown_cost), (2, 1));
    assert_eq!(total.cost, Money::from_nano_usd(5));
}

#[test]
fn a_report_holds_what_is_from_its_start_on_and_before_its_end() {
    let ledger = InMemory::new(10);
    for second in [9, 10, 19, 20] {
        let mut record = record(&second.to_string(), "1", Some(1));
        record.at = Timestamp::from_secs(second);
        put(&ledger, record);
    }
    let (from, until) = (Timestamp::from_secs(10), Timestamp::from_secs(20));
    let report = ask(&ledger, ReportQuery::new(from, until, GroupBy::Day));
    assert_eq!(report.total.calls, 2);
}

#[test]
fn a_full_ledger_lets_the_first_record_go_and_says_so() {
    let ledger = InMemory::new(2);
    for id in ["a", "b", "c"] {
        put(&ledger, record(id, id, Some(1)));
    }
    assert_eq!((ledger.len(), ledger.evicted()), (2, 1));
    let groups: Vec<String> = ask(&ledger, by(GroupBy::User))
        .rows
        .iter()
        .map(|row| row.group.to_string())
        .collect();
    assert_eq!(groups, ["org=acme/user=b", "org=acme/user=c"]);
}

#[test]
fn the_dearest_come_first_when_asked_for() {
    let ledger = InMemory::new(10);
    for (id, cost) in [("a", 1), ("b", 7), ("c", 7), ("d", 3)] {
        put(&ledger, record(id, id, Some(cost)));
    }
    let query = by(GroupBy::User)
        .with_order(ReportOrder::Cost)
        .with_limit(3)
        .unwrap();
    let report = ask(&ledger, query);
    let users: Vec<String> = report
        .rows
        .iter()
        .map(|row| row.group.to_string())
        .collect();
    assert_eq!(
        users,
        ["org=acme/user=b", "org=acme/user=c", "org=acme/user=d"]
    );
    assert!(report.more);
    assert_eq!(report.total.cost, Money::from_nano_usd(18));
}

#[test]
fn a_sum_that_does_not_fit_is_an_error_and_not_a_wrong_number() {
    let ledger = InMemory::new(10);
    for id in ["a", "b"] {
        let huge = record(id, "1", None).with_cost(Some(Money::MAX), CostStatus::Priced);
        put(&ledger, huge);
    }
    let error = ledger
        .report(by(GroupBy::Model))
        .now_or_never()
        .unwrap()
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
}

proptest! {
    #[test]
    fn pages_hold_each_group_once_and_together_give_the_total(
        records in prop::collection::vec((0_u8..12, 0_u8..6, prop::option::of(0_i64..1_000_000)), 0..40),
        limit in 1_usize..5,
    ) {
        let ledger = InMemory::new(100);
        for (id, user, cost) in &records {
            put(&ledger, record(&format!("r{id}"), &user.to_string(), *cost));
        }
        let mut query = by(GroupBy::User).with_limit(limit).unwrap();
        let (mut calls, mut cost, mut groups) = (0, Money::ZERO, Vec::new());
        let total = loop {
            let page = ask(&ledger, query.clone());
            prop_assert!(page.rows.len() <= limit);
            prop_assert!(groups.len() <= ledger.len(), "pages repeat");
            for row in &page.rows {
                calls += row.totals.calls;
                cost = cost.checked_add(row.totals.cost).unwrap();
                groups.push(row.group.clone());
            }
            match page.rows.last() {
                Some(last) if page.more => query = query.with_after(last.group.clone()),
                _ => break page.total,
            }
        };
        prop_assert!(groups.is_sorted_by(|left, right| left < right));
        prop_assert_eq!((calls, cost), (total.calls, total.cost));
        prop_assert_eq!(calls, ledger.len() as u64);
    }
}
