//! The headers of W3C Trace Context, case by case.

use palisade_trace::{ContextError, SpanId, TraceContext, TraceId, TraceState};
use proptest::prelude::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

#[test]
fn a_traceparent_is_taken_or_refused_as_the_specification_says() {
    use ContextError::{Malformed, Version, ZeroId};
    let zeros = "0".repeat(32);
    let upper = TRACE.to_uppercase();
    let table = [
        (format!("00-{TRACE}-{SPAN}-01"), Ok(true)),
        (format!("00-{TRACE}-{SPAN}-00"), Ok(false)),
        // Unknown flags are ignored.
        (format!("00-{TRACE}-{SPAN}-ff"), Ok(true)),
        (format!("00-{TRACE}-{SPAN}-fe"), Ok(false)),
        // A later version may be longer, but only after a dash.
        (format!("01-{TRACE}-{SPAN}-01"), Ok(true)),
        (
            format!("cc-{TRACE}-{SPAN}-01-what-the-future-brings"),
            Ok(true),
        ),
        (format!("cc-{TRACE}-{SPAN}-01-"), Ok(true)),
        (format!("cc-{TRACE}-{SPAN}-01.what"), Err(Malformed)),
        (format!("cc-{TRACE}-{SPAN}-0"), Err(Malformed)),
        // Version 00 has its length and nothing more.
        (format!("00-{TRACE}-{SPAN}-01-"), Err(Malformed)),
        (format!("00-{TRACE}-{SPAN}-01-more"), Err(Malformed)),
        (format!("00-{TRACE}-{SPAN}-1"), Err(Malformed)),
        (format!("00-{TRACE}-{SPAN}"), Err(Malformed)),
        (format!("ff-{TRACE}-{SPAN}-01"), Err(Version)),
        (format!("FF-{TRACE}-{SPAN}-01"), Err(Malformed)),
        (format!("0-{TRACE}-{SPAN}-01"), Err(Malformed)),
        (format!("000-{TRACE}-{SPAN}-01"), Err(Malformed)),
        // Ids are not all zeros, in lower case, and of their lengths.
        (format!("00-{zeros}-{SPAN}-01"), Err(ZeroId)),
        (format!("00-{TRACE}-{}-01", &zeros[..16]), Err(ZeroId)),
        (format!("00-{upper}-{SPAN}-01"), Err(Malformed)),
        (
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            Err(Malformed),
        ),
        (format!("00-{TRACE}-{SPAN}-0A"), Err(Malformed)),
        (format!("00-{}-{SPAN}-01", &TRACE[1..]), Err(Malformed)),
        (format!("00-{}g-{SPAN}-01", &TRACE[1..]), Err(Malformed)),
        (format!("00-{TRACE}-{}-01", &SPAN[1..]), Err(Malformed)),
        (format!("00-{TRACE}0-{}-01", &SPAN[1..]), Err(Malformed)),
        // Nothing else separates the fields.
        (format!("00_{TRACE}-{SPAN}-01"), Err(Malformed)),
        (format!("00-{TRACE}_{SPAN}-01"), Err(Malformed)),
        (format!("00-{TRACE}-{SPAN}_01"), Err(Malformed)),
        (format!(" 00-{TRACE}-{SPAN}-01"), Err(Malformed)),
        (format!("00-{TRACE}-{SPAN}-01 "), Err(Malformed)),
        (format!("00-{TRACE}-{SPAN}-é"), Err(Malformed)),
        (String::new(), Err(Malformed)),
        ("00".to_owned(), Err(Malformed)),
        ("é".to_owned(), Err(Malformed)),
    ];
    for (text, expected) in table {
        let parsed = TraceContext::parse(&text).map(|context| context.is_sampled());
        assert_eq!(parsed, expected, "{text:?}");
    }
}

#[test]
fn a_context_of_a_later_version_is_sent_on_in_ours() {
    let context = TraceContext::parse(&format!("cc-{TRACE}-{SPAN}-fd-more")).unwrap();
    assert_eq!(context.traceparent(), format!("00-{TRACE}-{SPAN}-01"));
}

#[test]
fn a_child_has_the_same_trace_flags_and_state_and_another_span() {
    let context = TraceContext::from_headers(&format!("00-{TRACE}-{SPAN}-03"), "a=1,b=2").unwrap();
    let child = context.child();
    assert_eq!(child.trace_id(), context.trace_id());
    assert_ne!(child.span_id(), context.span_id());
    assert!(child.is_sampled() && child.is_random());
    assert_eq!(child.state().to_string(), "a=1,b=2");
    assert!(!child.with_sampled(false).is_sampled());
}

#[test]
fn a_tracestate_is_taken_or_refused_as_the_specification_says() {
    let many = |count: usize| {
        let members: Vec<_> = (0..count).map(|index| format!("k{index}=v")).collect();
        members.join(",")
    };
    let long = |letter: &str, count: usize| letter.repeat(count);
    let table = [
        ("", Some("")),
        ("foo=1", Some("foo=1")),
        ("foo=1,bar=2", Some("foo=1,bar=2")),
        // Spaces around members and empty members are allowed and not sent on.
        (" foo=1 ,\tbar=2\t,, ", Some("foo=1,bar=2")),
        ("foo= 1", Some("foo= 1")),
        ("fo-o*_/0=x:;y", Some("fo-o*_/0=x:;y")),
        ("1t@sys=x", Some("1t@sys=x")),
        ("foo=", None),
        ("foo", None),
        ("=1", None),
        ("foo=1=2", None),
        ("foo =1", None),
        ("Foo=1", None),
        ("1foo=1", None),
        ("foo=1,foo=2", None),
        ("foo=1,foo=1", None),
        ("a@=1", None),
        ("@a=1", None),
        ("a@1=1", None),
        ("a@b@c=1", None),
        ("foo=\u{7f}", None),
        ("foo=é", None),
        ("foo.bar=1", None),
        ("foo=1;bar=2", None),
    ];
    for (text, expected) in table {
        let parsed = text
            .parse::<TraceState>()
            .ok()
            .map(|state| state.to_string());
        assert_eq!(parsed.as_deref(), expected, "{text:?}");
    }
    for (text, fits) in [
        (many(32), true),
        (many(33), false),
        (format!("{}=1", long("k", 256)), true),
        (format!("{}=1", long("k", 257)), false),
        (format!("{}@{}=1", long("t", 241), long("s", 14)), true),
        (format!("{}@{}=1", long("t", 242), long("s", 14)), false),
        (format!("{}@{}=1", long("t", 241), long("s", 15)), false),
        (format!("k={}", long("v", 256)), true),
        (format!("k={}", long("v", 257)), false),
        (",".repeat(TraceState::BYTES_MAX), true),
        (",".repeat(TraceState::BYTES_MAX + 1), false),
    ] {
        assert_eq!(
            text.parse::<TraceState>().is_ok(),
            fits,
            "{} bytes",
            text.len()
        );
    }
}

#[test]
fn a_bad_tracestate_does_not_spoil_the_traceparent() {
    let context = TraceContext::from_headers(&format!("00-{TRACE}-{SPAN}-01"), "Foo=1").unwrap();
    assert!(context.state().is_empty());
    assert!(TraceContext::from_headers("rubbish", "foo=1").is_err());
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(
        trace in any::<[u8; 16]>().prop_filter("not zero", |id| *id != [0; 16]),
        span in any::<[u8; 8]>().prop_filter("not zero", |id| *id != [0; 8]),
        flags in any::<u8>(),
        state in proptest::collection::btree_map("[a-z][a-z0-9_*/-]{0,20}", "[!-+--<>-~]{1,20}", 0..32),
    ) {
        let text = format!(
            "00-{}-{}-{flags:02x}",
            TraceId::from_bytes(trace).unwrap(),
            SpanId::from_bytes(span).unwrap(),
        );
        let members: Vec<_> = state.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let context = TraceContext::from_headers(&text, &members.join(",")).unwrap();
        prop_assert_eq!(*context.trace_id().as_bytes(), trace);
        prop_assert_eq!(*context.span_id().as_bytes(), span);
        prop_assert_eq!(context.state().members().count(), state.len());
        let again = TraceContext::from_headers(&context.traceparent(), &context.state().to_string());
        prop_assert_eq!(again.unwrap(), context);
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in "\\PC{0,80}", tail in "[0-9a-f-]{0,60}") {
        let _ = TraceContext::from_headers(&text, &tail);
        let _ = TraceContext::from_headers(&format!("00-{tail}"), &text);
        let _ = tail.parse::<palisade_trace::Cursor>();
    }
}
