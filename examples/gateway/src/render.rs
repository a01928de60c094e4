//! A refusal in the words of the API the client speaks.
//!
//! The official clients turn error bodies of their own provider into typed exceptions; a body in another form becomes
//! "unknown error". So each dialect gets its own, with the same status, the same header fields and the same code. A
//! client that asks for `application/problem+json` gets RFC 9457.

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use palisade::tower::{BoxError, Reason, Rejection, find};
use serde_json::{Value, json};

/// Whose error bodies a client understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Openai,
    Anthropic,
    /// Our own endpoints.
    Problem,
}

/// The response to a call that failed.
pub(crate) fn error(dialect: Dialect, asked: &HeaderMap, error: &BoxError) -> Response {
    match find::<Rejection>(&**error) {
        Some(rejection) => rejected(dialect, asked, rejection.clone()),
        None => {
            tracing::error!(error = %Chain(&**error), "a call failed without a reason a client may hear");
            let detail = "something went wrong here";
            rejected(dialect, asked, Rejection::new(Reason::Internal, detail))
        }
    }
}

/// The response to a refused request.
pub(crate) fn rejected(dialect: Dialect, asked: &HeaderMap, rejection: Rejection) -> Response {
    let wants_problem = asked
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.as_bytes().starts_with(b"application/problem+json"));
    let reason = rejection.reason();
    let body = match dialect {
        _ if wants_problem => return rejection.into_response(),
        Dialect::Problem => return rejection.into_response(),
        Dialect::Openai => json!({"error": {
            "message": rejection.detail(),
            "type": openai_type(reason),
            "param": null,
            "code": openai_code(reason),
        }}),
        Dialect::Anthropic => json!({"type": "error", "error": {
            "type": anthropic_type(reason),
            "message": rejection.detail(),
        }}),
    };
    let (status, headers) = rejection.head();
    let mut response = json_response(status, &body);
    response.headers_mut().extend(headers);
    response
}

/// A JSON document.
pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

const fn openai_type(reason: Reason) -> &'static str {
    match reason {
        Reason::RateLimited => "requests",
        Reason::QuotaExhausted | Reason::QuotaTooSmall => "insufficient_quota",
        Reason::Unauthenticated | Reason::Invalid | Reason::UnknownModel | Reason::TooLarge => {
            "invalid_request_error"
        }
        Reason::Forbidden => "permission_error",
        Reason::PromptRejected | Reason::ContentRejected => "content_policy_violation",
        _ => "server_error",
    }
}

const fn openai_code(reason: Reason) -> &'static str {
    match reason {
        Reason::Unauthenticated => "invalid_api_key",
        Reason::RateLimited => "rate_limit_exceeded",
        Reason::UnknownModel => "model_not_found",
        other => other.code(),
    }
}

const fn anthropic_type(reason: Reason) -> &'static str {
    match reason {
        Reason::Unauthenticated => "authentication_error",
        Reason::Forbidden => "permission_error",
        Reason::RateLimited | Reason::QuotaExhausted | Reason::QuotaTooSmall => "rate_limit_error",
        Reason::UnknownModel => "not_found_error",
        Reason::TooLarge => "request_too_large",
        Reason::Invalid | Reason::PromptRejected | Reason::ContentRejected => {
            "invalid_request_error"
        }
        Reason::CircuitOpen | Reason::UpstreamOverloaded => "overloaded_error",
        Reason::UpstreamTimeout | Reason::DeadlineExceeded => "timeout_error",
        _ => "api_error",
    }
}

/// An error and its causes on one line, for the operator's log.
struct Chain<'e>(&'e (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use palisade::core::RetryAfter;

    use super::*;

    #[test]
    fn every_dialect_keeps_the_status_and_the_advice() {
        let rejection = Rejection::new(Reason::RateLimited, "slow down")
            .with_retry_after(RetryAfter::After(std::time::Duration::from_secs(3)));
        for dialect in [Dialect::Openai, Dialect::Anthropic, Dialect::Problem] {
            let response = rejected(dialect, &HeaderMap::new(), rejection.clone());
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(response.headers()[header::RETRY_AFTER], "3");
        }
    }

    #[test]
    fn who_asks_for_a_problem_document_gets_one() {
        let mut asked = HeaderMap::new();
        asked.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/problem+json"),
        );
        let response = rejected(
            Dialect::Openai,
            &asked,
            Rejection::new(Reason::Invalid, "no"),
        );
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
}
