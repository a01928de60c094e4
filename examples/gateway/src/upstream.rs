//! The innermost service: sends a call to the provider that the router chose.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use palisade::tower::{BoxError, Route};

use crate::{
    call::Call,
    config::{Config, ConfigError, Kind},
};

/// Header fields of the client that a provider should see too.
const PASSED_ON: [HeaderName; 5] = [
    HeaderName::from_static("anthropic-version"),
    HeaderName::from_static("anthropic-beta"),
    HeaderName::from_static("openai-organization"),
    HeaderName::from_static("idempotency-key"),
    // Ours by then: whose the retries are, for gateways behind this one.
    HeaderName::from_static("retry-owner"),
];

/// Header fields of a provider that a client should see too: what the body is, when to come back, and what to ask
/// support by. Not its connection, its cookies, our account there and our limits.
const HANDED_ON: [HeaderName; 8] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::RETRY_AFTER,
    HeaderName::from_static("retry-after-ms"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("request-id"),
    HeaderName::from_static("openai-processing-ms"),
];

/// An answer with those fields alone that a client should see.
pub(crate) fn hand_on<B>(mut response: Response<B>) -> Response<B> {
    *response.headers_mut() = handed_on(response.headers());
    response
}

fn handed_on(fields: &HeaderMap) -> HeaderMap {
    let named = |name: &HeaderName| Some((name.clone(), fields.get(name)?.clone()));
    HANDED_ON.iter().filter_map(named).collect()
}

/// The version of Anthropic's API that is spoken unless the client names one.
const ANTHROPIC_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Calls providers over HTTP. Cloning is cheap, and clones share their connections.
#[derive(Clone)]
pub(crate) struct Upstream(Arc<Inner>);

struct Inner {
    client: Client<Connector, Full<Bytes>>,
    connector: Connector,
    endpoints: Arc<HashMap<String, Endpoint>>,
}

type Connector = HttpsConnector<HttpConnector>;

/// A provider, ready to be called.
struct Endpoint {
    base: String,
    authorisation: HeaderMap,
    kind: Kind,
}

impl Upstream {
    /// A client for the providers of `config`; the embedded mock listens at `mock`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a key is not in the environment or a base URL is none.
    pub(crate) fn new(
        config: &Config,
        mock: Option<std::net::SocketAddr>,
    ) -> Result<Self, ConfigError> {
        let mut endpoints = HashMap::new();
        for (index, provider) in config.provider.iter().enumerate() {
            let base = match (&provider.base_url, mock) {
                (Some(url), _) => url.trim_end_matches('/').to_owned(),
                (None, Some(address)) => format!("http://{address}"),
                // Nothing asks a provider that nobody has started.
                (None, None) => String::new(),
            };
            let refuse = |field: &str, found: &str, allowed: &str| ConfigError::Value {
                key: format!("provider[{index}].{field}"),
                found: found.to_owned(),
                allowed: allowed.to_owned(),
            };
            // Both spellings are in use: with and without the version at the end.
            let base = base.strip_suffix("/v1").map_or(base.clone(), str::to_owned);
            let mut authorisation = HeaderMap::new();
            if let Some(variable) = &provider.api_key_env {
                let key = std::env::var(variable).map_err(|_| {
                    refuse(
                        "api_key_env",
                        variable,
                        "an environment variable that is set",
                    )
                })?;
                let (name, value) = match provider.kind {
                    Kind::Anthropic => (HeaderName::from_static("x-api-key"), key),
                    Kind::Openai | Kind::Mock => (header::AUTHORIZATION, format!("Bearer {key}")),
                };
                let mut value = HeaderValue::try_from(value).map_err(|_| {
                    refuse(
                        "api_key_env",
                        variable,
                        "a variable whose value can stand in a header",
                    )
                })?;
                value.set_sensitive(true);
                authorisation.insert(name, value);
            }
            endpoints.insert(
                provider.name.clone(),
                Endpoint {
                    base,
                    authorisation,
                    kind: provider.kind,
                },
            );
        }
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        // The TLS layer above decides about the scheme.
        http.enforce_http(false);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self::connecting(connector, Arc::new(endpoints)))
    }

    /// One that knows the same providers, and connects to them by itself.
    pub(crate) fn with_own_connections(&self) -> Self {
        Self::connecting(self.0.connector.clone(), Arc::clone(&self.0.endpoints))
    }

    fn connecting(connector: Connector, endpoints: Arc<HashMap<String, Endpoint>>) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector.clone());
        Self(Arc::new(Inner {
            client,
            connector,
            endpoints,
        }))
    }

    fn request(&self, request: &Request<Call>) -> Result<Request<Full<Bytes>>, BoxError> {
        let route = request
            .extensions()
            .get::<Route>()
            .ok_or("the call has not been routed")?;
        let endpoint = self
            .0
            .endpoints
            .get(&*route.upstream)
            .ok_or("the route leads nowhere")?;
        let call = request.body();
        let mut outgoing = Request::new(Full::new(call.upstream_body(&route.model)));
        *outgoing.method_mut() = http::Method::POST;
        *outgoing.uri_mut() = format!("{}{}", endpoint.base, call.api.path()).parse::<Uri>()?;
        let headers = outgoing.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        // What comes compressed cannot be judged, and without this it may (RFC 9110 §12.5.3).
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        for name in &PASSED_ON {
            if let Some(value) = request.headers().get(name) {
                headers.insert(name, value.clone());
            }
        }
        if endpoint.kind == Kind::Anthropic {
            headers
                .entry("anthropic-version")
                .or_insert(ANTHROPIC_VERSION);
        }
        headers.extend(endpoint.authorisation.clone());
        Ok(outgoing)
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("providers", &self.0.endpoints.len())
            .finish_non_exhaustive()
    }
}

impl tower_service::Service<Request<Call>> for Upstream {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Call>) -> Self::Future {
        let sending = self
            .request(&request)
            .map(|outgoing| self.0.client.request(outgoing));
        Box::pin(async move { Ok(sending?.await?) })
    }
}
