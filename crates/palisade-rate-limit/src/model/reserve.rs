use palisade_core::{Decision, Instant, RetryAfter};

use super::{Counter, Mark};
use crate::{
    Algorithm, Allowed, Denied, Hold, HoldError, Outcome, Over, ReserveRequest, SettleRequest,
    Settled, Status,
};

/// What is remembered about a hold. `C` is how a store names a counter: a limit's name, its algorithm and a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<C> {
    /// When it expires: from this instant on there is no hold of this id.
    pub until: Instant,
    /// Whether it has been settled. It is remembered until it would have expired, so that nothing is settled twice.
    pub settled: bool,
    /// What it has taken, in the order it was first asked for.
    pub taken: Vec<Taken<C>>,
}

/// What a hold has taken from one counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken<C> {
    /// The counter.
    pub counter: C,
    /// How much in all.
    pub reserved: u64,
    /// How much by the last charge. A refund goes no further back than that.
    pub last: u64,
    /// Where the last charge went.
    pub mark: Mark,
}

/// What came of a request, and the record to keep of its hold, if there is a new one.
pub type Answer<C> = (Decision<Allowed, Denied>, Option<Record<C>>);

/// Decides about one request, with the state of all it touches at hand: this is what a backend does between reading and
/// writing, inside its own transaction or lock.
///
/// `names` and `counters` are those of the charges, in the same order; `record` is that of the request's hold, if the store
/// has one that has not expired. The counters change if the request passes, and stay as they are otherwise (but for what is
/// forgotten as too old). Beside the answer stands the record to keep, if there is a new one.
///
/// # Errors
///
/// [`HoldError::Settled`] if the hold has been settled already.
///
/// # Panics
///
/// If there are not as many names and counters as charges.
pub fn reserve<C: Clone + PartialEq>(
    request: ReserveRequest<'_>,
    names: &[C],
    counters: &mut [Counter],
    record: Option<Record<C>>,
    now: Instant,
) -> Result<Answer<C>, HoldError> {
    let charges = request.charges;
    assert_eq!(charges.len(), counters.len(), "a counter for each charge");
    assert_eq!(charges.len(), names.len(), "a name for each charge");
    let mut record = record.filter(|record| record.until > now);
    if record.as_ref().is_some_and(|record| record.settled) {
        return Err(HoldError::Settled);
    }

    let reserved = |name: &C| {
        let taken = record.as_ref()?.taken.iter().find(|t| t.counter == *name)?;
        Some(taken.reserved)
    };
    let more: Vec<u64> = charges
        .iter()
        .zip(names)
        .map(|(charge, name)| charge.cost.saturating_sub(reserved(name).unwrap_or(0)))
        .collect();
    let mut refusals: Vec<Option<RetryAfter>> = Vec::with_capacity(charges.len());
    for ((charge, counter), more) in charges.iter().zip(&mut *counters).zip(&more) {
        counter.prune(charge.limit, now);
        refusals.push(counter.ask(charge.limit, *more, now));
    }
    let refused = request.over == Over::Refuse && refusals.iter().any(Option::is_some);
    if refused || request.dry_run {
        let statuses =
            charges
                .iter()
                .zip(&*counters)
                .zip(refusals)
                .map(|((charge, counter), refusal)| {
                    counter.status(charge.limit, now, refusal.filter(|_| refused))
                });
        return Ok((answer(statuses.collect(), refused), None));
    }

    for (((charge, counter), more), name) in charges.iter().zip(&mut *counters).zip(more).zip(names)
    {
        let leased = charge.limit.algorithm() == Algorithm::Concurrency;
        if more == 0 && !(leased && request.hold.is_some()) {
            continue;
        }
        let mark = counter.take(charge.limit, more, now, request.hold);
        if let Some(hold) = request.hold {
            note(&mut record, hold, name, more, mark, now);
        }
    }
    if let Some(hold) = request.hold {
        let record = record.get_or_insert_with(|| empty(now));
        record.until = now.saturating_add(hold.ttl());
    }
    let statuses = charges
        .iter()
        .zip(&*counters)
        .map(|(charge, counter)| counter.status(charge.limit, now, None));
    Ok((answer(statuses.collect(), false), record))
}

/// Ends a hold, as [`reserve`] begins it. `names` and `counters` are those of the uses. Beside the answer stands the record
/// to keep.
///
/// # Panics
///
/// If there are not as many names and counters as uses.
pub fn settle<C: Clone + PartialEq>(
    request: SettleRequest<'_>,
    names: &[C],
    counters: &mut [Counter],
    record: Option<Record<C>>,
    now: Instant,
) -> (Settled, Record<C>) {
    let uses = request.uses();
    assert_eq!(uses.len(), counters.len(), "a counter for each use");
    assert_eq!(uses.len(), names.len(), "a name for each use");
    for (used, counter) in uses.iter().zip(&mut *counters) {
        counter.prune(used.limit, now);
    }
    let record = record.filter(|record| record.until > now);
    let outcome = match &record {
        Some(record) if record.settled => Outcome::Earlier,
        Some(_) => Outcome::Settled,
        None => Outcome::Expired,
    };
    let mut record = record.unwrap_or_else(|| Record {
        until: now.saturating_add(Hold::TTL_DEFAULT),
        ..empty(now)
    });
    if outcome != Outcome::Earlier {
        for ((used, counter), name) in uses.iter().zip(&mut *counters).zip(names) {
            let taken = record.taken.iter().find(|taken| taken.counter == *name);
            let reserved = taken.map_or(used.reserved, |taken| taken.reserved);
            if used.limit.algorithm() == Algorithm::Concurrency {
                counter.give_back(used.limit, request.id, Mark::default(), u64::MAX, now);
            } else if used.used > reserved {
                counter.take(used.limit, used.used - reserved, now, None);
            } else if let Some(taken) = taken {
                let units = (reserved - used.used).min(taken.last);
                counter.give_back(used.limit, request.id, taken.mark, units, now);
            }
        }
        record.settled = true;
        record.taken.clear();
    }
    let statuses = uses
        .iter()
        .zip(&*counters)
        .map(|(used, counter)| counter.status(used.limit, now, None));
    (Settled::new(outcome, statuses.collect()), record)
}

fn answer(statuses: Vec<Status>, refused: bool) -> Decision<Allowed, Denied> {
    if refused {
        Decision::Deny(Denied::from_statuses(statuses).expect("a status that refuses"))
    } else {
        Decision::Allow(Allowed::from_statuses(statuses).expect("no status that refuses"))
    }
}

fn note<C: Clone + PartialEq>(
    record: &mut Option<Record<C>>,
    hold: Hold,
    name: &C,
    more: u64,
    mark: Mark,
    now: Instant,
) {
    let record = record.get_or_insert_with(|| empty(now));
    record.until = now.saturating_add(hold.ttl());
    match record.taken.iter_mut().find(|t| t.counter == *name) {
        None => record.taken.push(Taken {
            counter: name.clone(),
            reserved: more,
            last: more,
            mark,
        }),
        Some(_) if more == 0 => {}
        Some(taken) => {
            taken.reserved = taken.reserved.saturating_add(more);
            taken.last = more;
            taken.mark = mark;
        }
    }
}

const fn empty<C>(now: Instant) -> Record<C> {
    Record {
        until: now,
        settled: false,
        taken: Vec::new(),
    }
}
