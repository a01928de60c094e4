//! The limits. Each question loads the counters it is about, has the room's pure functions decide, and stores what they
//! leave, in one transaction on the one connection that writes; nothing is decided here.

mod rows;

use palisade_core::{Decision, Instant, Key, StoreError, StoreErrorKind, Timestamp};
use palisade_rate_limit::{
    Allowed, Charge, Denied, Hold, HoldError, HoldId, Limit, Over, RateLimiter, ReserveRequest,
    SettleRequest, Settled, Span, Use,
    model::{self, Counter, Record},
};
use rusqlite::{CachedStatement, OptionalExtension};

use crate::{Sqlite, error::Failure, writer::Transaction};

/// Every so many writes, what nobody needs to remember is deleted: a little at a time, so that no call pays for all.
const TIDY_EVERY: u32 = 256;
/// How much is deleted then, of each table. More than can have come in the meantime, so that the tables stop growing.
const TIDY_ROWS: u32 = 4_096;

impl RateLimiter for Sqlite {
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let asked = Asked::of(request);
        let work = move |tx: &mut Transaction<'_>| Book::new(tx).reserve(&asked);
        self.write("reserving of a limit", work).await
    }

    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        let id = request.id;
        let uses: Vec<(Limit, Key, u64, u64)> = request
            .uses()
            .iter()
            .map(|used| (*used.limit, used.key.clone(), used.reserved, used.used))
            .collect();
        let work = move |tx: &mut Transaction<'_>| Book::new(tx).settle(id, &uses);
        self.write("settling with a limit", work).await
    }

    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        let (limit, key) = (*limit, key.clone());
        let work = move |tx: &mut Transaction<'_>| Book::new(tx).reset(&limit, &key);
        self.write("resetting a limit", work).await
    }
}

/// A request that outlives its caller.
struct Asked {
    charges: Vec<(Limit, Key, u64)>,
    hold: Option<Hold>,
    over: Over,
    dry_run: bool,
}

impl Asked {
    fn of(request: ReserveRequest<'_>) -> Self {
        let charges = request.charges.iter();
        Self {
            charges: charges.map(|c| (*c.limit, c.key.clone(), c.cost)).collect(),
            hold: request.hold,
            over: request.over,
            dry_run: request.dry_run,
        }
    }
}

/// What the writer remembers of this port: when to tidy.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    writes: u32,
}

/// The limits inside one transaction, at one time.
struct Book<'a, 'tx> {
    tx: &'a mut Transaction<'tx>,
    now: Instant,
}

/// A counter, and until when there are holds on it.
struct Loaded {
    counter: Counter,
    holds_until: Instant,
}

impl<'a, 'tx> Book<'a, 'tx> {
    fn new(tx: &'a mut Transaction<'tx>) -> Self {
        let now = instant(tx.now());
        Self { tx, now }
    }

    fn reserve(&mut self, asked: &Asked) -> Result<Decision<Allowed, Denied>, Failure> {
        let charges: Vec<Charge<'_>> = asked
            .charges
            .iter()
            .map(|(limit, key, cost)| Charge::new(limit, key, *cost))
            .collect();
        let names = names(charges.iter().map(|charge| (charge.limit, charge.key)));
        let (mut counters, held) = self.load(&names, charges.iter().map(|charge| charge.limit))?;
        let record = match asked.hold {
            Some(hold) => self.record(hold.id())?,
            None => None,
        };
        // Charges that were a request when they were asked are one still.
        let request = palisade_rate_limit::CheckRequest::new(&charges).map_err(invalid)?;
        let mut request = match asked.hold {
            Some(hold) => ReserveRequest::hold(request, hold),
            None => ReserveRequest::check(request),
        };
        request.over = asked.over;
        request.dry_run = asked.dry_run;
        let (answer, kept) = model::reserve(request, &names, &mut counters, record, self.now)
            .map_err(|error: HoldError| invalid(error))?;
        if answer.is_allow() && !asked.dry_run {
            let until = kept.as_ref().map_or(Instant::ORIGIN, |record| record.until);
            for (index, counter) in counters.iter().enumerate() {
                let holds_until = held[index].max(until);
                self.store(&names[index], charges[index].limit, counter, holds_until)?;
            }
            if let (Some(hold), Some(record)) = (asked.hold, &kept) {
                self.store_record(hold.id(), record)?;
            }
            self.tidy()?;
        }
        Ok(answer)
    }

    fn settle(&mut self, id: HoldId, uses: &[(Limit, Key, u64, u64)]) -> Result<Settled, Failure> {
        let uses: Vec<Use<'_>> = uses
            .iter()
            .map(|(limit, key, reserved, used)| Use::new(limit, key, *reserved, *used))
            .collect();
        let names = names(uses.iter().map(|used| (used.limit, used.key)));
        let (mut counters, held) = self.load(&names, uses.iter().map(|used| used.limit))?;
        let record = self.record(id)?;
        let request = SettleRequest::new(id, &uses).map_err(invalid)?;
        let (settled, record) = model::settle(request, &names, &mut counters, record, self.now);
        for (index, counter) in counters.iter().enumerate() {
            self.store(&names[index], uses[index].limit, counter, held[index])?;
        }
        self.store_record(id, &record)?;
        self.tidy()?;
        Ok(settled)
    }

    fn reset(&mut self, limit: &Limit, key: &Key) -> Result<(), Failure> {
        let names = names([(limit, key)].into_iter());
        let (mut counters, held) = self.load(&names, [limit].into_iter())?;
        counters[0].reset(limit, self.now);
        self.store(&names[0], limit, &counters[0], held[0])
    }

    fn prepare(&self, sql: &'static str) -> Result<CachedStatement<'tx>, rusqlite::Error> {
        self.tx.connection.prepare_cached(sql)
    }

    /// The counters of these names, and until when there are holds on each.
    fn load<'l>(
        &self,
        names: &[String],
        limits: impl Iterator<Item = &'l Limit>,
    ) -> Result<(Vec<Counter>, Vec<Instant>), Failure> {
        let (mut counters, mut held) = (Vec::new(), Vec::new());
        for (name, limit) in names.iter().zip(limits) {
            let loaded = self.counter(name, limit)?;
            counters.push(loaded.counter);
            held.push(loaded.holds_until);
        }
        Ok((counters, held))
    }

    fn counter(&self, name: &str, limit: &Limit) -> Result<Loaded, Failure> {
        let mut statement =
            self.prepare("SELECT state, holds_until FROM limit_counters WHERE name = ?1")?;
        let mut found = statement.query([name])?;
        let Some(row) = found.next()? else {
            return Ok(Loaded {
                counter: Counter::new(limit),
                holds_until: Instant::ORIGIN,
            });
        };
        let state = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let mut counter = rows::read_counter(state, limit)?;
        let holds_until = rows::time(row.get(1)?);
        // Without a hold on it, nobody asks what was given back to a bucket.
        if holds_until <= self.now
            && let Counter::Bucket(_, refunded) = &mut counter
        {
            *refunded = Span::default();
        }
        Ok(Loaded {
            counter,
            holds_until,
        })
    }

    fn store(
        &self,
        name: &str,
        limit: &Limit,
        counter: &Counter,
        holds_until: Instant,
    ) -> Result<(), Failure> {
        let keep_until = counter.fresh_at(limit).max(holds_until);
        self.prepare(
            "INSERT INTO limit_counters (name, state, keep_until, holds_until)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET state = excluded.state,
                 keep_until = excluded.keep_until, holds_until = excluded.holds_until",
        )?
        .execute((
            name,
            rows::write_counter(counter)?,
            rows::column(keep_until),
            rows::column(holds_until),
        ))?;
        Ok(())
    }

    fn record(&self, id: HoldId) -> Result<Option<Record<String>>, Failure> {
        let found = self
            .prepare("SELECT until, settled, taken FROM limit_holds WHERE id = ?1")?
            .query_row([id.as_u128().to_be_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?))
            })
            .optional()?;
        let Some((until, settled, taken)) = found else {
            return Ok(None);
        };
        Ok(Some(Record {
            until: rows::time(until),
            settled,
            taken: rows::read_taken(&taken)?,
        }))
    }

    fn store_record(&self, id: HoldId, record: &Record<String>) -> Result<(), Failure> {
        self.prepare(
            "INSERT INTO limit_holds (id, until, settled, taken) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET until = excluded.until, settled = excluded.settled,
                 taken = excluded.taken",
        )?
        .execute((
            id.as_u128().to_be_bytes(),
            rows::column(record.until),
            record.settled,
            rows::write_taken(&record.taken),
        ))?;
        Ok(())
    }

    /// Deletes a part of what says no more than nothing would.
    fn tidy(&mut self) -> Result<(), Failure> {
        let scratch = &mut self.tx.scratch.rate_limit;
        scratch.writes += 1;
        if scratch.writes < TIDY_EVERY {
            return Ok(());
        }
        scratch.writes = 0;
        let now = rows::column(self.now);
        self.prepare(
            "DELETE FROM limit_counters WHERE name IN
                 (SELECT name FROM limit_counters WHERE keep_until <= ?1 LIMIT ?2)",
        )?
        .execute((now, TIDY_ROWS))?;
        self.prepare(
            "DELETE FROM limit_holds WHERE id IN
                 (SELECT id FROM limit_holds WHERE until <= ?1 LIMIT ?2)",
        )?
        .execute((now, TIDY_ROWS))?;
        Ok(())
    }
}

/// How counters are named: no two limits, algorithms and keys alike, as neither has a space.
fn names<'a>(of: impl Iterator<Item = (&'a Limit, &'a Key)>) -> Vec<String> {
    of.map(|(limit, key)| {
        let letter = rows::letter(limit.algorithm());
        format!("{} {letter} {key}", limit.name())
    })
    .collect()
}

/// The room counts from the origin of the store's clock, which is that of civil time. Before it, time stands still.
fn instant(now: Timestamp) -> Instant {
    Instant::from_nanos(u64::try_from(now.as_nanos()).unwrap_or(0))
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    let doing = "reserving of a limit";
    Failure::Store(StoreError::new(StoreErrorKind::Invalid, doing).with_source(error))
}
