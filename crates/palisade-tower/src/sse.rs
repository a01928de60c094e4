//! Server-sent events, cut out of a byte stream without touching a byte.
//!
//! Own code rather than a parser crate, because a guard-rail that changes one event must hand on all others exactly
//! as they came: comments, unknown fields, line ends and all.

#![cfg_attr(
    not(feature = "full"),
    allow(dead_code, reason = "each layer uses a part of it")
)]

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};

/// Cuts a byte stream into events. WHATWG HTML, §9.2.6 *Interpreting an event stream*.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    // What has come with one piece, in which whole events need not be copied.
    piece: Bytes,
    // The beginning of an event, if its end is in another piece.
    pending: BytesMut,
    // Up to here no end of an event was found.
    searched: usize,
}

/// An event grew beyond what the splitter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an event of the stream is longer than {} bytes",
    Splitter::EVENT_BYTES_MAX
)]
pub(crate) struct EventTooLong;

impl Splitter {
    /// The longest event that is held. A stream whose event is longer is broken off: memory has a limit.
    pub(crate) const EVENT_BYTES_MAX: usize = 4 << 20;

    pub(crate) fn push(&mut self, data: &Bytes) {
        if self.pending.is_empty() && self.piece.is_empty() {
            self.piece = data.clone();
        } else {
            self.pending
                .extend_from_slice(&std::mem::take(&mut self.piece));
            self.pending.extend_from_slice(data);
        }
    }

    /// The next whole event, with the empty line that ends it.
    pub(crate) fn next_event(&mut self) -> Result<Option<Bytes>, EventTooLong> {
        if !self.piece.is_empty() {
            if let Some(end) = event_end(&self.piece) {
                return Ok(Some(self.piece.split_to(end)));
            }
            self.pending
                .extend_from_slice(&std::mem::take(&mut self.piece));
        }
        // An end of three or four bytes may straddle what was searched and what is new.
        let from = self.searched.saturating_sub(3);
        if let Some(end) = event_end(&self.pending[from..]) {
            self.searched = 0;
            return Ok(Some(self.pending.split_to(from + end).freeze()));
        }
        self.searched = self.pending.len();
        if self.pending.len() > Self::EVENT_BYTES_MAX {
            Err(EventTooLong)
        } else {
            Ok(None)
        }
    }

    /// What is left when the stream has ended: an event without its empty line, or nothing.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.searched = 0;
        if self.pending.is_empty() {
            return std::mem::take(&mut self.piece);
        }
        self.pending.split().freeze()
    }
}

/// Whether the answer is a stream of events.
pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|kind| kind.eq_ignore_ascii_case("text/event-stream"))
}

/// The media type of an answer, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim())
}

/// One past the first empty line that ends an event. Lines end with CR LF, LF or CR, and may do so each in its own way.
fn event_end(bytes: &[u8]) -> Option<usize> {
    let mut lines = memchr::memchr2_iter(b'\n', b'\r', bytes).peekable();
    while let Some(at) = lines.next() {
        let next = at + line_end(&bytes[at..]);
        match line_end(&bytes[next..]) {
            0 => {}
            // Perhaps half of an end. Only a stream whose lines end so does not send the other half.
            1 if bytes[next..] == *b"\r" && bytes[next - 1] == b'\n' => return None,
            empty => return Some(next + empty),
        }
        lines.next_if(|&end| end < next);
    }
    None
}

/// How many bytes the line end at the beginning of `bytes` has; 0 if there is none.
fn line_end(bytes: &[u8]) -> usize {
    match bytes {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// The data of an event: the value of its only `data` field, or several joined by line feeds. `None` if it has none.
///
/// Bytes that are no UTF-8 are read as every client must read them, as U+FFFD.
pub(crate) fn data(event: &[u8]) -> Option<Cow<'_, str>> {
    let mut data: Option<Cow<'_, str>> = None;
    for line in lines(event) {
        let Some(value) = data_of(line) else {
            continue;
        };
        let value = text_of(value);
        match &mut data {
            None => data = Some(value),
            Some(joined) => {
                let joined = joined.to_mut();
                joined.push('\n');
                joined.push_str(&value);
            }
        }
    }
    data
}

/// Bytes as text. Those that are no UTF-8 are U+FFFD, as for whoever reads them.
pub(crate) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    // Bytes that are text, as nearly all are, are found to be so in a fraction of the time.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The same event with `text` as its data; every other field stays as it was. It always ends with an empty line.
pub(crate) fn with_data(event: &[u8], text: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(event.len() + text.len());
    let mut text = Some(text);
    for line in lines(event) {
        if data_of(line).is_none() {
            if line_end(line) == 0 {
                out.extend_from_slice(line);
            }
            continue;
        }
        for value in text.take().into_iter().flat_map(|text| text.split('\n')) {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\n");
        }
    }
    closed(out)
}

/// `event` with the empty line that ends it: a stream may break off before it, and what follows would become part of it.
pub(crate) fn complete(event: Bytes) -> Bytes {
    if event_end(&event) == Some(event.len()) {
        return event;
    }
    closed(BytesMut::from(&event[..]))
}

fn closed(mut event: BytesMut) -> Bytes {
    let ending: &[u8] = match event.last() {
        None | Some(b'\n') => b"\n",
        // A line feed behind it would only make it a CR LF.
        Some(_) => b"\n\n",
    };
    event.extend_from_slice(ending);
    event.freeze()
}

/// The comments of an event, line by line. Clients do not show them, but may log them.
pub(crate) fn comments(event: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    lines(event)
        .filter(|line| line.first() == Some(&b':'))
        .map(String::from_utf8_lossy)
}

/// The same event without its comments.
pub(crate) fn without_comments(event: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(event.len());
    for line in lines(event).filter(|line| line.first() != Some(&b':')) {
        out.extend_from_slice(line);
    }
    out.freeze()
}

/// The value of a `data` field, if the line is one.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    // A byte order mark may stand before the first field of a stream.
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let value = line.strip_prefix(b"data")?;
    let ending = value.iter().rev();
    let ending = ending.take_while(|&&byte| matches!(byte, b'\r' | b'\n'));
    match &value[..value.len() - ending.count()] {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        // Some other field, whose name begins alike.
        _ => None,
    }
}

/// Lines with their ends.
fn lines(mut event: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if event.is_empty() {
            return None;
        }
        let text = memchr::memchr2(b'\n', b'\r', event).unwrap_or(event.len());
        let (line, rest) = event.split_at(text + line_end(&event[text..]));
        event = rest;
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(chunks: &[&str]) -> (Vec<String>, String) {
        let mut splitter = Splitter::default();
        let mut events = Vec::new();
        for chunk in chunks {
            splitter.push(&Bytes::copy_from_slice(chunk.as_bytes()));
            while let Some(event) = splitter.next_event().unwrap() {
                events.push(String::from_utf8(event.to_vec()).unwrap());
            }
        }
        (events, String::from_utf8(splitter.rest().to_vec()).unwrap())
    }

    #[test]
    fn every_split_of_a_stream_gives_the_same_events() {
        for stream in [
            "data: a\n\ndata: b\n\nrest",
            "data: a\r\n\r\n: c\r\n\r\n",
            "data: é\n\n\n",
            "event: a\rdata: b\r\rdata: c\n\rdata: d\r\n\n: e",
        ] {
            let whole = split(&[stream]);
            for at in (0..stream.len()).filter(|&at| stream.is_char_boundary(at)) {
                let (left, right) = stream.split_at(at);
                assert_eq!(split(&[left, right]), whole, "{stream:?} at {at}");
            }
            assert_eq!(
                whole.0.concat() + &whole.1,
                stream,
                "no byte is lost or changed"
            );
        }
    }

    #[test]
    fn the_data_of_an_event_is_found_and_replaced_alone() {
        let event = b"event: delta\ndata: {\"a\":1}\nid: 7\n\n";
        assert_eq!(data(event).as_deref(), Some("{\"a\":1}"));
        assert_eq!(
            &with_data(event, "{}")[..],
            b"event: delta\ndata: {}\nid: 7\n\n"
        );
        for (event, replaced) in [
            ("id: 7\rdata: x\r\r", "id: 7\rdata: new\n\n"),
            ("data: x\rid: 7\r\r", "data: new\nid: 7\r\n\n"),
            ("data: x\r\nid: 7\r\n\r\n", "data: new\nid: 7\r\n\n"),
            ("id: 7\ndata: x", "id: 7\ndata: new\n\n"),
            (
                "\u{feff}data\ndata:x\ndatas: y\n\n",
                "data: new\ndatas: y\n\n",
            ),
        ] {
            let replaced_data = with_data(event.as_bytes(), "new");
            assert_eq!(
                std::str::from_utf8(&replaced_data),
                Ok(replaced),
                "{event:?}"
            );
            assert_eq!(data(&replaced_data).as_deref(), Some("new"));
            assert_eq!(complete(replaced_data.clone()), replaced_data);
        }
        assert_eq!(with_data(b"data: x\n\n", "a\nb"), "data: a\ndata: b\n\n");
        assert_eq!(data(b"data: \xFF\n\n").as_deref(), Some("\u{fffd}"));
        assert_eq!(data(b"data: a\ndata: b\n\n").as_deref(), Some("a\nb"));
        assert_eq!(data(b": comment\n\n"), None);
    }

    #[test]
    fn an_event_without_end_is_broken_off_at_the_limit() {
        let mut splitter = Splitter::default();
        let chunk = Bytes::from(vec![b'x'; 1 << 20]);
        for _ in 0..4 {
            splitter.push(&chunk);
            assert_eq!(splitter.next_event(), Ok(None));
        }
        splitter.push(&Bytes::from_static(b"x"));
        assert_eq!(splitter.next_event(), Err(EventTooLong));
    }
}
