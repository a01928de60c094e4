use palisade_core::{StoreError, StoreErrorKind};
use tokio_postgres::{Error, error::SqlState};

/// What PostgreSQL says, in the words of all stores.
pub(crate) fn store(error: Error, doing: &'static str) -> StoreError {
    StoreError::new(kind(&error), doing).with_source(error)
}

/// What a row holds cannot be what this crate wrote.
pub(crate) fn corrupt(
    doing: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, doing).with_source(source)
}

pub(crate) fn kind(error: &Error) -> StoreErrorKind {
    let Some(state) = error.code() else {
        // Not the server's word. Without a connection nothing can be said of the statement; what else goes wrong on this
        // side is a value that does not fit its column.
        return if error.is_closed() || is_io(error) {
            StoreErrorKind::Unavailable
        } else {
            StoreErrorKind::Corrupt
        };
    };
    match *state {
        SqlState::LOCK_NOT_AVAILABLE | SqlState::TOO_MANY_CONNECTIONS => StoreErrorKind::Busy,
        SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE => {
            StoreErrorKind::Busy
        }
        SqlState::QUERY_CANCELED => StoreErrorKind::Timeout,
        SqlState::DISK_FULL | SqlState::INSUFFICIENT_PRIVILEGE => StoreErrorKind::Unwritable,
        // After a fail-over, the server we are connected to may have become the standby.
        SqlState::READ_ONLY_SQL_TRANSACTION => StoreErrorKind::Unavailable,
        _ => match state.code().get(..2) {
            // A value the schema refuses, or a sum of integers that does not fit.
            Some("22" | "23") => StoreErrorKind::Invalid,
            // A table or a function is missing: the schema is that of another version.
            Some("42" | "3F" | "XX") => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Unavailable,
        },
    }
}

/// Whether the statement did not run and may be tried again at once, on the same or another connection.
pub(crate) fn is_retryable(error: &Error) -> bool {
    match error.code() {
        Some(state) if *state == SqlState::TOO_MANY_CONNECTIONS => true,
        Some(state)
            if *state == SqlState::T_R_DEADLOCK_DETECTED
                || *state == SqlState::T_R_SERIALIZATION_FAILURE =>
        {
            true
        }
        _ => kind(error) == StoreErrorKind::Unavailable,
    }
}

fn is_io(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<std::io::Error>() {
            return true;
        }
        source = cause.source();
    }
    false
}
