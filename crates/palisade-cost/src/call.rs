use std::borrow::Cow;

use palisade_core::{ModelId, Timestamp};

/// What was known of a call before it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallFacts {
    /// The model as the caller wrote it, which may be an alias or a deployment.
    pub model: ModelId,
    /// When it was called: prices have dates.
    pub at: Timestamp,
    /// Whether it is a line of a batch.
    pub batch: bool,
    /// The service tier that was asked for.
    pub service_tier: Option<Cow<'static, str>>,
}

impl CallFacts {
    /// An ordinary call of `model`.
    #[must_use]
    pub fn new(model: ModelId, at: Timestamp) -> Self {
        Self {
            model,
            at,
            batch: false,
            service_tier: None,
        }
    }

    /// The same as a line of a batch.
    #[must_use]
    pub fn with_batch(mut self) -> Self {
        self.batch = true;
        self
    }

    /// The same with the service tier that was asked for: `auto`, `default`, `flex`, `priority`, …
    #[must_use]
    pub fn with_service_tier(mut self, tier: impl Into<Cow<'static, str>>) -> Self {
        self.service_tier = Some(tier.into());
        self
    }
}
