use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{Extensions, Request, Response, StatusCode};
use http_body::Body;
use palisade_core::{Clock, Instant, ModelId, Param, Timestamp};
use palisade_cost::{
    CallFacts, PriceBook, Priced, Reading, UsageCollector, UsageOutcome, UsageShape, price,
    read_usage,
};
use tower_layer::Layer;
use tower_service::Service;

use super::route::Route;
use crate::{
    Bill, BoxError, Line, Tap,
    call::{BoxFuture, ready},
    form::Form,
    sse::{self, Splitter},
    tap::{End, Ending, Observe},
};

/// What one attempt used and cost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metered {
    /// Whose prices were used.
    pub model: ModelId,
    /// Which attempt of its request it was, from 1.
    pub attempt: u32,
    /// When it was sent.
    pub at: Timestamp,
    /// From then to the end of the answer.
    pub duration: Duration,
    /// From then to the first byte of the answer's body.
    pub first_byte: Option<Duration>,
    /// The status of the answer.
    pub status: StatusCode,
    /// How the answer ended.
    pub end: End,
    /// What the provider said was used.
    pub usage: UsageOutcome,
    /// What that costs.
    pub priced: Priced,
}

/// Takes note of what attempts used and cost. Implemented by closures.
///
/// Sync, because the end of a body cannot wait: it must not block, and queues what takes time.
pub trait UsageSink: Send + Sync {
    /// An attempt has ended. `request` are the extensions of its request: who asked, in which trace.
    fn metered(&self, metered: &Metered, request: &Extensions);
}

impl<F: Fn(&Metered, &Extensions) + Send + Sync> UsageSink for F {
    fn metered(&self, metered: &Metered, request: &Extensions) {
        self(metered, request);
    }
}

/// Finds out what each attempt used and cost.
///
/// It stands inside the retry: every attempt that was answered costs, also the one nobody wanted. It reads the usage
/// that the provider states, out of a document or a stream, as it passes, prices it, writes it on the request's
/// [`Bill`], into its trace, and tells the sink. An attempt of which nothing certain is known stays unknown on the bill,
/// and the quota charges what was reserved for it; it never counts as free. An error status counts as free, unless it says
/// that a proxy gave up waiting. The sink hears of answers, not of attempts that failed. The request's body says which shape
/// of usage to expect.
#[derive(Clone)]
pub struct MeterLayer {
    prices: Arc<PriceBook>,
    sink: Arc<dyn UsageSink>,
    clock: Arc<dyn Clock>,
}

impl MeterLayer {
    /// The largest document whose usage is read. The usage of a larger one stays unknown.
    pub const DOCUMENT_BYTES_MAX: usize = 32 << 20;

    /// Prices by `prices` and tells `sink`.
    pub fn new(
        prices: Arc<PriceBook>,
        sink: Arc<dyn UsageSink>,
        clock: impl Clock + 'static,
    ) -> Self {
        Self {
            prices,
            sink,
            clock: Arc::new(clock),
        }
    }
}

impl fmt::Debug for MeterLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeterLayer")
    }
}

impl<S> Layer<S> for MeterLayer {
    type Service = MeteredCalls<S>;

    fn layer(&self, inner: S) -> MeteredCalls<S> {
        MeteredCalls {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`MeterLayer`].
#[derive(Clone, Debug)]
pub struct MeteredCalls<S> {
    inner: S,
    layer: Arc<MeterLayer>,
}

impl<S, T, B> Service<Request<T>> for MeteredCalls<S>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    T: Param<UsageShape> + Send + 'static,
    B: Body<Data = Bytes>,
{
    type Response = Response<Tap<B>>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<Tap<B>>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let mut inner = self.inner.clone();
        let layer = Arc::clone(&self.layer);
        Box::pin(async move {
            // Whoever goes away while the upstream is not ready has sent nothing.
            ready(&mut inner).await.map_err(Into::into)?;
            let Some(sent) = Sent::new(layer, request.extensions()) else {
                // Without a route there is no model, and so nothing to price: the bill says that an attempt was sent.
                let line = request.extensions().get::<Bill>().map(Bill::send);
                let answer = inner.call(request).await.map_err(Into::into);
                drop(line);
                return answer.map(|response| response.map(Tap::unwatched));
            };
            let shape = request.body().param();
            let answer = inner.call(request).await.map_err(Into::into);
            let response = match answer {
                Ok(response) => response,
                Err(error) => {
                    sent.failed(&error);
                    return Err(error);
                }
            };
            if !response.status().is_success() {
                // An error instead of an answer.
                sent.refused(response.status());
                return Ok(response.map(Tap::unwatched));
            }
            let reading = Read::new(shape, &response);
            let status = response.status();
            let meter = Meter {
                sent,
                reading,
                status,
                first_byte: None,
            };
            Ok(response.map(|body| Tap::new(body, meter)))
        })
    }
}

fn attempt(extensions: &Extensions) -> u32 {
    #[cfg(feature = "resilience")]
    return extensions
        .get::<palisade_resilience::Attempt>()
        .map_or(1, |attempt| attempt.number);
    #[cfg(not(feature = "resilience"))]
    {
        let _ = extensions;
        1
    }
}

/// Whether a model may have run although the answer is an error: a proxy gave up waiting for it. Providers do not bill for
/// other errors.
const fn may_have_run(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 504 | 524)
}

/// An attempt on its way.
struct Sent {
    layer: Arc<MeterLayer>,
    line: Line,
    model: ModelId,
    attempt: u32,
    at: Timestamp,
    began: Instant,
    #[cfg(feature = "trace")]
    note: Option<palisade_trace::StepTimer>,
    extensions: Extensions,
}

impl Sent {
    /// `None` for a request without a route.
    fn new(layer: Arc<MeterLayer>, extensions: &Extensions) -> Option<Self> {
        let route = extensions.get::<Route>()?;
        Some(Self {
            line: extensions.get::<Bill>().cloned().unwrap_or_default().send(),
            model: route.priced_as.clone(),
            attempt: attempt(extensions),
            at: layer.clock.now(),
            began: layer.clock.instant(),
            #[cfg(feature = "trace")]
            note: extensions
                .get::<palisade_trace::ActiveTrace>()
                .map(|trace| trace.begin("llm_call")),
            extensions: extensions.clone(),
            layer,
        })
    }

    /// There was no answer. Whether it is billed depends on why.
    fn failed(self, error: &BoxError) {
        #[cfg(feature = "resilience")]
        {
            let failure = crate::failure::of_error(&**error);
            if failure.billed() == palisade_resilience::Certainty::No {
                self.line.free();
            }
            #[cfg(feature = "trace")]
            if let Some(note) = self.note {
                use palisade_trace::{LlmCall, Outcome};
                let outcome = Outcome::failed(failure.kind().slug());
                note.finish(LlmCall::new(self.model, self.attempt, outcome));
            }
        }
        #[cfg(not(feature = "resilience"))]
        let _ = error;
    }

    /// The answer was an error.
    fn refused(self, status: StatusCode) {
        if !may_have_run(status) {
            self.line.free();
        }
        #[cfg(feature = "trace")]
        if let Some(note) = self.note {
            use palisade_trace::{LlmCall, Outcome};
            let outcome = Outcome::failed(format!("http_{}", status.as_u16()));
            let call = LlmCall::new(self.model, self.attempt, outcome);
            note.finish(call.with_http_status(status.as_u16()));
        }
    }

    /// The answer has ended.
    fn ended(
        self,
        status: StatusCode,
        end: End,
        usage: UsageOutcome,
        first_byte: Option<Duration>,
    ) {
        let facts = CallFacts::new(self.model.clone(), self.at);
        let priced = price(&self.layer.prices, &facts, &usage);
        if let Reading::Complete(counts) = &usage.reading
            && let Ok(tokens) = counts.usage.total()
        {
            match priced.cost {
                Some(cost) => self.line.used(tokens, cost),
                None => self.line.used_unpriced(tokens),
            }
        }
        #[cfg(feature = "trace")]
        if let Some(note) = self.note {
            use palisade_trace::{LlmCall, Outcome};
            let outcome = match end {
                End::Complete => Outcome::Ok,
                End::Failed => Outcome::failed("interrupted"),
                End::Dropped => Outcome::Cancelled,
            };
            let mut call = LlmCall::new(self.model.clone(), self.attempt, outcome)
                .with_http_status(status.as_u16());
            call.usage = usage.counts().map(|counts| counts.usage);
            call.cost = priced.cost;
            call.ttft = first_byte;
            note.finish(call);
        }
        let metered = Metered {
            model: self.model,
            attempt: self.attempt,
            at: self.at,
            duration: self.layer.clock.instant().saturating_since(self.began),
            first_byte,
            status,
            end,
            usage,
            priced,
        };
        self.layer.sink.metered(&metered, &self.extensions);
    }
}

/// Reads the usage out of an answer as it passes.
struct Meter {
    sent: Sent,
    reading: Read,
    status: StatusCode,
    first_byte: Option<Duration>,
}

enum Read {
    Stream(Box<Stream>),
    Document(UsageShape, Option<Bytes>, BytesMut),
    /// Too large, or not to be split: nothing is known any more.
    Lost,
}

impl Read {
    fn new<B>(shape: UsageShape, response: &Response<B>) -> Self {
        if sse::is_event_stream(response.headers()) {
            Self::Stream(Box::new(Stream::new(shape)))
        } else {
            Self::Document(shape, None, BytesMut::new())
        }
    }

    fn data(&mut self, data: &Bytes) {
        match self {
            Self::Stream(stream) => {
                stream.splitter.push(data);
                loop {
                    match stream.splitter.next_event() {
                        Ok(Some(event)) => stream.collect(event),
                        Ok(None) => return,
                        Err(_) => break,
                    }
                }
                *self = Self::Lost;
            }
            // Most documents are one piece, which then need not be copied.
            Self::Document(_, first, rest) if first.is_none() && rest.is_empty() => {
                *first = Some(data.clone());
            }
            Self::Document(_, first, rest) => {
                rest.extend_from_slice(&first.take().unwrap_or_default());
                rest.extend_from_slice(data);
                if rest.len() > MeterLayer::DOCUMENT_BYTES_MAX {
                    *self = Self::Lost;
                }
            }
            Self::Lost => {}
        }
    }

    fn finish(self) -> UsageOutcome {
        match self {
            Self::Stream(mut stream) => {
                let rest = stream.splitter.rest();
                stream.collect(rest);
                stream.collector.finish()
            }
            // Cut, it is no JSON; whole, it is what it is, however the connection ended.
            Self::Document(shape, first, rest) => {
                let bytes = first.unwrap_or_else(|| rest.freeze());
                match std::str::from_utf8(&bytes) {
                    Ok(text) => read_usage(shape, text),
                    Err(_) => UsageOutcome::new(Reading::Missing),
                }
            }
            Self::Lost => UsageOutcome::new(Reading::Missing),
        }
    }
}

/// Reads the usage out of a stream.
struct Stream {
    splitter: Splitter,
    collector: UsageCollector,
    /// The form of the last event that was read.
    known: Option<Form>,
}

impl Stream {
    fn new(shape: UsageShape) -> Self {
        Self {
            splitter: Splitter::default(),
            collector: UsageCollector::new(shape),
            known: None,
        }
    }

    fn collect(&mut self, event: Bytes) {
        // But for texts it is the event before it once more, and says what that said: nothing new.
        if let Some(known) = &self.known
            && known.texts(&event).is_some()
        {
            return;
        }
        if let Some(data) = sse::data(&event) {
            self.collector.push_event(&data);
            self.known = Form::of(&event);
        }
    }
}

impl Observe for Meter {
    fn data(&mut self, data: &Bytes) {
        if self.first_byte.is_none() {
            let now = self.sent.layer.clock.instant();
            self.first_byte = Some(now.saturating_since(self.sent.began));
        }
        self.reading.data(data);
    }

    fn end(self: Box<Self>, end: End, _: bool) -> Option<Ending> {
        let Self {
            sent,
            reading,
            status,
            first_byte,
        } = *self;
        sent.ended(status, end, reading.finish(), first_byte);
        None
    }
}
