//! What becomes of a request whose body nobody has read.
//!
//! A request is refused as early as possible, mostly before its body is looked at. A connection with half a request in
//! it cannot take another one, so hyper closes it then; but a client that was told nothing of that sends its next
//! request into the closed connection and fails. So what is left of a small body is read and thrown away before the
//! answer, and the answer to a larger one says that the connection ends. It does not end at once even so: whoever closes
//! a connection with unread bytes in it takes the answer away from a client that is still sending.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::oneshot;

/// How much is read for nothing before the answer, and for how long.
const SMALL: Limit = Limit(256 << 10, Duration::from_secs(1));
/// How much while the answer is on its way, to a connection that ends.
const LARGE: Limit = Limit(64 << 20, Duration::from_secs(10));

/// Bytes and time.
#[derive(Clone, Copy)]
struct Limit(usize, Duration);

/// Where an unread body comes back to.
pub(crate) struct Unread {
    back: oneshot::Receiver<Incoming>,
    /// The client waits to be asked for the body (RFC 9110 §10.1.1), and will not be.
    waits: bool,
}

/// Lends the body of a request to whoever answers it.
pub(crate) fn lend(request: Request<Incoming>) -> (Request<Body>, Unread) {
    let (back, unread) = oneshot::channel();
    let waits = request.headers().contains_key(header::EXPECT);
    let request = request.map(|inner| {
        if inner.is_end_stream() {
            Body::empty()
        } else {
            Body::new(Lent {
                inner: Some(inner),
                back: Some(back),
            })
        }
    });
    let back = unread;
    (request, Unread { back, waits })
}

impl Unread {
    /// The answer, once nothing of the request is left; or one that ends the connection.
    pub(crate) async fn clear(mut self, mut response: Response<Body>) -> Response<Body> {
        let Ok(mut body) = self.back.try_recv() else {
            return response;
        };
        if !self.waits && drain(&mut body, SMALL).await {
            return response;
        }
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        if !self.waits {
            // Ends with the connection, or at its limit.
            tokio::spawn(async move { drain(&mut body, LARGE).await });
        }
        response
    }
}

/// Whether nothing more will come of it.
async fn drain(body: &mut Incoming, Limit(bytes_max, patience): Limit) -> bool {
    if body.size_hint().lower() > bytes_max as u64 {
        return false;
    }
    let reading = async {
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > bytes_max {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(patience, reading)
        .await
        .unwrap_or(false)
}

/// A body that goes back when it is dropped before its end.
struct Lent {
    inner: Option<Incoming>,
    back: Option<oneshot::Sender<Incoming>>,
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(inner).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.inner = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let unread = self.inner.take().filter(|inner| !inner.is_end_stream());
        if let (Some(inner), Some(back)) = (unread, self.back.take()) {
            // Nobody takes it back only if the connection is gone too.
            let _ = back.send(inner);
        }
    }
}
