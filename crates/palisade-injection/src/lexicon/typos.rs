//! Words recognised with one slip of the finger in them.

use std::sync::LazyLock;

use super::compiled;

/// Words worth recognising with a letter left out, put in, or mistaken for another. Any word of the lexicon is
/// recognised with two neighbours swapped.
const WORDS: &[&str] = &[
    "ignore",
    "disregard",
    "forget",
    "bypass",
    "override",
    "overwrite",
    "abandon",
    "nullify",
    "previous",
    "preceding",
    "earlier",
    "initial",
    "original",
    "instruction",
    "instructions",
    "guidelines",
    "directive",
    "directives",
    "directions",
    "programming",
    "prompt",
    "restriction",
    "restrictions",
    "constraints",
    "system",
    "hidden",
    "confidential",
    "internal",
    "everything",
    "reveal",
    "disclose",
    "password",
    "passphrase",
    "credentials",
    "assistant",
    "pretend",
    "unrestricted",
    "unfiltered",
    "uncensored",
    "jailbroken",
    "conversation",
    "message",
    "messages",
    "repeat",
    "print",
    "output",
    "display",
    "follow",
    "developer",
    "administrator",
    "configuration",
    "definitions",
];

/// Slips that are words of their own.
const REAL_WORDS: &[&str] = &[
    "ignored",
    "ignores",
    "ignorer",
    "reveals",
    "revel",
    "revels",
    "repeal",
    "repeats",
    "repent",
    "prints",
    "pint",
    "point",
    "paint",
    "prince",
    "prompts",
    "follows",
    "fellow",
    "fallow",
    "massage",
    "massages",
    "precious",
    "previews",
    "systems",
    "forgot",
    "forged",
    "forges",
    "forger",
    "developed",
    "developers",
    "overrode",
    "overripe",
    "initials",
    "initiate",
    "bypassed",
    "pretends",
    "portend",
    "outputs",
    "displays",
    "displaced",
    "displace",
    "originals",
    "passwords",
    "internals",
    "disclosed",
    "discloses",
    "abandons",
    "definition",
    "bided",
    "ridden",
    "midden",
    "trail",
    "angle",
    "untied",
    "quite",
    "dairy",
    "sliver",
    "scared",
    "parodies",
    "casual",
    "marital",
    "reserve",
    "reverse",
    "statues",
    "brakes",
];

/// Shorter words are one slip away from too many others.
const SHORTEST: usize = 5;
const LONGEST: usize = 14;

/// The words of the lexicon, arranged for finding slips of them.
struct Slips {
    /// For each number of a set of letters, whether a word has it.
    sets: &'static [u8],
    /// The words by that number: the number, the length of the word and its place, two, two and four bytes.
    by_set: &'static [[u8; 8]],
    words: &'static [u8],
    /// The words worth more, by their first letter.
    by_letter: [Vec<&'static str>; 26],
    /// For each first letter, which last two letters a slip of such a word can have.
    endings: [u32; 26],
}

/// A weight for each letter; sums of few of them hardly ever meet.
const WEIGHTS: [u32; 32] = {
    let mut weights = [0; 32];
    let mut letter = 0;
    while letter < 32 {
        // The finaliser of a hash (Stafford's mix 13) over the letter's place.
        let mut weight = (letter as u32 + 1).wrapping_mul(0x9E37_79B1);
        weight = (weight ^ weight >> 15).wrapping_mul(0x85EB_CA6B);
        weight = (weight ^ weight >> 13).wrapping_mul(0xC2B2_AE35);
        weights[letter] = weight ^ weight >> 16;
        letter += 1;
    }
    weights
};

impl Slips {
    #[cfg(any(test, feature = "training"))]
    const SETS: usize = 1 << 14;

    /// A number for the letters of `word`, whatever their order.
    #[inline]
    fn set(word: &[u8]) -> u16 {
        let sum = word.iter().fold(0_u32, |sum, byte| {
            sum.wrapping_add(WEIGHTS[usize::from(byte & 31)])
        });
        (sum.wrapping_mul(0x2545_F491) >> 18) as u16
    }

    fn new() -> Self {
        let mut slips = Self {
            sets: compiled::part(compiled::SLIP_SETS),
            by_set: compiled::part(compiled::SLIPS).as_chunks().0,
            words: compiled::part(compiled::SLIP_WORDS),
            by_letter: Default::default(),
            endings: [0; 26],
        };
        for &word in WORDS {
            let letters = word.as_bytes();
            let first = usize::from(letters[0] - b'a');
            slips.by_letter[first].push(word);
            // The last letter as it is, or the one before it, when the last is left out.
            for letter in &letters[letters.len() - 2..] {
                slips.endings[first] |= 1 << (letter - b'a');
            }
        }
        slips
    }

    /// The word that `word` is with two neighbours swapped. The word itself is not.
    #[inline]
    fn swapped(&self, word: &[u8]) -> Option<&'static [u8]> {
        let set = Self::set(word);
        if self.sets[usize::from(set) / 8] >> (set % 8) & 1 == 0 {
            return None;
        }
        let number = |slip: &[u8; 8]| u16::from_le_bytes([slip[0], slip[1]]);
        let from = self.by_set.partition_point(|other| number(other) < set);
        let same = self.by_set[from..]
            .iter()
            .take_while(|other| number(other) == set);
        let mut found = None;
        for slip in same {
            let len = usize::from(u16::from_le_bytes([slip[2], slip[3]]));
            let place = u32::from_le_bytes([slip[4], slip[5], slip[6], slip[7]]) as usize;
            let plain = &self.words[place..place + len];
            if plain.eq_ignore_ascii_case(word) {
                return None;
            }
            if is_swap(word, plain) {
                found = Some(plain);
            }
        }
        found
    }

    #[inline]
    fn mistaken(&self, word: &[u8]) -> Option<&'static [u8]> {
        let letter = |byte: u8| (byte | 0x20).wrapping_sub(b'a');
        let (first, last) = (letter(word[0]), letter(word[word.len() - 1]));
        if first >= 26 || last >= 26 || self.endings[usize::from(first)] >> last & 1 == 0 {
            return None;
        }
        let near = |plain: &&&str| {
            plain.len().abs_diff(word.len()) <= 1 && is_one_off(word, plain.as_bytes())
        };
        let found = self.by_letter[usize::from(first)].iter().find(near)?;
        (!found.as_bytes().eq_ignore_ascii_case(word)).then_some(found.as_bytes())
    }
}

/// The parts of the lexicon's file that [`Slips`] reads, with `more` words.
#[cfg(any(test, feature = "training"))]
pub(super) fn parts(more: impl Iterator<Item = &'static str>) -> [Vec<u8>; 3] {
    let long = |word: &&str| (SHORTEST..=LONGEST).contains(&word.len());
    let words = more.chain(WORDS.iter().copied()).filter(long);
    let mut by_set: Vec<(u16, &str)> = words
        .map(|word| (Slips::set(word.as_bytes()), word))
        .collect();
    by_set.sort_unstable();
    by_set.dedup();
    let [mut sets, mut slips, mut words] = [vec![0; Slips::SETS / 8], Vec::new(), Vec::new()];
    for (set, word) in by_set {
        sets[usize::from(set) / 8] |= 1 << (set % 8);
        slips.extend(set.to_le_bytes());
        slips.extend((word.len() as u16).to_le_bytes());
        slips.extend((words.len() as u32).to_le_bytes());
        words.extend(word.as_bytes());
    }
    [sets, slips, words]
}

static SLIPS: LazyLock<Slips> = LazyLock::new(Slips::new);

/// The word of the lexicon that `word` is a slip of, if it is no word itself.
#[inline]
pub(crate) fn slip_of(word: &[u8]) -> Option<&'static str> {
    if !(SHORTEST..=LONGEST).contains(&word.len()) {
        return None;
    }
    let slips = &*SLIPS;
    let plain = slips.swapped(word).or_else(|| slips.mistaken(word))?;
    let real = REAL_WORDS
        .iter()
        .any(|real| real.as_bytes().eq_ignore_ascii_case(word));
    if real || super::is_entry(word) {
        return None;
    }
    std::str::from_utf8(plain).ok()
}

/// Whether `word` is `plain` with two neighbours swapped, not the first two.
fn is_swap(word: &[u8], plain: &[u8]) -> bool {
    let differ = |&at: &usize| !word[at].eq_ignore_ascii_case(&plain[at]);
    if word.len() != plain.len() {
        return false;
    }
    let Some(at) = (0..word.len()).find(differ) else {
        return false;
    };
    at > 0
        && at + 1 < word.len()
        && word[at].eq_ignore_ascii_case(&plain[at + 1])
        && word[at + 1].eq_ignore_ascii_case(&plain[at])
        && word[at + 2..].eq_ignore_ascii_case(&plain[at + 2..])
}

/// Whether `word` is `plain` with one letter left out, put in or mistaken (Levenshtein 1966), not the first letter, and
/// none put at the end.
fn is_one_off(word: &[u8], plain: &[u8]) -> bool {
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let start = word.iter().zip(plain).take_while(same).count();
    let ends = word.iter().rev().zip(plain.iter().rev());
    let end = ends.take_while(same).count();
    let rest = |len: usize| len.saturating_sub(start + end);
    let (left_word, left_plain) = (rest(word.len()), rest(plain.len()));
    start > 0
        && left_word <= 1
        && left_plain <= 1
        && (word.len() <= plain.len() || start < plain.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_forgiven_and_two_are_not() {
        for (slip, plain) in [
            ("ignroe", "ignore"),
            ("ignre", "ignore"),
            ("ignnore", "ignore"),
            ("igmore", "ignore"),
            ("instrcutions", "instructions"),
            ("insructions", "instructions"),
            ("instructiosn", "instructions"),
            ("PREVOIUS", "previous"),
            ("prvious", "previous"),
            ("sytem", "system"),
            ("restrcition", "restriction"),
            ("obeyign", "obeying"),
        ] {
            assert_eq!(slip_of(slip.as_bytes()), Some(plain), "{slip}");
        }
        for word in [
            "ignore",
            "ignored",
            "precious",
            "systems",
            "massage",
            "print",
            "fellow",
            "igmroe",
            "signore",
            "instructor",
            "revealed",
            "point",
            "sister",
            "prince",
            "desist",
            "quite",
        ] {
            assert_eq!(slip_of(word.as_bytes()), None, "{word}");
        }
    }
}
