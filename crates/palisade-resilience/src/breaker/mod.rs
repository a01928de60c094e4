mod config;
mod handle;
mod model;
mod pending;
mod permit;
mod phase;
mod ramp;
mod registry;
mod running;
mod window;

pub use config::{BreakerConfig, BreakerPolicy, Window};
pub use handle::{Breaker, BreakerObserver, BreakerStatus};
pub use model::{BreakerModel, Ticket};
pub use permit::{BorrowedPermit, Permit};
pub use phase::{Cause, Change, Denied, DeniedWhy, Ended, Phase};
pub use registry::{BreakerRegistry, Overflow};
pub use window::Counts;
