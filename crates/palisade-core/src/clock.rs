use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::{Instant, Timestamp};

/// Where a guard-rail reads the time.
///
/// One handle, two readings: [`now`](Clock::now) for calendars and logs, [`instant`](Clock::instant) for durations.
/// They are kept apart because the wall clock jumps; a rate limit measured with it would hand out a free burst, or
/// shut for an hour, whenever somebody sets the clock.
///
/// # Contract
///
/// - `instant` never goes back, also across threads.
/// - Both are cheap and never block: they stand on the path of every request.
pub trait Clock: Send + Sync {
    /// The civil time.
    fn now(&self) -> Timestamp;

    /// The monotonic time of this process.
    fn instant(&self) -> Instant;
}

/// Lets a guard-rail wait without naming an async runtime.
pub trait Timer: Send + Sync {
    /// A future that completes `duration` from now. It does nothing until polled, and dropping it forgets it.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The future of a [`Timer`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn instant(&self) -> Instant {
        (**self).instant()
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn instant(&self) -> Instant {
        (**self).instant()
    }
}

impl<T: Timer + ?Sized> Timer for Arc<T> {
    fn sleep(&self, duration: Duration) -> Sleep {
        (**self).sleep(duration)
    }
}

/// The clocks of the operating system.
///
/// All copies in a process share one monotonic origin, so their instants compare.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the wall clock"
    )]
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::now();
        match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => Timestamp::UNIX_EPOCH.saturating_add(after),
            Err(before) => Timestamp::UNIX_EPOCH.saturating_sub(before.duration()),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads monotonic time"
    )]
    fn instant(&self) -> Instant {
        static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        let now = std::time::Instant::now();
        Instant::ORIGIN.saturating_add(now.saturating_duration_since(*ORIGIN.get_or_init(|| now)))
    }
}

/// A clock that moves only when told to, and a timer that wakes its sleepers when it does.
///
/// Public, so that the users of a guard-rail test their own service without sleeping. Clones share one time.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::at(Timestamp::from_secs(1_000));
/// let before = clock.instant();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), Timestamp::from_secs(1_060));
/// assert_eq!(clock.instant().saturating_since(before), Duration::from_secs(60));
///
/// // Somebody sets the wall clock back: civil time jumps, monotonic time does not.
/// clock.set_wall(Timestamp::from_secs(0));
/// assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
/// assert_eq!(clock.instant().saturating_since(before), Duration::from_secs(60));
/// ```
#[derive(Clone, Default)]
pub struct ManualClock {
    state: Arc<Mutex<ManualState>>,
}

#[derive(Default)]
struct ManualState {
    now: Timestamp,
    instant: Instant,
    next_sleeper: u64,
    sleepers: BTreeMap<(Instant, u64), Waker>,
}

impl ManualClock {
    /// A clock whose wall shows `now`; its monotonic time begins at the origin.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            state: Arc::new(Mutex::new(ManualState {
                now,
                ..ManualState::default()
            })),
        }
    }

    /// Moves both times forward and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        let due = {
            let mut state = self.lock();
            state.now = state.now.saturating_add(by);
            state.instant = state.instant.saturating_add(by);
            let later = (
                Instant::from_nanos(state.instant.as_nanos().saturating_add(1)),
                0,
            );
            let pending = state.sleepers.split_off(&later);
            std::mem::replace(&mut state.sleepers, pending)
        };
        // Woken outside the lock: a waker may poll its task at once, which reads this clock.
        for waker in due.into_values() {
            waker.wake();
        }
    }

    /// Moves the wall clock alone, in either direction, as an operator or NTP would.
    pub fn set_wall(&self, now: Timestamp) {
        self.lock().now = now;
    }

    /// How many sleepers wait.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.lock().sleepers.len()
    }

    fn lock(&self) -> MutexGuard<'_, ManualState> {
        lock(&self.state)
    }
}

/// The state is plain numbers and wakers, whole after every statement, so a poisoned lock is still good.
fn lock(state: &Mutex<ManualState>) -> MutexGuard<'_, ManualState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("ManualClock")
            .field("now", &state.now)
            .field("instant", &state.instant)
            .field("sleepers", &state.sleepers.len())
            .finish()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn instant(&self) -> Instant {
        self.lock().instant
    }
}

impl Timer for ManualClock {
    fn sleep(&self, duration: Duration) -> Sleep {
        let mut state = self.lock();
        let id = state.next_sleeper;
        state.next_sleeper += 1;
        let until = state.instant.saturating_add(duration);
        drop(state);
        Box::pin(ManualSleep {
            until,
            id,
            state: Arc::downgrade(&self.state),
        })
    }
}

/// Waits for the clock to reach `until`. Never completes once every handle to its clock is gone.
struct ManualSleep {
    until: Instant,
    id: u64,
    state: Weak<Mutex<ManualState>>,
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(state) = self.state.upgrade() else {
            return Poll::Pending;
        };
        let mut state = lock(&state);
        if state.instant >= self.until {
            return Poll::Ready(());
        }
        state
            .sleepers
            .insert((self.until, self.id), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for ManualSleep {
    fn drop(&mut self) {
        if let Some(state) = self.state.upgrade() {
            lock(&state).sleepers.remove(&(self.until, self.id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(sleep: &mut Sleep) -> Poll<()> {
        sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_sleeper_wakes_at_its_time_and_not_before() {
        let clock = ManualClock::default();
        let mut sleep = clock.sleep(Duration::from_secs(5));
        assert!(poll(&mut sleep).is_pending());
        clock.advance(Duration::from_nanos(4_999_999_999));
        assert!(poll(&mut sleep).is_pending());
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_nanos(1));
        assert_eq!(clock.sleepers(), 0);
        assert!(poll(&mut sleep).is_ready());
    }

    #[test]
    fn a_dropped_sleeper_leaves_nothing_behind() {
        let clock = ManualClock::default();
        let mut sleep = clock.sleep(Duration::from_secs(5));
        assert!(poll(&mut sleep).is_pending());
        drop(sleep);
        assert_eq!(clock.sleepers(), 0);
    }

    #[test]
    fn the_system_clock_never_goes_back() {
        let clock = SystemClock;
        let mut last = clock.instant();
        for _ in 0..10_000 {
            let next = clock.instant();
            assert!(next >= last);
            last = next;
        }
    }
}
