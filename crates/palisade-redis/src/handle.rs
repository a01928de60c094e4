use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fred::{
    clients::Pool,
    interfaces::{ClientLike as _, LuaInterface as _},
    types::{Key as RedisKey, Value},
};
use palisade_core::{Health, Probe, Status, StoreError, StoreErrorKind};

use crate::{RedisConfig, connection, error, script::Script};

/// One handle for all that palisade keeps in Redis. Clones share its connections.
///
/// It lives on a tokio runtime. Connections are made again by themselves, for as long as there is a handle.
#[derive(Clone)]
pub struct Redis {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: RedisConfig,
    pool: Pool,
    asked: AtomicU64,
    failed: AtomicU64,
    timed_out: AtomicU64,
    loaded: AtomicU64,
}

/// How often what happened, since the handle was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Questions asked.
    pub asked: u64,
    /// Questions without an answer, those that timed out among them.
    pub failed: u64,
    /// Questions that were not answered within the deadline.
    pub timed_out: u64,
    /// Scripts that a server did not know and was given.
    pub loaded: u64,
}

/// Beyond the driver's own deadline, which does not hold where the driver itself is stuck.
const GRACE: Duration = Duration::from_millis(2);

impl Redis {
    /// Connects.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if no connection stands within
    /// [`with_connect_timeout`](RedisConfig::with_connect_timeout).
    pub async fn connect(config: RedisConfig) -> Result<Self, StoreError> {
        let patience = config.patience;
        let redis = Self::start(config)?;
        connection::wait(&redis.shared.pool, patience).await?;
        Ok(redis)
    }

    /// Begins to connect and does not wait: for a service that must start while its Redis is down. Until there is a
    /// connection, questions are answered as if the server were silent.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the driver refuses the configuration.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(config: RedisConfig) -> Result<Self, StoreError> {
        let pool = connection::start(&config)?;
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                pool,
                asked: AtomicU64::new(0),
                failed: AtomicU64::new(0),
                timed_out: AtomicU64::new(0),
                loaded: AtomicU64::new(0),
            }),
        })
    }

    /// Ends all connections, for every clone. What is under way is answered first, or times out.
    pub async fn close(&self) {
        // It fails only if there is no connection to end.
        let _ = self.shared.pool.quit().await;
    }

    /// How often what happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let shared = &self.shared;
        Counts {
            asked: shared.asked.load(Ordering::Relaxed),
            failed: shared.failed.load(Ordering::Relaxed),
            timed_out: shared.timed_out.load(Ordering::Relaxed),
            loaded: shared.loaded.load(Ordering::Relaxed),
        }
    }

    /// Runs a script, in one round trip, or two where the server does not know it.
    pub(crate) async fn run(
        &self,
        script: &'static Script,
        keys: Vec<RedisKey>,
        arguments: Vec<Value>,
        doing: &'static str,
    ) -> Result<Value, StoreError> {
        let shared = &*self.shared;
        shared.asked.fetch_add(1, Ordering::Relaxed);
        let ask = async {
            let client = shared.pool.next();
            let asked: Result<Value, _> = client
                .evalsha(script.digest(), keys.clone(), arguments.clone())
                .await;
            match asked {
                // It has not run: to send its text is no repetition.
                Err(error) if error::is_unknown_script(&error) => {
                    shared.loaded.fetch_add(1, Ordering::Relaxed);
                    client.eval(script.text(), keys, arguments).await
                }
                asked => asked,
            }
        };
        let answer = match tokio::time::timeout(shared.config.deadline + GRACE, ask).await {
            Ok(answer) => answer.map_err(|error| error::store(error, doing)),
            Err(_) => Err(StoreError::new(StoreErrorKind::Timeout, doing)),
        };
        if let Err(error) = &answer {
            shared.failed.fetch_add(1, Ordering::Relaxed);
            if error.kind() == StoreErrorKind::Timeout {
                shared.timed_out.fetch_add(1, Ordering::Relaxed);
            }
        }
        answer
    }
}

/// Whether there are connections.
impl Probe for Redis {
    fn health(&self) -> Health {
        let clients = self.shared.pool.clients();
        let connected = clients
            .iter()
            .filter(|client| client.is_connected())
            .count();
        let (status, detail) = match connected {
            0 => (Status::Down, "no connection stands"),
            some if some < clients.len() => {
                (Status::Degraded, "some connections are being made again")
            }
            _ => (Status::Up, "connected"),
        };
        Health::new("redis", status, detail)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}
