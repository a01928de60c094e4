use std::{fmt, str::FromStr};

use palisade_core::Timestamp;

use crate::{ContextError, SpanId, TraceId, id::read_hex};

const SAMPLED: u8 = 0b01;
const RANDOM: u8 = 0b10;

/// The place of a request in a larger trace: what the headers `traceparent` and `tracestate` carry.
///
/// After *W3C Trace Context* (Recommendation, 23 November 2021), with the random flag of Level 2. Parsing is as strict
/// as the specification asks: a context that is not well-formed is no context, and a new trace begins.
///
/// ```
/// use palisade_trace::TraceContext;
///
/// let context = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")?;
/// assert!(context.is_sampled());
/// assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// # Ok::<(), palisade_trace::ContextError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: u8,
    state: TraceState,
}

impl TraceContext {
    /// A new, sampled trace with random ids. A [`Recorder`](crate::Recorder) takes [`random_at`](Self::random_at).
    #[must_use]
    pub fn random() -> Self {
        Self {
            trace_id: TraceId::random(),
            span_id: SpanId::random(),
            flags: SAMPLED | RANDOM,
            state: TraceState::default(),
        }
    }

    /// A new, sampled trace that begins `now`, with [ids in the order of their times](TraceId::random_at).
    #[must_use]
    pub fn random_at(now: Timestamp) -> Self {
        Self {
            trace_id: TraceId::random_at(now),
            span_id: SpanId::random(),
            flags: SAMPLED | RANDOM,
            state: TraceState::default(),
        }
    }

    /// Reads a `traceparent`.
    ///
    /// Version `00` has exactly 55 characters. Of a later version the four known fields are read and whatever follows
    /// after a further `-` is left alone (§3.2.4).
    ///
    /// # Errors
    ///
    /// [`ContextError`] if it is not well-formed.
    pub fn parse(traceparent: &str) -> Result<Self, ContextError> {
        let text = traceparent.as_bytes();
        let [version] = text
            .get(..2)
            .and_then(read_hex::<1>)
            .ok_or(ContextError::Malformed)?;
        if version == 0xff {
            return Err(ContextError::Version);
        }
        let whole = match version {
            0 => text.len() == 55,
            _ => text.len() == 55 || text.get(55) == Some(&b'-'),
        };
        if !whole || text[2] != b'-' || text[35] != b'-' || text[52] != b'-' {
            return Err(ContextError::Malformed);
        }
        let trace_id = read_hex(&text[3..35]).ok_or(ContextError::Malformed)?;
        let span_id = read_hex(&text[36..52]).ok_or(ContextError::Malformed)?;
        let [flags] = read_hex(&text[53..55]).ok_or(ContextError::Malformed)?;
        Ok(Self {
            trace_id: TraceId::from_bytes(trace_id)?,
            span_id: SpanId::from_bytes(span_id)?,
            // Flags nobody has defined yet are not passed on (§3.2.2.5.3).
            flags: flags & (SAMPLED | RANDOM),
            state: TraceState::default(),
        })
    }

    /// Reads both headers; several `tracestate` headers are joined with a comma first. A bad `tracestate` is dropped
    /// and the `traceparent` kept (§3.3).
    ///
    /// # Errors
    ///
    /// [`ContextError`] if the `traceparent` is not well-formed.
    pub fn from_headers(traceparent: &str, tracestate: &str) -> Result<Self, ContextError> {
        let context = Self::parse(traceparent)?;
        Ok(context.with_state(tracestate.parse().unwrap_or_default()))
    }

    /// The same with another state.
    #[must_use]
    pub fn with_state(mut self, state: TraceState) -> Self {
        self.state = state;
        self
    }

    /// The same, sampled or not.
    #[must_use]
    pub const fn with_sampled(mut self, sampled: bool) -> Self {
        self.flags = if sampled {
            self.flags | SAMPLED
        } else {
            self.flags & !SAMPLED
        };
        self
    }

    /// The context of a new span below this one: the same trace, flags and state, another span.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span_id: SpanId::random(),
            ..self.clone()
        }
    }

    /// The trace.
    #[must_use]
    pub const fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span that sent this context: the parent of whoever receives it.
    #[must_use]
    pub const fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Whether the sender may have recorded its part.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Whether the trace id is said to be random (Level 2).
    #[must_use]
    pub const fn is_random(&self) -> bool {
        self.flags & RANDOM != 0
    }

    /// What other tracing systems have to say.
    #[must_use]
    pub const fn state(&self) -> &TraceState {
        &self.state
    }

    /// The header `traceparent`, in version `00`.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

/// The header `tracestate`: what other tracing systems have to say, carried on unread and in order (§3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceState(Vec<(Box<str>, Box<str>)>);

impl TraceState {
    /// The most members a state may have (§3.3.1.1).
    pub const MEMBERS_MAX: usize = 32;
    /// The most bytes a state may have: 32 members with the longest keys and values.
    pub const BYTES_MAX: usize = Self::MEMBERS_MAX * (256 + 1 + 256) + Self::MEMBERS_MAX - 1;

    /// The members, the most recent first.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The header's value, without optional spaces or empty members.
impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.members().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{key}={value}")?;
        }
        Ok(())
    }
}

impl FromStr for TraceState {
    type Err = ContextError;

    fn from_str(text: &str) -> Result<Self, ContextError> {
        if text.len() > Self::BYTES_MAX {
            return Err(ContextError::State);
        }
        let mut members: Vec<(Box<str>, Box<str>)> = Vec::new();
        for member in text.split(',') {
            // Leading and trailing spaces and tabs are optional, and so are members (§3.3.1.1).
            let member = member.trim_matches([' ', '\t']);
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=').ok_or(ContextError::State)?;
            let repeated = members.iter().any(|(present, _)| &**present == key);
            if repeated
                || members.len() == Self::MEMBERS_MAX
                || !is_key(key.as_bytes())
                || !is_value(value.as_bytes())
            {
                return Err(ContextError::State);
            }
            members.push((key.into(), value.into()));
        }
        Ok(Self(members))
    }
}

/// `simple-key` or `multi-tenant-key` of §3.3.1.3.1.
fn is_key(key: &[u8]) -> bool {
    let starts_lower = |part: &[u8]| part.first().is_some_and(u8::is_ascii_lowercase);
    let starts_alnum = |part: &[u8]| {
        part.first()
            .is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let rest_fits = |part: &[u8]| {
        part.iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'))
    };
    match key.iter().position(|&byte| byte == b'@') {
        None => key.len() <= 256 && starts_lower(key) && rest_fits(key),
        Some(at) => {
            let (tenant, system) = (&key[..at], &key[at + 1..]);
            tenant.len() <= 241
                && system.len() <= 14
                && starts_alnum(tenant)
                && starts_lower(system)
                && rest_fits(tenant)
                && rest_fits(system)
        }
    }
}

/// `value` of §3.3.1.3.2: up to 256 printable characters without comma and equals sign, the last one no space.
fn is_value(value: &[u8]) -> bool {
    value.len() <= 256
        && value.last().is_some_and(|&byte| byte != b' ')
        && value
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'='))
}
