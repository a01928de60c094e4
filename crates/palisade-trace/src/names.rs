//! The names of OpenTelemetry's semantic conventions for generative AI.
//!
//! All of them are at stability *Development*, and two generations are in use: the last one published with the general
//! conventions ([`Generation::V1_41`]) and the one that has its own repository since and keeps renaming
//! ([`Generation::Latest`]; `OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental` asks for it). What the conventions
//! have no name for (cost, routing, verdicts) stands under `palisade.`.

use std::borrow::Cow;

use crate::{GuardVerdict, LlmCall, Outcome, RoutingDecision, Step, StepKind, ToolCall};

/// `chat`, `embeddings`, `execute_tool`, …
pub const OPERATION_NAME: &str = "gen_ai.operation.name";
/// `openai`, `anthropic`, `aws.bedrock`, …
pub const PROVIDER_NAME: &str = "gen_ai.provider.name";
/// The model that was asked for.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// Whether a stream was asked for.
pub const REQUEST_STREAM: &str = "gen_ai.request.stream";
/// The model that answered.
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
/// The provider's id of the reply.
pub const RESPONSE_ID: &str = "gen_ai.response.id";
/// Why the model stopped.
pub const RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Seconds until the first chunk.
pub const RESPONSE_TIME_TO_FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
/// The conversation; never invented.
pub const CONVERSATION_ID: &str = "gen_ai.conversation.id";
/// Everything read, cached or not.
pub const USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Everything written, reasoning included.
pub const USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// Of the input: read from a cache.
pub const USAGE_CACHE_READ_INPUT_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
/// Of the output: reasoning.
pub const USAGE_REASONING_OUTPUT_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";
/// The tool's name.
pub const TOOL_NAME: &str = "gen_ai.tool.name";
/// Input or output, of the older token histogram.
pub const TOKEN_TYPE: &str = "gen_ai.token.type";
/// Text, image, audio or unknown, of the newer token counters.
pub const TOKEN_MODALITY: &str = "gen_ai.token.modality";
/// What kind of error; of the general conventions.
pub const ERROR_TYPE: &str = "error.type";
/// The status of the HTTP reply; of the general conventions.
pub const HTTP_STATUS: &str = "http.response.status_code";

/// What it cost in US dollars, as decimal text: a number would become a float on the way.
pub const COST_USD: &str = "palisade.cost.usd";
/// Which attempt; the first is 1.
pub const ATTEMPT: &str = "palisade.attempt";
/// Which guard-rail.
pub const GUARD_NAME: &str = "palisade.guard.name";
/// What it decided.
pub const GUARD_DECISION: &str = "palisade.guard.decision";
/// How sure it was.
pub const GUARD_SCORE: &str = "palisade.guard.score";
/// How many findings it had.
pub const GUARD_FINDINGS: &str = "palisade.guard.findings";
/// The models that could have been called.
pub const ROUTING_CANDIDATES: &str = "palisade.routing.candidates";
/// The model that was chosen.
pub const ROUTING_CHOSEN: &str = "palisade.routing.chosen";
/// Why it was chosen.
pub const ROUTING_REASON: &str = "palisade.routing.reason";
/// How many steps did not fit into the trace.
pub const STEPS_DROPPED: &str = "palisade.steps_dropped";

/// Which generation of names to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Generation {
    /// Semantic conventions 1.41.0, the last published ones.
    #[default]
    V1_41,
    /// The conventions in their own repository, as of November 2026.
    Latest,
}

impl Generation {
    /// The generation that the value of `OTEL_SEMCONV_STABILITY_OPT_IN`, a list with commas, asks for.
    #[must_use]
    pub fn from_opt_in(value: &str) -> Self {
        let latest = |part: &str| part.trim() == "gen_ai_latest_experimental";
        if value.split(',').any(latest) {
            Self::Latest
        } else {
            Self::V1_41
        }
    }

    /// Of the input: written to a cache.
    #[must_use]
    pub const fn usage_cache_write_input_tokens(self) -> &'static str {
        match self {
            Self::V1_41 => "gen_ai.usage.cache_creation.input_tokens",
            Self::Latest => "gen_ai.usage.cache_write.input_tokens",
        }
    }

    /// The histogram of how long calls take, in seconds.
    #[must_use]
    pub const fn metric_duration(self) -> &'static str {
        match self {
            Self::V1_41 => "gen_ai.client.operation.duration",
            Self::Latest => "gen_ai.client.inference.duration",
        }
    }

    /// The histogram of how long first chunks take, in seconds.
    #[must_use]
    pub const fn metric_time_to_first_chunk(self) -> &'static str {
        match self {
            Self::V1_41 => "gen_ai.client.operation.time_to_first_chunk",
            Self::Latest => "gen_ai.client.inference.time_to_first_chunk",
        }
    }

    /// The histogram of input tokens of a call. In the older generation one histogram holds both kinds, and
    /// [`TOKEN_TYPE`] tells them apart.
    #[must_use]
    pub const fn metric_input_tokens(self) -> &'static str {
        match self {
            Self::V1_41 => "gen_ai.client.token.usage",
            Self::Latest => "gen_ai.client.inference.operation.input_tokens",
        }
    }

    /// The histogram of output tokens of a call; see [`metric_input_tokens`](Self::metric_input_tokens).
    #[must_use]
    pub const fn metric_output_tokens(self) -> &'static str {
        match self {
            Self::V1_41 => "gen_ai.client.token.usage",
            Self::Latest => "gen_ai.client.inference.operation.output_tokens",
        }
    }
}

/// Upper edges of the duration histograms, in seconds.
pub const DURATION_BUCKETS_SECS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// Upper edges of the token histograms.
pub const TOKEN_BUCKETS: [u64; 14] = [
    1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
    67_108_864,
];

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A text.
    Text(Cow<'static, str>),
    /// Several texts.
    Texts(Vec<String>),
    /// A whole number.
    Int(i64),
    /// A measure. Never money.
    Float(f64),
}

/// One attribute of a span.
pub type Attribute = (&'static str, Value);

/// The name of the span of this step: `chat gpt-4o-mini`, `execute_tool search`, or the step's own name.
#[must_use]
pub fn span_name(step: &Step) -> Cow<'_, str> {
    match &step.kind {
        StepKind::LlmCall(call) => Cow::Owned(format!("chat {}", call.model.model())),
        StepKind::ToolCall(call) => Cow::Owned(format!("execute_tool {}", call.tool)),
        StepKind::GuardVerdict(_) | StepKind::RoutingDecision(_) | StepKind::Error(_) => {
            Cow::Borrowed(&step.name)
        }
    }
}

/// The attributes of the span of this step.
#[must_use]
pub fn attributes(step: &Step, generation: Generation) -> Vec<Attribute> {
    match &step.kind {
        StepKind::LlmCall(call) => llm_call(call, generation),
        StepKind::ToolCall(call) => tool_call(call),
        StepKind::GuardVerdict(verdict) => guard_verdict(verdict),
        StepKind::RoutingDecision(decision) => routing_decision(decision),
        StepKind::Error(error) => vec![(ERROR_TYPE, Value::Text(error.kind.clone()))],
    }
}

fn llm_call(call: &LlmCall, generation: Generation) -> Vec<Attribute> {
    let mut attributes = vec![
        (OPERATION_NAME, Value::Text("chat".into())),
        (PROVIDER_NAME, text(call.model.provider())),
        (REQUEST_MODEL, text(call.model.model())),
        (ATTEMPT, Value::Int(i64::from(call.attempt))),
    ];
    if let Some(usage) = &call.usage {
        let written = usage
            .cache_write_5m
            .get()
            .saturating_add(usage.cache_write_1h.get());
        attributes.extend([
            (USAGE_INPUT_TOKENS, int(usage.input.get())),
            (USAGE_OUTPUT_TOKENS, int(usage.output.get())),
        ]);
        // Subsets that a provider does not report stay out: a zero would say that there were none.
        let subsets = [
            (USAGE_CACHE_READ_INPUT_TOKENS, usage.cache_read.get()),
            (generation.usage_cache_write_input_tokens(), written),
            (USAGE_REASONING_OUTPUT_TOKENS, usage.reasoning.get()),
        ];
        let present = subsets.into_iter().filter(|(_, count)| *count > 0);
        attributes.extend(present.map(|(name, count)| (name, int(count))));
    }
    if let Some(ttft) = call.ttft {
        attributes.push((
            RESPONSE_TIME_TO_FIRST_CHUNK,
            Value::Float(ttft.as_secs_f64()),
        ));
    }
    if let Some(status) = call.http_status {
        attributes.push((HTTP_STATUS, Value::Int(i64::from(status))));
    }
    if let Some(cost) = call.cost {
        attributes.push((COST_USD, text(&cost.to_string())));
    }
    attributes.extend(outcome(&call.outcome));
    attributes
}

fn tool_call(call: &ToolCall) -> Vec<Attribute> {
    let mut attributes = vec![
        (OPERATION_NAME, Value::Text("execute_tool".into())),
        (TOOL_NAME, Value::Text(call.tool.clone())),
    ];
    attributes.extend(outcome(&call.outcome));
    attributes
}

fn guard_verdict(verdict: &GuardVerdict) -> Vec<Attribute> {
    let mut attributes = vec![
        (GUARD_NAME, Value::Text(verdict.guard.clone())),
        (
            GUARD_DECISION,
            Value::Text(verdict.decision.as_str().into()),
        ),
        (GUARD_FINDINGS, Value::Int(i64::from(verdict.findings))),
    ];
    attributes.extend(
        verdict
            .score
            .map(|score| (GUARD_SCORE, Value::Float(f64::from(score)))),
    );
    attributes
}

fn routing_decision(decision: &RoutingDecision) -> Vec<Attribute> {
    let candidates = decision.candidates.iter();
    let candidates = candidates
        .map(|candidate| candidate.model.to_string())
        .collect();
    let mut attributes = vec![
        (ROUTING_CANDIDATES, Value::Texts(candidates)),
        (ROUTING_REASON, Value::Text(decision.reason.clone())),
    ];
    let chosen = decision.chosen.as_ref();
    attributes.extend(chosen.map(|model| (ROUTING_CHOSEN, text(&model.to_string()))));
    attributes
}

fn outcome(outcome: &Outcome) -> Option<Attribute> {
    match outcome {
        Outcome::Ok => None,
        Outcome::Failed(kind) => Some((ERROR_TYPE, Value::Text(kind.clone()))),
        Outcome::Cancelled => Some((ERROR_TYPE, Value::Text("cancelled".into()))),
    }
}

fn text(text: &str) -> Value {
    Value::Text(Cow::Owned(text.to_owned()))
}

fn int(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
