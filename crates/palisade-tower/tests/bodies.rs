//! A body is over once: at its end, at an error, at the last byte its reader asks for, or when it is dropped.

#![cfg(feature = "full")]

mod common;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use common::{
    Pieces, Reply, Step, Upstream, call, data, now, once, play, polls, read, read_to_length,
};
use http::Request;
use http_body::Body;
use palisade_tower::{End, Ending, Observe, Silent, Tap, Time, TimeoutLayer, find};
use tower_layer::Layer as _;

type Log = Arc<Mutex<Vec<String>>>;

/// Writes down what it sees. Its ending takes a moment.
struct Watch(&'static str, Log);

impl Observe for Watch {
    fn data(&mut self, data: &Bytes) {
        self.1
            .lock()
            .unwrap()
            .push(format!("{} {}", self.0, data.len()));
    }

    fn end(self: Box<Self>, end: End, must_queue: bool) -> Option<Ending> {
        self.1.lock().unwrap().push(format!("{} {end:?}", self.0));
        if must_queue {
            self.1.lock().unwrap().push(format!("{} queued", self.0));
            return None;
        }
        Some(Box::pin(async move {
            once().await;
            self.1.lock().unwrap().push(format!("{} settled", self.0));
        }))
    }
}

fn watched(pieces: Pieces) -> (Tap<Tap<Pieces>>, Log) {
    let log = Log::default();
    let inner = Tap::new(pieces, Watch("inner", Arc::clone(&log)));
    (Tap::new(inner, Watch("outer", Arc::clone(&log))), log)
}

fn said(log: &Log) -> Vec<String> {
    log.lock().unwrap().clone()
}

fn ends(log: &Log) -> Vec<String> {
    let is_end = |line: &String| line.chars().any(char::is_uppercase) || line.ends_with("ed");
    said(log).into_iter().filter(is_end).collect()
}

#[test]
fn the_end_is_told_once_from_the_inside_out_and_settled_before_the_reader_learns_of_it() {
    let (body, log) = watched(Pieces::new([data("ab"), Step::Wait, data("c")]));
    let (all, end) = now(read(body));
    assert_eq!((all.as_slice(), end.is_ok()), (&b"abc"[..], true));
    assert_eq!(
        said(&log),
        [
            "inner 2",
            "outer 2",
            "inner 1",
            "outer 1",
            "inner Complete",
            "inner settled",
            "outer Complete",
            "outer settled"
        ]
    );
}

#[test]
fn an_error_ends_it_and_is_handed_on_after_the_ending() {
    let (body, log) = watched(Pieces::new([data("ab"), Step::Break]));
    let (all, end) = now(read(body));
    assert_eq!(all, b"ab");
    assert!(end.unwrap_err().to_string().contains("broke"));
    assert_eq!(
        ends(&log),
        [
            "inner Failed",
            "inner settled",
            "outer Failed",
            "outer settled"
        ]
    );
}

#[test]
fn a_reader_that_stops_at_the_last_byte_has_read_all() {
    // Content-Length is known and the body knows its last piece: everything is settled before that piece is handed over.
    let mut pieces = Pieces::of(["ab", "c"]);
    (pieces.tells_its_end, pieces.tells_its_length) = (true, true);
    let (body, log) = watched(pieces);
    assert_eq!(now(read_to_length(body)), b"abc");
    assert_eq!(
        ends(&log),
        [
            "inner Complete",
            "inner settled",
            "outer Complete",
            "outer settled"
        ]
    );

    // The length alone is known: nothing can be driven any more, but it was not broken off.
    let mut pieces = Pieces::of(["ab", "c"]);
    pieces.tells_its_length = true;
    let (body, log) = watched(pieces);
    assert_eq!(now(read_to_length(body)), b"abc");
    assert_eq!(
        ends(&log),
        [
            "inner Complete",
            "inner queued",
            "outer Complete",
            "outer queued"
        ]
    );
}

#[test]
fn an_empty_body_that_nobody_reads_is_complete() {
    let mut pieces = Pieces::new([]);
    pieces.tells_its_end = true;
    let (body, log) = watched(pieces);
    assert!(
        !body.is_end_stream(),
        "a reader that believed this would never poll"
    );
    drop(body);
    assert_eq!(ends(&log)[0], "inner Complete");
}

#[test]
fn dropped_after_any_number_of_polls_it_ends_once() {
    for tells in [false, true] {
        for polled in 0..14 {
            let mut pieces = Pieces::new([data("a"), Step::Wait, data("b"), Step::Wait, data("c")]);
            (pieces.tells_its_end, pieces.tells_its_length) = (tells, tells);
            let (body, log) = watched(pieces);
            let done = polls(read(body), polled).is_some();
            for who in ["inner", "outer"] {
                let all = said(&log);
                let of = |end: &str| {
                    all.iter()
                        .filter(|line| **line == format!("{who} {end}"))
                        .count()
                };
                assert_eq!(of("Complete") + of("Dropped"), 1, "after {polled}: {all:?}");
                assert_eq!(of("Failed"), 0);
                // Begun and dropped in the middle, a settlement is its own guard's business.
                assert!(of("settled") + of("queued") <= 1);
                assert!(!done || of("settled") == 1);
            }
        }
    }
}

#[test]
fn after_its_end_there_is_nothing() {
    let mut body = Box::pin(watched(Pieces::of(["a"])).0);
    assert_eq!(now(read(body.as_mut())).0, b"a");
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(now(read(body.as_mut())).0.is_empty());
}

#[test]
fn an_unwatched_body_is_the_body() {
    let mut pieces = Pieces::of(["a"]);
    (pieces.tells_its_end, pieces.tells_its_length) = (true, true);
    let body = Tap::unwatched(pieces);
    assert_eq!(
        (body.is_end_stream(), body.size_hint().exact()),
        (false, Some(1))
    );
    assert_eq!(now(read(body)).0, b"a");
}

#[test]
fn a_stream_may_last_but_not_be_silent() {
    let clock = common::clock();
    let time = Time::new(clock.clone(), clock.clone());
    let layer = TimeoutLayer::new(Duration::from_secs(10), Duration::from_secs(5), time);
    let reply = Reply::events(["a", "b"]).then(Step::Hang);
    let response = now(call(&layer.layer(Upstream::new([reply])), Request::new(()))).unwrap();
    let began = palisade_core::Clock::instant(&clock);
    let (all, end) = play(&clock, Duration::from_secs(1), read(response.into_body()));
    assert_eq!(all, b"ab");
    let silent = end.unwrap_err();
    assert_eq!(
        find::<Silent>(&*silent),
        Some(&Silent(Duration::from_secs(5)))
    );
    let waited = palisade_core::Clock::instant(&clock).saturating_since(began);
    assert_eq!(waited, Duration::from_secs(5));
    assert_eq!(clock.sleepers(), 0);
}
