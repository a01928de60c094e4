use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use palisade_trace::{ActiveTrace, Recorder, TraceContext, TraceStatus};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    BoxError, Rejection, Tap,
    call::{BoxFuture, ready_call},
    find,
    tap::{End, Ending, Observe},
};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Tells the caller under which ids the request was traced (W3C Trace Context Level 2, *traceresponse*).
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// Traces every request from its first byte to the last of its answer.
///
/// It stands outermost, so that a refusal is traced too. It puts an [`ActiveTrace`] into the request's extensions,
/// where the layers further in add what they did, and ends the trace exactly once: when the body of the answer ends,
/// breaks off or is dropped, when the call fails, or when the caller goes away before there is an answer.
#[derive(Clone, Debug)]
pub struct TraceLayer {
    recorder: Recorder,
    join: bool,
}

impl TraceLayer {
    /// Traces into `recorder`, each request as a trace of its own.
    #[must_use]
    pub const fn new(recorder: Recorder) -> Self {
        Self {
            recorder,
            join: false,
        }
    }

    /// Joins the trace that the caller's `traceparent` names. Only for callers that may choose trace ids.
    #[must_use]
    pub const fn joining_callers(mut self) -> Self {
        self.join = true;
        self
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`TraceLayer`].
#[derive(Clone, Debug)]
pub struct Traced<S> {
    inner: S,
    layer: Arc<TraceLayer>,
}

impl<S, T, B> Service<Request<T>> for Traced<S>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
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
        let parent = self.layer.join.then(|| parent(request.headers())).flatten();
        let name = format!("{} {}", request.method(), request.uri().path());
        let trace = self.layer.recorder.start(name, parent.as_ref());
        request.extensions_mut().insert(trace.clone());
        let inner = self.inner.clone();
        let named = trace
            .context()
            .and_then(|context| HeaderValue::try_from(context.traceparent()).ok());
        Box::pin(async move {
            // Others may hold the trace too: if the caller goes away, it ends here and now all the same.
            let mut open = EndTrace {
                trace,
                status: TraceStatus::Abandoned,
            };
            match ready_call(inner, request).await {
                Ok(mut response) => {
                    if let Some(named) = named {
                        response.headers_mut().insert(TRACERESPONSE, named);
                    }
                    open.status = if response.status().is_client_error() {
                        TraceStatus::Refused
                    } else if response.status().is_server_error() {
                        TraceStatus::Failed
                    } else {
                        TraceStatus::Ok
                    };
                    Ok(response.map(|body| Tap::new(body, open)))
                }
                Err(error) => {
                    let error = error.into();
                    open.trace.end(blame(&open.trace, &*error));
                    // Who is refused will ask why, and needs something to ask by.
                    Err(match (error.downcast::<Rejection>(), named) {
                        (Ok(rejection), Some(named)) => {
                            rejection.with_header(TRACERESPONSE, named).into()
                        }
                        (Ok(rejection), None) => rejection,
                        (Err(error), _) => error,
                    })
                }
            }
        })
    }
}

/// The context the caller sent, if it is a valid one; anything else is as good as none (W3C Trace Context §3.2.2.5).
fn parent(headers: &HeaderMap) -> Option<TraceContext> {
    let traceparent = headers.get(TRACEPARENT)?.to_str().ok()?;
    let states: Vec<&str> = headers
        .get_all(TRACESTATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    TraceContext::from_headers(traceparent, &states.join(",")).ok()
}

fn blame(trace: &ActiveTrace, error: &(dyn std::error::Error + 'static)) -> TraceStatus {
    let Some(rejection) = find::<Rejection>(error) else {
        trace.set_reason("internal_error");
        return TraceStatus::Failed;
    };
    trace.set_reason(rejection.reason().code());
    if rejection.reason().is_refusal() {
        TraceStatus::Refused
    } else {
        TraceStatus::Failed
    }
}

/// Ends the trace when it falls, if nobody has before.
struct EndTrace {
    trace: ActiveTrace,
    status: TraceStatus,
}

impl Drop for EndTrace {
    fn drop(&mut self) {
        self.trace.end(TraceStatus::Abandoned);
    }
}

impl Observe for EndTrace {
    fn data(&mut self, _: &Bytes) {}

    fn end(self: Box<Self>, end: End, _: bool) -> Option<Ending> {
        self.trace.end(match end {
            End::Complete => self.status,
            End::Failed => {
                self.trace.set_reason("interrupted");
                TraceStatus::Failed
            }
            End::Dropped => TraceStatus::Abandoned,
        });
        None
    }
}
