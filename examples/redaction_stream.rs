//! Taking secrets out of an answer while it streams, wherever the pieces are cut.
//!
//! `cargo run -p palisade-examples --example redaction_stream`

use std::error::Error;

use palisade::redaction::{Action, Kind, Mask, Policy, Scanner};

/// As a model sends it: a few characters at a time, the secrets cut in the middle.
const PIECES: [&str; 12] = [
    "Sure! Set DB",
    "_PASS",
    "WORD=k00B!",
    "tlmawn7 in your ",
    ".env, then wri",
    "te to anna.schu",
    "lz@mail.exam",
    "ple.org or call ",
    "+49 30 6330",
    "3964. ",
    "That's ",
    "all.",
];

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let scanner = Scanner::new();
    let mut redactor = scanner.redactor();
    let mut client = String::new();
    for piece in PIECES {
        let already = client.len();
        redactor.push(piece, &mut client);
        let held = redactor.held_back();
        println!(
            "in {piece:<18?} out {:<36?} held back {held} B",
            &client[already..]
        );
    }
    let already = client.len();
    let findings = redactor.finish_with_findings(&mut client);
    println!("end                   out {:?}", &client[already..]);
    for finding in &findings {
        println!(
            "found {} at {:?}, {:?}",
            finding.rule, finding.range, finding.severity
        );
    }
    // The promise: whatever the pieces, it is what the whole text would give.
    assert_eq!(client, scanner.redact(&PIECES.concat()));
    assert_eq!(
        client,
        "Sure! Set DB_PASSWORD=[REDACTED:password] in your .env, then write to [REDACTED:email] or call \
         [REDACTED:phone]. That's all."
    );

    // A prompt is judged as a whole, before it goes anywhere.
    let strict = Policy::for_prompts();
    let findings = scanner.scan("why does postgres://app:Summit8665@db.example/app refuse me?");
    println!(
        "a prompt with a password in its URL: {:?}",
        strict.decide(&findings)
    );
    assert_eq!(strict.decide(&findings), Action::Block);

    // Own words, only what is wanted, and the last digits left to recognise a card by.
    let own = Scanner::builder()
        .with_kind(Kind::Command, false)
        .with_keyword("project orion")
        .with_mask(Mask::Partial { shown: 4 })
        .with_policy(Policy::for_outputs().with_action(Kind::Keyword, Action::Redact))
        .build()?;
    let text = own.redact("Project  Orion is paid with 4111 1111 1111 1111");
    println!("{text}");
    assert!(!text.contains("Orion") && !text.contains("4111 1111"));
    Ok(())
}
