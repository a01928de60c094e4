use std::sync::LazyLock;

use unicode_normalization::{
    IsNormalized, UnicodeNormalization, char::is_combining_mark, is_nfkc_quick,
};
use unicode_security::confusable_detection::skeleton;

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
    let entry = match LOW.get(code) {
        Some(&entry) => entry,
        None => HIGH
            .binary_search_by_key(&(code as u32), |&(code, _)| code)
            .map_or(0, |index| HIGH[index].1),
    };
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
        Some(&kind) => kind,
        None => find_kind(character),
    }
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    (0..0x2E00)
        .map(|code| char::from_u32(code).map_or(Kind::default(), find_kind))
        .collect()
});

fn find_kind(character: char) -> Kind {
    let lower = character.to_lowercase().eq([character]);
    let composed = is_nfkc_quick(std::iter::once(character)) == IsNormalized::Yes;
    let mark = is_combining_mark(character);
    let alphabetic = character.is_alphabetic();
    let look = look(character);
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

/// Blocks whose letters are used to imitate Latin ones, beyond the table that is indexed directly.
const HIGH_BLOCKS: [(u32, u32); 8] = [
    (0xA4D0, 0xA4FF),   // Lisu
    (0xA640, 0xA69F),   // Cyrillic Extended-B
    (0xA720, 0xA7FF),   // Latin Extended-D
    (0xAB30, 0xABBF),   // Latin Extended-E, Cherokee
    (0x10280, 0x1031F), // Lycian, Carian, Old Italic
    (0x10400, 0x1044F), // Deseret
    (0x104B0, 0x104FF), // Osage
    (0x118A0, 0x118FF), // Warang Citi
];

static LOW: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..0x2E00).map(|code| entry(code).unwrap_or(0)).collect());

/// The two lists below by character.
static LISTED: LazyLock<std::collections::HashMap<char, u8>> = LazyLock::new(|| {
    let each = |list: &'static [(&'static str, u8)], mark: u8| {
        list.iter()
            .rev()
            .flat_map(move |&(from, letter)| from.chars().map(move |c| (c, letter | mark)))
    };
    // Ornaments win over look-alikes, and earlier lines over later ones.
    each(&DOUBLES, DOUBLE).chain(each(&ORNAMENTS, 0)).collect()
});

static HIGH: LazyLock<Vec<(u32, u8)>> = LazyLock::new(|| {
    let mut table: Vec<(u32, u8)> = HIGH_BLOCKS
        .iter()
        .flat_map(|&(first, last)| first..=last)
        .filter_map(|code| Some((code, entry(code)?)))
        .collect();
    // Regional indicators and the letters in black circles and squares, which no normal form undoes.
    for (first, count) in [(0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26)] {
        table.extend((0..count).map(|letter: u32| (first + letter, b'a' + letter as u8)));
    }
    table.sort_unstable_by_key(|&(code, _)| code);
    table
});

fn entry(code: u32) -> Option<u8> {
    let character = char::from_u32(code).filter(|_| code >= 0x80)?;
    let listed = LISTED.get(&character).copied();
    if let Some(letter) = listed.filter(|letter| letter & DOUBLE == 0) {
        return Some(letter);
    }
    let mut decomposed = character.nfkd();
    if let Some(base) = decomposed.next().filter(char::is_ascii_alphabetic)
        && decomposed.all(is_combining_mark)
    {
        return Some(base.to_ascii_lowercase() as u8);
    }
    if !character.is_alphabetic() {
        return None;
    }
    if listed.is_some() {
        return listed;
    }
    // The Unicode list of confusable characters (UTS #39) for the rest.
    let mut prototype = [0; 4];
    let mut like = skeleton(character.encode_utf8(&mut prototype));
    let first = like.next()?;
    let letter = if first.is_ascii_alphabetic() {
        first.to_ascii_lowercase() as u8
    } else {
        LISTED.get(&first).filter(|letter| **letter & DOUBLE != 0)? & !DOUBLE
    };
    like.next().is_none().then_some(letter | DOUBLE)
}

/// Latin letters whose ornament is not a separate mark, small capitals, and letters turned upside down.
const ORNAMENTS: [(&str, u8); 26 + 24] = [
    // Runes and braille cells, one for one.
    ("ᚨ⠁", b'a'),
    ("ᛒ⠃", b'b'),
    ("ᚳ⠉", b'c'),
    ("ᛞ⠙", b'd'),
    ("ᛖ⠑", b'e'),
    ("ᚠ⠋", b'f'),
    ("ᚷ⠛", b'g'),
    ("ᚺ⠓", b'h'),
    ("ᛁ⠊", b'i'),
    ("ᛃ⠚", b'j'),
    ("ᚲ⠅", b'k'),
    ("ᛚ⠇", b'l'),
    ("ᛗ⠍", b'm'),
    ("ᚾ⠝", b'n'),
    ("ᛟ⠕", b'o'),
    ("ᛈ⠏", b'p'),
    ("ᛩ⠟", b'q'),
    ("ᚱ⠗", b'r'),
    ("ᛊ⠎", b's'),
    ("ᛏ⠞", b't'),
    ("ᚢ⠥", b'u'),
    ("ᚡ⠧", b'v'),
    ("ᚹ⠺", b'w'),
    ("ᛪ⠭", b'x'),
    ("ᚤ⠽", b'y'),
    ("ᛉ⠵", b'z'),
    ("ƀɃɓʙᴃ", b'b'),
    ("ƈȼᴄ", b'c'),
    ("đðɖɗᴅ", b'd'),
    ("ɇᴇǝəɘ", b'e'),
    ("ƒɟꜰ", b'f'),
    ("ǥɠɢƃᵷ", b'g'),
    ("ħɥʜ", b'h'),
    ("ıɨɪᴉ", b'i'),
    ("ɉȷɾᴊ", b'j'),
    ("ƙʞᴋ", b'k'),
    ("łƚɫʟ", b'l'),
    ("ɯᴍ", b'm'),
    ("ɲŋɴ", b'n'),
    ("øɵᴏɔ", b'o'),
    ("ƥᴘ", b'p'),
    ("ɍʀɹ", b'r'),
    ("ʂꜱ", b's'),
    ("ŧƭʇᴛ", b't'),
    ("ʉᴜ", b'u'),
    ("ʌᴠ", b'v'),
    ("ʍᴡ", b'w'),
    ("ɏʎʏ", b'y'),
    ("ƶᴢʐ", b'z'),
    ("ɐɑᴀ", b'a'),
];

/// Letters of other alphabets used for Latin ones although the Unicode list sees another likeness, or none.
const DOUBLES: [(&str, u8); 21] = [
    ("αаɑ", b'a'),
    ("βвʙ", b'b'),
    ("сςϲ", b'c'),
    ("ԁժ", b'd'),
    ("εєеҽ", b'e'),
    ("ɡց", b'g'),
    ("һհнʜ", b'h'),
    ("ιіі", b'i'),
    ("κкĸ", b'k'),
    ("мʍ", b'm'),
    ("ηոпռи", b'n'),
    ("οоօσ", b'o'),
    ("ρрр", b'p'),
    ("гᴦяɼ", b'r'),
    ("ѕտ", b's'),
    ("τтᴛ", b't'),
    ("υսцʋμ", b'u'),
    ("νѵ", b'v'),
    ("ωшԝա", b'w'),
    ("χх", b'x'),
    ("γуү", b'y'),
];

#[cfg(test)]
mod tests {
    use super::*;

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
