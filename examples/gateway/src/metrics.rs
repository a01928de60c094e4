//! What the service counts, from its own traces, in Prometheus' text format.
//!
//! Label sets are bounded by construction: endpoints, guards, decisions and reasons are words of the program, models are
//! those of the configuration. No user, key or trace is ever a label.

use std::{borrow::Cow, sync::Arc};

use palisade::trace::{Losses, StepKind, Trace, TraceSink};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Endpoints beyond this many are counted as `other`: their names come from strangers.
const ENDPOINTS: [&str; 3] = [
    "POST /v1/chat/completions",
    "POST /v1/embeddings",
    "POST /v1/messages",
];

/// A word of the program, mostly.
type Word = Cow<'static, str>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    endpoint: &'static str,
    status: &'static str,
    reason: Word,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct GuardLabels {
    guard: Word,
    decision: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ModelLabels {
    provider: String,
    model: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StageLabels {
    stage: Word,
}

/// The counters. Cloning is cheap; clones count together.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    duration: Histogram,
    guards: Family<GuardLabels, Counter>,
    stages: Family<StageLabels, Histogram>,
    calls: Family<ModelLabels, Counter>,
    input_tokens: Family<ModelLabels, Counter>,
    output_tokens: Family<ModelLabels, Counter>,
    cost_nano_usd: Family<ModelLabels, Counter>,
    unpriced_calls: Counter,
    traces_lost: Gauge,
    settlements_waiting: Gauge,
    settlements_lost: Gauge,
    usage_records_lost: Gauge,
}

/// Numbers that are read when the page is, rather than counted as things happen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Readings {
    pub(crate) traces_lost: u64,
    pub(crate) settlements_waiting: u64,
    pub(crate) settlements_lost: u64,
    pub(crate) usage_records_lost: u64,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let seconds = || Histogram::new([0.0005, 0.002, 0.01, 0.05, 0.25, 1.0, 5.0, 20.0, 60.0]);
        let micros: fn() -> Histogram =
            || Histogram::new([2e-6, 1e-5, 5e-5, 2e-4, 1e-3, 5e-3, 2e-2, 1e-1, 1.0]);
        let mut inner = Inner {
            registry: Registry::with_prefix("palisade"),
            requests: Family::default(),
            duration: seconds(),
            guards: Family::default(),
            stages: Family::new_with_constructor(micros),
            calls: Family::default(),
            input_tokens: Family::default(),
            output_tokens: Family::default(),
            cost_nano_usd: Family::default(),
            unpriced_calls: Counter::default(),
            traces_lost: Gauge::default(),
            settlements_waiting: Gauge::default(),
            settlements_lost: Gauge::default(),
            usage_records_lost: Gauge::default(),
        };
        let registry = &mut inner.registry;
        registry.register(
            "requests",
            "Requests, by how they ended",
            inner.requests.clone(),
        );
        registry.register(
            "request_seconds",
            "From first byte to last",
            inner.duration.clone(),
        );
        registry.register(
            "guard_decisions",
            "What the guards said",
            inner.guards.clone(),
        );
        registry.register(
            "stage_seconds",
            "Time spent in each stage",
            inner.stages.clone(),
        );
        registry.register("model_calls", "Attempts, by model", inner.calls.clone());
        registry.register(
            "input_tokens",
            "Tokens read, by model",
            inner.input_tokens.clone(),
        );
        registry.register(
            "output_tokens",
            "Tokens written, by model",
            inner.output_tokens.clone(),
        );
        registry.register(
            "cost_nano_usd",
            "Nano-dollars spent, by model",
            inner.cost_nano_usd.clone(),
        );
        registry.register(
            "unpriced_calls",
            "Calls of unknown cost",
            inner.unpriced_calls.clone(),
        );
        registry.register(
            "traces_lost",
            "Traces not stored",
            inner.traces_lost.clone(),
        );
        let (waiting, lost) = (
            inner.settlements_waiting.clone(),
            inner.settlements_lost.clone(),
        );
        registry.register(
            "settlements_waiting",
            "Settlements not yet in the ledger",
            waiting,
        );
        registry.register("settlements_lost", "Settlements left to expire", lost);
        let lost = inner.usage_records_lost.clone();
        registry.register("usage_records_lost", "Usage records not stored", lost);
        Self(Arc::new(inner))
    }

    /// The page.
    pub(crate) fn render(&self, readings: Readings) -> String {
        let inner = &self.0;
        let set = |gauge: &Gauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        set(&inner.traces_lost, readings.traces_lost);
        set(&inner.settlements_waiting, readings.settlements_waiting);
        set(&inner.settlements_lost, readings.settlements_lost);
        set(&inner.usage_records_lost, readings.usage_records_lost);
        let mut page = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut page, &inner.registry);
        page
    }

    fn count(&self, trace: &Trace) {
        let inner = &self.0;
        let summary = &trace.summary;
        let endpoint = ENDPOINTS
            .into_iter()
            .find(|known| *known == summary.name)
            .unwrap_or("other");
        let reason = summary.reason.clone().unwrap_or_default();
        let status = summary.status.as_str();
        inner
            .requests
            .get_or_create(&RequestLabels {
                endpoint,
                status,
                reason,
            })
            .inc();
        inner.duration.observe(summary.duration.as_secs_f64());
        for step in &trace.steps {
            let stage = StageLabels {
                stage: step.name.clone(),
            };
            inner
                .stages
                .get_or_create(&stage)
                .observe(step.duration.as_secs_f64());
            match &step.kind {
                StepKind::GuardVerdict(verdict) => {
                    let guard = verdict.guard.clone();
                    let decision = verdict.decision.as_str();
                    inner
                        .guards
                        .get_or_create(&GuardLabels { guard, decision })
                        .inc();
                }
                StepKind::LlmCall(call) => {
                    let labels = ModelLabels {
                        provider: call.model.provider().to_owned(),
                        model: call.model.model().to_owned(),
                    };
                    inner.calls.get_or_create(&labels).inc();
                    if let Some(usage) = &call.usage {
                        inner
                            .input_tokens
                            .get_or_create(&labels)
                            .inc_by(usage.input.get());
                        inner
                            .output_tokens
                            .get_or_create(&labels)
                            .inc_by(usage.output.get());
                    }
                    match call.cost.and_then(|cost| cost.as_nano_usd_ceil().ok()) {
                        Some(nano) => {
                            let nano = u64::try_from(nano).unwrap_or(0);
                            inner.cost_nano_usd.get_or_create(&labels).inc_by(nano);
                        }
                        None => {
                            inner.unpriced_calls.inc();
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// Counts traces and passes them on.
pub(crate) struct Counting<S> {
    pub(crate) metrics: Metrics,
    pub(crate) sink: S,
}

impl<S: TraceSink> TraceSink for Counting<S> {
    fn record(&self, trace: Trace) {
        self.metrics.count(&trace);
        self.sink.record(trace);
    }

    fn losses(&self) -> Losses {
        self.sink.losses()
    }
}
