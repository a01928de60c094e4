//! `palisade scan --secrets`, `--pii` and `--commands`.

mod support;

use std::fs;

use support::{code, errors, lines, run, text, token};

#[test]
fn a_record_says_where_by_byte_offsets_into_the_text() {
    let text = format!("\u{e4}\u{f6}\u{fc} key: {}", token());
    let input = serde_json::json!({"id": 1, "text": text}).to_string();
    let output = run(&["scan", "--secrets", "--jsonl"], input);
    assert_eq!(code(&output), 1);
    let lines = lines(&output);
    let finding = &lines[0]["findings"][0];
    assert_eq!(finding["kind"], "secret");
    assert!(
        finding["rule"].as_str().unwrap().contains("github"),
        "{finding}"
    );
    let range =
        finding["start"].as_u64().unwrap() as usize..finding["end"].as_u64().unwrap() as usize;
    assert_eq!(&text[range], token());
    assert!(finding["confidence"].as_f64().unwrap() > 0.5);
    assert!(!support::text(&output).contains(&token()));
}

#[test]
fn what_was_not_asked_for_is_not_looked_for() {
    let text = format!(
        "{} and mail to alice.miller@northwind-traders.com; sudo rm -rf / --no-preserve-root",
        token()
    );
    let input = serde_json::json!({"text": text}).to_string();
    for (flags, kinds) in [
        (vec!["--secrets"], vec!["secret"]),
        (vec!["--pii"], vec!["pii"]),
        (vec!["--commands"], vec!["command"]),
        (
            vec!["--secrets", "--pii", "--commands"],
            vec!["command", "pii", "secret"],
        ),
    ] {
        let mut arguments = vec!["scan", "--jsonl"];
        arguments.extend(&flags);
        let output = run(&arguments, &input);
        let lines = lines(&output);
        let mut found: Vec<&str> = lines[0]["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["kind"].as_str().unwrap())
            .collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, kinds, "{flags:?}");
    }
}

#[test]
fn folders_are_searched_but_not_what_git_ignores_nor_what_is_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let secret = format!("token = \"{}\"\n", token());
    write("a/config.toml", format!("# one\n{secret}").as_bytes());
    write(".env", secret.as_bytes());
    write("b/clean.txt", b"nothing here\n");
    write("target/out.txt", secret.as_bytes());
    write(".git/config", secret.as_bytes());
    write(".gitignore", b"/target\n");
    write("image.bin", format!("\0{secret}").as_bytes());
    let path = folder.path().to_str().unwrap();

    let output = run(&["scan", "--secrets", path], "");
    assert_eq!(code(&output), 1, "{}", errors(&output));
    let report = text(&output);
    let places: Vec<&str> = report
        .lines()
        .map(|line| line.strip_prefix(path).unwrap().split(": ").next().unwrap())
        .collect();
    assert_eq!(places, ["/.env:1:10", "/a/config.toml:2:10"]);
    assert!(!report.contains(&token()), "{report}");

    // By name it is looked into, whatever it is.
    let named = folder.path().join("image.bin");
    let output = run(&["scan", "--secrets", named.to_str().unwrap()], "");
    assert_eq!(code(&output), 1);
}

#[test]
fn nothing_found_is_nothing_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "nothing here\n").unwrap();
    let output = run(
        &[
            "scan",
            "--secrets",
            "--pii",
            folder.path().to_str().unwrap(),
        ],
        "",
    );
    assert_eq!(
        (code(&output), text(&output), errors(&output)),
        (0, String::new(), String::new())
    );
}

#[test]
fn a_file_that_cannot_be_read_does_not_stop_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    fs::write(&path, token()).unwrap();
    let output = run(
        &["scan", "--secrets", "no-such-file", path.to_str().unwrap()],
        "",
    );
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("no-such-file"));
    assert!(text(&output).contains("a.txt:1:1"));
}

#[test]
fn standard_input_is_a_text_too() {
    let output = run(&["scan", "--secrets"], format!("one\ntwo {}\n", token()));
    assert_eq!(code(&output), 1);
    assert!(
        text(&output).starts_with("<stdin>:2:5: "),
        "{}",
        text(&output)
    );
}
