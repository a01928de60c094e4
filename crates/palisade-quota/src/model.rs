//! The pure decision. A backend loads what it knows, asks these functions, and stores what they answer, inside one
//! transaction; it decides nothing on its own.

use palisade_core::{Decision, Key, RetryAfter, Timestamp};

use crate::{
    Allowance, Amount, Granted, Hold, Measure, Outcome, Period, Phase, Quota, Refusal, Refused,
    RequestError, ReserveRequest, Resolution, Window,
};

/// One scope as a backend has loaded it for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeState {
    /// The scope.
    pub scope: Key,
    /// Its quota: its own or, if it has none, the default.
    pub quota: Quota,
    /// The quota's window around the time of the decision: [`Quota::window`]. A new hold belongs to it.
    pub window: Window,
    /// What is booked in this window, the one with this start; for a rolling period, in all windows of [`Quota::span`].
    pub spent: Amount,
    /// The sum of what live holds hold back there.
    pub held: Amount,
    /// What was granted on top of the quota there.
    pub extra: Amount,
    /// Whether an administrator has shut the scope.
    pub blocked: bool,
}

impl ScopeState {
    /// A scope at `now`.
    #[must_use]
    pub const fn new(
        scope: Key,
        quota: Quota,
        window: Window,
        spent: Amount,
        held: Amount,
    ) -> Self {
        Self {
            scope,
            quota,
            window,
            spent,
            held,
            extra: Amount::ZERO,
            blocked: false,
        }
    }

    /// The same with so much granted on top of the quota.
    #[must_use]
    pub const fn with_extra(mut self, extra: Amount) -> Self {
        self.extra = extra;
        self
    }

    /// The same, shut or not.
    #[must_use]
    pub const fn with_blocked(mut self, blocked: bool) -> Self {
        self.blocked = blocked;
        self
    }

    /// What may be spent and held in all: the limit and what was granted on top of it.
    pub(crate) fn ceiling(&self, measure: Measure) -> i64 {
        let limit = self.quota.ceiling(measure);
        limit.saturating_add(self.extra.get(measure))
    }

    /// Spent and held together. Wider than either, so that it cannot overflow.
    fn charged(&self, measure: Measure) -> i128 {
        i128::from(self.spent.get(measure)) + i128::from(self.held.get(measure))
    }

    /// Whether nothing keeps `ask` out, or else the first measure that does, and when to come back.
    fn admits(&self, ask: Amount, now: Timestamp) -> Result<(), (Measure, RetryAfter)> {
        for measure in Measure::ALL {
            let wanted = ask.get(measure);
            // Who asks nothing of a measure does not need it: a free model may run when the money is gone. But whoever
            // asks nothing at all has not estimated, and must not slip past a debt.
            if wanted == 0 && !ask.is_zero() {
                continue;
            }
            let limit = self.ceiling(measure);
            if wanted > limit {
                return Err((measure, RetryAfter::Never));
            }
            if self.charged(measure) + i128::from(wanted) > i128::from(limit) {
                let wait = self.window.remaining(now);
                return Err((measure, wait.map_or(RetryAfter::Unknown, RetryAfter::After)));
            }
        }
        Ok(())
    }
}

/// How a scope stands. At all times `limit + debt = spent + held + free`, in each limited measure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Balance {
    /// The scope.
    pub scope: Key,
    /// The window it speaks of.
    pub window: Window,
    /// Which kind of window that is.
    pub period: Period,
    /// What the window allows.
    pub limit: Allowance,
    /// What is booked as spent.
    pub spent: Amount,
    /// What reservations hold back.
    pub held: Amount,
    /// What may still be reserved; no limit where there is none.
    pub free: Allowance,
    /// By how much spent and held exceed the limit: a call cost more than it had reserved, or the limit was lowered.
    pub debt: Amount,
    /// What an administrator granted in this window; it is part of the limit.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Amount::is_nothing"))]
    pub extra: Amount,
    /// Whether an administrator has shut the scope, whatever is free.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "std::ops::Not::not"))]
    pub blocked: bool,
}

/// How a scope stands.
#[must_use]
pub fn balance(state: &ScopeState) -> Balance {
    let rest = |measure| i128::from(state.ceiling(measure)) - state.charged(measure);
    let part = |signed: i128| i64::try_from(signed.max(0)).unwrap_or(i64::MAX);
    let each = |sign: i128| Amount::by_measure(|measure| part(sign * rest(measure)));
    let is_limited = |measure| state.quota.limit(measure).is_some();
    let limit = Amount::by_measure(|measure| state.ceiling(measure));
    Balance {
        scope: state.scope.clone(),
        window: state.quota.period().span(state.window),
        period: state.quota.period(),
        limit: Allowance::of(limit, is_limited),
        spent: state.spent,
        held: state.held,
        free: Allowance::of(each(1), is_limited),
        debt: each(-1),
        extra: state.extra,
        blocked: state.blocked,
    }
}

/// Whether a new reservation is granted: in all of its scopes or in none.
///
/// `scopes` are the request's, in its order. After `Allow` the backend stores [`Hold::granted`] and adds the asked
/// amount to what each scope holds.
pub fn decide(
    request: &ReserveRequest,
    scopes: &[ScopeState],
    now: Timestamp,
) -> Decision<Granted, Refused> {
    if let Some(state) = scopes.iter().find(|state| state.blocked) {
        let balance = Box::new(balance(state));
        return Decision::Deny(Refused::new(
            Refusal::Blocked { balance },
            RetryAfter::Unknown,
        ));
    }
    let refusals = scopes.iter().filter_map(|state| {
        let (measure, retry_after) = state.admits(request.ask(), now).err()?;
        Some((state, measure, retry_after))
    });
    // Of equals the last: which one does not matter, as long as every backend names the same.
    if let Some((state, measure, retry_after)) = refusals.max_by_key(|(.., wait)| patience(*wait)) {
        let balance = Box::new(balance(state));
        return Decision::Deny(Refused::new(
            Refusal::Exhausted { measure, balance },
            retry_after,
        ));
    }
    let balances = scopes.iter().map(|state| {
        let held = state.held.checked_add(request.ask());
        // The sum is at most the ceiling: `admits` has just said so, or nothing of that measure was asked for.
        balance(&ScopeState {
            held: held.unwrap_or(state.held),
            ..state.clone()
        })
    });
    Decision::Allow(Granted::new(
        request.id(),
        request.ask(),
        request.deadline(now),
        false,
        balances.collect(),
    ))
}

/// The answer to a `reserve` whose id the ledger knows already.
///
/// `scopes` are the request's, as for [`decide`].
///
/// # Errors
///
/// [`RequestError::IdInUse`] if the id belongs to a reservation of other scopes or another amount.
pub fn repeat(
    request: &ReserveRequest,
    hold: &Hold,
    scopes: &[ScopeState],
    now: Timestamp,
) -> Result<Decision<Granted, Refused>, RequestError> {
    let same = hold.id == request.id()
        && hold.ask == request.ask()
        && hold
            .places
            .iter()
            .map(|place| &place.scope)
            .eq(request.scopes());
    if !same {
        return Err(RequestError::IdInUse);
    }
    Ok(match ended(hold, now) {
        Some(outcome) => Decision::Deny(Refused::new(
            Refusal::Ended(Resolution::new(outcome, true)),
            RetryAfter::Never,
        )),
        None => Decision::Allow(Granted::new(
            hold.id,
            hold.ask,
            hold.deadline,
            true,
            scopes.iter().map(balance).collect(),
        )),
    })
}

/// How a caller ends a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolve {
    /// It did cost this much.
    Settle(Amount),
    /// It cost nothing.
    Release,
}

/// What a resolution does: the answer, and what to store, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The answer to the caller.
    pub resolution: Resolution,
    /// What to change; `None` if the hold had ended before.
    pub change: Option<Change>,
}

/// A hold's step into another phase. A backend applies all of it, at each of the hold's places, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The hold's next phase.
    pub phase: Phase,
    /// What to take off the held sum of each place, if the backend keeps one.
    pub unhold: Amount,
    /// What to add to the spent sum of each place. If a sum leaves its range, the backend answers
    /// [`RequestError::Overflow`] and changes nothing.
    pub spend: Amount,
}

/// What `settle` and `release` do to a hold.
#[must_use]
pub fn resolve(hold: &Hold, how: Resolve, now: Timestamp) -> Step {
    // What the hold still keeps in a stored sum: all until a change has taken it out, overdue or not.
    let unhold = if hold.phase == Phase::Held {
        hold.ask
    } else {
        Amount::ZERO
    };
    let step = |outcome, phase, spend| Step {
        resolution: Resolution::new(outcome, false),
        change: Some(Change {
            phase,
            unhold,
            spend,
        }),
    };
    match (ended(hold, now), how) {
        (None | Some(Outcome::Expired), Resolve::Settle(actual)) => {
            let late = ended(hold, now).is_some();
            step(
                Outcome::Settled { actual, late },
                Phase::Settled { actual, late },
                actual,
            )
        }
        (None, Resolve::Release) => step(Outcome::Released, Phase::Released, Amount::ZERO),
        (Some(outcome), _) => Step {
            resolution: Resolution::new(outcome, true),
            change: expire(hold, now),
        },
    }
}

/// Notes that a hold's time is over, if it is and nobody has noted it.
#[must_use]
pub fn expire(hold: &Hold, now: Timestamp) -> Option<Change> {
    let overdue = hold.phase == Phase::Held && now >= hold.deadline;
    overdue.then_some(Change {
        phase: Phase::Expired,
        unhold: hold.ask,
        spend: Amount::ZERO,
    })
}

/// What happens to a scope's running window when its quota changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a move has two ends")]
pub struct Move {
    /// The window that runs under the old quota. The scope has no such window any more.
    pub from: Window,
    /// The window around the same instant under the new quota, with its own end even if the start is the same.
    pub to: Window,
}

/// Whether a new quota changes a scope's running window, and into which.
///
/// If so, the backend adds what the old window has spent and holds to the new one and points the [places](crate::Place)
/// of all holds of the old window to the new one, the ended ones too, in the transaction that stores the quota.
/// Without it, changing the zone at noon would hand out a second allowance for the day. Where the old period is a
/// [rolling](crate::Period::Rolling) one there are several windows to move: see [`moves`].
#[must_use]
pub fn moved(old: &Quota, new: &Quota, now: Timestamp) -> Option<Move> {
    let (from, to) = (old.window(now), new.window(now));
    (from != to).then_some(Move { from, to })
}

/// Every move that a new quota makes necessary: of the running window or, where the old period is a rolling one, of all its
/// slices that still count. All of them lead into the same window.
#[must_use]
pub fn moves(old: &Quota, new: &Quota, now: Timestamp) -> Vec<Move> {
    let to = new.window(now);
    let newest = old.window(now);
    let Period::Rolling(rolling) = old.period() else {
        return moved(old, new, now).into_iter().collect();
    };
    if old.period() == new.period() {
        return Vec::new();
    }
    let span = old.period().span(newest);
    let mut moves = Vec::new();
    let mut from = newest;
    loop {
        if from != to {
            moves.push(Move { from, to });
        }
        let start = from.start().saturating_sub(rolling.slice());
        if from.start() <= span.start() || start == from.start() {
            return moves;
        }
        // It ends after it starts.
        from = Window::new(start, from.start()).unwrap_or(from);
    }
}

/// How a hold has ended by `now`, if it has.
fn ended(hold: &Hold, now: Timestamp) -> Option<Outcome> {
    match hold.phase {
        Phase::Held if now < hold.deadline => None,
        Phase::Held | Phase::Expired => Some(Outcome::Expired),
        Phase::Settled { actual, late } => Some(Outcome::Settled { actual, late }),
        Phase::Released => Some(Outcome::Released),
    }
}

/// Orders advice by how long it keeps the caller away.
fn patience(advice: RetryAfter) -> (u8, std::time::Duration) {
    match advice {
        RetryAfter::After(wait) => (0, wait),
        RetryAfter::Never => (2, std::time::Duration::ZERO),
        _ => (1, std::time::Duration::ZERO),
    }
}
