//! A caught attack stays caught in every disguise, and a harmless text stays harmless in the same.

use palisade_core::{Channel, Text};
use palisade_injection::{Detector, Ensemble, Outcome, Rules};

#[path = "common/disguise.rs"]
mod disguise;

use disguise::{ATTACKS, HARMLESS, all_disguises};

/// The rules alone, so that nothing else makes up for a disguise that they cannot see through.
fn detector() -> Ensemble {
    Ensemble::new().with_scorer(Rules::standard())
}

fn blocked(detector: &Ensemble, text: &str) -> bool {
    detector.detect(Text::new(Channel::User, text)).outcome == Outcome::Block
}

#[test]
fn a_caught_attack_stays_caught_in_every_disguise() {
    let detector = detector();
    let mut missed: Vec<String> = Vec::new();
    let mut total = 0;
    for attack in ATTACKS {
        assert!(blocked(&detector, attack), "{attack}");
        for (name, text) in all_disguises(attack) {
            total += 1;
            if !blocked(&detector, &text) {
                missed.push(format!("{name}: {text}"));
            }
        }
    }
    assert!(
        missed.len() * 100 <= total * 2,
        "{} of {total} missed:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

#[test]
fn a_harmless_text_stays_harmless_in_every_disguise() {
    let detector = detector();
    let mut flagged: Vec<String> = Vec::new();
    for text in HARMLESS {
        assert!(!blocked(&detector, text), "{text}");
        for (name, disguised) in all_disguises(text) {
            if blocked(&detector, &disguised) {
                let verdict = detector.detect(Text::new(Channel::User, &disguised));
                flagged.push(format!("{name}: {disguised}: {:?}", verdict.findings));
            }
        }
    }
    assert!(flagged.is_empty(), "{}", flagged.join("\n"));
}

#[test]
fn harmless_text_around_an_attack_does_not_hide_it() {
    let detector = detector();
    for attack in ATTACKS {
        for padding in HARMLESS {
            let text = format!("{padding}.\n\n{attack}.\n\n{padding}.");
            assert!(blocked(&detector, &text), "{text}");
        }
    }
}

#[test]
fn what_is_encoded_without_saying_anything_is_no_reason() {
    let detector = detector();
    for text in [
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGq3pYb0n8x0Vq0d3F2q8kqXHq1V0i7xkzq4x2m1Yt0z ana@laptop",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCARygAwIBAgIJAJ2d6G7iP3jWMA0GCSqGSIb3DQEBCwUAMBExDzANBgNV\nBAMMBnRlc3RjYTAeFw0yMDAxMDEwMDAwMDBaFw0zMDAxMDEwMDAwMDBaMBExDzAN\n-----END CERTIFICATE-----",
        "550e8400-e29b-41d4-a716-446655440000 550e8400e29b41d4a716446655440000",
        "72 101 108 108 111 44 32 119 111 114 108 100 33",
        "SGVsbG8sIHdvcmxkISBUaGlzIGlzIGp1c3QgYSBncmVldGluZy4=",
    ] {
        let verdict = detector.detect(Text::new(Channel::Document, text));
        assert_eq!(verdict.score, 0.0, "{text}: {:?}", verdict.findings);
    }
}
