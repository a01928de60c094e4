//! Server-sent events, cut out of a byte stream without touching a byte.
//!
//! Own code rather than a parser crate, because a guard-rail that changes one event must hand on all others exactly
//! as they came: comments, unknown fields, line ends and all.

use bytes::{Bytes, BytesMut};

/// Cuts a byte stream into events. WHATWG HTML, §9.2.6 *Interpreting an event stream*.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
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
        self.pending.extend_from_slice(data);
    }

    /// The next whole event, with the empty line that ends it.
    pub(crate) fn next_event(&mut self) -> Result<Option<Bytes>, EventTooLong> {
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
        self.pending.split().freeze()
    }
}

/// One past the first empty line.
fn event_end(bytes: &[u8]) -> Option<usize> {
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        let rest = &bytes[at..];
        for ending in [b"\n\n".as_slice(), b"\r\n\r\n", b"\r\r", b"\n\r\n"] {
            if rest.starts_with(ending) {
                return Some(at + ending.len());
            }
        }
    }
    None
}

/// The data of an event: the value of its only `data` field, or several joined by line feeds.
pub(crate) fn data(event: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    use std::borrow::Cow;
    let event = std::str::from_utf8(event).ok()?;
    let mut data: Option<Cow<'_, str>> = None;
    for line in event.split(['\n', '\r']) {
        let Some(value) = line.strip_prefix("data:") else {
            continue;
        };
        let value = value.strip_prefix(' ').unwrap_or(value);
        match &mut data {
            None => data = Some(Cow::Borrowed(value)),
            Some(joined) => {
                let joined = joined.to_mut();
                joined.push('\n');
                joined.push_str(value);
            }
        }
    }
    data
}

/// The same event with `json` as its data; every other field stays as it was.
pub(crate) fn with_data(event: &[u8], json: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(event.len() + json.len());
    let mut written = false;
    for line in lines(event) {
        if line.starts_with(b"data:") {
            if !written {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(json.as_bytes());
                out.extend_from_slice(b"\n");
                written = true;
            }
        } else {
            out.extend_from_slice(line);
        }
    }
    out.freeze()
}

/// Lines with their ends.
fn lines(event: &[u8]) -> impl Iterator<Item = &[u8]> {
    event.split_inclusive(|&byte| byte == b'\n')
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
