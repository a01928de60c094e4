//! What the whole detector makes of labelled rows.

use std::{collections::BTreeMap, fmt::Write as _};

use palisade_core::{Channel, Text};
use palisade_injection::{Classifier, Detector, Ensemble, Outcome, Rules, Thresholds, Verdict};

use super::{made, rows::Row};

/// The tables of the model card for `rows`.
///
/// A row that does not say where it comes from is read as a document if it is one (or an attack inside one), and as a
/// user's message otherwise.
pub(super) fn report(rows: &[Row]) -> String {
    let detector = Ensemble::standard();
    let verdicts: Vec<Verdict> = rows
        .iter()
        .map(|row| detector.detect(Text::new(channel(row), &row.text)))
        .collect();
    let judged: Vec<Judged<'_>> = rows
        .iter()
        .zip(&verdicts)
        .map(|(row, verdict)| Judged {
            row,
            score: verdict.score,
            outcome: verdict.outcome,
        })
        .collect();
    let mut out = String::new();
    out += "Blocked, with 95 % confidence intervals (Wilson).\n\n";
    table(&mut out, "kind", &judged, |judged| judged.row.kind.clone());
    table(&mut out, "read as", &judged, |judged| {
        format!("{:?}", channel(judged.row)).to_lowercase()
    });
    table(&mut out, "language", &judged, |judged| {
        judged.row.lang.clone()
    });
    table(&mut out, "length", &judged, |judged| {
        length(judged.row.text.len()).to_owned()
    });
    table(&mut out, "source", &judged, |judged| {
        judged
            .row
            .source
            .split(" (")
            .next()
            .unwrap_or_default()
            .to_owned()
    });
    out += &made::report(rows);
    parts(&mut out, rows);
    presets(&mut out, &judged);
    out
}

struct Judged<'r> {
    row: &'r Row,
    score: f32,
    outcome: Outcome,
}

pub(super) fn channel(row: &Row) -> Channel {
    row.channel.unwrap_or(match row.kind.as_str() {
        "indirect" | "benign_doc" | "benign_code" => Channel::Document,
        _ => Channel::User,
    })
}

fn length(bytes: usize) -> &'static str {
    match bytes {
        0..50 => "1: below 50 B",
        50..200 => "2: 50 to 200 B",
        200..1_000 => "3: 200 B to 1 kB",
        1_000..5_000 => "4: 1 to 5 kB",
        _ => "5: from 5 kB",
    }
}

/// Groups smaller than this say nothing.
const SMALLEST: usize = 10;

fn table(
    out: &mut String,
    title: &str,
    judged: &[Judged<'_>],
    group: impl Fn(&Judged<'_>) -> String,
) {
    let mut groups: BTreeMap<(bool, String), (usize, usize)> = BTreeMap::new();
    for judged in judged {
        let counts = groups
            .entry((judged.row.attack, group(judged)))
            .or_default();
        counts.0 += usize::from(judged.outcome == Outcome::Block);
        counts.1 += 1;
    }
    for (attack, name) in [(true, "Attacks"), (false, "Honest texts")] {
        let _ = writeln!(
            out,
            "| {name}, by {title} | texts | blocked | interval |\n|---|---:|---:|---|"
        );
        let mut whole = (0, 0);
        let mut small = (0, 0);
        for ((_, label), &(blocked, all)) in groups.iter().filter(|(key, _)| key.0 == attack) {
            whole = (whole.0 + blocked, whole.1 + all);
            if all < SMALLEST {
                small = (small.0 + blocked, small.1 + all);
            } else {
                line(out, label, blocked, all);
            }
        }
        if small.1 > 0 {
            line(out, "fewer than 10 each", small.0, small.1);
        }
        line(out, "all", whole.0, whole.1);
        out.push('\n');
    }
}

/// A line of a table: how many of `all` are blocked, with the interval.
pub(super) fn line(out: &mut String, label: &str, blocked: usize, all: usize) {
    let (low, high) = wilson(blocked, all);
    let share = 100.0 * blocked as f64 / all.max(1) as f64;
    let _ = writeln!(
        out,
        "| {label} | {all} | {share:.1} % | {:.1} to {:.1} |",
        100.0 * low,
        100.0 * high
    );
}

/// The 95 % interval of a share (Wilson 1927).
fn wilson(hits: usize, all: usize) -> (f64, f64) {
    const Z: f64 = 1.96;
    if all == 0 {
        return (0.0, 1.0);
    }
    let n = all as f64;
    let p = hits as f64 / n;
    let middle = p + Z * Z / (2.0 * n);
    let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    (
        ((middle - reach) / whole).max(0.0),
        ((middle + reach) / whole).min(1.0),
    )
}

/// What the rules and the classifier catch alone.
fn parts(out: &mut String, rows: &[Row]) {
    *out += "| part | attacks blocked | honest texts blocked |\n|---|---:|---:|\n";
    let parts = [
        (
            "rules alone",
            Ensemble::new().with_scorer(Rules::standard()),
        ),
        (
            "classifier alone",
            Ensemble::new().with_scorer(Classifier::standard()),
        ),
        ("together", Ensemble::standard()),
    ];
    for (name, detector) in parts {
        let share = |attack: bool| {
            let rows = rows.iter().filter(|row| row.attack == attack);
            let (mut blocked, mut all) = (0_usize, 0_u32);
            for row in rows {
                all += 1;
                let verdict = detector.detect(Text::new(channel(row), &row.text));
                blocked += usize::from(verdict.outcome == Outcome::Block);
            }
            100.0 * blocked as f64 / f64::from(all.max(1))
        };
        let _ = writeln!(
            out,
            "| {name} | {:.1} % | {:.2} % |",
            share(true),
            share(false)
        );
    }
    out.push('\n');
}

/// What other thresholds would do.
fn presets(out: &mut String, judged: &[Judged<'_>]) {
    *out += "| block from | attacks blocked | honest texts blocked |\n|---|---:|---:|\n";
    let default = Thresholds::default();
    for threshold in [default.review(), 0.5, 0.6, default.block(), 0.8, 0.9] {
        let share = |attack: bool| {
            let scores = || judged.iter().filter(|judged| judged.row.attack == attack);
            let blocked = scores().filter(|judged| judged.score >= threshold).count();
            100.0 * blocked as f64 / scores().count().max(1) as f64
        };
        let _ = writeln!(
            out,
            "| {threshold:.1} | {:.1} % | {:.2} % |",
            share(true),
            share(false)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_holds_the_share_and_shrinks_with_the_count() {
        let (low, high) = wilson(5, 10);
        assert!(low < 0.5 && high > 0.5 && low > 0.2 && high < 0.8);
        let (narrow_low, narrow_high) = wilson(500, 1000);
        assert!(narrow_high - narrow_low < high - low);
        assert_eq!(wilson(0, 0), (0.0, 1.0));
        assert_eq!(wilson(0, 100).0, 0.0);
    }
}
