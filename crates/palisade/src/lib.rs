#![doc = include_str!("../README.md")]

#[cfg(feature = "auth")]
pub use palisade_auth as auth;
pub use palisade_core as core;
#[cfg(feature = "cost")]
pub use palisade_cost as cost;
#[cfg(feature = "injection")]
pub use palisade_injection as injection;
#[cfg(feature = "postgres")]
pub use palisade_postgres as postgres;
#[cfg(feature = "quota")]
pub use palisade_quota as quota;
#[cfg(feature = "rate-limit")]
pub use palisade_rate_limit as rate_limit;
#[cfg(feature = "redaction")]
pub use palisade_redaction as redaction;
#[cfg(feature = "redis")]
pub use palisade_redis as redis;
#[cfg(feature = "resilience")]
pub use palisade_resilience as resilience;
#[cfg(feature = "sqlite")]
pub use palisade_sqlite as sqlite;
#[cfg(feature = "tower")]
pub use palisade_tower as tower;
#[cfg(feature = "trace")]
pub use palisade_trace as trace;
