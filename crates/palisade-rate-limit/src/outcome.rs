use std::time::Duration;

use palisade_core::RetryAfter;

use crate::Limit;

/// How one limit stands for its key after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The limit.
    pub limit: Limit,
    /// How much may still pass at this instant.
    pub remaining: u64,
    /// How long until the whole burst is there again, if nobody asks meanwhile.
    pub reset: Duration,
    /// When this limit would let this charge pass; `None` if it did, or would have.
    pub retry_after: Option<RetryAfter>,
}

impl Status {
    /// How a limit stands. For backends; callers receive it.
    #[must_use]
    pub const fn new(
        limit: Limit,
        remaining: u64,
        reset: Duration,
        retry_after: Option<RetryAfter>,
    ) -> Self {
        Self {
            limit,
            remaining,
            reset,
            retry_after,
        }
    }

    /// Whether so much is used that the limit's [soft part](Limit::with_soft_percent) is passed: the time to slow down,
    /// or to buy more, is before the refusal.
    #[must_use]
    pub fn is_soft_breach(&self) -> bool {
        let percent = u128::from(self.limit.soft_percent());
        let used = u128::from(self.limit.burst().saturating_sub(self.remaining));
        percent < 100 && used * 100 > u128::from(self.limit.burst()) * percent
    }
}

/// Who gave an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The store that everybody shares, or the one and only process.
    #[default]
    Store,
    /// A slice of the limit that this process has borrowed from the store.
    Lease,
    /// This process alone, while the store did not answer.
    Local,
    /// A setting, without looking: the store did not answer, or a list says so.
    Default,
}

/// The request may go, and was charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    statuses: Statuses,
    source: Source,
    /// Boxed, since there is hardly ever one, and every answer carries it.
    would_refuse: Option<Box<[Status]>>,
}

/// How a reservation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Now, and what was used stands for what was reserved.
    Settled,
    /// Earlier. Nothing has changed.
    Earlier,
    /// The store does not remember it, or not any more. What had been reserved stays charged, and what was used beyond
    /// it was charged now.
    Expired,
}

/// What a settlement has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    outcome: Outcome,
    statuses: Vec<Status>,
}

impl Settled {
    /// An answer from the outcome and the status of every use, in their order. For backends.
    #[must_use]
    pub const fn new(outcome: Outcome, statuses: Vec<Status>) -> Self {
        Self { outcome, statuses }
    }

    /// How the reservation ended.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// How each limit stands now, in the order of the uses.
    #[must_use]
    pub fn statuses(&self) -> &[Status] {
        &self.statuses
    }
}

/// The request may not go, and was charged nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    statuses: Statuses,
    binding: usize,
    retry_after: RetryAfter,
    source: Source,
}

impl Allowed {
    /// An answer from the status of every charge, in the order of the request. For backends. `None` if there is none,
    /// or if one of them refuses.
    #[must_use]
    pub fn from_statuses(statuses: impl IntoIterator<Item = Status>) -> Option<Self> {
        let statuses = Statuses::new(statuses)?;
        statuses
            .iter()
            .all(|status| status.retry_after.is_none())
            .then_some(Self {
                statuses,
                source: Source::Store,
                would_refuse: None,
            })
    }

    /// The same answer from somebody else than the store.
    #[must_use]
    pub const fn with_source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// Who gave the answer.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// Whether a limit has passed its [soft part](Limit::with_soft_percent).
    #[must_use]
    pub fn is_soft_breach(&self) -> bool {
        self.statuses.iter().any(Status::is_soft_breach)
    }

    pub(crate) const fn one(status: Status) -> Self {
        let rest = Vec::new();
        Self {
            statuses: Statuses {
                first: status,
                rest,
            },
            source: Source::Store,
            would_refuse: None,
        }
    }

    /// The same answer with those of the limits that would have refused, if they did not [only
    /// observe](crate::Mode::Observe). Their waits stand in these alone.
    #[must_use]
    pub fn with_would_refuse(mut self, statuses: Vec<Status>) -> Self {
        self.would_refuse = (!statuses.is_empty()).then(|| statuses.into());
        self
    }

    /// The limits that would have refused, if they did not only observe. What the request would have cost them was not
    /// charged.
    #[must_use]
    pub fn would_refuse(&self) -> &[Status] {
        self.would_refuse.as_deref().unwrap_or_default()
    }

    /// How each limit stands, in the order of the charges.
    #[must_use]
    pub fn statuses(&self) -> impl ExactSizeIterator<Item = &Status> + Clone {
        self.statuses.iter()
    }

    /// The limit that will refuse first: the one with the least remaining.
    #[must_use]
    pub fn binding(&self) -> &Status {
        self.statuses.least(|status| status.remaining)
    }
}

impl Denied {
    /// An answer from the status of every charge, in the order of the request. For backends. `None` if there is none,
    /// or if none of them refuses.
    #[must_use]
    pub fn from_statuses(statuses: impl IntoIterator<Item = Status>) -> Option<Self> {
        let statuses = Statuses::new(statuses)?;
        let mut binding = None;
        for (index, status) in statuses.iter().enumerate() {
            let Some(wait) = status.retry_after else {
                continue;
            };
            if binding.is_none_or(|(_, longest)| weight(wait) > weight(longest)) {
                binding = Some((index, wait));
            }
        }
        let (binding, retry_after) = binding?;
        Some(Self {
            statuses,
            binding,
            retry_after,
            source: Source::Store,
        })
    }

    /// The same answer from somebody else than the store.
    #[must_use]
    pub const fn with_source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// Who gave the answer.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// The earliest time at which this very request passes all its limits, were nobody else to ask; or never, if it
    /// costs more than a limit's burst.
    #[must_use]
    pub const fn retry_after(&self) -> RetryAfter {
        self.retry_after
    }

    /// The limit that holds the request back longest.
    #[must_use]
    pub fn binding(&self) -> &Status {
        self.statuses.get(self.binding)
    }

    /// How each limit stands, in the order of the charges. Those that would have let the request pass are among them,
    /// uncharged.
    #[must_use]
    pub fn statuses(&self) -> impl ExactSizeIterator<Item = &Status> + Clone {
        self.statuses.iter()
    }
}

/// Longer waits weigh more; one that no time ends weighs most.
const fn weight(retry_after: RetryAfter) -> (u8, Duration) {
    match retry_after {
        RetryAfter::After(wait) => (0, wait),
        RetryAfter::Never => (2, Duration::ZERO),
        // `Unknown`, and whatever core may add: not a promise of any time.
        _ => (1, Duration::ZERO),
    }
}

/// At least one status. The first is held in place, so that a check of one limit allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Statuses {
    first: Status,
    rest: Vec<Status>,
}

impl Statuses {
    fn new(statuses: impl IntoIterator<Item = Status>) -> Option<Self> {
        let mut statuses = statuses.into_iter();
        Some(Self {
            first: statuses.next()?,
            rest: statuses.collect(),
        })
    }

    fn iter(&self) -> Iter<'_> {
        Iter {
            first: Some(&self.first),
            rest: self.rest.iter(),
        }
    }

    fn get(&self, index: usize) -> &Status {
        match index.checked_sub(1) {
            Some(index) => self.rest.get(index).unwrap_or(&self.first),
            None => &self.first,
        }
    }

    fn least(&self, by: impl Fn(&Status) -> u64) -> &Status {
        self.rest.iter().fold(&self.first, |least, status| {
            if by(status) < by(least) {
                status
            } else {
                least
            }
        })
    }
}

#[derive(Clone)]
struct Iter<'a> {
    first: Option<&'a Status>,
    rest: std::slice::Iter<'a, Status>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Status;

    fn next(&mut self) -> Option<&'a Status> {
        self.first.take().or_else(|| self.rest.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let length = usize::from(self.first.is_some()) + self.rest.len();
        (length, Some(length))
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(name: &str, remaining: u64, retry_after: Option<RetryAfter>) -> Status {
        let limit = Limit::per_second(name, 10).unwrap();
        Status::new(limit, remaining, Duration::ZERO, retry_after)
    }

    #[test]
    fn the_longest_wait_binds_and_never_is_longest() {
        let seconds = |secs| Some(RetryAfter::After(Duration::from_secs(secs)));
        let short = status("short", 0, seconds(1));
        let long = status("long", 0, seconds(9));
        let fine = status("fine", 5, None);
        let never = status("never", 3, Some(RetryAfter::Never));

        let denied = Denied::from_statuses([fine, short, long]).unwrap();
        assert_eq!(denied.binding().limit.name(), "long");
        assert_eq!(denied.statuses().len(), 3);
        let denied = Denied::from_statuses([never, long]).unwrap();
        assert_eq!(denied.retry_after(), RetryAfter::Never);
        assert_eq!(denied.binding().limit.name(), "never");
        assert_eq!(Denied::from_statuses([fine]), None);
        assert_eq!(Allowed::from_statuses([fine, short]), None);
        assert_eq!(Allowed::from_statuses([]), None);

        let allowed = Allowed::from_statuses([fine, status("tight", 2, None)]).unwrap();
        assert_eq!(allowed.binding().limit.name(), "tight");
    }
}
