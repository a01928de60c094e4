//! A first glance at a word: can any entry begin like this?

use std::borrow::Cow;

use super::trie::runs_on_byte;

/// How the entries of a trie begin: a bit for each beginning of up to four bytes, under a hash.
///
/// Most words of most texts begin no entry. Four table look-ups and one bit say so, where walking the trie would follow
/// two or three nodes through memory. A bit that is set by another beginning costs a walk, never an answer.
#[derive(Clone, Debug)]
pub(super) struct Beginnings(pub(super) Cow<'static, [u8]>);

/// Letters without case, digits together, bytes beyond ASCII by their last bits; 0 for what ends a word: a sign, or a
/// character of a script without spaces.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            letter @ (b'a'..=b'z' | b'A'..=b'Z') => letter & 31,
            b'0'..=b'9' => 27,
            running if runs_on_byte(running) => 0,
            beyond @ 0x80.. => 28 + (beyond & 3),
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

impl Beginnings {
    const BITS: usize = 1 << 16;
    pub(super) const BYTES: usize = Self::BITS / 8;

    pub(super) fn none() -> Self {
        Self(Cow::Owned(vec![0; Self::BYTES]))
    }

    /// Adds the beginning of an entry. A stem shorter than a beginning goes on with anything.
    pub(super) fn add(&mut self, entry: &[u8], stem: bool) {
        let stem = stem || entry.first().is_some_and(|&byte| byte >= 0x80);
        let known = entry.len().min(4);
        let mut beginning = [b' '; 4];
        beginning[..known].copy_from_slice(&entry[..known]);
        for byte in &mut beginning {
            if *byte == b'_' {
                *byte = b' ';
            }
        }
        self.add_endings(beginning, if stem { known } else { 4 });
    }

    fn add_endings(&mut self, mut beginning: [u8; 4], known: usize) {
        if known >= 4 {
            let bit = bit(&beginning, 0);
            self.0.to_mut()[bit / 8] |= 1 << (bit % 8);
            return;
        }
        // One byte of each kind.
        for byte in (b'a'..=b'z').chain([b' ', b'0', 0x80, 0x81, 0x82, 0x83]) {
            beginning[known] = byte;
            self.add_endings(beginning, known + 1);
        }
    }

    /// Whether an entry may begin at `start`; if not, none does.
    #[inline]
    pub(super) fn may_begin(&self, text: &[u8], start: usize) -> bool {
        let bit = bit(text, start);
        self.0[bit / 8] >> (bit % 8) & 1 == 1
    }
}

/// The bit of the beginning at `start`. Whatever follows the first sign, or the first character of a script without
/// spaces after a Latin word, does not count: a phrase's space matches any short run of signs.
#[inline]
fn bit(text: &[u8], start: usize) -> usize {
    let four = match text[start..].first_chunk::<4>() {
        Some(four) => *four,
        None => {
            let mut four = [b' '; 4];
            four[..text.len() - start].copy_from_slice(&text[start..]);
            four
        }
    };
    if runs_on_byte(four[0]) {
        // One character of such a script is three bytes, and can be an entry of its own.
        return hash(u32::from_be_bytes([0, four[0], four[1], four[2]]) | 1 << 24);
    }
    let kind = |byte: u8, before: u8| if before == 0 { 0 } else { KINDS[byte as usize] };
    let first = KINDS[four[0] as usize];
    let second = kind(four[1], first);
    let third = kind(four[2], second);
    let fourth = kind(four[3], third);
    let joined = u32::from(first) << 15
        | u32::from(second) << 10
        | u32::from(third) << 5
        | u32::from(fourth);
    hash(joined)
}

/// Fibonacci hashing (Knuth, volume 3, 6.4).
fn hash(beginning: u32) -> usize {
    (beginning.wrapping_mul(0x9E37_79B1) >> 16) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_of_an_entry_is_never_denied() {
        let mut some = Beginnings::none();
        for (entry, stem) in [
            ("ignore", false),
            ("do", false),
            ("i_said", false),
            ("no", true),
            ("don't", false),
            ("\u{6307}", false),
            ("\u{6307}\u{793A}", false),
            ("\u{43D}\u{435}", false),
        ] {
            some.add(entry.as_bytes(), stem);
        }
        for text in [
            "ignore",
            "IGNORE it",
            "do it",
            "do",
            "do\u{6307}",
            "i  said",
            "nothing",
            "no",
            "don't",
            "\u{6307}",
            "\u{6307}\u{793A}\u{3092}",
            "\u{6307}x",
            "\u{43D}\u{435} ",
            "\u{43D}\u{435}",
        ] {
            assert!(some.may_begin(text.as_bytes(), 0), "{text}");
        }
        let denied = ["table", "igloo", "document", "is", "ten"]
            .iter()
            .filter(|text| !some.may_begin(text.as_bytes(), 0))
            .count();
        assert!(denied >= 4, "{denied}");
    }
}
