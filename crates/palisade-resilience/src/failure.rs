use std::{borrow::Cow, error::Error, fmt};

use palisade_core::RetryAfter;

use crate::ErrorKind;

/// The five facts about a failed call that retries, breakers, quotas and cost accounts need.
///
/// A single "retryable" flag cannot carry them: a request that timed out is worth repeating but may have been carried
/// out and paid for; a 429 for too many requests and a 429 for an empty account look alike and need opposite answers.
///
/// ```
/// use palisade_resilience::{Certainty, ErrorKind, Failure, Fault};
///
/// let failure = Failure::new(ErrorKind::Timeout);
/// assert!(failure.is_retryable());
/// assert_eq!(failure.fault(), Fault::Upstream);
/// assert_eq!(failure.processed(), Certainty::Unknown);
///
/// // The connection was never made, so nothing can have happened.
/// let refused = Failure::new(ErrorKind::Unavailable).not_processed();
/// assert_eq!(refused.processed(), Certainty::No);
/// assert_eq!(refused.billed(), Certainty::No);
/// ```
///
/// It holds no text from the other side, so it can be logged and sent to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: ErrorKind,
    fault: Fault,
    retryable: bool,
    processed: Certainty,
    billed: Certainty,
    advice: Option<RetryAfter>,
    policy: Option<Cow<'static, str>>,
}

/// Whose doing a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Whoever asked us. The upstream is fine, and so are we.
    Caller,
    /// The service we called.
    Upstream,
    /// This service: its credentials, its share of a rate limit, its code.
    Us,
}

/// Whether something happened, as far as this side can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// It happened.
    Yes,
    /// It did not happen.
    No,
    /// Nobody on this side can tell.
    Unknown,
}

impl Certainty {
    /// Whether it happened in this or in the other case.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::No, Self::No) => Self::No,
        }
    }
}

impl Failure {
    /// A failure of `kind` with the usual answers of that kind.
    #[must_use]
    pub const fn new(kind: ErrorKind) -> Self {
        let traits = kind.traits();
        Self {
            kind,
            fault: traits.fault,
            retryable: traits.transient,
            processed: traits.processed,
            billed: traits.billed,
            advice: None,
            policy: None,
        }
    }

    /// The same, but `fault` is to blame. A gateway whose callers bring their own keys blames them for a 401.
    #[must_use]
    pub const fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    /// The same, with what the other side, or a limiter of ours, said about coming back.
    /// [`RetryAfter::Never`] also makes it not worth repeating.
    #[must_use]
    pub const fn with_advice(mut self, advice: RetryAfter) -> Self {
        if matches!(advice, RetryAfter::Never) {
            self.retryable = false;
        }
        self.advice = Some(advice);
        self
    }

    /// The same, worth repeating or not.
    #[must_use]
    pub const fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// The same, with what is known about its being carried out.
    #[must_use]
    pub const fn with_processed(mut self, processed: Certainty) -> Self {
        self.processed = processed;
        self
    }

    /// The same, with what is known about its being charged for.
    #[must_use]
    pub const fn with_billed(mut self, billed: Certainty) -> Self {
        self.billed = billed;
        self
    }

    /// The same, provably not carried out, hence not charged for: a refused connection, a full queue on our side.
    #[must_use]
    pub const fn not_processed(self) -> Self {
        self.with_processed(Certainty::No)
            .with_billed(Certainty::No)
    }

    /// The same, with the name of the limit or policy that said no. Put an operator's name there, never user data.
    #[must_use]
    pub fn with_policy(mut self, policy: impl Into<Cow<'static, str>>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// This failure, after an earlier one of the same request: something happened if it happened in either.
    #[must_use]
    pub(crate) fn joined(mut self, earlier: &Self) -> Self {
        self.processed = self.processed.or(earlier.processed);
        self.billed = self.billed.or(earlier.billed);
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whose doing it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// Whether the same request may succeed later without anybody mending anything. Whether repeating it is *safe* is
    /// another question: see [`processed`](Failure::processed) and [`Idempotency`](crate::Idempotency).
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// Whether the other side carried the request out.
    #[must_use]
    pub const fn processed(&self) -> Certainty {
        self.processed
    }

    /// Whether the other side charges for it.
    #[must_use]
    pub const fn billed(&self) -> Certainty {
        self.billed
    }

    /// What was said about coming back, if anything.
    #[must_use]
    pub const fn advice(&self) -> Option<RetryAfter> {
        self.advice
    }

    /// The limit or policy that said no, if one did.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// The HTTP status for *our* client.
    ///
    /// The status of the kind, unless that would accuse the client of what this service or its upstream did: our own
    /// rejected key is a 502 to the client, not its 401; our own empty account is a 503, not its 429.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match (self.fault, self.kind) {
            (Fault::Caller, _) => self.kind.http_status(),
            (_, ErrorKind::RateLimited | ErrorKind::QuotaExhausted) => 503,
            (Fault::Us, ErrorKind::Internal) => 500,
            (_, kind) if kind.http_status() < 500 => 502,
            (Fault::Upstream, ErrorKind::Internal) => 502,
            (_, kind) => kind.http_status(),
        }
    }
}

impl From<ErrorKind> for Failure {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(policy) = &self.policy {
            write!(f, " ({policy})")?;
        }
        match self.advice {
            Some(RetryAfter::After(wait)) => write!(f, "; retry after {wait:?}"),
            _ => Ok(()),
        }
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_never_accused_of_what_we_did() {
        for kind in ErrorKind::ALL {
            for fault in [Fault::Us, Fault::Upstream] {
                let status = Failure::new(kind).with_fault(fault).http_status();
                assert!(status >= 500, "{kind:?} by {fault:?} answers {status}");
            }
            let status = Failure::new(kind).with_fault(Fault::Caller).http_status();
            assert_eq!(status, kind.http_status());
        }
    }

    #[test]
    fn never_means_not_worth_repeating() {
        let failure = Failure::new(ErrorKind::RateLimited);
        assert!(failure.is_retryable());
        assert!(!failure.with_advice(RetryAfter::Never).is_retryable());
    }
}
