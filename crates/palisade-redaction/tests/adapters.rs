//! What is logged, shown, serialised or sent has passed the scanner.

use std::io::{self, Write};

use palisade_redaction::{HOLD_BACK_MAX, Mask, Redacted, RedactingWriter, Scanner};

/// Takes a few bytes at a time, and fails now and then.
struct Reluctant {
    taken: Vec<u8>,
    calls: usize,
}

impl Write for Reluctant {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(3) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = bytes.len().min(5);
        self.taken.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const LINE: &str = "login of jo@mail.example with DB_PASSWORD=k00B!tlmawn7 refused\n";

#[test]
fn a_writer_gives_what_the_whole_text_gives_however_it_is_written() {
    let scanner = Scanner::new();
    let text = LINE.repeat(40);
    for size in [1, 3, 64, 5000] {
        let mut writer = RedactingWriter::new(Vec::new(), &scanner);
        for piece in text.as_bytes().chunks(size) {
            writer.write_all(piece).unwrap();
        }
        assert_eq!(writer.finish().unwrap(), scanner.redact(&text).as_bytes());
    }
}

#[test]
fn a_writer_that_fails_now_and_then_loses_and_repeats_nothing() {
    let scanner = Scanner::new();
    let mut writer = RedactingWriter::new(
        Reluctant {
            taken: Vec::new(),
            calls: 0,
        },
        &scanner,
    );
    let mut rest = LINE.as_bytes();
    while !rest.is_empty() {
        if let Ok(count) = writer.write(rest) {
            rest = &rest[count..];
        }
    }
    while writer.flush().is_err() {}
    // By then nothing is held back, and nothing is left to fail.
    let flushed = writer.finish().unwrap().taken;
    assert_eq!(flushed, scanner.redact(LINE).as_bytes());
}

#[test]
fn a_flush_lets_no_half_of_a_secret_go() {
    let mut out = Vec::new();
    let mut writer = RedactingWriter::new(&mut out, &Scanner::new());
    writer.write_all(b"ok DB_PASSWORD=k00B!tl").unwrap();
    writer.flush().unwrap();
    let shown = format!("{writer:?}");
    assert!(!shown.contains("k00B"), "{shown}");
    drop(writer);
    assert_eq!(out, b"ok DB_PASSWORD=[REDACTED:password]");
}

#[test]
fn many_small_writes_hold_back_no_more_than_a_redactor() {
    let mut writer = RedactingWriter::new(io::sink(), &Scanner::new());
    for _ in 0..10_000 {
        writer.write_all(b"MHcCAQEEIDkq8Zt4").unwrap();
    }
    let shown = format!("{writer:?}");
    let held: usize = shown
        .chars()
        .filter(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .unwrap();
    assert!(held <= HOLD_BACK_MAX, "{shown}");
}

#[derive(Debug)]
#[expect(dead_code, reason = "shown by Debug")]
struct Request {
    user: Redacted<String>,
    body: Redacted<Vec<String>>,
}

#[test]
fn a_value_shows_itself_redacted_and_only_so() {
    let request = Request {
        user: Redacted::new("jo@mail.example".to_owned()),
        body: Redacted::new(vec!["call +49 30 63303964".to_owned()]),
    };
    for shown in [format!("{request:?}"), format!("{request:#?}")] {
        assert!(!shown.contains("jo@") && !shown.contains("6330"), "{shown}");
        assert!(
            shown.contains("[REDACTED:email]") && shown.contains("[REDACTED:phone]"),
            "{shown}"
        );
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_value_is_serialised_redacted_and_read_whole() {
    let read: Redacted<String> = serde_json::from_str("\"jo@mail.example\"").unwrap();
    assert_eq!(read.expose(), "jo@mail.example");
    assert_eq!(
        serde_json::to_string(&read).unwrap(),
        "\"[REDACTED:email]\""
    );
}

#[cfg(feature = "tracing")]
#[test]
fn events_are_written_redacted() {
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let lines = Lines::default();
    let inner = lines.clone();
    let writer =
        palisade_redaction::RedactingMakeWriter::new(move || inner.clone(), &Scanner::new());
    let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(user = "jo@mail.example", "DB_PASSWORD=k00B!tlmawn7");
        tracing::warn!("done");
    });
    let written = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        !written.contains("jo@") && !written.contains("k00B"),
        "{written}"
    );
    assert!(
        written.contains("[REDACTED:email]") && written.ends_with("done\n"),
        "{written}"
    );
    assert_eq!(written.lines().count(), 2);
}

#[test]
fn headers_that_carry_credentials_show_none_of_them() {
    let scanner = Scanner::new();
    for (name, value, shown) in [
        (
            "authorization",
            "Basic dXNlcjpwYXNz",
            "Basic [REDACTED:authorization_header]",
        ),
        (
            "Proxy-Authorization",
            "s3cr3t",
            "[REDACTED:authorization_header]",
        ),
        (
            "Set-Cookie",
            "sid=abc; Path=/; HttpOnly",
            "sid=[REDACTED:cookie]; Path=/; HttpOnly",
        ),
        ("cookie", "abc", "[REDACTED:cookie]"),
        ("X-Api-Key", "short", "[REDACTED:assigned_secret]"),
        ("x-goog-signature", "ab", "[REDACTED:assigned_secret]"),
        ("X-Forwarded-For", "jo@mail.example", "[REDACTED:email]"),
        ("Content-Type", "application/json", "application/json"),
        (
            "Location",
            "/in?code=abc&next=2",
            "/in?code=[REDACTED:assigned_secret]&next=2",
        ),
        ("Authorization", "", "[REDACTED:authorization_header]"),
    ] {
        assert_eq!(scanner.redact_header(name, value), shown, "{name}: {value}");
    }
}

#[test]
fn urls_show_no_credentials() {
    let scanner = Scanner::new();
    for (url, shown) in [
        ("/v1/items?page=2", "/v1/items?page=2"),
        ("https://git@host.example/x", "https://git@host.example/x"),
        (
            "https://a:b@c.example",
            "https://a:[REDACTED:url_credentials]@c.example",
        ),
        (
            "https://c.example?sig=abc&x=1",
            "https://c.example?sig=[REDACTED:assigned_secret]&x=1",
        ),
        (
            "https://c.example#access_token=abc",
            "https://c.example#access_token=[REDACTED:assigned_secret]",
        ),
        ("https://c.example/key=1/x", "https://c.example/key=1/x"),
        ("https://c.example?token=", "https://c.example?token="),
        ("?mail=jo@mail.example", "?mail=[REDACTED:email]"),
        ("", ""),
    ] {
        assert_eq!(scanner.redact_url(url), shown, "{url}");
    }
}

#[test]
fn headers_and_urls_are_masked_as_the_scanner_masks() {
    let scanner = Scanner::builder()
        .with_mask(Mask::Partial { shown: 2 })
        .build()
        .unwrap();
    let long = "k3J9dLq2ZtVb7Xw1pQ8sR5uY0";
    assert_eq!(
        scanner.redact_header("Authorization", long),
        "[REDACTED:authorization_header:…Y0]"
    );
}
