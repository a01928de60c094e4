//! The tables of a database, from a shell.

mod support;

use support::{run, text};

/// The exit code, and what was printed.
fn palisade(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments, "");
    (output.status.code().expect("it ended"), text(&output))
}

#[test]
fn tables_are_brought_up_to_date_looked_at_and_taken_back() {
    let folder = tempfile::tempdir().expect("a folder for tests");
    let file = folder.path().join("palisade.db");
    let file = file.to_str().expect("a plain name");
    walk(&[file]);
}

#[test]
fn those_of_a_server_too() {
    let url = std::env::var("PALISADE_POSTGRES_URL").expect(
        "PALISADE_POSTGRES_URL names a server; `cargo xtask services up` starts one and prints it",
    );
    let schema = format!("cli_{}", std::process::id());
    walk(&[&url, "--schema", &schema]);
}

fn walk(place: &[&str]) {
    let step = |step: &str, more: &[&str]| {
        let mut all = vec!["migrate", step];
        all.extend(place);
        all.extend(more);
        palisade(&all)
    };
    let (code, up) = step("up", &[]);
    assert_eq!(code, 0, "{up}");
    let all = up.lines().count();
    assert!(all > 0 && up.starts_with("0001 quota ("), "{up}");
    let (code, status) = step("status", &[]);
    assert_eq!(code, 0, "{status}");
    assert!(
        status.ends_with(&format!("{all} of {all} migrations\n")),
        "{status}"
    );
    assert_eq!(step("up", &[]), (0, String::new()));
    let (code, down) = step("down", &["--to", "1"]);
    assert_eq!((code, down.lines().count()), (0, all - 1), "{down}");
    let (code, status) = step("status", &[]);
    assert_eq!(code, 1, "{status}");
    let (code, down) = step("down", &["--to", "0"]);
    assert_eq!((code, down.lines().count()), (0, 1), "{down}");
}

#[test]
fn looking_at_a_file_that_is_not_there_makes_none() {
    let folder = tempfile::tempdir().expect("a folder for tests");
    let file = folder.path().join("palisade.db");
    let (code, _) = palisade(&["migrate", "status", file.to_str().expect("a plain name")]);
    assert_eq!(code, 2);
    assert!(!file.exists());
}
