use palisade_core::Finding;

use crate::Thresholds;

/// What a detector thinks of a text.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Verdict {
    /// How suspicious the text is, from 0 to 1. A rank, not a probability: compare it with a threshold measured on
    /// your own traffic.
    pub score: f32,
    /// What to do, by the detector's [`Thresholds`].
    pub outcome: Outcome,
    /// What was seen and where, strongest first; at most [`MAX_FINDINGS`](crate::MAX_FINDINGS).
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The verdict of `score` under `thresholds`. The score is clamped to 0..=1, a NaN becomes 0.
    #[must_use]
    pub fn new(score: f32, findings: Vec<Finding>, thresholds: Thresholds) -> Self {
        let score = if score.is_nan() {
            0.0
        } else {
            score.clamp(0.0, 1.0)
        };
        Self {
            score,
            outcome: thresholds.outcome(score),
            findings,
        }
    }
}

/// What to do with a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Outcome {
    /// Let it pass.
    #[default]
    Allow,
    /// Let it pass, but tell somebody; or ask a [`Judge`](crate::Judge).
    Review,
    /// Stop it.
    Block,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_stays_between_zero_and_one() {
        let score = |score| Verdict::new(score, Vec::new(), Thresholds::default()).score;
        assert_eq!([score(-1.0), score(2.0), score(f32::NAN)], [0.0, 1.0, 0.0]);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn verdicts_are_written_and_bad_thresholds_are_not_read() {
        let verdict = Verdict::new(0.5, Vec::new(), Thresholds::default());
        let json = serde_json::to_value(verdict).unwrap();
        assert_eq!(json["outcome"], "review");
        let read = |text: &str| serde_json::from_str::<Thresholds>(text);
        assert_eq!(read(r#"{"review":0.3,"block":0.5}"#).unwrap().block(), 0.5);
        assert!(read(r#"{"review":0.6,"block":0.5}"#).is_err());
    }
}
