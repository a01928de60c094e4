use std::{error::Error, fmt, ops::Deref, time::Duration};

use crate::Failure;

/// Hears of every failed attempt. Sync and quick: it runs between attempts.
///
/// Closures over [`&AttemptFailed`](AttemptFailed) are observers.
pub trait RetryObserver: Send + Sync {
    /// An attempt has failed.
    fn attempt_failed(&self, event: &AttemptFailed<'_>);
}

impl<F> RetryObserver for F
where
    F: Fn(&AttemptFailed<'_>) + Send + Sync,
{
    fn attempt_failed(&self, event: &AttemptFailed<'_>) {
        self(event);
    }
}

/// One failed attempt, and what follows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptFailed<'a> {
    /// Which attempt it was; the first is 1.
    pub number: u32,
    /// What went wrong.
    pub failure: &'a Failure,
    /// What follows.
    pub next: Next,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Next {
    /// Another attempt after this pause.
    RetryAfter(Duration),
    /// Nothing more.
    GiveUp(Stop),
}

/// Why there was no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The failure would repeat itself.
    NotRetryable,
    /// A circuit breaker refuses calls, and the policy does not wait for it.
    CircuitOpen,
    /// All attempts are used.
    Attempts,
    /// The retries of this request belong to somebody further out.
    NotOwner,
    /// It may have been carried out, and nobody declared that twice does no harm.
    NotIdempotent,
    /// Its body cannot be sent again.
    NotReplayable,
    /// The server asked for more patience than the policy has. The failure carries its advice.
    Advice,
    /// The pause would outlast the deadline.
    Deadline,
    /// The retry budget is empty.
    Budget,
}

impl Stop {
    /// Every reason, in order of declaration.
    pub const ALL: [Self; 9] = [
        Self::NotRetryable,
        Self::CircuitOpen,
        Self::Attempts,
        Self::NotOwner,
        Self::NotIdempotent,
        Self::NotReplayable,
        Self::Advice,
        Self::Deadline,
        Self::Budget,
    ];

    /// A stable name: the label of a metric.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::NotRetryable => "not-retryable",
            Self::CircuitOpen => "circuit-open",
            Self::Attempts => "attempts",
            Self::NotOwner => "not-owner",
            Self::NotIdempotent => "not-idempotent",
            Self::NotReplayable => "not-replayable",
            Self::Advice => "advice",
            Self::Deadline => "deadline",
            Self::Budget => "budget",
        }
    }
}

/// The end of a call that did not succeed. Its parts are read as if they were its own fields.
///
/// It is one pointer, so that the calls that do succeed, which are nearly all, are not moved about with room for it.
pub struct GaveUp<T, E>(Box<GaveUpParts<T, E>>);

/// What is known of the end of a call that did not succeed.
#[non_exhaustive]
pub struct GaveUpParts<T, E> {
    /// The last failure. What it says about being carried out and charged for holds for all attempts together.
    pub failure: Failure,
    /// The last outcome, such as a 503 response to pass on. `None` if the attempt was cut off by its time-out.
    pub last: Option<Result<T, E>>,
    /// Why there was no further attempt.
    pub why: Stop,
    /// How many attempts were made.
    pub attempts: u32,
}

impl<T, E> GaveUp<T, E> {
    #[cold]
    pub(crate) fn new(
        failure: Failure,
        last: Option<Result<T, E>>,
        why: Stop,
        attempts: u32,
    ) -> Self {
        Self(Box::new(GaveUpParts {
            failure,
            last,
            why,
            attempts,
        }))
    }

    /// What is known of it, to be taken apart.
    #[must_use]
    pub fn into_parts(self) -> GaveUpParts<T, E> {
        *self.0
    }

    /// The last outcome, or an error made from the failure if there was none.
    ///
    /// # Errors
    ///
    /// The last error, or the made one.
    pub fn into_result(self) -> Result<T, E>
    where
        E: From<Failure>,
    {
        let parts = self.into_parts();
        parts.last.unwrap_or_else(|| Err(E::from(parts.failure)))
    }
}

impl<T, E> Deref for GaveUp<T, E> {
    type Target = GaveUpParts<T, E>;

    fn deref(&self) -> &GaveUpParts<T, E> {
        &self.0
    }
}

impl<T, E> AsRef<Failure> for GaveUp<T, E> {
    fn as_ref(&self) -> &Failure {
        &self.failure
    }
}

impl<T, E> From<GaveUp<T, E>> for Failure {
    fn from(gave_up: GaveUp<T, E>) -> Self {
        gave_up.into_parts().failure
    }
}

impl<T, E> fmt::Debug for GaveUp<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The outcome is left out: it may hold what a log must not.
impl<T, E> fmt::Debug for GaveUpParts<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GaveUp")
            .field("failure", &self.failure)
            .field("why", &self.why)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl<T, E> fmt::Display for GaveUp<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Stop::NotRetryable => "trying again would not help",
            Stop::CircuitOpen => "the upstream is being given a rest",
            Stop::Attempts => "no attempt is left",
            Stop::NotOwner => "the retries belong to the caller",
            Stop::NotReplayable => "the body cannot be sent again",
            Stop::NotIdempotent => "it may have been carried out already",
            Stop::Advice => "the server asks for more patience than allowed",
            Stop::Deadline => "the deadline is too near",
            Stop::Budget => "the retry budget is empty",
        };
        write!(f, "gave up after {} attempts: {why}", self.attempts)
    }
}

impl<T, E> Error for GaveUp<T, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.failure)
    }
}
