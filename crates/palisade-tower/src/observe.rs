//! What the layers write into the trace of a request, and nothing at all without the `trace` feature.

#![cfg_attr(
    not(feature = "full"),
    allow(dead_code, reason = "each layer uses a part of it")
)]

use std::borrow::Cow;

use http::Extensions;

/// What a guard said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Allow,
    Flag,
    Redact,
    Deny,
    Unavailable,
}

/// The trace of a request, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Notes {
    #[cfg(feature = "trace")]
    trace: Option<palisade_trace::ActiveTrace>,
}

impl Notes {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        #[cfg(feature = "trace")]
        return Self {
            trace: extensions.get().cloned(),
        };
        #[cfg(not(feature = "trace"))]
        {
            let _ = extensions;
            Self {}
        }
    }

    /// Begins a step of the guard `name`.
    pub(crate) fn begin(&self, name: &'static str) -> Note {
        #[cfg(feature = "trace")]
        return Note {
            name,
            timer: self.trace.as_ref().map(|trace| trace.begin(name)),
        };
        #[cfg(not(feature = "trace"))]
        Note { name }
    }
}

/// A step that has begun. Dropped, it counts as cancelled.
pub(crate) struct Note {
    name: &'static str,
    #[cfg(feature = "trace")]
    timer: Option<palisade_trace::StepTimer>,
}

impl Note {
    /// Ends the step with a verdict.
    pub(crate) fn verdict(self, said: Said, findings: usize, score: Option<f32>) {
        #[cfg(feature = "trace")]
        if let Some(timer) = self.timer {
            use palisade_trace::{GuardDecision, GuardVerdict};
            let decision = match said {
                Said::Allow => GuardDecision::Allow,
                Said::Flag => GuardDecision::Flag,
                Said::Redact => GuardDecision::Redact,
                Said::Deny => GuardDecision::Deny,
                Said::Unavailable => GuardDecision::Unavailable,
            };
            let findings = u32::try_from(findings).unwrap_or(u32::MAX);
            let verdict = GuardVerdict::new(self.name, decision).with_findings(findings);
            timer.finish(match score {
                Some(score) => verdict.with_score(score),
                None => verdict,
            });
        }
        #[cfg(not(feature = "trace"))]
        let _ = (said, findings, score);
    }

    /// The same step under the name of the guard that turned out to be at work.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Ends the step with a decision alone.
    pub(crate) fn said(self, said: Said) {
        self.verdict(said, 0, None);
    }

    /// Ends the step with an error of a stable kind and one sentence without secrets.
    pub(crate) fn error(self, kind: &'static str, message: impl Into<Cow<'static, str>>) {
        #[cfg(feature = "trace")]
        if let Some(timer) = self.timer {
            timer.finish(palisade_trace::ErrorStep::new(kind, message));
        }
        #[cfg(not(feature = "trace"))]
        let _ = (kind, message.into());
    }
}
