//! What happened, how long, how well? What it costs a request to be traced.
//!
//! Beside it stands the OpenTelemetry SDK for Rust with an exporter that throws everything away, so that the two are
//! compared up to the point where spans would be sent. A trace here is one record with its steps in it; there it is a
//! span and its children, each with attributes.

use std::{hint::black_box, time::Duration};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use opentelemetry::{
    Context, KeyValue,
    trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter},
};
use palisade::{
    core::{Dimension, Key, ModelId, Money, SystemClock, Tokens, Usage},
    trace::{
        ActiveTrace, Counters, GuardDecision, GuardVerdict, InMemory, LlmCall, Losses, Outcome,
        Recorder, RollingStats, RoutingDecision, Trace, TraceContext, TraceSink, TraceStatus,
    },
};

const GUARDS: [&str; 6] = [
    "auth",
    "rate_limit",
    "quota",
    "injection",
    "secrets",
    "redact",
];
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Counts and throws away.
struct Nowhere(Counters);

impl TraceSink for Nowhere {
    fn record(&self, trace: Trace) {
        black_box(trace);
        self.0.accept();
    }

    fn losses(&self) -> Losses {
        self.0.losses()
    }
}

#[derive(Debug)]
struct NoExport;

impl SpanExporter for NoExport {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        black_box(batch);
        Ok(())
    }
}

fn peer() -> (SdkTracerProvider, SdkTracer) {
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(NoExport)
        .build();
    let tracer = provider.tracer("bench");
    (provider, tracer)
}

fn model() -> ModelId {
    ModelId::new("openai", "gpt-4o-mini").expect("a valid name")
}

/// Six verdicts, a route and a model call: what a request through every guard leaves behind.
fn eight_steps(trace: &ActiveTrace, principal: &Key, model: &ModelId) {
    trace.set_principal(principal.clone());
    for guard in GUARDS {
        trace
            .begin(guard)
            .finish(GuardVerdict::new(guard, GuardDecision::Allow).with_score(0.02));
    }
    trace
        .begin("route")
        .finish(RoutingDecision::new(Some(model.clone()), "configured"));
    let call = LlmCall::new(model.clone(), 1, Outcome::Ok)
        .with_http_status(200)
        .with_usage(Usage::new(Tokens::new(1_000), Tokens::new(200)))
        .with_cost(Money::from_nano_usd(270_000));
    trace.begin("llm_call").finish(call);
}

fn attributes(guard: &'static str, count: usize) -> impl Iterator<Item = KeyValue> {
    let all = [
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.provider.name", "openai"),
        KeyValue::new("gen_ai.request.model", "gpt-4o-mini"),
        KeyValue::new("gen_ai.usage.input_tokens", 1_000),
        KeyValue::new("gen_ai.usage.output_tokens", 200),
        KeyValue::new("http.response.status_code", 200),
        KeyValue::new("palisade.guard", guard),
        KeyValue::new("palisade.decision", "allow"),
        KeyValue::new("palisade.score", 0.02),
        KeyValue::new("palisade.attempt", 1),
    ];
    all.into_iter().skip(10 - count)
}

fn request(c: &mut Criterion) {
    let mut group = c.benchmark_group("trace/request_with_8_steps");
    let principal = Key::new(Dimension::Org, "acme").expect("a valid key");
    let model = model();

    let recorders = [
        (
            "palisade",
            Recorder::new(Nowhere(Counters::default()), SystemClock),
        ),
        (
            "palisade_kept_in_memory",
            Recorder::new(InMemory::new(64 << 20), SystemClock),
        ),
    ];
    for (name, recorder) in recorders {
        group.bench_function(name, |b| {
            b.iter(|| {
                let trace = recorder.start("chat", None);
                eight_steps(&trace, &principal, &model);
                trace.end(TraceStatus::Ok);
            });
        });
    }
    group.bench_function("palisade_off", |b| {
        b.iter(|| eight_steps(&black_box(ActiveTrace::disabled()), &principal, &model));
    });
    // The same facts as spans: four attributes for each verdict, ten for the call.
    let (_provider, tracer) = peer();
    group.bench_function("opentelemetry", |b| {
        b.iter(|| {
            let parent = Context::new().with_span(tracer.start("chat"));
            for guard in GUARDS.into_iter().chain(["route"]) {
                let mut span = tracer.start_with_context(guard, &parent);
                span.set_attributes(attributes(guard, 4));
                span.end();
            }
            let mut span = tracer.start_with_context("llm_call", &parent);
            span.set_attributes(attributes("llm_call", 10));
            span.end();
            parent.span().end();
        });
    });
    group.finish();
}

/// One thing that happened: a step here, a span with ten attributes there.
fn one_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("trace/one_step");
    let model = model();
    let call = || {
        LlmCall::new(model.clone(), 1, Outcome::Ok)
            .with_http_status(200)
            .with_usage(Usage::new(Tokens::new(1_000), Tokens::new(200)))
            .with_cost(Money::from_nano_usd(270_000))
    };
    let recorder = Recorder::new(Nowhere(Counters::default()), SystemClock);
    group.bench_function("palisade", |b| {
        b.iter_batched_ref(
            || recorder.start("chat", None),
            |trace| trace.begin("llm_call").finish(call()),
            BatchSize::SmallInput,
        );
    });
    let (_provider, tracer) = peer();
    group.bench_function("opentelemetry_10_attributes", |b| {
        b.iter(|| {
            let mut span = tracer.start("llm_call");
            span.set_attributes(attributes("llm_call", 10));
            span.end();
        });
    });
    group.finish();
}

fn context(c: &mut Criterion) {
    let mut group = c.benchmark_group("trace/context");
    group.bench_function("parse_traceparent", |b| {
        b.iter(|| TraceContext::parse(black_box(TRACEPARENT)));
    });
    let parent = TraceContext::parse(TRACEPARENT).expect("the example of the specification");
    group.bench_function("child_traceparent", |b| {
        b.iter(|| parent.child().traceparent());
    });
    group.finish();
}

/// p50, p95 and p99 of the last minute.
fn stats(c: &mut Criterion) {
    use palisade::core::Clock as _;
    let mut group = c.benchmark_group("trace/rolling_stats");
    let stats = RollingStats::new(Duration::from_secs(60));
    let took = Duration::from_millis(730);
    group.bench_function("record", |b| {
        b.iter(|| stats.record(black_box(took), true, SystemClock.instant()));
    });
    group.bench_function("snapshot", |b| {
        b.iter(|| stats.snapshot(SystemClock.instant()));
    });
    group.finish();
}

criterion_group!(benches, request, one_step, context, stats);
criterion_main!(benches);
