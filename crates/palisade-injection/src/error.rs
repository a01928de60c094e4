use std::{error::Error, fmt};

/// Thresholds that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("thresholds need 0 < review <= block <= 1, not review = {review} and block = {block}")]
pub struct ThresholdsError {
    pub(crate) review: f32,
    pub(crate) block: f32,
}

/// A rule that cannot be used, or a rule id that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct RuleError(pub(crate) RuleErrorKind);

impl RuleError {
    pub(crate) fn new(rule: &str, kind: RuleTrouble) -> Self {
        Self(RuleErrorKind {
            rule: rule.to_owned(),
            trouble: kind,
        })
    }

    /// The id of the rule.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.0.rule
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule `{rule}` {trouble}")]
pub(crate) struct RuleErrorKind {
    rule: String,
    trouble: RuleTrouble,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RuleTrouble {
    #[error("does not exist; `Rules::ids` lists the ones there are")]
    Unknown,
    #[error("exists already; choose another id")]
    Duplicate,
    #[error("has no good id; use 1 to 64 of a-z, 0-9, `.`, `-` and `_`")]
    Id,
    #[error("has no step; give it 1 to {max}", max = crate::rules::MAX_STEPS)]
    NoStep,
    #[error("has too many steps; give it 1 to {max}", max = crate::rules::MAX_STEPS)]
    TooManySteps,
    #[error("has a step without words; each step needs 1 to {max} of 1 to 64 bytes with a letter or digit in them", max = crate::rules::MAX_WORDS)]
    Words,
    #[error("has a weight that is no number above 0 and up to 1")]
    Weight,
    #[error("is one too many; a rule set takes {max} rules of its user", max = crate::rules::MAX_CUSTOM_RULES)]
    TooMany,
}

/// A [`Judge`](crate::Judge) gave no opinion.
pub struct JudgeError {
    transient: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl JudgeError {
    /// No answer now; the same question may be answered later.
    #[must_use]
    pub const fn transient() -> Self {
        Self {
            transient: true,
            source: None,
        }
    }

    /// No answer, and asking again will not help.
    #[must_use]
    pub const fn permanent() -> Self {
        Self {
            transient: false,
            source: None,
        }
    }

    /// The same with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same question may be answered later without anybody mending anything.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.transient
    }
}

impl fmt::Display for JudgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.transient {
            "the judge gave no opinion this time"
        } else {
            "the judge cannot give an opinion"
        })
    }
}

impl fmt::Debug for JudgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The cause may quote the text under judgement.
        f.debug_struct("JudgeError")
            .field("transient", &self.transient)
            .finish_non_exhaustive()
    }
}

impl Error for JudgeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn Error + 'static))
    }
}
