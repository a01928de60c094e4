//! Drives targets without libFuzzer.

use std::{collections::BTreeSet, fs, io, panic, path::Path};

use crate::{
    generator::Generator,
    targets::{self, Target},
};

/// What to drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The names of the targets; all if there is none.
    pub names: Vec<String>,
    /// How many inputs each gets.
    pub runs: u64,
    /// Where the inputs come from.
    pub seed: u64,
    /// The first run; a failure is repeated by starting at its number.
    pub from: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            runs: 10_000,
            seed: 1,
            from: 0,
        }
    }
}

impl Plan {
    /// Reads the command line.
    ///
    /// # Errors
    ///
    /// A sentence about an argument that is not understood.
    pub fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut plan = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut number = || {
                arguments
                    .next()
                    .and_then(|value| value.parse().ok())
                    .ok_or(format!("{argument} wants a number"))
            };
            match argument.as_str() {
                "--runs" => plan.runs = number()?,
                "--seed" => plan.seed = number()?,
                "--from" => plan.from = number()?,
                name if targets::ALL.iter().any(|target| target.name == name) => {
                    plan.names.push(argument);
                }
                _ => return Err(format!("neither an option nor a target: {argument}")),
            }
        }
        Ok(plan)
    }

    /// Runs the targets and says how each went. The answer is the number of targets that failed.
    #[must_use]
    pub fn drive(&self) -> usize {
        let chosen = |target: &&Target| {
            self.names.is_empty() || self.names.iter().any(|name| name == target.name)
        };
        let failed = targets::ALL
            .iter()
            .filter(chosen)
            .filter(|target| !self.drive_one(target));
        failed.count()
    }

    fn drive_one(&self, target: &Target) -> bool {
        for run in self.from..self.from.saturating_add(self.runs) {
            let input = Generator::new(self.seed, run).input(target.pieces);
            let outcome = panic::catch_unwind(|| (target.run)(&input));
            if outcome.is_err() {
                println!(
                    "{}: FAILED; again with `{0} --seed {} --from {run} --runs 1`\ninput: {:?}",
                    target.name,
                    self.seed,
                    String::from_utf8_lossy(&input)
                );
                return false;
            }
        }
        println!(
            "{}: {} inputs from seed {}, no promise broken",
            target.name, self.runs, self.seed
        );
        true
    }
}

/// Whether every target has a file for libFuzzer, and every file a target.
///
/// # Errors
///
/// A sentence about what is missing.
pub fn compare_with(folder: &Path) -> Result<(), String> {
    let listed: BTreeSet<String> = targets::ALL
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    let found =
        files_in(folder).map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    match listed.symmetric_difference(&found).next() {
        Some(name) if listed.contains(name) => Err(format!(
            "the target {name} has no file in {}",
            folder.display()
        )),
        Some(name) => Err(format!("{name} is not listed in src/targets.rs")),
        None => Ok(()),
    }
}

fn files_in(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        names.extend(
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned()),
        );
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Plan, String> {
        Plan::read(arguments.iter().map(|&argument| argument.to_owned()))
    }

    #[test]
    fn the_command_line_is_read() {
        let plan = read(&["key", "--runs", "5", "--seed", "9"]).unwrap();
        assert_eq!(plan.names, ["key"]);
        assert_eq!((plan.runs, plan.seed, plan.from), (5, 9, 0));
        assert!(read(&["--runs"]).is_err());
        assert!(read(&["no-such-target"]).is_err());
    }

    #[test]
    fn a_broken_promise_is_noticed() {
        let target = Target {
            name: "broken",
            run: |input| assert!(input.len() < 3),
            pieces: &[],
        };
        assert!(!Plan::default().drive_one(&target));
    }

    #[test]
    fn every_target_has_its_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
        assert_eq!(compare_with(&folder), Ok(()));
    }
}
