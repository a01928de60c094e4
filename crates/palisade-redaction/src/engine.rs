//! The one pass over a text: it goes from one place where something may begin to the next, asks the rules there, and
//! goes on behind what they found.
//!
//! Each question is asked through a [`View`]. Where the answer depended on text that has not arrived, the pass stops
//! in front of the question and asks it again when more is there. So the answers do not depend on how the text was
//! cut, and what stands before the question is free to go.

use crate::{
    assignment, command,
    gate::{Gate, TOKEN_MIN},
    hidden::Unveiled,
    kind::Label,
    pem, pii,
    scanner::Rules,
    text::{TIMESTAMP_MAX, is_word, timestamp},
    token::{self, Hit},
    url,
    view::{LOOK_BEHIND, View},
};

/// What may begin with a byte.
const NOTHING: u8 = 0;
const WORD: u8 = 1;
const SIGN: u8 = 2;

const BEGINS: [u8; 256] = {
    let mut table = [NOTHING; 256];
    let mut byte = 0;
    while byte < 256 {
        if is_word(byte as u8) {
            table[byte] = WORD;
        }
        byte += 1;
    }
    // The letters of Latin-1 and Latin Extended-A begin with these, and addresses with them.
    let signs = b"$+/(:>'[%\xC3\xC4\xC5";
    let mut at = 0;
    while at < signs.len() {
        table[signs[at] as usize] = SIGN;
        at += 1;
    }
    table
};

/// The pass: where it is, and whether it is inside something too long to keep.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    open: Option<Open>,
    /// Asks at every place where something may begin, as if there were no gate.
    #[cfg(test)]
    asks_everywhere: bool,
}

/// Something that began and has not ended yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    pub(crate) label: Label,
    /// Counted from the beginning of the whole text, as are all places that outlive one call.
    pub(crate) start: usize,
    pub(crate) end: usize,
    confidence: f32,
    is_key: bool,
}

/// Where to go on, and what was left open there.
struct Asked {
    next: usize,
    opens: Option<(Label, usize, f32, bool)>,
}

/// The least text for which the gate is worth setting up.
const GATED_MIN: usize = 128;

impl Engine {
    /// What is open.
    pub(crate) fn open(&self) -> Option<Open> {
        self.open
    }

    /// Goes on from `at` as far as can be decided and returns how far that was. `bytes` begins `base` bytes into the
    /// whole text and holds at least [`LOOK_BEHIND`] bytes before `at`, or the beginning; `last` says that no more
    /// text follows. Hits are counted from the beginning of the whole text.
    pub(crate) fn advance(
        &mut self,
        rules: &Rules,
        bytes: &[u8],
        mut at: usize,
        base: usize,
        last: bool,
        hits: &mut Vec<Hit>,
    ) -> usize {
        // A few words are sooner read than sifted.
        let mut gate = (bytes.len() - at >= GATED_MIN)
            .then(|| Gate::new(bytes, at, last, rules.wanted(), &rules.heads));
        loop {
            if let Some(mut open) = self.open {
                let view = View::new(bytes, at, last);
                let (to, ended) = if open.is_key {
                    match pem::step(&view, at) {
                        pem::Next::Until(to) => (to, false),
                        pem::Next::Ended(to) => (to, true),
                    }
                } else {
                    let to = view.run(at, usize::MAX, |b| {
                        is_word(b) || matches!(b, b'=' | b'.' | b'+' | b'/')
                    });
                    (to, !view.is_cut_at(to))
                };
                if view.waits() {
                    return at;
                }
                at = to;
                open.end = base + to;
                if ended {
                    hits.push(Hit::new(open.label, open.start, open.end, open.confidence));
                    self.open = None;
                } else {
                    self.open = Some(open);
                }
                continue;
            }
            if let Some(gate) = &mut gate {
                at = self.next(gate, at);
            }
            while at < bytes.len() && BEGINS[usize::from(bytes[at])] == NOTHING {
                at += 1;
            }
            if at == bytes.len() {
                return at;
            }
            let view = View::new(bytes, at, last);
            let count = hits.len();
            let asked = match BEGINS[usize::from(bytes[at])] {
                WORD => word(rules, &view, at, hits),
                _ => sign(rules, &view, at, hits),
            };
            if view.waits() {
                hits.truncate(count);
                return at;
            }
            for hit in &mut hits[count..] {
                hit.start += base;
                hit.end += base;
            }
            if let Some((label, start, confidence, is_key)) = asked.opens {
                self.open = Some(Open {
                    label,
                    start: base + start,
                    end: base + asked.next,
                    confidence,
                    is_key,
                });
            }
            at = asked.next;
        }
    }
}

#[cfg(not(test))]
impl Engine {
    #[inline]
    fn next(&self, gate: &mut Gate<'_>, at: usize) -> usize {
        gate.next(at)
    }
}

#[cfg(test)]
impl Engine {
    fn next(&self, gate: &mut Gate<'_>, at: usize) -> usize {
        if self.asks_everywhere {
            at
        } else {
            gate.next(at)
        }
    }
}

/// Goes on behind a hit, which may be too long for its end to have been seen; or behind the word `end`s with, if the
/// rule is switched off.
fn take(rules: &Rules, view: &View<'_>, end: usize, hit: Hit, hits: &mut Vec<Hit>) -> Asked {
    if !rules.is_on(hit.label.id) {
        return Asked {
            next: end,
            opens: None,
        };
    }
    // A private key may stand right behind, and its first line be taken for the end of a token.
    let mut hit = hit;
    let line = hit.end.saturating_sub(pem::FIRST.len());
    if line > hit.start && view.has(line, pem::FIRST) && pem::begins(view, line).is_some() {
        hit.end = line;
    }
    if view.is_cut_at(hit.end) {
        return Asked {
            next: hit.end,
            opens: Some((hit.label, hit.start, hit.confidence, false)),
        };
    }
    hits.push(hit);
    Asked {
        next: hit.end,
        opens: None,
    }
}

/// A bit for each letter by its low five bits, whatever its case, and others for what else words are made of.
const WORD_BITS: [u32; 256] = {
    let mut bits = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        bits[byte] = if b.is_ascii_digit() {
            DIGIT
        } else if b.is_ascii_alphabetic() {
            1 << (b & 31)
        } else if is_word(b) {
            PARTS
        } else {
            0
        };
        byte += 1;
    }
    bits
};

/// No letter has these places.
const DIGIT: u32 = 1;
const PARTS: u32 = 1 << 31;

/// Whether a word is a digest or a UUID, of which code and logs are full: nobody's number is written like that.
fn is_digest(view: &View<'_>, at: usize, end: usize, seen: u32) -> bool {
    const HEX: u32 = 0b111_1110 | DIGIT;
    let length = end - at;
    length > DIGEST_MIN && seen & !HEX == 0 && seen != DIGIT
        || length == 36 && seen & !(HEX | PARTS) == 0 && token::is_uuid(view.slice(at, end))
}

/// Longer than any number of a person or an account.
const DIGEST_MIN: usize = 36;

/// What begins with a run of word bytes.
fn word(rules: &Rules, view: &View<'_>, at: usize, hits: &mut Vec<Hit>) -> Asked {
    let mut seen = 0u32;
    let end = view.run(at, usize::MAX, |b| {
        let bits = WORD_BITS[usize::from(b)];
        seen |= bits;
        bits != 0
    });
    let digits = seen & DIGIT != 0;
    let mut on = Asked {
        next: end,
        opens: None,
    };
    let at = at + view.escape_length(at);
    if at >= end {
        return on;
    }
    let next = view.at(end);
    // What the word is depends on how it goes on: it is asked again when that is there.
    if view.waits() || is_dull(rules, view, at, end, seen, digits) {
        return on;
    }
    if rules.keywords || rules.commands {
        dangers(rules, view, at, end, hits);
    }
    if rules.secrets {
        if end - at >= 9 && matches!(next, b' ' | b':') && rules.is_on(pem::LABEL.id) {
            // The first line may be glued to what stands before: that is looked at first, and this then again.
            let start = if next == b' ' {
                (end - at >= pem::FIRST.len()).then(|| end - pem::FIRST.len())
            } else {
                Some(at)
            };
            if let Some(start) = start
                && let Some(body) = pem::begins(view, start)
            {
                if start == at {
                    return Asked {
                        next: body,
                        opens: Some((pem::LABEL, start, 1.0, true)),
                    };
                }
                on.next = start;
            }
        }
        if let Some(hit) = secret(rules, view, at, end, seen) {
            return take(rules, view, on.next, hit, hits);
        }
        if next >= 128
            && let Some(hit) = hidden_secret(rules, view, at, end)
        {
            return take(rules, view, on.next, hit, hits);
        }
        if next == b':'
            && let Some(hit) = url::find(view, at, end)
        {
            return take(rules, view, on.next, hit, hits);
        }
    }
    if rules.pii
        && rules.heads.may_begin_danger(view.slice(at, end))
        && let Some(hit) = pii::find_labelled(view, at, |locale| rules.speaks(locale))
    {
        return take(rules, view, on.next, hit, hits);
    }
    // A moment is nobody's number, and neither are its parts.
    if rules.pii
        && digits
        && view.at(at + 4) == b'-'
        && let Some(length) = timestamp(view.slice(at, at + TIMESTAMP_MAX))
    {
        on.next = on.next.max(at + length);
        return on;
    }
    if rules.pii
        && (next == b'@' || !is_digest(view, at, end, seen))
        && let Some(hit) = pii::find(view, at, end, digits)
    {
        return take(rules, view, on.next, hit, hits);
    }
    on
}

/// What the sign behind a word may make of it: 0 for nothing.
const TELLS: [bool; 256] = {
    let mut tells = [false; 256];
    let signs = b":/~$%!+=@'\"\\(";
    let mut at = 0;
    while at < signs.len() {
        tells[signs[at] as usize] = true;
        at += 1;
    }
    let mut byte = 128;
    while byte < 256 {
        tells[byte] = true;
        byte += 1;
    }
    tells
};

/// Whether a word begins nothing, as most words do: short, of letters alone, none of a name's or a command's, and with
/// nothing telling behind it.
#[inline]
fn is_dull(
    rules: &Rules,
    view: &View<'_>,
    at: usize,
    end: usize,
    letters: u32,
    digits: bool,
) -> bool {
    let length = end - at;
    let next = view.at(end);
    if length >= 9 || digits || TELLS[usize::from(next)] || assignment::may_name(letters) {
        return false;
    }
    // `First.last@host` is one, the end of a sentence is none.
    if next == b'.' && !matches!(view.at(end + 1), b' ' | b'\n') {
        return false;
    }
    // `AB 12 34 56 C`
    if length == 2 && next == b' ' && view.at(end + 1).is_ascii_digit() {
        return false;
    }
    !rules.heads.may_begin_danger(view.slice(at, end))
}

/// A secret, or the name of one, that bytes nobody sees are strewn over.
fn hidden_secret(rules: &Rules, view: &View<'_>, at: usize, end: usize) -> Option<Hit> {
    let unveiled = Unveiled::read(view, at, end)?;
    let text = unveiled.text();
    let end = text.iter().take_while(|b| is_word(**b)).count();
    let seen = text[..end]
        .iter()
        .fold(0, |seen, b| seen | WORD_BITS[usize::from(*b)]);
    let hit = secret(rules, &View::new(text, 0, true), 0, end, seen)?;
    Some(unveiled.place(hit))
}

/// Secrets that begin with, within or after the word `at..end`.
#[inline]
fn secret(rules: &Rules, view: &View<'_>, at: usize, end: usize, seen: u32) -> Option<Hit> {
    let length = end - at;
    let tokens = &rules.tokens;
    let next = view.at(end);
    // A prefix may end in a sign that is no word byte: then its word is short.
    let signed = matches!(next, b'.' | b':' | b'/' | b'~' | b'$' | b'%' | b'!')
        || (next == b' ' && length == 5 && view.at(at) == b'F');
    if (length >= TOKEN_MIN || signed) && !view.is_inside_word(at) {
        if let Some(hit) = tokens.find(view, at) {
            return Some(hit);
        }
        if let Some(hit) = token::find_shaped(view, at, end, tokens) {
            return Some(hit);
        }
    } else if matches!(next, b'+' | b'/' | b'=')
        && let Some(hit) = token::find_base64(view, at, end, tokens)
    {
        return Some(hit);
    }
    if length >= TOKEN_MIN && seen & PARTS != 0 {
        // `KEY_ghp_...`
        let word = view.slice(at, end);
        let mut from = 0;
        while let Some(sign) = word[from..word.len() - 10]
            .iter()
            .position(|b| matches!(b, b'_' | b'-'))
        {
            from += sign + 1;
            if tokens.may_begin(word, from)
                && let Some(hit) = tokens.find(view, at + from)
            {
                return Some(hit);
            }
        }
    }
    if view.before(at) == b' '
        && let Some(hit) = assignment::scheme(view, at, end)
    {
        return Some(hit);
    }
    if view.before(at) == b','
        && let Some(hit) = assignment::column(view, at, end)
    {
        return Some(hit);
    }
    if length < 3 {
        return None;
    }
    assignment::find(view, at, end, seen, tokens)
}

/// Dangerous words and lines. They take nothing away from other rules: a secret within a command is found as well.
fn dangers(rules: &Rules, view: &View<'_>, at: usize, end: usize, hits: &mut Vec<Hit>) {
    if rules.built_in_dangers
        && let Some(hit) = command::find(view, at, end)
        && rules.takes_danger(hit.label)
    {
        hits.push(hit);
    }
    if let Some(hit) = rules.own_keywords.find(view, at) {
        hits.push(hit);
    }
}

/// What begins with a sign.
fn sign(rules: &Rules, view: &View<'_>, at: usize, hits: &mut Vec<Hit>) -> Asked {
    let byte = view.at(at);
    let on = Asked {
        next: at + 1,
        opens: None,
    };
    if byte == b'[' {
        // Our own masks are not looked into: to redact twice is to redact once.
        return match rules.mask_end(view, at) {
            Some(next) => Asked { next, opens: None },
            None => on,
        };
    }
    if rules.built_in_dangers
        && matches!(byte, b':' | b'>' | b'\'' | b'%')
        && let Some(hit) = command::find_at_sign(view, at)
        && rules.takes_danger(hit.label)
    {
        hits.push(hit);
    }
    if rules.secrets {
        let hit = match byte {
            b'$' => rules.tokens.find(view, at),
            b'+' | b'/' => token::find_base64(view, at, at, &rules.tokens),
            _ => None,
        };
        if let Some(hit) = hit {
            return take(rules, view, at + 1, hit, hits);
        }
    }
    if rules.pii {
        let hit = match byte {
            b'+' | b'(' => pii::find(view, at, at, false),
            b':' if view.at(at + 1) == b':' => pii::find_at_colon(view, at),
            0xC3..=0xC5 => pii::find_at_letter(view, at),
            _ => None,
        };
        if let Some(hit) = hit {
            return take(rules, view, at + 1, hit, hits);
        }
    }
    on
}

const _: () = assert!(
    LOOK_BEHIND >= 64,
    "names and contexts are looked for this far back"
);

#[cfg(test)]
mod tests;
