use std::{fmt, sync::Arc, time::Duration};

use palisade_core::Clock;

use crate::Placement;

/// Which servers, and how they are asked.
///
/// ```
/// use std::time::Duration;
/// use palisade_redis::RedisConfig;
///
/// let one = RedisConfig::node("127.0.0.1:6379")?;
/// let watched = RedisConfig::sentinel(["10.0.0.1:26379", "10.0.0.2:26379"], "main")?;
/// let many = RedisConfig::cluster(["10.0.1.1:6379", "10.0.1.2:6379"])?
///     .with_deadline(Duration::from_millis(25))?
///     .with_password(Some("secret".to_owned()));
/// assert!(!format!("{many:?}").contains("secret"));
/// # Ok::<(), palisade_redis::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RedisConfig {
    pub(crate) topology: Topology,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: u8,
    pub(crate) connections: usize,
    pub(crate) deadline: Duration,
    pub(crate) patience: Duration,
    pub(crate) prefix: String,
    pub(crate) placement: Placement,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    #[cfg(feature = "tls")]
    pub(crate) tls: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Topology {
    Node(Address),
    Sentinel {
        sentinels: Vec<Address>,
        name: String,
    },
    Cluster(Vec<Address>),
}

/// A host and a port.
pub(crate) type Address = (String, u16);

impl RedisConfig {
    /// The longest deadline.
    pub const DEADLINE_MAX: Duration = Duration::from_secs(60);
    /// The most connections to a server.
    pub const CONNECTIONS_MAX: usize = 64;
    /// The longest prefix of a key, in bytes.
    pub const PREFIX_BYTES_MAX: usize = 64;

    /// One server, as `host:port`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Address`].
    pub fn node(address: impl AsRef<str>) -> Result<Self, ConfigError> {
        Ok(Self::new(Topology::Node(parse(address.as_ref())?)))
    }

    /// The master that these Sentinels know under this name, whichever server it is at the time.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Address`]; [`ConfigError::NoAddress`] if there is none.
    pub fn sentinel<A: AsRef<str>>(
        sentinels: impl IntoIterator<Item = A>,
        name: impl Into<String>,
    ) -> Result<Self, ConfigError> {
        Ok(Self::new(Topology::Sentinel {
            sentinels: parse_all(sentinels)?,
            name: name.into(),
        }))
    }

    /// A Redis Cluster. Some of its nodes are enough; they know the others.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Address`]; [`ConfigError::NoAddress`] if there is none.
    pub fn cluster<A: AsRef<str>>(nodes: impl IntoIterator<Item = A>) -> Result<Self, ConfigError> {
        Ok(Self::new(Topology::Cluster(parse_all(nodes)?)))
    }

    fn new(topology: Topology) -> Self {
        Self {
            topology,
            username: None,
            password: None,
            database: 0,
            connections: 1,
            deadline: Duration::from_millis(50),
            patience: Duration::from_secs(5),
            prefix: "palisade".to_owned(),
            placement: Placement::Together,
            clock: None,
            #[cfg(feature = "tls")]
            tls: false,
        }
    }

    /// The same as this user.
    #[must_use]
    pub fn with_username(mut self, username: Option<String>) -> Self {
        self.username = username;
        self
    }

    /// The same with this password.
    #[must_use]
    pub fn with_password(mut self, password: Option<String>) -> Self {
        self.password = password;
        self
    }

    /// The same in another numbered database. A Cluster has only number 0.
    #[must_use]
    pub const fn with_database(mut self, database: u8) -> Self {
        self.database = database;
        self
    }

    /// The same over so many connections to each server; one by default. A connection carries any number of questions at a
    /// time, so more of them help only where one core cannot encode what is asked.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Connections`] unless it is 1 to [`RedisConfig::CONNECTIONS_MAX`].
    pub fn with_connections(mut self, connections: usize) -> Result<Self, ConfigError> {
        if !(1..=Self::CONNECTIONS_MAX).contains(&connections) {
            return Err(ConfigError::Connections { found: connections });
        }
        self.connections = connections;
        Ok(self)
    }

    /// The same with another time in which a question must be answered; 50 ms by default. When it is over the answer is
    /// [`Timeout`](palisade_core::StoreErrorKind::Timeout), whatever the server does later.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Deadline`] below a millisecond or above [`RedisConfig::DEADLINE_MAX`].
    pub fn with_deadline(mut self, deadline: Duration) -> Result<Self, ConfigError> {
        if !(Duration::from_millis(1)..=Self::DEADLINE_MAX).contains(&deadline) {
            return Err(ConfigError::Deadline);
        }
        self.deadline = deadline;
        Ok(self)
    }

    /// The same with another time for the first connection; 5 seconds by default.
    #[must_use]
    pub const fn with_connect_timeout(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same with another beginning of all keys, to keep apart what shares a server; `palisade` by default.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Prefix`] unless it is 1 to [`RedisConfig::PREFIX_BYTES_MAX`] letters, digits, `-`, `_`, `.` and `:`.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Result<Self, ConfigError> {
        let prefix = prefix.into();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if !(1..=Self::PREFIX_BYTES_MAX).contains(&prefix.len()) || !prefix.bytes().all(plain) {
            return Err(ConfigError::Prefix {
                length: prefix.len(),
            });
        }
        self.prefix = prefix;
        Ok(self)
    }

    /// The same with another distribution of keys over the slots of a Cluster.
    #[must_use]
    pub fn with_placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// The same, deciding by this clock instead of the server's. For tests: machines that share a server must share its
    /// time too. Its monotonic time is taken, in whole microseconds.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The same over TLS, verified by the certificates of the system.
    #[cfg(feature = "tls")]
    #[must_use]
    pub const fn with_tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("topology", &self.topology)
            .field("database", &self.database)
            .field("connections", &self.connections)
            .field("deadline", &self.deadline)
            .field("prefix", &self.prefix)
            .field("placement", &self.placement)
            .finish_non_exhaustive()
    }
}

/// Why servers cannot be asked so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not a host and a port.
    #[error("an address is host:port, such as 127.0.0.1:6379; found {found:?}")]
    Address {
        /// The text, cut to 64 characters.
        found: String,
    },
    /// Nobody to ask.
    #[error("at least one address is needed")]
    NoAddress,
    /// No connection, or more than a server likes.
    #[error("1 to {max} connections; found {found}", max = RedisConfig::CONNECTIONS_MAX)]
    Connections {
        /// The number found.
        found: usize,
    },
    /// A deadline that nobody can keep, or nobody wants to wait for.
    #[error("the deadline is 1 ms to {max} s", max = RedisConfig::DEADLINE_MAX.as_secs())]
    Deadline,
    /// A prefix that could be read as structure.
    #[error(
        "a prefix is 1 to {max} letters, digits, -, _, . and : ; found {length} bytes",
        max = RedisConfig::PREFIX_BYTES_MAX
    )]
    Prefix {
        /// Its length, in bytes.
        length: usize,
    },
}

fn parse_all<A: AsRef<str>>(
    addresses: impl IntoIterator<Item = A>,
) -> Result<Vec<Address>, ConfigError> {
    let parsed: Vec<Address> = addresses
        .into_iter()
        .map(|address| parse(address.as_ref()))
        .collect::<Result<_, _>>()?;
    if parsed.is_empty() {
        return Err(ConfigError::NoAddress);
    }
    Ok(parsed)
}

fn parse(text: &str) -> Result<Address, ConfigError> {
    let address = text.trim().rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some((host.to_owned(), port.parse().ok()?))
    });
    address
        .filter(|(host, port): &Address| !host.is_empty() && *port > 0)
        .ok_or_else(|| ConfigError::Address {
            found: text.chars().take(64).collect(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (text, host, port) in [
            ("127.0.0.1:6379", "127.0.0.1", 6379),
            (" redis.internal:1 ", "redis.internal", 1),
            ("[::1]:6380", "::1", 6380),
        ] {
            assert_eq!(parse(text), Ok((host.to_owned(), port)), "{text}");
        }
        for text in ["", "redis", ":6379", "redis:", "redis:0", "redis:65536"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let node = || RedisConfig::node("localhost:6379").unwrap();
        let nobody: [&str; 0] = [];
        assert!(matches!(
            RedisConfig::cluster(nobody),
            Err(ConfigError::NoAddress)
        ));
        assert!(node().with_connections(0).is_err());
        assert!(node().with_connections(65).is_err());
        assert!(node().with_deadline(Duration::ZERO).is_err());
        assert!(node().with_deadline(Duration::from_secs(61)).is_err());
        for prefix in ["", "a{b", "a b", &"p".repeat(65)] {
            assert!(node().with_prefix(prefix).is_err(), "{prefix:?}");
        }
        assert!(node().with_prefix("p".repeat(64)).is_ok());
    }
}
