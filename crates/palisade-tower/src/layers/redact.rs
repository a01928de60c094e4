use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body::Body;
use palisade_redaction::Scanner;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    BoxError, Reason, Rejection,
    call::{BoxFuture, ready_call},
    observe::Notes,
    redact::{RedactedBody, Redaction, Shape},
};

/// Marks a request, in its extensions, whose client did not ask for usage in the stream. The meter needs it, so the host
/// asks the provider for it; the event that carries it is then not passed on.
#[derive(Clone, Copy, Debug)]
pub struct WithoutUsage;

/// Takes out of an answer what must not leave.
///
/// A JSON document is redacted as a whole, a stream of server-sent events as it passes, each of its texts with a small
/// hold-back, so that a secret cut into many events is whole when it is judged. It knows the events of OpenAI's chat
/// completions and responses, of Anthropic's messages and of Google's candidates, tool-call arguments included; the texts of
/// other events are judged one by one. Events stay valid JSON, and those in which nothing is found or held stay as they
/// were, byte for byte. What repeats a text in pieces too small to be judged (`logprobs`) is taken out of streams, and of
/// documents in which something was found.
///
/// If an answer breaks off, what was held back never leaves.
///
/// What cannot be read cannot be judged: the request is sent on with `Accept-Encoding: identity`, and an answer that is
/// compressed all the same is refused. Images, sounds and archives pass as they are; everything else is taken for text.
#[derive(Clone, Debug)]
pub struct RedactLayer {
    scanner: Arc<Scanner>,
    document_bytes_max: usize,
}

impl RedactLayer {
    /// How large a JSON document may be by default: 16 MiB.
    pub const DOCUMENT_BYTES_MAX_DEFAULT: usize = 16 << 20;

    /// Takes out what `scanner` finds, by its policy and with its mask. An answer has begun when something is found in
    /// it, so an action to block takes out like one to redact.
    #[must_use]
    pub const fn new(scanner: Arc<Scanner>) -> Self {
        Self {
            scanner,
            document_bytes_max: Self::DOCUMENT_BYTES_MAX_DEFAULT,
        }
    }

    /// The same with another limit to the size of a JSON document. A larger one is refused: it cannot be judged.
    #[must_use]
    pub const fn with_document_bytes_max(mut self, bytes: usize) -> Self {
        self.document_bytes_max = bytes;
        self
    }
}

impl<S> Layer<S> for RedactLayer {
    type Service = Redacted<S>;

    fn layer(&self, inner: S) -> Redacted<S> {
        Redacted {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service of a [`RedactLayer`].
#[derive(Clone, Debug)]
pub struct Redacted<S> {
    inner: S,
    layer: RedactLayer,
}

impl<S, T, B> Service<Request<T>> for Redacted<S>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    T: Send + 'static,
    B: Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<RedactedBody<B>>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<T>) -> Self::Future {
        // What the client can decompress, this layer cannot.
        let plain = HeaderValue::from_static("identity");
        request.headers_mut().insert(header::ACCEPT_ENCODING, plain);
        let inner = self.inner.clone();
        let layer = self.layer.clone();
        Box::pin(async move {
            let notes = Notes::of(request.extensions());
            let without_usage = request.extensions().get::<WithoutUsage>().is_some();
            let response = ready_call(inner, request).await.map_err(Into::into)?;
            let shape = Shape::of(response.headers());
            let (mut head, body) = response.into_parts();
            if shape != Shape::Opaque {
                if is_encoded(&head.headers) {
                    let detail = "the answer is compressed, which this service cannot judge";
                    return Err(Rejection::new(Reason::UpstreamUnavailable, detail).into());
                }
                for name in &OF_THE_OLD_BODY {
                    head.headers.remove(name);
                }
            }
            let mut redaction = Redaction::new(layer.scanner);
            let body = if shape == Shape::Document {
                let bytes = collect(body, layer.document_bytes_max).await?;
                let note = notes.begin("redact");
                let clean = redaction.document(&bytes);
                redaction.found.say(note);
                RedactedBody::whole(clean.map_or(bytes, Bytes::from))
            } else {
                let note = notes.begin("redact");
                RedactedBody::streamed(body, shape, redaction, without_usage, note)
            };
            Ok(Response::from_parts(head, body))
        })
    }
}

/// The length may change, and what the body was hashed to no longer holds.
const OF_THE_OLD_BODY: [HeaderName; 9] = [
    header::CONTENT_LENGTH,
    header::ETAG,
    header::CONTENT_RANGE,
    header::ACCEPT_RANGES,
    header::TRAILER,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
];

fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|encoding| {
            !encoding
                .as_bytes()
                .trim_ascii()
                .eq_ignore_ascii_case(b"identity")
        })
}

/// All of a body, up to a limit.
async fn collect<B>(body: B, bytes_max: usize) -> Result<Bytes, Rejection>
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(frame) = frame else {
            return Err(Rejection::new(
                Reason::UpstreamUnavailable,
                "the answer broke off",
            ));
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if all.len() + first.as_ref().map_or(0, Bytes::len) + data.len() > bytes_max {
            let detail = "the answer is larger than this service can judge";
            return Err(Rejection::new(Reason::UpstreamUnavailable, detail));
        }
        // Most answers are one piece, which then need not be copied.
        match first.take() {
            None if all.is_empty() => first = Some(data),
            held => {
                all.extend_from_slice(&held.unwrap_or_default());
                all.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}
