use palisade_core::Key;

use super::{
    handle::BreakerObserver,
    phase::{Change, Phase},
};

/// Tells every change of phase to `tracing`: a warning when a breaker opens, an information otherwise.
///
/// The target is `palisade::breaker`. Keys are shown, so choose them without secrets: a credential by its name or digest.
///
/// ```
/// use palisade_core::{Key, ManualClock};
/// use palisade_resilience::{BreakerPolicy, BreakerRegistry, TracedChanges};
///
/// let breakers = BreakerRegistry::new(BreakerPolicy::default(), ManualClock::default())
///     .with_observer(TracedChanges);
/// # let _ = breakers;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TracedChanges;

impl BreakerObserver for TracedChanges {
    fn changed(&self, key: &Key, change: &Change) {
        let (from, to, cause) = (change.from, change.to, change.cause);
        let counts = change.counts;
        let open_ms = change
            .open_for
            .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        macro_rules! tell {
            ($level:ident) => {
                tracing::$level!(
                    target: "palisade::breaker",
                    %key,
                    ?from,
                    ?to,
                    ?cause,
                    open_ms,
                    calls = counts.calls,
                    failed = counts.failed,
                    slow = counts.slow,
                    "the breaker changed its phase"
                )
            };
        }
        if matches!(to, Phase::Open | Phase::ForcedOpen) {
            tell!(warn);
        } else {
            tell!(info);
        }
    }
}
