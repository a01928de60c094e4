//! Files, and standard input.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The longest text that is read as a whole, in bytes.
pub(crate) const TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Standard input, by its customary name.
const STANDARD_INPUT: &str = "-";

/// What is to be read: the paths, or standard input if there are none.
pub(crate) fn or_standard_input(paths: &[PathBuf]) -> Vec<PathBuf> {
    if paths.is_empty() {
        vec![PathBuf::from(STANDARD_INPUT)]
    } else {
        paths.to_vec()
    }
}

/// Whether this is standard input.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

/// The name of an input, for people.
pub(crate) fn shown(path: &Path) -> Cow<'_, str> {
    if is_standard(path) {
        Cow::Borrowed("<stdin>")
    } else {
        path.to_string_lossy()
    }
}

/// Opens a file or standard input.
///
/// # Errors
///
/// If there is no such file, or it is a folder.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>> {
    if is_standard(path) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let name = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(name)?;
    anyhow::ensure!(
        !file.metadata().with_context(name)?.is_dir(),
        "{} is a folder; only a scan for secrets, personal data or commands looks into folders",
        path.display()
    );
    Ok(Box::new(file))
}

/// Reads a text as a whole.
///
/// # Errors
///
/// If it cannot be read or is longer than [`TEXT_BYTES_MAX`].
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?
        .take(TEXT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(
        bytes.len() as u64 <= TEXT_BYTES_MAX,
        "{} is longer than {TEXT_BYTES_MAX} bytes",
        path.display()
    );
    Ok(bytes)
}
