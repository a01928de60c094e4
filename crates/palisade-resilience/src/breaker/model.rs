use std::time::Duration;

use palisade_core::{Decision, Instant, RetryAfter};

use super::{
    config::BreakerPolicy,
    window::{Counts, Mark, Sliding},
};

/// The breaker as a pure machine: what happened and the time go in, a permission or a change of phase comes out.
///
/// [`Breaker`](crate::Breaker) is this under a lock. It is public as the reference for anybody who keeps the state
/// elsewhere, and for tests.
///
/// ```text
///            too many failures            the wait is over
///   Closed ────────────────────▶ Open ──────────────────────▶ HalfOpen
///     ▲                           ▲     a probe failed           │  │
///     │                           └──────────────────────────────┘  │
///     └─────────────────────────────────────────────────────────────┘
///                        all probes succeeded
/// ```
///
/// Every change of phase begins a new *generation*. A [`Ticket`] carries the one it was issued in, and an outcome that
/// comes home to a later generation is counted nowhere: a call that began before the breaker opened says nothing about
/// the upstream's recovery.
#[derive(Clone, Debug)]
pub struct BreakerModel {
    policy: BreakerPolicy,
    mode: Mode,
    generation: u64,
    window: Sliding,
    /// Failures since the last success.
    in_a_row: u32,
    /// How often it has opened without staying closed for long in between.
    opens: u32,
    closed_since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Closed,
    Open {
        until: Instant,
    },
    HalfOpen {
        in_flight: u32,
        succeeded: u32,
        last_admitted: Instant,
    },
    ForcedOpen,
    ForcedClosed,
}

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
    /// Calls pass whatever happens, until an operator says otherwise.
    ForcedClosed,
}

/// The permission to make one call, to be handed back with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    generation: u64,
    admitted: Option<Instant>,
}

impl Ticket {
    pub(crate) const fn new(generation: u64, admitted: Option<Instant>) -> Self {
        Self {
            generation,
            admitted,
        }
    }
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
    /// Nothing was learnt: the call was cancelled, or failed by somebody else's fault. Unless it had been slow already.
    #[default]
    Nothing,
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

impl BreakerModel {
    /// A closed breaker that has seen nothing.
    #[must_use]
    pub fn new(policy: BreakerPolicy) -> Self {
        Self {
            window: Sliding::new(policy.config().window),
            policy,
            mode: Mode::Closed,
            generation: 0,
            in_a_row: 0,
            opens: 0,
            closed_since: Instant::ORIGIN,
        }
    }

    /// May a call be made now?
    pub fn admit(&mut self, now: Instant) -> (Decision<Ticket, Denied>, Option<Change>) {
        let config = *self.policy.config();
        match &mut self.mode {
            Mode::Closed | Mode::ForcedClosed => (self.ticket(now), None),
            Mode::ForcedOpen => (deny(RetryAfter::Unknown, DeniedWhy::Forced), None),
            Mode::Open { until } => {
                let left = until.saturating_since(now);
                if left > Duration::ZERO {
                    return (deny(RetryAfter::After(left), DeniedWhy::Open), None);
                }
                let change = self.enter(
                    Mode::HalfOpen {
                        in_flight: 1,
                        succeeded: 0,
                        last_admitted: now,
                    },
                    Cause::WaitOver,
                    None,
                    now,
                );
                (self.ticket(now), Some(change))
            }
            Mode::HalfOpen {
                in_flight,
                succeeded,
                last_admitted,
            } => {
                if *in_flight + *succeeded < config.probes {
                    *in_flight += 1;
                    *last_admitted = now;
                    return (self.ticket(now), None);
                }
                // A probe that never comes back (hung, or its permit forgotten) must not keep the door shut for ever.
                if now.saturating_since(*last_admitted) >= config.probe_max {
                    let change = self.trip(Cause::ProbeHung, None, now);
                    let wait = change.open_for.unwrap_or_default();
                    return (deny(RetryAfter::After(wait), DeniedWhy::Open), Some(change));
                }
                (deny(RetryAfter::Unknown, DeniedWhy::Probing), None)
            }
        }
    }

    /// A call has ended.
    pub fn end(&mut self, ticket: Ticket, ended: Ended, now: Instant) -> Option<Change> {
        if ticket.generation != self.generation {
            return None;
        }
        let config = self.policy.config();
        let slow = match (config.slow_after, ticket.admitted) {
            (Some(slow_after), Some(admitted)) => now.saturating_since(admitted) >= slow_after,
            _ => false,
        };
        let ended = match ended {
            // Being told to stay away is a failure for a breaker that obeys, and nothing for one that does not.
            Ended::Pushback(advice) if config.open_on_advice => Ended::Failure(Some(advice)),
            Ended::Pushback(_) => Ended::Nothing,
            other => other,
        };
        match self.mode {
            Mode::Closed | Mode::ForcedClosed => self.watch(ended, slow, now),
            Mode::HalfOpen { .. } => self.probe_ended(ended, slow, now),
            // Nobody was admitted in these generations.
            Mode::Open { .. } | Mode::ForcedOpen => None,
        }
    }

    /// Holds the breaker open, or closed, until [`release`](BreakerModel::release).
    pub fn force(&mut self, open: bool, now: Instant) -> Change {
        let mode = if open {
            Mode::ForcedOpen
        } else {
            Mode::ForcedClosed
        };
        self.enter(mode, Cause::Forced, None, now)
    }

    /// Ends a forced phase, or any other: closed, with nothing held against it.
    pub fn release(&mut self, now: Instant) -> Change {
        self.opens = 0;
        self.enter(Mode::Closed, Cause::Forced, None, now)
    }

    /// What it is doing. An open breaker whose time is over is still open until somebody asks to be admitted.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match self.mode {
            Mode::Closed => Phase::Closed,
            Mode::Open { .. } => Phase::Open,
            Mode::HalfOpen { .. } => Phase::HalfOpen,
            Mode::ForcedOpen => Phase::ForcedOpen,
            Mode::ForcedClosed => Phase::ForcedClosed,
        }
    }

    /// Until when it stays open, if it is.
    #[must_use]
    pub const fn open_until(&self) -> Option<Instant> {
        match self.mode {
            Mode::Open { until } => Some(until),
            _ => None,
        }
    }

    /// How often the phase has changed.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// What the window holds now.
    pub fn counts(&mut self, now: Instant) -> Counts {
        self.window.counts(now)
    }

    fn ticket(&self, now: Instant) -> Decision<Ticket, Denied> {
        Decision::Allow(Ticket::new(self.generation, Some(now)))
    }

    fn watch(&mut self, ended: Ended, slow: bool, now: Instant) -> Option<Change> {
        let failed = matches!(ended, Ended::Failure(_));
        // A caller who stopped waiting tells nothing, unless it was for so long that the wait itself tells enough.
        if ended == Ended::Nothing && !slow {
            return None;
        }
        let counts = self.window.record(Mark { failed, slow }, now);
        match ended {
            Ended::Success => self.in_a_row = 0,
            Ended::Failure(_) => self.in_a_row = self.in_a_row.saturating_add(1),
            Ended::Pushback(_) | Ended::Nothing => {}
        }
        if self.mode == Mode::ForcedClosed {
            return None;
        }
        let advice = match ended {
            Ended::Failure(advice) => advice,
            _ => None,
        };
        let cause = self.verdict(advice, counts)?;
        Some(self.trip(cause, advice, now))
    }

    /// Why the breaker should open now, if it should.
    fn verdict(&self, advice: Option<Duration>, counts: Counts) -> Option<Cause> {
        let config = self.policy.config();
        if config.open_on_advice && advice.is_some() {
            return Some(Cause::Advice);
        }
        if config
            .consecutive_failures
            .is_some_and(|limit| self.in_a_row >= limit)
        {
            return Some(Cause::ConsecutiveFailures);
        }
        if counts.calls < u64::from(config.minimum_calls) {
            return None;
        }
        let reaches = |part: u64, percent: u32| part * 100 >= counts.calls * u64::from(percent);
        if reaches(counts.failed, config.failure_rate) {
            Some(Cause::FailureRate)
        } else if config.slow_after.is_some() && reaches(counts.slow, config.slow_rate) {
            Some(Cause::SlowRate)
        } else {
            None
        }
    }

    fn probe_ended(&mut self, ended: Ended, slow: bool, now: Instant) -> Option<Change> {
        let config = *self.policy.config();
        let Mode::HalfOpen {
            in_flight,
            succeeded,
            ..
        } = &mut self.mode
        else {
            return None;
        };
        *in_flight = in_flight.saturating_sub(1);
        let too_slow = slow && config.slow_rate <= 100;
        match ended {
            Ended::Failure(advice) => Some(self.trip(Cause::ProbeFailed, advice, now)),
            _ if too_slow => Some(self.trip(Cause::ProbeFailed, None, now)),
            Ended::Success => {
                *succeeded += 1;
                (*succeeded >= config.probes)
                    .then(|| self.enter(Mode::Closed, Cause::ProbesSucceeded, None, now))
            }
            // The place is free again, and nothing was learnt.
            Ended::Pushback(_) | Ended::Nothing => None,
        }
    }

    fn trip(&mut self, cause: Cause, advice: Option<Duration>, now: Instant) -> Change {
        let config = *self.policy.config();
        let was_calm = self.mode == Mode::Closed
            && now.saturating_since(self.closed_since) >= config.open_for_max;
        self.opens = if was_calm {
            1
        } else {
            self.opens.saturating_add(1)
        };
        let doublings = (self.opens - 1).min(31);
        let own = config
            .open_for
            .saturating_mul(1 << doublings)
            .min(config.open_for_max);
        let advised = advice.unwrap_or_default().min(config.open_for_max);
        let open_for = own.max(advised);
        let until = now.saturating_add(open_for);
        self.enter(Mode::Open { until }, cause, Some(open_for), now)
    }

    fn enter(
        &mut self,
        mode: Mode,
        cause: Cause,
        open_for: Option<Duration>,
        now: Instant,
    ) -> Change {
        let from = self.phase();
        let counts = self.window.counts(now);
        self.mode = mode;
        self.generation += 1;
        self.window.clear();
        self.in_a_row = 0;
        if mode == Mode::Closed {
            self.closed_since = now;
        }
        Change {
            from,
            to: self.phase(),
            cause,
            at: now,
            open_for,
            counts,
        }
    }
}

fn deny<A>(retry_after: RetryAfter, why: DeniedWhy) -> Decision<A, Denied> {
    Decision::Deny(Denied { retry_after, why })
}
