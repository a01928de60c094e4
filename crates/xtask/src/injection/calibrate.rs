//! From margins to scores.

use std::collections::BTreeMap;

use palisade_injection::training::LearnedHead;

use super::{
    examples::Example,
    folds::{Held, held_out},
};

/// The share of honest texts that may be blocked, as the mean over sources that were held out.
pub(super) const FALSE_ALARMS: f64 = 0.007;
/// How fast scores grow with the margin.
const SLOPE: f32 = 0.6;

/// What a head is told, and does not learn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    /// What the rules count, in margins for each of their log odds.
    pub(super) rules: f32,
    /// What the length of a text counts.
    pub(super) length: f32,
}

/// For users, and for data.
pub(super) const GIVEN: [Given; 2] = [
    Given {
        rules: 1.5,
        length: 1.0,
    },
    Given {
        rules: 1.0,
        length: 1.2,
    },
];

/// Puts the cut where the share of false alarms in sources that the head has not seen is [`FALSE_ALARMS`]: a head knows
/// the sources it has seen too well to be measured on them.
pub(super) fn set_cut(head: &mut LearnedHead, examples: &[Example], given: Given) {
    let held = held_out(examples, given);
    head.rules = given.rules;
    head.length = given.length;
    head.cut = cut(&held, FALSE_ALARMS);
    head.slope = SLOPE;
}

/// The lowest margin that keeps the mean share of false alarms over sources at `share`.
pub(super) fn cut(held: &[Held], share: f64) -> f32 {
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    let mut honest: Vec<(f32, &str)> = Vec::new();
    // What is made of a source's documents has been counted with them.
    let honest_texts = held
        .iter()
        .filter(|held| !held.attack && !held.source.contains('@'));
    for held in honest_texts {
        *totals.entry(&held.source).or_default() += 1;
        honest.push((held.margin, &held.source));
    }
    honest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let sources = totals.len() as f64;
    let mut mean = 0.0;
    for (margin, source) in honest {
        mean += 1.0 / totals[source] as f64 / sources;
        if mean > share {
            return margin + 1e-3;
        }
    }
    f32::NEG_INFINITY
}
