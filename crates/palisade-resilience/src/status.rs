use palisade_core::{RetryAfter, Timestamp};

use crate::{
    ErrorKind, Failure, ProviderError, UpstreamLimits, provider,
    retry_after::{Asked, http_date},
};

/// The facts of an HTTP answer that tell what went wrong, gathered from whichever HTTP library is in use.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::{RetryAfter, Timestamp};
/// use palisade_resilience::{ErrorKind, HttpReply, ProviderError};
///
/// let now = Timestamp::from_secs(1_700_000_000);
/// let slow_down = HttpReply::new(429).with_header("retry-after", b"7").failure(now).unwrap();
/// assert_eq!(slow_down.kind(), ErrorKind::RateLimited);
/// assert_eq!(slow_down.advice(), Some(RetryAfter::After(Duration::from_secs(7))));
///
/// // The same status, and the opposite advice.
/// let empty = HttpReply::new(429)
///     .with_error(ProviderError::from_code("insufficient_quota"))
///     .failure(now)
///     .unwrap();
/// assert!(!empty.is_retryable());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpReply {
    status: u16,
    asked: Option<Asked>,
    asked_ms: Option<Asked>,
    /// What gRPC calls push-back.
    pushback: Option<Pushback>,
    should_retry: Option<bool>,
    date: Option<Timestamp>,
    limits: UpstreamLimits,
    error: Option<ProviderError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pushback {
    Wait(Asked),
    Never,
}

impl HttpReply {
    /// An answer with this status.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            asked: None,
            asked_ms: None,
            pushback: None,
            should_retry: None,
            date: None,
            limits: UpstreamLimits::default(),
            error: None,
        }
    }

    /// The same with a field of its header. Give it every field: those it does not know, and values that make no sense,
    /// change nothing. Of a repeated field the last counts.
    ///
    /// It knows `Retry-After`, `retry-after-ms` (also Azure's `x-ms-retry-after-ms`), `x-should-retry`, `Date`, gRPC's
    /// `grpc-retry-pushback-ms`, AWS's `x-amzn-errortype`, and all that [`UpstreamLimits`] reads.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &[u8]) -> Self {
        if name.eq_ignore_ascii_case("retry-after") {
            self.asked = Asked::parse(value).or(self.asked);
        } else if name.eq_ignore_ascii_case("retry-after-ms")
            || name.eq_ignore_ascii_case("x-ms-retry-after-ms")
        {
            self.asked_ms = Asked::parse_ms(value).or(self.asked_ms);
        } else if name.eq_ignore_ascii_case("grpc-retry-pushback-ms") {
            // gRFC A6: what is negative or cannot be read asks not to retry at all.
            let wait = Asked::parse_ms(value);
            self.pushback = Some(wait.map_or(Pushback::Never, Pushback::Wait));
        } else if name.eq_ignore_ascii_case("x-amzn-errortype") {
            let code = std::str::from_utf8(value).ok().map(str::trim_ascii);
            self.error = self.error.or(code.and_then(ProviderError::from_code));
        } else if name.eq_ignore_ascii_case("x-should-retry") {
            self.should_retry = match value.trim_ascii() {
                b"true" => Some(true),
                b"false" => Some(false),
                _ => self.should_retry,
            };
        } else if name.eq_ignore_ascii_case("date") {
            let date = std::str::from_utf8(value).ok().and_then(http_date);
            self.date = date.or(self.date);
        } else {
            self.limits.read(name, value);
        }
        self
    }

    /// The same with what the provider's own code says.
    #[must_use]
    pub fn with_error(mut self, error: Option<ProviderError>) -> Self {
        self.error = error.or(self.error);
        self
    }

    /// What it says about the upstream's limits, of a success as well.
    #[must_use]
    pub const fn limits(&self) -> &UpstreamLimits {
        &self.limits
    }

    /// The failure, or `None` if the status tells of none.
    ///
    /// The provider's code goes before the status where it says more. Of advice the most precise counts: gRPC push-back,
    /// then `retry-after-ms`, `Retry-After`, what the body advises, and last the reset of a limit that is used up. The
    /// server's word on whether to retry (`x-should-retry`, a negative push-back) goes before ours. A
    /// `Retry-After` date is compared with the answer's own `Date`, so that a clock that differs from ours does no harm.
    #[must_use]
    pub fn failure(&self, now: Timestamp) -> Option<Failure> {
        let by_status = kind(self.status)?;
        let kind = match self.error {
            Some(error) if !error.vague => error.kind(),
            _ => by_status,
        };
        let mut failure = provider::of_upstream(kind);
        match self.status {
            // RFC 8470: refused so as not to be carried out twice.
            425 => failure = failure.not_processed(),
            // What is not implemented, or not spoken, will not be in a second either.
            501 | 505 | 511 => failure = failure.with_retryable(false),
            _ => {}
        }
        let now = self.date.unwrap_or(now);
        // What is left of a limit says something about a refusal, and nothing about a typo.
        let limited = matches!(kind, ErrorKind::RateLimited | ErrorKind::Overloaded);
        let exhausted = limited.then(|| self.limits.exhausted(now)).flatten();
        let pushed_back = match self.pushback {
            Some(Pushback::Wait(wait)) => Some(wait),
            _ => None,
        };
        let advice = pushed_back
            .or(self.asked_ms)
            .or(self.asked)
            .map(|asked| asked.from(now))
            .or_else(|| self.error.and_then(|error| error.advice))
            .or_else(|| exhausted.and_then(|(_, wait)| wait));
        if let Some(advice) = advice {
            failure = failure.with_advice(RetryAfter::After(advice));
        }
        let which = self.error.and_then(|error| error.limit());
        if let Some(which) = which.or(exhausted.map(|(which, _)| which)) {
            failure = failure.with_policy(which.name());
        }
        if let Some(should_retry) = self.should_retry {
            failure = failure.with_retryable(should_retry);
        }
        if self.pushback == Some(Pushback::Never) {
            failure = failure.with_retryable(false);
        }
        Some(failure)
    }
}

/// The kind of failure a status tells of, if it tells of one.
#[must_use]
pub(crate) const fn kind(status: u16) -> Option<ErrorKind> {
    Some(match status {
        0..400 => return None,
        401 | 407 => ErrorKind::Authentication,
        402 => ErrorKind::QuotaExhausted,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        408 | 504 | 522 | 524 => ErrorKind::Timeout,
        409 | 423 => ErrorKind::Conflict,
        413 | 414 | 431 => ErrorKind::TooLarge,
        // A model behind the service failed (AWS Bedrock).
        424 => ErrorKind::Internal,
        425 | 502 | 503 | 520 | 521 | 523 | 525..=527 | 530 => ErrorKind::Unavailable,
        429 => ErrorKind::RateLimited,
        451 => ErrorKind::ContentRefused,
        // No capacity for this tier (Groq) and for anybody (Anthropic).
        498 | 529 => ErrorKind::Overloaded,
        499 => ErrorKind::Cancelled,
        400..500 => ErrorKind::Validation,
        _ => ErrorKind::Internal,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Fault;

    const NOW: Timestamp = Timestamp::from_secs(784_111_777);

    fn failure(status: u16) -> Option<Failure> {
        HttpReply::new(status).failure(NOW)
    }

    #[test]
    fn every_status_has_an_answer() {
        for status in 0..=u16::MAX {
            assert_eq!(failure(status).is_some(), status >= 400, "{status}");
        }
    }

    #[test]
    fn the_usual_statuses_mean_the_usual_things() {
        for (status, kind, fault, retryable) in [
            (400, ErrorKind::Validation, Fault::Caller, false),
            (401, ErrorKind::Authentication, Fault::Us, false),
            (402, ErrorKind::QuotaExhausted, Fault::Us, false),
            (408, ErrorKind::Timeout, Fault::Upstream, true),
            (409, ErrorKind::Conflict, Fault::Caller, true),
            (413, ErrorKind::TooLarge, Fault::Caller, false),
            (422, ErrorKind::Validation, Fault::Caller, false),
            (429, ErrorKind::RateLimited, Fault::Us, true),
            (500, ErrorKind::Internal, Fault::Upstream, true),
            (501, ErrorKind::Internal, Fault::Upstream, false),
            (503, ErrorKind::Unavailable, Fault::Upstream, true),
            (529, ErrorKind::Overloaded, Fault::Upstream, true),
        ] {
            let failure = failure(status).unwrap();
            assert_eq!(
                (failure.kind(), failure.fault(), failure.is_retryable()),
                (kind, fault, retryable),
                "{status}"
            );
        }
    }

    #[test]
    fn the_most_precise_advice_wins() {
        let reply = HttpReply::new(429).with_header("Retry-After", b"2");
        let advice = |reply: HttpReply| reply.failure(NOW).unwrap().advice();
        let after = |ms| Some(RetryAfter::After(Duration::from_millis(ms)));
        assert_eq!(advice(reply), after(2_000));
        let reply = reply.with_header("Retry-After-Ms", b"1500");
        assert_eq!(advice(reply), after(1_500));
        assert_eq!(advice(reply.with_header("retry-after", b"x")), after(1_500));
    }

    #[test]
    fn a_push_back_goes_before_everything_and_a_negative_one_ends_it() {
        let reply = HttpReply::new(503).with_header("retry-after", b"7");
        let pushed = |value: &[u8]| {
            let reply = reply.with_header("grpc-retry-pushback-ms", value);
            reply.failure(NOW).unwrap()
        };
        let wait = RetryAfter::After(Duration::from_millis(250));
        assert_eq!(pushed(b"250").advice(), Some(wait));
        for value in [&b"-1"[..], b"soon", b""] {
            assert!(!pushed(value).is_retryable(), "{value:?}");
        }
    }

    #[test]
    fn a_limit_that_is_used_up_is_named_and_waited_for() {
        let reply = HttpReply::new(429)
            .with_header("x-ratelimit-remaining-tokens", b"0")
            .with_header("x-ratelimit-reset-tokens", b"1m30s");
        let failure = reply.failure(NOW).unwrap();
        assert_eq!(failure.policy(), Some("upstream-tokens"));
        let wait = |secs| Some(RetryAfter::After(Duration::from_secs(secs)));
        assert_eq!(failure.advice(), wait(90));
        // What the server asks for outright is more than a forecast.
        let told = reply.with_header("retry-after", b"2").failure(NOW).unwrap();
        assert_eq!(told.advice(), wait(2));
        // The same fields beside a typo are no reason to wait.
        let typo = HttpReply {
            status: 400,
            ..reply
        }
        .failure(NOW)
        .unwrap();
        assert_eq!((typo.advice(), typo.policy()), (None, None));
    }

    #[test]
    fn aws_names_its_error_in_the_header() {
        let reply = HttpReply::new(400).with_header(
            "X-Amzn-ErrorType",
            b"ThrottlingException:http://internal.amazon.com/coral/",
        );
        assert_eq!(reply.failure(NOW).unwrap().kind(), ErrorKind::RateLimited);
    }

    #[test]
    fn a_server_whose_clock_is_wrong_still_gets_its_wait() {
        // It believes to be a year ahead of us, and wants ten seconds.
        let reply = HttpReply::new(503)
            .with_header("date", b"Mon, 06 Nov 1995 08:49:37 GMT")
            .with_header("retry-after", b"Mon, 06 Nov 1995 08:49:47 GMT");
        assert_eq!(
            reply.failure(NOW).unwrap().advice(),
            Some(RetryAfter::After(Duration::from_secs(10)))
        );
    }

    #[test]
    fn the_servers_word_on_retrying_is_the_last() {
        let told = |status, value: &[u8]| {
            HttpReply::new(status)
                .with_header("x-should-retry", value)
                .failure(NOW)
                .unwrap()
                .is_retryable()
        };
        assert!(!told(503, b"false"));
        assert!(told(400, b"true"));
        assert!(told(503, b"perhaps"));
    }

    #[test]
    fn a_vague_code_leaves_the_word_to_the_status() {
        let error = ProviderError::from_code("invalid_request_error");
        let reply = HttpReply::new(401).with_error(error);
        assert_eq!(
            reply.failure(NOW).unwrap().kind(),
            ErrorKind::Authentication
        );
    }
}
