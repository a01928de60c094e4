use std::task::{Context, Poll};

use http::{HeaderMap, HeaderName, Request, Response, header};
use palisade_auth::{Authenticator, Credentials, CredentialsError, Principal};
use palisade_core::{Decision, RetryAfter};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    BoxError, Reason, Rejection,
    call::{BoxFuture, ready_call},
    observe::{Notes, Said},
};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Finds out who asks.
///
/// It reads `Authorization: Bearer …` or `x-api-key`, and puts the [`Principal`] into the request's extensions. The
/// credentials themselves go no further: both fields are taken off the request, so that nothing behind this layer can
/// log them or send them upstream. A store that gives no answer lets nobody in.
#[derive(Clone, Debug)]
pub struct AuthLayer<A> {
    authenticator: A,
}

impl<A> AuthLayer<A> {
    /// Asks `authenticator`.
    pub const fn new(authenticator: A) -> Self {
        Self { authenticator }
    }
}

impl<S, A: Clone> Layer<S> for AuthLayer<A> {
    type Service = Authenticated<S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        Authenticated {
            inner,
            authenticator: self.authenticator.clone(),
        }
    }
}

/// The service of an [`AuthLayer`].
#[derive(Clone, Debug)]
pub struct Authenticated<S, A> {
    inner: S,
    authenticator: A,
}

impl<S, A, T, B> Service<Request<T>> for Authenticated<S, A>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    A: Authenticator + Clone + 'static,
    T: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<T>) -> Self::Future {
        let inner = self.inner.clone();
        let authenticator = self.authenticator.clone();
        let credentials = take_credentials(request.headers_mut());
        Box::pin(async move {
            let notes = Notes::of(request.extensions());
            let principal = identify(&authenticator, credentials, &notes).await?;
            #[cfg(feature = "trace")]
            if let Some(trace) = request.extensions().get::<palisade_trace::ActiveTrace>() {
                trace.set_principal(principal.key());
            }
            request.extensions_mut().insert(principal);
            ready_call(inner, request).await.map_err(Into::into)
        })
    }
}

fn take_credentials(headers: &mut HeaderMap) -> Result<Credentials, CredentialsError> {
    let mut take = |name: HeaderName| {
        let mut values = headers.get_all(&name).iter();
        let first = values.next().cloned();
        // Two of a kind may disagree, and whoever reads the other one would see another caller.
        let repeated = values.next().is_some();
        headers.remove(name);
        if repeated {
            Err(CredentialsError::Ambiguous)
        } else {
            Ok(first)
        }
    };
    let (authorization, x_api_key) = (take(header::AUTHORIZATION), take(X_API_KEY));
    let (authorization, x_api_key) = (authorization?, x_api_key?);
    let text = |value: &Option<http::HeaderValue>| match value {
        None => Ok(None),
        Some(value) => value.to_str().map(|text| Some(text.to_owned())),
    };
    match (text(&authorization), text(&x_api_key)) {
        (Ok(authorization), Ok(x_api_key)) => {
            Credentials::from_fields(authorization.as_deref(), x_api_key.as_deref())
        }
        _ => Err(CredentialsError::Malformed),
    }
}

async fn identify<A: Authenticator>(
    authenticator: &A,
    credentials: Result<Credentials, CredentialsError>,
    notes: &Notes,
) -> Result<Principal, Rejection> {
    let note = notes.begin("auth");
    let credentials = match credentials {
        Ok(credentials) => credentials,
        Err(error) => {
            note.said(Said::Deny);
            return Err(Rejection::new(Reason::Unauthenticated, error.to_string()));
        }
    };
    match authenticator.authenticate(&credentials).await {
        Ok(Decision::Allow(principal)) => {
            note.said(Said::Allow);
            Ok(principal)
        }
        Ok(Decision::Deny(refusal)) => {
            note.said(Said::Deny);
            let challenge = http::HeaderValue::from_static(refusal.challenge());
            Err(Rejection::new(Reason::Unauthenticated, refusal.to_string())
                .with_header(header::WWW_AUTHENTICATE, challenge))
        }
        Err(error) => {
            note.said(Said::Unavailable);
            let detail = "the credentials cannot be checked at the moment";
            let rejection = Rejection::new(Reason::GuardUnavailable, detail);
            Err(if error.is_transient() {
                rejection.with_retry_after(RetryAfter::After(std::time::Duration::from_secs(1)))
            } else {
                rejection
            })
        }
    }
}
