#![doc = include_str!("../README.md")]

mod config;
mod detector;
mod error;
mod family;
mod judge;
mod verdict;

pub use config::{MAX_FINDINGS, MAX_TEXT_BYTES, OVERLAP_BYTES, Thresholds};
pub use detector::Detector;
pub use error::{JudgeError, ThresholdsError};
pub use family::Family;
pub use judge::{DynJudge, Judge, JudgeQuestion, Opinion};
pub use verdict::{Outcome, Verdict};
