use std::time::Duration;

use palisade_core::{Decision, Instant, RetryAfter};

use super::{
    config::BreakerPolicy,
    phase::{Cause, Change, Denied, DeniedWhy, Ended, Phase},
    ramp::Ramp,
    running::Running,
    window::{Counts, Mark, Sliding},
};
use crate::random;

/// The breaker as a pure machine: what happened and the time go in, a permission or a change of phase comes out.
///
/// [`Breaker`](crate::Breaker) is this under a lock, with a short cut past the lock for calls that cannot change anything.
/// It is public as the reference for anybody who keeps the state elsewhere, and for tests.
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
///
/// Only news that is bad can open it: a success never does, not even one that makes the window long enough to be judged.
/// The next failure will.
#[derive(Clone, Debug)]
pub struct BreakerModel {
    policy: BreakerPolicy,
    mode: Mode,
    generation: u64,
    window: Sliding,
    /// Those that wait for their first token, and those that wait for their end.
    waiting: Option<Running>,
    running: Option<Running>,
    /// Failures since the last success.
    in_a_row: u32,
    /// How often it has opened without staying closed for long in between.
    opens: u32,
    closed_since: Instant,
    ramp: Option<Ramp>,
    /// The state of the jitter.
    dice: u64,
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
    Disabled,
}

/// The permission to make one call, to be handed back with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    generation: u64,
    admitted: Option<Instant>,
    watched: Watched,
}

/// In which list of calls under way a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watched {
    Not,
    UntilFirstToken(u64),
    UntilEnd(u64),
    /// It was found late, and counted as slow then.
    Counted,
}

impl Ticket {
    pub(super) const fn new(generation: u64, admitted: Option<Instant>) -> Self {
        Self {
            generation,
            admitted,
            watched: Watched::Not,
        }
    }

    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn age(&self, now: Instant) -> Option<Duration> {
        self.admitted.map(|admitted| now.saturating_since(admitted))
    }
}

impl BreakerModel {
    /// A closed breaker that has seen nothing.
    #[must_use]
    pub fn new(policy: BreakerPolicy) -> Self {
        let config = policy.config();
        Self {
            window: Sliding::new(config.window),
            waiting: config.slow_first_token.map(Running::new),
            running: config.slow_after.map(Running::new),
            policy,
            mode: Mode::Closed,
            generation: 0,
            in_a_row: 0,
            opens: 0,
            closed_since: Instant::ORIGIN,
            ramp: None,
            dice: 0,
        }
    }

    /// The same, with other chances. Two models with one seed and one history do the same.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.dice = seed;
        self
    }

    /// May a call be made now?
    pub fn admit(&mut self, now: Instant) -> (Decision<Ticket, Denied>, Option<Change>) {
        let config = *self.policy.config();
        if let Some(change) = self.check(now) {
            let wait = change.open_for.unwrap_or_default();
            return (deny(RetryAfter::After(wait), DeniedWhy::Open), Some(change));
        }
        match &mut self.mode {
            Mode::Closed => (self.admit_closed(now), None),
            Mode::ForcedClosed | Mode::Disabled => (Decision::Allow(self.ticket(now)), None),
            Mode::ForcedOpen => (deny(RetryAfter::Unknown, DeniedWhy::Forced), None),
            Mode::Open { until } => {
                let left = until.saturating_since(now);
                if left > Duration::ZERO {
                    return (deny(RetryAfter::After(left), DeniedWhy::Open), None);
                }
                let half_open = Mode::HalfOpen {
                    in_flight: 1,
                    succeeded: 0,
                    last_admitted: now,
                };
                let change = self.enter(half_open, Cause::WaitOver, None, now);
                (Decision::Allow(self.ticket(now)), Some(change))
            }
            Mode::HalfOpen {
                in_flight,
                succeeded,
                last_admitted,
            } => {
                if *in_flight + *succeeded < config.probes {
                    *in_flight += 1;
                    *last_admitted = now;
                    return (Decision::Allow(self.ticket(now)), None);
                }
                (deny(RetryAfter::Unknown, DeniedWhy::Probing), None)
            }
        }
    }

    /// The first token of a call has come. Matters only to a policy that knows a time for it.
    pub fn first_token(&mut self, ticket: &mut Ticket, now: Instant) -> Option<Change> {
        if ticket.generation != self.generation {
            return None;
        }
        let limit = self.policy.config().slow_first_token?;
        let slow = ticket.age(now).is_some_and(|age| age >= limit);
        match (self.mode, ticket.watched) {
            (Mode::Closed | Mode::ForcedClosed, Watched::UntilFirstToken(slot)) => {
                if !self.waiting.as_mut().is_some_and(|list| list.remove(slot)) {
                    ticket.watched = Watched::Counted;
                    return None;
                }
                if !slow {
                    ticket.watched = self.watch_until_end(ticket.admitted);
                    return None;
                }
                ticket.watched = Watched::Counted;
                self.record(
                    Mark {
                        call: true,
                        failed: false,
                        slow,
                    },
                    None,
                    now,
                )
            }
            (Mode::HalfOpen { .. }, Watched::Not) if slow && self.judges_slowness() => {
                Some(self.trip(Cause::ProbeFailed, None, now))
            }
            _ => None,
        }
    }

    /// A call has ended.
    pub fn end(&mut self, ticket: Ticket, ended: Ended, now: Instant) -> Option<Change> {
        if ticket.generation != self.generation {
            return None;
        }
        let config = self.policy.config();
        let age = ticket.age(now);
        let older =
            |limit: Option<Duration>| age.zip(limit).is_some_and(|(age, limit)| age >= limit);
        let ended = match ended {
            // Being told to stay away is a failure for a breaker that obeys, and nothing for one that does not.
            Ended::Pushback(advice) if config.open_on_advice => Ended::Failure(Some(advice)),
            Ended::Pushback(_) => Ended::Nothing,
            Ended::Cancelled if older(config.abandoned_after) => Ended::Failure(None),
            Ended::Cancelled => Ended::Nothing,
            other => other,
        };
        let slow = older(config.slow_after);
        match self.mode {
            Mode::Closed | Mode::ForcedClosed => {
                let slow = slow
                    || matches!(ticket.watched, Watched::UntilFirstToken(_))
                        && older(config.slow_first_token);
                self.watched_ended(ticket, ended, slow, now)
            }
            Mode::HalfOpen { .. } => self.probe_ended(ended, slow, now),
            // Nobody was admitted in these generations, or nobody counts.
            Mode::Open { .. } | Mode::ForcedOpen | Mode::Disabled => None,
        }
    }

    /// Looks for what the passing of time alone has made bad: calls that hang, trial calls that do not come back. `admit`
    /// does this by itself; it is for hosts that want to know without making a call.
    pub fn check(&mut self, now: Instant) -> Option<Change> {
        let config = *self.policy.config();
        match self.mode {
            Mode::Closed | Mode::ForcedClosed => self.count_late(now),
            Mode::HalfOpen {
                in_flight,
                succeeded,
                last_admitted,
            } if in_flight > 0 && in_flight + succeeded >= config.probes => {
                // A probe that never comes back (hung, or its permit forgotten) must not keep the door shut for ever, and
                // one that is slow already need not be waited for.
                let patience = config
                    .slow_after
                    .filter(|_| self.judges_slowness())
                    .map_or(config.probe_max, |slow| slow.min(config.probe_max));
                (now.saturating_since(last_admitted) >= patience)
                    .then(|| self.trip(Cause::ProbeHung, None, now))
            }
            _ => None,
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

    /// Lets everything pass and counts nothing, until [`release`](BreakerModel::release).
    pub fn disable(&mut self, now: Instant) -> Change {
        self.enter(Mode::Disabled, Cause::Forced, None, now)
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
            Mode::Disabled => Phase::Disabled,
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

    /// Whether `admit` would let everybody pass and change nothing, whatever the time.
    pub(super) const fn passes_all(&self) -> bool {
        match self.mode {
            Mode::Closed => self.ramp.is_none() && !self.policy.watches_running(),
            Mode::ForcedClosed => !self.policy.watches_running(),
            Mode::Disabled => true,
            Mode::Open { .. } | Mode::HalfOpen { .. } | Mode::ForcedOpen => false,
        }
    }

    /// Whether the end of a successful call is one more call in the newest part of the window, and nothing else.
    pub(super) const fn successes_only_count(&self) -> bool {
        matches!(self.mode, Mode::Closed | Mode::ForcedClosed) && !self.policy.watches_running()
    }

    /// Counts so many successes that came after everything told so far, and before [`turns_at`](Self::turns_at).
    pub(super) fn successes(&mut self, count: u64) {
        if count > 0 {
            self.window.successes(count);
            self.in_a_row = 0;
        }
    }

    /// Moves the window on, and says when the time comes to do it again.
    pub(super) fn turns_at(&mut self, now: Instant) -> u64 {
        self.window.advance(now);
        self.window.turns_at()
    }

    fn admit_closed(&mut self, now: Instant) -> Decision<Ticket, Denied> {
        if let Some(ramp) = &mut self.ramp {
            match ramp.admit(self.policy.config(), now) {
                None => self.ramp = None,
                Some(Decision::Allow(())) => {}
                Some(Decision::Deny(left)) => {
                    return deny(RetryAfter::After(left), DeniedWhy::RampingUp);
                }
            }
        }
        let mut ticket = self.ticket(now);
        ticket.watched = match &mut self.waiting {
            Some(waiting) => Watched::UntilFirstToken(waiting.add(now)),
            None => self.watch_until_end(Some(now)),
        };
        Decision::Allow(ticket)
    }

    fn watch_until_end(&mut self, admitted: Option<Instant>) -> Watched {
        match (&mut self.running, admitted) {
            (Some(running), Some(admitted)) => Watched::UntilEnd(running.add(admitted)),
            _ => Watched::Not,
        }
    }

    fn ticket(&self, now: Instant) -> Ticket {
        Ticket::new(self.generation, Some(now))
    }

    const fn judges_slowness(&self) -> bool {
        self.policy.config().slow_rate <= 100
    }

    fn count_late(&mut self, now: Instant) -> Option<Change> {
        let lists = [&mut self.waiting, &mut self.running];
        let late: u64 = lists.into_iter().flatten().map(|list| list.late(now)).sum();
        let slow = Mark {
            call: true,
            failed: false,
            slow: true,
        };
        // Once it has opened, the rest would be held against the time after it.
        (0..late).find_map(|_| self.record(slow, None, now))
    }

    fn watched_ended(
        &mut self,
        ticket: Ticket,
        ended: Ended,
        slow: bool,
        now: Instant,
    ) -> Option<Change> {
        let counted = match ticket.watched {
            Watched::Not => false,
            Watched::Counted => true,
            Watched::UntilFirstToken(slot) => {
                !self.waiting.as_mut().is_some_and(|list| list.remove(slot))
            }
            Watched::UntilEnd(slot) => !self.running.as_mut().is_some_and(|list| list.remove(slot)),
        };
        let (failed, advice) = match ended {
            Ended::Success => {
                self.in_a_row = 0;
                (false, None)
            }
            Ended::Failure(advice) => {
                self.in_a_row = self.in_a_row.saturating_add(1);
                (true, advice)
            }
            // A caller who stopped waiting tells nothing, unless it was for so long that the wait itself tells enough.
            Ended::Pushback(_) | Ended::Nothing | Ended::Cancelled if !slow => return None,
            Ended::Pushback(_) | Ended::Nothing | Ended::Cancelled => (false, None),
        };
        let mark = Mark {
            call: !counted,
            failed,
            slow: slow && !counted,
        };
        self.record(mark, advice, now)
    }

    fn record(&mut self, mark: Mark, advice: Option<Duration>, now: Instant) -> Option<Change> {
        let counts = self.window.record(mark, now);
        if self.mode == Mode::ForcedClosed || !(mark.failed || mark.slow) {
            return None;
        }
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
        // What was held against a call later than the call itself may outlive it in the window.
        if reaches(counts.failed.min(counts.calls), config.failure_rate) {
            Some(Cause::FailureRate)
        } else if self.policy.watches_running()
            && reaches(counts.slow.min(counts.calls), config.slow_rate)
        {
            Some(Cause::SlowRate)
        } else {
            None
        }
    }

    fn probe_ended(&mut self, ended: Ended, slow: bool, now: Instant) -> Option<Change> {
        let probes = self.policy.config().probes;
        let too_slow = slow && self.judges_slowness();
        let Mode::HalfOpen {
            in_flight,
            succeeded,
            ..
        } = &mut self.mode
        else {
            return None;
        };
        *in_flight = in_flight.saturating_sub(1);
        match ended {
            Ended::Failure(advice) => Some(self.trip(Cause::ProbeFailed, advice, now)),
            _ if too_slow => Some(self.trip(Cause::ProbeFailed, None, now)),
            Ended::Success => {
                *succeeded += 1;
                (*succeeded >= probes)
                    .then(|| self.enter(Mode::Closed, Cause::ProbesSucceeded, None, now))
            }
            // The place is free again, and nothing was learnt.
            Ended::Pushback(_) | Ended::Nothing | Ended::Cancelled => None,
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
        let least = own.max(advised);
        let most_extra = least.saturating_mul(config.open_jitter) / 100;
        let open_for = least.saturating_add(random::part(most_extra, random::step(&mut self.dice)));
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
        for list in [&mut self.waiting, &mut self.running].into_iter().flatten() {
            list.clear();
        }
        self.in_a_row = 0;
        self.ramp = None;
        if mode == Mode::Closed {
            self.closed_since = now;
            let ramps =
                cause == Cause::ProbesSucceeded && self.policy.config().ramp_for > Duration::ZERO;
            self.ramp = ramps.then(|| Ramp::new(now));
        }
        Change::new((from, self.phase()), cause, now, open_for, counts)
    }
}

fn deny<A>(retry_after: RetryAfter, why: DeniedWhy) -> Decision<A, Denied> {
    Decision::Deny(Denied { retry_after, why })
}
