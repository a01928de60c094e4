use std::{
    fmt,
    sync::{Arc, PoisonError},
    time::Duration,
};

use palisade_core::{
    Clock, Decision, Health, Instant, Key, Probe, RetryAfter, Status, SystemClock,
};

use super::{
    config::BreakerPolicy,
    model::{BreakerModel, Ticket},
    pending::{Pending, Tag},
    permit::{Admitted, BorrowedPermit, Permit},
    phase::{Change, Denied, DeniedWhy, Ended, Phase},
    window::Counts,
};
use crate::{
    Classify, ErrorKind, Failure, Random,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering},
};

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
/// // Five seconds, and up to a tenth more.
/// assert!(matches!(denied.retry_after.as_secs_ceil(), Some(5 | 6)));
///
/// clock.advance(Duration::from_secs(6));
/// assert!(breaker.admit().is_allow());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Breaker<C = SystemClock>(Arc<Shared<C>>);

/// Written under the model's lock and read without it. What is written seldom comes first, on a line of its own.
#[repr(align(128))]
pub(super) struct Shared<C> {
    /// The generation, shifted left by two, and below it what becomes of a call without a question. It mirrors the model, so
    /// that a closed breaker admits, and an open one refuses, without taking its lock.
    door: AtomicU64,
    /// Until when it stays open, in nanoseconds, for whoever finds the door [`SHUT`].
    shut_until: AtomicU64,
    /// When successes must be told to the model again, as a part of its window ends, in nanoseconds. Never is the maximum.
    turns_at: AtomicU64,
    /// How often that has been.
    turn: AtomicU64,
    /// Whether a permit must know when it was given.
    needs_start: bool,
    watches_running: bool,
    abandoned_after: Option<Duration>,
    key: Key,
    clock: C,
    observer: Option<Arc<dyn BreakerObserver>>,
    pending: Pending,
    /// Calls turned away. They write nothing else.
    refused: Refused,
    locked: Mutex<Locked>,
}

/// On a line of its own, as those who are turned away are many.
#[repr(align(128))]
struct Refused(AtomicU64);

/// Calls pass.
const PASS: u64 = 0b01;
/// Calls are turned away until a time that has been set.
const SHUT: u64 = 0b10;
/// The bits of a door that are not the generation's.
const DOOR_BITS: u32 = 2;

struct Locked {
    model: BreakerModel,
    /// Under which successes are pending now.
    tag: Tag,
    opened: u64,
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

/// Both hear, the first one first.
impl<A: BreakerObserver, B: BreakerObserver> BreakerObserver for (A, B) {
    fn changed(&self, key: &Key, change: &Change) {
        self.0.changed(key, change);
        self.1.changed(key, change);
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
        let mut model = BreakerModel::new(policy).with_seed(Random::process().next());
        let turns_at = model.turns_at(clock.instant());
        let tag = tag(&model, 0);
        Self(Arc::new(Shared {
            door: AtomicU64::new(door(&model)),
            shut_until: AtomicU64::new(0),
            turns_at: AtomicU64::new(turns_at),
            turn: AtomicU64::new(0),
            needs_start: policy.needs_start(),
            watches_running: policy.watches_running(),
            abandoned_after: policy.config().abandoned_after,
            key,
            clock,
            observer,
            pending: Pending::new(tag),
            refused: Refused(AtomicU64::new(0)),
            locked: Mutex::new(Locked {
                model,
                tag,
                opened: 0,
            }),
        }))
    }

    /// May a call be made now? The permit may be sent away and outlive this handle.
    #[inline]
    pub fn admit(&self) -> Decision<Permit<C>, Denied> {
        self.0
            .admit()
            .map(|call| Permit::new(Arc::clone(&self.0), call))
    }

    /// May a call be made now, that ends while this handle lives?
    #[inline]
    pub fn admit_here(&self) -> Decision<BorrowedPermit<'_, C>, Denied> {
        self.0
            .admit()
            .map(|call| BorrowedPermit::new(&self.0, call))
    }

    /// Makes the call if it may be made now; `classify` says how it went.
    #[inline]
    pub fn call<O>(
        &self,
        classify: &impl Classify<O>,
        work: impl FnOnce() -> O,
    ) -> Decision<O, Denied> {
        self.admit_here().map(|permit| {
            let outcome = work();
            permit.outcome(classify.classify(&outcome).as_ref());
            outcome
        })
    }

    /// Waits for the call if it may be made now; `classify` says how it went.
    ///
    /// # Cancel safety
    ///
    /// Dropped while the call is under way, it counts as cancelled.
    pub async fn run<O>(
        &self,
        classify: &impl Classify<O>,
        work: impl Future<Output = O>,
    ) -> Decision<O, Denied> {
        match self.admit_here() {
            Decision::Allow(permit) => {
                let outcome = work.await;
                permit.outcome(classify.classify(&outcome).as_ref());
                Decision::Allow(outcome)
            }
            Decision::Deny(denied) => Decision::Deny(denied),
        }
    }

    /// Looks for calls that hang, without making one. Every admission does this too; a timer that does it lets a breaker
    /// open when no new calls come.
    pub fn check(&self) {
        let now = self.0.clock.instant();
        let change = self.0.step(now, |locked| locked.model.check(now));
        self.0.tell(change);
    }

    /// Refuses every call until [`release`](Breaker::release).
    pub fn force_open(&self) {
        self.force(|model, now| model.force(true, now));
    }

    /// Lets every call pass until [`release`](Breaker::release), whatever happens. What happens is still counted.
    pub fn force_closed(&self) {
        self.force(|model, now| model.force(false, now));
    }

    /// Lets every call pass and counts nothing until [`release`](Breaker::release).
    pub fn disable(&self) {
        self.force(BreakerModel::disable);
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
        self.0.step(now, |locked| BreakerStatus {
            key: self.0.key.clone(),
            phase: locked.model.phase(),
            counts: locked.model.counts(now),
            open_for: locked
                .model
                .open_until()
                .map(|until| until.saturating_since(now)),
            changes: locked.model.generation(),
            opened: locked.opened,
            refused: self.0.refused.0.load(Ordering::Relaxed),
        })
    }

    /// Since when it has been waiting for somebody to try again, if the open time is over.
    pub(super) fn idle_open_for(&self, now: Instant) -> Option<Duration> {
        let until = self.0.lock().model.open_until()?;
        (until <= now).then(|| now.saturating_since(until))
    }

    /// Whether nobody but the registry holds a handle or a permit.
    pub(super) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    fn force(&self, f: impl FnOnce(&mut BreakerModel, Instant) -> Change) {
        let now = self.0.clock.instant();
        let change = self.0.step(now, |locked| f(&mut locked.model, now));
        self.0.tell(Some(change));
    }
}

impl<C: Clock> Shared<C> {
    #[inline]
    fn admit(&self) -> Decision<Admitted, Denied> {
        let door = self.door.load(Ordering::Acquire);
        if door & PASS == PASS {
            // What the model would do: a ticket of this generation, and nothing changes. Should the breaker open just
            // now, the ticket is stale and its outcome counts nowhere, as with any call that was under way.
            let admitted = self.needs_start.then(|| self.clock.instant());
            let ticket = Ticket::new(door >> DOOR_BITS, admitted);
            return Decision::Allow(Admitted::new(ticket, false));
        }
        let now = self.clock.instant();
        if door & SHUT == SHUT {
            // Here too: an open breaker only looks at the time. The one that was set for this door, or, if the breaker has been
            // open once more since, for the next: either way it is open until then. If it has been released just now, this
            // question came before that.
            let until = Instant::from_nanos(self.shut_until.load(Ordering::Relaxed));
            let left = until.saturating_since(now);
            if left > Duration::ZERO {
                self.refused.0.fetch_add(1, Ordering::Relaxed);
                return Decision::Deny(Denied {
                    retry_after: RetryAfter::After(left),
                    why: DeniedWhy::Open,
                });
            }
        }
        self.ask(now)
    }

    #[cold]
    fn ask(&self, now: Instant) -> Decision<Admitted, Denied> {
        let (decision, change) = self.step(now, |locked| locked.model.admit(now));
        self.tell(change);
        if decision.is_deny() {
            self.refused.0.fetch_add(1, Ordering::Relaxed);
        }
        decision.map(|ticket| Admitted::new(ticket, true))
    }

    pub(super) fn first_token(&self, ticket: &mut Ticket) {
        if self.watches_running {
            let now = self.clock.instant();
            let change = self.step(now, |locked| locked.model.first_token(ticket, now));
            self.tell(change);
        }
    }

    /// A call has ended.
    #[inline]
    pub(super) fn finish(&self, call: &Admitted) {
        let turn = self.turn.load(Ordering::Acquire);
        let turns_at = self.turns_at.load(Ordering::Relaxed);
        let mut now = None;
        match call.ended {
            Ended::Success => {
                // Read only where the window has parts that end.
                let in_time =
                    turns_at == u64::MAX || now.insert(self.clock.instant()).as_nanos() < turns_at;
                let tag = Tag::new(call.ticket.generation(), turn);
                if in_time && self.pending.add(tag) {
                    return;
                }
            }
            // Nothing was learnt and no place is held.
            Ended::Nothing | Ended::Cancelled if !call.asked && !self.watches_running => {
                let old = || {
                    let age = call.ticket.age(*now.insert(self.clock.instant()));
                    age.zip(self.abandoned_after)
                        .is_some_and(|(age, limit)| age >= limit)
                };
                if call.ended == Ended::Nothing || self.abandoned_after.is_none() || !{ old }() {
                    return;
                }
            }
            _ => {}
        }
        self.finish_asking(call, now.unwrap_or_else(|| self.clock.instant()));
    }

    #[cold]
    fn finish_asking(&self, call: &Admitted, now: Instant) {
        let change = self.step(now, |locked| locked.model.end(call.ticket, call.ended, now));
        self.tell(change);
    }
}

impl<C> Shared<C> {
    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    /// Lets `f` at the model, once it has been told of the successes that are pending, and mirrors what became of it.
    fn step<R>(&self, now: Instant, f: impl FnOnce(&mut Locked) -> R) -> R {
        let mut locked = self.lock();
        let before = locked.model.generation();
        let mut turn = self.turn.load(Ordering::Relaxed);
        if locked.tag != Tag::SHUT {
            let turns = now.as_nanos() >= self.turns_at.load(Ordering::Relaxed);
            turn += u64::from(turns);
            // From here on, a success that was timed before the turn finds another tag and waits for the lock.
            locked.tag = tag(&locked.model, turn);
            let pending = self.pending.collect(locked.tag);
            locked.model.successes(pending);
        }
        let passed = locked.model.passes_all();
        let result = f(&mut locked);
        let changed = locked.model.generation() != before;
        if changed {
            locked.opened += u64::from(locked.model.phase() == Phase::Open);
            locked.tag = tag(&locked.model, turn);
            // Of the generation that has just ended, so nobody's business any more.
            let _late = self.pending.collect(locked.tag);
        }
        self.turns_at
            .store(locked.model.turns_at(now), Ordering::Relaxed);
        self.turn.store(turn, Ordering::Release);
        if changed || passed != locked.model.passes_all() {
            if let Some(until) = locked.model.open_until() {
                self.shut_until.store(until.as_nanos(), Ordering::Relaxed);
            }
            self.door.store(door(&locked.model), Ordering::Release);
        }
        result
    }

    fn tell(&self, change: Option<Change>) {
        if let (Some(observer), Some(change)) = (&self.observer, change) {
            observer.changed(&self.key, &change);
        }
    }

    /// The model is whole after every step, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Locked> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of a call of this generation without a question.
fn door(model: &BreakerModel) -> u64 {
    let shut = if model.open_until().is_some() {
        SHUT
    } else {
        0
    };
    let pass = if model.passes_all() { PASS } else { 0 };
    model.generation() << DOOR_BITS | shut | pass
}

/// Under which successes may be pending, if they may.
fn tag(model: &BreakerModel, turn: u64) -> Tag {
    if model.successes_only_count() {
        Tag::new(model.generation(), turn)
    } else {
        Tag::SHUT
    }
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
            .field("phase", &self.0.lock().model.phase())
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
            Phase::Disabled => (Status::Up, "disabled by an operator"),
        };
        Health::new(format!("breaker {}", status.key), state, detail)
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
    /// How often it has opened.
    pub opened: u64,
    /// How many calls it has refused.
    pub refused: u64,
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
