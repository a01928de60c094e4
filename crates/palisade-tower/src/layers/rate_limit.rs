use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderName, HeaderValue, Request, Response};
use palisade_core::Decision;
pub use palisade_rate_limit::Take;
use palisade_rate_limit::{
    Charge, CheckRequest, RateLimiter, RateLimiterExt as _, Status, headers,
};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    BoxError, OnStoreFailure, Reason, Rejection,
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
/// further in refused; a refusal of this layer carries `Retry-After` too.
pub struct RateLimitLayer<L, F> {
    limiter: L,
    takes: Arc<F>,
    on_store_failure: OnStoreFailure,
}

impl<L, F> RateLimitLayer<L, F> {
    /// Asks `limiter` for what `takes` says.
    pub fn new(limiter: L, takes: F) -> Self {
        Self {
            limiter,
            takes: Arc::new(takes),
            on_store_failure: OnStoreFailure::Closed,
        }
    }

    /// What to do when the limiter gives no answer.
    #[must_use]
    pub const fn on_store_failure(mut self, policy: OnStoreFailure) -> Self {
        self.on_store_failure = policy;
        self
    }
}

impl<L: Clone, F> Clone for RateLimitLayer<L, F> {
    fn clone(&self) -> Self {
        Self {
            limiter: self.limiter.clone(),
            takes: Arc::clone(&self.takes),
            on_store_failure: self.on_store_failure,
        }
    }
}

impl<L: fmt::Debug, F> fmt::Debug for RateLimitLayer<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitLayer")
            .field("limiter", &self.limiter)
            .field("on_store_failure", &self.on_store_failure)
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
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let inner = self.inner.clone();
        let takes = self.layer.takes.takes(&request);
        let layer = Arc::clone(&self.layer);
        Box::pin(async move {
            let notes = Notes::of(request.extensions());
            let fields = ask(&layer.limiter, &takes?, layer.on_store_failure, &notes).await?;
            match ready_call(inner, request).await.map_err(Into::into) {
                Ok(mut response) => {
                    // What an upstream says about *its* limits is about this service, not about the client.
                    for (name, value) in fields {
                        response.headers_mut().insert(name, value);
                    }
                    Ok(response)
                }
                Err(error) => Err(match error.downcast::<Rejection>() {
                    Ok(rejection) => rejection.with_missing_headers(fields).into(),
                    Err(error) => error,
                }),
            }
        })
    }
}

type Fields = Vec<(HeaderName, HeaderValue)>;

async fn ask<L: RateLimiter>(
    limiter: &L,
    takes: &[Take],
    policy: OnStoreFailure,
    notes: &Notes,
) -> Result<Fields, Rejection> {
    if takes.is_empty() {
        return Ok(Fields::new());
    }
    let note = notes.begin("rate_limit");
    let charges: Vec<Charge<'_>> = takes
        .iter()
        .map(|take| Charge::new(&take.limit, &take.key, take.cost))
        .collect();
    let Ok(request) = CheckRequest::new(&charges) else {
        note.said(Said::Unavailable);
        return Err(Rejection::new(
            Reason::Internal,
            "the limits of the request contradict each other",
        ));
    };
    match limiter.check(request).await {
        Ok(Decision::Allow(allowed)) => {
            note.said(Said::Allow);
            Ok(fields(
                allowed.statuses(),
                headers::allowed(&allowed),
                allowed.binding(),
            ))
        }
        Ok(Decision::Deny(denied)) => {
            note.said(Said::Deny);
            let binding = denied.binding();
            let limit = &binding.limit;
            let detail = format!(
                "the limit {:?} allows {} in {} s and a burst of {}",
                limit.name(),
                limit.amount(),
                limit.period().as_secs_f64(),
                limit.burst(),
            );
            let mut rejection =
                Rejection::new(Reason::RateLimited, detail).with_retry_after(denied.retry_after());
            for (name, value) in fields(denied.statuses(), headers::denied(&denied), binding) {
                rejection = rejection.with_header(name, value);
            }
            Err(rejection)
        }
        Err(_) => {
            note.said(Said::Unavailable);
            match policy {
                OnStoreFailure::Open => Ok(Fields::new()),
                OnStoreFailure::Closed => Err(Rejection::new(
                    Reason::GuardUnavailable,
                    "the rate limit cannot be checked at the moment",
                )),
            }
        }
    }
}

/// The fields that tell how the client stands. All of it is printable ASCII; what were not is left out.
fn fields<'a>(
    statuses: impl Iterator<Item = &'a Status>,
    rate_limit: String,
    binding: &Status,
) -> Fields {
    let legacy = headers::Legacy::from(binding);
    let texts = [
        (
            "ratelimit-policy",
            HeaderValue::try_from(headers::policy(statuses)),
        ),
        ("ratelimit", HeaderValue::try_from(rate_limit)),
        ("x-ratelimit-limit", Ok(HeaderValue::from(legacy.limit))),
        (
            "x-ratelimit-remaining",
            Ok(HeaderValue::from(legacy.remaining)),
        ),
        (
            "x-ratelimit-reset",
            Ok(HeaderValue::from(legacy.reset_secs)),
        ),
    ];
    texts
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), value.ok()?)))
        .collect()
}
