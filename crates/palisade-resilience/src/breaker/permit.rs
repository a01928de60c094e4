use std::{fmt, sync::Arc};

use palisade_core::{Clock, RetryAfter, SystemClock};

use super::{handle::Shared, model::Ticket, phase::Ended};
use crate::{ErrorKind, Failure, Fault};

/// The permission to make one call. Say how it went; dropping it without a word means that it was cancelled.
///
/// A dropped trial call gives its place back and does *not* count as a success; a dropped call that had already been slow
/// counts as slow. It is `Send`, so it can travel with a response body and speak when the last byte is through.
#[must_use = "a permit that is dropped at once counts as a cancelled call"]
pub struct Permit<C: Clock = SystemClock> {
    shared: Arc<Shared<C>>,
    call: Admitted,
}

/// A [`Permit`] that does not outlive its breaker, and costs a little less: no handle is counted for it.
#[must_use = "a permit that is dropped at once counts as a cancelled call"]
pub struct BorrowedPermit<'a, C: Clock = SystemClock> {
    shared: &'a Shared<C>,
    call: Admitted,
}

/// One call that was let through.
pub(super) struct Admitted {
    pub(super) ticket: Ticket,
    /// Whether the model gave it, or the short cut did.
    pub(super) asked: bool,
    pub(super) ended: Ended,
}

impl Admitted {
    pub(super) const fn new(ticket: Ticket, asked: bool) -> Self {
        Self {
            ticket,
            asked,
            ended: Ended::Cancelled,
        }
    }

    fn failed(&mut self, failure: &Failure) {
        let advice = failure.advice().and_then(RetryAfter::duration);
        self.ended = match (failure.fault(), advice) {
            (Fault::Upstream, advice) => Ended::Failure(advice),
            (Fault::Us, Some(advice)) if failure.kind() == ErrorKind::RateLimited => {
                Ended::Pushback(advice)
            }
            // What the caller called off is no verdict of anybody's.
            (Fault::Us | Fault::Caller, _) if failure.kind() == ErrorKind::Cancelled => {
                Ended::Cancelled
            }
            (Fault::Us | Fault::Caller, _) => Ended::Nothing,
        };
    }
}

impl<C: Clock> Permit<C> {
    pub(super) const fn new(shared: Arc<Shared<C>>, call: Admitted) -> Self {
        Self { shared, call }
    }
}

impl<'a, C: Clock> BorrowedPermit<'a, C> {
    pub(super) const fn new(shared: &'a Shared<C>, call: Admitted) -> Self {
        Self { shared, call }
    }
}

macro_rules! permit {
    ($($head:tt)*) => {
        $($head)* {
            /// The call succeeded.
            pub fn success(mut self) {
                self.call.ended = Ended::Success;
            }

            /// The call failed. Only the upstream's own faults count against it: ten thousand malformed requests are no
            /// reason to stop calling a healthy service.
            pub fn failure(mut self, failure: &Failure) {
                self.call.failed(failure);
            }

            /// The call ended as a [`Classify`](crate::Classify) says.
            pub fn outcome(self, failure: Option<&Failure>) {
                match failure {
                    None => self.success(),
                    Some(failure) => self.failure(failure),
                }
            }

            /// The first token has come. Matters only with
            /// [`slow_first_token`](crate::BreakerConfig::slow_first_token); only the first time counts.
            pub fn first_token(&mut self) {
                self.shared.first_token(&mut self.call.ticket);
            }
        }
    };
}

permit!(impl<C: Clock> Permit<C>);
permit!(impl<C: Clock> BorrowedPermit<'_, C>);

impl<C: Clock> Drop for Permit<C> {
    fn drop(&mut self) {
        self.shared.finish(&self.call);
    }
}

impl<C: Clock> Drop for BorrowedPermit<'_, C> {
    fn drop(&mut self) {
        self.shared.finish(&self.call);
    }
}

impl<C: Clock> fmt::Debug for Permit<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("key", self.shared.key())
            .finish_non_exhaustive()
    }
}

impl<C: Clock> fmt::Debug for BorrowedPermit<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BorrowedPermit")
            .field("key", self.shared.key())
            .finish_non_exhaustive()
    }
}
