//! What can be switched, added and refused.

use palisade_redaction::{Action, ConfigError, Kind, Locale, Policy, Scanner};

#[test]
fn kinds_and_rules_are_switched_off_each_by_itself() {
    let text = "a@b.example DROP TABLE users; rm -rf / password=k00B!tlm";
    let kinds = |scanner: &Scanner| -> Vec<Kind> {
        scanner.scan(text).iter().filter_map(Kind::of).collect()
    };
    assert_eq!(
        kinds(&Scanner::new()),
        [Kind::Pii, Kind::Keyword, Kind::Command, Kind::Secret]
    );
    for kind in Kind::ALL {
        let scanner = Scanner::builder().with_kind(kind, false).build().unwrap();
        let left = kinds(&scanner);
        assert_eq!(left.len(), 3, "{kind}");
        assert!(!left.contains(&kind));
    }
    let scanner = Scanner::builder()
        .without_rule("email")
        .without_rule("recursive_delete")
        .build()
        .unwrap();
    assert_eq!(kinds(&scanner), [Kind::Keyword, Kind::Secret]);
    assert!(!scanner.rule_ids().contains(&"email"));
}

#[test]
fn a_rule_that_is_off_hides_nothing_of_another() {
    let scanner = Scanner::builder().without_rule("password").build().unwrap();
    assert_eq!(
        scanner.redact("password=jo@mail.example"),
        "password=[REDACTED:email]"
    );
}

#[test]
fn a_rule_that_does_not_exist_cannot_be_switched_off() {
    let error = Scanner::builder()
        .without_rule("emial")
        .build()
        .unwrap_err();
    assert_eq!(
        error,
        ConfigError::UnknownRule {
            id: "emial".to_owned()
        }
    );
}

#[test]
fn own_keywords_stay_on_when_built_in_ones_are_off() {
    let scanner = Scanner::builder()
        .with_kind(Kind::Keyword, false)
        .with_keyword("Project Orion")
        .build()
        .unwrap();
    let findings = scanner.scan("DROP TABLE users; -- for project\torion");
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].rule, "blocked_keyword");
}

#[test]
fn the_policy_decides_what_is_taken_out() {
    let policy = Policy::for_outputs().with_action(Kind::Pii, Action::Allow);
    let scanner = Scanner::builder().with_policy(policy).build().unwrap();
    let text = "a@b.example password=k00B!tlm rm -rf /";
    assert_eq!(
        scanner.redact(text),
        "a@b.example password=[REDACTED:password] rm -rf /"
    );
    let strict = Scanner::builder()
        .with_policy(Policy::for_prompts())
        .build()
        .unwrap();
    assert_eq!(
        strict.redact("run rm -rf / now"),
        "run [REDACTED:recursive_delete]"
    );
}

#[cfg(feature = "regex")]
mod own_rules {
    use palisade_core::Severity;
    use palisade_redaction::{ConfigError, Kind, OWN_MATCH_MAX, OWN_MAX, OwnRule, Scanner};

    fn with(rules: impl IntoIterator<Item = OwnRule>) -> Result<Scanner, ConfigError> {
        rules
            .into_iter()
            .fold(
                Scanner::builder(),
                palisade_redaction::ScannerBuilder::with_rule,
            )
            .build()
    }

    #[test]
    fn a_pattern_matches_anywhere_leftmost_first() {
        let rule = OwnRule::new("ticket", "TCK-[0-9]{4}")
            .with_kind(Kind::Pii)
            .with_severity(Severity::Low);
        let scanner = with([rule]).unwrap();
        assert_eq!(
            scanner.redact("see xTCK-12345 and TCK-123"),
            "see x[REDACTED:ticket]5 and TCK-123"
        );
        let findings = scanner.scan("TCK-1234");
        assert_eq!(
            (findings[0].rule.as_ref(), findings[0].severity),
            ("ticket", Severity::Low)
        );
        assert!(scanner.rule_ids().contains(&"ticket"));
    }

    #[test]
    fn anchors_and_word_boundaries_see_what_stands_around() {
        let scanner = with([OwnRule::new("id", r"\bID[0-9]+\b")]).unwrap();
        assert_eq!(
            scanner.redact("ID12 xID12 ID12x"),
            "[REDACTED:id] xID12 ID12x"
        );
    }

    #[test]
    fn a_match_longer_than_the_limit_is_none() {
        let scanner = with([OwnRule::new("run", "<[a-z]+>")]).unwrap();
        let fits = format!("<{}>", "a".repeat(OWN_MATCH_MAX - 2));
        assert_eq!(scanner.redact(&fits), "[REDACTED:run]");
        let longer = format!("<{}>", "a".repeat(OWN_MATCH_MAX - 1));
        assert_eq!(scanner.redact(&longer), longer);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_the_reason() {
        assert!(matches!(
            with([OwnRule::new("x", "(")]).unwrap_err(),
            ConfigError::Pattern { .. }
        ));
        assert!(matches!(
            with([OwnRule::new("x", "[a-z]{900}.{900}[0-9]{900}(a|b){900}")]).map(|_| ()),
            Ok(()) | Err(ConfigError::Pattern { .. })
        ));
        for id in ["", "Upper", "email", &"a".repeat(49)] {
            assert_eq!(
                with([OwnRule::new(id, "a")]).unwrap_err(),
                ConfigError::RuleId { id: id.to_owned() }
            );
        }
        let twice = with([OwnRule::new("x", "a"), OwnRule::new("x", "b")]).unwrap_err();
        assert_eq!(twice, ConfigError::RuleId { id: "x".to_owned() });
        let many = (0..=OWN_MAX).map(|i| OwnRule::new(format!("r{i}"), "a"));
        assert_eq!(
            with(many).unwrap_err(),
            ConfigError::TooMany {
                count: OWN_MAX + 1,
                limit: OWN_MAX
            }
        );
    }
}

#[test]
fn a_language_that_is_switched_off_is_not_understood_and_the_others_are() {
    let text = "Geburtsdatum: 12.3.1984, date of birth: 1984-03-12";
    let all = Scanner::new();
    assert_eq!(
        all.redact(text),
        "Geburtsdatum: [REDACTED:date_of_birth], date of birth: [REDACTED:date_of_birth]"
    );
    let english = Scanner::builder()
        .with_locale(Locale::German, false)
        .build()
        .unwrap();
    assert_eq!(
        english.redact(text),
        "Geburtsdatum: 12.3.1984, date of birth: [REDACTED:date_of_birth]"
    );
    let again = Scanner::builder()
        .with_locale(Locale::German, false)
        .with_locale(Locale::German, true)
        .build()
        .unwrap();
    assert_eq!(again.redact(text), all.redact(text));
}
