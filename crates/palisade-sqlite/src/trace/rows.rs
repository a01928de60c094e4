//! What a trace looks like in its row.
//!
//! Written for every request, so small: the columns are not said again, and what nearly every trace consists of stands
//! as JSON arrays without names, a third as long as the objects. An array is only written if it reads back as the very
//! same value; whatever else there is, or will be, stands as the object that `serde` makes of it.

use std::{borrow::Cow, time::Duration};

use palisade_core::{Key, ModelId, Money, Timestamp, Tokens, Usage};
use palisade_trace::{
    GuardDecision, GuardVerdict, LlmCall, Outcome, RoutingDecision, SpanId, Step, StepKind,
    Summary, Trace, TraceId,
};
use rusqlite::{Row, types::ValueRef};
use serde::{Deserialize, Serialize, Serializer as _};

use super::READING;
use crate::error::{Failure, corrupt};

/// The columns that [`read_summary`] reads, in its order.
pub(super) const SUMMARY: &str =
    "t.summary, t.id, t.span, t.started, t.principal, t.provider, t.model, t.status";

/// Buffers that are used again for every trace.
#[derive(Debug, Default)]
pub(super) struct Texts {
    summary: Vec<u8>,
    steps: Vec<u8>,
}

impl Texts {
    /// The texts of a summary and its steps.
    pub(super) fn write(&mut self, trace: &Trace) -> Result<(&str, &str), serde_json::Error> {
        let Trace { summary, steps, .. } = trace;
        self.summary.clear();
        self.steps.clear();
        serde_json::to_writer(&mut self.summary, &SummaryRow::of(summary))?;
        let rows = steps
            .iter()
            .map(|step| StepRow::of(step, summary.model.as_ref()));
        serde_json::Serializer::new(&mut self.steps).collect_seq(rows)?;
        Ok((text(&self.summary)?, text(&self.steps)?))
    }
}

/// JSON is text, and looking it over once more is cheap.
fn text(json: &[u8]) -> Result<&str, serde_json::Error> {
    std::str::from_utf8(json).map_err(serde::ser::Error::custom)
}

/// The summary in a row that begins with the columns [`SUMMARY`].
pub(super) fn read_summary(row: &Row<'_>) -> Result<Summary, Failure> {
    let json = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
    let short = match serde_json::from_str(json).map_err(unreadable)? {
        SummaryRow::Whole(summary) => return Ok(summary.into_owned()),
        SummaryRow::Short(short) => short,
    };
    let id = TraceId::from_bytes(row.get(1)?).map_err(unreadable)?;
    let span = SpanId::from_bytes(row.get(2)?).map_err(unreadable)?;
    let started = Timestamp::from_nanos(row.get(3)?);
    let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let mut summary = Summary::new(id, span, "", started);
    summary.principal = Key::parse(text(4)?).map_err(unreadable)?;
    if !matches!(row.get_ref(5)?, ValueRef::Null) {
        summary.model = Some(ModelId::new(text(5)?, text(6)?).map_err(unreadable)?);
    }
    summary.status = text(7)?.parse().map_err(unreadable)?;
    short.fill(&mut summary);
    Ok(summary)
}

/// The steps of the trace with this summary.
pub(super) fn read_steps(json: &str, summary: &Summary) -> Result<Vec<Step>, Failure> {
    let rows: Vec<StepRow<'_>> = serde_json::from_str(json).map_err(unreadable)?;
    let steps = rows
        .into_iter()
        .map(|row| row.step(summary.model.as_ref()))
        .collect();
    let steps: Option<_> = steps;
    steps.ok_or_else(|| unreadable("a step refers to a model that is not there"))
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    corrupt(READING, error)
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SummaryRow<'a> {
    Short(ShortSummary),
    Whole(Cow<'a, Summary>),
}

/// What has no column of its own.
#[derive(Clone, Serialize, Deserialize)]
struct ShortSummary(
    /// The name.
    Text,
    /// How long it took, in nanoseconds.
    u64,
    Option<SpanId>,
    /// Whether it is sampled.
    bool,
    /// The reason.
    Option<Text>,
    Counts,
    Cost,
    /// Calls, calls without a price, dropped steps.
    (u32, u32, u64),
);

type Text = Cow<'static, str>;

impl<'a> SummaryRow<'a> {
    fn of(summary: &'a Summary) -> Self {
        let short = ShortSummary(
            summary.name.clone(),
            nanos(summary.duration),
            summary.parent,
            summary.sampled,
            summary.reason.clone(),
            Counts::of(summary.usage),
            Cost::of(summary.cost),
            (summary.calls, summary.calls_unpriced, summary.steps_dropped),
        );
        let mut read = Summary::new(summary.id, summary.span, "", summary.started);
        read.principal = summary.principal.clone();
        read.model.clone_from(&summary.model);
        read.status = summary.status;
        short.clone().fill(&mut read);
        if read == *summary {
            Self::Short(short)
        } else {
            Self::Whole(Cow::Borrowed(summary))
        }
    }
}

impl ShortSummary {
    fn fill(self, summary: &mut Summary) {
        let Self(name, duration, parent, sampled, reason, usage, cost, counts) = self;
        summary.name = name;
        summary.duration = Duration::from_nanos(duration);
        (summary.parent, summary.sampled) = (parent, sampled);
        summary.reason = reason;
        (summary.usage, summary.cost) = (usage.into(), cost.into());
        (summary.calls, summary.calls_unpriced, summary.steps_dropped) = counts;
    }
}

/// A step. The arrays have different lengths, so that none is taken for another; each begins with the step's name, when
/// it began and how long it took.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum StepRow<'a> {
    /// The verdict of a guard that the step is named after, with nothing more to it.
    Verdict(Text, u64, u64, GuardDecision),
    /// The model that was asked was the only candidate; the reason for it.
    Route(Text, u64, u64, Text, ()),
    /// A verdict: the guard, its score and the number of its findings.
    Findings(Text, u64, u64, GuardDecision, Text, Option<f32>, u32),
    /// A call of the model that was asked: the attempt, the status, what was used, what it cost, and when the first
    /// token came.
    Call(
        Text,
        u64,
        u64,
        Option<SpanId>,
        Outcome,
        u32,
        Option<u16>,
        (Option<Counts>, Option<Cost>, Option<u64>),
    ),
    Whole(Cow<'a, Step>),
}

impl<'a> StepRow<'a> {
    fn of(step: &'a Step, model: Option<&ModelId>) -> Self {
        let whole = Self::Whole(Cow::Borrowed(step));
        let name = step.name.clone();
        let (started, duration) = (nanos(step.started), nanos(step.duration));
        let short = match &step.kind {
            StepKind::GuardVerdict(verdict) => {
                let (guard, decision) = (&verdict.guard, verdict.decision);
                let (score, findings) = (verdict.score, verdict.findings);
                if score.is_none() && findings == 0 && *guard == name {
                    Self::Verdict(name, started, duration, decision)
                } else {
                    let guard = guard.clone();
                    Self::Findings(name, started, duration, decision, guard, score, findings)
                }
            }
            StepKind::RoutingDecision(route) => {
                Self::Route(name, started, duration, route.reason.clone(), ())
            }
            StepKind::LlmCall(call) => {
                let usage = call.usage.map(Counts::of);
                let more = (usage, call.cost.map(Cost::of), call.ttft.map(nanos));
                let (outcome, status) = (call.outcome.clone(), call.http_status);
                let (span, attempt) = (step.span, call.attempt);
                Self::Call(
                    name, started, duration, span, outcome, attempt, status, more,
                )
            }
            _ => return whole,
        };
        if short.clone().step(model).as_ref() == Some(step) {
            short
        } else {
            whole
        }
    }

    /// The step, of a trace with this model.
    fn step(self, model: Option<&ModelId>) -> Option<Step> {
        let (name, started, duration, kind): (_, _, _, StepKind) = match self {
            Self::Whole(step) => return Some(step.into_owned()),
            Self::Verdict(name, started, duration, decision) => {
                let verdict = GuardVerdict::new(name.clone(), decision);
                (name, started, duration, verdict.into())
            }
            Self::Route(name, started, duration, reason, ()) => {
                let route = RoutingDecision::new(Some(model?.clone()), reason);
                (name, started, duration, route.into())
            }
            Self::Findings(name, started, duration, decision, guard, score, findings) => {
                let mut verdict = GuardVerdict::new(guard, decision).with_findings(findings);
                verdict.score = score;
                (name, started, duration, verdict.into())
            }
            Self::Call(name, started, duration, span, outcome, attempt, status, more) => {
                let mut call = LlmCall::new(model?.clone(), attempt, outcome);
                call.http_status = status;
                call.usage = more.0.map(Usage::from);
                call.cost = more.1.map(Money::from);
                call.ttft = more.2.map(Duration::from_nanos);
                let mut step = Step::new(name, call);
                step.span = span;
                step.started = Duration::from_nanos(started);
                step.duration = Duration::from_nanos(duration);
                return Some(step);
            }
        };
        let step = Step::new(name, kind);
        Some(step.with_time(
            Duration::from_nanos(started),
            Duration::from_nanos(duration),
        ))
    }
}

/// Input and output, where that is all.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Counts {
    Plain(u64, u64),
    Whole(Usage),
}

impl Counts {
    fn of(usage: Usage) -> Self {
        if usage == Usage::new(usage.input, usage.output) {
            Self::Plain(usage.input.get(), usage.output.get())
        } else {
            Self::Whole(usage)
        }
    }
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        match counts {
            Counts::Plain(input, output) => Self::new(Tokens::new(input), Tokens::new(output)),
            Counts::Whole(usage) => usage,
        }
    }
}

/// Picodollars, where they fit.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Cost {
    Pico(i64),
    Whole(Money),
}

impl Cost {
    fn of(cost: Money) -> Self {
        i64::try_from(cost.as_pico_usd()).map_or(Self::Whole(cost), Self::Pico)
    }
}

impl From<Cost> for Money {
    fn from(cost: Cost) -> Self {
        match cost {
            Cost::Pico(pico) => Self::from_pico_usd(pico.into()),
            Cost::Whole(money) => money,
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use palisade_trace::{Candidate, ErrorStep, ToolCall};

    use super::*;

    fn model(name: &str) -> ModelId {
        ModelId::new("openai", name).unwrap()
    }

    fn summary() -> Summary {
        let id = TraceId::from_bytes([1; 16]).unwrap();
        let span = SpanId::from_bytes([2; 8]).unwrap();
        let mut summary = Summary::new(id, span, "POST /v1/x", Timestamp::from_secs(1));
        summary.model = Some(model("m"));
        summary
    }

    fn written(steps: Vec<Step>) -> (String, String) {
        let mut texts = Texts::default();
        let trace = Trace::new(summary(), steps);
        let (summary, steps) = texts.write(&trace).unwrap();
        (summary.to_owned(), steps.to_owned())
    }

    fn calls() -> Vec<Step> {
        let plain = || LlmCall::new(model("m"), 1, Outcome::Ok);
        let mut usage = Usage::new(Tokens::new(14), Tokens::new(21));
        let counted = plain().with_usage(usage).with_http_status(200);
        usage.cache_read = Tokens::new(3);
        let cached = plain().with_usage(usage).with_ttft(Duration::from_nanos(7));
        let dear = plain().with_cost(Money::from_pico_usd(i128::from(i64::MAX) + 1));
        let cheap = plain().with_cost(Money::from_pico_usd(1));
        let failed = LlmCall::new(model("m"), 2, Outcome::failed("timeout"));
        let other = LlmCall::new(model("n"), 1, Outcome::Cancelled);
        [plain(), counted, cached, dear, cheap, failed, other]
            .map(|call| Step::new("llm_call", call))
            .to_vec()
    }

    fn steps() -> Vec<Step> {
        let span = SpanId::from_bytes([3; 8]).unwrap();
        let (started, took) = (Duration::from_nanos(5), Duration::from_secs(9));
        let verdict = || GuardVerdict::new("auth", GuardDecision::Flag);
        let route = |chosen| RoutingDecision::new(chosen, "configured");
        let mut steps = calls();
        steps.extend([
            Step::new("auth", verdict()).with_time(started, took),
            Step::new("auth", verdict()).with_span(span),
            Step::new("auth", verdict()).with_time(started, Duration::MAX / 2),
            Step::new("scan", verdict()),
            Step::new("auth", verdict().with_score(0.3)),
            Step::new("auth", verdict().with_findings(2)),
            Step::new("route", route(Some(model("m")))),
            Step::new("route", route(Some(model("n")))),
            Step::new("route", route(None)),
            Step::new(
                "route",
                route(Some(model("m"))).with_candidates([Candidate::new(model("m"))]),
            ),
            Step::new("tool", ToolCall::new("search", Outcome::Cancelled)),
            Step::new("error", ErrorStep::new("k", "\u{0}[1,2]\"")),
        ]);
        steps.push(steps[0].clone().with_span(span).with_time(took, started));
        steps
    }

    #[test]
    fn a_step_comes_back_as_it_went_in_whichever_form_it_took() {
        for model_is_known in [true, false] {
            let mut trace = Trace::new(summary(), steps());
            // A duration beyond 64 bits of nanoseconds is cut, in every form.
            trace.steps[9].duration = Duration::from_nanos(u64::MAX);
            if !model_is_known {
                trace.summary.model = None;
            }
            let mut texts = Texts::default();
            let (_, json) = texts.write(&trace).unwrap();
            assert_eq!(read_steps(json, &trace.summary).unwrap(), trace.steps);
            let whole = serde_json::to_string(&trace.steps).unwrap();
            assert_eq!(read_steps(&whole, &trace.summary).unwrap(), trace.steps);
        }
    }

    #[test]
    fn what_nearly_every_trace_consists_of_is_short() {
        let auth = GuardVerdict::new("auth", GuardDecision::Allow);
        let auth = Step::new("auth", auth).with_time(Duration::ZERO, Duration::from_nanos(2));
        let call = calls().swap_remove(1);
        let (summary, steps) = written(vec![auth, call]);
        assert_eq!(
            summary,
            r#"["POST /v1/x",0,null,true,null,[0,0],0,[0,0,0]]"#
        );
        assert_eq!(
            steps,
            r#"[["auth",0,2,"allow"],["llm_call",0,0,null,"ok",1,200,[[14,21],null,null]]]"#
        );
    }

    #[test]
    fn a_step_that_refers_to_no_model_is_corrupt() {
        let (_, steps) = written(calls());
        let mut unknown = summary();
        unknown.model = None;
        assert!(read_steps(&steps, &unknown).is_err());
    }
}
