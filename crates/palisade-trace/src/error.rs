/// Why a header of the W3C trace context was not taken. It never repeats the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The `traceparent` is not four lower-case hexadecimal fields of the right lengths.
    #[error("not a traceparent; expected 2-32-16-2 lower-case hexadecimal digits joined by -")]
    Malformed,
    /// The version is `ff`, which the specification forbids.
    #[error("a traceparent of version ff is invalid")]
    Version,
    /// An id is all zeros.
    #[error("the id of a trace or a span is not all zeros")]
    ZeroId,
    /// The `tracestate` is not a list of at most 32 different keys with values.
    #[error(
        "not a tracestate; expected at most 32 members key=value joined by commas, each key once"
    )]
    State,
}

/// Why a text is not a [`Cursor`](crate::Cursor).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor; expected the text that came with the previous page")]
pub struct CursorError;

/// Why a query cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The page would be empty or too large.
    #[error("a page holds 1 to {max} traces; {limit} were asked for", max = crate::TraceQuery::LIMIT_MAX)]
    Limit {
        /// The size asked for.
        limit: usize,
    },
}

/// Why a text is not a [`TraceStatus`](crate::TraceStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the status of a trace; expected ok, refused, failed or abandoned")]
pub struct StatusError;
