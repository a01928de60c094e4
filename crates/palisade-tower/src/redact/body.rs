use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use palisade_redaction::Redactor;

use super::{Redaction, Tally, stream::EventStream};
use crate::{BoxError, observe::Note, observe::Said, sse};

/// What kind of answer it is, which decides how it is redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Server-sent events: redacted text by text as they pass.
    Events,
    /// A JSON document: redacted as a whole.
    Document,
    /// Any other text: redacted as it passes.
    Text,
    /// No text: an image, a sound. Passed on as it is.
    Opaque,
}

impl Shape {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let kind = sse::media_type(headers).unwrap_or("application/json");
        let kind = kind.to_ascii_lowercase();
        match kind.split_once('/').unwrap_or((&kind, "")) {
            ("text", "event-stream") => Self::Events,
            (_, format) if format.ends_with("json") => Self::Document,
            ("image" | "audio" | "video" | "font", _) | ("application", "pdf" | "zip" | "gzip") => {
                Self::Opaque
            }
            // Whatever else it says it is, a secret would be found in its bytes.
            _ => Self::Text,
        }
    }
}

pin_project_lite::pin_project! {
    /// The body of an answer, without what must not leave.
    pub struct RedactedBody<B> {
        #[pin]
        inner: Option<B>,
        work: Work,
        note: Option<Note>,
    }
}

enum Work {
    /// A whole document, clean already.
    Done(Option<Bytes>),
    Events(Box<EventStream>),
    /// The redactor is gone once the text has ended.
    Text(Box<(Option<Redactor>, Redaction)>),
    Opaque,
    /// Broken off: nothing more leaves, least of all what was held back.
    Broken,
}

impl<B> RedactedBody<B> {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self {
            inner: None,
            work: Work::Done(Some(bytes)),
            note: None,
        }
    }

    pub(crate) fn streamed(
        inner: B,
        shape: Shape,
        redaction: Redaction,
        without_usage: bool,
        note: Note,
    ) -> Self {
        let work = match shape {
            Shape::Events => Work::Events(Box::new(EventStream::new(redaction, without_usage))),
            Shape::Text | Shape::Document => {
                Work::Text(Box::new((Some(redaction.redactor()), redaction)))
            }
            Shape::Opaque => Work::Opaque,
        };
        Self {
            inner: Some(inner),
            work,
            note: Some(note),
        }
    }
}

impl Work {
    /// Takes a piece in. What may leave is asked for with [`Work::pop`].
    fn push(&mut self, data: Bytes) -> Result<Option<Bytes>, BoxError> {
        match self {
            Self::Events(stream) => {
                stream.push(&data)?;
                Ok(stream.pop())
            }
            Self::Text(text) => {
                let mut out = Vec::with_capacity(data.len());
                if let (Some(redactor), redaction) = &mut **text {
                    redactor.push_bytes(&data, &mut out);
                    redaction.count(&redactor.take_findings());
                }
                Ok((!out.is_empty()).then(|| Bytes::from(out)))
            }
            Self::Opaque => Ok(Some(data)),
            Self::Done(_) | Self::Broken => Ok(None),
        }
    }

    fn pop(&mut self) -> Option<Bytes> {
        match self {
            Self::Events(stream) => stream.pop(),
            Self::Done(bytes) => bytes.take(),
            Self::Text(_) | Self::Opaque | Self::Broken => None,
        }
    }

    /// The source has ended as it should: what is still held may leave, judged as it stands.
    fn finish(&mut self) -> Result<Option<Bytes>, BoxError> {
        match self {
            Self::Events(stream) => {
                stream.finish()?;
                Ok(stream.pop())
            }
            Self::Text(text) => {
                let mut out = Vec::new();
                if let Some(redactor) = text.0.take() {
                    text.1.count(&redactor.finish_bytes_with_findings(&mut out));
                }
                Ok((!out.is_empty()).then(|| Bytes::from(out)))
            }
            Self::Done(_) | Self::Opaque | Self::Broken => Ok(None),
        }
    }

    fn found(&self) -> Tally {
        match self {
            Self::Events(stream) => stream.redaction.found,
            Self::Text(text) => text.1.found,
            Self::Done(_) | Self::Opaque | Self::Broken => Tally::default(),
        }
    }
}

impl<B> Body for RedactedBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        loop {
            if let Some(bytes) = this.work.pop() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            let Some(inner) = this.inner.as_mut().as_pin_mut() else {
                return Poll::Ready(None);
            };
            let polled = match inner.poll_frame(cx) {
                Poll::Ready(polled) => polled,
                Poll::Pending => return Poll::Pending,
            };
            let worked = match polled {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.work.push(data),
                    // Trailers carry names and checksums of a body that is no longer the same.
                    Err(_) => Ok(None),
                },
                Some(Err(error)) => Err(error.into()),
                None => {
                    let rest = this.work.finish();
                    this.inner.set(None);
                    say(this.note.take(), this.work.found());
                    rest
                }
            };
            match worked {
                Ok(Some(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Ok(None) => {}
                Err(error) => {
                    say(this.note.take(), this.work.found());
                    *this.work = Work::Broken;
                    this.inner.set(None);
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_none() && matches!(self.work, Work::Done(None) | Work::Broken)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.work {
            Work::Done(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            // What is taken out and put in changes the length.
            _ => SizeHint::default(),
        }
    }
}

fn say(note: Option<Note>, found: Tally) {
    if let Some(note) = note {
        found.say(note);
    }
}

impl Tally {
    pub(crate) fn say(self, note: Note) {
        let said = match (self.redacted, self.findings) {
            (0, 0) => Said::Allow,
            (0, _) => Said::Flag,
            _ => Said::Redact,
        };
        note.verdict(said, self.findings, None);
    }
}

impl<B> fmt::Debug for RedactedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedactedBody")
    }
}
