//! Brings the tables up to date, and takes them back.
//!
//! See `docs/decisions/0002-sqlite-migrations.md` for why this is our own.

use std::{fmt, path::Path};

use palisade_core::{StoreError, StoreErrorKind, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::{
    SqliteConfig,
    connection::{self, Place, Role},
    error::store,
};

const DOING: &str = "migrating a database";

struct Migration {
    version: u32,
    name: &'static str,
    up: &'static str,
    down: &'static str,
    /// What `down` drops.
    tables: &'static [&'static str],
}

macro_rules! migration {
    ($version:literal, $file:literal, $name:literal, $tables:expr) => {
        Migration {
            version: $version,
            name: $name,
            up: include_str!(concat!("../migrations/", $file, ".up.sql")),
            down: include_str!(concat!("../migrations/", $file, ".down.sql")),
            tables: $tables,
        }
    };
}

/// In the order in which they are applied; all of them, whatever features are on, so that the file is the same for every
/// program. One that was published never changes.
const MIGRATIONS: [Migration; 8] = [
    migration!(
        1,
        "0001_quota",
        "quota",
        &["quota_holds", "quota_accounts", "quota_scopes"]
    ),
    migration!(2, "0002_cost", "cost", &["cost_records"]),
    migration!(3, "0003_trace", "trace", &["trace_steps", "traces"]),
    migration!(4, "0004_auth", "auth", &["api_keys"]),
    migration!(
        5,
        "0005_quota_leases",
        "quota leases",
        &["quota_leases", "quota_lessees"]
    ),
    migration!(6, "0006_trace_rows", "trace rows", &["traces"]),
    migration!(
        7,
        "0007_rate_limit",
        "rate limits",
        &["limit_holds", "limit_counters"]
    ),
    migration!(
        8,
        "0008_quota_measures",
        "quota measures",
        &["quota_alerts", "quota_audit", "quota_blocks"]
    ),
];

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS palisade_migrations (
    version    INTEGER NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    script     TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT";

/// The tables of a file, for an operator's hand: what was applied, bring up to date, take back.
///
/// [`Sqlite::open`](crate::Sqlite::open) brings them up to date by itself. Close every [`Sqlite`](crate::Sqlite) on the
/// file before taking anything back.
#[derive(Debug)]
pub struct Migrations {
    connection: Connection,
    config: SqliteConfig,
}

/// A migration that a file has been through.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Its number; they count from one without gaps.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// When it was applied.
    pub at: Timestamp,
}

/// What taking a migration back may destroy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropTables {
    /// Tables without a row in them; if there is another, nothing is done.
    Empty,
    /// Tables with everything in them.
    WithData,
}

impl Migrations {
    /// Opens the file at `path` and changes nothing in it yet, except that it is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`MigrateError::Store`] if it cannot be opened.
    pub fn open(path: impl AsRef<Path>, config: SqliteConfig) -> Result<Self, MigrateError> {
        let place = Place::from(path.as_ref());
        let connection = connection::open(&place, Role::Write, &config)?;
        Ok(Self { connection, config })
    }

    /// The newest version this program knows.
    #[must_use]
    pub const fn newest() -> u32 {
        MIGRATIONS[MIGRATIONS.len() - 1].version
    }

    /// What the file has been through.
    ///
    /// # Errors
    ///
    /// [`MigrateError`] if it is not known to this program, or the file cannot be read.
    pub fn applied(&self) -> Result<Vec<Applied>, MigrateError> {
        applied(&self.connection)
    }

    /// Applies what is missing, all of it or nothing, and says what that was. Where several processes do this at once,
    /// one of them applies and the others find it done.
    ///
    /// # Errors
    ///
    /// [`MigrateError`] if the file is not known to this program or cannot be written.
    pub fn up(&mut self) -> Result<Vec<Applied>, MigrateError> {
        Self::apply(&mut self.connection, self.config.clock.now())
    }

    /// Takes back every migration above version `to`, the newest first, all of them or none, and says which.
    ///
    /// # Errors
    ///
    /// [`MigrateError::NotEmpty`] if a table to be dropped has rows and `tables` is [`DropTables::Empty`]; other
    /// [`MigrateError`]s if the file is not known to this program or cannot be written.
    pub fn down(&mut self, to: u32, tables: DropTables) -> Result<Vec<Applied>, MigrateError> {
        let transaction = begin(&mut self.connection)?;
        let mut taken = applied(&transaction)?;
        taken.retain(|migration| migration.version > to);
        taken.reverse();
        for Applied { version, .. } in &taken {
            // `applied` has found it among the known ones.
            let known = MIGRATIONS.iter().find(|known| known.version == *version);
            let known = known.ok_or(MigrateError::Newer { version: *version })?;
            if tables == DropTables::Empty {
                refuse_rows(&transaction, known.tables)?;
            }
            transaction.execute_batch(known.down)?;
            transaction.execute(
                "DELETE FROM palisade_migrations WHERE version = ?1",
                [version],
            )?;
        }
        transaction.commit()?;
        Ok(taken)
    }

    /// That nothing is missing, for who may not write.
    pub(crate) fn check(connection: &Connection) -> Result<(), MigrateError> {
        let found = applied(connection)?.len();
        if found < MIGRATIONS.len() {
            return Err(MigrateError::Missing { found });
        }
        Ok(())
    }

    pub(crate) fn apply(
        connection: &mut Connection,
        now: Timestamp,
    ) -> Result<Vec<Applied>, MigrateError> {
        // Mostly there is nothing to do, and then nobody's writes need to be held up to find out.
        if applied(connection)?.len() == MIGRATIONS.len() {
            return Ok(Vec::new());
        }
        let transaction = begin(connection)?;
        transaction.execute(LEDGER, ())?;
        let present = applied(&transaction)?.len();
        let mut fresh = Vec::new();
        for migration in MIGRATIONS.iter().skip(present) {
            transaction.execute_batch(migration.up)?;
            transaction.execute(
                "INSERT INTO palisade_migrations (version, name, script, applied_at)
                 VALUES (?1, ?2, ?3, ?4)",
                (
                    migration.version,
                    migration.name,
                    migration.up,
                    now.as_nanos(),
                ),
            )?;
            fresh.push(Applied {
                version: migration.version,
                name: migration.name.to_owned(),
                at: now,
            });
        }
        transaction.commit()?;
        Ok(fresh)
    }
}

/// Takes the lock that only one process has; others wait for it as long as the file's busy time-out says.
fn begin(connection: &mut Connection) -> Result<Transaction<'_>, MigrateError> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// What was applied: the first so many of the known migrations, each with the very script that is known.
fn applied(connection: &Connection) -> Result<Vec<Applied>, MigrateError> {
    let ledger =
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'palisade_migrations'";
    if connection
        .query_row(ledger, (), |_| Ok(()))
        .optional()?
        .is_none()
    {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "SELECT version, name, script, applied_at FROM palisade_migrations ORDER BY version",
    )?;
    let mut rows = statement.query(())?;
    let mut known = MIGRATIONS.iter();
    let mut applied = Vec::new();
    while let Some(row) = rows.next()? {
        let version: u32 = row.get(0)?;
        let Some(migration) = known.next() else {
            return Err(MigrateError::Newer { version });
        };
        let script: String = row.get(2)?;
        if migration.version != version || migration.up != script {
            return Err(MigrateError::Changed { version });
        }
        applied.push(Applied {
            version,
            name: row.get(1)?,
            at: Timestamp::from_nanos(row.get(3)?),
        });
    }
    Ok(applied)
}

fn refuse_rows(transaction: &Transaction<'_>, tables: &[&'static str]) -> Result<(), MigrateError> {
    for table in tables {
        // The name is one of a fixed list.
        let any = transaction
            .query_row(&format!("SELECT 1 FROM {table} LIMIT 1"), (), |_| Ok(()))
            .optional()?;
        if any.is_some() {
            return Err(MigrateError::NotEmpty { table });
        }
    }
    Ok(())
}

/// Why tables could not be brought up to date or taken back. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The file has been through a migration that this program does not know.
    #[error(
        "the file has migration {version}, which this program does not know; use the newer program"
    )]
    Newer {
        /// The unknown migration.
        version: u32,
    },
    /// The file has been through a migration that was another one than this program's of the same number.
    #[error("migration {version} of the file is not the one this program knows")]
    Changed {
        /// The migration that differs.
        version: u32,
    },
    /// The file lacks tables, and may not be written.
    #[error("the file has {found} of {count} migrations and may not be written", count = MIGRATIONS.len())]
    Missing {
        /// How many migrations it has been through.
        found: usize,
    },
    /// A table that would be dropped has rows.
    #[error("table {table} has rows; to drop it all the same, say so")]
    NotEmpty {
        /// The table.
        table: &'static str,
    },
    /// The file could not be read or written.
    #[error(transparent)]
    Store(StoreError),
}

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(store(error, DOING))
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Store(error) => error,
            error => Self::new(StoreErrorKind::Corrupt, DOING).with_source(error),
        }
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04} {} ({})", self.version, self.name, self.at)
    }
}
