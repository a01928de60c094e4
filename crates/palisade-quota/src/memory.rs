use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use palisade_core::{Clock, Decision, Key, StoreError};

use crate::{
    AdminChange, AlertKey, AlertLog, AuditEntry, AuditPage, AuditQuery, Balance, Defaults,
    Exchange, Exchanged, Granted, Quota, QuotaAdmin, QuotaLedger, QuotaLender, Refused,
    ReservationId, ReserveRequest, Resolution, ScopePage, ScopeQuery, SettleRequest, book::Book,
};

/// A ledger in the memory of one process: the model under a lock.
///
/// Right for one process and for tests; what it knows ends with the process. Clones share one ledger. It never holds
/// more scopes and reservations than its [`Bounds`] say; at the bound it refuses with
/// [`Busy`](palisade_core::StoreErrorKind::Busy) rather than forget what others have spent.
pub struct InMemory<C> {
    clock: C,
    book: Arc<Mutex<Book>>,
}

impl<C: Clock> InMemory<C> {
    /// An empty ledger with the [default bounds](Bounds::default).
    pub fn new(clock: C, defaults: Defaults) -> Self {
        Self::with_bounds(clock, defaults, Bounds::default())
    }

    /// An empty ledger with bounds of its own.
    pub fn with_bounds(clock: C, defaults: Defaults, bounds: Bounds) -> Self {
        Self {
            clock,
            book: Arc::new(Mutex::new(Book::new(defaults, bounds))),
        }
    }

    /// A book is whole after every call, and none of its calls can panic half-way: a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Clock> QuotaLedger for InMemory<C> {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        // The time is read under the lock, so that decisions are made in the order of their times.
        let mut book = self.lock();
        book.reserve(&request, self.clock.now())
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        let mut book = self.lock();
        book.settle(request, self.clock.now())
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        let mut book = self.lock();
        book.release(id, self.clock.now())
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        let mut book = self.lock();
        book.balance(scope, self.clock.now())
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        let mut book = self.lock();
        book.set_quota(scope, quota, self.clock.now())
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        let mut book = self.lock();
        Ok(book.expire(limit, self.clock.now()))
    }
}

impl<C: Clock> QuotaAdmin for InMemory<C> {
    async fn change(&self, change: AdminChange) -> Result<AuditEntry, StoreError> {
        let mut book = self.lock();
        book.change(&change, self.clock.now())
    }

    async fn scopes(&self, query: ScopeQuery) -> Result<ScopePage, StoreError> {
        let mut book = self.lock();
        book.list(&query, self.clock.now())
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        Ok(self.lock().audit(&query))
    }
}

impl<C: Clock> AlertLog for InMemory<C> {
    async fn first(&self, key: AlertKey) -> Result<bool, StoreError> {
        let mut book = self.lock();
        Ok(book.first_alert(key))
    }
}

impl<C: Clock> QuotaLender for InMemory<C> {
    async fn exchange(&self, exchange: Exchange) -> Result<Exchanged, StoreError> {
        let mut book = self.lock();
        book.exchange(&exchange, self.clock.now())
    }
}

impl<C: Clone> Clone for InMemory<C> {
    fn clone(&self) -> Self {
        Self {
            clock: self.clock.clone(),
            book: Arc::clone(&self.book),
        }
    }
}

impl<C> fmt::Debug for InMemory<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory").finish_non_exhaustive()
    }
}

/// How much a ledger in memory keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    scopes_max: usize,
    holds_max: usize,
    audit_max: usize,
    remember: Duration,
}

impl Bounds {
    /// The same with room for this many scopes; 100,000 by default.
    #[must_use]
    pub const fn with_scopes_max(mut self, scopes_max: usize) -> Self {
        self.scopes_max = scopes_max;
        self
    }

    /// The same with room for this many reservations, live and ended together; 100,000 by default.
    ///
    /// The longest ended are forgotten to make room for live ones. When all are live, new ones are refused.
    #[must_use]
    pub const fn with_holds_max(mut self, holds_max: usize) -> Self {
        self.holds_max = holds_max;
        self
    }

    /// The same with room for this many lines of the audit log; 10,000 by default. The oldest make room for new ones.
    #[must_use]
    pub const fn with_audit_max(mut self, audit_max: usize) -> Self {
        self.audit_max = audit_max;
        self
    }

    /// The same with another time for which ended reservations and windows are remembered; a day by default.
    ///
    /// For this long, unless room runs out, a repeated call learns how its reservation ended, a late cost finds its
    /// window, and a clock that is set back finds what had been spent.
    #[must_use]
    pub const fn with_remember(mut self, remember: Duration) -> Self {
        self.remember = remember;
        self
    }

    pub(crate) const fn scopes_max(&self) -> usize {
        self.scopes_max
    }

    pub(crate) const fn holds_max(&self) -> usize {
        self.holds_max
    }

    pub(crate) const fn audit_max(&self) -> usize {
        self.audit_max
    }

    pub(crate) const fn remember(&self) -> Duration {
        self.remember
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            scopes_max: 100_000,
            holds_max: 100_000,
            audit_max: 10_000,
            remember: Duration::from_secs(86_400),
        }
    }
}
