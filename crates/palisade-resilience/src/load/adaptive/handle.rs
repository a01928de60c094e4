use std::{
    fmt,
    sync::{Arc, PoisonError},
    time::Duration,
};

use palisade_core::{Clock, Decision, Health, Instant, Probe, Status, SystemClock, Timer};

use super::{
    super::queue::{Busy, Places, Queued},
    config::AdaptivePolicy,
    model::{AdaptiveModel, Sample, Verdict},
};
use crate::{
    ErrorKind, Failure, Fault, Random,
    sync::{Mutex, MutexGuard},
};

/// A limit on how many calls are under way at once that finds out by itself how many the upstream can carry.
///
/// A fixed limit is right on the day it is measured. Too low it wastes what is paid for; too high, a slow hour of the
/// upstream fills its queue with calls nobody waits for any more.
///
/// Clones share the limit. Take an [`AdaptiveSlot`], make the call, say how it went.
///
/// ```
/// use palisade_core::{Decision, ManualClock};
/// use palisade_resilience::{Adaptation, AdaptiveConfig, AdaptiveLimit, ErrorKind, Failure};
///
/// let config = AdaptiveConfig::new(Adaptation::Aimd).with_range(1, 10, 100);
/// let limit = AdaptiveLimit::new(config.build()?, ManualClock::default());
/// let Decision::Allow(slot) = limit.enter() else { unreachable!("ten places are free") };
/// slot.outcome(Some(&Failure::new(ErrorKind::Overloaded)));
/// assert_eq!(limit.limit(), 9);
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
pub struct AdaptiveLimit<C = SystemClock>(Arc<Shared<C>>);

struct Shared<C> {
    clock: C,
    places: Arc<Places>,
    model: Mutex<AdaptiveModel>,
    policy: AdaptivePolicy,
}

impl<C: Clock> AdaptiveLimit<C> {
    /// A limit that begins where the policy says.
    #[must_use]
    pub fn new(policy: AdaptivePolicy, clock: C) -> Self {
        Self::seeded(policy, clock, Random::process().next())
    }

    /// The same, with chances that repeat themselves.
    #[must_use]
    pub fn seeded(policy: AdaptivePolicy, clock: C, seed: u64) -> Self {
        let model = AdaptiveModel::new(policy).with_seed(seed);
        Self(Arc::new(Shared {
            clock,
            places: Places::new(model.limit() as usize),
            model: Mutex::new(model),
            policy,
        }))
    }

    /// A place, if one is free and nobody waits for it.
    pub fn enter(&self) -> Decision<AdaptiveSlot<C>, Busy> {
        if self.0.places.take(1) {
            Decision::Allow(self.slot())
        } else {
            Decision::Deny(Busy::NoPlace)
        }
    }

    /// A place, waiting for it for up to `patience` if fewer than `queue` callers wait already. First come, first served.
    ///
    /// # Cancel safety
    ///
    /// Dropped while waiting, it leaves the queue and passes on what was given to it meanwhile.
    pub async fn wait(
        &self,
        queue: usize,
        patience: Duration,
        timer: &impl Timer,
    ) -> Decision<AdaptiveSlot<C>, Busy> {
        if let Decision::Allow(slot) = self.enter() {
            return Decision::Allow(slot);
        }
        if queue == 0 || patience.is_zero() {
            return Decision::Deny(Busy::NoPlace);
        }
        let sleep = timer.sleep(patience);
        let queued = Queued::new(Arc::clone(&self.0.places), 1, queue, Some(sleep));
        // The slot begins when the place is there: the wait here is not the upstream's.
        queued.await.map(|()| self.slot())
    }

    /// How many calls may be under way now.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.places.numbers().0
    }

    /// How many are.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.0.places.numbers().1
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.places.numbers().2
    }

    /// What a call takes when the upstream has nothing else to do, as far as is known.
    #[must_use]
    pub fn unloaded(&self) -> Option<Duration> {
        self.0.lock().unloaded()
    }

    fn slot(&self) -> AdaptiveSlot<C> {
        AdaptiveSlot {
            began: self.0.clock.instant(),
            shared: Arc::clone(&self.0),
            verdict: Verdict::Nothing,
            taught: false,
        }
    }
}

impl<C> Shared<C> {
    /// The model is whole after every step, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, AdaptiveModel> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Clone for AdaptiveLimit<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Clock> Probe for AdaptiveLimit<C> {
    /// Degraded while the limit is at its floor: the upstream carries hardly anything.
    fn health(&self) -> Health {
        let (limit, busy, waiting) = self.0.places.numbers();
        let config = self.0.policy.config();
        let at_floor = limit <= config.floor as usize && config.floor < config.initial;
        let status = if at_floor {
            Status::Degraded
        } else {
            Status::Up
        };
        let detail = format!("{busy} of {limit} under way, {waiting} waiting");
        Health::new("concurrency", status, detail)
    }
}

impl<C> fmt::Debug for AdaptiveLimit<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, busy, waiting) = self.0.places.numbers();
        f.debug_struct("AdaptiveLimit")
            .field("limit", &limit)
            .field("busy", &busy)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

/// A place under an [`AdaptiveLimit`], free again when dropped. Say how the call went; dropped without a word, only a long
/// time in it counts.
#[must_use = "the place is free again as soon as this is dropped"]
pub struct AdaptiveSlot<C: Clock = SystemClock> {
    shared: Arc<Shared<C>>,
    began: Instant,
    verdict: Verdict,
    taught: bool,
}

impl<C: Clock> AdaptiveSlot<C> {
    /// The call was carried out.
    pub fn success(self) {
        self.outcome(None);
    }

    /// The call ended as a [`Classify`](crate::Classify) says. Being throttled, refused for load, not reached or not answered in
    /// time is a drop; what failed for another reason tells nothing of the load.
    pub fn outcome(mut self, failure: Option<&Failure>) {
        self.verdict = verdict(failure);
    }

    /// The answer has begun, or failed to, and the place is still needed. What the call teaches, it teaches now: how long a
    /// stream lasts is a matter of its length, not of the load.
    pub fn answered(&mut self, failure: Option<&Failure>) {
        self.verdict = verdict(failure);
        self.teach();
    }

    fn teach(&mut self) {
        if std::mem::replace(&mut self.taught, true) {
            return;
        }
        let now = self.shared.clock.instant();
        let (_, busy, _) = self.shared.places.numbers();
        let in_flight = u32::try_from(busy).unwrap_or(u32::MAX);
        let sample = Sample::new(self.began, in_flight, self.verdict);
        let mut model = self.shared.lock();
        let before = model.limit();
        model.sample(sample, now);
        // Under the lock, so that of two changes the later one stays.
        if model.limit() != before {
            self.shared.places.set_limit(model.limit() as usize);
        }
    }
}

fn verdict(failure: Option<&Failure>) -> Verdict {
    // What a guard of ours turned away has not been asked of the upstream.
    let ours = failure.is_some_and(|failure| failure.fault() == Fault::Us);
    match failure.map(Failure::kind) {
        None => Verdict::Done,
        Some(ErrorKind::Overloaded | ErrorKind::Timeout | ErrorKind::Unavailable) if ours => {
            Verdict::Nothing
        }
        Some(
            ErrorKind::RateLimited
            | ErrorKind::Overloaded
            | ErrorKind::Timeout
            | ErrorKind::Unavailable,
        ) => Verdict::Dropped,
        Some(_) => Verdict::Nothing,
    }
}

impl<C: Clock> Drop for AdaptiveSlot<C> {
    fn drop(&mut self) {
        self.teach();
        self.shared.places.give_back(1);
    }
}

impl<C: Clock> fmt::Debug for AdaptiveSlot<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdaptiveSlot")
    }
}
