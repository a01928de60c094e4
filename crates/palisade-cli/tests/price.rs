//! `palisade price`.

mod support;

use serde_json::{Value, json};
use support::{code, errors, lines, run};

fn call(id: impl Into<Value>, model: &str) -> Value {
    json!({
        "id": id.into(),
        "request": {"provider": "openai", "api": "chat_completions", "model": model},
        "response": {"model": model, "usage": {"prompt_tokens": 1000, "completion_tokens": 100}},
    })
}

#[test]
fn a_call_is_priced_exactly() {
    for arguments in [
        &["price"][..],
        &["price", "--jsonl"],
        &["price", "--jsonl", "-"],
    ] {
        let output = run(arguments, call(7, "gpt-4o-mini").to_string());
        assert_eq!(code(&output), 0, "{}", errors(&output));
        let lines = lines(&output);
        assert_eq!(lines[0]["id"], 7);
        assert_eq!(lines[0]["status"], "priced");
        assert_eq!(lines[0]["cost_usd"], "0.00021");
        assert_eq!(lines[0]["cost_nano_usd"], 210_000);
        assert_eq!(
            lines[0]["usage"],
            json!({"input_tokens": 1000, "output_tokens": 100})
        );
    }
}

#[test]
fn what_is_not_known_has_no_cost_and_is_no_error() {
    let output = run(
        &["price", "--jsonl"],
        call("x", "no-such-model").to_string(),
    );
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let lines = lines(&output);
    assert_eq!(lines[0]["status"], "unknown_model");
    assert_eq!(lines[0]["cost_usd"], Value::Null);
    assert_eq!(lines[0]["cost_nano_usd"], Value::Null);
}

#[test]
fn a_malformed_call_does_not_stop_the_rest() {
    let input = format!(
        "{}\n{}\n{}\n",
        call(1, "gpt-4o-mini"),
        json!({"id": 2, "request": "?"}),
        call(3, "gpt-4o-mini")
    );
    let output = run(&["price", "--jsonl"], input);
    assert_eq!(code(&output), 2);
    let lines = lines(&output);
    assert_eq!(lines.len(), 3);
    assert_eq!(
        (&lines[0]["status"], &lines[2]["status"]),
        (&json!("priced"), &json!("priced"))
    );
    assert_eq!(lines[1]["id"], 2);
    assert_eq!(lines[1]["line"], 2);
    assert!(lines[1]["error"].is_string());
    assert!(errors(&output).contains("line 2: "));
}
