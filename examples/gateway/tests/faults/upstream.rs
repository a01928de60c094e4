//! Providers that fail, hang, break off, talk nonsense or are not there.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::{Client, House, settled, tokens_spent, traces, until};

/// Attempts that end soon.
const SHORT: &[(&str, &str)] = &[
    ("resilience.attempts", "2"),
    ("resilience.attempt_timeout_ms", "500"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_of_a_provider_has_its_answer_and_the_next_request_passes() {
    let house = House::start(SHORT).await;
    let client = house.client("ann").await;
    let cases = [
        ("status=500", 502, "upstream_unavailable"),
        ("status=502", 502, "upstream_unavailable"),
        ("status=503", 502, "upstream_unavailable"),
        ("status=529", 503, "upstream_overloaded"),
        ("status=429", 503, "upstream_overloaded"),
        // Our credentials and our money there: nothing the client did wrong.
        ("status=401", 502, "upstream_unavailable"),
        ("status=403", 502, "upstream_unavailable"),
        ("status=402", 503, "upstream_overloaded"),
        ("latency_ms=100000", 504, "upstream_timeout"),
    ];
    for (directive, status, code) in cases {
        for stream in [false, true] {
            let prompt = format!("Hello [mock {directive}]");
            let reply = if stream {
                client.chat_stream(&prompt).await
            } else {
                client.chat(&prompt).await
            };
            assert_eq!(reply.status, status, "{directive}: {}", reply.body);
            reply.refused(status, code);
            client.chat("Hello").await.answered();
        }
    }
    settled(&client).await;
    let traces = traces(&client, cases.len() * 4).await;
    let failed = traces
        .iter()
        .filter(|trace| trace["status"] == "failed")
        .count();
    assert_eq!(failed, cases.len() * 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_did_wrong_the_provider_says_itself_and_it_costs_nothing() {
    let house = House::start(SHORT).await;
    let client = house.client("ann").await;
    for status in [400, 404, 413, 422] {
        let reply = client.chat(&format!("Hello [mock status={status}]")).await;
        assert_eq!(reply.status, status, "{}", reply.body);
        assert_eq!(reply.json()["error"]["message"], "the mock fails as asked");
    }
    assert_eq!(tokens_spent(&client).await, 0);
    for trace in traces(&client, 4).await {
        assert_eq!(trace["status"], "refused");
        assert_eq!(trace["calls"], 1, "asking again would be answered alike");
    }
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_says_when_to_come_back_and_the_client_is_told() {
    let house = House::start(&[("resilience.attempts", "1")]).await;
    let client = house.client("ann").await;
    let reply = client.chat("Hello [mock status=429 retry_after=7]").await;
    reply.refused(503, "upstream_overloaded");
    assert_eq!(reply.header("retry-after"), Some("7"));
    settled(&client).await;
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flaky_provider_is_healed_and_charged_once() {
    let house = House::start(&[("resilience.attempts", "3")]).await;
    let client = house.client("ann").await;
    client.chat("Hello").await.answered();
    let once = tokens_spent(&client).await;
    let prompt =
        "Hello [mock status=503 times=2 id=a reply=\"This is the mock model. You asked: Hello\"]";
    let reply = client.chat(prompt).await;
    reply.answered();
    let usage = reply.json()["usage"]["total_tokens"].as_i64().unwrap();
    assert_eq!(tokens_spent(&client).await, once + i128::from(usage));
    assert_eq!(traces(&client, 2).await[0]["calls"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_all_attempts() {
    let house = House::start(&[
        ("resilience.attempts", "3"),
        ("resilience.attempt_timeout_ms", "60000"),
        ("resilience.deadline_ms", "500"),
    ])
    .await;
    let client = house.client("ann").await;
    let reply = client.chat("Hello [mock latency_ms=100000]").await;
    reply.refused(504, "deadline_exceeded");
    settled(&client).await;
    assert_eq!(traces(&client, 1).await[0]["status"], "failed");
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_stream_is_never_a_whole_one() {
    let house = House::start(SHORT).await;
    let client = house.client("ann").await;
    let mut requests = 0;
    for cut in 1..6 {
        let mut body = json!({
            "max_tokens": 300, "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": format!("Hello [mock cut={cut} pause_ms=2]")}],
        });
        for (path, model) in [
            ("/v1/chat/completions", "gpt-4o-mini"),
            ("/v1/messages", "claude-sonnet-4-5"),
        ] {
            body["model"] = model.into();
            let reply = client.post_stream(path, body.clone()).await.finish().await;
            requests += 1;
            assert_eq!(reply.status, 200);
            assert!(reply.broke_off, "{}", reply.body);
            assert!(!reply.body.contains("[DONE]") && !reply.body.contains("message_stop"));
        }
    }
    // Silent in the middle: the same, after the longest silence.
    let reply = client.chat_stream("Hello [mock pause_ms=100000]").await;
    assert!(reply.broke_off);
    // What it cost is not known, so what was reserved is.
    assert!(tokens_spent(&client).await >= 300 * (requests + 1));
    for trace in traces(&client, usize::try_from(requests + 1).unwrap()).await {
        assert_eq!(
            (trace["status"].as_str(), trace["reason"].as_str()),
            (Some("failed"), Some("interrupted"))
        );
    }
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_event_does_not_take_the_rest_with_it() {
    let house = House::start(SHORT).await;
    let client = house.client("ann").await;
    for at in [0, 1, 3, 100] {
        let prompt = format!("Hello [mock garbage={at} reply=\"one two three\"]");
        assert_eq!(
            client.chat_stream(&prompt).await.answered(),
            "one two three"
        );
    }
    // The usage after it was read: less than what was reserved.
    let spent = tokens_spent(&client).await;
    assert!(spent > 0 && spent < 300, "{spent}");
    traces(&client, 4).await;
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_usage_costs_what_was_reserved() {
    let house = House::start(SHORT).await;
    let client = house.client("ann").await;
    client.chat("Hello [mock no_usage=true]").await.answered();
    let whole = tokens_spent(&client).await;
    assert!(whole >= 300, "{whole}");
    client
        .chat_stream("Hello [mock no_usage=true]")
        .await
        .answered();
    assert_eq!(tokens_spent(&client).await, 2 * whole);
    traces(&client, 2).await;
}

/// A provider of raw bytes: answers every connection with them, and closes it.
async fn provider_of(answer: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"}") {
                    let mut piece = [0; 4_096];
                    match stream.read(&mut piece).await {
                        Ok(read @ 1..) => request.extend_from_slice(&piece[..read]),
                        _ => return,
                    }
                }
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    format!("http://{address}")
}

fn models(base_url: &str) -> String {
    format!(
        "[[provider]]\nname = \"mock\"\nkind = \"mock\"\n\
         [[provider]]\nname = \"raw\"\nkind = \"openai\"\nbase_url = \"{base_url}\"\n\
         [[model]]\nname = \"gpt-4o-mini\"\nprovider = \"mock\"\n\
         [[model]]\nname = \"raw\"\nprovider = \"raw\"\npriced_as = \"openai/gpt-4o-mini\"\n"
    )
}

async fn ask_raw(client: &Client) -> crate::common::Reply {
    let body = json!({"model": "raw", "max_tokens": 300, "messages": [{"role": "user", "content": "Hello"}]});
    client.post("/v1/chat/completions", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_not_there_costs_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let house = House::start_with(SHORT, &models(&format!("http://{address}/v1/"))).await;
    let client = house.client("ann").await;
    let reply = ask_raw(&client).await;
    reply.refused(502, "upstream_unavailable");
    assert!(!reply.body.contains(&address.to_string()), "{}", reply.body);
    assert_eq!(tokens_spent(&client).await, 0);
    assert_eq!(traces(&client, 1).await[0]["status"], "failed");
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_speak_http_is_a_failure_and_nothing_more() {
    for answer in [
        b"".as_slice(),
        b"220 smtp.example ready\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"id\":",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-le",
    ] {
        let house = House::start_with(SHORT, &models(&provider_of(answer).await)).await;
        let client = house.client("ann").await;
        ask_raw(&client).await.refused(502, "upstream_unavailable");
        settled(&client).await;
        assert_eq!(traces(&client, 1).await[0]["status"], "failed");
        client.chat("Hello").await.answered();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_judged_does_not_pass() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
        content-length: 4\r\n\r\n\x1f\x8b\x08\x00";
    let house = House::start_with(SHORT, &models(&provider_of(answer).await)).await;
    let client = house.client("ann").await;
    ask_raw(&client).await.refused(502, "upstream_unavailable");
    settled(&client).await;
    traces(&client, 1).await;
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_connection_to_the_provider_reaches_the_client() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\
        connection: x-hop, close\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\nproxy-authenticate: Basic\r\n\
        set-cookie: session=provider\r\nopenai-organization: org-of-ours\r\nx-request-id: req-7\r\n\r\n{}";
    let house = House::start_with(SHORT, &models(&provider_of(answer).await)).await;
    let client = house.client("ann").await;
    let reply = ask_raw(&client).await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (200, "{}"));
    for name in [
        "connection",
        "x-hop",
        "keep-alive",
        "proxy-authenticate",
        "set-cookie",
        "openai-organization",
    ] {
        assert_eq!(reply.header(name), None, "{name}");
    }
    assert_eq!(
        reply.header("x-request-id"),
        Some("req-7"),
        "support will ask for it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breaker_lets_pass_again_whatever_became_of_its_probe() {
    let house = House::start(&[
        ("resilience.attempts", "1"),
        ("resilience.attempt_timeout_ms", "500"),
        ("resilience.breaker_failures", "1"),
        ("resilience.breaker_open_ms", "1"),
    ])
    .await;
    let client = house.client("ann").await;
    // Each of these, as the one request that is let through to see.
    let probes = [
        "",
        "status=500",
        "status=400",
        "latency_ms=100000",
        "cut=2 pause_ms=2",
        "pause_ms=100000",
        "hang_up",
    ];
    for probe in probes {
        let opened = client.chat("Hello [mock status=500]").await;
        assert!([502, 503].contains(&opened.status.as_u16()));
        until(&format!("the probe {probe:?} is let through"), || async {
            let prompt = format!("Hello [mock {}]", probe.replace("hang_up", "pause_ms=20"));
            let mut streaming = client.stream(&prompt).await;
            if probe == "hang_up" {
                return (streaming.reply.status == 200).then_some(());
            }
            while streaming.piece().await.is_some() {}
            (streaming.reply.status != 503).then_some(())
        })
        .await;
        until(
            &format!("a good request passes after the probe {probe:?}"),
            || async { (client.chat("Hello").await.status == 200).then_some(()) },
        )
        .await;
    }
    until("good requests close the breaker", || async {
        client.chat("Hello").await;
        let health = client.get("/health").await;
        assert_eq!(health.status, 200, "{}", health.body);
        (health.json()["status"] == "up").then_some(())
    })
    .await;
    settled(&client).await;
}

/// Two models, the first with the second behind it.
const TWO_MODELS: &str = r#"
    [[provider]]
    name = "mock"
    kind = "mock"

    [[model]]
    name = "gpt-4o-mini"
    provider = "mock"
    api = "openai_chat"
    priced_as = "openai/gpt-4o-mini"
    fallback = ["gpt-4o"]

    [[model]]
    name = "gpt-4o"
    provider = "mock"
    api = "openai_chat"
    priced_as = "openai/gpt-4o"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn another_model_answers_when_the_one_that_was_asked_for_cannot() {
    let settings = &[("resilience.attempts", "1")];
    let house = House::start_with(settings, TWO_MODELS).await;
    let client = house.client("ann").await;
    let reply = client.chat("Hello [mock status=503 times=1 id=once]").await;
    reply.answered();
    assert_eq!(reply.json()["model"], "gpt-4o");
    // A fault of the client's is the same everywhere.
    let reply = client.chat("Hello [mock status=400 times=1 id=own]").await;
    assert_eq!(reply.status, 400);
    // If nobody can, the client is told, and the next one is served.
    let reply = client.chat("Hello [mock status=503]").await;
    reply.refused(502, "upstream_unavailable");
    client.chat("Hello").await.answered();
}

/// A provider that never answers its first connection and answers the others with these bytes, and the number of its
/// connections.
async fn silent_at_first(answer: String) -> (String, Arc<AtomicU32>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            if counter.fetch_add(1, Ordering::SeqCst) == 0 {
                silent.push(stream);
                continue;
            }
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"}") {
                    let mut piece = [0; 4_096];
                    match stream.read(&mut piece).await {
                        Ok(read @ 1..) => request.extend_from_slice(&piece[..read]),
                        _ => return,
                    }
                }
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (format!("http://{address}"), connections)
}

fn raw_answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_late_is_asked_for_once_more_and_the_first_one_counts() {
    let body = json!({
        "id": "1", "object": "chat.completion", "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Here"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
    });
    let (base_url, connections) = silent_at_first(raw_answer("200 OK", &body.to_string())).await;
    let settings = &[
        ("resilience.attempts", "1"),
        ("resilience.hedge_percentile", "90"),
        ("resilience.hedge_delay_min_ms", "20"),
        ("resilience.hedge_delay_max_ms", "20"),
    ];
    let house = House::start_with(settings, &models(&base_url)).await;
    let client = house.client("ann").await;
    let reply = ask_raw(&client).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.json()["choices"][0]["message"]["content"], "Here");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    settled(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_account_at_a_provider_is_asked_once() {
    let body = json!({"error": {"message": "no", "code": "insufficient_quota"}});
    let answer = raw_answer("429 Too Many Requests", &body.to_string());
    let (base_url, connections) = silent_at_first(answer).await;
    // Somebody else takes the first, silent connection.
    let address = base_url.trim_start_matches("http://").to_owned();
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let house = House::start_with(&[("resilience.attempts", "3")], &models(&base_url)).await;
    let client = house.client("ann").await;
    ask_raw(&client).await.refused(503, "upstream_overloaded");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    client.chat("Hello").await.answered();
}
