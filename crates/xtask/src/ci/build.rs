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
    require("fmt", "rustfmt")?;
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))
        .context("`cargo fmt --all` mends it")?;
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
    require("clippy", "clippy")?;
    // All that is wrong, not what is wrong with the first crate.
    shell::run(
        shell::cargo()
            .args(["clippy", "--locked", "--workspace", "--all-targets"])
            .args(["--all-features", "--keep-going", "--", "-D", "warnings"]),
    )?;
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
            .args(["--all-features", "--keep-going"]),
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

/// Fails with what to do if a part of the toolchain is not installed.
fn require(command: &str, component: &str) -> Result<()> {
    shell::output(shell::cargo().args([command, "--version"])).with_context(|| {
        format!("there is no `cargo {command}`; run `rustup component add {component}`")
    })?;
    Ok(())
}

fn absent(package: &str) -> Outcome {
    Outcome::PassedBut(format!("there is no {package} in this workspace yet"))
}
