use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError,
    RecyclingMethod, Runtime, TimeoutType,
};
use palisade_core::{Health, Probe, Status, StoreError, StoreErrorKind};
use tokio_postgres::{NoTls, Row, config::TargetSessionAttrs, types::ToSql};

use crate::{MigrateError, Migrations, PostgresConfig, error};

/// The first pause before a call is tried again. Each further one is twice as long, up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(250);

/// One PostgreSQL database, and every port of palisade it can honour.
///
/// Clones share one pool of connections. Runs on tokio.
///
/// Every call has a deadline of its own ([`PostgresConfig::with_deadline`]). Within it, a call whose connection was lost
/// is made again on another, so that a restart or a fail-over of the server is a pause and not an error; every call is such
/// that making it twice does no more than making it once.
#[derive(Clone)]
pub struct Postgres {
    pub(crate) shared: Arc<Shared>,
    /// Its end is that of the last handle.
    #[cfg(feature = "trace")]
    _open: Arc<Open>,
}

pub(crate) struct Shared {
    pub(crate) config: PostgresConfig,
    pool: Pool,
    health: AtomicU8,
    #[cfg(feature = "quota")]
    pub(crate) quota: crate::quota::Known,
    #[cfg(feature = "quota")]
    pub(crate) groups: crate::quota::Groups,
    #[cfg(feature = "trace")]
    pub(crate) traces: crate::trace::Buffer,
}

#[cfg(feature = "trace")]
struct Open(Arc<Shared>);

#[cfg(feature = "trace")]
impl Drop for Open {
    fn drop(&mut self) {
        self.0.traces.close();
    }
}

impl Postgres {
    /// Reaches the database at `url` and brings its tables up to date.
    ///
    /// `url` is what `psql` takes: `postgres://user:password@host:5432/database`, several hosts apart by commas. Of several,
    /// the one is used that can be written.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: `Invalid` if `url` is none, `Unavailable` if nobody answers there, `Corrupt` if the tables are
    /// those of another version, `Unwritable` if they may not be written.
    pub async fn connect(url: &str, config: PostgresConfig) -> Result<Self, StoreError> {
        let pool = pool(url, &config)?;
        let mut migrations = Migrations::of(pool.clone(), config.clone());
        if config.migrate {
            migrations.up().await.map_err(StoreError::from)?;
        } else if migrations.applied().await?.len() < Migrations::newest() as usize {
            return Err(MigrateError::Missing.into());
        }
        let shared = Arc::new(Shared {
            #[cfg(feature = "quota")]
            quota: crate::quota::Known::default(),
            #[cfg(feature = "quota")]
            groups: crate::quota::Groups::default(),
            #[cfg(feature = "trace")]
            traces: crate::trace::Buffer::new(config.trace_queue_bytes_max),
            health: AtomicU8::new(0),
            pool,
            config,
        });
        #[cfg(feature = "trace")]
        tokio::spawn(crate::trace::write_behind(Arc::clone(&shared)));
        Ok(Self {
            #[cfg(feature = "trace")]
            _open: Arc::new(Open(Arc::clone(&shared))),
            shared,
        })
    }

    /// Writes the traces that were accepted, and closes every connection when it is free. What is asked later, through any
    /// clone, is answered with [`Closed`](StoreErrorKind::Closed).
    ///
    /// # Cancel safety
    ///
    /// A dropped future may leave connections open; call it again.
    pub async fn close(&self) {
        #[cfg(feature = "trace")]
        {
            self.shared.traces.close();
            self.shared.traces.flushed().await;
        }
        // Nothing to wait for without traces, but the promise is the same.
        tokio::task::yield_now().await;
        self.shared.pool.close();
    }

    /// What decides the time: nothing for the server's clock.
    pub(crate) fn set_now(&self) -> Option<i64> {
        let clock = self.shared.config.clock.as_ref()?;
        Some(clock.now().as_nanos())
    }

    /// Has the server run one statement, and again if the connection is lost, until the deadline.
    pub(crate) async fn query(
        &self,
        doing: &'static str,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        self.shared.query(doing, sql, values).await
    }

    /// The same, of a statement that answers with one row.
    pub(crate) async fn query_one(
        &self,
        doing: &'static str,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, StoreError> {
        let row = self.query(doing, sql, values).await?.pop();
        row.ok_or_else(|| error::corrupt(doing, "the statement answered with no row"))
    }
}

/// What can be done with a connection, and done again with another if that one is lost.
pub(crate) trait Work: Sync {
    type Answer: Send;

    fn on(
        &self,
        client: &mut ClientWrapper,
    ) -> impl Future<Output = Result<Self::Answer, tokio_postgres::Error>> + Send;
}

/// One statement, which is a transaction of its own.
struct Statement<'a> {
    sql: &'a str,
    values: &'a [&'a (dyn ToSql + Sync)],
}

impl Work for Statement<'_> {
    type Answer = Vec<Row>;

    async fn on(&self, client: &mut ClientWrapper) -> Result<Vec<Row>, tokio_postgres::Error> {
        let statement = client.prepare_cached(self.sql).await?;
        client.query(&statement, self.values).await
    }
}

impl Shared {
    /// Has the server run one statement, and again if the connection is lost, until the deadline.
    pub(crate) async fn query(
        &self,
        doing: &'static str,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        self.within_deadline(doing, &Statement { sql, values })
            .await
    }

    /// Borrows a connection and works with it, and again with another if it is lost, until the deadline.
    pub(crate) async fn within_deadline<W: Work>(
        &self,
        doing: &'static str,
        work: &W,
    ) -> Result<W::Answer, StoreError> {
        let last = Mutex::new(None);
        let note = |error| *last.lock().unwrap_or_else(PoisonError::into_inner) = error;
        let attempts = async {
            let mut pause = PAUSE_MIN;
            loop {
                note(Some(StoreError::new(StoreErrorKind::Busy, doing)));
                let failed = match self.lease(doing).await {
                    Ok(mut lease) => {
                        note(None);
                        match work.on(lease.client()).await {
                            Ok(answer) => {
                                lease.give_back();
                                return Ok(answer);
                            }
                            Err(error) => {
                                // The server has answered, so the connection is as good as before.
                                if error.code().is_some() && !error::is_retryable(&error) {
                                    lease.give_back();
                                }
                                let again = error::is_retryable(&error);
                                (error::store(error, doing), again)
                            }
                        }
                    }
                    Err(failed) => failed,
                };
                let (error, again) = failed;
                if !again {
                    return Err(error);
                }
                note(Some(error));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        };
        let answer = match tokio::time::timeout(self.config.deadline, attempts).await {
            Ok(answer) => answer,
            Err(_) => {
                let last = last.into_inner().unwrap_or_else(PoisonError::into_inner);
                Err(last.unwrap_or_else(|| StoreError::new(StoreErrorKind::Timeout, doing)))
            }
        };
        self.note_health(&answer);
        answer
    }

    async fn lease(&self, doing: &'static str) -> Result<Lease, (StoreError, bool)> {
        match self.pool.get().await {
            Ok(client) => Ok(Lease(Some(client))),
            Err(error) => Err(pool_error(error, doing)),
        }
    }

    fn note_health<T>(&self, answer: &Result<T, StoreError>) {
        let code = match answer {
            Ok(_) => 0,
            Err(error) => match error.kind() {
                StoreErrorKind::Invalid => 0,
                StoreErrorKind::Busy | StoreErrorKind::Timeout => 1,
                _ => 2,
            },
        };
        self.health.store(code, Ordering::Relaxed);
    }
}

/// A borrowed connection. One that is not given back, because its user went away in the middle, is closed: its server may
/// hang, or a transaction be open.
struct Lease(Option<Object>);

impl Lease {
    /// There until it is given back.
    fn client(&mut self) -> &mut ClientWrapper {
        match &mut self.0 {
            Some(object) => object,
            None => unreachable!("a lease is given back by value"),
        }
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// What went wrong with borrowing, and whether it may go better soon.
pub(crate) fn pool_error(error: PoolError, doing: &'static str) -> (StoreError, bool) {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            let again = error::is_retryable(&error);
            (error::store(error, doing), again)
        }
        PoolError::Closed => (StoreError::new(StoreErrorKind::Closed, doing), false),
        PoolError::Timeout(TimeoutType::Wait) => {
            (StoreError::new(StoreErrorKind::Busy, doing), true)
        }
        PoolError::Timeout(_) => (StoreError::new(StoreErrorKind::Unavailable, doing), true),
        error => (
            StoreError::new(StoreErrorKind::Unavailable, doing).with_source(error),
            false,
        ),
    }
}

pub(crate) fn pool(url: &str, config: &PostgresConfig) -> Result<Pool, StoreError> {
    const DOING: &str = "reaching a database";
    // The error of the parser does not repeat the address, which may hold a password.
    let mut address = tokio_postgres::Config::from_str(url)
        .map_err(|error| StoreError::new(StoreErrorKind::Invalid, DOING).with_source(error))?;
    if address.get_application_name().is_none() {
        address.application_name("palisade");
    }
    if address.get_connect_timeout().is_none() {
        address.connect_timeout(config.deadline);
    }
    if address.get_tcp_user_timeout().is_none() {
        address.tcp_user_timeout(config.deadline);
    }
    if address.get_hosts().len() > 1 {
        address.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    let manager = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    // The name of the schema is a word: its configuration has seen to that.
    let setup = format!(
        "SET search_path = \"{schema}\"; SET statement_timeout = {statement}; SET lock_timeout = {lock};
         SET idle_in_transaction_session_timeout = {idle}; SET plan_cache_mode = force_generic_plan",
        schema = config.schema,
        statement = config.statement_timeout.as_millis(),
        lock = config.lock_timeout.as_millis(),
        idle = (config.deadline * 2).as_millis(),
    );
    let setup: Arc<str> = setup.into();
    let hook = Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let setup = Arc::clone(&setup);
        Box::pin(async move {
            let done = client.batch_execute(&setup).await;
            done.map_err(HookError::Backend)
        })
    });
    Pool::builder(Manager::from_config(address, NoTls, manager))
        .max_size(config.connections_max)
        .runtime(Runtime::Tokio1)
        // A server that takes a connection and says nothing is not there.
        .create_timeout(Some(config.deadline))
        .wait_timeout(Some(config.deadline))
        .post_create(hook)
        .build()
        .map_err(|error| StoreError::new(StoreErrorKind::Unavailable, DOING).with_source(error))
}

/// How the last call went.
impl Probe for Postgres {
    fn health(&self) -> Health {
        let (status, detail) = match self.shared.health.load(Ordering::Relaxed) {
            0 => (Status::Up, "the last call was answered"),
            1 => (Status::Degraded, "the last call was not answered in time"),
            _ => (Status::Down, "the server cannot be reached"),
        };
        Health::new("postgres", status, detail)
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}
