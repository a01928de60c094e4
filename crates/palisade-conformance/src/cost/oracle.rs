use palisade_core::{Dimension, Key, Money, Usage};
use palisade_cost::{
    GroupBy, Recorded, Report, ReportOrder, ReportQuery, ReportRow, Totals, UsageRecord,
};

/// The slowest ledger there is, and the easiest to believe: it keeps a list and reads all of it for every answer.
///
/// It uses none of the room's own functions for choosing, naming and summing, so that a mistake there is found too.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    records: Vec<UsageRecord>,
}

impl Oracle {
    /// An empty ledger.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            records: Vec::new(),
        }
    }

    /// What [`record`](palisade_cost::CostLedger::record) must answer.
    pub fn record(&mut self, record: UsageRecord) -> Recorded {
        if self.records.iter().any(|known| known.id == record.id) {
            return Recorded::Before;
        }
        self.records.push(record);
        Recorded::New
    }

    /// What [`report`](palisade_cost::CostLedger::report) must answer; `None` if a sum does not fit.
    #[must_use]
    pub fn report(&self, query: &ReportQuery) -> Option<Report> {
        let wanted: Vec<&UsageRecord> = self
            .records
            .iter()
            .filter(|record| query.from <= record.at && record.at < query.until)
            .filter(|record| is_within(&record.subject, &query.within))
            .collect();
        let mut groups: Vec<Key> = Vec::new();
        for record in &wanted {
            let group = group(record, query.group_by)?;
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups.sort_by(|left, right| left.as_str().cmp(right.as_str()));
        let mut rows = Vec::new();
        for name in groups {
            let members = wanted
                .iter()
                .filter(|record| group(record, query.group_by).as_ref() == Some(&name));
            let totals = sum(members.copied())?;
            rows.push(ReportRow::new(name, totals));
        }
        match query.order {
            ReportOrder::Cost => rows.sort_by(|left, right| {
                let by_cost = right.totals.cost.cmp(&left.totals.cost);
                by_cost.then_with(|| left.group.as_str().cmp(right.group.as_str()))
            }),
            _ => rows.retain(|row| match &query.after {
                Some(after) => row.group.as_str() > after.as_str(),
                None => true,
            }),
        }
        let more = rows.len() > query.limit;
        rows.truncate(query.limit);
        Some(Report::new(rows, sum(wanted.into_iter())?, more))
    }
}

/// Whether each part of `within` stands in the text of the subject.
fn is_within(subject: &Key, within: &Key) -> bool {
    within
        .as_str()
        .split('/')
        .filter(|part| !part.is_empty())
        .all(|part| subject.as_str().split('/').any(|own| own == part))
}

fn group(record: &UsageRecord, by: GroupBy) -> Option<Key> {
    let custom = |name: &'static str, value: &str| {
        Key::new(Dimension::Custom(name.into()), value.as_bytes()).ok()
    };
    let parts = |names: &[&str]| {
        let subject = record.subject.as_str().split('/');
        let kept: Vec<&str> = subject
            .filter(|part| names.contains(&part.split('=').next().unwrap_or_default()))
            .collect();
        Key::parse(&kept.join("/")).ok()
    };
    match by {
        GroupBy::Model => Key::new(Dimension::Provider, record.model.provider())
            .and_then(|key| key.with(Dimension::Model, record.model.model()))
            .ok(),
        GroupBy::Day => custom("day", record.at.to_string().split('T').next()?),
        GroupBy::Org => parts(&["org"]),
        GroupBy::Project => parts(&["org", "project"]),
        GroupBy::User => parts(&["org", "user"]),
        GroupBy::Layer => custom("layer", record.layer.as_str()),
        GroupBy::Status => custom("status", record.status.as_str()),
        _ => None,
    }
}

fn sum<'a>(records: impl Iterator<Item = &'a UsageRecord>) -> Option<Totals> {
    let mut totals = Totals::default();
    let mut pico: i128 = 0;
    let mut usage = Usage::default();
    for record in records {
        totals.calls += 1;
        match record.cost {
            Some(cost) => pico = pico.checked_add(cost.as_pico_usd())?,
            None => totals.calls_of_unknown_cost += 1,
        }
        usage = usage.checked_add(&record.usage).ok()?;
    }
    totals.usage = usage;
    totals.cost = Money::from_pico_usd(pico);
    Some(totals)
}
