use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::Trace;

/// Where finished traces go.
///
/// # Contract
///
/// - `record` never blocks and never waits: it stands on the path of every request. A sink that writes to a slow place
///   takes the trace into a bounded queue, and bounds it in bytes: traces differ in size by a factor of a thousand.
/// - Nothing is lost silently. A trace that is not kept is counted with the reason, so that at any time
///   `accepted = kept + lost + still under way`. Where several sinks fill one store, this holds for their sums, and what
///   makes room is counted by the sink that needed it.
pub trait TraceSink: Send + Sync {
    /// Takes a trace.
    fn record(&self, trace: Trace);

    /// What was accepted and what was lost, since the sink was made.
    fn losses(&self) -> Losses;
}

impl<S: TraceSink + ?Sized> TraceSink for Arc<S> {
    fn record(&self, trace: Trace) {
        (**self).record(trace);
    }

    fn losses(&self) -> Losses {
        (**self).losses()
    }
}

/// Why a trace was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// It made room for newer ones.
    Evicted,
    /// It is larger than all the room there is.
    TooLarge,
    /// A trace with the same two ids is there already.
    Duplicate,
    /// The queue was full.
    QueueFull,
    /// The store behind the sink refused it.
    Store,
    /// The sink had been closed.
    Closed,
}

impl Loss {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::Evicted,
        Self::TooLarge,
        Self::Duplicate,
        Self::QueueFull,
        Self::Store,
        Self::Closed,
    ];

    /// The word for it, for the label of a metric.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evicted => "evicted",
            Self::TooLarge => "too_large",
            Self::Duplicate => "duplicate",
            Self::QueueFull => "queue_full",
            Self::Store => "store",
            Self::Closed => "closed",
        }
    }
}

/// A reading of a sink's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    accepted: u64,
    lost: [u64; Loss::ALL.len()],
}

impl Losses {
    /// How many traces came in.
    #[must_use]
    pub const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// How many were lost for this reason.
    #[must_use]
    pub const fn by(&self, reason: Loss) -> u64 {
        self.lost[reason as usize]
    }

    /// How many were lost.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.lost.iter().sum()
    }

    /// The reasons with what was lost for each.
    pub fn iter(&self) -> impl Iterator<Item = (Loss, u64)> {
        Loss::ALL.into_iter().zip(self.lost)
    }
}

/// The counters behind [`Losses`], for whoever writes a sink.
#[derive(Debug, Default)]
pub struct Counters {
    accepted: AtomicU64,
    lost: [AtomicU64; Loss::ALL.len()],
}

impl Counters {
    /// Counts a trace that came in.
    pub fn accept(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts `count` traces that were lost.
    pub fn lose(&self, reason: Loss, count: u64) {
        self.lost[reason as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// A reading.
    #[must_use]
    pub fn losses(&self) -> Losses {
        // The losses first: each was counted as accepted before, so a reading never shows more lost than came in.
        let lost = std::array::from_fn(|index| self.lost[index].load(Ordering::Acquire));
        Losses {
            accepted: self.accepted.load(Ordering::Acquire),
            lost,
        }
    }
}

/// Several sinks that each get every trace, such as a store to look at and an exporter.
#[derive(Clone)]
pub struct Fanout(Arc<[Arc<dyn TraceSink>]>);

impl Fanout {
    /// A sink before all of these.
    #[must_use]
    pub fn new(sinks: impl IntoIterator<Item = Arc<dyn TraceSink>>) -> Self {
        Self(sinks.into_iter().collect())
    }
}

impl TraceSink for Fanout {
    fn record(&self, trace: Trace) {
        let Some((last, rest)) = self.0.split_last() else {
            return;
        };
        for sink in rest {
            sink.record(trace.clone());
        }
        last.record(trace);
    }

    /// The sums over all sinks: a trace that went to two counts twice.
    fn losses(&self) -> Losses {
        let mut sum = Losses::default();
        for sink in &*self.0 {
            let losses = sink.losses();
            sum.accepted += losses.accepted;
            for (total, lost) in sum.lost.iter_mut().zip(losses.lost) {
                *total += lost;
            }
        }
        sum
    }
}

impl fmt::Debug for Fanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fanout")
            .field("sinks", &self.0.len())
            .finish()
    }
}
