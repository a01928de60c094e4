//! Loose ends, and files that have outgrown a reader.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};

use super::Outcome;
use crate::{shell, workspace};

/// Words that say "not yet", in pieces so that this file may name them.
const LOOSE_ENDS: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("#[ig", "nore"),
    concat!("FIX", "ME"),
];

/// A `lib.rs` is a page and a table of contents.
const LIB_CODE_LINES_MAX: usize = 80;
/// A file fits in a few screens.
const FILE_LINES_MAX: usize = 600;

/// Where the book includes the decisions.
const DECISIONS_IN_BOOK: &str = "docs/src/decisions.md";

pub(super) fn check() -> Result<Outcome> {
    let root = workspace::root();
    let listed = shell::output(Command::new("git").current_dir(root).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "--deduplicate",
    ]))
    .context("`git ls-files` fails; this step asks git which files are ours")?;
    let mut complaints = Vec::new();
    let mut files = 0;
    for path in listed.lines() {
        // Listed but deleted on disk: no longer ours to judge.
        let Ok(text) = fs::read_to_string(root.join(path)) else {
            continue;
        };
        files += 1;
        complaints.extend(judge(path, &text));
    }
    let book = fs::read_to_string(root.join(DECISIONS_IN_BOOK))
        .with_context(|| format!("cannot read {DECISIONS_IN_BOOK}"))?;
    complaints.extend(listed.lines().filter_map(|path| unlisted(path, &book)));
    for complaint in &complaints {
        println!("{complaint}");
    }
    if !complaints.is_empty() {
        bail!("{} complaints", complaints.len());
    }
    println!("{files} files");
    Ok(Outcome::Passed)
}

/// What is wrong with a file.
fn judge(path: &str, text: &str) -> Vec<String> {
    if path.starts_with("crates/") && path.ends_with("/Cargo.toml") {
        return judge_manifest(path, text);
    }
    if !path.ends_with(".rs") {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in LOOSE_ENDS.iter().filter(|word| line.contains(**word)) {
            complaints.push(format!("{path}:{}: a loose end, `{word}`", index + 1));
        }
    }
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX && !is_table(text) {
        complaints.push(format!(
            "{path}: {lines} lines, more than {FILE_LINES_MAX}; part it, or move its tables into a file without functions"
        ));
    }
    let code = code_lines(text);
    if path.ends_with("src/lib.rs") && code > LIB_CODE_LINES_MAX {
        complaints.push(format!(
            "{path}: {code} lines of code, more than {LIB_CODE_LINES_MAX}; a lib.rs holds modules and re-exports"
        ));
    }
    complaints
}

fn judge_manifest(path: &str, text: &str) -> Vec<String> {
    let inherits = text
        .lines()
        .skip_while(|line| line.trim() != "[lints]")
        .nth(1)
        .is_some_and(|line| line.trim() == "workspace = true");
    if inherits {
        return Vec::new();
    }
    vec![format!(
        "{path}: does not take the lints of the workspace; add `[lints]` with `workspace = true`"
    )]
}

/// A decision that the book leaves out is one that nobody will find.
fn unlisted(path: &str, book: &str) -> Option<String> {
    let page = path.strip_prefix("docs/decisions/")?;
    let include = format!("{{{{#include ../decisions/{page}}}}}");
    (!book.contains(&include)).then(|| format!("{path}: add `{include}` to {DECISIONS_IN_BOOK}"))
}

/// A file without a function is a table. It is looked things up in, not read from top to bottom.
fn is_table(text: &str) -> bool {
    !text.lines().any(|line| line.contains("fn "))
}

/// Lines that are neither empty nor comment.
fn code_lines(text: &str) -> usize {
    text.lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loose_end_is_found_with_its_line() {
        for word in LOOSE_ENDS {
            let text = format!("fn f() {{\n    {word}\n}}\n");
            let complaints = judge("crates/a/src/a.rs", &text);
            assert_eq!(complaints.len(), 1, "{word}");
            assert!(complaints[0].starts_with("crates/a/src/a.rs:2:"), "{word}");
        }
    }

    #[test]
    fn only_code_is_searched_for_loose_ends() {
        assert!(judge("CONTRIBUTING.md", LOOSE_ENDS[3]).is_empty());
    }

    #[test]
    fn a_file_may_be_as_long_as_a_few_screens_and_no_longer() {
        let page = "fn a() {}\n".repeat(FILE_LINES_MAX);
        assert!(judge("crates/a/src/a.rs", &page).is_empty());
        let longer = page + "fn a() {}\n";
        assert_eq!(judge("crates/a/src/a.rs", &longer).len(), 1);
    }

    #[test]
    fn a_table_may_be_as_long_as_it_is() {
        let table = "    (\"a\", 1),\n".repeat(FILE_LINES_MAX + 1);
        assert!(judge("crates/a/src/a.rs", &table).is_empty());
    }

    #[test]
    fn a_lib_holds_a_page_of_code_and_any_docs() {
        let docs = "//! Why.\n\n".repeat(100);
        let page = docs + &"mod a;\n".repeat(LIB_CODE_LINES_MAX);
        assert!(judge("crates/a/src/lib.rs", &page).is_empty());
        assert_eq!(judge("crates/a/src/lib.rs", &(page + "mod b;\n")).len(), 1);
    }

    #[test]
    fn a_decision_that_the_book_leaves_out_is_named() {
        let book = "{{#include ../decisions/0001-a.md}}";
        assert_eq!(unlisted("docs/decisions/0001-a.md", book), None);
        assert!(unlisted("docs/decisions/0002-b.md", book).is_some());
        assert_eq!(unlisted("docs/src/architecture.md", book), None);
    }

    #[test]
    fn a_crate_that_leaves_the_lints_is_named() {
        let taken = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
        assert!(judge("crates/a/Cargo.toml", taken).is_empty());
        assert_eq!(
            judge("crates/a/Cargo.toml", "[package]\nname = \"a\"\n").len(),
            1
        );
    }
}
