//! What is not to be reported, because somebody said so: in a file, or in the line itself.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// A comment with these words says that nothing in its line is to be reported; rules behind them say which.
const WORDS: &str = "palisade:allow";

/// What a file allows.
#[derive(Default)]
pub(crate) struct Allowed {
    entries: Vec<Entry>,
}

struct Entry {
    /// No rule: every one.
    rule: Option<String>,
    /// No pattern: every path.
    paths: Option<Gitignore>,
}

impl Allowed {
    /// What the file allows; nothing without one.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or a line is none of the three, with its number.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::read(&text).with_context(|| format!("cannot use {}", path.display()))
    }

    fn read(text: &str) -> Result<Self> {
        let mut entries = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (what, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let rest = rest.trim();
            let (rule, pattern) = match what {
                "path" if !rest.is_empty() => (None, Some(rest)),
                "rule" if !rest.is_empty() => match rest.split_once(char::is_whitespace) {
                    Some((rule, pattern)) => (Some(rule), Some(pattern.trim())),
                    None => (Some(rest), None),
                },
                _ => bail!(
                    "line {number} is none of `rule ID`, `path PATTERN` and `rule ID PATTERN`"
                ),
            };
            let paths = pattern
                .map(|pattern| {
                    let mut builder = GitignoreBuilder::new("");
                    builder
                        .add_line(None, pattern)
                        .and_then(|builder| builder.build())
                        .with_context(|| format!("line {number} has no usable pattern"))
                })
                .transpose()?;
            entries.push(Entry {
                rule: rule.map(str::to_owned),
                paths,
            });
        }
        Ok(Self { entries })
    }

    /// Whether a finding of `rule` in the file at `path` is not to be reported.
    pub(crate) fn has(&self, rule: &str, path: &str) -> bool {
        self.entries.iter().any(|entry| {
            let path = path.trim_start_matches("./").trim_start_matches('/');
            entry.rule.as_deref().is_none_or(|allowed| allowed == rule)
                && entry
                    .paths
                    .as_ref()
                    .is_none_or(|paths| paths.matched_path_or_any_parents(path, false).is_ignore())
        })
    }
}

/// Whether the line that holds the place `at` of `text` says that this rule is allowed there.
pub(crate) fn in_line(text: &[u8], at: usize, rule: &str) -> bool {
    let at = at.min(text.len());
    let from = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    let to = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline);
    let line = String::from_utf8_lossy(&text[from..to]);
    let Some((_, rest)) = line.split_once(WORDS) else {
        return false;
    };
    // `palisade:allowed` is another word.
    if rest.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
        return false;
    }
    let is_id = |word: &&str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
            && word.bytes().any(|b| b.is_ascii_lowercase())
    };
    let named: Vec<&str> = rest
        .split([' ', ',', '\t'])
        .filter(|word| !word.is_empty())
        .take_while(is_id)
        .collect();
    named.is_empty() || named.contains(&rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_allows_rules_paths_and_rules_in_paths() {
        let allowed =
            Allowed::read("# why\n\nrule ipv4\npath tests/fixtures/\nrule password *.md\n")
                .unwrap();
        for (rule, path, has) in [
            ("ipv4", "src/a.rs", true),
            ("email", "src/a.rs", false),
            ("email", "tests/fixtures/deep/a.txt", true),
            ("email", "./tests/fixtures/a.txt", true),
            ("password", "docs/x.md", true),
            ("password", "docs/x.rs", false),
        ] {
            assert_eq!(allowed.has(rule, path), has, "{rule} {path}");
        }
    }

    #[test]
    fn a_line_that_allows_nothing_is_refused_with_its_number() {
        for text in ["rule", "path ", "\nvalue x", "ipv4"] {
            let error = Allowed::read(text).err().unwrap().to_string();
            assert!(error.contains("line "), "{error}");
        }
    }

    #[test]
    fn a_comment_allows_its_own_line_and_the_rules_it_names() {
        let text =
            b"a\nkey = 1 # palisade:allow\nb # palisade:allow ipv4, email\nc palisade:allowed\n";
        assert!(!in_line(text, 0, "ipv4"));
        assert!(in_line(text, 3, "ipv4"));
        assert!(in_line(text, 31, "email") && !in_line(text, 31, "password"));
        assert!(!in_line(text, text.len() - 3, "ipv4"));
    }
}
