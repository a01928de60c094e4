use std::time::Duration;

use palisade_core::{Sleep, Timer};

/// Waits on tokio's clock. Its sleeps must be polled inside a tokio runtime whose time driver is on.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    fn sleep(&self, duration: Duration) -> Sleep {
        // The inner future is made on the first poll, as a `Timer` promises to do nothing before it, and so that no
        // runtime is needed to build one. tokio caps durations too long for it by itself.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}
