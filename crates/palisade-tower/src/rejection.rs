use std::{borrow::Cow, error::Error, fmt, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use palisade_core::RetryAfter;

/// A guard-rail refused the request, or could not decide about it.
///
/// It travels as the error of the layers, so that everything further out (the trace, the metrics) sees the same refusal
/// the client will see, and becomes a response once, at the edge: [`Rejection::into_response`] gives
/// `application/problem+json` (RFC 9457), or a host renders its own body from the parts.
///
/// Nothing in it is secret: it is made to be sent to a stranger.
#[derive(Clone, PartialEq, Eq)]
pub struct Rejection {
    reason: Reason,
    detail: Cow<'static, str>,
    retry_after: Option<RetryAfter>,
    // Boxed, since it is large, often empty, and an error travels through every layer by value.
    headers: Option<Box<HeaderMap>>,
}

/// Why a request was rejected. Each has an HTTP status and a stable problem type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No credentials, or none that hold.
    Unauthenticated,
    /// Known, but not allowed to do this.
    Forbidden,
    /// The request cannot be read or asks for something that does not exist here.
    Invalid,
    /// No such page or thing.
    NotFound,
    /// No such model.
    UnknownModel,
    /// The body is larger than allowed.
    TooLarge,
    /// Too many requests for now.
    RateLimited,
    /// The allowance of the window is used up.
    QuotaExhausted,
    /// The request costs more than the whole allowance: it can never pass.
    QuotaTooSmall,
    /// The prompt tries to take over.
    PromptRejected,
    /// The prompt carries a secret or a command that must not leave.
    ContentRejected,
    /// The upstream failed often enough that it is left alone for a while.
    CircuitOpen,
    /// The upstream cannot be reached or broke off.
    UpstreamUnavailable,
    /// The upstream has no capacity for this service now.
    UpstreamOverloaded,
    /// The upstream did not answer in time.
    UpstreamTimeout,
    /// The deadline of the whole request passed.
    DeadlineExceeded,
    /// A store that must be asked gave no answer, and the policy is to refuse then.
    GuardUnavailable,
    /// The service is shutting down.
    ShuttingDown,
    /// A fault of this service.
    Internal,
}

impl Reason {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Invalid | Self::PromptRejected | Self::ContentRejected => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::UnknownModel => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RateLimited | Self::QuotaExhausted | Self::QuotaTooSmall => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::CircuitOpen
            | Self::UpstreamOverloaded
            | Self::GuardUnavailable
            | Self::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
            Self::UpstreamUnavailable => StatusCode::BAD_GATEWAY,
            Self::UpstreamTimeout | Self::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A stable name, in `snake_case`: the code of an error body, the label of a metric, the end of the problem type.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid_request",
            Self::NotFound => "not_found",
            Self::UnknownModel => "unknown_model",
            Self::TooLarge => "request_too_large",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::QuotaTooSmall => "quota_too_small",
            Self::PromptRejected => "prompt_rejected",
            Self::ContentRejected => "content_rejected",
            Self::CircuitOpen => "circuit_open",
            Self::UpstreamUnavailable => "upstream_unavailable",
            Self::UpstreamOverloaded => "upstream_overloaded",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::GuardUnavailable => "guard_unavailable",
            Self::ShuttingDown => "shutting_down",
            Self::Internal => "internal_error",
        }
    }

    /// Whether a guard said no. If not, something failed.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        !matches!(
            self,
            Self::UpstreamUnavailable
                | Self::UpstreamOverloaded
                | Self::UpstreamTimeout
                | Self::DeadlineExceeded
                | Self::GuardUnavailable
                | Self::Internal
        )
    }

    /// The short title of the problem type, the same for every occurrence (RFC 9457 §3.1.4).
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Unauthenticated => "Missing or invalid credentials",
            Self::Forbidden => "Not allowed",
            Self::Invalid => "Invalid request",
            Self::NotFound => "Not found",
            Self::UnknownModel => "Unknown model",
            Self::TooLarge => "Request too large",
            Self::RateLimited => "Too many requests",
            Self::QuotaExhausted => "Quota exhausted",
            Self::QuotaTooSmall => "Request exceeds the whole quota",
            Self::PromptRejected => "Prompt rejected",
            Self::ContentRejected => "Content rejected",
            Self::CircuitOpen => "Upstream temporarily avoided",
            Self::UpstreamUnavailable => "Upstream unavailable",
            Self::UpstreamOverloaded => "Upstream overloaded",
            Self::UpstreamTimeout => "Upstream timed out",
            Self::DeadlineExceeded => "Deadline exceeded",
            Self::GuardUnavailable => "Guard unavailable",
            Self::ShuttingDown => "Shutting down",
            Self::Internal => "Internal error",
        }
    }
}

impl Rejection {
    /// A rejection for `reason`; `detail` is one sentence for the client, without secrets.
    #[must_use]
    pub fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            retry_after: None,
            headers: None,
        }
    }

    /// The same with advice when to come back.
    #[must_use]
    pub const fn with_retry_after(mut self, retry_after: RetryAfter) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// The same with a header field more for the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.get_or_insert_default().append(name, value);
        self
    }

    /// The same with those of `fields` whose names it has not got yet.
    #[cfg(feature = "rate-limit")]
    pub(crate) fn with_missing_headers(
        mut self,
        fields: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Self {
        let headers = self.headers.get_or_insert_default();
        for (name, value) in fields {
            headers.entry(name).or_insert(value);
        }
        self
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// One sentence for the client.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// When to come back, if that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after.and_then(RetryAfter::duration)
    }

    /// The status and the header fields of the response, for a host that renders a body of its own.
    #[must_use]
    pub fn head(&self) -> (StatusCode, HeaderMap) {
        let mut headers = self.headers.as_deref().cloned().unwrap_or_default();
        if let Some(seconds) = self.retry_after.and_then(RetryAfter::as_secs_ceil) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.reason == Reason::Unauthenticated {
            headers
                .entry(header::WWW_AUTHENTICATE)
                .or_insert(HeaderValue::from_static("Bearer"));
        }
        (self.reason.status(), headers)
    }

    /// The problem document of RFC 9457, as JSON text.
    #[must_use]
    pub fn problem(&self) -> String {
        let mut json = String::with_capacity(160 + self.detail.len());
        json.push_str("{\"type\":\"urn:palisade:problem:");
        json.push_str(self.reason.code());
        json.push_str("\",\"title\":");
        push_json_string(&mut json, self.reason.title());
        json.push_str(",\"status\":");
        json.push_str(self.reason.status().as_str());
        json.push_str(",\"detail\":");
        push_json_string(&mut json, &self.detail);
        if let Some(seconds) = self.retry_after.and_then(RetryAfter::as_secs_ceil) {
            json.push_str(",\"retry_after\":");
            json.push_str(&seconds.to_string());
        }
        json.push('}');
        json
    }

    /// The response: status, `Retry-After` and other fields, `application/problem+json`.
    #[must_use]
    pub fn into_response<B: From<String>>(self) -> Response<B> {
        let (status, headers) = self.head();
        let mut response = Response::new(B::from(self.problem()));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        response
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rejection({}: {})", self.reason.code(), self.detail)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.title(), self.detail)
    }
}

impl Error for Rejection {}

/// Appends `text` as a JSON string (RFC 8259 §7).
fn push_json_string(json: &mut String, text: &str) {
    use fmt::Write as _;
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{20}'.. => json.push(c),
            control => {
                // Writing to a string cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_when_to_come_back_and_never_too_early() {
        let rejection = Rejection::new(Reason::RateLimited, "60 requests a minute are allowed")
            .with_retry_after(RetryAfter::After(Duration::from_millis(1_001)));
        let response = rejection.into_response::<String>();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(
            response.body(),
            "{\"type\":\"urn:palisade:problem:rate_limited\",\"title\":\"Too many requests\",\
             \"status\":429,\"detail\":\"60 requests a minute are allowed\",\"retry_after\":2}"
        );
    }

    #[test]
    fn what_can_never_pass_has_no_retry_after() {
        let rejection =
            Rejection::new(Reason::QuotaTooSmall, "no").with_retry_after(RetryAfter::Never);
        assert!(!rejection.head().1.contains_key(header::RETRY_AFTER));
    }

    #[test]
    fn a_detail_cannot_break_out_of_its_json() {
        let problem = Rejection::new(Reason::Invalid, "a \"b\" \\ \n \u{1} é").problem();
        assert!(
            problem.contains(r#""detail":"a \"b\" \\ \u000a \u0001 é""#),
            "{problem}"
        );
    }

    #[test]
    fn missing_credentials_name_the_scheme() {
        let (status, headers) = Rejection::new(Reason::Unauthenticated, "no key").head();
        assert_eq!(
            (status.as_u16(), &headers[header::WWW_AUTHENTICATE]),
            (401, &HeaderValue::from_static("Bearer"))
        );
    }
}
