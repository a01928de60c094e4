//! Sets of our own to measure with, apart from all that is trained on: their sentences are in no grammar of ours.

mod texts;

/// The disguises of the library's tests.
#[path = "../../../palisade-injection/tests/common/disguise.rs"]
mod disguise;

use palisade_core::{Channel, Text};
use palisade_injection::{Detector, Ensemble, Outcome};

use super::{eval, examples::is_document, random::Random, rows::Row};

/// How many documents are made of each kind, with something slipped in and without.
const DOCUMENTS: usize = 240;
/// The shortest and the longest of long documents, in bytes.
const LONG: (usize, usize) = (5_000, 20_000);

/// A table of what is blocked of each set. `rows` give their honest documents as carriers.
pub(super) fn report(rows: &[Row]) -> String {
    let theirs = rows
        .iter()
        .filter(|row| !row.attack && is_carrier(row))
        .map(|row| &*row.text);
    let carriers: Vec<&str> = texts::PARAGRAPHS.iter().copied().chain(theirs).collect();
    let mut sets = Sets {
        detector: Ensemble::standard(),
        random: Random::new(41),
        carriers,
        out: String::new(),
    };
    sets.out += "| Sets of our own, apart from training | texts | blocked | interval |\n|---|---:|---:|---|\n";
    sets.messages();
    sets.documents();
    sets.tools();
    sets.disguises();
    sets.out.push('\n');
    sets.out
}

fn is_carrier(row: &Row) -> bool {
    (row.kind == "benign_doc" || is_document(&row.source)) && (200..2_000).contains(&row.text.len())
}

struct Sets<'r> {
    detector: Ensemble,
    random: Random,
    carriers: Vec<&'r str>,
    out: String,
}

impl Sets<'_> {
    fn set<T: AsRef<str>>(
        &mut self,
        name: &str,
        channel: Channel,
        texts: impl IntoIterator<Item = T>,
    ) {
        let (mut blocked, mut all) = (0, 0);
        for text in texts {
            let verdict = self.detector.detect(Text::new(channel, text.as_ref()));
            blocked += usize::from(verdict.outcome == Outcome::Block);
            all += 1;
        }
        eval::line(&mut self.out, name, blocked, all);
    }

    fn messages(&mut self) {
        let foreign: Vec<&str> = texts::FOREIGN.iter().flat_map(|(_, said)| *said).collect();
        let languages = texts::FOREIGN.len();
        self.set(
            "honest messages full of the words of attacks",
            Channel::User,
            texts::HONEST,
        );
        self.set(
            "attack: explicit templates in English",
            Channel::User,
            texts::TEMPLATES,
        );
        let name = format!("attack: explicit templates in {languages} other languages");
        self.set(&name, Channel::User, foreign);
        self.set(
            "attack: fluent persuasion",
            Channel::User,
            texts::PERSUASION,
        );
    }

    fn documents(&mut self) {
        for (name, long) in [
            ("short documents", false),
            ("documents of 5 to 20 kB", true),
        ] {
            let honest: Vec<String> = (0..DOCUMENTS).map(|_| self.document(long)).collect();
            let slipped: Vec<String> = (0..DOCUMENTS)
                .map(|index| {
                    let document = self.document(long);
                    let slip = texts::SLIPPED[index % texts::SLIPPED.len()];
                    self.slip(&document, slip)
                })
                .collect();
            self.set(&format!("honest {name}"), Channel::Document, honest);
            let name = format!("attack: one sentence hidden in {name}");
            self.set(&name, Channel::Document, slipped);
        }
    }

    fn tools(&mut self) {
        let plain = texts::PARAGRAPHS;
        let honest: Vec<String> = (0..DOCUMENTS)
            .map(|index| tool_result(index, plain[index % plain.len()]))
            .collect();
        let bare = texts::BARE;
        let results = |marked: bool| -> Vec<String> {
            let markers = texts::MARKERS;
            (0..DOCUMENTS)
                .map(|index| {
                    let marker = markers[index / bare.len() % markers.len()];
                    let marker = if marked { marker } else { "" };
                    tool_result(index, &format!("{marker}{}", bare[index % bare.len()]))
                })
                .collect()
        };
        self.set("honest tool results", Channel::Tool, honest);
        self.set(
            "attack: tool results with a marker",
            Channel::Tool,
            results(true),
        );
        self.set(
            "attack: tool results with a bare request",
            Channel::Tool,
            results(false),
        );
    }

    fn disguises(&mut self) {
        let count = disguise::all_disguises("a word").len();
        let all = |texts: &[&str]| -> Vec<String> {
            let disguised = texts.iter().flat_map(|text| disguise::all_disguises(text));
            disguised.map(|(_, text)| text).collect()
        };
        let name = format!("honest messages in {count} disguises");
        self.set(&name, Channel::User, all(&disguise::HARMLESS));
        let name = format!("attack: {} in {count} disguises", disguise::ATTACKS.len());
        self.set(&name, Channel::User, all(&disguise::ATTACKS));
    }

    /// One carrier, or as many as a long document takes.
    fn document(&mut self, long: bool) -> String {
        let wanted = if long {
            LONG.0 + self.random.below(LONG.1 - LONG.0)
        } else {
            1
        };
        let mut document = String::new();
        while document.len() < wanted {
            document += self.random.pick(&self.carriers);
            document += "\n\n";
        }
        document
    }

    fn slip(&mut self, document: &str, slip: &str) -> String {
        let mut places: Vec<usize> = document.match_indices(". ").map(|(at, _)| at + 1).collect();
        places.push(document.len());
        let (before, after) = document.split_at(places[self.random.below(places.len())]);
        format!("{before} {slip} {after}")
    }
}

/// What a tool gave back, in one of four forms.
fn tool_result(index: usize, text: &str) -> String {
    match index % 4 {
        0 => format!("{{\"id\": {index}, \"status\": \"ok\", \"note\": \"{text}\"}}"),
        1 => format!("<result><title>Entry {index}</title><body>{text}</body></result>"),
        2 => format!(
            "3 results\n\n1. Opening hours: 9 to 17\n2. {text}\n3. Parking: behind the house"
        ),
        _ => format!(
            "{{'review': {{'stars': {}, 'author': 'M.', 'text': '{text}'}}}}",
            index % 5
        ),
    }
}
