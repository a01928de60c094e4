//! `palisade prices`.

use std::{io::Write, path::Path};

use anyhow::{Context, Result, bail};
use palisade::core::{Clock, ModelId, SystemClock, Timestamp};
use palisade::cost::{PriceBook, PriceClass, PriceRow, Variant, parse_time};
use serde_json::json;

use crate::{
    args::{Diff, Lookup, Prices},
    input,
    output::Output,
    tally::Tally,
};

/// The name of the catalog that is compiled in.
const EMBEDDED: &str = "embedded";

/// Compares tables of prices, or looks one price up.
///
/// # Errors
///
/// If a table cannot be read or the output not be written.
pub(crate) fn run(arguments: &Prices, output: &mut Output) -> Result<Tally> {
    match arguments {
        Prices::Diff(arguments) => diff(arguments, output),
        Prices::Lookup(arguments) => lookup(arguments, output),
    }
}

/// Reads a table: the embedded one by its name, a catalog, or rows in JSON, one a line.
///
/// # Errors
///
/// If it cannot be read, with the line.
pub(crate) fn load(path: &Path) -> Result<PriceBook> {
    if path == Path::new(EMBEDDED) {
        return Ok(PriceBook::embedded());
    }
    let text = String::from_utf8(input::read(path)?)
        .with_context(|| format!("{} is not UTF-8", path.display()))?;
    if text.starts_with("palisade-prices ") {
        return PriceBook::parse(&text).with_context(|| format!("in {}", path.display()));
    }
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let row = PriceRow::from_json(line)
            .with_context(|| format!("in line {} of {}", index + 1, path.display()))?;
        rows.push(row);
    }
    Ok(PriceBook::empty().with_rows(rows))
}

fn diff(arguments: &Diff, output: &mut Output) -> Result<Tally> {
    let (old, new) = (load(&arguments.old)?, load(&arguments.new)?);
    let changes = old.changes_to(&new);
    let name = |model: &ModelId| format!("{}/{}", model.provider(), model.model());
    for model in &changes.added {
        writeln!(output, "+ {}", name(model))?;
    }
    for model in &changes.removed {
        writeln!(output, "- {}", name(model))?;
    }
    for change in &changes.moved {
        let sign = if change.is_suspicious() { '!' } else { '~' };
        writeln!(output, "{sign} {change}")?;
    }
    let suspicious = changes.suspicious().count();
    writeln!(
        output,
        "{} added, {} removed, {} moved, {suspicious} of them suspiciously far",
        changes.added.len(),
        changes.removed.len(),
        changes.moved.len(),
    )?;
    Ok(Tally {
        found: suspicious > 0 && !arguments.confirm,
        failed: false,
    })
}

fn lookup(arguments: &Lookup, output: &mut Output) -> Result<Tally> {
    let book = match &arguments.prices {
        Some(path) => load(path)?,
        None => PriceBook::embedded(),
    };
    let at = match &arguments.at {
        Some(text) => parse_time(text).context("--at is a day or a time, such as 2026-11-20")?,
        None => SystemClock.now(),
    };
    let Some((provider, model)) = arguments.model.split_once('/') else {
        bail!("a model is named as provider/model, such as openai/gpt-4o");
    };
    let Some(found) = book.resolve(provider, &[model], at) else {
        writeln!(output, "{}", json!({"status": "unknown_model"}))?;
        return Ok(Tally {
            found: true,
            failed: false,
        });
    };
    writeln!(output, "{}", described(found.row, found.undated, &book))?;
    Ok(Tally::default())
}

/// A row as one JSON object, its prices in dollars for one token.
fn described(row: &PriceRow, undated: bool, book: &PriceBook) -> serde_json::Value {
    let mut prices = serde_json::Map::new();
    for variant in row.variants() {
        prices.insert(variant.to_string(), one_variant(row, variant));
    }
    let assumed: &[&str] = if undated { &["model:dated->base"] } else { &[] };
    json!({
        "provider": row.model().provider(),
        "model": row.model().model(),
        "usd_per_token": prices,
        "has_tiers": row.has_tiers(),
        "effective_from": row.effective_from().map(|at: Timestamp| at.to_string()),
        "context_window": row.context_window(),
        "output_max": row.output_max(),
        "confirmed": row.is_confirmed(),
        "withdrawn_from": row.withdrawn_from().map(|at| at.to_string()),
        "dated": book.dated(),
        "assumed": assumed,
    })
}

fn one_variant(row: &PriceRow, variant: &Variant) -> serde_json::Value {
    PriceClass::ALL
        .into_iter()
        .filter_map(|class| {
            let price = row.price(variant, class)?;
            Some((class.to_string(), json!(price.to_string())))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}
