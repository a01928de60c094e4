//! The usage log. Sums are formed by the database over whole numbers of any size, and grouped by the room's own rule.

use std::collections::{BTreeMap, HashSet};

use palisade_core::{Dimension, Key, ModelId, Money, StoreError, StoreErrorKind, Timestamp, Usage};
use palisade_cost::{
    CostLedger, CostStatus, GroupBy, Layer, RecordId, Recorded, Report, ReportQuery, Totals,
    UsageRecord,
};
use tokio_postgres::{
    Row,
    types::{FromSql, ToSql},
};

use crate::{Postgres, error::corrupt};

const RECORDING: &str = "recording usage";
const SUMMING: &str = "summing usage";

/// The counts of a record come as one text each, which is read once.
const INSERT: &str = "INSERT INTO cost_records (id, at, org, project, user_part, api_key, subject,
        provider, model, layer, status, cost_pico_usd, input, output, cache_read, cache_write_5m,
        cache_write_1h, reasoning, input_audio, output_audio, cache_read_audio, input_image,
        input_video, citation, web_search_requests, search_units)
    SELECT id, at, org, project, user_part, api_key, subject, provider, model, layer, status, cost::numeric,
        c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14]
    FROM (
        SELECT *, counts::numeric[] AS c
        FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
            AS r (id, at, org, project, user_part, api_key, subject, provider, model, layer, status, cost, counts)
        ORDER BY id OFFSET 0
    ) AS r
    ON CONFLICT (id) DO NOTHING RETURNING id";

/// The counts of a [`Usage`], in the order of the columns.
const COUNTS: usize = Usage::COUNTS;
/// The most records in one statement.
const BATCH_MAX: usize = 1_000;

impl CostLedger for Postgres {
    async fn record(&self, record: UsageRecord) -> Result<Recorded, StoreError> {
        let new = self.insert(std::slice::from_ref(&record)).await?;
        Ok(if new.is_empty() {
            Recorded::Before
        } else {
            Recorded::New
        })
    }

    async fn report(&self, query: ReportQuery) -> Result<Report, StoreError> {
        let (condition, values) = condition(&query)?;
        let sql = format!(
            "SELECT min(subject), min(at), min(provider), min(model), min(layer), min(status),
                 count(*), count(*) - count(cost_pico_usd), coalesce(sum(cost_pico_usd), 0)::text,
                 array[sum(input), sum(output), sum(cache_read), sum(cache_write_5m), sum(cache_write_1h),
                     sum(reasoning), sum(input_audio), sum(output_audio), sum(cache_read_audio),
                     sum(input_image), sum(input_video), sum(citation), sum(web_search_requests),
                     sum(search_units)]::text[]
             FROM cost_records WHERE at >= $1 AND at < $2{condition} GROUP BY {group}",
            group = group(query.group_by)?,
        );
        let (from, until) = (query.from.as_nanos(), query.until.as_nanos());
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![&from, &until];
        all.extend(values.iter().map(|value| value as &(dyn ToSql + Sync)));
        let rows = self.query(SUMMING, &sql, &all).await?;
        let mut groups: BTreeMap<Key, Totals> = BTreeMap::new();
        for row in &rows {
            let group = query.group_by.group_of(&sample(row)?);
            let sums = groups.entry(group).or_default();
            sums.add(&totals(row)?).map_err(invalid)?;
        }
        query.report(groups).map_err(invalid)
    }
}

impl Postgres {
    /// Keeps many records at once and says of each in its order whether it was new. What
    /// [`record`](CostLedger::record) promises of one holds for every one of them.
    ///
    /// A thousand at a time are one transaction, which costs little more than one record does.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be said whether they were kept. Recording them again, also one by one, is harmless.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may have kept some of them; recording them again is harmless.
    pub async fn record_all(&self, records: &[UsageRecord]) -> Result<Vec<Recorded>, StoreError> {
        let mut recorded = Vec::with_capacity(records.len());
        for batch in records.chunks(BATCH_MAX) {
            let mut new = self.insert(batch).await?;
            recorded.extend(batch.iter().map(|record| {
                // Given twice, the first of them is the one that was new.
                if new.remove(record.id.as_str()) {
                    Recorded::New
                } else {
                    Recorded::Before
                }
            }));
        }
        Ok(recorded)
    }

    /// Deletes usage records from before `before`, at most `limit` of them, the oldest first, and says how many they were.
    ///
    /// Reports no longer hold them, and their ids are free again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be said whether anything was deleted.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may or may not have deleted them; asking again is harmless.
    pub async fn forget_usage(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "WITH gone AS (
                 DELETE FROM cost_records WHERE id IN (
                     SELECT id FROM cost_records WHERE at < $1 ORDER BY at LIMIT $2) RETURNING 1)
             SELECT count(*) FROM gone";
        let values: [&(dyn ToSql + Sync); 2] = [&before.as_nanos(), &i64::from(limit)];
        let row = self.query_one("forgetting usage", sql, &values).await?;
        count_of(&row, 0)
    }

    /// The ids of those that were new.
    async fn insert(&self, records: &[UsageRecord]) -> Result<HashSet<String>, StoreError> {
        let texts =
            |part: fn(&UsageRecord) -> &str| -> Vec<&str> { records.iter().map(part).collect() };
        let parts = |dimension: Dimension| -> Vec<Option<&str>> {
            let subjects = records.iter().map(|record| &record.subject);
            subjects.map(|subject| subject.part(&dimension)).collect()
        };
        let times: Vec<i64> = records.iter().map(|record| record.at.as_nanos()).collect();
        let costs: Vec<Option<String>> = records
            .iter()
            .map(|record| record.cost.map(|cost| cost.as_pico_usd().to_string()))
            .collect();
        let counts: Vec<String> = records
            .iter()
            .map(|record| {
                let counts = record.usage.to_counts().map(|count| count.to_string());
                format!("{{{}}}", counts.join(","))
            })
            .collect();
        let rows = self
            .query(
                RECORDING,
                INSERT,
                &[
                    &texts(|record| record.id.as_str()),
                    &times,
                    &parts(Dimension::Org),
                    &parts(Dimension::Project),
                    &parts(Dimension::User),
                    &parts(Dimension::ApiKey),
                    &texts(|record| record.subject.as_str()),
                    &texts(|record| record.model.provider()),
                    &texts(|record| record.model.model()),
                    &texts(|record| record.layer.as_str()),
                    &texts(|record| record.status.as_str()),
                    &costs,
                    &counts,
                ],
            )
            .await?;
        rows.iter().map(|row| get(row, 0)).collect()
    }
}

/// What the rows of a group have in common. The rule of the room says the group's name, of any of its rows.
fn group(by: GroupBy) -> Result<&'static str, StoreError> {
    Ok(match by {
        GroupBy::Model => "provider, model",
        // Rounded towards the past, also before 1970.
        GroupBy::Day => {
            "CASE WHEN at >= 0 THEN at / 86400000000000 ELSE -1 - (-1 - at) / 86400000000000 END"
        }
        GroupBy::Org => "org",
        GroupBy::Project => "org, project",
        GroupBy::User => "org, user_part",
        GroupBy::Layer => "layer",
        GroupBy::Status => "status",
        _ => return Err(invalid("a group that this version cannot form")),
    })
}

/// The rest of [`ReportQuery::matches`], as a condition of a fixed set and the values for it.
fn condition(query: &ReportQuery) -> Result<(String, Vec<&str>), StoreError> {
    let (mut condition, mut values) = (String::new(), Vec::new());
    for (dimension, _) in query.within.parts() {
        let column = match dimension {
            Dimension::Org => "org",
            Dimension::Project => "project",
            Dimension::User => "user_part",
            Dimension::ApiKey => "api_key",
            _ => {
                return Err(invalid(
                    "a report within something it cannot be narrowed to",
                ));
            }
        };
        values.extend(query.within.part(&dimension));
        condition.push_str(&format!(" AND {column} = ${}", values.len() + 2));
    }
    Ok((condition, values))
}

/// A record with the names of a row, and without its numbers.
fn sample(row: &Row) -> Result<UsageRecord, StoreError> {
    let text = |column| get::<&str>(row, column);
    let id = RecordId::new("sample").map_err(|error| corrupt(SUMMING, error))?;
    let subject = Key::parse(text(0)?).map_err(|error| corrupt(SUMMING, error))?;
    let model = ModelId::new(text(2)?, text(3)?).map_err(|error| corrupt(SUMMING, error))?;
    let layer = Layer::new(text(4)?.to_owned()).map_err(|error| corrupt(SUMMING, error))?;
    let status: CostStatus = text(5)?.parse().map_err(|error| corrupt(SUMMING, error))?;
    let at = Timestamp::from_nanos(get(row, 1)?);
    Ok(UsageRecord::new(id, at, subject, model, Usage::default())
        .with_layer(layer)
        .with_cost(None, status))
}

fn totals(row: &Row) -> Result<Totals, StoreError> {
    let sums: Vec<&str> = get(row, 9)?;
    let mut counts = [0; COUNTS];
    if sums.len() != COUNTS {
        return Err(corrupt(SUMMING, "another number of sums"));
    }
    for (count, sum) in counts.iter_mut().zip(sums) {
        // Whole digits, so what fails is the range.
        *count = sum.parse().map_err(invalid)?;
    }
    let mut totals = Totals::default();
    totals.calls = count_of(row, 6)?;
    totals.calls_of_unknown_cost = count_of(row, 7)?;
    totals.usage = Usage::from_counts(counts);
    let cost: &str = get(row, 8)?;
    totals.cost = Money::from_pico_usd(cost.parse().map_err(invalid)?);
    Ok(totals)
}

fn count_of(row: &Row, column: usize) -> Result<u64, StoreError> {
    u64::try_from(get::<i64>(row, column)?).map_err(|error| corrupt(SUMMING, error))
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| corrupt(SUMMING, error))
}

fn invalid(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, SUMMING).with_source(source)
}
