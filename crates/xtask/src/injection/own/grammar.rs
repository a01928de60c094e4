//! Sentences from patterns: `[one|another]` is a choice, `{name}` a line of a table, `⟦` and `⦃` are brackets as such.

use crate::injection::random::Random;

/// Named lists of patterns.
pub(super) type Table = &'static [(&'static str, &'static [&'static str])];

/// Patterns and what their names stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar(pub(super) &'static [Table]);

/// How deep patterns may name one another.
const DEPTH: u8 = 8;

impl Grammar {
    /// A sentence of the list called `name`.
    ///
    /// # Panics
    ///
    /// If a pattern names a list that is not there: the tables are part of the program.
    pub(super) fn say(self, name: &str, random: &mut Random) -> String {
        let mut out = String::new();
        self.list(name, random, DEPTH, &mut out);
        tidy(&out)
    }

    fn list(self, name: &str, random: &mut Random, depth: u8, out: &mut String) {
        let lists = self.0.iter().flat_map(|table| table.iter());
        let mut lists = lists.filter(|(list, _)| *list == name);
        let (_, patterns) = lists
            .next()
            .unwrap_or_else(|| panic!("no list is called `{name}`"));
        self.expand(random.pick(patterns), random, depth, out);
    }

    fn expand(self, pattern: &str, random: &mut Random, depth: u8, out: &mut String) {
        assert!(
            depth > 0,
            "patterns name one another in a circle: `{pattern}`"
        );
        let mut rest = pattern;
        while let Some(at) = rest.find(['[', '{']) {
            out.push_str(&rest[..at]);
            let inner = &rest[at + 1..];
            if rest.as_bytes()[at] == b'{' {
                let end = inner
                    .find('}')
                    .unwrap_or_else(|| panic!("`{{` stays open in `{pattern}`"));
                self.list(&inner[..end], random, depth - 1, out);
                rest = &inner[end + 1..];
            } else {
                let (choices, end) =
                    choices(inner).unwrap_or_else(|| panic!("`[` stays open in `{pattern}`"));
                self.expand(random.pick(&choices), random, depth, out);
                rest = &inner[end + 1..];
            }
        }
        out.push_str(rest);
    }
}

/// The choices up to the closing bracket, and where that is.
fn choices(text: &str) -> Option<(Vec<&str>, usize)> {
    let mut choices = Vec::new();
    let (mut open, mut start) = (0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => open += 1,
            b']' if open > 0 => open -= 1,
            b']' => {
                choices.push(&text[start..at]);
                return Some((choices, at));
            }
            b'|' if open == 0 => {
                choices.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// Single spaces, none before a comma, and a capital at the start.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split(' ').filter(|part| !part.is_empty()) {
        let joined = part.starts_with([',', '.', '!', '?', ';', ':']) && part.len() == 1;
        if !out.is_empty() && !joined && !out.ends_with('\n') {
            out.push(' ');
        }
        out.push_str(part);
    }
    // Brackets that are meant.
    let out = out
        .replace('⟦', "[")
        .replace('⟧', "]")
        .replace('⦃', "{")
        .replace('⦄', "}");
    let mut chars = out.trim().chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_made_of_choices_and_lists() {
        let grammar = Grammar(&[&[
            ("say", &["[please |]{what} [now [at once]|] ."]),
            ("what", &["stop"]),
        ]]);
        let mut random = Random::new(1);
        let said: std::collections::BTreeSet<String> =
            (0..64).map(|_| grammar.say("say", &mut random)).collect();
        let expected = [
            "Please stop now at once.",
            "Please stop.",
            "Stop now at once.",
            "Stop.",
        ];
        assert!(said.iter().eq(expected.iter()), "{said:?}");
    }
}
