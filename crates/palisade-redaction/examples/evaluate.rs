//! Measures detection on labelled texts: `cargo xtask eval-redaction PATH [TREE…]`.
//!
//! PATH holds files of one JSON object per line, with a `text`, a `label` and the `spans` that must not survive. What
//! counts is *full cover*: every byte of a span is taken out, not merely something that overlaps it. A TREE is a folder
//! of ordinary text, in which nearly every finding is a false one; they are counted by rule.
//!
//! With `EVALUATE_MISSES=1` each miss and each false finding is printed with its id. The texts themselves are not: they
//! hold values that have the shape of live secrets.

use std::{
    collections::BTreeMap,
    env, fs,
    ops::Range,
    path::{Path, PathBuf},
    process::ExitCode,
};

use palisade_redaction::{Kind, Scanner};
use serde_json::Value;

/// What the labelled files put into long runs, so that no line of them is a token.
const ARMOUR: char = '\u{241F}';

/// How much of a tree is read.
const TREE_BYTES_MAX: usize = 256 << 20;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(path) = arguments.next() else {
        eprintln!("usage: evaluate PATH [TREE…]");
        return ExitCode::from(2);
    };
    let evaluation = Evaluation {
        scanner: Scanner::new(),
        shows_misses: env::var_os("EVALUATE_MISSES").is_some(),
    };
    let path = PathBuf::from(path);
    let mut read = 0;
    for (name, evaluate) in FILES {
        let Ok(text) = fs::read_to_string(path.join(name)) else {
            continue;
        };
        let rows: Vec<Row> = text.lines().filter_map(Row::parse).collect();
        println!("\n{name}: {} texts", rows.len());
        evaluate(&evaluation, &rows, &path);
        read += 1;
    }
    if read == 0 {
        eprintln!("error: {} holds none of the files", path.display());
        return ExitCode::FAILURE;
    }
    for tree in arguments {
        evaluation.tree(Path::new(&tree));
    }
    ExitCode::SUCCESS
}

type Evaluate = fn(&Evaluation, &[Row], &Path);

const FILES: [(&str, Evaluate); 8] = [
    ("secrets_synth.jsonl", Evaluation::secrets),
    ("negatives.jsonl", Evaluation::negatives),
    ("near_miss.jsonl", Evaluation::near_misses),
    ("pii.jsonl", Evaluation::personal),
    ("chat.jsonl", Evaluation::chat),
    ("stream_splits.jsonl", Evaluation::splits),
    ("unsafe_commands.jsonl", Evaluation::commands),
    ("examples.jsonl", Evaluation::examples),
];

struct Row {
    id: String,
    text: String,
    label: i64,
    spans: Vec<Span>,
    value: Value,
}

struct Span {
    must: Range<usize>,
    kind: String,
    category: String,
}

impl Row {
    fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| value[name].as_str().unwrap_or_default().replace(ARMOUR, "");
        let spans = value["spans"].as_array().into_iter().flatten();
        let place = |span: &Value, name: &str| span[name].as_u64().map(|at| at as usize);
        let spans = spans
            .filter_map(|span| {
                Some(Span {
                    must: place(span, "must_start")?..place(span, "must_end")?,
                    kind: span["kind"].as_str().unwrap_or("other").to_owned(),
                    category: span["cat"].as_str().unwrap_or_default().to_owned(),
                })
            })
            .collect();
        Some(Self {
            id: text("id"),
            text: text("text"),
            label: value["label"].as_i64().unwrap_or_default(),
            spans,
            value,
        })
    }

    fn tag(&self, name: &str) -> &str {
        self.value[name].as_str().unwrap_or("other")
    }
}

/// How often something was the case.
#[derive(Clone, Copy, Default)]
struct Share {
    yes: usize,
    of: usize,
}

impl Share {
    fn count(&mut self, yes: bool) {
        self.yes += usize::from(yes);
        self.of += 1;
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = 100.0 * self.yes as f64 / self.of.max(1) as f64;
        write!(f, "{percent:6.2} %  ({} of {})", self.yes, self.of)
    }
}

/// Shares by name, in the order of the names.
#[derive(Default)]
struct Shares(BTreeMap<String, Share>);

impl Shares {
    fn count(&mut self, name: &str, yes: bool) {
        self.0.entry(name.to_owned()).or_default().count(yes);
    }

    fn print(&self, what: &str) {
        for (name, share) in &self.0 {
            println!("  {:<44}{share}", format!("{what} {name}"));
        }
    }

    /// Only those that are not what they should be.
    fn print_except(&self, what: &str, good: fn(&Share) -> bool) {
        for (name, share) in self.0.iter().filter(|(_, share)| !good(share)) {
            println!("    {:<42}{share}", format!("{what} {name}"));
        }
    }
}

struct Evaluation {
    scanner: Scanner,
    shows_misses: bool,
}

impl Evaluation {
    /// The ranges of what was found of these kinds, and by which rules.
    fn found(&self, text: &str, kinds: &[Kind]) -> Vec<(Range<usize>, String)> {
        let findings = self.scanner.scan(text).into_iter();
        let wanted = findings.filter(|f| Kind::of(f).is_some_and(|kind| kinds.contains(&kind)));
        wanted
            .map(|finding| (finding.range.as_range(), finding.rule.to_string()))
            .collect()
    }

    fn miss(&self, what: &str, id: &str, rules: &[(Range<usize>, String)]) {
        if self.shows_misses {
            let rules: Vec<String> = rules
                .iter()
                .map(|(at, rule)| format!("{rule}@{at:?}"))
                .collect();
            println!("    {what} {id} {}", rules.join(" "));
        }
    }

    fn secrets(&self, rows: &[Row], _: &Path) {
        let (mut kinds, mut carriers, mut formats) = <(Shares, Shares, Shares)>::default();
        for row in rows {
            let found = self.found(&row.text, &[Kind::Secret, Kind::Pii]);
            let carrier = row.tag("carrier");
            let kind = match carrier {
                carrier if carrier.starts_with("hard_") => "wrapped, base64, percent",
                "cjk" | "sticky" | "url" | "xml" | "json_escaped" => "awkward neighbours",
                carrier if carrier.starts_with("block") => "key blocks",
                _ if row.value["context"] == true => "contextual",
                _ => "self-identifying",
            };
            for span in &row.spans {
                let full = covers(&found, &span.must);
                kinds.count(kind, full);
                kinds.count("all", full);
                carriers.count(carrier, full);
                formats.count(&span.kind, full);
                if !full {
                    self.miss(
                        &format!("missed {carrier} {} at {:?}", span.kind, span.must),
                        &row.id,
                        &found,
                    );
                }
            }
        }
        kinds.print("full cover:");
        carriers.print_except("carrier", |share| share.yes == share.of);
        formats.print_except("format", |share| share.yes == share.of);
    }

    fn negatives(&self, rows: &[Row], _: &Path) {
        let (mut all, mut kinds, mut rules) = <(Shares, Shares, Shares)>::default();
        for row in rows {
            let found = self.found(&row.text, &[Kind::Secret]);
            all.count("secrets", !found.is_empty());
            kinds.count(row.tag("kind"), !found.is_empty());
            if !found.is_empty() {
                self.miss("flagged", &row.id, &found);
                rules.count(&found[0].1, true);
            }
        }
        all.print("hard negatives flagged:");
        kinds.print_except("kind", |share| share.yes == 0);
        rules.print_except("rule", |_| false);
    }

    fn near_misses(&self, rows: &[Row], _: &Path) {
        let mut kinds = Shares::default();
        for row in rows {
            let found = self.found(&row.text, &[Kind::Secret]);
            let kind = row.tag("kind").split(':').next().unwrap_or_default();
            kinds.count(kind, !found.is_empty());
        }
        kinds.print("near-misses flagged (neither good nor bad):");
    }

    fn personal(&self, rows: &[Row], _: &Path) {
        let (mut kinds, mut all, mut negatives) = <(Shares, Shares, Shares)>::default();
        for row in rows {
            let found = self.found(&row.text, &[Kind::Pii]);
            for span in &row.spans {
                let full = covers(&found, &span.must);
                kinds.count(&span.kind, full);
                all.count("full cover", full);
                if !full {
                    self.miss(
                        &format!("missed {} at {:?}", span.kind, span.must),
                        &row.id,
                        &found,
                    );
                }
            }
            if row.label == 0 {
                negatives.count(row.tag("kind"), !found.is_empty());
                all.count("negatives flagged", !found.is_empty());
                if !found.is_empty() {
                    self.miss("flagged", &row.id, &found);
                }
            }
        }
        all.print("personal data:");
        kinds.print("full cover:");
        negatives.print_except("negative", |share| share.yes == 0);
    }

    fn chat(&self, rows: &[Row], _: &Path) {
        let (mut all, mut formats) = <(Shares, Shares)>::default();
        let (mut outside, mut bytes) = (0, 0);
        for row in rows {
            let found = self.found(&row.text, &[Kind::Secret, Kind::Pii]);
            bytes += row.text.len();
            for span in &row.spans {
                let full = covers(&found, &span.must);
                let any = found.iter().any(|(at, _)| overlap(at, &span.must));
                let what = if span.category == "pii" {
                    "personal data"
                } else {
                    "secrets"
                };
                all.count(&format!("{what}, full cover"), full);
                all.count(&format!("{what}, any"), any);
                formats.count(&span.kind, full);
                if !full {
                    self.miss(
                        &format!("missed {} at {:?}", span.kind, span.must),
                        &row.id,
                        &found,
                    );
                }
            }
            let stray = found
                .iter()
                .filter(|(at, _)| !row.spans.iter().any(|span| overlap(at, &span.must)));
            let stray: Vec<_> = stray.cloned().collect();
            outside += stray.len();
            if !stray.is_empty() {
                self.miss("outside of all spans", &row.id, &stray);
            }
            if row.spans.is_empty() {
                all.count("clean ones flagged", !found.is_empty());
            }
        }
        all.print("transcripts:");
        println!(
            "  found outside of all spans, per 100 KB: {:.2}",
            outside as f64 * 1e5 / bytes.max(1) as f64
        );
        formats.print_except("format", |share| share.yes == share.of);
    }

    /// The transcripts again, cut as a network or a model would: the same must come out, and nothing early.
    fn splits(&self, rows: &[Row], path: &Path) {
        let chats = fs::read_to_string(path.join("chat.jsonl")).unwrap_or_default();
        let chats: BTreeMap<String, Row> = chats
            .lines()
            .filter_map(Row::parse)
            .map(|row| (row.id.clone(), row))
            .collect();
        let (mut same, mut early, mut most) = (Shares::default(), 0, 0);
        for row in rows {
            let Some(chat) = chats.get(&row.id) else {
                continue;
            };
            let whole = self.scanner.redact(&chat.text);
            for (name, cuts) in row.value["splits"].as_object().into_iter().flatten() {
                let cuts = cuts
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_u64);
                let cuts = cuts.map(|cut| cut as usize).chain([chat.text.len()]);
                let mut redactor = self.scanner.redactor();
                let (mut out, mut at) = (Vec::new(), 0);
                for cut in cuts {
                    redactor.push_bytes(&chat.text.as_bytes()[at..cut], &mut out);
                    most = most.max(redactor.held_back());
                    early += usize::from(!whole.as_bytes().starts_with(&out));
                    at = cut;
                }
                redactor.finish_bytes(&mut out);
                same.count(name, out == whole.as_bytes());
            }
        }
        same.print("stream gives what the whole text gives:");
        println!(
            "  pieces after which something was out too early: {early}; most held back: {most} bytes"
        );
    }

    fn commands(&self, rows: &[Row], _: &Path) {
        let mut all = Shares::default();
        for row in rows {
            let found = self.found(&row.text, &[Kind::Command, Kind::Keyword]);
            let what = match row.label {
                1 => "dangerous ones found",
                0 => "harmless ones flagged",
                _ => "mere mentions flagged",
            };
            all.count(what, !found.is_empty());
            if found.is_empty() == (row.label == 1) {
                self.miss(&format!("{what}: {}", row.tag("kind")), &row.id, &found);
            }
        }
        all.print("commands:");
    }

    fn examples(&self, rows: &[Row], _: &Path) {
        let (mut good, mut bad, mut kinds) = <(Shares, Shares, Shares)>::default();
        for row in rows.iter().filter(|row| row.value["informational"] != true) {
            let found = self.found(&row.text, &[Kind::Secret, Kind::Pii]);
            let any = !found.is_empty();
            if row.label == 1 {
                let hit = any
                    && (row.spans.is_empty()
                        || row
                            .spans
                            .iter()
                            .all(|span| found.iter().any(|(at, _)| overlap(at, &span.must))));
                good.count(row.tag("source"), hit);
                kinds.count(row.tag("kind"), hit);
            } else {
                bad.count(row.tag("source"), any);
                if any {
                    self.miss("flagged", &row.id, &found);
                }
            }
        }
        good.print("positives found:");
        bad.print("negatives flagged:");
        if self.shows_misses {
            kinds.print_except("kind", |share| share.yes == share.of);
        }
    }

    /// Ordinary text: how much is found in it, by rule.
    fn tree(&self, root: &Path) {
        let mut counts: BTreeMap<(Kind, String), usize> = BTreeMap::new();
        let mut folders = vec![root.to_owned()];
        let mut bytes = 0;
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            entries.sort();
            for path in entries {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let Ok(text) = fs::read_to_string(&path) else {
                    continue;
                };
                if bytes + text.len() > TREE_BYTES_MAX {
                    continue;
                }
                bytes += text.len();
                for finding in self.scanner.scan(&text) {
                    let Some(kind) = Kind::of(&finding) else {
                        continue;
                    };
                    *counts.entry((kind, finding.rule.to_string())).or_default() += 1;
                    if self.shows_misses && kind == Kind::Secret {
                        println!(
                            "    {} {} {}",
                            finding.rule,
                            path.display(),
                            finding.range.start
                        );
                    }
                }
            }
        }
        let megabytes = bytes as f64 / 1e6;
        println!("\n{}: {megabytes:.1} MB of ordinary text", root.display());
        for kind in Kind::ALL {
            let of_kind = counts.iter().filter(|((k, _), _)| *k == kind);
            let total: usize = of_kind.clone().map(|(_, count)| count).sum();
            println!(
                "  {kind} findings per MB: {:.2}",
                total as f64 / megabytes.max(1e-6)
            );
            for ((_, rule), count) in of_kind {
                println!(
                    "    {rule:<40}{:8.3}  ({count})",
                    *count as f64 / megabytes.max(1e-6)
                );
            }
        }
    }
}

/// Whether what was found covers every byte of `must`.
fn covers(found: &[(Range<usize>, String)], must: &Range<usize>) -> bool {
    let mut at = must.start;
    while at < must.end {
        let next = found
            .iter()
            .filter(|(range, _)| range.contains(&at))
            .map(|(range, _)| range.end)
            .max();
        let Some(next) = next else { return false };
        at = next;
    }
    true
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}
