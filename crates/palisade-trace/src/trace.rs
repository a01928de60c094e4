use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use palisade_core::{Key, ModelId, Money, Timestamp, Usage};

use crate::{SpanId, Step, TraceId};

/// What happened to one request: a [`Summary`] and the steps in the order in which they ended.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Trace {
    /// The request as a whole.
    pub summary: Summary,
    /// What happened on the way.
    pub steps: Vec<Step>,
}

impl Trace {
    /// A trace of these parts. A [`Recorder`](crate::Recorder) makes them in a service; stores and tests need to as well.
    #[must_use]
    pub const fn new(summary: Summary, steps: Vec<Step>) -> Self {
        Self { summary, steps }
    }

    /// About how many bytes the trace takes in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.summary.size_bytes() + self.steps.iter().map(Step::size_bytes).sum::<usize>()
    }
}

/// One request as a whole: what a list of traces shows, and what reports count.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Summary {
    /// The trace the request belongs to. Requests of one client may share it; [`span`](Self::span) tells them apart.
    pub id: TraceId,
    /// The span of this request.
    pub span: SpanId,
    /// The client's span, if it sent a trace context.
    pub parent: Option<SpanId>,
    /// Whether the trace context asks for this trace to be exported.
    pub sampled: bool,
    /// What was asked for, of few different values: a route, never a path with ids in it.
    pub name: Cow<'static, str>,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "duration_ns", with = "crate::step::nanos")
    )]
    pub duration: Duration,
    /// Who asked: organisation, project, user, API key. The empty key until it is known.
    pub principal: Key,
    /// The model that answered, or was asked last.
    pub model: Option<ModelId>,
    /// How it ended.
    pub status: TraceStatus,
    /// What refused it or went wrong, as a stable word such as `quota` or `timeout`.
    pub reason: Option<Cow<'static, str>>,
    /// What all calls to models used together.
    pub usage: Usage,
    /// What all calls with a known price cost together.
    pub cost: Money,
    /// How many calls to models there were, retries included.
    pub calls: u32,
    /// How many of them have no known cost: if any, [`cost`](Self::cost) is a lower bound and not a total.
    pub calls_unpriced: u32,
    /// How many steps did not fit into the trace.
    pub steps_dropped: u64,
}

impl Summary {
    /// A summary of a request that began at `started`, with nothing known yet.
    #[must_use]
    pub fn new(
        id: TraceId,
        span: SpanId,
        name: impl Into<Cow<'static, str>>,
        started: Timestamp,
    ) -> Self {
        Self {
            id,
            span,
            parent: None,
            sampled: true,
            name: name.into(),
            started,
            duration: Duration::ZERO,
            principal: Key::global(),
            model: None,
            status: TraceStatus::Ok,
            reason: None,
            usage: Usage::default(),
            cost: Money::ZERO,
            calls: 0,
            calls_unpriced: 0,
            steps_dropped: 0,
        }
    }

    /// Whether everything `within` names is true of the principal. The empty key is within everybody.
    ///
    /// The one rule by which traces of one tenant are kept from another: every store applies exactly this.
    #[must_use]
    pub fn is_within(&self, within: &Key) -> bool {
        let principal = self.principal.as_str();
        // Parts are compared as their escaped text, which is injective.
        within.as_str().is_empty()
            || within
                .as_str()
                .split('/')
                .all(|part| principal.split('/').any(|present| present == part))
    }

    pub(crate) fn size_bytes(&self) -> usize {
        size_of::<Self>()
            + self.name.len()
            + self.principal.as_str().len()
            + self.reason.as_ref().map_or(0, |reason| reason.len())
            + self
                .model
                .as_ref()
                .map_or(0, |model| model.provider().len() + model.model().len())
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum TraceStatus {
    /// It was answered.
    Ok,
    /// A guard-rail refused it.
    Refused,
    /// Something went wrong.
    Failed,
    /// Nobody ended it: the client went away, or the task was dropped.
    Abandoned,
}

impl TraceStatus {
    /// The word for it, the same in every store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

impl fmt::Display for TraceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for TraceStatus {
    type Err = crate::error::StatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Ok, Self::Refused, Self::Failed, Self::Abandoned]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(crate::error::StatusError)
    }
}
