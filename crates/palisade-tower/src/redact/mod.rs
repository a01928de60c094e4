//! Redaction of answers: whole JSON documents, event streams and plain text.

mod body;
mod json;
mod look;
mod slots;
mod stream;

use std::sync::Arc;

use palisade_core::Finding;
use palisade_redaction::{Action, Redactor, Scanner};
use serde_json::Value;

use json::Quoter;
use slots::Found;

use crate::sse;

pub use body::RedactedBody;
pub(crate) use body::Shape;

/// What is looked for in one answer, and how much was found.
#[derive(Clone, Debug)]
pub(crate) struct Redaction {
    scanner: Arc<Scanner>,
    pub(crate) found: Tally,
}

/// How much was found in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Everything that a rule matched.
    pub(crate) findings: usize,
    /// What of it was taken out.
    pub(crate) redacted: usize,
}

impl Redaction {
    pub(crate) fn new(scanner: Arc<Scanner>) -> Self {
        Self {
            scanner,
            found: Tally::default(),
        }
    }

    fn redactor(&self) -> Redactor {
        self.scanner.redactor()
    }

    fn count(&mut self, findings: &[Finding]) {
        let policy = self.scanner.policy();
        self.found.findings += findings.len();
        self.found.redacted += findings
            .iter()
            .filter(|found| policy.action_for(found) >= Action::Redact)
            .count();
    }

    /// Whether nothing at all is found in a whole text.
    fn is_clean(&self, text: &str) -> bool {
        text.is_empty() || self.scanner.scan(text).is_empty()
    }

    /// A whole text without what must not leave; `None` if nothing had to go.
    fn whole(&mut self, text: &str) -> Option<String> {
        let findings = self.scanner.scan(text);
        if findings.is_empty() {
            return None;
        }
        self.count(&findings);
        let clean = self.scanner.redact(text);
        (clean != text).then_some(clean)
    }

    /// Cleans every text of `value`. Whether anything is different now.
    fn value(&mut self, value: &mut Value) -> bool {
        let mut changed = false;
        slots::of_whole(value, &mut |found| {
            changed |= match found {
                Found::Text(text) => replace(text, self.whole(text)),
                Found::Json(text) => {
                    let clean = self
                        .whole(text)
                        .map(|clean| Quoter::default().quoted(&clean));
                    replace(text, clean)
                }
                // As one text, because it is the name of a member that tells what its value is.
                Found::Structure(value) => match self.whole(&value.to_string()) {
                    None => false,
                    Some(clean) => {
                        let clean = Quoter::default().quoted(&clean);
                        *value = json::parse(&clean).unwrap_or(Value::String(clean));
                        true
                    }
                },
            };
        });
        changed
    }

    /// A whole JSON document without what must not leave; `None` if nothing had to go. What is no JSON is a text.
    pub(crate) fn document(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let text = sse::text_of(bytes);
        if look::is_clean(&text, &|text| self.is_clean(text)) {
            return None;
        }
        let Some(mut value) = json::parse(&text) else {
            return self.whole(&text).map(String::into_bytes);
        };
        if !self.value(&mut value) {
            return None;
        }
        slots::drop_logprobs(&mut value);
        Some(value.to_string().into_bytes())
    }
}

fn replace(text: &mut String, clean: Option<String>) -> bool {
    clean.map(|clean| *text = clean).is_some()
}
