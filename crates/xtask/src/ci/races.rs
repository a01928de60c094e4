//! What threads share, in every order of their steps.

use anyhow::Result;

use super::Outcome;
use crate::{shell, workspace};

/// The crates with a `tests/races.rs`.
const CRATES: &[&str] = &["palisade-rate-limit", "palisade-resilience"];

pub(super) fn check() -> Result<Outcome> {
    // Apart from the other builds, as another cfg for all crates means another build of all crates.
    let target = workspace::root().join("target").join("races");
    for name in CRATES {
        let mut test = shell::cargo();
        test.args(["test", "--locked", "--quiet", "-p", name, "--test", "races"])
            .arg("--target-dir")
            .arg(&target)
            .env("RUSTFLAGS", "--cfg palisade_loom")
            // Three interruptions of a thread find what there is to find in states as small as these, within seconds.
            .env("LOOM_MAX_PREEMPTIONS", "3");
        shell::run(&mut test)?;
    }
    Ok(Outcome::Passed)
}
