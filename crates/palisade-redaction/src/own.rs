//! Rules of the operator's own: blocked words, and with the `regex` feature patterns.

use palisade_core::Severity;

use crate::{ConfigError, Kind, kind::Label, text::is_word, token::Hit, view::View};

/// The most own rules, and the most own keywords, a scanner takes.
pub const OWN_MAX: usize = 250;

/// The longest keyword.
const KEYWORD_MAX: usize = 128;

/// The id of findings of own keywords.
pub(crate) const KEYWORD: Label = Label::new("blocked_keyword", Kind::Keyword, Severity::High);

/// A rule of the operator's own: a regular expression, and what its matches are.
///
/// The expression is matched on bytes with ASCII classes, wherever it matches, leftmost first. What is longer than
/// [`OWN_MATCH_MAX`](crate::OWN_MATCH_MAX) bytes does not match: so much text is held back at most while a stream is
/// read, and so a stream and a whole text agree.
#[cfg(feature = "regex")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OwnRule {
    /// The id, as it will stand in findings and masks: 1 to 48 of `a-z`, `0-9`, `_` and `-`.
    pub id: String,
    /// What its matches are.
    pub kind: Kind,
    /// How much they matter.
    pub severity: Severity,
    /// The regular expression.
    pub pattern: String,
}

#[cfg(feature = "regex")]
impl OwnRule {
    /// A rule for secrets of high severity.
    pub fn new(id: impl Into<String>, pattern: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind: Kind::Secret,
            severity: Severity::High,
            pattern: pattern.into(),
        }
    }

    /// Matches of another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Matches of another severity.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// Blocked words, in lower case and sorted.
#[derive(Default)]
pub(crate) struct Keywords {
    words: Vec<Box<[u8]>>,
}

impl Keywords {
    pub(crate) fn new(keywords: &[String]) -> Result<Self, ConfigError> {
        if keywords.len() > OWN_MAX {
            return Err(ConfigError::TooMany {
                count: keywords.len(),
                limit: OWN_MAX,
            });
        }
        let mut words = Vec::with_capacity(keywords.len());
        for (position, keyword) in keywords.iter().enumerate() {
            let word = keyword
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .to_ascii_lowercase()
                .into_bytes();
            let ends = [word.first(), word.last()]
                .into_iter()
                .flatten()
                .all(|b| is_word(*b) || *b >= 128);
            // A run of word bytes is where words are looked for.
            if word.is_empty() || word.len() > KEYWORD_MAX || !ends || word[0] >= 128 {
                return Err(ConfigError::Keyword { position });
            }
            words.push(word.into_boxed_slice());
        }
        words.sort();
        Ok(Self { words })
    }

    /// The words.
    pub(crate) fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.words.iter().map(AsRef::as_ref)
    }

    /// A blocked word that begins at `at`: the longest, if there are several.
    #[inline]
    pub(crate) fn find(&self, view: &View<'_>, at: usize) -> Option<Hit> {
        if self.words.is_empty() {
            return None;
        }
        let first = view.at(at).to_ascii_lowercase();
        let from = self.words.partition_point(|word| word[0] < first);
        self.words[from..]
            .iter()
            .take_while(|word| word[0] == first)
            .filter_map(|word| ends_of(view, at, word))
            .max()
            .map(|end| Hit::new(KEYWORD, at, end, 1.0))
    }
}

/// The end of `word` at `at`, if it stands there in any case and with any blanks between its parts.
fn ends_of(view: &View<'_>, mut at: usize, word: &[u8]) -> Option<usize> {
    for &byte in word {
        if byte == b' ' {
            let end = view.run(at, 64, |b| b.is_ascii_whitespace());
            if end == at {
                return None;
            }
            at = end;
        } else if view.at(at).to_ascii_lowercase() == byte {
            at += 1;
        } else {
            return None;
        }
    }
    (!view.at(at).is_ascii_alphanumeric()).then_some(at)
}

#[cfg(feature = "regex")]
pub(crate) use patterns::Patterns;
#[cfg(feature = "regex")]
mod patterns;

/// No patterns: the feature is off.
#[cfg(not(feature = "regex"))]
#[derive(Default)]
pub(crate) struct Patterns {}

#[cfg(not(feature = "regex"))]
impl Patterns {
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        std::iter::empty()
    }

    pub(crate) fn advance(
        &self,
        bytes: &[u8],
        _at: usize,
        _base: usize,
        _last: bool,
        _hits: &mut Vec<Hit>,
    ) -> usize {
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(keywords: &[&str], text: &str) -> Option<usize> {
        let keywords: Vec<String> = keywords.iter().map(|k| (*k).to_owned()).collect();
        let view = View::new(text.as_bytes(), 0, true);
        Keywords::new(&keywords)
            .unwrap()
            .find(&view, 0)
            .map(|hit| hit.end)
    }

    #[test]
    fn words_match_in_any_case_with_any_blanks_and_whole() {
        assert_eq!(find(&["project orion"], "Project \n ORION!"), Some(15));
        assert_eq!(find(&["orion"], "orionid"), None);
        assert_eq!(find(&["a", "a b"], "a b c"), Some(3));
    }

    #[test]
    fn what_cannot_match_is_refused() {
        let keywords = |words: &[&str]| words.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            Keywords::new(&keywords(&["ok", " "])).err(),
            Some(ConfigError::Keyword { position: 1 })
        );
        assert_eq!(
            Keywords::new(&keywords(&["(x)"])).err(),
            Some(ConfigError::Keyword { position: 0 })
        );
        let long = "a".repeat(KEYWORD_MAX + 1);
        assert!(Keywords::new(&[long]).is_err());
        let many = vec!["a".to_owned(); OWN_MAX + 1];
        assert_eq!(
            Keywords::new(&many).err(),
            Some(ConfigError::TooMany {
                count: OWN_MAX + 1,
                limit: OWN_MAX
            })
        );
        assert!(Keywords::new(&many[1..]).is_ok());
    }
}
