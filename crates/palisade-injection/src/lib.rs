#![doc = include_str!("../README.md")]

mod allowing;
mod audit;
#[cfg(feature = "chat")]
mod chat_judge;
mod classifier;
mod config;
mod conversation;
mod detector;
mod ensemble;
mod error;
mod family;
mod judge;
mod lexicon;
mod normalizer;
mod output;
mod reading;
mod rules;
mod scorer;
mod second_opinion;
#[cfg(feature = "training")]
#[doc(hidden)]
pub mod training;
mod verdict;
mod weighed;

pub use allowing::{AllowError, Allowing, MAX_ALLOWED, MAX_ALLOWED_BYTES};
pub use audit::{Audit, AuditLog, AuditRecord, Audited};
#[cfg(feature = "chat")]
pub use chat_judge::{ChatEndpoint, ChatJudge, MAX_JUDGED_BYTES};
pub use classifier::{Classifier, Contribution, Explanation};
pub use config::{MAX_FINDINGS, MAX_TEXT_BYTES, OVERLAP_BYTES, Thresholds};
pub use conversation::{Conversation, Conversations, ConversationsConfig, MAX_REMEMBERED_BYTES};
pub use detector::Detector;
pub use ensemble::{Combine, Ensemble};
pub use error::{JudgeError, RuleError, ThresholdsError};
pub use family::Family;
pub use judge::{DynJudge, Judge, JudgeQuestion, Opinion};
pub use normalizer::{MAX_DECODED_BYTES, MAX_DEPTH, MAX_VIEWS, Normalizer, Transform, View};
pub use output::{
    Canary, CanaryError, Leak, LeakKind, LeakWatch, MAX_PROMPT_WORDS, Spotlight, Spotlit,
};
pub use reading::Reading;
pub use rules::{MAX_CUSTOM_RULES, MAX_STEPS, MAX_WORDS, Rule, RuleInfo, Rules};
#[cfg(feature = "toml")]
pub use rules::{MAX_RULES_FILE_BYTES, RulesFileError};
pub use scorer::{Score, Scorer};
pub use second_opinion::{OnFailure, SecondOpinion, SecondOpinionConfig, Settled, SettledBy};
pub use verdict::{Outcome, Verdict};
pub use weighed::Weighed;
