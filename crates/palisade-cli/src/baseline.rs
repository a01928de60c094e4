//! What was found before. A baseline lets a rule be switched on for what is new, before all that is old is mended.
//!
//! It says which rule found how many values in which file, and sixteen bits of the hash of each: enough to see that another
//! value has taken the place of an old one, and not enough to find out which value it was.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::found::Found;

const HEAD: &str = "# palisade baseline 1: count, rule, digest, path";

/// How often what was found, by rule, digest and path.
#[derive(Default)]
pub(crate) struct Baseline {
    counts: BTreeMap<(String, String, String), u64>,
}

impl Baseline {
    /// Reads a baseline; nothing is known without one.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is none, with the line.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::read(&text).with_context(|| format!("{} is no baseline", path.display()))
    }

    fn read(text: &str) -> Result<Self> {
        let mut lines = (1..).zip(text.lines());
        if lines.next().map(|(_, line)| line) != Some(HEAD) {
            bail!("its first line is not `{HEAD}`");
        }
        let mut baseline = Self::default();
        for (number, line) in lines {
            let parts: Vec<&str> = line.splitn(4, '\t').collect();
            let &[count, rule, digest, path] = parts.as_slice() else {
                bail!("line {number} has not four parts");
            };
            let count = count
                .parse()
                .with_context(|| format!("line {number} does not begin with a count"))?;
            let key = (path.to_owned(), rule.to_owned(), digest.to_owned());
            baseline.counts.insert(key, count);
        }
        Ok(baseline)
    }

    /// Adds a finding.
    pub(crate) fn add(&mut self, found: &Found) {
        *self.counts.entry(key(found)).or_default() += 1;
    }

    /// Whether the finding was there before. Each is known as often as it was found.
    pub(crate) fn knows(&mut self, found: &Found) -> bool {
        match self.counts.get_mut(&key(found)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    /// Writes the baseline.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let mut text = format!("{HEAD}\n");
        for ((path, rule, digest), count) in &self.counts {
            // A `String` takes all there is.
            let _ = writeln!(text, "{count}\t{rule}\t{digest}\t{path}");
        }
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// A path with a line break in it would be two lines of a baseline.
fn key(found: &Found) -> (String, String, String) {
    let path = found.path.replace(['\n', '\r'], "?");
    (path, found.rule.clone(), found.digest.clone())
}
