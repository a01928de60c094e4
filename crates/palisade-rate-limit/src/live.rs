use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use palisade_core::Clock;

use crate::{
    AdaptiveConfig, AdaptiveError, Algorithm, Limit, LimitError,
    model::adaptive::{self, Observed, State},
};

/// A limit that may change while it is in force. What its keys have used stays used: counters know a limit by its name.
///
/// Clones share one limit. [`Controls::follow`](crate::Controls::follow) puts it in the place of whichever limit of its name
/// a request is charged with.
///
/// ```
/// use palisade_rate_limit::{Limit, LiveLimit};
///
/// let chat = LiveLimit::new(Limit::per_minute("chat", 60)?);
/// let same = chat.clone();
/// same.set(Limit::per_minute("chat", 600)?)?;
/// assert_eq!(chat.get().amount(), 600);
/// // Another name would be another counter.
/// assert!(chat.set(Limit::per_minute("talk", 600)?).is_err());
/// # Ok::<(), palisade_rate_limit::LimitError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LiveLimit(Arc<RwLock<Limit>>);

impl LiveLimit {
    /// A limit that begins as this one.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self(Arc::new(RwLock::new(limit)))
    }

    /// The limit in force.
    #[must_use]
    pub fn get(&self) -> Limit {
        // Plain data, whole whoever panics.
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts another limit of the same name in force, from the next question on. With another
    /// [algorithm](Limit::algorithm) its counters begin anew.
    ///
    /// # Errors
    ///
    /// [`LimitError::Renamed`] if its name is another.
    pub fn set(&self, limit: Limit) -> Result<(), LimitError> {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if held.name() != limit.name() {
            return Err(LimitError::Renamed);
        }
        *held = limit;
        Ok(())
    }
}

/// A limit whose rate follows how the calls it lets pass turn out: [`model::adaptive`](crate::model::adaptive) under a lock.
///
/// Tell it of every call with [`observe`](Adaptive::observe). The burst follows the rate. Clones share one rate.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::ManualClock;
/// use palisade_rate_limit::{Adaptive, AdaptiveConfig, Limit, Observed};
///
/// let clock = ManualClock::default();
/// let upstream = Limit::per_minute("upstream", 600)?;
/// let adaptive = Adaptive::new(upstream, AdaptiveConfig::between(60, 600), clock.clone())?;
/// for _ in 0..20 {
///     clock.advance(Duration::from_millis(100));
///     adaptive.observe(Observed::Overloaded);
/// }
/// assert_eq!(adaptive.limit().get().amount(), 420);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Adaptive<C> {
    base: Limit,
    config: AdaptiveConfig,
    live: LiveLimit,
    state: Arc<Mutex<State>>,
    clock: C,
}

impl<C: Clock> Adaptive<C> {
    /// `limit` at the ceiling, in windows of `clock`.
    ///
    /// # Errors
    ///
    /// [`AdaptiveError`] if the configuration contradicts itself, or the limit's amount cannot be its floor or its ceiling.
    pub fn new(limit: Limit, config: AdaptiveConfig, clock: C) -> Result<Self, AdaptiveError> {
        config.check()?;
        // The one whose bucket would take longest to fill is that of the floor.
        scaled(&limit, &config, config.floor)?;
        let live = LiveLimit::new(scaled(&limit, &config, config.ceiling)?);
        Ok(Self {
            base: limit,
            live,
            state: Arc::new(Mutex::new(State::new(&config))),
            config,
            clock,
        })
    }

    /// The limit in force, for [`Controls::follow`](crate::Controls::follow).
    #[must_use]
    pub const fn limit(&self) -> &LiveLimit {
        &self.live
    }

    /// Learns how a call went.
    pub fn observe(&self, seen: Observed) {
        let now = self.clock.instant();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.amount;
        *state = adaptive::step(&self.config, *state, seen, now);
        if state.amount != before
            && let Ok(limit) = scaled(&self.base, &self.config, state.amount)
        {
            // Under the lock, so that the newest word is the last one. The name is the same.
            let _ = self.live.set(limit);
        }
    }

    /// Learns that a call was answered after so long.
    pub fn answered(&self, after: Duration) {
        self.observe(Observed::Answered(after));
    }

    /// Learns that a call failed in a way that fewer calls would mend.
    pub fn overloaded(&self) {
        self.observe(Observed::Overloaded);
    }
}

/// The limit at another rate, its burst in proportion.
fn scaled(base: &Limit, config: &AdaptiveConfig, amount: u64) -> Result<Limit, AdaptiveError> {
    let limit = match base.algorithm() {
        Algorithm::TokenBucket => {
            let burst = u128::from(base.burst()) * u128::from(amount) / u128::from(config.ceiling);
            let burst = u64::try_from(burst).unwrap_or(u64::MAX).max(1);
            Limit::new(base.name(), amount, base.period()).and_then(|limit| limit.with_burst(burst))
        }
        Algorithm::FixedWindow => Limit::fixed_window(base.name(), amount, base.period()),
        Algorithm::SlidingWindow => Limit::sliding_window(base.name(), amount, base.period()),
        Algorithm::SlidingLog => Limit::sliding_log(base.name(), amount, base.period()),
        Algorithm::Concurrency => Limit::concurrency(base.name(), amount),
    };
    limit
        .and_then(|limit| limit.with_soft_percent(base.soft_percent()))
        .map_err(|source| AdaptiveError::Limit { amount, source })
}

impl<C: Clone> Clone for Adaptive<C> {
    fn clone(&self) -> Self {
        Self {
            base: self.base,
            config: self.config,
            live: self.live.clone(),
            state: Arc::clone(&self.state),
            clock: self.clock.clone(),
        }
    }
}

impl<C> fmt::Debug for Adaptive<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adaptive")
            .field("limit", &self.live.get())
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
