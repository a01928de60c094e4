use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use palisade_core::{Clock, Instant, SystemClock, Timer, Timestamp};

/// A clock that is read now and then and otherwise remembered: a question then costs a few nanoseconds less than reading
/// the clock does.
///
/// Somebody has to [`tick`](CachedClock::tick) it; [`run`](CachedClock::run) does so in a task. Between two ticks time
/// stands still, and moves in one step: in any interval of length *t* a limit lets pass what it says for *t* and one step
/// more. Waits are told from the last tick, so they may be a step too long. Clones share one time.
#[derive(Clone, Debug, Default)]
pub struct CachedClock<C = SystemClock> {
    inner: C,
    cached: Arc<Cached>,
}

#[derive(Debug, Default)]
#[repr(align(128))]
struct Cached {
    instant: AtomicU64,
    now: AtomicI64,
}

impl<C: Clock> CachedClock<C> {
    /// A clock that has just been read.
    pub fn new(inner: C) -> Self {
        let clock = Self {
            inner,
            cached: Arc::default(),
        };
        clock.tick();
        clock
    }

    /// Reads the clock. From any thread; the time never goes back.
    pub fn tick(&self) {
        let (instant, now) = (self.inner.instant(), self.inner.now());
        self.cached
            .instant
            .fetch_max(instant.as_nanos(), Ordering::Relaxed);
        self.cached.now.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// Reads the clock again and again, for ever, once in every `step`.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it stops, and so does the time.
    pub async fn run(self, timer: impl Timer, step: Duration) {
        loop {
            timer.sleep(step).await;
            self.tick();
        }
    }
}

impl<C: Clock> Clock for CachedClock<C> {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.cached.now.load(Ordering::Relaxed))
    }

    #[inline]
    fn instant(&self) -> Instant {
        Instant::from_nanos(self.cached.instant.load(Ordering::Relaxed))
    }
}

/// The processor's own counter, where it has one that runs evenly; else the operating system's clock.
///
/// Reading it costs less than half of what [`SystemClock`] does, which is a third of a check. Civil time is the system's.
#[cfg(feature = "fast-clock")]
#[derive(Clone, Debug)]
pub struct FastClock {
    clock: quanta::Clock,
    origin: quanta::Instant,
}

#[cfg(feature = "fast-clock")]
impl FastClock {
    /// A clock that begins now. The first of a process takes a moment to compare the counter with the system's clock.
    /// Instants compare among clones alone.
    #[must_use]
    pub fn new() -> Self {
        let clock = quanta::Clock::new();
        let origin = clock.now();
        Self { clock, origin }
    }
}

#[cfg(feature = "fast-clock")]
impl Default for FastClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "fast-clock")]
impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    #[inline]
    fn instant(&self) -> Instant {
        let since = self.clock.now().saturating_duration_since(self.origin);
        // 584 years of nanoseconds fit.
        Instant::from_nanos(since.as_nanos() as u64)
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::ManualClock;

    use super::*;

    #[test]
    fn time_stands_still_between_ticks_and_never_goes_back() {
        let inner = ManualClock::default();
        let clock = CachedClock::new(inner.clone());
        let before = clock.instant();
        inner.advance(Duration::from_secs(1));
        assert_eq!(clock.instant(), before);
        clock.clone().tick();
        assert_eq!(
            clock.instant().saturating_since(before),
            Duration::from_secs(1)
        );
        assert_eq!(clock.now(), inner.now());
    }

    #[cfg(feature = "fast-clock")]
    #[test]
    fn the_fast_clock_runs_as_the_systems_does() {
        let clock = FastClock::new();
        let mut last = clock.instant();
        for _ in 0..10_000 {
            let next = clock.instant();
            assert!(next >= last);
            last = next;
        }
    }
}
