use std::time::Duration;

use palisade_core::RetryAfter;

use crate::{Certainty, ErrorKind, Failure, Fault, LimitOf, status};

/// What a model provider's own error code says.
///
/// Statuses are too coarse for providers: 429 is "slow down" and "your account is empty", 400 is a typo, a prompt that is
/// too long and a refused topic. Their codes tell these apart, in the body of a response or in an error event of a stream.
///
/// ```
/// use palisade_resilience::{ErrorKind, ProviderError};
///
/// let empty = ProviderError::from_code("insufficient_quota").unwrap();
/// assert_eq!(empty.kind(), ErrorKind::QuotaExhausted);
/// assert!(!empty.failure().is_retryable());
///
/// let busy = ProviderError::from_code("overloaded_error").unwrap();
/// assert_eq!(busy.kind(), ErrorKind::Overloaded);
/// ```
///
/// It keeps the meaning and none of the text, which may quote the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderError {
    kind: ErrorKind,
    /// Whether the code says no more than a status would, so that a status beside it decides.
    pub(crate) vague: bool,
    pub(crate) advice: Option<Duration>,
    limit: Option<LimitOf>,
}

impl ProviderError {
    /// The meaning of a code, if it is one that is known: of OpenAI and those who speak like it, Azure, Anthropic, Google
    /// and AWS Bedrock.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        // AWS writes `namespace#Name:uri`.
        let code = code.rsplit('#').next().unwrap_or(code);
        let code = code.split(':').next().unwrap_or(code);
        let find = |table: &[(&str, ErrorKind)]| {
            let row = table.iter().find(|(name, _)| *name == code);
            row.map(|&(_, kind)| kind)
        };
        let limit = match code {
            "requests" => Some(LimitOf::Requests),
            "tokens" => Some(LimitOf::Tokens),
            _ => None,
        };
        let error = match find(CODES) {
            Some(kind) => Self::new(kind, false),
            None => find(VAGUE)
                .or_else(|| of_number(code.parse().ok()?))
                .map(|kind| Self::new(kind, true))?,
        };
        Some(Self { limit, ..error })
    }

    /// Reads an error body, or the data of an error event in a stream: JSON up to
    /// [`BODY_MAX`](ProviderError::BODY_MAX) bytes. `None` if it is not JSON or says nothing that is known.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn from_body(body: &[u8]) -> Option<Self> {
        body::read(body)
    }

    const fn new(kind: ErrorKind, vague: bool) -> Self {
        Self {
            kind,
            vague,
            advice: None,
            limit: None,
        }
    }

    /// Longer bodies are not read.
    pub const BODY_MAX: usize = 256 * 1_024;

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Which of the provider's limits said no, if it tells.
    #[must_use]
    pub const fn limit(&self) -> Option<LimitOf> {
        self.limit
    }

    /// The failure, where there is no HTTP status beside it: an error event in a stream.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let mut failure = of_upstream(self.kind);
        if let Some(limit) = self.limit {
            failure = failure.with_policy(limit.name());
        }
        match self.advice {
            Some(advice) => failure.with_advice(RetryAfter::After(advice)),
            None => failure,
        }
    }
}

/// A failure that an upstream reported of itself.
pub(crate) fn of_upstream(kind: ErrorKind) -> Failure {
    let failure = Failure::new(kind);
    match kind {
        // Its "internal error" is its fault, and mostly gone a moment later.
        ErrorKind::Internal => failure.with_fault(Fault::Upstream).with_retryable(true),
        // A prompt that it refuses was not answered. Whether reading it is charged for differs.
        ErrorKind::ContentRefused => failure.with_processed(Certainty::No),
        _ => failure,
    }
}

/// Some send a status in place of a code, as a number or as text.
fn of_number(code: u64) -> Option<ErrorKind> {
    let status = u16::try_from(code).ok().filter(|status| *status < 600)?;
    status::kind(status)
}

/// Codes that decide by themselves.
#[rustfmt::skip]
const CODES: &[(&str, ErrorKind)] = &[
    // OpenAI, and the many that speak like it
    ("rate_limit_exceeded", ErrorKind::RateLimited),
    ("slow_down", ErrorKind::Overloaded),
    ("engine_overloaded", ErrorKind::Overloaded),
    ("overloaded", ErrorKind::Overloaded),
    ("insufficient_quota", ErrorKind::QuotaExhausted),
    ("quota_exceeded", ErrorKind::QuotaExhausted),
    ("billing_hard_limit_reached", ErrorKind::QuotaExhausted),
    ("billing_not_active", ErrorKind::QuotaExhausted),
    ("exceeded_current_quota_error", ErrorKind::QuotaExhausted),
    ("invalid_api_key", ErrorKind::Authentication),
    ("account_deactivated", ErrorKind::Authentication),
    ("invalid_organization", ErrorKind::Authentication),
    ("mismatched_organization", ErrorKind::Authentication),
    ("unsupported_country_region_territory", ErrorKind::PermissionDenied),
    ("model_not_found", ErrorKind::NotFound),
    ("context_length_exceeded", ErrorKind::TooLarge),
    ("string_above_max_length", ErrorKind::TooLarge),
    ("content_policy_violation", ErrorKind::ContentRefused),
    ("image_content_policy_violation", ErrorKind::ContentRefused),
    ("content_filter", ErrorKind::ContentRefused),
    ("moderation_blocked", ErrorKind::ContentRefused),
    ("invalid_prompt", ErrorKind::ContentRefused),
    // Azure
    ("ResponsibleAIPolicyViolation", ErrorKind::ContentRefused),
    ("DeploymentNotFound", ErrorKind::NotFound),
    ("NoCapacity", ErrorKind::Overloaded),
    ("TooManyRequests", ErrorKind::RateLimited),
    // Anthropic
    ("rate_limit_error", ErrorKind::RateLimited),
    ("overloaded_error", ErrorKind::Overloaded),
    ("billing_error", ErrorKind::QuotaExhausted),
    ("authentication_error", ErrorKind::Authentication),
    ("permission_error", ErrorKind::PermissionDenied),
    ("not_found_error", ErrorKind::NotFound),
    ("request_too_large", ErrorKind::TooLarge),
    ("timeout_error", ErrorKind::Timeout),
    // Google: the names of gRPC codes
    ("RESOURCE_EXHAUSTED", ErrorKind::RateLimited),
    ("UNAUTHENTICATED", ErrorKind::Authentication),
    ("PERMISSION_DENIED", ErrorKind::PermissionDenied),
    ("NOT_FOUND", ErrorKind::NotFound),
    ("ABORTED", ErrorKind::Conflict),
    // … and the reasons Google gives beside them
    ("API_KEY_INVALID", ErrorKind::Authentication),
    ("API_KEY_SERVICE_BLOCKED", ErrorKind::PermissionDenied),
    ("BILLING_DISABLED", ErrorKind::QuotaExhausted),
    ("CREDENTIALS_MISSING", ErrorKind::Authentication),
    ("SERVICE_DISABLED", ErrorKind::PermissionDenied),
    ("CANCELLED", ErrorKind::Cancelled),
    ("DEADLINE_EXCEEDED", ErrorKind::Timeout),
    ("UNAVAILABLE", ErrorKind::Unavailable),
    // AWS Bedrock
    ("ThrottlingException", ErrorKind::RateLimited),
    ("ServiceQuotaExceededException", ErrorKind::QuotaExhausted),
    ("AccessDeniedException", ErrorKind::PermissionDenied),
    ("UnrecognizedClientException", ErrorKind::Authentication),
    ("ExpiredTokenException", ErrorKind::Authentication),
    ("ResourceNotFoundException", ErrorKind::NotFound),
    ("ConflictException", ErrorKind::Conflict),
    ("ModelNotReadyException", ErrorKind::Unavailable),
    ("ModelTimeoutException", ErrorKind::Timeout),
    ("ModelErrorException", ErrorKind::Internal),
    ("ModelStreamErrorException", ErrorKind::Internal),
    ("InvalidSignatureException", ErrorKind::Authentication),
    ("IncompleteSignature", ErrorKind::Authentication),
    ("ServiceUnavailableException", ErrorKind::Overloaded),
];

/// Codes that a provider uses for many things, so that the status knows more.
#[rustfmt::skip]
const VAGUE: &[(&str, ErrorKind)] = &[
    ("invalid_request_error", ErrorKind::Validation),
    ("INVALID_ARGUMENT", ErrorKind::Validation),
    ("FAILED_PRECONDITION", ErrorKind::Validation),
    ("OUT_OF_RANGE", ErrorKind::Validation),
    ("ValidationException", ErrorKind::Validation),
    ("requests", ErrorKind::RateLimited),
    ("tokens", ErrorKind::RateLimited),
    ("server_error", ErrorKind::Internal),
    ("api_error", ErrorKind::Internal),
    ("internal_error", ErrorKind::Internal),
    ("internal_server_error", ErrorKind::Internal),
    ("INTERNAL", ErrorKind::Internal),
    ("UNKNOWN", ErrorKind::Internal),
    ("InternalServerException", ErrorKind::Internal),
];

#[cfg(feature = "json")]
mod body {
    use palisade_core::Timestamp;
    use serde_json::Value;

    use super::ProviderError;
    use crate::{ErrorKind, retry_after::Asked};

    pub(super) fn read(body: &[u8]) -> Option<ProviderError> {
        if body.len() > ProviderError::BODY_MAX {
            return None;
        }
        let body: Value = serde_json::from_slice(body).ok()?;
        // Google's streams wrap the error into a list.
        let outer = body.get(0).unwrap_or(&body);
        let inner = match outer.get("error") {
            Some(error @ Value::Object(_)) => error,
            // A stream event may carry the error as it is, or under `response`.
            _ => outer
                .pointer("/response/error")
                .filter(|error| error.is_object())
                .unwrap_or(outer),
        };
        let found = by_code(outer, inner);
        let specific = found.filter(|error| !error.vague);
        let mut error = specific.or_else(|| by_message(inner)).or(found)?;
        // OpenAI names the limit in the type, beside the code.
        error.limit = error
            .limit
            .or(found.and_then(|error| error.limit))
            .or_else(|| {
                let kind = inner.get("type")?.as_str()?;
                ProviderError::from_code(kind)?.limit
            });
        if let Some(message) = message(inner) {
            read_message(&mut error, message);
        }
        if let Some(details) = inner.get("details").and_then(Value::as_array) {
            read_google_details(&mut error, details);
        }
        Some(error)
    }

    /// The first code that decides by itself, or else the first that is known at all.
    fn by_code(outer: &Value, inner: &Value) -> Option<ProviderError> {
        let codes = [
            inner.pointer("/innererror/code"),
            inner.get("code"),
            inner.get("type"),
            inner.get("status"),
            outer.get("__type"),
        ];
        let known = codes.into_iter().flatten().filter_map(|code| match code {
            Value::String(code) => ProviderError::from_code(code),
            Value::Number(code) => {
                super::of_number(code.as_u64()?).map(|kind| ProviderError::new(kind, true))
            }
            _ => None,
        });
        let mut first = None;
        for error in known {
            if !error.vague {
                return Some(error);
            }
            first = first.or(Some(error));
        }
        first
    }

    /// The few cases that providers tell apart in words alone.
    fn by_message(inner: &Value) -> Option<ProviderError> {
        const PHRASES: [(&str, ErrorKind); 3] = [
            // Anthropic: an empty account is a 400 `invalid_request_error`.
            ("credit balance is too low", ErrorKind::QuotaExhausted),
            // Anthropic and Bedrock: so is a prompt beyond the context window.
            ("prompt is too long", ErrorKind::TooLarge),
            ("Input is too long", ErrorKind::TooLarge),
        ];
        let message = message(inner)?;
        let (_, kind) = PHRASES
            .into_iter()
            .find(|(phrase, _)| message.contains(phrase))?;
        Some(ProviderError::new(kind, false))
    }

    fn message(inner: &Value) -> Option<&str> {
        let message = inner.get("message").or_else(|| inner.get("Message"))?;
        message.as_str()
    }

    /// What stands in the words alone: how long to wait, and a limit by the day.
    fn read_message(error: &mut ProviderError, message: &str) {
        if error.kind != ErrorKind::RateLimited && error.kind != ErrorKind::Overloaded {
            return;
        }
        // Bedrock: a day's tokens are used up, which no retry lives to see come back.
        if message.contains("Too many tokens per day") {
            error.kind = ErrorKind::QuotaExhausted;
        }
        let after = |phrase: &str| {
            let (_, rest) = message.split_once(phrase)?;
            let end = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
            let (word, rest) = rest.split_at(end);
            Some((word.trim_end_matches(['.', ',']), rest))
        };
        // OpenAI: "Please try again in 7m12s."
        error.advice = after("try again in ").and_then(|(wait, _)| crate::parse_duration(wait));
        // Azure: "Please retry after 26 seconds."
        if let Some((count, rest)) = after("retry after ")
            && rest.trim_start().starts_with("second")
        {
            let wait = crate::retry_after::decimal_seconds(count, 1_000_000_000);
            error.advice = error.advice.or(wait);
        }
    }

    /// `google.rpc.RetryInfo` says how long to wait; `QuotaFailure` tells a limit by the minute from one by the day.
    fn read_google_details(error: &mut ProviderError, details: &[Value]) {
        for detail in details.iter().take(32) {
            if let Some(delay) = detail.get("retryDelay").and_then(Value::as_str)
                && let Some(asked) = Asked::parse_proto(delay)
            {
                error.advice = Some(asked.from(Timestamp::UNIX_EPOCH));
            }
            // `google.rpc.ErrorInfo`: a wrong key is an `INVALID_ARGUMENT` otherwise.
            let reason = detail.get("reason").and_then(Value::as_str);
            if error.vague
                && let Some(reason) = reason.and_then(ProviderError::from_code)
            {
                (error.kind, error.vague) = (reason.kind, reason.vague);
            }
            let violations = detail.get("violations").and_then(Value::as_array);
            for id in violations
                .into_iter()
                .flatten()
                .take(32)
                .filter_map(|violation| violation.get("quotaId")?.as_str())
            {
                error.limit = error.limit.or(Some(crate::limits::named(id)));
                if id.contains("PerDay") && error.kind == ErrorKind::RateLimited {
                    error.kind = ErrorKind::QuotaExhausted;
                }
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::LimitOf;

        #[test]
        #[rustfmt::skip]
        fn error_bodies_say_what_their_status_does_not() {
            use ErrorKind as K;
            for (body, kind) in [
                // OpenAI
                (r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#, K::QuotaExhausted),
                (r#"{"error":{"message":"Rate limit reached","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#, K::RateLimited),
                (r#"{"error":{"message":"Too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#, K::TooLarge),
                (r#"{"error":{"message":"Incorrect key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#, K::Authentication),
                (r#"{"error":{"message":"oops","type":"server_error","param":null,"code":null}}"#, K::Internal),
                (r#"{"type":"error","code":"rate_limit_exceeded","message":"slow","param":null}"#, K::RateLimited),
                (r#"{"type":"response.failed","response":{"error":{"code":"server_error","message":"oops"}}}"#, K::Internal),
                // Azure
                (r#"{"error":{"code":"content_filter","message":"filtered","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#, K::ContentRefused),
                (r#"{"error":{"code":"429","message":"slow down"}}"#, K::RateLimited),
                // Anthropic
                (r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, K::Overloaded),
                (r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to go on"}}"#, K::QuotaExhausted),
                (r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 > 1"}}"#, K::TooLarge),
                (r#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: required"}}"#, K::Validation),
                // Google
                (r#"{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}"#, K::RateLimited),
                (r#"[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]"#, K::Unavailable),
                // AWS Bedrock
                (r#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"slow"}"#, K::RateLimited),
                // An aggregator with a number in place of a code
                (r#"{"error":{"code":402,"message":"Insufficient credits"}}"#, K::QuotaExhausted),
            ] {
                let found = ProviderError::from_body(body.as_bytes());
                assert_eq!(found.map(|error| error.kind()), Some(kind), "{body}");
            }
        }

        #[test]
        fn google_says_how_long_and_which_limit() {
            let minute = br#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
                {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}"#;
            let error = ProviderError::from_body(minute).unwrap();
            assert_eq!(error.kind(), ErrorKind::RateLimited);
            assert_eq!(error.advice.unwrap().as_millis(), 34_500);

            let day = br#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
                {"violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]}]}}"#;
            let error = ProviderError::from_body(day).unwrap();
            assert_eq!(error.kind(), ErrorKind::QuotaExhausted);
        }

        #[test]
        #[rustfmt::skip]
        fn a_body_says_which_limit_and_how_long() {
            use ErrorKind as K;
            for (body, kind, limit, millis) in [
                (r#"{"error":{"message":"Rate limit reached on tokens per min (TPM). Please try again in 7m12s. Visit","type":"tokens","code":"rate_limit_exceeded"}}"#, K::RateLimited, Some(LimitOf::Tokens), Some(432_000)),
                (r#"{"error":{"message":"Rate limit reached. Please try again in 20ms.","type":"requests","code":"rate_limit_exceeded"}}"#, K::RateLimited, Some(LimitOf::Requests), Some(20)),
                (r#"{"error":{"code":"429","message":"Please retry after 26 seconds."}}"#, K::RateLimited, None, Some(26_000)),
                (r#"{"error":{"code":"429","message":"Please retry after lunch."}}"#, K::RateLimited, None, None),
                (r#"{"__type":"ThrottlingException","message":"Too many tokens per day, please wait before trying again."}"#, K::QuotaExhausted, None, None),
                (r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateContentInputTokensPerModelPerMinute"}]},{"retryDelay":"3s"}]}}"#, K::RateLimited, Some(LimitOf::InputTokens), Some(3_000)),
                (r#"{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"API key not valid","details":[{"reason":"API_KEY_INVALID"}]}}"#, K::Authentication, None, None),
                (r#"{"error":{"message":"try again in 5s","type":"invalid_request_error","code":null}}"#, K::Validation, None, None),
            ] {
                let found = ProviderError::from_body(body.as_bytes()).unwrap();
                let advice = found.advice.map(|wait| wait.as_millis());
                assert_eq!((found.kind(), found.limit(), advice), (kind, limit, millis), "{body}");
            }
        }

        #[test]
        fn what_is_not_an_error_body_says_nothing() {
            for body in [
                "",
                "null",
                "[]",
                "{}",
                "{",
                "<html>502 Bad Gateway</html>",
                "\"error\"",
                "[[[]]]",
                r#"{"error":"text"}"#,
                r#"{"error":{"code":7,"type":null}}"#,
                r#"{"error":{"code":-1}}"#,
                r#"{"error":{"code":99999999}}"#,
                r#"{"error":{"code":200}}"#,
            ] {
                assert_eq!(ProviderError::from_body(body.as_bytes()), None, "{body}");
            }
            let mut long = br#"{"error":{"code":"insufficient_quota"}}"#.to_vec();
            long.resize(ProviderError::BODY_MAX, b' ');
            assert!(ProviderError::from_body(&long).is_some());
            long.push(b' ');
            assert_eq!(ProviderError::from_body(&long), None);
        }
    }
}
