//! What was found, and how it is written.

use std::io::Write;

use anyhow::Result;
use palisade::core::{Finding, Severity};
use serde_json::json;

use crate::{args::Format, output::Output, place::Places};

/// A finding in a file, or in what a commit added to one. It says where and not what.
pub(crate) struct Found {
    /// The commit, if it was found in a history.
    pub(crate) commit: Option<String>,
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) end: (usize, usize),
    pub(crate) rule: String,
    pub(crate) kind: String,
    pub(crate) severity: Severity,
    pub(crate) confidence: f32,
    /// Tells this value from most others, and is too short to tell which it is.
    pub(crate) digest: String,
}

impl Found {
    /// The finding in `text` of the file at `path`.
    pub(crate) fn new(path: &str, text: &[u8], finding: &Finding, places: &mut Places<'_>) -> Self {
        let range = finding.range.as_range();
        let (line, column) = places.of(range.start);
        let end = places.of(range.end);
        let value = text.get(range).unwrap_or_default();
        let hash = blake3::hash(value);
        let [high, low] = [hash.as_bytes()[0], hash.as_bytes()[1]];
        Self {
            commit: None,
            path: path.to_owned(),
            line,
            column,
            end,
            rule: finding.rule.to_string(),
            kind: finding.category.to_string(),
            severity: finding.severity,
            confidence: finding.confidence,
            digest: format!("{high:02x}{low:02x}"),
        }
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// Writes findings as they come.
pub(crate) struct Report {
    format: Format,
    count: usize,
}

impl Report {
    /// Begins a report.
    ///
    /// # Errors
    ///
    /// If the output cannot be written.
    pub(crate) fn begin(format: Format, rules: &[String], output: &mut Output) -> Result<Self> {
        if format == Format::Sarif {
            let rules: Vec<_> = rules.iter().map(|id| json!({ "id": id })).collect();
            let driver = json!({
                "name": "palisade",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            });
            write!(
                output,
                "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\
                 \"runs\":[{{\"tool\":{{\"driver\":{driver}}},\"columnKind\":\"unicodeCodePoints\",\"results\":["
            )?;
        }
        Ok(Self { format, count: 0 })
    }

    /// Writes one finding.
    ///
    /// # Errors
    ///
    /// If the output cannot be written.
    pub(crate) fn add(&mut self, found: &Found, output: &mut Output) -> Result<()> {
        let commit = found.commit.as_deref();
        match self.format {
            Format::Human => {
                if let Some(commit) = commit {
                    write!(output, "{}:", commit.get(..12).unwrap_or(commit))?;
                }
                writeln!(
                    output,
                    "{}:{}:{}: {} ({}, {}, confidence {:.2})",
                    found.path,
                    found.line,
                    found.column,
                    found.rule,
                    found.kind,
                    word(found.severity),
                    found.confidence
                )?;
            }
            Format::Json => {
                let mut line = json!({
                    "path": found.path,
                    "line": found.line,
                    "column": found.column,
                    "end_line": found.end.0,
                    "end_column": found.end.1,
                    "rule": found.rule,
                    "kind": found.kind,
                    "severity": word(found.severity),
                    "confidence": found.confidence,
                });
                if let Some(commit) = commit {
                    line["commit"] = commit.into();
                }
                writeln!(output, "{line}")?;
            }
            Format::Sarif => {
                let level = match found.severity {
                    Severity::Low => "note",
                    Severity::Medium => "warning",
                    Severity::High | Severity::Critical => "error",
                };
                let mut result = json!({
                    "ruleId": found.rule,
                    "level": level,
                    "message": { "text": format!("{} found by the rule {}", found.kind, found.rule) },
                    "locations": [{
                        "physicalLocation": {
                            "artifactLocation": { "uri": uri(&found.path) },
                            "region": {
                                "startLine": found.line,
                                "startColumn": found.column,
                                "endLine": found.end.0,
                                "endColumn": found.end.1,
                            },
                        },
                    }],
                    "partialFingerprints": {
                        "palisade/v1": format!("{}:{}", found.rule, found.digest),
                    },
                });
                if let Some(commit) = commit {
                    result["properties"] = json!({ "commit": commit });
                }
                let comma = if self.count > 0 { "," } else { "" };
                write!(output, "{comma}{result}")?;
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Ends the report.
    ///
    /// # Errors
    ///
    /// If the output cannot be written.
    pub(crate) fn end(self, output: &mut Output) -> Result<()> {
        if self.format == Format::Sarif {
            writeln!(output, "]}}]}}")?;
        }
        Ok(())
    }
}

/// A path as a relative reference (RFC 3986): what has a meaning there is written in percent.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_reference() {
        assert_eq!(uri("a b/ä?.rs"), "a%20b/%C3%A4%3F.rs");
    }
}
