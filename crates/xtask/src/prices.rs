//! Regenerates the price catalog of `palisade-cost`.
//!
//! The catalog is a file people review, so it has to be the same for the same facts: rows are sorted, prices are copied
//! as the decimal text they came as, and nothing is rounded. A fact the format has no place for is refused by name
//! rather than left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::PathBuf,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use crate::workspace;

/// Where the catalog is, from the folder of the repository.
const CATALOG: &str = "crates/palisade-cost/data/prices.txt";

const USAGE: &str = "usage: cargo xtask prices ROWS.jsonl [--dated YYYY-MM-DD] [--output FILE]";

/// The sources we take facts from, by the first word of a row's `source`, and how their licence wants them named.
const SOURCES: &[(&str, &str)] = &[
    (
        "litellm",
        "BerriAI/litellm, its map of model prices, MIT licence",
    ),
    ("genai-prices", "pydantic/genai-prices, MIT licence"),
];

/// Classes of tokens and the letter each has in the catalog, in the order in which a row names them.
const CLASSES: &[(&str, char)] = &[
    ("input", 'i'),
    ("output", 'o'),
    ("cache_read", 'r'),
    ("cache_write_5m", 'w'),
    ("cache_write_1h", 'h'),
    ("reasoning", 't'),
    ("input_audio", 'a'),
    ("output_audio", 'A'),
    ("cache_read_audio", 'x'),
    ("cache_write_audio", 'X'),
    ("input_image", 'm'),
    ("output_image", 'M'),
    ("cache_read_image", 'y'),
    ("input_video", 'v'),
    ("output_video", 'V'),
    ("citation", 'c'),
];

/// Units other than tokens that the catalog keeps. The rest (seconds, characters, images, free allowances) has no count
/// in a usage report, so a price for it would never be asked for.
const SEARCH: &str = "search_context_cost_per_query";
const QUERY: &str = "input_cost_per_query";
const REQUEST: &str = "input_cost_per_request";

/// `cargo xtask prices`: writes the catalog from rows in JSON lines.
///
/// Without `--dated` the catalog keeps the date it has.
///
/// # Errors
///
/// If the arguments or a row cannot be understood, or a file not be read or written.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut rows = None;
    let mut dated = None;
    let mut output = workspace::root().join(CATALOG);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--dated" => dated = Some(value()?.clone()),
            "--output" => output = PathBuf::from(value()?),
            path if rows.is_none() && !path.starts_with('-') => rows = Some(PathBuf::from(path)),
            other => bail!("unexpected argument `{other}`\n{USAGE}"),
        }
    }
    let rows = rows.context(USAGE)?;
    let text =
        fs::read_to_string(&rows).with_context(|| format!("cannot read {}", rows.display()))?;
    let dated = match dated {
        Some(dated) => dated,
        None => date_of(&output)?,
    };
    let catalog = catalog(&text, &dated)?;
    fs::write(&output, &catalog).with_context(|| format!("cannot write {}", output.display()))?;
    println!("{}: {} bytes", output.display(), catalog.len());
    Ok(())
}

/// The date of the catalog that is there.
fn date_of(path: &std::path::Path) -> Result<String> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("{} is not there: give --dated", path.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("dated "))
        .map(str::to_owned)
        .with_context(|| format!("{} has no date: give --dated", path.display()))
}

/// The whole catalog.
fn catalog(rows: &str, dated: &str) -> Result<String> {
    ensure!(is_date(dated), "a date is YYYY-MM-DD, found `{dated}`");
    let mut parsed = Vec::new();
    for (index, line) in rows.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let row: Map<String, Value> = serde_json::from_str(line)
            .with_context(|| format!("line {} is not a JSON object", index + 1))?;
        parsed.push((index + 1, row));
    }
    ensure!(!parsed.is_empty(), "there is no row");

    let mut sources = BTreeSet::new();
    let mut urls = BTreeSet::new();
    for (line, row) in &parsed {
        sources.insert(text(row, "source").with_context(|| format!("line {line}"))?);
        urls.extend(url(row));
    }
    let urls: BTreeMap<&str, usize> = urls.into_iter().zip(0..).collect();

    let mut out = String::from("palisade-prices 1\n");
    out += "# What models cost, in USD. Written by `cargo xtask prices`; edit the rows it reads, not this file.\n";
    out += "# Only facts are taken from the sources. The format is described at `PriceBook` in palisade-cost.\n";
    writeln!(out, "dated {dated}")?;
    for source in sources {
        let name = source.split(' ').next().unwrap_or_default();
        let (_, note) = SOURCES
            .iter()
            .find(|(known, _)| *known == name)
            .with_context(|| format!("the licence of `{name}` is not known: add it to SOURCES"))?;
        writeln!(out, "source {source} ({note})")?;
    }
    for (url, index) in &urls {
        writeln!(out, "url {index} {url}")?;
    }

    let mut lines = BTreeMap::new();
    for (number, row) in &parsed {
        let (key, line) = line(row, &urls).with_context(|| format!("line {number}"))?;
        if let Some(_earlier) = lines.insert(key.clone(), line) {
            bail!("line {number}: a second row of {} {}", key.0, key.1);
        }
    }
    let mut section = None;
    for ((provider, _, _), line) in &lines {
        if section != Some(provider) {
            writeln!(out, "[{provider}]")?;
            section = Some(provider);
        }
        writeln!(out, "{line}")?;
    }
    Ok(out)
}

/// Provider, model and the day from which the row holds.
type RowKey = (String, String, String);

fn line(row: &Map<String, Value>, urls: &BTreeMap<&str, usize>) -> Result<(RowKey, String)> {
    let (provider, model) = (word(row, "provider")?, word(row, "model")?);
    let mut line = format!("{model} {}", word(row, "mode")?);
    for size in ["context_window", "max_output"] {
        match row.get(size) {
            None => line += " -",
            Some(size) => write!(line, " {}", size.as_u64().context("a size is an integer")?)?,
        }
    }
    line += match row.get("cross_check").and_then(Value::as_str) {
        Some("agrees") => " =",
        Some("disagrees") => " !",
        Some("no-match") | None => " -",
        Some(other) => bail!("cross_check `{other}` is not known"),
    };
    if let Some(url) = url(row) {
        write!(line, " @{}", urls[url])?;
    }
    let from = optional_date(row, "effective_from")?;
    if !from.is_empty() {
        write!(line, " ^{from}")?;
    }
    let until = optional_date(row, "deprecation_date")?;
    if !until.is_empty() {
        write!(line, " ~{until}")?;
    }
    ensure!(
        !row.contains_key("time_of_day_utc"),
        "the catalog has no prices by time of day"
    );
    levels(&mut line, row)?;
    let mut tiers: Vec<(u64, String)> = Vec::new();
    for tier in row
        .get("tiers")
        .and_then(Value::as_array)
        .unwrap_or(&Vec::new())
    {
        let tier = tier.as_object().context("a tier is an object")?;
        let threshold = tier
            .get("threshold_input_tokens")
            .and_then(Value::as_u64)
            .context("threshold_input_tokens is an integer")?;
        let sign = match text(tier, "applies_when")? {
            "input_tokens > threshold" => ">",
            "input_tokens >= threshold" => ">=",
            other => bail!("applies_when `{other}` is not known"),
        };
        ensure!(
            text(tier, "scope")? == "whole_request",
            "a tier reprices the whole request"
        );
        let mut prices = format!(" {sign}{threshold}");
        levels(&mut prices, tier)?;
        tiers.push((threshold, prices));
    }
    tiers.sort();
    line.extend(tiers.into_iter().map(|(_, prices)| prices));
    units(&mut line, row)?;
    Ok((
        (provider.to_owned(), model.to_owned(), from.to_owned()),
        line,
    ))
}

/// The prices by variant, standard first.
fn levels(line: &mut String, of: &Map<String, Value>) -> Result<()> {
    let levels = of
        .get("usd_per_1m")
        .and_then(Value::as_object)
        .context("usd_per_1m is an object")?;
    let mut names: Vec<&String> = levels.keys().collect();
    names.sort_by_key(|name| (*name != "standard", *name));
    for name in names {
        ensure!(
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()),
            "variant `{name}` is not a lower-case word"
        );
        write!(line, " :{name}")?;
        let prices = levels[name].as_object().context("prices are an object")?;
        for class in prices.keys() {
            ensure!(
                CLASSES.iter().any(|(known, _)| known == class),
                "class `{class}` is not known"
            );
        }
        for (class, letter) in CLASSES {
            if let Some(price) = prices.get(*class) {
                let price = decimal(price, 6).with_context(|| format!("{name}.{class}"))?;
                write!(line, " {letter}{price}")?;
            }
        }
    }
    Ok(())
}

fn units(line: &mut String, row: &Map<String, Value>) -> Result<()> {
    let Some(units) = row.get("other_units").and_then(Value::as_object) else {
        return Ok(());
    };
    if let Some(sizes) = units.get(SEARCH).and_then(Value::as_object) {
        let size = |name: &str| decimal(&sizes[&format!("search_context_size_{name}")], 12);
        let (low, medium, high) = (size("low")?, size("medium")?, size("high")?);
        if low == medium && medium == high {
            write!(line, " $search={low}")?;
        } else {
            write!(line, " $search={low}/{medium}/{high}")?;
        }
    }
    for (unit, name) in [(QUERY, "query"), (REQUEST, "request")] {
        if let Some(price) = units.get(unit) {
            write!(line, " ${name}={}", decimal(price, 12)?)?;
        }
    }
    Ok(())
}

/// Plain decimal text with at most `places` digits after the point, as it came.
fn decimal(value: &Value, places: usize) -> Result<&str> {
    let text = value.as_str().context("a price is decimal text")?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(
        digits(whole) && digits(fraction) && fraction.len() <= places,
        "a price is decimal text with at most {places} digits after the point, found `{text}`"
    );
    Ok(text)
}

/// The page the price stands on. A source may have a remark in this place; a remark is no fact.
fn url(row: &Map<String, Value>) -> Option<&str> {
    let url = row.get("source_url")?.as_str()?;
    (url.starts_with("https://") && url.bytes().all(|byte| byte.is_ascii_graphic())).then_some(url)
}

fn text<'a>(of: &'a Map<String, Value>, key: &str) -> Result<&'a str> {
    of.get(key)
        .and_then(Value::as_str)
        .with_context(|| format!("{key} is missing or not text"))
}

/// Text that can stand in a line of words.
fn word<'a>(of: &'a Map<String, Value>, key: &str) -> Result<&'a str> {
    let word = text(of, key)?;
    ensure!(
        word.bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
            && word.bytes().all(|byte| byte.is_ascii_graphic()),
        "{key} `{word}` is not one word of ASCII"
    );
    Ok(word)
}

fn optional_date<'a>(of: &'a Map<String, Value>, key: &str) -> Result<&'a str> {
    if !of.contains_key(key) {
        return Ok("");
    }
    let date = text(of, key)?;
    ensure!(is_date(date), "{key} is a date, found `{date}`");
    Ok(date)
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"provider":"acme","model":"m-1","mode":"chat","context_window":1000,"usd_per_1m":{"batch":{"input":"0.5"},"standard":{"output":"2.50","input":"1"}},"tiers":[{"threshold_input_tokens":200,"applies_when":"input_tokens >= threshold","scope":"whole_request","usd_per_1m":{"standard":{"input":"3"}}}],"other_units":{"search_context_cost_per_query":{"search_context_size_low":"0.1","search_context_size_medium":"0.1","search_context_size_high":"0.1"}},"source":"litellm 1","source_url":"https://example.com","cross_check":"agrees"}"#;

    #[test]
    fn a_row_becomes_a_line_with_its_prices_as_they_came() {
        let catalog = catalog(ROW, "2026-01-02").unwrap();
        let last: Vec<&str> = catalog.lines().rev().take(2).collect();
        assert_eq!(
            last,
            [
                "m-1 chat 1000 - = @0 :standard i1 o2.50 :batch i0.5 >=200 :standard i3 $search=0.1",
                "[acme]"
            ]
        );
        assert!(catalog.contains("\ndated 2026-01-02\nsource litellm 1 (BerriAI/litellm"));
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter() {
        let other = ROW.replace("m-1", "a-1");
        let one = catalog(&format!("{ROW}\n{other}\n"), "2026-01-02").unwrap();
        let two = catalog(&format!("{other}\n{ROW}\n"), "2026-01-02").unwrap();
        assert_eq!(one, two);
    }

    #[test]
    fn what_the_format_cannot_hold_is_refused() {
        for (from, to) in [
            (r#""input":"1""#, r#""input":"0.0000001""#),
            (r#""input":"1""#, r#""input":1"#),
            (r#""input":"1""#, r#""smell":"1""#),
            ("m-1", "m 1"),
            ("whole_request", "rest_of_request"),
            ("litellm 1", "somewhere 1"),
        ] {
            let row = ROW.replace(from, to);
            assert_ne!(row, ROW);
            assert!(catalog(&row, "2026-01-02").is_err(), "{to}");
        }
        assert!(catalog(&format!("{ROW}\n{ROW}"), "2026-01-02").is_err());
        assert!(catalog(ROW, "yesterday").is_err());
    }
}
