use crate::{Classifier, Reading, Rules, Score, Scorer};

/// Rules and classifier, weighed against each other.
///
/// The rules know why, but an article about attacks meets them too; the classifier knows what honest texts look like, but
/// not why. Their log odds are added, with a weight of the rules for users and one for documents: a rule that is met makes
/// the stretch of text around it suspicious, and the classifier says how seriously to take it. It was trained beside the
/// rules, so that alone it says less about what they see anyway.
///
/// A list of your own that must stop a text whatever the classifier thinks is a scorer of its own beside this one:
///
/// ```
/// use palisade_injection::{Ensemble, Family, Rule, Rules};
///
/// let roadmap = Rule::new("acme.roadmap", Family::PromptExtraction).with_step(["internal roadmap"], 0);
/// let detector = Ensemble::standard().with_scorer(Rules::empty().with_rule(roadmap)?);
/// # Ok::<(), palisade_injection::RuleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Weighed {
    rules: Rules,
    classifier: Classifier,
}

impl Weighed {
    /// These rules, weighed with this classifier.
    #[must_use]
    pub fn new(rules: Rules, classifier: Classifier) -> Self {
        Self { rules, classifier }
    }

    /// The [standard rules](Rules::standard) and the [standard classifier](Classifier::standard).
    #[must_use]
    pub fn standard() -> Self {
        Self::new(Rules::standard(), Classifier::standard())
    }
}

impl Default for Weighed {
    fn default() -> Self {
        Self::standard()
    }
}

impl Scorer for Weighed {
    fn score(&self, reading: &Reading<'_>) -> Score {
        self.classifier.weigh(reading, self.rules.score(reading))
    }
}
