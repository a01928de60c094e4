use palisade_core::Severity;

use super::{built_in, spec::Spec};
use crate::Family;

/// What is to be known of a built-in rule, for a catalogue, a policy or a report.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RuleInfo {
    /// Its stable id.
    pub id: &'static str,
    /// What it sees.
    pub family: Family,
    /// How much a match matters.
    pub severity: Severity,
    /// What a match alone makes of the score of a person's message.
    pub weight: f32,
    /// The same in documents and tool results.
    pub data_weight: f32,
    /// The languages it knows, by their ISO 639 codes.
    pub languages: &'static [&'static str],
    /// Texts that it finds. The tests of this crate say so.
    pub finds: &'static [&'static str],
    /// Texts that it does not find.
    pub spares: &'static [&'static str],
}

impl RuleInfo {
    /// Every built-in rule.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        built_in::specs().map(|spec: &Spec| Self {
            id: spec.id,
            family: spec.family,
            severity: spec.severity,
            weight: spec.weight,
            data_weight: spec.data_weight,
            languages: spec.languages,
            finds: spec.hits,
            spares: spec.misses,
        })
    }
}
