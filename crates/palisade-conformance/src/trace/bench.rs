//! What the rules build and ask with.

use std::time::Duration;

use palisade_core::{Key, ModelId, Money, Timestamp, Tokens, Usage};
use palisade_trace::{
    Candidate, ErrorStep, GuardDecision, GuardVerdict, LlmCall, Outcome, RoutingDecision, SpanId,
    Step, Summary, ToolCall, Trace, TraceId, TraceQuery, TraceStatus,
};

use super::{Make, Setup, Store};
use crate::{Broken, Verdict, verdict::ensure};

/// Room for everything a rule records.
pub(super) const ROOM: usize = 64 << 20;
/// Room for a few.
pub(super) const NARROW: usize = 20_000;
/// More pages than any rule has traces.
const PAGES_MAX: usize = 600;

pub(super) struct Bench<S> {
    pub(super) store: S,
}

pub(super) async fn bench<M: Make>(make: &M) -> Bench<M::Store> {
    Bench {
        store: make.make(Setup::new(ROOM)).await,
    }
}

pub(super) async fn narrow_bench<M: Make>(make: &M) -> Bench<M::Store> {
    Bench {
        store: make.make(Setup::new(NARROW)).await,
    }
}

impl<S: Store> Bench<S> {
    pub(super) async fn record(&self, traces: impl IntoIterator<Item = Trace>) -> Verdict {
        for trace in traces {
            self.store.record(trace);
        }
        Ok(self.store.flush().await?)
    }

    /// Every page of a query, one after the other.
    pub(super) async fn walk(&self, query: &TraceQuery) -> Result<Vec<Summary>, Broken> {
        let mut query = query.clone();
        let mut found = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.store.list(&query).await?;
            ensure!(
                page.items.len() <= query.limit,
                "a page of at most {} held {}",
                query.limit,
                page.items.len()
            );
            ensure!(
                found.is_empty() || !page.items.is_empty(),
                "a page was announced, and it was empty: {query:?}"
            );
            found.extend(page.items);
            match page.next {
                Some(next) => query = query.with_after(next),
                None => return Ok(found),
            }
        }
        Err(Broken::new(format!(
            "expected {query:?} to end, found {PAGES_MAX} pages"
        )))
    }

    /// Checks that a query shows exactly these, in this order.
    pub(super) async fn shows(&self, query: &TraceQuery, expected: &[u64]) -> Verdict {
        let found = numbers(&self.walk(query).await?);
        ensure!(
            found == expected,
            "{query:?}: expected {expected:?}, found {found:?}"
        );
        Ok(())
    }
}

pub(super) fn id(number: u64) -> Result<TraceId, Broken> {
    TraceId::from_bytes((u128::from(number) + 1).to_be_bytes()).map_err(broken)
}

pub(super) fn span(number: u64) -> Result<SpanId, Broken> {
    SpanId::from_bytes((number + 1).to_be_bytes()).map_err(broken)
}

/// By which the rules name requests: the span, as it was numbered.
pub(super) fn number(summary: &Summary) -> u64 {
    u64::from_be_bytes(*summary.span.as_bytes()) - 1
}

pub(super) fn numbers(summaries: &[Summary]) -> Vec<u64> {
    summaries.iter().map(number).collect()
}

/// A whole second after noon.
pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_772_452_800 + secs)
}

pub(super) fn key(text: &str) -> Result<Key, Broken> {
    Key::parse(text).map_err(broken)
}

pub(super) fn model(provider: &str, name: &str) -> Result<ModelId, Broken> {
    ModelId::new(provider, name).map_err(broken)
}

pub(super) fn pages_of(query: TraceQuery, limit: usize) -> Result<TraceQuery, Broken> {
    query.with_limit(limit).map_err(broken)
}

/// Request `number`, the only one of its trace.
pub(super) fn request(number: u64, started: Timestamp, who: &Key) -> Result<Trace, Broken> {
    let mut summary = Summary::new(id(number)?, span(number)?, "chat", started);
    summary.principal = who.clone();
    Ok(Trace::new(summary, Vec::new()))
}

/// A request with something in every place there is.
pub(super) fn full(number: u64) -> Result<Trace, Broken> {
    let model = model("anthropic", "claude/3.5:α")?;
    let who = key("org=a%2Fb/user=ann")?;
    let cost = Money::from_pico_usd(i128::from(i64::MAX) + 2);
    let mut usage = Usage::new(Tokens::new(u64::MAX), Tokens::new(1));
    usage.cache_write_5m = Tokens::new(7);
    let mut trace = request(
        number,
        Timestamp::from_nanos(1_772_452_800_123_456_789),
        &who,
    )?;
    let summary = &mut trace.summary;
    summary.parent = Some(span(number + 1_000)?);
    summary.sampled = false;
    summary.name = "chat \"quoted\" \u{0}".into();
    // More than a float can tell apart.
    summary.duration = Duration::new(10_000_000, 1);
    summary.model = Some(model.clone());
    summary.status = TraceStatus::Failed;
    summary.reason = Some("timeout".into());
    summary.usage = usage;
    summary.cost = cost;
    (summary.calls, summary.calls_unpriced) = (3, 1);
    summary.steps_dropped = u64::from(u32::MAX) + 1;
    let candidate = Candidate::new(model.clone())
        .with_score(0.1)
        .with_cost(cost);
    let call = LlmCall::new(model.clone(), 2, Outcome::failed("timeout"))
        .with_http_status(504)
        .with_usage(usage)
        .with_cost(cost)
        .with_ttft(Duration::from_nanos(7));
    trace.steps = vec![
        Step::new(
            "scan",
            GuardVerdict::new("injection", GuardDecision::Flag)
                .with_score(0.3)
                .with_findings(2),
        ),
        Step::new(
            "route",
            RoutingDecision::new(Some(model), "cheapest").with_candidates([candidate]),
        ),
        Step::new("call", call)
            .with_time(Duration::from_nanos(1), Duration::from_secs(86_400))
            .with_span(span(number + 2_000)?),
        Step::new("tool", ToolCall::new("search", Outcome::Cancelled)),
        Step::new("error", ErrorStep::new("k", "\u{0}'; DROP TABLE x; -- ü")),
    ];
    Ok(trace)
}

/// A request that takes at least so many bytes.
pub(super) fn large(number: u64, bytes: usize) -> Result<Trace, Broken> {
    let mut trace = request(number, at(0), &key("org=acme")?)?;
    trace
        .steps
        .push(Step::new("s", ErrorStep::new("k", "x".repeat(bytes))));
    Ok(trace)
}

fn broken(error: impl std::fmt::Display) -> Broken {
    Broken::new(error.to_string())
}
