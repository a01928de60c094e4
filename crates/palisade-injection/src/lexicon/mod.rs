//! Words and what they can mean in an attack, in some seventy languages.
//!
//! A single word proves nothing: "ignore" is in every manual. The rules ask for several classes of words in order and
//! close together.

mod beginnings;
#[cfg_attr(
    not(any(test, feature = "training")),
    expect(dead_code, reason = "some classes only keep words apart in the tables")
)]
pub(crate) mod classes;
mod compiled;
#[cfg(any(test, feature = "training"))]
mod english;
pub(crate) mod hints;
#[cfg(any(test, feature = "training"))]
mod languages;
#[cfg(any(test, feature = "training"))]
mod marks;
#[cfg(any(test, feature = "training"))]
mod more_languages;
mod scan;
pub(crate) mod steps;
#[cfg(any(test, feature = "training"))]
mod tables;
mod trie;
mod typos;

use std::sync::LazyLock;

#[cfg(feature = "training")]
pub(crate) use self::tables::file;
pub(crate) use self::{
    scan::{Hit, Lexicon, WORD},
    trie::Trie,
    typos::slip_of,
};

static BUILT_IN: LazyLock<Lexicon> = LazyLock::new(|| Lexicon {
    words: compiled::trie(compiled::WORDS),
    marks: Some(compiled::trie(compiled::MARKS)),
});

/// The lexicon that the built-in rules use.
pub(crate) fn built_in() -> &'static Lexicon {
    &BUILT_IN
}

/// Whether `word` as a whole is a word of the lexicon, or begins with a stem of it.
pub(crate) fn is_entry(word: &[u8]) -> bool {
    let mut entries = trie::Entries::default();
    BUILT_IN.words.may_begin(word, 0)
        && BUILT_IN
            .words
            .at(word, 0, &mut entries)
            .last()
            .is_some_and(|found| found.end == word.len())
}

/// Whether a word of the lexicon of some length begins anywhere in `letters`, which may have no spaces.
pub(crate) fn has_word_inside(letters: &[u8]) -> bool {
    (0..letters.len()).any(|at| BUILT_IN.words.inside(letters, at).is_some())
}

/// Whether a word of the lexicon begins `word`.
pub(crate) fn knows(word: &[u8]) -> bool {
    !BUILT_IN
        .words
        .at(word, 0, &mut trie::Entries::default())
        .is_empty()
}
