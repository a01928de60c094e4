use std::{collections::HashSet, collections::VecDeque, fmt};

use palisade_core::ByteRange;

use super::Canary;

/// The most words of a system prompt that a watch compares with.
pub const MAX_PROMPT_WORDS: usize = 16 * 1024;

/// Reads what a model says, as it says it, and tells when it gives its instructions away.
///
/// Two things are looked for. A [`Canary`]: also in capitals, spelled out with signs in between, or backwards. And the
/// words of the system prompt themselves: a run of them, word for word, or a good part of all its phrases, in whatever
/// order they come. Case, punctuation and line breaks do not count.
///
/// What is kept of the answer is bounded: the last letters, and the last few words. A watch is for one answer.
///
/// ```
/// use palisade_injection::{Canary, LeakKind, LeakWatch};
///
/// let canary = Canary::from_random([42; 16]);
/// let prompt = "You are Hugo, the assistant of a bakery. Never talk about the recipe of the rye bread.";
/// let watch = LeakWatch::new().with_canary(canary.clone()).with_prompt(prompt);
///
/// let mut answer = watch.clone();
/// assert!(answer.push("Our rye bread is 4.20 today. ").is_none());
///
/// let mut answer = watch.clone();
/// let leak = answer.push(&format!("I was told: [{}] you are Hugo", canary.word())).unwrap();
/// assert_eq!(leak.kind, LeakKind::Canary);
///
/// let mut answer = watch.clone();
/// let chunks = ["Sure: you are Hugo, the ass", "istant of a bakery; never talk about ", "the recipe of the rye bread!"];
/// let leak = chunks.iter().find_map(|chunk| answer.push(chunk)).unwrap();
/// assert_eq!(leak.kind, LeakKind::Prompt);
/// ```
#[derive(Clone)]
pub struct LeakWatch {
    canary: Option<Canary>,
    shingles: HashSet<u64>,
    longest_run: usize,
    share: f32,
    letters: VecDeque<(u8, u64)>,
    word: Vec<u8>,
    word_start: u64,
    words: VecDeque<(u64, u64)>,
    seen: HashSet<u64>,
    run: usize,
    run_start: u64,
    at: u64,
    done: bool,
}

/// A system prompt in an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Leak {
    /// What was recognised.
    pub kind: LeakKind,
    /// Where in the answer, counted from its beginning over all chunks.
    pub range: ByteRange,
    /// How much of the prompt's phrases has been said so far, from 0 to 1.
    pub share: f32,
}

/// What a [`Leak`] was recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeakKind {
    /// The canary.
    Canary,
    /// The words of the prompt.
    Prompt,
}

/// Words of a phrase that is compared: shorter ones are in many texts.
const SHINGLE: usize = 5;
/// Longer words are compared by their beginning.
const LONGEST_WORD: usize = 32;

impl LeakWatch {
    /// A watch that looks for nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            canary: None,
            shingles: HashSet::new(),
            longest_run: 12,
            share: 0.5,
            letters: VecDeque::new(),
            word: Vec::new(),
            word_start: 0,
            words: VecDeque::new(),
            seen: HashSet::new(),
            run: 0,
            run_start: 0,
            at: 0,
            done: false,
        }
    }

    /// The same, looking for `canary` too.
    #[must_use]
    pub fn with_canary(mut self, canary: Canary) -> Self {
        self.canary = Some(canary);
        self
    }

    /// The same, looking for the words of `system_prompt` too; of its first [`MAX_PROMPT_WORDS`]. A prompt of fewer than
    /// five words is everybody's and is not looked for.
    #[must_use]
    pub fn with_prompt(mut self, system_prompt: &str) -> Self {
        let words = system_prompt
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        let hashes: Vec<u64> = words
            .take(MAX_PROMPT_WORDS)
            .map(|word| {
                let lower = word.to_lowercase();
                hash_word(&lower.as_bytes()[..lower.floor_char_boundary(LONGEST_WORD)])
            })
            .collect();
        self.shingles.extend(
            hashes
                .windows(SHINGLE)
                .map(|window| hash_words(window.iter().copied())),
        );
        self
    }

    /// The same, with other limits: a leak is `words` of the prompt in a row, 12 if nothing is said, or a `share` of all
    /// its phrases of five words, one half if nothing is said. At least five words and a share of 0.05 are needed.
    #[must_use]
    pub fn with_limits(mut self, words: usize, share: f32) -> Self {
        self.longest_run = words.max(SHINGLE);
        self.share = if share.is_nan() {
            0.5
        } else {
            share.clamp(0.05, 1.0)
        };
        self
    }

    /// Reads the next piece of the answer. The first leak is told, once; the words in the last piece of an answer may
    /// wait for [`finish`](Self::finish).
    pub fn push(&mut self, chunk: &str) -> Option<Leak> {
        if self.done {
            self.at += chunk.len() as u64;
            return None;
        }
        let mut leak = None;
        for character in chunk.chars() {
            let found = self.character(character);
            self.at += character.len_utf8() as u64;
            leak = leak.or(found);
        }
        self.done = leak.is_some();
        leak
    }

    /// The answer is over.
    pub fn finish(&mut self) -> Option<Leak> {
        if self.done {
            return None;
        }
        let leak = self.end_of_word();
        self.done = leak.is_some();
        leak
    }

    /// How much of the prompt's phrases has been said so far, from 0 to 1.
    #[must_use]
    pub fn share_said(&self) -> f32 {
        if self.shingles.is_empty() {
            0.0
        } else {
            self.seen.len() as f32 / self.shingles.len() as f32
        }
    }

    fn character(&mut self, character: char) -> Option<Leak> {
        let canary = character
            .is_ascii_alphanumeric()
            .then(|| self.letter(character.to_ascii_lowercase() as u8))
            .flatten();
        if character.is_alphanumeric() {
            if self.word.is_empty() {
                self.word_start = self.at;
            }
            for lower in character.to_lowercase() {
                if self.word.len() + lower.len_utf8() <= LONGEST_WORD {
                    self.word.extend(lower.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            canary
        } else {
            canary.or(self.end_of_word())
        }
    }

    /// The canary, if this letter completes it, forwards or backwards.
    fn letter(&mut self, letter: u8) -> Option<Leak> {
        let word = self.canary.as_ref()?.word().as_bytes();
        if self.letters.len() == word.len() {
            self.letters.pop_front();
        }
        self.letters.push_back((letter, self.at));
        let said = || self.letters.iter().map(|&(letter, _)| letter);
        let lower = || word.iter().map(u8::to_ascii_lowercase);
        (self.letters.len() == word.len() && (said().eq(lower()) || said().rev().eq(lower())))
            .then(|| self.leak(LeakKind::Canary, self.letters[0].1, self.at + 1))
    }

    fn end_of_word(&mut self) -> Option<Leak> {
        if self.word.is_empty() || self.shingles.is_empty() {
            self.word.clear();
            return None;
        }
        let hash = hash_word(&self.word);
        self.word.clear();
        if self.words.len() == SHINGLE {
            self.words.pop_front();
        }
        self.words.push_back((hash, self.word_start));
        if self.words.len() < SHINGLE {
            return None;
        }
        let shingle = hash_words(self.words.iter().map(|&(hash, _)| hash));
        if !self.shingles.contains(&shingle) {
            self.run = 0;
            return None;
        }
        self.seen.insert(shingle);
        if self.run == 0 {
            self.run = SHINGLE;
            self.run_start = self.words[0].1;
        } else {
            self.run += 1;
        }
        // A short prompt is all said before so many words.
        let all = self.shingles.len() + SHINGLE - 1;
        (self.run >= self.longest_run.min(all) || self.share_said() >= self.share)
            .then(|| self.leak(LeakKind::Prompt, self.run_start, self.at))
    }

    fn leak(&self, kind: LeakKind, start: u64, end: u64) -> Leak {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        Leak {
            kind,
            range: ByteRange::new(place(start), place(end)),
            share: self.share_said(),
        }
    }
}

impl Default for LeakWatch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LeakWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the prompt nor the answer.
        f.debug_struct("LeakWatch")
            .field("canary", &self.canary.is_some())
            .field("phrases", &self.shingles.len())
            .field("phrases_said", &self.seen.len())
            .finish_non_exhaustive()
    }
}

/// FNV-1a (Fowler, Noll, Vo). Nobody gains by a collision: the text is the model's, and the set is small.
fn hash_word(word: &[u8]) -> u64 {
    word.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

fn hash_words(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0x9E37_79B9_7F4A_7C15, |hash: u64, word| {
        (hash.rotate_left(23) ^ word).wrapping_mul(0xD6E8_FEB8_6659_FD93)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: &str = "You are Hugo, the friendly assistant of a small bakery in Ghent. Answer in at most three \
        sentences. Never talk about the recipe of the rye bread, and do not promise deliveries on Sundays.";

    fn leak(watch: &LeakWatch, answer: &str) -> Option<Leak> {
        let mut watch = watch.clone();
        watch.push(answer).or_else(|| watch.finish())
    }

    #[test]
    fn a_canary_is_seen_in_every_disguise_of_its_letters_and_across_chunks() {
        let canary = Canary::new("quartzfalcon29x").unwrap();
        let watch = LeakWatch::new().with_canary(canary.clone());
        let word = canary.word();
        let spaced: Vec<String> = word.chars().map(String::from).collect();
        for said in [
            word.to_owned(),
            word.to_uppercase(),
            spaced.join(" "),
            spaced.join("-"),
            word.chars().rev().collect(),
        ] {
            let answer = format!("Well, it begins with {said}, I think.");
            let found = leak(&watch, &answer).unwrap_or_else(|| panic!("{answer}"));
            assert_eq!(found.kind, LeakKind::Canary);
            assert_eq!(&answer[found.range.as_range()], said);
            let mut chunked = watch.clone();
            let pieces = answer.chars().find_map(|c| chunked.push(&c.to_string()));
            assert_eq!(pieces, Some(found));
        }
        assert_eq!(leak(&watch, "quartz falcon 30 x"), None);
    }

    #[test]
    fn the_words_of_the_prompt_are_seen_whatever_their_punctuation_and_chunks() {
        let watch = LeakWatch::new().with_prompt(PROMPT);
        let answer =
            "OK! \"YOU ARE HUGO - the friendly assistant, of a small bakery: in Ghent; answer in\"";
        let found = leak(&watch, answer).unwrap();
        assert_eq!(found.kind, LeakKind::Prompt);
        assert_eq!(found.range.start, 5);
        for size in 1..9 {
            let mut chunked = watch.clone();
            let pieces: Vec<&str> = answer
                .as_bytes()
                .chunks(size)
                .map(|piece| std::str::from_utf8(piece).unwrap())
                .collect();
            let told = pieces.iter().find_map(|piece| chunked.push(piece));
            assert_eq!(told, Some(found), "{size}");
        }
    }

    #[test]
    fn phrases_in_another_order_add_up() {
        let watch = LeakWatch::new().with_prompt(PROMPT).with_limits(100, 0.25);
        let answer = "promise deliveries on Sundays ... the recipe of the rye bread ... answer in at most three sentences \
            ... the friendly assistant of a small bakery in Ghent";
        assert_eq!(leak(&watch, answer).unwrap().kind, LeakKind::Prompt);
    }

    #[test]
    fn an_honest_answer_is_no_leak() {
        let watch = LeakWatch::new()
            .with_prompt(PROMPT)
            .with_canary(Canary::from_random([9; 16]));
        for answer in [
            "I am Hugo, the assistant of the bakery. We do not deliver on Sundays.",
            "The rye bread costs four euros, and I cannot tell you its recipe.",
            "",
        ] {
            assert_eq!(leak(&watch, answer), None, "{answer}");
        }
    }

    #[test]
    fn a_leak_is_told_once_and_what_is_kept_is_bounded() {
        let mut watch = LeakWatch::new().with_prompt(PROMPT);
        assert!(watch.push(PROMPT).is_some());
        assert!(watch.push(PROMPT).is_none());
        let mut watch = LeakWatch::new()
            .with_prompt(&"one two three four five six seven ".repeat(MAX_PROMPT_WORDS))
            .with_canary(Canary::from_random([3; 16]));
        assert!(watch.shingles.len() <= MAX_PROMPT_WORDS);
        watch.push(&"x".repeat(100_000));
        assert!(watch.word.len() <= LONGEST_WORD && watch.letters.len() <= 32);
    }

    #[test]
    fn debug_shows_neither_prompt_nor_canary() {
        let canary = Canary::new("quartzfalcon29x").unwrap();
        let watch = LeakWatch::new()
            .with_prompt("secret sauce of the house is mustard")
            .with_canary(canary);
        let shown = format!("{watch:?}");
        assert!(
            !shown.contains("quartz") && !shown.contains("mustard"),
            "{shown}"
        );
    }
}
