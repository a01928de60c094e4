use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
};

use palisade_core::{Decision, Sleep};

use crate::sync::{Mutex, MutexGuard};

/// Places that are handed over in the order of asking.
///
/// One lock over plain numbers: a place that becomes free is given to the first in the queue *by whoever frees it*, before
/// it is woken. So no newcomer overtakes, and a waiter that is woken and gives up in the same moment finds the place in its
/// name and passes it on.
pub(crate) struct Places(Mutex<State>);

struct State {
    limit: usize,
    busy: usize,
    next: u64,
    waiting: BTreeMap<u64, (usize, Waker)>,
    /// Given, but not fetched yet.
    granted: BTreeMap<u64, usize>,
}

/// Why there was no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Busy {
    /// All places are taken, or others are waiting for one.
    NoPlace,
    /// So many are waiting already that one more would wait in vain.
    QueueFull,
    /// None became free in time.
    TimedOut,
    /// It takes more places than there are.
    TooLarge,
}

impl Places {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            limit,
            busy: 0,
            next: 0,
            waiting: BTreeMap::new(),
            granted: BTreeMap::new(),
        })))
    }

    /// Takes so many places, if they are free and nobody waits.
    pub(crate) fn take(&self, weight: usize) -> bool {
        let mut state = self.lock();
        let free = state.waiting.is_empty() && state.has_room(weight);
        if free {
            state.busy += weight;
        }
        free
    }

    /// Gives so many places back, to those who wait for them.
    pub(crate) fn give_back(&self, weight: usize) {
        self.change(|state| state.busy = state.busy.saturating_sub(weight));
    }

    /// Changes how many there are. Those that are taken beyond a lower limit stay so until they are given back.
    pub(crate) fn set_limit(&self, limit: usize) {
        self.change(|state| state.limit = limit);
    }

    /// How many there are, are taken, and are waited for.
    pub(crate) fn numbers(&self) -> (usize, usize, usize) {
        let state = self.lock();
        (state.limit, state.busy, state.waiting.len())
    }

    /// Changes something, then hands out what became free.
    fn change(&self, f: impl FnOnce(&mut State)) {
        let mut woken = Vec::new();
        {
            let mut state = self.lock();
            f(&mut state);
            while let Some(first) = state.waiting.first_entry() {
                let (weight, id) = (first.get().0, *first.key());
                if !state.has_room(weight) {
                    break;
                }
                if let Some((_, waker)) = state.waiting.remove(&id) {
                    woken.push(waker);
                }
                state.busy += weight;
                state.granted.insert(id, weight);
            }
        }
        // With the lock free again, as a waker may poll at once.
        for waker in woken {
            waker.wake();
        }
    }

    /// The state is whole after every statement, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A call that is heavier than all places together passes alone, as a limit that moves may be below it for a while.
    fn has_room(&self, weight: usize) -> bool {
        self.busy == 0 || self.busy.saturating_add(weight) <= self.limit
    }
}

/// Waits in the queue of some [`Places`].
pub(crate) struct Queued {
    places: Arc<Places>,
    weight: usize,
    queue_limit: usize,
    patience: Option<Sleep>,
    id: Option<u64>,
    done: bool,
}

impl Queued {
    pub(crate) fn new(
        places: Arc<Places>,
        weight: usize,
        queue_limit: usize,
        patience: Option<Sleep>,
    ) -> Self {
        Self {
            places,
            weight,
            queue_limit,
            patience,
            id: None,
            done: false,
        }
    }

    /// Enters the queue, or a place. `None` while waiting.
    fn step(&mut self, waker: &Waker) -> Option<Decision<(), Busy>> {
        let mut state = self.places.lock();
        let Some(id) = self.id else {
            if state.waiting.is_empty() && state.has_room(self.weight) {
                state.busy += self.weight;
                return Some(Decision::Allow(()));
            }
            if state.waiting.len() >= self.queue_limit {
                return Some(Decision::Deny(Busy::QueueFull));
            }
            let id = state.next;
            state.next += 1;
            state.waiting.insert(id, (self.weight, waker.clone()));
            self.id = Some(id);
            return None;
        };
        if state.granted.remove(&id).is_some() {
            return Some(Decision::Allow(()));
        }
        if let Some((_, old)) = state.waiting.get_mut(&id) {
            old.clone_from(waker);
        }
        None
    }

    /// Leaves the queue. True if a place had been given just before.
    fn leave(&mut self) -> bool {
        let Some(id) = self.id else { return false };
        let mut granted = false;
        // Those behind may be lighter than the one that leaves the front.
        self.places.change(|state| {
            granted = state.granted.remove(&id).is_some();
            state.waiting.remove(&id);
        });
        granted
    }
}

impl Future for Queued {
    type Output = Decision<(), Busy>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(decision) = self.step(cx.waker()) {
            self.done = true;
            return Poll::Ready(decision);
        }
        let late = match &mut self.patience {
            Some(patience) => patience.as_mut().poll(cx).is_ready(),
            None => false,
        };
        if !late {
            return Poll::Pending;
        }
        self.done = true;
        // The place may have come between the two looks. Then it is taken, not lost.
        Poll::Ready(if self.leave() {
            Decision::Allow(())
        } else {
            Decision::Deny(Busy::TimedOut)
        })
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        if !self.done && self.leave() {
            self.places.give_back(self.weight);
        }
    }
}
