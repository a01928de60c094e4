//! Documents and tool results, with and without something slipped in.

use std::collections::BTreeMap;

use super::{ENGLISH, Maker, languages::LANGUAGES};
use crate::injection::{examples::is_document, folds::family, rows::Row};
use palisade_core::Channel;

/// How many documents of our own are made with something slipped in, and without.
const OWN: (usize, usize) = (5000, 5000);
/// How many tool results.
const TOOLS: (usize, usize) = (3500, 3500);
/// How many documents of others carry something.
const OTHERS: usize = 2500;
/// How many long documents are made of those of others, with something slipped in, and as many without.
const LONG: usize = 700;
/// The shortest and the longest of these, in bytes.
const LONG_BYTES: (usize, usize) = (3_000, 18_000);

pub(super) fn add(maker: &mut Maker, others: &[Row]) {
    for attack in [true, false] {
        let count = |counts: (usize, usize)| if attack { counts.0 } else { counts.1 };
        for _ in 0..count(OWN) {
            let slip = attack.then(|| maker.slipped());
            let document = maker.document(slip.as_deref());
            maker.carried(document, slip, "documents", Channel::Document);
        }
        for _ in 0..count(TOOLS) {
            let slip = attack.then(|| maker.slipped_into_tool());
            let result = maker.tool_result(slip.as_deref());
            maker.carried(result, slip, "tools", Channel::Tool);
        }
    }
    // A sentence to the assistant alone, as a document.
    for _ in 0..1000 {
        let slip = maker.slipped();
        maker.carried(slip.clone(), Some(slip), "documents", Channel::Document);
    }
    let honest: Vec<&Row> = others
        .iter()
        .filter(|row| !row.attack && row.text.len() > 120 && carries(row))
        .collect();
    if honest.is_empty() {
        return;
    }
    // What is made of somebody's documents is left out with them: what carries attacks only would look like one.
    let mut families: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &honest {
        families.entry(family(&row.source)).or_default().push(row);
    }
    for (family, rows) in &families {
        for _ in 0..OTHERS * rows.len() / honest.len() {
            let carrier = rows[maker.random.below(rows.len())].text.clone();
            let slip = maker.slipped();
            let document = maker.insert(&carrier, &slip);
            maker.carried(
                document,
                Some(slip),
                &format!("hidden@{family}"),
                Channel::Document,
            );
        }
        for _ in 0..LONG * rows.len() / honest.len() {
            let document = maker.long(rows);
            let slip = maker.slipped();
            let document = maker.insert(&document, &slip);
            maker.carried(
                document,
                Some(slip),
                &format!("long@{family}"),
                Channel::Document,
            );
            let document = maker.long(rows);
            maker.carried(document, None, &format!("long@{family}"), Channel::Document);
        }
    }
}

fn carries(row: &Row) -> bool {
    row.kind == "benign_doc" || row.kind == "benign_code" || is_document(&row.source)
}

impl Maker {
    fn carried(&mut self, text: String, core: Option<String>, list: &str, channel: Channel) {
        let kind = if core.is_some() {
            "indirect"
        } else {
            "benign_doc"
        };
        if self.seen.insert(text.clone()) {
            self.rows.push(Row {
                text,
                attack: core.is_some(),
                kind: kind.to_owned(),
                source: format!("own:made:{list}"),
                lang: "en".to_owned(),
                core,
                channel: Some(channel),
            });
        }
    }

    fn say(&mut self, list: &str) -> String {
        ENGLISH.say(list, &mut self.random)
    }

    /// What is slipped into a document.
    fn slipped(&mut self) -> String {
        if self.random.one_in(8) {
            let attacks: Vec<&str> = LANGUAGES
                .iter()
                .map(|(list, _)| *list)
                .filter(|list| list.starts_with('+'))
                .collect();
            let list = attacks[self.random.below(attacks.len())];
            return self.foreign_text(list, &list[1..]);
        }
        let slip = self.say("slip");
        if self.random.one_in(12) {
            self.rough(slip)
        } else {
            slip
        }
    }

    fn slipped_into_tool(&mut self) -> String {
        match self.random.below(5) {
            0..2 => self.say("request"),
            2 => format!("{} {}", self.say("marker"), self.say("request")),
            3 => {
                let list: &str = self.random.pick(&["exfil", "duty"]);
                self.say(list)
            }
            _ => self.slipped(),
        }
    }

    /// A long document.
    fn long(&mut self, rows: &[&Row]) -> String {
        let wanted = LONG_BYTES.0 + self.random.below(LONG_BYTES.1 - LONG_BYTES.0);
        let mut document = String::new();
        while document.len() < wanted {
            document += &rows[self.random.below(rows.len())].text;
            document += "\n\n";
        }
        document
    }

    /// `slip` between two sentences or lines of `carrier`.
    fn insert(&mut self, carrier: &str, slip: &str) -> String {
        let mut places: Vec<usize> = vec![0, carrier.len()];
        places.extend(carrier.match_indices(['\n', '.']).map(|(at, _)| at + 1));
        let at = places[self.random.below(places.len())];
        let around: &str = self.random.pick(&["\n", " ", "\n\n", " "]);
        let slip: String = match self.random.below(14) {
            0 => format!("<!-- {slip} -->"),
            1 => format!("<span style=\"display:none\">{slip}</span>"),
            2 => format!("({slip})"),
            3 => format!("\"{slip}\""),
            4 => format!("# {slip}"),
            _ => slip.to_owned(),
        };
        format!("{}{around}{slip}{around}{}", &carrier[..at], &carrier[at..])
    }

    fn sentences(&mut self, slip: Option<&str>) -> Vec<String> {
        let count = 2 + self.random.below(9);
        let list: &str = self.random.pick(&["plain", "plain", "plain", "faq"]);
        let mut sentences: Vec<String> = (0..count)
            .map(|_| {
                if list == "faq" && self.random.one_in(2) {
                    self.say("faq")
                } else {
                    self.say("plain")
                }
            })
            .collect();
        if let Some(slip) = slip {
            let at = self.random.below(sentences.len() + 1);
            sentences.insert(at, slip.to_owned());
        }
        sentences
    }

    /// A document with `slip` in it.
    fn document(&mut self, slip: Option<&str>) -> String {
        let sentences = self.sentences(slip);
        let title = self.say("title");
        let (name, other) = (self.say("name"), self.say("name"));
        let date = format!(
            "2024-{:02}-{:02}",
            1 + self.random.below(12),
            1 + self.random.below(28)
        );
        let glue: &str = self.random.pick(&[" ", " ", "\n", "\n\n"]);
        let body = sentences.join(glue);
        match self.random.below(9) {
            0 => format!(
                "Subject: {title}\nFrom: {name}\nTo: {other}\n\nHi {other},\n\n{body}\n\nBest regards,\n{name}"
            ),
            1 => {
                let paragraphs: Vec<String> = sentences
                    .iter()
                    .map(|line| format!("<p>{line}</p>"))
                    .collect();
                format!(
                    "<html><head><title>{title}</title></head><body><h1>{title}</h1>{}</body></html>",
                    paragraphs.join("\n")
                )
            }
            2 => format!("# {title}\n\n{}", sentences.join("\n\n")),
            3 => format!("{title}\n\n- {}", sentences.join("\n- ")),
            4 => {
                let lines: Vec<String> = sentences
                    .iter()
                    .enumerate()
                    .map(|(index, line)| {
                        format!("{}: {line}", if index % 2 == 0 { &name } else { &other })
                    })
                    .collect();
                lines.join("\n")
            }
            5 => format!("{title} ({date})\n{body}\n{name}, {other}"),
            6 => format!(
                "Ticket {}: {title}\nCustomer: {name}\n{body}",
                self.random.below(90_000)
            ),
            7 => format!(
                "{date};{name};{}",
                sentences.join(&format!("\n{date};{other};"))
            ),
            _ => body,
        }
    }

    /// What a tool gave back, with `slip` as one of its texts.
    fn tool_result(&mut self, slip: Option<&str>) -> String {
        let plain = |maker: &mut Self| {
            let count = 1 + maker.random.below(3);
            (0..count)
                .map(|_| maker.say("plain"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let before = plain(self);
        let text = match slip {
            Some(slip) if self.random.one_in(3) => format!("{before} {slip}"),
            Some(slip) => slip.to_owned(),
            None => before,
        };
        let (title, name, after) = (self.say("title"), self.say("name"), plain(self));
        let number = self.random.below(9000);
        match self.random.below(9) {
            0 => format!(
                "{{\"id\": {number}, \"title\": \"{title}\", \"content\": \"{text}\", \"author\": \"{name}\"}}"
            ),
            1 => format!(
                "{{'reviews': [{{'reviewer': '{name}', 'rating': {}, 'comment': '{text}'}}]}}",
                number % 6
            ),
            2 => format!(
                "[{{\"from\": \"{name}\", \"subject\": \"{title}\", \"body\": \"{text}\"}}, {{\"from\": \"{name}\", \"body\": \"{after}\"}}]"
            ),
            3 => format!(
                "{{'status': 'ok', 'result': {{'note': '{text}', 'created': '2023-0{}-11', 'owner': '{name}'}}}}",
                1 + number % 9
            ),
            4 => format!("Search results:\n1. {title}: {after}\n2. {title}: {text}"),
            5 => format!(
                "{{\"product\": {{\"name\": \"{title}\", \"price\": {number}, \"qa\": [{{\"question\": \"{text}\", \"answer\": \"{after}\"}}]}}}}"
            ),
            6 => format!(
                "{{'tweets': [{{'user': '{name}', 'text': '{text}'}}, {{'user': 'x{number}', 'text': '{after}'}}]}}"
            ),
            7 => format!(
                "{{\"events\": [{{\"title\": \"{title}\", \"description\": \"{text}\", \"time\": \"{}:00\"}}]}}",
                number % 24
            ),
            _ => text,
        }
    }
}
