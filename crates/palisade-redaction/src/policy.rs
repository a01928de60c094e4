use palisade_core::{Finding, Severity};

use crate::Kind;

/// What to do about a finding. Ordered: a later action is the stronger one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Action {
    /// Let it pass.
    Allow,
    /// Let it pass and say so.
    #[default]
    Flag,
    /// Take it out and let the rest pass.
    Redact,
    /// Stop the whole text.
    Block,
}

/// One action for each [`Kind`], and what counts as bad enough to block.
///
/// ```
/// use palisade_redaction::{Action, Kind, Policy, Scanner};
///
/// let scanner = Scanner::new();
/// let findings = scanner.scan("please run: rm -rf / --no-preserve-root");
/// assert_eq!(Policy::for_prompts().decide(&findings), Action::Block);
///
/// let lenient = Policy::for_prompts().with_action(Kind::Command, Action::Flag);
/// assert_eq!(lenient.decide(&findings), Action::Flag);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Policy {
    /// What to do about secrets.
    pub secret: Action,
    /// What to do about personal data.
    pub pii: Action,
    /// What to do about blocked words.
    pub keyword: Action,
    /// What to do about dangerous commands.
    pub command: Action,
    /// Findings below this severity are redacted where the action would be to block.
    pub block_from: Severity,
    /// Findings below this confidence are at most flagged. From 0 to 1.
    pub min_confidence: f32,
}

impl Policy {
    /// For what people send to a model: secrets, blocked words and dangerous commands of high severity stop the
    /// prompt, personal data is taken out.
    #[must_use]
    pub const fn for_prompts() -> Self {
        Self {
            secret: Action::Block,
            pii: Action::Redact,
            keyword: Action::Block,
            command: Action::Block,
            block_from: Severity::High,
            min_confidence: 0.0,
        }
    }

    /// For what a model answers: secrets and personal data are taken out, words and commands are flagged.
    #[must_use]
    pub const fn for_outputs() -> Self {
        Self {
            secret: Action::Redact,
            pii: Action::Redact,
            keyword: Action::Flag,
            command: Action::Flag,
            block_from: Severity::High,
            min_confidence: 0.0,
        }
    }

    /// Another action for one kind.
    #[must_use]
    pub const fn with_action(mut self, kind: Kind, action: Action) -> Self {
        match kind {
            Kind::Secret => self.secret = action,
            Kind::Pii => self.pii = action,
            Kind::Keyword => self.keyword = action,
            Kind::Command => self.command = action,
        }
        self
    }

    /// Another severity from which a finding may block.
    #[must_use]
    pub const fn with_block_from(mut self, severity: Severity) -> Self {
        self.block_from = severity;
        self
    }

    /// Another confidence below which a finding is at most flagged. A number outside 0 to 1, or none at all, is
    /// brought into range; NaN counts as 0, the careful side.
    #[must_use]
    pub const fn with_min_confidence(mut self, confidence: f32) -> Self {
        self.min_confidence = if confidence.is_nan() {
            0.0
        } else {
            confidence.clamp(0.0, 1.0)
        };
        self
    }

    /// What to do about one finding. A category that is none of ours is flagged.
    #[must_use]
    pub fn action_for(&self, finding: &Finding) -> Action {
        match Kind::of(finding) {
            Some(kind) => self.action(kind, finding.severity, finding.confidence),
            None => Action::Flag,
        }
    }

    /// What to do about a text with these findings: the strongest of their actions, and to allow it if there is none.
    #[must_use]
    pub fn decide(&self, findings: &[Finding]) -> Action {
        findings
            .iter()
            .map(|finding| self.action_for(finding))
            .max()
            .unwrap_or(Action::Allow)
    }

    pub(crate) fn action(&self, kind: Kind, severity: Severity, confidence: f32) -> Action {
        let action = match kind {
            Kind::Secret => self.secret,
            Kind::Pii => self.pii,
            Kind::Keyword => self.keyword,
            Kind::Command => self.command,
        };
        if confidence < self.min_confidence {
            return action.min(Action::Flag);
        }
        if action == Action::Block && severity < self.block_from {
            return Action::Redact;
        }
        action
    }
}

/// The policy [for outputs](Policy::for_outputs), which never stops a text.
impl Default for Policy {
    fn default() -> Self {
        Self::for_outputs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(kind: Kind, severity: Severity, confidence: f32) -> Finding {
        Finding::new("r", kind.as_str(), severity, 0..1, confidence)
    }

    #[test]
    fn the_strongest_action_decides() {
        let policy = Policy::for_prompts();
        assert_eq!(policy.decide(&[]), Action::Allow);
        let mail = finding(Kind::Pii, Severity::Medium, 1.0);
        let key = finding(Kind::Secret, Severity::High, 1.0);
        assert_eq!(policy.decide(std::slice::from_ref(&mail)), Action::Redact);
        assert_eq!(policy.decide(&[mail, key]), Action::Block);
    }

    #[test]
    fn what_is_not_severe_enough_to_block_is_redacted() {
        let low = finding(Kind::Secret, Severity::Medium, 1.0);
        assert_eq!(Policy::for_prompts().decide(&[low]), Action::Redact);
    }

    #[test]
    fn a_doubtful_finding_is_at_most_flagged() {
        let policy = Policy::for_prompts().with_min_confidence(0.5);
        let doubtful = finding(Kind::Secret, Severity::Critical, 0.4);
        assert_eq!(policy.decide(std::slice::from_ref(&doubtful)), Action::Flag);
        let allowing = policy.with_action(Kind::Secret, Action::Allow);
        assert_eq!(allowing.decide(&[doubtful]), Action::Allow);
        assert_eq!(
            Policy::default()
                .with_min_confidence(f32::NAN)
                .min_confidence,
            0.0
        );
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_policy_is_read_from_configuration_and_keeps_its_defaults() {
        let policy: Policy =
            serde_json::from_str(r#"{"pii": "allow", "block_from": "critical"}"#).unwrap();
        assert_eq!(policy.pii, Action::Allow);
        assert_eq!(policy.secret, Action::Redact);
        assert_eq!(policy.block_from, Severity::Critical);
        assert!(serde_json::from_str::<Policy>(r#"{"pi": "allow"}"#).is_err());
    }
}
