//! Text that hides what it says: bytes nobody sees, and secrets written in hex.
//!
//! What is unveiled is a copy, read as if it stood alone; what is found there is told by where it stands in the text.

use crate::{
    kind::Label,
    token::{Hit, TokenRules},
    view::View,
};

pub(crate) const HEX: Label = Label::secret("hex_secret");

/// How much is unveiled at once.
const UNVEILED_MAX: usize = 400;

/// How many bytes of `bytes`, at its beginning, are a character that is not shown: a soft hyphen, a zero-width space, a
/// joiner, a mark of direction, a word joiner, a byte order mark (Unicode 16.0, `Default_Ignorable_Code_Point`).
#[inline]
pub(crate) const fn invisible(bytes: [u8; 3]) -> usize {
    match bytes {
        [0xC2, 0xAD, _] => 2,
        [0xE2, 0x80, 0x8B..=0x8F | 0xAA..=0xAE]
        | [0xE2, 0x81, 0xA0..=0xA4 | 0xA6..=0xAF]
        | [0xEF, 0xBB, 0xBF]
        | [0xE1, 0xA0, 0x8E] => 3,
        _ => 0,
    }
}

/// How long the character at `at` is, if it is not shown.
#[inline]
pub(crate) fn invisible_at(view: &View<'_>, at: usize) -> usize {
    match view.at(at) {
        first @ (0xC2 | 0xE1 | 0xE2 | 0xEF) => invisible([first, view.at(at + 1), view.at(at + 2)]),
        _ => 0,
    }
}

/// Text without what is not shown, and where its bytes came from.
pub(crate) struct Unveiled {
    text: [u8; UNVEILED_MAX],
    from: [u16; UNVEILED_MAX],
    length: usize,
    start: usize,
}

impl Unveiled {
    /// The text from `at` on, if something invisible stands at `end`, where its first word ends, and not before it: text
    /// full of such bytes is unveiled once and not from each of them on.
    pub(crate) fn read(view: &View<'_>, at: usize, end: usize) -> Option<Self> {
        if view.at(end) < 0xC2 || invisible_at(view, end) == 0 || view.before(at) >= 128 {
            return None;
        }
        let mut unveiled = Self {
            text: [0; UNVEILED_MAX],
            from: [0; UNVEILED_MAX],
            length: 0,
            start: at,
        };
        let mut place = at;
        while unveiled.length < UNVEILED_MAX && place < at + UNVEILED_MAX {
            let skipped = invisible_at(view, place);
            if skipped > 0 {
                place += skipped;
                continue;
            }
            let byte = view.at(place);
            if byte == 0 {
                break;
            }
            unveiled.text[unveiled.length] = byte;
            unveiled.from[unveiled.length] = (place - at) as u16;
            unveiled.length += 1;
            place += 1;
        }
        Some(unveiled)
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }

    /// A hit in the copy, as a hit in the text.
    pub(crate) fn place(&self, hit: Hit) -> Hit {
        let last = usize::from(self.from[hit.end.clamp(1, self.length) - 1]);
        Hit {
            start: self.start + usize::from(self.from[hit.start.min(self.length - 1)]),
            end: self.start + last + 1,
            ..hit
        }
    }
}

/// The longest secret that is looked for in hex.
const HEX_MAX: usize = 180;

/// A token written in hex, two digits for each byte.
pub(crate) fn find_hex(view: &View<'_>, at: usize, end: usize, rules: &TokenRules) -> Option<Hit> {
    let length = (end - at).min(2 * HEX_MAX);
    if length < 40 || length % 2 == 1 {
        return None;
    }
    let text = view.slice(at, at + length);
    let byte = |place: usize| {
        let high = char::from(*text.get(2 * place)?).to_digit(16)?;
        let low = char::from(*text.get(2 * place + 1)?).to_digit(16)?;
        Some((high << 4 | low) as u8)
    };
    // Most digests do not begin like any token.
    if !rules.may_begin(&[byte(0)?, byte(1)?], 0) {
        return None;
    }
    let mut decoded = [0; HEX_MAX];
    for (place, slot) in decoded[..length / 2].iter_mut().enumerate() {
        *slot = byte(place)?;
    }
    let decoded = &decoded[..length / 2];
    let found = rules.find(&View::new(decoded, 0, true), 0)?;
    Some(Hit::new(HEX, at, end, found.confidence - 0.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_is_told_from_what_is() {
        for (text, length) in [
            ("\u{200B}", 3),
            ("\u{2060}", 3),
            ("\u{FEFF}", 3),
            ("\u{AD}x", 2),
            ("\u{202E}", 3),
            ("\u{2019}", 0),
            ("\u{2014}", 0),
            ("é12", 0),
        ] {
            let bytes = text.as_bytes();
            assert_eq!(
                invisible([bytes[0], bytes[1], bytes[2]]),
                length,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_hit_in_the_copy_is_told_by_its_place_in_the_text() {
        let text = "pass\u{200B}word=x".as_bytes();
        let unveiled = Unveiled::read(&View::new(text, 0, true), 0, 4).unwrap();
        assert_eq!(unveiled.text(), b"password=x");
        let hit = unveiled.place(Hit::new(HEX, 0, 8, 1.0));
        assert_eq!((hit.start, hit.end), (0, 11));
        let hit = unveiled.place(Hit::new(HEX, 9, 10, 1.0));
        assert_eq!((hit.start, hit.end), (12, 13));
    }
}
