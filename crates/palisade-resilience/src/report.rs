use std::{borrow::Cow, fmt, sync::Arc};

use palisade_core::Timestamp;

use crate::{Failure, GaveUp, Stop, problem::cut};

/// Where failures are reported that somebody should look at: an error tracker, a pager, a log.
///
/// Sync, and quick: it runs on the path of the request that failed. An adapter puts the report into a bounded queue and
/// sends it elsewhere. Wrap it into [`Reporting`], so that filtering, enrichment and redaction happen before it sees
/// anything.
pub trait Reporter: Send + Sync {
    /// Takes note of a failure.
    fn report(&self, report: Report);
}

impl<F> Reporter for F
where
    F: Fn(Report) + Send + Sync,
{
    fn report(&self, report: Report) {
        self(report);
    }
}

/// One failure, as it is reported.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What was attempted: an operator's name, such as `chat acme/large`.
    pub operation: Cow<'static, str>,
    /// When it failed for good.
    pub at: Timestamp,
    /// What went wrong.
    pub failure: Failure,
    /// How many attempts were made.
    pub attempts: u32,
    /// Why there was no further attempt.
    pub stopped: Option<Stop>,
    /// A sentence of the error itself, which may hold what must not leave: it is redacted by [`Reporting`].
    pub detail: Option<String>,
    /// Names and values that help to find the cause.
    pub tags: Vec<(Cow<'static, str>, String)>,
}

impl Report {
    /// A report of a failure after one attempt.
    #[must_use]
    pub fn new(operation: impl Into<Cow<'static, str>>, at: Timestamp, failure: Failure) -> Self {
        Self {
            operation: operation.into(),
            at,
            failure,
            attempts: 1,
            stopped: None,
            detail: None,
            tags: Vec::new(),
        }
    }

    /// A report of a call that was given up. The last outcome stays out of it.
    #[must_use]
    pub fn of<T, E>(
        operation: impl Into<Cow<'static, str>>,
        at: Timestamp,
        gave_up: &GaveUp<T, E>,
    ) -> Self {
        Self {
            attempts: gave_up.attempts,
            stopped: Some(gave_up.why),
            ..Self::new(operation, at, gave_up.failure.clone())
        }
    }

    /// The same, with a sentence of the error itself.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same, with one name and value more.
    #[must_use]
    pub fn with_tag(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Self {
        self.tags.push((name.into(), value.into()));
        self
    }
}

type Filter = Arc<dyn Fn(&Report) -> bool + Send + Sync>;
type Enrich = Arc<dyn Fn(&mut Report) + Send + Sync>;
type Redact = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Everything that must happen to a report before it leaves, in the one order that is safe: filter, enrich, redact, cut.
///
/// Redaction comes after enrichment, so that what was added is covered too, and before cutting, so that no secret loses
/// the half by which it is known.
///
/// ```
/// use std::sync::Mutex;
/// use palisade_core::Timestamp;
/// use palisade_resilience::{ErrorKind, Failure, Fault, Report, Reporter, Reporting};
///
/// let sent = std::sync::Arc::new(Mutex::new(Vec::new()));
/// let outbox = sent.clone();
/// let reporting = Reporting::new(move |report: Report| outbox.lock().unwrap().push(report))
///     .with_filter(|report| report.failure.fault() != Fault::Caller)
///     .with_enrichment(|report| report.tags.push(("region".into(), "eu".into())))
///     .with_redaction(|text| text.replace("sk-123", "[key]"));
///
/// let failure = Failure::new(ErrorKind::Authentication);
/// reporting.report(
///     Report::new("chat", Timestamp::UNIX_EPOCH, failure).with_detail("wrong key sk-123"),
/// );
/// reporting.report(Report::new("chat", Timestamp::UNIX_EPOCH, ErrorKind::Validation.into()));
///
/// let sent = sent.lock().unwrap();
/// assert_eq!(sent.len(), 1);
/// assert_eq!(sent[0].detail.as_deref(), Some("wrong key [key]"));
/// ```
#[derive(Clone)]
pub struct Reporting {
    reporter: Arc<dyn Reporter>,
    filters: Vec<Filter>,
    enrich: Vec<Enrich>,
    redact: Vec<Redact>,
}

impl Reporting {
    /// The most tags that are sent. More are dropped.
    pub const TAGS_MAX: usize = 32;
    /// The most bytes of a detail, a name or a value. What is longer is cut.
    pub const TEXT_MAX: usize = 4_096;

    /// Sends to `reporter`.
    pub fn new(reporter: impl Reporter + 'static) -> Self {
        Self {
            reporter: Arc::new(reporter),
            filters: Vec::new(),
            enrich: Vec::new(),
            redact: Vec::new(),
        }
    }

    /// The same, sending only what `keep` keeps. Several must all agree.
    #[must_use]
    pub fn with_filter(mut self, keep: impl Fn(&Report) -> bool + Send + Sync + 'static) -> Self {
        self.filters.push(Arc::new(keep));
        self
    }

    /// The same, letting `enrich` add to a report.
    #[must_use]
    pub fn with_enrichment(mut self, enrich: impl Fn(&mut Report) + Send + Sync + 'static) -> Self {
        self.enrich.push(Arc::new(enrich));
        self
    }

    /// The same, passing every free text (operation, detail, and the values of tags) through `redact`.
    #[must_use]
    pub fn with_redaction(
        mut self,
        redact: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        self.redact.push(Arc::new(redact));
        self
    }
}

impl Reporter for Reporting {
    fn report(&self, mut report: Report) {
        if !self.filters.iter().all(|keep| keep(&report)) {
            return;
        }
        for enrich in &self.enrich {
            enrich(&mut report);
        }
        let clean = |text: &str| {
            let mut text = Cow::Borrowed(text);
            for redact in &self.redact {
                text = Cow::Owned(redact(&text));
            }
            cut(&text, Self::TEXT_MAX).to_owned()
        };
        report.operation = Cow::Owned(clean(&report.operation));
        report.detail = report.detail.as_deref().map(clean);
        report.tags.truncate(Self::TAGS_MAX);
        for (name, value) in &mut report.tags {
            *name = Cow::Owned(cut(name, Self::TEXT_MAX).to_owned());
            *value = clean(value);
        }
        self.reporter.report(report);
    }
}

impl fmt::Debug for Reporting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporting")
            .field("filters", &self.filters.len())
            .field("enrichments", &self.enrich.len())
            .field("redactions", &self.redact.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::ErrorKind;

    fn sent(pipeline: impl FnOnce(Reporting) -> Reporting, report: Report) -> Option<Report> {
        let sent = Arc::new(Mutex::new(None));
        let outbox = Arc::clone(&sent);
        let reporter = move |report: Report| *outbox.lock().unwrap() = Some(report);
        pipeline(Reporting::new(reporter)).report(report);
        sent.lock().unwrap().take()
    }

    fn report() -> Report {
        Report::new("chat", Timestamp::UNIX_EPOCH, ErrorKind::Internal.into())
    }

    #[test]
    fn what_was_added_is_redacted_too() {
        let report = report().with_detail("SECRET").with_tag("who", "SECRET");
        let report = sent(
            |pipeline| {
                pipeline
                    .with_redaction(|text| text.replace("SECRET", "*"))
                    .with_enrichment(|report| report.tags.push(("more".into(), "SECRET".into())))
            },
            report,
        );
        assert!(!format!("{report:?}").contains("SECRET"), "{report:?}");
    }

    #[test]
    fn a_secret_across_the_limit_is_redacted_before_it_is_cut() {
        let detail = format!("{}SECRET", "x".repeat(Reporting::TEXT_MAX - 3));
        let report = sent(
            |pipeline| pipeline.with_redaction(|text| text.replace("SECRET", "")),
            report().with_detail(detail),
        );
        let detail = report.unwrap().detail.unwrap();
        assert!(detail.bytes().all(|byte| byte == b'x'));
    }

    #[test]
    fn a_report_has_a_size() {
        let mut long = report().with_detail("é".repeat(Reporting::TEXT_MAX));
        for _ in 0..100 {
            long = long.with_tag("n".repeat(10_000), "v".repeat(10_000));
        }
        let report = sent(|pipeline| pipeline, long).unwrap();
        assert_eq!(report.tags.len(), Reporting::TAGS_MAX);
        assert!(report.detail.unwrap().len() <= Reporting::TEXT_MAX);
        assert!(
            report
                .tags
                .iter()
                .all(|(name, value)| name.len().max(value.len()) <= Reporting::TEXT_MAX)
        );
    }

    #[test]
    fn every_filter_must_agree() {
        let keep = |answers: [bool; 2]| {
            sent(
                |pipeline| {
                    pipeline
                        .with_filter(move |_| answers[0])
                        .with_filter(move |_| answers[1])
                },
                report(),
            )
            .is_some()
        };
        assert!(keep([true, true]) && !keep([true, false]) && !keep([false, true]));
    }
}
