//! The wire format of Anthropic's messages.

use axum::{extract::State, response::Response};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::{Answer, Directive, Mock, content_text, event_stream, wait, with_retry_after};

pub(super) async fn messages(State(mock): State<Mock>, body: Bytes) -> Response {
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (Some(model), Some(messages), Some(limit)) = (
        request["model"].as_str(),
        request["messages"].as_array(),
        request["max_tokens"].as_u64(),
    ) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "model, messages and max_tokens: Field required",
        );
    };
    let mut prompt = String::new();
    let mut last = String::new();
    content_text(&request["system"], &mut prompt);
    for message in messages {
        content_text(&message["content"], &mut prompt);
        if message["role"] == "user" {
            last.clear();
            content_text(&message["content"], &mut last);
        }
    }
    let directive = Directive::find(&last);
    wait(mock.latency(&directive)).await;
    if let Some(status) = mock.failure(&directive) {
        return with_retry_after(refuse(status, "the mock fails as asked"), &directive);
    }
    let mut answer = Answer::new(&last, &directive, Some(limit));
    answer.prompt_tokens = super::tokens(&prompt) + 4 * messages.len() as u64;
    if request["stream"] == true {
        event_stream(events(model, &answer, &directive), &directive)
    } else {
        super::json(StatusCode::OK, &message(model, &answer, &directive))
    }
}

fn stop_reason(answer: &Answer) -> &'static str {
    match (&answer.tool, answer.truncated) {
        (Some(_), _) => "tool_use",
        (None, true) => "max_tokens",
        (None, false) => "end_turn",
    }
}

fn usage(answer: &Answer, output: u64) -> Value {
    json!({
        "input_tokens": answer.prompt_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
    })
}

fn message(model: &str, answer: &Answer, directive: &Directive) -> Value {
    let mut content = Vec::new();
    if !answer.text.is_empty() {
        content.push(json!({"type": "text", "text": answer.text}));
    }
    if let Some((name, arguments)) = &answer.tool {
        let input: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
        content
            .push(json!({"type": "tool_use", "id": "toolu_mock1", "name": name, "input": input}));
    }
    let mut message = json!({
        "id": "msg_mock1", "type": "message", "role": "assistant", "model": model,
        "content": content, "stop_reason": stop_reason(answer), "stop_sequence": null,
    });
    if !directive.no_usage {
        message["usage"] = usage(answer, answer.completion_tokens);
    }
    message
}

fn events(model: &str, answer: &Answer, directive: &Directive) -> Vec<String> {
    let mut start = json!({
        "id": "msg_mock1", "type": "message", "role": "assistant", "model": model,
        "content": [], "stop_reason": null, "stop_sequence": null,
    });
    if !directive.no_usage {
        start["usage"] = usage(answer, 1);
    }
    let mut values = vec![json!({"type": "message_start", "message": start})];
    let mut index = 0;
    if !answer.text.is_empty() {
        let block = json!({"type": "text", "text": ""});
        values.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        values.push(json!({"type": "ping"}));
        for piece in answer.chunks() {
            let delta = json!({"type": "text_delta", "text": piece});
            values.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        values.push(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    }
    if let Some((name, arguments)) = &answer.tool {
        let block = json!({"type": "tool_use", "id": "toolu_mock1", "name": name, "input": {}});
        values.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        for piece in super::pieces(arguments) {
            let delta = json!({"type": "input_json_delta", "partial_json": piece});
            values.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        values.push(json!({"type": "content_block_stop", "index": index}));
    }
    let mut last = json!({
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason(answer), "stop_sequence": null},
    });
    if !directive.no_usage {
        last["usage"] = json!({"output_tokens": answer.completion_tokens});
    }
    values.push(last);
    values.push(json!({"type": "message_stop"}));
    values
        .iter()
        .map(|value| {
            format!(
                "event: {}\ndata: {value}\n\n",
                value["type"].as_str().unwrap_or_default()
            )
        })
        .collect()
}

fn refuse(status: StatusCode, message: &str) -> Response {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let error = json!({
        "type": "error", "error": {"type": kind, "message": message}, "request_id": "req_mock1",
    });
    super::json(status, &error)
}
