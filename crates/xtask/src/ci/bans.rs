//! Licences, drivers and sources: what `deny.toml` agrees to.

use anyhow::{Context, Result};

use super::Outcome;
use crate::shell;

/// Installed if there is none. Another version that is already here will do.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

pub(super) fn check() -> Result<Outcome> {
    if shell::which("cargo-deny").is_none() {
        shell::run(shell::cargo().args(["install", "--locked", CARGO_DENY]))
            .with_context(|| format!("cannot install {CARGO_DENY}"))?;
    }
    // Drivers whose crate does not exist yet have a line in `deny.toml` all the same.
    shell::run(
        shell::cargo()
            .args(["deny", "--locked", "--all-features", "check"])
            .args(["--hide-inclusion-graph", "--allow", "unused-wrapper"])
            .args(["bans", "licenses", "sources"]),
    )?;
    // Advisories live in a repository of their own. Without a way to it the rest still holds, but nobody should believe
    // that advisories were looked at.
    if shell::output(shell::cargo().args(["deny", "fetch", "db"])).is_none() {
        return Ok(Outcome::PassedBut(
            "advisories were left out: their database cannot be fetched from here".to_owned(),
        ));
    }
    shell::run(shell::cargo().args(["deny", "--locked", "--all-features", "check", "advisories"]))?;
    Ok(Outcome::Passed)
}
