use std::fmt;

use palisade_core::{Finding, Severity};

/// What a finding is, and so which line of a [`Policy`](crate::Policy) applies to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Kind {
    /// A credential: whoever has it can act as somebody else.
    Secret,
    /// Data about a person: an address, a number, an account.
    Pii,
    /// Words that must not pass: a database statement, a term the operator has blocked.
    Keyword,
    /// A command that destroys, or hands over, the machine it is run on.
    Command,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Secret, Self::Pii, Self::Keyword, Self::Command];

    /// The kind as text: the `category` of its findings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Pii => "pii",
            Self::Keyword => "keyword",
            Self::Command => "command",
        }
    }

    /// The kind of a finding, where its category is one of ours.
    #[must_use]
    pub fn of(finding: &Finding) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == finding.category)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What every rule, of whatever make, says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) id: &'static str,
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
    /// The position of an own rule, whose id is not known before the scanner is built.
    pub(crate) own: Option<u8>,
}

impl Label {
    pub(crate) const fn new(id: &'static str, kind: Kind, severity: Severity) -> Self {
        Self {
            id,
            kind,
            severity,
            own: None,
        }
    }

    pub(crate) const fn secret(id: &'static str) -> Self {
        Self::new(id, Kind::Secret, Severity::High)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_knows_its_kind() {
        for kind in Kind::ALL {
            let finding = Finding::new("r", kind.as_str(), Severity::Low, 0..1, 1.0);
            assert_eq!(Kind::of(&finding), Some(kind));
        }
        let foreign = Finding::new("r", "weather", Severity::Low, 0..1, 1.0);
        assert_eq!(Kind::of(&foreign), None);
    }
}
