//! Guards against load: what is too much for an upstream, and how we find out.

mod adaptive;
mod bulkhead;
mod chaos;
mod gate;
mod queue;
mod throttle;

pub use adaptive::{
    Adaptation, AdaptiveConfig, AdaptiveLimit, AdaptiveModel, AdaptivePolicy, AdaptiveSlot, Sample,
    Verdict,
};
pub use bulkhead::{Bulkhead, Slot};
pub use chaos::{Chaos, Injection};
pub use gate::PushbackGate;
pub use queue::Busy;
pub use throttle::{Asked, ClientThrottle, ThrottleConfig};
