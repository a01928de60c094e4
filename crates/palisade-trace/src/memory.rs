use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use palisade_core::{Key, StoreError};

use crate::{
    Counters, Cursor, Loss, Losses, Page, SpanId, Summary, Trace, TraceId, TraceQuery, TraceSink,
    TraceStore,
};

/// What the maps and the queue cost for one trace, beside the trace.
const OVERHEAD_BYTES: usize = 160;
/// How many traces a list looks at before it lets go of the lock, so that a search for a rare trace does not hold up
/// those who record.
const CHUNK: usize = 256;

/// The newest traces, in memory, within a fixed number of bytes.
///
/// When the room is used up, the trace that was recorded first goes. Clones share the room.
#[derive(Clone)]
pub struct InMemory {
    shared: Arc<Shared>,
}

struct Shared {
    bytes_max: usize,
    ring: Mutex<Ring>,
    counters: Counters,
}

#[derive(Default)]
struct Ring {
    bytes: usize,
    /// In the order of arrival: who goes first.
    arrivals: VecDeque<Cursor>,
    /// In the order of the list.
    traces: BTreeMap<Cursor, Arc<Trace>>,
    /// By id.
    ids: BTreeMap<(TraceId, SpanId), Cursor>,
}

impl InMemory {
    /// Room for `bytes_max` bytes of traces, as [`Trace::size_bytes`] estimates them.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                bytes_max,
                ring: Mutex::default(),
                counters: Counters::default(),
            }),
        }
    }

    /// How many traces are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().arrivals.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes they take.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.lock().bytes
    }

    /// A panic while the lock is held can only come from a failed allocation; the maps stay readable.
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.shared
            .ring
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn evict(&mut self) -> Option<Arc<Trace>> {
        let oldest = self.arrivals.pop_front()?;
        self.ids.remove(&(oldest.id(), oldest.span()));
        let trace = self.traces.remove(&oldest)?;
        self.bytes -= cost(&trace);
        Some(trace)
    }
}

fn cost(trace: &Trace) -> usize {
    trace.size_bytes() + OVERHEAD_BYTES
}

impl TraceSink for InMemory {
    fn record(&self, trace: Trace) {
        let counters = &self.shared.counters;
        counters.accept();
        let bytes = cost(&trace);
        if bytes > self.shared.bytes_max {
            counters.lose(Loss::TooLarge, 1);
            return;
        }
        let place = Cursor::of(&trace.summary);
        let trace = Arc::new(trace);
        let mut evicted = Vec::new();
        let mut ring = self.lock();
        if ring.ids.contains_key(&(place.id(), place.span())) {
            counters.lose(Loss::Duplicate, 1);
            return;
        }
        while ring.bytes + bytes > self.shared.bytes_max {
            evicted.extend(ring.evict());
            counters.lose(Loss::Evicted, 1);
        }
        ring.bytes += bytes;
        ring.arrivals.push_back(place);
        ring.ids.insert((place.id(), place.span()), place);
        ring.traces.insert(place, trace);
        drop(ring);
        // Large traces are freed outside of the lock.
        drop(evicted);
    }

    fn losses(&self) -> Losses {
        self.shared.counters.losses()
    }
}

impl TraceStore for InMemory {
    async fn get(&self, id: TraceId, within: &Key) -> Result<Vec<Trace>, StoreError> {
        let mut found: Vec<Arc<Trace>> = {
            let ring = self.lock();
            let from = (id, SpanId::MIN);
            ring.ids
                .range(from..)
                .take_while(|((present, _), _)| *present == id)
                .filter_map(|(_, place)| ring.traces.get(place))
                .filter(|trace| trace.summary.is_within(within))
                .cloned()
                .collect()
        };
        found.sort_by_key(|trace| Cursor::of(&trace.summary));
        found.truncate(TraceQuery::LIMIT_MAX);
        Ok(found.iter().map(|trace| Trace::clone(trace)).collect())
    }

    async fn list(&self, query: &TraceQuery) -> Result<Page, StoreError> {
        let mut items: Vec<Summary> = Vec::new();
        let start = query.after.into_iter().chain(query.to.map(Cursor::before));
        let mut before = start.min().map_or(Bound::Unbounded, Bound::Excluded);
        loop {
            let chunk: Vec<Arc<Trace>> = {
                let ring = self.lock();
                let older = ring.traces.range((Bound::Unbounded, before));
                older
                    .rev()
                    .take(CHUNK)
                    .map(|(_, trace)| Arc::clone(trace))
                    .collect()
            };
            let Some(last) = chunk.last() else { break };
            before = Bound::Excluded(Cursor::of(&last.summary));
            let past = query.from.is_some_and(|from| last.summary.started < from);
            let wanted = query.limit + 1 - items.len();
            let matching = chunk.iter().map(|trace| &trace.summary);
            items.extend(
                matching
                    .filter(|summary| query.matches(summary))
                    .take(wanted)
                    .cloned(),
            );
            if past || chunk.len() < CHUNK || items.len() > query.limit {
                break;
            }
        }
        Ok(Page::of(items, query.limit))
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory")
            .field("traces", &self.len())
            .field("bytes", &self.size_bytes())
            .field("bytes_max", &self.shared.bytes_max)
            .finish()
    }
}
