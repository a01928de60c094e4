//! A store that is locked by another process, or full.

use std::process::Stdio;

use palisade::auth::{IssueRequest, Role};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};

use crate::common::{
    House, counter, principal, python, script, settled, tokens_spent, traces, until,
};

/// Another process that holds the lock of the file until it is told to let go.
struct Lock {
    process: Child,
    stdin: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

impl Lock {
    async fn hold(house: &House) -> Self {
        let mut process = tokio::process::Command::new(python())
            .arg(script("hold_lock.py"))
            .arg(house.file())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (stdin, stdout) = (
            process.stdin.take().unwrap(),
            process.stdout.take().unwrap(),
        );
        let mut said = BufReader::new(stdout).lines();
        assert_eq!(said.next_line().await.unwrap().as_deref(), Some("held"));
        Self {
            process,
            stdin,
            said,
        }
    }

    async fn let_go(mut self) {
        drop(self.stdin);
        assert_eq!(
            self.said.next_line().await.unwrap().as_deref(),
            Some("let go")
        );
        assert!(self.process.wait().await.unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_file_is_locked_requests_are_refused_and_then_they_pass() {
    let house = House::start(&[("store.busy_timeout_ms", "20")]).await;
    let client = house.client("ann").await;
    client.chat("Hello").await.answered();
    let before = tokens_spent(&client).await;
    let lock = Lock::hold(&house).await;
    for _ in 0..3 {
        client.chat("Hello").await.refused(503, "guard_unavailable");
    }
    let health = client.get("/health").await.json();
    assert_eq!(health["status"], "degraded", "{health}");
    lock.let_go().await;
    until("the service is healthy without a request", || async {
        let health = client.get("/health").await;
        (health.status == 200 && health.json()["status"] == "up").then_some(())
    })
    .await;
    client.chat("Hello").await.answered();
    assert_eq!(tokens_spent(&client).await, 2 * before);
    traces(&client, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_well_again_is_said_to_be_though_nobody_has_written() {
    let house = House::start(&[("store.busy_timeout_ms", "20")]).await;
    let client = house.client("ann").await;
    let lock = Lock::hold(&house).await;
    let key = IssueRequest::new(principal("bob", Role::Viewer));
    assert!(house.gateway().keys().issue(key).await.is_err());
    for _ in 0..3 {
        assert_eq!(client.get("/health").await.json()["status"], "degraded");
    }
    lock.let_go().await;
    until("it is said to be well", || async {
        (client.get("/health").await.json()["status"] == "up").then_some(())
    })
    .await;
    client.chat("Hello").await.answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_under_way_is_settled_when_the_lock_is_gone() {
    let house = House::start(&[("store.busy_timeout_ms", "20")]).await;
    let client = house.client("ann").await;
    let mut streaming = client.stream("Hello [mock pause_ms=5]").await;
    streaming.piece().await.unwrap();
    let lock = Lock::hold(&house).await;
    let reply = streaming.finish().await;
    reply.answered();
    let status = client.get("/v1/quota/status").await.json();
    assert_ne!(
        status["scopes"][2]["held"]["tokens"], 0,
        "nobody could have settled it"
    );
    lock.let_go().await;
    assert!(tokens_spent(&client).await > 0);
    traces(&client, 1).await;
    assert_eq!(counter(&client, "palisade_settlements_lost", "").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_fails_open_lets_pass_uncounted() {
    let house = House::start(&[
        ("store.busy_timeout_ms", "20"),
        ("quota.on_store_failure", "\"open\""),
    ])
    .await;
    let client = house.client("ann").await;
    let lock = Lock::hold(&house).await;
    client.chat("Hello").await.answered();
    lock.let_go().await;
    assert_eq!(tokens_spent(&client).await, 0);
    traces(&client, 1).await;
    assert_eq!(
        counter(&client, "palisade_guard_decisions_total", "unavailable").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_file_is_told_of_and_the_books_stay_right() {
    let house = House::start(&[("store.file_bytes_max", "262144")]).await;
    let client = house.client("ann").await;
    // The ledger of somebody known needs no room, so requests are counted and go on; their logs find none.
    let mut answered = 0;
    loop {
        let reply = client.chat("Hello").await;
        if reply.status != 200 {
            reply.refused(503, "guard_unavailable");
        }
        let health = client.get("/health").await;
        if health.status == 503 && health.json()["status"] == "down" {
            break;
        }
        answered += 1;
        assert!(answered < 5_000, "the file never fills");
    }
    // Reads go on, and the books are right.
    let scopes = client.get("/v1/quota/status").await.json();
    for scope in scopes["scopes"].as_array().unwrap() {
        let tokens = |part: &str| scope[part]["tokens"].as_i64().unwrap();
        assert_eq!(
            tokens("limit") + tokens("debt"),
            tokens("spent") + tokens("held") + tokens("free"),
            "{scope}"
        );
        assert!(tokens("spent") > 0);
    }
    assert_eq!(client.get("/v1/models").await.status, 200);
    let kept = client.get("/v1/traces?limit=500").await;
    assert!(!kept.json()["traces"].as_array().unwrap().is_empty());
    // With more room it goes on where it was.
    let key = client.key().to_owned();
    let house = house
        .stop()
        .await
        .start_with("store.file_bytes_max", None)
        .await;
    let client = house.client_with(&key);
    assert_eq!(client.get("/health").await.json()["status"], json!("up"));
    client.chat("Hello").await.answered();
    settled(&client).await;
}
