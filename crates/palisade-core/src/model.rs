use std::{fmt, sync::Arc};

/// A model of a provider, such as `gpt-4o-mini` of `openai`.
///
/// The provider is part of the identity: the same name costs differently, and fails separately, at two providers.
/// Provider names are OpenTelemetry's where one exists (`openai`, `anthropic`, `aws.bedrock`, …).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Parts", into = "Parts")
)]
pub struct ModelId {
    provider: Arc<str>,
    model: Arc<str>,
}

impl ModelId {
    /// The most bytes a provider's or a model's name may have.
    pub const NAME_BYTES_MAX: usize = 256;

    /// The model `model` of `provider`.
    ///
    /// # Errors
    ///
    /// [`ModelIdError`] if a name is empty, longer than [`ModelId::NAME_BYTES_MAX`] or holds a control character.
    pub fn new(provider: &str, model: &str) -> Result<Self, ModelIdError> {
        for (what, name) in [("provider", provider), ("model", model)] {
            if name.is_empty() {
                return Err(ModelIdError::Empty { what });
            }
            if name.len() > Self::NAME_BYTES_MAX {
                return Err(ModelIdError::TooLong {
                    what,
                    length: name.len(),
                });
            }
            if name.chars().any(char::is_control) {
                return Err(ModelIdError::Control { what });
            }
        }
        Ok(Self {
            provider: provider.into(),
            model: model.into(),
        })
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The model's name at the provider.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl fmt::Debug for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelId({self})")
    }
}

/// Why a name cannot be a model's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelIdError {
    /// The name is empty.
    #[error("the name of the {what} is empty")]
    Empty {
        /// `provider` or `model`.
        what: &'static str,
    },
    /// The name is too long.
    #[error("the name of the {what} has {length} bytes; at most {max} are allowed", max = ModelId::NAME_BYTES_MAX)]
    TooLong {
        /// `provider` or `model`.
        what: &'static str,
        /// The length found, in bytes.
        length: usize,
    },
    /// The name holds a control character.
    #[error("the name of the {what} holds a control character")]
    Control {
        /// `provider` or `model`.
        what: &'static str,
    },
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Parts {
    provider: String,
    model: String,
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for ModelId {
    type Error = ModelIdError;

    fn try_from(parts: Parts) -> Result<Self, ModelIdError> {
        Self::new(&parts.provider, &parts.model)
    }
}

#[cfg(feature = "serde")]
impl From<ModelId> for Parts {
    fn from(id: ModelId) -> Self {
        Self {
            provider: String::from(&*id.provider),
            model: String::from(&*id.model),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_limits() {
        assert!(ModelId::new("openai", &"m".repeat(256)).is_ok());
        let too_long = ModelIdError::TooLong {
            what: "model",
            length: 257,
        };
        assert_eq!(ModelId::new("openai", &"m".repeat(257)), Err(too_long));
        assert_eq!(
            ModelId::new("", "m"),
            Err(ModelIdError::Empty { what: "provider" })
        );
        assert_eq!(
            ModelId::new("p", "a\nb"),
            Err(ModelIdError::Control { what: "model" })
        );
    }
}
