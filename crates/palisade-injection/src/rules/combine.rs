use palisade_core::{ByteRange, Finding, Severity};

use super::Entry;
use crate::{Family, MAX_FINDINGS, Score, lexicon::steps::step};

/// A rule seen at a place.
pub(super) struct Sighting<'r> {
    pub(super) entry: &'r Entry,
    pub(super) range: ByteRange,
    pub(super) weight: f32,
    /// What the disguise adds that had to come off first.
    pub(super) disguise: f32,
}

/// Sightings further apart than this, in bytes, have nothing to do with each other.
const NEIGHBOURHOOD: usize = 1200;
/// The sightings of one text that are weighed: several of each rule that a text can well meet.
const MOST_SIGHTINGS: usize = 256;
/// Weaker sightings than this are not worse for having been disguised: harmless texts have such words too.
const STRONG: f32 = 0.5;
/// What further rules of one group add: they often see the same words.
const SAME_GROUP: f32 = 0.45;

/// The score and the findings of `sightings`.
///
/// Weights of different groups are joined as independent reasons, `1 - (1 - a)(1 - b)`, within each neighbourhood; the
/// score is that of the worst one.
pub(super) fn combine(
    mut sightings: Vec<Sighting<'_>>,
    disguised: Option<&'static str>,
    mut findings: Vec<Finding>,
) -> Score {
    // The strongest sighting of a rule at a place; the plainest among equals.
    sightings.sort_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then(a.disguise.total_cmp(&b.disguise))
    });
    let mut kept: Vec<Sighting<'_>> = Vec::new();
    // What is stronger comes first, and the comparisons below grow with the square.
    for sighting in sightings.into_iter().take(MOST_SIGHTINGS) {
        let again = |other: &Sighting<'_>| {
            step();
            other.entry.id == sighting.entry.id && other.range.overlaps(sighting.range)
        };
        if !kept.iter().any(again) {
            kept.push(sighting);
        }
    }
    for sighting in &kept {
        findings.push(Finding::new(
            sighting.entry.id.clone(),
            sighting.entry.family.name(),
            sighting.entry.severity,
            sighting.range,
            sighting.weight,
        ));
    }
    if let Some(id) = disguised {
        let strong = kept.iter().filter(|sighting| sighting.weight >= STRONG);
        if let Some(worst) = strong.max_by(|a, b| a.disguise.total_cmp(&b.disguise))
            && worst.disguise > 0.0
        {
            findings.push(Finding::new(
                id,
                Family::EncodingEvasion.name(),
                Severity::Medium,
                worst.range,
                worst.disguise,
            ));
        }
    }
    findings.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then(a.range.cmp(&b.range))
    });
    // The strongest alone counts as it is: joining rounds a little.
    let strongest = findings.first().map_or(0.0, |finding| finding.confidence);
    let value = worst_neighbourhood(&findings).max(strongest);
    findings.truncate(MAX_FINDINGS);
    Score::new(value, findings)
}

/// Rules whose ids begin alike look for the same words; those of others for other ones.
fn group(finding: &Finding) -> &str {
    finding.rule.split('.').next().unwrap_or_default()
}

fn worst_neighbourhood(strongest_first: &[Finding]) -> f32 {
    let mut worst = 0.0_f32;
    for anchor in strongest_first {
        let last = anchor.range.start.saturating_add(NEIGHBOURHOOD);
        let near = strongest_first
            .iter()
            .filter(|other| other.range.start >= anchor.range.start && other.range.start <= last);
        worst = worst.max(joined(near));
    }
    worst
}

/// The score of the rules at a place: of those of `strongest_first` that are met at `range`.
pub(crate) fn score_at(strongest_first: &[Finding], range: ByteRange) -> f32 {
    joined(
        strongest_first
            .iter()
            .filter(|finding| finding.range.overlaps(range)),
    )
}

/// What findings say together.
fn joined<'f>(strongest_first: impl Iterator<Item = &'f Finding>) -> f32 {
    let mut doubt = 1.0;
    let mut groups: Vec<&str> = Vec::new();
    let mut rules: Vec<&str> = Vec::new();
    for finding in strongest_first {
        step();
        if rules.contains(&&*finding.rule) {
            continue;
        }
        rules.push(&finding.rule);
        let group = group(finding);
        let share = if groups.contains(&group) {
            SAME_GROUP
        } else {
            groups.push(group);
            1.0
        };
        doubt *= 1.0 - finding.confidence * share;
    }
    1.0 - doubt
}
