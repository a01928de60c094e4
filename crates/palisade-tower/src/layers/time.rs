use std::{fmt, sync::Arc};

use palisade_core::{Clock, Instant, Timer};

/// The clock and the timer the layers live by.
#[derive(Clone)]
pub struct Time {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timer: Arc<dyn Timer>,
}

impl Time {
    /// Reads `clock` and waits on `timer`. The two must belong together: a test gives its `ManualClock` twice.
    pub fn new(clock: impl Clock + 'static, timer: impl Timer + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            timer: Arc::new(timer),
        }
    }

    pub(crate) fn instant(&self) -> Instant {
        self.clock.instant()
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}
