#![doc = include_str!("../README.md")]

mod classifier;
mod config;
mod detector;
mod ensemble;
mod error;
mod family;
mod judge;
mod lexicon;
mod normalizer;
mod reading;
mod rules;
mod scorer;
#[cfg(feature = "training")]
#[doc(hidden)]
pub mod training;
mod verdict;

pub use classifier::Classifier;
pub use config::{MAX_FINDINGS, MAX_TEXT_BYTES, OVERLAP_BYTES, Thresholds};
pub use detector::Detector;
pub use ensemble::{Combine, Ensemble};
pub use error::{JudgeError, RuleError, ThresholdsError};
pub use family::Family;
pub use judge::{DynJudge, Judge, JudgeQuestion, Opinion};
pub use normalizer::{MAX_DECODED_BYTES, MAX_DEPTH, MAX_VIEWS, Normalizer, Transform, View};
pub use reading::Reading;
pub use rules::{MAX_CUSTOM_RULES, MAX_STEPS, MAX_WORDS, Rule, Rules};
pub use scorer::{Score, Scorer};
pub use verdict::{Outcome, Verdict};
