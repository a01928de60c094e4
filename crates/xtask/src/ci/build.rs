//! The steps that are a cargo command.
//!
//! They name the same packages, features and profile wherever they can, so that each finds the libraries that another
//! has built: `--workspace --all-features` throughout, in the profile of the tests.

use anyhow::{Context, Result};

use super::Outcome;
use crate::{shell, workspace};

const BENCHES: &str = "palisade-benches";
const GATEWAY: &str = "palisade-gateway";

/// The formatting of this workspace and of the fuzz targets.
pub(super) fn fmt() -> Result<Outcome> {
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))
        .context("run `cargo fmt --all` (if it is missing: `rustup component add rustfmt`)")?;
    let fuzz = workspace::root().join("fuzz/Cargo.toml");
    shell::run(
        shell::cargo()
            .args(["fmt", "--check", "--manifest-path"])
            .arg(fuzz),
    )?;
    Ok(Outcome::Passed)
}

/// The lints of the workspace and of the fuzz targets, as errors.
pub(super) fn clippy() -> Result<Outcome> {
    shell::run(
        shell::cargo()
            .args(["clippy", "--locked", "--workspace", "--all-targets"])
            .args(["--all-features", "--", "-D", "warnings"]),
    )
    .context("if clippy is missing: `rustup component add clippy`")?;
    let fuzz = workspace::root().join("fuzz/Cargo.toml");
    shell::run(
        shell::cargo()
            .args(["clippy", "--all-targets", "--manifest-path"])
            .arg(fuzz)
            .args(["--", "-D", "warnings"]),
    )?;
    Ok(Outcome::Passed)
}

/// The documentation, as it will be published.
pub(super) fn doc() -> Result<Outcome> {
    shell::run(
        shell::cargo()
            .env("RUSTDOCFLAGS", "-D warnings")
            .args(["doc", "--locked", "--workspace", "--no-deps"])
            .arg("--all-features"),
    )?;
    Ok(Outcome::Passed)
}

/// Every bench, each measured once: that it runs, not how fast. Without `--bench` among its arguments criterion only
/// tests, and in the profile of the tests nothing is built twice.
pub(super) fn bench() -> Result<Outcome> {
    if !workspace::has_member(BENCHES)? {
        return Ok(absent(BENCHES));
    }
    shell::run(
        shell::cargo()
            .args(["test", "--locked", "--workspace", "--all-features"])
            .args(["--bench", "*"]),
    )?;
    Ok(Outcome::Passed)
}

/// The demo of the gateway, exactly as the README tells a stranger to start it.
pub(super) fn demo() -> Result<Outcome> {
    if !workspace::has_member(GATEWAY)? {
        return Ok(absent(GATEWAY));
    }
    shell::run(
        shell::cargo()
            .args(["run", "--locked", "--release", "-p", GATEWAY])
            .args(["--", "demo"]),
    )?;
    Ok(Outcome::Passed)
}

fn absent(package: &str) -> Outcome {
    Outcome::PassedBut(format!("there is no {package} in this workspace yet"))
}
