#![doc = include_str!("../README.md")]

mod config;
mod error;
pub mod headers;
mod limit;
mod limiter;
mod memory;
pub mod model;
mod outcome;
pub mod presets;
mod request;
mod table;

pub use config::{LimitConfig, MemoryConfig, Overflow};
pub use error::{ConfigError, LimitError, RequestError};
pub use limit::Limit;
pub use limiter::{DynRateLimiter, RateLimiter};
pub use memory::{InMemory, Occupancy};
pub use outcome::{Allowed, Denied, Status};
pub use request::{Charge, CheckRequest};
