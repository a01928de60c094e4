//! The promises of the stream: cutting a text changes nothing, nothing of a secret leaves early, little is held.

mod common;

use common::{Random, token};
use palisade_redaction::{
    FINDINGS_MAX, HOLD_BACK_MAX, HashKey, Kind, Mask, Prefix, Redactor, Rule, Scanner,
};
use proptest::prelude::*;

const LINE: &str = "MHcCAQEEIDkq8Zt4WvL0kPq2mXc9RtY5uVbN6mK1jHgFdSaQwErTyUiOpZxCvBnM";

/// Pieces of text that open something, close something, or look as if they did.
fn fragment() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "password=",
        "DB_PASSWORD: \"",
        "\"",
        "'",
        "\\\"",
        "api_key => ",
        " is ",
        "Authorization: Bearer ",
        "https://u:",
        "@",
        "@mail.example",
        "jo.doe",
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
        "a4:f4:9d:38:3c:62",
        "\\n",
        "\\u0022",
        "%3D",
        "\n",
        "\r\n",
        " ",
        "\t",
        "rm -rf ",
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
        "ghp_",
        "eyJhbGciOiJIUzI1NiJ9",
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
        "Private-MAC: ",
        "project orion",
        "ORD-123456",
        "> /dev/sda",
        "%0|%0",
        "token",
        "\u{200B}",
    ])
    .prop_map(str::to_owned);
    let line = Just(LINE.to_owned());
    let key = Just(format!("-----BEGIN EC PRIV{}\n{LINE}\n", "ATE KEY-----"));
    let token = any::<u64>().prop_map(|seed| {
        let mut random = Random(seed);
        let rules = Rule::all();
        token(&rules[random.below(rules.len())], &mut random)
    });
    let long = (0usize..6000, "[A-Za-z0-9+/_-]{1,3}")
        .prop_map(|(count, unit)| unit.repeat(count / unit.len()));
    prop_oneof![30 => fixed, 3 => line, 2 => key, 4 => token, 1 => long, 3 => "[ -~]{0,12}", 1 => "\\PC{0,6}"]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(fragment(), 0..24).prop_map(|fragments| fragments.concat())
}

fn scanner() -> Scanner {
    let builder = Scanner::builder().with_keyword("project orion");
    #[cfg(feature = "regex")]
    let builder = builder
        .with_rule(
            palisade_redaction::OwnRule::new("order", r"\bORD-[0-9]{4,8}\b").with_kind(Kind::Pii),
        )
        .with_rule(palisade_redaction::OwnRule::new("run_of_z", "Z[a-z9]+.?z"));
    let policy = palisade_redaction::Policy::for_outputs()
        .with_action(Kind::Command, palisade_redaction::Action::Redact)
        .with_action(Kind::Keyword, palisade_redaction::Action::Redact);
    builder.with_policy(policy).build().expect("valid")
}

/// Pushes `text` cut at `cuts` and checks what must hold at every moment.
fn in_pieces(scanner: &Scanner, text: &str, cuts: &[usize], whole: &str) -> String {
    let mut redactor = scanner.redactor();
    let mut out = Vec::new();
    let mut at = 0;
    for &cut in cuts.iter().chain([&text.len()]) {
        redactor.push_bytes(&text.as_bytes()[at..cut], &mut out);
        at = cut;
        assert!(
            redactor.held_back() <= HOLD_BACK_MAX,
            "{} held",
            redactor.held_back()
        );
        assert!(
            whole.as_bytes().starts_with(&out),
            "something left that the whole text does not give"
        );
        assert!(std::str::from_utf8(&out).is_ok(), "a character was cut");
    }
    redactor.finish_bytes(&mut out);
    String::from_utf8(out).expect("text")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_a_text_is_cut_the_same_comes_out(text in text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let scanner = scanner();
        let whole = scanner.redact(&text);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(in_pieces(&scanner, &text, &cuts, &whole), whole);
    }

    #[test]
    fn a_text_that_comes_byte_by_byte_gives_the_same(text in text()) {
        let scanner = scanner();
        let text: String = text.chars().take(1500).collect();
        let whole = scanner.redact(&text);
        let cuts: Vec<usize> = (1..text.len()).collect();
        prop_assert_eq!(in_pieces(&scanner, &text, &cuts, &whole), whole);
    }

    #[test]
    fn every_single_cut_gives_the_same(text in text()) {
        let scanner = scanner();
        let text: String = text.chars().take(300).collect();
        let whole = scanner.redact(&text);
        for cut in 0..=text.len() {
            prop_assert_eq!(&in_pieces(&scanner, &text, &[cut], &whole), &whole, "cut at {}", cut);
        }
    }

    #[test]
    fn a_hashing_mask_does_not_depend_on_the_cuts_either(text in text(), cut in any::<prop::sample::Index>()) {
        let scanner = Scanner::builder().with_mask(Mask::hash(HashKey::new([3; 32]))).build().unwrap();
        let whole = scanner.redact(&text);
        let cut = cut.index(text.len() + 1);
        let mut out = Vec::new();
        let mut redactor = scanner.redactor();
        redactor.push_bytes(&text.as_bytes()[..cut], &mut out);
        redactor.push_bytes(&text.as_bytes()[cut..], &mut out);
        redactor.finish_bytes(&mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), whole);
    }

    #[test]
    fn no_token_survives(seed in any::<u64>(), before in "[ -~]{0,30}[ =:\"(]", after in "[ \",;)\n][ -~]{0,30}") {
        let mut random = Random(seed);
        let rules: Vec<&Rule> = Rule::all().iter().filter(|rule| rule.prefix_is == Prefix::Telling).collect();
        let token = token(rules[random.below(rules.len())], &mut random);
        // Once in some thousand tokens chance writes a word that marks stand-ins.
        let low = token.to_ascii_lowercase();
        prop_assume!(!["xxxx", "your", "todo", "_here"].iter().any(|word| low.contains(word)));
        let redacted = Scanner::new().redact(&format!("{before}{token}{after}"));
        prop_assert!(!redacted.contains(&token));
    }

    #[test]
    fn to_redact_twice_is_to_redact_once(pieces in prop::collection::vec(fragment(), 0..16)) {
        let scanner = Scanner::new();
        let text = pieces.join("\n;\n");
        let once = scanner.redact(&text);
        prop_assert_eq!(scanner.redact(&once), once);
    }

    #[test]
    fn findings_lie_in_the_text_in_order_and_on_characters(text in text()) {
        let scanner = scanner();
        let findings = scanner.scan(&text);
        for finding in &findings {
            prop_assert!(finding.range.start < finding.range.end);
            prop_assert!(text.get(finding.range.as_range()).is_some());
        }
        prop_assert!(findings.is_sorted_by_key(|finding| finding.range.start));
        for (at, one) in findings.iter().enumerate() {
            for other in &findings[at + 1..] {
                prop_assert!(one.category != other.category || !one.range.overlaps(other.range));
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), cut in any::<prop::sample::Index>()) {
        let scanner = scanner();
        let _ = scanner.scan_bytes(&bytes);
        let cut = cut.index(bytes.len() + 1);
        let mut out = Vec::new();
        let mut redactor = scanner.redactor();
        redactor.push_bytes(&bytes[..cut], &mut out);
        redactor.push_bytes(&bytes[cut..], &mut out);
        redactor.finish_bytes(&mut out);
    }
}

#[test]
fn a_statement_too_long_to_be_read_to_its_end_ends_with_a_character() {
    let scanner = scanner();
    for (begin, length) in [("DROP TABLE ", 300), ("x' UNION SELECT a FROM ", 90)] {
        for before in 0..4 {
            let text = format!("{begin}{}{}", "a".repeat(before), "密".repeat(length / 3));
            for finding in &scanner.scan(&text) {
                assert!(text.get(finding.range.as_range()).is_some(), "{finding:?}");
            }
            let whole = scanner.redact(&text);
            let cuts: Vec<usize> = (1..text.len()).collect();
            assert_eq!(in_pieces(&scanner, &text, &cuts, &whole), whole);
        }
    }
}

#[test]
fn what_a_mask_says_is_no_context() {
    let scanner = Scanner::new();
    for text in [
        "+49 30 6330\n;\n0000000000",
        "+49 30 63303964 0000000000",
        "cpf 529.982.247-25 - 52998224725",
    ] {
        let once = scanner.redact(text);
        assert_eq!(scanner.redact(&once), once);
    }
}

fn push_all(redactor: &mut Redactor, text: &str, size: usize, out: &mut String) -> usize {
    let mut most = 0;
    for piece in text.as_bytes().chunks(size) {
        redactor.push(std::str::from_utf8(piece).expect("ASCII"), out);
        most = most.max(redactor.held_back());
    }
    most
}

#[test]
fn a_key_of_a_megabyte_is_swallowed_without_being_held() {
    let key = format!(
        "-----BEGIN RSA PRIV{}\n{}-----END RSA PRIV{}",
        "ATE KEY-----",
        format!("{LINE}\n").repeat(16_000),
        "ATE KEY-----"
    );
    let mut out = String::new();
    let mut redactor = Scanner::new().redactor();
    let most = push_all(&mut redactor, &format!("key: {key} thanks"), 37, &mut out);
    redactor.finish(&mut out);
    assert_eq!(out, "key: [REDACTED:private_key] thanks");
    assert!(most < 1000, "{most}");
}

#[test]
fn a_token_longer_than_the_window_leaves_nothing_behind() {
    let text = format!("x {}{} y", concat!("gh", "p_"), "7kQ3wZ9a".repeat(2000));
    let mut out = String::new();
    let mut redactor = Scanner::new().redactor();
    let most = push_all(&mut redactor, &text, 100, &mut out);
    redactor.finish(&mut out);
    assert_eq!(out, "x [REDACTED:github_pat] y");
    assert_eq!(out, Scanner::new().redact(&text));
    assert!(most <= HOLD_BACK_MAX, "{most}");
}

#[test]
fn prose_is_held_back_by_no_more_than_a_word() {
    let text =
        "The queue drains in order, and every worker picks one message at a time. ".repeat(20);
    let mut out = String::new();
    let mut redactor = Scanner::new().redactor();
    assert!(push_all(&mut redactor, &text, 1, &mut out) <= 16);
    redactor.finish(&mut out);
    assert_eq!(out, text);
}

#[test]
fn what_is_dropped_unfinished_never_leaves() {
    let mut out = String::new();
    let mut redactor = Scanner::new().redactor();
    redactor.push("password=k00B!tlm", &mut out);
    assert_eq!(out, "");
    assert_eq!(redactor.held_back(), 17);
    drop(redactor);
}

#[test]
fn findings_are_kept_up_to_their_limit_and_counted_beyond() {
    let mut out = String::new();
    let mut redactor = Scanner::new().redactor();
    redactor.push(&"a@b.example ".repeat(FINDINGS_MAX + 7), &mut out);
    assert_eq!(redactor.take_findings().len(), FINDINGS_MAX);
    assert_eq!(redactor.findings_lost(), 7);
    let rest = {
        redactor.push("c@d.example", &mut out);
        redactor.finish_with_findings(&mut out)
    };
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].range.start, 12 * (FINDINGS_MAX + 7));
}

#[test]
fn debug_output_shows_no_text() {
    let scanner = Scanner::builder()
        .with_mask(Mask::hash(HashKey::new([7; 32])))
        .build()
        .unwrap();
    let mut redactor = scanner.redactor();
    redactor.push("password=k00B!tlm", &mut String::new());
    let shown = format!(
        "{scanner:?} {redactor:?} {:?}",
        scanner.scan("password=k00B!tlm")
    );
    assert!(!shown.contains("k00B") && !shown.contains("[7"), "{shown}");
}
