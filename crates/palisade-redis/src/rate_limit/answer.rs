//! What the scripts say, in the words of the room. They decide; what the answer tells beside the decision, the room's own
//! model reads off the state they give.

use std::time::Duration;

use fred::types::Value;
use palisade_core::{Decision, Instant, RetryAfter};
use palisade_rate_limit::{
    Algorithm, Allowed, Denied, Limit, Outcome, Settled, Span, Status,
    model::{Counter, Windows, bucket},
};

/// How many numbers there are about each counter.
const WIDTH: usize = 5;

pub(super) struct Answer {
    pub(super) code: u64,
    now: Instant,
    counters: Vec<[i64; WIDTH]>,
}

/// What a check of one bucket says: `None` if the script did not know enough.
pub(super) fn one(
    limit: &Limit,
    cost: u64,
    value: &Value,
) -> Result<Option<Decision<Allowed, Denied>>, ()> {
    let (full_at, now) = match value {
        Value::Null => return Ok(None),
        Value::Array(values) => match values.as_slice() {
            [Value::Integer(full_at), Value::Integer(now)] => (*full_at, *now),
            _ => return Err(()),
        },
        _ => return Err(()),
    };
    let now = instant(now);
    let state = bucket::State::from_parts(instant(full_at.saturating_abs()).as_nanos(), 0, false);
    if full_at > 0 {
        let status = bucket::status(limit, state, now, None);
        return Allowed::from_statuses([status])
            .map(|allowed| Some(Decision::Allow(allowed)))
            .ok_or(());
    }
    let refusal = bucket::ask(limit, state, cost, now).map(in_ticks);
    Denied::from_statuses([bucket::status(limit, state, now, refusal)])
        .map(|denied| Some(Decision::Deny(denied)))
        .ok_or(())
}

impl Answer {
    /// `None` if no script of ours says so, or only the one for simple questions does.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let numbers = integers(value)?;
        let (head, rest) = numbers.split_at_checked(2)?;
        let (counters, []) = rest.as_chunks::<WIDTH>() else {
            return None;
        };
        Some(Self {
            code: u64::try_from(head[0]).ok().filter(|code| *code < 10)?,
            now: instant(head[1]),
            counters: counters.to_vec(),
        })
    }

    /// What the script for simple questions says: two numbers for each bucket of these costs.
    pub(super) fn read_simple(value: &Value, costs: impl Iterator<Item = u64>) -> Option<Self> {
        let numbers = integers(value)?;
        let (head, rest) = numbers.split_at_checked(2)?;
        let (points, []) = rest.as_chunks::<2>() else {
            return None;
        };
        let counters = costs.zip(points).map(|(cost, [full_at, rest])| {
            let cost = i64::try_from(cost).unwrap_or(i64::MAX);
            [cost, *full_at, *rest, 0, 0]
        });
        Some(Self {
            code: u64::try_from(head[0]).ok()?.checked_sub(10)?,
            now: instant(head[1]),
            counters: counters.collect(),
        })
    }

    pub(super) fn decision<'a>(
        &self,
        limits: impl Iterator<Item = &'a Limit>,
        refused: bool,
    ) -> Option<Decision<Allowed, Denied>> {
        let statuses = self.statuses(limits, refused);
        Some(if refused {
            Decision::Deny(Denied::from_statuses(statuses)?)
        } else {
            Decision::Allow(Allowed::from_statuses(statuses)?)
        })
    }

    pub(super) fn settled<'a>(&self, limits: impl Iterator<Item = &'a Limit>) -> Option<Settled> {
        let outcome = match self.code {
            0 => Outcome::Settled,
            1 => Outcome::Earlier,
            2 => Outcome::Expired,
            _ => return None,
        };
        Some(Settled::new(
            outcome,
            self.statuses(limits, false).collect(),
        ))
    }

    fn statuses<'a>(
        &self,
        limits: impl Iterator<Item = &'a Limit>,
        refused: bool,
    ) -> impl Iterator<Item = Status> {
        limits
            .zip(&self.counters)
            .map(move |(limit, numbers)| status(limit, numbers, self.now, refused))
    }
}

fn status(limit: &Limit, numbers: &[i64; WIDTH], now: Instant, refused: bool) -> Status {
    let [more, a, b, c, d] = *numbers;
    let number = |found: i64| u64::try_from(found).unwrap_or(0);
    let more = number(more);
    let windows = Windows {
        index: number(a),
        used: number(b),
        previous: number(c),
        owed: number(d),
    };
    let counter = match limit.algorithm() {
        Algorithm::FixedWindow => Counter::FixedWindow(windows),
        Algorithm::SlidingWindow => Counter::SlidingWindow(windows),
        Algorithm::SlidingLog => return timed(limit, limit.period(), numbers, now, refused),
        Algorithm::Concurrency => return timed(limit, Duration::ZERO, numbers, now, refused),
        _ => {
            let per_nano = u64::from(limit.ticks_per_nano());
            let nanos = instant(a).as_nanos().saturating_add(number(b) / per_nano);
            // Less than a u32: it is what remains of one.
            let fraction = (number(b) % per_nano) as u32;
            let state = bucket::State::from_parts(nanos, fraction, c != 0);
            Counter::Bucket(state, Span::default())
        }
    };
    let refusal = refused.then(|| counter.ask(limit, more, now)).flatten();
    let refusal = refusal.map(in_ticks);
    counter.status(limit, now, refusal)
}

/// A log or permits: how much there is, when the last of it began or ends, when what is asked is free.
fn timed(
    limit: &Limit,
    lasts: Duration,
    numbers: &[i64; WIDTH],
    now: Instant,
    refused: bool,
) -> Status {
    let [more, used, last, free_at, _] = *numbers;
    let number = |found: i64| u64::try_from(found).unwrap_or(0);
    let reset = match last {
        ..0 => Duration::ZERO,
        last => instant(last).saturating_add(lasts).saturating_since(now),
    };
    let refusal = if !refused {
        None
    } else if number(more) > limit.amount() {
        Some(RetryAfter::Never)
    } else if free_at >= 0 {
        Some(RetryAfter::After(instant(free_at).saturating_since(now)))
    } else {
        None
    };
    let remaining = limit.amount().saturating_sub(number(used));
    Status::new(*limit, remaining, reset, refusal)
}

/// A wait that the server's clock can tell: it counts microseconds.
fn in_ticks(wait: RetryAfter) -> RetryAfter {
    match wait {
        RetryAfter::After(wait) => {
            let over = u64::from(wait.subsec_nanos() % 1_000);
            let more = if over > 0 { 1_000 - over } else { 0 };
            RetryAfter::After(wait.saturating_add(Duration::from_nanos(more)))
        }
        other => other,
    }
}

fn instant(micros: i64) -> Instant {
    Instant::from_nanos(u64::try_from(micros).unwrap_or(0).saturating_mul(1_000))
}

fn integers(value: &Value) -> Option<Vec<i64>> {
    let Value::Array(values) = value else {
        return None;
    };
    let integer = |value: &Value| match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    };
    values.iter().map(integer).collect()
}
