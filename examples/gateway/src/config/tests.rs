use std::collections::BTreeSet;

use figment::{Figment, providers::Format as _, providers::Toml};
use serde_json::Value;

use super::*;

/// The file that ships with the gateway.
const SHIPPED: &str = include_str!("../../palisade.toml");

fn refusal(toml: &str) -> String {
    Config::parse(toml).unwrap_err().to_string()
}

#[test]
fn nothing_configured_is_the_mock_with_every_guard_on() {
    let config = Config::parse("").unwrap();
    assert!(config.provider[0].is_embedded());
    assert!(config.injection.enabled && config.redaction.enabled);
    assert_eq!(config.quota.user.tokens_per_day, 1_000_000);
    assert_eq!(config.quota.user.usd_per_day.to_string(), "10");
}

#[test]
fn the_shipped_file_states_the_defaults() {
    assert_eq!(Config::parse(SHIPPED).unwrap(), Config::parse("").unwrap());
}

#[test]
fn the_shipped_file_names_every_key_and_no_other() {
    // What has no default stands there in a comment, as `# key = …`.
    let with_examples: String = SHIPPED
        .lines()
        .map(
            |line| match line.strip_prefix("# ").filter(|rest| rest.contains(" = ")) {
                Some(example) => format!("{example}\n"),
                None => format!("{line}\n"),
            },
        )
        .collect();
    let stated: Value = Figment::from(Toml::string(&with_examples))
        .extract()
        .unwrap();
    let mut known = serde_json::to_value(Config::parse("").unwrap()).unwrap();
    // Of the lists, one member speaks for all.
    for list in ["provider", "model"] {
        known[list].as_array_mut().unwrap().truncate(1);
    }
    assert_eq!(keys(&stated), keys(&known));
}

/// The paths of all keys in a document.
fn keys(document: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, path: &str, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => members
                .iter()
                .for_each(|(name, value)| walk(value, &format!("{path}.{name}"), into)),
            Value::Array(items) => items.iter().for_each(|item| walk(item, path, into)),
            _ => {
                into.insert(path.to_owned());
            }
        }
    }
    let mut paths = BTreeSet::new();
    walk(document, "", &mut paths);
    paths
}

#[test]
fn every_error_names_the_key_what_was_found_and_what_is_allowed() {
    for (toml, parts) in [
        (
            "[limits]\nburst = \"many\"",
            ["limits.burst", "many", "u64"],
        ),
        ("[limits]\nburts = 3", ["limits", "burts", "`burst`"]),
        (
            "[store]\ndurability = \"none\"",
            ["store.durability", "none", "`power`"],
        ),
        (
            "[resilience]\nattempts = 0",
            ["resilience.attempts", "found 0", "from 1 to 10"],
        ),
        (
            "[resilience]\nattempt_timeout_ms = 0",
            ["resilience.attempt_timeout_ms", "found 0", "from 1 to"],
        ),
        (
            "[injection]\nblock_at = 1.5",
            ["injection.block_at", "1.5", "0 to 1"],
        ),
        (
            "[quota.user]\nusd_per_day = \"-1\"",
            ["quota.user.usd_per_day", "\"-1\"", "zero or more"],
        ),
        (
            "[quota.org]\nusd_per_day = 2.5",
            ["quota.org.usd_per_day", "2.5", "as text such as \"2.50\""],
        ),
        (
            "[[provider]]\nname = \"a\"\nkind = \"openai\"",
            ["provider[0].base_url", "nothing", "https://"],
        ),
        (
            "[[provider]]\nname = \"a\"\nkind = \"mock\"\n[[model]]\nname = \"m\"\nprovider = \"b\"",
            ["model[0].provider", "\"b\"", "a provider: a"],
        ),
        (
            "[resilience]\nhedge_percentile = 30",
            ["resilience.hedge_percentile", "found 30", "from 50 to 99"],
        ),
        (
            "[resilience]\nbackoff_jitter = \"some\"",
            ["resilience.backoff_jitter", "some", "`decorrelated`"],
        ),
        (
            "[[provider]]\nname = \"a\"\nkind = \"mock\"\n[[model]]\nname = \"m\"\nprovider = \"a\"\nfallback = [\"m\"]",
            [
                "model[0].fallback",
                "\"m\"",
                "another model that is asked by the same APIs",
            ],
        ),
    ] {
        let refusal = refusal(toml);
        for part in parts {
            assert!(refusal.contains(part), "{part:?} in {refusal:?}");
        }
    }
}

#[test]
fn dollars_are_exact_however_they_are_written() {
    for (written, meant) in [("\"2.50\"", "2.5"), ("3", "3"), ("\"0\"", "0")] {
        let config = Config::parse(&format!("[quota.user]\nusd_per_day = {written}")).unwrap();
        assert_eq!(config.quota.user.usd_per_day, meant.parse().unwrap());
    }
}

#[test]
fn a_base_url_with_credentials_is_never_shown() {
    let toml = "[[provider]]\nname = \"a\"\nkind = \"openai\"\nbase_url = \"ftp://u:hunter2@h\"";
    assert!(!refusal(toml).contains("hunter2"));
    let config = Config::parse(&toml.replace("ftp", "http")).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}
