use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use palisade_core::StoreErrorKind;
use rusqlite::{Connection, Error, OpenFlags, config::DbConfig};

use crate::{Durability, SqliteConfig, error};

/// Where the data is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    File(PathBuf),
    /// One connection's own memory.
    Memory,
}

/// What one may do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Write,
    /// Brings the log back into the file.
    Checkpoint,
    Read,
}

/// More prepared statements than this crate has.
const STATEMENTS: usize = 128;
/// When the log has this many pages, 64 MiB, the writer itself brings it back into the file.
const LOG_PAGES_MAX: i64 = 16_384;
/// After a checkpoint the log beside the file is cut to this.
const LOG_BYTES_MAX: i64 = 64 << 20;

pub(crate) fn open(place: &Place, role: Role, config: &SqliteConfig) -> Result<Connection, Error> {
    let connection = match place {
        Place::File(path) => connect(path, config)?,
        Place::Memory => Connection::open_in_memory()?,
    };
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans do not depend on the values bound: otherwise SQLite plans most statements anew every time they run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(config.busy_timeout)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    if role == Role::Read || config.read_only {
        connection.pragma_update(None, "query_only", true)?;
    }
    if role == Role::Write && !config.read_only {
        use_log(&connection)?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX)?;
        let synchronous = match config.durability {
            Durability::Process => "NORMAL",
            Durability::Power => "FULL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        limit(&connection, config.file_bytes_max)?;
    }
    Ok(connection)
}

fn connect(path: &Path, config: &SqliteConfig) -> Result<Connection, Error> {
    let access = if config.read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    // Each connection belongs to one thread, so SQLite's own locks are left out. Paths are paths and never URIs.
    Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Switches to the write-ahead log, so that readers and the writer do not wait for each other.
///
/// The switch needs the file for itself and does not wait for it as other statements do; where several processes start
/// at once, all but one are told that the file is busy. They try again for about as long as a busy file is waited for.
fn use_log(connection: &Connection) -> Result<(), Error> {
    const PAUSE: Duration = Duration::from_millis(10);
    const TRIES: usize = 1_000;
    let mut tries = 0;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(trouble) if error::kind(&trouble) == StoreErrorKind::Busy && tries < TRIES => {
                tries += 1;
                thread::park_timeout(PAUSE);
            }
            other => return other,
        }
    }
}

fn limit(connection: &Connection, bytes_max: Option<u64>) -> Result<(), Error> {
    let Some(bytes) = bytes_max else {
        return Ok(());
    };
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let page = u64::try_from(page).unwrap_or(4_096).max(512);
    let pages = i64::try_from(bytes / page).unwrap_or(i64::MAX);
    connection.pragma_update(None, "max_page_count", pages)
}
