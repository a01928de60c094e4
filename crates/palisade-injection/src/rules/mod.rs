//! Rules: readable reasons, each with an id.

mod built_in;
mod combine;
#[cfg(feature = "toml")]
mod file;
mod info;
mod matcher;
mod rule;
mod spec;

use std::borrow::Cow;

use palisade_core::{Channel, Finding, Severity};

pub(crate) use self::combine::score_at;
#[cfg(feature = "toml")]
pub use self::file::{MAX_RULES_FILE_BYTES, RulesFileError};
use self::{
    combine::{Sighting, combine},
    matcher::{Match, Matcher, Pattern, Step},
};
pub use self::{
    info::RuleInfo,
    rule::{MAX_CUSTOM_RULES, MAX_STEPS, MAX_WORDS, Rule},
};
use crate::{
    Family, Normalizer, Reading, RuleError, Score, Scorer, Transform, View,
    error::RuleTrouble,
    lexicon::{self, Lexicon, Trie, classes},
};

/// The id of the finding that says that another one was seen only after a disguise came off.
const DISGUISED: &str = "evasion.disguised";
/// The id of the finding that says that there is text in invisible characters.
const INVISIBLE: &str = "evasion.invisible-text";
/// What hidden text counts whatever it says: enough for a second look. What it says is judged too.
const HIDDEN: f32 = 0.2;

/// A set of rules.
///
/// A rule never looks for a single word: "ignore", "bypass" and "act as" are in every manual. It asks for words of
/// several classes, in order and close together ("ignore" ... "previous" ... "instructions"), in an imperative, and it
/// counts for less where the sentence talks about such words ("how do I", "the phrase").
///
/// What several rules see close together adds up; what stands far apart does not, so that a long text is not suspicious
/// for its length.
#[derive(Clone, Debug)]
pub struct Rules {
    built_in: Vec<Entry>,
    matcher: Matcher,
    custom: Vec<Rule>,
    custom_entries: Vec<Entry>,
    custom_matcher: Matcher,
    custom_lexicon: Option<Lexicon>,
    disguised: bool,
    invisible: bool,
}

/// What is known of a rule besides its pattern.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: Cow<'static, str>,
    pub(super) family: Family,
    pub(super) severity: Severity,
    weight: f32,
    data_weight: f32,
    enabled: bool,
}

impl Entry {
    fn weight(&self, channel: Channel) -> f32 {
        match channel {
            Channel::Document | Channel::Tool => self.data_weight,
            // The developer may write what others may not; half is left for what was pasted in.
            Channel::System => self.weight * 0.5,
            _ => self.weight,
        }
    }
}

impl Rules {
    /// Every built-in rule.
    #[must_use]
    pub fn standard() -> Self {
        let built_in = built_in::specs().map(|spec| Entry {
            id: Cow::Borrowed(spec.id),
            family: spec.family,
            severity: spec.severity,
            weight: spec.weight,
            data_weight: spec.data_weight,
            enabled: true,
        });
        let patterns = built_in::specs().map(|spec| Pattern {
            steps: steps(spec.steps.iter().copied()),
            not_after: spec.not_after,
            not_between: spec.not_between,
            mentionable: spec.mentionable,
        });
        Self {
            built_in: built_in.collect(),
            matcher: Matcher::new(patterns.collect()),
            disguised: true,
            invisible: true,
            ..Self::empty()
        }
    }

    /// No rule at all, to add your own to.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            built_in: Vec::new(),
            matcher: Matcher::new(Vec::new()),
            custom: Vec::new(),
            custom_entries: Vec::new(),
            custom_matcher: Matcher::new(Vec::new()),
            custom_lexicon: None,
            disguised: false,
            invisible: false,
        }
    }

    /// The same with `rule`.
    ///
    /// # Errors
    ///
    /// If the rule is not sound, its id is taken, or there are [`MAX_CUSTOM_RULES`] already.
    pub fn with_rule(mut self, rule: Rule) -> Result<Self, RuleError> {
        rule.check()?;
        if self.ids().any(|id| id == rule.id) {
            return Err(RuleError::new(&rule.id, RuleTrouble::Duplicate));
        }
        if self.custom.len() == MAX_CUSTOM_RULES {
            return Err(RuleError::new(&rule.id, RuleTrouble::TooMany));
        }
        self.custom.push(rule);
        self.compile_custom();
        Ok(self)
    }

    /// The same without the rule called `id`.
    ///
    /// # Errors
    ///
    /// If there is no such rule: a mistyped id must not leave a rule on that somebody believes to be off.
    pub fn without_rule(mut self, id: &str) -> Result<Self, RuleError> {
        if let Some(entry) = self
            .built_in
            .iter_mut()
            .find(|entry| entry.enabled && entry.id == id)
        {
            entry.enabled = false;
        } else if let Some(place) = self.custom.iter().position(|rule| rule.id == id) {
            self.custom.remove(place);
            self.compile_custom();
        } else if id == DISGUISED && self.disguised {
            self.disguised = false;
        } else if id == INVISIBLE && self.invisible {
            self.invisible = false;
        } else {
            return Err(RuleError::new(id, RuleTrouble::Unknown));
        }
        Ok(self)
    }

    /// The ids of the rules that are on.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let built_in = self.built_in.iter().filter(|entry| entry.enabled);
        built_in
            .map(|entry| &*entry.id)
            .chain(self.custom.iter().map(|rule| rule.id.as_str()))
            .chain(self.disguised.then_some(DISGUISED))
            .chain(self.invisible.then_some(INVISIBLE))
    }

    /// What there is to know of every built-in rule that looks for words: its family with the OWASP and ATLAS ids, its
    /// languages, and texts that it finds and spares.
    pub fn catalogue() -> impl Iterator<Item = RuleInfo> {
        RuleInfo::all()
    }

    fn compile_custom(&mut self) {
        let normalizer = Normalizer::new();
        let mut words = Vec::new();
        let mut patterns = Vec::new();
        self.custom_entries.clear();
        for rule in &self.custom {
            let mut wanted = Vec::new();
            for (alternatives, within) in &rule.steps {
                // Thirty rules of four steps fit into the classes there are.
                let class = 1 << (patterns.len() * MAX_STEPS + wanted.len());
                wanted.push((class, *within));
                words.extend(alternatives.iter().map(|word| {
                    let word = normalizer.fold(word).text().to_lowercase();
                    let word: Vec<&str> = word.split_whitespace().collect();
                    (word.join("_"), class)
                }));
            }
            patterns.push(Pattern {
                steps: steps(wanted.into_iter()),
                not_after: 0,
                not_between: 0,
                mentionable: false,
            });
            self.custom_entries.push(Entry {
                id: Cow::Owned(rule.id.clone()),
                family: rule.family,
                severity: rule.severity,
                weight: rule.weight,
                data_weight: rule.data_weight.unwrap_or(rule.weight),
                enabled: true,
            });
        }
        self.custom_matcher = Matcher::new(patterns);
        self.custom_lexicon = (!words.is_empty()).then(|| Lexicon {
            words: Trie::new(words.iter().map(|(word, class)| (word.as_str(), *class))),
            marks: None,
        });
    }
}

fn steps(steps: impl Iterator<Item = (classes::Classes, u32)>) -> Vec<Step> {
    steps
        .map(|(classes, within)| Step {
            classes,
            within: within.saturating_mul(lexicon::WORD),
        })
        .collect()
}

impl Default for Rules {
    fn default() -> Self {
        Self::standard()
    }
}

impl Scorer for Rules {
    fn score(&self, reading: &Reading<'_>) -> Score {
        let mut sightings = Vec::new();
        let mut hits = Vec::new();
        for (index, view) in reading.views().iter().enumerate() {
            if !self.built_in.is_empty() {
                let found = self.matcher.run(&reading.hits()[index]);
                sightings.extend(sightings_of(
                    &self.built_in,
                    &found,
                    view,
                    reading.channel(),
                ));
            }
            if let Some(lexicon) = &self.custom_lexicon {
                hits.clear();
                lexicon.scan(view.text(), &mut hits);
                let found = self.custom_matcher.run(&hits);
                let seen = sightings_of(&self.custom_entries, &found, view, reading.channel());
                sightings.extend(seen);
            }
        }
        let mut findings = Vec::new();
        if self.invisible
            && let Some(view) = reading
                .views()
                .iter()
                .find(|view| view.transform() == Transform::Unhidden)
        {
            let range = view.source((0..view.text().trim_end().len()).into());
            findings.push(Finding::new(
                INVISIBLE,
                Family::EncodingEvasion.name(),
                Severity::High,
                range,
                HIDDEN,
            ));
        }
        combine(sightings, self.disguised.then_some(DISGUISED), findings)
    }
}

fn sightings_of<'r>(
    entries: &'r [Entry],
    matches: &[Match],
    view: &View<'_>,
    channel: Channel,
) -> impl Iterator<Item = Sighting<'r>> {
    let seen = matches
        .iter()
        .map(move |found| (&entries[found.pattern], found));
    seen.filter(|(entry, _)| entry.enabled)
        .map(move |(entry, found)| Sighting {
            entry,
            range: view.source((found.start..found.end).into()),
            weight: entry.weight(channel) * found.factor,
            disguise: disguise(view.transform()),
        })
}

/// How much a disguise adds to what was found under it. Some are part of every web page.
fn disguise(transform: Transform) -> f32 {
    match transform {
        Transform::Folded | Transform::Unescaped => 0.0,
        Transform::Tidied => 0.15,
        Transform::Unhidden => 0.6,
        _ => 0.3,
    }
}

#[cfg(test)]
mod tests;
