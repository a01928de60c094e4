//! Rows of our own making.
//!
//! Everything here is written for this project: patterns for attacks and for honest texts that use the same words, in
//! English and in sixty other languages, and documents to slip them into. The documents of other people that serve as
//! carriers come from the rows that were read, and stay outside the repository with them.

mod attacks;
mod carriers;
mod documents;
mod grammar;
mod honest;
mod languages;

use std::collections::BTreeSet;

use self::grammar::Grammar;
use super::{random::Random, rows::Row};

const ENGLISH: Grammar = Grammar(&[attacks::ATTACKS, honest::HONEST, documents::DOCUMENTS]);
const FOREIGN: Grammar = Grammar(&[languages::LANGUAGES]);

/// How many rows of each kind are made: list, kind, whether an attack.
const PLAN: &[(&str, &str, bool, usize)] = &[
    ("direct", "direct_override", true, 3500),
    ("extraction", "extraction", true, 2500),
    ("jail", "jailbreak", true, 1500),
    ("forged", "delimiter", true, 700),
    ("hard", "benign_hard", false, 7000),
    ("system", "benign_hard", false, 3000),
];

/// How many attacks and honest texts there are of each language.
const OF_A_LANGUAGE: (usize, usize) = (60, 30);

/// Our own rows. `others` are the rows whose honest documents may carry an attack.
pub(super) fn rows(others: &[Row]) -> Vec<Row> {
    let mut maker = Maker {
        random: Random::new(20),
        seen: BTreeSet::new(),
        rows: Vec::new(),
    };
    for &(list, kind, attack, count) in PLAN {
        for _ in 0..count {
            let text = ENGLISH.say(list, &mut maker.random);
            let text = maker.rough(text);
            maker.add(text, attack, kind, list, "en");
        }
    }
    maker.foreign();
    carriers::add(&mut maker, others);
    maker.rows
}

struct Maker {
    random: Random,
    seen: BTreeSet<String>,
    rows: Vec<Row>,
}

impl Maker {
    /// Adds a text unless it is there.
    fn add(&mut self, text: String, attack: bool, kind: &str, list: &str, lang: &str) {
        if self.seen.insert(text.clone()) {
            self.rows.push(Row {
                text,
                attack,
                kind: kind.to_owned(),
                source: format!("own:made:{list}"),
                lang: lang.to_owned(),
                ..Row::default()
            });
        }
    }

    fn foreign(&mut self) {
        for (list, _) in languages::LANGUAGES {
            let Some((attack, lang)) = (match list.split_at(1) {
                ("+", lang) => Some((true, lang)),
                ("-", lang) => Some((false, lang)),
                _ => None,
            }) else {
                continue;
            };
            let (count, kind) = if attack {
                (OF_A_LANGUAGE.0, "multilingual")
            } else {
                (OF_A_LANGUAGE.1, "benign_hard")
            };
            for _ in 0..count {
                let text = self.foreign_text(list, lang);
                let text = self.rough(text);
                self.add(text, attack, kind, "languages", lang);
            }
        }
    }

    fn foreign_text(&mut self, list: &str, lang: &str) -> String {
        let said = FOREIGN.say(list, &mut self.random);
        match lang {
            "zh" | "zh-tw" | "ja" => said.replace(' ', ""),
            "ko" => [" 의", " 를", " 을", " 에", " 라고", " 이고"]
                .iter()
                .fold(said, |said, particle| {
                    said.replace(particle, particle.trim())
                }),
            _ => said,
        }
    }

    /// Written as people write: mostly well, sometimes in one case, without signs, with a slip of the finger.
    fn rough(&mut self, text: String) -> String {
        match self.random.below(20) {
            0 => text.to_uppercase(),
            1..4 => text.to_lowercase(),
            4 => text.chars().filter(|c| !c.is_ascii_punctuation()).collect(),
            5 => self.slip(&text),
            _ => text,
        }
    }

    /// Two letters swapped in a word or two.
    fn slip(&mut self, text: &str) -> String {
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        for _ in 0..2 {
            let chosen = self.random.below(words.len());
            let mut letters: Vec<char> = words[chosen].chars().collect();
            if letters.len() > 3 {
                let at = 1 + self.random.below(letters.len() - 2);
                letters.swap(at, at + 1);
                words[chosen] = letters.into_iter().collect();
            }
        }
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_rows_are_made_every_time_and_every_list_can_be_said() {
        let made = rows(&[]);
        assert_eq!(made, rows(&[]));
        assert!(made.len() > 10_000);
        for table in [attacks::ATTACKS, honest::HONEST, documents::DOCUMENTS] {
            for (list, patterns) in table {
                let mut random = Random::new(3);
                for _ in 0..4 * patterns.len() {
                    assert!(!ENGLISH.say(list, &mut random).contains(['⟦', '⦃']));
                }
            }
        }
    }

    #[test]
    fn every_language_has_attacks_tasks_and_honest_texts() {
        let lists: BTreeSet<&str> = languages::LANGUAGES.iter().map(|(list, _)| *list).collect();
        for list in &lists {
            let lang = list.trim_start_matches(['+', '-']);
            for wanted in [format!("+{lang}"), format!("-{lang}"), lang.to_owned()] {
                assert!(lists.contains(&*wanted), "{wanted}");
            }
        }
    }
}
