use std::{borrow::Cow, time::Duration};

use palisade_core::{ModelId, Money, Usage};

use crate::SpanId;

/// One thing that happened during a request.
///
/// Steps hold facts (names, sizes, verdicts, times) and no text of prompts or replies.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Step {
    /// What it is called, of few different values.
    pub name: Cow<'static, str>,
    /// When it began, counted from the beginning of the trace.
    #[cfg_attr(feature = "serde", serde(rename = "started_ns", with = "nanos"))]
    pub started: Duration,
    /// How long it took.
    #[cfg_attr(feature = "serde", serde(rename = "duration_ns", with = "nanos"))]
    pub duration: Duration,
    /// Its span, if a trace context with it was sent on.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub span: Option<SpanId>,
    /// What it was.
    pub kind: StepKind,
}

impl Step {
    /// A step of `kind` that began and ended with the trace; [`with_time`](Self::with_time) says when it really was.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, kind: impl Into<StepKind>) -> Self {
        Self {
            name: name.into(),
            started: Duration::ZERO,
            duration: Duration::ZERO,
            span: None,
            kind: kind.into(),
        }
    }

    /// The same, begun `started` after the trace and lasting for `duration`.
    #[must_use]
    pub const fn with_time(mut self, started: Duration, duration: Duration) -> Self {
        self.started = started;
        self.duration = duration;
        self
    }

    /// The same with the span that was sent on.
    #[must_use]
    pub const fn with_span(mut self, span: SpanId) -> Self {
        self.span = Some(span);
        self
    }

    /// About how many bytes the step takes in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let model = |model: &ModelId| model.provider().len() + model.model().len();
        let kind = match &self.kind {
            StepKind::GuardVerdict(verdict) => verdict.guard.len(),
            StepKind::RoutingDecision(decision) => {
                let candidates: usize = decision
                    .candidates
                    .iter()
                    .map(|candidate| size_of::<Candidate>() + model(&candidate.model))
                    .sum();
                candidates + decision.chosen.as_ref().map_or(0, model) + decision.reason.len()
            }
            StepKind::LlmCall(call) => {
                size_of::<LlmCall>() + model(&call.model) + call.outcome.size_bytes()
            }
            StepKind::ToolCall(call) => call.tool.len() + call.outcome.size_bytes(),
            StepKind::Error(error) => error.kind.len() + error.message.len(),
        };
        size_of::<Self>() + self.name.len() + kind
    }

    /// Cuts every text to `max` bytes and every list to what a person can read.
    pub(crate) fn truncate(&mut self, max: usize) {
        truncate(&mut self.name, max);
        match &mut self.kind {
            StepKind::GuardVerdict(verdict) => truncate(&mut verdict.guard, max),
            StepKind::RoutingDecision(decision) => {
                decision
                    .candidates
                    .truncate(RoutingDecision::CANDIDATES_MAX);
                truncate(&mut decision.reason, max);
            }
            StepKind::LlmCall(call) => call.outcome.truncate(max),
            StepKind::ToolCall(call) => {
                truncate(&mut call.tool, max);
                call.outcome.truncate(max);
            }
            StepKind::Error(error) => {
                truncate(&mut error.kind, max);
                truncate(&mut error.message, max);
            }
        }
    }
}

/// What a [`Step`] was.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "type", rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum StepKind {
    /// A guard-rail looked at the request or the reply.
    GuardVerdict(GuardVerdict),
    /// A model was chosen.
    RoutingDecision(RoutingDecision),
    /// A model was called; one step an attempt. Boxed, because it is three times as large as the others, and most steps
    /// are others.
    LlmCall(Box<LlmCall>),
    /// A tool was called.
    ToolCall(ToolCall),
    /// Something went wrong outside of a call.
    Error(ErrorStep),
}

macro_rules! kind {
    ($($payload:ident => $variant:expr),*) => {
        $(impl From<$payload> for StepKind {
            fn from(payload: $payload) -> Self {
                $variant(payload)
            }
        })*
    };
}
kind!(
    GuardVerdict => Self::GuardVerdict,
    RoutingDecision => Self::RoutingDecision,
    LlmCall => |call| Self::LlmCall(Box::new(call)),
    ToolCall => Self::ToolCall,
    ErrorStep => Self::Error
);

/// What a guard-rail said.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct GuardVerdict {
    /// Which one, such as `quota` or `injection`.
    pub guard: Cow<'static, str>,
    /// What it decided.
    pub decision: GuardDecision,
    /// How sure it was, if it says so.
    pub score: Option<f32>,
    /// How many findings it had.
    pub findings: u32,
}

impl GuardVerdict {
    /// What `guard` decided.
    #[must_use]
    pub fn new(guard: impl Into<Cow<'static, str>>, decision: GuardDecision) -> Self {
        Self {
            guard: guard.into(),
            decision,
            score: None,
            findings: 0,
        }
    }

    /// The same with a score; one that is not a finite number is no score.
    #[must_use]
    pub fn with_score(mut self, score: f32) -> Self {
        self.score = score.is_finite().then_some(score);
        self
    }

    /// The same with a number of findings.
    #[must_use]
    pub const fn with_findings(mut self, findings: u32) -> Self {
        self.findings = findings;
        self
    }
}

/// What a guard-rail decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum GuardDecision {
    /// It let the request pass.
    Allow,
    /// It let the request pass and wants it looked at.
    Flag,
    /// It let the request pass with something taken out.
    Redact,
    /// It refused the request.
    Deny,
    /// It gave no answer; the host's policy decided.
    Unavailable,
}

impl GuardDecision {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Flag => "flag",
            Self::Redact => "redact",
            Self::Deny => "deny",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Which models could have been called, and which one was chosen.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RoutingDecision {
    /// What could have been chosen, the best first.
    pub candidates: Vec<Candidate>,
    /// What was chosen; nothing if no candidate would do.
    pub chosen: Option<ModelId>,
    /// Why, as a stable word or a short sentence: `budget below 20 %`.
    pub reason: Cow<'static, str>,
}

impl RoutingDecision {
    /// The most candidates a recorded trace keeps; the rest of the list is cut off.
    pub const CANDIDATES_MAX: usize = 32;

    /// The choice of `chosen` for `reason`.
    #[must_use]
    pub fn new(chosen: Option<ModelId>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            candidates: Vec::new(),
            chosen,
            reason: reason.into(),
        }
    }

    /// The same with what could have been chosen.
    #[must_use]
    pub fn with_candidates(mut self, candidates: impl IntoIterator<Item = Candidate>) -> Self {
        self.candidates = candidates.into_iter().collect();
        self
    }
}

/// A model that could have been called.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Candidate {
    /// The model.
    pub model: ModelId,
    /// How it ranked, if the router says so.
    pub score: Option<f32>,
    /// What the call would have cost, if its price is known.
    pub cost: Option<Money>,
}

impl Candidate {
    /// The candidate `model`.
    #[must_use]
    pub const fn new(model: ModelId) -> Self {
        Self {
            model,
            score: None,
            cost: None,
        }
    }

    /// The same with its rank; one that is not a finite number is no rank.
    #[must_use]
    pub fn with_score(mut self, score: f32) -> Self {
        self.score = score.is_finite().then_some(score);
        self
    }

    /// The same with what the call would have cost.
    #[must_use]
    pub const fn with_cost(mut self, cost: Money) -> Self {
        self.cost = Some(cost);
        self
    }
}

/// One attempt to call a model.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LlmCall {
    /// The model.
    pub model: ModelId,
    /// Which attempt: the first is 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The status of the HTTP reply, if there was one.
    pub http_status: Option<u16>,
    /// What it used, if that is known.
    pub usage: Option<Usage>,
    /// What it cost, if that is known. An unknown price is not a price of nothing.
    pub cost: Option<Money>,
    /// How long the first token took, if the reply was streamed.
    #[cfg_attr(feature = "serde", serde(rename = "ttft_ns", with = "nanos_option"))]
    pub ttft: Option<Duration>,
}

impl LlmCall {
    /// Attempt number `attempt` (the first is 1) to call `model`.
    #[must_use]
    pub const fn new(model: ModelId, attempt: u32, outcome: Outcome) -> Self {
        Self {
            model,
            attempt,
            outcome,
            http_status: None,
            usage: None,
            cost: None,
            ttft: None,
        }
    }

    /// The same with the status of the HTTP reply.
    #[must_use]
    pub const fn with_http_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// The same with what it used.
    #[must_use]
    pub const fn with_usage(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// The same with what it cost.
    #[must_use]
    pub const fn with_cost(mut self, cost: Money) -> Self {
        self.cost = Some(cost);
        self
    }

    /// The same with the time to the first token.
    #[must_use]
    pub const fn with_ttft(mut self, ttft: Duration) -> Self {
        self.ttft = Some(ttft);
        self
    }
}

/// One call of a tool. Its arguments and result are text and stay out.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ToolCall {
    /// The tool's name.
    pub tool: Cow<'static, str>,
    /// How it ended.
    pub outcome: Outcome,
}

impl ToolCall {
    /// A call of `tool`.
    #[must_use]
    pub fn new(tool: impl Into<Cow<'static, str>>, outcome: Outcome) -> Self {
        Self {
            tool: tool.into(),
            outcome,
        }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Outcome {
    /// It was answered.
    Ok,
    /// It failed; the word is stable and of few different values: `timeout`, `rate_limited`.
    Failed(Cow<'static, str>),
    /// It was dropped before it ended.
    Cancelled,
}

impl Outcome {
    /// A failure of this kind.
    #[must_use]
    pub fn failed(kind: impl Into<Cow<'static, str>>) -> Self {
        Self::Failed(kind.into())
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::Failed(kind) => kind.len(),
            Self::Ok | Self::Cancelled => 0,
        }
    }

    fn truncate(&mut self, max: usize) {
        if let Self::Failed(kind) = self {
            truncate(kind, max);
        }
    }
}

/// Something that went wrong outside of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ErrorStep {
    /// A stable word of few different values.
    pub kind: Cow<'static, str>,
    /// A sentence that is safe to keep: whoever writes it vouches that no prompt and no secret is in it.
    pub message: Cow<'static, str>,
}

impl ErrorStep {
    /// An error of this kind.
    #[must_use]
    pub fn new(
        kind: impl Into<Cow<'static, str>>,
        safe_message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            kind: kind.into(),
            message: safe_message.into(),
        }
    }
}

/// Cuts `text` to at most `max` bytes, the mark included, at a character's edge.
pub(crate) fn truncate(text: &mut Cow<'static, str>, max: usize) {
    const MARK: &str = "…";
    if text.len() <= max {
        return;
    }
    let mut short = text[..text.floor_char_boundary(max.saturating_sub(MARK.len()))].to_owned();
    if MARK.len() <= max {
        short.push_str(MARK);
    }
    *text = Cow::Owned(short);
}

/// Durations travel as whole nanoseconds.
#[cfg(feature = "serde")]
pub(crate) mod nanos {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_nanos)
    }
}

#[cfg(feature = "serde")]
mod nanos_option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration
            .map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Option::<u64>::deserialize(deserializer).map(|nanos| nanos.map(Duration::from_nanos))
    }
}
