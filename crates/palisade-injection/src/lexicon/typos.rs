use super::classes::{self as c, Classes};

/// Words worth recognising with one slip in them.
const WORDS: &[(&str, Classes)] = &[
    ("ignore", c::IGNORE),
    ("disregard", c::IGNORE),
    ("previous", c::PRIOR),
    ("preceding", c::PRIOR),
    ("earlier", c::PRIOR),
    ("initial", c::PRIOR),
    ("instruction", c::INSTR),
    ("instructions", c::INSTR),
    ("guidelines", c::INSTR),
    ("directives", c::INSTR),
    ("directions", c::INSTR),
    ("restrictions", c::RULES),
    ("system", c::HIDDEN),
    ("prompt", c::INSTR),
    ("everything", c::ALL),
    ("reveal", c::REVEAL),
    ("password", c::SECRET),
    ("assistant", c::HELPER),
    ("override", c::IGNORE),
    ("overwrite", c::UNDO),
    ("pretend", c::ACT),
    ("unrestricted", c::UNBOUND),
    ("conversation", c::WORDS),
    ("message", c::WORDS),
    ("messages", c::WORDS),
    ("confidential", c::HIDDEN),
    ("hidden", c::HIDDEN),
    ("repeat", c::SHOW),
    ("print", c::SHOW),
    ("follow", c::FOLLOW),
];

/// Slips that are words of their own.
const REAL_WORDS: [&str; 12] = [
    "ignored", "reveals", "repeats", "prints", "pint", "prin", "prompts", "follows", "fellow",
    "hiden", "massage", "prnt",
];

/// Each word with a letter left out, doubled, or swapped with its neighbour.
pub(super) fn typos() -> Vec<(String, Classes)> {
    let mut typos = Vec::new();
    for &(word, classes) in WORDS {
        let letters = word.as_bytes();
        for at in 1..letters.len() {
            let mut dropped = letters.to_vec();
            dropped.remove(at);
            let mut doubled = letters.to_vec();
            doubled.insert(at, letters[at]);
            let mut swapped = letters.to_vec();
            swapped.swap(at - 1, at);
            for typo in [dropped, doubled, swapped] {
                let typo = String::from_utf8(typo).expect("made of ASCII letters");
                let known = WORDS.iter().any(|&(word, _)| word == typo);
                if !known && !REAL_WORDS.contains(&typo.as_str()) {
                    typos.push((typo, classes));
                }
            }
        }
    }
    typos
}
