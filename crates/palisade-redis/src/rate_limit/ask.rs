//! A question, as the scripts read it.

use fred::{
    bytes::Bytes,
    types::{Key as RedisKey, Value},
};
use palisade_core::Key;
use palisade_rate_limit::{Algorithm, Charge, HoldId, Limit, Span};

/// The largest number up to which a double counts every one.
pub(super) const EXACT: u64 = 1 << 53;
/// What stands for every cost above any burst: the next number that a double has.
const BEYOND: u64 = EXACT + 2;

/// The names of the keys of one decision, all in one slot.
pub(super) struct Names {
    tag: String,
}

impl Names {
    pub(super) const fn new(tag: String) -> Self {
        Self { tag }
    }

    /// A limit's name and the text of a key hold no byte that could be read as structure.
    pub(super) fn counter(&self, limit: &Limit, key: &Key) -> String {
        let kind = match limit.algorithm() {
            Algorithm::FixedWindow => "f",
            Algorithm::SlidingWindow => "s",
            Algorithm::SlidingLog => "l",
            Algorithm::Concurrency => "c",
            _ => "b",
        };
        let (tag, name, key) = (&self.tag, limit.name(), key.as_str());
        let mut text = String::with_capacity(tag.len() + name.len() + key.len() + 4);
        for part in [tag, ":", kind, ":", name, ":", key] {
            text.push_str(part);
        }
        text
    }

    /// The counters, the hold, and the hashes beside the counters that have one.
    pub(super) fn all<'a>(
        &self,
        counters: impl IntoIterator<Item = (&'a Limit, &'a Key)>,
        hold: Option<HoldId>,
    ) -> Vec<RedisKey> {
        let mut hashes = Vec::new();
        let mut keys: Vec<RedisKey> = Vec::new();
        for (limit, key) in counters {
            let name = self.counter(limit, key);
            if matches!(
                limit.algorithm(),
                Algorithm::SlidingLog | Algorithm::Concurrency
            ) {
                hashes.push(RedisKey::from(format!("{name}#")));
            }
            keys.push(name.into());
        }
        if let Some(hold) = hold {
            keys.push(format!("{}:h:{hold}", self.tag).into());
        }
        keys.append(&mut hashes);
        keys
    }
}

/// Numbers for the scripts: doubles, the high byte first.
#[derive(Default)]
pub(super) struct Packed(Vec<u8>);

impl Packed {
    /// And this number. What no double has exactly is above every burst, and counts as the least of its kind.
    pub(super) fn and(mut self, number: u64) -> Self {
        let number = if number > EXACT { BEYOND } else { number };
        self.0.extend_from_slice(&(number as f64).to_be_bytes());
        self
    }

    pub(super) fn value(self) -> Value {
        Value::Bytes(Bytes::from(self.0))
    }
}

/// A counter of this limit, what is asked of it, and what was reserved of it.
pub(super) fn counter(limit: &Limit, asked: u64, reserved: u64) -> Value {
    let packed = Packed(Vec::with_capacity(88));
    let kind = match limit.algorithm() {
        Algorithm::FixedWindow => 2,
        Algorithm::SlidingWindow => 3,
        Algorithm::SlidingLog => 4,
        Algorithm::Concurrency => 5,
        _ => 1,
    };
    if kind != 1 {
        let packed = packed.and(0).and(0).and(0).and(0).and(1);
        let packed = packed.and(asked).and(kind).and(limit.amount());
        let period = limit.period().as_micros() as u64;
        return packed.and(period).and(0).and(reserved).value();
    }
    let (fill, fill_rest) = micros(limit, limit.span_of(limit.burst()));
    let (cost, cost_rest) = micros(limit, limit.span_of(asked));
    let (unit, unit_rest) = micros(limit, limit.span_of(1));
    let packed = packed.and(fill).and(fill_rest).and(cost).and(cost_rest);
    let packed = packed.and(rests_per_micro(limit));
    let packed = packed.and(asked).and(kind).and(limit.burst());
    packed.and(unit).and(unit_rest).and(reserved).value()
}

/// Whether these are charges that `buckets.lua` understands.
pub(super) fn are_simple(charges: &[Charge<'_>]) -> bool {
    charges.iter().all(|charge| {
        charge.limit.algorithm() == Algorithm::TokenBucket
            && (1..=charge.limit.burst()).contains(&charge.cost)
    })
}

/// What the cost and a whole burst take to come back, if both are whole microseconds and the cost may pass.
pub(super) fn whole_micros(charge: &Charge<'_>) -> Option<(i64, i64)> {
    let limit = charge.limit;
    let may_pass = (1..=limit.burst()).contains(&charge.cost) && limit.burst() <= EXACT;
    if limit.algorithm() != Algorithm::TokenBucket || !may_pass {
        return None;
    }
    let whole = |units| match micros(limit, limit.span_of(units)) {
        (micros, 0) => i64::try_from(micros).ok(),
        _ => None,
    };
    // A unit too: otherwise a key would change its form from one cost to the next.
    whole(1)?;
    Some((whole(charge.cost)?, whole(limit.burst())?))
}

/// A span in whole microseconds, and the rest in the ticks of the limit.
fn micros(limit: &Limit, span: Span) -> (u64, u64) {
    let rest = (span.nanos % 1_000) * u64::from(limit.ticks_per_nano()) + u64::from(span.fraction);
    (span.nanos / 1_000, rest)
}

/// How many ticks are a microsecond: at most some 2^42.
pub(super) fn rests_per_micro(limit: &Limit) -> u64 {
    u64::from(limit.ticks_per_nano()) * 1_000
}

pub(super) fn id(hold: Option<HoldId>) -> Value {
    match hold {
        Some(id) => Value::from(id.to_string()),
        None => Value::from_static_str(""),
    }
}
