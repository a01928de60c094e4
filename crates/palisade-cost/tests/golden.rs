//! Calls as providers answer them, and what each cost to the last pico-dollar.
//!
//! A case is a line of `tests/golden/*.jsonl`: a promise in words, a call as [`price_line`] takes it, and the answer.
//! They are reckoned at the prices of `tests/golden/prices.txt`, which stay when the catalog of the crate is renewed.
#![cfg(feature = "json")]

use palisade_core::Timestamp;
use palisade_cost::{PriceBook, price_line};
use serde_json::Value;

#[test]
fn each_call_costs_what_the_case_says() {
    let book = PriceBook::parse(include_str!("golden/prices.txt")).unwrap();
    let mut failed = Vec::new();
    let mut count = 0;
    for (file, cases) in [
        ("openai", include_str!("golden/openai.jsonl")),
        ("anthropic", include_str!("golden/anthropic.jsonl")),
        ("google", include_str!("golden/google.jsonl")),
        ("bedrock", include_str!("golden/bedrock.jsonl")),
        ("others", include_str!("golden/others.jsonl")),
        ("edges", include_str!("golden/edges.jsonl")),
    ] {
        for line in cases.lines() {
            // As text, so that a key that stands twice does.
            let call = &line[line.find(r#""call":"#).unwrap() + 7..];
            let call = &call[..call.rfind(r#","answer":"#).unwrap()];
            let case: Value = serde_json::from_str(line).unwrap();
            let answer = price_line(&book, call, Timestamp::from_secs(1_795_132_800)).unwrap();
            let answer: Value = serde_json::from_str(&answer.to_json()).unwrap();
            if answer != case["answer"] {
                failed.push(format!(
                    "{file}: {}\n  expected {}\n  found    {answer}",
                    case["promise"], case["answer"]
                ));
            }
            count += 1;
        }
    }
    assert!(count >= 80, "only {count} cases were read");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
