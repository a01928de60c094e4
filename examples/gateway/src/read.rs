//! From bytes to a call: the stage between the counter and the ledger.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use palisade::{
    core::Param,
    cost::UsageShape,
    tower::{BoxError, Reason, Rejection, WithoutUsage, find},
};
use tower_layer::Layer;
use tower_service::Service;

use crate::{call::Call, config::Api};

/// Reads the body of a request, up to a limit, and what it says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadLayer {
    pub(crate) bytes_max: usize,
    /// How long a client may take to send its request.
    pub(crate) patience: Duration,
}

impl<S> Layer<S> for ReadLayer {
    type Service = Reading<S>;

    fn layer(&self, inner: S) -> Reading<S> {
        Reading {
            inner,
            layer: *self,
        }
    }
}

/// The service of a [`ReadLayer`].
#[derive(Clone, Debug)]
pub(crate) struct Reading<S> {
    inner: S,
    layer: ReadLayer,
}

impl<S, B> Service<Request<Body>> for Reading<S>
where
    S: Service<Request<Call>, Response = Response<B>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut inner = self.inner.clone();
        let layer = self.layer;
        Box::pin(async move {
            let request = read(request, layer).await?;
            std::future::poll_fn(|cx| inner.poll_ready(cx)).await?;
            inner.call(request).await
        })
    }
}

async fn read(request: Request<Body>, layer: ReadLayer) -> Result<Request<Call>, Rejection> {
    let ReadLayer {
        bytes_max,
        patience,
    } = layer;
    let api = *request.extensions().get::<Api>().ok_or_else(|| {
        Rejection::new(Reason::Internal, "the route does not say which API it is")
    })?;
    let too_large = || {
        let detail = format!("a request may have at most {bytes_max} bytes");
        Rejection::new(Reason::TooLarge, detail)
    };
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > bytes_max) {
        return Err(too_large());
    }
    let (mut head, body) = request.into_parts();
    let collecting = Limited::new(body, bytes_max).collect();
    let body = match tokio::time::timeout(patience, collecting).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if find::<LengthLimitError>(&*error).is_some() => return Err(too_large()),
        Ok(Err(_)) => return Err(Rejection::new(Reason::Invalid, "the body broke off")),
        Err(_) => {
            let detail = format!("the body did not arrive within {patience:?}");
            return Err(Rejection::new(Reason::Invalid, detail));
        }
    };
    let call = Call::parse(api, body).map_err(|detail| Rejection::new(Reason::Invalid, detail))?;
    if !call.wants_usage {
        head.extensions.insert(WithoutUsage);
    }
    Ok(Request::from_parts(head, call))
}

/// Which shape of usage the answer will state.
impl Param<UsageShape> for Call {
    fn param(&self) -> UsageShape {
        match self.api {
            Api::OpenaiChat => UsageShape::OpenAiChat,
            Api::OpenaiEmbeddings => UsageShape::Embeddings,
            Api::AnthropicMessages => UsageShape::AnthropicMessages,
        }
    }
}
