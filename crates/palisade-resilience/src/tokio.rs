use std::time::Duration;

use palisade_core::{Sleep, Timer};

/// Waits on tokio's clock. Its sleeps must be polled inside a tokio runtime whose time driver is on.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    fn sleep(&self, duration: Duration) -> Sleep {
        // The inner future is made on the first poll, as a `Timer` promises to do nothing before it, and so that no
        // runtime is needed to build one. tokio caps durations too long for it by itself.
        Box::pin(async move { ::tokio::time::sleep(duration).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeout;

    #[test]
    fn a_time_out_elapses_on_tokios_clock() {
        // Made outside of the runtime, as a host builds its services before it starts.
        let late = timeout(
            &TokioTimer,
            Duration::from_secs(3_600),
            std::future::pending::<()>(),
        );
        let runtime = ::tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        assert!(runtime.block_on(late).is_err());
    }
}
