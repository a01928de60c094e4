//! The HTTP surface: what clients of OpenAI and Anthropic expect, and what operators look at.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Query, Request, State},
    response::Response,
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use palisade::{
    auth::{Authenticator as _, Credentials, CredentialsError, Principal, Role},
    core::{Decision, Dimension, Health, Key, Status},
    quota::QuotaLedger as _,
    resilience::TokioTimer,
    tower::{BoxError, Reason, Rejection},
    trace::{Loss, TraceId, TraceQuery, TraceSink as _, TraceStore as _},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::{
    config::Api,
    gateway::Shared,
    metrics::Readings,
    render::{self, Dialect, json_response},
    service::{own_key, scopes},
};

/// The routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(
            "/v1/chat/completions",
            post(|state, request| call(state, Api::OpenaiChat, request)),
        )
        .route(
            "/v1/embeddings",
            post(|state, request| call(state, Api::OpenaiEmbeddings, request)),
        )
        .route(
            "/v1/messages",
            post(|state, request| call(state, Api::AnthropicMessages, request)),
        )
        .route("/v1/models", get(models))
        .route("/v1/quota/status", get(quota_status))
        .route("/v1/traces", get(traces))
        .route("/v1/traces/{id}", get(trace))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .with_state(shared)
}

/// A request to a model takes the walk.
async fn call(State(shared): State<Arc<Shared>>, api: Api, mut request: Request) -> Response {
    let dialect = match api {
        Api::OpenaiChat | Api::OpenaiEmbeddings => Dialect::Openai,
        Api::AnthropicMessages => Dialect::Anthropic,
    };
    let asked: HeaderMap = request
        .headers()
        .get(header::ACCEPT)
        .map(|accept| (header::ACCEPT, accept.clone()))
        .into_iter()
        .collect();
    request.extensions_mut().insert(api);
    let mut service = shared.service.clone();
    drop(shared);
    let answer: Result<Response<Body>, BoxError> = async {
        std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
        service.call(request).await
    }
    .await;
    answer.unwrap_or_else(|error| render::error(dialect, &asked, &error))
}

/// The models that may be asked for, in OpenAI's form; Anthropic's clients read the same fields.
async fn models(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if let Err(rejection) = identify(&shared, &headers).await {
        return render::rejected(Dialect::Openai, &headers, rejection);
    }
    let data: Vec<Value> = shared
        .config
        .model
        .iter()
        .map(|model| {
            json!({
                "id": model.name, "object": "model", "created": 0, "owned_by": model.provider,
                "type": "model", "display_name": model.name,
            })
        })
        .collect();
    json_response(
        StatusCode::OK,
        &json!({"object": "list", "data": data, "has_more": false}),
    )
}

/// How the caller's allowances stand.
async fn quota_status(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    answer(&headers, async {
        let principal = identify(&shared, &headers).await?;
        let mut balances = Vec::new();
        for scope in scopes(&principal) {
            let balance = shared.ledger.balance(&scope).await.map_err(unavailable)?;
            balances.push(serde_json::to_value(balance).map_err(internal)?);
        }
        Ok(json!({"scopes": balances}))
    })
    .await
}

/// Which traces to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TracesQuery {
    limit: Option<usize>,
    after: Option<String>,
    status: Option<String>,
}

/// The latest traces the caller may see.
async fn traces(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    query: Result<Query<TracesQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    answer(&headers, async {
        let principal = identify(&shared, &headers).await?;
        let Query(asked) = query.map_err(|error| invalid(&error))?;
        let mut query = TraceQuery::new(visible_to(&principal));
        if let Some(limit) = asked.limit {
            query = query.with_limit(limit).map_err(|error| invalid(&error))?;
        }
        if let Some(after) = &asked.after {
            query = query.with_after(after.parse().map_err(|error| invalid(&error))?);
        }
        if let Some(status) = &asked.status {
            query = query.with_status(status.parse().map_err(|error| invalid(&error))?);
        }
        let page = shared.store.list(&query).await.map_err(unavailable)?;
        let next = page.next.as_ref().map(ToString::to_string);
        Ok(json!({"traces": page.items, "next": next}))
    })
    .await
}

/// One trace with all its steps.
async fn trace(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    answer(&headers, async {
        let principal = identify(&shared, &headers).await?;
        let id: TraceId = id.parse().map_err(|error| invalid(&error))?;
        // A trace of somebody else is one that is not there.
        let found = shared
            .store
            .get(id, &visible_to(&principal))
            .await
            .map_err(unavailable)?;
        if found.is_empty() {
            let detail = "there is no such trace";
            return Err(Rejection::new(Reason::NotFound, detail));
        }
        serde_json::to_value(found).map_err(internal)
    })
    .await
}

/// Whose traces a principal may see: administrators those of the organisation, everybody else their own.
fn visible_to(principal: &Principal) -> Key {
    if principal.may(Role::Admin) {
        principal.key_of(&[Dimension::Org])
    } else {
        own_key(principal)
    }
}

/// Whether the service works, and how its parts are.
async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let report = shared.health.refresh(&TokioTimer).await;
    let status = if report.status == Status::Down {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    let parts: Vec<Health> = report.parts.into_iter().map(|part| part.health).collect();
    json_response(
        status,
        &json!({"status": report.status, "components": parts}),
    )
}

/// The counters, for Prometheus.
async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let settlements = shared.settler.counts();
    let traces = shared.store.losses();
    let page = shared.metrics.render(Readings {
        // One that makes room for a newer one was stored for as long as it should be.
        traces_lost: traces.total() - traces.by(Loss::Evicted),
        settlements_waiting: settlements.waiting as u64,
        settlements_lost: settlements.lost_full + settlements.lost_gone + settlements.failed,
        usage_records_lost: shared.usage.lost(),
    });
    let mut response = Response::new(Body::from(page));
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

async fn not_found(request: Request) -> Response {
    let detail = format!("there is no {} {}", request.method(), request.uri().path());
    let rejection = Rejection::new(Reason::NotFound, detail);
    render::rejected(Dialect::Problem, request.headers(), rejection)
}

async fn not_allowed(request: Request) -> Response {
    let detail = format!("{} takes no {}", request.uri().path(), request.method());
    let problem = json!({
        "type": "urn:palisade:problem:method_not_allowed", "title": "Method not allowed",
        "status": 405, "detail": detail,
    });
    let mut response = json_response(StatusCode::METHOD_NOT_ALLOWED, &problem);
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn answer(
    headers: &HeaderMap,
    work: impl Future<Output = Result<Value, Rejection>>,
) -> Response {
    match work.await {
        Ok(value) => json_response(StatusCode::OK, &value),
        Err(rejection) => render::rejected(Dialect::Problem, headers, rejection),
    }
}

/// Who asks for one of our own pages.
async fn identify(shared: &Shared, headers: &HeaderMap) -> Result<Principal, Rejection> {
    let refuse = |detail: String| Rejection::new(Reason::Unauthenticated, detail);
    let credentials = credentials(headers).map_err(|error| refuse(error.to_string()))?;
    match shared
        .keys
        .authenticate(&credentials)
        .await
        .map_err(unavailable)?
    {
        Decision::Allow(principal) => Ok(principal),
        Decision::Deny(refusal) => Err(refuse(refusal.to_string())),
    }
}

/// As strict as the layer in front of the models: two fields of a name may disagree, and text that is none hides another.
fn credentials(headers: &HeaderMap) -> Result<Credentials, CredentialsError> {
    let field = |name: &str| {
        let mut values = headers.get_all(name).iter();
        let first = values.next().map(HeaderValue::to_str).transpose();
        match values.next() {
            Some(_) => Err(CredentialsError::Ambiguous),
            None => first.map_err(|_| CredentialsError::Malformed),
        }
    };
    Credentials::from_fields(field("authorization")?, field("x-api-key")?)
}

fn invalid(error: &dyn std::fmt::Display) -> Rejection {
    Rejection::new(Reason::Invalid, error.to_string())
}

fn unavailable(error: palisade::core::StoreError) -> Rejection {
    tracing::error!(%error, "the store gave no answer");
    Rejection::new(
        Reason::GuardUnavailable,
        "the store cannot be asked at the moment",
    )
}

fn internal(error: serde_json::Error) -> Rejection {
    tracing::error!(%error, "a page could not be written");
    Rejection::new(Reason::Internal, "something went wrong here")
}
