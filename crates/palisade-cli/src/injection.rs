//! `palisade scan --injection`.

use std::{io::Write, path::Path};

use anyhow::Result;
use palisade::core::Text;
use palisade::injection::{Detector, Outcome, Verdict};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    args::Scan,
    input,
    jsonl::{self, Answer, Record},
    output::Output,
    place::Places,
    tally::Tally,
};

/// Looks for prompt injections in records or texts.
///
/// # Errors
///
/// If an input cannot be read or the output not be written.
pub(crate) fn run(scan: &Scan, output: &mut Output) -> Result<Tally> {
    let detector = palisade::injection::Ensemble::standard();
    let mut tally = Tally::default();
    for path in input::or_standard_input(&scan.paths) {
        tally += if scan.jsonl {
            jsonl::answer(input::open(&path)?, output, |line| answer(&detector, line))?
        } else {
            report(&detector, &path, output)?
        };
    }
    Ok(tally)
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    score: f32,
    verdict: Outcome,
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    rule: &'a str,
    family: &'a str,
    start: usize,
    end: usize,
    score: f32,
}

fn answer(detector: &impl Detector, line: &str) -> Result<Answer, String> {
    let record: Record<'_> = serde_json::from_str(line).map_err(|error| jsonl::sentence(&error))?;
    let verdict = detector.detect(Text::new(record.channel, &record.text));
    let findings = verdict.findings.iter().map(|finding| Found {
        rule: &finding.rule,
        family: &finding.category,
        start: finding.range.start,
        end: finding.range.end,
        score: finding.confidence,
    });
    let line = Line {
        id: record.id,
        score: verdict.score,
        verdict: verdict.outcome,
        findings: findings.collect(),
    };
    Answer::new(&line, verdict.outcome != Outcome::Allow)
}

/// The verdict on one text, for people.
fn report(detector: &impl Detector, path: &Path, output: &mut Output) -> Result<Tally> {
    let bytes = input::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let verdict: Verdict = detector.detect(Text::new(palisade::core::Channel::User, &text));
    let name = match verdict.outcome {
        Outcome::Allow => "allow",
        Outcome::Review => "review",
        Outcome::Block => "block",
    };
    let path = input::shown(path);
    writeln!(output, "{path}: {name} (score {:.2})", verdict.score)?;
    let mut places = Places::new(text.as_bytes());
    for finding in &verdict.findings {
        let (line, column) = places.of(finding.range.start);
        writeln!(
            output,
            "{path}:{line}:{column}: {} ({}, score {:.2})",
            finding.rule, finding.category, finding.confidence
        )?;
    }
    Ok(Tally {
        found: verdict.outcome != Outcome::Allow,
        failed: false,
    })
}
