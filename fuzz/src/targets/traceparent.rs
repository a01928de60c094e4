use palisade_trace::{TraceContext, TraceState};

pub(super) const PIECES: &[&str] = &[
    "00-",
    "01-",
    "cc-",
    "ff-",
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "00000000000000000000000000000000",
    "00f067aa0ba902b7",
    "0000000000000000",
    "-01",
    "-00",
    "-ff",
    "-",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-follows",
    "\n",
    "vendor=value",
    "tenant@system=value",
    "=",
    ",",
    "@",
    " ",
    "\t",
];

/// A context that is read is one that can be sent on and read again, and so is a state. A bad state never costs the
/// context.
pub fn traceparent(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let (parent, state) = text.split_once('\n').unwrap_or((text, text));
    let parsed = TraceContext::parse(parent);
    let with_state = TraceContext::from_headers(parent, state);
    assert_eq!(parsed.is_ok(), with_state.is_ok());
    if let Ok(context) = parsed {
        let sent = context.traceparent();
        assert_eq!(sent.len(), 55);
        assert_eq!(TraceContext::parse(&sent), Ok(context.clone()));
        assert_eq!(context.child().trace_id(), context.trace_id());
    }
    if let Ok(state) = state.parse::<TraceState>() {
        assert!(state.members().count() <= TraceState::MEMBERS_MAX);
        let sent = state.to_string();
        assert!(sent.len() <= TraceState::BYTES_MAX);
        assert_eq!(sent.parse(), Ok(state));
    }
}
