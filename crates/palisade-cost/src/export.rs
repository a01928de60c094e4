//! The usage log as rows for programs that reckon with cloud bills.

use std::fmt::Write as _;

use palisade_core::{Dimension, Money, Usage};

use crate::{CostStatus, UsageRecord};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportFormat {
    /// Comma-separated values (RFC 4180), with a head line. A text that a spreadsheet would take for a formula has an
    /// apostrophe in front.
    Csv,
    /// One JSON object a line. Amounts of money are decimal text.
    JsonLines,
}

/// The columns, in their order. Names without `x_` are those of FOCUS 1.2, the `FinOps` Open Cost and Usage
/// Specification; the others are what it has no name for.
///
/// `BilledCost` is the exact cost, and empty where it is not known: `x_CostStatus` says why. FOCUS wants a number there;
/// zero would be a wrong one.
pub const EXPORT_COLUMNS: [&str; 27] = [
    "BilledCost",
    "EffectiveCost",
    "ListCost",
    "BillingCurrency",
    "ChargeCategory",
    "ChargeClass",
    "ChargeFrequency",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ConsumedQuantity",
    "ConsumedUnit",
    "PricingCurrency",
    "ProviderName",
    "ResourceId",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SubAccountId",
    "SubAccountName",
    "x_CostStatus",
    "x_InputTokens",
    "x_OutputTokens",
    "x_CacheReadTokens",
    "x_ReasoningTokens",
    "x_Layer",
    "x_User",
    "x_ApiKey",
];

/// One field.
enum Field {
    Text(String),
    Number(u128),
    Amount(Option<Money>),
    Empty,
}

impl ExportFormat {
    /// What stands before the first row.
    #[must_use]
    pub fn head(self) -> String {
        match self {
            Self::Csv => EXPORT_COLUMNS.join(",") + "\r\n",
            Self::JsonLines => String::new(),
        }
    }

    /// Writes one record as a row, its line end included.
    ///
    /// ```
    /// use palisade_core::{Key, ModelId, Timestamp, Tokens, Usage};
    /// use palisade_cost::{CostStatus, ExportFormat, RecordId, UsageRecord};
    ///
    /// let record = UsageRecord::new(
    ///     RecordId::new("request-1#1")?,
    ///     Timestamp::from_secs(1_795_132_800),
    ///     Key::parse("org=acme/project=p/user=7")?,
    ///     ModelId::new("openai", "gpt-4o-mini")?,
    ///     Usage::new(Tokens::new(1_000), Tokens::new(200)),
    /// )
    /// .with_cost(Some("0.00027".parse()?), CostStatus::Priced);
    /// let mut csv = ExportFormat::Csv.head();
    /// ExportFormat::Csv.row(&record, &mut csv);
    /// assert!(csv.lines().nth(1).unwrap().starts_with("0.00027,0.00027,0.00027,USD,Usage,,Usage-Based,2026-11-20T"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn row(self, record: &UsageRecord, out: &mut String) {
        let fields = fields(record);
        match self {
            Self::Csv => {
                for (place, field) in fields.into_iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    csv(field, out);
                }
                out.push_str("\r\n");
            }
            Self::JsonLines => {
                let mut sign = '{';
                for (name, field) in EXPORT_COLUMNS.into_iter().zip(fields) {
                    out.push(sign);
                    json_text(name, out);
                    out.push(':');
                    json(field, out);
                    sign = ',';
                }
                out.push_str("}\n");
            }
        }
    }
}

fn fields(record: &UsageRecord) -> [Field; EXPORT_COLUMNS.len()] {
    let text = |text: &str| Field::Text(text.to_owned());
    let part = |dimension: Dimension| match record.subject.value(&dimension) {
        Some(value) => Field::Text(String::from_utf8_lossy(value.as_ref()).into_owned()),
        None => Field::Empty,
    };
    let is_correction = record.status == CostStatus::Corrected;
    let Usage {
        input,
        output,
        cache_read,
        reasoning,
        ..
    } = record.usage;
    let consumed = u128::from(input.get()) + u128::from(output.get());
    // An attempt is a point in time: the period is the second in which it ended.
    let at = record.at.to_string();
    let second = std::time::Duration::from_secs(1);
    let cost = || Field::Amount(record.cost);
    [
        cost(),
        cost(),
        cost(),
        text("USD"),
        text("Usage"),
        if is_correction {
            text("Correction")
        } else {
            Field::Empty
        },
        text("Usage-Based"),
        Field::Text(at),
        Field::Text(record.at.saturating_add(second).to_string()),
        Field::Number(consumed),
        text("Tokens"),
        text("USD"),
        text(record.model.provider()),
        text(record.id.as_str()),
        text("AI and Machine Learning"),
        text(record.model.model()),
        Field::Text(format!(
            "{}/{}",
            record.model.provider(),
            record.model.model()
        )),
        part(Dimension::Org),
        part(Dimension::Project),
        text(record.status.as_str()),
        Field::Number(input.get().into()),
        Field::Number(output.get().into()),
        Field::Number(cache_read.get().into()),
        Field::Number(reasoning.get().into()),
        text(record.layer.as_str()),
        part(Dimension::User),
        part(Dimension::ApiKey),
    ]
}

fn csv(field: Field, out: &mut String) {
    match field {
        Field::Empty | Field::Amount(None) => {}
        Field::Number(number) => push(out, number),
        Field::Amount(Some(amount)) => push(out, amount),
        Field::Text(text) => {
            let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
            let is_plain = !is_formula && !text.contains([',', '"', '\n', '\r']);
            if is_plain {
                out.push_str(&text);
                return;
            }
            out.push('"');
            if is_formula {
                out.push('\'');
            }
            out.push_str(&text.replace('"', "\"\""));
            out.push('"');
        }
    }
}

fn json(field: Field, out: &mut String) {
    match field {
        Field::Empty | Field::Amount(None) => out.push_str("null"),
        Field::Number(number) => push(out, number),
        Field::Amount(Some(amount)) => json_text(&amount.to_string(), out),
        Field::Text(text) => json_text(&text, out),
    }
}

fn json_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => push(out, format_args!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

fn push(out: &mut String, what: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{what}");
}
