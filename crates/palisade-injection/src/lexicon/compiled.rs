//! The lexicon as it lies in the program, so that a process that starts builds nothing.
//!
//! `cargo xtask injection-tables` writes the file from the tables of words; a test compares the two.

use std::borrow::Cow;

use super::{beginnings::Beginnings, trie::Trie};

static FILE: &[u8] = include_bytes!("lexicon.bin");

/// The parts of the file, in order. A trie takes [`TRIE`] of them.
pub(super) const WORDS: usize = 0;
pub(super) const MARKS: usize = WORDS + TRIE;
pub(super) const HINTS: usize = MARKS + TRIE;
pub(super) const SLIP_SETS: usize = HINTS + TRIE;
pub(super) const SLIPS: usize = SLIP_SETS + 1;
pub(super) const SLIP_WORDS: usize = SLIPS + 1;
const TRIE: usize = 4;

/// The part of the file at `place`: each is its length in four bytes and itself. Empty if there is no such part.
pub(super) fn part(place: usize) -> &'static [u8] {
    let mut rest = FILE;
    let mut part: &[u8] = &[];
    for _ in 0..=place {
        let Some((len, after)) = rest.split_first_chunk::<4>() else {
            return &[];
        };
        let len = u32::from_le_bytes(*len) as usize;
        let (this, next) = after.split_at(len.min(after.len()));
        (part, rest) = (this, next);
    }
    part
}

/// The trie whose parts begin at `place`.
pub(super) fn trie(place: usize) -> Trie {
    Trie {
        nodes: Cow::Borrowed(part(place).as_chunks().0),
        table: Cow::Borrowed(part(place + 1).as_chunks().0),
        ends: Cow::Borrowed(part(place + 2).as_chunks().0),
        beginnings: Beginnings(Cow::Borrowed(part(place + 3))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_what_the_tables_give() {
        let fresh = super::super::tables::file() == FILE;
        assert!(fresh, "run `cargo xtask injection-tables`");
    }
}
