//! A trained opinion: linear, embedded, and fast enough to ask every time.

pub(crate) mod features;
mod groups;
pub(crate) mod weights;

use palisade_core::{ByteRange, Channel, Finding, Severity};

use self::{
    features::{Block, Sink, extract, windows},
    weights::{Head, Which},
};
use crate::{Reading, Score, Scorer};

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
        let head = self.head(reading.channel());
        let mut worst: Option<(i32, usize, ByteRange)> = None;
        let mut sums = Sums::new(head);
        for (index, view) in reading.views().iter().enumerate() {
            sums.clear();
            extract(view.text(), &reading.hits()[index], &mut sums);
            if let Some((sum, range)) = sums.worst()
                && worst.is_none_or(|(most, ..)| sum > most)
            {
                worst = Some((sum, index, range));
            }
        }
        let Some((sum, index, range)) = worst else {
            return Score::default();
        };
        let value = head.score(head.margin(sum));
        let mut findings = Vec::new();
        if value >= WORTH_SAYING {
            let view = &reading.views()[index];
            let text = &view.text()[range.as_range()];
            let start = range.start + text.len() - text.trim_start().len();
            let range = ByteRange::new(start, start + text.trim().len());
            findings.push(Finding::new(
                CLASSIFIER,
                CATEGORY,
                Severity::High,
                view.source(range),
                value,
            ));
        }
        Score::new(value, findings)
    }
}

/// A block at the edge of a window that makes up less of it than one part in so many is left out.
const EDGE: i32 = 8;

/// Adds weights up, block by block.
struct Sums<'h> {
    head: &'h Head,
    current: i32,
    /// The sum of all blocks so far, at the end of each.
    totals: Vec<i32>,
    blocks: Vec<Block>,
}

impl<'h> Sums<'h> {
    fn new(head: &'h Head) -> Self {
        Self {
            head,
            current: 0,
            totals: Vec::new(),
            blocks: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.current = 0;
        self.totals.clear();
        self.blocks.clear();
    }

    /// The window with the highest sum.
    fn worst(&self) -> Option<(i32, ByteRange)> {
        let mut worst: Option<(i32, usize, usize)> = None;
        windows(&self.blocks, |first, last| {
            let before = first.checked_sub(1).map_or(0, |block| self.totals[block]);
            let sum = self.totals[last] - before;
            if worst.is_none_or(|(most, ..)| sum > most) {
                worst = Some((sum, first, last));
            }
        });
        worst.map(|(sum, mut first, mut last)| {
            // What adds nothing at its edges is not what is pointed at.
            let block = |index: usize| {
                self.totals[index] - index.checked_sub(1).map_or(0, |before| self.totals[before])
            };
            while first < last && block(first) * EDGE <= sum {
                first += 1;
            }
            while first < last && block(last) * EDGE <= sum {
                last -= 1;
            }
            let range = ByteRange::new(self.blocks[first].start, self.blocks[last].end);
            (sum, range)
        })
    }
}

impl Sink for Sums<'_> {
    fn feature(&mut self, index: u32) {
        self.current += self.head.weight(index);
    }

    fn block(&mut self, block: Block) {
        self.totals.push(self.current);
        self.blocks.push(block);
    }
}
