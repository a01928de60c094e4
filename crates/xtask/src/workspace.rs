//! What cargo knows of this repository.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};

/// The folder of the repository: the one above `crates/xtask`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap_or(Path::new("."))
}

/// The members of the workspace of a manifest, without resolving what they depend on (so it needs no network).
///
/// # Errors
///
/// If a manifest cannot be read.
pub(crate) fn members_of(manifest: &Path) -> Result<Metadata> {
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()
        .with_context(|| format!("cannot read the workspace of {}", manifest.display()))
}

/// The members of this workspace.
///
/// # Errors
///
/// If a manifest cannot be read.
pub(crate) fn members() -> Result<Metadata> {
    members_of(&root().join("Cargo.toml"))
}

/// Where build results go, as cargo sees it.
///
/// # Errors
///
/// If a manifest cannot be read.
pub(crate) fn target() -> Result<PathBuf> {
    Ok(members()?.target_directory.into_std_path_buf())
}

/// Whether this workspace has a member of this name.
///
/// # Errors
///
/// If a manifest cannot be read.
pub(crate) fn has_member(name: &str) -> Result<bool> {
    Ok(members()?
        .packages
        .iter()
        .any(|member| *member.name == name))
}
