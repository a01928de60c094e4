//! Words recognised with one slip of the finger in them.

use std::sync::LazyLock;

use super::classes::{self as c, Classes};

/// Words worth recognising with a letter left out, put in, swapped with its neighbour or mistaken for another.
const WORDS: &[(&str, Classes)] = &[
    ("ignore", c::IGNORE),
    ("disregard", c::IGNORE),
    ("forget", c::IGNORE),
    ("bypass", c::IGNORE),
    ("override", c::IGNORE),
    ("overwrite", c::UNDO),
    ("previous", c::PRIOR),
    ("preceding", c::PRIOR),
    ("earlier", c::PRIOR),
    ("initial", c::PRIOR),
    ("original", c::PRIOR),
    ("instruction", c::INSTR),
    ("instructions", c::INSTR),
    ("guidelines", c::INSTR),
    ("directives", c::INSTR),
    ("directions", c::INSTR),
    ("programming", c::INSTR),
    ("prompt", c::INSTR),
    ("restrictions", c::RULES),
    ("constraints", c::RULES),
    ("system", c::HIDDEN),
    ("hidden", c::HIDDEN),
    ("confidential", c::HIDDEN),
    ("internal", c::HIDDEN),
    ("everything", c::ALL),
    ("reveal", c::REVEAL),
    ("disclose", c::REVEAL),
    ("password", c::SECRET),
    ("credentials", c::SECRET),
    ("assistant", c::HELPER),
    ("pretend", c::ACT),
    ("unrestricted", c::UNBOUND),
    ("unfiltered", c::UNBOUND),
    ("uncensored", c::UNBOUND),
    ("jailbroken", c::PERSONA),
    ("conversation", c::WORDS),
    ("message", c::WORDS),
    ("messages", c::WORDS),
    ("repeat", c::SHOW),
    ("print", c::SHOW),
    ("output", c::SHOW),
    ("display", c::SHOW),
    ("follow", c::FOLLOW),
    ("developer", c::ROLE),
    ("restriction", c::RULES),
];

/// Slips that are words of their own.
const REAL_WORDS: [&str; 48] = [
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
    "prine",
    "pring",
    "print",
    "prompts",
    "promp",
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
];

type Words = Vec<(&'static [u8], Classes)>;

/// The words by their first letter.
static BY_LETTER: LazyLock<[Words; 26]> = LazyLock::new(|| {
    let mut table: [Words; 26] = Default::default();
    for &(word, classes) in WORDS {
        table[usize::from(word.as_bytes()[0] - b'a')].push((word.as_bytes(), classes));
    }
    table
});

/// For each first letter, which last two letters a slip of a word can have.
static ENDINGS: LazyLock<[u32; 26]> = LazyLock::new(|| {
    let mut endings = [0; 26];
    for (word, _) in WORDS {
        let word = word.as_bytes();
        // The last letter as it is, or the one before it, when the two are swapped or the last is left out.
        for letter in &word[word.len() - 2..] {
            endings[usize::from(word[0] - b'a')] |= 1 << (letter - b'a');
        }
    }
    endings
});

/// Shorter words are one slip away from too many others.
const SHORTEST: usize = 5;
const LONGEST: usize = 14;

/// What `word` may be a slip of, if it is no entry itself.
#[inline]
pub(super) fn slip_of(word: &[u8]) -> Option<Classes> {
    if !(SHORTEST..=LONGEST).contains(&word.len()) {
        return None;
    }
    let letter = |byte: u8| (byte | 0x20).wrapping_sub(b'a');
    let (first, last) = (letter(word[0]), letter(word[word.len() - 1]));
    if first >= 26 || last >= 26 || ENDINGS[usize::from(first)] >> last & 1 == 0 {
        return None;
    }
    let candidates = &BY_LETTER[usize::from(first)];
    let near = candidates
        .iter()
        .find(|(candidate, _)| is_slip(word, candidate))?;
    let real = REAL_WORDS
        .iter()
        .any(|real| real.as_bytes().eq_ignore_ascii_case(word));
    (!real).then_some(near.1)
}

/// Whether `word` is `plain` with one slip (Damerau 1964), not at the first letter and not a letter put at the end.
fn is_slip(word: &[u8], plain: &[u8]) -> bool {
    if word.len().abs_diff(plain.len()) > 1 {
        return false;
    }
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let start = word.iter().zip(plain).take_while(same).count();
    let end = word
        .iter()
        .rev()
        .zip(plain.iter().rev())
        .take_while(same)
        .count();
    if start == 0 {
        return false;
    }
    let rest = |len: usize| len.saturating_sub(start + end);
    let (left_word, left_plain) = (rest(word.len()), rest(plain.len()));
    match (word.len(), plain.len()) {
        (a, b) if a > b => left_word <= 1 && left_plain == 0 && start < plain.len(),
        (a, b) if a < b => left_plain <= 1 && left_word == 0,
        _ => {
            left_word == 1
                || (left_word == 2
                    && word[start].eq_ignore_ascii_case(&plain[start + 1])
                    && word[start + 1].eq_ignore_ascii_case(&plain[start]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_forgiven_and_two_are_not() {
        for slip in [
            "ignroe",
            "ignre",
            "ignnore",
            "ignire",
            "igmore",
            "Ignor",
            "instrucitons",
            "instructons",
            "instructiosn",
            "instrvctions",
            "previuos",
            "prvious",
            "PREVOIUS",
            "sytem",
            "systwm",
        ] {
            assert!(slip_of(slip.as_bytes()).is_some(), "{slip}");
        }
        for word in [
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
            "distem",
        ] {
            assert_eq!(slip_of(word.as_bytes()), None, "{word}");
        }
    }
}
