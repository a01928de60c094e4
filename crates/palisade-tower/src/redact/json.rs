//! JSON as models and providers write it: cut characters, and masks where no string stands.

use std::{borrow::Cow, ops::Range};

use bytes::{Bytes, BytesMut};
use serde_json::Value;

/// What every mask begins with. Outside of a string no JSON does.
const MASK: &str = "[REDACTED:";

/// Reads JSON as browsers and Python do: half a surrogate pair, which some providers send when a character is cut by an
/// event, is U+FFFD instead of an error. An event that could not be read could not be judged.
pub(super) fn parse(text: &str) -> Option<Value> {
    match serde_json::from_str(text) {
        Ok(value) => Some(value),
        Err(_) => serde_json::from_str(&without_halves(text)?).ok(),
    }
}

/// The text of the string whose inside stands at `place`. `None` if it is none.
pub(super) fn text_at<'b>(bytes: &'b [u8], place: &Range<usize>) -> Option<Cow<'b, str>> {
    let inside = &bytes[place.clone()];
    if memchr::memchr(b'\\', inside).is_none() {
        return std::str::from_utf8(inside).ok().map(Cow::Borrowed);
    }
    let quoted = &bytes[place.start - 1..=place.end];
    serde_json::from_slice(quoted).ok().map(Cow::Owned)
}

/// The same bytes with `text` in the string whose inside stands at `place`.
pub(super) fn with_text_at(bytes: &[u8], place: &Range<usize>, text: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(bytes.len() - place.len() + text.len());
    out.extend_from_slice(&bytes[..place.start]);
    if text
        .bytes()
        .any(|byte| matches!(byte, ..b' ' | b'"' | b'\\'))
    {
        let quoted = Value::from(text).to_string();
        out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(&bytes[place.end..]);
    out.freeze()
}

/// `text` with escapes of lone surrogates replaced; `None` if there are none.
fn without_halves(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let escape = &rest[at..];
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                out.push_str(&rest[..at]);
                out.push_str("\\ufffd");
                rest = &rest[at + 6..];
                continue;
            }
            // The backslash and what it stands before, which may be another one.
            _ => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&rest[..at + length]);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    (out != text).then_some(out)
}

/// The code unit of a `\uXXXX` escape at the beginning of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let digits = digits
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then_some(digits)?;
    u16::from_str_radix(digits, 16).ok()
}

/// Puts quotes around masks in JSON text that stand where no string does: a number was taken out, and the arguments of a
/// tool call must stay JSON. Takes the text piece by piece; a mask always comes whole.
#[derive(Debug, Default)]
pub(super) struct Quoter {
    in_string: bool,
    escaped: bool,
}

impl Quoter {
    pub(super) fn quoted(&mut self, clean: &str) -> String {
        let mut out = String::with_capacity(clean.len());
        let mut done = 0;
        let mut at = 0;
        let bytes = clean.as_bytes();
        while at < bytes.len() {
            if !self.in_string
                && clean[at..].starts_with(MASK)
                && let Some(length) = clean[at..].find(']')
            {
                let end = at + length + 1;
                out.push_str(&clean[done..at]);
                out.push('"');
                out.push_str(&clean[at..end]);
                out.push('"');
                (done, at) = (end, end);
                continue;
            }
            match bytes[at] {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = self.in_string,
                b'"' => self.in_string = !self.in_string,
                _ => {}
            }
            at += 1;
            while !clean.is_char_boundary(at) {
                at += 1;
            }
        }
        out.push_str(&clean[done..]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_no_reason_not_to_judge() {
        for (text, expected) in [
            (r#"{"a":"x\ud83d"}"#, "x\u{fffd}"),
            (r#"{"a":"\ude00x"}"#, "\u{fffd}x"),
            (r#"{"a":"\ud83d\ud83d\ude00"}"#, "\u{fffd}😀"),
            (r#"{"a":"\\ud83d\ud83d"}"#, "\\ud83d\u{fffd}"),
            (r#"{"a":"\ud83d\ude00"}"#, "😀"),
        ] {
            assert_eq!(parse(text).unwrap()["a"], expected, "{text}");
        }
        for text in [r#"{"a":"\"#, r"\u12", "é\\é", r#"{"a":"\ud83"}"#] {
            assert_eq!(parse(text), None);
        }
    }

    #[test]
    fn a_mask_outside_of_a_string_is_made_one_and_inside_it_is_left() {
        let text = r#"{"a":[REDACTED:card],"b":"\"[REDACTED:card]\"é","c":[[REDACTED:x:…42],1]}"#;
        let quoted =
            r#"{"a":"[REDACTED:card]","b":"\"[REDACTED:card]\"é","c":["[REDACTED:x:…42]",1]}"#;
        assert_eq!(Quoter::default().quoted(text), quoted);
        // Cut anywhere but in a mask, the pieces give the same.
        for at in (0..text.len()).filter(|&at| text.is_char_boundary(at)) {
            let (left, right) = text.split_at(at);
            let in_mask = left
                .rfind('[')
                .is_some_and(|open| text[open..].starts_with(MASK) && !left[open..].contains(']'));
            if !in_mask {
                let mut quoter = Quoter::default();
                assert_eq!(quoter.quoted(left) + &quoter.quoted(right), quoted);
            }
        }
    }
}
