//! The wire format of OpenAI's chat completions, embeddings and models.

use axum::{extract::State, response::Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::{Answer, Directive, Mock, content_text, event_stream, wait, with_retry_after};

/// A fixed time, so that the same request gives the same bytes.
const CREATED: u64 = 1_767_225_600;
/// The size of a small embedding model's vectors.
const DIMENSIONS: usize = 64;

pub(super) async fn chat(State(mock): State<Mock>, body: Bytes) -> Response {
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (Some(model), Some(messages)) = (request["model"].as_str(), request["messages"].as_array())
    else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "you must provide model and messages",
        );
    };
    let mut prompt = String::new();
    let mut last = String::new();
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
    let limit = request["max_completion_tokens"]
        .as_u64()
        .or(request["max_tokens"].as_u64());
    let mut answer = Answer::new(&last, &directive, limit);
    answer.prompt_tokens = super::tokens(&prompt) + 4 * messages.len() as u64;
    if request["stream"] == true {
        let with_usage = request["stream_options"]["include_usage"] == true && !directive.no_usage;
        event_stream(chunks(model, &answer, with_usage), &directive)
    } else {
        super::json(
            StatusCode::OK,
            &completion(model, &answer, !directive.no_usage),
        )
    }
}

fn usage(answer: &Answer) -> Value {
    json!({
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}

fn finish_reason(answer: &Answer) -> &'static str {
    match (&answer.tool, answer.truncated) {
        (Some(_), _) => "tool_calls",
        (None, true) => "length",
        (None, false) => "stop",
    }
}

fn completion(model: &str, answer: &Answer, with_usage: bool) -> Value {
    let mut message =
        json!({"role": "assistant", "content": answer.text, "refusal": null, "annotations": []});
    if let Some((name, arguments)) = &answer.tool {
        message["content"] = Value::Null;
        message["tool_calls"] = json!([{
            "id": "call_mock1", "type": "function",
            "function": {"name": name, "arguments": arguments},
        }]);
    }
    let mut completion = json!({
        "id": "chatcmpl-mock1",
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": [{
            "index": 0, "message": message, "logprobs": null,
            "finish_reason": finish_reason(answer),
        }],
        "service_tier": "default",
        "system_fingerprint": "fp_mock",
    });
    if with_usage {
        completion["usage"] = usage(answer);
    }
    completion
}

fn chunks(model: &str, answer: &Answer, with_usage: bool) -> Vec<String> {
    let chunk = |choices: Value| {
        let mut chunk = json!({
            "id": "chatcmpl-mock1",
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": model,
            "service_tier": "default",
            "system_fingerprint": "fp_mock",
            "choices": choices,
        });
        if with_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    };
    let delta = |delta: Value, finish: Value| {
        chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]))
    };
    let mut values = vec![delta(
        json!({"role": "assistant", "content": "", "refusal": null}),
        Value::Null,
    )];
    for piece in answer.chunks() {
        values.push(delta(json!({"content": piece}), Value::Null));
    }
    if let Some((name, arguments)) = &answer.tool {
        values.push(delta(
            json!({"tool_calls": [{
                "index": 0, "id": "call_mock1", "type": "function",
                "function": {"name": name, "arguments": ""},
            }]}),
            Value::Null,
        ));
        for piece in super::pieces(arguments) {
            values.push(delta(
                json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}),
                Value::Null,
            ));
        }
    }
    values.push(delta(json!({}), finish_reason(answer).into()));
    if with_usage {
        let mut last = chunk(json!([]));
        last["usage"] = usage(answer);
        values.push(last);
    }
    let mut events: Vec<String> = values
        .iter()
        .map(|value| format!("data: {value}\n\n"))
        .collect();
    events.push("data: [DONE]\n\n".to_owned());
    events
}

pub(super) async fn embeddings(State(mock): State<Mock>, body: Bytes) -> Response {
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let inputs: Vec<&str> = match &request["input"] {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => {
            return refuse(
                StatusCode::BAD_REQUEST,
                "input must be a string or a list of strings",
            );
        }
    };
    let directive = Directive::find(inputs.last().copied().unwrap_or_default());
    wait(mock.latency(&directive)).await;
    if let Some(status) = mock.failure(&directive) {
        return with_retry_after(refuse(status, "the mock fails as asked"), &directive);
    }
    let base64 = request["encoding_format"] == "base64";
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = embed(text);
            let embedding = if base64 {
                let bytes: Vec<u8> = vector
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect();
                Value::String(STANDARD.encode(bytes))
            } else {
                json!(vector)
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let tokens: u64 = inputs.iter().map(|text| super::tokens(text)).sum();
    super::json(
        StatusCode::OK,
        &json!({
            "object": "list", "data": data, "model": request["model"],
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }),
    )
}

/// A unit vector that depends on the bytes of the text and nothing else.
fn embed(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0_f32; DIMENSIONS];
    for (at, byte) in text.bytes().enumerate() {
        vector[(at * 31 + usize::from(byte)) % DIMENSIONS] += f32::from(byte) + 1.0;
    }
    let norm = vector
        .iter()
        .map(|value| value * value)
        .sum::<f32>()
        .sqrt()
        .max(1.0);
    vector.iter().map(|value| value / norm).collect()
}

pub(super) async fn models() -> Response {
    let models = ["gpt-4o-mini", "gpt-4o", "text-embedding-3-small"];
    let data: Vec<Value> = models
        .iter()
        .map(|id| json!({"id": id, "object": "model", "created": CREATED, "owned_by": "mock"}))
        .collect();
    super::json(StatusCode::OK, &json!({"object": "list", "data": data}))
}

fn refuse(status: StatusCode, message: &str) -> Response {
    let (kind, code) = match status.as_u16() {
        401 => ("invalid_request_error", "invalid_api_key"),
        429 => ("requests", "rate_limit_exceeded"),
        500.. => ("server_error", "server_error"),
        _ => ("invalid_request_error", "invalid_request"),
    };
    let error = json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
    super::json(status, &error)
}
