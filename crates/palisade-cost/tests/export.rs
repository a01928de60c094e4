//! Rows for programs that reckon with cloud bills, and corrections that are entries of their own.

use palisade_conformance::block_on;
use palisade_core::{Dimension, Key, ModelId, Money, Timestamp, Tokens, Usage};
use palisade_cost::{
    CostLedger as _, CostStatus, EXPORT_COLUMNS, ExportFormat, GroupBy, InMemory, RecordId,
    ReportQuery, UsageRecord,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_795_132_800);

fn record(user: &str, model: &str) -> UsageRecord {
    UsageRecord::new(
        RecordId::new("r-1").unwrap(),
        NOW,
        Key::new(Dimension::User, user)
            .unwrap()
            .with(Dimension::Org, "acme")
            .unwrap(),
        ModelId::new("openai", model).unwrap(),
        Usage::new(Tokens::new(1_000), Tokens::new(200)),
    )
    .with_cost(Some("0.0000125".parse().unwrap()), CostStatus::Priced)
}

fn row(format: ExportFormat, record: &UsageRecord) -> String {
    let mut out = String::new();
    format.row(record, &mut out);
    out
}

/// The fields of a row, read by the rules of RFC 4180.
fn read_csv(row: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let row = row.strip_suffix("\r\n").expect("a line end");
    let mut characters = row.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

#[test]
fn a_cost_that_is_not_known_is_empty_and_never_zero() {
    let unknown = record("7", "m").with_cost(None, CostStatus::UsageMissing);
    let csv = read_csv(&row(ExportFormat::Csv, &unknown));
    assert_eq!((csv[0].as_str(), csv[19].as_str()), ("", "usage_missing"));
    let json: serde_json::Value =
        serde_json::from_str(&row(ExportFormat::JsonLines, &unknown)).unwrap();
    assert_eq!(json["BilledCost"], serde_json::Value::Null);
    let known: serde_json::Value =
        serde_json::from_str(&row(ExportFormat::JsonLines, &record("7", "m"))).unwrap();
    assert_eq!(known["BilledCost"], "0.0000125");
    assert_eq!(known["ConsumedQuantity"], 1_200);
    assert_eq!(known["SubAccountId"], "acme");
    assert_eq!(known["x_User"], "7");
}

#[test]
fn a_spreadsheet_runs_nothing_that_a_user_calls_himself() {
    let csv = read_csv(&row(ExportFormat::Csv, &record("=cmd|' /C calc'!A0", "m")));
    assert_eq!(csv[25], "'=cmd|' /C calc'!A0");
}

#[test]
fn a_correction_is_an_entry_of_its_own_and_the_sum_is_right() {
    let ledger = InMemory::new(10);
    let wrong = record("7", "m").with_cost(Some(Money::from_usd(5)), CostStatus::Priced);
    let id = RecordId::new("r-1#correction-1").unwrap();
    let difference = "-2.5".parse().unwrap();
    let later = Timestamp::from_secs(1_795_200_000);
    let correction = UsageRecord::correction(&wrong, id, later, difference);
    for record in [&wrong, &correction, &correction] {
        block_on(ledger.record(record.clone())).unwrap();
    }
    let query = ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::User);
    let report = block_on(ledger.report(query)).unwrap();
    assert_eq!(report.total.cost, "2.5".parse().unwrap());
    assert_eq!(report.total.usage, wrong.usage, "it used nothing more");
    assert_eq!(report.rows.len(), 1, "and belongs to the same user");
    let csv = read_csv(&row(ExportFormat::Csv, &correction));
    assert_eq!((csv[0].as_str(), csv[5].as_str()), ("-2.5", "Correction"));
}

#[test]
fn ten_million_times_a_small_price_is_their_product() {
    let price: Money = "0.0000125".parse().unwrap();
    let mut sum = Money::ZERO;
    for _ in 0..10_000_000 {
        sum = sum.checked_add(price).unwrap();
    }
    assert_eq!(sum, price.checked_mul(10_000_000).unwrap());
    assert_eq!(sum, Money::from_usd(125));
}

proptest! {
    #[test]
    fn whatever_stands_in_a_record_a_row_has_its_columns_and_reads_back(
        user in "\\PC{1,40}", cost in any::<i64>(), input in any::<u32>(),
    ) {
        let mut record = record("7", "m");
        record.subject = Key::new(Dimension::User, &user).unwrap();
        record.usage.input = Tokens::new(u64::from(input));
        record.cost = Some(Money::from_nano_usd(cost));
        let csv = read_csv(&row(ExportFormat::Csv, &record));
        prop_assert_eq!(csv.len(), EXPORT_COLUMNS.len());
        prop_assert_eq!(csv[0].parse::<Money>().ok(), record.cost);
        prop_assert_eq!(csv[25].trim_start_matches('\''), user.trim_start_matches('\''));
        let json: serde_json::Value = serde_json::from_str(&row(ExportFormat::JsonLines, &record)).unwrap();
        prop_assert_eq!(json.as_object().unwrap().len(), EXPORT_COLUMNS.len());
        prop_assert_eq!(&json["x_User"], &serde_json::Value::from(user));
    }
}
