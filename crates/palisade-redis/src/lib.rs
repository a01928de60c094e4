#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(feature = "rate-limit"),
    allow(
        dead_code,
        reason = "every port uses its part of the machinery, and without it that part idles"
    )
)]

mod config;
mod connection;
mod error;
mod handle;
mod placement;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod script;

pub use config::{ConfigError, RedisConfig};
pub use handle::{Counts, Redis};
pub use placement::{Placement, PlacementError};
#[cfg(feature = "rate-limit")]
pub use rate_limit::UnfitLimit;
