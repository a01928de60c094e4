use std::fmt;

use regex_automata::{
    Anchored, MatchKind,
    dfa::{Automaton, StartKind, dense},
    nfa::thompson,
    util::{start, syntax},
};

use super::OwnRule;
use crate::{ConfigError, Kind, OWN_MATCH_MAX, kind::Label, token::Hit, view::View};

/// How large the state machine of all own patterns may become.
const SIZE_MAX: usize = 8 << 20;

/// All own patterns in one state machine, read byte by byte so that it is known when an answer depended on text that
/// has not arrived.
#[derive(Default)]
pub(crate) struct Patterns {
    machine: Option<Box<Machine>>,
}

struct Machine {
    dfa: dense::DFA<Vec<u32>>,
    labels: Vec<Label>,
    /// Which bytes a match may begin with.
    begins: [bool; 256],
}

impl Patterns {
    pub(crate) fn new(rules: &[OwnRule]) -> Result<Self, ConfigError> {
        if rules.is_empty() {
            return Ok(Self::default());
        }
        let patterns: Vec<&str> = rules.iter().map(|rule| rule.pattern.as_str()).collect();
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Anchored)
                    .match_kind(MatchKind::LeftmostFirst)
                    .dfa_size_limit(Some(SIZE_MAX))
                    .determinize_size_limit(Some(SIZE_MAX)),
            )
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(
                thompson::Config::new()
                    .utf8(false)
                    .nfa_size_limit(Some(SIZE_MAX)),
            )
            .build_many(&patterns)
            .map_err(|error| ConfigError::Pattern {
                reason: reason(&error),
            })?;
        let labels = rules
            .iter()
            .enumerate()
            .map(|(at, rule)| Label {
                own: u8::try_from(at).ok(),
                ..Label::new("own", rule.kind, rule.severity)
            })
            .collect();
        let mut begins = [true; 256];
        if let Some(start) = dfa.universal_start_state(Anchored::Yes) {
            for byte in 0..=255u8 {
                begins[usize::from(byte)] = !dfa.is_dead_state(dfa.next_state(start, byte));
            }
        }
        Ok(Self {
            machine: Some(Box::new(Machine {
                dfa,
                labels,
                begins,
            })),
        })
    }

    /// What each finds.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        let labels = self.machine.iter().flat_map(|machine| &machine.labels);
        labels.map(|label| label.kind)
    }

    /// Goes on from `at` as far as can be decided and returns how far that was; see `Engine::advance`.
    pub(crate) fn advance(
        &self,
        bytes: &[u8],
        mut at: usize,
        base: usize,
        last: bool,
        hits: &mut Vec<Hit>,
    ) -> usize {
        let Some(machine) = &self.machine else {
            return bytes.len();
        };
        while at < bytes.len() {
            let byte = bytes[at];
            // Matches begin with a character, not within one.
            if !machine.begins[usize::from(byte)] || is_within_character(byte) {
                at += 1;
                continue;
            }
            let view = View::new(bytes, at, last);
            let found = machine.find(&view, at);
            if view.waits() {
                return at;
            }
            match found {
                Some((end, label)) => {
                    hits.push(Hit::new(label, base + at, base + end, 0.8));
                    at = end;
                }
                None => at += 1,
            }
        }
        at
    }
}

impl Machine {
    /// The match that begins at `at`.
    fn find(&self, view: &View<'_>, at: usize) -> Option<(usize, Label)> {
        let behind = (at > 0).then(|| view.at(at - 1));
        let config = start::Config::new()
            .anchored(Anchored::Yes)
            .look_behind(behind);
        let mut state = self.dfa.start_state(&config).ok()?;
        let mut found = None;
        let mut end = at;
        // The machine says one byte late that it has matched.
        while end <= at + OWN_MATCH_MAX {
            state = if view.ends_at(end) {
                self.dfa.next_eoi_state(state)
            } else {
                self.dfa.next_state(state, view.at(end))
            };
            if self.dfa.is_match_state(state) && end > at {
                found = Some((
                    end,
                    self.labels[self.dfa.match_pattern(state, 0).as_usize()],
                ));
            }
            if self.dfa.is_dead_state(state) || self.dfa.is_quit_state(state) || view.ends_at(end) {
                break;
            }
            end += 1;
        }
        let (mut end, label) = found?;
        while is_within_character(view.at(end)) {
            end += 1;
        }
        Some((end, label))
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self
            .machine
            .as_ref()
            .map_or(0, |machine| machine.labels.len());
        write!(f, "{count} patterns")
    }
}

const fn is_within_character(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// The innermost reason: the outer ones only say that a machine was being built.
fn reason(error: &dense::BuildError) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
