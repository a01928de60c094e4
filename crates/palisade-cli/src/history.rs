//! What was ever added to a git repository. A secret that a later commit took away has left all the same.
//!
//! `git` itself says what each commit added; this reads it as it comes, and holds one file of one commit at a time.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::input::TEXT_BYTES_MAX;

/// The lines that a commit added to a file.
#[derive(Debug, Default)]
pub(crate) struct Added {
    pub(crate) commit: String,
    pub(crate) path: String,
    pub(crate) text: Vec<u8>,
    /// For each stretch of lines, which line of `text` it begins with and which of the file that is; both from one.
    stretches: Vec<(usize, usize)>,
    /// How many lines `text` has.
    lines: usize,
    /// Whether there was more than fits.
    pub(crate) is_cut: bool,
}

impl Added {
    /// The line of the file that is this line of `text`.
    pub(crate) fn line(&self, line: usize) -> usize {
        let before = self.stretches.partition_point(|(first, _)| *first <= line);
        match before.checked_sub(1).map(|at| self.stretches[at]) {
            Some((first, in_file)) => in_file + line - first,
            None => line,
        }
    }
}

/// Hands every file of every commit of the repository at `path` to `look`.
///
/// # Errors
///
/// If there is no `git`, the path is in no repository, or `look` fails.
pub(crate) fn walk(path: &Path, look: impl FnMut(&Added) -> Result<()>) -> Result<()> {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(path)
        .args([
            "-c",
            "core.quotePath=false",
            "log",
            "--all",
            "--patch",
            "--unified=0",
            "--diff-filter=AMRC",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "--format=commit %H",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .context("cannot run `git`, which a history is read with")?;
    let stdout = child.stdout.take().context("`git` has no output")?;
    let outcome = read(BufReader::with_capacity(256 * 1024, stdout), look);
    if outcome.is_err() {
        // Nobody reads what else it has to say.
        let _ = child.kill();
    }
    let status = child.wait().context("cannot wait for `git`")?;
    outcome?;
    ensure!(status.success(), "`git log` failed for {}", path.display());
    Ok(())
}

/// Reads what `git log --patch --unified=0` writes.
fn read(mut log: impl BufRead, mut look: impl FnMut(&Added) -> Result<()>) -> Result<()> {
    let mut added = Added::default();
    let mut line = Vec::new();
    // How many lines of the stretch are still to come: within one, nothing is a heading.
    let (mut taken, mut gone) = (0_usize, 0_usize);
    loop {
        line.clear();
        let limit = TEXT_BYTES_MAX + 1;
        let count = log
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut line)
            .context("cannot read what `git` says")?;
        let ends = count == 0;
        let in_stretch = taken + gone > 0;
        if !ends && in_stretch {
            match line.first() {
                Some(b'+') if taken > 0 => {
                    taken -= 1;
                    if added.text.len() + line.len() > TEXT_BYTES_MAX as usize {
                        added.is_cut = true;
                    } else {
                        added.text.extend_from_slice(&line[1..]);
                        added.lines += 1;
                    }
                }
                Some(b'-') if gone > 0 => gone -= 1,
                // `\ No newline at end of file`
                _ => {}
            }
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        if let Some(places) = text.strip_prefix("@@ ") {
            let (from, to) = stretch(places).context("`git` writes what is no patch")?;
            gone = from.1;
            taken = to.1;
            added.stretches.push((added.lines + 1, to.0));
            continue;
        }
        if ends || text.starts_with("commit ") || text.starts_with("diff --git ") {
            if !added.text.is_empty() {
                look(&added)?;
            }
            let commit = match text.strip_prefix("commit ") {
                Some(commit) => commit.to_owned(),
                None => std::mem::take(&mut added.commit),
            };
            added = Added {
                commit,
                ..Added::default()
            };
            if ends {
                return Ok(());
            }
        } else if let Some(path) = text.strip_prefix("+++ ") {
            // Quoted where it holds quote marks or control characters.
            let path = path.trim_matches('"');
            path.strip_prefix("b/")
                .unwrap_or(path)
                .clone_into(&mut added.path);
        }
    }
}

/// `-a,b +c,d @@`: where lines went and came, and how many.
fn stretch(places: &str) -> Option<((usize, usize), (usize, usize))> {
    let range = |part: Option<&str>, sign: char| {
        let part = part?.strip_prefix(sign)?;
        let (line, count) = part.split_once(',').unwrap_or((part, "1"));
        Some((line.parse().ok()?, count.parse().ok()?))
    };
    let mut parts = places.split(' ');
    Some((range(parts.next(), '-')?, range(parts.next(), '+')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "commit aaaa\n\ndiff --git a/x.txt b/x.txt\nindex 1..2 100644\n--- a/x.txt\n+++ b/x.txt\n\
        @@ -3 +3,2 @@ fn\n-old\n+one\n+++ two\n@@ -9,0 +11 @@\n+three\n\\ No newline at end of file\n\
        diff --git a/y b/y\n--- /dev/null\n+++ b/y\n@@ -0,0 +1 @@\n+commit bbbb\n\
        commit cccc\n\ndiff --git a/z b/z\nBinary files a/z and b/z differ\n";

    #[test]
    fn every_line_that_was_added_is_told_with_its_place() {
        let mut seen = Vec::new();
        read(LOG.as_bytes(), |added| {
            let places: Vec<usize> = (1..=added.lines).map(|line| added.line(line)).collect();
            let text = String::from_utf8_lossy(&added.text).into_owned();
            seen.push((added.commit.clone(), added.path.clone(), text, places));
            Ok(())
        })
        .unwrap();
        let expected = [
            ("aaaa", "x.txt", "one\n++ two\nthree\n", vec![3, 4, 11]),
            ("aaaa", "y", "commit bbbb\n", vec![1]),
        ];
        let expected = expected.map(|(commit, path, text, places)| {
            (commit.to_owned(), path.to_owned(), text.to_owned(), places)
        });
        assert_eq!(seen, expected);
    }
}
