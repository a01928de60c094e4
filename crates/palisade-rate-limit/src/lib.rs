#![doc = include_str!("../README.md")]

mod config;
mod error;
pub mod headers;
mod limit;
mod limiter;
pub mod model;
mod outcome;
pub mod presets;
mod request;

pub use config::{LimitConfig, MemoryConfig, Overflow};
pub use error::{ConfigError, LimitError, RequestError};
pub use limit::Limit;
pub use limiter::{DynRateLimiter, RateLimiter};
pub use outcome::{Allowed, Denied, Status};
pub use request::{Charge, CheckRequest};
