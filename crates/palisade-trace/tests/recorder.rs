//! What a recorder and its handles promise.

use std::{sync::Arc, thread, time::Duration};

use palisade_core::{Dimension, Key, ManualClock, ModelId, Money, Timestamp, Tokens, Usage};
use palisade_trace::{
    ActiveTrace, Candidate, ErrorStep, Fanout, GuardDecision, GuardVerdict, InMemory, Limits,
    LlmCall, Loss, Outcome, Recorder, RoutingDecision, Step, StepKind, ToolCall, Trace,
    TraceContext, TraceQuery, TraceSink, TraceStatus, TraceStore,
};

fn setup() -> (InMemory, ManualClock, Recorder) {
    let kept = InMemory::new(1 << 20);
    let clock = ManualClock::at(Timestamp::from_secs(1_000));
    let recorder = Recorder::new(kept.clone(), clock.clone());
    (kept, clock, recorder)
}

fn all(kept: &InMemory) -> Vec<Trace> {
    pollster::block_on(async {
        let page = kept.list(&TraceQuery::new(Key::global())).await.unwrap();
        let mut traces = Vec::new();
        for summary in &page.items {
            traces.extend(kept.get(summary.id, &Key::global()).await.unwrap());
        }
        traces
    })
}

fn model(name: &str) -> ModelId {
    ModelId::new("openai", name).unwrap()
}

#[test]
fn a_trace_ends_exactly_once_however_many_end_it() {
    let (kept, _, recorder) = setup();
    let trace = recorder.start("chat", None);
    thread::scope(|scope| {
        for _ in 0..8 {
            let handle = trace.clone();
            scope.spawn(move || handle.end(TraceStatus::Ok));
        }
    });
    trace.end(TraceStatus::Failed);
    drop(trace);
    assert_eq!(kept.losses().accepted(), 1);
    assert_eq!(all(&kept)[0].summary.status, TraceStatus::Ok);
}

#[test]
fn traces_that_begin_one_after_the_other_have_ids_in_that_order() {
    let (_, clock, recorder) = setup();
    let ids: Vec<_> = (0..100)
        .map(|_| {
            clock.advance(Duration::from_micros(66));
            recorder.start("chat", None).context().unwrap().trace_id()
        })
        .collect();
    assert!(ids.is_sorted());
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn a_trace_that_nobody_ends_is_abandoned_when_its_last_handle_goes() {
    let (kept, clock, recorder) = setup();
    let trace = recorder.start("chat", None);
    let other = trace.clone();
    drop(trace);
    assert!(kept.is_empty(), "a handle is still there");
    clock.advance(Duration::from_secs(3));
    drop(other);
    let trace = all(&kept).remove(0);
    assert_eq!(trace.summary.status, TraceStatus::Abandoned);
    assert_eq!(trace.summary.duration, Duration::from_secs(3));
}

#[test]
fn what_is_said_after_the_end_is_not_heard() {
    let (kept, _, recorder) = setup();
    let trace = recorder.start("chat", None);
    trace.end(TraceStatus::Ok);
    trace.add(Step::new(
        "late",
        GuardVerdict::new("late", GuardDecision::Deny),
    ));
    trace.set_reason("late");
    let recorded = all(&kept).remove(0);
    assert!(recorded.steps.is_empty());
    assert_eq!(recorded.summary.reason, None);
}

#[test]
fn steps_carry_their_place_and_length_in_time() {
    let (kept, clock, recorder) = setup();
    let trace = recorder.start("chat", None);
    clock.advance(Duration::from_millis(5));
    let step = trace.begin("scan");
    clock.advance(Duration::from_millis(2));
    // Somebody sets the wall clock: durations do not notice.
    clock.set_wall(Timestamp::from_secs(9));
    step.finish(GuardVerdict::new("injection", GuardDecision::Flag).with_findings(2));
    trace.end(TraceStatus::Ok);
    let recorded = all(&kept).remove(0);
    assert_eq!(recorded.summary.started, Timestamp::from_secs(1_000));
    assert_eq!(recorded.summary.duration, Duration::from_millis(7));
    assert_eq!(recorded.steps[0].started, Duration::from_millis(5));
    assert_eq!(recorded.steps[0].duration, Duration::from_millis(2));
}

#[test]
fn a_step_that_is_dropped_says_that_it_was_cancelled() {
    let (kept, clock, recorder) = setup();
    let trace = recorder.start("chat", None);
    let mut call = trace.begin("call");
    let sent = call.child_context().unwrap();
    clock.advance(Duration::from_millis(40));
    drop(call);
    trace.begin("never mind").discard();
    trace.end(TraceStatus::Abandoned);
    let steps = all(&kept).remove(0).steps;
    assert_eq!(steps.len(), 1);
    let StepKind::Error(error) = &steps[0].kind else {
        panic!("expected an error, found {:?}", steps[0]);
    };
    assert_eq!(error.kind, "cancelled");
    assert_eq!(steps[0].duration, Duration::from_millis(40));
    assert_eq!(steps[0].span, Some(sent.span_id()));
}

#[test]
fn every_attempt_counts_towards_the_totals_and_an_unknown_price_is_not_zero() {
    let (kept, _, recorder) = setup();
    let trace = recorder.start("chat", None);
    let usage = Usage::new(Tokens::new(100), Tokens::new(10));
    let cost: Money = "0.5".parse().unwrap();
    let call = |name, attempt, outcome| LlmCall::new(model(name), attempt, outcome);
    let failed = call("large", 1, Outcome::failed("timeout")).with_usage(usage);
    trace.add(Step::new("call", failed));
    let ok = call("small", 2, Outcome::Ok)
        .with_usage(usage)
        .with_cost(cost);
    trace.add(Step::new("call", ok));
    trace.end(TraceStatus::Ok);
    let summary = all(&kept).remove(0).summary;
    assert_eq!(summary.usage, usage.checked_add(&usage).unwrap());
    assert_eq!(summary.cost, cost);
    assert_eq!((summary.calls, summary.calls_unpriced), (2, 1));
    assert_eq!(summary.model, Some(model("small")));
}

#[test]
fn a_trace_is_bounded_and_counts_what_does_not_fit() {
    let (kept, clock, _) = setup();
    let limits = Limits::default().with_steps_max(3);
    let recorder = Recorder::new(kept.clone(), clock.clone()).with_limits(limits);
    let trace = recorder.start("chat", None);
    for attempt in 1..=10 {
        trace.add(Step::new(
            "call",
            LlmCall::new(model("m"), attempt, Outcome::Ok),
        ));
    }
    trace.end(TraceStatus::Ok);
    let recorded = all(&kept).remove(0);
    assert_eq!(
        (recorded.steps.len(), recorded.summary.steps_dropped),
        (3, 7)
    );
    assert_eq!(recorded.summary.calls, 10, "totals know every call");
}

#[test]
fn bytes_and_texts_are_bounded_too() {
    let (kept, clock, _) = setup();
    let limits = Limits::default()
        .with_bytes_max(4_000)
        .with_text_bytes_max(100);
    let recorder = Recorder::new(kept.clone(), clock.clone()).with_limits(limits);
    let long = "ü".repeat(5_000);
    let trace = recorder.start(long.clone(), None);
    trace.set_reason(long.clone());
    let candidates = (0..1_000).map(|index| Candidate::new(model(&format!("m{index}"))));
    let steps: [StepKind; 5] = [
        GuardVerdict::new(long.clone(), GuardDecision::Deny).into(),
        RoutingDecision::new(None, long.clone()).into(),
        LlmCall::new(model("m"), 1, Outcome::failed(long.clone())).into(),
        ToolCall::new(long.clone(), Outcome::failed(long.clone())).into(),
        ErrorStep::new(long.clone(), long.clone()).into(),
    ];
    for kind in steps {
        trace.add(Step::new(long.clone(), kind));
    }
    for _ in 0..100 {
        let routing = RoutingDecision::new(None, "r").with_candidates(candidates.clone());
        trace.add(Step::new("route", routing));
    }
    trace.end(TraceStatus::Ok);
    let recorded = all(&kept).remove(0);
    let steps: usize = recorded.steps.iter().map(Step::size_bytes).sum();
    assert!(steps <= 4_000, "{steps} bytes of steps");
    assert_eq!(
        recorded.summary.steps_dropped,
        105 - recorded.steps.len() as u64
    );
    assert!(recorded.steps.len() >= 4);
    assert!(recorded.summary.name.len() <= 100 && recorded.summary.name.ends_with('…'));
    assert!(recorded.summary.reason.unwrap().len() <= 100);
}

#[test]
fn a_request_becomes_a_span_of_the_clients_trace() {
    let (kept, _, recorder) = setup();
    let client = TraceContext::random().with_sampled(false);
    let first = recorder.start("chat", Some(&client));
    let second = recorder.start("chat", Some(&client));
    first.set_principal(Key::new(Dimension::User, "ann").unwrap());
    first.end(TraceStatus::Ok);
    second.end(TraceStatus::Refused);
    let both = pollster::block_on(kept.get(client.trace_id(), &Key::global())).unwrap();
    assert_eq!(both.len(), 2, "one client trace, two requests");
    assert_ne!(both[0].summary.span, both[1].summary.span);
    for trace in &both {
        assert_eq!(trace.summary.parent, Some(client.span_id()));
        assert!(!trace.summary.sampled);
    }
}

#[test]
fn a_disabled_trace_records_nothing_and_may_be_used_like_any_other() {
    let trace = ActiveTrace::disabled();
    let mut step = trace.begin("call");
    assert!(step.child_context().is_none() && trace.context().is_none());
    step.finish(ErrorStep::new("k", "m"));
    trace.set_principal(Key::global());
    trace.end(TraceStatus::Ok);
    assert_eq!(trace.elapsed(), Duration::ZERO);
}

#[test]
fn every_sink_of_a_fanout_gets_every_trace() {
    let (small, large) = (InMemory::new(10), InMemory::new(1 << 20));
    let fanout = Fanout::new([
        Arc::new(small.clone()) as Arc<dyn TraceSink>,
        Arc::new(large.clone()),
    ]);
    let recorder = Recorder::new(fanout.clone(), ManualClock::default());
    recorder.start("chat", None).end(TraceStatus::Ok);
    assert_eq!((small.len(), large.len()), (0, 1));
    assert_eq!(fanout.losses().accepted(), 2);
    assert_eq!(fanout.losses().by(Loss::TooLarge), 1);
}

#[test]
fn handles_go_wherever_a_request_goes() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<ActiveTrace>();
    travels::<Recorder>();
    travels::<InMemory>();
    travels::<palisade_trace::StepTimer>();
    travels::<palisade_trace::DynTraceStore>();
}
