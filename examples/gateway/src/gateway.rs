//! Starting, serving and stopping: what the parts are, and in which order they come and go.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use palisade::{
    auth::{ApiKeys, IssueRequest, Principal, Role},
    core::{Dimension, Money, SystemClock, Tokens},
    cost::PriceBook,
    quota::{Defaults, Quota, Settler, Zone},
    resilience::{BreakerRegistry, TokioTimer},
    sqlite::{self, Sqlite, SqliteConfig},
    trace::Recorder,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    config::{Allowance, Config, Durability, Kind},
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

/// The keys that let clients in, by their digests.
pub(crate) type Keys = ApiKeys<palisade::auth::InMemory>;

/// The organisation of the key that the first start makes.
const FIRST_ORG: &str = "local";

/// What the routes see of the gateway.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) service: Service,
    pub(crate) store: Sqlite,
    pub(crate) keys: Arc<Keys>,
    pub(crate) breakers: Arc<BreakerRegistry>,
    pub(crate) settler: Settler,
    pub(crate) usage: Arc<UsageLog>,
    pub(crate) metrics: Metrics,
}

/// A gateway that runs.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) store: Sqlite,
    pub(crate) keys: Arc<Keys>,
    /// The secret of the key that the first start made.
    pub(crate) first_key: Option<String>,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
    settling: JoinHandle<()>,
    logging: JoinHandle<()>,
    grace: Duration,
}

impl Gateway {
    /// Opens the store, starts the mock if it is wanted, and listens.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration, the store or the address.
    pub(crate) async fn start(config: Config) -> anyhow::Result<Self> {
        let store = open_store(&config)?;
        let keys = Arc::new(
            ApiKeys::new(palisade::auth::InMemory::with_capacity(10_000), SystemClock)
                .with_cache(KEY_CACHE),
        );
        let first_key = first_key(&keys).await?;
        let metrics = Metrics::new();
        let sink = Counting {
            metrics: metrics.clone(),
            sink: store.clone(),
        };
        let (settler, settling) = Settler::new(store.clone(), SETTLEMENTS_MAX);
        let (usage, log) = UsageLog::new(store.clone());
        let usage = Arc::new(usage);
        let breakers = Arc::new(service::breakers(&config)?);
        let upstream = Upstream::new(&config, start_mock(&config).await?)?;
        let service = service::build(
            &config,
            Parts {
                store: store.clone(),
                keys: Arc::clone(&keys),
                recorder: Recorder::new(sink, SystemClock),
                settler: settler.clone(),
                breakers: Arc::clone(&breakers),
                prices: Arc::new(PriceBook::embedded()),
                usage: Arc::clone(&usage) as _,
            },
            upstream,
        )?;
        let listener = TcpListener::bind(config.server.listen)
            .await
            .with_context(|| {
                format!("cannot listen on {} (server.listen)", config.server.listen)
            })?;
        let address = listener.local_addr()?;
        let grace = Duration::from_secs(config.server.shutdown_grace_seconds);
        let shared = Shared {
            config: Arc::new(config),
            service,
            store: store.clone(),
            keys: Arc::clone(&keys),
            breakers,
            settler,
            usage,
            metrics,
        };
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, shared, stopped));
        Ok(Self {
            address,
            store,
            keys,
            first_key,
            stop,
            server,
            settling: tokio::spawn(settling.run(TokioTimer)),
            logging: tokio::spawn(log.run()),
            grace,
        })
    }

    /// Stops: no new connections, those under way may end, then what is owed is settled and what is known is written.
    ///
    /// # Errors
    ///
    /// What the server ended with, if it did not end well.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        // Nobody listens only if the server has ended already.
        let _ = self.stop.send(true);
        let ended = tokio::time::timeout(self.grace, &mut self.server).await;
        if ended.is_err() {
            tracing::warn!(grace = ?self.grace, "connections did not end in time and are cut");
            self.server.abort();
            // Cut connections leave their settlements in the queue, which is worked off next.
            let _ = (&mut self.server).await;
        }
        drop(self.keys);
        // With the server, its handles on the queues are gone: the tasks end when the queues are empty.
        for (task, what) in [
            (self.settling, "settlements"),
            (self.logging, "usage records"),
        ] {
            if tokio::time::timeout(self.grace.max(Duration::from_secs(5)), task)
                .await
                .is_err()
            {
                tracing::error!("{what} were not written in time");
            }
        }
        self.store.close().await;
        match ended {
            Ok(server) => Ok(server??),
            Err(_) => Ok(()),
        }
    }

    /// Waits until the server ends by itself, which it does only in trouble.
    ///
    /// # Errors
    ///
    /// The trouble.
    pub(crate) async fn failed(&mut self) -> anyhow::Result<()> {
        (&mut self.server).await??;
        anyhow::bail!("the server ended by itself")
    }
}

async fn serve(
    listener: TcpListener,
    shared: Shared,
    mut stopped: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Small events of a stream must not wait for each other.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
    });
    axum::serve(listener, routes::router(shared))
        .with_graceful_shutdown(async move {
            // An error means that whoever could stop us is gone: stop.
            let _ = stopped.wait_for(|stop| *stop).await;
        })
        .await
}

fn open_store(config: &Config) -> anyhow::Result<Sqlite> {
    let path = &config.store.path;
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).with_context(|| {
            format!("cannot make the folder of store.path, {}", folder.display())
        })?;
    }
    let durability = match config.store.durability {
        Durability::Process => sqlite::Durability::Process,
        Durability::Power => sqlite::Durability::Power,
    };
    let zone = Zone::named(&config.quota.zone).map_err(|error| refused("quota.zone", &error))?;
    let quota = |allowance: &Allowance, key: &str| {
        let money: Money = allowance
            .usd_per_day
            .parse()
            .map_err(|error| refused(key, &error))?;
        Quota::default()
            .with_tokens(Some(Tokens::new(allowance.tokens_per_day)))
            .and_then(|quota| quota.with_money(Some(money)))
            .map(|quota| quota.with_zone(zone.clone()))
            .map_err(|error| refused(key, &error))
    };
    let defaults = Defaults::new(quota(&config.quota.user, "quota.user")?)
        .with(
            Dimension::Project,
            quota(&config.quota.project, "quota.project")?,
        )
        .with(Dimension::Org, quota(&config.quota.org, "quota.org")?);
    let sqlite = SqliteConfig::default()
        .with_durability(durability)
        .with_quota_defaults(defaults)
        .with_trace_queue_bytes_max(config.trace.queue_bytes_max);
    Sqlite::open(path, sqlite)
        .with_context(|| format!("cannot open store.path, {}", path.display()))
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

async fn start_mock(config: &Config) -> anyhow::Result<Option<SocketAddr>> {
    if !config
        .provider
        .iter()
        .any(|provider| provider.kind == Kind::Mock)
    {
        return Ok(None);
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let Err(error) = mock::serve(listener).await;
        tracing::error!(%error, "the mock provider ended");
    });
    Ok(Some(address))
}
