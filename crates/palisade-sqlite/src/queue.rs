use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

#[cfg(feature = "trace")]
use std::time::Duration;

#[cfg(feature = "trace")]
use palisade_core::{Clock as _, Instant, SystemClock};

/// How long something that nobody waits for may wait for company.
#[cfg(feature = "trace")]
const LINGER: Duration = Duration::from_millis(50);

/// A bounded queue between callers, who never wait to put something in, and threads, which wait for something to do.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    max: usize,
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    /// What nobody waits for.
    #[cfg(feature = "trace")]
    idle: VecDeque<T>,
    /// When it has waited long enough.
    #[cfg(feature = "trace")]
    idle_due: Instant,
    /// A thread sleeps until somebody wakes it.
    parked: bool,
    closed: bool,
}

/// Why an item was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    Full,
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            state: Mutex::new(State {
                items: VecDeque::new(),
                #[cfg(feature = "trace")]
                idle: VecDeque::new(),
                #[cfg(feature = "trace")]
                idle_due: SystemClock.instant(),
                parked: false,
                closed: false,
            }),
            filled: Condvar::new(),
        }
    }

    pub(crate) fn push(&self, item: T) -> Result<(), Rejected> {
        self.push_quietly(item)?;
        self.wake();
        Ok(())
    }

    /// Puts an item in and wakes nobody: the caller means to take it out again, or wakes somebody later.
    pub(crate) fn push_quietly(&self, item: T) -> Result<(), Rejected> {
        let mut state = self.lock();
        if state.closed {
            return Err(Rejected::Closed);
        }
        if state.items.len() >= self.max {
            return Err(Rejected::Full);
        }
        state.items.push_back(item);
        Ok(())
    }

    /// Wakes a thread that waits for something to do.
    pub(crate) fn wake(&self) {
        self.filled.notify_one();
    }

    /// For the one item that drains a buffer with a bound of its own: it is taken even if the queue is full, and, from
    /// the thread that works the queue off, after it was closed. Nobody waits for it, so it is taken after [`LINGER`], or
    /// when it is [hurried](Self::hurry): waking a thread for each trace would cost more than writing it, and so would a
    /// commit for every few.
    #[cfg(feature = "trace")]
    pub(crate) fn push_idle(&self, item: T) {
        let mut state = self.lock();
        if state.idle.is_empty() {
            state.idle_due = SystemClock.instant().saturating_add(LINGER);
        }
        state.idle.push_back(item);
        let parked = state.parked;
        drop(state);
        if parked {
            self.filled.notify_one();
        }
    }

    /// What nobody waits for has waited long enough.
    #[cfg(feature = "trace")]
    pub(crate) fn hurry(&self) {
        self.lock().idle_due = SystemClock.instant();
        self.filled.notify_one();
    }

    /// Up to `max` items that somebody waits for, without waiting.
    pub(crate) fn take_now(&self, max: usize) -> Vec<T> {
        let mut state = self.lock();
        let count = state.items.len().min(max);
        state.items.drain(..count).collect()
    }

    /// Puts items back to the front.
    pub(crate) fn put_back(&self, items: Vec<T>) {
        let mut state = self.lock();
        for item in items.into_iter().rev() {
            state.items.push_front(item);
        }
    }

    /// Whether somebody waits for something.
    pub(crate) fn is_waited_for(&self) -> bool {
        !self.lock().items.is_empty()
    }

    /// From now on nothing is taken. What is in the queue is still worked off.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// Waits for items and takes up to `max`, and what nobody waits for with them once that is due; `None` when the queue
    /// is closed and empty.
    pub(crate) fn take(&self, max: usize) -> Option<Vec<T>> {
        let mut state = self.lock();
        loop {
            let count = state.items.len().min(max);
            #[cfg(feature = "trace")]
            let linger = state.linger();
            #[cfg(feature = "trace")]
            if linger == Some(Duration::ZERO) {
                let state = &mut *state;
                return Some(
                    state
                        .items
                        .drain(..count)
                        .chain(state.idle.drain(..))
                        .collect(),
                );
            }
            if count > 0 {
                return Some(state.items.drain(..count).collect());
            }
            #[cfg(feature = "trace")]
            if let Some(linger) = linger {
                let waited = self.filled.wait_timeout(state, linger);
                (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if state.closed {
                return None;
            }
            state.parked = true;
            state = self
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.parked = false;
        }
    }

    /// Every change is a single call to the deque, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "trace")]
impl<T> State<T> {
    /// How long what nobody waits for is still to wait, if there is any.
    fn linger(&self) -> Option<Duration> {
        if self.idle.is_empty() {
            return None;
        }
        if self.closed {
            return Some(Duration::ZERO);
        }
        Some(self.idle_due.saturating_since(SystemClock.instant()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_has_a_bound_and_works_off_what_it_holds_when_it_is_closed() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1), Ok(()));
        assert_eq!(queue.push(2), Ok(()));
        assert_eq!(queue.push(3), Err(Rejected::Full));
        queue.close();
        assert_eq!(queue.push(4), Err(Rejected::Closed));
        assert_eq!(queue.take(1), Some(vec![1]));
        assert_eq!(queue.take(9), Some(vec![2]));
        assert_eq!(queue.take(9), None);
    }

    #[cfg(feature = "trace")]
    #[test]
    fn what_nobody_waits_for_goes_after_a_while_or_when_it_is_hurried() {
        let queue = Queue::new(2);
        queue.push_idle(1);
        assert_eq!(queue.take(1), Some(vec![1]), "alone it goes after a while");
        queue.push_idle(2);
        queue.hurry();
        assert_eq!(queue.push_quietly(3), Ok(()));
        assert_eq!(queue.take(1), Some(vec![3, 2]), "in company too");
        queue.push_idle(4);
        queue.close();
        assert_eq!(queue.take(1), Some(vec![4]));
        assert_eq!(queue.take(1), None);
    }

    #[test]
    fn items_that_are_put_back_keep_their_place() {
        let queue = Queue::new(3);
        for item in [1, 2, 3] {
            assert_eq!(queue.push_quietly(item), Ok(()));
        }
        let taken = queue.take_now(2);
        assert_eq!(taken, [1, 2]);
        queue.put_back(taken);
        assert!(queue.is_waited_for());
        assert_eq!(queue.take_now(9), [1, 2, 3]);
        assert!(!queue.is_waited_for());
    }
}
