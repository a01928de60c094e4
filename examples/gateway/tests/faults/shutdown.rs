//! Stopping in the middle of everything.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use http::Request;
use http_body_util::{BodyExt as _, Full};

use crate::common::{Client, House, chat, settled, tokens_spent, traces};

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_under_way_ends_and_is_settled() {
    let house = House::start(&[("server.shutdown_grace_ms", "20000")]).await;
    let client = house.client("ann").await;
    let mut streaming = client.stream("Hello [mock pause_ms=10]").await;
    streaming.piece().await.unwrap();
    let (stopped, reply) = tokio::join!(house.stop(), streaming.finish());
    assert!(reply.body.trim_end().ends_with("[DONE]"), "{}", reply.body);
    let house = stopped.start().await;
    let client = house.client_with(client.key());
    let spent = tokens_spent(&client).await;
    assert!(
        spent > 0 && spent < 300,
        "{spent} is what it cost, not what was reserved"
    );
    assert_eq!(traces(&client, 1).await[0]["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_lasts_beyond_the_grace_is_cut_off_and_settled() {
    let house = House::start(&[("server.shutdown_grace_ms", "50")]).await;
    let client = house.client("ann").await;
    let mut streaming = client.stream("Hello [mock pause_ms=300]").await;
    streaming.piece().await.unwrap();
    let (stopped, reply) = tokio::join!(house.stop(), streaming.finish());
    assert!(reply.broke_off);
    let house = stopped.start().await;
    let client = house.client_with(client.key());
    let spent = tokens_spent(&client).await;
    assert!(
        spent >= 300,
        "{spent}: what was reserved, since nobody knows what it cost"
    );
    assert_eq!(traces(&client, 1).await[0]["status"], "abandoned");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_do_not_hold_it_up_and_new_ones_are_not_taken() {
    let house = House::start(&[("server.shutdown_grace_ms", "600000")]).await;
    let client = house.client("ann").await;
    client.chat("Hello").await.answered();
    let address = house.gateway().address();
    // Well before the grace is over, or the test never ends.
    let stopped = house.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    drop(stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_every_answer_that_was_given_is_in_the_books() {
    let house = House::start(&[("server.shutdown_grace_ms", "100")]).await;
    let client = house.client("ann").await;
    let address = house.gateway().address();
    let answered = AtomicUsize::new(0);
    let (first, first_seen) = tokio::sync::watch::channel(0);
    let load = join_all((0..16).map(|number| {
        let (answered, first) = (&answered, &first);
        let alone = Client::new(address, client.key());
        async move {
            let prompts = [
                "Hello",
                "Hello [mock pause_ms=1]",
                "Hello [mock latency_ms=5]",
                "Hello [mock pause_ms=400]",
            ];
            let mut body = chat(prompts[number % prompts.len()]);
            body["stream"] = (number % 2 == 1).into();
            loop {
                let bytes = Full::from(body.to_string()).map_err(|never| match never {});
                let request = Request::post("/v1/chat/completions")
                    .body(bytes.boxed_unsync())
                    .unwrap();
                // Once it is gone, there is no connection to be had.
                let Ok(response) = alone.begin(request).await else {
                    return;
                };
                assert_eq!(response.status(), 200);
                if response.into_body().collect().await.is_ok() {
                    answered.fetch_add(1, Ordering::Relaxed);
                    first.send_modify(|count| *count += 1);
                }
            }
        }
    }));
    let mut first_seen = first_seen;
    let stop = async {
        first_seen.wait_for(|count| *count >= 40).await.unwrap();
        house.stop().await
    };
    let (stopped, _) = tokio::join!(stop, load);
    let house = stopped.start().await;
    let client = house.client_with(client.key());
    settled(&client).await;
    let mut seen = 0;
    let mut page = client.get("/v1/traces?limit=500").await.json();
    loop {
        seen += page["traces"].as_array().unwrap().len();
        let Some(next) = page["next"].as_str() else {
            break;
        };
        page = client
            .get(&format!("/v1/traces?limit=500&after={next}"))
            .await
            .json();
    }
    let answered = answered.into_inner();
    assert!(seen >= answered, "{answered} answers, {seen} traces");
    client.chat("Hello").await.answered();
}
