//! Logistic regression on the most suspicious window of each text, by stochastic gradient descent.
//!
//! The step of each weight shrinks with what it has moved already (`AdaGrad`: Duchi, Hazan, Singer 2011), words are left
//! out at random so that no single one is relied upon (Wager, Wang, Liang 2013), and the result is the mean of the last
//! rounds (Polyak, Juditsky 1992).

use std::collections::{BTreeMap, BTreeSet};

use palisade_injection::training::{FEATURES, LearnedHead, WORDS, share};

use super::{examples::Example, folds, random::Random};

/// The rounds whose mean is kept.
const AVERAGED: usize = 5;

/// In one of so many looks at a text the rules are not heard, so that the classifier does not rely on them.
const HEARD: usize = 2;

/// How the training goes.
struct Settings {
    /// How often every example is seen.
    rounds: usize,
    /// How far the first step goes.
    rate: f32,
    /// How strongly weights are pulled to 0.
    pull: f32,
    /// How much more a concept counts than a word.
    concept: f32,
    /// One word in so many is left out.
    left_out: u64,
    /// A feature is learned only if it occurs in so many texts, and in so many sources.
    texts: usize,
    sources: usize,
}

impl Settings {
    fn new() -> Self {
        Self {
            rounds: 10,
            rate: 0.05,
            pull: 5e-3,
            concept: 2.0,
            left_out: 3,
            texts: 3,
            sources: 2,
        }
    }

    /// What a feature counts where it is.
    fn value(&self, feature: usize) -> f32 {
        if feature < WORDS { 1.0 } else { self.concept }
    }
}

/// Trains a head on the examples that `wanted` accepts.
pub(super) fn train(
    examples: &[Example],
    rules: f32,
    wanted: impl Fn(&Example) -> bool,
) -> LearnedHead {
    let examples: Vec<&Example> = examples.iter().filter(|example| wanted(example)).collect();
    let settings = Settings::new();
    let known = known(&examples, &settings);
    let rounds = settings.rounds;
    let mut model = Model::new(settings);
    let mut random = Random::new(7);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut mean = vec![0.0_f64; FEATURES + 1];
    for round in 0..rounds {
        random.shuffle(&mut order);
        for &index in &order {
            model.learn(examples[index], rules, &known, &mut random, round);
        }
        if round >= rounds - AVERAGED {
            for (sum, weight) in mean
                .iter_mut()
                .zip(model.weights.iter().chain([&model.bias]))
            {
                *sum += f64::from(*weight) / AVERAGED as f64;
            }
        }
    }
    let bias = mean.pop().unwrap_or_default() as f32;
    let weights = mean
        .iter()
        .enumerate()
        .map(|(index, weight)| *weight as f32 * model.settings.value(index));
    LearnedHead::new(bias, weights.collect())
}

/// The highest margin of any window, with what the rules say there.
pub(super) fn margin(head: &LearnedHead, example: &Example, rules: f32) -> f32 {
    let sample = &example.sample;
    let margins = sample.windows.iter().enumerate().map(|(index, window)| {
        let features = &sample.features[window.first as usize..window.last as usize];
        let weights = features
            .iter()
            .map(|&feature| head.weights[feature as usize]);
        head.bias + weights.sum::<f32>() * share(features.len()) + rules * said(example, index)
    });
    margins.fold(f32::NEG_INFINITY, f32::max)
}

/// What the rules say at a window.
fn said(example: &Example, window: usize) -> f32 {
    example.rules.get(window).copied().unwrap_or_default()
}

/// Which features are learned: what stands in one source only would teach what that source looks like.
fn known(examples: &[&Example], settings: &Settings) -> Vec<bool> {
    let mut sources: BTreeMap<&str, u16> = BTreeMap::new();
    let mut counts: Vec<(u16, u16, u16)> = vec![(0, 0, u16::MAX); FEATURES];
    let mut by_source: Vec<&&Example> = examples.iter().collect();
    by_source.sort_by_key(|example| folds::family(&example.source));
    for example in by_source {
        let next = sources.len() as u16;
        let source = *sources
            .entry(folds::family(&example.source))
            .or_insert(next);
        let features: BTreeSet<u32> = example.sample.features.iter().copied().collect();
        for feature in features {
            let (texts, sources, last) = &mut counts[feature as usize];
            *texts = texts.saturating_add(1);
            if *last != source {
                *last = source;
                *sources += 1;
            }
        }
    }
    // We wrote both sides of our own rows ourselves.
    let own = examples
        .iter()
        .filter(|example| example.source.starts_with("own:made") && !example.source.contains('@'));
    let mut ours = vec![0_u16; FEATURES];
    for example in own {
        let features: BTreeSet<u32> = example.sample.features.iter().copied().collect();
        for feature in features {
            ours[feature as usize] = ours[feature as usize].saturating_add(1);
        }
    }
    let enough = |&(texts, sources, _): &(u16, u16, u16)| {
        usize::from(texts) >= settings.texts && usize::from(sources) >= settings.sources
    };
    let ours = ours
        .iter()
        .map(|&texts| usize::from(texts) >= settings.texts);
    counts
        .iter()
        .map(enough)
        .zip(ours)
        .map(|(theirs, ours)| theirs || ours)
        .collect()
}

struct Model {
    settings: Settings,
    bias: f32,
    weights: Vec<f32>,
    moved: Vec<f32>,
    bias_moved: f32,
    kept: Vec<u32>,
}

impl Model {
    fn new(settings: Settings) -> Self {
        Self {
            settings,
            bias: -2.0,
            weights: vec![0.0; FEATURES],
            moved: vec![1e-2; FEATURES],
            bias_moved: 1.0,
            kept: Vec::new(),
        }
    }

    fn margin(&self, features: &[u32]) -> f32 {
        let sum = features.iter().map(|&feature| {
            let feature = feature as usize;
            self.weights[feature] * self.settings.value(feature)
        });
        self.bias + sum.sum::<f32>() * share(features.len())
    }

    fn learn(
        &mut self,
        example: &Example,
        rules: f32,
        known: &[bool],
        random: &mut Random,
        round: usize,
    ) {
        let sample = &example.sample;
        if sample.windows.is_empty() {
            return;
        }
        let features = |window: usize| {
            let window = &sample.windows[window];
            &sample.features[window.first as usize..window.last as usize]
        };
        let all = 0..sample.windows.len() as u32;
        let candidates: &mut dyn Iterator<Item = u32> = if example.attack {
            &mut example.windows.iter().copied()
        } else {
            &mut all.into_iter()
        };
        let worst = if round == 0 && example.attack {
            // Nothing is known yet: any place is as good.
            let chosen = example.windows[random.below(example.windows.len())];
            (chosen, self.margin(features(chosen as usize)))
        } else {
            let margins = candidates.map(|index| {
                let said = rules * said(example, index as usize);
                (index, self.margin(features(index as usize)) + said)
            });
            margins.fold((0, f32::NEG_INFINITY), |best, next| {
                if next.1 > best.1 { next } else { best }
            })
        };
        self.kept.clear();
        for &feature in features(worst.0 as usize) {
            let left_out =
                (feature as usize) < WORDS && random.next().is_multiple_of(self.settings.left_out);
            if known[feature as usize] && !left_out {
                self.kept.push(feature);
            }
        }
        // The rules have had their say; what they miss or mistake is to be learned.
        let heard = if random.one_in(HEARD) { 0.0 } else { rules };
        let margin = self.margin(&self.kept) + heard * said(example, worst.0 as usize);
        let gradient =
            (1.0 / (1.0 + (-margin).exp()) - f32::from(u8::from(example.attack))) * example.weight;
        if gradient.abs() < 1e-3 {
            return;
        }
        self.bias_moved += gradient * gradient;
        self.bias -= self.settings.rate * gradient / self.bias_moved.sqrt();
        let share = share(self.kept.len());
        for &feature in &self.kept {
            let feature = feature as usize;
            let slope = gradient * share * self.settings.value(feature)
                + self.settings.pull * self.weights[feature];
            self.moved[feature] += slope * slope;
            self.weights[feature] -= self.settings.rate * slope / self.moved[feature].sqrt();
        }
    }
}
