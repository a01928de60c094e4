use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use palisade_core::{Text, Texts};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    BoxError, Rejection,
    call::{BoxFuture, ready_call},
    observe::{Notes, Said},
};

/// What an inspection of a request's texts found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Inspected {
    /// The name of the inspection, as the trace shows it.
    pub guard: &'static str,
    /// How many findings there were.
    pub findings: usize,
    /// The highest score, for an inspection that has one.
    pub score: Option<f32>,
    /// Whether somebody should look at it.
    pub flagged: bool,
    /// Why the request may not pass, if it may not.
    pub refusal: Option<Rejection>,
}

impl Inspected {
    /// Nothing was found.
    #[must_use]
    pub const fn clean(guard: &'static str) -> Self {
        Self {
            guard,
            findings: 0,
            score: None,
            flagged: false,
            refusal: None,
        }
    }
}

/// Judges the texts of a request. It thinks and does not wait, so it is sync.
pub trait Inspect: Send + Sync + 'static {
    /// The verdict over all texts of `request`.
    fn inspect(&self, request: &dyn Texts) -> Inspected;
}

/// Judges what the model is about to read, before money is spent on it.
///
/// The inspections run in the order they were added, and the first refusal ends it. Each one is a step of the trace with
/// its score and the number of its findings, never with the text.
#[derive(Clone, Default)]
pub struct ScanLayer {
    inspections: Vec<Arc<dyn Inspect>>,
}

impl ScanLayer {
    /// A layer that inspects nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one inspection more.
    #[must_use]
    pub fn with(mut self, inspection: impl Inspect) -> Self {
        self.inspections.push(Arc::new(inspection));
        self
    }
}

impl fmt::Debug for ScanLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanLayer")
            .field("inspections", &self.inspections.len())
            .finish()
    }
}

impl<S> Layer<S> for ScanLayer {
    type Service = Scanned<S>;

    fn layer(&self, inner: S) -> Scanned<S> {
        Scanned {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`ScanLayer`].
#[derive(Clone, Debug)]
pub struct Scanned<S> {
    inner: S,
    layer: Arc<ScanLayer>,
}

impl<S, T, B> Service<Request<T>> for Scanned<S>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    T: Texts + Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let inner = self.inner.clone();
        let layer = Arc::clone(&self.layer);
        Box::pin(async move {
            let notes = Notes::of(request.extensions());
            for inspection in &layer.inspections {
                inspect(&**inspection, request.body(), &notes)?;
            }
            ready_call(inner, request).await.map_err(Into::into)
        })
    }
}

fn inspect(inspection: &dyn Inspect, texts: &dyn Texts, notes: &Notes) -> Result<(), Rejection> {
    // Begun before the work, named after it: the inspection says what it is called.
    let note = notes.begin("scan");
    let inspected = inspection.inspect(texts);
    let said = match (&inspected.refusal, inspected.flagged) {
        (Some(_), _) => Said::Deny,
        (None, true) => Said::Flag,
        (None, false) => Said::Allow,
    };
    note.named(inspected.guard)
        .verdict(said, inspected.findings, inspected.score);
    inspected.refusal.map_or(Ok(()), Err)
}

/// Calls `each` with every text of `texts`.
fn for_each(texts: &dyn Texts, each: &mut dyn FnMut(Text<'_>)) {
    texts.texts(each);
}

#[cfg(feature = "injection")]
mod injection {
    use palisade_core::{Channel, Text, Texts};
    use palisade_injection::{Conversation, Detector, Outcome, Thresholds, Verdict};

    use super::{Inspect, Inspected, for_each};
    use crate::{Reason, Rejection};

    /// Looks for attempts to take over the model. The developer's own instructions are not judged.
    #[derive(Clone, Debug)]
    pub struct InjectionScan<D> {
        detector: D,
        across: Option<Thresholds>,
    }

    impl<D: Detector> InjectionScan<D> {
        /// Judges by `detector`, each text by itself.
        pub const fn new(detector: D) -> Self {
            Self {
                detector,
                across: None,
            }
        }

        /// The same, and the user's messages are also judged together with those before them in the request, so that an
        /// attack split over several is seen. `thresholds` should be those of the detector.
        #[must_use]
        pub const fn across_messages(mut self, thresholds: Thresholds) -> Self {
            self.across = Some(thresholds);
            self
        }
    }

    impl<D: Detector + 'static> Inspect for InjectionScan<D> {
        fn inspect(&self, request: &dyn Texts) -> Inspected {
            let mut look = Look::default();
            let mut conversation = Conversation::new();
            for_each(request, &mut |text| {
                if !is_judged(text.channel) {
                    return;
                }
                let verdict = match self.across {
                    Some(thresholds) if text.channel == Channel::User => {
                        conversation.judge(&self.detector, thresholds, text)
                    }
                    _ => self.detector.detect(text),
                };
                look.add(&verdict);
            });
            let mut inspected = Inspected::clean("injection");
            inspected.findings = look.findings;
            inspected.score = Some(look.highest);
            inspected.flagged = look.worst == Outcome::Review;
            inspected.refusal = (look.worst == Outcome::Block).then(|| look.refusal());
            inspected
        }
    }

    /// What the developer wrote and what the model said is not judged.
    pub(in crate::layers) fn is_judged(channel: Channel) -> bool {
        !matches!(channel, Channel::System | Channel::Assistant)
    }

    /// The verdicts over the texts of one request, as one.
    #[derive(Default)]
    pub(in crate::layers) struct Look {
        pub(in crate::layers) findings: usize,
        pub(in crate::layers) highest: f32,
        pub(in crate::layers) worst: Outcome,
        families: Vec<String>,
    }

    impl Look {
        pub(in crate::layers) fn add(&mut self, verdict: &Verdict) {
            self.findings += verdict.findings.len();
            self.highest = self.highest.max(verdict.score);
            self.worst = self.worst.max(verdict.outcome);
            if verdict.outcome == Outcome::Block {
                for finding in &verdict.findings {
                    if self.families.len() < 4
                        && !self.families.iter().any(|f| *f == finding.category)
                    {
                        self.families.push(finding.category.to_string());
                    }
                }
            }
        }

        pub(in crate::layers) fn refusal(&self) -> Rejection {
            let families = self.families.join(", ").replace('_', " ");
            let detail =
                format!("the prompt looks like an attempt to take over the model ({families})");
            Rejection::new(Reason::PromptRejected, detail)
        }
    }

    /// The texts of `request` that are judged.
    pub(in crate::layers) fn judged(request: &dyn Texts, each: &mut dyn FnMut(Text<'_>)) {
        for_each(request, &mut |text| {
            if is_judged(text.channel) {
                each(text);
            }
        });
    }
}

#[cfg(feature = "redaction")]
mod secrets {
    use std::collections::BTreeSet;

    use palisade_core::{Channel, Texts};
    use palisade_redaction::{Action, Policy, Scanner};

    use super::{Arc, Inspect, Inspected, for_each};
    use crate::{Reason, Rejection};

    /// Looks for secrets and other things that must not be sent to a provider. The model's own words are not judged.
    #[derive(Clone, Debug)]
    pub struct SecretScan {
        scanner: Arc<Scanner>,
        policy: Policy,
    }

    impl SecretScan {
        /// Judges what `scanner` finds by `policy`. A finding to be redacted is flagged here: a prompt is sent as it
        /// is, or not at all.
        #[must_use]
        pub const fn new(scanner: Arc<Scanner>, policy: Policy) -> Self {
            Self { scanner, policy }
        }
    }

    impl Inspect for SecretScan {
        fn inspect(&self, request: &dyn Texts) -> Inspected {
            let mut inspected = Inspected::clean("secrets");
            let mut worst = Action::Allow;
            let mut rules = BTreeSet::new();
            for_each(request, &mut |text| {
                if text.channel == Channel::Assistant {
                    return;
                }
                let findings = self.scanner.scan(text.text);
                inspected.findings += findings.len();
                for finding in findings {
                    let action = self.policy.action_for(&finding);
                    worst = worst.max(action);
                    if action == Action::Block && rules.len() < 4 {
                        rules.insert(finding.rule.into_owned());
                    }
                }
            });
            inspected.flagged = matches!(worst, Action::Flag | Action::Redact);
            inspected.refusal = (worst == Action::Block).then(|| {
                let rules = rules.into_iter().collect::<Vec<_>>().join(", ");
                let detail = format!("the prompt carries something that must not leave ({rules})");
                Rejection::new(Reason::ContentRejected, detail)
            });
            inspected
        }
    }
}

#[cfg(feature = "injection")]
pub use injection::InjectionScan;
#[cfg(feature = "injection")]
pub(super) use injection::{Look, judged};
#[cfg(feature = "redaction")]
pub use secrets::SecretScan;
