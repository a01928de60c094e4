use std::{future::Future, sync::Arc, time::Duration};

use palisade_core::{Key, StoreError};

use crate::{Amount, LesseeId, RequestError, ScopeState, Window};

/// How much of these scopes may this node spend without asking again?
///
/// A second door to a [ledger](crate::QuotaLedger), for nodes that ask often. A node, here called a *lessee*, borrows a
/// slice of each scope's allowance, decides in its own memory what is taken from it, and in its next exchange tells
/// what it has spent and says what it wants to keep.
///
/// # Contract
///
/// - *Charged while lent.* What is lent counts as held, so that `spent + held` of a scope never exceeds its limit by
///   lending.
/// - *Never refunded by time.* A lease whose time is over is shown as spent instead of held: its lessee may have spent
///   all of it. It goes on counting. When the lessee comes back, the lease is shown as held again, as if nothing had
///   been.
/// - *Once.* The exchanges of a lessee are numbered. One that is repeated with its number after a lost answer books
///   nothing again, and answers how things stand.
/// - *In its window.* Spending and leases belong to the window they name.
///
/// # Errors
///
/// As in [`QuotaLedger`](crate::QuotaLedger): an `Err` means that there was no answer.
///
/// # Cancel safety
///
/// A dropped exchange may or may not have taken effect. The lessee repeats it, with the same number and the same
/// contents.
pub trait QuotaLender: Send + Sync {
    /// Books what a lessee has spent, takes back what it no longer wants, and lends what it wants more.
    fn exchange(
        &self,
        exchange: Exchange,
    ) -> impl Future<Output = Result<Exchanged, StoreError>> + Send;
}

impl<L: QuotaLender + ?Sized> QuotaLender for Arc<L> {
    async fn exchange(&self, exchange: Exchange) -> Result<Exchanged, StoreError> {
        (**self).exchange(exchange).await
    }
}

/// One exchange between a lessee and the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// Who.
    pub lessee: LesseeId,
    /// The number of the exchange: each is one more than the last, and one that is repeated keeps its number.
    pub turn: u64,
    /// For how long the leases are shown as held if the lessee is not heard of.
    pub ttl: Duration,
    /// One line for each scope and window, at most [`ENTRIES_MAX`](Self::ENTRIES_MAX).
    pub entries: Vec<LeaseEntry>,
}

impl Exchange {
    /// The most entries of one exchange.
    pub const ENTRIES_MAX: usize = 1_024;

    /// An exchange of so many entries.
    ///
    /// # Errors
    ///
    /// [`RequestError::TooManyScopes`] with more than [`ENTRIES_MAX`](Self::ENTRIES_MAX), [`RequestError::Timeout`] if
    /// `ttl` is zero or longer than a day.
    pub fn new(
        lessee: LesseeId,
        turn: u64,
        ttl: Duration,
        entries: Vec<LeaseEntry>,
    ) -> Result<Self, RequestError> {
        if entries.len() > Self::ENTRIES_MAX {
            return Err(RequestError::TooManyScopes {
                found: entries.len(),
            });
        }
        if ttl.is_zero() || ttl > crate::ReserveRequest::TIMEOUT_MAX {
            return Err(RequestError::Timeout);
        }
        Ok(Self {
            lessee,
            turn,
            ttl,
            entries,
        })
    }
}

/// What a lessee says of one scope in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseEntry {
    /// The scope.
    pub scope: Key,
    /// The window; `None` for the one around now.
    pub window: Option<Window>,
    /// What was spent there since the last exchange.
    pub spent: Amount,
    /// What the lessee must have on lease from now on. Of a measure that cannot spare it, it keeps what it has.
    pub need: Amount,
    /// What it would like to have on lease; at least `need`.
    pub wish: Amount,
}

impl LeaseEntry {
    /// A look at a scope's running window, which spends nothing and wants nothing.
    #[must_use]
    pub const fn look(scope: Key) -> Self {
        Self {
            scope,
            window: None,
            spent: Amount::ZERO,
            need: Amount::ZERO,
            wish: Amount::ZERO,
        }
    }

    /// The same in this window.
    #[must_use]
    pub const fn within(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// The same with so much spent.
    #[must_use]
    pub const fn spent(mut self, spent: Amount) -> Self {
        self.spent = spent;
        self
    }

    /// The same, wanting `need` on lease and, if there is plenty, up to `wish`.
    #[must_use]
    pub fn wanting(mut self, need: Amount, wish: Amount) -> Self {
        self.need = need;
        self.wish = wish.max(need);
        self
    }
}

/// The answer to an [`Exchange`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchanged {
    /// Whether the exchange had been made before, and this call changed nothing.
    pub repeated: bool,
    /// One line for each entry, in their order.
    pub leases: Vec<Lease>,
}

impl Exchanged {
    /// An answer.
    #[must_use]
    pub const fn new(repeated: bool, leases: Vec<Lease>) -> Self {
        Self { repeated, leases }
    }
}

/// What a lessee has of one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// How the scope stands in its running window after the exchange. Its `held` holds all leases, this one too.
    pub state: ScopeState,
    /// The window that the lease is in: the entry's, or the one its sums were moved into by a change of calendar.
    pub window: Window,
    /// What is on lease there.
    pub lent: Amount,
}

impl Lease {
    /// A lease.
    #[must_use]
    pub const fn new(state: ScopeState, window: Window, lent: Amount) -> Self {
        Self {
            state,
            window,
            lent,
        }
    }
}
