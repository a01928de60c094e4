use std::fmt;

use palisade_core::{StoreError, StoreErrorKind};
use rusqlite::{Error, ErrorCode};

/// What a piece of work inside a transaction failed with.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite could not do it.
    Sqlite(Error),
    /// It was understood and is not possible.
    Store(StoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    pub(crate) fn into_store(self, doing: &'static str) -> StoreError {
        match self {
            Self::Sqlite(error) => store(error, doing),
            Self::Store(error) => error,
        }
    }
}

/// What SQLite says, in the words of all stores.
pub(crate) fn store(error: Error, doing: &'static str) -> StoreError {
    StoreError::new(kind(&error), doing).with_source(error)
}

/// What a row holds cannot be what this crate wrote.
pub(crate) fn corrupt(
    doing: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Failure {
    Failure::Store(StoreError::new(StoreErrorKind::Corrupt, doing).with_source(source))
}

pub(crate) fn kind(error: &Error) -> StoreErrorKind {
    match error {
        Error::SqliteFailure(cause, _) => match cause.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreErrorKind::Busy,
            ErrorCode::ReadOnly | ErrorCode::DiskFull | ErrorCode::PermissionDenied => {
                StoreErrorKind::Unwritable
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreErrorKind::Corrupt,
            ErrorCode::OperationInterrupted => StoreErrorKind::Timeout,
            // A value the schema refuses, or a sum of integers that does not fit.
            ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::TooBig
            | ErrorCode::ParameterOutOfRange => StoreErrorKind::Invalid,
            // A table or a column is missing: the file was written by another version.
            ErrorCode::Unknown | ErrorCode::SchemaChanged => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Unavailable,
        },
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    }
}

/// Trouble that befell a whole group of writes. Each of them is told.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    kind: StoreErrorKind,
    text: String,
}

impl Trouble {
    pub(crate) fn of(error: &Error) -> Self {
        Self {
            kind: kind(error),
            text: error.to_string(),
        }
    }

    /// The transaction was rolled back by SQLite itself.
    pub(crate) fn undone() -> Self {
        Self {
            kind: StoreErrorKind::Unwritable,
            text: "SQLite undid the transaction".to_owned(),
        }
    }

    pub(crate) const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    pub(crate) fn error(&self, doing: &'static str) -> StoreError {
        StoreError::new(self.kind, doing).with_source(self.clone())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Trouble {}
