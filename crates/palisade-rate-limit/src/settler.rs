use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use palisade_core::{Key, StoreError, Timer};

use crate::{HoldId, Limit, RateLimiter, SettleRequest, Settled, Use};

/// How often one settlement is tried against a store in trouble: about six seconds in all.
const ATTEMPTS: u32 = 7;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Where reservations go that end without anybody awaiting their end: a bounded queue.
///
/// `Drop` cannot await, so a dropped [`Reservation`](crate::Reservation) leaves its settlement here, and the
/// [`SettlerTask`] takes it to the store. Clones share one queue. If it is full, or its task is gone, the settlement is
/// lost and counted, and the hold expires in the store.
///
/// ```
/// # use palisade_core::{ManualClock, Timer};
/// # use palisade_rate_limit::{InMemory, Settler};
/// # use std::sync::Arc;
/// # fn spawn(_: impl Future<Output = ()> + Send + 'static) {}
/// # let clock = ManualClock::default();
/// let limiter = Arc::new(InMemory::default());
/// let (settler, task) = Settler::new(Arc::clone(&limiter), 1_024);
/// spawn(task.run(clock)); // with the runtime's own timer in a service
/// # let _ = settler;
/// ```
#[derive(Clone)]
pub struct Settler(Arc<Handle>);

/// The last of them to fall tells the task.
struct Handle(Arc<Queue>);

struct Queue {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    counts: SettlerCounts,
    waker: Option<Waker>,
    /// No handle is left to push.
    closed: bool,
    /// No task is left to work.
    gone: bool,
}

/// What has become of queued settlements. All but `waiting` only ever grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettlerCounts {
    /// In the queue now.
    pub waiting: usize,
    /// Taken to the store.
    pub done: u64,
    /// Given up: the store stayed in trouble, or refused the question. The hold expires.
    pub failed: u64,
    /// Not taken: the queue was full, or its task was gone. The hold expires.
    pub lost: u64,
}

/// One settlement, as a reservation left it.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) id: HoldId,
    pub(crate) uses: Vec<OwnedUse>,
}

#[derive(Clone)]
pub(crate) struct OwnedUse {
    pub(crate) limit: Limit,
    pub(crate) key: Key,
    pub(crate) reserved: u64,
    pub(crate) used: u64,
}

impl Job {
    pub(crate) async fn settle(&self, limiter: &impl RateLimiter) -> Result<Settled, StoreError> {
        let uses: Vec<Use<'_>> = self
            .uses
            .iter()
            .map(|used| Use::new(&used.limit, &used.key, used.reserved, used.used))
            .collect();
        match SettleRequest::new(self.id, &uses) {
            Ok(request) => limiter.settle(request).await,
            // The uses are those of a request that was one.
            Err(_) => unreachable!("a reservation has at least one charge, and none twice"),
        }
    }
}

impl Settler {
    /// A queue for up to `capacity` settlements, and the task that works it off, which the host runs.
    pub fn new<L: RateLimiter>(limiter: L, capacity: usize) -> (Self, SettlerTask<L>) {
        let queue = Arc::new(Queue {
            capacity,
            state: Mutex::new(State::default()),
        });
        let task = SettlerTask {
            limiter,
            queue: Arc::clone(&queue),
        };
        (Self(Arc::new(Handle(queue))), task)
    }

    /// What has become of the settlements so far.
    #[must_use]
    pub fn counts(&self) -> SettlerCounts {
        let state = self.0.0.lock();
        SettlerCounts {
            waiting: state.jobs.len(),
            ..state.counts
        }
    }

    pub(crate) fn push(&self, job: Job) {
        let queue = &self.0.0;
        let mut state = queue.lock();
        if state.gone || state.jobs.len() >= queue.capacity {
            state.counts.lost += 1;
            return;
        }
        state.jobs.push_back(job);
        let waker = state.waker.take();
        drop(state);
        // Woken outside the lock: a waker may poll the task at once.
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Queue {
    /// Whole after every statement, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Settler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settler")
            .field("counts", &self.counts())
            .finish()
    }
}

/// Works off the queue of a [`Settler`].
#[must_use = "the queue is worked off while the task runs"]
pub struct SettlerTask<L> {
    limiter: L,
    queue: Arc<Queue>,
}

impl<L: RateLimiter> SettlerTask<L> {
    /// Takes settlements to the store, one after the other, until every [`Settler`] and every reservation is gone and the
    /// queue is empty. A service that shuts down drops its handles and then awaits this.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it loses what is in the queue, and counts it as lost.
    pub async fn run(self, timer: impl Timer) {
        while let Some(job) = self.next().await {
            let mut pause = FIRST_PAUSE;
            let mut settled = false;
            for attempt in 1..=ATTEMPTS {
                match job.settle(&self.limiter).await {
                    Ok(_) => {
                        settled = true;
                        break;
                    }
                    Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                        timer.sleep(pause).await;
                        pause *= 2;
                    }
                    Err(_) => break,
                }
            }
            let mut state = self.queue.lock();
            if settled {
                state.counts.done += 1;
            } else {
                state.counts.failed += 1;
            }
        }
    }

    async fn next(&self) -> Option<Job> {
        poll_fn(|cx| {
            let mut state = self.queue.lock();
            if let Some(job) = state.jobs.pop_front() {
                return Poll::Ready(Some(job));
            }
            if state.closed {
                return Poll::Ready(None);
            }
            state.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl<L> Drop for SettlerTask<L> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.gone = true;
        state.counts.lost += state.jobs.len() as u64;
        state.jobs.clear();
    }
}

impl<L> fmt::Debug for SettlerTask<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SettlerTask")
    }
}
