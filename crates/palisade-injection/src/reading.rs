use std::sync::OnceLock;

use palisade_core::{Channel, Text};

use crate::{
    Normalizer, View,
    lexicon::{self, Hit},
};

/// A text as a [`Scorer`](crate::Scorer) gets it: with its channel, and with its disguises taken off once for all.
///
/// The views are made when somebody first asks for them.
#[derive(Debug)]
pub struct Reading<'t> {
    text: Text<'t>,
    normalizer: Normalizer,
    views: OnceLock<Vec<View<'t>>>,
    hits: OnceLock<Vec<Vec<Hit>>>,
}

impl<'t> Reading<'t> {
    /// A reading of `text`.
    #[must_use]
    pub const fn new(text: Text<'t>, normalizer: Normalizer) -> Self {
        Self {
            text,
            normalizer,
            views: OnceLock::new(),
            hits: OnceLock::new(),
        }
    }

    /// The text as it was written.
    #[must_use]
    pub const fn text(&self) -> &'t str {
        self.text.text
    }

    /// Where it came from.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        self.text.channel
    }

    /// The text with its disguises taken off, in at most [`MAX_VIEWS`](crate::MAX_VIEWS) ways. The first is the text
    /// itself in one spelling.
    pub fn views(&self) -> &[View<'t>] {
        self.views
            .get_or_init(|| self.normalizer.views(self.text.text))
    }
    /// The words of the built-in lexicon in each of the views: rules and classifier read the same ones.
    pub(crate) fn hits(&self) -> &[Vec<Hit>] {
        self.hits.get_or_init(|| {
            let lexicon = lexicon::built_in();
            let scan = |view: &View<'_>| {
                // About one word in ten is one of the lexicon.
                let mut hits = Vec::with_capacity(8 + view.text().len() / 32);
                lexicon.scan(view.text(), &mut hits);
                hits
            };
            self.views().iter().map(scan).collect()
        })
    }
}
