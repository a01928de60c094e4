//! Traces: a buffer with a bound in bytes, a task that writes what is in it by the batch, and lookups.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use palisade_core::{Dimension, Key, StoreError, StoreErrorKind, Timestamp};
use palisade_trace::{
    Counters, Loss, Losses, Page, Summary, Trace, TraceId, TraceQuery, TraceSink, TraceStore,
};
use tokio::sync::{Notify, futures::Notified};
use tokio_postgres::{
    Row,
    types::{FromSql, ToSql},
};
use uuid::Uuid;

use crate::{Postgres, error::corrupt, handle::Shared};

const READING: &str = "reading traces";
const WRITING: &str = "writing traces";
const INSERT: &str = "INSERT INTO traces (id, span, started, org, principal, provider, model, status, summary, steps)
     SELECT id, span, started, org, principal, provider, model, status, summary::json, steps::json
     FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
         $8::text[], $9::text[], $10::text[])
         AS t (id, span, started, org, principal, provider, model, status, summary, steps)
     ON CONFLICT (id, span) DO NOTHING RETURNING 1";
/// The most traces written at once. Beyond some hundred, more of them gain nothing.
const BATCH_MAX: usize = 256;

/// What is written behind the caller's back is tried until the deadline of a call; then the batch is lost and counted.
impl TraceSink for Postgres {
    fn record(&self, trace: Trace) {
        self.shared.traces.push(trace);
    }

    fn losses(&self) -> Losses {
        self.shared.traces.counters.losses()
    }
}

impl TraceStore for Postgres {
    async fn get(&self, id: TraceId, within: &Key) -> Result<Vec<Trace>, StoreError> {
        let mut filter = Filter::default();
        filter.and("id = $", Uuid::from_bytes(*id.as_bytes()));
        filter.within(within);
        filter.limit(TraceQuery::LIMIT_MAX);
        let sql = format!(
            "SELECT summary::text, steps::text FROM traces WHERE {} ORDER BY started, id, span LIMIT ${}",
            filter.condition,
            filter.values.len()
        );
        let rows = self.query(READING, &sql, &filter.values()).await?;
        rows.iter()
            .map(|row| Ok(Trace::new(json(row, 0)?, json(row, 1)?)))
            .collect()
    }

    async fn list(&self, query: &TraceQuery) -> Result<Page, StoreError> {
        let mut filter = Filter::default();
        let from = query.from.unwrap_or(Timestamp::MIN);
        filter.and("started >= $", from.as_nanos());
        if let Some(to) = query.to {
            filter.and("started < $", to.as_nanos());
        }
        filter.within(&query.within);
        if let Some(status) = query.status {
            filter.and("status = $", status.as_str().to_owned());
        }
        if let Some(model) = &query.model {
            filter.and("provider = $", model.provider().to_owned());
            filter.and("model = $", model.model().to_owned());
        }
        if let Some(after) = query.after {
            filter.push(after.started().as_nanos());
            filter.push(Uuid::from_bytes(*after.id().as_bytes()));
            filter.push(after.span().as_bytes().to_vec());
            let last = filter.values.len();
            filter.condition.push_str(&format!(
                " AND (started, id, span) < (${}, ${}, ${last})",
                last - 2,
                last - 1
            ));
        }
        // One more than the page holds tells whether there is another page.
        let limit = query.limit.min(TraceQuery::LIMIT_MAX);
        filter.limit(limit + 1);
        let sql = format!(
            "SELECT summary::text FROM traces WHERE {} ORDER BY started DESC, id DESC, span DESC LIMIT ${}",
            filter.condition,
            filter.values.len()
        );
        let rows = self.query(READING, &sql, &filter.values()).await?;
        let items: Vec<Summary> = rows
            .iter()
            .map(|row| json(row, 0))
            .collect::<Result<_, _>>()?;
        Ok(Page::of(items, limit))
    }
}

impl Postgres {
    /// Waits until every trace that was recorded before is written, or counted as lost.
    ///
    /// # Cancel safety
    ///
    /// Only waits; the traces are written all the same.
    pub async fn flush_traces(&self) {
        self.shared.traces.flushed().await;
    }

    /// Deletes traces that began before `before`, at most `limit` of them, the oldest first, and says how many they were.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be said whether anything was deleted.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may or may not have deleted them; asking again is harmless.
    pub async fn forget_traces(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "WITH gone AS (
                 DELETE FROM traces WHERE (id, span) IN (
                     SELECT id, span FROM traces WHERE started < $1 ORDER BY started, id, span LIMIT $2)
                 RETURNING 1)
             SELECT count(*) FROM gone";
        let values: [&(dyn ToSql + Sync); 2] = [&before.as_nanos(), &i64::from(limit)];
        let row = self.query_one("forgetting traces", sql, &values).await?;
        u64::try_from(get::<i64>(&row, 0)?).map_err(|error| corrupt(READING, error))
    }
}

/// Traces that wait to be written. Recording is a push under a lock.
pub(crate) struct Buffer {
    bytes_max: usize,
    counters: Counters,
    state: Mutex<State>,
    /// There is something to write, or nothing more will come.
    work: Notify,
    /// Everything is written.
    rest: Notify,
}

#[derive(Default)]
struct State {
    traces: VecDeque<Trace>,
    /// Of what waits and of what is being written.
    bytes: usize,
    writing: bool,
    closed: bool,
}

impl Buffer {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            counters: Counters::default(),
            state: Mutex::default(),
            work: Notify::new(),
            rest: Notify::new(),
        }
    }

    /// From now on, every trace is lost. What was accepted is still written.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }

    fn push(&self, trace: Trace) {
        self.counters.accept();
        let bytes = trace.size_bytes();
        if bytes > self.bytes_max {
            self.counters.lose(Loss::TooLarge, 1);
            return;
        }
        let mut state = self.lock();
        if state.closed {
            self.counters.lose(Loss::Closed, 1);
        } else if state.bytes + bytes > self.bytes_max {
            self.counters.lose(Loss::QueueFull, 1);
        } else {
            state.bytes += bytes;
            state.traces.push_back(trace);
            drop(state);
            self.work.notify_one();
        }
    }

    /// The next traces to write. Nothing, if nothing more will come.
    async fn next(&self) -> Option<Vec<Trace>> {
        loop {
            {
                let mut state = self.lock();
                let count = state.traces.len().min(BATCH_MAX);
                if count > 0 {
                    state.writing = true;
                    return Some(state.traces.drain(..count).collect());
                }
                if state.closed {
                    return None;
                }
            }
            self.work.notified().await;
        }
    }

    fn written(&self, batch: &[Trace]) {
        let bytes: usize = batch.iter().map(Trace::size_bytes).sum();
        let mut state = self.lock();
        state.bytes -= bytes;
        state.writing = false;
        if state.traces.is_empty() {
            drop(state);
            self.rest.notify_waiters();
        }
    }

    pub(crate) async fn flushed(&self) {
        loop {
            // Before looking, so that a rest that comes between is not missed.
            let rest: Notified<'_> = self.rest.notified();
            let mut rest = std::pin::pin!(rest);
            rest.as_mut().enable();
            {
                let state = self.lock();
                if state.traces.is_empty() && !state.writing {
                    return;
                }
            }
            rest.await;
        }
    }

    /// Nothing panics between two changes that belong together, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what is recorded, until the last handle is gone and everything is written.
pub(crate) async fn write_behind(shared: Arc<Shared>) {
    while let Some(batch) = shared.traces.next().await {
        write(&shared, &batch).await;
        shared.traces.written(&batch);
    }
}

async fn write(shared: &Shared, batch: &[Trace]) {
    let counters = &shared.traces.counters;
    let texts: Vec<_> = batch.iter().map(texts).collect();
    let rows: Vec<(&Trace, &(String, String))> = batch
        .iter()
        .zip(&texts)
        .filter_map(|(trace, texts)| Some((trace, texts.as_ref()?)))
        .collect();
    counters.lose(Loss::Store, (batch.len() - rows.len()) as u64);
    match insert(shared, &rows).await {
        Ok(duplicates) => counters.lose(Loss::Duplicate, duplicates),
        // One that cannot be written does not take the others with it.
        Err(error) if error.kind() == StoreErrorKind::Invalid => {
            for row in &rows {
                match insert(shared, std::slice::from_ref(row)).await {
                    Ok(duplicates) => counters.lose(Loss::Duplicate, duplicates),
                    Err(_) => counters.lose(Loss::Store, 1),
                }
            }
        }
        Err(_) => counters.lose(Loss::Store, rows.len() as u64),
    }
}

/// Writes these traces, all of them or none, and says how many were there already.
async fn insert(shared: &Shared, rows: &[(&Trace, &(String, String))]) -> Result<u64, StoreError> {
    let summaries: Vec<&Summary> = rows.iter().map(|(trace, _)| &trace.summary).collect();
    let texts = |part: fn(&Summary) -> Option<&str>| -> Vec<Option<&str>> {
        summaries.iter().map(|summary| part(summary)).collect()
    };
    let ids: Vec<Uuid> = summaries
        .iter()
        .map(|summary| Uuid::from_bytes(*summary.id.as_bytes()))
        .collect();
    let spans: Vec<&[u8]> = summaries
        .iter()
        .map(|summary| &summary.span.as_bytes()[..])
        .collect();
    let started: Vec<i64> = summaries
        .iter()
        .map(|summary| summary.started.as_nanos())
        .collect();
    let summary_texts: Vec<&str> = rows.iter().map(|(_, (text, _))| text.as_str()).collect();
    let step_texts: Vec<&str> = rows.iter().map(|(_, (_, text))| text.as_str()).collect();
    let written = shared
        .query(
            WRITING,
            INSERT,
            &[
                &ids,
                &spans,
                &started,
                &texts(|summary| org(&summary.principal)),
                &texts(|summary| Some(summary.principal.as_str())),
                &texts(|summary| Some(summary.model.as_ref()?.provider())),
                &texts(|summary| Some(summary.model.as_ref()?.model())),
                &texts(|summary| Some(summary.status.as_str())),
                &summary_texts,
                &step_texts,
            ],
        )
        .await?;
    Ok((rows.len() - written.len()) as u64)
}

/// The summary and the steps, as JSON.
fn texts(trace: &Trace) -> Option<(String, String)> {
    let summary = serde_json::to_string(&trace.summary).ok()?;
    Some((summary, serde_json::to_string(&trace.steps).ok()?))
}

/// The organisation's part of a key, as it stands in its text.
fn org(key: &Key) -> Option<&str> {
    key.as_str()
        .split('/')
        .find(|part| part.split('=').next() == Some(Dimension::Org.name()))
}

fn json<T: serde::de::DeserializeOwned>(row: &Row, column: usize) -> Result<T, StoreError> {
    serde_json::from_str(get(row, column)?).map_err(|error| corrupt(READING, error))
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| corrupt(READING, error))
}

/// A condition put together from a fixed set of texts, and the values for it in their order.
#[derive(Default)]
struct Filter {
    condition: String,
    values: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl Filter {
    fn push(&mut self, value: impl ToSql + Sync + Send + 'static) {
        self.values.push(Box::new(value));
    }

    /// A text that ends with the sign before the number of its value.
    fn and(&mut self, condition: &'static str, value: impl ToSql + Sync + Send + 'static) {
        if !self.condition.is_empty() {
            self.condition.push_str(" AND ");
        }
        self.push(value);
        self.condition.push_str(condition);
        self.condition.push_str(&self.values.len().to_string());
    }

    fn limit(&mut self, rows: usize) {
        self.push(i64::try_from(rows).unwrap_or(i64::MAX));
    }

    /// [`Summary::is_within`], in SQL: every part of `within` is a part of the principal, compared as escaped text.
    fn within(&mut self, within: &Key) {
        for part in within.as_str().split('/').filter(|part| !part.is_empty()) {
            if part.starts_with("org=") {
                self.and("org = $", part.to_owned());
            } else {
                self.and(
                    "0 < strpos('/' || principal || '/', '/' || $",
                    part.to_owned(),
                );
                self.condition.push_str("::text || '/')");
            }
        }
    }

    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        let values = self.values.iter();
        values
            .map(|value| -> &(dyn ToSql + Sync) { value.as_ref() })
            .collect()
    }
}
