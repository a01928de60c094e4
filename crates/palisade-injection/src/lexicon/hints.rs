//! Words that show that a text reads as English after rot13 or backwards.

use std::sync::LazyLock;

pub(crate) use super::trie::Entries;
use super::trie::Trie;
use crate::normalizer::rotate_char;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    Rotated,
    Reversed,
}

pub(crate) struct Hints(Trie);

const ROTATED: u128 = 1;
const REVERSED: u128 = 2;

/// Words that attacks and ordinary sentences share; two of them are enough to try.
const WORDS: [&str; 64] = [
    "ignore",
    "previous",
    "instructions",
    "instruction",
    "system",
    "prompt",
    "reveal",
    "your",
    "disregard",
    "forget",
    "rules",
    "above",
    "secret",
    "password",
    "print",
    "show",
    "tell",
    "everything",
    "guidelines",
    "initial",
    "hidden",
    "repeat",
    "output",
    "told",
    "were",
    "with",
    "this",
    "that",
    "what",
    "from",
    "have",
    "please",
    "answer",
    "message",
    "text",
    "before",
    "override",
    "developer",
    "restrictions",
    "assistant",
    "user",
    "always",
    "respond",
    "follow",
    "commands",
    "prior",
    "earlier",
    "directions",
    "orders",
    "pretend",
    "confidential",
    "context",
    "conversation",
    "safety",
    "task",
    "write",
    "describe",
    "exactly",
    "word",
    "about",
    "them",
    "then",
    "instead",
    "request",
];

static HINTS: LazyLock<Hints> = LazyLock::new(|| {
    let rotated = WORDS.map(|word| word.chars().map(rotate_char).collect::<String>());
    let reversed = WORDS.map(|word| word.chars().rev().collect::<String>());
    let plain = |word: &String| !WORDS.contains(&word.as_str());
    Hints(Trie::new(
        rotated
            .iter()
            .filter(|word| plain(word))
            .map(|word| (word.as_str(), ROTATED))
            .chain(
                reversed
                    .iter()
                    .filter(|word| plain(word))
                    .map(|word| (word.as_str(), REVERSED)),
            ),
    ))
});

pub(crate) fn hints() -> &'static Hints {
    &HINTS
}

impl Hints {
    /// What the word at the start of `text` hints at.
    pub(crate) fn get(&self, text: &[u8], entries: &mut Entries) -> Option<Hint> {
        match self.0.at(text, 0, entries).last()?.classes {
            ROTATED => Some(Hint::Rotated),
            REVERSED => Some(Hint::Reversed),
            _ => None,
        }
    }
}
