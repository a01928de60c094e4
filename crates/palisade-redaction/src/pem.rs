//! Private keys in text armour (RFC 7468), with or without their end.
//!
//! A key may be any length, so nothing of it is kept: once inside, the text is swallowed line by line until the block
//! ends. Keys are pasted in many ways (`\n` escaped once or twice, quoted, indented, with a time stamp before each
//! line), so a line is whatever lies between two runs of base64.

use crate::{
    kind::{Kind, Label},
    mask::PRIVATE_KEY,
    view::View,
};
use palisade_core::Severity;

pub(crate) const LABEL: Label = Label::new(PRIVATE_KEY, Kind::Secret, Severity::Critical);

/// How the first line begins, up to the first blank.
pub(crate) const FIRST: &[u8] = b"-----BEGIN";

/// The shortest run of base64 that carries a block on.
const LINE_MIN: usize = 18;

/// How much may lie between two such runs: a line break, a quote mark, a time stamp.
const GAP_MAX: usize = 200;

/// How much may lie between the first line and the body: the headers of an encrypted key.
const HEADER_MAX: usize = 320;

/// What the next look into an open block says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The block goes on at least to here.
    Until(usize),
    /// The block ended here.
    Ended(usize),
}

/// Where the body begins to be swallowed, if a private key begins at `at`.
pub(crate) fn begins(view: &View<'_>, at: usize) -> Option<usize> {
    let body = if view.has(at, b"-----BEGIN ") {
        let words = view.run(at + 11, 64, |b| {
            b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' '
        });
        let title = view.slice(at + 11, words);
        if !(title.ends_with(b"PRIVATE KEY") || title.ends_with(b"PRIVATE KEY BLOCK"))
            || !view.has(words, b"-----")
        {
            return None;
        }
        words + 5
    } else if view.has(at, b"PuTTY-User-Key-File-") {
        at + 20
    } else {
        return None;
    };
    // The mere mention of a first line is not a key.
    first_line(view, body, HEADER_MAX).map(|_| body)
}

/// How an open block goes on from `at`.
pub(crate) fn step(view: &View<'_>, at: usize) -> Next {
    let stop = at + GAP_MAX;
    let mut from = at;
    while from < stop {
        let byte = view.at(from);
        if byte == 0 {
            break;
        }
        if byte == b'-' && view.has(from, b"-----END ") {
            let words = view.run(from + 9, 64, |b| {
                b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' '
            });
            return Next::Ended(view.run(words, 5, |b| b == b'-'));
        }
        if byte == b'-' && view.has(from, b"-----BEGIN ") {
            return Next::Ended(from);
        }
        if byte == b'P' && view.has(from, b"Private-MAC: ") {
            return Next::Ended(view.run(from + 13, 80, |b| b.is_ascii_hexdigit()));
        }
        if !is_base64(byte) {
            from += 1;
            continue;
        }
        let end = view.run(from, usize::MAX, is_base64);
        if end - from >= LINE_MIN && !is_a_word(view.slice(from, end)) {
            return Next::Until(end);
        }
        from = end;
    }
    Next::Ended(last_line(view, at))
}

/// A block that was cut: what stands alone on the line after is the cut line.
fn last_line(view: &View<'_>, at: usize) -> usize {
    let mut ended = at;
    // PuTTY's public part ends in a short line as well.
    for _ in 0..2 {
        let from = skip_break(view, ended);
        let end = view.run(from, LINE_MIN, is_base64);
        let alone =
            view.ends_at(end) || matches!(view.at(end), b'\n' | b'\r' | b'"' | b'\\' | b'\'');
        if end == from || from == ended || !alone {
            break;
        }
        ended = end;
    }
    // The line break that ends the text with it.
    if view.at(ended) == b'\n' && view.ends_at(ended + 1) {
        ended += 1;
    }
    ended
}

/// What stands between two lines, in whatever notation.
fn skip_break(view: &View<'_>, at: usize) -> usize {
    let mut from = at;
    for _ in 0..GAP_MAX {
        match view.at(from) {
            b'\\' => from += usize::from(matches!(view.at(from + 1), b'n' | b'r')) + 1,
            b'P' if view.has(from, b"Private-Lines: ") => from += 16,
            b'\n' | b'\r' | b' ' | b'\t' | b'>' | b'|' | b'"' | b'+' => from += 1,
            _ => break,
        }
    }
    from
}

fn first_line(view: &View<'_>, from: usize, most: usize) -> Option<usize> {
    let mut at = from;
    while at < from + most {
        let byte = view.at(at);
        if byte == 0 || (byte == b'-' && view.has(at, b"-----")) {
            return None;
        }
        if !is_base64(byte) {
            at += 1;
            continue;
        }
        let end = view.run(at, 200, is_base64);
        if end - at >= LINE_MIN && !is_a_word(view.slice(at, end)) {
            return Some(at);
        }
        at = end;
    }
    None
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Long words and paths are made of base64 letters too, but of lower case alone.
fn is_a_word(run: &[u8]) -> bool {
    !run.iter()
        .any(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = concat!("-----BEGIN EC PRIV", "ATE KEY-----");

    fn view(text: &str) -> View<'_> {
        View::new(text.as_bytes(), 0, true)
    }

    #[test]
    fn a_key_begins_where_a_body_follows_its_first_line() {
        let key = format!("{HEAD}\nMHcCAQEEIDkq8Zt4WvL0kPq2mXcQ8Zt4\n");
        assert_eq!(begins(&view(&key), 0), Some(HEAD.len()));
        let mention = format!("{HEAD} marks the start of a block, and another line closes it.");
        assert_eq!(begins(&view(&mention), 0), None);
        let public = key.replace("EC PRIVATE", "PUBLIC");
        assert_eq!(begins(&view(&public), 0), None);
    }

    #[test]
    fn a_block_ends_with_its_end_line_or_where_text_follows() {
        let ended = "\n-----END EC PRIVATE KEY----- more";
        assert_eq!(step(&view(ended), 0), Next::Ended(ended.len() - 5));
        assert_eq!(step(&view("\nMHcCAQEEIDkq8Zt4WvL0"), 0), Next::Until(21));
        assert_eq!(step(&view("\nAnd that was the key."), 0), Next::Ended(0));
        assert_eq!(step(&view("\nq8Zt4"), 0), Next::Ended(6));
    }
}
