//! Under which names a model may stand in a table.
//!
//! Only spellings that say the same thing: a routing prefix taken off, a resource name reduced to what it names, the
//! dated name of a model to the model. Never a name that merely looks alike: a wrong price is worse than none.

use std::{borrow::Cow, str};

use crate::date;

/// Providers by their OpenTelemetry name, with what else routers write before a model's name to mean them.
const SPELLINGS: &[(&str, &[&str])] = &[
    ("aws.bedrock", &["bedrock"]),
    (
        "azure.ai.openai",
        &["az.ai.openai", "azure", "azure_openai"],
    ),
    ("gcp.gemini", &["gemini", "google"]),
    ("gcp.vertex_ai", &["vertex_ai", "vertex"]),
    ("mistral_ai", &["mistral", "mistralai"]),
    ("moonshot_ai", &["moonshot", "moonshotai"]),
    ("x_ai", &["xai", "x-ai"]),
];

/// The most spellings of one name that are looked up.
const FORMS_MAX: usize = 8;

/// The provider's name in a table, for a name somebody configured.
pub(crate) fn provider(name: &str) -> &str {
    SPELLINGS
        .iter()
        .find(|(_, spellings)| spellings.contains(&name))
        .map_or(name, |(provider, _)| provider)
}

/// Other exact spellings of `model` at `provider`, `model` itself left out.
pub(crate) fn spellings<'a>(provider: &str, model: &'a str) -> Vec<Cow<'a, str>> {
    let mut forms: Vec<Cow<'a, str>> = Vec::new();
    let mut rest = model;
    while let Some(shorter) = stripped(provider, rest) {
        if let Some((publisher, name)) = published(rest) {
            // Some tables name the publisher, as in `meta/llama-…`; that spelling says more, so it goes first.
            forms.push(Cow::Owned(format!("{publisher}/{name}")));
        }
        forms.push(Cow::Borrowed(shorter));
        rest = shorter;
        if forms.len() >= FORMS_MAX {
            break;
        }
    }
    forms
}

/// `ft:base` of `ft:base:organisation:name:id`: fine-tunes of one base cost the same.
pub(crate) fn fine_tuned(model: &str) -> Option<&str> {
    let tuned = model.strip_prefix("ft:")?;
    let base = &tuned[..tuned.find(':')?];
    (!base.is_empty()).then(|| &model[.."ft:".len() + base.len()])
}

/// `base` of `base-2026-11-20`, `base-20261120` and `base@20261120`.
pub(crate) fn undated(model: &str) -> Option<&str> {
    let bytes = model.as_bytes();
    let split = |date: usize| {
        let at = bytes.len().checked_sub(date + 1).filter(|at| *at > 0)?;
        Some((bytes[at], &bytes[at + 1..], at))
    };
    if let Some((b'-' | b'@', date, at)) = split(8)
        && date::is_compact_date(date)
    {
        return model.get(..at);
    }
    if let Some((b'-', date, at)) = split(10)
        && date::is_date_text(date)
    {
        return model.get(..at);
    }
    None
}

/// One prefix less.
fn stripped<'a>(provider: &str, model: &'a str) -> Option<&'a str> {
    if let Some(resource) = model.strip_prefix("arn:") {
        // arn:partition:service:region:account:kind/id, where the id may have colons of its own.
        let (head, id) = resource.split_once('/')?;
        return (head.split(':').count() == 5 && !id.is_empty()).then_some(id);
    }
    if let Some((_, name)) = published(model) {
        return Some(name);
    }
    if let Some(name) = model.strip_prefix("models/") {
        return Some(name).filter(|name| !name.is_empty());
    }
    let (prefix, name) = model.split_once('/')?;
    (!name.is_empty() && self::provider(prefix) == provider).then_some(name)
}

/// Publisher and name of `publishers/p/models/m`, with or without `projects/…/locations/…/` before it.
fn published(model: &str) -> Option<(&str, &str)> {
    let mut parts = model.split('/');
    let mut first = parts.next()?;
    if first == "projects" {
        parts.next()?;
        if parts.next()? != "locations" {
            return None;
        }
        parts.next()?;
        first = parts.next()?;
    }
    if first != "publishers" {
        return None;
    }
    let publisher = parts.next()?;
    if parts.next()? != "models" {
        return None;
    }
    let name = parts.next().filter(|name| !name.is_empty())?;
    parts.next().is_none().then_some((publisher, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_taken_off_only_where_it_names_the_provider() {
        for (provider, model, forms) in [
            ("openai", "openai/gpt-4o", vec!["gpt-4o"]),
            ("groq", "openai/gpt-oss-20b", vec![]),
            ("gcp.gemini", "models/gemini-x", vec!["gemini-x"]),
            (
                "gcp.gemini",
                "gemini/models/gemini-x",
                vec!["models/gemini-x", "gemini-x"],
            ),
            (
                "gcp.vertex_ai",
                "projects/p/locations/l/publishers/meta/models/llama",
                vec!["meta/llama", "llama"],
            ),
            (
                "aws.bedrock",
                "bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/us.acme.m-v1:0",
                vec![
                    "arn:aws:bedrock:us-east-1:1:inference-profile/us.acme.m-v1:0",
                    "us.acme.m-v1:0",
                ],
            ),
            ("aws.bedrock", "arn:aws:bedrock/m", vec![]),
            ("openai", "openai/", vec![]),
            ("openai", "models/", vec![]),
        ] {
            assert_eq!(spellings(provider, model), forms, "{model}");
        }
    }

    #[test]
    fn nothing_but_a_date_of_the_calendar_is_a_date() {
        for (model, base) in [
            ("m-2026-11-20", Some("m")),
            ("m-20261120", Some("m")),
            ("m@20261120", Some("m")),
            ("m-2026-13-01", None),
            ("m-20260230", None),
            ("m-12345678", None),
            ("m-0613", None),
            ("m-mini", None),
            ("-20261120", None),
            ("20261120", None),
            ("mé-20261120", Some("mé")),
            ("é1234567", None),
        ] {
            assert_eq!(undated(model), base, "{model}");
        }
    }

    #[test]
    fn a_fine_tune_is_reduced_to_its_base_and_never_to_the_untuned_model() {
        assert_eq!(fine_tuned("ft:m:acme::id"), Some("ft:m"));
        assert_eq!(fine_tuned("ft:m"), None);
        assert_eq!(fine_tuned("ft::acme"), None);
        assert_eq!(fine_tuned("m:acme"), None);
    }

    #[test]
    fn a_name_of_many_prefixes_does_not_take_long() {
        let name = format!("{}m", "openai/".repeat(10_000));
        assert!(spellings("openai", &name).len() <= FORMS_MAX + 1);
    }
}
