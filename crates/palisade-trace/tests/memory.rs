//! What the store in memory promises: a fixed size, honest counts, whole pages, one tenant at a time.

use std::{collections::BTreeSet, thread};

use palisade_core::{Dimension, Key, ModelId, Timestamp};
use palisade_trace::{
    Cursor, DynTraceStore, ErrorStep, InMemory, Loss, QueryError, SpanId, Step, Summary, Trace,
    TraceId, TraceQuery, TraceSink, TraceStatus, TraceStore,
};
use pollster::block_on;
use proptest::prelude::*;

fn org(name: &str) -> Key {
    Key::new(Dimension::Org, name).unwrap()
}

fn trace(secs: i64, principal: &Key) -> Trace {
    let started = Timestamp::from_secs(secs);
    let mut summary = Summary::new(TraceId::random(), SpanId::random(), "chat", started);
    summary.principal = principal.clone();
    Trace::new(summary, Vec::new())
}

fn ids(traces: &[Summary]) -> Vec<SpanId> {
    traces.iter().map(|summary| summary.span).collect()
}

#[test]
fn a_burst_stays_within_its_bytes_and_every_loss_is_counted() {
    let kept = InMemory::new(200_000);
    thread::scope(|scope| {
        for thread in 0..4 {
            let kept = kept.clone();
            scope.spawn(move || {
                for index in 0..2_500 {
                    let mut trace = trace(index, &org("acme"));
                    let message = "x".repeat(((index * 7 + thread) % 500) as usize);
                    trace
                        .steps
                        .push(Step::new("s", ErrorStep::new("k", message)));
                    kept.record(trace);
                    assert!(kept.size_bytes() <= 200_000);
                }
            });
        }
    });
    let losses = kept.losses();
    assert_eq!(losses.accepted(), 10_000);
    assert_eq!(losses.total(), losses.accepted() - kept.len() as u64);
    assert_eq!(losses.by(Loss::Evicted), losses.total());
    assert!(kept.len() > 100, "the room is used: {} traces", kept.len());
}

#[test]
fn fifty_thousand_traces_at_once_fit_where_there_is_room() {
    let kept = InMemory::new(64 << 20);
    for index in 0..50_000 {
        kept.record(trace(index, &Key::global()));
    }
    assert_eq!((kept.len(), kept.losses().total()), (50_000, 0));
}

#[test]
fn what_can_never_fit_and_what_is_there_already_are_counted_as_such() {
    let kept = InMemory::new(5_000);
    let mut large = trace(1, &Key::global());
    large
        .steps
        .push(Step::new("s", ErrorStep::new("k", "x".repeat(5_000))));
    let small = trace(2, &Key::global());
    kept.record(small.clone());
    kept.record(large);
    let mut twin = small.clone();
    twin.summary.started = Timestamp::from_secs(77);
    kept.record(twin);
    assert_eq!(kept.len(), 1, "the small one is not evicted for nothing");
    let losses = kept.losses();
    assert_eq!(losses.by(Loss::TooLarge), 1);
    assert_eq!(losses.by(Loss::Duplicate), 1);
    assert_eq!(losses.total(), losses.accepted() - 1);
}

#[test]
fn the_trace_that_was_recorded_first_makes_room() {
    let one = trace(1, &Key::global());
    let kept = InMemory::new(3 * one.size_bytes() + 3 * 200);
    let traces: Vec<_> = (0..4)
        .map(|index| trace(10 - index, &Key::global()))
        .collect();
    for trace in &traces {
        kept.record(trace.clone());
    }
    let page = block_on(kept.list(&TraceQuery::new(Key::global()))).unwrap();
    let newest_first: Vec<_> = traces[1..].iter().map(|trace| trace.summary.span).collect();
    assert_eq!(ids(&page.items), newest_first);
    assert!(
        block_on(kept.get(traces[0].summary.id, &Key::global()))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn one_tenant_never_sees_another_whatever_it_asks() {
    let kept = InMemory::new(1 << 20);
    let ann = org("acme").with(Dimension::User, "ann").unwrap();
    let bob = org("acme").with(Dimension::User, "bob").unwrap();
    // A name that only looks like another organisation's user.
    let sly = org("evil/user=ann").with(Dimension::User, "x").unwrap();
    let traces: Vec<_> = [&ann, &bob, &sly].iter().map(|key| trace(1, key)).collect();
    for trace in &traces {
        kept.record(trace.clone());
    }
    let seen = |within: &Key| {
        let page = block_on(kept.list(&TraceQuery::new(within.clone()))).unwrap();
        let listed: BTreeSet<_> = ids(&page.items).into_iter().collect();
        let fetched: BTreeSet<_> = traces
            .iter()
            .flat_map(|trace| block_on(kept.get(trace.summary.id, within)).unwrap())
            .map(|trace| trace.summary.span)
            .collect();
        assert_eq!(listed, fetched, "both questions follow one rule");
        traces
            .iter()
            .map(|trace| listed.contains(&trace.summary.span))
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(&org("acme")), [true, true, false]);
    assert_eq!(seen(&ann), [true, false, false]);
    assert_eq!(
        seen(&Key::new(Dimension::User, "ann").unwrap()),
        [true, false, false]
    );
    assert_eq!(seen(&org("evil")), [false, false, false]);
    assert_eq!(seen(&Key::global()), [true, true, true]);
}

#[test]
fn a_list_shows_what_the_query_asks_for() {
    let kept = DynTraceStore::new({
        let kept = InMemory::new(1 << 20);
        let model = ModelId::new("openai", "m").unwrap();
        for secs in 0..10 {
            let mut trace = trace(secs, &Key::global());
            if secs % 2 == 0 {
                trace.summary.status = TraceStatus::Refused;
            }
            if secs == 4 {
                trace.summary.model = Some(model.clone());
            }
            kept.record(trace);
        }
        kept
    });
    let secs = |query: TraceQuery| {
        let page = block_on(kept.list(&query)).unwrap();
        page.items
            .iter()
            .map(|summary| summary.started.as_secs())
            .collect::<Vec<_>>()
    };
    let query = || TraceQuery::new(Key::global());
    let at = Timestamp::from_secs;
    assert_eq!(secs(query().with_from(at(7))), [9, 8, 7]);
    assert_eq!(secs(query().with_to(at(3))), [2, 1, 0]);
    assert_eq!(secs(query().with_from(at(2)).with_to(at(2))), [0; 0]);
    assert_eq!(
        secs(query().with_status(TraceStatus::Refused).with_to(at(5))),
        [4, 2, 0]
    );
    assert_eq!(
        secs(query().with_model(ModelId::new("openai", "m").unwrap())),
        [4]
    );
    assert_eq!(query().with_limit(0), Err(QueryError::Limit { limit: 0 }));
    assert_eq!(
        query().with_limit(501),
        Err(QueryError::Limit { limit: 501 })
    );
}

#[test]
fn the_last_page_says_so_even_if_it_is_full() {
    let kept = InMemory::new(1 << 20);
    for secs in 0..4 {
        kept.record(trace(secs, &Key::global()));
    }
    let query = TraceQuery::new(Key::global()).with_limit(2).unwrap();
    let first = block_on(kept.list(&query)).unwrap();
    let second = block_on(kept.list(&query.with_after(first.next.unwrap()))).unwrap();
    assert_eq!((second.items.len(), second.next), (2, None));
}

#[test]
fn a_cursor_travels_as_text_and_a_tampered_one_is_refused() {
    let cursor = Cursor::of(&trace(-5, &Key::global()).summary);
    let text = cursor.to_string();
    assert_eq!(text.parse(), Ok(cursor));
    assert_eq!(text.len(), 64);
    for bad in [
        "",
        &text[1..],
        &text.replace('f', "g"),
        &format!("{text}00"),
        &"0".repeat(64),
    ] {
        assert!(bad.parse::<Cursor>().is_err() || bad == text, "{bad:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes in between two pages, the walk shows everything that was there at first, once, in order.
    #[test]
    fn pages_have_neither_gap_nor_duplicate_while_traces_come_in(
        before in proptest::collection::vec(0..40_i64, 0..600),
        between in proptest::collection::vec(0..40_i64, 0..60),
        limit in prop_oneof![1..40_usize, 250..=500_usize],
    ) {
        let kept = InMemory::new(16 << 20);
        let mut expected = BTreeSet::new();
        for secs in before {
            let trace = trace(secs, &Key::global());
            expected.insert(trace.summary.span);
            kept.record(trace);
        }
        let mut arriving = between.into_iter();
        let mut query = TraceQuery::new(Key::global()).with_limit(limit).unwrap();
        let mut seen: Vec<Summary> = Vec::new();
        loop {
            let page = block_on(kept.list(&query)).unwrap();
            prop_assert!(page.items.len() <= limit);
            seen.extend(page.items);
            let Some(next) = page.next else { break };
            query = query.with_after(next);
            for secs in arriving.by_ref().take(3) {
                kept.record(trace(secs, &Key::global()));
            }
        }
        let places: Vec<_> = seen.iter().map(Cursor::of).collect();
        prop_assert!(places.is_sorted_by(|newer, older| newer > older), "in order, none twice");
        let seen: BTreeSet<_> = ids(&seen).into_iter().collect();
        prop_assert!(expected.is_subset(&seen));
    }

    /// The list looks at traces in chunks; a rare one is found wherever it lies.
    #[test]
    fn a_rare_trace_is_found_among_many(position in 0..2_000_i64) {
        let kept = InMemory::new(16 << 20);
        for secs in 0..2_000 {
            let mut trace = trace(secs, &Key::global());
            if secs == position {
                trace.summary.status = TraceStatus::Failed;
            }
            kept.record(trace);
        }
        let query = TraceQuery::new(Key::global()).with_status(TraceStatus::Failed);
        let query = query.with_from(Timestamp::from_secs(position)).with_limit(1).unwrap();
        let page = block_on(kept.list(&query)).unwrap();
        prop_assert_eq!(page.items.len(), 1);
        prop_assert_eq!(page.next, None);
    }
}
