//! `palisade quota`.

mod support;

use support::{code, errors, lines, run};

#[test]
fn what_is_set_is_shown_and_a_reset_needs_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("palisade.db");
    let database = path.to_str().unwrap();
    let missing = run(&["quota", "show", database], "");
    assert_eq!(code(&missing), 2, "looking makes no file");
    assert!(!path.exists());
    assert_eq!(code(&run(&["migrate", "up", database], "")), 0);

    let quota = r#"{"tokens": 100, "money": "2.5", "requests": 7, "period": "week"}"#;
    let set = [
        "quota", "set", database, "org=acme", "--quota", quota, "--who", "root", "--why", "trial",
    ];
    let output = run(&set, "");
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let output = run(&["quota", "show", database, "org=acme"], "");
    let shown = &lines(&output)[0];
    assert_eq!(shown["limit"]["tokens"], 100);
    assert_eq!(shown["limit"]["requests"], 7);
    assert_eq!(shown["period"], "week");
    let listed = lines(&run(&["quota", "show", database], ""));
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["own"]["money"], "2.5");

    let reset = [
        "quota", "reset", database, "org=acme", "--who", "root", "--why", "goodwill",
    ];
    assert_eq!(code(&run(&reset, "")), 0);
    assert_eq!(code(&run(&reset[..6], "")), 2, "nobody said why");
    // Back under the defaults.
    let back = [
        "quota", "set", database, "org=acme", "--who", "root", "--why", "over",
    ];
    assert_eq!(code(&run(&back, "")), 0);
    assert!(lines(&run(&["quota", "show", database], "")).is_empty());
    let wrong = [
        "quota",
        "set",
        database,
        "org=acme",
        "--quota",
        "{\"tokens\": -1}",
        "--who",
        "a",
        "--why",
        "b",
    ];
    assert_eq!(code(&run(&wrong, "")), 2);
}
