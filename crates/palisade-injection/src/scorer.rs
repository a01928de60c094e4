use std::sync::Arc;

use palisade_core::Finding;

use crate::Reading;

/// One opinion of an [`Ensemble`](crate::Ensemble): a rule set, a trained classifier, a list of your own.
///
/// A scorer sees a [`Reading`]: the text, its channel, and what the text looks like with its disguises taken off. The
/// ensemble prepares the reading once for all scorers, and never one longer than
/// [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
///
/// # Contract
///
/// Pure and total, as [`Detector`](crate::Detector). Findings point into [`Reading::text`].
pub trait Scorer: Send + Sync {
    /// What the scorer thinks of `reading`.
    fn score(&self, reading: &Reading<'_>) -> Score;
}

impl<S: Scorer + ?Sized> Scorer for &S {
    fn score(&self, reading: &Reading<'_>) -> Score {
        (**self).score(reading)
    }
}

impl<S: Scorer + ?Sized> Scorer for Box<S> {
    fn score(&self, reading: &Reading<'_>) -> Score {
        (**self).score(reading)
    }
}

impl<S: Scorer + ?Sized> Scorer for Arc<S> {
    fn score(&self, reading: &Reading<'_>) -> Score {
        (**self).score(reading)
    }
}

/// What one scorer thinks.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Score {
    /// From 0 to 1.
    pub value: f32,
    /// What it saw and where.
    pub findings: Vec<Finding>,
}

impl Score {
    /// A score; `value` is clamped to 0..=1 and a NaN becomes 0.
    #[must_use]
    pub fn new(value: f32, findings: Vec<Finding>) -> Self {
        let value = if value.is_nan() {
            0.0
        } else {
            value.clamp(0.0, 1.0)
        };
        Self { value, findings }
    }
}
