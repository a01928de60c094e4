//! Words that show that a text reads as English after rot47 or backwards, and the names of letters.

use std::sync::LazyLock;

pub(crate) use super::trie::Entries;
use super::{compiled, trie::Trie};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    Rotated47,
    Reversed,
    /// The name of a letter in the alphabet of radio operators.
    Letter,
}

pub(crate) struct Hints(Trie);

const REVERSED: u128 = 2;
const ROTATED47: u128 = 4;
const LETTER: u128 = 8;

/// The beginnings of words after rot47, as far as letters and digits go.
#[cfg(any(test, feature = "training"))]
const ROTATED47_WORDS: [&str; 10] = [
    "djde6*", "ac6g*", "c6g62*", "6g6cje9*", "a2ddh*", "56g6*", "c6g6*", "8f:5*", "cf=6*", "j@fc*",
];

/// The names of letters (ICAO Annex 10), with the spellings in use.
pub(crate) const LETTER_NAMES: [&str; 30] = [
    "alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett",
    "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango",
    "uniform", "victor", "whiskey", "xray", "yankee", "zulu", "alpha", "juliet", "whisky", "x-ray",
];

/// Words that attacks and ordinary sentences share; two of them are enough to try.
pub(crate) const WORDS: [&str; 64] = [
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

static HINTS: LazyLock<Hints> = LazyLock::new(|| Hints(compiled::trie(compiled::HINTS)));

/// The hints as they are put into the file of the lexicon.
#[cfg(any(test, feature = "training"))]
pub(super) fn trie() -> Trie {
    let reversed = WORDS.map(|word| word.chars().rev().collect::<String>());
    let plain = |word: &&String| !WORDS.contains(&word.as_str());
    let hints =
        |words: &'static [&'static str], class| words.iter().map(move |&word| (word, class));
    Trie::new(
        reversed
            .iter()
            .filter(plain)
            .map(|word| (word.as_str(), REVERSED))
            .chain(hints(&ROTATED47_WORDS, ROTATED47))
            .chain(hints(&LETTER_NAMES, LETTER)),
    )
}

pub(crate) fn hints() -> &'static Hints {
    &HINTS
}

impl Hints {
    /// What the word at `start` hints at.
    #[inline]
    pub(crate) fn get(&self, text: &[u8], start: usize, entries: &mut Entries) -> Option<Hint> {
        if !self.0.may_begin(text, start) {
            return None;
        }
        match self.0.at(text, start, entries).last()?.classes {
            ROTATED47 => Some(Hint::Rotated47),
            REVERSED => Some(Hint::Reversed),
            LETTER => Some(Hint::Letter),
            _ => None,
        }
    }
}
