//! The learned numbers: a file of two heads, read where it lies.

use super::features::{FEATURES, share};

/// What one head has learned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(super) bias: f32,
    /// What one step of a weight is worth.
    pub(super) scale: f32,
    /// The margin that scores [`CUT_SCORE`].
    pub(super) cut: f32,
    /// How fast the score grows with the margin.
    pub(super) slope: f32,
    /// What the opinion of the rules counts.
    pub(super) rules: f32,
    /// How much the length of a text counts.
    length: f32,
    weights: &'static [u8; FEATURES],
}

/// The score at a head's cut, which is also the default threshold for blocking.
pub(crate) const CUT_SCORE: f32 = 0.7;

/// Which texts a head judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    User,
    Data,
}

/// The first bytes of the file: a name and a version.
pub(crate) const MAGIC: [u8; 8] = *b"plsdinj3";
/// Bias, scale, cut, slope, what the rules count and what the length counts, as floats in little endian.
const NUMBERS: usize = 6;
const HEAD_BYTES: usize = NUMBERS * 4 + FEATURES;
/// The length of the file.
pub(crate) const FILE_BYTES: usize = MAGIC.len() + 2 * HEAD_BYTES;

// Small enough to be part of every program.
const _: () = assert!(FILE_BYTES <= 300_000);

static FILE: &[u8; FILE_BYTES] = include_bytes!("weights.bin");

impl Head {
    /// The head for `which`.
    pub(crate) fn embedded(which: Which) -> Self {
        let start = MAGIC.len()
            + match which {
                Which::User => 0,
                Which::Data => HEAD_BYTES,
            };
        let number = |index: usize| {
            let at = start + index * 4;
            f32::from_le_bytes([FILE[at], FILE[at + 1], FILE[at + 2], FILE[at + 3]])
        };
        let weights = FILE[start + NUMBERS * 4..].first_chunk();
        Self {
            bias: number(0),
            scale: number(1),
            cut: number(2),
            slope: number(3),
            rules: number(4),
            length: number(5),
            // The type of the file says how long it is.
            weights: weights.expect("the file holds two heads"),
        }
    }

    /// What the feature at `index` adds, in steps.
    pub(super) fn weight(&self, index: u32) -> i32 {
        i32::from(self.weights[index as usize] as i8)
    }

    /// The margin of a window of `features` whose weights add up to `sum`.
    pub(super) fn margin(&self, sum: i32, features: u32) -> f32 {
        self.bias + self.scale * sum as f32 * share(features)
    }

    /// What the margin of a text of `words` must be higher: in a long text more is met by chance.
    pub(super) fn handicap(&self, words: u32) -> f32 {
        self.length * excess(words)
    }

    /// From 0 to 1: [`CUT_SCORE`] at the cut.
    pub(super) fn score(&self, margin: f32) -> f32 {
        1.0 / (1.0 + (-(self.slope * (margin - self.cut) + log_odds(CUT_SCORE))).exp())
    }
}

/// How much more likely than without any rule an attack is to the rules, in log odds: 0 if none was met.
pub(crate) fn lift(rules: f32) -> f32 {
    const NONE: f32 = 0.01;
    log_odds(rules.clamp(NONE, 1.0 - NONE)) - log_odds(NONE)
}

/// By how much a text of `words` is longer than one that is short, as a logarithm.
pub(crate) fn excess(words: u32) -> f32 {
    /// Texts up to this length are short.
    const SHORT: f32 = 100.0;
    (words as f32 / SHORT).max(1.0).ln()
}

fn log_odds(share: f32) -> f32 {
    (share / (1.0 - share)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_of_this_version_and_its_numbers_are_sane() {
        assert_eq!(FILE[..MAGIC.len()], MAGIC);
        for which in [Which::User, Which::Data] {
            let head = Head::embedded(which);
            assert!(
                head.scale > 0.0
                    && head.slope > 0.0
                    && head.bias.is_finite()
                    && head.cut.is_finite()
            );
            assert!((head.score(head.cut) - CUT_SCORE).abs() < 1e-6);
            assert!(head.score(head.cut + 1.0) > CUT_SCORE);
        }
    }
}
