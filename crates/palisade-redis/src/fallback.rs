mod gate;
mod rules;

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use palisade_core::{
    Clock, Decision, Health, Key, Probe, RetryAfter, Status as HealthStatus, StoreError,
    StoreErrorKind, SystemClock,
};
use palisade_rate_limit::{
    Allowed, Charge, ConfigError, Denied, InMemory, Limit, MemoryConfig, RateLimiter,
    ReserveRequest, SettleRequest, Settled, Source, Status, Use,
};

use self::gate::Gate;
pub use self::rules::{Fallback, FallbackConfig, FallbackError};

/// A rate limiter that answers also while its store does not, as each limit's [`Fallback`] says.
///
/// After a few failures in a row the store is left alone, and questions are answered at once; one question at a time tries
/// whether it is back. Every answer says [who gave it](Allowed::source).
///
/// # Bounds
///
/// With [`Fallback::Share`], all processes together admit at most their shares of the limit on top of what the store admits,
/// each time the store is lost; what they admit is not charged to the store later. A settlement that the store does not take
/// is an error, to be tried again ([`Settler`](palisade_rate_limit::Settler) does so).
///
/// ```
/// use palisade_core::SystemClock;
/// use palisade_rate_limit::InMemory;
/// use palisade_redis::{Fallback, FallbackConfig, WithFallback};
///
/// # let redis = InMemory::default();
/// let config = FallbackConfig::new(Fallback::Share).with_share(4, 80)?;
/// let limiter = WithFallback::new(redis, config, SystemClock)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WithFallback<L, C = SystemClock> {
    store: L,
    shares: InMemory<C>,
    gate: Gate,
    config: FallbackConfig,
    clock: C,
    from_store: AtomicU64,
    from_share: AtomicU64,
    by_rule: AtomicU64,
    unanswered: AtomicU64,
}

/// How often who answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FallbackCounts {
    /// The store.
    pub store: u64,
    /// This process, from its share.
    pub local: u64,
    /// A rule, without looking.
    pub default: u64,
    /// Nobody.
    pub failed: u64,
    /// How often the store has been given up, until it came back.
    pub lost: u64,
}

const RESERVING: &str = "reserving a rate in a store that does not answer";
const SETTLING: &str = "settling a rate in a store that does not answer";

impl<L: RateLimiter, C: Clock + Clone> WithFallback<L, C> {
    /// This store, and that while it does not answer.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Capacity`] if the shares have room for no key, or for too many.
    pub fn new(store: L, config: FallbackConfig, clock: C) -> Result<Self, ConfigError> {
        let keys = if config.has_shares() { config.keys } else { 1 };
        let memory = MemoryConfig::new().with_capacity(keys).with_holds(keys);
        Ok(Self {
            store,
            shares: InMemory::new(memory, clock.clone())?,
            gate: Gate::new(config.failures_max, config.waits),
            config,
            clock,
            from_store: AtomicU64::new(0),
            from_share: AtomicU64::new(0),
            by_rule: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
        })
    }

    /// How often who answered.
    pub fn counts(&self) -> FallbackCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        FallbackCounts {
            store: read(&self.from_store),
            local: read(&self.from_share),
            default: read(&self.by_rule),
            failed: read(&self.unanswered),
            lost: self.gate.opened(),
        }
    }

    /// The store behind it.
    pub const fn store(&self) -> &L {
        &self.store
    }

    /// Lets the shares count what the store has admitted.
    fn shadow(&self, request: ReserveRequest<'_>) {
        if !self.config.has_shares() || request.dry_run {
            return;
        }
        for charge in request.charges {
            if let Some(share) = self.share(charge.limit) {
                let charge = Charge::new(&share, charge.key, charge.cost);
                let mut request = request;
                request.charges = std::slice::from_ref(&charge);
                // What does not fit leaves the share as empty as it is.
                let _ = self.shares.reserve_now(request);
            }
        }
    }

    fn share(&self, limit: &Limit) -> Option<Limit> {
        match self.config.of(limit) {
            Fallback::Share => self.config.share(limit),
            _ => None,
        }
    }

    /// Answers without the store, which will not be asked for `wait`.
    fn answer(
        &self,
        request: ReserveRequest<'_>,
        error: StoreError,
        wait: Duration,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let rules: Vec<Fallback> = request
            .charges
            .iter()
            .map(|charge| self.config.of(charge.limit))
            .collect();
        if rules.contains(&Fallback::Fail) {
            self.unanswered.fetch_add(1, Ordering::Relaxed);
            return Err(error);
        }
        // A share that cannot be kept is none.
        let shares: Vec<Option<Limit>> = request
            .charges
            .iter()
            .map(|c| self.share(c.limit))
            .collect();
        let closed = |index: usize| {
            rules[index] == Fallback::Closed
                || (rules[index] == Fallback::Share && shares[index].is_none())
        };
        let wait = RetryAfter::After(wait.max(Duration::from_millis(1)));
        let by_rule = |index: usize, charge: &Charge<'_>| match closed(index) {
            true => Status::new(*charge.limit, 0, Duration::ZERO, Some(wait)),
            false => Status::new(*charge.limit, charge.limit.burst(), Duration::ZERO, None),
        };
        let charges = || request.charges.iter().enumerate();
        if charges().any(|(index, _)| closed(index)) || shares.iter().all(Option::is_none) {
            self.by_rule.fetch_add(1, Ordering::Relaxed);
            let statuses = charges().map(|(index, charge)| by_rule(index, charge));
            return decision(statuses.collect(), Source::Default).ok_or(error);
        }

        let own: Vec<Charge<'_>> = charges()
            .filter_map(|(index, charge)| {
                let share = shares[index].as_ref()?;
                Some(Charge::new(share, charge.key, charge.cost))
            })
            .collect();
        let mut asked = request;
        asked.charges = &own;
        let answered = self.shares.reserve_now(asked).map_err(|settled| {
            StoreError::new(StoreErrorKind::Invalid, RESERVING).with_source(settled)
        })?;
        self.from_share.fetch_add(1, Ordering::Relaxed);
        let told: Vec<Status> = match &answered {
            Decision::Allow(allowed) => allowed.statuses().copied().collect(),
            Decision::Deny(denied) => denied.statuses().copied().collect(),
        };
        let mut told = told.into_iter();
        let statuses = charges().map(|(index, charge)| {
            let Some(mut status) = shares[index].and_then(|_| told.next()) else {
                return by_rule(index, charge);
            };
            // Too much for a share is not too much for the store.
            if status.retry_after == Some(RetryAfter::Never) && charge.cost <= charge.limit.burst()
            {
                status.retry_after = Some(wait);
            }
            status
        });
        decision(statuses.collect(), Source::Local).ok_or(error)
    }
}

impl<L: RateLimiter, C: Clock + Clone> RateLimiter for WithFallback<L, C> {
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let leave = match self.gate.ask(self.clock.instant()) {
            Ok(leave) => leave,
            Err(wait) => {
                let error = StoreError::new(StoreErrorKind::Unavailable, RESERVING);
                return self.answer(request, error, wait);
            }
        };
        match self.store.reserve(request).await {
            Err(error) if is_absence(&error) => {
                let wait = leave.failed(self.clock.instant());
                self.answer(request, error, wait)
            }
            answered => {
                leave.answered();
                self.from_store.fetch_add(1, Ordering::Relaxed);
                if matches!(answered, Ok(Decision::Allow(_))) {
                    self.shadow(request);
                }
                answered
            }
        }
    }

    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        let shares = request.uses().iter().map(|used| self.share(used.limit));
        let shares: Vec<Option<Limit>> = shares.collect();
        let uses: Vec<Use<'_>> = request
            .uses()
            .iter()
            .zip(&shares)
            .filter_map(|(used, share)| {
                Some(Use::new(
                    share.as_ref()?,
                    used.key,
                    used.reserved,
                    used.used,
                ))
            })
            .collect();
        if let Ok(own) = SettleRequest::new(request.id, &uses) {
            self.shares.settle_now(own);
        }
        let leave = self
            .gate
            .ask(self.clock.instant())
            .map_err(|_| StoreError::new(StoreErrorKind::Unavailable, SETTLING))?;
        match self.store.settle(request).await {
            Err(error) if is_absence(&error) => {
                leave.failed(self.clock.instant());
                Err(error)
            }
            answered => {
                leave.answered();
                answered
            }
        }
    }

    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        if let Some(share) = self.share(limit) {
            self.shares.reset_now(&share, key);
        }
        self.store.reset(limit, key).await
    }
}

/// Whether the store is to be reached at all.
impl<L, C> Probe for WithFallback<L, C>
where
    L: Send + Sync,
    C: Clock,
{
    fn health(&self) -> Health {
        match self.gate.is_open() {
            false => Health::new("rate limit", HealthStatus::Up, "the store answers"),
            true => Health::new(
                "rate limit",
                HealthStatus::Degraded,
                "the store does not answer; limits fall back",
            ),
        }
    }
}

impl<L, C> fmt::Debug for WithFallback<L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithFallback")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Whether the store is away, rather than asked wrongly.
fn is_absence(error: &StoreError) -> bool {
    error.is_transient()
        || matches!(
            error.kind(),
            StoreErrorKind::Unwritable | StoreErrorKind::Closed
        )
}

fn decision(statuses: Vec<Status>, source: Source) -> Option<Decision<Allowed, Denied>> {
    if statuses.iter().all(|status| status.retry_after.is_none()) {
        let allowed = Allowed::from_statuses(statuses)?;
        return Some(Decision::Allow(allowed.with_source(source)));
    }
    let denied = Denied::from_statuses(statuses)?;
    Some(Decision::Deny(denied.with_source(source)))
}
