//! A model provider that needs no network and no money, and speaks the real wire formats.
//!
//! It answers as OpenAI and Anthropic do (whole and streamed, tool calls, usage, errors), deterministically, and fails
//! on request: see [`directive`]. It runs inside the gateway by default and as a process of its own for measurements.

mod anthropic;
mod directive;
mod openai;

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router, body::Body, extract::DefaultBodyLimit, response::Response, routing,
    serve::ListenerExt as _,
};
use bytes::Bytes;
use directive::Directive;
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

/// The most bytes of a request that the mock reads.
const BODY_BYTES_MAX: usize = 16 << 20;
/// The most failures that are counted apart; beyond it the counts start anew.
const COUNTS_MAX: usize = 4_096;

/// The routes of the mock provider.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/v1/chat/completions", routing::post(openai::chat))
        .route("/v1/embeddings", routing::post(openai::embeddings))
        .route("/v1/models", routing::get(openai::models))
        .route("/v1/messages", routing::post(anthropic::messages))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Mock::default())
}

/// What the mock remembers between requests: how often it has failed, and been late, for whom.
#[derive(Clone, Default)]
struct Mock {
    counts: Arc<Mutex<HashMap<String, u32>>>,
}

impl Mock {
    /// Whether this request is to fail, and with what status.
    fn failure(&self, directive: &Directive) -> Option<StatusCode> {
        let status = StatusCode::from_u16(directive.status?).ok()?;
        let Some(times) = directive.times else {
            return Some(status);
        };
        self.is_among(&directive.id, times).then_some(status)
    }

    /// How long this request is to wait for the first byte.
    fn latency(&self, directive: &Directive) -> Duration {
        let late = directive
            .late
            .is_none_or(|times| self.is_among(&format!("{} late", directive.id), times));
        if late {
            directive.latency
        } else {
            Duration::ZERO
        }
    }

    /// Whether this is one of the first so many of `id`.
    fn is_among(&self, id: &str, times: u32) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= COUNTS_MAX {
            counts.clear();
        }
        let count = counts.entry(id.to_owned()).or_default();
        let among = *count < times;
        *count += u32::from(among);
        among
    }
}

/// What the model has to say about a prompt.
struct Answer {
    text: String,
    tool: Option<(String, String)>,
    prompt_tokens: u64,
    completion_tokens: u64,
    truncated: bool,
}

impl Answer {
    fn new(prompt: &str, directive: &Directive, tokens_max: Option<u64>) -> Self {
        let tool = directive.tool.clone().map(|name| {
            (
                name,
                directive.args.clone().unwrap_or_else(|| "{}".to_owned()),
            )
        });
        let text = match (&directive.reply, &directive.leak, &tool) {
            (Some(reply), _, _) => reply.clone(),
            (None, Some(_), _) => format!("Here is a token: {} Keep it safe.", github_token()),
            (None, None, Some(_)) => String::new(),
            (None, None, None) => {
                let asked: String = prompt.chars().take(120).collect();
                format!("This is the mock model. You asked: {asked}")
            }
        };
        let mut pieces = pieces(&text);
        let limit = usize::try_from(tokens_max.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let truncated = pieces.len() > limit;
        pieces.truncate(limit);
        let text = pieces.concat();
        let arguments = tool.as_ref().map_or(0, |(_, arguments)| tokens(arguments));
        Self {
            completion_tokens: pieces.len() as u64 + arguments,
            prompt_tokens: tokens(prompt) + 8,
            text,
            tool,
            truncated,
        }
    }

    /// The text as a model streams it: a few bytes at a time, across words and secrets alike.
    fn chunks(&self) -> Vec<String> {
        pieces(&self.text)
    }
}

/// A token in GitHub's format that belongs to nobody, with the checksum that makes it look real: the CRC-32 of its body
/// in base 62.
fn github_token() -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let body = "m0cKp4L1s4d3D3moT0k3nN0b0dYsK9";
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut checksum = [b'0'; 6];
    for digit in checksum.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    format!(
        "{}{body}{}",
        "ghp_",
        checksum.map(char::from).iter().collect::<String>()
    )
}

/// About what a tokenizer gives: runs of at most four characters, a space at the front of a word.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for c in text.chars() {
        if piece.chars().count() == 4 || (c == ' ' && !piece.is_empty()) {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.push(c);
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

fn tokens(text: &str) -> u64 {
    text.chars().count().div_ceil(4) as u64
}

/// A stream of server-sent events with the waits and faults that were asked for.
fn event_stream(events: Vec<String>, directive: &Directive) -> Response {
    let (pause, cut, garbage) = (directive.pause, directive.cut, directive.garbage);
    let mut items: Vec<Item> = events.into_iter().map(Item::Event).collect();
    if let Some(at) = garbage {
        items.insert(
            at.min(items.len()),
            Item::Event("data: {\"choices\":[{\"del\n\n".to_owned()),
        );
    }
    if let Some(at) = cut {
        items.truncate(at);
        items.push(Item::Break);
    }
    let body = stream::iter(items).then(move |item| async move {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        match item {
            Item::Event(event) => Ok(Bytes::from(event)),
            Item::Break => Err(std::io::Error::other(
                "the mock breaks the connection as asked",
            )),
        }
    });
    let mut response = Response::new(Body::from_stream(body));
    let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

enum Item {
    Event(String),
    Break,
}

fn json(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn with_retry_after(mut response: Response, directive: &Directive) -> Response {
    if let Some(seconds) = directive.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

async fn wait(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

/// Serves the mock provider on `listener` until the process ends.
///
/// # Errors
///
/// What the server ended with.
pub async fn serve(listener: tokio::net::TcpListener) -> Result<Infallible, std::io::Error> {
    // Events of a stream are small; without this each would wait for the last one's acknowledgement.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router()).await?;
    Err(std::io::Error::other("the mock provider stopped"))
}

/// All text of a message's `content`, which is a string or a list of typed parts.
fn content_text(content: &Value, into: &mut String) {
    match content {
        Value::String(text) => into.push_str(text),
        Value::Array(parts) => {
            for part in parts {
                if let Some(text) = part["text"].as_str() {
                    into.push_str(text);
                }
            }
        }
        _ => {}
    }
}
