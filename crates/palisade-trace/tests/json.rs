//! Traces travel as JSON and come back the same.
#![cfg(feature = "serde")]

use std::time::Duration;

use palisade_core::{Dimension, Key, ModelId, Money, Timestamp, Tokens, Usage};
use palisade_trace::{
    Candidate, ErrorStep, GuardDecision, GuardVerdict, LlmCall, Outcome, RoutingDecision, SpanId,
    Step, Summary, ToolCall, Trace, TraceId, TraceStatus,
    names::{self, Generation, Value},
};

fn every_kind() -> Vec<Step> {
    let model = ModelId::new("anthropic", "claude").unwrap();
    let mut usage = Usage::new(Tokens::new(100), Tokens::new(20));
    usage.cache_write_5m = Tokens::new(7);
    usage.cache_write_1h = Tokens::new(3);
    let cost: Money = "0.000000000001".parse().unwrap();
    let candidate = Candidate::new(model.clone())
        .with_score(0.5)
        .with_cost(cost);
    vec![
        Step::new(
            "guard",
            GuardVerdict::new("quota", GuardDecision::Deny).with_score(0.25),
        ),
        Step::new(
            "route",
            RoutingDecision::new(Some(model.clone()), "cheap").with_candidates([candidate]),
        ),
        Step::new(
            "call",
            LlmCall::new(model.clone(), 2, Outcome::failed("timeout"))
                .with_usage(usage)
                .with_cost(cost)
                .with_http_status(504)
                .with_ttft(Duration::from_millis(250)),
        )
        .with_time(Duration::from_micros(1), Duration::from_nanos(1))
        .with_span(SpanId::random()),
        Step::new("call", LlmCall::new(model, 3, Outcome::Ok)),
        Step::new("tool", ToolCall::new("search", Outcome::Cancelled)),
        Step::new(
            "error",
            ErrorStep::new("kind", "a \"quoted\" \u{0} message"),
        ),
    ]
}

#[test]
fn a_trace_of_every_kind_of_step_reads_back_the_same() {
    let started = Timestamp::from_nanos(1_795_219_199_123_456_789);
    let mut summary = Summary::new(TraceId::random(), SpanId::random(), "chat", started);
    summary.principal = Key::new(Dimension::Org, "a/c=me").unwrap();
    summary.parent = Some(SpanId::random());
    summary.status = TraceStatus::Refused;
    summary.reason = Some("quota".into());
    let trace = Trace::new(summary, every_kind());
    let json = serde_json::to_string(&trace).unwrap();
    assert_eq!(serde_json::from_str::<Trace>(&json).unwrap(), trace);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["summary"]["status"], "refused");
    assert_eq!(value["steps"][2]["kind"]["type"], "llm_call");
    assert_eq!(value["steps"][2]["kind"]["cost"], "0.000000000001");
    assert_eq!(value["steps"][2]["kind"]["outcome"]["failed"], "timeout");
    assert_eq!(value["steps"][2]["duration_ns"], 1);
}

#[test]
fn a_call_has_the_attributes_that_open_telemetry_names() {
    let steps = every_kind();
    let find = |generation, name: &str| {
        let attributes = names::attributes(&steps[2], generation);
        attributes
            .into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    let text = |text: &str| Some(Value::Text(text.to_owned().into()));
    let generation = Generation::V1_41;
    assert_eq!(names::span_name(&steps[2]), "chat claude");
    assert_eq!(find(generation, "gen_ai.operation.name"), text("chat"));
    assert_eq!(find(generation, "gen_ai.provider.name"), text("anthropic"));
    assert_eq!(
        find(generation, "gen_ai.usage.input_tokens"),
        Some(Value::Int(100))
    );
    assert_eq!(find(generation, "error.type"), text("timeout"));
    assert_eq!(
        find(generation, "palisade.cost.usd"),
        text("0.000000000001")
    );
    assert_eq!(
        find(generation, "gen_ai.response.time_to_first_chunk"),
        Some(Value::Float(0.25))
    );
    let (old, new) = (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
    );
    assert_eq!(find(generation, old), Some(Value::Int(10)));
    assert_eq!(find(Generation::Latest, new), Some(Value::Int(10)));
    assert_eq!(find(Generation::Latest, old), None);
    // A count that nobody reported is not a zero.
    assert_eq!(
        find(generation, "gen_ai.usage.cache_read.input_tokens"),
        None
    );
}

#[test]
fn the_switch_of_open_telemetry_chooses_the_generation() {
    let generation = Generation::from_opt_in;
    assert_eq!(generation(""), Generation::V1_41);
    assert_eq!(generation("http,gen_ai"), Generation::V1_41);
    assert_eq!(
        generation("http, gen_ai_latest_experimental"),
        Generation::Latest
    );
}
