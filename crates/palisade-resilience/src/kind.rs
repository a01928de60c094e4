use std::fmt;

use crate::{Certainty, Fault};

/// What went wrong, in words that every guard-rail and every provider share.
///
/// A kind fixes the usual answers (whose fault, worth repeating, HTTP status); a [`Failure`](crate::Failure) may
/// correct them for one case. [`slug`](ErrorKind::slug), [`title`](ErrorKind::title) and
/// [`http_status`](ErrorKind::http_status) are promises: clients branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Too many requests, or tokens, in too short a time. Waiting helps.
    RateLimited,
    /// An allowance or a balance is used up. Waiting a moment does not help.
    QuotaExhausted,
    /// The credential is missing, wrong or revoked.
    Authentication,
    /// The credential is good but does not allow this.
    PermissionDenied,
    /// The request is malformed or asks for something that does not exist in this form.
    Validation,
    /// The request, or the prompt in it, is larger than allowed.
    TooLarge,
    /// No such model, route or object.
    NotFound,
    /// The request collides with another one on the same object.
    Conflict,
    /// No answer in time. Whether the request was carried out is not known.
    Timeout,
    /// The other side cannot be reached or is down.
    Unavailable,
    /// The other side is up but has no capacity for this request now.
    Overloaded,
    /// A circuit breaker refused the call before it was made.
    CircuitOpen,
    /// The content was refused by a filter or a guard-rail.
    ContentRefused,
    /// The answer began and broke off.
    Interrupted,
    /// Whoever asked no longer wants the answer.
    Cancelled,
    /// A defect: ours, or the other side's own "internal error".
    Internal,
}

/// The usual answers of one kind.
pub(crate) struct Traits {
    slug: &'static str,
    title: &'static str,
    status: u16,
    pub(crate) fault: Fault,
    pub(crate) transient: bool,
    pub(crate) processed: Certainty,
    pub(crate) billed: Certainty,
}

impl ErrorKind {
    /// Every kind, in order of declaration.
    pub const ALL: [Self; 16] = [
        Self::RateLimited,
        Self::QuotaExhausted,
        Self::Authentication,
        Self::PermissionDenied,
        Self::Validation,
        Self::TooLarge,
        Self::NotFound,
        Self::Conflict,
        Self::Timeout,
        Self::Unavailable,
        Self::Overloaded,
        Self::CircuitOpen,
        Self::ContentRefused,
        Self::Interrupted,
        Self::Cancelled,
        Self::Internal,
    ];

    /// A stable name: the last segment of an RFC 9457 problem `type`, and a bounded metric label.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        self.traits().slug
    }

    /// A short sentence for people, the RFC 9457 `title`. It is the same for every occurrence and holds no secret.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.traits().title
    }

    /// The HTTP status that says this to a client whose own doing it is.
    ///
    /// [`Failure::http_status`](crate::Failure::http_status) also weighs whose fault it was.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        self.traits().status
    }

    // One row a kind, so that the whole taxonomy can be read, and argued about, in one place.
    #[rustfmt::skip]
    pub(crate) const fn traits(self) -> Traits {
        use Certainty::{No, Unknown};
        use Fault::{Caller, Upstream, Us};
        const fn row(
            slug: &'static str,
            title: &'static str,
            status: u16,
            fault: Fault,
            transient: bool,
            processed: Certainty,
            billed: Certainty,
        ) -> Traits {
            Traits { slug, title, status, fault, transient, processed, billed }
        }
        match self {
            //                                                                                      status  fault     transient processed billed
            Self::RateLimited      => row("rate-limited",       "Too many requests",                   429, Us,       true,     No,       No),
            Self::QuotaExhausted   => row("quota-exhausted",    "The allowance is used up",            429, Us,       false,    No,       No),
            Self::Authentication   => row("unauthenticated",    "The credential is missing or wrong",  401, Us,       false,    No,       No),
            Self::PermissionDenied => row("permission-denied",  "The credential does not allow this",  403, Us,       false,    No,       No),
            Self::Validation       => row("invalid-request",    "The request is not valid",            400, Caller,   false,    No,       No),
            Self::TooLarge         => row("too-large",          "The request is too large",            413, Caller,   false,    No,       No),
            Self::NotFound         => row("not-found",          "No such resource",                    404, Caller,   false,    No,       No),
            Self::Conflict         => row("conflict",           "The request collides with another",   409, Caller,   true,     No,       No),
            Self::Timeout          => row("timeout",            "No answer in time",                   504, Upstream, true,     Unknown,  Unknown),
            Self::Unavailable      => row("unavailable",        "The service cannot be reached",       503, Upstream, true,     Unknown,  Unknown),
            Self::Overloaded       => row("overloaded",         "The service has no capacity now",     503, Upstream, true,     No,       No),
            Self::CircuitOpen      => row("circuit-open",       "The service is being given a rest",   503, Upstream, true,     No,       No),
            Self::ContentRefused   => row("content-refused",    "The content was refused",             422, Caller,   false,    Unknown,  Unknown),
            Self::Interrupted      => row("interrupted",        "The answer broke off",                502, Upstream, false,    Certainty::Yes, Unknown),
            Self::Cancelled        => row("cancelled",          "The request was cancelled",           499, Caller,   false,    Unknown,  Unknown),
            Self::Internal         => row("internal",           "Something went wrong here",           500, Us,       false,    Unknown,  Unknown),
        }
    }
}

/// The title.
impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_name_and_a_status_of_failure() {
        let mut seen = std::collections::BTreeSet::new();
        for kind in ErrorKind::ALL {
            assert!(seen.insert(kind.slug()), "{kind:?} shares its slug");
            assert!(
                kind.slug()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{kind:?}"
            );
            assert!((400..600).contains(&kind.http_status()), "{kind:?}");
            assert!(!kind.title().is_empty());
        }
    }
}
