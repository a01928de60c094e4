//! Redaction of answers: whole JSON documents, event streams and plain text.

mod body;
mod slots;
mod stream;

use std::sync::Arc;

use palisade_core::Finding;
use palisade_redaction::{Action, Redactor, Scanner};
use serde_json::Value;

pub use body::RedactedBody;
pub(crate) use body::Shape;

/// What is looked for in one answer, and how much was found.
#[derive(Clone, Debug)]
pub(crate) struct Redaction {
    scanner: Arc<Scanner>,
    pub(crate) found: Found,
}

/// How much was found in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Everything that a rule matched.
    pub(crate) findings: usize,
    /// What of it was taken out.
    pub(crate) redacted: usize,
}

impl Redaction {
    pub(crate) fn new(scanner: Arc<Scanner>) -> Self {
        Self {
            scanner,
            found: Found::default(),
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

    /// A whole JSON document without what must not leave; `None` if nothing had to go. What is no JSON is a text.
    pub(crate) fn document(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
            let text = String::from_utf8_lossy(bytes);
            return self.whole(&text).map(String::into_bytes);
        };
        let mut changed = false;
        slots::of_whole(&mut value, &mut |text| {
            if let Some(clean) = self.whole(text) {
                changed = true;
                *text = clean;
            }
        });
        changed.then(|| value.to_string().into_bytes())
    }
}
