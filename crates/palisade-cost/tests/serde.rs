//! What is written down reads back as it was.
#![cfg(feature = "serde")]

use palisade_core::{Key, ModelId, Money, Timestamp, Tokens, Usage};
use palisade_cost::{CostStatus, GroupBy, Layer, RecordId, Report, ReportRow, Totals, UsageRecord};

fn record() -> UsageRecord {
    UsageRecord::new(
        RecordId::new("request-1#2").unwrap(),
        Timestamp::from_secs(60),
        Key::parse("org=acme/user=7").unwrap(),
        ModelId::new("openai", "gpt-4o").unwrap(),
        Usage::new(Tokens::new(10), Tokens::new(3)),
    )
    .with_cost(Some(Money::from_pico_usd(1)), CostStatus::Priced)
    .with_layer(Layer::new("judge").unwrap())
}

#[test]
fn a_record_keeps_its_money_as_text_and_reads_back() {
    let record = record();
    let text = serde_json::to_string(&record).unwrap();
    assert!(
        text.contains(r#""cost":"0.000000000001","status":"priced""#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<UsageRecord>(&text).unwrap(), record);
}

#[test]
fn a_record_whose_names_are_not_allowed_is_refused() {
    let text = serde_json::to_string(&record()).unwrap();
    for (from, to) in [
        ("request-1#2", "a b"),
        ("judge", ""),
        ("org=acme", "org"),
        ("priced", "free"),
        ("0.000000000001", "1e-12"),
    ] {
        let changed = text.replace(from, to);
        assert!(
            serde_json::from_str::<UsageRecord>(&changed).is_err(),
            "{to}"
        );
    }
}

#[test]
fn a_report_reads_back() {
    let record = record();
    let totals = Totals::of(&record);
    let row = ReportRow::new(GroupBy::User.group_of(&record), totals.clone());
    let report = Report::new(vec![row], totals, true);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}
