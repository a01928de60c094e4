//! Clients that go away, at every point.

use http::Request;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use crate::common::{Client, House, chat, counter, settled, tokens_spent, traces, until};

const PROMPT: &str = "Hello [mock pause_ms=2 reply=\"one two three\"]";

fn message(model: &str) -> Value {
    json!({"model": model, "max_tokens": 300, "messages": [{"role": "user", "content": PROMPT}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_hang_up_after_any_piece() {
    let house = House::start(&[]).await;
    for (user, path, model) in [
        ("ann", "/v1/chat/completions", "gpt-4o-mini"),
        ("bob", "/v1/messages", "claude-sonnet-4-5"),
    ] {
        let client = house.client(user).await;
        let mut whole = client.post_stream(path, message(model)).await;
        let mut pieces = 0;
        while whole.piece().await.is_some() {
            pieces += 1;
        }
        let known = tokens_spent(&client).await;
        assert!(pieces > 4 && known > 0, "{pieces} pieces, {known} tokens");
        for read in (0..=pieces).chain([usize::MAX]) {
            let mut streaming = client.post_stream(path, message(model)).await;
            for _ in 0..read {
                // Two events may come in one piece.
                if streaming.piece().await.is_none() {
                    break;
                }
            }
            drop(streaming);
        }
        settled(&client).await;
        let traces = traces(&client, pieces + 3).await;
        for trace in &traces {
            assert!(
                ["ok", "abandoned"].contains(&trace["status"].as_str().unwrap()),
                "{trace}"
            );
        }
        assert_eq!(
            traces[0]["status"], "ok",
            "the last one was read to its end"
        );
        let abandoned = traces
            .iter()
            .filter(|trace| trace["status"] == "abandoned")
            .count();
        assert!(abandoned > 0, "nobody hung up in time");
        // What an abandoned answer cost is not known, so it is what was reserved: at least the output that was asked for.
        // But those who went at the very end had let the usage pass.
        let unknown = i128::try_from(abandoned).unwrap() - 3;
        let spent = tokens_spent(&client).await;
        assert!(
            unknown > 0 && spent >= 300 * unknown,
            "{spent} for {abandoned} abandoned answers"
        );
        client.chat("Hello").await.answered();
        assert_eq!(counter(&client, "palisade_settlements_lost", "").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_go_before_there_is_an_answer() {
    let house = House::start(&[
        ("resilience.backoff_base_ms", "60000"),
        ("resilience.backoff_max_ms", "60000"),
    ])
    .await;
    let client = house.client("ann").await;
    // In the middle of an attempt, and between two.
    for prompt in ["Hello [mock latency_ms=100000]", "Hello [mock status=503]"] {
        let alone = Client::new(house.gateway().address(), client.key());
        let body = Full::from(chat(prompt).to_string()).map_err(|never| match never {});
        let request = Request::post("/v1/chat/completions")
            .body(body.boxed_unsync())
            .unwrap();
        let asking = tokio::spawn(async move { alone.begin(request).await.map(drop) });
        // The hold shows that the request is under way.
        until("something is held", || async {
            let status = client.get("/v1/quota/status").await.json();
            (status["scopes"][2]["held"]["tokens"] != 0).then_some(())
        })
        .await;
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        settled(&client).await;
    }
    for trace in traces(&client, 2).await {
        assert_eq!(trace["status"], "abandoned", "{trace}");
    }
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_go_without_reading_its_document() {
    let house = House::start(&[]).await;
    let client = house.client("ann").await;
    for _ in 0..10 {
        let alone = Client::new(house.gateway().address(), client.key());
        let body = Full::from(chat("Hello").to_string()).map_err(|never| match never {});
        let request = Request::post("/v1/chat/completions")
            .body(body.boxed_unsync())
            .unwrap();
        drop(alone.begin(request).await.unwrap());
    }
    settled(&client).await;
    traces(&client, 10).await;
    client.chat("Hello").await.answered();
}
