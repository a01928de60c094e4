//! What the log tells of a breaker.

#![cfg(feature = "tracing")]

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use palisade_core::{Dimension, Key, ManualClock};
use palisade_resilience::{BreakerPolicy, BreakerRegistry, Change, TracedChanges};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Writes each event down.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl Subscriber for Paper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "palisade::breaker"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Line<'a>(&'a mut String);
        impl Visit for Line<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                write!(self.0, " {field}={value:?}").unwrap();
            }
        }
        let mut paper = self.0.lock().unwrap();
        write!(paper, "{}", event.metadata().level()).unwrap();
        event.record(&mut Line(&mut paper));
        paper.push('\n');
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn every_change_is_a_line_and_an_opening_is_a_warning() {
    let paper = Paper::default();
    let told = Arc::new(Mutex::new(0));
    let count = Arc::clone(&told);
    let counting = move |_: &Key, _: &Change| *count.lock().unwrap() += 1;
    let breakers = BreakerRegistry::new(BreakerPolicy::default(), ManualClock::default())
        .with_observer((TracedChanges, counting));
    tracing::subscriber::with_default(paper.clone(), || {
        let key = Key::new(Dimension::Provider, "acme").unwrap();
        let breaker = breakers.breaker(&key).allowed().unwrap();
        breaker.force_open();
        breaker.release();
    });
    let paper = paper.0.lock().unwrap().clone();
    let lines: Vec<_> = paper.lines().collect();
    assert_eq!((lines.len(), *told.lock().unwrap()), (2, 2));
    assert!(lines[0].starts_with("WARN"), "{paper}");
    assert!(lines[1].starts_with("INFO"), "{paper}");
    for part in [
        "acme",
        "from=Closed",
        "to=ForcedOpen",
        "cause=Forced",
        "calls=0",
    ] {
        assert!(lines[0].contains(part), "{part} in {paper}");
    }
}
