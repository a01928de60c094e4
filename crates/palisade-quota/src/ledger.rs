use std::{fmt, future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use palisade_core::{Decision, Key, RetryAfter, StoreError, Timestamp};

use crate::{Amount, Balance, Measure, Quota, RequestError, ReservationId, Resolution};

/// May it cost this much; what did it cost?
///
/// A ledger of tokens and money for scopes such as an organisation, a project and a user. A call first
/// [reserves](QuotaLedger::reserve) what it may cost at most, in all its scopes at once, and later either
/// [settles](QuotaLedger::settle) what it did cost or [releases](QuotaLedger::release) the reservation. A reservation
/// that nobody resolves expires.
///
/// # Contract
///
/// - *Atomic.* `reserve` holds the amount in every scope or in none, whoever else asks at the same time. No `reserve` ever
///   brings `spent + held` of a scope above its limit.
/// - *Once.* A hold leaves the ledger exactly once, in whatever order and however often its resolutions arrive. Calls
///   that come later change nothing and report how it ended ([`Resolution::earlier`]). One exception keeps costs from
///   vanishing: a `settle` after the deadline still books the cost, once.
/// - *Idempotent.* All calls may be repeated with the same id after a lost answer.
/// - *Apart.* What is held is never part of what is spent.
/// - *In its window.* A hold and its cost belong to the window the hold was taken in.
/// - *One clock.* The store's clock decides, not the caller's. Expiry and windows are functions of that time; no job
///   has to run for them.
/// - *Clones are one.* Handles cloned from one ledger share its state.
///
/// # Errors
///
/// An `Err` means that there was no answer, never that the answer was no. After
/// [`Timeout`](palisade_core::StoreErrorKind::Timeout) it is not known whether the call took effect: repeat it.
/// [`Invalid`](palisade_core::StoreErrorKind::Invalid) carries a [`RequestError`] as its source.
///
/// # Cancel safety
///
/// A dropped future may or may not have taken effect. Each call is idempotent, so the caller repeats it or, for
/// `reserve`, releases the id; [`Reservation`](crate::Reservation) does this on its own.
pub trait QuotaLedger: Send + Sync {
    /// Holds an amount back in several scopes at once, until it is resolved or its time is over.
    ///
    /// Repeated with the id of a reservation that still holds, it grants the same one again. Once that has ended, the id is
    /// used up, and the answer is a refusal that says how it ended.
    fn reserve(
        &self,
        request: ReserveRequest,
    ) -> impl Future<Output = Result<Decision<Granted, Refused>, StoreError>> + Send;

    /// Books what a reservation did cost, more or less than it held, and frees what it held.
    ///
    /// A cost above the held amount may take a scope over its limit. The difference is a debt that keeps the scope shut
    /// for the rest of its window.
    fn settle(
        &self,
        request: SettleRequest,
    ) -> impl Future<Output = Result<Resolution, StoreError>> + Send;

    /// Frees what a reservation held. It cost nothing.
    fn release(
        &self,
        id: ReservationId,
    ) -> impl Future<Output = Result<Resolution, StoreError>> + Send;

    /// What a scope may spend and has spent in its current window.
    fn balance(&self, scope: &Key) -> impl Future<Output = Result<Balance, StoreError>> + Send;

    /// Gives a scope a quota of its own, or with `None` puts it back under the defaults.
    ///
    /// New limits hold at once. A limit below what is spent leaves the scope in debt and shut until its window ends. Where
    /// the period or the zone changes, what the running window has spent and holds moves into the window of the new
    /// calendar around this instant, so that a change hands out no second allowance; see [`moved`](crate::moved).
    fn set_quota(
        &self,
        scope: &Key,
        quota: Option<Quota>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Notes up to `limit` holds whose time is over as expired and says how many they were.
    ///
    /// Tidiness alone: a hold past its deadline holds nothing back, noted or not.
    fn expire(&self, limit: usize) -> impl Future<Output = Result<usize, StoreError>> + Send;
}

/// What a call may cost, and whom.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReserveRequest {
    id: ReservationId,
    scopes: Vec<Key>,
    ask: Amount,
    timeout: Duration,
}

impl ReserveRequest {
    /// The most scopes one reservation charges.
    pub const SCOPES_MAX: usize = 8;
    /// How long a reservation holds if nobody says otherwise: ten minutes.
    pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(600);
    /// The longest a reservation may hold: a day.
    pub const TIMEOUT_MAX: Duration = Duration::from_secs(86_400);

    /// Asks for `ask` in each of `scopes`. A scope given twice counts once, and the order does not matter.
    ///
    /// # Errors
    ///
    /// [`RequestError::NoScope`] without a scope, [`RequestError::TooManyScopes`] with more than
    /// [`SCOPES_MAX`](Self::SCOPES_MAX) different ones.
    pub fn new(
        id: ReservationId,
        scopes: impl IntoIterator<Item = Key>,
        ask: Amount,
    ) -> Result<Self, RequestError> {
        // In one order everywhere, so that backends which lock row by row never lock crosswise.
        let mut scopes: Vec<Key> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        match scopes.len() {
            0 => Err(RequestError::NoScope),
            1..=Self::SCOPES_MAX => Ok(Self {
                id,
                scopes,
                ask,
                timeout: Self::TIMEOUT_DEFAULT,
            }),
            found => Err(RequestError::TooManyScopes { found }),
        }
    }

    /// The same with another time-out: longer than any call takes, shorter than a leaked hold may hurt.
    ///
    /// # Errors
    ///
    /// [`RequestError::Timeout`] if it is zero or longer than [`TIMEOUT_MAX`](Self::TIMEOUT_MAX).
    pub fn with_timeout(mut self, timeout: Duration) -> Result<Self, RequestError> {
        if timeout.is_zero() || timeout > Self::TIMEOUT_MAX {
            return Err(RequestError::Timeout);
        }
        self.timeout = timeout;
        Ok(self)
    }

    /// The name of the reservation.
    #[must_use]
    pub const fn id(&self) -> ReservationId {
        self.id
    }

    /// The scopes, each once, in the order of their keys.
    #[must_use]
    pub fn scopes(&self) -> &[Key] {
        &self.scopes
    }

    /// The amount to hold back in each scope.
    #[must_use]
    pub const fn ask(&self) -> Amount {
        self.ask
    }

    /// How long it holds if nobody resolves it.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The instant at which it expires if it is granted at `now`.
    #[must_use]
    pub fn deadline(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.timeout)
    }
}

/// What a call did cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettleRequest {
    /// The name of the reservation.
    pub id: ReservationId,
    /// What to book in each of its scopes.
    pub actual: Amount,
}

impl SettleRequest {
    /// The reservation `id` did cost `actual`.
    #[must_use]
    pub const fn new(id: ReservationId, actual: Amount) -> Self {
        Self { id, actual }
    }
}

/// A reservation that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Granted {
    /// Its name.
    pub id: ReservationId,
    /// What it holds back in each scope.
    pub ask: Amount,
    /// When it expires.
    pub deadline: Timestamp,
    /// Whether it was granted before and this is the answer to a repeated question.
    pub repeated: bool,
    /// How its scopes stand now, this hold included, in the order of their keys.
    pub balances: Vec<Balance>,
}

impl Granted {
    /// A grant, as [`decide`](crate::decide) and [`repeat`](crate::repeat) build it.
    #[must_use]
    pub const fn new(
        id: ReservationId,
        ask: Amount,
        deadline: Timestamp,
        repeated: bool,
        balances: Vec<Balance>,
    ) -> Self {
        Self {
            id,
            ask,
            deadline,
            repeated,
            balances,
        }
    }
}

/// A reservation that was not granted, and nothing is held.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Why.
    pub why: Refusal,
    /// When the same request may succeed.
    pub retry_after: RetryAfter,
}

impl Refused {
    /// A refusal with its advice.
    #[must_use]
    pub const fn new(why: Refusal, retry_after: RetryAfter) -> Self {
        Self { why, retry_after }
    }
}

/// Why a reservation was not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A scope has not enough left. Of several, it is the one that keeps the request waiting longest.
    Exhausted {
        /// Of what there is not enough.
        measure: Measure,
        /// How the scope stands.
        balance: Box<Balance>,
    },
    /// An administrator has shut a scope.
    Blocked {
        /// How the scope stands.
        balance: Box<Balance>,
    },
    /// A reservation of this id has been granted before and has ended. A new call needs a new id.
    Ended(Resolution),
}

/// Says which measure ran out, and when a fresh window begins; not whose, which is the host's to disclose.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Refusal::Exhausted { measure, balance } => match self.retry_after {
                RetryAfter::Never => write!(
                    f,
                    "the request asks for more {measure} than the quota ever holds"
                ),
                _ if balance.window.remaining(Timestamp::MIN).is_none() => {
                    write!(f, "the quota of {measure} is exhausted")
                }
                _ => write!(
                    f,
                    "the quota of {measure} is exhausted until {}",
                    balance.window.end()
                ),
            },
            Refusal::Blocked { .. } => f.write_str("the quota is blocked by an administrator"),
            Refusal::Ended(_) => f.write_str("the reservation of this id has ended"),
        }
    }
}

/// A pointer to a ledger is that ledger.
macro_rules! forward {
    ($pointer:ty) => {
        impl<L: QuotaLedger + ?Sized> QuotaLedger for $pointer {
            async fn reserve(
                &self,
                request: ReserveRequest,
            ) -> Result<Decision<Granted, Refused>, StoreError> {
                (**self).reserve(request).await
            }

            async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
                (**self).settle(request).await
            }

            async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
                (**self).release(id).await
            }

            async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
                (**self).balance(scope).await
            }

            async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
                (**self).set_quota(scope, quota).await
            }

            async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
                (**self).expire(limit).await
            }
        }
    };
}

forward!(Arc<L>);
forward!(&L);

/// A ledger chosen at run time. It implements the port itself; clones share one ledger.
///
/// Costs one boxed future a call.
#[derive(Clone)]
pub struct DynQuotaLedger(Arc<dyn Erased>);

impl DynQuotaLedger {
    /// Erases the type of `ledger`.
    #[must_use]
    pub fn new(ledger: impl QuotaLedger + 'static) -> Self {
        Self(Arc::new(ledger))
    }
}

impl fmt::Debug for DynQuotaLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynQuotaLedger")
    }
}

impl QuotaLedger for DynQuotaLedger {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        self.0.reserve(request).await
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        self.0.settle(request).await
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        self.0.release(id).await
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        self.0.balance(scope).await
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        self.0.set_quota(scope, quota).await
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        self.0.expire(limit).await
    }
}

#[async_trait]
trait Erased: Send + Sync {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError>;
    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError>;
    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError>;
    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError>;
    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError>;
    async fn expire(&self, limit: usize) -> Result<usize, StoreError>;
}

#[async_trait]
impl<L: QuotaLedger> Erased for L {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        QuotaLedger::reserve(self, request).await
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        QuotaLedger::settle(self, request).await
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        QuotaLedger::release(self, id).await
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        QuotaLedger::balance(self, scope).await
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        QuotaLedger::set_quota(self, scope, quota).await
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        QuotaLedger::expire(self, limit).await
    }
}
