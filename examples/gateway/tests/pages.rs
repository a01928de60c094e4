//! The pages for those who ask what happened: who sees what, page by page, and what the counters do not tell.

mod common;

use std::collections::BTreeSet;

use common::{Client, House, chat, counter, principal, settled, tokens_spent, traces, until};
use palisade::{
    auth::{Principal, Role},
    core::Timestamp,
    cost::{CostLedger as _, GroupBy, ReportQuery},
};
use serde_json::{Value, json};

fn of_org(org: &str, user: &str, role: Role) -> Principal {
    Principal::new(org, role)
        .and_then(|principal| principal.with_project("web"))
        .and_then(|principal| principal.with_user(user))
        .unwrap()
}

async fn ids(client: &Client, count: usize) -> BTreeSet<String> {
    let traces = traces(client, count).await;
    let id = |trace: &Value| trace["id"].as_str().unwrap().to_owned();
    traces.iter().map(id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_their_own_traces_and_administrators_those_of_their_organisation() {
    let house = House::start(&[]).await;
    let mut clients = Vec::new();
    for (org, user, role) in [
        ("acme", "ann", Role::Viewer),
        ("acme", "bob", Role::Developer),
        ("acme", "ada", Role::Admin),
        // The same name elsewhere is somebody else.
        ("umbrella", "ann", Role::Viewer),
        ("umbrella", "olga", Role::Owner),
    ] {
        clients.push(house.client_of(of_org(org, user, role)).await);
    }
    // Keys that belong to nobody in particular, in the same project.
    for _ in 0..2 {
        let service = Principal::new("acme", Role::Developer)
            .and_then(|principal| principal.with_project("web"));
        clients.push(house.client_of(service.unwrap()).await);
    }
    let mut own = Vec::new();
    for client in &clients {
        own.push(client.chat("Hello").await.trace().to_owned());
    }
    let acme: Vec<&String> = [0, 1, 2, 5, 6].iter().map(|index| &own[*index]).collect();
    let umbrella: Vec<&String> = own[3..5].iter().collect();
    for (index, client) in clients.iter().enumerate() {
        let visible: BTreeSet<String> = match index {
            2 => acme.iter().map(|id| (*id).clone()).collect(),
            4 => umbrella.iter().map(|id| (*id).clone()).collect(),
            _ => [own[index].clone()].into(),
        };
        assert_eq!(ids(client, visible.len()).await, visible, "client {index}");
        for id in &own {
            let reply = client.get(&format!("/v1/traces/{id}")).await;
            if visible.contains(id) {
                assert_eq!(reply.status, 200, "{}", reply.body);
                assert!(
                    !reply.body.contains("Hello"),
                    "a trace holds no text: {}",
                    reply.body
                );
                assert!(!reply.body.contains(client.key()));
            } else {
                // Just as if it were not there at all.
                let nowhere = client
                    .get("/v1/traces/0123456789abcdef0123456789abcdef")
                    .await;
                reply.refused(404, "not_found");
                assert_eq!(reply.body, nowhere.body);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_turned_page_by_page_and_nothing_is_missed_or_shown_twice() {
    let house = House::start(&[]).await;
    let client = house.client("ann").await;
    let mut asked = BTreeSet::new();
    for number in 0..23 {
        let reply = if number % 5 == 0 {
            client
                .post(
                    "/v1/chat/completions",
                    &json!({"model": "none", "messages": []}),
                )
                .await
        } else {
            client.chat("Hello").await
        };
        asked.insert(reply.trace().to_owned());
    }
    let all = ids(&client, 23).await;
    assert_eq!(all, asked);
    for limit in [1, 7, 22, 23, 24] {
        let mut seen = Vec::new();
        let mut path = format!("/v1/traces?limit={limit}");
        loop {
            let page = client.get(&path).await.json();
            let items = page["traces"].as_array().unwrap();
            assert!(items.len() <= limit);
            seen.extend(
                items
                    .iter()
                    .map(|trace| trace["id"].as_str().unwrap().to_owned()),
            );
            let Some(next) = page["next"].as_str() else {
                break;
            };
            assert_eq!(items.len(), limit, "only the last page is shorter");
            path = format!("/v1/traces?limit={limit}&after={next}");
        }
        assert_eq!(seen.len(), 23, "{limit} a page");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), asked);
    }
    let refused = client
        .get("/v1/traces?limit=500&status=refused")
        .await
        .json();
    assert_eq!(refused["traces"].as_array().unwrap().len(), 5);
    for query in [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=x",
        "after=x",
        "status=well",
        "org=acme",
    ] {
        client
            .get(&format!("/v1/traces?{query}"))
            .await
            .refused(400, "invalid_request");
    }
    client
        .get("/v1/traces/not-an-id")
        .await
        .refused(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_strange_names_add_no_series() {
    let house = House::start(&[]).await;
    let client = house.client("ann").await;
    client.chat("Hello").await.answered();
    client.chat_stream("Hello").await.answered();
    client
        .post(
            "/v1/chat/completions",
            &json!({"model": "none-of-these", "messages": []}),
        )
        .await;
    client.anonymous().chat("Hello").await;
    let series = |page: &str| -> BTreeSet<String> {
        page.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect()
    };
    let before = series(&client.get("/metrics").await.body);
    for number in 0..1_000 {
        let mut body = chat("Hello");
        body["model"] = format!("model-{number}").into();
        body["user"] = format!("user-{number}").into();
        let reply = match number % 2 {
            0 => client.post("/v1/chat/completions", &body).await,
            _ => client.post(&format!("/v1/chat/{number}"), &body).await,
        };
        assert_eq!(reply.status, 404);
    }
    for number in 0..20 {
        let user = house
            .client_of(principal(&format!("user-{number}"), Role::Viewer))
            .await;
        user.chat("Hello").await.answered();
    }
    let page = client.get("/metrics").await;
    assert_eq!(page.status, 200);
    let after = series(&page.body);
    let new: Vec<_> = after.difference(&before).collect();
    assert!(new.is_empty(), "{new:?}");
    for stranger in [
        "model-",
        "user-",
        "none-of-these",
        "acme",
        "ann",
        client.key(),
    ] {
        assert!(!page.body.contains(stranger), "{stranger}");
    }
    assert_eq!(
        counter(&client, "palisade_requests_total", "unknown_model").await,
        501
    );
    assert_eq!(
        counter(&client, "palisade_requests_total", "unauthenticated").await,
        1
    );
    assert_eq!(
        counter(&client, "palisade_requests_total", "\"ok\"").await,
        22
    );
    assert_eq!(counter(&client, "palisade_model_calls_total", "").await, 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quota_page_tells_how_each_circle_stands_and_the_limit_holds() {
    let house = House::start(&[
        ("quota.user.tokens_per_day", "1000"),
        ("quota.project.tokens_per_day", "1500"),
    ])
    .await;
    let (ann, bob) = (house.client("ann").await, house.client("bob").await);
    let ask = |tokens: u64| {
        let mut body = chat("Hello");
        body["max_tokens"] = tokens.into();
        body
    };
    let path = "/v1/chat/completions";
    ann.post(path, &ask(2_000))
        .await
        .refused(429, "quota_too_small");
    assert_eq!(
        ann.post(path, &ask(2_000)).await.header("retry-after"),
        None
    );
    ann.post(path, &ask(900)).await.answered();
    let scopes = settled(&ann).await;
    let limits: Vec<_> = scopes
        .iter()
        .map(|scope| scope["limit"]["tokens"].as_u64().unwrap())
        .collect();
    assert_eq!(limits, [1_000_000, 1_500, 1_000]);
    // An answer of unknown cost is charged whole; then little is left for ann, and of the project for bob.
    ann.post(
        path,
        &json!({"model": "gpt-4o-mini", "max_tokens": 900, "messages": [
        {"role": "user", "content": "[mock no_usage=true]"}]}),
    )
    .await
    .answered();
    let refused = ann.post(path, &ask(900)).await;
    refused.refused(429, "quota_exhausted");
    assert!(refused.header("retry-after").is_some());
    assert!(
        refused.body.contains("user") && !refused.body.contains("ann"),
        "{}",
        refused.body
    );
    let refused = bob.post(path, &ask(900)).await;
    refused.refused(429, "quota_exhausted");
    assert!(refused.body.contains("project"), "{}", refused.body);
    bob.post(path, &ask(100)).await.answered();
    settled(&ann).await;
    settled(&bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_limited_whichever_key_they_use_and_others_are_not() {
    let house = House::start(&[("limits.requests_per_minute", "1"), ("limits.burst", "3")]).await;
    let (first, second) = (house.client("ann").await, house.client("ann").await);
    first.chat("Hello").await.answered();
    second.chat("Hello").await.answered();
    first.chat("Hello").await.answered();
    for client in [&first, &second] {
        let refused = client.chat("Hello").await;
        refused.refused(429, "rate_limit_exceeded");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    house.client("bob").await.chat("Hello").await.answered();
    settled(&first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_usage_log_the_ledger_and_the_traces_tell_the_same_sum() {
    let house = House::start(&[]).await;
    let client = house.client("ann").await;
    for prompt in [
        "Hello",
        "Hello [mock status=503 times=1 id=a]",
        "Hello [mock status=400]",
    ] {
        client.chat(prompt).await;
        client.chat_stream(prompt).await;
        let body = json!({
            "model": "claude-sonnet-4-5", "max_tokens": 50,
            "messages": [{"role": "user", "content": prompt}],
        });
        client.post("/v1/messages", &body).await;
    }
    let embedding = json!({"model": "text-embedding-3-small", "input": ["one", "two"]});
    assert_eq!(client.post("/v1/embeddings", &embedding).await.status, 200);
    let spent = tokens_spent(&client).await;
    assert!(spent > 0);
    let mut traced = 0;
    for trace in traces(&client, 10).await {
        let usage = &trace["usage"];
        traced +=
            usage["input_tokens"].as_i64().unwrap() + usage["output_tokens"].as_i64().unwrap();
    }
    assert_eq!(i128::from(traced), spent);
    let logged = until("seven calls are in the log", || async {
        let query = ReportQuery::new(Timestamp::MIN, Timestamp::MAX, GroupBy::Model);
        let report = house.gateway().store().report(query).await.unwrap();
        (report.total.calls >= 7).then_some(report)
    })
    .await;
    assert_eq!(
        logged.total.calls, 7,
        "a refusal of the provider is no call that costs"
    );
    assert_eq!(i128::from(logged.total.usage.total().unwrap().get()), spent);
    assert_eq!(logged.total.calls_of_unknown_cost, 0);
}
