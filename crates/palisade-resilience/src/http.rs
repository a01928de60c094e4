use palisade_core::Clock;

use crate::{Classify, Failure, HttpReply};

impl HttpReply {
    /// The facts of an answer, from the types of the `http` crate.
    #[must_use]
    pub fn from_http(status: http::StatusCode, headers: &http::HeaderMap) -> Self {
        let mut reply = Self::new(status.as_u16());
        for (name, value) in headers {
            reply = reply.with_header(name.as_str(), value.as_bytes());
        }
        reply
    }
}

/// Classifies the answers of an HTTP client by status and header. The body is left alone, as it may be a stream; whoever
/// has read it asks [`ProviderError`](crate::ProviderError) as well.
///
/// `on_error` reads the errors of the client itself, which every client names differently.
///
/// ```
/// use palisade_core::SystemClock;
/// use palisade_resilience::{Classify, ErrorKind, Failure, HttpClassifier};
///
/// let classifier = HttpClassifier::new(SystemClock, |_: &std::io::Error| {
///     Failure::new(ErrorKind::Unavailable)
/// });
/// let answer: Result<_, std::io::Error> =
///     Ok(http::Response::builder().status(529).body(()).unwrap());
/// assert_eq!(classifier.classify(&answer).unwrap().kind(), ErrorKind::Overloaded);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HttpClassifier<C, F> {
    clock: C,
    on_error: F,
}

impl<C, F> HttpClassifier<C, F> {
    /// A classifier that compares dates with `clock`.
    #[must_use]
    pub const fn new(clock: C, on_error: F) -> Self {
        Self { clock, on_error }
    }
}

impl<B, C: Clock, F> Classify<http::Response<B>> for HttpClassifier<C, F> {
    fn classify(&self, response: &http::Response<B>) -> Option<Failure> {
        // Most answers are no failures, and need neither their header read nor the clock.
        if response.status().as_u16() < 400 {
            return None;
        }
        HttpReply::from_http(response.status(), response.headers()).failure(self.clock.now())
    }
}

impl<B, E, C: Clock, F: Fn(&E) -> Failure> Classify<Result<http::Response<B>, E>>
    for HttpClassifier<C, F>
{
    fn classify(&self, outcome: &Result<http::Response<B>, E>) -> Option<Failure> {
        match outcome {
            Ok(response) => self.classify(response),
            Err(error) => Some((self.on_error)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use palisade_core::{ManualClock, RetryAfter, Timestamp};

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn status_header_and_the_clients_own_errors_are_read() {
        let clock = ManualClock::at(Timestamp::from_secs(784_111_777));
        let classifier = HttpClassifier::new(clock, |_: &()| Failure::new(ErrorKind::Unavailable));
        let kind = |outcome: &Result<http::Response<()>, ()>| {
            classifier.classify(outcome).map(|failure| failure.kind())
        };
        let answer = |status: u16| {
            http::Response::builder()
                .status(status)
                .header("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT")
                .body(())
                .unwrap()
        };
        assert_eq!(kind(&Ok(answer(200))), None);
        assert_eq!(kind(&Ok(answer(429))), Some(ErrorKind::RateLimited));
        assert_eq!(kind(&Err(())), Some(ErrorKind::Unavailable));
        assert_eq!(
            classifier.classify(&answer(503)).unwrap().advice(),
            Some(RetryAfter::After(Duration::from_secs(30)))
        );
    }
}
