use thiserror::Error;

/// Why a scanner could not be built. Names the setting, never a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A rule was switched off that does not exist.
    #[error("there is no rule `{id}` to switch off; the ids are those of `Scanner::rule_ids`")]
    UnknownRule {
        /// The id that was asked for.
        id: String,
    },
    /// An own rule has an id that is taken, or that cannot be an id.
    #[error("`{id}` cannot be the id of a rule: 1 to 48 of a-z, 0-9, `_` and `-`, and not taken")]
    RuleId {
        /// The id that was given.
        id: String,
    },
    /// An own keyword is empty, too long or not text between word boundaries.
    #[error(
        "keyword {position} cannot be matched: 1 to 128 bytes that begin and end with a letter or digit"
    )]
    Keyword {
        /// Its position among the keywords, from 0.
        position: usize,
    },
    /// More own rules or keywords than a scanner takes.
    #[error("{count} own rules or keywords are more than the {limit} a scanner takes")]
    TooMany {
        /// How many were given.
        count: usize,
        /// How many are taken.
        limit: usize,
    },
    /// An own pattern cannot be used.
    #[error("the patterns of the own rules cannot be used: {reason}")]
    Pattern {
        /// What is wrong with it, and where the pattern engine knows, what to change.
        reason: String,
    },
}
