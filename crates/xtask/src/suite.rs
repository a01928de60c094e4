//! `cargo xtask test`: every test, on a bare machine too; `cargo xtask soak`: those that draw lots, again and again.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{needs, shell, workspace};

/// Where the closing line is left for whoever prints it last.
const CLOSING_LINE: &str = "xtask/tests.txt";

/// What tests that draw lots begin with. A landing must not be refused for what another change broke: here every run
/// draws the same, unless the environment says otherwise, and `cargo xtask soak` looks further.
const SEEDS: [(&str, u64); 2] = [
    ("PROPTEST_RNG_SEED", 20_260_724),
    ("PALISADE_SEED", 20_260_724),
];
/// How many lots a test draws in a soak, where it does not say so itself.
const SOAK_CASES: (&str, u64) = ("PROPTEST_CASES", 20_000);

/// Meets what the tests need, runs them all, and ends with one line that says how many passed and failed.
///
/// # Errors
///
/// If a need cannot be met, if a test fails or does not build, or if a test was ignored: what does not run proves
/// nothing.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if let Some(argument) = arguments.first() {
        bail!(
            "`test` takes no argument, found `{argument}`; for single tests there is `cargo test`"
        );
    }
    let tally = watch([suite(), doc_tests()], &SEEDS)?;
    leave(&tally.to_string())?;
    tally.verdict()
}

/// Runs the tests of some packages, or all, with many cases and a seed that was never used before.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn soak(packages: &[String]) -> Result<()> {
    let seed = std::time::UNIX_EPOCH.elapsed()?.subsec_nanos().into();
    println!("to play it again: PROPTEST_RNG_SEED={seed} PALISADE_SEED={seed}");
    let mut command = shell::cargo();
    command.args([
        "test",
        "--no-fail-fast",
        "--lib",
        "--tests",
        "--locked",
        "--all-features",
    ]);
    if packages.is_empty() {
        command.arg("--workspace");
    }
    for package in packages {
        command.args(["--package", package]);
    }
    let settings = [(SEEDS[0].0, seed), (SEEDS[1].0, seed), SOAK_CASES];
    watch([command], &settings)?.verdict()
}

/// Runs tests with all they need, and these settings where the environment has none.
fn watch<const N: usize>(commands: [Command; N], settings: &[(&str, u64)]) -> Result<Tally> {
    let needs = needs::up_all()?;
    let mut tally = Tally::default();
    for mut command in commands {
        command.envs(needs.environment.iter().map(|(name, value)| (*name, value)));
        for (name, value) in settings {
            if std::env::var_os(name).is_none() {
                command.env(name, value.to_string());
            }
        }
        tally.watch(&mut command)?;
    }
    Ok(tally)
}

/// All but the documentation. The targets are named because `cargo test` would run the documentation as well, in
/// between, and without them `cargo test` leaves examples unbuilt.
fn suite() -> Command {
    let mut command = shell::cargo();
    if shell::which("cargo-nextest").is_some() {
        command.args(["nextest", "run", "--no-fail-fast"]);
    } else {
        command.args(["test", "--no-fail-fast"]);
        command.args(["--lib", "--bins", "--tests", "--examples"]);
    }
    command.args(["--locked", "--workspace", "--all-features"]);
    command
}

fn doc_tests() -> Command {
    let mut command = shell::cargo();
    command.args(["test", "--doc", "--no-fail-fast"]);
    command.args(["--locked", "--workspace", "--all-features"]);
    command
}

fn leave(closing_line: &str) -> Result<()> {
    let path = workspace::target()?.join(CLOSING_LINE);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&path, format!("{closing_line}\n"))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// What the runners said, summed up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// Runs that ended badly without a failed test: something did not build, or a runner died.
    broken: u64,
}

impl Tally {
    fn watch(&mut self, command: &mut Command) -> Result<()> {
        let failed_before = self.failed;
        let ended_well = shell::run_watching(command, |line| self.count(line))?;
        if !ended_well && self.failed == failed_before {
            self.broken += 1;
        }
        Ok(())
    }

    /// Reads the closing lines of `cargo test` (`test result: ok. 3 passed; 0 failed; …`) and of nextest
    /// (`Summary [ 0.1s] 3 tests run: 3 passed, 0 skipped`).
    fn count(&mut self, line: &str) {
        let line = line.trim_start();
        let counts = if let Some(counts) = line.strip_prefix("test result: ") {
            counts
        } else if line.starts_with("Summary [")
            && let Some((_, counts)) = line.split_once("run: ")
        {
            counts
        } else {
            return;
        };
        let words: Vec<&str> = counts
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" | "skipped" => self.ignored += count,
                _ => {}
            }
        }
    }

    fn verdict(&self) -> Result<()> {
        println!("{self}");
        if !self.is_clean() {
            bail!("not every test passed");
        }
        Ok(())
    }

    fn is_clean(&self) -> bool {
        self.passed > 0 && self.failed == 0 && self.ignored == 0 && self.broken == 0
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(f, ", {} ignored", self.ignored)?;
        }
        if self.broken > 0 {
            write!(f, ", {} runs broken before their end", self.broken)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.count(line));
        tally
    }

    #[test]
    fn results_of_all_test_programs_are_summed() {
        let tally = tally(&[
            "test result: ok. 10 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s",
            "running 3 tests",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        ]);
        assert_eq!(tally.to_string(), "12 passed, 1 failed");
        assert!(!tally.is_clean());
    }

    #[test]
    fn the_summary_of_nextest_is_understood() {
        let tally =
            tally(&["     Summary [   0.4s] 9 tests run: 8 passed (1 slow), 1 failed, 0 skipped"]);
        assert_eq!(tally.to_string(), "8 passed, 1 failed");
    }

    #[test]
    fn an_ignored_test_is_not_clean() {
        let tally = tally(&["test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured"]);
        assert!(!tally.is_clean());
        assert_eq!(tally.to_string(), "4 passed, 0 failed, 1 ignored");
    }

    #[test]
    fn no_test_at_all_is_not_clean() {
        assert!(!tally(&["Compiling"]).is_clean());
    }

    #[cfg(unix)]
    #[test]
    fn a_run_that_breaks_without_a_failed_test_is_not_clean() {
        let mut tally = tally(&["test result: ok. 4 passed; 0 failed"]);
        let mut broken = Command::new("sh");
        broken.args(["-c", "exit 101"]);
        tally.watch(&mut broken).expect("sh starts");
        assert!(!tally.is_clean());
        assert_eq!(
            tally.to_string(),
            "4 passed, 0 failed, 1 runs broken before their end"
        );
    }
}
