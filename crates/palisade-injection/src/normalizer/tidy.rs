//! Words broken up by markup, spaces and punctuation, stretched or misspelt.

use palisade_core::ByteRange;

use super::{leet::letter, map::Rewrite, survey::SHORTEST_SPACED};
use crate::lexicon;

/// Takes markup out of words: `ig**no**re`, `ig<b>no</b>re`, `ig_no_re`; if one of them is then a word to look at.
pub(super) fn strip_markup(text: &str) -> Option<Rewrite> {
    let bytes = text.as_bytes();
    let mut out = Rewrite::with_capacity(text.len());
    let (mut at, mut copied) = (0, 0);
    let mut known = false;
    // Where the word that is being put together begins in the new text.
    let mut word = 0;
    while at < bytes.len() {
        let len = match bytes[at] {
            b'*' | b'_' | b'`' => bytes[at..]
                .iter()
                .take(3)
                .take_while(|&&b| b == bytes[at])
                .count(),
            b'<' => tag(&bytes[at..]),
            _ => 0,
        };
        if len == 0 {
            at += 1;
            continue;
        }
        let next = bytes.get(at + len).copied().unwrap_or(b' ');
        let inside = at > 0
            && ((is_word(bytes[at - 1]) && (is_word(next) || is_mark(next)))
                || (copied == at && copied > 0 && is_word(next)));
        if inside {
            out.copy(&text[copied..at], copied);
            if copied == 0 || word_end(bytes, copied) < at {
                word = word_start(out.text.as_bytes());
            }
            at += len;
            copied = at;
            if !known && is_word(next) {
                // A long word may be cut within a character.
                let rest = &bytes[at..word_end(bytes, at)];
                known = lexicon::is_entry(&[&out.text.as_bytes()[word..], rest].concat());
            }
        } else {
            at += len;
        }
    }
    out.copy(&text[copied..], copied);
    known.then_some(out)
}

/// Where the word that `bytes` end with begins.
fn word_start(bytes: &[u8]) -> usize {
    let letters = bytes
        .iter()
        .rev()
        .take(LONGEST_WORD)
        .take_while(|&&b| is_word(b));
    bytes.len() - letters.count()
}

/// Where the word at `start` ends.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let letters = bytes[start..]
        .iter()
        .take(LONGEST_WORD)
        .take_while(|&&b| is_word(b));
    start + letters.count()
}

/// The longest word that is mended.
const LONGEST_WORD: usize = 24;

/// Takes punctuation out of words: `ig.no.re`, `in-struc-tions`, `ig/nore`; only out of those that are then known.
pub(super) fn join_parts(text: &str) -> Option<Rewrite> {
    const MOST_PARTS: usize = 12;
    let bytes = text.as_bytes();
    let mut out = Rewrite::with_capacity(text.len());
    let (mut at, mut copied) = (0, 0);
    while let Some(next) = bytes[at..].iter().position(|&byte| splits(byte)) {
        let sign = at + next;
        at = sign + 1;
        let inside = sign > 0
            && bytes[sign - 1].is_ascii_alphabetic()
            && bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
        if !inside {
            continue;
        }
        let start = sign - letters_before(&bytes[copied..sign]);
        at = sign;
        let mut parts = Vec::with_capacity(4);
        parts.push(start..sign);
        while parts.len() < MOST_PARTS
            && bytes.get(at).is_some_and(|&byte| splits(byte))
            && bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic)
        {
            let end = word_end_ascii(bytes, at + 1);
            parts.push(at + 1..end);
            at = end;
        }
        if parts.len() < 2 {
            continue;
        }
        // Any stretch of parts that makes a word: "prev.ious" in "all.prev.ious".
        let mut first = 0;
        while first < parts.len() {
            let mut word: Vec<u8> = Vec::new();
            let mut last = None;
            for (index, part) in parts.iter().enumerate().skip(first) {
                word.extend(&bytes[part.clone()]);
                if word.len() > LONGEST_WORD {
                    break;
                }
                if index > first && word.len() >= SHORTEST_JOINED && lexicon::is_entry(&word) {
                    last = Some(index);
                }
            }
            if let Some(last) = last {
                for part in &parts[first..=last] {
                    out.copy(&text[copied..part.start], copied);
                    out.copy(&text[part.clone()], part.start);
                    copied = part.end;
                    if part.end < parts[last].end {
                        copied += 1;
                    }
                }
                first = last + 1;
            } else {
                first += 1;
            }
        }
    }
    let changed = copied > 0;
    out.copy(&text[copied..], copied);
    changed.then_some(out)
}

/// How many letters `bytes` end with.
fn letters_before(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count()
}

/// Whether the parts of a word around `sign` make one to look at: that before it, and one or more after it.
pub(super) fn joins(bytes: &[u8], sign: usize) -> bool {
    const MOST_PARTS: usize = 6;
    let mut word = [0; LONGEST_WORD];
    let before = letters_before(&bytes[sign.saturating_sub(LONGEST_WORD)..sign]);
    let mut len = before;
    let Some(room) = word.get_mut(..len) else {
        return false;
    };
    room.copy_from_slice(&bytes[sign - before..sign]);
    let mut at = sign;
    for _ in 0..MOST_PARTS {
        if !bytes.get(at).is_some_and(|&byte| splits(byte)) {
            return false;
        }
        let rest = &bytes[at + 1..];
        let part = rest.iter().take_while(|byte| byte.is_ascii_alphabetic());
        let part = part.take(LONGEST_WORD + 1).count();
        if part == 0 || len + part > LONGEST_WORD {
            return false;
        }
        word[len..len + part].copy_from_slice(&rest[..part]);
        len += part;
        at += 1 + part;
        if len >= SHORTEST_JOINED && lexicon::is_entry(&word[..len]) {
            return true;
        }
    }
    false
}

/// Letters that stand alone, one after the other.
#[derive(Clone, Copy, Default)]
pub(super) struct Run {
    letters: [u8; Self::KEPT],
    len: usize,
}

impl Run {
    const KEPT: usize = 24;

    pub(super) fn push(&mut self, letter: u8) {
        if let Some(place) = self.letters.get_mut(self.len) {
            *place = letter;
        }
        self.len += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether they are worth joining: there is a word to look at among the first of them, or there are very many.
    pub(super) fn spells(&self) -> bool {
        if self.len < SHORTEST_SPACED {
            return false;
        }
        let mut letters = self.letters.map(letter);
        letters.make_ascii_lowercase();
        self.len > Self::KEPT || lexicon::has_word_inside(&letters[..self.len])
    }
}

/// Joined parts shorter than this are not looked at: `e.g.` is no word.
const SHORTEST_JOINED: usize = 5;

fn splits(byte: u8) -> bool {
    matches!(
        byte,
        b'.' | b'-' | b'/' | b'~' | b'_' | b'*' | b'\'' | b'+' | b'|' | b',' | b';' | b':'
    )
}

fn word_end_ascii(bytes: &[u8], start: usize) -> usize {
    let rest = bytes[start..].iter().position(|b| !b.is_ascii_alphabetic());
    rest.map_or(bytes.len(), |len| start + len)
}

/// Puts spaces between words that are run together with a capital each: `IgnoreAllPreviousInstructions`; if several of
/// them are words to look at.
pub(super) fn split_humps(text: &str) -> Option<Rewrite> {
    const SHORTEST: usize = 16;
    const FEWEST_KNOWN: usize = 2;
    let bytes = text.as_bytes();
    let mut out = Rewrite::with_capacity(text.len());
    let (mut at, mut copied) = (0, 0);
    while at < bytes.len() {
        let start = at;
        at = word_end_ascii(bytes, start);
        if at - start < SHORTEST {
            at = at.max(start + 1);
            continue;
        }
        let hump =
            |at: &usize| bytes[at - 1].is_ascii_lowercase() && bytes[*at].is_ascii_uppercase();
        let mut borders: Vec<usize> = (start + 1..at).filter(hump).collect();
        borders.push(at);
        let mut from = start;
        let mut known = 0;
        for &border in &borders {
            known += usize::from(lexicon::is_entry(&bytes[from..border]));
            from = border;
        }
        if known < FEWEST_KNOWN {
            continue;
        }
        for &border in &borders[..borders.len() - 1] {
            out.copy(&text[copied..border], copied);
            out.put(" ", ByteRange::new(border, border));
            copied = border;
        }
    }
    let changed = copied > 0;
    out.copy(&text[copied..], copied);
    changed.then_some(out)
}

/// Puts right the words to look at that have a slip of the finger in them: `ignroe`, `instructons`.
pub(super) fn mend_slips(text: &str) -> Option<Rewrite> {
    let bytes = text.as_bytes();
    let mut out = Rewrite::with_capacity(text.len());
    let (mut at, mut copied) = (0, 0);
    while at < bytes.len() {
        if !is_word(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        if let Some(plain) = lexicon::slip_of(&bytes[start..at]) {
            out.copy(&text[copied..start], copied);
            out.put(plain, ByteRange::new(start, at));
            copied = at;
        }
    }
    let changed = copied > 0;
    out.copy(&text[copied..], copied);
    changed.then_some(out)
}

/// Takes the repeats out of stretched words: `ignoooore`, `alllll`; only out of those that are then known.
pub(super) fn squeeze(text: &str) -> Option<Rewrite> {
    let bytes = text.as_bytes();
    let mut out = Rewrite::with_capacity(text.len());
    let (mut at, mut copied) = (0, 0);
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let start = at;
        at = word_end_ascii(bytes, start);
        let word = &bytes[start..at];
        let stretched = word
            .windows(3)
            .any(|three| three[0] == three[1] && three[1] == three[2]);
        if !stretched || word.len() > LONGEST_STRETCHED {
            continue;
        }
        // Without repeats at all, or with those that were stretched doubled: "alll" is "all".
        let readings =
            [Squeeze::Single, Squeeze::Double, Squeeze::All].map(|how| squeezed(word, how));
        if let Some(plain) = readings.iter().find(|reading| lexicon::is_entry(reading)) {
            out.copy(&text[copied..start], copied);
            for (letter, place) in plain.iter().zip(places(word, plain)) {
                out.put_char(
                    char::from(*letter),
                    ByteRange::new(start + place, start + place + 1),
                );
            }
            copied = at;
        }
    }
    let changed = copied > 0;
    out.copy(&text[copied..], copied);
    changed.then_some(out)
}

/// Words longer than this are not squeezed.
const LONGEST_STRETCHED: usize = 64;

#[derive(Clone, Copy)]
enum Squeeze {
    /// Three and more become one.
    Single,
    /// Three and more become two.
    Double,
    /// Two and more become one.
    All,
}

fn squeezed(word: &[u8], how: Squeeze) -> Vec<u8> {
    let mut plain = Vec::with_capacity(word.len());
    for run in word.chunk_by(|a, b| a == b) {
        let len = match (how, run.len()) {
            (Squeeze::All, _) | (Squeeze::Single, 3..) => 1,
            (Squeeze::Double, 3..) => 2,
            (_, len) => len,
        };
        plain.extend(&run[..len]);
    }
    plain
}

/// Where each letter of `plain` stands in `word`, of which it is what is left.
fn places(word: &[u8], plain: &[u8]) -> Vec<usize> {
    let mut places = Vec::with_capacity(plain.len());
    let mut at = 0;
    for &letter in plain {
        while at < word.len() && word[at] != letter {
            at += 1;
        }
        places.push(at.min(word.len() - 1));
        at += 1;
    }
    places
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'*' | b'_' | b'`' | b'<')
}

/// The length of the tag or comment at the start of `bytes`, or 0.
fn tag(bytes: &[u8]) -> usize {
    const LONGEST: usize = 40;
    let begins = bytes
        .get(1)
        .is_some_and(|&b| b.is_ascii_alphabetic() || b == b'/' || b == b'!');
    if !begins {
        return 0;
    }
    bytes
        .iter()
        .take(LONGEST)
        .position(|&b| b == b'>')
        .map_or(0, |end| end + 1)
}

/// Joins letters that stand alone: `i g n o r e`, `i-g-n-o-r-e t-h-e`, `i. g. n. o. r. e.`
///
/// The shortest gap between the letters is the gap inside words; a longer or a different one is a word's border. Where
/// all gaps are the same the words run together, and the lexicon finds them inside.
pub(super) fn join_letters(text: &str) -> Option<Rewrite> {
    let mut out = Rewrite::with_capacity(text.len());
    let mut copied = 0;
    let mut run: Vec<(usize, usize)> = Vec::new();
    let mut word = None;
    let mut joined = false;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (word, character.is_alphanumeric()) {
            (None, true) => word = Some(at),
            (Some(start), false) => {
                word = None;
                let single = text[start..at].chars().nth(1).is_none();
                let near = run.last().is_none_or(|&(_, end)| start - end <= 5);
                if single && near {
                    run.push((start, at));
                    continue;
                }
                joined |= join_run(text, &run, &mut copied, &mut out);
                run.clear();
                if single {
                    run.push((start, at));
                }
            }
            _ => {}
        }
    }
    joined |= join_run(text, &run, &mut copied, &mut out);
    out.copy(&text[copied..], copied);
    joined.then_some(out)
}

fn join_run(text: &str, run: &[(usize, usize)], copied: &mut usize, out: &mut Rewrite) -> bool {
    if run.len() < SHORTEST_SPACED {
        return false;
    }
    let gap = |index: usize| &text[run[index].1..run[index + 1].0];
    let shortest = (0..run.len() - 1)
        .map(|at| gap(at).len())
        .min()
        .unwrap_or(1);
    // In `i-g-n t-h-e` both gaps are one byte long; the more frequent one is the gap inside words.
    let mut inner = " ";
    let mut most = 0;
    for candidate in (0..run.len() - 1)
        .map(gap)
        .filter(|gap| gap.len() == shortest)
        .take(16)
    {
        let count = (0..run.len() - 1)
            .filter(|&at| gap(at) == candidate)
            .count();
        if count > most {
            (inner, most) = (candidate, count);
        }
    }
    if !spells_a_word(text, run, inner) {
        return false;
    }
    out.copy(&text[*copied..run[0].0], *copied);
    for (index, &(start, end)) in run.iter().enumerate() {
        out.copy(&text[start..end], start);
        if index + 1 < run.len() && gap(index) != inner {
            let border = gap(index).trim_matches(|c| inner.contains(c));
            let border = if border.is_empty() { " " } else { border };
            out.put(border, ByteRange::new(end, run[index + 1].0));
        }
    }
    *copied = run[run.len() - 1].1;
    true
}

/// Whether the letters of `run` make a word to look at, as they are or with their signs and digits read as letters.
fn spells_a_word(text: &str, run: &[(usize, usize)], inner: &str) -> bool {
    const LONGEST: usize = 4096;
    let mut joined = Vec::new();
    for (index, &(start, end)) in run.iter().enumerate().take(LONGEST) {
        joined.extend(text.as_bytes()[start..end].iter().copied().map(letter));
        let next = run.get(index + 1).map_or(end, |next| next.0);
        if &text[end..next] != inner {
            joined.push(b' ');
        }
    }
    lexicon::has_word_inside(&joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_beyond_ascii_are_read_whole_or_not_at_all() {
        for word in ["シ".repeat(40), format!("a{}", "é".repeat(40))] {
            assert!(strip_markup(&format!("{word}**{word}")).is_none());
        }
    }

    #[test]
    fn broken_words_are_mended() {
        assert_eq!(
            strip_markup("ig**no**re th`es`e in<b>str</b>uctions")
                .unwrap()
                .text,
            "ignore these instructions"
        );
        assert_eq!(
            join_letters("please i g n o r e   t h i s now")
                .unwrap()
                .text,
            "please ignore   this now".replace("   ", " ")
        );
        assert_eq!(
            join_letters("i-g-n-o-r-e t-h-e").unwrap().text,
            "ignore the"
        );
        assert_eq!(
            join_letters("i.g.n.o.r.e  i.t").unwrap().text,
            "ignore it".replace(' ', "  ")
        );
        assert_eq!(join_letters("i g n o r e a l l").unwrap().text, "ignoreall");
        assert!(join_letters("vitamins A, B and C").is_none());
    }
}
