//! The compiler that is promised is the compiler that all the other steps run on.
//!
//! A minimum version that nobody builds with is a guess. This one is a fact: the workflow installs exactly the version
//! of the manifest, and here it is made sure that every crate promises it and that ours is no older.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Outcome;
use crate::{shell, workspace};

pub(super) fn check() -> Result<Outcome> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = shell::output(Command::new(rustc).arg("--version"))
        .context("`rustc --version` says nothing")?;
    let ours = version(&said).with_context(|| format!("cannot read a version in {said:?}"))?;
    for package in workspace::members()?.packages {
        let name = package.name;
        let Some(promised) = package.rust_version else {
            bail!("{name} promises no version; add `rust-version.workspace = true`");
        };
        if (promised.major, promised.minor) > ours {
            bail!(
                "{name} promises to build with {promised}, this is {}",
                said.trim()
            );
        }
    }
    println!("{}", said.trim());
    Ok(Outcome::Passed)
}

/// The major and minor number in what `rustc --version` says.
fn version(said: &str) -> Option<(u64, u64)> {
    let number = said.strip_prefix("rustc ")?.split(['-', ' ']).next()?;
    let mut parts = number.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_channels_are_read() {
        assert_eq!(version("rustc 1.95.0 (abc 2026-03-21)\n"), Some((1, 95)));
        assert_eq!(
            version("rustc 1.97.0-nightly (abc 2026-05-19)"),
            Some((1, 97))
        );
        assert_eq!(
            version("rustc 1.96.0-beta.3 (abc 2026-05-19)"),
            Some((1, 96))
        );
        assert_eq!(version("gcc 12"), None);
    }
}
