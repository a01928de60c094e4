//! Events that say what the one before them said, but for a text: most events of a stream.
//!
//! A model's answer comes in hundreds of events that differ in a few characters. What was found out about one of them, by
//! reading it as JSON, holds for all that have its form, and to see whether one has takes a comparison.

use std::ops::Range;

use bytes::Bytes;

/// The members under which growing texts stand, and what pads them. Only a text is ever looked for there: no count, no
/// model, no name.
const NAMES: [&[u8]; 9] = [
    b"content",
    b"text",
    b"delta",
    b"reasoning_content",
    b"reasoning",
    b"thinking",
    b"partial_json",
    b"arguments",
    b"obfuscation",
];

/// The most texts of one event that may change.
const TEXTS_MAX: usize = 4;

/// An event, and where in it the texts stand that may be others in an event of the same form.
#[derive(Debug)]
pub(crate) struct Form {
    event: Bytes,
    texts: Vec<Range<usize>>,
}

impl Form {
    /// The form of an event. `None` if nothing in it may change, or too much.
    pub(crate) fn of(event: &Bytes) -> Option<Self> {
        let mut texts = Vec::new();
        let mut from = 0;
        for colon in memchr::memchr_iter(b':', event) {
            if colon < from || !is_named(&event[..colon]) {
                continue;
            }
            let value = event[colon + 1..].trim_ascii_start();
            if value.first() != Some(&b'"') {
                continue;
            }
            let start = event.len() - value.len() + 1;
            let end = start + body_len(&event[start..])?;
            texts.push(start..end);
            from = end;
        }
        (1..=TEXTS_MAX).contains(&texts.len()).then(|| Self {
            event: event.clone(),
            texts,
        })
    }

    /// Where the texts stand in an event of the same form, as JSON writes them; `None` if the event is of another form.
    pub(crate) fn texts(&self, event: &[u8]) -> Option<Places> {
        let mut places = Places::default();
        let (mut told, mut at) = (0, 0);
        for (place, text) in places.0.iter_mut().zip(&self.texts) {
            let between = &self.event[told..text.start];
            at += event
                .get(at..)?
                .starts_with(between)
                .then_some(between.len())?;
            let length = body_len(&event[at..])?;
            *place = at..at + length;
            (told, at) = (text.end, at + length);
        }
        (event[at..] == self.event[told..]).then_some(places)
    }

    /// How many texts there are.
    #[cfg(feature = "redaction")]
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// An event of this form with other texts, which are written as they are.
    #[cfg(feature = "redaction")]
    pub(crate) fn with(&self, text: impl Fn(usize) -> String) -> Bytes {
        let mut out = bytes::BytesMut::with_capacity(self.event.len() + 64);
        let mut told = 0;
        for (at, place) in self.texts.iter().enumerate() {
            out.extend_from_slice(&self.event[told..place.start]);
            out.extend_from_slice(text(at).as_bytes());
            told = place.end;
        }
        out.extend_from_slice(&self.event[told..]);
        out.freeze()
    }

    /// Whether the event has comments, which are judged too.
    #[cfg(feature = "redaction")]
    pub(crate) fn has_comments(&self) -> bool {
        crate::sse::comments(&self.event).next().is_some()
    }
}

/// Where the texts of an event stand. Those that there are not are empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Places(pub(crate) [Range<usize>; TEXTS_MAX]);

/// Whether what stands before a colon ends with one of the names. In JSON that is a name then: within a string its quotes
/// would have backslashes before them.
fn is_named(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let Some(before) = before.strip_suffix(b"\"") else {
        return false;
    };
    NAMES.iter().any(|name| {
        before
            .strip_suffix(*name)
            .and_then(|before| before.strip_suffix(b"\""))
            .is_some_and(|before| before.last() != Some(&b'\\'))
    })
}

/// How long a string is that begins here, behind its quote. `None` if it does not end, or has in it what no string may.
fn body_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            ..b' ' => return None,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'e>(form: &str, event: &'e str) -> Option<Vec<&'e str>> {
        let form = Form::of(&Bytes::copy_from_slice(form.as_bytes()))?;
        let places = form.texts(event.as_bytes())?;
        let places = places.0.iter().take(form.texts.len());
        Some(places.map(|place| &event[place.clone()]).collect())
    }

    #[test]
    fn an_event_has_the_form_of_another_if_they_differ_in_texts_alone() {
        let form = r#"data: {"id":"a","delta":{"content":"x"},"obfuscation" : "y"}"#;
        for (event, expected) in [
            (
                r#"data: {"id":"a","delta":{"content":"\"é\\"},"obfuscation" : ""}"#,
                Some(vec![r#"\"é\\"#, ""]),
            ),
            (
                r#"data: {"id":"b","delta":{"content":"x"},"obfuscation" : "y"}"#,
                None,
            ),
            (
                r#"data: {"id":"a","delta":{"content":"x"},"obfuscation" : "y"},"#,
                None,
            ),
            (
                r#"data: {"id":"a","delta":{"content":"x","a":1},"obfuscation" : "y"}"#,
                None,
            ),
            (
                r#"data: {"id":"a","delta":{"content":null},"obfuscation" : "y"}"#,
                None,
            ),
            (
                r#"data: {"id":"a","delta":{"content":"x\"},"obfuscation" : "y"}"#,
                None,
            ),
            (
                "data: {\"id\":\"a\",\"delta\":{\"content\":\"x\n\"},\"obfuscation\" : \"y\"}",
                None,
            ),
            (r#"data: {"id":"a","#, None),
            ("", None),
        ] {
            assert_eq!(texts(form, event), expected, "{event}");
        }
    }

    #[test]
    fn what_only_looks_like_a_name_is_none() {
        for event in [
            r#"{"a":"\"content\":\"x\""}"#,
            r#"{"a\"content":"x"}"#,
            r#"{"a":"content","b":"x"}"#,
            r#"{"content":1,"text":null,"delta":{"a":"x"}}"#,
            r#"{"content":"x"#,
            "data: [DONE]",
        ] {
            assert_eq!(texts(event, event), None, "{event}");
        }
    }
}
