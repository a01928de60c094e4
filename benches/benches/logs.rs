//! What does it cost a request that somebody writes down what happened and what was used?
//!
//! A trace with nine steps and a usage record, as the gateway makes them for each request, at a steady pace: what waits
//! for company costs by the company it finds, so a loop as fast as it goes would measure something else. Reported is the
//! CPU time of the threads of the store, of all of them and for one request; the recorder's own is on the thread of the
//! request and in `trace`.
//!
//! ```text
//! cargo bench -p palisade-benches --bench logs
//! ```

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use palisade::{
    core::{Clock as _, Key, ModelId, Money, SystemClock, Tokens, Usage},
    cost::{CostStatus, RecordId, UsageRecord},
    sqlite::{Sqlite, SqliteConfig},
    trace::{
        ActiveTrace, GuardDecision, GuardVerdict, LlmCall, Outcome, Recorder, RoutingDecision,
        TraceContext, TraceStatus,
    },
};

/// Requests a second.
const PACE: u64 = 4_000;
/// How often records are handed over.
const LINGER: Duration = Duration::from_millis(50);
const ORGANISATIONS: u64 = 20;

fn main() -> anyhow::Result<()> {
    // Without `--bench` only that it works.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let requests = if measured { 5 * PACE } else { PACE / 20 };
    for (what, traces, usage) in [
        ("traces", true, false),
        ("usage", false, true),
        ("both", true, true),
    ] {
        let (cpu, bytes) = run(requests, traces, usage)?;
        println!(
            "logs/{what:<8} {cpu:>6.2} µs of CPU and {bytes:>5} bytes of file for each request"
        );
    }
    Ok(())
}

/// The CPU time of the store's threads in microseconds, and the bytes of its file, for each request.
fn run(requests: u64, traces: bool, usage: bool) -> anyhow::Result<(f64, u64)> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("palisade.db");
    let sqlite = Sqlite::open(&file, SqliteConfig::default())?;
    let recorder = Recorder::new(sqlite.clone(), SystemClock);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let before = cpu_of_the_store()?;
    runtime.block_on(async {
        let began = now();
        let mut records = Vec::new();
        for made in 0..requests {
            while began.elapsed() < Duration::from_nanos(made * 1_000_000_000 / PACE) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let record = request(&recorder, traces, made)?;
            records.extend(usage.then_some(record));
            if records.len() as u128 * 1_000_000_000 / u128::from(PACE) >= LINGER.as_nanos() {
                sqlite.record_all(std::mem::take(&mut records)).await?;
            }
        }
        sqlite.record_all(records).await?;
        sqlite.flush_traces().await?;
        anyhow::Ok(())
    })?;
    let cpu = cpu_of_the_store()?.saturating_sub(before);
    runtime.block_on(sqlite.close());
    let bytes = fs::metadata(&file)?.len() / requests;
    Ok((cpu.as_secs_f64() * 1e6 / requests as f64, bytes))
}

/// What a request through every guard leaves behind.
fn request(recorder: &Recorder, traced: bool, number: u64) -> anyhow::Result<UsageRecord> {
    let organisation = number % ORGANISATIONS;
    let subject = format!("org=o{organisation}/project=default/user=dev/api_key=pzuaouze2mvu6c74");
    let subject = Key::parse(&subject)?;
    let model = ModelId::new("openai", "gpt-4o-mini")?;
    let usage = Usage::new(Tokens::new(140), Tokens::new(210));
    let cost = Money::from_nano_usd(14_700);
    let trace = if traced {
        recorder.start("POST /v1/chat/completions", None)
    } else {
        ActiveTrace::disabled()
    };
    let context = trace.context().cloned();
    let context = context.unwrap_or_else(|| TraceContext::random_at(SystemClock.now()));
    let id = format!("{}-{}-1", context.trace_id(), context.span_id());
    if trace.is_enabled() {
        trace.set_principal(subject.clone());
        let verdict = |name| GuardVerdict::new(name, GuardDecision::Allow);
        for guard in ["auth", "rate_limit", "quota_reserve"] {
            trace.begin(guard).finish(verdict(guard));
        }
        let scan = verdict("injection").with_score(0.0);
        trace.begin("scan").finish(scan);
        trace.begin("scan").finish(verdict("secrets"));
        let route = RoutingDecision::new(Some(model.clone()), "configured");
        trace.begin("route").finish(route);
        let call = LlmCall::new(model.clone(), 1, Outcome::Ok)
            .with_http_status(200)
            .with_usage(usage)
            .with_cost(cost)
            .with_ttft(Duration::from_nanos(277_654));
        trace.begin("llm_call").finish(call);
        for guard in ["quota_settle", "redact"] {
            trace.begin(guard).finish(verdict(guard));
        }
        trace.end(TraceStatus::Ok);
    }
    let record = UsageRecord::new(
        RecordId::new(&id)?,
        SystemClock.now(),
        subject,
        model,
        usage,
    );
    Ok(record.with_cost(Some(cost), CostStatus::Priced))
}

/// From the kernel's scheduler: of every thread but this one.
fn cpu_of_the_store() -> anyhow::Result<Duration> {
    let mut nanos = 0;
    for task in fs::read_dir("/proc/self/task").context("this bench needs Linux")? {
        let task = task?;
        // A thread may end between being listed and being read.
        let Ok(name) = fs::read_to_string(task.path().join("comm")) else {
            continue;
        };
        if name.starts_with("palisade-sqlite") {
            let stat = fs::read_to_string(task.path().join("schedstat"))?;
            let first = stat.split_whitespace().next().unwrap_or("0");
            nanos += first.parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(nanos))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a load generator measures with the real clock"
)]
fn now() -> Instant {
    Instant::now()
}
