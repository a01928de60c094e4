use std::time::Duration;

/// Why a configuration was refused: which value, what was found, what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A duration lies outside its range.
    #[error("{name} is {found:?}; it must be from {min:?} to {max:?}")]
    Duration {
        /// The name of the value.
        name: &'static str,
        /// The value.
        found: Duration,
        /// The least allowed.
        min: Duration,
        /// The most allowed.
        max: Duration,
    },
    /// A number lies outside its range.
    #[error("{name} is {found}; it must be from {min} to {max}")]
    Number {
        /// The name of the value.
        name: &'static str,
        /// The value.
        found: u64,
        /// The least allowed.
        min: u64,
        /// The most allowed.
        max: u64,
    },
    /// Two values contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
}

pub(crate) fn duration(
    name: &'static str,
    found: Duration,
    min: Duration,
    max: Duration,
) -> Result<(), ConfigError> {
    if (min..=max).contains(&found) {
        Ok(())
    } else {
        Err(ConfigError::Duration {
            name,
            found,
            min,
            max,
        })
    }
}

pub(crate) fn number(
    name: &'static str,
    found: u64,
    min: u64,
    max: u64,
) -> Result<(), ConfigError> {
    if (min..=max).contains(&found) {
        Ok(())
    } else {
        Err(ConfigError::Number {
            name,
            found,
            min,
            max,
        })
    }
}
