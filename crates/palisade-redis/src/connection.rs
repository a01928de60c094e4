use std::time::Duration;

use fred::{
    clients::Pool,
    interfaces::ClientLike as _,
    types::config::{
        ClusterDiscoveryPolicy, Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy,
        Server, ServerConfig, TcpConfig, UnresponsiveConfig,
    },
};
use palisade_core::{StoreError, StoreErrorKind};

use crate::{
    RedisConfig,
    config::{Address, Topology},
    error,
};

const DOING: &str = "connecting to Redis";
/// After a connection is lost: the first wait and the longest, in milliseconds.
const RECONNECT_MILLIS: (u32, u32) = (20, 1_000);
/// Whoever has not answered for so many deadlines is connected to anew.
const SILENT_DEADLINES: u32 = 20;

/// Begins to connect, and goes on for as long as there is a handle.
pub(crate) fn start(config: &RedisConfig) -> Result<Pool, StoreError> {
    let pool = Pool::new(
        driver(config),
        Some(PerformanceConfig {
            // Scripts know no other time-out than this one. What has timed out before it was sent is never sent.
            default_command_timeout: config.deadline,
            ..PerformanceConfig::default()
        }),
        Some(ConnectionConfig {
            connection_timeout: config.patience,
            internal_command_timeout: config.patience,
            // A script that may have run is not run again behind its caller's back.
            max_command_attempts: 1,
            tcp: TcpConfig {
                nodelay: Some(true),
                ..TcpConfig::default()
            },
            unresponsive: UnresponsiveConfig {
                max_timeout: Some(silence(config.deadline)),
                interval: (silence(config.deadline) / 4).max(Duration::from_millis(10)),
            },
            ..ConnectionConfig::default()
        }),
        Some(ReconnectPolicy::new_exponential(
            0,
            RECONNECT_MILLIS.0,
            RECONNECT_MILLIS.1,
            2,
        )),
        config.connections,
    )
    .map_err(|error| error::store(error, DOING))?;
    // Its tasks end with the handle.
    drop(pool.connect());
    Ok(pool)
}

/// Waits until there is a connection.
pub(crate) async fn wait(pool: &Pool, patience: Duration) -> Result<(), StoreError> {
    match tokio::time::timeout(patience, pool.wait_for_connect()).await {
        Ok(connected) => connected.map_err(|error| error::store(error, DOING)),
        Err(_) => Err(StoreError::new(StoreErrorKind::Timeout, DOING)),
    }
}

fn silence(deadline: Duration) -> Duration {
    (deadline * SILENT_DEADLINES).max(Duration::from_secs(1))
}

fn driver(config: &RedisConfig) -> Config {
    let servers = |addresses: &[Address]| -> Vec<Server> { addresses.iter().map(server).collect() };
    let in_cluster = matches!(config.topology, Topology::Cluster(_));
    Config {
        server: match &config.topology {
            Topology::Node(address) => ServerConfig::Centralized {
                server: server(address),
            },
            Topology::Sentinel { sentinels, name } => ServerConfig::Sentinel {
                hosts: servers(sentinels),
                service_name: name.clone(),
            },
            Topology::Cluster(nodes) => ServerConfig::Clustered {
                hosts: servers(nodes),
                policy: ClusterDiscoveryPolicy::default(),
            },
        },
        // Also the first connection is tried until it stands.
        fail_fast: false,
        username: config.username.clone(),
        password: config.password.clone(),
        database: (!in_cluster && config.database > 0).then_some(config.database),
        #[cfg(feature = "tls")]
        tls: config
            .tls
            .then(|| {
                fred::types::config::TlsConnector::default_rustls()
                    .map(Into::into)
                    .ok()
            })
            .flatten(),
        ..Config::default()
    }
}

fn server((host, port): &Address) -> Server {
    Server::new(host.clone(), *port)
}
