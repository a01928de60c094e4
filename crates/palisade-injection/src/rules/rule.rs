use palisade_core::Severity;

use crate::{Family, RuleError, error::RuleTrouble};

/// The most steps of one rule.
pub const MAX_STEPS: usize = 4;
/// The most words of one step.
pub const MAX_WORDS: usize = 64;
/// The most rules a user adds to a rule set.
pub const MAX_CUSTOM_RULES: usize = 30;
/// The longest word or phrase, and the longest id, in bytes.
const MAX_LEN: usize = 64;

/// A rule of your own: words of several kinds, in order and close together.
///
/// One step with one phrase finds that phrase. Several steps find a sentence in its many forms: somebody is told to
/// `show`, `send` or `mail`, within six words, the `roadmap` or the `price list`.
///
/// Words are compared as the normaliser spells them: without case, ornaments and disguises. `*` at the end of a word
/// stands for any ending. Where two entries begin at the same word, the longer one counts.
///
/// ```
/// use palisade_injection::{Family, Rule, Rules};
///
/// let rule = Rule::new("acme.roadmap", Family::PromptExtraction)
///     .with_step(["show", "send", "mail"], 0)
///     .with_step(["roadmap", "price list*"], 6)
///     .with_weight(0.8);
/// let rules = Rules::standard().with_rule(rule)?;
/// # Ok::<(), palisade_injection::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) family: Family,
    pub(crate) severity: Severity,
    pub(crate) weight: f32,
    pub(crate) data_weight: Option<f32>,
    pub(crate) steps: Vec<(Vec<String>, u32)>,
}

impl Rule {
    /// A rule without steps yet, of medium severity and weight 0.7.
    #[must_use]
    pub fn new(id: impl Into<String>, family: Family) -> Self {
        Self {
            id: id.into(),
            family,
            severity: Severity::Medium,
            weight: 0.7,
            data_weight: None,
            steps: Vec::new(),
        }
    }

    /// The next step: one of `words`, beginning at most `within` words after the step before. For the first step
    /// `within` says nothing.
    #[must_use]
    pub fn with_step<W: Into<String>>(
        mut self,
        words: impl IntoIterator<Item = W>,
        within: u32,
    ) -> Self {
        // One more than allowed is enough to be refused.
        let words = words.into_iter().take(MAX_WORDS + 1).map(Into::into);
        self.steps.push((words.collect(), within));
        self
    }

    /// How much a match matters to whoever reads the finding.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The score that a match alone gives a text, above 0 and up to 1.
    #[must_use]
    pub fn with_weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// The weight in documents and tool results, if it is another there.
    #[must_use]
    pub fn with_data_weight(mut self, weight: f32) -> Self {
        self.data_weight = Some(weight);
        self
    }

    pub(super) fn check(&self) -> Result<(), RuleError> {
        let refuse = |trouble| Err(RuleError::new(&self.id, trouble));
        let good = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        if self.id.is_empty() || self.id.len() > MAX_LEN || !self.id.bytes().all(good) {
            return refuse(RuleTrouble::Id);
        }
        if self.steps.is_empty() {
            return refuse(RuleTrouble::NoStep);
        }
        if self.steps.len() > MAX_STEPS {
            return refuse(RuleTrouble::TooManySteps);
        }
        let usable = |word: &String| {
            word.len() <= MAX_LEN
                && word.chars().next().is_some_and(char::is_alphanumeric)
                && word.chars().any(char::is_alphanumeric)
        };
        let full = |words: &Vec<String>| {
            !words.is_empty() && words.len() <= MAX_WORDS && words.iter().all(usable)
        };
        if !self.steps.iter().all(|(words, _)| full(words)) {
            return refuse(RuleTrouble::Words);
        }
        // Written so that a NaN fails too.
        let sound = |weight: f32| weight > 0.0 && weight <= 1.0;
        if !sound(self.weight) || !self.data_weight.is_none_or(sound) {
            return refuse(RuleTrouble::Weight);
        }
        Ok(())
    }
}
