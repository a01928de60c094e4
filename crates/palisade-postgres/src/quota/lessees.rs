//! The ledger as a lender. An exchange is one transaction of two calls: the first locks and reads, the second writes what
//! the room's pure functions make of it.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::{ClientWrapper, Transaction};
use palisade_core::{Key, StoreError, StoreErrorKind, Timestamp};
use palisade_quota::{
    Amount, Exchange, Exchanged, Lease, QuotaLender, RequestError, ScopeState, Window, keep, lend,
};
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use super::{
    ATTEMPTS, get, invalid,
    known::{Belief, Quotas},
    overflow,
    rows::{amount, window},
};
use crate::{Postgres, error::corrupt, handle::Work};

const DOING: &str = "exchanging leases of quota";
const OPEN: &str = "SELECT is_stale, now, last_turn, running, places, place_starts, place_ends
     FROM quota_exchange_open($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const SUMS: &str = "SELECT account, spent_tokens, spent_nano_usd, held_tokens, held_nano_usd,
         lent_tokens, lent_nano_usd
     FROM quota_exchange_sums($1, $2, $3)";
const CLOSE: &str = "SELECT quota_exchange_close($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

impl QuotaLender for Postgres {
    async fn exchange(&self, exchange: Exchange) -> Result<Exchanged, StoreError> {
        let turn = i64::try_from(exchange.turn).map_err(|_| invalid(RequestError::Overflow))?;
        let scopes: Vec<Key> = exchange
            .entries
            .iter()
            .map(|entry| entry.scope.clone())
            .collect();
        for _ in 0..ATTEMPTS {
            let belief = self.believe(&scopes);
            let ask = Ask {
                set_now: self.set_now(),
                who: Uuid::from_u128(exchange.lessee.as_u128()),
                turn,
                exchange: &exchange,
                belief: &belief,
            };
            let made = self
                .shared
                .within_deadline(DOING, &ask)
                .await
                .map_err(overflow)??;
            match made {
                Some(exchanged) => return Ok(exchanged),
                None => drop(self.learn(&scopes).await?),
            }
        }
        Err(StoreError::new(StoreErrorKind::Busy, DOING))
    }
}

struct Ask<'a> {
    set_now: Option<i64>,
    who: Uuid,
    turn: i64,
    exchange: &'a Exchange,
    belief: &'a Belief,
}

/// What an account holds, and what the lessee has of it.
#[derive(Clone, Copy, Default)]
struct Sums {
    spent: Amount,
    held: Amount,
    lent: Amount,
}

/// What an exchange does to an account.
struct Effect {
    spend: Amount,
    before: Amount,
    after: Amount,
}

/// What the first half found: for each entry, its scope's running account and the one it speaks of.
struct Opened {
    now: Timestamp,
    running: Vec<Option<i64>>,
    places: Vec<Option<i64>>,
    windows: Vec<Window>,
}

/// Makes the exchange, unless what is believed is not so.
impl Work for Ask<'_> {
    type Answer = Result<Option<Exchanged>, StoreError>;

    async fn on(&self, client: &mut ClientWrapper) -> Result<Self::Answer, Error> {
        let [open, read, close] = [OPEN, SUMS, CLOSE];
        let transaction = client.transaction().await?;
        let statement = transaction.prepare_cached(open).await?;
        let row = self.open(&transaction, &statement).await?;
        let opened = match self.opened(&row) {
            Ok(Some((opened, repeated))) => (opened, repeated),
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let (opened, repeated) = opened;
        let mut wanted: Vec<i64> = opened
            .running
            .iter()
            .chain(&opened.places)
            .flatten()
            .copied()
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let statement = transaction.prepare_cached(read).await?;
        let now = opened.now.as_nanos();
        let rows = transaction
            .query(&statement, &[&now, &self.who, &wanted])
            .await?;
        let sums: Result<HashMap<i64, Sums>, StoreError> = rows.iter().map(read_sums).collect();
        let mut sums = match sums {
            Ok(sums) => sums,
            Err(error) => return Ok(Err(error)),
        };
        let effects = if repeated {
            BTreeMap::new()
        } else {
            match self.effects(&opened, &mut sums) {
                Ok(effects) => effects,
                Err(error) => return Ok(Err(error)),
            }
        };
        let statement = transaction.prepare_cached(close).await?;
        let until = opened.now.saturating_add(self.exchange.ttl).as_nanos();
        let accounts: Vec<i64> = effects.keys().copied().collect();
        let part = |part: fn(&Effect) -> i64| -> Vec<i64> { effects.values().map(part).collect() };
        transaction
            .query(
                &statement,
                &[
                    &now,
                    &self.who,
                    &self.turn,
                    &until,
                    &accounts,
                    &part(|effect| effect.spend.to_columns().0),
                    &part(|effect| effect.spend.to_columns().1),
                    &part(|effect| effect.before.to_columns().0),
                    &part(|effect| effect.before.to_columns().1),
                    &part(|effect| effect.after.to_columns().0),
                    &part(|effect| effect.after.to_columns().1),
                ],
            )
            .await?;
        transaction.commit().await?;
        Ok(Ok(Some(Exchanged::new(
            repeated,
            self.leases(&opened, &sums),
        ))))
    }
}

impl Ask<'_> {
    async fn open(
        &self,
        transaction: &Transaction<'_>,
        statement: &tokio_postgres::Statement,
    ) -> Result<Row, Error> {
        let entries = &self.exchange.entries;
        let scopes: Vec<&str> = entries.iter().map(|entry| entry.scope.as_str()).collect();
        let wanted = |part: fn(Window) -> i64| -> Vec<Option<i64>> {
            entries.iter().map(|entry| entry.window.map(part)).collect()
        };
        let in_calendar: Vec<bool> = entries
            .iter()
            .zip(&self.belief.quotas)
            .map(|(entry, quota)| {
                let known = entry.window;
                known.is_some_and(|window| quota.window(window.start()) == window)
            })
            .collect();
        // Looking leaves no trace.
        let opens: Vec<bool> = entries
            .iter()
            .map(|entry| !(entry.spent.is_zero() && entry.need.is_zero() && entry.wish.is_zero()))
            .collect();
        transaction
            .query_one(
                statement,
                &[
                    &self.set_now,
                    &self.who,
                    &self.turn,
                    &scopes,
                    &self.belief.revisions,
                    &self.belief.since(),
                    &self.belief.until(),
                    &self.belief.starts(),
                    &self.belief.ends(),
                    &wanted(|window| window.start().as_nanos()),
                    &wanted(|window| window.end().as_nanos()),
                    &in_calendar,
                    &opens,
                ],
            )
            .await
    }

    /// What was found, and whether this exchange had been made before; nothing if what is believed is not so.
    fn opened(&self, row: &Row) -> Result<Option<(Opened, bool)>, StoreError> {
        if get(row, 0)? {
            return Ok(None);
        }
        let last: Option<i64> = get(row, 2)?;
        if last.is_some_and(|last| self.turn < last) {
            return Err(invalid(RequestError::IdInUse));
        }
        let array = |column| -> Result<Vec<i64>, StoreError> {
            Ok(get::<Option<Vec<i64>>>(row, column)?.unwrap_or_default())
        };
        let accounts = |column| -> Result<Vec<Option<i64>>, StoreError> {
            Ok(get::<Option<Vec<Option<i64>>>>(row, column)?.unwrap_or_default())
        };
        let windows = array(5)?.into_iter().zip(array(6)?);
        let opened = Opened {
            now: Timestamp::from_nanos(get(row, 1)?),
            running: accounts(3)?,
            places: accounts(4)?,
            windows: windows
                .map(|(start, end)| window(start, end))
                .collect::<Result<_, _>>()?,
        };
        let lines = self.exchange.entries.len();
        if [
            opened.running.len(),
            opened.places.len(),
            opened.windows.len(),
        ] != [lines; 3]
        {
            return Err(corrupt(DOING, "another number of entries than was sent"));
        }
        Ok(Some((opened, last == Some(self.turn))))
    }

    /// Works the entries out one after the other. One sees what those before it have done, should they speak of one window.
    fn effects(
        &self,
        opened: &Opened,
        sums: &mut HashMap<i64, Sums>,
    ) -> Result<BTreeMap<i64, Effect>, StoreError> {
        let mut effects = BTreeMap::new();
        for (index, entry) in self.exchange.entries.iter().enumerate() {
            let place = opened.places[index];
            let found = |account: Option<i64>| {
                let sums = account.and_then(|account| sums.get(&account));
                sums.copied().unwrap_or_default()
            };
            let mut there = found(place);
            let new = if opened.windows[index].start() == self.belief.windows[index].start() {
                let state = self.state(index, found(opened.running[index]));
                lend(&state, there.lent, entry)
            } else {
                keep(there.lent, entry)
            };
            let Some(account) = place else {
                continue;
            };
            let overflow = || invalid(RequestError::Overflow);
            let effect = effects.entry(account).or_insert(Effect {
                spend: Amount::ZERO,
                before: there.lent,
                after: there.lent,
            });
            effect.spend = effect.spend.checked_add(entry.spent).ok_or_else(overflow)?;
            effect.after = new;
            there.spent = there.spent.checked_add(entry.spent).ok_or_else(overflow)?;
            there.held = there
                .held
                .saturating_sub(there.lent)
                .checked_add(new)
                .ok_or_else(overflow)?;
            there.lent = new;
            sums.insert(account, there);
        }
        Ok(effects)
    }

    fn state(&self, index: usize, sums: Sums) -> ScopeState {
        ScopeState::new(
            self.exchange.entries[index].scope.clone(),
            self.belief.quotas[index].clone(),
            self.belief.windows[index],
            sums.spent,
            sums.held,
        )
    }

    fn leases(&self, opened: &Opened, sums: &HashMap<i64, Sums>) -> Vec<Lease> {
        let found = |account: Option<i64>| {
            let sums = account.and_then(|account| sums.get(&account));
            sums.copied().unwrap_or_default()
        };
        let lines = 0..self.exchange.entries.len();
        lines
            .map(|index| {
                let state = self.state(index, found(opened.running[index]));
                let lent = found(opened.places[index]).lent;
                Lease::new(state, opened.windows[index], lent)
            })
            .collect()
    }
}

fn read_sums(row: &Row) -> Result<(i64, Sums), StoreError> {
    let sums = Sums {
        spent: amount(row, 1)?,
        held: amount(row, 3)?,
        lent: amount(row, 5)?,
    };
    Ok((get(row, 0)?, sums))
}
