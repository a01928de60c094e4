use palisade_core::Severity;

use crate::{Family, lexicon::classes::Classes};

/// A built-in rule, as data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub(super) id: &'static str,
    pub(super) family: Family,
    pub(super) severity: Severity,
    /// How much a match counts in a person's message, and in a document or a tool's result.
    pub(super) weight: f32,
    pub(super) data_weight: f32,
    /// Classes, and within how many words of the step before.
    pub(super) steps: &'static [(Classes, u32)],
    pub(super) not_after: Classes,
    pub(super) not_between: Classes,
    pub(super) mentionable: bool,
    /// The languages it knows, by their ISO 639 codes.
    pub(super) languages: &'static [&'static str],
    /// Texts that the rule must find, and texts that it must not.
    pub(super) hits: &'static [&'static str],
    pub(super) misses: &'static [&'static str],
}

impl Spec {
    pub(super) const fn new(
        id: &'static str,
        family: Family,
        weight: f32,
        steps: &'static [(Classes, u32)],
    ) -> Self {
        let severity = if weight >= 0.7 {
            Severity::High
        } else if weight >= 0.4 {
            Severity::Medium
        } else {
            Severity::Low
        };
        Self {
            id,
            family,
            severity,
            weight,
            data_weight: weight,
            steps,
            not_after: 0,
            not_between: 0,
            mentionable: true,
            languages: &["en"],
            hits: &[],
            misses: &[],
        }
    }

    pub(super) const fn data(mut self, weight: f32) -> Self {
        self.data_weight = weight;
        self
    }

    /// The rule belongs to another family than its neighbours.
    pub(super) const fn family(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    pub(super) const fn languages(mut self, languages: &'static [&'static str]) -> Self {
        self.languages = languages;
        self
    }

    pub(super) const fn not_after(mut self, classes: Classes) -> Self {
        self.not_after = classes;
        self
    }

    pub(super) const fn not_between(mut self, classes: Classes) -> Self {
        self.not_between = classes;
        self
    }

    /// The rule counts in full even where a text talks about attacks.
    pub(super) const fn always(mut self) -> Self {
        self.mentionable = false;
        self
    }

    pub(super) const fn hits(mut self, texts: &'static [&'static str]) -> Self {
        self.hits = texts;
        self
    }

    pub(super) const fn misses(mut self, texts: &'static [&'static str]) -> Self {
        self.misses = texts;
        self
    }
}
