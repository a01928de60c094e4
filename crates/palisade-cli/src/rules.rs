//! `palisade rules`.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

use anyhow::Result;
use palisade::redaction::{Prefix, Rule, Scanner};
use serde::Serialize;

use crate::{args::Rules, output::Output, own_rules::OwnRules, tally::Tally};

/// Lists or tests the rules.
///
/// # Errors
///
/// If own rules cannot be used, or the output not be written.
pub(crate) fn run(arguments: &Rules, output: &mut Output) -> Result<Tally> {
    match arguments {
        Rules::List { json, rules } => list(*json, rules.as_deref(), output),
        Rules::Test { rules } => test(rules.as_deref(), output),
    }
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    kind: &'a str,
    name: String,
    documentation: &'a str,
}

fn list(json: bool, own: Option<&Path>, output: &mut Output) -> Result<Tally> {
    let own = OwnRules::load(own)?;
    let scanner = own.add_to(Scanner::builder()).build()?;
    // Of the formats of one rule, the first says where it is documented.
    let mut formats: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in Rule::all() {
        formats.entry(rule.id).or_default().push(rule);
    }
    for (id, kind) in scanner.kinds() {
        let known = formats.get(id).map_or(&[][..], Vec::as_slice);
        let names: Vec<String> = known
            .iter()
            .map(|rule| format!("{} {}", rule.provider, rule.name))
            .collect();
        let mut name = names.join(", ");
        if let Some(rule) = own.all().iter().find(|rule| rule.id == id) {
            name.clone_from(&rule.description);
        }
        let documentation = known.first().map_or("", |rule| rule.documentation());
        let kind = kind.as_str();
        if json {
            let line = Line {
                id,
                kind,
                name,
                documentation,
            };
            serde_json::to_writer(&mut *output, &line)?;
            writeln!(output)?;
        } else {
            writeln!(output, "{id:<32} {kind:<8} {name}")?;
        }
    }
    Ok(Tally::default())
}

fn test(own: Option<&Path>, output: &mut Output) -> Result<Tally> {
    let scanner = Scanner::new();
    let mut tally = Tally::default();
    let (mut rules, mut examples) = (0, 0);
    for rule in Rule::all() {
        rules += 1;
        examples += 2;
        // Another rule may know the value too, and say more about it.
        let found = !scanner.scan(&rule.example_text()).is_empty();
        let flagged = scanner
            .scan(&rule.counter_example_text())
            .iter()
            .any(|finding| finding.rule == rule.id);
        if !found || (flagged && rule.prefix_is != Prefix::Absent) {
            tally.found = true;
            let what = if found {
                "flags its counter-example"
            } else {
                "misses its example"
            };
            writeln!(output, "{}: {what}", rule.id)?;
        }
    }
    // Checked as they are read.
    match OwnRules::load(own) {
        Ok(own) => {
            for rule in own.all() {
                rules += 1;
                examples += rule.matches.len() + rule.passes.len();
            }
        }
        Err(error) => {
            tally.failed = true;
            let _ = writeln!(io::stderr(), "palisade: {error:#}");
        }
    }
    if tally == Tally::default() {
        writeln!(
            output,
            "{rules} formats and rules, {examples} examples: as they should be"
        )?;
    }
    Ok(tally)
}
