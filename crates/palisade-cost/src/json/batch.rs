//! Lines of a batch, in which providers wrap what they would have answered.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Count, Text};

/// Wrappers inside wrappers that are opened; no provider has more than two.
const DEPTH_MAX: usize = 4;

/// What is in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwrapped<'a> {
    /// A response.
    Response(&'a str),
    /// An error: nothing was generated.
    Failed,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wrapper<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    status_code: Count,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow, rename = "modelOutput")]
    model_output: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Opens a line.
pub(super) fn unwrap(line: &str) -> Unwrapped<'_> {
    let mut text = line;
    for _ in 0..DEPTH_MAX {
        let Ok(wrapper) = serde_json::from_str::<Wrapper<'_>>(text) else {
            break;
        };
        let is_error_status = matches!(wrapper.status_code, Count::Value(400..));
        let kind = wrapper.kind.as_deref();
        if is_error_status || matches!(kind, Some("errored" | "canceled" | "expired")) {
            return Unwrapped::Failed;
        }
        let message = wrapper.message.filter(|_| kind == Some("succeeded"));
        let inside = wrapper
            .response
            .or(wrapper.result)
            .or(wrapper.body)
            .or(wrapper.model_output)
            .or(message);
        match inside {
            Some(inside) => text = inside.get(),
            None if wrapper.error.is_some() && wrapper.usage.is_none() => return Unwrapped::Failed,
            None => break,
        }
    }
    Unwrapped::Response(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_opened_down_to_the_response_or_the_error() {
        let response = r#"{"model":"m","usage":{"prompt_tokens":1},"error":null}"#;
        for line in [
            "R",
            r#"{"id":"b","response":{"status_code":200,"body":R},"error":null}"#,
            r#"{"custom_id":"a","result":{"type":"succeeded","message":R}}"#,
            r#"{"key":"a","response":R}"#,
            r#"{"recordId":"a","modelInput":{},"modelOutput":R}"#,
        ] {
            let line = line.replace('R', response);
            assert_eq!(unwrap(&line), Unwrapped::Response(response), "{line}");
        }
        for line in [
            r#"{"id":"b","response":null,"error":{"code":"batch_expired"}}"#,
            r#"{"id":"b","response":{"status_code":400,"body":{"error":{}}},"error":null}"#,
            r#"{"custom_id":"a","result":{"type":"errored","error":{}}}"#,
            r#"{"custom_id":"a","result":{"type":"expired"}}"#,
            r#"{"error":{"message":"no"}}"#,
            r#"{"recordId":"a","modelInput":{},"error":{"errorCode":400,"errorMessage":"no"}}"#,
        ] {
            assert_eq!(unwrap(line), Unwrapped::Failed, "{line}");
        }
        assert_eq!(unwrap("no json"), Unwrapped::Response("no json"));
    }
}
