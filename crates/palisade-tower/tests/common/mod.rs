//! What the tests share: an upstream that plays a script, a body that comes in pieces, and a harness that never sleeps.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "each test file uses what it needs"
)]

pub mod house;
pub mod redact;

use std::{
    collections::VecDeque,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use palisade_core::{Channel, ManualClock, Param, Text, Texts, Timestamp};
use palisade_cost::UsageShape;
use palisade_tower::BoxError;
use tower_service::Service;

pub fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_secs(1_790_000_000))
}

// --- a call ---------------------------------------------------------------------------------------------------------

/// What travels as the body of a request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub prompt: &'static str,
    pub shape: UsageShape,
}

impl Ask {
    pub fn openai(prompt: &'static str) -> Request<Self> {
        Request::new(Self {
            prompt,
            shape: UsageShape::OpenAiChat,
        })
    }
}

impl Param<UsageShape> for Ask {
    fn param(&self) -> UsageShape {
        self.shape
    }
}

impl Texts for Ask {
    fn texts(&self, visit: &mut dyn FnMut(Text<'_>)) {
        visit(Text::new(Channel::User, self.prompt));
    }
}

// --- a body ---------------------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
pub enum Step {
    Data(Bytes),
    /// Not ready once; it is woken at once.
    Wait,
    /// Never ready again.
    Hang,
    Break,
}

/// A body in pieces. It counts how many of its kind are alive.
#[derive(Debug)]
pub struct Pieces {
    steps: VecDeque<Step>,
    /// Whether it says, with its last piece, that it is the last.
    pub tells_its_end: bool,
    /// Whether it says how long it is.
    pub tells_its_length: bool,
    alive: Alive,
}

impl Pieces {
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            tells_its_end: false,
            tells_its_length: false,
            alive: Alive::default(),
        }
    }

    pub fn of<T: AsRef<[u8]>>(pieces: impl IntoIterator<Item = T>) -> Self {
        Self::new(pieces.into_iter().map(data))
    }
}

pub fn data(piece: impl AsRef<[u8]>) -> Step {
    Step::Data(Bytes::copy_from_slice(piece.as_ref()))
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.steps.front() {
            None => Poll::Ready(None),
            Some(Step::Hang) => Poll::Pending,
            Some(Step::Wait) => {
                self.steps.pop_front();
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Break) => Poll::Ready(Some(Err("the connection broke".into()))),
            Some(Step::Data(data)) => {
                let data = data.clone();
                self.steps.pop_front();
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.tells_its_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if !self.tells_its_length {
            return SizeHint::default();
        }
        let left = self.steps.iter().map(|step| match step {
            Step::Data(data) => data.len() as u64,
            _ => 0,
        });
        SizeHint::with_exact(left.sum())
    }
}

/// Counts clones of one upstream's things that have not been dropped.
#[derive(Debug, Default)]
pub struct Alive(Arc<()>);

impl Alive {
    pub fn another(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    pub fn others(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

// --- an upstream ----------------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
pub enum Reply {
    Answer(StatusCode, HeaderMap, Vec<Step>),
    /// The connection is refused.
    Refused,
    /// The connection breaks before there is an answer.
    Lost,
    /// There is never an answer.
    Hang,
}

impl Reply {
    pub fn json(body: impl AsRef<[u8]>) -> Self {
        Self::Answer(
            StatusCode::OK,
            headers(&[("content-type", "application/json")]),
            vec![data(body)],
        )
    }

    pub fn events<T: AsRef<[u8]>>(pieces: impl IntoIterator<Item = T>) -> Self {
        let kind = headers(&[("content-type", "text/event-stream; charset=utf-8")]);
        Self::Answer(StatusCode::OK, kind, pieces.into_iter().map(data).collect())
    }

    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap();
        Self::Answer(status, HeaderMap::new(), vec![data("{\"error\":{}}")])
    }

    pub fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.insert(name, HeaderValue::from_static(value));
        }
        self
    }

    pub fn then(mut self, step: Step) -> Self {
        if let Self::Answer(_, _, steps) = &mut self {
            steps.push(step);
        }
        self
    }
}

pub fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let field = |&(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    fields.iter().map(field).collect()
}

/// Answers each call with the next reply of its script, and the last one for ever. It is ready only after it was asked
/// twice, and breaks the test if it is called without being ready.
#[derive(Debug)]
pub struct Upstream {
    script: Arc<Mutex<VecDeque<Reply>>>,
    pub calls: Arc<AtomicU32>,
    pub seen: Arc<Mutex<Vec<http::request::Parts>>>,
    pub alive: Alive,
    asked: bool,
    ready: bool,
    /// Whether even the head of an answer needs a second look.
    pub waits: bool,
}

impl Upstream {
    pub fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            calls: Arc::default(),
            seen: Arc::default(),
            alive: Alive::default(),
            asked: false,
            ready: false,
            waits: true,
        }
    }

    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Clone for Upstream {
    /// A clone has not been asked: tower says nothing about whether readiness is cloned.
    fn clone(&self) -> Self {
        Self {
            script: Arc::clone(&self.script),
            calls: Arc::clone(&self.calls),
            seen: Arc::clone(&self.seen),
            alive: self.alive.another(),
            asked: false,
            ready: false,
            waits: self.waits,
        }
    }
}

impl<T: Send + 'static> Service<Request<T>> for Upstream {
    type Response = Response<Pieces>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if !std::mem::replace(&mut self.asked, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called without being ready"
        );
        self.asked = false;
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.seen.lock().unwrap().push(request.into_parts().0);
        let mut script = self.script.lock().unwrap();
        let reply = if script.len() > 1 {
            script.pop_front().unwrap()
        } else {
            script.front().cloned().expect("a script has a reply")
        };
        let (alive, waits) = (self.alive.another(), self.waits);
        Box::pin(async move {
            if waits {
                once().await;
            }
            let (status, headers, steps) = match reply {
                Reply::Answer(status, headers, steps) => (status, headers, steps),
                Reply::Refused => {
                    return Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into());
                }
                Reply::Lost => {
                    return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
                }
                Reply::Hang => std::future::pending().await,
            };
            let mut body = Pieces::new(steps);
            body.alive = alive;
            let mut response = Response::new(body);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok(response)
        })
    }
}

/// Not ready once.
pub async fn once() {
    let mut asked = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

// --- polling --------------------------------------------------------------------------------------------------------

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls `future` until it is ready, and moves `clock` by `step` whenever nobody has woken it.
pub fn play<F: Future>(clock: &ManualClock, step: Duration, future: F) -> F::Output {
    let mut future = pin!(future);
    let flag = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&flag));
    for _ in 0..1_000_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        if !flag.0.swap(false, Ordering::SeqCst) {
            clock.advance(step);
        }
    }
    panic!("it never ends");
}

/// Polls `future` until it is ready. It must not need any time.
pub fn now<F: Future>(future: F) -> F::Output {
    match polls(future, usize::MAX) {
        Some(output) => output,
        None => panic!("it waits for nothing"),
    }
}

/// Polls `future` up to `count` times, as long as somebody wakes it, and drops it then.
pub fn polls<F: Future>(future: F, count: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let flag = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&flag));
    for _ in 0..count {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        if !flag.0.swap(false, Ordering::SeqCst) {
            return None;
        }
    }
    None
}

/// Asks `service` if it is ready, and calls it.
pub async fn call<S, R>(service: &S, request: R) -> Result<S::Response, S::Error>
where
    S: Service<R> + Clone,
{
    let mut service = service.clone();
    std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}

/// All data of a body, and whether it ended as it should.
pub async fn read<B>(body: B) -> (Vec<u8>, Result<(), BoxError>)
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let mut all = Vec::new();
    loop {
        match std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            None => return (all, Ok(())),
            Some(Err(error)) => return (all, Err(error.into())),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    all.extend_from_slice(&data);
                }
            }
        }
    }
}

/// Reads as a server does that has told its client the length: not a poll more than needed.
pub async fn read_to_length<B>(body: B) -> Vec<u8>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let length = body
        .size_hint()
        .exact()
        .expect("a body that tells its length");
    let mut all = Vec::new();
    while (all.len() as u64) < length && !body.is_end_stream() {
        let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
        let data = frame
            .and_then(Result::ok)
            .and_then(|frame| frame.into_data().ok());
        all.extend_from_slice(&data.expect("as many bytes as announced"));
    }
    all
}

/// One response, read to its end.
pub async fn whole<B>(response: Response<B>) -> (http::response::Parts, Vec<u8>)
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let (head, body) = response.into_parts();
    let (all, end) = read(body).await;
    end.expect("the answer ends as it should");
    (head, all)
}

// --- what providers send --------------------------------------------------------------------------------------------

pub const JSON: &str = r#"{"id":"c","model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25}}"#;

pub fn chunk(delta: &str) -> String {
    let delta = serde_json::Value::from(delta);
    format!(
        "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{delta}}},\"finish_reason\":null}}]}}\n\n"
    )
}

pub fn openai_stream(deltas: &[&str]) -> Vec<String> {
    let mut events: Vec<String> = deltas.iter().map(|delta| chunk(delta)).collect();
    events.push("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n".to_owned());
    events.push("data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":5,\"total_tokens\":25}}\n\n".to_owned());
    events.push("data: [DONE]\n\n".to_owned());
    events
}

pub fn anthropic_stream(deltas: &[&str]) -> Vec<String> {
    let event =
        |kind: &str, rest: &str| format!("event: {kind}\ndata: {{\"type\":\"{kind}\"{rest}}}\n\n");
    let mut events = vec![
        event(
            "message_start",
            r#","message":{"id":"m","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":20,"output_tokens":1}}"#,
        ),
        event(
            "content_block_start",
            r#","index":0,"content_block":{"type":"text","text":""}"#,
        ),
        event("ping", ""),
    ];
    for delta in deltas {
        let text = serde_json::Value::from(*delta);
        events.push(event(
            "content_block_delta",
            &format!(",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":{text}}}"),
        ));
    }
    events.push(event("content_block_stop", ",\"index\":0"));
    events.push(event(
        "message_delta",
        r#","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}"#,
    ));
    events.push(event("message_stop", ""));
    events
}

/// The texts a client puts together from a stream: of OpenAI's chat completions, or Anthropic's messages.
pub fn text_of(stream: &[u8]) -> String {
    let stream = std::str::from_utf8(stream).expect("UTF-8");
    let mut text = String::new();
    for line in stream.split(['\n', '\r']) {
        let Some(data) = line.strip_prefix("data:").map(str::trim) else {
            continue;
        };
        if data == "[DONE]" {
            continue;
        }
        let event: serde_json::Value = serde_json::from_str(data).expect("every event is JSON");
        for piece in [
            &event["choices"][0]["delta"]["content"],
            &event["delta"]["text"],
        ] {
            text.push_str(piece.as_str().unwrap_or_default());
        }
    }
    text
}
