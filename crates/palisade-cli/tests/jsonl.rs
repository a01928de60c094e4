//! What holds for every command that reads and writes JSON lines.

mod support;

use std::io::{BufRead, BufReader, Read, Write};

use serde_json::{Value, json};
use support::{code, errors, lines, palisade, run, text};

const COMMANDS: &[&[&str]] = &[
    &["scan", "--injection", "--jsonl"],
    &["scan", "--secrets", "--jsonl"],
    &["redact", "--jsonl"],
];

#[test]
fn every_line_is_answered_in_the_order_of_the_input() {
    for command in COMMANDS {
        let input: String = (0..5000)
            .map(|id| format!("{{\"id\":{id},\"text\":\"a kind word, {id} times\"}}\n"))
            .collect();
        let output = run(command, input);
        assert_eq!(code(&output), 0, "{command:?} {}", errors(&output));
        let ids: Vec<Value> = lines(&output)
            .iter()
            .map(|line| line["id"].clone())
            .collect();
        assert_eq!(ids, (0..5000).map(Value::from).collect::<Vec<_>>());
    }
}

#[test]
fn an_id_goes_back_as_it_came() {
    for id in [
        r#""a-\u00e4""#,
        "7",
        "-0.10",
        "123456789012345678901234567890",
        "null",
        "true",
        r#"{"b":[1, 2],"a":null}"#,
    ] {
        for command in COMMANDS {
            let output = run(command, format!("{{\"text\":\"hi\",\"id\":{id}}}\n"));
            assert!(
                text(&output).contains(&format!("\"id\":{id}")),
                "{command:?} {}",
                text(&output)
            );
        }
    }
}

#[test]
fn without_an_id_there_is_none_in_the_answer() {
    for command in COMMANDS {
        let output = run(command, "{\"text\":\"hi\"}\n");
        assert!(!text(&output).contains("\"id\""), "{}", text(&output));
    }
}

#[test]
fn a_malformed_line_is_reported_and_does_not_stop_the_rest() {
    let input = [
        r#"{"id":"first","text":"hello"}"#,
        "no JSON at all",
        r#"{"id":"no text"}"#,
        r#"{"id":"wrong text","text":7}"#,
        r#"{"id":"cut","text":"#,
        "[1]",
        "",
        r#"{"id":"last","text":"hello"}"#,
    ]
    .join("\n");
    for command in COMMANDS {
        let output = run(command, &input);
        assert_eq!(code(&output), 2, "{command:?}");
        let lines = lines(&output);
        assert_eq!(lines.len(), 7, "{command:?}");
        assert!(lines[0]["error"].is_null() && lines[6]["error"].is_null());
        assert_eq!(lines[0]["id"], "first");
        assert_eq!(lines[6]["id"], "last");
        for (answer, (line, id)) in lines[1..6].iter().zip([
            (2, Value::Null),
            (3, json!("no text")),
            (4, json!("wrong text")),
            (5, Value::Null),
            (6, Value::Null),
        ]) {
            assert!(answer["error"].is_string(), "{command:?} {answer}");
            assert_eq!(answer["line"], line, "{command:?}");
            assert_eq!(answer["id"], id, "{command:?}");
            assert!(
                errors(&output).contains(&format!("line {line}: ")),
                "{command:?}"
            );
        }
    }
}

#[test]
fn a_report_does_not_repeat_what_the_line_says() {
    let token = support::token();
    for input in [
        format!("{{\"text\":\"a\",\"text\":\"{token}\"}}\n"),
        format!("{{\"text\":[\"{token}\"]}}\n"),
        format!("{{\"text\":\"a\",\"channel\":\"{token}\"}}\n"),
        format!("{{\"text\":\"{token}\n"),
    ] {
        let output = run(&["scan", "--injection", "--jsonl"], input);
        assert_eq!(code(&output), 2);
        assert!(!text(&output).contains(&token), "{}", text(&output));
        assert!(!errors(&output).contains(&token), "{}", errors(&output));
    }
}

#[test]
fn bytes_that_are_not_text_are_an_error_of_their_line() {
    for command in COMMANDS {
        let output = run(command, b"{\"text\":\"\xff\"}\n{\"text\":\"fine\"}\n");
        assert_eq!(code(&output), 2);
        let lines = lines(&output);
        assert_eq!(lines.len(), 2);
        assert!(lines[0]["error"].is_string());
        assert!(lines[1]["error"].is_null());
    }
}

#[test]
fn a_line_beyond_the_limit_is_an_error_and_the_next_is_answered() {
    let mut input = br#"{"text":""#.to_vec();
    input.resize(17 * 1024 * 1024, b'a');
    input.extend_from_slice(b"\"}\n{\"id\":2,\"text\":\"short\"}\n");
    let output = run(&["scan", "--injection", "--jsonl"], input);
    assert_eq!(code(&output), 2);
    let lines = lines(&output);
    assert_eq!(lines.len(), 2);
    assert!(lines[0]["error"].as_str().unwrap().contains("longer"));
    assert_eq!(lines[1]["id"], 2);
}

#[test]
fn a_mark_of_byte_order_and_windows_line_ends_are_understood() {
    for command in COMMANDS {
        let output = run(
            command,
            "\u{feff}{\"id\":1,\"text\":\"a\"}\r\n{\"id\":2,\"text\":\"b\"}\r\n",
        );
        assert_eq!(code(&output), 0, "{command:?} {}", errors(&output));
        assert_eq!(lines(&output).len(), 2);
    }
}

#[test]
fn whoever_sends_one_line_and_waits_gets_the_answer() {
    for command in COMMANDS {
        let mut child = palisade(command)
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        for id in 0..3 {
            writeln!(stdin, "{{\"id\":{id},\"text\":\"hi\"}}").unwrap();
            stdin.flush().unwrap();
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(answer["id"], id);
        }
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let input = "{\"text\":\"many words\"}\n".repeat(200_000);
    for command in COMMANDS {
        let mut child = palisade(command)
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.clone();
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(input.as_bytes());
        });
        let mut first = [0; 10];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert_eq!(errors(&output), "", "{command:?}");
        assert_eq!(code(&output), 0, "{command:?}");
    }
}

#[test]
fn a_missing_file_is_an_error_that_names_it() {
    let output = run(&["scan", "--injection", "--jsonl", "no-such-file"], "");
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("no-such-file"));
}

#[test]
fn a_scan_for_nothing_is_refused() {
    let output = run(&["scan", "--jsonl"], "");
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("--injection"));
}
