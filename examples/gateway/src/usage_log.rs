//! The way of usage records into the store: a bounded queue, since the end of a stream cannot wait.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use http::Extensions;
use palisade::{
    auth::Principal,
    core::{Key, Usage},
    cost::{CostLedger as _, Layer, RecordId, UsageRecord},
    sqlite::Sqlite,
    tower::{Metered, UsageSink},
    trace::ActiveTrace,
};
use tokio::sync::mpsc;

/// How many records may wait. Beyond it they are lost, and counted.
const RECORDS_MAX: usize = 65_536;
/// How many are given to the store at once, so that they share a commit.
const BATCH: usize = 128;
/// How long to wait for company after a batch: nobody waits for these.
const LINGER: std::time::Duration = std::time::Duration::from_millis(50);

/// Takes usage records without waiting.
pub(crate) struct UsageLog {
    queue: mpsc::Sender<UsageRecord>,
    lost: Arc<AtomicU64>,
}

/// Brings the records to the store.
pub(crate) struct UsageLogTask {
    queue: mpsc::Receiver<UsageRecord>,
    store: Sqlite,
    lost: Arc<AtomicU64>,
}

impl UsageLog {
    pub(crate) fn new(store: Sqlite) -> (Self, UsageLogTask) {
        let (sender, receiver) = mpsc::channel(RECORDS_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        (
            Self {
                queue: sender,
                lost: Arc::clone(&lost),
            },
            UsageLogTask {
                queue: receiver,
                store,
                lost,
            },
        )
    }

    /// How many records found no place in the queue, or could not be written.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl UsageSink for UsageLog {
    fn metered(&self, metered: &Metered, request: &Extensions) {
        let record = record(metered, request);
        if record.is_none_or(|record| self.queue.try_send(record).is_err()) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One attempt as a line of the usage log. `None` if it has no name to be known by, which means it was not traced.
fn record(metered: &Metered, request: &Extensions) -> Option<UsageRecord> {
    let context = request.get::<ActiveTrace>()?.context()?;
    // The same attempt told twice is one record.
    let id = format!(
        "{}-{}-{}",
        context.trace_id(),
        context.span_id(),
        metered.attempt
    );
    let subject = request
        .get::<Principal>()
        .map_or_else(Key::global, Principal::key);
    let usage = metered
        .usage
        .counts()
        .map_or_else(Usage::default, |counts| counts.usage);
    let record = UsageRecord::new(
        RecordId::new(&id).ok()?,
        metered.at,
        subject,
        metered.model.clone(),
        usage,
    )
    .with_cost(metered.priced.cost, metered.priced.status);
    let layer = Layer::new(Cow::Borrowed("gateway")).ok()?;
    Some(record.with_layer(layer))
}

impl UsageLogTask {
    /// Runs until the log is dropped and its queue is empty.
    pub(crate) async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.queue.recv_many(&mut batch, BATCH).await > 0 {
            let more_wait = batch.len() == BATCH;
            let records: Arc<[UsageRecord]> = batch.drain(..).collect();
            if let Err(error) = self.store.record_all(Arc::clone(&records)).await {
                tracing::warn!(%error, "usage records were not written together; now one by one");
                self.write_each(&records).await;
            }
            if !more_wait {
                tokio::time::sleep(LINGER).await;
            }
        }
    }

    /// So that one that cannot be written does not take others with it.
    async fn write_each(&self, records: &[UsageRecord]) {
        for record in records {
            if let Err(error) = self.store.record(record.clone()).await {
                self.lost.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "a usage record was not written");
            }
        }
    }
}
