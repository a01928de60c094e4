use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use palisade_core::{Clock, Decision, RetryAfter, StoreError, Timer};

use crate::{Allowed, Denied, RateLimiter, ReserveRequest};

/// Waits for a limit instead of refusing, first come, first served: bounded in number and in time.
///
/// One queue stands for those who compete for the same limits, such as the tasks of one client of a provider. Only the
/// first in it asks the limiter; it waits as long as it is told, and those behind it wait for it. So a large request is not
/// starved by small ones that slip past it, and a thousand waiters ask no more often than one.
///
/// Clones share one queue.
pub struct Queue<T, C> {
    inner: Arc<Inner>,
    timer: T,
    clock: C,
}

struct Inner {
    waiters_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Tickets in the order they came. The first may ask.
    waiters: VecDeque<(u64, Option<Waker>)>,
}

/// Why somebody waited in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waited {
    /// There were as many in the queue already as it holds.
    Full,
    /// Its turn did not come before the deadline.
    TimedOut,
    /// No time would help, or the time told lies beyond the deadline: it did not wait for that.
    Refused(Denied),
}

impl<T: Timer, C: Clock> Queue<T, C> {
    /// A queue for up to `waiters_max`, the one who asks among them.
    pub fn new(waiters_max: usize, timer: T, clock: C) -> Self {
        Self {
            inner: Arc::new(Inner {
                waiters_max,
                state: Mutex::new(State::default()),
            }),
            timer,
            clock,
        }
    }

    /// How many are in it now.
    pub fn len(&self) -> usize {
        self.inner.lock().waiters.len()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Asks until the request passes, or `patience` is over.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the limiter gave no answer.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves the queue, and the next moves up. Whether it was charged is then as with
    /// [`reserve`](RateLimiter::reserve): ask under a hold if it matters.
    pub async fn reserve(
        &self,
        limiter: &impl RateLimiter,
        request: ReserveRequest<'_>,
        patience: Duration,
    ) -> Result<Decision<Allowed, Waited>, StoreError> {
        let deadline = self.clock.instant().saturating_add(patience);
        let Some(ticket) = self.inner.join() else {
            return Ok(Decision::Deny(Waited::Full));
        };
        // One timer for the wait in the queue; the first in it sleeps on its own.
        let mut patience = self.timer.sleep(patience);
        let first = poll_fn(|cx| {
            if ticket.poll_first(cx.waker()) {
                return Poll::Ready(true);
            }
            patience.as_mut().poll(cx).map(|()| false)
        });
        if !first.await {
            return Ok(Decision::Deny(Waited::TimedOut));
        }
        loop {
            let denied = match limiter.reserve(request).await? {
                Decision::Allow(allowed) => return Ok(Decision::Allow(allowed)),
                Decision::Deny(denied) => denied,
            };
            let now = self.clock.instant();
            match denied.retry_after() {
                RetryAfter::After(wait) if now.saturating_add(wait) <= deadline => {
                    self.timer.sleep(wait).await;
                }
                _ => return Ok(Decision::Deny(Waited::Refused(denied))),
            }
        }
    }
}

impl<T: Clone, C: Clone> Clone for Queue<T, C> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            timer: self.timer.clone(),
            clock: self.clock.clone(),
        }
    }
}

impl<T, C> fmt::Debug for Queue<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("waiters", &self.inner.lock().waiters.len())
            .field("waiters_max", &self.inner.waiters_max)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn join(self: &Arc<Self>) -> Option<Ticket> {
        let mut state = self.lock();
        if state.waiters.len() >= self.waiters_max {
            return None;
        }
        let number = state.next;
        state.next += 1;
        state.waiters.push_back((number, None));
        Some(Ticket {
            queue: Arc::clone(self),
            number,
        })
    }

    /// Whole after every statement, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue. Dropped, it is free, and whoever is first now is woken.
struct Ticket {
    queue: Arc<Inner>,
    number: u64,
}

impl Ticket {
    /// Whether it is this one's turn; otherwise it will be woken when it is.
    fn poll_first(&self, waker: &Waker) -> bool {
        let mut state = self.queue.lock();
        if state
            .waiters
            .front()
            .is_some_and(|first| first.0 == self.number)
        {
            return true;
        }
        // Tickets stand in ascending order.
        let found = state
            .waiters
            .binary_search_by_key(&self.number, |waiter| waiter.0);
        if let Ok(index) = found {
            state.waiters[index].1 = Some(waker.clone());
        }
        false
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        let found = state
            .waiters
            .binary_search_by_key(&self.number, |waiter| waiter.0);
        if let Ok(index) = found {
            state.waiters.remove(index);
        }
        let waker = state.waiters.front_mut().and_then(|first| first.1.take());
        drop(state);
        // Woken outside the lock: a waker may poll its task at once.
        waker.into_iter().for_each(Waker::wake);
    }
}
