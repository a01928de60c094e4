//! Words and what they can mean in an attack, in some seventy languages.
//!
//! A single word proves nothing: "ignore" is in every manual. The rules ask for several classes of words in order and
//! close together.

mod beginnings;
pub(crate) mod classes;
mod english;
pub(crate) mod hints;
mod languages;
mod marks;
mod more_languages;
mod scan;
pub(crate) mod steps;
mod trie;
mod typos;

use std::sync::LazyLock;

use classes::Classes;

pub(crate) use self::{
    scan::{Hit, Lexicon, WORD},
    trie::Trie,
    typos::slip_of,
};
use crate::Normalizer;

/// A table of words: each line is a class and entries separated by spaces; `_` is a space, `*` ends a stem.
type Table = &'static [(Classes, &'static str)];

static BUILT_IN: LazyLock<Lexicon> = LazyLock::new(|| {
    let normalizer = Normalizer::new();
    // Entries are folded as the text is: without ornaments, in lower case.
    let folded: Vec<(String, Classes)> = english::TABLE
        .iter()
        .chain(languages::TABLE)
        .chain(more_languages::TABLE)
        .flat_map(|&(classes, entries)| entries.split_whitespace().map(move |e| (e, classes)))
        .map(|(entry, classes)| (normalizer.fold(entry).text().to_lowercase(), classes))
        .collect();
    Lexicon {
        words: Trie::new(
            folded
                .iter()
                .map(|(entry, classes)| (entry.as_str(), *classes)),
        ),
        marks: Some(Trie::new(marks::TABLE.iter().flat_map(
            |&(classes, entries)| entries.split_whitespace().map(move |e| (e, classes)),
        ))),
    }
});

/// The lexicon that the built-in rules use.
pub(crate) fn built_in() -> &'static Lexicon {
    &BUILT_IN
}

/// The single words of English in the lexicon, each without its ending mark.
fn english_words() -> impl Iterator<Item = &'static str> {
    let entries = english::TABLE
        .iter()
        .flat_map(|(_, entries)| entries.split_whitespace());
    entries.filter(|entry| entry.bytes().all(|byte| byte.is_ascii_lowercase()))
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
