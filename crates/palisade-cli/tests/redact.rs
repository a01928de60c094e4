//! `palisade redact`.

mod support;

use std::io::{Read, Write};

use support::{code, errors, lines, palisade, run, run_command, text, token};

#[test]
fn a_stream_comes_out_without_secrets_and_otherwise_as_it_was() {
    let input = format!("before\r\n\tkey {} after\n\nlast line", token());
    let output = run(&["redact", "--secrets"], &input);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let text = text(&output);
    assert!(!text.contains(&token()), "{text}");
    let (before, after) = text.split_once("[REDACTED").unwrap();
    assert_eq!(before, "before\r\n\tkey ");
    assert!(after.ends_with(" after\n\nlast line"), "{after}");
}

#[test]
fn bytes_that_are_not_text_pass_through() {
    let input = b"\xff\xfe\x00 binary \x80\n";
    assert_eq!(run(&["redact"], input).stdout, input);
}

#[test]
fn what_is_taken_out_can_be_chosen() {
    let mail = "alice.miller@northwind-traders.com";
    let input = format!("{} {mail}", token());
    let secrets = text(&run(&["redact", "--secrets"], &input));
    assert!(
        !secrets.contains(&token()) && secrets.contains(mail),
        "{secrets}"
    );
    let pii = text(&run(&["redact", "--pii"], &input));
    assert!(pii.contains(&token()) && !pii.contains(mail), "{pii}");
    let both = text(&run(&["redact"], &input));
    assert!(!both.contains(&token()) && !both.contains(mail), "{both}");
}

#[test]
fn a_secret_across_the_pieces_of_a_slow_stream_is_taken_out() {
    let mut child = palisade(&["redact"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for byte in format!("key {} end\n", token()).bytes() {
        stdin.write_all(&[byte]).unwrap();
        stdin.flush().unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = text(&output);
    assert!(!text.contains(&token()[4..20]), "{text}");
    assert!(text.ends_with(" end\n"), "{text}");
}

#[test]
fn what_is_safe_comes_out_before_the_stream_ends() {
    let mut child = palisade(&["redact"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let words = "a few kind words. ".repeat(2000);
    stdin.write_all(words.as_bytes()).unwrap();
    stdin.flush().unwrap();
    // The first half does not have to wait for the end.
    let mut half = vec![0; words.len() / 2];
    stdout.read_exact(&mut half).unwrap();
    assert_eq!(half, words.as_bytes()[..words.len() / 2]);
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn masks_are_full_partial_or_hashed() {
    let input = format!("{0} {0}", token());
    let run_with = |mask: &str, key: Option<&str>| {
        let mut command = palisade(&["redact", "--mask", mask]);
        command.envs(key.map(|key| ("PALISADE_HASH_KEY", key)));
        run_command(command, &input)
    };
    let full = text(&run_with("full", None));
    assert!(!full.contains(&token()[36..]), "{full}");
    let partial = text(&run_with("partial", None));
    assert!(
        partial.contains(&token()[36..]) && !partial.contains(&token()[30..]),
        "{partial}"
    );
    let key = "0123456789abcdef".repeat(4);
    let hashed = text(&run_with("hash", Some(&key)));
    let (left, right) = hashed.split_once(' ').unwrap();
    assert_eq!(left, right);
    assert_eq!(hashed, text(&run_with("hash", Some(&key))));
    assert_ne!(
        hashed,
        text(&run_with("hash", None)),
        "a random key gives other tokens"
    );
    assert_eq!(code(&run_with("hash", Some("too short"))), 2);
    assert!(!errors(&run_with("hash", Some("too short"))).contains("too short"));
}

#[test]
fn in_a_record_the_text_is_replaced_and_the_rest_is_kept() {
    let input = format!(
        r#"{{"b": [1, 2.50, {{"x": null}}], "text": "key {} \u00e4", "id": 9007199254740993, "a":"\u00e4"}}"#,
        token()
    );
    let output = run(&["redact", "--jsonl"], input + "\n");
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let line = text(&output);
    assert!(!line.contains(&token()), "{line}");
    let (before, after) = line.split_once("[REDACTED").unwrap();
    assert_eq!(before, r#"{"b":[1, 2.50, {"x": null}],"text":"key "#);
    assert!(
        after.ends_with("\u{e4}\",\"id\":9007199254740993,\"a\":\"\\u00e4\"}\n"),
        "{after}"
    );
}

#[test]
fn a_text_that_is_said_twice_is_redacted_twice() {
    let output = run(
        &["redact", "--jsonl"],
        format!(r#"{{"text":"{0}","text":"{0}"}}"#, token()),
    );
    assert!(!text(&output).contains(&token()), "{}", text(&output));
    assert_eq!(lines(&output).len(), 1);
}

#[test]
fn a_line_longer_than_any_record_is_redacted_all_the_same() {
    let mut input = vec![b'a'; 24 * 1024 * 1024];
    input.extend_from_slice(format!(" {} b", token()).as_bytes());
    let output = run(&["redact", "--secrets"], &input);
    assert_eq!(code(&output), 0);
    let tail = &output.stdout[output.stdout.len() - 60..];
    let tail = String::from_utf8_lossy(tail);
    assert!(tail.contains("[REDACTED") && tail.ends_with(" b"), "{tail}");
    assert!(!tail.contains(&token()), "{tail}");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_length_of_a_line() {
    const MEBIBYTE: usize = 1024 * 1024;
    // Among them what a scanner must hold on to: a key that never ends.
    for (begin, pattern) in [
        ("", "a"),
        ("", "word "),
        ("", "eyJ"),
        ("-----BEGIN RSA PRIVATE KEY-----", "MIIE"),
    ] {
        let mut child = palisade(&["redact"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let piece = pattern.repeat(MEBIBYTE / pattern.len());
        stdin.write_all(begin.as_bytes()).unwrap();
        for _ in 0..16 {
            stdin.write_all(piece.as_bytes()).unwrap();
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .and_then(|kilobytes| kilobytes.trim().parse::<usize>().ok())
            .unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
        reader.join().unwrap().unwrap();
        assert!(peak * 1024 < 12 * MEBIBYTE, "{pattern}: {peak} kB");
    }
}
