use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, PoisonError, Weak},
    task::{Context, Poll, Waker},
};

use palisade_core::Key;

use super::{handle::BreakerObserver, phase::Change};
use crate::{
    ConfigError, error,
    sync::{Mutex, MutexGuard},
};

/// Hands every change of phase to whoever subscribed: an operator's page, a pager, a test.
///
/// It is a [`BreakerObserver`]; clones are one. A subscriber that does not keep up loses the oldest changes and is told how
/// many: a breaker must not wait for its audience, nor keep everything for one that fell asleep.
///
/// ```
/// use palisade_core::{Key, ManualClock};
/// use palisade_resilience::{BreakerEvents, BreakerPolicy, BreakerRegistry, Phase};
///
/// let events = BreakerEvents::default();
/// let mut changes = events.subscribe(16)?;
/// let breakers = BreakerRegistry::new(BreakerPolicy::default(), ManualClock::default())
///     .with_observer(events);
/// breakers.breaker(&Key::global()).allowed().unwrap().force_open();
/// assert_eq!(changes.try_next().unwrap().change.to, Phase::ForcedOpen);
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
#[derive(Clone, Default)]
pub struct BreakerEvents(Arc<Mutex<Vec<Weak<Queue>>>>);

struct Queue {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    events: VecDeque<BreakerEvent>,
    missed: u64,
    waker: Option<Waker>,
}

/// One change of phase of one breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerEvent {
    /// Whose breaker.
    pub key: Key,
    /// What changed.
    pub change: Change,
    /// How many changes before this one were lost, as nobody fetched them in time.
    pub missed: u64,
}

impl BreakerEvents {
    /// The most changes that may be kept for a subscriber.
    pub const CAPACITY_MAX: usize = 65_536;
    /// The most subscribers. The oldest gives way to one more.
    pub const SUBSCRIBERS_MAX: usize = 1_024;

    /// Everything from now on, of which up to `capacity` changes are kept until they are fetched. Dropped, it is forgotten.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless the capacity is from 1 to [`CAPACITY_MAX`](BreakerEvents::CAPACITY_MAX).
    pub fn subscribe(&self, capacity: usize) -> Result<Subscription, ConfigError> {
        let found = u64::try_from(capacity).unwrap_or(u64::MAX);
        error::number("events capacity", found, 1, Self::CAPACITY_MAX as u64)?;
        let queue = Arc::new(Queue {
            capacity,
            state: Mutex::default(),
        });
        let mut queues = lock(&self.0);
        queues.retain(|queue| queue.strong_count() > 0);
        if queues.len() >= Self::SUBSCRIBERS_MAX {
            queues.remove(0);
        }
        queues.push(Arc::downgrade(&queue));
        Ok(Subscription(queue))
    }
}

impl BreakerObserver for BreakerEvents {
    fn changed(&self, key: &Key, change: &Change) {
        let queues: Vec<_> = lock(&self.0).iter().filter_map(Weak::upgrade).collect();
        for queue in queues {
            let waker = {
                let mut state = lock(&queue.state);
                if state.events.len() >= queue.capacity {
                    state.events.pop_front();
                    state.missed += 1;
                }
                state.events.push_back(BreakerEvent {
                    key: key.clone(),
                    change: *change,
                    missed: 0,
                });
                state.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl fmt::Debug for BreakerEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerEvents").finish_non_exhaustive()
    }
}

/// The changes that one subscriber has not fetched yet.
pub struct Subscription(Arc<Queue>);

impl Subscription {
    /// The next change, if there is one.
    pub fn try_next(&mut self) -> Option<BreakerEvent> {
        lock(&self.0.state).next()
    }

    /// The next change. Never ends by itself.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if it is dropped.
    pub fn next_event(&mut self) -> impl Future<Output = BreakerEvent> + Send {
        Next(&self.0)
    }
}

impl State {
    fn next(&mut self) -> Option<BreakerEvent> {
        let mut event = self.events.pop_front()?;
        event.missed = std::mem::take(&mut self.missed);
        Some(event)
    }
}

struct Next<'a>(&'a Queue);

impl Future for Next<'_> {
    type Output = BreakerEvent;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BreakerEvent> {
        let mut state = lock(&self.0.state);
        if let Some(event) = state.next() {
            return Poll::Ready(event);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("waiting", &lock(&self.0.state).events.len())
            .finish_non_exhaustive()
    }
}

/// The state is whole after every statement, so a poisoned lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
