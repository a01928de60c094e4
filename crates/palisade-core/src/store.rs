use std::{error::Error, fmt};

type Source = Box<dyn Error + Send + Sync>;

/// A store gave no answer.
///
/// It tells first whether asking again may help ([`is_transient`](StoreError::is_transient)), then what kind of trouble
/// it was. The message says what was being done; the cause is the [`source`](Error::source). Neither text is promised
/// to stay the same.
pub struct StoreError {
    kind: StoreErrorKind,
    doing: &'static str,
    source: Option<Source>,
}

/// What kind of trouble a store is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached.
    Unavailable,
    /// It did not answer in time. Whether it acted is not known: ask again with the same idempotency key.
    Timeout,
    /// It is busy with others: a lock, a full queue.
    Busy,
    /// It refuses to write: read-only, or no room left.
    Unwritable,
    /// What it holds cannot be read: damaged, or written by another version.
    Corrupt,
    /// The question itself was wrong; the source says how.
    Invalid,
    /// It has been shut down.
    Closed,
}

impl StoreError {
    /// An error of `kind` while `doing` something, in words such as `"reserving quota"`.
    #[must_use]
    pub const fn new(kind: StoreErrorKind, doing: &'static str) -> Self {
        Self {
            kind,
            doing,
            source: None,
        }
    }

    /// The same with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the same question may be answered later without anybody mending anything.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self.kind {
            StoreErrorKind::Unavailable | StoreErrorKind::Timeout | StoreErrorKind::Busy => true,
            StoreErrorKind::Unwritable
            | StoreErrorKind::Corrupt
            | StoreErrorKind::Invalid
            | StoreErrorKind::Closed => false,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trouble = match self.kind {
            StoreErrorKind::Unavailable => "the store cannot be reached",
            StoreErrorKind::Timeout => "the store did not answer in time",
            StoreErrorKind::Busy => "the store is busy",
            StoreErrorKind::Unwritable => "the store cannot be written",
            StoreErrorKind::Corrupt => "the store holds something unreadable",
            StoreErrorKind::Invalid => "the store cannot be asked this",
            StoreErrorKind::Closed => "the store is closed",
        };
        write!(f, "{trouble} ({})", self.doing)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError")
            .field("kind", &self.kind)
            .field("doing", &self.doing)
            .field("source", &self.source)
            .finish()
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
