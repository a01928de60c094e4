//! `palisade scan` on trees and histories: what is allowed, what is known, how it is written; and `palisade rules`.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use support::{code, errors, lines, run, text, token};
use tempfile::TempDir;

struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn git(&self, arguments: &[&str]) {
        let status = Command::new("git")
            .arg("-C")
            .arg(self.path())
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(["-c", "commit.gpgsign=false"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            status.status.success(),
            "{arguments:?}: {}",
            errors(&status)
        );
    }
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_comment_and_a_file_say_what_is_not_reported() {
    let tree = Tree::new();
    let secret = format!("token = \"{}\"", token());
    tree.write("a.txt", &format!("{secret} # palisade:allow github_pat\n"));
    tree.write("fixtures/b.txt", &format!("{secret}\n"));
    tree.write("c.txt", &format!("{secret} # palisade:allow email\n"));
    let outside = Tree::new();
    let allow = outside.write("allow", "path fixtures/\n");
    let output = run(
        &["scan", "--secrets", "--allow", shown(&allow), tree.path()],
        "",
    );
    assert_eq!(code(&output), 1, "{}", errors(&output));
    let report = text(&output);
    assert!(
        report.lines().count() == 1 && report.contains("c.txt:1:10"),
        "{report}"
    );
}

#[test]
fn an_allow_list_that_says_nothing_is_refused() {
    let tree = Tree::new();
    let allow = tree.write("allow", "everything\n");
    let output = run(
        &["scan", "--secrets", "--allow", shown(&allow), tree.path()],
        "",
    );
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("line 1"), "{}", errors(&output));
}

#[test]
fn a_baseline_knows_what_was_there_and_nothing_of_what_it_was() {
    let tree = Tree::new();
    let file = tree.write("a.txt", &format!("token = \"{}\"\n", token()));
    let outside = Tree::new();
    let baseline = outside.0.path().join("baseline");
    let baseline = shown(&baseline);
    let scan = |flag: &str| run(&["scan", "--secrets", flag, baseline, tree.path()], "");

    let output = scan("--write-baseline");
    assert_eq!(
        (code(&output), text(&output)),
        (0, String::new()),
        "{}",
        errors(&output)
    );
    let written = fs::read_to_string(baseline).unwrap();
    assert!(
        written.contains("github_pat") && !written.contains(&token()[4..12]),
        "{written}"
    );
    assert_eq!(code(&scan("--baseline")), 0);

    // Another in the same place, and the same twice, are new.
    let other = "DB_PASSWORD=k00B!tlmawn7";
    fs::write(&file, format!("token = \"{0}\"\n{0}\n{other}\n", token())).unwrap();
    let output = scan("--baseline");
    assert_eq!(code(&output), 1);
    let report = text(&output);
    let places: Vec<&str> = report
        .lines()
        .map(|line| line.rsplit("a.txt").next().unwrap())
        .collect();
    assert_eq!(places.len(), 2, "{report}");
    assert!(
        places[0].starts_with(":2:1: github_pat") && places[1].starts_with(":3:13: password"),
        "{report}"
    );

    fs::write(baseline, "no baseline").unwrap();
    assert_eq!(code(&scan("--baseline")), 2);
}

#[test]
fn a_report_is_written_for_programs_too() {
    let tree = Tree::new();
    tree.write("a b.txt", &format!("one\ntwo \"{}\"\n", token()));
    tree.write("c.txt", "jo@mail.example\n");
    let scan = |format: &str| {
        run(
            &[
                "scan",
                "--secrets",
                "--pii",
                "--format",
                format,
                tree.path(),
            ],
            "",
        )
    };

    let output = scan("json");
    assert_eq!(code(&output), 1);
    let found = lines(&output);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (&found[0]["line"], &found[0]["column"]),
        (&2.into(), &6.into())
    );
    assert_eq!(found[0]["end_column"], 6 + token().len());
    assert_eq!(found[1]["rule"], "email");

    let output = scan("sarif");
    let sarif: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "github_pat");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], 2);
    assert!(
        place["artifactLocation"]["uri"]
            .as_str()
            .unwrap()
            .ends_with("/a%20b.txt")
    );
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == "github_pat"));
    for shown in [text(&output), text(&scan("json"))] {
        assert!(
            !shown.contains(&token()) && !shown.contains("jo@"),
            "{shown}"
        );
    }

    let empty = Tree::new();
    let clean = support::run(
        &["scan", "--secrets", "--format", "sarif", empty.path()],
        "",
    );
    let sarif: Value = serde_json::from_str(&text(&clean)).unwrap();
    assert_eq!(sarif["runs"][0]["results"], Value::Array(Vec::new()));
}

#[test]
fn what_a_later_commit_took_away_is_found_in_the_history() {
    let tree = Tree::new();
    tree.git(&["init", "-q"]);
    tree.write("src/a.txt", &format!("one\ntwo\nkey {}\n", token()));
    tree.git(&["add", "."]);
    tree.git(&["commit", "-q", "-m", "one"]);
    tree.write("src/a.txt", "one\ntwo\n");
    tree.git(&["commit", "-q", "-a", "-m", "two"]);

    let now = run(&["scan", "--secrets", tree.path()], "");
    assert_eq!(code(&now), 0, "{}", text(&now));
    let output = run(&["scan", "--secrets", "--history", tree.path()], "");
    assert_eq!(code(&output), 1, "{}", errors(&output));
    let report = text(&output);
    let (commit, rest) = report.split_once(':').unwrap();
    assert!(
        commit.len() == 12 && rest.starts_with("src/a.txt:3:5: github_pat"),
        "{report}"
    );
    assert_eq!(report.lines().count(), 1);
}

#[test]
fn a_folder_without_a_history_is_reported() {
    let tree = Tree::new();
    let output = run(&["scan", "--secrets", "--history", tree.path()], "");
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("git"), "{}", errors(&output));
}

const RULES: &str = r#"
[[rule]]
id = "acme_key"
pattern = "\\bacme_[0-9a-z]{8}\\b"
description = "keys of Acme"
matches = ["use acme_0a1b2c3d"]
passes = ["acme_short"]
"#;

#[test]
fn rules_of_ones_own_are_checked_listed_and_used() {
    let tree = Tree::new();
    let file = tree.write("rules.toml", RULES);
    let rules = shown(&file);
    let output = run(
        &["scan", "--secrets", "--rules", rules],
        "an acme_9z8y7x6w\n",
    );
    assert_eq!(code(&output), 1, "{}", errors(&output));
    assert!(
        text(&output).starts_with("<stdin>:1:4: acme_key (secret, high"),
        "{}",
        text(&output)
    );

    let listed = run(&["rules", "list", "--json", "--rules", rules], "");
    let listed = lines(&listed);
    assert!(listed.len() > 250);
    let own = listed.iter().find(|rule| rule["id"] == "acme_key").unwrap();
    assert_eq!(
        (&own["kind"], &own["name"]),
        (&"secret".into(), &"keys of Acme".into())
    );
    let known = listed
        .iter()
        .find(|rule| rule["id"] == "github_pat")
        .unwrap();
    assert!(
        known["documentation"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );

    let tested = run(&["rules", "test", "--rules", rules], "");
    assert_eq!(code(&tested), 0, "{}{}", text(&tested), errors(&tested));
    assert!(text(&tested).contains("as they should be"));
}

#[test]
fn a_rule_that_does_not_do_what_it_says_is_refused() {
    let tree = Tree::new();
    for (from, to, said) in [
        ("use acme_0a1b2c3d", "nothing here", "matches[0]"),
        ("acme_short", "acme_0a1b2c3d", "passes[0]"),
        ("acme_key", "github_pat", "github_pat"),
        (
            "matches = [\"use acme_0a1b2c3d\"]",
            "matches = []",
            "no example",
        ),
        ("pattern", "pattrn", "pattrn"),
    ] {
        let file = tree.write("rules.toml", &RULES.replace(from, to));
        for arguments in [["rules", "test"], ["scan", "--secrets"]] {
            let output = run(&[&arguments[..], &["--rules", shown(&file)]].concat(), "");
            assert_eq!(code(&output), 2, "{to}");
            assert!(errors(&output).contains(said), "{}", errors(&output));
        }
    }
}

#[test]
fn there_is_no_progress_where_there_is_no_terminal() {
    let tree = Tree::new();
    tree.write("a.txt", "nothing\n");
    let output = run(&["scan", "--secrets", tree.path()], "");
    assert_eq!((code(&output), errors(&output)), (0, String::new()));
}
