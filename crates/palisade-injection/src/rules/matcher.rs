use crate::lexicon::{
    Hit,
    classes::{self as c, Classes, NOTHING},
    steps::step,
};

/// What a rule looks for: entries of certain classes, in order and close together.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) steps: Vec<Step>,
    /// Not right after one of these, in the same sentence: "never", "I".
    pub(super) not_after: Classes,
    /// Not with one of these in between: "my".
    pub(super) not_between: Classes,
    /// Whether talk about attacks ("how do I", "the phrase", "if the user asks") weakens it.
    pub(super) mentionable: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) classes: Classes,
    /// At most so many words after the step before it.
    pub(super) within: u32,
}

/// A pattern found in a list of hits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Match {
    pub(super) pattern: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// 1, or less where the text only talks about it.
    pub(super) factor: f32,
}

/// Patterns, ready to be run over hits in one pass.
///
/// Each pattern is a small automaton that remembers, for each of its steps, the latest place where the steps so far
/// were found: a later one is always as good, because only the distance to the next step counts. So a pass costs time
/// proportional to the hits, whatever the text.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    patterns: Vec<Pattern>,
    /// Where each pattern's states begin.
    states: Vec<usize>,
    total: usize,
    /// For each class, the patterns and steps it serves; later steps first, so that no hit serves two steps at once.
    by_class: Vec<Vec<(u16, u8)>>,
    /// The classes of first steps, and those of the steps after them, of each pattern that begins so.
    by_beginning: Vec<(Classes, Vec<Vec<Classes>>)>,
}

/// The first hit and the latest hit of a pattern found so far.
type State = Option<(u32, u32)>;

/// How far back a word such as "never" still denies what follows.
const DENIAL: u32 = 3 * WORD;
/// How far back words such as "how do I" still mean that the text only talks about it.
const TALK: u32 = 14 * WORD;
/// What talk about an attack leaves of a rule's weight.
const TALK_FACTOR: f32 = 0.4;
/// The places of one pattern that are reported for one text.
const MOST_PER_PATTERN: u8 = 4;
const WORD: u32 = crate::lexicon::WORD;

impl Matcher {
    pub(super) fn new(patterns: Vec<Pattern>) -> Self {
        let mut by_class = vec![Vec::new(); Classes::BITS as usize];
        let mut states = Vec::with_capacity(patterns.len());
        let mut by_beginning: Vec<(Classes, Vec<Vec<Classes>>)> = Vec::new();
        let mut total = 0;
        for (index, pattern) in patterns.iter().enumerate() {
            let mut classes = pattern.steps.iter().map(|step| step.classes);
            if let Some(first) = classes.next() {
                let rest = classes.collect();
                match by_beginning.iter_mut().find(|(other, _)| *other == first) {
                    Some((_, rests)) => rests.push(rest),
                    None => by_beginning.push((first, vec![rest])),
                }
            }
            states.push(total);
            total += pattern.steps.len();
            for (step, wanted) in pattern.steps.iter().enumerate().rev() {
                let mut classes = wanted.classes;
                while classes != NOTHING {
                    by_class[classes.trailing_zeros() as usize].push((index as u16, step as u8));
                    classes &= classes - 1;
                }
            }
        }
        Self {
            patterns,
            states,
            total,
            by_class,
            by_beginning,
        }
    }

    /// Finds the patterns in `hits`.
    pub(super) fn run(&self, hits: &[Hit]) -> Vec<Match> {
        let mut matches: Vec<Match> = Vec::new();
        // Most texts have all the words of no rule.
        let seen = hits.iter().fold(NOTHING, |seen, hit| seen | hit.classes);
        if !self.may_match(seen) {
            return matches;
        }
        let mut states: Vec<State> = vec![None; self.total];
        // What is only talked about is counted apart, so that it cannot crowd out what is meant.
        let mut counts = vec![[0_u8; 2]; self.patterns.len()];
        for (index, hit) in hits.iter().enumerate() {
            let mut classes = hit.classes;
            while classes != NOTHING {
                let class = classes.trailing_zeros() as usize;
                classes &= classes - 1;
                for &(pattern, place) in &self.by_class[class] {
                    step();
                    let (pattern, step) = (pattern as usize, place as usize);
                    let Some(first) = self.advance(pattern, step, index, hits, &states) else {
                        continue;
                    };
                    states[self.states[pattern] + step] = Some((first, index as u32));
                    if step + 1 == self.patterns[pattern].steps.len()
                        && let Some(found) = self.confirm(pattern, first as usize, index, hits)
                    {
                        let same = matches.last().is_some_and(|last| {
                            last.pattern == found.pattern
                                && last.start == found.start
                                && last.end == found.end
                        });
                        if !same {
                            let count = &mut counts[pattern][usize::from(found.factor < 1.0)];
                            if *count < MOST_PER_PATTERN {
                                *count += 1;
                                matches.push(found);
                            }
                        }
                    }
                }
            }
        }
        matches
    }

    /// Whether words of the classes `seen` can meet any pattern, wherever they stand.
    fn may_match(&self, seen: Classes) -> bool {
        let met = |step: &Classes| step & seen != NOTHING;
        seen != NOTHING
            && self
                .by_beginning
                .iter()
                .any(|(first, rests)| met(first) && rests.iter().any(|rest| rest.iter().all(met)))
    }

    /// The first hit of `pattern` if the hit at `index` continues it as `step`.
    fn advance(
        &self,
        pattern: usize,
        step: usize,
        index: usize,
        hits: &[Hit],
        states: &[State],
    ) -> Option<u32> {
        if step == 0 {
            return Some(index as u32);
        }
        let (first, latest) = states[self.states[pattern] + step - 1]?;
        let before = &hits[latest as usize];
        let here = &hits[index];
        let near =
            here.at.saturating_sub(before.after) <= self.patterns[pattern].steps[step].within;
        (latest < index as u32 && here.start >= before.end.min(before.start + 1) && near)
            .then_some(first)
    }

    /// The match from hit `first` to hit `last`, unless the words around it say otherwise.
    fn confirm(&self, index: usize, first: usize, last: usize, hits: &[Hit]) -> Option<Match> {
        let pattern = &self.patterns[index];
        let start = &hits[first];
        let mut factor = 1.0;
        let mut denied = true;
        for before in hits[..first].iter().rev() {
            step();
            if before.start == start.start {
                continue;
            }
            let distance = start.at.saturating_sub(before.after);
            if before.sentence != start.sentence || distance > TALK {
                break;
            }
            // "I want you to ignore": whoever is named last is meant.
            denied &= before.classes & (c::YOU | c::MUST) == NOTHING
                || before.classes & c::NOT != NOTHING;
            if denied && distance <= DENIAL && before.classes & pattern.not_after != NOTHING {
                return None;
            }
            if pattern.mentionable && before.classes & (c::MENTION | c::IF | c::X_HOW) != NOTHING {
                factor = TALK_FACTOR;
            }
        }
        // An entry at the start of the match can be one of these itself ("is there any"); one inside it is not talk.
        if pattern.not_between != NOTHING
            && hits[first + 1..last]
                .iter()
                .any(|hit| hit.classes & pattern.not_between != NOTHING)
        {
            return None;
        }
        Some(Match {
            pattern: index,
            start: start.start as usize,
            end: hits[first..=last].iter().map(|hit| hit.end).max()? as usize,
            factor,
        })
    }
}
