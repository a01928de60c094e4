//! `palisade scan --secrets --pii --commands`.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Result;
use ignore::WalkBuilder;
use palisade::core::{Finding, Severity};
use palisade::redaction::{Kind, Scanner};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    args::Scan,
    input,
    jsonl::{self, Answer, Record},
    output::Output,
    parallel,
    place::Places,
    tally::Tally,
};

/// How many files are looked at before what was found is written.
const BATCH_FILES: usize = 256;

/// A NUL among the first bytes of a file says that it is no text.
const SNIFF_BYTES: usize = 8 * 1024;

/// Looks for secrets, personal data and dangerous commands in records, or in files and folders.
///
/// # Errors
///
/// If records cannot be read or the output not be written. A file that cannot be read is reported and does not stop the
/// rest.
pub(crate) fn run(scan: &Scan, output: &mut Output) -> Result<Tally> {
    let scanner = scanner(scan)?;
    let mut tally = Tally::default();
    if scan.jsonl {
        for path in input::or_standard_input(&scan.paths) {
            tally += jsonl::answer(input::open(&path)?, output, |line| answer(&scanner, line))?;
        }
        return Ok(tally);
    }
    let mut files = Vec::new();
    for path in input::or_standard_input(&scan.paths) {
        tally.failed |= !collect(&path, &mut files);
    }
    for batch in files.chunks(BATCH_FILES) {
        for look in parallel::map(batch, |file| look_into(&scanner, file)) {
            tally.found |= !look.report.is_empty();
            output.write_all(&look.report)?;
            if let Some(error) = look.error {
                tally.failed = true;
                complain(&error);
            }
        }
    }
    Ok(tally)
}

fn scanner(scan: &Scan) -> Result<Scanner> {
    let scanner = Scanner::builder()
        .with_kind(Kind::Secret, scan.secrets)
        .with_kind(Kind::Pii, scan.pii)
        .with_kind(Kind::Command, scan.commands)
        .with_kind(Kind::Keyword, false)
        .build()?;
    Ok(scanner)
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    rule: &'a str,
    kind: &'a str,
    start: usize,
    end: usize,
    confidence: f32,
}

fn answer(scanner: &Scanner, line: &str) -> Result<Answer, String> {
    let record: Record<'_> = serde_json::from_str(line).map_err(|error| jsonl::sentence(&error))?;
    let findings = scanner.scan(&record.text);
    let line = Line {
        id: record.id,
        findings: findings
            .iter()
            .map(|finding| Found {
                rule: &finding.rule,
                kind: &finding.category,
                start: finding.range.start,
                end: finding.range.end,
                confidence: finding.confidence,
            })
            .collect(),
    };
    Answer::new(&line, !findings.is_empty())
}

/// A file to look into.
struct File {
    path: PathBuf,
    /// Whether somebody asked for it by name: then it is looked into whatever it is.
    named: bool,
}

/// Adds the file, or the files of the folder. The answer is whether all of them could be listed.
fn collect(path: &Path, files: &mut Vec<File>) -> bool {
    if input::is_standard(path) || !path.is_dir() {
        files.push(File {
            path: path.to_owned(),
            named: true,
        });
        return true;
    }
    let walk = WalkBuilder::new(path)
        // Secrets live in `.env` and `.npmrc`.
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .sort_by_file_path(Path::cmp)
        .build();
    let mut complete = true;
    for entry in walk {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => files.push(File {
                path: entry.into_path(),
                named: false,
            }),
            Ok(_) => {}
            Err(error) => {
                complete = false;
                complain(&error);
            }
        }
    }
    complete
}

/// What was found in a file, for people, and what went wrong.
struct Look {
    report: Vec<u8>,
    error: Option<anyhow::Error>,
}

fn look_into(scanner: &Scanner, file: &File) -> Look {
    let bytes = match input::read(&file.path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return Look {
                report: Vec::new(),
                error: Some(error),
            };
        }
    };
    let mut report = Vec::new();
    let sniffed = &bytes[..bytes.len().min(SNIFF_BYTES)];
    if file.named || memchr::memchr(0, sniffed).is_none() {
        let mut places = Places::new(&bytes);
        for finding in scanner.scan_bytes(&bytes) {
            describe(&file.path, &finding, &mut places, &mut report);
        }
    }
    Look {
        report,
        error: None,
    }
}

fn describe(path: &Path, finding: &Finding, places: &mut Places<'_>, report: &mut Vec<u8>) {
    let (line, column) = places.of(finding.range.start);
    let severity = match finding.severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    };
    report.extend_from_slice(
        format!(
            "{}:{line}:{column}: {} ({}, {severity}, confidence {:.2})\n",
            input::shown(path),
            finding.rule,
            finding.category,
            finding.confidence
        )
        .as_bytes(),
    );
}

fn complain(error: &dyn std::fmt::Display) {
    // Nobody to tell is no reason to stop.
    let _ = writeln!(io::stderr(), "palisade: {error:#}");
}
