use std::time::Duration;

use palisade_core::{Instant, RetryAfter};

use super::window::Counts;

/// What a breaker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Calls pass and are watched.
    Closed,
    /// Calls are refused.
    Open,
    /// A few trial calls pass.
    HalfOpen,
    /// Calls are refused until an operator says otherwise.
    ForcedOpen,
    /// Calls pass whatever happens, until an operator says otherwise. They are still counted.
    ForcedClosed,
    /// Calls pass and nothing is counted, until an operator says otherwise.
    Disabled,
}

/// How a call ended, as a breaker sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The upstream did its work.
    Success,
    /// The upstream failed, and perhaps said how long to stay away.
    Failure(Option<Duration>),
    /// The upstream works but asks everybody to stay away for so long. Counts only if the policy opens on advice.
    Pushback(Duration),
    /// Nothing was learnt, as it failed by somebody else's fault. Unless it had been slow already.
    #[default]
    Nothing,
    /// The caller gave it up. Nothing was learnt, unless it had been slow already, or so old that the policy takes it for a
    /// failure.
    Cancelled,
}

/// Why a call was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Denied {
    /// When asking again makes sense. Unknown while trial calls are under way.
    pub retry_after: RetryAfter,
    /// Why.
    pub why: DeniedWhy,
}

/// Why a call was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeniedWhy {
    /// The breaker is open.
    Open,
    /// It is half open, and all trial calls are under way.
    Probing,
    /// It has closed a moment ago, and lets only a share of the calls through.
    RampingUp,
    /// An operator holds it open.
    Forced,
    /// The registry holds as many live breakers as it may, so this key cannot have one.
    RegistryFull,
}

/// A change of phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The phase left.
    pub from: Phase,
    /// The phase entered.
    pub to: Phase,
    /// Why.
    pub cause: Cause,
    /// When.
    pub at: Instant,
    /// How long it will stay open, if it opened.
    pub open_for: Option<Duration>,
    /// What the window held when the phase was left.
    pub counts: Counts,
}

impl Change {
    pub(super) const fn new(
        (from, to): (Phase, Phase),
        cause: Cause,
        at: Instant,
        open_for: Option<Duration>,
        counts: Counts,
    ) -> Self {
        Self {
            from,
            to,
            cause,
            at,
            open_for,
            counts,
        }
    }
}

/// Why a breaker changed its phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Too large a share of the window failed.
    FailureRate,
    /// Too large a share of the window was slow.
    SlowRate,
    /// Too many failures in a row.
    ConsecutiveFailures,
    /// The upstream said how long to stay away.
    Advice,
    /// A trial call failed, or was slow.
    ProbeFailed,
    /// The trial calls did not come back.
    ProbeHung,
    /// The open time is over.
    WaitOver,
    /// All trial calls succeeded.
    ProbesSucceeded,
    /// An operator said so.
    Forced,
}
