//! What a text looks like with its disguises taken off.

mod ciphers;
mod decode;
mod encodings;
mod fold;
mod hidden;
mod leet;
mod letters;
mod map;
mod survey;
mod tidy;

use std::{borrow::Cow, sync::Arc};

use palisade_core::ByteRange;

#[cfg(feature = "training")]
pub(crate) use self::letters::file as letters_file;
use self::{
    ciphers::Shift,
    map::{Rewrite, SourceMap},
    survey::survey,
};

/// The most views of one text.
pub const MAX_VIEWS: usize = 8;
/// How often a decoded text is decoded again.
pub const MAX_DEPTH: u8 = 3;
/// The most bytes of all decoded views of one text together.
pub const MAX_DECODED_BYTES: usize = 2 * crate::MAX_TEXT_BYTES;

/// Takes disguises off a text.
///
/// A model reads `1gn0re`, `ｉｇｎｏｒｅ`, `i g n o r e` and `aWdub3Jl` as easily as `ignore`; a pattern does not. The
/// normaliser therefore gives several [views](View) of a text: the text itself in one spelling, and one more for each
/// disguise that the text shows traces of. Nothing is stripped that may carry a message: what is written in invisible
/// characters becomes a view of its own.
///
/// Every view knows where its bytes came from. There are at most [`MAX_VIEWS`], decoding goes at most [`MAX_DEPTH`] deep
/// and yields at most [`MAX_DECODED_BYTES`]. A plain ASCII text is its own only view and is not copied.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Normalizer;

/// How a [`View`] was made from the text or from another view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transform {
    /// One spelling: compatibility forms (NFKC), ornaments and look-alikes of Latin letters, no invisible characters.
    Folded,
    /// Written in Unicode tags or variation selectors.
    Unhidden,
    /// Percent encoding, HTML entities, backslash escapes, quoted-printable words.
    Unescaped,
    /// Base64 or base32.
    Base64,
    /// Hexadecimal or binary digits, lists of character codes or of places in the alphabet.
    Digits,
    /// Rot13 or rot47.
    Rotated,
    /// The alphabet shifted by another number of letters, or written backwards.
    Shifted,
    /// Morse code.
    Morse,
    /// Names of letters: "india golf november".
    Spelled,
    /// Pig Latin.
    PigLatin,
    /// Backwards.
    Reversed,
    /// Every word backwards.
    WordsReversed,
    /// Upside down.
    Turned,
    /// String literals put together.
    Joined,
    /// Markup and punctuation taken out of words, single letters joined, digits and signs read as letters, stretched
    /// letters let go, slips of the finger put right.
    Tidied,
}

impl Transform {
    /// What a text shows for this transform to be tried, in words for a person.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Folded => "the text itself, in one spelling",
            Self::Unhidden => {
                "a run of four or more tag characters or variation selectors that spells text"
            }
            Self::Unescaped => {
                "percent, entity, backslash or quoted-printable escapes of characters"
            }
            Self::Base64 => {
                "a run of 16 or more base64 or base32 digits that decodes to readable text"
            }
            Self::Digits => {
                "eight or more hexadecimal, binary, decimal or octal codes that decode to readable text"
            }
            Self::Rotated => "two or more words that are common English after rot13 or rot47",
            Self::Shifted => {
                "two or more words that are common English under one shift of the alphabet"
            }
            Self::Morse => "eight or more groups of dots and dashes",
            Self::Spelled => "four or more names of letters in a row",
            Self::PigLatin => "words in \"ay\", one after the other",
            Self::Reversed | Self::WordsReversed => {
                "two or more words that are common English backwards"
            }
            Self::Turned => "four or more letters that stand upside down",
            Self::Joined => "string literals that are put together by signs",
            Self::Tidied => {
                "broken, stretched or misspelt words that are known once they are mended"
            }
        }
    }
}

/// A text with a disguise taken off.
#[derive(Clone, Debug)]
pub struct View<'t> {
    text: Cow<'t, str>,
    transform: Transform,
    depth: u8,
    /// From this view's bytes to the original's, one step after the other.
    maps: Vec<Arc<SourceMap>>,
}

impl View<'_> {
    /// The text as it reads now.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How the view was made.
    #[must_use]
    pub fn transform(&self) -> Transform {
        self.transform
    }

    /// Why it was made, in words for a person: the trace that the text showed of this disguise.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.transform.reason()
    }

    /// How many encodings were undone on the way here; 0 for the text as written.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.depth
    }

    /// Where `range` of this view came from: a range of the original text, at character boundaries if `range` is.
    #[must_use]
    pub fn source(&self, range: ByteRange) -> ByteRange {
        self.maps.iter().fold(range, |range, map| map.source(range))
    }
}

impl Normalizer {
    /// A normaliser.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// `text` in one spelling. Folding twice changes nothing more.
    #[must_use]
    pub fn fold<'t>(&self, text: &'t str) -> View<'t> {
        let mut view = View {
            text: Cow::Borrowed(text),
            transform: Transform::Folded,
            depth: 0,
            maps: Vec::new(),
        };
        fold_in_place(&mut view);
        view
    }

    /// The views of `text`; the first is [`fold`](Self::fold).
    ///
    /// Offsets are kept in 32 bits: of a text beyond 4 GiB only the beginning is read.
    #[must_use]
    pub fn views<'t>(&self, text: &'t str) -> Vec<View<'t>> {
        let text = &text[..text.floor_char_boundary(u32::MAX as usize)];
        let mut views = Views {
            found: Vec::with_capacity(1),
            decoded: 0,
        };
        let base = self.fold(text);
        if !text.is_ascii() {
            let raw = View {
                text: Cow::Borrowed(text),
                ..self.fold("")
            };
            views.found.push(base.clone());
            views.decode(&raw, Transform::Unhidden, hidden::reveal);
            views.decode(&raw, Transform::Turned, decode::turn);
            views.expand(&base);
        } else {
            views.add(base);
        }
        views.found
    }
}

fn fold_in_place(view: &mut View<'_>) {
    // Most texts need one round. What a round produces may need another: a full-width entity, a mark that only now
    // stands beside a Latin letter.
    const ROUNDS: usize = 4;
    let mut maps = Vec::new();
    for _ in 0..ROUNDS {
        if view.text.is_ascii() {
            break;
        }
        let (Rewrite { text, map }, unsettled) = fold::fold(&view.text);
        if text == *view.text {
            break;
        }
        view.text = Cow::Owned(text);
        maps.insert(0, Arc::new(map));
        if !unsettled {
            break;
        }
    }
    maps.append(&mut view.maps);
    view.maps = maps;
}

struct Views<'t> {
    found: Vec<View<'t>>,
    decoded: usize,
}

impl<'t> Views<'t> {
    fn add(&mut self, view: View<'t>) {
        if self.found.len() < MAX_VIEWS {
            self.found.push(view.clone());
            self.expand(&view);
        }
    }

    /// Adds whatever `view` seems to hide.
    fn expand(&mut self, view: &View<'t>) {
        let found = survey(&view.text);
        let broken = found.markup
            || found.spaced
            || found.leet
            || found.split
            || found.stretched
            || found.humps
            || found.slips;
        if broken && view.transform != Transform::Tidied {
            self.tidy(view, found);
        }
        if view.depth >= MAX_DEPTH {
            return;
        }
        if found.escapes {
            self.decode(view, Transform::Unescaped, decode::unescape);
        }
        if found.encoded {
            self.decode(view, Transform::Base64, encodings::base64);
        }
        if found.codes {
            self.decode(view, Transform::Digits, encodings::digits);
        }
        if found.literals {
            self.decode(view, Transform::Joined, decode::join_literals);
        }
        if found.morse {
            self.decode(view, Transform::Morse, ciphers::morse);
        }
        if found.spelled {
            self.decode(view, Transform::Spelled, ciphers::spell);
        }
        // What comes out of these shows the same trace again: each is tried once.
        let again = matches!(
            view.transform,
            Transform::Rotated
                | Transform::Shifted
                | Transform::PigLatin
                | Transform::Reversed
                | Transform::WordsReversed
        );
        if found.rotated47 && view.transform != Transform::Rotated {
            self.decode(view, Transform::Rotated, |text| {
                Some(ciphers::rotate47(text))
            });
        }
        if let Some(shift) = found.shifted
            && !again
        {
            let transform = match shift {
                Shift::By(13) => Transform::Rotated,
                _ => Transform::Shifted,
            };
            self.decode(view, transform, |text| ciphers::unshift(text, shift));
        }
        if found.pig_latin && !again {
            self.decode(view, Transform::PigLatin, |text| {
                Some(ciphers::pig_latin(text))
            });
        }
        let reversed = matches!(
            view.transform,
            Transform::Reversed | Transform::WordsReversed
        );
        if found.reversed && !reversed {
            self.decode(view, Transform::Reversed, |text| {
                Some(decode::reverse(text))
            });
            self.decode(view, Transform::WordsReversed, |text| {
                Some(decode::reverse_words(text))
            });
        }
    }

    fn decode(
        &mut self,
        from: &View<'t>,
        transform: Transform,
        decoder: impl Fn(&str) -> Option<Rewrite>,
    ) {
        if self.found.len() >= MAX_VIEWS || self.decoded + from.text.len() > MAX_DECODED_BYTES {
            return;
        }
        if let Some(rewrite) = decoder(&from.text) {
            self.decoded += rewrite.text.len();
            let mut view = derive(from, rewrite, transform);
            view.depth += 1;
            fold_in_place(&mut view);
            self.add(view);
        }
    }

    /// Mends broken words: one view for all the ways to break them, as they are often combined.
    fn tidy(&mut self, view: &View<'t>, found: survey::Survey) {
        if self.found.len() >= MAX_VIEWS {
            return;
        }
        let mut tidied = view.clone();
        let mut changed = false;
        for (wanted, step) in [
            (
                found.markup,
                tidy::strip_markup as fn(&str) -> Option<Rewrite>,
            ),
            (found.spaced, tidy::join_letters),
            (found.leet, leet::read_leet),
            (found.split, tidy::join_parts),
            (found.stretched, tidy::squeeze),
            (found.humps, tidy::split_humps),
            (found.slips, tidy::mend_slips),
        ] {
            if wanted && let Some(rewrite) = step(&tidied.text) {
                tidied = derive(&tidied, rewrite, Transform::Tidied);
                changed = true;
            }
        }
        if changed {
            self.add(tidied);
        }
    }
}

fn derive<'t>(from: &View<'t>, rewrite: Rewrite, transform: Transform) -> View<'t> {
    let mut maps = Vec::with_capacity(from.maps.len() + 1);
    maps.push(Arc::new(rewrite.map));
    maps.extend(from.maps.iter().cloned());
    View {
        text: Cow::Owned(rewrite.text),
        transform,
        depth: from.depth,
        maps,
    }
}
