//! HTTP and nothing else.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

pub(crate) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// A chat of one message.
pub(crate) fn chat(prompt: &str) -> Value {
    json!({"model": "gpt-4o-mini", "max_tokens": 300, "messages": [{"role": "user", "content": prompt}]})
}

#[derive(Clone)]
pub(crate) struct Client {
    http: legacy::Client<HttpConnector, Body>,
    base: String,
    key: Option<String>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, key: &str) -> Self {
        Self {
            http: legacy::Client::builder(TokioExecutor::new()).build_http(),
            base: format!("http://{address}"),
            key: Some(key.to_owned()),
        }
    }

    /// The same without a key of its own.
    pub(crate) fn anonymous(&self) -> Self {
        Self {
            key: None,
            ..self.clone()
        }
    }

    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let request = Request::get(path).body(Bytes::new()).unwrap();
        self.send(request).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_bytes(path, body.to_string()).await
    }

    pub(crate) async fn post_bytes(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.into());
        self.send(request.unwrap()).await
    }

    /// A chat of one message.
    pub(crate) async fn chat(&self, prompt: &str) -> Reply {
        self.post("/v1/chat/completions", &chat(prompt)).await
    }

    /// The same, streamed and read to its end.
    pub(crate) async fn chat_stream(&self, prompt: &str) -> Reply {
        self.stream(prompt).await.finish().await
    }

    /// A streamed chat whose head has come, over a connection of its own: dropped, it hangs up.
    pub(crate) async fn stream(&self, prompt: &str) -> Streaming {
        self.post_stream("/v1/chat/completions", chat(prompt)).await
    }

    pub(crate) async fn post_stream(&self, path: &str, mut body: Value) -> Streaming {
        body["stream"] = true.into();
        let alone = Self {
            http: legacy::Client::builder(TokioExecutor::new()).build_http(),
            ..self.clone()
        };
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()));
        let response = alone.begin(request.unwrap().map(whole)).await.unwrap();
        Streaming {
            reply: Reply::head(&response),
            body: response.into_body(),
        }
    }

    /// Any request; the path alone is its address.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Reply {
        self.send_body(request.map(whole)).await
    }

    pub(crate) async fn send_body(&self, request: Request<Body>) -> Reply {
        let response = self.begin(request).await.unwrap();
        let streaming = Streaming {
            reply: Reply::head(&response),
            body: response.into_body(),
        };
        streaming.finish().await
    }

    /// The head of the answer, or nothing if there is none.
    pub(crate) async fn begin(
        &self,
        mut request: Request<Body>,
    ) -> Result<http::Response<Incoming>, legacy::Error> {
        *request.uri_mut() = format!("{}{}", self.base, request.uri()).parse().unwrap();
        if let Some(key) = &self.key {
            let value = format!("Bearer {key}").parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        assert!(matches!(*request.method(), Method::GET | Method::POST));
        self.http.request(request).await
    }
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// An answer that is still coming.
pub(crate) struct Streaming {
    pub(crate) reply: Reply,
    body: Incoming,
}

impl Streaming {
    /// The next piece; nothing at the end, whatever the end was.
    pub(crate) async fn piece(&mut self) -> Option<String> {
        let frame = self.body.frame().await?;
        let Ok(frame) = frame else {
            self.reply.broke_off = true;
            return None;
        };
        let data = frame.into_data().unwrap_or_default();
        Some(String::from_utf8(data.to_vec()).unwrap())
    }

    pub(crate) async fn finish(mut self) -> Reply {
        while let Some(piece) = self.piece().await {
            self.reply.body.push_str(&piece);
        }
        self.reply
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// The connection ended before the answer did.
    pub(crate) broke_off: bool,
}

impl Reply {
    fn head(response: &http::Response<Incoming>) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            body: String::new(),
            broke_off: false,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The id of its trace.
    pub(crate) fn trace(&self) -> &str {
        self.header("traceresponse")
            .unwrap()
            .split('-')
            .nth(1)
            .unwrap()
    }

    /// Asserts that it is this refusal, in whatever form, and that nothing of it gives the inside away.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        let body = self.json();
        let problem = body["type"].as_str().unwrap_or_default();
        let problem = problem.strip_prefix("urn:palisade:problem:");
        let said = body["error"]["code"].as_str().or(problem);
        let said = said.or(body["error"]["type"].as_str());
        assert_eq!(said, Some(code), "{}", self.body);
        assert!(!self.body.contains("palisade.db"), "{}", self.body);
    }

    #[track_caller]
    pub(crate) fn answered(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        assert!(!self.broke_off, "{}", self.body);
        spoken(&self.body)
    }
}

/// The text of an answer, whole or streamed, of either API.
pub(crate) fn spoken(body: &str) -> String {
    if let Ok(whole) = serde_json::from_str::<Value>(body) {
        let texts = [
            &whole["choices"][0]["message"]["content"],
            &whole["content"][0]["text"],
        ];
        return texts.iter().filter_map(|text| text.as_str()).collect();
    }
    let mut text = String::new();
    for data in body.lines().filter_map(|line| line.strip_prefix("data: ")) {
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
