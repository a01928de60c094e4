mod config;
mod handle;
mod model;
mod registry;
mod window;

pub use config::{BreakerConfig, BreakerPolicy, Window};
pub use handle::{Breaker, BreakerObserver, BreakerStatus, Permit};
pub use model::{BreakerModel, Cause, Change, Denied, DeniedWhy, Ended, Phase, Ticket};
pub use registry::{BreakerRegistry, Overflow};
pub use window::Counts;
