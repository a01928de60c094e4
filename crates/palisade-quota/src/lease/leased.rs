use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use palisade_core::{Clock, Decision, Key, StoreError, StoreErrorKind, Timer, Timestamp};

use super::{Exchange, QuotaLender, local::Local};
use crate::{
    AdminChange, Amount, AuditEntry, AuditPage, AuditQuery, Balance, Bounds, Granted, IdError,
    LesseeId, Quota, QuotaAdmin, QuotaLedger, Refused, ReservationId, ReserveRequest, Resolution,
    Resolve, ScopePage, ScopeQuery, SettleRequest,
};

/// How often a reservation asks the store before it gives way to others that always get there first.
const ATTEMPTS: u32 = 64;
/// How often the last word is tried against a store in trouble.
const FAREWELLS: u32 = 8;

/// A ledger whose hot scopes are decided in this process's memory, from slices borrowed from the ledger behind it.
///
/// A durable write for every reservation and another for every settlement is what a ledger costs. This one makes a
/// write when a scope is asked for the first time, when its slice runs out, and once a round for all that was spent; in
/// between, reserving and settling are a lock and a few additions. How much it borrows follows the demand: a scope that is
/// asked once has on lease what that call reserves; one that is asked a thousand times a second, two rounds' worth, of
/// which no more than a quarter of what is left is more than it needs.
///
/// It keeps the [contract](QuotaLedger#contract) of the port, for all callers of this process, and decides exactly as
/// the ledger behind it would: a refusal is always the store's own, asked at that moment. What differs:
///
/// - *Overspend: none.* What is on lease counts as held in the store, whoever else asks there.
/// - *Unfairness.* What this node has on lease and not in use is out of reach for other nodes, for a round or two: at most
///   a quarter of what is left, or what it held for its own calls.
/// - *A crash* charges what was on lease: all that was spent is in it, so nothing is lost; what the node held for
///   calls under way and what it had in hand is charged too, in the windows it was lent from. It is shown as held until
///   the lease's time is over, then as spent.
/// - *Other nodes' words* (a quota changed there, a slice given back) are heard in the next exchange.
/// - *Identity.* A reservation is known where it was made. Ids of other nodes' reservations are looked up in the store,
///   which knows only those made there directly.
///
/// Clones share one node. The host runs the [`LeaseTask`], which tells the store once a round.
pub struct Leased<L, C> {
    node: Arc<Node<L, C>>,
    _handle: Arc<Handle>,
}

/// How a [`Leased`] ledger borrows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseConfig {
    round: Duration,
    ttl: Duration,
    bounds: Bounds,
}

impl LeaseConfig {
    /// The same with rounds of another length; 50 ms by default. Longer ones write less, hold more back from other nodes
    /// and charge more after a crash.
    #[must_use]
    pub const fn with_round(mut self, round: Duration) -> Self {
        self.round = round;
        self
    }

    /// The same with another time for which a lease is shown as held if the node is not heard of; a minute by default,
    /// a day at most.
    #[must_use]
    pub const fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// The same with other bounds on what the node keeps in memory. At the bound of scopes it forgets those it has nothing
    /// of.
    #[must_use]
    pub const fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }
}

impl Default for LeaseConfig {
    fn default() -> Self {
        Self {
            round: Duration::from_millis(50),
            ttl: Duration::from_secs(60),
            bounds: Bounds::default(),
        }
    }
}

struct Node<L, C> {
    ledger: L,
    clock: C,
    config: LeaseConfig,
    local: Mutex<Local>,
    /// One talk with the store at a time, first come, first served.
    talk: async_lock::Mutex<()>,
    handles_gone: Arc<AtomicBool>,
    failures: AtomicU64,
}

impl<L: QuotaLedger + QuotaLender, C: Clock> Leased<L, C> {
    /// A node that borrows from `ledger`, and the task that the host runs for it. `clock` is the ledger's own, or one
    /// that agrees with it on the windows.
    ///
    /// # Errors
    ///
    /// [`IdError::NoRandomness`] if the system has no randomness to name the node by.
    pub fn new(
        ledger: L,
        clock: C,
        config: LeaseConfig,
    ) -> Result<(Self, LeaseTask<L, C>), IdError> {
        let handles_gone = Arc::new(AtomicBool::new(false));
        let node = Arc::new(Node {
            ledger,
            clock,
            local: Mutex::new(Local::new(LesseeId::random()?, config.ttl, config.bounds)),
            config,
            talk: async_lock::Mutex::new(()),
            handles_gone: Arc::clone(&handles_gone),
            failures: AtomicU64::new(0),
        });
        let task = LeaseTask {
            node: Arc::clone(&node),
        };
        let handle = Arc::new(Handle(handles_gone));
        Ok((
            Self {
                node,
                _handle: handle,
            },
            task,
        ))
    }

    /// Tells the store now what it does not know yet, and gives back what is not wanted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store gave no answer. Nothing is lost by that; it is told later.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it may or may not have told it; the same words are said again in the next exchange, and count once.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.node.round().await
    }

    /// How many rounds the store did not answer.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.node.failures.load(Ordering::Relaxed)
    }
}

impl<L: QuotaLedger + QuotaLender, C: Clock> QuotaLedger for Leased<L, C> {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        let node = &*self.node;
        if let Some(decision) = node.decide(&request, false)? {
            return Ok(decision);
        }
        // Talking takes much more room than deciding, and is rare.
        Box::pin(node.ask_and_decide(request)).await
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        let how = Resolve::Settle(request.actual);
        match self.node.resolve(request.id, how).await? {
            Some(resolution) => Ok(resolution),
            None => Box::pin(self.node.ledger.settle(request)).await,
        }
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        match self.node.resolve(id, Resolve::Release).await? {
            Some(resolution) => Ok(resolution),
            None => Box::pin(self.node.ledger.release(id)).await,
        }
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        let node = &*self.node;
        let _talk = node.talk.lock().await;
        node.talk_about(std::slice::from_ref(scope), Amount::ZERO)
            .await?;
        let mut local = node.lock();
        local.book.balance(scope, node.clock.now())
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        let node = &*self.node;
        let _talk = node.talk.lock().await;
        node.ledger.set_quota(scope, quota).await?;
        node.talk_about(std::slice::from_ref(scope), Amount::ZERO)
            .await
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        let noted = {
            let mut local = self.node.lock();
            local.book.expire(limit, self.node.clock.now())
        };
        Ok(noted + self.node.ledger.expire(limit - noted).await?)
    }
}

/// The store's own answers. It is told first what this node has spent, so that a reset or a refund sees it; what is on
/// lease is shown as held in a list.
impl<L: QuotaLedger + QuotaLender + QuotaAdmin, C: Clock> QuotaAdmin for Leased<L, C> {
    async fn change(&self, change: AdminChange) -> Result<AuditEntry, StoreError> {
        let node = &*self.node;
        let _talk = node.talk.lock().await;
        let scope = change.scope.clone();
        node.talk_about(std::slice::from_ref(&scope), Amount::ZERO)
            .await?;
        let entry = node.ledger.change(change).await?;
        node.talk_about(std::slice::from_ref(&scope), Amount::ZERO)
            .await?;
        Ok(entry)
    }

    async fn scopes(&self, query: ScopeQuery) -> Result<ScopePage, StoreError> {
        self.node.round().await?;
        self.node.ledger.scopes(query).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        self.node.ledger.audit(query).await
    }
}

impl<L: QuotaLedger + QuotaLender, C: Clock> Node<L, C> {
    fn decide(
        &self,
        request: &ReserveRequest,
        fresh: bool,
    ) -> Result<Option<Decision<Granted, Refused>>, StoreError> {
        let mut local = self.lock();
        let decision = local.book.reserve_lent(request, self.clock.now(), fresh)?;
        if decision.as_ref().is_some_and(Decision::is_allow) {
            local.touch(request.scopes());
        }
        Ok(decision)
    }

    async fn resolve(
        &self,
        id: ReservationId,
        how: Resolve,
    ) -> Result<Option<Resolution>, StoreError> {
        let (resolution, scopes) = {
            let mut local = self.lock();
            let resolved = local.book.resolve_lent(id, how, self.clock.now())?;
            let Some((resolution, is_covered)) = resolved else {
                return Ok(None);
            };
            let scopes = local.book.scopes_of(id);
            local.touch(&scopes);
            if is_covered {
                return Ok(Some(resolution));
            }
            (resolution, scopes)
        };
        // More was spent than is on lease. Nobody is told before the store knows.
        Box::pin(async {
            let _talk = self.talk.lock().await;
            self.talk_about(&scopes, Amount::ZERO).await
        })
        .await?;
        Ok(Some(resolution))
    }

    /// Borrows until it can be decided.
    async fn ask_and_decide(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        // Those who wait are known to the one who asks, so that one slice serves them all.
        let _waiting = Waiting::new(self, &request);
        let _talk = self.talk.lock().await;
        let mut fresh = false;
        for _ in 0..ATTEMPTS {
            if let Some(decision) = self.decide(&request, fresh)? {
                return Ok(decision);
            }
            self.talk_about(request.scopes(), request.ask()).await?;
            fresh = true;
        }
        Err(StoreError::new(StoreErrorKind::Busy, "reserving quota"))
    }

    /// One exchange with the store, if there is anything to say, after the one whose answer got lost, if there is such. The
    /// caller has its turn to talk.
    async fn say(
        &self,
        words: impl FnOnce(&mut Local, Timestamp) -> Result<Option<Exchange>, StoreError>,
    ) -> Result<(), StoreError> {
        let unanswered = self.lock().unanswered();
        if let Some(exchange) = unanswered {
            self.exchange(&exchange).await?;
        }
        let exchange = {
            let mut local = self.lock();
            words(&mut local, self.clock.now())?
        };
        match exchange {
            Some(exchange) => self.exchange(&exchange).await,
            None => Ok(()),
        }
    }

    /// Asks and tells about these scopes, of each of which `ask` more is needed.
    async fn talk_about(&self, scopes: &[Key], ask: Amount) -> Result<(), StoreError> {
        self.say(|local, now| local.about(scopes, ask, now).map(Some))
            .await
    }

    async fn exchange(&self, exchange: &Exchange) -> Result<(), StoreError> {
        match self.ledger.exchange(exchange.clone()).await {
            Ok(exchanged) => {
                let mut local = self.lock();
                local.answered(exchange, &exchanged, self.clock.now())
            }
            Err(error) => {
                if error.kind() == StoreErrorKind::Invalid {
                    self.lock().refused();
                }
                Err(error)
            }
        }
    }

    async fn round(&self) -> Result<(), StoreError> {
        let _talk = self.talk.lock().await;
        self.say(Local::round).await
    }

    /// A book is whole after every call, and none of its calls can panic half-way: a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Local> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for the store to be asked.
struct Waiting<'a, L: QuotaLedger + QuotaLender, C: Clock> {
    node: &'a Node<L, C>,
    scopes: Vec<Key>,
    ask: Amount,
}

impl<'a, L: QuotaLedger + QuotaLender, C: Clock> Waiting<'a, L, C> {
    fn new(node: &'a Node<L, C>, request: &ReserveRequest) -> Self {
        let (scopes, ask) = (request.scopes().to_vec(), request.ask());
        node.lock().wait(&scopes, ask);
        Self { node, scopes, ask }
    }
}

impl<L: QuotaLedger + QuotaLender, C: Clock> Drop for Waiting<'_, L, C> {
    fn drop(&mut self) {
        self.node.lock().wait_no_more(&self.scopes, self.ask);
    }
}

impl<L, C> Clone for Leased<L, C> {
    fn clone(&self) -> Self {
        Self {
            node: Arc::clone(&self.node),
            _handle: Arc::clone(&self._handle),
        }
    }
}

impl<L, C> fmt::Debug for Leased<L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leased").finish_non_exhaustive()
    }
}

/// Falls when the last clone of a [`Leased`] does.
struct Handle(Arc<AtomicBool>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Tells the store once a round what a [`Leased`] ledger has spent.
#[must_use = "what was spent is told while the task runs"]
pub struct LeaseTask<L, C> {
    node: Arc<Node<L, C>>,
}

impl<L: QuotaLedger + QuotaLender, C: Clock> LeaseTask<L, C> {
    /// Runs until every clone of the [`Leased`] is gone, then says the last word: what was spent, and everything back. A
    /// service that shuts down drops its handles and then awaits this; it takes a round.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the store is not told what was spent since the last round. All of it is on lease, and so charged.
    pub async fn run(self, timer: impl Timer) {
        let mut farewells = 0;
        loop {
            timer.sleep(self.node.config.round).await;
            let is_last = self.node.handles_gone.load(Ordering::Acquire);
            let told = self.node.round().await;
            if told.is_err() {
                self.node.failures.fetch_add(1, Ordering::Relaxed);
            }
            if is_last {
                farewells += 1;
                // The first of two rounds may still have kept something in hand for demand that will not come.
                if (told.is_ok() && farewells > 1) || farewells > FAREWELLS {
                    return;
                }
            }
        }
    }
}

impl<L, C> fmt::Debug for LeaseTask<L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseTask").finish_non_exhaustive()
    }
}
