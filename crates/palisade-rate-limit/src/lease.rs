mod slices;

use std::{
    collections::BTreeMap,
    fmt,
    hash::{BuildHasher as _, Hasher as _},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use foldhash::quality::RandomState;
use palisade_core::{Clock, Decision, Instant, Key, StoreError, Timer};

use crate::{
    Algorithm, Allowed, Charge, CheckRequest, Denied, Hold, HoldId, Limit, Over, RateLimiter,
    ReserveRequest, SettleRequest, Settled, Use,
};

use slices::{Id, Rest, Slices};

/// A limiter whose hot keys are decided in this process's memory, from slices borrowed from the store behind it.
///
/// A question to a store costs a round trip, and a hot key asks it as often as it is asked. This one asks for a key's first
/// request and, as long as it goes on, for twice as many at a time, up to the [slice](LeaseConfig::with_slice); in between, a
/// check is a lock and a subtraction. A refusal is the store's own, and is remembered until the time it told. Any store will
/// do: a slice is a [`Hold`], so what a node does not spend comes back, and what it takes with it when it dies counts as used.
///
/// What differs from asking the store every time:
///
/// - *Over-admission.* A unit is charged when it is borrowed and spent within the [time](LeaseConfig::with_time) of the slice.
///   So in an interval of length *t*, a limit lets pass what it says for *t* and one such time more; and never more beyond
///   what it says for *t* than one slice a node.
/// - *Unfairness.* What one node has in hand is out of reach for others for as long: a slice at most, and no more than a
///   quarter of what the limit had left.
/// - *A refusal* may be told for as long as it was said to last, although somebody gave something back meanwhile.
/// - *What remains* is told as the store knew it last.
///
/// Reservations, dry runs, limits on concurrency and requests that may owe go to the store. Clones share one node. The host
/// [runs](Leased::run) it, to have slices given back whose time is over, and [gives all back](Leased::give_back) before it
/// stops.
pub struct Leased<L, C> {
    node: Arc<Node<L, C>>,
}

/// How much a [`Leased`] limiter borrows, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseConfig {
    slice: u64,
    time: Duration,
    keys_max: usize,
}

impl LeaseConfig {
    /// The same with slices of at most so many requests; 32 by default. Without, it is the store alone that decides.
    #[must_use]
    pub const fn with_slice(mut self, requests: u64) -> Self {
        self.slice = requests;
        self
    }

    /// The same with another time within which a slice is spent; a second by default.
    #[must_use]
    pub const fn with_time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// The same with another number of keys that it remembers; 65,536 by default. Others go to the store.
    #[must_use]
    pub const fn with_keys_max(mut self, keys: usize) -> Self {
        self.keys_max = keys;
        self
    }
}

impl Default for LeaseConfig {
    fn default() -> Self {
        Self {
            slice: 32,
            time: Duration::from_secs(1),
            keys_max: 65_536,
        }
    }
}

/// How often a [`Leased`] limiter could answer by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseCounts {
    /// Checks that were decided here.
    pub local: u64,
    /// Checks that were decided by the store.
    pub asked: u64,
    /// Units that are on lease now and not spent.
    pub on_lease: u64,
}

struct Node<L, C> {
    limiter: L,
    clock: C,
    config: LeaseConfig,
    hashers: [RandomState; 2],
    slices: Mutex<Slices>,
    /// One talk with the store at a time about one key: those who come meanwhile find what it brings.
    talks: Box<[async_lock::Mutex<()>]>,
    local: AtomicU64,
    asked: AtomicU64,
}

const TALKS: usize = 64;

impl<L: RateLimiter, C: Clock> Leased<L, C> {
    /// A node that borrows from `limiter`. `clock` tells how long a slice is in hand, no more: it need not agree with the
    /// store's.
    #[must_use]
    pub fn new(limiter: L, clock: C, config: LeaseConfig) -> Self {
        Self {
            node: Arc::new(Node {
                limiter,
                clock,
                hashers: Default::default(),
                slices: Mutex::new(Slices::new(config.keys_max, config.slice)),
                config,
                talks: (0..TALKS).map(|_| async_lock::Mutex::new(())).collect(),
                local: AtomicU64::new(0),
                asked: AtomicU64::new(0),
            }),
        }
    }

    /// Gives back all that is on lease: before the process ends, or is to be quiet. What it is asked afterwards, it borrows
    /// anew.
    ///
    /// # Errors
    ///
    /// The first [`StoreError`]. What was not given back is counted as used when its hold expires.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, what has not been given back is counted as used.
    pub async fn give_back(&self) -> Result<(), StoreError> {
        let now = self.node.clock.instant();
        let rests = self.node.lock().take(now, true);
        self.node.give_back(rests).await
    }

    /// Gives back slices whose time is over, for ever, once in every `step`.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it stops. What it was about to give back is counted as used.
    pub async fn run(self, timer: impl Timer, step: Duration) {
        loop {
            timer.sleep(step).await;
            let now = self.node.clock.instant();
            let rests = self.node.lock().take(now, false);
            // What the store does not take back expires there.
            let _ = self.node.give_back(rests).await;
        }
    }

    /// How often it could answer by itself.
    #[must_use]
    pub fn counts(&self) -> LeaseCounts {
        LeaseCounts {
            local: self.node.local.load(Ordering::Relaxed),
            asked: self.node.asked.load(Ordering::Relaxed),
            on_lease: self.node.lock().on_lease(),
        }
    }
}

impl<L: RateLimiter, C: Clock> RateLimiter for Leased<L, C> {
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let node = &*self.node;
        let charges = request.charges;
        let is_plain = request.hold.is_none() && request.over == Over::Refuse && !request.dry_run;
        let is_rate = |charge: &Charge<'_>| {
            charge.limit.algorithm() != Algorithm::Concurrency && charge.cost > 0
        };
        if !is_plain || node.config.slice == 0 || !charges.iter().all(is_rate) {
            return node.limiter.reserve(request).await;
        }
        let ids: Vec<Id> = charges.iter().map(|c| node.id(c.limit, c.key)).collect();
        let decide = || node.lock().decide(&ids, charges, node.clock.instant());
        if let Some(decision) = decide() {
            node.local.fetch_add(1, Ordering::Relaxed);
            return Ok(decision);
        }
        let _talk = node.talks[ids[0].0 as usize % TALKS].lock().await;
        // Somebody may have borrowed for all who waited.
        if let Some(decision) = decide() {
            node.local.fetch_add(1, Ordering::Relaxed);
            return Ok(decision);
        }
        node.asked.fetch_add(1, Ordering::Relaxed);
        node.ask(request, &ids).await
    }

    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        self.node.limiter.settle(request).await
    }

    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        let rest = self.node.lock().remove(self.node.id(limit, key));
        // The other way round, it would give something back into the window that was reset.
        self.node.give_back(rest.into_iter().collect()).await?;
        self.node.limiter.reset(limit, key).await
    }
}

impl<L: RateLimiter, C: Clock> Node<L, C> {
    /// Asks the store, for as much more as the keys deserve.
    async fn ask(
        &self,
        request: ReserveRequest<'_>,
        ids: &[Id],
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let charges = request.charges;
        // Before the store charges anything: so a slice is never spent later than it may.
        let begun = self.clock.instant();
        let extras = self.lock().extras(ids, charges, begun);
        let until = begun.saturating_add(self.config.time);
        let forget_at = begun.saturating_add(self.config.time * 4);
        if extras.iter().any(|extra| *extra > 0) {
            let larger: Vec<Charge<'_>> = charges
                .iter()
                .zip(&extras)
                .map(|(c, extra)| Charge::new(c.limit, c.key, c.cost.saturating_add(*extra)))
                .collect();
            let hold = self.hold();
            // The same limits and keys as before.
            if let Ok(asked) = CheckRequest::new(&larger)
                && let Decision::Allow(allowed) = self
                    .limiter
                    .reserve(ReserveRequest::hold(asked, hold))
                    .await?
            {
                let lent = Some((hold.id(), &*extras, until));
                let answer = Decision::Allow(allowed);
                let rests = self.learn(ids, charges, &answer, lent, forget_at);
                // Nobody waits for a rest that is not taken back: it expires.
                let _ = self.give_back(rests).await;
                return Ok(answer);
            }
        }
        let answer = self.limiter.reserve(request).await?;
        let rests = self.learn(ids, charges, &answer, None, forget_at);
        let _ = self.give_back(rests).await;
        Ok(answer)
    }

    fn learn(
        &self,
        ids: &[Id],
        charges: &[Charge<'_>],
        answer: &Decision<Allowed, Denied>,
        lent: Option<(HoldId, &[u64], Instant)>,
        forget_at: Instant,
    ) -> Vec<Rest> {
        let now = self.clock.instant();
        self.lock()
            .learn(ids, charges, answer, lent, forget_at, now)
    }

    /// Settles, for each hold, what its slices came to.
    async fn give_back(&self, rests: Vec<Rest>) -> Result<(), StoreError> {
        let mut holds: BTreeMap<HoldId, Vec<Rest>> = BTreeMap::new();
        for rest in rests {
            holds.entry(rest.hold).or_default().push(rest);
        }
        let mut outcome = Ok(());
        for (id, rests) in holds {
            let uses: Vec<Use<'_>> = rests
                .iter()
                .map(|rest| Use::new(&rest.limit, &rest.key, rest.borrowed, rest.used))
                .collect();
            // The slices of one hold are those of one request.
            if let Ok(request) = SettleRequest::new(id, &uses) {
                outcome = outcome.and(self.limiter.settle(request).await.map(drop));
            }
        }
        outcome
    }

    /// It outlasts the slice, so that what is left of that can be given back.
    fn hold(&self) -> Hold {
        let hold = Hold::new(HoldId::unique());
        let ttl = (self.config.time * 2).clamp(Duration::from_secs(1), Hold::TTL_MAX);
        // In range, as it was just made to be.
        hold.with_ttl(ttl).unwrap_or(hold)
    }

    fn id(&self, limit: &Limit, key: &Key) -> Id {
        let half = |hasher: &RandomState| {
            let mut hasher = hasher.build_hasher();
            hasher.write(limit.name().as_bytes());
            // A byte that no name has; it tells the algorithm too.
            hasher.write_u8(0xFF - limit.algorithm() as u8);
            hasher.write(key.as_str().as_bytes());
            hasher.finish()
        };
        (half(&self.hashers[0]), half(&self.hashers[1]))
    }

    /// Whole after every statement, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Slices> {
        self.slices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L, C> Clone for Leased<L, C> {
    fn clone(&self) -> Self {
        Self {
            node: Arc::clone(&self.node),
        }
    }
}

impl<L: fmt::Debug, C> fmt::Debug for Leased<L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leased")
            .field("limiter", &self.node.limiter)
            .field("config", &self.node.config)
            .finish_non_exhaustive()
    }
}
