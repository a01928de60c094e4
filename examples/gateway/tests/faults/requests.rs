//! Requests that cannot be read or are nobody's.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use palisade::auth::Role;
use serde_json::json;

use crate::common::{Client, House, chat, principal, settled, tokens_spent, traces};

const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";
const MESSAGES: &str = "/v1/messages";

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_with_the_reason() {
    let house = House::start(&[]).await;
    let client = house.client("ann").await;
    let deep = format!(
        r#"{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":{}}}]}}"#,
        "[".repeat(20_000)
    );
    let long_name = chat("Hi")
        .to_string()
        .replace("gpt-4o-mini", &"m".repeat(257));
    let twice =
        r#"{"model":"gpt-4o-mini","messages":[],"messages":[{"role":"user","content":"Hi"}]}"#;
    let bodies: &[(&str, &[u8])] = &[
        (CHAT, b""),
        (CHAT, b"{"),
        (CHAT, b"[]"),
        (CHAT, b"null"),
        (CHAT, b"\"gpt-4o-mini\""),
        (CHAT, br#"{"model":"gpt-4o-mini"}"#),
        (CHAT, br#"{"messages":[]}"#),
        (CHAT, br#"{"model":7,"messages":[]}"#),
        (CHAT, br#"{"model":"","messages":[]}"#),
        (CHAT, br#"{"model":"gpt-4o-mini","messages":"Hi"}"#),
        (
            CHAT,
            br#"{"model":"gpt-4o-mini","messages":[{"content":"Hi"}]}"#,
        ),
        (
            CHAT,
            br#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":7.5}]}"#,
        ),
        (
            CHAT,
            br#"{"model":"gpt-4o-mini","messages":[],"max_tokens":-1}"#,
        ),
        (
            CHAT,
            br#"{"model":"gpt-4o-mini","messages":[],"stream":"yes"}"#,
        ),
        (CHAT, br#"{"model":"gpt-4o-mini","messages":[]} and more"#),
        (
            CHAT,
            b"{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}",
        ),
        (CHAT, b"\xff\xfe{\0}\0"),
        // Of two that disagree, a guard could judge one and the model read the other.
        (CHAT, twice.as_bytes()),
        (
            CHAT,
            br#"{"model":"gpt-4o-mini","model":"gpt-4o","messages":[]}"#,
        ),
        (CHAT, deep.as_bytes()),
        (CHAT, long_name.as_bytes()),
        (EMBEDDINGS, br#"{"model":"text-embedding-3-small"}"#),
        (
            EMBEDDINGS,
            br#"{"model":"text-embedding-3-small","input":true}"#,
        ),
        (MESSAGES, br#"{"model":"claude-sonnet-4-5","messages":[]}"#),
        (MESSAGES, br#"{"model":"claude-sonnet-4-5","max_tokens":9}"#),
    ];
    for (path, body) in bodies {
        let reply = client.post_bytes(path, body.to_vec()).await;
        let code = if *path == MESSAGES {
            "invalid_request_error"
        } else {
            "invalid_request"
        };
        reply.refused(400, code);
    }
    assert_eq!(tokens_spent(&client).await, 0);
    for trace in traces(&client, bodies.len()).await {
        assert_eq!(trace["status"], "refused", "{trace}");
        assert_eq!(trace["reason"], "invalid_request", "{trace}");
    }
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_reached_by_its_own_api_alone() {
    let house = House::start(&[]).await;
    let client = house.client("ann").await;
    let hello = json!([{"role": "user", "content": "Hello"}]);
    for (path, body, code) in [
        (
            CHAT,
            json!({"model": "gpt-17", "messages": hello}),
            "model_not_found",
        ),
        (
            CHAT,
            json!({"model": "claude-sonnet-4-5", "messages": hello}),
            "model_not_found",
        ),
        (
            CHAT,
            json!({"model": "text-embedding-3-small", "messages": hello}),
            "model_not_found",
        ),
        (
            EMBEDDINGS,
            json!({"model": "gpt-4o-mini", "input": "Hello"}),
            "model_not_found",
        ),
        (
            MESSAGES,
            json!({"model": "gpt-4o", "messages": hello, "max_tokens": 9}),
            "not_found_error",
        ),
        (
            MESSAGES,
            json!({"model": "claude-0", "messages": hello, "max_tokens": 9}),
            "not_found_error",
        ),
    ] {
        client.post(path, &body).await.refused(404, code);
    }
    let problem = Request::post(CHAT)
        .header("accept", "application/problem+json")
        .body(
            json!({"model": "gpt-17", "messages": hello})
                .to_string()
                .into(),
        );
    client
        .send(problem.unwrap())
        .await
        .refused(404, "unknown_model");
    client.get("/v1/nowhere").await.refused(404, "not_found");
    client
        .post("/v1/responses", &chat("Hi"))
        .await
        .refused(404, "not_found");
    let reply = client.get(CHAT).await;
    reply.refused(405, "method_not_allowed");
    assert_eq!(reply.header("allow"), Some("POST"));
    assert_eq!(tokens_spent(&client).await, 0);
    traces(&client, 7).await;
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_however_it_comes() {
    let house = House::start(&[("server.body_bytes_max", "4096")]).await;
    let client = house.client("ann").await;
    let fits = |bytes: usize| {
        let empty = chat("").to_string();
        empty.replace(
            r#""content":"""#,
            &format!(r#""content":"{}""#, "a".repeat(bytes - empty.len())),
        )
    };
    client.post_bytes(CHAT, fits(4_096)).await.answered();
    // Declared, just over and far over (more than is read for nothing).
    for bytes in [4_097, 100_000, 4 << 20] {
        client
            .post_bytes(CHAT, fits(bytes))
            .await
            .refused(413, "request_too_large");
    }
    // In chunks, so that nobody knows how much will come.
    for bytes in [4_096, 4_097, 100_000] {
        let reply = client.send_body(in_chunks(CHAT, fits(bytes))).await;
        if bytes > 4_096 {
            reply.refused(413, "request_too_large");
        } else {
            reply.answered();
        }
    }
    let scopes = settled(&client).await;
    assert_eq!(scopes.len(), 3);
    traces(&client, 7).await;
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let house = House::start(&[("server.body_timeout_ms", "500")]).await;
    let client = house.client("ann").await;
    let never = futures_util::stream::pending::<Result<Frame<Bytes>, std::io::Error>>();
    let request = Request::post(CHAT).body(StreamBody::new(never).boxed_unsync());
    let reply = client.send_body(request.unwrap()).await;
    reply.refused(400, "invalid_request");
    assert!(reply.body.contains("did not arrive"), "{}", reply.body);
    assert_eq!(
        reply.header("connection"),
        Some("close"),
        "the rest may still come"
    );
    traces(&client, 1).await;
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_arrive_is_not_waited_for() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let house = House::start(&[("server.header_timeout_ms", "800")]).await;
    let mut stream = tokio::net::TcpStream::connect(house.gateway().address())
        .await
        .unwrap();
    stream
        .write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    ended.expect("the connection is closed").unwrap();
    house.client("ann").await.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_key_that_holds_sees_nothing() {
    let house = House::start(&[]).await;
    let client = house.client("ann").await;
    let elsewhere = House::start(&[]).await;
    let foreign = elsewhere.client("ann").await.key().to_owned();
    let revoked = house.client_of(principal("bob", Role::Owner)).await;
    let id = palisade::auth::ApiKey::parse(revoked.key()).unwrap().id();
    assert!(house.gateway().keys().revoke(id).await.unwrap());
    let key = client.key().to_owned();
    let mistyped = format!("{}x", &key[..key.len() - 1]);
    let bearer = |key: &str| ("authorization", format!("Bearer {key}"));
    let plain = |key: &str| ("x-api-key", key.to_owned());
    let wrong: Vec<Vec<(&str, String)>> = vec![
        vec![],
        vec![bearer("")],
        vec![bearer("sk-something")],
        vec![plain("sk-something")],
        vec![("authorization", key.clone())],
        vec![("authorization", format!("Basic {key}"))],
        vec![bearer(&mistyped)],
        vec![bearer(&foreign)],
        vec![bearer(revoked.key())],
        vec![bearer(&key), plain(&foreign)],
        vec![bearer(&foreign), plain(&key)],
        vec![bearer(&key), bearer(&foreign)],
        vec![bearer(&key), bearer(&key)],
        vec![plain(&key), plain(&foreign)],
        vec![bearer(&key), plain("é")],
        vec![bearer(&key), ("x-api-key", String::new())],
    ];
    let stranger = client.anonymous();
    for fields in &wrong {
        for (path, code) in [
            (CHAT, "invalid_api_key"),
            (EMBEDDINGS, "invalid_api_key"),
            (MESSAGES, "authentication_error"),
        ] {
            let reply = stranger
                .send(with(Request::post(path), fields, &chat("Hi").to_string()))
                .await;
            reply.refused(401, code);
            assert!(
                reply
                    .header("www-authenticate")
                    .is_some_and(|scheme| scheme.starts_with("Bearer"))
            );
            assert!(!reply.body.contains(&key) && !reply.body.contains(&foreign));
        }
        for (path, code) in [
            ("/v1/models", "invalid_api_key"),
            ("/v1/quota/status", "unauthenticated"),
            ("/v1/traces", "unauthenticated"),
            (
                "/v1/traces/00000000000000000000000000000001",
                "unauthenticated",
            ),
        ] {
            let reply = stranger.send(with(Request::get(path), fields, "")).await;
            assert_eq!(reply.status, 401, "{path} with {fields:?}: {}", reply.body);
            reply.refused(401, code);
        }
    }
    for fields in [
        vec![bearer(&key)],
        vec![plain(&key)],
        vec![bearer(&key), plain(&key)],
    ] {
        stranger
            .send(with(Request::post(CHAT), &fields, &chat("Hi").to_string()))
            .await
            .answered();
        assert_eq!(
            stranger
                .send(with(Request::get("/v1/models"), &fields, ""))
                .await
                .status,
            200
        );
    }
    // Nobody's requests are in nobody's list.
    traces(&client, 3).await;
    settled(&client).await;
}

fn with(request: http::request::Builder, fields: &[(&str, String)], body: &str) -> Request<Bytes> {
    let request = fields.iter().fold(request, |request, (name, value)| {
        request.header(
            *name,
            http::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        )
    });
    request
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

/// A request that does not say how long it is.
fn in_chunks(path: &str, body: String) -> Request<crate::common::Body> {
    let chunks: Vec<_> = body
        .as_bytes()
        .chunks(1_000)
        .map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk))))
        .collect();
    let body = StreamBody::new(futures_util::stream::iter(chunks)).boxed_unsync();
    Request::post(path).body(body).unwrap()
}

/// One connection, whatever is sent over it.
struct Connection(tokio::net::TcpStream);

impl Connection {
    async fn open(house: &House) -> Self {
        let address = house.gateway().address();
        Self(tokio::net::TcpStream::connect(address).await.unwrap())
    }

    /// Sends a request, the head and the body apart, as many clients do, and reads the answer, which ends in a brace.
    async fn ask(&mut self, head: &str, body: &str) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let length = body.len();
        let head = format!("{head} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
        self.0.write_all(head.as_bytes()).await.unwrap();
        self.0.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with('}') {
            let mut piece = [0; 4_096];
            let read = self.0.read(&mut piece).await.unwrap();
            assert_ne!(read, 0, "closed after {answer:?}");
            answer.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        }
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_takes_the_next_request_after_a_refusal() {
    let house = House::start(&[]).await;
    let mut connection = Connection::open(&house).await;
    for _ in 0..3 {
        let answer = connection
            .ask(&format!("POST {CHAT}"), &chat("Hello").to_string())
            .await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_finish_sending_what_was_refused() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let house = House::start(&[]).await;
    let Connection(mut stream) = Connection::open(&house).await;
    let bytes = 4 << 20;
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: {bytes}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // The refusal is there before a byte of the body is.
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close"),
        "{answer}"
    );
    // A connection that is closed under it would break, and take with it an answer that is not read yet.
    for _ in 0..64 {
        stream.write_all(&vec![b' '; bytes / 64]).await.unwrap();
    }
    let mut rest = Vec::new();
    assert_eq!(
        stream.read_to_end(&mut rest).await.unwrap(),
        0,
        "it ends, and without a reset"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_a_connection_waits_until_another_ends() {
    use futures_util::FutureExt as _;
    let house = House::start(&[("server.connections_max", "2")]).await;
    let mut first = Connection::open(&house).await;
    let mut second = Connection::open(&house).await;
    let mut third = Connection::open(&house).await;
    const HEALTH: &str = "GET /health";
    first.ask(HEALTH, "").await;
    second.ask(HEALTH, "").await;
    let mut waiting = tokio::spawn(async move { third.ask(HEALTH, "").await });
    for _ in 0..20 {
        second.ask(HEALTH, "").await;
        assert!(
            (&mut waiting).now_or_never().is_none(),
            "three were served at once"
        );
    }
    drop(first);
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200"));
    second.ask(HEALTH, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_to_be_asked_for_its_body_is_told_the_end() {
    let house = House::start(&[]).await;
    let client: Client = house.client("ann").await;
    let request = Request::post(CHAT)
        .header("expect", "100-continue")
        .body(Bytes::from(chat("Hello").to_string()))
        .unwrap();
    let reply = client.anonymous().send(request).await;
    reply.refused(401, "invalid_api_key");
    assert_eq!(reply.header("connection"), Some("close"));
}
