use std::{fmt, sync::Arc, time::Duration};

use palisade_core::Clock;

/// How a database is reached and how long it may take.
///
/// ```
/// use std::time::Duration;
/// use palisade_postgres::PostgresConfig;
///
/// let config = PostgresConfig::default()
///     .with_schema("guard")?
///     .with_connections_max(32)?
///     .with_deadline(Duration::from_secs(2))?;
/// # Ok::<(), palisade_postgres::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct PostgresConfig {
    pub(crate) schema: String,
    pub(crate) connections_max: usize,
    pub(crate) deadline: Duration,
    pub(crate) statement_timeout: Duration,
    pub(crate) lock_timeout: Duration,
    pub(crate) migrate: bool,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    #[cfg(feature = "quota")]
    pub(crate) quota_defaults: Arc<palisade_quota::Defaults>,
    #[cfg(feature = "quota")]
    pub(crate) quota_remember: Duration,
    #[cfg(feature = "trace")]
    pub(crate) trace_queue_bytes_max: usize,
}

impl Default for PostgresConfig {
    /// The schema `palisade`, at most 16 connections, 5 seconds for a call with all its attempts, 3 for a statement, 2 for
    /// a lock, and the server's clock; for traces a queue of 128 MiB.
    fn default() -> Self {
        Self {
            schema: "palisade".to_owned(),
            connections_max: 16,
            deadline: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(3),
            lock_timeout: Duration::from_secs(2),
            migrate: true,
            clock: None,
            #[cfg(feature = "quota")]
            quota_defaults: Arc::default(),
            #[cfg(feature = "quota")]
            quota_remember: Duration::from_secs(86_400),
            #[cfg(feature = "trace")]
            trace_queue_bytes_max: 128 << 20,
        }
    }
}

impl PostgresConfig {
    /// The most connections of one process.
    pub const CONNECTIONS_MAX: usize = 1_024;
    /// The longest a call may take: a minute.
    pub const DEADLINE_MAX: Duration = Duration::from_secs(60);

    /// The same with another schema to keep everything in. It is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Schema`] unless it is 1 to 63 lower-case letters, digits and underscores, a letter first.
    pub fn with_schema(mut self, schema: impl Into<String>) -> Result<Self, ConfigError> {
        let schema = schema.into();
        let is_word = schema
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        let begins_well = schema.starts_with(|first: char| first.is_ascii_lowercase());
        if !is_word || !begins_well || schema.len() > 63 || schema.starts_with("pg_") {
            return Err(ConfigError::Schema);
        }
        self.schema = schema;
        Ok(self)
    }

    /// The same with another number of connections at most.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Connections`] unless it is 1 to [`PostgresConfig::CONNECTIONS_MAX`].
    pub fn with_connections_max(mut self, connections: usize) -> Result<Self, ConfigError> {
        if !(1..=Self::CONNECTIONS_MAX).contains(&connections) {
            return Err(ConfigError::Connections { found: connections });
        }
        self.connections_max = connections;
        Ok(self)
    }

    /// The same with another time in which every call is answered, with all its attempts, or given up as
    /// [`Timeout`](palisade_core::StoreErrorKind::Timeout).
    ///
    /// # Errors
    ///
    /// [`ConfigError::Deadline`] if it is zero or longer than [`PostgresConfig::DEADLINE_MAX`].
    pub fn with_deadline(mut self, deadline: Duration) -> Result<Self, ConfigError> {
        self.deadline = checked(deadline)?;
        Ok(self)
    }

    /// The same with another time after which the server gives up a statement of ours.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Deadline`] if it is shorter than a millisecond or longer than [`PostgresConfig::DEADLINE_MAX`].
    pub fn with_statement_timeout(mut self, timeout: Duration) -> Result<Self, ConfigError> {
        self.statement_timeout = checked(timeout)?;
        Ok(self)
    }

    /// The same with another time after which the server gives up waiting for a lock: the answer is then
    /// [`Busy`](palisade_core::StoreErrorKind::Busy).
    ///
    /// # Errors
    ///
    /// [`ConfigError::Deadline`] if it is shorter than a millisecond or longer than [`PostgresConfig::DEADLINE_MAX`].
    pub fn with_lock_timeout(mut self, timeout: Duration) -> Result<Self, ConfigError> {
        self.lock_timeout = checked(timeout)?;
        Ok(self)
    }

    /// The same, with or without bringing the tables up to date on the way in; with it by default. Without it, a schema
    /// that lacks something is refused.
    #[must_use]
    pub const fn with_migrations(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// The same on a clock of one's own instead of the server's: for tests. All processes on one schema must agree on it.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The same with other quotas for scopes that have none of their own. All processes on one schema must agree on them.
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
}

fn checked(time: Duration) -> Result<Duration, ConfigError> {
    if time < Duration::from_millis(1) || time > PostgresConfig::DEADLINE_MAX {
        return Err(ConfigError::Deadline { found: time });
    }
    Ok(time)
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("schema", &self.schema)
            .field("connections_max", &self.connections_max)
            .field("deadline", &self.deadline)
            .field("statement_timeout", &self.statement_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .field("migrate", &self.migrate)
            .finish_non_exhaustive()
    }
}

/// Why a database cannot be reached so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not a name for a schema.
    #[error(
        "a schema is named by 1 to 63 lower-case letters, digits and underscores, a letter first and not pg_"
    )]
    Schema,
    /// No connection, or more than a server should have to bear.
    #[error("1 to {max} connections; found {found}", max = PostgresConfig::CONNECTIONS_MAX)]
    Connections {
        /// The number found.
        found: usize,
    },
    /// No time, or more than a caller should wait.
    #[error("a time-out is 1 ms to {max:?}; found {found:?}", max = PostgresConfig::DEADLINE_MAX)]
    Deadline {
        /// The time found.
        found: Duration,
    },
}
