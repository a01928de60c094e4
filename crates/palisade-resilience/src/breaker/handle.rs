use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use palisade_core::{
    Clock, Decision, Health, Instant, Key, Probe, RetryAfter, Status, SystemClock,
};

use super::{
    config::BreakerPolicy,
    model::{BreakerModel, Change, Denied, DeniedWhy, Ended, Phase, Ticket},
    window::Counts,
};
use crate::{ErrorKind, Failure, Fault};

/// Stops calling an upstream that does not answer, and finds out gently when it does again.
///
/// Without one, every caller of a dead upstream waits for its time-out, holds its memory and its connection meanwhile,
/// and hammers the upstream as it tries to come back.
///
/// Clones are handles on one circuit. Ask with [`admit`](Breaker::admit), make the call, tell the [`Permit`] how it went.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::{Decision, Dimension, Key, ManualClock};
/// use palisade_resilience::{Breaker, BreakerConfig, ErrorKind, Failure};
///
/// let clock = ManualClock::default();
/// let policy = BreakerConfig::default().with_consecutive_failures(2).build()?;
/// let breaker = Breaker::new(Key::new(Dimension::Provider, "acme")?, policy, clock.clone());
/// for _ in 0..2 {
///     let Decision::Allow(permit) = breaker.admit() else { unreachable!("it is closed") };
///     permit.failure(&Failure::new(ErrorKind::Unavailable));
/// }
/// let denied = breaker.admit().denied().unwrap();
/// assert_eq!(denied.retry_after.as_secs_ceil(), Some(5));
///
/// clock.advance(Duration::from_secs(5));
/// assert!(breaker.admit().is_allow());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Breaker<C = SystemClock>(Arc<Shared<C>>);

struct Shared<C> {
    key: Key,
    clock: C,
    /// Whether a permit must know when it was given.
    timed: bool,
    /// The generation, shifted left by one, and in the lowest bit whether calls pass without a question. It mirrors the
    /// model, and is written under its lock, so that a closed breaker admits without taking it.
    pass: AtomicU64,
    model: Mutex<BreakerModel>,
    observer: Option<Arc<dyn BreakerObserver>>,
}

/// Hears of every change of phase, in the order of the changes of one caller; two callers' reports may overtake each other,
/// so compare [`Change::at`]. Sync and quick. It is called with no lock held, so it may ask the breaker.
///
/// Closures over `(&Key, &Change)` are observers.
pub trait BreakerObserver: Send + Sync {
    /// The breaker of `key` changed its phase.
    fn changed(&self, key: &Key, change: &Change);
}

impl<F> BreakerObserver for F
where
    F: Fn(&Key, &Change) + Send + Sync,
{
    fn changed(&self, key: &Key, change: &Change) {
        self(key, change);
    }
}

impl<C: Clock> Breaker<C> {
    /// A closed breaker. The key names it in events and on health pages.
    #[must_use]
    pub fn new(key: Key, policy: BreakerPolicy, clock: C) -> Self {
        Self::build(key, policy, clock, None)
    }

    /// The same, telling `observer` of every change.
    #[must_use]
    pub fn with_observer(
        key: Key,
        policy: BreakerPolicy,
        clock: C,
        observer: Arc<dyn BreakerObserver>,
    ) -> Self {
        Self::build(key, policy, clock, Some(observer))
    }

    pub(super) fn build(
        key: Key,
        policy: BreakerPolicy,
        clock: C,
        observer: Option<Arc<dyn BreakerObserver>>,
    ) -> Self {
        let model = BreakerModel::new(policy);
        Self(Arc::new(Shared {
            key,
            clock,
            timed: policy.config().slow_after.is_some(),
            pass: AtomicU64::new(pass_word(&model)),
            model: Mutex::new(model),
            observer,
        }))
    }

    /// May a call be made now?
    pub fn admit(&self) -> Decision<Permit<C>, Denied> {
        let shared = &self.0;
        let word = shared.pass.load(Ordering::Acquire);
        if word & 1 == 1 {
            // What the model would do: a ticket of this generation, and nothing changes. Should the breaker open just
            // now, the ticket is stale and its outcome counts nowhere, as with any call that was under way.
            let admitted = shared.timed.then(|| shared.clock.instant());
            return Decision::Allow(self.permit(Ticket::new(word >> 1, admitted), false));
        }
        let now = shared.clock.instant();
        let (decision, change) = shared.step(|model| model.admit(now));
        shared.tell(change);
        decision.map(|ticket| self.permit(ticket, true))
    }

    /// Refuses every call until [`release`](Breaker::release).
    pub fn force_open(&self) {
        self.force(|model, now| model.force(true, now));
    }

    /// Lets every call pass until [`release`](Breaker::release), whatever happens.
    pub fn force_closed(&self) {
        self.force(|model, now| model.force(false, now));
    }

    /// Ends a forced phase, or any other: closed, with nothing held against the upstream.
    pub fn release(&self) {
        self.force(BreakerModel::release);
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.0.key
    }

    /// What it is doing, and what it has seen.
    #[must_use]
    pub fn status(&self) -> BreakerStatus {
        let now = self.0.clock.instant();
        let mut model = self.0.lock();
        BreakerStatus {
            key: self.0.key.clone(),
            phase: model.phase(),
            counts: model.counts(now),
            open_for: model.open_until().map(|until| until.saturating_since(now)),
            changes: model.generation(),
        }
    }

    /// Since when it has been waiting for somebody to try again, if the open time is over.
    pub(super) fn idle_open_for(&self, now: Instant) -> Option<Duration> {
        let until = self.0.lock().open_until()?;
        (until <= now).then(|| now.saturating_since(until))
    }

    /// Whether nobody but the registry holds a handle or a permit.
    pub(super) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    fn permit(&self, ticket: Ticket, asked: bool) -> Permit<C> {
        Permit {
            shared: Arc::clone(&self.0),
            ticket,
            asked,
            ended: Ended::Nothing,
        }
    }

    fn force(&self, f: impl FnOnce(&mut BreakerModel, Instant) -> Change) {
        let now = self.0.clock.instant();
        let change = self.0.step(|model| f(model, now));
        self.0.tell(Some(change));
    }
}

impl<C> Shared<C> {
    fn step<R>(&self, f: impl FnOnce(&mut BreakerModel) -> R) -> R {
        let mut model = self.lock();
        let before = model.generation();
        let result = f(&mut model);
        if model.generation() != before {
            self.pass.store(pass_word(&model), Ordering::Release);
        }
        result
    }

    fn tell(&self, change: Option<Change>) {
        if let (Some(observer), Some(change)) = (&self.observer, change) {
            observer.changed(&self.key, &change);
        }
    }

    /// The model is whole after every step, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, BreakerModel> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pass_word(model: &BreakerModel) -> u64 {
    let passes = matches!(model.phase(), Phase::Closed | Phase::ForcedClosed);
    model.generation() << 1 | u64::from(passes)
}

impl<C> Clone for Breaker<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> fmt::Debug for Breaker<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("key", &self.0.key)
            .field("phase", &self.0.lock().phase())
            .finish_non_exhaustive()
    }
}

impl<C: Clock> Probe for Breaker<C> {
    fn health(&self) -> Health {
        let status = self.status();
        let (state, detail) = match status.phase {
            Phase::Closed | Phase::ForcedClosed => (Status::Up, "closed"),
            Phase::HalfOpen => (Status::Degraded, "half open: trying"),
            Phase::Open => (Status::Down, "open"),
            Phase::ForcedOpen => (Status::Down, "held open by an operator"),
        };
        Health::new(format!("breaker {}", status.key), state, detail)
    }
}

/// The permission to make one call. Say how it went; dropping it without a word means that it was cancelled.
///
/// A dropped trial call gives its place back and does *not* count as a success; a dropped call that had already been slow
/// counts as slow. It is `Send`, so it can travel with a response body and speak when the last byte is through.
#[must_use = "a permit that is dropped at once counts as a cancelled call"]
pub struct Permit<C: Clock = SystemClock> {
    shared: Arc<Shared<C>>,
    ticket: Ticket,
    /// Whether the model gave it, or the short cut did.
    asked: bool,
    ended: Ended,
}

impl<C: Clock> Permit<C> {
    /// The call succeeded.
    pub fn success(mut self) {
        self.ended = Ended::Success;
    }

    /// The call failed. Only the upstream's own faults count against it: ten thousand malformed requests are no reason
    /// to stop calling a healthy service.
    pub fn failure(mut self, failure: &Failure) {
        let advice = failure.advice().and_then(RetryAfter::duration);
        self.ended = match (failure.fault(), advice) {
            (Fault::Upstream, advice) => Ended::Failure(advice),
            (Fault::Us, Some(advice)) if failure.kind() == ErrorKind::RateLimited => {
                Ended::Pushback(advice)
            }
            (Fault::Us | Fault::Caller, _) => Ended::Nothing,
        };
    }

    /// The call ended as a [`Classify`](crate::Classify) says.
    pub fn outcome(self, failure: Option<&Failure>) {
        match failure {
            None => self.success(),
            Some(failure) => self.failure(failure),
        }
    }
}

impl<C: Clock> Drop for Permit<C> {
    fn drop(&mut self) {
        // Nothing was learnt and no place is held.
        if self.ended == Ended::Nothing && !self.asked && !self.shared.timed {
            return;
        }
        let now = self.shared.clock.instant();
        let (ticket, ended) = (self.ticket, self.ended);
        let change = self.shared.step(|model| model.end(ticket, ended, now));
        self.shared.tell(change);
    }
}

impl<C: Clock> fmt::Debug for Permit<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("key", &self.shared.key)
            .finish_non_exhaustive()
    }
}

/// One breaker, as a health page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerStatus {
    /// Whose breaker it is.
    pub key: Key,
    /// What it is doing.
    pub phase: Phase,
    /// What its window holds.
    pub counts: Counts,
    /// How long it stays open yet, if it is open.
    pub open_for: Option<Duration>,
    /// How often it has changed its phase.
    pub changes: u64,
}

impl Denied {
    pub(super) const fn registry_full() -> Self {
        Self {
            retry_after: RetryAfter::Unknown,
            why: DeniedWhy::RegistryFull,
        }
    }
}

/// The call was never made. An operator's *no* is not worth repeating; the others are.
impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::new(ErrorKind::CircuitOpen)
            .with_advice(denied.retry_after)
            .with_retryable(denied.why != DeniedWhy::Forced)
    }
}
