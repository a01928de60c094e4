//! The guards that are off by default, each where it can be seen.

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::Value;

use super::{
    client::{Client, Reply},
    scenarios::{
        Checked, Outcome, Scenario, expect_free, expect_guard, expect_refusal, expect_status,
        expect_trace, finish, scenario,
    },
};

/// Few places, a short queue, obedience, thrift, a second request and another model. One attempt each, so that what a guard says
/// is seen, and breakers that stay out of it.
pub(super) const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
shutdown_grace_ms = 5000

[limits]
requests_per_minute = 100000
burst = 1000

[resilience]
attempts = 1
hedge_after_ms = 300
breaker_failures = 1000
breaker_calls_min = 1000

[load]
calls_max = 2
calls_waiting_max = 2
wait_ms = 5000
throttle = true
pushback = true

[[provider]]
name = "mock"
kind = "mock"

[[model]]
name = "narrow"
provider = "mock"
priced_as = "openai/gpt-4o-mini"

[[model]]
name = "strict"
provider = "mock"
priced_as = "openai/gpt-4o-mini"

[[model]]
name = "weary"
provider = "mock"
priced_as = "openai/gpt-4o-mini"

[[model]]
name = "moody"
provider = "mock"
priced_as = "openai/gpt-4o-mini"

[[model]]
name = "doomed"
provider = "mock"
priced_as = "openai/gpt-4o"
fallback = ["moody"]
"#;

pub(super) const ALL: &[Scenario] = &[
    scenario!("more at once than there are places", "frank", bulkhead),
    scenario!("told to come back: all obey", "grace", pushback),
    scenario!("refused again and again: throttled", "heidi", throttle),
    scenario!("late answer, hedged", "ivan", hedge),
    scenario!("dead model, answered by another", "judy", fallback),
];

/// A limit that learns from refusals, and breakers that see what is slow.
pub(super) const LEARNING: &str = r#"
[server]
listen = "127.0.0.1:0"
shutdown_grace_ms = 5000

[limits]
requests_per_minute = 100000
burst = 1000

[resilience]
attempts = 1
breaker_failures = 1000
breaker_failure_percent = 100
breaker_calls_min = 4
breaker_open_ms = 30000

[load]
adaptive = "aimd"
adaptive_from = 6
adaptive_max = 50
breaker_slow_ms = 400

[[provider]]
name = "mock"
kind = "mock"

[[model]]
name = "teaching"
provider = "mock"
priced_as = "openai/gpt-4o-mini"

[[model]]
name = "slow"
provider = "mock"
priced_as = "openai/gpt-4o-mini"
"#;

pub(super) const ALL_LEARNING: &[Scenario] = &[
    scenario!("overload teaches how many to send", "ken", adaptive),
    scenario!("a slow upstream opens the breaker", "lena", slow),
];

/// A bad day of the provider: every second attempt fails before it is sent.
pub(super) const BAD_DAY: &str = r#"
[server]
listen = "127.0.0.1:0"
shutdown_grace_ms = 5000

[resilience]
attempts = 10
retry_percent = 1000
backoff_base_ms = 10
backoff_max_ms = 50
breaker_failures = 1000
breaker_calls_min = 1000

[chaos]
fail_percent = 50
seed = 7

[[provider]]
name = "mock"
kind = "mock"

[[model]]
name = "shaken"
provider = "mock"
priced_as = "openai/gpt-4o-mini"
"#;

pub(super) const ALL_BAD_DAY: &[Scenario] = &[scenario!(
    "half of all attempts fail, and nobody hears of it",
    "mia",
    bad_day
)];

/// So many at once; those that were answered, and those that were not.
async fn at_once(
    client: &Client,
    model: &str,
    prompt: &str,
    calls: usize,
) -> anyhow::Result<(Vec<Reply>, Vec<Reply>)> {
    let requests = (0..calls).map(|_| client.chat(model, prompt, false));
    let replies: anyhow::Result<Vec<Reply>> = join_all(requests).await.into_iter().collect();
    Ok(replies?
        .into_iter()
        .partition(|reply| reply.status == StatusCode::OK))
}

/// How often the model was called for a reply.
fn calls(trace: &Value) -> u64 {
    trace["summary"]["calls"].as_u64().unwrap_or_default()
}

async fn bulkhead(client: &Client, outcome: &mut Outcome) -> Checked {
    let (answered, refused) = at_once(client, "narrow", "Six! [mock latency_ms=100]", 6).await?;
    let last = refused
        .last()
        .ok_or_else(|| anyhow::anyhow!("six found room in two places and a queue of two"))?;
    outcome.trace = client.trace(last).await?;
    outcome.said = format!(
        "{} answered (2 had waited), {} refused",
        answered.len(),
        refused.len()
    );
    anyhow::ensure!(answered.len() == 4, "{} were answered", answered.len());
    for reply in &refused {
        expect_refusal(
            reply,
            StatusCode::SERVICE_UNAVAILABLE,
            "upstream_overloaded",
        )?;
    }
    expect_guard(outcome, "bulkhead", "deny")?;
    expect_free(outcome)
}

async fn pushback(client: &Client, outcome: &mut Outcome) -> Checked {
    let told = client
        .chat(
            "strict",
            "Me first. [mock status=429 retry_after=20]",
            false,
        )
        .await?;
    // That the gateway's own account was too fast is no fault of the client.
    expect_refusal(
        &told,
        StatusCode::SERVICE_UNAVAILABLE,
        "upstream_overloaded",
    )?;
    let (answered, refused) = at_once(client, "strict", "And we?", 5).await?;
    anyhow::ensure!(answered.is_empty(), "{} were let through", answered.len());
    for reply in &refused {
        expect_status(reply, StatusCode::SERVICE_UNAVAILABLE)?;
        let wait = reply.retry_after.unwrap_or(0);
        anyhow::ensure!(wait >= 20, "to be back after {wait} s, which is too soon");
        let trace = client.trace(reply).await?;
        anyhow::ensure!(calls(&trace) == 0, "the provider was asked all the same");
        outcome.said = format!("1 told 20 s, 5 not sent: retry after {wait} s");
        outcome.trace = trace;
    }
    expect_guard(outcome, "gate", "deny")?;
    expect_free(outcome)
}

async fn throttle(client: &Client, outcome: &mut Outcome) -> Checked {
    let (mut sent, mut spared) = (0, 0);
    for _ in 0..40 {
        let prompt = "Not now? [mock status=503]";
        let reply = client.chat("weary", prompt, false).await?;
        let trace = client.trace(&reply).await?;
        if calls(&trace) == 0 {
            spared += 1;
            outcome.trace = trace;
        } else {
            sent += 1;
        }
    }
    outcome.said = format!("{sent} sent and refused, {spared} spared it");
    anyhow::ensure!(spared > 20, "only {spared} of 40 were kept at home");
    expect_guard(outcome, "throttle", "deny")?;
    expect_free(outcome)
}

async fn hedge(client: &Client, outcome: &mut Outcome) -> Checked {
    let prompt = "Hurry. [mock latency_ms=20000 late=1 id=demo-late]";
    let reply = client.chat("moody", prompt, false).await?;
    finish(client, &reply, outcome, "answered by the second request").await?;
    expect_status(&reply, StatusCode::OK)?;
    let took = outcome.trace["summary"]["duration_ns"]
        .as_u64()
        .unwrap_or(0);
    anyhow::ensure!(took < 10_000_000_000, "it waited for the first");
    expect_trace(outcome, "ok")
}

async fn fallback(client: &Client, outcome: &mut Outcome) -> Checked {
    let prompt = "Anybody? [mock status=500 times=1 id=demo-doomed]";
    let reply = client.chat("doomed", prompt, false).await?;
    finish(client, &reply, outcome, "answered by the second model").await?;
    expect_status(&reply, StatusCode::OK)?;
    anyhow::ensure!(reply.body.contains("moody"), "not by moody: {}", reply.body);
    let calls = calls(&outcome.trace);
    anyhow::ensure!(calls == 2, "{calls} models were asked instead of 2");
    expect_trace(outcome, "ok")
}

async fn bad_day(client: &Client, outcome: &mut Outcome) -> Checked {
    let (mut asked, mut failed) = (0, 0);
    for _ in 0..10 {
        let reply = client.chat("shaken", "Still there?", false).await?;
        expect_status(&reply, StatusCode::OK)?;
        finish(client, &reply, outcome, "").await?;
        asked += 1;
        failed += calls(&outcome.trace).saturating_sub(1);
    }
    outcome.said = format!("{asked} answered, {failed} attempts failed on the way");
    anyhow::ensure!(failed > 0, "chance was kind ten times");
    expect_trace(outcome, "ok")
}

async fn adaptive(client: &Client, outcome: &mut Outcome) -> Checked {
    let prompt = "All together. [mock latency_ms=200]";
    let (before, _) = at_once(client, "teaching", prompt, 10).await?;
    for _ in 0..10 {
        let prompt = "Too much! [mock status=503]";
        client.chat("teaching", prompt, false).await?;
    }
    let (after, refused) = at_once(client, "teaching", prompt, 10).await?;
    outcome.said = format!(
        "{} at once, and after 10 refusals {}",
        before.len(),
        after.len()
    );
    let last = refused
        .last()
        .ok_or_else(|| anyhow::anyhow!("nobody was refused"))?;
    outcome.trace = client.trace(last).await?;
    anyhow::ensure!(before.len() == 6, "{} at once, not 6", before.len());
    anyhow::ensure!(
        after.len() < 3,
        "nothing was learnt: {} at once",
        after.len()
    );
    expect_guard(outcome, "adaptive_limit", "deny")?;
    expect_free(outcome)
}

async fn slow(client: &Client, outcome: &mut Outcome) -> Checked {
    let (answered, _) = at_once(client, "slow", "Slowly. [mock latency_ms=600]", 4).await?;
    anyhow::ensure!(answered.len() == 4, "{} were answered", answered.len());
    let reply = client.chat("slow", "One more?", false).await?;
    finish(client, &reply, outcome, "").await?;
    let wait = reply.retry_after.unwrap_or(0);
    outcome.said = format!("4 answered slowly, then {wait} s of rest");
    expect_refusal(&reply, StatusCode::SERVICE_UNAVAILABLE, "circuit_open")?;
    expect_free(outcome)
}
