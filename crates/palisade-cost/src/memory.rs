use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use palisade_core::{Key, StoreError, StoreErrorKind};

use crate::{CostLedger, RecordId, Recorded, Report, ReportQuery, Totals, UsageRecord};

/// A [`CostLedger`] in this process: for tests, for one node, for what need not outlive it.
///
/// It holds a bounded number of records. When it is full, the record that came first goes, and its id with it; how many
/// have gone is [`evicted`](InMemory::evicted), so that a report over less than everything can be seen as such.
///
/// ```
/// use palisade_core::{Key, ModelId, Timestamp, Tokens, Usage};
/// use palisade_cost::{CostLedger, GroupBy, InMemory, RecordId, Recorded, ReportQuery, UsageRecord};
///
/// # futures_util::FutureExt::now_or_never(async {
/// let ledger = InMemory::new(10_000);
/// let record = UsageRecord::new(
///     RecordId::new("request-1#1")?,
///     Timestamp::from_secs(60),
///     Key::parse("org=acme/user=7")?,
///     ModelId::new("openai", "gpt-4o-mini")?,
///     Usage::new(Tokens::new(1_000), Tokens::new(200)),
/// );
/// assert_eq!(ledger.record(record.clone()).await?, Recorded::New);
/// assert_eq!(ledger.record(record).await?, Recorded::Before);
///
/// let query = ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::User);
/// assert_eq!(ledger.report(query).await?.total.calls, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).expect("an in-memory ledger never waits").unwrap();
/// ```
#[derive(Debug)]
pub struct InMemory {
    records_max: usize,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    /// In the order they came.
    order: VecDeque<RecordId>,
    records: HashMap<RecordId, UsageRecord>,
    evicted: u64,
}

impl InMemory {
    /// An empty ledger that holds at most `records_max` records, and at least one.
    #[must_use]
    pub fn new(records_max: usize) -> Self {
        Self {
            records_max: records_max.max(1),
            log: Mutex::default(),
        }
    }

    /// How many records it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().records.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many records had to go because it was full.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.lock().evicted
    }

    /// Nothing panics while the lock is held, and each change leaves the log whole; a poisoned lock is an open one.
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CostLedger for InMemory {
    async fn record(&self, record: UsageRecord) -> Result<Recorded, StoreError> {
        let mut log = self.lock();
        if log.records.contains_key(&record.id) {
            return Ok(Recorded::Before);
        }
        if log.records.len() == self.records_max
            && let Some(first) = log.order.pop_front()
        {
            log.records.remove(&first);
            log.evicted = log.evicted.saturating_add(1);
        }
        log.order.push_back(record.id.clone());
        log.records.insert(record.id.clone(), record);
        Ok(Recorded::New)
    }

    async fn report(&self, query: ReportQuery) -> Result<Report, StoreError> {
        let overflow =
            |error| StoreError::new(StoreErrorKind::Invalid, "summing usage").with_source(error);
        let mut groups: BTreeMap<Key, Totals> = BTreeMap::new();
        let log = self.lock();
        for record in log.records.values().filter(|record| query.matches(record)) {
            groups
                .entry(query.group_by.group_of(record))
                .or_default()
                .add(&Totals::of(record))
                .map_err(overflow)?;
        }
        drop(log);
        query.report(groups).map_err(overflow)
    }
}
