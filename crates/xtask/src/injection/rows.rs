//! Labelled rows, as JSON lines.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use palisade_core::Channel;
use serde_json::{Value, json};

/// A labelled text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) text: String,
    pub(super) attack: bool,
    pub(super) kind: String,
    pub(super) source: String,
    pub(super) lang: String,
    /// The attack inside a longer text, if it is known.
    pub(super) core: Option<String>,
    /// Where the text comes from, if the row says.
    pub(super) channel: Option<Channel>,
}

/// The rows of all `*.jsonl` files in `dir` whose name begins with `train`, in the order of their names.
pub(super) fn read_dir(dir: &Path) -> Result<Vec<Row>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir)
        .with_context(|| format!("cannot read {}", dir.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.starts_with("train") && name.ends_with(".jsonl")
    });
    paths.sort();
    ensure!(
        !paths.is_empty(),
        "no train*.jsonl in {}; unpack the rows first",
        dir.display()
    );
    let mut rows = Vec::new();
    for path in paths {
        rows.extend(read(&path)?);
    }
    Ok(rows)
}

/// The rows of one file.
pub(super) fn read(path: &Path) -> Result<Vec<Row>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            parse(line).with_context(|| format!("{}:{}", path.display(), index + 1))
        })
        .collect()
}

fn parse(line: &str) -> Result<Row> {
    let value: Value = serde_json::from_str(line)?;
    let field = |name: &str| value[name].as_str().map(str::to_owned);
    let label = value["label"].as_u64().context("`label` must be 0 or 1")?;
    ensure!(label < 2, "`label` must be 0 or 1");
    let channel = match value["channel"].as_str() {
        None => None,
        Some("user") => Some(Channel::User),
        Some("document") => Some(Channel::Document),
        Some("tool") => Some(Channel::Tool),
        Some("system") => Some(Channel::System),
        Some("assistant") => Some(Channel::Assistant),
        Some(other) => anyhow::bail!("unknown channel `{other}`"),
    };
    Ok(Row {
        text: field("text").context("`text` must be there")?,
        attack: label == 1,
        kind: field("kind").unwrap_or_default(),
        source: field("source").unwrap_or_default(),
        lang: field("lang").unwrap_or_default(),
        core: field("core").filter(|core| !core.is_empty()),
        channel,
    })
}

/// Writes rows, in the same form.
pub(super) fn write(path: &Path, rows: &[Row]) -> Result<()> {
    let mut out = String::new();
    for row in rows {
        let value = json!({
            "text": row.text, "label": u8::from(row.attack), "kind": row.kind, "source": row.source, "lang": row.lang,
            "core": row.core,
        });
        writeln!(out, "{value}")?;
    }
    fs::write(path, out).with_context(|| format!("cannot write {}", path.display()))
}
