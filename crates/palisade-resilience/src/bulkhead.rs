use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use palisade_core::{Decision, RetryAfter};

use crate::{ConfigError, ErrorKind, Failure, error};

/// A limit on how many calls are under way at once.
///
/// A slow upstream otherwise fills the service with waiting calls until it has no memory or sockets for the others. Full
/// means *no, now*: there is no queue, because a queue in front of a slow upstream only adds its length to every wait.
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
pub struct Bulkhead(Arc<Shared>);

struct Shared {
    limit: usize,
    busy: AtomicUsize,
}

impl Bulkhead {
    /// A limit of `limit` calls at once. Clones share it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless it is from 1 to 1,000,000.
    pub fn new(limit: usize) -> Result<Self, ConfigError> {
        let found = u64::try_from(limit).unwrap_or(u64::MAX);
        error::number("bulkhead limit", found, 1, 1_000_000)?;
        Ok(Self(Arc::new(Shared {
            limit,
            busy: AtomicUsize::new(0),
        })))
    }

    /// A place, if one is free. When the next one will be, nobody can tell.
    pub fn enter(&self) -> Decision<Slot, RetryAfter> {
        let taken = self
            .0
            .busy
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |busy| {
                (busy < self.0.limit).then_some(busy + 1)
            });
        match taken {
            Ok(_) => Decision::Allow(Slot(Arc::clone(&self.0))),
            Err(_) => Decision::Deny(RetryAfter::Unknown),
        }
    }

    /// How many calls are under way.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.0.busy.load(Ordering::Relaxed)
    }

    /// The failure of a call that found no place: ours, and not made.
    #[must_use]
    pub fn full() -> Failure {
        Failure::new(ErrorKind::Overloaded)
            .with_fault(crate::Fault::Us)
            .with_advice(RetryAfter::Unknown)
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead")
            .field("limit", &self.0.limit)
            .field("busy", &self.busy())
            .finish()
    }
}

/// One place in a [`Bulkhead`], free again when dropped.
#[must_use = "the place is free again as soon as this is dropped"]
pub struct Slot(Arc<Shared>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Release);
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}

#[cfg(test)]
mod tests {
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
