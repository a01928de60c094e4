//! Training without a source, and measuring on it.

use std::collections::{BTreeMap, BTreeSet};

use palisade_injection::training::excess;

use super::{
    calibrate::{self, Given},
    examples::Example,
    sgd,
};

/// What a head that has not seen an example's source thinks of it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) margin: f32,
    pub(super) attack: bool,
    pub(super) source: String,
    pub(super) kind: String,
}

/// Sources that are the only one of their kind are left out in parts: without any of it, a head would be asked about a
/// kind of text that it has never seen.
const ALONE: &str = "LouisShark/chatgpt_system_prompt";

/// In how many parts the sources are left out.
const FOLDS: usize = 6;
/// Groups smaller than this say nothing.
const SMALLEST: usize = 15;

/// Trains once for each part of the sources, without them, and measures on them.
///
/// Rows of our own are always trained on: they say nothing about texts from elsewhere.
pub(super) fn held_out(examples: &[Example], given: Given) -> Vec<Held> {
    let sources: BTreeSet<&str> = examples
        .iter()
        .map(|example| family(&example.source))
        .collect();
    let foreign: Vec<&str> = sources
        .into_iter()
        .filter(|source| !source.starts_with("own"))
        .collect();
    let fold_of: BTreeMap<&str, usize> = foreign
        .iter()
        .enumerate()
        .map(|(index, source)| (*source, index % FOLDS))
        .collect();
    let run = |fold: usize| -> Vec<Held> {
        let out = |example: &Example| match family(&example.source) {
            ALONE => example.sample.features.len() % FOLDS == fold,
            source => fold_of.get(source) == Some(&fold),
        };
        let head = sgd::train(examples, given.rules, |example| !out(example));
        let held = examples
            .iter()
            .filter(|example| out(example))
            .map(|example| Held {
                margin: sgd::margin(&head, example, given.rules)
                    - given.length * excess(example.sample.words),
                attack: example.attack,
                source: example.source.clone(),
                kind: example.kind.clone(),
            });
        held.collect()
    };
    // Two at a time: the results do not depend on it.
    let mut held = Vec::new();
    for pair in (0..FOLDS).collect::<Vec<_>>().chunks(2) {
        let results = std::thread::scope(|scope| {
            let threads: Vec<_> = pair
                .iter()
                .map(|&fold| scope.spawn(move || run(fold)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("training does not panic"))
                .collect::<Vec<_>>()
        });
        held.extend(results.into_iter().flatten());
    }
    held
}

/// Parts of one source belong together, and what is made of its documents.
pub(super) fn family(source: &str) -> &str {
    if let Some((_, carrier)) = source.split_once('@') {
        return carrier;
    }
    source.split([':', ' ']).next().unwrap_or(source)
}

/// Prints what heads think of sources they have not seen.
pub(super) fn report(name: &str, examples: &[Example], given: Given) {
    let held = held_out(examples, given);
    for share in [0.002, 0.005, calibrate::FALSE_ALARMS, 0.02] {
        let cut = calibrate::cut(&held, share);
        let mut groups: BTreeMap<(bool, &str, &str), (usize, usize)> = BTreeMap::new();
        for held in &held {
            let source = held.source.split(" (").next().unwrap_or_default();
            let group = groups.entry((held.attack, source, &held.kind)).or_default();
            group.0 += usize::from(held.margin >= cut);
            group.1 += 1;
        }
        let shares = |attack: bool| {
            let wanted = groups
                .iter()
                .filter(move |(key, counts)| key.0 == attack && counts.1 >= SMALLEST);
            wanted.map(|(key, counts)| (counts.0 as f64 / counts.1 as f64, key.1))
        };
        let caught: Vec<f64> = shares(true).map(|(share, _)| share).collect();
        let caught = caught.iter().sum::<f64>() / caught.len().max(1) as f64;
        let worst = shares(false).fold(
            (0.0, ""),
            |worst, next| if next.0 > worst.0 { next } else { worst },
        );
        println!(
            "\n{name}: at {:.1} % mean false alarms (cut {cut:.2}) {:.1} % caught, worst source {:.1} % ({})",
            100.0 * share,
            100.0 * caught,
            100.0 * worst.0,
            worst.1
        );
        for ((attack, source, kind), (over, all)) in &groups {
            if *attack || *over > 0 {
                let share = 100.0 * *over as f64 / *all as f64;
                let sign = if *attack { "attack" } else { "honest" };
                println!("  {sign} {share:5.1} % of {all:5}  {kind:<15} {source}");
            }
        }
    }
}
