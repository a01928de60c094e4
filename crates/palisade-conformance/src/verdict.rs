use std::fmt;

use palisade_core::StoreError;

/// What a rule says of a backend.
pub type Verdict = Result<(), Broken>;

/// A promise that a backend broke.
#[derive(Debug)]
pub struct Broken(String);

impl Broken {
    /// What was promised, and what was found instead.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// The same, with where it happened in front.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

/// In a test the store is there, so no answer is as wrong as a wrong one.
impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self(format!("the store gave no answer: {error:?}"))
    }
}

/// Leaves the rule with a [`Broken`] unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Err($crate::Broken::new(format!($($what)+)));
        }
    };
}
pub(crate) use ensure;
