//! What is hidden comes back exactly, and only to whom it belongs.

mod common;

use common::{Random, token};
use palisade_redaction::{HashKey, Kind, Rule, Scanner, VAULT_BYTES_MAX, VAULT_VALUES_MAX, Vault};
use proptest::prelude::*;

fn vault(key: u8) -> Vault {
    Vault::new(HashKey::new([key; 32]))
}

fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "jo@mail.example",
        "DB_PASSWORD=k00B!tlmawn7",
        "+49 30 63303964",
        "4111 1111 1111 1111",
        "[REDACTED:",
        "[REDACTED:email]",
        "[REDACTED:email:0011223344556677]",
        "[",
        "]",
        "[[",
        "email:",
        "\n",
        " ",
        "\"",
        "é密\u{1F600}",
        "DROP TABLE users;",
        "the answer is ",
    ])
    .prop_map(str::to_owned);
    let token = any::<u64>().prop_map(|seed| {
        let mut random = Random(seed);
        let rules = Rule::all();
        token(&rules[random.below(rules.len())], &mut random)
    });
    prop_oneof![6 => fixed, 2 => token, 1 => "\\PC{0,12}"]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_hidden_is_restored_exactly(text in text()) {
        let vault = vault(1);
        let hidden = vault.hide(&Scanner::new(), &text);
        prop_assert_eq!(vault.restore(&hidden), text);
    }

    #[test]
    fn however_an_answer_is_cut_the_same_is_restored(text in text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let vault = vault(1);
        let answer = format!("{}{text}", vault.hide(&Scanner::new(), &text));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(answer.len() + 1)).collect();
        cuts.retain(|cut| answer.is_char_boundary(*cut));
        cuts.sort_unstable();
        cuts.push(answer.len());
        let (mut restorer, mut out, mut at) = (vault.restorer(), String::new(), 0);
        for cut in cuts {
            restorer.push(&answer[at..cut], &mut out);
            prop_assert!(restorer.held_back() < 80);
            at = cut;
        }
        restorer.finish(&mut out);
        prop_assert_eq!(out, vault.restore(&answer));
    }

    #[test]
    fn what_is_hidden_holds_nothing_that_would_be_hidden(pieces in prop::collection::vec(piece(), 0..16)) {
        let (scanner, vault) = (Scanner::new(), vault(1));
        // What is glued together is taken apart by a placeholder, and may then be more than it was.
        let text = pieces.join("\n;\n");
        let once = vault.hide(&scanner, &text);
        prop_assert_eq!(vault.hide(&scanner, &once), once.clone());
        prop_assert_eq!(scanner.redact(&once), once);
    }
}

#[test]
fn the_same_value_has_the_same_placeholder_and_another_vault_has_others() {
    let scanner = Scanner::new();
    let one = vault(1);
    let hidden = one.hide(&scanner, "jo@mail.example, jo@mail.example");
    let (first, second) = hidden.split_once(", ").unwrap();
    assert_eq!(first, second);
    assert_eq!(one.len(), 1);
    assert_eq!(one.hide(&scanner, "jo@mail.example"), first);

    let other = vault(2);
    assert_ne!(other.hide(&scanner, "jo@mail.example"), first);
    assert_eq!(other.restore(&hidden), hidden);
}

#[test]
fn a_full_vault_masks_and_keeps_no_more() {
    let scanner = Scanner::new();
    let vault = vault(1);
    let many: String = (0..VAULT_VALUES_MAX + 3)
        .map(|n| format!("jo{n}@mail.example "))
        .collect();
    let hidden = vault.hide(&scanner, &many);
    assert_eq!(vault.len(), VAULT_VALUES_MAX);
    assert_eq!(vault.refused(), 3);
    assert!(hidden.ends_with("[REDACTED:email] [REDACTED:email] [REDACTED:email] "));
    let restored = vault.restore(&hidden);
    assert!(restored.starts_with("jo0@mail.example ") && restored.ends_with("[REDACTED:email] "));
}

#[test]
fn a_value_larger_than_the_vault_is_masked() {
    let scanner = Scanner::new();
    let vault = vault(1);
    let key = format!(
        "{}{}",
        concat!("gh", "p_"),
        "7kQ3wZ9a".repeat(VAULT_BYTES_MAX / 8 + 1)
    );
    assert_eq!(vault.hide(&scanner, &key), "[REDACTED:github_pat]");
    assert!(vault.is_empty());
}

#[test]
fn only_what_the_policy_takes_out_is_hidden() {
    let scanner = Scanner::builder()
        .with_kind(Kind::Pii, false)
        .build()
        .unwrap();
    let vault = vault(1);
    assert_eq!(vault.hide(&scanner, "jo@mail.example"), "jo@mail.example");
    assert!(vault.is_empty());
}

#[test]
fn debug_output_shows_neither_key_nor_value() {
    let vault = vault(7);
    let _ = vault.hide(&Scanner::new(), "DB_PASSWORD=k00B!tlmawn7");
    let shown = format!("{vault:?} {:?}", vault.restorer());
    assert!(!shown.contains("k00B") && !shown.contains("[7"), "{shown}");
}

#[test]
fn a_vault_can_be_sent_to_where_the_answer_comes_in() {
    fn sent<T: Send + Sync + 'static>() {}
    sent::<Vault>();
    sent::<palisade_redaction::Restorer>();
}
