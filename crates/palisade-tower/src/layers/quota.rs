use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use palisade_core::{Decision, RetryAfter, Tokens};
use palisade_quota::{Amount, QuotaLedger, Refusal, Refused, Reservation, ReserveRequest, Settler};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    Bill, BoxError, OnStoreFailure, Reason, Rejection, Tap,
    call::{BoxFuture, ready_call},
    observe::{Notes, Said},
    tap::{End, Ending, Observe},
};

/// Says what a request asks of the quota. Implemented by closures.
pub trait Asks<T>: Send + Sync + 'static {
    /// What to reserve for `request`; `None` if it is not counted.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] if the request lacks what is needed to know.
    fn asks(&self, request: &Request<T>) -> Result<Option<ReserveRequest>, Rejection>;
}

impl<T, F> Asks<T> for F
where
    F: Fn(&Request<T>) -> Result<Option<ReserveRequest>, Rejection> + Send + Sync + 'static,
{
    fn asks(&self, request: &Request<T>) -> Result<Option<ReserveRequest>, Rejection> {
        self(request)
    }
}

/// Reserves what a request may cost before it costs anything, and settles what it did cost when its answer has ended.
///
/// It puts a [`Bill`] into the request's extensions. When the body of the answer ends, the reservation is settled with
/// the sum of the bill, before the client learns that the body has ended. A request that no attempt was sent for, or
/// whose attempts certainly cost nothing, is released. Of an attempt whose cost never became known (a client that hung
/// up, half a stream, no usage) nothing is refunded: it is charged what was reserved. If only its price is not known, it is
/// charged the tokens it used and the money that was reserved.
///
/// Somebody must write the bill: the meter layer, or the host's own service with [`Bill::send`]. An answer that comes
/// back with an empty bill is charged what was reserved; a cache that answers for nothing says so with a free line.
///
/// # Cancel safety
///
/// Dropped at any moment, before the answer or in the middle of it, the reservation falls into the settler's queue with
/// what the bill says by then.
pub struct QuotaLayer<L, F> {
    ledger: L,
    settler: Settler,
    asks: Arc<F>,
    on_store_failure: OnStoreFailure,
}

impl<L, F> QuotaLayer<L, F> {
    /// Reserves in `ledger` what `asks` says. `settler` takes what cannot be awaited.
    pub fn new(ledger: L, settler: Settler, asks: F) -> Self {
        Self {
            ledger,
            settler,
            asks: Arc::new(asks),
            on_store_failure: OnStoreFailure::Closed,
        }
    }

    /// What to do when the ledger gives no answer.
    #[must_use]
    pub const fn on_store_failure(mut self, policy: OnStoreFailure) -> Self {
        self.on_store_failure = policy;
        self
    }
}

impl<L: Clone, F> Clone for QuotaLayer<L, F> {
    fn clone(&self) -> Self {
        Self {
            ledger: self.ledger.clone(),
            settler: self.settler.clone(),
            asks: Arc::clone(&self.asks),
            on_store_failure: self.on_store_failure,
        }
    }
}

impl<L, F> fmt::Debug for QuotaLayer<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuotaLayer")
            .field("on_store_failure", &self.on_store_failure)
            .finish_non_exhaustive()
    }
}

impl<S, L: Clone, F> Layer<S> for QuotaLayer<L, F> {
    type Service = Quotaed<S, L, F>;

    fn layer(&self, inner: S) -> Self::Service {
        Quotaed {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`QuotaLayer`].
#[derive(Debug)]
pub struct Quotaed<S, L, F> {
    inner: S,
    layer: Arc<QuotaLayer<L, F>>,
}

impl<S: Clone, L, F> Clone for Quotaed<S, L, F> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: Arc::clone(&self.layer),
        }
    }
}

impl<S, L, F, T, B> Service<Request<T>> for Quotaed<S, L, F>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    L: QuotaLedger + Clone + 'static,
    F: Asks<T>,
    T: Send + 'static,
    B: Body<Data = Bytes> + Send,
{
    type Response = Response<Tap<B>>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<Tap<B>>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<T>) -> Self::Future {
        let inner = self.inner.clone();
        let asked = self.layer.asks.asks(&request);
        let layer = Arc::clone(&self.layer);
        Box::pin(async move {
            let notes = Notes::of(request.extensions());
            // A guard further out that settles by the bill as well has put one there.
            let bill = request
                .extensions_mut()
                .get_or_insert_with(Bill::default)
                .clone();
            let open = match asked? {
                None => None,
                Some(ask) => {
                    let note = notes.begin("quota_reserve");
                    match Reservation::take(layer.ledger.clone(), &layer.settler, ask).await {
                        Ok(Decision::Allow(reservation)) => {
                            note.said(Said::Allow);
                            Some(Open {
                                reservation: Some(reservation),
                                bill: bill.clone(),
                                notes,
                                answered: false,
                            })
                        }
                        Ok(Decision::Deny(refused)) => {
                            note.said(Said::Deny);
                            return Err(rejection(&refused).into());
                        }
                        Err(_) => {
                            note.said(Said::Unavailable);
                            match layer.on_store_failure {
                                OnStoreFailure::Open => None,
                                OnStoreFailure::Closed => {
                                    let detail = "the quota cannot be checked at the moment";
                                    let closed = Rejection::new(Reason::GuardUnavailable, detail);
                                    return Err(closed.into());
                                }
                            }
                        }
                    }
                }
            };
            let answer = ready_call(inner, request).await.map_err(Into::into);
            match (answer, open) {
                (Ok(response), Some(mut open)) => {
                    open.answered = response.status().is_success();
                    Ok(response.map(|body| Tap::new(body, open)))
                }
                (Ok(response), None) => Ok(response.map(Tap::unwatched)),
                (Err(error), open) => {
                    if let Some(mut open) = open {
                        open.settle().await;
                    }
                    Err(error)
                }
            }
        })
    }
}

/// A reservation whose request is under way. Dropped, it leaves what the bill says by then to the settler.
struct Open<L: QuotaLedger> {
    reservation: Option<Reservation<L>>,
    bill: Bill,
    notes: Notes,
    // An answer has begun: there was something to pay for.
    answered: bool,
}

impl<L: QuotaLedger> Open<L> {
    /// What the bill comes to, as the ledger counts: `None` if nothing was spent and nothing may have been.
    fn due(&self, reserved: Amount) -> Option<Amount> {
        let mut total = self.bill.total();
        if total.sent == 0 && self.answered {
            // There is an answer and nobody said what it cost: an unknown cost is no zero.
            total.unknown = 1;
        }
        if total.unknown == 0
            && total.unpriced == 0
            && total.tokens.is_zero()
            && total.cost.is_zero()
        {
            return None;
        }
        let unpriced = Amount::new(Tokens::ZERO, reserved.money()).unwrap_or(reserved);
        let times = |count, amount| std::iter::repeat_n(amount, count as usize);
        let known = Amount::new(total.tokens, total.cost)
            .ok()
            .and_then(|known| times(total.unpriced, unpriced).try_fold(known, Amount::checked_add));
        // What no ledger could book is as good as unknown. Told as it is, it would be refused, and the hold expire.
        let due =
            times(total.unknown, reserved).try_fold(known.unwrap_or(reserved), Amount::checked_add);
        Some(due.unwrap_or(reserved))
    }

    async fn settle(&mut self) {
        let Some(reservation) = self.reservation.take() else {
            return;
        };
        let note = self.notes.begin("quota_settle");
        // From here on the reservation's own guard holds what is due.
        let resolved = match self.due(reservation.granted().ask) {
            Some(due) => reservation.settle(due).await,
            None => reservation.release().await,
        };
        // A store that gave no answer gets the same settlement again, from the settler.
        note.said(if resolved.is_ok() {
            Said::Allow
        } else {
            Said::Unavailable
        });
    }
}

impl<L: QuotaLedger> Drop for Open<L> {
    fn drop(&mut self) {
        if let Some(mut reservation) = self.reservation.take()
            && let Some(due) = self.due(reservation.granted().ask)
        {
            reservation.begin();
            reservation.expect(due);
        }
    }
}

impl<L: QuotaLedger + 'static> Observe for Open<L> {
    fn data(&mut self, _: &Bytes) {}

    fn end(mut self: Box<Self>, _: End, must_queue: bool) -> Option<Ending> {
        if must_queue {
            // The fall of `self` queues it.
            return None;
        }
        Some(Box::pin(async move { self.settle().await }))
    }
}

fn rejection(refused: &Refused) -> Rejection {
    let reason = match refused.retry_after {
        RetryAfter::Never => Reason::QuotaTooSmall,
        _ => Reason::QuotaExhausted,
    };
    let detail = match &refused.why {
        Refusal::Exhausted { measure, balance } => {
            format!(
                "the allowance of {measure} of {} does not cover this request",
                scope(balance)
            )
        }
        Refusal::Blocked { balance } => {
            format!("an administrator has blocked {}", scope(balance))
        }
        _ => "the reservation has ended already".to_owned(),
    };
    Rejection::new(reason, detail).with_retry_after(refused.retry_after)
}

/// What kind of scope it is. Its name is not the client's to know.
fn scope(balance: &palisade_quota::Balance) -> String {
    let narrowest = balance.scope.parts().last();
    narrowest.map_or_else(
        || "the service".to_owned(),
        |(dimension, _)| format!("this {}", dimension.name().replace('_', " ")),
    )
}
