#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(all(
        feature = "auth",
        feature = "cost",
        feature = "quota",
        feature = "trace"
    )),
    allow(
        dead_code,
        reason = "every port uses its part of the machinery, and without it that part idles"
    )
)]

#[cfg(feature = "auth")]
mod auth;
mod config;
#[cfg(feature = "cost")]
mod cost;
mod error;
mod handle;
mod migrate;
#[cfg(feature = "quota")]
mod quota;
#[cfg(feature = "trace")]
mod trace;

pub use config::{ConfigError, PostgresConfig};
pub use handle::Postgres;
pub use migrate::{Applied, DropTables, MigrateError, Migrations};
