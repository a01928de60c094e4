#![doc = include_str!("../README.md")]

mod bounded;
mod clock;
mod config;
mod direct;
mod error;
mod fallback;
pub mod headers;
mod hold;
mod keyed;
mod lease;
mod limit;
mod limiter;
mod lists;
mod live;
mod memory;
pub mod model;
mod outcome;
mod partition;
mod policed;
pub mod presets;
mod queue;
mod request;
mod reservation;
mod settler;
mod side;
mod sizes;
mod sync;
mod table;
mod tiers;

pub use clock::CachedClock;
#[cfg(feature = "fast-clock")]
pub use clock::FastClock;
pub use config::{LimitConfig, MemoryConfig, Overflow};
pub use direct::Direct;
pub use error::{
    AdaptiveError, ConfigError, ControlsError, HoldError, LimitError, ListsError, RequestError,
    TiersError,
};
pub use fallback::{Fallback, FallbackConfig, FallbackCounts, FallbackError, WithFallback};
pub use hold::{Hold, HoldId};
pub use keyed::Keyed;
pub use lease::{LeaseConfig, LeaseCounts, Leased};
pub use limit::{Algorithm, Limit, Span};
pub use limiter::{DynRateLimiter, RateLimiter, RateLimiterExt};
pub use lists::{Listed, Lists};
pub use live::{Adaptive, LiveLimit};
pub use memory::{InMemory, Occupancy};
pub use model::adaptive::{AdaptiveConfig, Observed};
pub use outcome::{Allowed, Denied, Outcome, Settled, Source, Status};
pub use partition::{PartitionKey, PartitionSecret};
pub use policed::{Consumer, Controls, Counts, Mode, Policed};
pub use queue::{Queue, Waited};
pub use request::{Charge, CheckRequest, Over, ReserveRequest, SettleRequest, Use};
pub use reservation::{Reservation, Take};
pub use settler::{Settler, SettlerCounts, SettlerTask};
pub use tiers::Tiers;
