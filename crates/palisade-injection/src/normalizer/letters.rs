use std::sync::LazyLock;

use unicode_normalization::{IsNormalized, char::is_combining_mark, is_nfkc_quick};

#[cfg(any(test, feature = "training"))]
pub(crate) use self::tables::file;
#[cfg(any(test, feature = "training"))]
mod tables;

/// Which ASCII letter a character looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is that letter with an ornament: `é`, `ø`, `ı`.
    Ornament(u8),
    /// It is another letter that looks the same: Cyrillic `а`. Only the rest of the word can tell which was meant.
    Double(u8),
}

/// The look of `character`, if it looks like an ASCII letter.
pub(crate) fn look(character: char) -> Option<Look> {
    let code = character as usize;
    let entry = match LOOKS.get(code) {
        Some(&entry) => entry,
        None => high(code as u32),
    };
    as_look(entry)
}

fn as_look(entry: u8) -> Option<Look> {
    match entry {
        0 => None,
        entry if entry & DOUBLE == 0 => Some(Look::Ornament(entry)),
        entry => Some(Look::Double(entry & !DOUBLE)),
    }
}

/// What the folding needs to know of a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kind(u8);

impl Kind {
    const WORD: u8 = 1;
    const ALPHABETIC: u8 = 2;
    const MARK: u8 = 4;
    const PLAIN: u8 = 8;
    const TWIN: u8 = 16;
    const ORNAMENT: u8 = 32;
    const DOUBLE: u8 = 64;

    /// A letter or digit, a mark on one, or what looks like a Latin letter.
    pub(super) fn is_in_word(self) -> bool {
        self.0 & (Self::WORD | Self::MARK | Self::ORNAMENT | Self::DOUBLE) != 0
    }

    pub(super) fn is_alphabetic(self) -> bool {
        self.0 & Self::ALPHABETIC != 0
    }

    /// A combining mark.
    pub(super) fn is_mark(self) -> bool {
        self.0 & Self::MARK != 0
    }

    /// No letter, or one that looks exactly like a Latin one.
    pub(super) fn is_twin(self) -> bool {
        self.0 & Self::TWIN != 0
    }

    /// Its own lower case and its own compatibility form, whatever stands beside it.
    pub(super) fn is_plain(self) -> bool {
        self.0 & Self::PLAIN != 0
    }

    /// A Latin letter with an ornament: [`Look::Ornament`].
    pub(super) fn is_ornament(self) -> bool {
        self.0 & Self::ORNAMENT != 0
    }

    /// Another letter that looks like a Latin one: [`Look::Double`].
    pub(super) fn is_double(self) -> bool {
        self.0 & Self::DOUBLE != 0
    }
}

/// The kind of `character`; looked up for the alphabets in common use.
#[inline]
pub(super) fn kind(character: char) -> Kind {
    match KINDS.get(character as usize) {
        Some(&kind) => Kind(kind),
        None => find_kind(character),
    }
}

/// The tables below lie in the program as they are used: `cargo xtask injection-tables` writes the file, from the Unicode
/// tables and the lists in `tables.rs`, and a test compares the two.
static FILE: &[u8] = include_bytes!("letters.bin");

/// The characters below this are looked up directly: all alphabets in common use.
const DIRECT: usize = 0x2E00;

static LOOKS: LazyLock<&[u8]> = LazyLock::new(|| &FILE[..DIRECT.min(FILE.len())]);
static KINDS: LazyLock<&[u8]> =
    LazyLock::new(|| &FILE[DIRECT.min(FILE.len())..(2 * DIRECT).min(FILE.len())]);

/// The look of a character beyond: four bytes each, the code shifted by eight bits and the entry, in order.
fn high(code: u32) -> u8 {
    let rest = FILE.get(2 * DIRECT..).unwrap_or_default();
    let entries = rest.as_chunks::<4>().0;
    let found = entries.binary_search_by_key(&code, |entry| u32::from_le_bytes(*entry) >> 8);
    found.map_or(0, |index| entries[index][0])
}

fn find_kind(character: char) -> Kind {
    find_kind_of(character, look(character))
}

fn find_kind_of(character: char, look: Option<Look>) -> Kind {
    let lower = character.to_lowercase().eq([character]);
    let composed = is_nfkc_quick(std::iter::once(character)) == IsNormalized::Yes;
    let mark = is_combining_mark(character);
    let alphabetic = character.is_alphabetic();
    let mut kind = 0;
    for (holds, bit) in [
        (alphabetic || character.is_numeric(), Kind::WORD),
        (alphabetic, Kind::ALPHABETIC),
        (mark, Kind::MARK),
        (lower && composed && !mark, Kind::PLAIN),
        (!alphabetic || TWINS.contains(character), Kind::TWIN),
        (matches!(look, Some(Look::Ornament(_))), Kind::ORNAMENT),
        (matches!(look, Some(Look::Double(_))), Kind::DOUBLE),
    ] {
        kind |= if holds { bit } else { 0 };
    }
    Kind(kind)
}

/// Letters that look exactly like a Latin one.
const TWINS: &str = "аеорсухіѕјԁԛԝһӏАВЕКМНОРСТХУІЅЈοινραΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսոհցᴏᴄѵ";

const DOUBLE: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_what_the_tables_give() {
        assert!(file() == FILE, "run `cargo xtask injection-tables`");
    }

    #[test]
    fn ornaments_and_doubles_are_told_apart() {
        assert_eq!(look('é'), Some(Look::Ornament(b'e')));
        assert_eq!(look('ł'), Some(Look::Ornament(b'l')));
        assert_eq!(look('Ṣ'), Some(Look::Ornament(b's')));
        assert_eq!(look('а'), Some(Look::Double(b'a')));
        assert_eq!(look('ο'), Some(Look::Double(b'o')));
        assert_eq!(look('ս'), Some(Look::Double(b'u')));
        assert_eq!(look('🅐'), Some(Look::Ornament(b'a')));
        for character in ['a', 'ж', '语', '。', '5'] {
            assert_eq!(look(character), None, "{character}");
        }
    }

    #[test]
    fn upper_case_doubles_look_like_their_lower_case() {
        assert_eq!(look('Α'), Some(Look::Double(b'a')));
        assert_eq!(look('Т'), Some(Look::Double(b't')));
    }
}
