use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

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
                closed: false,
            }),
            filled: Condvar::new(),
        }
    }

    pub(crate) fn push(&self, item: T) -> Result<(), Rejected> {
        let mut state = self.lock();
        if state.closed {
            return Err(Rejected::Closed);
        }
        if state.items.len() >= self.max {
            return Err(Rejected::Full);
        }
        state.items.push_back(item);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// For the one item that drains a buffer with a bound of its own: it is taken even if the queue is full, and, from
    /// the thread that works the queue off, after it was closed.
    #[cfg(feature = "trace")]
    pub(crate) fn push_always(&self, item: T) {
        self.lock().items.push_back(item);
        self.filled.notify_one();
    }

    /// From now on nothing is taken. What is in the queue is still worked off.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// Waits for items and takes up to `max`; `None` when the queue is closed and empty.
    pub(crate) fn take(&self, max: usize) -> Option<Vec<T>> {
        let mut state = self.lock();
        loop {
            if !state.items.is_empty() {
                let count = state.items.len().min(max);
                return Some(state.items.drain(..count).collect());
            }
            if state.closed {
                return None;
            }
            state = self
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Every change is a single call to the deque, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
}
