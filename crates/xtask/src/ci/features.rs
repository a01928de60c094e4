//! Each feature of the front door, alone.
//!
//! In a build of the whole workspace the features of all members are united, so a crate that forgot to ask for what it
//! needs compiles all the same, until somebody takes it alone.

use anyhow::{Context, Result, bail};
use cargo_metadata::Package;

use super::Outcome;
use crate::{shell, workspace};

const FRONT_DOOR: &str = "palisade";

pub(super) fn check() -> Result<Outcome> {
    let metadata = workspace::members()?;
    let front_door = metadata
        .packages
        .iter()
        .find(|package| *package.name == FRONT_DOOR)
        .with_context(|| format!("there is no {FRONT_DOOR} in this workspace"))?;
    let mut failed = Vec::new();
    for feature in choices(front_door) {
        let mut check = shell::cargo();
        check
            .args(["check", "--locked", "--quiet", "-p", FRONT_DOOR])
            .arg("--no-default-features");
        if let Some(feature) = feature {
            check.args(["--features", feature]);
        }
        // Not by `RUSTFLAGS`, for which every library below would be built again.
        let mut warned = false;
        let built = shell::run_watching(&mut check, |line| {
            warned |= line.starts_with("warning");
        })?;
        if !built || warned {
            failed.push(feature.unwrap_or("no feature at all"));
        }
    }
    if !failed.is_empty() {
        bail!(
            "does not build alone without a warning: {}",
            failed.join(", ")
        );
    }
    Ok(Outcome::Passed)
}

/// No feature, and each one.
fn choices(package: &Package) -> Vec<Option<&str>> {
    let features = package.features.keys().map(String::as_str);
    std::iter::once(None)
        .chain(features.filter(|name| *name != "default").map(Some))
        .collect()
}
