use std::{fmt, sync::Arc};

use http::Extensions;
use palisade_core::{Clock, Instant, Timer};
use palisade_resilience::{Attempt, Deadline};

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

/// When whoever waits for this attempt gives it up: the request's deadline, or the attempt's own if that is earlier.
pub(crate) fn deadline(extensions: &Extensions) -> Option<Deadline> {
    let whole = extensions.get::<Deadline>().copied();
    let attempt = extensions
        .get::<Attempt>()
        .and_then(|attempt| attempt.deadline);
    match (whole, attempt) {
        (Some(whole), Some(attempt)) => Some(whole.min(attempt)),
        (whole, attempt) => whole.or(attempt),
    }
}
