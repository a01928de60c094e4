//! The demo's view of the gateway: HTTP and nothing else.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

/// How long a trace may take to be stored.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(super) struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    base: String,
    key: String,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<u64>,
    pub(super) body: String,
    pub(super) trace: Option<String>,
}

impl Client {
    pub(super) fn new(address: SocketAddr, key: &str) -> Self {
        Self {
            http: legacy::Client::builder(TokioExecutor::new()).build_http(),
            base: format!("http://{address}"),
            key: key.to_owned(),
        }
    }

    /// The same with another key.
    pub(super) fn with_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    /// A chat with one message of the user.
    pub(super) async fn chat(
        &self,
        model: &str,
        prompt: &str,
        stream: bool,
    ) -> anyhow::Result<Reply> {
        let body = json!({
            "model": model, "stream": stream, "max_tokens": 400,
            "messages": [{"role": "user", "content": prompt}],
        });
        self.post("/v1/chat/completions", &body).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        let response = self
            .send(Method::POST, path, Bytes::from(body.to_string()))
            .await?;
        Reply::read(response).await
    }

    /// Reads a few pieces of a stream and hangs up. The trace's id, if it was told.
    pub(super) async fn hang_up(
        &self,
        model: &str,
        prompt: &str,
        pieces: usize,
    ) -> anyhow::Result<Reply> {
        let body = json!({
            "model": model, "stream": true, "max_tokens": 400,
            "messages": [{"role": "user", "content": prompt}],
        });
        let bytes = Bytes::from(body.to_string());
        // A connection of its own, so that dropping the answer closes it.
        let alone = Self {
            http: legacy::Client::builder(TokioExecutor::new()).build_http(),
            ..self.clone()
        };
        let response = alone
            .send(Method::POST, "/v1/chat/completions", bytes)
            .await?;
        let mut reply = Reply::head(&response);
        let mut body = response.into_body();
        for _ in 0..pieces {
            let frame = body
                .frame()
                .await
                .context("the stream ended before the client hung up")??;
            let data = frame.into_data().unwrap_or_default();
            reply.body.push_str(&String::from_utf8_lossy(&data));
        }
        Ok(reply)
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let response = self.send(Method::GET, path, Bytes::new()).await?;
        let reply = Reply::read(response).await?;
        anyhow::ensure!(
            reply.status == StatusCode::OK,
            "GET {path}: {} {}",
            reply.status,
            reply.body
        );
        Ok(serde_json::from_str(&reply.body)?)
    }

    /// The stored trace of a reply.
    pub(super) async fn trace(&self, reply: &Reply) -> anyhow::Result<Value> {
        let id = reply.trace.as_deref().context("the reply names no trace")?;
        let path = format!("/v1/traces/{id}");
        let stored = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Ok(found) = self.get(&path).await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let found = stored
            .await
            .with_context(|| format!("the trace {id} was not stored in time"))?;
        found.get(0).cloned().context("the trace is empty")
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<http::Response<Incoming>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        Ok(self.http.request(request).await?)
    }
}

impl Reply {
    fn head(response: &http::Response<Incoming>) -> Self {
        let field = |name: &str| response.headers().get(name)?.to_str().ok();
        Self {
            status: response.status(),
            retry_after: field("retry-after").and_then(|seconds| seconds.parse().ok()),
            body: String::new(),
            // version "-" trace id "-" span id "-" flags
            trace: field("traceresponse")
                .and_then(|value| value.split('-').nth(1))
                .map(str::to_owned),
        }
    }

    async fn read(response: http::Response<Incoming>) -> anyhow::Result<Self> {
        let mut reply = Self::head(&response);
        let body = response.into_body().collect().await?.to_bytes();
        reply.body = String::from_utf8(body.to_vec())?;
        Ok(reply)
    }

    /// The text of an answer, whole or streamed, of either API.
    pub(super) fn text(&self) -> String {
        if let Ok(whole) = serde_json::from_str::<Value>(&self.body) {
            let texts = [
                &whole["choices"][0]["message"]["content"],
                &whole["content"][0]["text"],
            ];
            return texts.iter().filter_map(|text| text.as_str()).collect();
        }
        let mut text = String::new();
        for data in self
            .body
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
        {
            let Ok(event) = serde_json::from_str::<Value>(data) else {
                continue;
            };
            for delta in [
                &event["choices"][0]["delta"]["content"],
                &event["delta"]["text"],
            ] {
                text.push_str(delta.as_str().unwrap_or_default());
            }
        }
        text
    }

    /// The code of an error, of either API.
    pub(super) fn code(&self) -> String {
        let error: Value = serde_json::from_str(&self.body).unwrap_or_default();
        error["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}
