use std::{fmt, sync::Arc, time::Duration};

use palisade_core::{Decision, RetryAfter, Timer};

use super::queue::{Busy, Places, Queued};
use crate::{ConfigError, ErrorKind, Failure, error};

/// A limit on how many calls are under way at once.
///
/// A slow upstream otherwise fills the service with waiting calls until it has no memory or sockets for the others. Full
/// means *no, now*, unless the bulkhead was given a queue: a short one takes the edge off a burst, a long one in front of a
/// slow upstream only adds its length to every wait. So a queue has both a bound and a patience.
///
/// Places are handed over in the order of asking, also to calls that take several: a heavy one at the front is not overtaken
/// by light ones until it starves.
///
/// A [`Slot`] is free again when it is dropped. Let it travel with the response body: a streamed answer occupies the
/// upstream until its last byte, not until its headers.
///
/// ```
/// use palisade_resilience::Bulkhead;
///
/// let bulkhead = Bulkhead::new(1)?;
/// let slot = bulkhead.enter().allowed();
/// assert!(bulkhead.enter().is_deny());
/// drop(slot);
/// assert!(bulkhead.enter().is_allow());
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Bulkhead {
    places: Arc<Places>,
    queue: usize,
    patience: Duration,
}

impl Bulkhead {
    /// The most places, and the longest queue.
    pub const LIMIT_MAX: usize = 1_000_000;
    /// The longest a caller may be told to wait in the queue.
    pub const PATIENCE_MAX: Duration = Duration::from_secs(3_600);

    /// A limit of `limit` calls at once, and no queue. Clones share it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless it is from 1 to [`Bulkhead::LIMIT_MAX`].
    pub fn new(limit: usize) -> Result<Self, ConfigError> {
        number("bulkhead limit", limit, 1)?;
        Ok(Self {
            places: Places::new(limit),
            queue: 0,
            patience: Duration::ZERO,
        })
    }

    /// The same, where up to `waiting` callers wait for up to `patience` for a place. Clones made before keep theirs, and
    /// share the places.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless the queue is at most [`Bulkhead::LIMIT_MAX`] long, and the patience from 1 ms to
    /// [`Bulkhead::PATIENCE_MAX`].
    pub fn with_queue(mut self, waiting: usize, patience: Duration) -> Result<Self, ConfigError> {
        number("bulkhead queue", waiting, 0)?;
        let ms = Duration::from_millis(1);
        error::duration("bulkhead patience", patience, ms, Self::PATIENCE_MAX)?;
        self.queue = waiting;
        self.patience = patience;
        Ok(self)
    }

    /// One like it, with places of its own. For one bulkhead for each upstream.
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            places: Places::new(self.limit()),
            queue: self.queue,
            patience: self.patience,
        }
    }

    /// Changes how many calls may be under way, for all clones. Calls beyond a lower limit are not cut off.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless it is from 1 to [`Bulkhead::LIMIT_MAX`].
    pub fn set_limit(&self, limit: usize) -> Result<(), ConfigError> {
        number("bulkhead limit", limit, 1)?;
        self.places.set_limit(limit);
        Ok(())
    }

    /// A place, if one is free and nobody waits for it. When the next one will be, nobody can tell.
    pub fn enter(&self) -> Decision<Slot, RetryAfter> {
        if self.places.take(1) {
            Decision::Allow(self.slot(1))
        } else {
            Decision::Deny(RetryAfter::Unknown)
        }
    }

    /// A place, waiting for it in the queue if there is one.
    ///
    /// # Cancel safety
    ///
    /// Dropped while waiting, it leaves the queue and passes on what was given to it meanwhile.
    pub async fn wait(&self, timer: &impl Timer) -> Decision<Slot, Busy> {
        self.wait_for(1, self.patience, timer).await
    }

    /// `weight` places at once, such as for a batch, waiting no longer than `patience` or the bulkhead's own, whichever ends
    /// first. Give what is left of a deadline.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Bulkhead::wait).
    pub async fn wait_for(
        &self,
        weight: usize,
        patience: Duration,
        timer: &impl Timer,
    ) -> Decision<Slot, Busy> {
        if weight > self.places.numbers().0 {
            return Decision::Deny(Busy::TooLarge);
        }
        let weight = weight.max(1);
        let patience = patience.min(self.patience);
        if self.places.take(weight) {
            return Decision::Allow(self.slot(weight));
        }
        if self.queue == 0 || patience.is_zero() {
            return Decision::Deny(Busy::NoPlace);
        }
        let sleep = timer.sleep(patience);
        let queued = Queued::new(Arc::clone(&self.places), weight, self.queue, Some(sleep));
        queued.await.map(|()| self.slot(weight))
    }

    /// How many places are taken.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.places.numbers().1
    }

    /// How many callers wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.places.numbers().2
    }

    /// How many calls may be under way.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.places.numbers().0
    }

    /// The failure of a call that found no place: ours, and not made.
    #[must_use]
    pub fn full() -> Failure {
        Failure::new(ErrorKind::Overloaded)
            .with_fault(crate::Fault::Us)
            .with_advice(RetryAfter::Unknown)
    }

    fn slot(&self, weight: usize) -> Slot {
        Slot {
            places: Arc::clone(&self.places),
            weight,
        }
    }
}

fn number(name: &'static str, found: usize, least: u64) -> Result<(), ConfigError> {
    let found = u64::try_from(found).unwrap_or(u64::MAX);
    error::number(name, found, least, Bulkhead::LIMIT_MAX as u64)
}

/// The call was never made, and by our own limit.
impl From<Busy> for Failure {
    fn from(busy: Busy) -> Self {
        Bulkhead::full().with_retryable(busy != Busy::TooLarge)
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, busy, waiting) = self.places.numbers();
        f.debug_struct("Bulkhead")
            .field("limit", &limit)
            .field("busy", &busy)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

/// A place in a [`Bulkhead`], free again when dropped.
#[must_use = "the place is free again as soon as this is dropped"]
pub struct Slot {
    places: Arc<Places>,
    weight: usize,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.places.give_back(self.weight);
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn threads_never_exceed_the_limit_and_leave_nothing_behind() {
        let bulkhead = Bulkhead::new(3).unwrap();
        let seen = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        if let Decision::Allow(_slot) = bulkhead.enter() {
                            seen.fetch_max(bulkhead.busy(), Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert!((1..=3).contains(&seen.into_inner()));
        assert_eq!(bulkhead.busy(), 0);
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        assert!(Bulkhead::new(0).is_err());
        assert!(Bulkhead::new(usize::MAX).is_err());
    }
}
