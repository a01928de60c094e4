//! Telling an error tracker what went wrong, and nothing that must not leave: filter, enrich, redact, send.
//!
//! `cargo run -p palisade-examples --example error_report`
//!
//! The adapter speaks the envelopes of Sentry. It stands here and not in a crate, because it is a page long and every
//! host has a transport of its own.

use std::{
    error::Error,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use palisade::{
    core::{Clock as _, SystemClock},
    redaction::Scanner,
    resilience::{ErrorKind, Failure, Fault, Random, Report, Reporter, Reporting},
};

/// Puts events into a queue of fixed length. Whoever owns the other end sends them; when it is full they are counted and
/// dropped, since a request must not wait for its own obituary.
struct Sentry {
    queue: SyncSender<String>,
    dropped: Arc<AtomicU64>,
    ids: Random,
}

impl Sentry {
    fn new(length: usize) -> (Self, Receiver<String>, Arc<AtomicU64>) {
        let (queue, outbox) = sync_channel(length);
        let dropped = Arc::new(AtomicU64::new(0));
        let sentry = Self {
            queue,
            dropped: Arc::clone(&dropped),
            ids: Random::from_system(),
        };
        (sentry, outbox, dropped)
    }
}

impl Reporter for Sentry {
    fn report(&self, report: Report) {
        let envelope = envelope(&report, [self.ids.next(), self.ids.next()]);
        if self.queue.try_send(envelope).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// An envelope with one event: a line each for its header, the header of its item, and the item. To be posted to
/// `/api/<project>/envelope/` with the key of the project in `X-Sentry-Auth`.
fn envelope(report: &Report, id: [u64; 2]) -> String {
    let id = format!("{:016x}{:016x}", id[0], id[1]);
    let failure = &report.failure;
    let level = match failure.fault() {
        Fault::Us => "error",
        _ => "warning",
    };
    let mut tags = String::new();
    let known = [
        ("kind", failure.kind().slug()),
        ("policy", failure.policy().unwrap_or("none")),
        ("stopped", report.stopped.map_or("no", |stop| stop.slug())),
    ];
    let more = report
        .tags
        .iter()
        .map(|(name, value)| (&**name, value.as_str()));
    for (name, value) in known.into_iter().chain(more) {
        let comma = if tags.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(tags, "{comma}{}:{}", json(name), json(value));
    }
    let event = format!(
        "{{\"event_id\":\"{id}\",\"timestamp\":\"{}\",\"platform\":\"rust\",\"level\":\"{level}\",\
         \"transaction\":{},\"exception\":{{\"values\":[{{\"type\":{},\"value\":{}}}]}},\"tags\":{{{tags}}},\
         \"extra\":{{\"attempts\":{}}},\"fingerprint\":[{},{}]}}",
        report.at,
        json(&report.operation),
        json(failure.kind().title()),
        json(report.detail.as_deref().unwrap_or_default()),
        report.attempts,
        // What is one problem to a person is one problem there, however the sentences differ.
        json(&report.operation),
        json(failure.kind().slug()),
    );
    format!(
        "{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n",
        event.len()
    )
}

/// A JSON string (RFC 8259 §7).
fn json(text: &str) -> String {
    let mut json = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            '\u{20}'.. => json.push(c),
            control => {
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
        }
    }
    json + "\""
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let (sentry, outbox, dropped) = Sentry::new(2);
    let scanner = Scanner::new();
    let reporting = Reporting::new(sentry)
        // What the client did wrong, and what a retry made good, is nobody's to repair.
        .with_filter(|report| report.failure.fault() != Fault::Caller)
        .with_enrichment(|report| report.tags.push(("release".into(), "1.4.2".into())))
        // The same rules that guard what a client reads.
        .with_redaction(move |text| scanner.redact(text));

    let now = SystemClock.now();
    let rejected = Failure::new(ErrorKind::Authentication).with_policy("acme-account");
    let detail = "401 for DB_PASSWORD=k00B!tlmawn7, asked by anna.schulz@mail.example.org";
    reporting.report(Report::new("chat acme/large", now, rejected).with_detail(detail));
    reporting.report(Report::new("chat", now, ErrorKind::Validation.into()));

    let sent = outbox.try_recv()?;
    print!("{sent}");
    assert!(sent.contains("\"policy\":\"acme-account\"") && sent.contains("\"release\":\"1.4.2\""));
    assert!(
        !sent.contains("k00B!tlmawn7") && !sent.contains("anna.schulz"),
        "{sent}"
    );
    assert!(
        outbox.try_recv().is_err(),
        "the caller's own fault stays here"
    );

    // A storm fills the queue and nothing else.
    for _ in 0..100 {
        reporting.report(Report::new("chat", now, ErrorKind::Timeout.into()));
    }
    assert_eq!(
        (outbox.try_iter().count(), dropped.load(Ordering::Relaxed)),
        (2, 98)
    );
    Ok(())
}
