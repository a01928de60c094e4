use std::{fmt, sync::Arc, time::Duration};

use palisade_core::{Clock, SystemClock};

/// What an answered write survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The death of the process, however sudden (`kill -9`, a panic, out of memory). A loss of power may take the last
    /// moments, but never leaves half a write behind. Does not wait for the disk.
    #[default]
    Process,
    /// A loss of power too. Every group of writes waits for the disk, so that callers who write at the same time share
    /// the wait.
    Power,
}

/// How a file is opened and how much it may take.
///
/// ```
/// use std::time::Duration;
/// use palisade_sqlite::{Durability, SqliteConfig};
///
/// let config = SqliteConfig::default()
///     .with_durability(Durability::Power)
///     .with_busy_timeout(Duration::from_secs(2))
///     .with_file_bytes_max(Some(8 << 30))?;
/// # Ok::<(), palisade_sqlite::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct SqliteConfig {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) durability: Durability,
    pub(crate) busy_timeout: Duration,
    pub(crate) queue_max: usize,
    pub(crate) file_bytes_max: Option<u64>,
    pub(crate) readers: usize,
    pub(crate) read_only: bool,
    inline: bool,
    #[cfg(feature = "quota")]
    pub(crate) quota_defaults: Arc<palisade_quota::Defaults>,
    #[cfg(feature = "quota")]
    pub(crate) quota_remember: Duration,
    #[cfg(feature = "trace")]
    pub(crate) trace_queue_bytes_max: usize,
    #[cfg(feature = "trace")]
    pub(crate) traces_max: u64,
}

impl Default for SqliteConfig {
    /// The system's clock, [`Durability::Process`], 5 seconds of patience with other processes, a queue of 8,192 writes,
    /// no limit to the file, two readers; for traces a queue of 128 MiB and room for a million.
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            durability: Durability::default(),
            busy_timeout: Duration::from_secs(5),
            queue_max: 8_192,
            file_bytes_max: None,
            readers: 2,
            read_only: false,
            inline: true,
            #[cfg(feature = "quota")]
            quota_defaults: Arc::default(),
            #[cfg(feature = "quota")]
            quota_remember: Duration::from_secs(86_400),
            #[cfg(feature = "trace")]
            trace_queue_bytes_max: 128 << 20,
            #[cfg(feature = "trace")]
            traces_max: 1_000_000,
        }
    }
}

impl SqliteConfig {
    /// The least size a file can be limited to: the empty tables take some room.
    pub const FILE_BYTES_MIN: u64 = 256 * 1024;
    /// The most threads that read.
    pub const READERS_MAX: usize = 64;

    /// The same on another clock. It decides windows and deadlines, so all processes on one file must agree on it.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same with another promise of durability.
    #[must_use]
    pub const fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The same with another patience for other processes that write to the file. When it is over, the answer is
    /// [`Busy`](palisade_core::StoreErrorKind::Busy).
    #[must_use]
    pub const fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// The same, with or without writes on the threads of callers; with them by default.
    ///
    /// A caller who finds the writer free then writes on its own thread, some tens of microseconds long, instead of
    /// waking another. It never waits there for the disk or for another process: with [`Durability::Power`] all writes
    /// are left to the writer's thread anyway.
    #[must_use]
    pub const fn with_inline_writes(mut self, inline: bool) -> Self {
        self.inline = inline;
        self
    }

    pub(crate) fn writes_inline(&self) -> bool {
        self.inline && self.durability == Durability::Process
    }

    /// The same with room for another number of waiting writes, and as many reads. Beyond it the answer is
    /// [`Busy`](palisade_core::StoreErrorKind::Busy).
    ///
    /// # Errors
    ///
    /// [`ConfigError::Queue`] if it is zero.
    pub fn with_queue_max(mut self, jobs: usize) -> Result<Self, ConfigError> {
        if jobs == 0 {
            return Err(ConfigError::Queue);
        }
        self.queue_max = jobs;
        Ok(self)
    }

    /// The same with a limit to the size of the file, or none. Beyond it, writes fail as
    /// [`Unwritable`](palisade_core::StoreErrorKind::Unwritable) and reads go on. The log beside the file takes some
    /// room of its own.
    ///
    /// # Errors
    ///
    /// [`ConfigError::FileBytes`] below [`SqliteConfig::FILE_BYTES_MIN`].
    pub fn with_file_bytes_max(mut self, bytes: Option<u64>) -> Result<Self, ConfigError> {
        if let Some(found) = bytes.filter(|bytes| *bytes < Self::FILE_BYTES_MIN) {
            return Err(ConfigError::FileBytes { found });
        }
        self.file_bytes_max = bytes;
        Ok(self)
    }

    /// The same with another number of threads that read.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Readers`] unless it is 1 to [`SqliteConfig::READERS_MAX`].
    pub fn with_readers(mut self, readers: usize) -> Result<Self, ConfigError> {
        if !(1..=Self::READERS_MAX).contains(&readers) {
            return Err(ConfigError::Readers { found: readers });
        }
        self.readers = readers;
        Ok(self)
    }

    /// The same, for looking only: the file must be there with its tables, and every write fails as
    /// [`Unwritable`](palisade_core::StoreErrorKind::Unwritable).
    #[must_use]
    pub const fn with_read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// The same with other quotas for scopes that have none of their own. All processes on one file must agree on them.
    #[cfg(feature = "quota")]
    #[must_use]
    pub fn with_quota_defaults(mut self, defaults: palisade_quota::Defaults) -> Self {
        self.quota_defaults = Arc::new(defaults);
        self
    }

    /// The same with another time for which reservations that ended and windows that are over are remembered; a day by
    /// default.
    #[cfg(feature = "quota")]
    #[must_use]
    pub const fn with_quota_remember(mut self, remember: Duration) -> Self {
        self.quota_remember = remember;
        self
    }

    /// The same with room for another number of bytes of traces that wait to be written. What does not fit is lost and
    /// counted.
    #[cfg(feature = "trace")]
    #[must_use]
    pub const fn with_trace_queue_bytes_max(mut self, bytes: usize) -> Self {
        self.trace_queue_bytes_max = bytes;
        self
    }

    /// The same with another number of traces to keep. When there are more, the ones written first go,
    /// and are counted as lost.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Traces`] if it is zero or more than SQLite can count.
    #[cfg(feature = "trace")]
    pub fn with_traces_max(mut self, traces: u64) -> Result<Self, ConfigError> {
        if traces == 0 || i64::try_from(traces).is_err() {
            return Err(ConfigError::Traces { found: traces });
        }
        self.traces_max = traces;
        Ok(self)
    }
}

impl fmt::Debug for SqliteConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteConfig")
            .field("durability", &self.durability)
            .field("busy_timeout", &self.busy_timeout)
            .field("queue_max", &self.queue_max)
            .field("file_bytes_max", &self.file_bytes_max)
            .field("readers", &self.readers)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

/// Why a file cannot be opened so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A queue without room.
    #[error("the queue of writes has room for at least one")]
    Queue,
    /// A file that could not hold its own tables.
    #[error("a file is limited to at least {min} bytes; found {found}", min = SqliteConfig::FILE_BYTES_MIN)]
    FileBytes {
        /// The limit found.
        found: u64,
    },
    /// No reader, or more than there should be threads.
    #[error("1 to {max} threads read; found {found}", max = SqliteConfig::READERS_MAX)]
    Readers {
        /// The number found.
        found: usize,
    },
    /// Room for no trace, or for more than can be counted.
    #[error("at least one trace and at most 2^63 - 1 are kept; found {found}")]
    Traces {
        /// The number found.
        found: u64,
    },
}
