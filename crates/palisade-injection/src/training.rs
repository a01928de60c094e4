//! What the training of the classifier needs to see; not for use by others, and not kept stable.

use palisade_core::{ByteRange, Finding, Text};

use crate::{
    Normalizer, Reading,
    classifier::{
        features::{self, Block, Sink, extract, windows},
        weights::{self, CUT_SCORE, FILE_BYTES, MAGIC},
    },
    lexicon::WORD,
    rules,
};

/// How many features there are.
pub const FEATURES: usize = features::FEATURES;
/// How many of them, the first ones, are words and pairs of words.
pub const WORDS: usize = features::WORDS;
/// The score that a text at a head's cut gets.
pub const SCORE_AT_CUT: f32 = CUT_SCORE;

/// A text as the classifier sees it.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The features of all blocks of all views, one after the other.
    pub features: Vec<u32>,
    /// The windows.
    pub windows: Vec<Window>,
    /// How many words there are, in the view that has most.
    pub words: u32,
}

/// A stretch of a text.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Window {
    /// Where its features begin.
    pub first: u32,
    /// Where they end.
    pub last: u32,
    /// Where it stands in the text.
    pub source: ByteRange,
}

impl Sample {
    /// What the classifier sees of `text`.
    #[must_use]
    pub fn new(text: Text<'_>) -> Self {
        let reading = Reading::new(text, Normalizer::new());
        let mut sample = Self::default();
        for (view, hits) in reading.views().iter().zip(reading.hits()) {
            let mut kept = Kept {
                features: &mut sample.features,
                blocks: Vec::new(),
                starts: Vec::new(),
                ends: Vec::new(),
            };
            kept.starts.push(kept.features.len() as u32);
            extract(view.text(), hits, &mut kept);
            let Kept {
                blocks,
                starts,
                ends,
                ..
            } = kept;
            let length: u32 = blocks.iter().map(|block| block.length).sum();
            sample.words = sample.words.max(length / WORD);
            windows(&blocks, |first, last| {
                let range = ByteRange::new(blocks[first].start, blocks[last].end);
                sample.windows.push(Window {
                    first: starts[first],
                    last: ends[last],
                    source: view.source(range),
                });
            });
        }
        sample
    }
}

struct Kept<'s> {
    features: &'s mut Vec<u32>,
    blocks: Vec<Block>,
    starts: Vec<u32>,
    ends: Vec<u32>,
}

impl Sink for Kept<'_> {
    fn feature(&mut self, index: u32, _: usize, _: usize) {
        self.features.push(index);
    }

    fn block(&mut self, block: Block) {
        let end = self.features.len() as u32;
        self.blocks.push(block);
        self.ends.push(end);
        self.starts.push(end);
    }
}

/// The files of tables that the library reads where they lie, made afresh, with their places in `src`.
#[must_use]
pub fn tables() -> [(&'static str, Vec<u8>); 2] {
    [
        ("normalizer/letters.bin", crate::normalizer::letters_file()),
        ("lexicon/lexicon.bin", crate::lexicon::file()),
    ]
}

/// What one head has learned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LearnedHead {
    /// What every window starts with.
    pub bias: f32,
    /// What each feature adds.
    pub weights: Vec<f32>,
    /// The margin that scores [`SCORE_AT_CUT`].
    pub cut: f32,
    /// How fast the score grows with the margin.
    pub slope: f32,
    /// What the opinion of the rules counts, as [`lift`].
    pub rules: f32,
    /// What the length counts, as [`excess`].
    pub length: f32,
}

/// By how much a text of so many words is longer than a short one; what the length counts of it is taken from the margin.
#[must_use]
pub fn excess(words: u32) -> f32 {
    weights::excess(words)
}

/// What the sum of the weights of a window counts that has so many features.
#[must_use]
pub fn share(features: usize) -> f32 {
    features::share(features as u32)
}

/// The score of the rules at a place where they found `findings`, the strongest first.
#[must_use]
pub fn score_at(findings: &[Finding], range: ByteRange) -> f32 {
    rules::score_at(findings, range)
}

/// What the score of the rules adds to a margin, before it is weighed.
#[must_use]
pub fn lift(rules: f32) -> f32 {
    weights::lift(rules)
}

impl LearnedHead {
    /// A head without a cut yet.
    ///
    /// # Panics
    ///
    /// Unless there are [`FEATURES`] weights.
    #[must_use]
    pub fn new(bias: f32, weights: Vec<f32>) -> Self {
        assert_eq!(weights.len(), FEATURES, "one weight for each feature");
        Self {
            bias,
            weights,
            cut: 0.0,
            slope: 1.0,
            rules: 0.0,
            length: 0.0,
        }
    }

    /// What one step of a weight in the file is worth. A few outliers are cut off, so that the rest keeps its detail.
    #[must_use]
    pub fn scale(&self) -> f32 {
        const KEPT: f64 = 0.9995;
        let mut sizes: Vec<f32> = self
            .weights
            .iter()
            .map(|w| w.abs())
            .filter(|w| *w > 0.0)
            .collect();
        sizes.sort_by(f32::total_cmp);
        let place = (sizes.len() as f64 * KEPT) as usize;
        let largest = sizes.get(place.min(sizes.len().saturating_sub(1)));
        largest.copied().unwrap_or(1.0).max(1e-6) / 127.0
    }

    /// The weights as steps, as they are in the file.
    #[must_use]
    pub fn steps(&self) -> Vec<i8> {
        let scale = self.scale();
        let step = |weight: &f32| (weight / scale).round().clamp(-127.0, 127.0) as i8;
        self.weights.iter().map(step).collect()
    }
}

/// The file of weights with the heads for users and for data.
#[must_use]
pub fn file(user: &LearnedHead, data: &LearnedHead) -> Vec<u8> {
    let mut file = Vec::with_capacity(FILE_BYTES);
    file.extend(MAGIC);
    for head in [user, data] {
        for number in [
            head.bias,
            head.scale(),
            head.cut,
            head.slope,
            head.rules,
            head.length,
        ] {
            file.extend(number.to_le_bytes());
        }
        file.extend(head.steps().iter().map(|step| *step as u8));
    }
    file
}
