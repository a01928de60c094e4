use crate::text::is_word;

/// Which words may begin something that is told by its first word: a command, a blocked word, or a token whose prefix
/// ends in a sign. One look into a table answers for all of them, and is now and then wrong in saying yes.
pub(crate) struct Heads {
    dangers: Box<[u64; TABLE]>,
    /// First letters of blocked words too short for the table.
    short: [bool; 256],
    signed: Box<[u64; TABLE]>,
}

/// 2^16 bits.
const TABLE: usize = 1024;

impl Heads {
    /// The words that dangers begin with, the beginnings of blocked words, and the prefixes of tokens.
    pub(crate) fn new<'a, 'b>(
        dangers: impl Iterator<Item = &'a [u8]>,
        keywords: impl Iterator<Item = &'b [u8]>,
        prefixes: impl Iterator<Item = &'a [u8]>,
    ) -> Self {
        let mut heads = Self {
            dangers: Box::new([0; TABLE]),
            short: [false; 256],
            signed: Box::new([0; TABLE]),
        };
        for word in dangers {
            set(&mut heads.dangers, key(word, 0, first_word(word)));
        }
        for word in keywords {
            let length = first_word(word);
            // What follows a short word may be part of a longer one: only its first letter is certain.
            if length < 4 {
                for first in [word[0].to_ascii_lowercase(), word[0].to_ascii_uppercase()] {
                    heads.short[usize::from(first)] = true;
                }
            } else {
                set(&mut heads.dangers, key(word, 0, length));
            }
        }
        for prefix in prefixes {
            let length = first_word(prefix);
            if length < prefix.len() && length > 0 {
                set(&mut heads.signed, key(prefix, 0, length + 1));
            }
        }
        heads
    }

    /// Whether a danger or a blocked word may begin with the word at `at`, whose bytes are told by the low bits of `run`.
    #[inline]
    pub(crate) fn may_endanger(&self, bytes: &[u8], at: usize, run: u32) -> bool {
        let length = (!run).trailing_zeros() as usize;
        has(&self.dangers, key(bytes, at, length)) || self.short[usize::from(bytes[at])]
    }

    /// The same for a word that is there as a whole.
    #[inline]
    pub(crate) fn may_begin_danger(&self, word: &[u8]) -> bool {
        has(&self.dangers, key(word, 0, word.len())) || self.short[usize::from(word[0])]
    }

    /// Whether a token may begin with the word at `at`, which a sign ends at `end`.
    #[inline]
    pub(crate) fn may_be_signed(&self, bytes: &[u8], at: usize, end: usize) -> bool {
        // The sign is looked up with the word, if that is short.
        if has(&self.signed, key(bytes, at, end - at + 1)) || is_after_escape(bytes, at) {
            return true;
        }
        // The formats that have no prefix.
        match bytes[end] {
            b'~' => bytes[end - 1] == b'Q',
            b'!' => bytes[at..].starts_with(b"00D"),
            b':' => bytes[end - 1].is_ascii_digit() && bytes.get(end + 1) == Some(&b'A'),
            b'.' => bytes[end..].starts_with(b".atlasv1"),
            _ => false,
        }
    }
}

/// An escape sequence ends in letters, which the word behind it then seems to begin with.
#[inline]
fn is_after_escape(bytes: &[u8], at: usize) -> bool {
    at > 0 && matches!(bytes[at - 1], b'\\' | b'%')
}

fn first_word(text: &[u8]) -> usize {
    text.iter().take_while(|b| is_word(**b)).count()
}

/// The first four bytes of a word of `length` bytes, in lower case.
#[inline]
fn key(bytes: &[u8], at: usize, length: usize) -> u32 {
    let raw = match bytes.get(at..at + 4) {
        Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => {
            let mut raw = [0; 4];
            for (slot, byte) in raw.iter_mut().zip(&bytes[at..]) {
                *slot = *byte;
            }
            u32::from_le_bytes(raw)
        }
    };
    const KEPT: [u32; 5] = [0, 0xFF, 0xFFFF, 0xFF_FFFF, u32::MAX];
    let kept = KEPT[length.min(4)];
    (raw | 0x2020_2020) & kept
}

#[inline]
fn place(key: u32) -> (usize, u32) {
    let hash = key.wrapping_mul(0x9E37_79B1) >> 16;
    ((hash >> 6) as usize, hash & 63)
}

fn set(table: &mut [u64; TABLE], key: u32) {
    let (word, bit) = place(key);
    table[word] |= 1 << bit;
}

#[inline]
fn has(table: &[u64; TABLE], key: u32) -> bool {
    let (word, bit) = place(key);
    table[word] >> bit & 1 == 1
}
