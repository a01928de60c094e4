use std::{fmt, future::Future, sync::Arc};

use async_trait::async_trait;
use palisade_core::{Decision, Key, StoreError};

use crate::{Allowed, CheckRequest, Denied, Limit, ReserveRequest, SettleRequest, Settled};

/// May this request go now; if not, when? And what did it come to in the end?
///
/// One verb for every dimension: a request *reserves* all it may need, of requests, tokens, money and concurrency, under
/// every key it counts for; it may *top up*, by reserving more under the same id; and it *settles* what it used. A plain
/// [check](RateLimiterExt::check) is a reservation that nobody will settle.
///
/// # Contract
///
/// - *Atomic.* All charges of a request are taken, or none. No other request sees them half taken.
/// - *A refusal charges nothing*, and its [`retry_after`](Denied::retry_after) is exact: asked again after that wait,
///   and with nobody else asking meanwhile, the same request passes; a nanosecond earlier it does not. A store whose
///   clock is coarser rounds the wait up to its own tick. A cost that never fits is told so, and gets no time.
/// - *Never more than the limit.* In any interval, each key gets at most what its [algorithm](crate::Algorithm) says,
///   whatever the number of keys, threads and processes that share the store.
/// - *Idempotent.* A question about a hold may be repeated: a [reservation](RateLimiter::reserve) takes only what exceeds
///   the costs it has taken under this id before, and a [settlement](RateLimiter::settle) counts once.
/// - *Nothing leaks.* A hold that nobody settles expires at its own time, however busy its keys are. What it held of a
///   concurrency comes back then; what it took of a rate counts as used.
/// - *What was under-estimated is owed.* A settlement above what was reserved is always charged; later requests wait
///   until it is paid.
/// - *What was over-estimated comes back into the window it came from*, and nowhere else: never a unit that time has given
///   back already, never above the capacity, never twice.
/// - *One time.* A store shared by several machines decides by its own clock, not by the caller's.
/// - Answers agree with [`model::Book`](crate::model::Book).
///
/// All arguments are plain data: names, numbers and flags, no closures, so that a script inside a database can execute
/// them in one round trip. Clones, where a backend offers them, share one state.
///
/// # Errors
///
/// A [`StoreError`] means that there was no answer, never that the answer was no. Whether the request was charged is then
/// unknown: with a hold, ask again under the same id, or settle it. Kind
/// [`Invalid`](palisade_core::StoreErrorKind::Invalid) with a [`HoldError`](crate::HoldError) as its source says that the
/// hold has been settled already.
///
/// # Cancel safety
///
/// A future dropped before it is first polled has charged nothing. Dropped later, the request may have been charged:
/// a rate limiter errs on the side of counting. [`Reservation`](crate::Reservation) then settles it.
pub trait RateLimiter: Send + Sync {
    /// Takes all that a request asks for, or nothing; or, under the id of a hold that lasts, what it asks for beyond that.
    fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> impl Future<Output = Result<Decision<Allowed, Denied>, StoreError>> + Send;

    /// Ends a hold: what was used stands for what was reserved.
    fn settle(
        &self,
        request: SettleRequest<'_>,
    ) -> impl Future<Output = Result<Settled, StoreError>> + Send;

    /// Forgets what one key has used of one limit, as an operator may wish; permits of a concurrency are free again. Holds
    /// on it go on; into a window that still runs they may give back what they do not use.
    fn reset(
        &self,
        limit: &Limit,
        key: &Key,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What can be asked of every [`RateLimiter`] in the same words.
pub trait RateLimiterExt: RateLimiter {
    /// Decides about one request and charges it, finally, if it may go.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer. Whether the request was charged is then unknown.
    fn check(
        &self,
        request: CheckRequest<'_>,
    ) -> impl Future<Output = Result<Decision<Allowed, Denied>, StoreError>> + Send {
        self.reserve(ReserveRequest::check(request))
    }

    /// Says what [`check`](RateLimiterExt::check) would, and charges nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer.
    fn peek(
        &self,
        request: CheckRequest<'_>,
    ) -> impl Future<Output = Result<Decision<Allowed, Denied>, StoreError>> + Send {
        self.reserve(ReserveRequest::check(request).as_dry_run())
    }
}

impl<L: RateLimiter + ?Sized> RateLimiterExt for L {}

macro_rules! forward {
    ($($owner:ty),*) => {$(
        impl<L: RateLimiter + ?Sized> RateLimiter for $owner {
            async fn reserve(
                &self,
                request: ReserveRequest<'_>,
            ) -> Result<Decision<Allowed, Denied>, StoreError> {
                (**self).reserve(request).await
            }

            async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
                (**self).settle(request).await
            }

            async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
                (**self).reset(limit, key).await
            }
        }
    )*};
}

forward!(Arc<L>, &L);

/// A rate limiter chosen at run time. Costs one allocation a question: nothing beside a network, a good part of a check
/// in memory.
#[derive(Clone)]
pub struct DynRateLimiter(Arc<dyn Erased>);

impl DynRateLimiter {
    /// Hides which backend it is.
    pub fn new(limiter: impl RateLimiter + 'static) -> Self {
        Self(Arc::new(limiter))
    }
}

impl RateLimiter for DynRateLimiter {
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        self.0.reserve_erased(request).await
    }

    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        self.0.settle_erased(request).await
    }

    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        self.0.reset_erased(limit, key).await
    }
}

impl fmt::Debug for DynRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynRateLimiter")
    }
}

#[async_trait]
trait Erased: Send + Sync {
    async fn reserve_erased(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError>;

    async fn settle_erased(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError>;

    async fn reset_erased(&self, limit: &Limit, key: &Key) -> Result<(), StoreError>;
}

#[async_trait]
impl<L: RateLimiter> Erased for L {
    async fn reserve_erased(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        self.reserve(request).await
    }

    async fn settle_erased(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        self.settle(request).await
    }

    async fn reset_erased(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        self.reset(limit, key).await
    }
}
