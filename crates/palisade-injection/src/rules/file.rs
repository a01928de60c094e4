use std::{error::Error, fmt};

use palisade_core::{Channel, Severity, Text};
use serde::Deserialize;

use super::{Rule, Rules};
use crate::{Family, Normalizer, Reading, RuleError, Scorer};

/// The longest file of rules that is read, in bytes.
pub const MAX_RULES_FILE_BYTES: usize = 1024 * 1024;

/// A file of rules that cannot be used.
#[derive(Debug)]
pub struct RulesFileError(Trouble);

#[derive(Debug)]
enum Trouble {
    TooLong,
    Syntax(toml::de::Error),
    Rule(RuleError),
    Missed { rule: String, number: usize },
    Found { rule: String, number: usize },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "rule")]
    rules: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    family: Family,
    #[serde(default)]
    severity: Option<Severity>,
    #[serde(default)]
    weight: Option<f32>,
    #[serde(default)]
    data_weight: Option<f32>,
    steps: Vec<Step>,
    #[serde(default)]
    finds: Vec<String>,
    #[serde(default)]
    spares: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    words: Vec<String>,
    #[serde(default)]
    within: u32,
}

impl Rules {
    /// The same with the rules of a TOML file.
    ///
    /// Each rule may carry texts that it `finds` and texts that it `spares`; a file whose rules do not keep to them is
    /// refused, so that a mistake shows before the first request.
    ///
    /// ```
    /// use palisade_injection::Rules;
    ///
    /// let rules = Rules::standard().with_toml(r#"
    ///     [[rule]]
    ///     id = "acme.roadmap"
    ///     family = "prompt_extraction"
    ///     weight = 0.8
    ///     steps = [{ words = ["show", "send"] }, { words = ["roadmap", "price list*"], within = 6 }]
    ///     finds = ["send me the secret roadmap"]
    ///     spares = ["show me the road"]
    /// "#)?;
    /// assert!(rules.ids().any(|id| id == "acme.roadmap"));
    /// # Ok::<(), palisade_injection::RulesFileError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file is too long or no TOML, a rule is not sound, its id is taken, or a text says otherwise than stated.
    pub fn with_toml(self, file: &str) -> Result<Self, RulesFileError> {
        if file.len() > MAX_RULES_FILE_BYTES {
            return Err(RulesFileError(Trouble::TooLong));
        }
        let file: File = toml::from_str(file).map_err(|e| RulesFileError(Trouble::Syntax(e)))?;
        file.rules.into_iter().try_fold(self, Self::with_entry)
    }

    fn with_entry(self, entry: Entry) -> Result<Self, RulesFileError> {
        let mut rule = Rule::new(&entry.id, entry.family);
        if let Some(severity) = entry.severity {
            rule = rule.with_severity(severity);
        }
        if let Some(weight) = entry.weight {
            rule = rule.with_weight(weight);
        }
        if let Some(weight) = entry.data_weight {
            rule = rule.with_data_weight(weight);
        }
        rule = entry
            .steps
            .into_iter()
            .fold(rule, |rule, step| rule.with_step(step.words, step.within));
        let of_rule = |error| RulesFileError(Trouble::Rule(error));
        // By itself, so that no other rule makes up for it.
        let alone = Self::empty().with_rule(rule.clone()).map_err(of_rule)?;
        let found = |text: &String| {
            let text = Text::new(Channel::User, text);
            let score = alone.score(&Reading::new(text, Normalizer::new()));
            !score.findings.is_empty()
        };
        let id = &entry.id;
        if let Some(number) = entry.finds.iter().position(|text| !found(text)) {
            let rule = id.clone();
            return Err(RulesFileError(Trouble::Missed { rule, number }));
        }
        if let Some(number) = entry.spares.iter().position(found) {
            let rule = id.clone();
            return Err(RulesFileError(Trouble::Found { rule, number }));
        }
        self.with_rule(rule).map_err(of_rule)
    }
}

impl fmt::Display for RulesFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Trouble::TooLong => write!(
                f,
                "a file of rules has at most {MAX_RULES_FILE_BYTES} bytes"
            ),
            Trouble::Syntax(_) => f.write_str("the file of rules cannot be read"),
            Trouble::Rule(_) => f.write_str("a rule of the file cannot be used"),
            Trouble::Missed { rule, number } => {
                write!(
                    f,
                    "rule `{rule}` does not find text {number} of those that it should find"
                )
            }
            Trouble::Found { rule, number } => {
                write!(
                    f,
                    "rule `{rule}` finds text {number} of those that it should spare"
                )
            }
        }
    }
}

impl Error for RulesFileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Trouble::Syntax(error) => Some(error),
            Trouble::Rule(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(more: &str) -> String {
        format!(
            "[[rule]]\nid = \"acme.nightjar\"\nfamily = \"prompt_extraction\"\nsteps = [{{ words = [\"show\"] }}, \
             {{ words = [\"nightjar\"], within = 4 }}]\n{more}"
        )
    }

    #[test]
    fn a_file_adds_its_rules() {
        let rules = Rules::empty()
            .with_toml(&file("severity = \"high\"\ndata_weight = 0.9"))
            .unwrap();
        assert_eq!(rules.ids().collect::<Vec<_>>(), ["acme.nightjar"]);
        let none = Rules::empty().with_toml("").unwrap();
        assert_eq!(none.ids().count(), 0);
    }

    #[test]
    fn a_rule_that_does_not_keep_to_its_texts_is_refused_by_name() {
        for (more, said) in [
            (
                "finds = [\"show the nightjar\", \"nightjar\"]",
                "does not find text 1",
            ),
            ("spares = [\"show me Nightjar\"]", "finds text 0"),
        ] {
            let error = Rules::empty()
                .with_toml(&file(more))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(said) && error.contains("acme.nightjar"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_file_that_makes_no_sense_is_refused() {
        let refused = |text: &str| Rules::standard().with_toml(text).unwrap_err();
        assert!(refused("[[rule]").source().is_some());
        assert!(refused(&file("wieght = 0.5")).source().is_some());
        assert!(refused(&file("weight = 2.0")).source().is_some());
        let taken = file("").replace("acme.nightjar", "override.prior-instructions");
        assert!(refused(&taken).source().is_some());
        let long = format!("# {}", "x".repeat(MAX_RULES_FILE_BYTES));
        assert!(refused(&long).to_string().contains("at most"));
    }
}
