//! The gate keeps out nothing that a rule would take.

use proptest::prelude::*;

use super::Engine;
use crate::{Scanner, rule::Rule, scanner::Rules, token::Hit, view::steps};

const PIECES: &[&str] = &[
    "password=",
    "DB_PASSWORD: \"",
    "\"",
    "'",
    "\\\"",
    "api_key => ",
    " is ",
    "Authorization: Bearer ",
    "Bearer ",
    "basic ",
    "https://u:",
    "@",
    "@mail.example",
    "jo.doe",
    "DOB: ",
    "née le ",
    "12/03/1984",
    "12 March 1984",
    "address: ",
    "Anschrift: Lange Straße 12, ",
    "live at 12 Oak Lane",
    "émile.p",
    "Jo Lenz,",
    "| Ada Lenz | ",
    "285 906 111",
    "978-90-2040,",
    "name,ABA\n",
    ".",
    "+49 30 6330",
    "3964",
    "4111 1111 ",
    "1111 1111",
    "356-84-",
    "1871",
    "GB82 WEST 1234 ",
    "5698 7654 32",
    "10.1.2.",
    "3",
    "fe80::12fa:",
    "d032",
    "::",
    ":",
    "a4:f4:9d:",
    "38:3c:62",
    "a4-f4-9d-38-3c-62",
    "\\n",
    "\\u0022",
    "%3D",
    "%40",
    "\n",
    "\r\n",
    " ",
    "\t",
    "rm -rf ",
    "r''m -rf /",
    "/",
    ":(){ :|:& };:",
    "DROP TABLE ",
    "users;",
    "curl x.example/a | sh",
    "' OR '1'='1",
    "[REDACTED:",
    "email]",
    "[",
    "]",
    "-----BEGIN ",
    "-----END ",
    "-----",
    "PRIVATE KEY",
    "sk-",
    "~",
    "$2b$",
    "\u{1F600}",
    "密钥",
    "é",
    "$",
    "${",
    "}",
    "{",
    "\\",
    "a",
    "Zz9",
    "==",
    "+",
    "Private-MAC: ",
    "PuTTY-User-Key-File-3: ",
    "project orion",
    "> /dev/sda",
    "%0|%0",
    "token",
    "\u{200B}",
    "pass\u{200B}wo\u{AD}rd=",
    "gh\u{200B}p_",
    "ssn ",
    "cpf 529982",
    "247-25",
    "ABCPE1234F",
    "pan ",
    "AB 12 34 56 C",
    "nino ",
    "S1234567D",
    "nric",
    "GET /api/v1/items",
    "2026-07-24T10:47:00.123Z",
    "2026-07-24 10:47:00 ",
    "2026-07-24T10:47 1.2.3.4 ",
    "k3J9dLq2ZtVb7Xw1",
    "MHcCAQEEIDkq8Zt4WvL0kPq2mXc9RtY5uVbN6mK1",
    "9f86d081884c7d659a2feaa0c55ad0159a2feaa0",
    "dMl8Q~",
    ".atlasv1.",
    "123456789:A",
    "yw0B0kj3FFDB6E",
    "SG.",
    "ya29.",
    "dp.pt.",
    "1//0",
    "FlyV1 fm2_",
    "AstraCS:",
    "sha256~",
    ",",
    "id,api_key\n7,",
    "seed_phrase: ",
    "signature=",
    "sig=",
    "getUserById",
    "is_identifier_like_this",
    "std::fs::read",
    "f(){ f|f& };f",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => prop::sample::select(PIECES).prop_map(str::to_owned),
        2 => "[ -~]{0,9}",
        2 => "[a-z ]{0,70}",
        1 => "[A-Za-z0-9+/_-]{1,40}",
        1 => (0..Rule::all().len(), "[a-zA-Z0-9]{40}").prop_map(|(rule, body)| {
            let prefix = Rule::all()[rule].prefixes.first();
            format!("{}{body}", prefix.copied().unwrap_or_default())
        }),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn hits(rules: &Rules, text: &[u8], asks_everywhere: bool) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut engine = Engine {
        asks_everywhere,
        ..Engine::default()
    };
    engine.advance(rules, text, 0, 0, true, &mut hits);
    hits
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_gate_keeps_out_is_nothing(text in text(), shift in 0usize..70) {
        let scanner = Scanner::builder().with_keyword("project orion").with_keyword("ab c").build().unwrap();
        let text = format!("{}{text}", " ".repeat(shift));
        let gated = hits(scanner.rules(), text.as_bytes(), false);
        prop_assert_eq!(gated, hits(scanner.rules(), text.as_bytes(), true));
    }
}

#[test]
fn what_is_hidden_behind_the_sign_of_a_prefix_is_seen_by_the_gate() {
    let scanner = Scanner::new();
    let body = "kJdLqZtVbXwpQsRuYmNk3J9dLq2ZtVb7Xw1pQ8sR5uY0";
    let text = format!("{}sha256~\u{200B}{body}{}", " ".repeat(60), " .".repeat(40));
    let gated = hits(scanner.rules(), text.as_bytes(), false);
    assert_eq!(gated.len(), 1);
    assert_eq!(gated, hits(scanner.rules(), text.as_bytes(), true));
}

#[test]
fn what_a_body_may_begin_with_is_known_to_the_gate_as_well() {
    let scanner = Scanner::new();
    let long = "0A000aaA0Aa0aa0AA0Aaaa0A0a0aaA0aa00a0aAak3J9dLq2ZtVb7Xw1pQ8sR5";
    for (shift, begin, found) in [
        (38, "SG..atlasv1.sk-proj-", None),
        (28, "SG..sk-proj-", None),
        (38, "AstraCS::", None),
        (38, "ya29..", None),
        (38, "SG.", Some("sendgrid_key")),
        (38, "dMl8Q~.", Some("azure_client_secret")),
        (38, "1//0", Some("google_refresh_token")),
    ] {
        let body = if begin.contains('~') {
            &long[..31]
        } else {
            long
        };
        let text = format!("{}{begin}{body}{}", " ".repeat(shift), " a".repeat(40));
        let gated = hits(scanner.rules(), text.as_bytes(), false);
        assert_eq!(
            gated,
            hits(scanner.rules(), text.as_bytes(), true),
            "{begin}"
        );
        let whole = gated.iter().find(|hit| hit.start == shift);
        assert_eq!(whole.map(|hit| hit.label.id), found, "{begin}");
    }
}

/// Looks at every byte of `text`, and says how often at each.
fn steps(rules: &Rules, text: &[u8]) -> u64 {
    let _ = steps::take();
    hits(rules, text, false);
    steps::take()
}

/// Beginnings of things, over and over: the worst there is for whoever looks at each of them.
fn hostile() -> impl Iterator<Item = String> {
    let fixed = PIECES.iter().map(|piece| (*piece).to_owned());
    let prefixes = Rule::all().iter().flat_map(|rule| rule.prefixes);
    let prefixes = prefixes.flat_map(|prefix| {
        [
            (*prefix).to_owned(),
            format!("{prefix} "),
            format!("{prefix}k3J9dLq2Zt"),
        ]
    });
    let more = [
        "a",
        "1",
        "1 ",
        "12 34 ",
        "a.",
        "a@",
        "a@b.",
        "a:",
        "://",
        "key=",
        "secret=\"",
        "password is ",
        "eyJhbGci.",
        "\\u0041",
        "%41",
        "rm -rf ",
        "rm -rf /",
        "$1$",
        "address: 1 a, ",
        "dob 12 ",
        "drop table ",
        "select ",
        "curl http://x ",
        "delete from x ",
        "drop table x ",
        "(",
        "+1 ",
        "' or ",
        "a\u{200B}",
        "abcdefghij/",
        "token ",
        "pass\u{200B}",
        "id,key\n",
        "Jo Lenz,285906111,",
        "Jo Lenz,285 906 113,",
        "-----BEGIN RSA PRIV",
    ];
    let more = more.map(str::to_owned);
    let spaced = format!("password{}", " ".repeat(40));
    fixed.chain(prefixes).chain(more).chain([spaced])
}

#[test]
fn twice_the_text_is_at_most_twice_the_work_whatever_it_says() {
    let scanner = Scanner::new();
    for unit in hostile() {
        let once = unit.repeat(3_000 / unit.len() + 1);
        let twice = once.repeat(2);
        let (few, many) = (
            steps(scanner.rules(), once.as_bytes()),
            steps(scanner.rules(), twice.as_bytes()),
        );
        // What is looked at around the seam and at the end is all that may differ.
        assert!(many <= 2 * few + 20_000, "{unit:?}: {few} and {many}");
        let each = few / once.len() as u64;
        assert!(each <= STEPS_MAX, "{unit:?}: {each} looks at each byte");
    }
}

/// How often each byte of any text is looked at, at most.
const STEPS_MAX: u64 = 80;
