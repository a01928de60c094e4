use std::{fmt, future::Future, sync::Arc};

use async_trait::async_trait;
use palisade_core::{Decision, StoreError};

use crate::{Allowed, CheckRequest, Denied};

/// May this request go now; if not, when?
///
/// # Contract
///
/// - *Atomic.* All charges of a request are taken, or none. No other request sees them half taken.
/// - *A refusal charges nothing*, and its [`retry_after`](Denied::retry_after) is exact: asked again after that wait,
///   and with nobody else asking meanwhile, the same request passes; a nanosecond earlier it does not. A store whose
///   clock is coarser rounds the wait up to its own tick.
/// - *Never more than the limit.* In any interval, each key gets at most what [`Limit`](crate::Limit) says, whatever the
///   number of keys, threads and processes that share the store.
/// - *One time.* A store shared by several machines decides by its own clock, not by the caller's.
/// - Answers agree with [`model::decide_all`](crate::model::decide_all).
///
/// Clones, where a backend offers them, share one state.
///
/// # Cancel safety
///
/// A future dropped before it is first polled has charged nothing. Dropped later, the request may have been charged:
/// a rate limiter errs on the side of counting.
pub trait RateLimiter: Send + Sync {
    /// Decides about one request and charges it if it may go.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer. Whether the request was charged is then unknown.
    fn check(
        &self,
        request: CheckRequest<'_>,
    ) -> impl Future<Output = Result<Decision<Allowed, Denied>, StoreError>> + Send;
}

impl<L: RateLimiter + ?Sized> RateLimiter for Arc<L> {
    async fn check(
        &self,
        request: CheckRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        (**self).check(request).await
    }
}

impl<L: RateLimiter + ?Sized> RateLimiter for &L {
    async fn check(
        &self,
        request: CheckRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        (**self).check(request).await
    }
}

/// A rate limiter chosen at run time. Costs one allocation a check: nothing beside a network, a good part of a check in
/// memory.
#[derive(Clone)]
pub struct DynRateLimiter(Arc<dyn Erased>);

impl DynRateLimiter {
    /// Hides which backend it is.
    pub fn new(limiter: impl RateLimiter + 'static) -> Self {
        Self(Arc::new(limiter))
    }
}

impl RateLimiter for DynRateLimiter {
    async fn check(
        &self,
        request: CheckRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        self.0.check_erased(request).await
    }
}

impl fmt::Debug for DynRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynRateLimiter")
    }
}

#[async_trait]
trait Erased: Send + Sync {
    async fn check_erased(
        &self,
        request: CheckRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError>;
}

#[async_trait]
impl<L: RateLimiter> Erased for L {
    async fn check_erased(
        &self,
        request: CheckRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        self.check(request).await
    }
}
