use crate::{Outcome, ThresholdsError};

/// The longest text read in one piece, in bytes. A longer text is read completely, in windows of this size that overlap
/// by [`OVERLAP_BYTES`]; its score is the highest of any window.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// How much of a window is read again at the start of the next one, so that nothing hides across the border.
pub const OVERLAP_BYTES: usize = 4 * 1024;

/// The most findings a verdict carries; the strongest are kept.
pub const MAX_FINDINGS: usize = 64;

/// From which score on a text is reviewed, and from which it is blocked.
///
/// The defaults are 0.4 and 0.7.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Wire", into = "Wire"))]
pub struct Thresholds {
    review: f32,
    block: f32,
}

impl Thresholds {
    /// Review from `review`, block from `block`.
    ///
    /// # Errors
    ///
    /// Unless `0 < review <= block <= 1`.
    pub fn new(review: f32, block: f32) -> Result<Self, ThresholdsError> {
        // Written so that a NaN fails too.
        if review > 0.0 && review <= block && block <= 1.0 {
            Ok(Self { review, block })
        } else {
            Err(ThresholdsError { review, block })
        }
    }

    /// For where an attack costs more than an honest text stopped: review from 0.3, block from 0.5.
    #[must_use]
    pub const fn strict() -> Self {
        Self {
            review: 0.3,
            block: 0.5,
        }
    }

    /// The default: review from 0.4, block from 0.7.
    #[must_use]
    pub const fn balanced() -> Self {
        Self {
            review: 0.4,
            block: 0.7,
        }
    }

    /// For where an honest text must not be stopped: review from 0.7, block from 0.9.
    #[must_use]
    pub const fn lenient() -> Self {
        Self {
            review: 0.7,
            block: 0.9,
        }
    }

    /// The score from which a text is reviewed.
    #[must_use]
    pub const fn review(self) -> f32 {
        self.review
    }

    /// The score from which a text is blocked.
    #[must_use]
    pub const fn block(self) -> f32 {
        self.block
    }

    /// What to do with a text of `score`.
    #[must_use]
    pub fn outcome(self, score: f32) -> Outcome {
        if score >= self.block {
            Outcome::Block
        } else if score >= self.review {
            Outcome::Review
        } else {
            Outcome::Allow
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::balanced()
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Wire {
    review: f32,
    block: f32,
}

#[cfg(feature = "serde")]
impl TryFrom<Wire> for Thresholds {
    type Error = ThresholdsError;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        Self::new(wire.review, wire.block)
    }
}

#[cfg(feature = "serde")]
impl From<Thresholds> for Wire {
    fn from(thresholds: Thresholds) -> Self {
        Self {
            review: thresholds.review,
            block: thresholds.block,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_at_the_threshold_counts() {
        let thresholds = Thresholds::default();
        assert_eq!(thresholds.outcome(0.39), Outcome::Allow);
        assert_eq!(thresholds.outcome(0.4), Outcome::Review);
        assert_eq!(thresholds.outcome(0.7), Outcome::Block);
    }

    #[test]
    fn thresholds_that_make_no_sense_are_refused() {
        for (review, block) in [
            (0.0, 0.5),
            (0.6, 0.5),
            (0.5, 1.1),
            (f32::NAN, 0.5),
            (0.5, f32::NAN),
        ] {
            assert!(Thresholds::new(review, block).is_err(), "{review} {block}");
        }
        assert!(Thresholds::new(1.0, 1.0).is_ok());
        for preset in [
            Thresholds::strict(),
            Thresholds::balanced(),
            Thresholds::lenient(),
        ] {
            assert_eq!(Thresholds::new(preset.review(), preset.block()), Ok(preset));
        }
    }
}
