use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use palisade_core::{Clock, Instant, Key, ModelId, Money};

use crate::{
    ErrorStep, Limits, LlmCall, SpanId, Step, StepKind, Summary, Trace, TraceContext, TraceSink,
    TraceStatus, step::truncate,
};

/// Starts traces and knows where they go.
#[derive(Clone)]
pub struct Recorder {
    sink: Arc<dyn TraceSink>,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

impl Recorder {
    /// A recorder that hands finished traces to `sink`.
    #[must_use]
    pub fn new(sink: impl TraceSink + 'static, clock: impl Clock + 'static) -> Self {
        Self {
            sink: Arc::new(sink),
            clock: Arc::new(clock),
            limits: Limits::default(),
        }
    }

    /// The same with other limits for one trace.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Starts the trace of a request.
    ///
    /// With the `parent` the client sent, the request becomes a span of the client's trace. Whether a client is trusted
    /// that far is the host's to decide: it may choose the trace id, but no two requests share a span.
    pub fn start(
        &self,
        name: impl Into<Cow<'static, str>>,
        parent: Option<&TraceContext>,
    ) -> ActiveTrace {
        let now = self.clock.now();
        let context = parent.map_or_else(|| TraceContext::random_at(now), TraceContext::child);
        let mut name = name.into();
        truncate(&mut name, self.limits.text_bytes_max);
        let mut summary = Summary::new(context.trace_id(), context.span_id(), name, now);
        summary.parent = parent.map(TraceContext::span_id);
        summary.sampled = context.is_sampled();
        ActiveTrace(Some(Arc::new(Active {
            recorder: self.clone(),
            context,
            began: self.clock.instant(),
            state: Mutex::new(Some(State {
                summary,
                steps: Vec::new(),
                bytes: 0,
            })),
        })))
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A trace under way: the handle through which layers say what they did.
///
/// Clones share the trace. It ends exactly once: with the first [`end`](ActiveTrace::end), or, if nobody ends it, as
/// [`TraceStatus::Abandoned`] when the last handle is dropped. What is said after the end is not heard.
#[derive(Clone)]
#[must_use = "a trace that nobody holds ends at once, as abandoned"]
pub struct ActiveTrace(Option<Arc<Active>>);

struct Active {
    recorder: Recorder,
    context: TraceContext,
    began: Instant,
    /// Empty once the trace has ended.
    state: Mutex<Option<State>>,
}

struct State {
    summary: Summary,
    steps: Vec<Step>,
    bytes: usize,
}

impl ActiveTrace {
    /// A handle that records nothing, for hosts without tracing.
    pub const fn disabled() -> Self {
        Self(None)
    }

    /// Whether anything is recorded.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    /// This request's own context: send it with the reply, or log its ids. `None` if nothing is recorded.
    #[must_use]
    pub fn context(&self) -> Option<&TraceContext> {
        self.0.as_deref().map(|active| &active.context)
    }

    /// The context of a new span below this request, to send on with a call. Give its span to the step of that call.
    #[must_use]
    pub fn child_context(&self) -> Option<TraceContext> {
        self.context().map(TraceContext::child)
    }

    /// How long the trace has been under way.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.as_deref().map_or(Duration::ZERO, Active::elapsed)
    }

    /// Says who asks.
    pub fn set_principal(&self, principal: Key) {
        self.with(|state, _| state.summary.principal = principal);
    }

    /// Says which model is to answer. The model of a later [`LlmCall`] replaces it.
    pub fn set_model(&self, model: ModelId) {
        self.with(|state, _| state.summary.model = Some(model));
    }

    /// Says what refused the request or went wrong, as a stable word.
    pub fn set_reason(&self, reason: impl Into<Cow<'static, str>>) {
        let mut reason = reason.into();
        self.with(|state, limits| {
            truncate(&mut reason, limits.text_bytes_max);
            state.summary.reason = Some(reason);
        });
    }

    /// Adds a step. Calls count towards the totals even if the trace has no room for the step itself.
    pub fn add(&self, step: Step) {
        self.with(|state, limits| state.add(step, limits));
    }

    /// Begins a step now; [`StepTimer::finish`] adds it with the time it took.
    pub fn begin(&self, name: impl Into<Cow<'static, str>>) -> StepTimer {
        StepTimer {
            trace: self.clone(),
            open: self.is_enabled().then(|| Open {
                name: name.into(),
                started: self.elapsed(),
                span: None,
            }),
        }
    }

    /// Ends the trace and hands it to the sink. A second end changes nothing.
    pub fn end(&self, status: TraceStatus) {
        if let Some(active) = &self.0 {
            active.end(status);
        }
    }

    fn with(&self, change: impl FnOnce(&mut State, &Limits)) {
        if let Some(active) = &self.0
            && let Some(state) = active.lock().as_mut()
        {
            change(state, &active.recorder.limits);
        }
    }
}

impl Active {
    fn elapsed(&self) -> Duration {
        self.recorder.clock.instant().saturating_since(self.began)
    }

    fn end(&self, status: TraceStatus) {
        // Taken out under the lock, recorded outside of it: whoever comes second finds nothing.
        let Some(mut state) = self.lock().take() else {
            return;
        };
        state.summary.status = status;
        state.summary.duration = self.elapsed();
        self.recorder
            .sink
            .record(Trace::new(state.summary, state.steps));
    }

    /// Every change is whole before anything can panic, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.end(TraceStatus::Abandoned);
    }
}

impl State {
    fn add(&mut self, mut step: Step, limits: &Limits) {
        if let StepKind::LlmCall(call) = &step.kind {
            self.count(call);
        }
        step.truncate(limits.text_bytes_max);
        let bytes = self.bytes + step.size_bytes();
        if self.steps.len() >= limits.steps_max || bytes > limits.bytes_max {
            self.summary.steps_dropped += 1;
            return;
        }
        self.bytes = bytes;
        self.steps.push(step);
    }

    fn count(&mut self, call: &LlmCall) {
        let summary = &mut self.summary;
        summary.model = Some(call.model.clone());
        summary.calls = summary.calls.saturating_add(1);
        if let Some(usage) = &call.usage {
            // A sum beyond 64 bits is no usage anybody had; the totals keep what they know.
            summary.usage = summary.usage.checked_add(usage).unwrap_or(summary.usage);
        }
        let cost = call
            .cost
            .and_then(|cost| Money::checked_add(summary.cost, cost).ok());
        match cost {
            Some(cost) => summary.cost = cost,
            None => summary.calls_unpriced = summary.calls_unpriced.saturating_add(1),
        }
    }
}

impl fmt::Debug for ActiveTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActiveTrace")
            .field(&self.context().map(TraceContext::trace_id))
            .finish()
    }
}

/// A step that has begun.
///
/// Dropped without [`finish`](StepTimer::finish), it adds an error step of the kind `cancelled`: a future that was
/// dropped in the middle of a call leaves a sign of it.
#[must_use = "a step that is dropped counts as cancelled"]
pub struct StepTimer {
    trace: ActiveTrace,
    open: Option<Open>,
}

struct Open {
    name: Cow<'static, str>,
    started: Duration,
    span: Option<SpanId>,
}

impl StepTimer {
    /// The context of a new span below this request, to send on; the step will carry its span.
    #[must_use]
    pub fn child_context(&mut self) -> Option<TraceContext> {
        let context = self.trace.child_context()?;
        if let Some(open) = &mut self.open {
            open.span = Some(context.span_id());
        }
        Some(context)
    }

    /// Adds the step, ended now.
    pub fn finish(mut self, kind: impl Into<StepKind>) {
        self.add(|| kind.into());
    }

    /// Adds no step at all.
    pub fn discard(mut self) {
        self.open = None;
    }

    fn add(&mut self, kind: impl FnOnce() -> StepKind) {
        if let Some(open) = self.open.take() {
            let duration = self.trace.elapsed().saturating_sub(open.started);
            let mut step = Step::new(open.name, kind()).with_time(open.started, duration);
            step.span = open.span;
            self.trace.add(step);
        }
    }
}

impl Drop for StepTimer {
    fn drop(&mut self) {
        self.add(|| ErrorStep::new("cancelled", "dropped before it ended").into());
    }
}

impl fmt::Debug for StepTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepTimer")
            .field("trace", &self.trace)
            .finish_non_exhaustive()
    }
}
