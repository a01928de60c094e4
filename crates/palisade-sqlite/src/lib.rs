#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(all(
        feature = "auth",
        feature = "cost",
        feature = "quota",
        feature = "rate-limit",
        feature = "trace"
    )),
    allow(
        dead_code,
        reason = "every port uses its part of the machinery, and without it that part idles"
    )
)]

#[cfg(feature = "auth")]
mod auth;
mod checkpoint;
mod config;
mod connection;
#[cfg(feature = "cost")]
mod cost;
mod error;
mod gate;
mod handle;
mod migrate;
mod queue;
#[cfg(feature = "quota")]
mod quota;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod reader;
#[cfg(feature = "trace")]
mod trace;
mod writer;

pub use config::{ConfigError, Durability, SqliteConfig};
pub use handle::Sqlite;
pub use migrate::{Applied, DropTables, MigrateError, Migrations};
