use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Extensions, HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use palisade_core::{Decision, StoreErrorKind};
pub use palisade_rate_limit::Take;
use palisade_rate_limit::{
    Algorithm, Allowed, Charge, CheckRequest, Denied, PartitionKey, PartitionSecret, RateLimiter,
    RateLimiterExt as _, Settler, Status, headers,
};
use tower_layer::Layer;
use tower_service::Service;

use super::spent::{Measure, Open, Settling, Spent};
use crate::{
    Bill, BoxError, OnStoreFailure, Reason, Rejection, Tap,
    call::{BoxFuture, ready_call},
    observe::{Notes, Said},
};

/// Says what a request takes. Implemented by closures.
pub trait Takes<T>: Send + Sync + 'static {
    /// The limits that hold for `request`; none at all if it is free.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] if the request lacks what is needed to know.
    fn takes(&self, request: &Request<T>) -> Result<Vec<Take>, Rejection>;
}

impl<T, F> Takes<T> for F
where
    F: Fn(&Request<T>) -> Result<Vec<Take>, Rejection> + Send + Sync + 'static,
{
    fn takes(&self, request: &Request<T>) -> Result<Vec<Take>, Rejection> {
        self(request)
    }
}

/// Lets a request pass only as often as its limits allow: all of them, decided in one step.
///
/// Every answer carries the `RateLimit` and `RateLimit-Policy` fields and the older `X-RateLimit-*`, also one that a guard
/// further in refused; a refusal of this layer carries `Retry-After` too, and the trace says when a limit's soft part is passed
/// or one that is only observed would have refused.
///
/// As it is made, it checks: what a request takes is used. Limits on what a request turns out to use, such as tokens, and on
/// how many are under way want it [settling](RateLimitLayer::settling): then all that a request takes is reserved in one step
/// and settled when the body of its answer ends, before the client learns that it has ended. What was used beyond the
/// reservation is owed, what was not used comes back, and a permit of a concurrency is held until then.
///
/// # Cancel safety
///
/// A settling layer whose future or body is dropped at any moment leaves what is known by then to the settler.
pub struct RateLimitLayer<L, F> {
    limiter: L,
    takes: Arc<F>,
    on_store_failure: OnStoreFailure,
    settling: Option<Settling>,
    secret: Option<PartitionSecret>,
}

impl<L, F> RateLimitLayer<L, F> {
    /// Asks `limiter` for what `takes` says.
    pub fn new(limiter: L, takes: F) -> Self {
        Self {
            limiter,
            takes: Arc::new(takes),
            on_store_failure: OnStoreFailure::Closed,
            settling: None,
            secret: None,
        }
    }

    /// What to do when the limiter gives no answer.
    #[must_use]
    pub const fn on_store_failure(mut self, policy: OnStoreFailure) -> Self {
        self.on_store_failure = policy;
        self
    }

    /// Reserves, and settles when the body ends; `settler` takes what cannot be awaited.
    ///
    /// A take counts as reserved, unless it is [measured](RateLimitLayer::with_measured) or somebody
    /// [says](Spent::see) what was used.
    #[must_use]
    pub fn settling(mut self, settler: Settler) -> Self {
        self.settling = Some(Settling::new(settler));
        self
    }

    /// The same with another time after which a reservation that nobody settles expires; ten minutes by default, a day at
    /// most. A permit is free again then, so let it be longer than any answer takes.
    #[must_use]
    pub fn with_hold_time(mut self, time: Duration) -> Self {
        self.settling = self.settling.map(|settling| settling.with_ttl(time));
        self
    }

    /// The same, where the limit of this name is settled with what the request's [`Bill`] says. The layer puts the bill into
    /// the request's extensions; a quota layer further in writes on the same one. Of attempts of which nothing is known, the
    /// whole reservation was used.
    #[must_use]
    pub fn with_measured(mut self, limit: &str, measure: Measure) -> Self {
        self.settling = self
            .settling
            .map(|settling| settling.with_measured(limit, measure));
        self
    }

    /// The same, whose fields carry hashed partition keys, so that a client can tell two of its counters apart.
    #[must_use]
    pub const fn with_partition_secret(mut self, secret: PartitionSecret) -> Self {
        self.secret = Some(secret);
        self
    }
}

impl<L: Clone, F> Clone for RateLimitLayer<L, F> {
    fn clone(&self) -> Self {
        Self {
            limiter: self.limiter.clone(),
            takes: Arc::clone(&self.takes),
            on_store_failure: self.on_store_failure,
            settling: self.settling.clone(),
            secret: self.secret,
        }
    }
}

impl<L: fmt::Debug, F> fmt::Debug for RateLimitLayer<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitLayer")
            .field("limiter", &self.limiter)
            .field("on_store_failure", &self.on_store_failure)
            .field("settles", &self.settling.is_some())
            .finish_non_exhaustive()
    }
}

impl<S, L: Clone, F> Layer<S> for RateLimitLayer<L, F> {
    type Service = RateLimited<S, L, F>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimited {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`RateLimitLayer`].
#[derive(Debug)]
pub struct RateLimited<S, L, F> {
    inner: S,
    layer: Arc<RateLimitLayer<L, F>>,
}

impl<S: Clone, L, F> Clone for RateLimited<S, L, F> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: Arc::clone(&self.layer),
        }
    }
}

impl<S, L, F, T, B> Service<Request<T>> for RateLimited<S, L, F>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    L: RateLimiter + Clone + 'static,
    F: Takes<T>,
    T: Send + 'static,
    B: Body<Data = Bytes>,
{
    type Response = Response<Tap<B>>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<Tap<B>>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<T>) -> Self::Future {
        let inner = self.inner.clone();
        let takes = self.layer.takes.takes(&request);
        let layer = Arc::clone(&self.layer);
        Box::pin(async move {
            let notes = Notes::of(request.extensions());
            let (fields, open) = match (&layer.settling, takes?) {
                (Some(settling), takes) if !takes.is_empty() => {
                    let spent = Spent::of(&takes);
                    let bill = bill(request.extensions_mut(), spent.clone());
                    layer.reserve(settling, takes, bill, spent, notes).await?
                }
                (_, takes) => (layer.check(&takes, &notes).await?, None),
            };
            let error = match ready_call(inner, request).await.map_err(Into::into) {
                Ok(mut response) => {
                    // What an upstream says about *its* limits is about this service, not about the client.
                    for (name, value) in fields.into_iter().flatten() {
                        response.headers_mut().insert(name, value);
                    }
                    return Ok(match open {
                        Some(mut open) => {
                            open.answered = response.status().is_success();
                            response.map(|body| Tap::new(body, open))
                        }
                        None => response.map(Tap::unwatched),
                    });
                }
                Err(error) => error,
            };
            if let Some(open) = open {
                open.settle().await;
            }
            Err(match error.downcast::<Rejection>() {
                Ok(rejection) => rejection
                    .with_missing_headers(fields.into_iter().flatten())
                    .into(),
                Err(error) => error,
            })
        })
    }
}

/// What every answer carries; nothing, of a request without limits. In place, as every request has it.
type Fields = [Option<(HeaderName, HeaderValue)>; 5];

const NO_FIELDS: Fields = [const { None }; 5];

/// The bill of a request: the one it has, or one that it is given now.
fn bill(extensions: &mut Extensions, spent: Spent) -> Bill {
    extensions.insert(spent);
    extensions.get_or_insert_with(Bill::default).clone()
}

impl<L: RateLimiter + Clone, F> RateLimitLayer<L, F> {
    async fn check(&self, takes: &[Take], notes: &Notes) -> Result<Fields, Rejection> {
        if takes.is_empty() {
            return Ok(NO_FIELDS);
        }
        let note = notes.begin("rate_limit");
        let charges: Vec<Charge<'_>> = takes
            .iter()
            .map(|take| Charge::new(&take.limit, &take.key, take.cost))
            .collect();
        let Ok(request) = CheckRequest::new(&charges) else {
            note.said(Said::Unavailable);
            return Err(contradiction());
        };
        let keys = self.partition_keys(takes);
        match self.limiter.check(request).await {
            Ok(Decision::Allow(allowed)) => {
                note.said(said(&allowed));
                Ok(allowed_fields(&allowed, keys))
            }
            Ok(Decision::Deny(denied)) => {
                note.said(Said::Deny);
                Err(refusal(&denied, keys))
            }
            Err(_) => {
                note.said(Said::Unavailable);
                self.unanswered()
            }
        }
    }

    async fn reserve(
        &self,
        settling: &Settling,
        takes: Vec<Take>,
        bill: Bill,
        spent: Spent,
        notes: Notes,
    ) -> Result<(Fields, Option<Open<L>>), Rejection> {
        let note = notes.begin("rate_limit");
        let keys = self.partition_keys(&takes);
        let limiter = self.limiter.clone();
        match settling.take(limiter, takes, bill, spent, notes).await {
            Ok(Decision::Allow((open, allowed))) => {
                note.said(said(&allowed));
                Ok((allowed_fields(&allowed, keys), Some(open)))
            }
            Ok(Decision::Deny(denied)) => {
                note.said(Said::Deny);
                Err(refusal(&denied, keys))
            }
            Err(error) => {
                note.said(Said::Unavailable);
                if error.kind() == StoreErrorKind::Invalid {
                    return Err(contradiction());
                }
                Ok((self.unanswered()?, None))
            }
        }
    }

    fn unanswered(&self) -> Result<Fields, Rejection> {
        match self.on_store_failure {
            OnStoreFailure::Open => Ok(NO_FIELDS),
            OnStoreFailure::Closed => Err(Rejection::new(
                Reason::GuardUnavailable,
                "the rate limit cannot be checked at the moment",
            )),
        }
    }

    fn partition_keys(&self, takes: &[Take]) -> Vec<PartitionKey> {
        let Some(secret) = &self.secret else {
            return Vec::new();
        };
        takes
            .iter()
            .map(|take| secret.of(&take.limit, &take.key))
            .collect()
    }
}

fn contradiction() -> Rejection {
    Rejection::new(
        Reason::Internal,
        "the limits of the request contradict each other",
    )
}

/// What the trace hears of a request that may go.
fn said(allowed: &Allowed) -> Said {
    if allowed.is_soft_breach() || !allowed.would_refuse().is_empty() {
        Said::Flag
    } else {
        Said::Allow
    }
}

fn refusal(denied: &Denied, keys: Vec<PartitionKey>) -> Rejection {
    let binding = denied.binding();
    let limit = &binding.limit;
    let (name, amount) = (limit.name(), limit.amount());
    let detail = match limit.algorithm() {
        Algorithm::Concurrency => format!("the limit {name:?} allows {amount} at a time"),
        _ => format!(
            "the limit {name:?} allows {amount} in {} s and a burst of {}",
            limit.period().as_secs_f64(),
            limit.burst(),
        ),
    };
    let rejection =
        Rejection::new(Reason::RateLimited, detail).with_retry_after(denied.retry_after());
    let rate_limit = headers::denied_with(denied, keys.iter().copied());
    fields(denied.statuses(), keys, rate_limit, binding)
        .into_iter()
        .flatten()
        .fold(rejection, |rejection, (name, value)| {
            rejection.with_header(name, value)
        })
}

fn allowed_fields(allowed: &Allowed, keys: Vec<PartitionKey>) -> Fields {
    let rate_limit = headers::allowed_with(allowed, keys.iter().copied());
    fields(allowed.statuses(), keys, rate_limit, allowed.binding())
}

/// The fields that tell how the client stands. All of it is printable ASCII; what were not is left out.
fn fields<'a>(
    statuses: impl Iterator<Item = &'a Status>,
    keys: Vec<PartitionKey>,
    rate_limit: String,
    binding: &Status,
) -> Fields {
    let legacy = headers::Legacy::from(binding);
    let text = |text: String| HeaderValue::try_from(text).ok();
    let policy = text(headers::policy_with(statuses, keys));
    [
        policy.map(|value| (POLICY, value)),
        text(rate_limit).map(|value| (RATE_LIMIT, value)),
        Some((LEGACY_LIMIT, legacy.limit.into())),
        Some((LEGACY_REMAINING, legacy.remaining.into())),
        Some((LEGACY_RESET, legacy.reset_secs.into())),
    ]
}

// Worked out by the compiler, not at every request.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const LEGACY_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const LEGACY_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const LEGACY_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
