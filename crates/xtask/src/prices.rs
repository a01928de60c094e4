//! Regenerates the price catalog of `palisade-cost`.

use anyhow::{Result, bail};

/// `cargo xtask prices`.
///
/// # Errors
///
/// Always, in this state of the repository: the catalog has no generator yet.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    bail!("the price catalog has no generator in this state of the repository")
}
