use std::{fmt, future::Future, str::FromStr, sync::Arc};

use async_trait::async_trait;
use palisade_core::{Key, ModelId, StoreError, Timestamp};

use crate::{CursorError, QueryError, SpanId, Summary, Trace, TraceId, TraceStatus, id::read_hex};

/// Where traces are looked up.
///
/// # Contract
///
/// - Both questions name whose traces they are about (`within`), and no answer holds a trace that
///   [`Summary::is_within`] denies. So a page for one tenant cannot show another's, whatever ids it is asked for.
/// - `list` goes from the newest to the oldest, by start, then by the two ids. Walking it page by page shows every trace
///   that was there at the beginning, and stays, exactly once, whatever is recorded meanwhile.
///
/// # Cancel safety
///
/// Both only read; dropping the future has no effect.
pub trait TraceStore: Send + Sync {
    /// The requests of the trace `id`, the oldest first, at most [`TraceQuery::LIMIT_MAX`]. Mostly one; more if a client
    /// sent its own trace context with several requests.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer.
    fn get(
        &self,
        id: TraceId,
        within: &Key,
    ) -> impl Future<Output = Result<Vec<Trace>, StoreError>> + Send;

    /// One page of the requests that `query` asks for.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer.
    fn list(&self, query: &TraceQuery) -> impl Future<Output = Result<Page, StoreError>> + Send;
}

/// Which traces to list.
///
/// ```
/// use palisade_core::{Dimension, Key, Timestamp};
/// use palisade_trace::{TraceQuery, TraceStatus};
///
/// let query = TraceQuery::new(Key::new(Dimension::Org, "acme")?)
///     .with_from(Timestamp::from_secs(1_795_132_800))
///     .with_status(TraceStatus::Refused)
///     .with_limit(20)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceQuery {
    /// Whose traces: all parts of this key must be parts of the principal. The empty key asks for everybody's.
    pub within: Key,
    /// Begun at this time or later.
    pub from: Option<Timestamp>,
    /// Begun before this time.
    pub to: Option<Timestamp>,
    /// Ended so.
    pub status: Option<TraceStatus>,
    /// Answered by this model.
    pub model: Option<ModelId>,
    /// The most traces on a page.
    pub limit: usize,
    /// Where the previous page ended.
    pub after: Option<Cursor>,
}

impl TraceQuery {
    /// The most traces on a page.
    pub const LIMIT_MAX: usize = 500;

    /// All traces within `within`, 50 to a page.
    #[must_use]
    pub const fn new(within: Key) -> Self {
        Self {
            within,
            from: None,
            to: None,
            status: None,
            model: None,
            limit: 50,
            after: None,
        }
    }

    /// Those that began at `from` or later.
    #[must_use]
    pub const fn with_from(mut self, from: Timestamp) -> Self {
        self.from = Some(from);
        self
    }

    /// Those that began before `to`.
    #[must_use]
    pub const fn with_to(mut self, to: Timestamp) -> Self {
        self.to = Some(to);
        self
    }

    /// Those that ended so.
    #[must_use]
    pub const fn with_status(mut self, status: TraceStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Those that this model answered.
    #[must_use]
    pub fn with_model(mut self, model: ModelId) -> Self {
        self.model = Some(model);
        self
    }

    /// Another size of the page.
    ///
    /// # Errors
    ///
    /// [`QueryError::Limit`] if it is zero or more than [`TraceQuery::LIMIT_MAX`].
    pub fn with_limit(mut self, limit: usize) -> Result<Self, QueryError> {
        if limit == 0 || limit > Self::LIMIT_MAX {
            return Err(QueryError::Limit { limit });
        }
        self.limit = limit;
        Ok(self)
    }

    /// The page that follows the one which came with this cursor.
    #[must_use]
    pub const fn with_after(mut self, after: Cursor) -> Self {
        self.after = Some(after);
        self
    }

    /// Whether the query asks for this request; the cursor is not looked at.
    #[must_use]
    pub fn matches(&self, summary: &Summary) -> bool {
        summary.is_within(&self.within)
            && self.from.is_none_or(|from| summary.started >= from)
            && self.to.is_none_or(|to| summary.started < to)
            && self.status.is_none_or(|status| summary.status == status)
            && (self.model.is_none() || summary.model == self.model)
    }
}

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Page {
    /// The requests, the newest first.
    pub items: Vec<Summary>,
    /// What to ask the next page with; nothing if this is the last.
    pub next: Option<Cursor>,
}

impl Page {
    /// The first `limit` of `items`; if there are more, the page has a successor. A store therefore reads one more than
    /// the page holds.
    #[must_use]
    pub fn of(mut items: Vec<Summary>, limit: usize) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(Cursor::of);
        Self { items, next }
    }
}

/// A place in a list: the request a page ended with.
///
/// It is a place and not a permission: a made-up one shows nothing that the query itself would not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    started: Timestamp,
    id: TraceId,
    span: SpanId,
}

impl Cursor {
    /// The place of this request.
    #[must_use]
    pub const fn of(summary: &Summary) -> Self {
        Self {
            started: summary.started,
            id: summary.id,
            span: summary.span,
        }
    }

    /// The place before which exactly the requests lie that began before `time`.
    pub(crate) const fn before(time: Timestamp) -> Self {
        Self {
            started: time,
            id: TraceId::MIN,
            span: SpanId::MIN,
        }
    }

    /// When the request began.
    #[must_use]
    pub const fn started(&self) -> Timestamp {
        self.started
    }

    /// Its trace.
    #[must_use]
    pub const fn id(&self) -> TraceId {
        self.id
    }

    /// Its span.
    #[must_use]
    pub const fn span(&self) -> SpanId {
        self.span
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:016x}{}{}",
            self.started.as_nanos(),
            self.id,
            self.span
        )
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bytes: [u8; 32] = read_hex(text.as_bytes()).ok_or(CursorError)?;
        let (mut started, mut id, mut span) = ([0; 8], [0; 16], [0; 8]);
        started.copy_from_slice(&bytes[..8]);
        id.copy_from_slice(&bytes[8..24]);
        span.copy_from_slice(&bytes[24..]);
        Ok(Self {
            started: Timestamp::from_nanos(i64::from_be_bytes(started)),
            id: TraceId::from_bytes(id).map_err(|_| CursorError)?,
            span: SpanId::from_bytes(span).map_err(|_| CursorError)?,
        })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A trace store chosen at run time.
#[derive(Clone)]
pub struct DynTraceStore(Arc<dyn Erased>);

impl DynTraceStore {
    /// Erases the type of `store`.
    #[must_use]
    pub fn new(store: impl TraceStore + 'static) -> Self {
        Self(Arc::new(store))
    }
}

impl TraceStore for DynTraceStore {
    async fn get(&self, id: TraceId, within: &Key) -> Result<Vec<Trace>, StoreError> {
        self.0.get_erased(id, within).await
    }

    async fn list(&self, query: &TraceQuery) -> Result<Page, StoreError> {
        self.0.list_erased(query).await
    }
}

impl<S: TraceStore + ?Sized> TraceStore for Arc<S> {
    async fn get(&self, id: TraceId, within: &Key) -> Result<Vec<Trace>, StoreError> {
        (**self).get(id, within).await
    }

    async fn list(&self, query: &TraceQuery) -> Result<Page, StoreError> {
        (**self).list(query).await
    }
}

impl fmt::Debug for DynTraceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynTraceStore")
    }
}

#[async_trait]
trait Erased: Send + Sync {
    async fn get_erased(&self, id: TraceId, within: &Key) -> Result<Vec<Trace>, StoreError>;
    async fn list_erased(&self, query: &TraceQuery) -> Result<Page, StoreError>;
}

#[async_trait]
impl<S: TraceStore> Erased for S {
    async fn get_erased(&self, id: TraceId, within: &Key) -> Result<Vec<Trace>, StoreError> {
        self.get(id, within).await
    }

    async fn list_erased(&self, query: &TraceQuery) -> Result<Page, StoreError> {
        self.list(query).await
    }
}
