//! What an upstream's answer means, and what a client is told of it.

use std::{error::Error, fmt, sync::Arc};

use http::Response;
use palisade_core::{Clock, Instant, RetryAfter};
use palisade_resilience::{Classify, ErrorKind, Failure, HttpReply};

use crate::{BoxError, Reason, Rejection, find, layers::timeout::Silent};

/// Judges what came back from a model provider: the status and the fields of an answer, the cause of an error.
#[derive(Clone)]
pub struct Upstream {
    // An upstream may say when to come back as a date.
    clock: Arc<dyn Clock>,
}

impl Upstream {
    /// Reads dates by `clock`.
    pub fn new(clock: impl Clock + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
        }
    }

    pub(crate) fn instant(&self) -> Instant {
        self.clock.instant()
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upstream")
    }
}

impl<B> Classify<Result<Response<B>, BoxError>> for Upstream {
    fn classify(&self, outcome: &Result<Response<B>, BoxError>) -> Option<Failure> {
        match outcome {
            // Most answers are no failures, and need neither their header read nor the clock.
            Ok(response) if response.status().as_u16() < 400 => None,
            Ok(response) => {
                // Whoever has seen more of it than its status knows better.
                if let Some(failure) = response.extensions().get::<Failure>() {
                    return Some(failure.clone());
                }
                let mut reply = HttpReply::new(response.status().as_u16());
                for (name, value) in response.headers() {
                    reply = reply.with_header(name.as_str(), value.as_bytes());
                }
                reply.failure(self.clock.now())
            }
            Err(error) => Some(of_error(&**error)),
        }
    }
}

/// What an error of a call means.
pub(crate) fn of_error(error: &(dyn Error + 'static)) -> Failure {
    if let Some(failure) = find::<Failure>(error) {
        return failure.clone();
    }
    if let Some(rejection) = find::<Rejection>(error) {
        // A guard further in refused: asking again at once would be refused again.
        let failure = Failure::new(ErrorKind::Validation).with_retryable(false);
        return match rejection.retry_after() {
            Some(wait) => failure.with_advice(RetryAfter::After(wait)),
            None => failure,
        };
    }
    if find::<Silent>(error).is_some() {
        return Failure::new(ErrorKind::Timeout);
    }
    // A time-out of no time at all, or a refused connection: then the call was never begun.
    Failure::of_error(error)
}

/// What a client is told of a failure that is not its own.
pub(crate) fn rejection(failure: &Failure, out_of_time: bool) -> Rejection {
    let (reason, detail) = match failure.kind() {
        ErrorKind::CircuitOpen => (
            Reason::CircuitOpen,
            "the upstream has failed too often and is given a rest",
        ),
        ErrorKind::Timeout if out_of_time => (
            Reason::DeadlineExceeded,
            "the upstream did not answer before the deadline",
        ),
        ErrorKind::Timeout => (
            Reason::UpstreamTimeout,
            "the upstream did not answer in time",
        ),
        ErrorKind::RateLimited | ErrorKind::Overloaded => (
            Reason::UpstreamOverloaded,
            "the upstream has no capacity for this service now",
        ),
        ErrorKind::QuotaExhausted => (
            Reason::UpstreamOverloaded,
            "this service's allowance at the upstream is used up",
        ),
        ErrorKind::Authentication | ErrorKind::PermissionDenied => (
            Reason::UpstreamUnavailable,
            "the upstream does not accept this service's credentials",
        ),
        _ => (Reason::UpstreamUnavailable, "the upstream failed"),
    };
    let rejection = Rejection::new(reason, detail);
    match failure.advice() {
        Some(advice) => rejection.with_retry_after(advice),
        None => rejection,
    }
}
