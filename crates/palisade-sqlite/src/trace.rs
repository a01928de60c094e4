//! Traces: a buffer with a bound in bytes before the writer, and lookups by the readers.

mod rows;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use palisade_core::{Dimension, Key, ModelId, StoreError, StoreErrorKind, Timestamp};
use palisade_trace::{
    Counters, Loss, Losses, Page, Trace, TraceId, TraceQuery, TraceSink, TraceStore,
};
use rusqlite::{Connection, Statement, params_from_iter, types::Value};

use crate::{
    Sqlite, SqliteConfig,
    error::{Failure, Trouble, kind},
    queue::Queue,
    writer::{Done, Job, Transaction},
};

const READING: &str = "reading traces";
const INSERT: &str = "INSERT INTO traces
        (id, span, started, org, principal, provider, model, status, summary, steps)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (id, span) DO NOTHING";
/// The most traces written at once, so that a burst of them does not keep others waiting.
const BATCH_MAX: usize = 128;
/// The most old traces deleted at once; more than come in at once.
const TIDY_ROWS: u32 = 512;

/// What makes room for newer traces counts as [`Loss::Evicted`] at the sink that wrote the newer ones, whoever wrote the
/// older: nobody else sees them go. So what was accepted and what was lost add up for a file, over all sinks it had, and a
/// sink on a file that was full before can lose more than it accepted. What [`Sqlite::forget_traces`] deletes is not lost;
/// who asks for it is told the number.
impl TraceSink for Sqlite {
    fn record(&self, trace: Trace) {
        Arc::clone(self.traces()).push(trace);
    }

    fn losses(&self) -> Losses {
        self.traces().counters.losses()
    }
}

impl TraceStore for Sqlite {
    async fn get(&self, id: TraceId, within: &Key) -> Result<Vec<Trace>, StoreError> {
        let within = within.clone();
        self.read(READING, move |connection| get(connection, id, &within))
            .await
    }

    async fn list(&self, query: &TraceQuery) -> Result<Page, StoreError> {
        let query = query.clone();
        self.read(READING, move |connection| list(connection, &query))
            .await
    }
}

impl Sqlite {
    /// Waits until every trace that was recorded before is written, or counted as lost.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the writer cannot be asked.
    ///
    /// # Cancel safety
    ///
    /// Only waits; the traces are written all the same.
    pub async fn flush_traces(&self) -> Result<(), StoreError> {
        while self.traces().is_busy() {
            // Nobody waits for a batch of traces, so now somebody does, once for each batch.
            self.traces().writes.hurry();
            let nothing = |_: &mut Transaction<'_>| Ok(());
            self.hand_over("flushing traces", nothing).await?;
        }
        Ok(())
    }

    /// Deletes traces that began before `before`, at most `limit` of them, the oldest first, and says how many they were.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if nothing could be deleted.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may or may not have deleted them; asking again is harmless.
    pub async fn forget_traces(&self, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
        let work = move |tx: &mut Transaction<'_>| {
            let oldest = "SELECT trace FROM traces WHERE started < ?1 ORDER BY started LIMIT ?2";
            Ok(delete(tx.connection, oldest, (before.as_nanos(), limit))?)
        };
        self.write("forgetting traces", work).await
    }
}

/// Traces that wait to be written.
///
/// Recording is a push under a lock. Whenever the buffer is not empty, exactly one [`Drain`] is in the queue of the
/// writer or at work.
pub(crate) struct Buffer {
    bytes_max: usize,
    traces_max: i64,
    counters: Counters,
    writes: Arc<Queue<Box<dyn Job>>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    traces: VecDeque<Trace>,
    /// Of what waits and of what is being written.
    bytes: usize,
    draining: bool,
    closed: bool,
}

impl Buffer {
    pub(crate) fn new(config: &SqliteConfig, writes: Arc<Queue<Box<dyn Job>>>) -> Arc<Self> {
        Arc::new(Self {
            bytes_max: config.trace_queue_bytes_max,
            traces_max: i64::try_from(config.traces_max).unwrap_or(i64::MAX),
            counters: Counters::default(),
            writes,
            state: Mutex::default(),
        })
    }

    /// From now on, every trace is lost.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    fn push(self: Arc<Self>, trace: Trace) {
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
            if !state.draining {
                state.draining = true;
                // Under the lock, so that `close` cannot come between and leave the trace behind.
                self.writes.push_idle(Drain::of(&self));
            }
            // No commit is cheaper for a larger batch.
            if state.traces.len() == BATCH_MAX {
                self.writes.hurry();
            }
        }
    }

    fn is_busy(&self) -> bool {
        self.lock().draining
    }

    /// Nothing panics between two changes that belong together, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes one batch of the buffer.
struct Drain {
    buffer: Arc<Buffer>,
    batch: Vec<Trace>,
    duplicates: u64,
    failed: u64,
    evicted: u64,
    undone: bool,
}

impl Drain {
    fn of(buffer: &Arc<Buffer>) -> Box<dyn Job> {
        Box::new(Self {
            buffer: Arc::clone(buffer),
            batch: Vec::new(),
            duplicates: 0,
            failed: 0,
            evicted: 0,
            undone: false,
        })
    }
}

impl Drain {
    /// Writes the batch. An error means that nothing of it is to stay.
    fn write(&mut self, connection: &Connection) -> Result<(), Option<StoreErrorKind>> {
        (self.duplicates, self.failed) = (0, 0);
        let mut texts = rows::Texts::default();
        let mut statement = connection
            .prepare_cached(INSERT)
            .map_err(|error| Some(kind(&error)))?;
        for trace in &self.batch {
            match insert(&mut statement, &mut texts, trace) {
                Ok(true) => {}
                Ok(false) => self.duplicates += 1,
                // One that cannot be written does not take the others with it.
                Err(Failure::Store(_)) => self.failed += 1,
                Err(Failure::Sqlite(error)) if kind(&error) == StoreErrorKind::Invalid => {
                    self.failed += 1;
                }
                Err(Failure::Sqlite(error)) => return Err(Some(kind(&error))),
            }
        }
        let evicted = tidy(connection, self.buffer.traces_max);
        self.evicted = evicted.map_err(|error| Some(kind(&error)))? as u64;
        Ok(())
    }
}

impl Job for Drain {
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Done {
        // Kept for a second run, should the first be lost.
        if self.batch.is_empty() {
            let mut state = self.buffer.lock();
            let count = state.traces.len().min(BATCH_MAX);
            self.batch.extend(state.traces.drain(..count));
        }
        let written = self.write(transaction.connection);
        self.undone = written.is_err();
        match written {
            Ok(()) => Done::Keep,
            Err(trouble) => Done::Undo(trouble),
        }
    }

    fn answer(self: Box<Self>, lost: Option<&Trouble>) {
        let counters = &self.buffer.counters;
        if lost.is_some() || self.undone {
            counters.lose(Loss::Store, self.batch.len() as u64);
        } else {
            counters.lose(Loss::Duplicate, self.duplicates);
            counters.lose(Loss::Store, self.failed);
            counters.lose(Loss::Evicted, self.evicted);
        }
        let bytes: usize = self.batch.iter().map(Trace::size_bytes).sum();
        let mut state = self.buffer.lock();
        state.bytes -= bytes;
        state.draining = !state.traces.is_empty();
        if state.draining {
            self.buffer.writes.push_idle(Self::of(&self.buffer));
            if state.traces.len() >= BATCH_MAX {
                self.buffer.writes.hurry();
            }
        }
    }
}

/// Writes a trace. `false` if it is there already.
fn insert(
    statement: &mut Statement<'_>,
    texts: &mut rows::Texts,
    trace: &Trace,
) -> Result<bool, Failure> {
    let summary = &trace.summary;
    let (summary_json, steps_json) = texts.write(trace).map_err(unwritable)?;
    let inserted = statement.execute((
        summary.id.as_bytes(),
        summary.span.as_bytes(),
        summary.started.as_nanos(),
        org(&summary.principal),
        summary.principal.as_str(),
        summary.model.as_ref().map(ModelId::provider),
        summary.model.as_ref().map(ModelId::model),
        summary.status.as_str(),
        summary_json,
        steps_json,
    ))?;
    Ok(inserted == 1)
}

/// Deletes the traces that came first, once there are more than are to be kept, and says how many they were.
fn tidy(connection: &Connection, traces_max: i64) -> Result<usize, rusqlite::Error> {
    let newest: Option<i64> = connection
        .prepare_cached("SELECT max(trace) FROM traces")?
        .query_row((), |row| row.get(0))?;
    // Rows are numbered in the order they come, so this many numbers back is at least this many rows.
    let last_to_go = newest.unwrap_or(0).saturating_sub(traces_max);
    if last_to_go <= 0 {
        return Ok(0);
    }
    let first = "SELECT trace FROM traces WHERE trace <= ?1 ORDER BY trace LIMIT ?2";
    delete(connection, first, (last_to_go, TIDY_ROWS))
}

/// Deletes the traces that `which` selects, with their steps, which older versions put into a table of their own.
fn delete(
    connection: &Connection,
    which: &'static str,
    values: (i64, u32),
) -> Result<usize, rusqlite::Error> {
    connection
        .prepare_cached(&format!("DELETE FROM trace_steps WHERE trace IN ({which})"))?
        .execute(values)?;
    connection
        .prepare_cached(&format!("DELETE FROM traces WHERE trace IN ({which})"))?
        .execute(values)
}

fn get(connection: &Connection, id: TraceId, within: &Key) -> Result<Vec<Trace>, Failure> {
    let mut filter = Filter::new("t.id = ?", Value::Blob(id.as_bytes().to_vec()));
    filter.within(within);
    filter.limit(TraceQuery::LIMIT_MAX);
    let sql = format!(
        "SELECT {}, coalesce(t.steps, s.steps)
         FROM traces t LEFT JOIN trace_steps s ON s.trace = t.trace
         WHERE {} ORDER BY t.started, t.id, t.span LIMIT ?",
        rows::SUMMARY,
        filter.condition
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(filter.values))?;
    let mut traces = Vec::new();
    while let Some(row) = rows.next()? {
        let summary = rows::read_summary(row)?;
        let steps = row.get_ref(8)?.as_str().map_err(rusqlite::Error::from)?;
        let steps = rows::read_steps(steps, &summary)?;
        traces.push(Trace::new(summary, steps));
    }
    Ok(traces)
}

fn list(connection: &Connection, query: &TraceQuery) -> Result<Page, Failure> {
    let from = query.from.unwrap_or(Timestamp::MIN);
    let mut filter = Filter::new("t.started >= ?", Value::Integer(from.as_nanos()));
    if let Some(to) = query.to {
        filter.and("t.started < ?", [Value::Integer(to.as_nanos())]);
    }
    filter.within(&query.within);
    if let Some(status) = query.status {
        filter.and("t.status = ?", [Value::Text(status.as_str().to_owned())]);
    }
    if let Some(model) = &query.model {
        let names = [model.provider(), model.model()].map(|name| Value::Text(name.to_owned()));
        filter.and("t.provider = ? AND t.model = ?", names);
    }
    if let Some(after) = query.after {
        filter.and(
            "(t.started, t.id, t.span) < (?, ?, ?)",
            [
                Value::Integer(after.started().as_nanos()),
                Value::Blob(after.id().as_bytes().to_vec()),
                Value::Blob(after.span().as_bytes().to_vec()),
            ],
        );
    }
    // One more than the page holds tells whether there is another page.
    filter.limit(query.limit.min(TraceQuery::LIMIT_MAX) + 1);
    let sql = format!(
        "SELECT {} FROM traces t
         WHERE {} ORDER BY t.started DESC, t.id DESC, t.span DESC LIMIT ?",
        rows::SUMMARY,
        filter.condition
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(filter.values))?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(rows::read_summary(row)?);
    }
    Ok(Page::of(items, query.limit.min(TraceQuery::LIMIT_MAX)))
}

/// A condition put together from a fixed set of texts, and the values for it in their order.
struct Filter {
    condition: String,
    values: Vec<Value>,
}

impl Filter {
    fn new(condition: &'static str, value: Value) -> Self {
        Self {
            condition: condition.to_owned(),
            values: vec![value],
        }
    }

    fn and(&mut self, condition: &'static str, values: impl IntoIterator<Item = Value>) {
        self.condition.push_str(" AND ");
        self.condition.push_str(condition);
        self.values.extend(values);
    }

    fn limit(&mut self, rows: usize) {
        self.values
            .push(Value::Integer(i64::try_from(rows).unwrap_or(i64::MAX)));
    }

    /// [`Summary::is_within`](palisade_trace::Summary::is_within), in SQL: every part of `within` is a part of the principal, compared as escaped text.
    fn within(&mut self, within: &Key) {
        for part in within.as_str().split('/').filter(|part| !part.is_empty()) {
            if part.starts_with("org=") {
                self.and("t.org = ?", [Value::Text(part.to_owned())]);
            } else {
                self.and(
                    "instr('/' || t.principal || '/', ?) > 0",
                    [Value::Text(format!("/{part}/"))],
                );
            }
        }
    }
}

/// The organisation's part of a key, as it stands in its text.
fn org(key: &Key) -> Option<&str> {
    let prefix = Dimension::Org.name();
    key.as_str()
        .split('/')
        .find(|part| part.split('=').next() == Some(prefix))
}

fn unwritable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    let error = StoreError::new(StoreErrorKind::Invalid, "writing a trace");
    Failure::Store(error.with_source(source))
}
