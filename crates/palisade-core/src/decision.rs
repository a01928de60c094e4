use std::time::Duration;

/// The answer of a gate. A refusal is an answer, not an error.
///
/// Each gate fills in what it knows: a rate limiter puts what remains into `Allow` and the binding limit into `Deny`,
/// a ledger hands over the reservation. An `Err` beside it means that there was *no* answer, which a host treats by
/// policy (open, closed, fall back) and must never mistake for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a decision that nobody reads guards nothing"]
pub enum Decision<A = (), D = RetryAfter> {
    /// The request may pass.
    Allow(A),
    /// The request may not pass now; the value says why and when to come back.
    Deny(D),
}

impl<A, D> Decision<A, D> {
    /// Whether the request may pass.
    pub const fn is_allow(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// Whether the request was refused.
    pub const fn is_deny(&self) -> bool {
        matches!(self, Self::Deny(_))
    }

    /// What came with the permission, if it was given.
    pub fn allowed(self) -> Option<A> {
        match self {
            Self::Allow(value) => Some(value),
            Self::Deny(_) => None,
        }
    }

    /// What came with the refusal, if it was one.
    pub fn denied(self) -> Option<D> {
        match self {
            Self::Allow(_) => None,
            Self::Deny(value) => Some(value),
        }
    }

    /// Changes what comes with the permission.
    pub fn map<B>(self, f: impl FnOnce(A) -> B) -> Decision<B, D> {
        match self {
            Self::Allow(value) => Decision::Allow(f(value)),
            Self::Deny(value) => Decision::Deny(value),
        }
    }
}

/// When a refused request may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryAfter {
    /// This very request would pass after this long, were nobody else to ask.
    After(Duration),
    /// This request can never pass: it asks for more than the limit holds when full.
    Never,
    /// Only an administrator, or somebody else's action, can change the answer.
    Unknown,
}

impl RetryAfter {
    /// The wait, if there is one.
    #[must_use]
    pub const fn duration(self) -> Option<Duration> {
        match self {
            Self::After(wait) => Some(wait),
            Self::Never | Self::Unknown => None,
        }
    }

    /// Whole seconds for a `Retry-After` header (RFC 9110 §10.2.3), rounded up so that nobody is sent back too early.
    #[must_use]
    pub fn as_secs_ceil(self) -> Option<u64> {
        self.duration().map(|wait| {
            wait.as_secs()
                .saturating_add(u64::from(wait.subsec_nanos() > 0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_never_invites_too_early() {
        for (millis, seconds) in [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2)] {
            let wait = RetryAfter::After(Duration::from_millis(millis));
            assert_eq!(wait.as_secs_ceil(), Some(seconds));
        }
        assert_eq!(RetryAfter::Never.as_secs_ceil(), None);
        // Not zero, which would be at once.
        let ages = RetryAfter::After(Duration::MAX);
        assert_eq!(ages.as_secs_ceil(), Some(u64::MAX));
    }
}
