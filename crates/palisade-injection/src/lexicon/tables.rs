//! From the tables of words to the file that is read where it lies.

use super::{
    classes::Classes, english, hints, languages, marks, more_languages, trie::Trie, typos,
};
use crate::Normalizer;

/// A table of words: each line is a class and entries separated by spaces; `_` is a space, `*` ends a stem.
pub(super) type Table = &'static [(Classes, &'static str)];

fn entries(table: Table) -> impl Iterator<Item = (&'static str, Classes)> {
    table
        .iter()
        .flat_map(|&(classes, entries)| entries.split_whitespace().map(move |e| (e, classes)))
}

/// The file: see [`compiled`](super::compiled).
pub(crate) fn file() -> Vec<u8> {
    let normalizer = Normalizer::new();
    // Entries are folded as the text is: without ornaments, in lower case.
    let folded: Vec<(String, Classes)> = entries(english::TABLE)
        .chain(entries(languages::TABLE))
        .chain(entries(more_languages::TABLE))
        .map(|(entry, classes)| (normalizer.fold(entry).text().to_lowercase(), classes))
        .collect();
    let words = folded.iter().map(|(entry, classes)| (&**entry, *classes));
    let mut file = Vec::new();
    for trie in [
        Trie::new(words),
        Trie::new(entries(marks::TABLE)),
        hints::trie(),
    ] {
        put(&mut file, trie.nodes.as_flattened());
        put(&mut file, trie.table.as_flattened());
        put(&mut file, trie.ends.as_flattened());
        put(&mut file, &trie.beginnings.0);
    }
    let english = entries(english::TABLE).map(|(entry, _)| entry);
    let plain = |entry: &&str| entry.bytes().all(|byte| byte.is_ascii_lowercase());
    for part in typos::parts(english.filter(plain)) {
        put(&mut file, &part);
    }
    file
}

fn put(file: &mut Vec<u8>, part: &[u8]) {
    let len = u32::try_from(part.len()).expect("a lexicon is smaller than four gigabytes");
    file.extend(len.to_le_bytes());
    file.extend(part);
}
