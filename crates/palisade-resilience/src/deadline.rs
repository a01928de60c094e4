use std::{
    error::Error,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use palisade_core::{Clock, Instant, Timer};

use crate::{ErrorKind, Failure};

/// The moment after which nobody wants the answer any more.
///
/// A time-out is a length and begins anew at every layer; three layers with 10 s each keep a caller waiting for 30 s. A
/// deadline is a point in time: it travels with the request, and every layer can only take from what is left.
///
/// Deadlines of one process compare; put [`remaining`](Deadline::remaining) on the wire, not the instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline at `instant`.
    #[must_use]
    pub const fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// The deadline `duration` from now.
    #[must_use]
    pub fn after(clock: &impl Clock, duration: Duration) -> Self {
        Self(clock.instant().saturating_add(duration))
    }

    /// The moment itself.
    #[must_use]
    pub const fn instant(self) -> Instant {
        self.0
    }

    /// What is left at `now`; zero once it has passed.
    #[must_use]
    pub fn remaining(self, now: Instant) -> Duration {
        self.0.saturating_since(now)
    }

    /// Whether it has passed at `now`. At the very instant it has.
    #[must_use]
    pub fn has_passed(self, now: Instant) -> bool {
        now >= self.0
    }

    /// Waits for `future`, but not beyond this deadline.
    ///
    /// # Errors
    ///
    /// [`Elapsed`] if the deadline came first. A deadline that has passed already does not start the future.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops `future`.
    pub async fn run<F: Future>(
        self,
        timer: &impl Timer,
        clock: &impl Clock,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        timeout(timer, self.remaining(clock.instant()), future).await
    }
}

/// Waits for `future`, but no longer than `duration`.
///
/// The future is asked first: an answer that is ready at the last moment counts. With a duration of zero it is not
/// asked at all, so that nothing is begun that nobody waits for.
///
/// # Errors
///
/// [`Elapsed`] if the time ran out; the future has been dropped by then.
///
/// # Cancel safety
///
/// Dropping it drops `future`.
pub async fn timeout<F: Future>(
    timer: &impl Timer,
    duration: Duration,
    future: F,
) -> Result<F::Output, Elapsed> {
    if duration.is_zero() {
        return Err(Elapsed::immediately());
    }
    let mut future = pin!(future);
    let mut sleep = timer.sleep(duration);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        sleep
            .as_mut()
            .poll(cx)
            .map(|()| Err(Elapsed { after: duration }))
    })
    .await
}

/// The time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    after: Duration,
}

impl Elapsed {
    /// There was no time to begin with, so nothing was begun.
    pub(crate) const fn immediately() -> Self {
        Self {
            after: Duration::ZERO,
        }
    }

    /// How long was waited; zero if there was no time to begin with.
    #[must_use]
    pub const fn after(&self) -> Duration {
        self.after
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer within {:?}", self.after)
    }
}

impl Error for Elapsed {}

/// A call that was never started has provably not been carried out.
impl From<Elapsed> for Failure {
    fn from(elapsed: Elapsed) -> Self {
        let failure = Self::new(ErrorKind::Timeout);
        if elapsed.after.is_zero() {
            failure.not_processed()
        } else {
            failure
        }
    }
}
