use std::{borrow::Cow, fmt::Write as _};

use palisade_core::RetryAfter;

use crate::{ErrorKind, Failure, Fault};

/// A failure as a client may see it: a problem document of RFC 9457.
///
/// A service that passes on what went wrong inside tells strangers which provider it uses, that its key was refused and
/// that its account is empty. A `Problem` says what the *client* can do about it: the `type` is stable and made to be
/// branched on, the `status` is the one of [`Failure::http_status`], and what is not the client's own doing is a service
/// that is unavailable or overloaded.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::RetryAfter;
/// use palisade_resilience::{ErrorKind, Failure};
///
/// let failure = Failure::new(ErrorKind::Overloaded)
///     .with_advice(RetryAfter::After(Duration::from_millis(1_500)));
/// assert_eq!(
///     failure.problem().to_json(),
///     r#"{"type":"urn:palisade:problem:overloaded","title":"The service has no capacity now","status":503,"retry_after":2}"#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    base: Cow<'static, str>,
    kind: ErrorKind,
    status: u16,
    detail: Option<Cow<'static, str>>,
    instance: Option<Cow<'static, str>>,
    retry_after: Option<u64>,
    policy: Option<String>,
}

impl Failure {
    /// What a client may know of it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let own = self.fault() == Fault::Caller;
        Problem {
            base: Cow::Borrowed(Problem::BASE),
            kind: self.outward_kind(),
            status: self.http_status(),
            detail: None,
            instance: None,
            retry_after: self.advice().and_then(RetryAfter::as_secs_ceil),
            // The names of our own arrangements with an upstream are nobody's business.
            policy: own.then(|| self.policy().map(str::to_owned)).flatten(),
        }
    }

    /// The kind as a client is told: its own doing by name, everything else as what it means for the client.
    #[must_use]
    pub const fn outward_kind(&self) -> ErrorKind {
        match (self.fault(), self.kind()) {
            (Fault::Caller, kind) => kind,
            (_, ErrorKind::RateLimited | ErrorKind::QuotaExhausted | ErrorKind::Overloaded) => {
                ErrorKind::Overloaded
            }
            (Fault::Us, ErrorKind::Internal) => ErrorKind::Internal,
            (_, kind @ (ErrorKind::Timeout | ErrorKind::CircuitOpen | ErrorKind::Interrupted)) => {
                kind
            }
            _ => ErrorKind::Unavailable,
        }
    }
}

impl Problem {
    /// The media type of [`to_json`](Problem::to_json).
    pub const MEDIA_TYPE: &'static str = "application/problem+json";
    /// What a `type` begins with unless told otherwise.
    pub const BASE: &'static str = "urn:palisade:problem:";
    /// The most bytes of a detail or an instance. What is longer is cut.
    pub const TEXT_MAX: usize = 1_024;

    /// The same, with types that begin with `base`, such as `https://errors.example.com/`.
    #[must_use]
    pub fn with_base(mut self, base: impl Into<Cow<'static, str>>) -> Self {
        self.base = base.into();
        self
    }

    /// The same, with a sentence about this occurrence. It is sent to a stranger: put nothing secret there.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same, with a URI that names this occurrence, such as a request id.
    #[must_use]
    pub fn with_instance(mut self, instance: impl Into<Cow<'static, str>>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// The stable URI of this type of problem.
    #[must_use]
    pub fn type_uri(&self) -> String {
        format!("{}{}", self.base, self.kind.slug())
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The value of a `Retry-After` field, if there is one to send.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// The document, as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::with_capacity(192);
        json.push_str("{\"type\":");
        push_json_string(&mut json, &self.type_uri());
        json.push_str(",\"title\":");
        push_json_string(&mut json, self.kind.title());
        // Writing to a string cannot fail.
        let _ = write!(json, ",\"status\":{}", self.status);
        let texts = [
            ("detail", self.detail.as_deref()),
            ("instance", self.instance.as_deref()),
            ("policy", self.policy.as_deref()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                let _ = write!(json, ",\"{name}\":");
                push_json_string(&mut json, cut(text, Self::TEXT_MAX));
            }
        }
        if let Some(seconds) = self.retry_after {
            let _ = write!(json, ",\"retry_after\":{seconds}");
        }
        json.push('}');
        json
    }
}

/// The beginning of a text, without cutting a character in two.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Appends `text` as a JSON string (RFC 8259 §7).
fn push_json_string(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{20}'.. => json.push(c),
            control => {
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_client_learns_what_it_can_do_and_nothing_of_our_affairs() {
        let wait = RetryAfter::After(Duration::from_millis(1_001));
        for kind in ErrorKind::ALL {
            for fault in [Fault::Caller, Fault::Upstream, Fault::Us] {
                let failure = Failure::new(kind)
                    .with_fault(fault)
                    .with_policy("acme-account-7");
                let problem = failure.clone().with_advice(wait).problem();
                let json = problem.to_json();
                assert_eq!(problem.status(), failure.http_status());
                assert_eq!(problem.retry_after(), Some(2), "rounded up");
                assert_eq!(
                    json.contains("acme-account-7"),
                    fault == Fault::Caller,
                    "{json}"
                );
                let tells = ["unauthenticated", "quota", "permission", "not-found"]
                    .iter()
                    .any(|word| json.contains(word));
                assert!(!tells || fault == Fault::Caller, "{json}");
            }
        }
    }

    #[test]
    fn a_text_cannot_break_out_of_the_document() {
        let problem = Failure::new(ErrorKind::Validation)
            .problem()
            .with_base("https://errors.example.com/")
            .with_detail("a \"b\" \\ \n \u{1} é".repeat(1_000))
            .with_instance("urn:uuid:1");
        let json = problem.to_json();
        assert!(
            json.starts_with(
                r#"{"type":"https://errors.example.com/invalid-request","title":"The request is not valid","status":400,"detail":"a \"b\" \\ \u000a \u0001 é"#
            ),
            "{json}"
        );
        assert!(json.len() < 6 * Problem::TEXT_MAX, "{}", json.len());
        #[cfg(feature = "json")]
        {
            let read: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(read["status"], 400);
        }
    }
}
