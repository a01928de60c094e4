use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use palisade_core::{Clock, Instant, Sleep, Timer};
use pin_project_lite::pin_project;

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

    /// Waits for `future`, but not beyond this deadline. A deadline that has passed does not start the future.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops `future`.
    pub fn run<F: Future>(self, timer: &impl Timer, clock: &impl Clock, future: F) -> Timeout<F> {
        timeout(timer, self.remaining(clock.instant()), future)
    }
}

/// Waits for `future`, but no longer than `duration` from now.
///
/// The future is asked first: an answer that is ready at the last moment counts. With a duration of zero it is not
/// asked at all, so that nothing is begun that nobody waits for.
///
/// The output is [`Elapsed`] if the time ran out. The future is dropped with the [`Timeout`], not before.
///
/// # Cancel safety
///
/// Dropping it drops `future`.
pub fn timeout<F: Future>(timer: &impl Timer, duration: Duration, future: F) -> Timeout<F> {
    Timeout {
        limit: if duration.is_zero() {
            Limit::Nothing
        } else {
            Limit::Sleep {
                sleep: timer.sleep(duration),
                after: duration,
            }
        },
        future,
    }
}

pin_project! {
    /// The future of [`timeout`] and [`Deadline::run`].
    // By hand, because an `async fn` would hold the inner future twice: as its argument and where it is pinned.
    #[must_use = "futures do nothing unless polled"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        limit: Limit,
    }
}

enum Limit {
    Sleep { sleep: Sleep, after: Duration },
    Nothing,
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if matches!(this.limit, Limit::Nothing) {
            return Poll::Ready(Err(Elapsed::immediately()));
        }
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        match this.limit {
            Limit::Sleep { sleep, after } => {
                let elapsed = Elapsed { after: *after };
                sleep.as_mut().poll(cx).map(|()| Err(elapsed))
            }
            Limit::Nothing => Poll::Pending,
        }
    }
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timeout")
    }
}

/// The time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    after: Duration,
}

impl Elapsed {
    /// So much time was waited.
    pub(crate) const fn of(after: Duration) -> Self {
        Self { after }
    }

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
