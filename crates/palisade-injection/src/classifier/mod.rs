//! A trained opinion: linear, embedded, and fast enough to ask every time.

mod explanation;
pub(crate) mod features;
mod groups;
pub(crate) mod weights;

use palisade_core::{ByteRange, Channel, Finding, Severity};

pub use self::explanation::{Contribution, Explanation};
use self::{
    features::{Block, Sink, extract, windows},
    weights::{Head, Which, lift},
};
use crate::{Reading, Score, Scorer, lexicon::WORD, rules::score_at};

/// The id of the classifier's finding.
pub(crate) const CLASSIFIER: &str = "classifier.window";
/// Its category: no family of reasons, the text as a whole.
const CATEGORY: &str = "classifier";
/// Below this score the classifier points at nothing.
const WORTH_SAYING: f32 = 0.3;

/// A classifier of words, pairs of words and concepts, trained on attacks and on honest texts that look like them.
///
/// It is a linear model with one head for what users say and one for what documents and tools say: "send the file to
/// Bob" is a user's right and a document's attack. Every view of the text is read sentence by sentence, and the most
/// suspicious stretch of up to 48 words counts, so that one sentence in a long document is found and pointed at. The
/// weights are part of the library; nothing is loaded or downloaded.
#[derive(Clone, Copy, Debug)]
pub struct Classifier {
    user: Head,
    data: Head,
}

impl Classifier {
    /// The classifier with the embedded weights.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            user: Head::embedded(Which::User),
            data: Head::embedded(Which::Data),
        }
    }

    fn head(&self, channel: Channel) -> &Head {
        match channel {
            Channel::Document | Channel::Tool => &self.data,
            _ => &self.user,
        }
    }
}

impl Default for Classifier {
    fn default() -> Self {
        Self::standard()
    }
}

impl Scorer for Classifier {
    fn score(&self, reading: &Reading<'_>) -> Score {
        self.weigh(reading, Score::default())
    }
}

impl Classifier {
    /// What the classifier and the rules, whose score is `rules`, think together: rules count where they are met.
    pub(crate) fn weigh(&self, reading: &Reading<'_>, mut rules: Score) -> Score {
        let head = self.head(reading.channel());
        let Some(worst) = self.worst(reading, &rules.findings) else {
            return rules;
        };
        let alone = head.score(worst.margin);
        if alone >= WORTH_SAYING {
            rules.findings.push(Finding::new(
                CLASSIFIER,
                CATEGORY,
                Severity::High,
                worst.source(reading),
                alone,
            ));
        }
        Score::new(head.score(worst.together), rules.findings)
    }

    /// The most suspicious stretch of any view, where the rules found `findings`.
    fn worst(&self, reading: &Reading<'_>, findings: &[Finding]) -> Option<Stretch> {
        let mut worst: Option<Stretch> = None;
        let mut together = f32::NEG_INFINITY;
        let mut words = 0;
        let head = self.head(reading.channel());
        let mut sums = Sums::new(head);
        for (index, view) in reading.views().iter().enumerate() {
            sums.clear();
            extract(view.text(), &reading.hits()[index], &mut sums);
            words = words.max(sums.words());
            let rules = |range: ByteRange| {
                if findings.is_empty() {
                    0.0
                } else {
                    head.rules * lift(score_at(findings, view.source(range)))
                }
            };
            together = together.max(sums.most(rules));
            if let Some((margin, range)) = sums.worst()
                && worst.is_none_or(|worst| margin > worst.margin)
            {
                let found = Stretch {
                    margin,
                    together,
                    view: index,
                    range,
                };
                worst = Some(found);
            }
        }
        worst.map(|worst| Stretch {
            margin: worst.margin - head.handicap(words),
            together: together - head.handicap(words),
            ..worst
        })
    }
}

/// A stretch of a view.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// What the classifier alone thinks of it.
    margin: f32,
    /// What rules and classifier think of the stretch that is worst to both.
    together: f32,
    view: usize,
    range: ByteRange,
}

impl Stretch {
    /// Where it stands in the text, without the spaces around it.
    fn source(&self, reading: &Reading<'_>) -> ByteRange {
        let view = &reading.views()[self.view];
        let text = &view.text()[self.range.as_range()];
        let start = self.range.start + text.len() - text.trim_start().len();
        view.source(ByteRange::new(start, start + text.trim().len()))
    }
}

/// A block at the edge of a window that makes up less of it than one part in so many is left out.
const EDGE: i32 = 8;

/// Adds weights up, block by block.
struct Sums<'h> {
    head: &'h Head,
    current: Sum,
    /// The sums of all blocks so far, at the end of each.
    totals: Vec<Sum>,
    blocks: Vec<Block>,
}

/// Weights, and how many.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    weights: i32,
    features: u32,
}

impl<'h> Sums<'h> {
    fn new(head: &'h Head) -> Self {
        Self {
            head,
            current: Sum::default(),
            totals: Vec::new(),
            blocks: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.current = Sum::default();
        self.totals.clear();
        self.blocks.clear();
    }

    fn words(&self) -> u32 {
        let length: u32 = self.blocks.iter().map(|block| block.length).sum();
        length / WORD
    }

    /// What the blocks from `first` to `last` add up to.
    fn between(&self, first: usize, last: usize) -> Sum {
        let before = first.checked_sub(1).map(|block| self.totals[block]);
        let before = before.unwrap_or_default();
        Sum {
            weights: self.totals[last].weights - before.weights,
            features: self.totals[last].features - before.features,
        }
    }

    /// The highest margin of any window with what the rules add to it.
    fn most(&self, rules: impl Fn(ByteRange) -> f32) -> f32 {
        let mut most = f32::NEG_INFINITY;
        windows(&self.blocks, |first, last| {
            let sum = self.between(first, last);
            let range = ByteRange::new(self.blocks[first].start, self.blocks[last].end);
            most = most.max(self.head.margin(sum.weights, sum.features) + rules(range));
        });
        most
    }

    /// The window with the highest margin.
    fn worst(&self) -> Option<(f32, ByteRange)> {
        let mut worst: Option<(f32, usize, usize)> = None;
        windows(&self.blocks, |first, last| {
            let sum = self.between(first, last);
            let margin = self.head.margin(sum.weights, sum.features);
            if worst.is_none_or(|(most, ..)| margin > most) {
                worst = Some((margin, first, last));
            }
        });
        worst.map(|(margin, mut first, mut last)| {
            // What adds nothing at its edges is not what is pointed at.
            let whole = self.between(first, last).weights;
            while first < last && self.between(first, first).weights * EDGE <= whole {
                first += 1;
            }
            while first < last && self.between(last, last).weights * EDGE <= whole {
                last -= 1;
            }
            let range = ByteRange::new(self.blocks[first].start, self.blocks[last].end);
            (margin, range)
        })
    }
}

impl Sink for Sums<'_> {
    fn feature(&mut self, index: u32, _: usize, _: usize) {
        self.current.weights += self.head.weight(index);
        self.current.features += 1;
    }

    fn block(&mut self, block: Block) {
        self.totals.push(self.current);
        self.blocks.push(block);
    }
}
