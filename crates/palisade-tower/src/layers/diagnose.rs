use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use palisade_core::Clock;
use palisade_resilience::{HttpReply, ProviderError};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    BoxError,
    call::{BoxFuture, ready_call},
};

/// Reads what an upstream says of its own failure, and leaves it with the answer as a
/// [`Failure`](palisade_resilience::Failure) in its extensions.
///
/// The status alone does not tell a full minute from an empty account: both are a 429, and only one is worth another
/// attempt. The error body tells, and so do fields that a host may not want to hand on. [`Upstream`](crate::Upstream), the
/// classifier of the other layers, finds the failure there.
///
/// It stands innermost, where the answer is as the upstream sent it. Answers that are no failures are not touched. Of an
/// error body up to [`BODY_MAX`](DiagnoseLayer::BODY_MAX) bytes are read, within the attempt's time-out, and handed on
/// as they were; of a longer one the status and the fields are judged.
#[derive(Clone)]
pub struct DiagnoseLayer {
    clock: Arc<dyn Clock>,
}

impl DiagnoseLayer {
    /// The most of an error body that is read.
    pub const BODY_MAX: usize = 64 << 10;

    /// Compares dates with `clock`.
    pub fn new(clock: impl Clock + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
        }
    }
}

impl<S> Layer<S> for DiagnoseLayer {
    type Service = Diagnosed<S>;

    fn layer(&self, inner: S) -> Diagnosed<S> {
        Diagnosed {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service of a [`DiagnoseLayer`].
#[derive(Clone, Debug)]
pub struct Diagnosed<S> {
    inner: S,
    layer: DiagnoseLayer,
}

impl<S, T, B> Service<Request<T>> for Diagnosed<S>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    T: Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ReadBody<B>>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let inner = self.inner.clone();
        let clock = Arc::clone(&self.layer.clock);
        Box::pin(async move {
            let response = ready_call(inner, request).await.map_err(Into::into)?;
            if response.status().as_u16() < 400 {
                return Ok(response.map(ReadBody::untouched));
            }
            let (mut parts, body) = response.into_parts();
            let body = ReadBody::read(body).await;
            let mut reply = HttpReply::new(parts.status.as_u16());
            for (name, value) in &parts.headers {
                reply = reply.with_header(name.as_str(), value.as_bytes());
            }
            if let Some(whole) = body.whole() {
                reply = reply.with_error(ProviderError::from_body(whole));
            }
            if let Some(failure) = reply.failure(clock.now()) {
                parts.extensions.insert(failure);
            }
            Ok(Response::from_parts(parts, body))
        })
    }
}

/// A body of which the beginning may have been read.
pub struct ReadBody<B> {
    read: Bytes,
    /// How reading ended, if it broke off.
    broken: Option<BoxError>,
    rest: Option<B>,
}

impl<B> ReadBody<B> {
    const fn untouched(body: B) -> Self {
        Self {
            read: Bytes::new(),
            broken: None,
            rest: Some(body),
        }
    }

    /// All of it, if it was read to its end.
    const fn whole(&self) -> Option<&Bytes> {
        match (&self.rest, &self.broken) {
            (None, None) => Some(&self.read),
            _ => None,
        }
    }
}

impl<B> ReadBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    async fn read(mut body: B) -> Self {
        let mut read = BytesMut::new();
        loop {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
            let (broken, rest) = match frame {
                None => (None, None),
                Some(Err(error)) => (Some(error.into()), None),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        read.extend_from_slice(&data);
                        if read.len() <= DiagnoseLayer::BODY_MAX {
                            continue;
                        }
                        (None, Some(body))
                    }
                    // Trailers end it.
                    Err(_) => (None, None),
                },
            };
            return Self {
                read: read.freeze(),
                broken,
                rest,
            };
        }
    }
}

impl<B> Body for ReadBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if !self.read.is_empty() {
            let read = std::mem::take(&mut self.read);
            return Poll::Ready(Some(Ok(Frame::data(read))));
        }
        if let Some(broken) = self.broken.take() {
            return Poll::Ready(Some(Err(broken)));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(Into::into))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty()
            && self.broken.is_none()
            && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let rest = match (&self.rest, &self.broken) {
            (Some(rest), _) => rest.size_hint(),
            (None, Some(_)) => SizeHint::default(),
            (None, None) => SizeHint::with_exact(0),
        };
        let read = self.read.len() as u64;
        let mut hint = SizeHint::new();
        // The upper end first: a lower end beyond it is a panic.
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint.set_lower(rest.lower().saturating_add(read));
        hint
    }
}

impl<B> fmt::Debug for ReadBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadBody")
    }
}

impl fmt::Debug for DiagnoseLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DiagnoseLayer")
    }
}
