//! Brings the tables up to date, and takes them back.

use std::fmt;

use deadpool_postgres::{Object, Pool};
use palisade_core::{StoreError, StoreErrorKind, Timestamp};

use crate::{
    PostgresConfig,
    error::store,
    handle::{pool, pool_error},
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

/// In the order in which they are applied; all of them, whatever features are on, so that the schema is the same for every
/// program. One that was published never changes.
const MIGRATIONS: [Migration; 7] = [
    migration!(
        1,
        "0001_quota",
        "quota",
        &[
            "quota_leases",
            "quota_lessees",
            "quota_holds",
            "quota_accounts",
            "quota_scopes"
        ]
    ),
    migration!(2, "0002_cost", "cost", &["cost_records"]),
    migration!(3, "0003_trace", "trace", &["traces"]),
    migration!(4, "0004_auth", "auth", &["api_keys"]),
    migration!(
        5,
        "0005_directory",
        "directory",
        &["audit_log", "roles", "users", "projects", "organisations"]
    ),
    migration!(6, "0006_tenants", "tenants", &[]),
    migration!(7, "0007_quota_groups", "quota groups", &[]),
];

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS palisade_migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    script     text NOT NULL,
    applied_at bigint NOT NULL
)";

/// The tables of a schema, for an operator's hand: what was applied, bring up to date, take back.
///
/// [`Postgres::connect`](crate::Postgres::connect) brings them up to date by itself. Close every
/// [`Postgres`](crate::Postgres) on the schema before taking anything back.
pub struct Migrations {
    pool: Pool,
    config: PostgresConfig,
}

/// A migration that a schema has been through.
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
    /// Those of the database at `url`, in the schema of `config`. Changes nothing yet.
    ///
    /// # Errors
    ///
    /// [`MigrateError::Store`] if `url` is none.
    pub fn at(url: &str, config: PostgresConfig) -> Result<Self, MigrateError> {
        let pool = pool(url, &config).map_err(MigrateError::Store)?;
        Ok(Self::of(pool, config))
    }

    pub(crate) const fn of(pool: Pool, config: PostgresConfig) -> Self {
        Self { pool, config }
    }

    /// The newest version this program knows.
    #[must_use]
    pub const fn newest() -> u32 {
        MIGRATIONS[MIGRATIONS.len() - 1].version
    }

    /// What the schema has been through.
    ///
    /// # Errors
    ///
    /// [`MigrateError`] if it is not known to this program, or the database cannot be read.
    pub async fn applied(&self) -> Result<Vec<Applied>, MigrateError> {
        applied(&self.connect().await?).await
    }

    /// Applies what is missing, all of it or nothing, and says what that was. Where several processes do this at once,
    /// one of them applies, and the others wait and find it done.
    ///
    /// # Errors
    ///
    /// [`MigrateError`] if the schema is not known to this program or cannot be written.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves everything as it was, or everything done.
    pub async fn up(&mut self) -> Result<Vec<Applied>, MigrateError> {
        let mut client = self.connect().await?;
        // Mostly there is nothing to do, and then nobody needs to wait to find out.
        if applied(&client).await?.len() == MIGRATIONS.len() {
            return Ok(Vec::new());
        }
        let transaction = client.transaction().await?;
        transaction.batch_execute(&self.lock()).await?;
        let schema = format!("CREATE SCHEMA IF NOT EXISTS \"{}\"", self.config.schema);
        transaction.batch_execute(&schema).await?;
        transaction.batch_execute(LEDGER).await?;
        let present = applied(&transaction).await?.len();
        for migration in MIGRATIONS.iter().skip(present) {
            transaction.batch_execute(migration.up).await?;
            let version = i32::try_from(migration.version).unwrap_or(i32::MAX);
            transaction
                .execute(
                    "INSERT INTO palisade_migrations (version, name, script, applied_at)
                     VALUES ($1, $2, $3, (extract(epoch FROM now()) * 1000000)::bigint * 1000)",
                    &[&version, &migration.name, &migration.up],
                )
                .await?;
        }
        let fresh = applied(&transaction).await?.split_off(present);
        transaction.commit().await?;
        Ok(fresh)
    }

    /// Takes back every migration above version `to`, the newest first, all of them or none, and says which.
    ///
    /// # Errors
    ///
    /// [`MigrateError::NotEmpty`] if a table to be dropped has rows and `tables` is [`DropTables::Empty`]; other
    /// [`MigrateError`]s if the schema is not known to this program or cannot be written.
    pub async fn down(
        &mut self,
        to: u32,
        tables: DropTables,
    ) -> Result<Vec<Applied>, MigrateError> {
        let mut client = self.connect().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(&self.lock()).await?;
        let mut taken = applied(&transaction).await?;
        taken.retain(|migration| migration.version > to);
        taken.reverse();
        for Applied { version, .. } in &taken {
            // `applied` has found it among the known ones.
            let known = MIGRATIONS.iter().find(|known| known.version == *version);
            let known = known.ok_or(MigrateError::Newer { version: *version })?;
            if tables == DropTables::Empty {
                refuse_rows(&transaction, known.tables).await?;
            }
            transaction.batch_execute(known.down).await?;
            let version = i32::try_from(*version).unwrap_or(i32::MAX);
            transaction
                .execute(
                    "DELETE FROM palisade_migrations WHERE version = $1",
                    &[&version],
                )
                .await?;
        }
        transaction.commit().await?;
        Ok(taken)
    }

    async fn connect(&self) -> Result<Object, MigrateError> {
        let object = self.pool.get().await;
        object.map_err(|error| MigrateError::Store(pool_error(error, DOING).0))
    }

    /// One process at a time. The others wait for as long as a migration may take, which is not as long as a statement may.
    fn lock(&self) -> String {
        format!(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s';
             SET LOCAL idle_in_transaction_session_timeout = 0;
             SELECT pg_advisory_xact_lock(1885432940, hashtext('{}'))",
            self.config.schema
        )
    }
}

/// What was applied: the first so many of the known migrations, each with the very script that is known.
async fn applied(
    client: &impl deadpool_postgres::GenericClient,
) -> Result<Vec<Applied>, MigrateError> {
    let ledger = "SELECT to_regclass('palisade_migrations') IS NOT NULL";
    if !client.query_one(ledger, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(Vec::new());
    }
    let rows = client
        .query(
            "SELECT version, name, script, applied_at FROM palisade_migrations ORDER BY version",
            &[],
        )
        .await?;
    let mut known = MIGRATIONS.iter();
    let mut applied = Vec::new();
    for row in rows {
        let version = u32::try_from(row.try_get::<_, i32>(0)?).unwrap_or(u32::MAX);
        let Some(migration) = known.next() else {
            return Err(MigrateError::Newer { version });
        };
        if migration.version != version || migration.up != row.try_get::<_, &str>(2)? {
            return Err(MigrateError::Changed { version });
        }
        applied.push(Applied {
            version,
            name: row.try_get(1)?,
            at: Timestamp::from_nanos(row.try_get(3)?),
        });
    }
    Ok(applied)
}

async fn refuse_rows(
    client: &impl deadpool_postgres::GenericClient,
    tables: &[&'static str],
) -> Result<(), MigrateError> {
    for table in tables {
        // The name is one of a fixed list.
        let any = format!("SELECT 1 FROM {table} LIMIT 1");
        if !client.query(&any, &[]).await?.is_empty() {
            return Err(MigrateError::NotEmpty { table });
        }
    }
    Ok(())
}

/// Why tables could not be brought up to date or taken back. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The schema has been through a migration that this program does not know.
    #[error(
        "the schema has migration {version}, which this program does not know; use the newer program"
    )]
    Newer {
        /// The unknown migration.
        version: u32,
    },
    /// The schema has been through a migration that was another one than this program's of the same number.
    #[error("migration {version} of the schema is not the one this program knows")]
    Changed {
        /// The migration that differs.
        version: u32,
    },
    /// The schema lacks tables, and they are not to be made.
    #[error("the schema lacks some of {count} migrations, and they are not to be applied", count = MIGRATIONS.len())]
    Missing,
    /// A table that would be dropped has rows.
    #[error("table {table} has rows; to drop it all the same, say so")]
    NotEmpty {
        /// The table.
        table: &'static str,
    },
    /// The database could not be read or written.
    #[error(transparent)]
    Store(StoreError),
}

impl From<tokio_postgres::Error> for MigrateError {
    fn from(error: tokio_postgres::Error) -> Self {
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

impl fmt::Debug for Migrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migrations")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04} {} ({})", self.version, self.name, self.at)
    }
}
