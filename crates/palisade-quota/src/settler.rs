use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use palisade_core::{StoreError, Timer};

use crate::{Amount, QuotaLedger, ReservationId, Resolution, SettleRequest};

/// How often one resolution is tried against a store in trouble: about thirteen seconds in all.
const ATTEMPTS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Where reservations go that end without anybody awaiting their end: a bounded queue.
///
/// `Drop` cannot await, so a dropped [`Reservation`](crate::Reservation) leaves its resolution here, and the
/// [`SettlerTask`] takes it to the ledger. Clones share one queue. If it is full, or its task is gone, the resolution is
/// lost and counted, and the hold expires in the ledger.
///
/// ```
/// # use palisade_core::{ManualClock, Timer};
/// # use palisade_quota::{Defaults, InMemory, Settler};
/// # fn spawn(_: impl Future<Output = ()> + Send + 'static) {}
/// # let clock = ManualClock::default();
/// let ledger = InMemory::new(clock.clone(), Defaults::default());
/// let (settler, task) = Settler::new(ledger.clone(), 1_024);
/// spawn(task.run(clock)); // with the runtime's own timer in a service
/// # let _ = settler;
/// ```
pub struct Settler(Arc<Handle>);

impl Settler {
    /// A queue for up to `capacity` resolutions, and the task that works it off, which the host runs.
    pub fn new<L: QuotaLedger>(ledger: L, capacity: usize) -> (Self, SettlerTask<L>) {
        let queue = Arc::new(Queue {
            capacity,
            state: Mutex::new(State::default()),
        });
        let task = SettlerTask {
            ledger,
            queue: Arc::clone(&queue),
            current: None,
        };
        (Self(Arc::new(Handle(queue))), task)
    }

    /// What has become of the resolutions so far.
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
        if state.gone {
            state.counts.lost_gone += 1;
        } else if state.jobs.len() >= queue.capacity {
            state.counts.lost_full += 1;
        } else {
            state.jobs.push_back(job);
            let waker = state.waker.take();
            drop(state);
            wake(waker);
        }
    }
}

impl Clone for Settler {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl fmt::Debug for Settler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settler")
            .field("counts", &self.counts())
            .finish()
    }
}

/// What has become of queued resolutions. All but `waiting` only ever grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettlerCounts {
    /// In the queue now.
    pub waiting: usize,
    /// Taken to the ledger.
    pub done: u64,
    /// Attempts that the store did not answer and that were made again.
    pub retried: u64,
    /// Given up: the store stayed in trouble, or refused the question. The hold expires.
    pub failed: u64,
    /// Not taken: the queue was full. The hold expires.
    pub lost_full: u64,
    /// Not taken, or taken and dropped: the task was gone. The hold expires.
    pub lost_gone: u64,
}

/// Works off the queue of a [`Settler`].
#[must_use = "the queue is worked off while the task runs"]
pub struct SettlerTask<L> {
    ledger: L,
    queue: Arc<Queue>,
    current: Option<Job>,
}

impl<L: QuotaLedger> SettlerTask<L> {
    /// Takes resolutions to the ledger, one after the other, until every [`Settler`] and every reservation is gone and
    /// the queue is empty. A service that shuts down drops its handles and then awaits this.
    ///
    /// A store in passing trouble is asked again, with growing pauses on `timer`, eight times in all.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it counts what was still queued as lost, and so everything that comes later. Holds then expire.
    pub async fn run(mut self, timer: impl Timer) {
        while let Some(job) = self.next().await {
            self.current = Some(job);
            let done = self.carry(job, &timer).await;
            self.current = None;
            let mut state = self.queue.lock();
            if done {
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
            if state.handles_gone {
                return Poll::Ready(None);
            }
            state.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    async fn carry(&self, job: Job, timer: &impl Timer) -> bool {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            match job.resolve(&self.ledger).await {
                Ok(_) => return true,
                Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                    self.queue.lock().counts.retried += 1;
                    timer.sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
                Err(_) => return false,
            }
        }
        false
    }
}

impl<L> Drop for SettlerTask<L> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.gone = true;
        let left = state.jobs.len() + usize::from(self.current.is_some());
        state.jobs.clear();
        state.counts.lost_gone += u64::try_from(left).unwrap_or(u64::MAX);
    }
}

impl<L> fmt::Debug for SettlerTask<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettlerTask").finish_non_exhaustive()
    }
}

/// One resolution on its way to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Settle(ReservationId, Amount),
    Release(ReservationId),
}

impl Job {
    pub(crate) async fn resolve(self, ledger: &impl QuotaLedger) -> Result<Resolution, StoreError> {
        match self {
            Self::Settle(id, actual) => ledger.settle(SettleRequest::new(id, actual)).await,
            Self::Release(id) => ledger.release(id).await,
        }
    }
}

struct Queue {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    counts: SettlerCounts,
    waker: Option<Waker>,
    handles_gone: bool,
    gone: bool,
}

impl Queue {
    /// Plain data, whole after every statement: a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Falls when the last clone of a [`Settler`] does.
struct Handle(Arc<Queue>);

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.handles_gone = true;
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }
}

/// Outside the lock: a waker may poll its task at once.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
