use std::collections::BTreeMap;

use palisade_core::{Decision, Instant, Key};

use super::{Counter, Record, reserve, settle};
use crate::{
    Algorithm, Allowed, Denied, HoldError, HoldId, Limit, ReserveRequest, SettleRequest, Settled,
};

/// The whole port as a pure data structure: what every backend must answer, at every time it is asked.
///
/// It forgets nothing by itself, so it is no backend: it is the specification, and the oracle of the tests.
///
/// ```
/// use palisade_core::{Dimension, Instant, Key};
/// use palisade_rate_limit::{
///     Charge, CheckRequest, Hold, HoldId, Limit, Outcome, ReserveRequest, SettleRequest, Use, model::Book,
/// };
///
/// let mut book = Book::default();
/// let now = Instant::from_nanos(1);
/// let tokens = Limit::per_minute("tokens", 90_000)?;
/// let alice = Key::new(Dimension::User, "alice")?;
/// let hold = Hold::new(HoldId::from_u128(7));
///
/// // 4,000 tokens at most; they turn out to be 1,200.
/// let charges = [Charge::new(&tokens, &alice, 4_000)];
/// let asked = ReserveRequest::hold(CheckRequest::new(&charges)?, hold);
/// assert!(book.reserve(asked, now)?.is_allow());
/// let uses = [Use::new(&tokens, &alice, 4_000, 1_200)];
/// let settled = book.settle(SettleRequest::new(hold.id(), &uses)?, now);
/// assert_eq!(settled.outcome(), Outcome::Settled);
/// assert_eq!(settled.statuses()[0].remaining, 88_800);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Book {
    counters: BTreeMap<Name, Counter>,
    holds: BTreeMap<HoldId, Record<Name>>,
}

/// Which counter: the name of the limit, its algorithm, the key.
type Name = (String, Algorithm, Key);

impl Book {
    /// Decides about one request.
    ///
    /// # Errors
    ///
    /// [`HoldError::Settled`] if its hold has been settled.
    pub fn reserve(
        &mut self,
        request: ReserveRequest<'_>,
        now: Instant,
    ) -> Result<Decision<Allowed, Denied>, HoldError> {
        let charges = request.charges.iter();
        let (names, mut counters) = self.look_up(charges.map(|c| (c.limit, c.key)));
        let record = request.hold.and_then(|hold| self.holds.get(&hold.id()));
        let (answer, kept) = reserve(request, &names, &mut counters, record.cloned(), now)?;
        if let (Some(hold), Some(record)) = (request.hold, kept) {
            self.holds.insert(hold.id(), record);
        }
        if !request.dry_run {
            self.counters.extend(names.into_iter().zip(counters));
        }
        Ok(answer)
    }

    /// Ends a hold.
    pub fn settle(&mut self, request: SettleRequest<'_>, now: Instant) -> Settled {
        let uses = request.uses().iter();
        let (names, mut counters) = self.look_up(uses.map(|u| (u.limit, u.key)));
        let record = self.holds.get(&request.id).cloned();
        let (settled, record) = settle(request, &names, &mut counters, record, now);
        self.holds.insert(request.id, record);
        self.counters.extend(names.into_iter().zip(counters));
        settled
    }

    /// Forgets what one key has used of one limit. Holds on it go on.
    pub fn reset(&mut self, limit: &Limit, key: &Key, now: Instant) {
        if let Some(counter) = self.counters.get_mut(&name(limit, key)) {
            counter.reset(limit, now);
        }
    }

    fn look_up<'a>(
        &self,
        of: impl Iterator<Item = (&'a Limit, &'a Key)>,
    ) -> (Vec<Name>, Vec<Counter>) {
        of.map(|(limit, key)| {
            let name = name(limit, key);
            let counter = self.counters.get(&name).cloned();
            (name, counter.unwrap_or_else(|| Counter::new(limit)))
        })
        .unzip()
    }
}

fn name(limit: &Limit, key: &Key) -> Name {
    (limit.name().to_owned(), limit.algorithm(), key.clone())
}
