//! Rules of the user's own, read from TOML.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use palisade::core::Severity;
use palisade::redaction::{Kind, OwnRule, Scanner, ScannerBuilder};
use serde::Deserialize;

/// The longest file of rules.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnRules {
    #[serde(default)]
    rule: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    pub(crate) id: String,
    pub(crate) pattern: String,
    #[serde(default = "secret")]
    pub(crate) kind: Kind,
    #[serde(default = "high")]
    pub(crate) severity: Severity,
    /// What it does and why, for `palisade rules list`.
    #[serde(default)]
    pub(crate) description: String,
    /// Texts in which it finds something.
    pub(crate) matches: Vec<String>,
    /// Texts in which it finds nothing.
    #[serde(default)]
    pub(crate) passes: Vec<String>,
}

fn secret() -> Kind {
    Kind::Secret
}

fn high() -> Severity {
    Severity::High
}

impl OwnRules {
    /// The rules of a file, none without one. They hold to what built-in rules hold to: each has an example that it finds,
    /// and finds nothing where it says so.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a rule is none or does not do what it says.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let name = || format!("cannot use the rules of {}", path.display());
        let length = fs::metadata(path).with_context(name)?.len();
        ensure!(
            length <= FILE_BYTES_MAX,
            "{} is longer than {FILE_BYTES_MAX} bytes",
            path.display()
        );
        let text = fs::read_to_string(path).with_context(name)?;
        let rules: Self = toml::from_str(&text).with_context(name)?;
        rules.check().with_context(name)?;
        Ok(rules)
    }

    pub(crate) fn all(&self) -> &[Written] {
        &self.rule
    }

    /// A scanner with these rules too.
    pub(crate) fn add_to(&self, mut builder: ScannerBuilder) -> ScannerBuilder {
        for rule in &self.rule {
            builder = builder.with_rule(rule.built());
        }
        builder
    }

    fn check(&self) -> Result<()> {
        // Together, so that ids that are taken are found out.
        self.add_to(Scanner::builder()).build()?;
        for rule in &self.rule {
            let mut builder = Scanner::builder().with_rule(rule.built());
            for kind in Kind::ALL {
                builder = builder.with_kind(kind, false);
            }
            let alone = builder.build()?;
            ensure!(
                !rule.matches.is_empty(),
                "rule `{}` has no example in `matches`",
                rule.id
            );
            // By their places: the texts may be what must not be shown.
            for (at, text) in rule.matches.iter().enumerate() {
                ensure!(
                    !alone.scan(text).is_empty(),
                    "rule `{}` finds nothing in `matches[{at}]`",
                    rule.id
                );
            }
            for (at, text) in rule.passes.iter().enumerate() {
                ensure!(
                    alone.scan(text).is_empty(),
                    "rule `{}` finds something in `passes[{at}]`",
                    rule.id
                );
            }
        }
        Ok(())
    }
}

impl Written {
    fn built(&self) -> OwnRule {
        OwnRule::new(&self.id, &self.pattern)
            .with_kind(self.kind)
            .with_severity(self.severity)
    }
}
