#![doc = include_str!("../README.md")]

mod bounded;
mod config;
mod error;
pub mod headers;
mod hold;
mod limit;
mod limiter;
mod memory;
pub mod model;
mod outcome;
pub mod presets;
mod request;
mod shard;
mod table;

pub use config::{LimitConfig, MemoryConfig, Overflow};
pub use error::{ConfigError, HoldError, LimitError, RequestError};
pub use hold::{Hold, HoldId};
pub use limit::{Algorithm, Limit, Span};
pub use limiter::{DynRateLimiter, RateLimiter, RateLimiterExt};
pub use memory::{InMemory, Occupancy};
pub use outcome::{Allowed, Denied, Outcome, Settled, Source, Status};
pub use request::{Charge, CheckRequest, Over, ReserveRequest, SettleRequest, Use};
