//! Which of the lexicon's classes mean the same to the classifier.

use crate::lexicon::classes::{self as c, Classes};

/// Classes of other languages that count as an English one: what is learned from one language then holds for all.
const SAME: [(Classes, Classes); 22] = [
    (c::X_IGNORE, c::IGNORE),
    (c::X_PRIOR, c::PRIOR),
    (c::X_INSTR, c::INSTR),
    (c::X_ALL, c::ALL),
    (c::X_YOUR, c::YOUR),
    (c::X_REVEAL, c::REVEAL),
    (c::X_PROMPT, c::PROMPT),
    (c::X_SECRET, c::SECRET),
    (c::X_TOLD, c::TOLD),
    (c::X_VOID, c::NEWS),
    (c::X_ACT, c::ACT),
    (c::X_UNBOUND, c::UNBOUND),
    (c::X_NOT, c::NOT),
    (c::X_AI, c::AI),
    (c::X_READER, c::READER),
    (c::X_NOW, c::NOW),
    (c::X_START, c::START),
    (c::X_MINE, c::MINE),
    (c::X_HOW, c::MENTION),
    (c::X_GIVEN, c::GIVEN),
    (c::X_WHAT, c::WHAT),
    (c::X_CONCEAL, c::CONCEAL),
];

/// The group of each class, by its bit.
static GROUP_OF: [u8; Classes::BITS as usize] = {
    let mut groups = [0; Classes::BITS as usize];
    let mut bit = 0;
    while bit < groups.len() {
        groups[bit] = bit as u8;
        bit += 1;
    }
    let mut pair = 0;
    while pair < SAME.len() {
        groups[SAME[pair].0.trailing_zeros() as usize] = SAME[pair].1.trailing_zeros() as u8;
        pair += 1;
    }
    groups
};

/// The groups of one entry of the lexicon.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Groups {
    groups: [u8; Self::MOST],
    len: u8,
}

impl Groups {
    const MOST: usize = 3;

    /// The first few groups of `classes`; what serves the rules alone is left out.
    pub(super) fn of(classes: Classes) -> Self {
        let mut found = Self::default();
        let mut rest = classes & !c::HARMLESS;
        while rest != 0 && usize::from(found.len) < Self::MOST {
            let group = GROUP_OF[rest.trailing_zeros() as usize];
            rest &= rest - 1;
            if !found.as_slice().contains(&group) {
                found.groups[usize::from(found.len)] = group;
                found.len += 1;
            }
        }
        found
    }

    /// The first two.
    pub(super) fn few(&self) -> &[u8] {
        &self.groups[..usize::from(self.len.min(2))]
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.groups[..usize::from(self.len)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_another_language_counts_as_the_english_one() {
        assert_eq!(
            Groups::of(c::X_IGNORE | c::IGNORE).as_slice(),
            Groups::of(c::IGNORE).as_slice()
        );
        assert_eq!(Groups::of(c::HARMLESS).as_slice(), [0_u8; 0]);
    }
}
