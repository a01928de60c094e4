//! What happened to a request: recorded on the way, looked up later.
//!
//! `cargo run -p palisade-examples --example trace`

use std::{error::Error, time::Duration};

use palisade::{
    core::{Clock as _, Dimension, Key, ManualClock, ModelId, Money, Tokens, Usage},
    trace::{
        GuardDecision, GuardVerdict, InMemory, LlmCall, Outcome, Recorder, RollingStats, Targets,
        TraceContext, TraceQuery, TraceSink as _, TraceStatus, TraceStore as _,
    },
};

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let kept = InMemory::new(64 << 20);
    let clock = ManualClock::default(); // a service takes a `SystemClock`
    let recorder = Recorder::new(kept.clone(), clock.clone());
    let stats = RollingStats::new(Duration::from_secs(300));
    let acme = Key::new(Dimension::Org, "acme")?;

    // The client sent a trace context: the request becomes a span of the client's trace.
    let parent = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")?;
    let trace = recorder.start("chat", Some(&parent));
    trace.set_principal(acme.clone());
    let step = trace.begin("scan");
    step.finish(GuardVerdict::new("injection", GuardDecision::Allow).with_score(0.02));
    let model = ModelId::new("openai", "gpt-4o-mini")?;
    for (attempt, milliseconds, outcome) in [
        (1, 40, Outcome::failed("overloaded")),
        (2, 730, Outcome::Ok),
    ] {
        let mut step = trace.begin("llm_call");
        // To be sent on to the provider.
        let traceparent = step.child_context().ok_or("the trace is on")?.traceparent();
        println!("attempt {attempt} goes out with traceparent: {traceparent}");
        clock.advance(Duration::from_millis(milliseconds));
        let mut call = LlmCall::new(model.clone(), attempt, outcome.clone());
        call = match outcome {
            Outcome::Ok => call
                .with_usage(Usage::new(Tokens::new(1_000), Tokens::new(200)))
                .with_cost("0.00027".parse::<Money>()?),
            _ => call.with_http_status(503).with_cost(Money::ZERO),
        };
        step.finish(call);
    }
    stats.record(trace.elapsed(), true, clock.instant());
    trace.end(TraceStatus::Ok);

    // A client that hangs up: nobody ends the trace, and it is kept all the same.
    let abandoned = recorder.start("chat", None);
    abandoned.set_principal(acme.clone());
    drop(abandoned);

    // Somebody asks. A question names whose traces it is about.
    let page = kept.list(&TraceQuery::new(acme.clone())).await?;
    for summary in &page.items {
        println!(
            "{} {:?} after {:?}: {} calls, {} USD",
            summary.name, summary.status, summary.duration, summary.calls, summary.cost
        );
    }
    assert_eq!(page.items.len(), 2);
    let traces = kept.get(parent.trace_id(), &acme).await?;
    for step in &traces[0].steps {
        println!("  {:>6?} + {:?} {}", step.started, step.duration, step.name);
    }
    assert_eq!(traces[0].steps.len(), 3);

    let snapshot = stats.snapshot(clock.instant());
    let targets = Targets::default().with_p95(Duration::from_secs(2));
    println!(
        "p95 {:?}, target met: {}",
        snapshot.p95,
        snapshot.meets(&targets)
    );
    println!(
        "{} traces accepted, {} lost",
        kept.losses().accepted(),
        kept.losses().total()
    );
    Ok(())
}
