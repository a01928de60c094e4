//! `palisade scan --secrets --pii --commands`.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Result;
use ignore::WalkBuilder;
use palisade::redaction::{Kind, Scanner};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    allow::{self, Allowed},
    args::Scan,
    baseline::Baseline,
    found::{Found, Report},
    history, input,
    jsonl::{self, Answer, Record},
    output::{self, Output},
    own_rules::OwnRules,
    parallel,
    place::Places,
    progress::Progress,
    tally::Tally,
};

/// How many files are looked at before what was found is written.
const BATCH_FILES: usize = 256;

/// A NUL among the first bytes of a file says that it is no text.
const SNIFF_BYTES: usize = 8 * 1024;

/// Looks for secrets, personal data and dangerous commands in records, in files and folders, or in histories.
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
    let files = &scan.files;
    let search = Search {
        scanner,
        allowed: Allowed::load(files.allow.as_deref())?,
    };
    let ids: Vec<String> = search
        .scanner
        .rule_ids()
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut sieve = Sieve {
        known: Baseline::load(files.baseline.as_deref())?,
        new: Baseline::default(),
        collects: files.write_baseline.is_some(),
        report: Report::begin(files.format, &ids, output)?,
        found: false,
    };
    let complete = if files.history {
        search.histories(&scan.paths, &mut sieve, output)?
    } else {
        search.files(&scan.paths, &mut sieve, output)?
    };
    if let Some(path) = &files.write_baseline {
        sieve.new.save(path)?;
    }
    tally.found = sieve.found;
    tally.failed = !complete;
    sieve.report.end(output)?;
    Ok(tally)
}

/// What is looked for, and what of it is allowed.
struct Search {
    scanner: Scanner,
    allowed: Allowed,
}

/// Parts what is new from what is known.
struct Sieve {
    known: Baseline,
    new: Baseline,
    /// Whether what is found makes a baseline and no report.
    collects: bool,
    report: Report,
    found: bool,
}

impl Sieve {
    fn take(&mut self, found: &Found, output: &mut Output) -> Result<()> {
        if self.collects {
            self.new.add(found);
        } else if !self.known.knows(found) {
            self.found = true;
            self.report.add(found, output)?;
        }
        Ok(())
    }
}

impl Search {
    /// The answer is whether all could be looked at.
    fn files(&self, paths: &[PathBuf], sieve: &mut Sieve, output: &mut Output) -> Result<bool> {
        let mut complete = true;
        let mut files = Vec::new();
        for path in input::or_standard_input(paths) {
            complete &= collect(&path, &mut files);
        }
        let mut progress = Progress::new(files.len());
        for batch in files.chunks(BATCH_FILES) {
            let looks = parallel::map(batch, |file| self.look_into(file));
            let bytes = looks.iter().map(|look| look.bytes).sum();
            for look in looks {
                for found in &look.found {
                    sieve.take(found, output)?;
                }
                if let Some(error) = look.error {
                    complete = false;
                    complain(&error);
                }
            }
            progress.add(batch.len(), bytes);
        }
        Ok(complete)
    }

    fn histories(&self, paths: &[PathBuf], sieve: &mut Sieve, output: &mut Output) -> Result<bool> {
        let here = [PathBuf::from(".")];
        let paths = if paths.is_empty() { &here } else { paths };
        let mut progress = Progress::new(0);
        let mut complete = true;
        for path in paths {
            let walked = history::walk(path, |added| {
                progress.add(1, added.text.len() as u64);
                if added.is_cut {
                    complete = false;
                    complain(&format!(
                        "{} of {} was read in part",
                        added.path, added.commit
                    ));
                }
                for mut found in self.look_at(&added.path, &added.text) {
                    found.commit = Some(added.commit.clone());
                    found.line = added.line(found.line);
                    found.end.0 = added.line(found.end.0);
                    sieve.take(&found, output)?;
                }
                Ok(())
            });
            if let Err(error) = walked {
                if output::is_gone(&error) {
                    return Err(error);
                }
                complete = false;
                complain(&format!("{error:#}"));
            }
        }
        Ok(complete)
    }

    /// What is in a text and not allowed.
    fn look_at(&self, path: &str, text: &[u8]) -> Vec<Found> {
        let mut places = Places::new(text);
        self.scanner
            .scan_bytes(text)
            .iter()
            .filter(|finding| {
                !self.allowed.has(&finding.rule, path)
                    && !allow::in_line(text, finding.range.start, &finding.rule)
            })
            .map(|finding| Found::new(path, text, finding, &mut places))
            .collect()
    }

    fn look_into(&self, file: &File) -> Look {
        let bytes = match input::read(&file.path) {
            Ok(bytes) => bytes,
            Err(error) => {
                return Look {
                    found: Vec::new(),
                    bytes: 0,
                    error: Some(error),
                };
            }
        };
        let sniffed = &bytes[..bytes.len().min(SNIFF_BYTES)];
        let is_text = file.named || memchr::memchr(0, sniffed).is_none();
        let path = input::shown(&file.path);
        Look {
            found: if is_text {
                self.look_at(&path, &bytes)
            } else {
                Vec::new()
            },
            bytes: bytes.len() as u64,
            error: None,
        }
    }
}

fn scanner(scan: &Scan) -> Result<Scanner> {
    let builder = Scanner::builder()
        .with_kind(Kind::Secret, scan.secrets)
        .with_kind(Kind::Pii, scan.pii)
        .with_kind(Kind::Command, scan.commands)
        .with_kind(Kind::Keyword, false);
    let own = OwnRules::load(scan.files.rules.as_deref())?;
    Ok(own.add_to(builder).build()?)
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    findings: Vec<InText<'a>>,
}

#[derive(Serialize)]
struct InText<'a> {
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
            .map(|finding| InText {
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

/// What was found in a file, and what went wrong.
struct Look {
    found: Vec<Found>,
    bytes: u64,
    error: Option<anyhow::Error>,
}

fn complain(error: &dyn std::fmt::Display) {
    // Nobody to tell is no reason to stop.
    let _ = writeln!(io::stderr(), "palisade: {error:#}");
}
