//! `palisade prices`, and tables of one's own for `palisade price`.

mod support;

use std::fs;

use serde_json::json;
use support::{code, errors, lines, run};

fn row(model: &str, input: &str) -> String {
    json!({"provider": "house", "model": model,
           "usd_per_1m": {"standard": {"input": input, "output": "8"}}})
    .to_string()
}

#[test]
fn a_table_that_moves_a_price_too_far_is_pointed_at() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let old = file(
        "old",
        format!("{}\n\n{}\n", row("a", "2"), row("gone", "1")),
    );
    let near = file("near", format!("{}\n{}\n", row("a", "3"), row("new", "1")));
    let far = file("far", row("a", "20"));

    let output = run(&["prices", "diff", &old, &near], "");
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        "+ house/new\n- house/gone\n~ house/a standard.input: 0.000002 -> 0.000003\n\
         1 added, 1 removed, 1 moved, 0 of them suspiciously far\n"
    );
    let output = run(&["prices", "diff", &old, &far], "");
    assert_eq!(code(&output), 1);
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("! house/a standard.input")
    );
    assert_eq!(
        code(&run(&["prices", "diff", "--confirm", &old, &far], "")),
        0
    );
    let broken = file("broken", "{}".to_owned());
    let output = run(&["prices", "diff", &old, &broken], "");
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("line 1"), "{}", errors(&output));
}

#[test]
fn the_embedded_table_is_its_own_successor() {
    let output = run(&["prices", "diff", "embedded", "embedded"], "");
    assert_eq!(code(&output), 0);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        "0 added, 0 removed, 0 moved, 0 of them suspiciously far\n"
    );
}

#[test]
fn a_price_is_looked_up_by_the_exact_name() {
    let output = run(&["prices", "lookup", "openai/gpt-4o-mini"], "");
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let found = &lines(&output)[0];
    assert_eq!(found["model"], "gpt-4o-mini");
    assert_eq!(found["usd_per_token"]["standard"]["input"], "0.00000015");
    assert_eq!(
        code(&run(&["prices", "lookup", "openai/gpt-4o-min"], "")),
        1
    );
    assert_eq!(code(&run(&["prices", "lookup", "gpt-4o-mini"], "")), 2);
    let output = run(
        &[
            "prices",
            "lookup",
            "openai/gpt-4o-mini",
            "--at",
            "yesterday",
        ],
        "",
    );
    assert_eq!(code(&output), 2);
}

#[test]
fn a_private_model_is_priced_by_a_table_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.jsonl");
    fs::write(&path, row("a", "2")).unwrap();
    let call = json!({
        "request": {"provider": "house", "model": "a"},
        "response": {"usage": {"prompt_tokens": 1000, "completion_tokens": 100}},
    });
    let output = run(
        &["price", "--prices", path.to_str().unwrap()],
        call.to_string(),
    );
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert_eq!(lines(&output)[0]["cost_usd"], "0.0028");
}
