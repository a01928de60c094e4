//! The table the demo prints.

use serde_json::Value;

use super::scenarios::{Outcome, Scenario};

pub(super) fn head() {
    println!(
        " #  {:<34} {:<46} {:>14} {:>10}",
        "request", "outcome", "cost (USD)", "total"
    );
    println!("{}", "─".repeat(112));
}

pub(super) fn row(number: usize, scenario: &Scenario, outcome: &Outcome) {
    let mark = if outcome.problem.is_none() {
        "✓"
    } else {
        "✗"
    };
    let trace = &outcome.trace;
    let cost = trace["summary"]["cost"].as_str().unwrap_or("-");
    println!(
        "{number:>2}  {:<34} {mark} {:<44} {cost:>14} {:>10}",
        scenario.name,
        outcome.said,
        time(&trace["summary"]["duration_ns"]),
    );
    let steps: Vec<String> = trace["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .map(describe)
        .collect();
    for line in wrap(&steps, 104) {
        println!("    {line}");
    }
    if let Some(problem) = &outcome.problem {
        println!("    NOT AS IT SHOULD BE: {problem}");
    }
    println!();
}

/// One step: its name, what it said, how long it took.
fn describe(step: &Value) -> String {
    let kind = &step["kind"];
    let name = kind["guard"]
        .as_str()
        .or(step["name"].as_str())
        .unwrap_or("?");
    let said = match kind["type"].as_str().unwrap_or_default() {
        "guard_verdict" => match kind["decision"].as_str().unwrap_or_default() {
            "allow" => String::new(),
            decision => format!("={}", decision.to_uppercase()),
        },
        "llm_call" => {
            let outcome = &kind["outcome"];
            let outcome = outcome
                .as_str()
                .or(outcome["failed"].as_str())
                .unwrap_or("?");
            format!("#{}={outcome}", kind["attempt"])
        }
        "error" => format!("={}", kind["kind"].as_str().unwrap_or("?")),
        _ => String::new(),
    };
    format!("{name}{said} {}", time(&step["duration_ns"]))
}

fn time(nanos: &Value) -> String {
    match nanos.as_u64() {
        None => "-".to_owned(),
        Some(nanos) if nanos < 1_000 => format!("{nanos} ns"),
        Some(nanos) if nanos < 1_000_000 => format!("{} µs", nanos / 1_000),
        Some(nanos) => format!("{}.{} ms", nanos / 1_000_000, nanos / 100_000 % 10),
    }
}

fn wrap(parts: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in parts {
        let last = lines.len() - 1;
        if lines[last].chars().count() + part.chars().count() + 3 > width {
            lines.push(part.clone());
        } else {
            if !lines[last].is_empty() {
                lines[last].push_str(" · ");
            }
            lines[last].push_str(part);
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}
