//! What the rules build and ask with.

use std::fmt::Display;

use palisade_core::{Key, ModelId, Money, Timestamp, Tokens, Usage};
use palisade_cost::{
    CostLedger, CostStatus, GroupBy, RecordId, Recorded, Report, ReportQuery, UsageRecord,
};

use super::Make;
use crate::{Broken, Verdict, verdict::ensure};

/// 2026-03-02T12:00:00Z.
pub(super) const NOON: Timestamp = Timestamp::from_secs(1_772_452_800);

/// A ledger.
pub(super) struct Bench<L> {
    pub(super) ledger: L,
}

pub(super) async fn bench<M: Make>(make: &M) -> Bench<M::Ledger> {
    Bench {
        ledger: make.make().await,
    }
}

impl<L: CostLedger> Bench<L> {
    /// Keeps a record that was not there.
    pub(super) async fn keep(&self, record: UsageRecord) -> Verdict {
        let id = record.id.clone();
        let answer = self.ledger.record(record).await?;
        ensure!(
            answer == Recorded::New,
            "record {id} came for the first time, found {answer:?}"
        );
        Ok(())
    }

    pub(super) async fn report(&self, query: ReportQuery) -> Result<Report, Broken> {
        Ok(self.ledger.report(query).await?)
    }

    /// The calls of each group, as `group: calls`.
    pub(super) async fn calls(&self, query: ReportQuery) -> Result<Vec<String>, Broken> {
        let report = self.report(query).await?;
        let line = |row: &palisade_cost::ReportRow| format!("{}: {}", row.group, row.totals.calls);
        Ok(report.rows.iter().map(line).collect())
    }

    /// The groups of a report are these, with so many calls each.
    pub(super) async fn has(&self, query: ReportQuery, expected: &[&str]) -> Verdict {
        let found = self.calls(query.clone()).await?;
        ensure!(
            found == expected,
            "{query:?}: expected {expected:?}, found {found:?}"
        );
        Ok(())
    }
}

/// A thousand tokens read, two hundred written, for one nano-dollar at noon.
pub(super) fn record(id: &str, subject: &str) -> Result<UsageRecord, Broken> {
    Ok(UsageRecord::new(
        plain(RecordId::new(id))?,
        NOON,
        key(subject)?,
        plain(ModelId::new("openai", "gpt-4o"))?,
        Usage::new(Tokens::new(1_000), Tokens::new(200)),
    )
    .with_cost(Some(Money::from_nano_usd(1)), CostStatus::Priced))
}

pub(super) fn key(text: &str) -> Result<Key, Broken> {
    plain(Key::parse(text))
}

/// Everything, by this.
pub(super) fn always(by: GroupBy) -> ReportQuery {
    ReportQuery::new(Timestamp::MIN, Timestamp::MAX, by)
}

/// A value that a rule builds, or that the rule itself is wrong.
pub(super) fn plain<T, E: Display>(built: Result<T, E>) -> Result<T, Broken> {
    built.map_err(|error| Broken::new(error.to_string()))
}
