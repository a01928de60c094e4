//! Starting, serving and stopping: what the parts are, and in which order they come and go.

use std::{io, net::SocketAddr, sync::Arc, thread, time::Duration};

use anyhow::Context as _;
use palisade::{
    auth::{ApiKeys, IssueRequest, Principal, Role},
    core::{Dimension, SystemClock, Tokens},
    cost::PriceBook,
    quota::{Defaults, LeaseConfig, Leased, Quota, Settler, Zone},
    resilience::{HealthMonitor, TokioTimer},
    sqlite::{self, Sqlite, SqliteConfig},
    trace::Recorder,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    config::{Allowance, Config, ConfigError, Durability, Provider},
    health,
    listen::{self, Limits},
    metrics::{Counting, Metrics},
    mock, routes,
    service::{self, Parts, Service, refused},
    upstream::Upstream,
    usage_log::UsageLog,
};

/// How many settlements may wait for the ledger. Beyond it a hold is left to expire, which is counted.
const SETTLEMENTS_MAX: usize = 65_536;
/// How long a verified key is remembered, and so how long a revoked one may still pass through another process.
const KEY_CACHE: Duration = Duration::from_secs(5);
/// How long the last settlements and usage records may take to be written when it stops: longer than the settler's
/// patience with a store in trouble.
const WRITING: Duration = Duration::from_secs(15);

/// The keys that let clients in, by their digests.
pub(crate) type Keys = ApiKeys<Sqlite>;

/// The ledger of quota: in the store, with slices of it spent in memory.
pub(crate) type Ledger = Leased<Sqlite, SystemClock>;

/// The organisation of the key that the first start makes.
const FIRST_ORG: &str = "local";

/// What the routes see of the gateway.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) service: Service,
    pub(crate) store: Sqlite,
    pub(crate) ledger: Ledger,
    pub(crate) keys: Arc<Keys>,
    pub(crate) settler: Settler,
    pub(crate) usage: Arc<UsageLog>,
    pub(crate) metrics: Metrics,
    pub(crate) health: Arc<HealthMonitor>,
}

/// A gateway that runs.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    store: Sqlite,
    ledger: Ledger,
    keys: Arc<Keys>,
    first_key: Option<String>,
    stop: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
    mock: Option<JoinHandle<()>>,
    settling: JoinHandle<()>,
    lending: JoinHandle<()>,
    logging: JoinHandle<()>,
}

impl Gateway {
    /// Opens the store, starts the mock if it is wanted, and listens.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration, the store or the address.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        Self::check(&config)?;
        let store = open_store(&config)?;
        let keys = Arc::new(ApiKeys::new(store.clone(), SystemClock).with_cache(KEY_CACHE));
        let first_key = first_key(&keys).await?;
        let metrics = Metrics::new();
        let sink = Counting {
            metrics: metrics.clone(),
            sink: store.clone(),
        };
        let round = Duration::from_millis(config.quota.lease_round_ms);
        let leases = LeaseConfig::default().with_round(round);
        let (ledger, lending) = Leased::new(store.clone(), SystemClock, leases)?;
        let (settler, settling) = Settler::new(ledger.clone(), SETTLEMENTS_MAX);
        let (usage, log) = UsageLog::new(store.clone());
        let usage = Arc::new(usage);
        let breakers = Arc::new(service::breakers(&config)?);
        let (mock, mock_address) = start_mock(&config).await?.unzip();
        let upstream = Upstream::new(&config, mock_address)?;
        let services = service::build(
            &config,
            workers(&config),
            Parts {
                ledger: ledger.clone(),
                keys: Arc::clone(&keys),
                recorder: Recorder::new(sink, SystemClock),
                settler: settler.clone(),
                breakers: Arc::clone(&breakers),
                prices: Arc::new(PriceBook::embedded()),
                usage: Arc::clone(&usage) as _,
            },
            &upstream,
        )?;
        let listener = TcpListener::bind(config.server.listen)
            .await
            .with_context(|| {
                format!("cannot listen on {} (server.listen)", config.server.listen)
            })?;
        let address = listener.local_addr()?;
        let limits = Limits::from(&config.server);
        let health = health::monitor(&config, store.clone(), breakers)?;
        let (config, health) = (Arc::new(config), Arc::new(health));
        let routes = services.into_iter().map(|service| {
            routes::router(Arc::new(Shared {
                config: Arc::clone(&config),
                service,
                store: store.clone(),
                ledger: ledger.clone(),
                keys: Arc::clone(&keys),
                settler: settler.clone(),
                usage: Arc::clone(&usage),
                metrics: metrics.clone(),
                health: Arc::clone(&health),
            }))
        });
        let routes = routes.collect();
        // Else they would outlive the server.
        drop((settler, usage));
        let (stop, stopped) = watch::channel(false);
        Ok(Self {
            address,
            store,
            ledger,
            keys,
            first_key,
            stop,
            server: tokio::spawn(listen::serve(listener, routes, limits, stopped)),
            mock,
            settling: tokio::spawn(settling.run(TokioTimer)),
            lending: tokio::spawn(lending.run(TokioTimer)),
            logging: tokio::spawn(log.run()),
        })
    }

    /// Whether a gateway could run with `config`, as far as that can be said without opening anything.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the key, what was found and what is allowed.
    pub fn check(config: &Config) -> Result<(), ConfigError> {
        store_config(config)?;
        service::check(config)?;
        Upstream::new(config, None)?;
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The keys that let clients in: to issue more of them.
    #[must_use]
    pub fn keys(&self) -> &ApiKeys<Sqlite> {
        &self.keys
    }

    /// The store: to look into what was written.
    #[must_use]
    pub const fn store(&self) -> &Sqlite {
        &self.store
    }

    /// The ledger: to look at balances, and to change quotas.
    #[must_use]
    pub const fn ledger(&self) -> &Leased<Sqlite, SystemClock> {
        &self.ledger
    }

    /// The secret of the key that the first start made; it is nowhere else. `None` at every later start and call.
    #[must_use = "the secret cannot be had again"]
    pub const fn take_first_key(&mut self) -> Option<String> {
        self.first_key.take()
    }

    /// Stops: no new connections, those under way may end, then what is owed is settled and what is known is written.
    ///
    /// # Errors
    ///
    /// What the server ended with, if it did not end well.
    pub async fn stop(self) -> anyhow::Result<()> {
        // Nobody listens only if the server has ended already.
        let _ = self.stop.send(true);
        let ended = self.server.await;
        drop((self.keys, self.ledger));
        // With the server, its handles on the queues are gone: the tasks end when the queues are empty. The settlements
        // go through the ledger, so they come first.
        for (task, what) in [
            (self.settling, "settlements"),
            (self.lending, "what the quota was spent on"),
            (self.logging, "usage records"),
        ] {
            if tokio::time::timeout(WRITING, task).await.is_err() {
                tracing::error!("{what} were not written in time");
            }
        }
        if let Some(mock) = self.mock {
            mock.abort();
        }
        self.store.close().await;
        Ok(ended??)
    }

    /// Waits until the server ends by itself, which it does only in trouble.
    ///
    /// # Errors
    ///
    /// The trouble.
    pub async fn failed(&mut self) -> anyhow::Result<()> {
        (&mut self.server).await??;
        anyhow::bail!("the server ended by itself")
    }
}

/// How many threads serve: as many as there are cores, unless a number is set.
fn workers(config: &Config) -> usize {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    config.server.workers.unwrap_or_else(cores).max(1)
}

fn open_store(config: &Config) -> anyhow::Result<Sqlite> {
    let path = &config.store.path;
    let folder = path.parent();
    if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| {
            format!("cannot make the folder of store.path, {}", folder.display())
        })?;
    }
    Sqlite::open(path, store_config(config)?)
        .with_context(|| format!("cannot open store.path, {}", path.display()))
}

fn store_config(config: &Config) -> Result<SqliteConfig, ConfigError> {
    let durability = match config.store.durability {
        Durability::Process => sqlite::Durability::Process,
        Durability::Power => sqlite::Durability::Power,
    };
    let zone = &config.quota.zone;
    let zone = Zone::named(zone)
        .map_err(|error| refused("quota.zone", &format!("{zone:?} is {error}")))?;
    let quota = |allowance: &Allowance, key: &str| {
        Quota::default()
            .with_tokens(Some(Tokens::new(allowance.tokens_per_day)))
            .and_then(|quota| quota.with_money(Some(allowance.usd_per_day)))
            .map(|quota| quota.with_zone(zone.clone()))
            .map_err(|error| refused(key, &error))
    };
    let defaults = Defaults::new(quota(&config.quota.user, "quota.user")?)
        .with(
            Dimension::Project,
            quota(&config.quota.project, "quota.project")?,
        )
        .with(Dimension::Org, quota(&config.quota.org, "quota.org")?);
    SqliteConfig::default()
        .with_durability(durability)
        .with_busy_timeout(Duration::from_millis(config.store.busy_timeout_ms))
        .with_quota_defaults(defaults)
        .with_trace_queue_bytes_max(config.trace.queue_bytes_max)
        .with_traces_max(config.trace.kept_max)
        .map_err(|error| refused("trace.kept_max", &error))?
        .with_file_bytes_max(config.store.file_bytes_max)
        .map_err(|error| refused("store.file_bytes_max", &error))
}

/// The first start makes a key, so that there is somebody who may come in. Its secret is shown once and never stored.
async fn first_key(keys: &Keys) -> anyhow::Result<Option<String>> {
    use palisade::auth::{KeyStore as _, ListRequest};
    if !keys
        .store()
        .list(ListRequest::new(FIRST_ORG))
        .await?
        .keys
        .is_empty()
    {
        return Ok(None);
    }
    let principal = Principal::new(FIRST_ORG, Role::Owner)?
        .with_project("default")?
        .with_user("developer")?;
    let issued = keys
        .issue(IssueRequest::new(principal).with_label("made at the first start"))
        .await?;
    Ok(Some(issued.key.expose().to_owned()))
}

async fn start_mock(config: &Config) -> anyhow::Result<Option<(JoinHandle<()>, SocketAddr)>> {
    if !config.provider.iter().any(Provider::is_embedded) {
        return Ok(None);
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move {
        let Err(error) = mock::serve(listener).await;
        tracing::error!(%error, "the mock provider ended");
    });
    Ok(Some((serving, address)))
}
