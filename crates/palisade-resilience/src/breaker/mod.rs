mod config;
mod events;
mod handle;
mod model;
mod pending;
mod permit;
mod phase;
mod ramp;
mod registry;
mod running;
#[cfg(feature = "tracing")]
mod traced;
mod window;

pub use config::{BreakerConfig, BreakerPolicy, Window};
pub use events::{BreakerEvent, BreakerEvents, Subscription};
pub use handle::{Breaker, BreakerObserver, BreakerStatus};
pub use model::{BreakerModel, Ticket};
pub use permit::{BorrowedPermit, Permit};
pub use phase::{Cause, Change, Denied, DeniedWhy, Ended, Phase};
pub use registry::{BreakerRegistry, Overflow};
#[cfg(feature = "tracing")]
pub use traced::TracedChanges;
pub use window::Counts;
pub(crate) use window::{Mark, Sliding};
