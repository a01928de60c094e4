use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body::Body;
use palisade_core::{Clock, Decision, Key};
use palisade_resilience::{
    AdaptiveLimit, AdaptiveSlot, Asked, Bulkhead, Classify, ClientThrottle, Deadline, ErrorKind,
    Failure, PushbackGate, Slot,
};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    Time,
    breaker::{BreakerLayer, key},
    time::deadline,
};
use crate::{
    BoxError, Tap,
    call::{BoxFuture, ReadyCall, ready_call},
    failure::Upstream,
    observe::{Notes, Said},
    tap::{End, Ending, Observe},
};

/// Says whether an attempt may be made now, and hears how it went.
pub trait Admit: Send + Sync + 'static {
    /// What is held while the attempt is under way.
    type Held: Held;

    /// May the attempt be made, whose caller waits until then? If it is refused, it is not made.
    fn admit(
        &self,
        extensions: &Extensions,
        until: Option<Deadline>,
    ) -> impl Future<Output = Result<Self::Held, Refused>> + Send;
}

/// An attempt that an [`Admit`] does not let through.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The guard's name in a trace.
    pub by: &'static str,
    /// Why, and when to come back.
    pub failure: Failure,
}

impl Refused {
    /// A refusal by the guard of this name.
    #[must_use]
    pub const fn new(by: &'static str, failure: Failure) -> Self {
        Self { by, failure }
    }
}

/// What an [`Admit`] hands out. Dropped without a word, the attempt was cancelled.
pub trait Held: Send + 'static {
    /// The head of the answer is there, or the attempt has failed.
    fn answered(&mut self, failure: Option<&Failure>);

    /// The attempt is over.
    fn ended(self, failure: Option<&Failure>);
}

/// Until when an attempt occupies its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Until {
    /// Until the last byte of the answer: a stream occupies the model as long as it lasts.
    #[default]
    Body,
    /// Until the head of the answer: for upstreams whose work is done then.
    Head,
}

/// Lets an attempt wait for its turn, or refuses it, by the word of one guard: a [`Bulkhead`], an [`AdaptiveLimit`], a
/// [`ClientThrottle`] or a [`PushbackGate`].
///
/// It stands inside the retry, beside the breaker: every attempt asks anew, and waits no longer than its deadline.
/// [`around_breaker`] puts each where it belongs. Guards that may be switched off are an `Option`, alone or in a pair; a layer
/// that guards nothing at all is [`off`](AdmitLayer::off), and costs next to nothing.
pub struct AdmitLayer<G> {
    guard: Option<Arc<G>>,
    until: Until,
    time: Time,
    classify: Upstream,
}

impl<G: Admit> AdmitLayer<G> {
    /// Asks `guard`, and holds what it gives until the body ends.
    #[must_use]
    pub fn new(guard: G, time: Time) -> Self {
        Self {
            guard: Some(Arc::new(guard)),
            ..Self::off(time)
        }
    }

    /// Lets everything pass.
    #[must_use]
    pub fn off(time: Time) -> Self {
        Self {
            guard: None,
            until: Until::default(),
            classify: Upstream::new(Arc::clone(&time.clock)),
            time,
        }
    }

    /// The same, holding it until then.
    #[must_use]
    pub const fn with_until(mut self, until: Until) -> Self {
        self.until = until;
        self
    }
}

impl<G> Clone for AdmitLayer<G> {
    fn clone(&self) -> Self {
        Self {
            guard: self.guard.clone(),
            until: self.until,
            time: self.time.clone(),
            classify: self.classify.clone(),
        }
    }
}

impl<G> fmt::Debug for AdmitLayer<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdmitLayer")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl<S, G> Layer<S> for AdmitLayer<G> {
    type Service = Admitted<S, G>;

    fn layer(&self, inner: S) -> Admitted<S, G> {
        Admitted {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of an [`AdmitLayer`].
#[derive(Debug)]
pub struct Admitted<S, G> {
    inner: S,
    layer: Arc<AdmitLayer<G>>,
}

impl<S: Clone, G> Clone for Admitted<S, G> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: Arc::clone(&self.layer),
        }
    }
}

impl<S, G, T, B> Service<Request<T>> for Admitted<S, G>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    G: Admit,
    T: Send + 'static,
    B: Body<Data = Bytes>,
{
    type Response = Response<Tap<B>>;
    type Error = BoxError;
    type Future = AdmitFuture<S, Request<T>, Response<Tap<B>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let inner = self.inner.clone();
        let Some(guard) = self.layer.guard.clone() else {
            return AdmitFuture {
                straight: Some(ready_call(inner, request)),
                guarded: None,
            };
        };
        let layer = Arc::clone(&self.layer);
        let guarded = Box::pin(async move {
            let until = deadline(request.extensions());
            // Taken out for the wait, as a request's body need not be `Sync`.
            let (parts, body) = request.into_parts();
            let admitted = guard.admit(&parts.extensions, until).await;
            let mut held = match admitted {
                Ok(held) => held,
                Err(Refused { by, failure }) => {
                    let notes = Notes::of(&parts.extensions);
                    notes.begin(by).said(Said::Deny);
                    return Err(failure.into());
                }
            };
            let request = Request::from_parts(parts, body);
            let outcome = ready_call(inner, request).await.map_err(Into::into);
            let failure = layer.classify.classify(&outcome);
            held.answered(failure.as_ref());
            if failure.is_some() || layer.until == Until::Head {
                held.ended(failure.as_ref());
                return outcome.map(|response| response.map(Tap::unwatched));
            }
            outcome.map(|response| response.map(|body| Tap::new(body, Watching(held))))
        });
        AdmitFuture {
            straight: None,
            guarded: Some(guarded),
        }
    }
}

pin_project_lite::pin_project! {
    /// The future of an [`Admitted`].
    pub struct AdmitFuture<S, R, A>
    where
        S: Service<R>,
    {
        // Where nothing guards.
        #[pin]
        straight: Option<ReadyCall<S, R>>,
        guarded: Option<BoxFuture<Result<A, BoxError>>>,
    }
}

impl<S, R, B> Future for AdmitFuture<S, R, Response<Tap<B>>>
where
    S: Service<R, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<Tap<B>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(straight) = this.straight.as_pin_mut() {
            return straight.poll(cx).map(|outcome| match outcome {
                Ok(response) => Ok(response.map(Tap::unwatched)),
                Err(error) => Err(error.into()),
            });
        }
        match this.guarded {
            Some(guarded) => guarded.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl<S: Service<R>, R, A> fmt::Debug for AdmitFuture<S, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdmitFuture").finish_non_exhaustive()
    }
}

/// The guards of one upstream around its breaker, in the order of
/// [`Policy`](palisade_resilience::Policy): what `waits`, then the breaker, then what `spares` the upstream.
pub type AroundBreaker<W, C, T> =
    tower_layer::Stack<tower_layer::Stack<AdmitLayer<T>, BreakerLayer<C>>, AdmitLayer<W>>;

/// Puts guards around a breaker: those where an attempt may wait (a gate, a bulkhead, a limit that learns, in this order)
/// outside, a throttle inside.
///
/// Whoever waits has asked nobody yet. Were the breaker asked first, an attempt would come out of a queue with a permit of
/// before, to an upstream that has been given up meanwhile; a trial call would stand in the queue while all others are turned away;
/// and the time in our own queue would be held against the upstream. The throttle weighs the calls that would be made against
/// those that the upstream accepts; what an open breaker refuses would have told it nothing.
#[must_use]
pub const fn around_breaker<W, C, T>(
    waits: AdmitLayer<W>,
    breaker: BreakerLayer<C>,
    spares: AdmitLayer<T>,
) -> AroundBreaker<W, C, T> {
    tower_layer::Stack::new(tower_layer::Stack::new(spares, breaker), waits)
}

/// Holds what was given until the body ends.
struct Watching<H>(H);

impl<H: Held> Observe for Watching<H> {
    fn data(&mut self, _: &Bytes) {}

    fn end(self: Box<Self>, end: End, _: bool) -> Option<Ending> {
        match end {
            End::Complete => self.0.ended(None),
            End::Failed => self.0.ended(Some(&Failure::new(ErrorKind::Interrupted))),
            // Cancelled: it says nothing about the upstream.
            End::Dropped => {}
        }
        None
    }
}

/// A [`Bulkhead`] for an [`AdmitLayer`]: attempts wait in its queue, if it has one.
#[derive(Clone, Debug)]
pub struct Places {
    bulkhead: Bulkhead,
    time: Time,
}

impl Places {
    /// Waits on the timer of `time`.
    #[must_use]
    pub const fn new(bulkhead: Bulkhead, time: Time) -> Self {
        Self { bulkhead, time }
    }
}

impl Admit for Places {
    type Held = Slot;

    async fn admit(&self, _: &Extensions, until: Option<Deadline>) -> Result<Slot, Refused> {
        let patience = left(until, &self.time);
        let place = self.bulkhead.wait_for(1, patience, &self.time.timer);
        given("bulkhead", place.await)
    }
}

impl Held for Slot {
    fn answered(&mut self, _: Option<&Failure>) {}

    fn ended(self, _: Option<&Failure>) {}
}

/// An [`AdaptiveLimit`] for an [`AdmitLayer`]: it learns from the time to the head of the answer.
#[derive(Clone, Debug)]
pub struct LearnedPlaces<C> {
    limit: AdaptiveLimit<C>,
    queue: usize,
    patience: Duration,
    time: Time,
}

impl<C> LearnedPlaces<C> {
    /// Lets up to `queue` attempts wait, each for up to `patience`.
    #[must_use]
    pub const fn new(
        limit: AdaptiveLimit<C>,
        queue: usize,
        patience: Duration,
        time: Time,
    ) -> Self {
        Self {
            limit,
            queue,
            patience,
            time,
        }
    }
}

impl<C: Clock + 'static> Admit for LearnedPlaces<C> {
    type Held = AdaptiveSlot<C>;

    async fn admit(
        &self,
        _: &Extensions,
        until: Option<Deadline>,
    ) -> Result<AdaptiveSlot<C>, Refused> {
        let patience = self.patience.min(left(until, &self.time));
        let place = self.limit.wait(self.queue, patience, &self.time.timer);
        given("adaptive_limit", place.await)
    }
}

impl<C: Clock + 'static> Held for AdaptiveSlot<C> {
    fn answered(&mut self, failure: Option<&Failure>) {
        Self::answered(self, failure);
    }

    fn ended(self, failure: Option<&Failure>) {
        self.outcome(failure);
    }
}

impl<C: Clock + 'static> Admit for ClientThrottle<C> {
    type Held = Asked<C>;

    async fn admit(&self, _: &Extensions, _: Option<Deadline>) -> Result<Asked<C>, Refused> {
        let refused = || Refused::new("throttle", Self::refused());
        self.ask().allowed().ok_or_else(refused)
    }
}

impl<C: Clock + 'static> Held for Asked<C> {
    fn answered(&mut self, _: Option<&Failure>) {}

    fn ended(self, failure: Option<&Failure>) {
        self.outcome(failure);
    }
}

/// A [`PushbackGate`] for an [`AdmitLayer`]: one gate for each upstream and model, as the [`Route`](crate::Route) names them.
#[derive(Clone, Debug)]
pub struct Gate<C> {
    gate: PushbackGate<C>,
    patience: Duration,
    time: Time,
}

impl<C> Gate<C> {
    /// Lets an attempt wait for the gate for up to `patience`. Without patience it is refused at once, with the advice.
    #[must_use]
    pub const fn new(gate: PushbackGate<C>, patience: Duration, time: Time) -> Self {
        Self {
            gate,
            patience,
            time,
        }
    }
}

impl<C: Clock + 'static> Admit for Gate<C> {
    type Held = Passed<C>;

    async fn admit(
        &self,
        extensions: &Extensions,
        until: Option<Deadline>,
    ) -> Result<Passed<C>, Refused> {
        let key = key(extensions.get());
        let patience = self.patience.min(left(until, &self.time));
        match self.gate.wait(&key, patience, &self.time.timer).await {
            Decision::Allow(()) => Ok(Passed {
                gate: self.gate.clone(),
                key,
            }),
            Decision::Deny(advice) => {
                let failure = Failure::new(ErrorKind::RateLimited).not_processed();
                Err(Refused::new("gate", failure.with_advice(advice)))
            }
        }
    }
}

/// An attempt that has passed a [`Gate`], and shuts it if it is told to.
#[derive(Debug)]
pub struct Passed<C> {
    gate: PushbackGate<C>,
    key: Key,
}

impl<C: Clock + 'static> Held for Passed<C> {
    fn answered(&mut self, failure: Option<&Failure>) {
        if let Some(failure) = failure {
            self.gate.heard(&self.key, failure);
        }
    }

    fn ended(self, _: Option<&Failure>) {}
}

fn given<H>(
    by: &'static str,
    decision: Decision<H, palisade_resilience::Busy>,
) -> Result<H, Refused> {
    match decision {
        Decision::Allow(held) => Ok(held),
        Decision::Deny(busy) => Err(Refused::new(by, busy.into())),
    }
}

/// How long the caller waits yet.
fn left(until: Option<Deadline>, time: &Time) -> Duration {
    until.map_or(Duration::MAX, |until| until.remaining(time.instant()))
}
