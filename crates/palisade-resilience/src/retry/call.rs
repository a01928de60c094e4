use std::{fmt, time::Duration};

use palisade_core::{Clock, Instant};

use super::{
    end::{Next, Stop},
    future::Before,
};
use crate::{
    Certainty, Deadline, ErrorKind, Failure, Random, RetryBudget, RetryObserver, RetryOwner,
    RetryPolicy, Wait,
};

/// What is to be known about one call beyond the policy: may it be repeated, until when, on whose account.
///
/// [`retry`](crate::retry), [`hedge`](crate::hedge) and [`fallback`](crate::fallback) all take it, so that one request has
/// one answer to each of these, and one budget.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub(crate) idempotency: Idempotency,
    pub(crate) replayable: bool,
    pub(crate) owned: bool,
    pub(crate) deposits: bool,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) weight: u32,
    pub(crate) budget: Option<&'a RetryBudget>,
    pub(crate) random: Option<&'a Random>,
    pub(crate) observer: Option<&'a dyn RetryObserver>,
}

/// Whether carrying a request out twice does no harm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Idempotency {
    /// Nobody said so. It is repeated only after a failure that proves it was not carried out. The default.
    #[default]
    Undeclared,
    /// It does no harm: it only reads, or the host accepts to pay twice.
    Declared,
    /// It carries an idempotency key, by which the other side knows it again.
    Keyed,
    /// It must not be repeated whatever happens.
    Never,
}

impl Idempotency {
    /// Whether it may be sent again although it was perhaps carried out.
    #[must_use]
    pub const fn allows_twice(self) -> bool {
        matches!(self, Self::Declared | Self::Keyed)
    }

    /// Whether it may be sent again after `failure`.
    #[must_use]
    pub fn allows_after(self, failure: &Failure) -> bool {
        match self {
            Self::Declared | Self::Keyed => true,
            Self::Undeclared => failure.processed() == Certainty::No,
            Self::Never => false,
        }
    }
}

impl<'a> Call<'a> {
    /// A call of weight 1 without deadline, budget or observer.
    #[must_use]
    pub const fn new(idempotency: Idempotency) -> Self {
        Self {
            idempotency,
            replayable: true,
            owned: false,
            deposits: true,
            deadline: None,
            weight: 1,
            budget: None,
            random: None,
            observer: None,
        }
    }

    /// The same, to be answered by `deadline`. The earlier of this and the policy's total counts.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Deadline) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same, with retries, hedges and fallbacks paid from `budget`.
    #[must_use]
    pub const fn with_budget(mut self, budget: &'a RetryBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The same, of another weight in the budget: a retry of 100,000 tokens is not one of 100.
    #[must_use]
    pub const fn with_weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// The same, whose share somebody further out has paid into the budget already. A hedge inside a retry is such a call.
    #[must_use]
    pub const fn without_deposit(mut self) -> Self {
        self.deposits = false;
        self
    }

    /// The same, with a body that can or cannot be sent twice. One that cannot is never repeated, whatever was declared:
    /// a stream that has been read half would be sent as its second half.
    #[must_use]
    pub const fn with_replayable(mut self, replayable: bool) -> Self {
        self.replayable = replayable;
        self
    }

    /// The same as part of a request whose retries belong to somebody else: it stands down, and keeps their deadline.
    ///
    /// Three layers with three attempts each would otherwise make twenty-seven calls of one request.
    #[must_use]
    pub fn owned_by(mut self, owner: &RetryOwner) -> Self {
        self.owned = true;
        if let Some(deadline) = owner.deadline() {
            self.deadline = Some(self.deadline.map_or(deadline, |own| own.min(deadline)));
        }
        self
    }

    /// The same as part of an attempt of a retry further out: it stands down, and keeps the attempt's deadline.
    #[must_use]
    pub fn inside(mut self, attempt: &Attempt) -> Self {
        self.owned = true;
        if let Some(deadline) = attempt.deadline {
            self.deadline = Some(self.deadline.map_or(deadline, |own| own.min(deadline)));
        }
        self
    }

    /// The same, with jitter from this source instead of the process's own.
    #[must_use]
    pub const fn with_random(mut self, random: &'a Random) -> Self {
        self.random = Some(random);
        self
    }

    /// The same, telling `observer` of every failed attempt.
    #[must_use]
    pub const fn with_observer(mut self, observer: &'a dyn RetryObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Pays the call's share into the budget, unless that is done.
    #[inline]
    pub(crate) fn deposit(&self) {
        if let Some(budget) = self.budget
            && self.deposits
        {
            budget.deposit(self.weight);
        }
    }

    /// Takes one repetition out of the budget.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        self.budget
            .is_none_or(|budget| budget.withdraw(self.weight, now))
    }

    /// Whether the caller gave it a deadline.
    #[inline]
    pub(super) const fn is_limited(&self) -> bool {
        self.deadline.is_some()
    }

    /// The earlier of the caller's deadline and the end of the policy's total, if the call begins now.
    #[inline]
    pub(super) fn deadline_under(&self, policy: &RetryPolicy, now: Instant) -> Option<Deadline> {
        let total = policy
            .total()
            .map(|total| Deadline::at(now.saturating_add(total)));
        match (self.deadline, total) {
            (Some(given), Some(total)) => Some(given.min(total)),
            (given, total) => given.or(total),
        }
    }

    /// What follows this failure of attempt `number`, after a pause of `before` before it.
    pub(super) fn next(
        &self,
        policy: &RetryPolicy,
        before: &Before,
        failure: &Failure,
        clock: &(impl Clock + ?Sized),
    ) -> Next {
        let number = before.number;
        if !failure.is_retryable() {
            return Next::GiveUp(Stop::NotRetryable);
        }
        if failure.kind() == ErrorKind::CircuitOpen && !policy.waits_for_circuit() {
            return Next::GiveUp(Stop::CircuitOpen);
        }
        if number >= policy.attempts() {
            return Next::GiveUp(Stop::Attempts);
        }
        if self.owned {
            return Next::GiveUp(Stop::NotOwner);
        }
        if !self.idempotency.allows_after(failure) {
            return Next::GiveUp(Stop::NotIdempotent);
        }
        if !self.replayable {
            return Next::GiveUp(Stop::NotReplayable);
        }
        let random = self.random.unwrap_or_else(|| Random::process()).next();
        let advice = failure.advice();
        let pause = match policy
            .backoff()
            .wait_after(before.pause, number, advice, random)
        {
            Wait::For(pause) => pause,
            Wait::TooLong(_) => return Next::GiveUp(Stop::Advice),
            Wait::Never => return Next::GiveUp(Stop::NotRetryable),
        };
        if before.deadline.is_none() && self.budget.is_none() {
            return Next::RetryAfter(pause);
        }
        let now = clock.instant();
        // An attempt that would begin at the deadline is too late: nothing is left for it.
        if before
            .deadline
            .is_some_and(|deadline| pause >= deadline.remaining(now))
        {
            return Next::GiveUp(Stop::Deadline);
        }
        // Last, so that nothing is spent on a retry that another rule forbids.
        if !self.withdraw(now) {
            return Next::GiveUp(Stop::Budget);
        }
        Next::RetryAfter(pause)
    }
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self::new(Idempotency::default())
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("idempotency", &self.idempotency)
            .field("replayable", &self.replayable)
            .field("owned", &self.owned)
            .field("deadline", &self.deadline)
            .field("weight", &self.weight)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// One attempt, as the operation sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Which one it is; the first is 1.
    pub number: u32,
    /// Whether no other will follow by count.
    pub last: bool,
    /// When it will be given up: what the operation may pass on.
    pub deadline: Option<Deadline>,
}

impl Attempt {
    /// What is left for it at `now`; `None` if it has no limit.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.remaining(now))
    }
}
