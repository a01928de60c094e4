//! Where the tables of letters come from: Unicode's decompositions and confusable characters, and two lists of our own.

use std::sync::LazyLock;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::confusable_detection::skeleton;

use super::{DIRECT, DOUBLE, as_look, find_kind_of};

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

/// The file of tables: see [`FILE`](super::FILE).
pub(crate) fn file() -> Vec<u8> {
    let looks = (0..DIRECT as u32).map(|code| entry(code).unwrap_or(0));
    let mut file: Vec<u8> = looks.collect();
    let high = high();
    let look = |code: u32| match file.get(code as usize) {
        Some(&entry) => entry,
        None => 0,
    };
    let kinds = (0..DIRECT as u32).map(|code| {
        let kind = |character| find_kind_of(character, as_look(look(code))).0;
        char::from_u32(code).map_or(0, kind)
    });
    let kinds: Vec<u8> = kinds.collect();
    file.extend(kinds);
    file.extend(
        high.iter()
            .flat_map(|&(code, entry)| (code << 8 | u32::from(entry)).to_le_bytes()),
    );
    file
}

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

fn high() -> Vec<(u32, u8)> {
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
}

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
