use std::{borrow::Cow, cmp::Reverse, collections::BTreeMap};

use palisade_core::{Dimension, Key, Money, MoneyError, Timestamp, Usage, UsageError};

use crate::UsageRecord;

/// What the records of a report are summed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum GroupBy {
    /// Provider and model.
    Model,
    /// Day of UTC.
    Day,
    /// Organisation.
    Org,
    /// Organisation and project.
    Project,
    /// Organisation and user: two organisations may both have an `alice`.
    User,
    /// Part of the service.
    Layer,
    /// How the cost came about.
    Status,
}

impl GroupBy {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Model,
        Self::Day,
        Self::Org,
        Self::Project,
        Self::User,
        Self::Layer,
        Self::Status,
    ];

    /// The group a record belongs to, such as `provider=openai/model=gpt-4o`, `day=2026-11-20` or `org=acme/user=7`.
    ///
    /// Two records are in one group exactly if the text of this key is the same, so a store may keep the text beside the
    /// record and group by it. What a record does not say is not in the key: the records of nobody are the group of
    /// [`Key::global`].
    #[must_use]
    pub fn group_of(self, record: &UsageRecord) -> Key {
        let subject = &record.subject;
        match self {
            Self::Model => with(
                with(Key::global(), Dimension::Provider, record.model.provider()),
                Dimension::Model,
                record.model.model(),
            ),
            Self::Day => with(Key::global(), custom("day"), day(record.at)),
            Self::Org => project(subject, &[Dimension::Org]),
            Self::Project => project(subject, &[Dimension::Org, Dimension::Project]),
            Self::User => project(subject, &[Dimension::Org, Dimension::User]),
            Self::Layer => with(Key::global(), custom("layer"), record.layer.as_str()),
            Self::Status => with(Key::global(), custom("status"), record.status.as_str()),
        }
    }
}

/// What a report is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportQuery {
    /// Records from this time on.
    pub from: Timestamp,
    /// Records before this time.
    pub until: Timestamp,
    /// Only records whose subject has all of these parts. Nothing but organisation, project, user and API key.
    pub within: Key,
    /// What the records are summed by.
    pub group_by: GroupBy,
    /// How the groups are ordered.
    pub order: ReportOrder,
    /// Only groups whose key comes after this one, by the bytes of its text: the end of the page before. Unused when
    /// ordered by cost.
    pub after: Option<Key>,
    /// The most groups to return: 1 to [`ReportQuery::LIMIT_MAX`].
    pub limit: usize,
}

impl ReportQuery {
    /// The most groups one report may hold.
    pub const LIMIT_MAX: usize = 1_000;
    /// The dimensions of a subject that a report can be narrowed to.
    pub const WITHIN: [Dimension; 4] = [
        Dimension::Org,
        Dimension::Project,
        Dimension::User,
        Dimension::ApiKey,
    ];

    /// All records from `from` until before `until`, by `group_by`, the first hundred groups.
    #[must_use]
    pub fn new(from: Timestamp, until: Timestamp, group_by: GroupBy) -> Self {
        Self {
            from,
            until,
            within: Key::global(),
            group_by,
            order: ReportOrder::Group,
            after: None,
            limit: 100,
        }
    }

    /// The same, narrowed to one organisation, project, user or API key.
    ///
    /// # Errors
    ///
    /// [`ReportQueryError::Within`] if the key has another dimension.
    pub fn with_within(mut self, within: Key) -> Result<Self, ReportQueryError> {
        for (dimension, _) in within.parts() {
            if !Self::WITHIN.contains(&dimension) {
                return Err(ReportQueryError::Within { dimension });
            }
        }
        self.within = within;
        Ok(self)
    }

    /// The same in another order.
    #[must_use]
    pub fn with_order(mut self, order: ReportOrder) -> Self {
        self.order = order;
        self
    }

    /// The page after the group `after`.
    #[must_use]
    pub fn with_after(mut self, after: Key) -> Self {
        self.after = Some(after);
        self
    }

    /// The same with at most `limit` groups.
    ///
    /// # Errors
    ///
    /// [`ReportQueryError::Limit`] if it is not 1 to [`ReportQuery::LIMIT_MAX`].
    pub fn with_limit(mut self, limit: usize) -> Result<Self, ReportQueryError> {
        if !(1..=Self::LIMIT_MAX).contains(&limit) {
            return Err(ReportQueryError::Limit { found: limit });
        }
        self.limit = limit;
        Ok(self)
    }

    /// Whether a record is among those asked for.
    #[must_use]
    pub fn matches(&self, record: &UsageRecord) -> bool {
        self.from <= record.at
            && record.at < self.until
            && self.within.parts().all(|(dimension, value)| {
                record.subject.value(&dimension).as_deref() == Some(&*value)
            })
    }

    /// The answer, from all sums by group: the pure function every store agrees with.
    ///
    /// `groups` holds every group of the matching records, of all pages.
    ///
    /// # Errors
    ///
    /// [`TotalsError`] if the sum over all groups does not fit.
    pub fn report(&self, groups: BTreeMap<Key, Totals>) -> Result<Report, TotalsError> {
        let mut total = Totals::default();
        for totals in groups.values() {
            total.add(totals)?;
        }
        let mut rows: Vec<ReportRow> = groups
            .into_iter()
            .filter(|(group, _)| match (self.order, &self.after) {
                (ReportOrder::Group, Some(after)) => group > after,
                _ => true,
            })
            .map(|(group, totals)| ReportRow { group, totals })
            .collect();
        if self.order == ReportOrder::Cost {
            // Stable: equal costs stay in the order of their keys.
            rows.sort_by_key(|row| Reverse(row.totals.cost));
        }
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        Ok(Report { rows, total, more })
    }
}

/// How the groups of a report are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum ReportOrder {
    /// By the text of their key, bytewise, from the least. Pages continue with [`ReportQuery::after`].
    #[default]
    Group,
    /// By their known cost, from the greatest, then by their key. There is a first page only.
    Cost,
}

/// A page of sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Report {
    /// The groups of this page, in the order asked for.
    pub rows: Vec<ReportRow>,
    /// The sum over all groups, of this page and of the others.
    pub total: Totals,
    /// Whether there are groups beyond this page.
    pub more: bool,
}

impl Report {
    /// A page.
    #[must_use]
    pub fn new(rows: Vec<ReportRow>, total: Totals, more: bool) -> Self {
        Self { rows, total, more }
    }
}

/// One group of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ReportRow {
    /// Which group: what [`GroupBy::group_of`] says of each of its records.
    pub group: Key,
    /// Its sums.
    pub totals: Totals,
}

impl ReportRow {
    /// A group and its sums.
    #[must_use]
    pub fn new(group: Key, totals: Totals) -> Self {
        Self { group, totals }
    }
}

/// Exact sums over records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Totals {
    /// How many records there are.
    pub calls: u64,
    /// How many of them have no known cost: [`cost`](Totals::cost) is a lower bound if there are any.
    pub calls_of_unknown_cost: u64,
    /// What they used together, as far as it is known.
    pub usage: Usage,
    /// What those of known cost cost together.
    pub cost: Money,
}

impl Totals {
    /// The sums of one record.
    #[must_use]
    pub fn of(record: &UsageRecord) -> Self {
        Self {
            calls: 1,
            calls_of_unknown_cost: u64::from(record.cost.is_none()),
            usage: record.usage,
            cost: record.cost.unwrap_or(Money::ZERO),
        }
    }

    /// Adds the sums of others.
    ///
    /// # Errors
    ///
    /// [`TotalsError`] if a sum does not fit. Nothing is added then.
    pub fn add(&mut self, other: &Self) -> Result<(), TotalsError> {
        let calls = |a: u64, b: u64| a.checked_add(b).ok_or(TotalsError::Calls);
        *self = Self {
            calls: calls(self.calls, other.calls)?,
            calls_of_unknown_cost: calls(self.calls_of_unknown_cost, other.calls_of_unknown_cost)?,
            usage: self.usage.checked_add(&other.usage)?,
            cost: self.cost.checked_add(other.cost)?,
        };
        Ok(())
    }
}

/// A sum over records does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TotalsError {
    /// The number of calls.
    #[error("the number of calls is out of range")]
    Calls,
    /// The tokens.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The money.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Why a report cannot be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportQueryError {
    /// It cannot be narrowed to this.
    #[error("a report is narrowed to org, project, user or api_key; found {name}", name = dimension.name())]
    Within {
        /// The dimension found.
        dimension: Dimension,
    },
    /// So many groups are not returned at once.
    #[error("a report has 1 to {max} groups; found {found}", max = ReportQuery::LIMIT_MAX)]
    Limit {
        /// The number asked for.
        found: usize,
    },
}

/// `subject` reduced to some dimensions.
fn project(subject: &Key, dimensions: &[Dimension]) -> Key {
    dimensions.iter().fold(Key::global(), |key, dimension| {
        match subject.value(dimension) {
            Some(value) => with(key, dimension.clone(), value),
            None => key,
        }
    })
}

/// `key` and one part more. The parts come from other keys, from [`ModelId`](palisade_core::ModelId)s, days, layers and
/// statuses, all of which fit; were one not to, it would be left out.
fn with(key: Key, dimension: Dimension, value: impl AsRef<[u8]>) -> Key {
    key.with(dimension, value).unwrap_or(key)
}

const fn custom(name: &'static str) -> Dimension {
    Dimension::Custom(Cow::Borrowed(name))
}

/// The day of UTC, as `2026-11-20`.
fn day(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate("2026-11-20".len());
    text
}

#[cfg(test)]
mod tests {
    use palisade_core::{ModelId, Tokens};

    use super::*;
    use crate::{CostStatus, RecordId};

    fn record(subject: &str) -> UsageRecord {
        UsageRecord::new(
            RecordId::new("r").unwrap(),
            Timestamp::from_secs(1_795_132_800),
            Key::parse(subject).unwrap(),
            ModelId::new("groq", "openai/gpt-oss-20b").unwrap(),
            Usage::new(Tokens::new(10), Tokens::new(5)),
        )
        .with_cost(Some(Money::from_nano_usd(3)), CostStatus::Priced)
    }

    #[test]
    fn a_group_names_its_dimension_and_keeps_tenants_apart() {
        let record = record("org=acme/project=p/user=7");
        let group = |by: GroupBy| by.group_of(&record).to_string();
        assert_eq!(
            group(GroupBy::Model),
            "provider=groq/model=openai%2Fgpt-oss-20b"
        );
        assert_eq!(group(GroupBy::Day), "day=2026-11-20");
        assert_eq!(group(GroupBy::Org), "org=acme");
        assert_eq!(group(GroupBy::Project), "org=acme/project=p");
        assert_eq!(group(GroupBy::User), "org=acme/user=7");
        assert_eq!(group(GroupBy::Layer), "layer=answer");
        assert_eq!(group(GroupBy::Status), "status=priced");
    }

    #[test]
    fn the_records_of_nobody_are_a_group() {
        assert_eq!(GroupBy::User.group_of(&record("")), Key::global());
    }

    #[test]
    fn a_report_is_narrowed_by_every_part_given() {
        let query = |within: &str| {
            ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::Day)
                .with_within(Key::parse(within).unwrap())
        };
        let record = record("org=acme/user=7");
        assert!(query("").unwrap().matches(&record));
        assert!(query("org=acme/user=7").unwrap().matches(&record));
        assert!(query("user=7").unwrap().matches(&record));
        assert!(!query("org=other/user=7").unwrap().matches(&record));
        assert!(!query("org=acme/project=p").unwrap().matches(&record));
        assert!(matches!(
            query("ip=1.2.3.4"),
            Err(ReportQueryError::Within { .. })
        ));
    }

    #[test]
    fn a_page_is_bounded() {
        let query = ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::Day);
        assert!(query.clone().with_limit(1_000).is_ok());
        assert_eq!(
            query.clone().with_limit(1_001),
            Err(ReportQueryError::Limit { found: 1_001 })
        );
        assert_eq!(
            query.with_limit(0),
            Err(ReportQueryError::Limit { found: 0 })
        );
    }
}
