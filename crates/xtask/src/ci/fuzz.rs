//! A short run of every fuzz target.
//!
//! Two ways, and the output says which was gone: with a nightly toolchain and `cargo-fuzz` the targets run guided by
//! coverage; without, a driver on the stable toolchain feeds the same functions from a seeded generator.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Outcome;
use crate::{shell, workspace};

/// Inputs a target; bounded in number rather than in time, so that a slow machine checks as much as a fast one.
const RUNS: u32 = 20_000;
/// A bound all the same, for a target that has become very slow.
const SECONDS_MAX: u32 = 30;

pub(super) fn check() -> Result<Outcome> {
    let folder = workspace::root().join("fuzz");
    let targets = targets_of(&folder)?;
    drive(&folder)?;
    if let Some(missing) = missing_for_coverage() {
        return Ok(Outcome::PassedBut(format!(
            "without coverage guidance ({missing}): the seeded driver on stable ran all {} targets",
            targets.len()
        )));
    }
    guide(&folder, &targets)?;
    println!(
        "{} targets ran both ways: seeded driver on stable, libFuzzer on nightly",
        targets.len()
    );
    Ok(Outcome::Passed)
}

/// The seeded driver, after its own tests. Not `--locked`: the lock file of the targets follows that of the rooms, and a
/// change to a room should not have to touch it.
fn drive(folder: &Path) -> Result<()> {
    let manifest = folder.join("Cargo.toml");
    shell::run(
        shell::cargo()
            .args(["test", "--quiet", "--lib", "--manifest-path"])
            .arg(&manifest),
    )?;
    shell::run(
        shell::cargo()
            .args(["run", "--quiet", "--manifest-path"])
            .arg(&manifest)
            .args(["--example", "drive", "--", "--runs", "2000"]),
    )
}

/// Every target under libFuzzer. No sanitizer: there is no unsafe code here to watch, and without one the runs are
/// three times as many.
fn guide(folder: &Path, targets: &[String]) -> Result<()> {
    let fuzz = |verb: &str| {
        let mut command = shell::cargo_of("nightly");
        command.args(["fuzz", verb, "--fuzz-dir"]).arg(folder);
        command.args(["--sanitizer", "none", "--features", "libfuzzer"]);
        command
    };
    shell::run(&mut fuzz("build"))?;
    let mut failed = Vec::new();
    for target in targets {
        let run = shell::run(
            fuzz("run")
                .arg(target)
                .arg("--")
                .arg(format!("-runs={RUNS}"))
                .arg(format!("-max_total_time={SECONDS_MAX}"))
                .args(["-max_len=4096", "-seed=1", "-verbosity=0", "-print_funcs=0"]),
        );
        if let Err(error) = run {
            println!("{error:#}");
            failed.push(target.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("these targets fail: {}", failed.join(", "));
    }
    Ok(())
}

/// What the guided way lacks here, if anything.
fn missing_for_coverage() -> Option<&'static str> {
    if shell::which("cargo-fuzz").is_none() {
        return Some("cargo-fuzz is not installed");
    }
    if shell::output(shell::cargo_of("nightly").arg("--version")).is_none() {
        return Some("there is no nightly toolchain");
    }
    if shell::which("c++").is_none() {
        return Some("libFuzzer needs a C++ compiler");
    }
    None
}

/// The names of the targets: the files in `fuzz_targets`.
fn targets_of(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.join("fuzz_targets");
    let mut names = Vec::new();
    for entry in
        std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(
                path.file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    if names.is_empty() {
        bail!("{} holds no target", folder.display());
    }
    Ok(names)
}
