//! The usage log. Sums are formed by SQLite over columns of integers, and grouped by the room's own rule.

use std::{collections::BTreeMap, sync::Arc};

use palisade_core::{Dimension, Key, ModelId, Money, StoreError, StoreErrorKind, Timestamp, Usage};
use palisade_cost::{
    CostLedger, CostStatus, GroupBy, Layer, RecordId, Recorded, Report, ReportQuery, Totals,
    UsageRecord,
};
use rusqlite::{Connection, Row, Statement, params_from_iter, types::Value};

use crate::{
    Sqlite,
    error::{Failure, corrupt},
    writer::Transaction,
};

const RECORDING: &str = "recording usage";
const SUMMING: &str = "summing usage";

/// The counts are the last columns but one, in the order of [`Usage::to_counts`].
const INSERT: &str = "INSERT INTO cost_records (id, at, org, project, user, api_key, subject,
        provider, model, layer, status, cost_pico_usd, input, output, cache_read, cache_write_5m,
        cache_write_1h, reasoning, input_audio, output_audio, cache_read_audio, input_image,
        input_video, citation, web_search_requests, search_units, wide)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
        ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)
    ON CONFLICT (id) DO NOTHING";

/// The counts of a [`Usage`], in the order of the columns.
const COUNTS: usize = Usage::COUNTS;
/// A count beyond this is none that a model has produced. Rows with one are summed outside of SQL, where nothing is
/// bound to 63 bits.
const COUNT_MAX: u64 = 1 << 40;

impl CostLedger for Sqlite {
    async fn record(&self, record: UsageRecord) -> Result<Recorded, StoreError> {
        let work = move |tx: &mut Transaction<'_>| {
            let mut statement = tx.connection.prepare_cached(INSERT)?;
            insert(&mut statement, &record)
        };
        self.write(RECORDING, work).await
    }

    async fn report(&self, query: ReportQuery) -> Result<Report, StoreError> {
        let work = move |connection: &Connection| report(connection, &query);
        self.read(SUMMING, work).await
    }
}

impl Sqlite {
    /// Keeps many records at once, all of them or none, and says of each in its order whether it was new. What
    /// [`record`](CostLedger::record) promises of one holds for every one of them.
    ///
    /// For records that come in faster than anybody wants to wait for them one by one: beside a single one, one of a
    /// hundred costs a fraction. They are one transaction, and as long as it lasts other writes wait; a few hundred are
    /// a good number.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be said whether they were kept. Recording them again, also one by one, is harmless.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may or may not have kept them, all or none; recording them again is harmless.
    pub async fn record_all(
        &self,
        records: impl Into<Arc<[UsageRecord]>>,
    ) -> Result<Vec<Recorded>, StoreError> {
        let records = records.into();
        let work = move |tx: &mut Transaction<'_>| {
            let mut statement = tx.connection.prepare_cached(INSERT)?;
            let recorded = records.iter().map(|record| insert(&mut statement, record));
            recorded.collect()
        };
        self.hand_over(RECORDING, work).await
    }

    /// Deletes usage records from before `before`, at most `limit` of them, the oldest first, and says how many they were.
    ///
    /// Reports no longer hold them, and their ids are free again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if nothing could be deleted.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may or may not have deleted them; asking again is harmless.
    pub async fn forget_usage(&self, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
        let work = move |tx: &mut Transaction<'_>| {
            let mut statement = tx.connection.prepare_cached(
                "DELETE FROM cost_records WHERE record IN (
                     SELECT record FROM cost_records WHERE at < ?1 ORDER BY at LIMIT ?2)",
            )?;
            Ok(statement.execute((before.as_nanos(), limit))?)
        };
        self.write("forgetting usage", work).await
    }
}

fn insert(statement: &mut Statement<'_>, record: &UsageRecord) -> Result<Recorded, Failure> {
    let counts = record.usage.to_counts();
    let narrow_cost = match record.cost {
        None => Some(None),
        Some(cost) => i64::try_from(cost.as_pico_usd()).ok().map(Some),
    };
    let is_narrow = counts.iter().all(|count| *count <= COUNT_MAX) && narrow_cost.is_some();
    let part = |dimension| record.subject.part(&dimension);
    statement.raw_bind_parameter(1, record.id.as_str())?;
    statement.raw_bind_parameter(2, record.at.as_nanos())?;
    statement.raw_bind_parameter(3, part(Dimension::Org))?;
    statement.raw_bind_parameter(4, part(Dimension::Project))?;
    statement.raw_bind_parameter(5, part(Dimension::User))?;
    statement.raw_bind_parameter(6, part(Dimension::ApiKey))?;
    statement.raw_bind_parameter(7, record.subject.as_str())?;
    statement.raw_bind_parameter(8, record.model.provider())?;
    statement.raw_bind_parameter(9, record.model.model())?;
    statement.raw_bind_parameter(10, record.layer.as_str())?;
    statement.raw_bind_parameter(11, record.status.as_str())?;
    statement.raw_bind_parameter(12, narrow_cost.flatten().filter(|_| is_narrow))?;
    for (index, count) in counts.into_iter().enumerate() {
        let count = if is_narrow { count } else { 0 };
        statement.raw_bind_parameter(13 + index, i64::try_from(count).unwrap_or(i64::MAX))?;
    }
    let wide = (!is_narrow).then(|| write_wide(&counts, record.cost));
    statement.raw_bind_parameter(13 + COUNTS, wide)?;
    Ok(if statement.raw_execute()? == 1 {
        Recorded::New
    } else {
        Recorded::Before
    })
}

fn report(connection: &Connection, query: &ReportQuery) -> Result<Report, Failure> {
    let (condition, values) = condition(query)?;
    let mut groups: BTreeMap<Key, Totals> = BTreeMap::new();
    let mut add = |record: &UsageRecord, totals: &Totals| {
        let group = query.group_by.group_of(record);
        groups
            .entry(group)
            .or_default()
            .add(totals)
            .map_err(invalid)
    };
    // The cost is summed in two halves, so that no sum of costs that fit leaves 64 bits.
    let sums = format!(
        "SELECT subject, at, provider, model, layer, status,
             count(*), count(*) - count(cost_pico_usd),
             coalesce(sum(cost_pico_usd >> 20), 0), coalesce(sum(cost_pico_usd & 1048575), 0),
             sum(input), sum(output), sum(cache_read), sum(cache_write_5m), sum(cache_write_1h),
             sum(reasoning), sum(input_audio), sum(output_audio), sum(cache_read_audio),
             sum(input_image), sum(input_video), sum(citation), sum(web_search_requests),
             sum(search_units)
         FROM cost_records WHERE wide IS NULL AND {condition} GROUP BY {group}",
        group = group(query.group_by)?,
    );
    let mut statement = connection.prepare_cached(&sums)?;
    let mut rows = statement.query(params_from_iter(&values))?;
    while let Some(row) = rows.next().map_err(sum_too_large)? {
        add(&sample(row)?, &totals(row)?)?;
    }
    let wide = format!(
        "SELECT subject, at, provider, model, layer, status, wide
         FROM cost_records WHERE wide IS NOT NULL AND {condition}"
    );
    let mut statement = connection.prepare_cached(&wide)?;
    let mut rows = statement.query(params_from_iter(&values))?;
    while let Some(row) = rows.next()? {
        let mut record = sample(row)?;
        let text = row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?;
        (record.usage, record.cost) =
            read_wide(text).ok_or_else(|| corrupt(SUMMING, "a record has unreadable numbers"))?;
        add(&record, &Totals::of(&record))?;
    }
    query.report(groups).map_err(invalid)
}

/// What the rows of a group have in common. The rule of the room says the group's name, of any of its rows.
fn group(by: GroupBy) -> Result<&'static str, Failure> {
    Ok(match by {
        GroupBy::Model => "provider, model",
        // Rounded towards the past, also before 1970.
        GroupBy::Day => {
            "(at - ((at % 86400000000000) + 86400000000000) % 86400000000000) / 86400000000000"
        }
        GroupBy::Org => "org",
        GroupBy::Project => "org, project",
        GroupBy::User => "org, user",
        GroupBy::Layer => "layer",
        GroupBy::Status => "status",
        _ => return Err(invalid("a group that this version cannot form")),
    })
}

/// [`ReportQuery::matches`], as a condition of a fixed set and the values for it.
fn condition(query: &ReportQuery) -> Result<(String, Vec<Value>), Failure> {
    let mut condition = "at >= ?1 AND at < ?2".to_owned();
    let mut values = vec![
        Value::Integer(query.from.as_nanos()),
        Value::Integer(query.until.as_nanos()),
    ];
    for (dimension, _) in query.within.parts() {
        let column = match dimension {
            Dimension::Org => "org",
            Dimension::Project => "project",
            Dimension::User => "user",
            Dimension::ApiKey => "api_key",
            _ => {
                return Err(invalid(
                    "a report within something it cannot be narrowed to",
                ));
            }
        };
        values.push(Value::from(
            query.within.part(&dimension).map(str::to_owned),
        ));
        condition.push_str(&format!(" AND {column} = ?{}", values.len()));
    }
    Ok((condition, values))
}

/// A record with the names of a row, and without its numbers.
fn sample(row: &Row<'_>) -> Result<UsageRecord, Failure> {
    let text = |column| -> Result<String, Failure> { Ok(row.get(column)?) };
    let id = RecordId::new("sample").map_err(|error| corrupt(SUMMING, error))?;
    let subject = Key::parse(&text(0)?).map_err(|error| corrupt(SUMMING, error))?;
    let model = ModelId::new(&text(2)?, &text(3)?).map_err(|error| corrupt(SUMMING, error))?;
    let layer = Layer::new(text(4)?).map_err(|error| corrupt(SUMMING, error))?;
    let status: CostStatus = text(5)?.parse().map_err(|error| corrupt(SUMMING, error))?;
    let at = Timestamp::from_nanos(row.get(1)?);
    Ok(UsageRecord::new(id, at, subject, model, Usage::default())
        .with_layer(layer)
        .with_cost(None, status))
}

fn totals(row: &Row<'_>) -> Result<Totals, Failure> {
    let mut counts = [0; COUNTS];
    for (index, count) in counts.iter_mut().enumerate() {
        *count = count_of(row, 10 + index)?;
    }
    let (high, low): (i64, i64) = (row.get(8)?, row.get(9)?);
    let mut totals = Totals::default();
    totals.calls = count_of(row, 6)?;
    totals.calls_of_unknown_cost = count_of(row, 7)?;
    totals.usage = Usage::from_counts(counts);
    totals.cost = Money::from_pico_usd((i128::from(high) << 20) + i128::from(low));
    Ok(totals)
}

fn count_of(row: &Row<'_>, column: usize) -> Result<u64, Failure> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|error| corrupt(SUMMING, error))
}

/// The counts and the cost, apart by spaces; `-` for an unknown cost.
fn write_wide(counts: &[u64; COUNTS], cost: Option<Money>) -> String {
    let mut words: Vec<String> = counts.iter().map(u64::to_string).collect();
    words.push(cost.map_or_else(|| "-".to_owned(), |cost| cost.as_pico_usd().to_string()));
    words.join(" ")
}

fn read_wide(text: &str) -> Option<(Usage, Option<Money>)> {
    let words: Vec<&str> = text.split(' ').collect();
    let (cost, counts) = words.split_last()?;
    let mut read = [0; COUNTS];
    if counts.len() != COUNTS {
        return None;
    }
    for (count, word) in read.iter_mut().zip(counts) {
        *count = word.parse().ok()?;
    }
    let cost = match *cost {
        "-" => None,
        pico => Some(Money::from_pico_usd(pico.parse().ok()?)),
    };
    Some((Usage::from_counts(read), cost))
}

fn invalid(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::Store(StoreError::new(StoreErrorKind::Invalid, SUMMING).with_source(source))
}

/// SQLite reports a sum that leaves 64 bits as a plain error with this text.
fn sum_too_large(error: rusqlite::Error) -> Failure {
    match &error {
        rusqlite::Error::SqliteFailure(_, Some(text)) if text == "integer overflow" => {
            invalid(error)
        }
        _ => Failure::Sqlite(error),
    }
}
