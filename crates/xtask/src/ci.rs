//! `cargo xtask ci [STEP…]`: everything but the tests that a change must pass.
//!
//! One list serves the machine of a developer, `.ci/run` and the hosted workflow, so that none of them checks what the
//! others do not. All steps run even if one fails: a red run should say all that is wrong.

mod bans;
mod build;
mod features;
mod fuzz;
mod hygiene;
mod msrv;
mod races;

use std::time::Duration;

use anyhow::{Result, bail};
use palisade_core::{Clock, SystemClock};

use crate::floors;

/// How a step ended that did not fail.
pub(crate) enum Outcome {
    /// It was done.
    Passed,
    /// Part of it could not be done here, and why.
    PassedBut(String),
}

/// A step: its name, what it refuses, and the function that does it.
type Step = (&'static str, &'static str, fn() -> Result<Outcome>);

/// Cheap before dear.
pub(crate) const STEPS: &[Step] = &[
    ("floors", "a dependency that does not go down", || {
        floors::run(&[]).map(|()| Outcome::Passed)
    }),
    ("hygiene", "loose ends and overgrown files", hygiene::check),
    ("fmt", "code that is not formatted", build::fmt),
    ("msrv", "a compiler older than promised", msrv::check),
    (
        "deny",
        "licences, drivers and sources not agreed to",
        bans::check,
    ),
    ("clippy", "a warning anywhere", build::clippy),
    ("doc", "a warning or a broken link in the docs", build::doc),
    (
        "features",
        "a feature that does not build alone",
        features::check,
    ),
    (
        "races",
        "shared state that some order of steps breaks",
        races::check,
    ),
    ("bench", "a bench that does not run", build::bench),
    ("fuzz", "a fuzz target that fails at once", fuzz::check),
    ("demo", "a gateway demo that does not end well", build::demo),
];

/// Runs the named steps, or all of them, and ends with a table of what came of it.
///
/// # Errors
///
/// If a step is unknown or failed.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let steps = chosen(arguments)?;
    let clock = SystemClock;
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    for (name, what, step) in steps {
        println!("\n== {name}: refuses {what}");
        let started = clock.instant();
        let result = step();
        let took = clock.instant().saturating_since(started);
        let outcome = match result {
            Ok(Outcome::Passed) => "passed".to_owned(),
            Ok(Outcome::PassedBut(note)) => format!("passed, but {note}"),
            Err(error) => {
                failed.push(*name);
                println!("error: {error:#}");
                format!("FAILED: {error:#}")
            }
        };
        println!("== {name}: {outcome} ({})", seconds(took));
        lines.push(format!("{name:<10}{:>8}  {outcome}", seconds(took)));
    }
    println!("\n{:<10}{:>8}  outcome", "step", "time");
    for line in lines {
        println!("{line}");
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// The steps of these names, in the order of the list; all of them if none is named.
fn chosen(names: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| STEPS.iter().all(|(step, ..)| step != name))
    {
        let known: Vec<&str> = STEPS.iter().map(|(step, ..)| *step).collect();
        bail!(
            "there is no step `{unknown}`; there are {}",
            known.join(", ")
        );
    }
    Ok(STEPS
        .iter()
        .filter(|(step, ..)| names.is_empty() || names.iter().any(|name| name == step))
        .collect())
}

fn seconds(time: Duration) -> String {
    format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    fn names(arguments: &[&str]) -> Result<Vec<&'static str>> {
        let arguments: Vec<String> = arguments.iter().map(|&name| name.to_owned()).collect();
        Ok(chosen(&arguments)?.iter().map(|(name, ..)| *name).collect())
    }

    #[test]
    fn without_a_name_every_step_is_chosen() {
        assert_eq!(names(&[]).expect("nothing unknown").len(), STEPS.len());
    }

    #[test]
    fn named_steps_run_in_the_order_of_the_list() {
        assert_eq!(
            names(&["clippy", "fmt"]).expect("both exist"),
            ["fmt", "clippy"]
        );
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_known_ones() {
        let error = names(&["clipy"]).expect_err("there is no such step");
        assert!(error.to_string().contains("clippy"), "{error}");
    }

    #[test]
    fn the_hosted_workflow_runs_every_step() {
        let path = workspace::root().join(".github/workflows/ci.yml");
        let workflow = std::fs::read_to_string(path).expect("the workflow is there");
        let called: Vec<&str> = workflow
            .lines()
            .filter_map(|line| line.split_once("cargo xtask ci "))
            .flat_map(|(_, steps)| steps.split_whitespace())
            .collect();
        for (step, ..) in STEPS {
            assert!(called.contains(step), "{step} is not in the workflow");
        }
        assert!(workflow.contains("cargo xtask test"));
    }
}
