//! What the errors of a connection, of HTTP/2 and of gRPC mean.

use std::{error::Error, io};

use crate::{Classify, Elapsed, ErrorKind, Failure, Fault};

impl Failure {
    /// The facts in an error of a client: the first [`Failure`], [`Elapsed`] or [`io::Error`] in its chain of causes.
    ///
    /// What tells nothing is taken for a connection that was lost: worth repeating, perhaps carried out.
    ///
    /// ```
    /// use std::io;
    /// use palisade_resilience::{Certainty, ErrorKind, Failure};
    ///
    /// let refused = Failure::of_error(&io::Error::from(io::ErrorKind::ConnectionRefused));
    /// assert_eq!(refused.kind(), ErrorKind::Unavailable);
    /// assert_eq!(refused.processed(), Certainty::No);
    ///
    /// let lost = Failure::of_error(&io::Error::from(io::ErrorKind::ConnectionReset));
    /// assert_eq!(lost.processed(), Certainty::Unknown);
    /// ```
    #[must_use]
    pub fn of_error(error: &(dyn Error + 'static)) -> Self {
        // The most that is looked at: a chain that bites its tail must not hold us.
        const DEPTH: usize = 32;
        let mut next = Some(error);
        let mut io = None;
        for _ in 0..DEPTH {
            let Some(error) = next else { break };
            if let Some(failure) = error.downcast_ref::<Self>() {
                return failure.clone();
            }
            if let Some(elapsed) = error.downcast_ref::<Elapsed>() {
                return (*elapsed).into();
            }
            next = error.source();
            if let Some(found) = error.downcast_ref::<io::Error>() {
                // The deepest knows most. One that wraps another error shows it here and nowhere else: its `source` is
                // that error's own.
                io = Some(found.kind());
                if let Some(inner) = found.get_ref() {
                    let inner: &(dyn Error + 'static) = inner;
                    next = Some(inner);
                }
            }
        }
        io.map_or_else(|| Self::new(ErrorKind::Unavailable), Self::of_io)
    }

    /// The facts in the kind of an [`io::Error`] of a connection.
    #[must_use]
    pub fn of_io(kind: io::ErrorKind) -> Self {
        use io::ErrorKind as Io;
        match kind {
            // There was no connection, so nothing can have been sent over it.
            Io::ConnectionRefused
            | Io::HostUnreachable
            | Io::NetworkUnreachable
            | Io::NetworkDown
            | Io::NotConnected => Self::new(ErrorKind::Unavailable).not_processed(),
            // No address or port is left on this side.
            Io::AddrInUse | Io::AddrNotAvailable => Self::new(ErrorKind::Overloaded)
                .with_fault(Fault::Us)
                .not_processed(),
            Io::TimedOut => Self::new(ErrorKind::Timeout),
            Io::InvalidInput | Io::Unsupported | Io::PermissionDenied | Io::OutOfMemory => {
                Self::new(ErrorKind::Internal)
            }
            _ => Self::new(ErrorKind::Unavailable),
        }
    }

    /// The facts in an HTTP/2 error code (RFC 9113 §7), of a stream or of a whole connection.
    #[must_use]
    pub const fn of_http2_code(code: u32) -> Self {
        match code {
            // NO_ERROR: a connection that is being closed in peace; the stream was perhaps begun.
            0x0 => Self::new(ErrorKind::Unavailable),
            // REFUSED_STREAM: "prior to any application processing having occurred" (§8.7).
            0x7 => Self::new(ErrorKind::Unavailable).not_processed(),
            0x8 => Self::new(ErrorKind::Cancelled),
            // ENHANCE_YOUR_CALM
            0xb => Self::new(ErrorKind::RateLimited).with_processed(crate::Certainty::Unknown),
            // INADEQUATE_SECURITY, HTTP_1_1_REQUIRED: will be the same next time.
            0xc | 0xd => Self::new(ErrorKind::Unavailable)
                .not_processed()
                .with_retryable(false),
            _ => Self::new(ErrorKind::Unavailable),
        }
    }

    /// The facts in a gRPC status code; `None` for 0, which is success.
    #[must_use]
    pub const fn of_grpc_code(code: u32) -> Option<Self> {
        let kind = match code {
            0 => return None,
            1 => ErrorKind::Cancelled,
            3 | 9 | 11 => ErrorKind::Validation,
            4 => ErrorKind::Timeout,
            5 => ErrorKind::NotFound,
            6 | 10 => ErrorKind::Conflict,
            7 => ErrorKind::PermissionDenied,
            8 => ErrorKind::RateLimited,
            12 => return Some(Self::new(ErrorKind::Validation).with_fault(Fault::Us)),
            14 => ErrorKind::Unavailable,
            16 => ErrorKind::Authentication,
            // UNKNOWN, INTERNAL, DATA_LOSS and what is to come
            _ => {
                return Some(Self::new(ErrorKind::Internal).with_fault(Fault::Upstream));
            }
        };
        let failure = Self::new(kind);
        Some(match code {
            // ALREADY_EXISTS will be the same next time; ABORTED asks to be repeated.
            6 => failure.with_retryable(false),
            _ => failure,
        })
    }
}

/// A classifier for results whose error is any [`Error`]: see [`Failure::of_error`]. For a boxed one, which is not an
/// `Error` itself, a closure that calls it does the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfError;

impl<T, E: Error + 'static> Classify<Result<T, E>> for OfError {
    fn classify(&self, outcome: &Result<T, E>) -> Option<Failure> {
        outcome.as_ref().err().map(|error| Failure::of_error(error))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;
    use crate::Certainty;

    #[derive(Debug)]
    struct Client(Option<Box<dyn Error + Send + Sync>>);

    impl fmt::Display for Client {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("error sending request")
        }
    }

    impl Error for Client {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            let source: &(dyn Error + 'static) = self.0.as_deref()?;
            Some(source)
        }
    }

    #[test]
    fn the_cause_is_found_however_it_is_wrapped() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        for error in [
            Client(Some(Box::new(refused()))),
            Client(Some(Box::new(Client(Some(Box::new(refused())))))),
            Client(Some(Box::new(io::Error::other(refused())))),
            Client(Some(Box::new(io::Error::other(Client(Some(Box::new(
                refused(),
            ))))))),
        ] {
            let failure = Failure::of_error(&error);
            assert_eq!(failure.processed(), Certainty::No, "{error:?}");
        }
        let known = Failure::new(ErrorKind::QuotaExhausted).with_policy("day");
        let wrapped = Client(Some(Box::new(io::Error::other(known.clone()))));
        assert_eq!(Failure::of_error(&wrapped), known);
        let unknown = Failure::of_error(&Client(None));
        assert_eq!(unknown, Failure::new(ErrorKind::Unavailable));
        let outcome: Result<(), _> = Err(Client(None));
        assert_eq!(OfError.classify(&outcome), Some(unknown));
    }

    #[test]
    fn only_what_was_never_sent_is_taken_for_not_carried_out() {
        use io::ErrorKind as Io;
        for (kind, expected, processed, retryable) in [
            (
                Io::ConnectionRefused,
                ErrorKind::Unavailable,
                Certainty::No,
                true,
            ),
            (
                Io::NetworkUnreachable,
                ErrorKind::Unavailable,
                Certainty::No,
                true,
            ),
            (
                Io::AddrNotAvailable,
                ErrorKind::Overloaded,
                Certainty::No,
                true,
            ),
            (
                Io::ConnectionReset,
                ErrorKind::Unavailable,
                Certainty::Unknown,
                true,
            ),
            (
                Io::BrokenPipe,
                ErrorKind::Unavailable,
                Certainty::Unknown,
                true,
            ),
            (
                Io::UnexpectedEof,
                ErrorKind::Unavailable,
                Certainty::Unknown,
                true,
            ),
            (Io::TimedOut, ErrorKind::Timeout, Certainty::Unknown, true),
            (
                Io::InvalidInput,
                ErrorKind::Internal,
                Certainty::Unknown,
                false,
            ),
        ] {
            let failure = Failure::of_io(kind);
            assert_eq!(
                (failure.kind(), failure.processed(), failure.is_retryable()),
                (expected, processed, retryable),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_refused_stream_was_not_carried_out_and_a_reset_one_perhaps() {
        assert_eq!(Failure::of_http2_code(0x7).processed(), Certainty::No);
        assert_eq!(Failure::of_http2_code(0x2).processed(), Certainty::Unknown);
        assert_eq!(Failure::of_http2_code(0xb).kind(), ErrorKind::RateLimited);
        assert!(!Failure::of_http2_code(0xd).is_retryable());
    }

    #[test]
    fn every_grpc_code_but_success_is_a_failure() {
        assert_eq!(Failure::of_grpc_code(0), None);
        for (code, kind, retryable) in [
            (1, ErrorKind::Cancelled, false),
            (3, ErrorKind::Validation, false),
            (4, ErrorKind::Timeout, true),
            (6, ErrorKind::Conflict, false),
            (8, ErrorKind::RateLimited, true),
            (10, ErrorKind::Conflict, true),
            (13, ErrorKind::Internal, false),
            (14, ErrorKind::Unavailable, true),
            (16, ErrorKind::Authentication, false),
            (99, ErrorKind::Internal, false),
        ] {
            let failure = Failure::of_grpc_code(code).unwrap();
            assert_eq!(
                (failure.kind(), failure.is_retryable()),
                (kind, retryable),
                "{code}"
            );
        }
    }
}
