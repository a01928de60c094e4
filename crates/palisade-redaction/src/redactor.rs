use std::{fmt, sync::Arc};

use palisade_core::Finding;

use crate::{
    Action,
    buffer::WipedBuffer,
    engine::Engine,
    kind::Label,
    mask::MaskWriter,
    scanner::{Rules, order},
    text::is_word,
    token::Hit,
    view::{LOOK_BEHIND, WINDOW},
};

/// The most bytes of a stream that are ever held back: the furthest a rule may look ahead, and an unfinished character.
pub const HOLD_BACK_MAX: usize = WINDOW + 3;

/// The longest match of an own rule.
pub const OWN_MATCH_MAX: usize = 504;

/// How many findings a redactor keeps until they are taken.
pub const FINDINGS_MAX: usize = 1024;

/// How much of a large piece is taken in at once.
const PIECE_MAX: usize = 16 * 1024;

/// How much of what has left may stay in the buffer.
const SPENT_MAX: usize = 256;

/// From so much held back on, the question is not asked again at every byte.
const PATIENCE: usize = 256;

/// Redacts one stream of text, piece by piece.
///
/// Whatever the pieces, what comes out is what [`Scanner::redact`](crate::Scanner::redact) makes of the whole. A piece
/// of text leaves as soon as it is certain that it is no part of anything to be taken out: most of the time up to the
/// last word, and never later than [`HOLD_BACK_MAX`] bytes on. What is held is wiped from memory when it is given up.
///
/// It neither waits nor does input or output. A stream that is broken off is finished, or dropped: what was held back
/// then never leaves.
///
/// ```
/// use palisade_redaction::Scanner;
///
/// let mut redactor = Scanner::new().redactor();
/// let mut out = String::new();
/// for piece in ["My mail is jo", "@ma", "il.exa", "mple, thanks"] {
///     redactor.push(piece, &mut out);
/// }
/// redactor.finish(&mut out);
/// assert_eq!(out, "My mail is [REDACTED:email], thanks");
/// ```
pub struct Redactor {
    rules: Arc<Rules>,
    engine: Engine,
    buffer: WipedBuffer,
    /// Where the buffer begins in the whole text. All places are counted in the whole text.
    base: usize,
    /// How far the built-in rules, and the own patterns, have decided.
    decided: usize,
    decided_own: usize,
    /// How far text has left, or was taken out.
    left: usize,
    /// Whether all that waits is a word that may go on.
    in_word: bool,
    /// How long the text must be for the next question to be worth asking.
    ask_at: usize,
    hits: Vec<Hit>,
    group: Option<Group>,
    findings: Vec<Finding>,
    findings_lost: u64,
}

/// What is being taken out: findings that share text become one mask.
struct Group {
    label: Label,
    writer: MaskWriter,
    until: usize,
}

/// Where text goes to.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Sink for String {
    fn put(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.push_str(text),
            // Only bytes that were pushed as bytes can be no text.
            Err(_) => self.push_str(&String::from_utf8_lossy(bytes)),
        }
    }
}

impl Redactor {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            engine: Engine::default(),
            buffer: WipedBuffer::default(),
            base: 0,
            decided: 0,
            decided_own: 0,
            left: 0,
            in_word: false,
            ask_at: 0,
            hits: Vec::new(),
            group: None,
            findings: Vec::new(),
            findings_lost: 0,
        }
    }

    /// A redactor for another stream, by the same rules.
    pub(crate) fn fresh(&self) -> Self {
        Self::new(Arc::clone(&self.rules))
    }

    /// Takes the next piece and appends to `out` what is certain by now.
    pub fn push(&mut self, piece: &str, out: &mut String) {
        self.take(piece.as_bytes(), out);
    }

    /// [`push`](Self::push) for bytes. A character that is cut by the end of a piece is kept until it is whole; bytes that
    /// are no UTF-8 pass through.
    pub fn push_bytes(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.take(piece, out);
    }

    /// Ends the stream and appends the rest.
    pub fn finish(mut self, out: &mut String) {
        self.end(out);
    }

    /// [`finish`](Self::finish) for bytes.
    pub fn finish_bytes(mut self, out: &mut Vec<u8>) {
        self.end(out);
    }

    /// Ends the stream, appends the rest and returns the findings that were not yet taken.
    pub fn finish_with_findings(mut self, out: &mut String) -> Vec<Finding> {
        self.end(out);
        self.take_findings()
    }

    /// [`finish_with_findings`](Self::finish_with_findings) for bytes.
    pub fn finish_bytes_with_findings(mut self, out: &mut Vec<u8>) -> Vec<Finding> {
        self.end(out);
        self.take_findings()
    }

    /// What was found since the last call, flagged and allowed things included, with places in the whole text. After
    /// [`FINDINGS_MAX`] that nobody took, further ones are only counted.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// How many findings were not kept because [`FINDINGS_MAX`] were waiting to be taken.
    #[must_use]
    pub fn findings_lost(&self) -> u64 {
        self.findings_lost
    }

    /// How many bytes have come in and neither left nor been taken out.
    #[must_use]
    pub fn held_back(&self) -> usize {
        self.base + self.buffer.len() - self.left
    }

    fn take(&mut self, piece: &[u8], out: &mut impl Sink) {
        for piece in piece.chunks(PIECE_MAX) {
            self.buffer.extend(piece);
            // A word that goes on cannot be decided.
            if self.in_word && piece.len() <= 16 && piece.iter().all(|b| is_word(*b)) {
                let waiting = self.base + self.buffer.len() - self.decided;
                if waiting <= PATIENCE {
                    continue;
                }
            }
            if self.base + self.buffer.len() >= self.ask_at {
                self.go_on(false, out);
            }
        }
    }

    fn end(&mut self, out: &mut impl Sink) {
        self.go_on(true, out);
    }

    fn go_on(&mut self, last: bool, out: &mut impl Sink) {
        let bytes = self.buffer.as_slice();
        let base = self.base;
        let end = base + bytes.len();
        self.decided = base
            + self.engine.advance(
                &self.rules,
                bytes,
                self.decided - base,
                base,
                last,
                &mut self.hits,
            );
        self.decided_own = base
            + self.rules.patterns.advance(
                bytes,
                self.decided_own.max(base) - base,
                base,
                last,
                &mut self.hits,
            );
        self.let_go(last, out);

        let decided = self.decided.min(self.decided_own);
        let waiting = end - decided;
        let bytes = self.buffer.as_slice();
        self.in_word = (1..=32).contains(&waiting)
            && self.decided_own >= end
            && bytes[decided - self.base..].iter().all(|b| is_word(*b));
        self.ask_at = if waiting > PATIENCE {
            (end + waiting / 8).min(decided + WINDOW)
        } else {
            0
        };
        // What is given up is wiped; to do so for every few bytes would cost more than to read them.
        let keep_from = decided.saturating_sub(LOOK_BEHIND).min(self.left);
        if keep_from >= base + SPENT_MAX || last {
            self.buffer.discard(keep_from - base);
            self.base = keep_from;
        }
    }

    /// Lets go of what is decided: writes what may leave, and takes out the rest.
    fn let_go(&mut self, last: bool, out: &mut impl Sink) {
        let mut safe = self.decided.min(self.decided_own);
        if !last {
            safe -= cut_character(&self.buffer.as_slice()[..safe - self.base]);
        }
        if self.hits.is_empty() && self.group.is_none() && self.engine.open().is_none() {
            self.emit(safe, out);
            return;
        }
        self.hits.sort_by_key(order);
        let known = self.hits.partition_point(|hit| hit.start < safe);
        let mut open = self.engine.open().filter(|open| open.start < safe);
        let hits = std::mem::take(&mut self.hits);
        for hit in &hits[..known] {
            // What is open began before what begins behind it.
            if let Some(open) = open.take_if(|open| open.start <= hit.start) {
                self.cover(open.label, 1.0, open.start, open.end, out);
            }
            self.cover(hit.label, hit.confidence, hit.start, hit.end, out);
            if self.findings.len() < FINDINGS_MAX {
                self.findings.push(self.rules.finding(*hit));
            } else {
                self.findings_lost += 1;
            }
        }
        if let Some(open) = open {
            self.cover(open.label, 1.0, open.start, open.end, out);
        }
        self.hits = hits;
        self.hits.drain(..known);

        if let Some(group) = &self.group {
            let until = group.until;
            self.swallow(until.min(self.base + self.buffer.len()));
            let is_open = self
                .engine
                .open()
                .is_some_and(|open| open.start < until && self.takes_out(open.label, 1.0));
            if is_open || safe < until {
                return;
            }
            self.close(out);
        }
        self.emit(safe, out);
    }

    fn takes_out(&self, label: Label, confidence: f32) -> bool {
        self.rules
            .policy
            .action(label.kind, label.severity, confidence)
            >= Action::Redact
    }

    /// Takes out `start..end`, if the policy says so.
    fn cover(
        &mut self,
        label: Label,
        confidence: f32,
        start: usize,
        end: usize,
        out: &mut impl Sink,
    ) {
        if !self.takes_out(label, confidence) {
            return;
        }
        if let Some(group) = &mut self.group {
            if start < group.until {
                group.until = group.until.max(end);
                return;
            }
            let until = group.until;
            self.swallow(until);
            self.close(out);
        }
        self.emit(start, out);
        self.group = Some(Group {
            label,
            writer: self.rules.mask.writer(label),
            until: end,
        });
    }

    fn emit(&mut self, to: usize, out: &mut impl Sink) {
        if to > self.left {
            out.put(&self.buffer.as_slice()[self.left - self.base..to - self.base]);
            self.left = to;
        }
    }

    fn swallow(&mut self, to: usize) {
        if to > self.left
            && let Some(group) = &mut self.group
        {
            group
                .writer
                .update(&self.buffer.as_slice()[self.left - self.base..to - self.base]);
            self.left = to;
        }
    }

    fn close(&mut self, out: &mut impl Sink) {
        if let Some(group) = self.group.take() {
            group.writer.write(self.rules.id(group.label), out);
        }
    }
}

/// Shows how much is held, never what.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("held_back", &self.held_back())
            .field("findings", &self.findings.len())
            .finish_non_exhaustive()
    }
}

/// The redaction of a whole text, without the copies a stream needs.
pub(crate) fn redact_whole(rules: &Rules, text: &str) -> String {
    replace_whole(rules, text, |label, value, out| {
        let mut writer = rules.mask.writer(label);
        writer.update(value.as_bytes());
        writer.write(rules.id(label), out);
    })
}

/// The text with what is to be taken out replaced by what `write` writes for it. Findings that share text are one value.
pub(crate) fn replace_whole(
    rules: &Rules,
    text: &str,
    mut write: impl FnMut(Label, &str, &mut String),
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut left = 0;
    let mut group: Option<(Label, usize)> = None;
    // Findings lie on characters, says a test; a piece that did not would rather be lost than shown.
    let piece = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    for hit in rules.hits(text.as_bytes()) {
        let label = hit.label;
        if rules
            .policy
            .action(label.kind, label.severity, hit.confidence)
            < Action::Redact
        {
            continue;
        }
        if let Some((_, until)) = group.as_mut().filter(|(_, until)| hit.start < *until) {
            *until = (*until).max(hit.end);
            continue;
        }
        if let Some((label, until)) = group.take() {
            write(label, piece(left, until), &mut out);
            left = until;
        }
        out.push_str(piece(left, hit.start));
        left = hit.start;
        group = Some((label, hit.end));
    }
    if let Some((label, until)) = group {
        write(label, piece(left, until), &mut out);
        left = until;
    }
    out.push_str(piece(left, text.len()));
    out
}

/// How many bytes at the end of `bytes` are the beginning of a character whose rest is missing.
fn cut_character(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        let needs = match byte {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            0x80..=0xBF => continue,
            _ => return 0,
        };
        return if needs > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_character_is_recognised() {
        assert_eq!(cut_character("aé".as_bytes()), 0);
        assert_eq!(cut_character(&"aé".as_bytes()[..2]), 1);
        assert_eq!(cut_character(&"a😀".as_bytes()[..4]), 3);
        assert_eq!(cut_character("😀".as_bytes()), 0);
        assert_eq!(cut_character(&[0xBF, 0xBF, 0xBF]), 0);
        assert_eq!(cut_character(&[]), 0);
    }
}
