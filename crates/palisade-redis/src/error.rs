use fred::error::{Error, ErrorKind};
use palisade_core::{StoreError, StoreErrorKind};

/// What the driver or the server says, in the words of all stores.
pub(crate) fn store(error: Error, doing: &'static str) -> StoreError {
    StoreError::new(kind(&error), doing).with_source(error)
}

/// Whether the server does not know a script: it has been restarted or emptied, or was a replica before.
pub(crate) fn is_unknown_script(error: &Error) -> bool {
    error.details().starts_with("NOSCRIPT")
}

fn kind(error: &Error) -> StoreErrorKind {
    let says = |words: &[&str]| words.iter().any(|word| error.details().starts_with(word));
    if says(&["OOM", "READONLY", "MISCONF", "NOREPLICAS", "NOPERM"]) {
        return StoreErrorKind::Unwritable;
    }
    if says(&["BUSY", "LOADING", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN"]) {
        return StoreErrorKind::Busy;
    }
    if says(&["WRONGTYPE"]) {
        return StoreErrorKind::Corrupt;
    }
    match error.kind() {
        ErrorKind::Timeout => StoreErrorKind::Timeout,
        ErrorKind::Backpressure => StoreErrorKind::Busy,
        ErrorKind::InvalidArgument | ErrorKind::InvalidCommand => StoreErrorKind::Invalid,
        ErrorKind::Parse | ErrorKind::Protocol => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    }
}
