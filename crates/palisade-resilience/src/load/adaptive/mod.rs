mod config;
mod handle;
mod model;

pub use config::{Adaptation, AdaptiveConfig, AdaptivePolicy};
pub use handle::{AdaptiveLimit, AdaptiveSlot};
pub use model::{AdaptiveModel, Sample, Verdict};
