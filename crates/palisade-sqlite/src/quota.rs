//! The ledger. Each call loads what the room's pure functions want to see, asks them, and stores what they answer, in one
//! transaction on the writer's thread; nothing is decided here.

mod admin;
mod lessees;
mod rows;
mod scopes;

use std::{collections::HashMap, sync::Arc, time::Duration};

use palisade_core::{Decision, Key, StoreError, Timestamp};
use palisade_quota::{
    Amount, Balance, Change, Defaults, Granted, Hold, Outcome, Period, Phase, Place, Quota,
    QuotaLedger, Refused, RequestError, ReservationId, ReserveRequest, Resolution, Resolve,
    ScopeState, SettleRequest, Window, balance, decide, expire, moves, repeat, resolve,
};
use rusqlite::{CachedStatement, OptionalExtension};

use crate::{
    Sqlite,
    error::{Failure, corrupt},
    writer::Transaction,
};

use rows::{invalid, period_name, read_amount, read_entry, read_quota, unknown_word, window};

const LOADING: &str = "loading quota";
/// Every so many grants, what nobody needs to remember is deleted: a little at a time, so that no call pays for all.
const TIDY_EVERY: u32 = 256;
/// How much is deleted then. More than can have come in the meantime, so that the tables stop growing.
const TIDY_ROWS: u32 = 1_024;
/// Longer than any window but a lifetime.
const ALERTS_REMEMBERED: Duration = Duration::from_secs(400 * 86_400);

impl QuotaLedger for Sqlite {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        let rules = Rules::of(self);
        let work = move |tx: &mut Transaction<'_>| Book::new(tx, &rules).reserve(&request);
        self.write("reserving quota", work).await
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        let rules = Rules::of(self);
        let how = Resolve::Settle(request.actual);
        let work = move |tx: &mut Transaction<'_>| Book::new(tx, &rules).resolve(request.id, how);
        self.write("settling quota", work).await
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        let rules = Rules::of(self);
        let work =
            move |tx: &mut Transaction<'_>| Book::new(tx, &rules).resolve(id, Resolve::Release);
        self.write("releasing quota", work).await
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        let (rules, scope) = (Rules::of(self), scope.clone());
        let work = move |tx: &mut Transaction<'_>| Book::new(tx, &rules).balance(&scope);
        self.write("reading a balance of quota", work).await
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        let (rules, scope) = (Rules::of(self), scope.clone());
        let work =
            move |tx: &mut Transaction<'_>| Book::new(tx, &rules).set_quota(&scope, quota.as_ref());
        self.write("setting a quota", work).await
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        let rules = Rules::of(self);
        let work = move |tx: &mut Transaction<'_>| Book::new(tx, &rules).expire(limit);
        self.write("expiring quota", work).await
    }
}

/// Until when a window of a quota counts.
fn counted_until(window: Window, quota: &Quota) -> i64 {
    let end = window.end().saturating_add(quota.period().reach());
    end.as_nanos()
}

/// What was configured.
#[derive(Clone)]
struct Rules {
    defaults: Arc<Defaults>,
    remember: Duration,
}

impl Rules {
    fn of(sqlite: &Sqlite) -> Self {
        let config = sqlite.config();
        Self {
            defaults: Arc::clone(&config.quota_defaults),
            remember: config.quota_remember,
        }
    }
}

/// The windows around now, so that the calendar is asked once a window and not once a call.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    windows: HashMap<(Period, String), Window>,
    grants: u32,
}

impl Scratch {
    /// More calendars than this in use at once is not what a cache is for.
    const WINDOWS_MAX: usize = 1_024;

    fn window(&mut self, quota: &Quota, now: Timestamp) -> Window {
        let key = (quota.period(), quota.zone().name().to_owned());
        if let Some(window) = self.windows.get(&key)
            && window.contains(now)
        {
            return *window;
        }
        if self.windows.len() >= Self::WINDOWS_MAX {
            self.windows.clear();
        }
        let window = quota.window(now);
        self.windows.insert(key, window);
        window
    }
}

/// The ledger inside one transaction, at one time.
struct Book<'a, 'tx> {
    tx: &'a mut Transaction<'tx>,
    rules: &'a Rules,
    now: Timestamp,
}

/// A hold, where it stands in its table, and the accounts it is charged to. Its places are left empty until somebody
/// wants to see them.
struct Entry {
    row: i64,
    hold: Hold,
    accounts: Vec<i64>,
}

/// A scope as the pure decision wants to see it, and its account if it has one.
struct Scope {
    state: ScopeState,
    account: Option<i64>,
}

impl<'a, 'tx> Book<'a, 'tx> {
    fn new(tx: &'a mut Transaction<'tx>, rules: &'a Rules) -> Self {
        let now = tx.now();
        Self { tx, rules, now }
    }

    fn reserve(&mut self, request: &ReserveRequest) -> Result<Decision<Granted, Refused>, Failure> {
        self.expire(usize::MAX)?;
        let (mut states, mut accounts) = (Vec::new(), Vec::new());
        for key in request.scopes() {
            let scope = self.scope(key)?;
            states.push(scope.state);
            accounts.push(scope.account);
        }
        if let Some(mut entry) = self.load(request.id())? {
            entry.hold.places = self.places(&entry.accounts)?;
            return repeat(request, &entry.hold, &states, self.now).map_err(invalid);
        }
        let decision = decide(request, &states, self.now);
        if decision.is_allow() {
            let hold = Hold::granted(request, &states, self.now);
            for (state, account) in states.iter().zip(&mut accounts) {
                *account = Some(self.hold_back(state, *account, hold.ask)?);
            }
            self.insert(&hold, &accounts)?;
            self.tidy()?;
        }
        Ok(decision)
    }

    fn resolve(&mut self, id: ReservationId, how: Resolve) -> Result<Resolution, Failure> {
        let Some(entry) = self.load(id)? else {
            return Ok(Resolution::new(Outcome::Unknown, true));
        };
        let step = resolve(&entry.hold, how, self.now);
        if let Some(change) = step.change {
            self.apply(&entry, change)?;
        }
        Ok(step.resolution)
    }

    fn balance(&mut self, key: &Key) -> Result<Balance, Failure> {
        self.expire(usize::MAX)?;
        self.charge_lessees()?;
        Ok(balance(&self.scope(key)?.state))
    }

    fn set_quota(&mut self, key: &Key, quota: Option<&Quota>) -> Result<(), Failure> {
        let own = self.own_quota(key)?;
        let default = self.rules.defaults.quota(key);
        let (old, new) = (own.as_ref().unwrap_or(default), quota.unwrap_or(default));
        for step in moves(old, new, self.now) {
            self.take(key, step, new)?;
        }
        match quota {
            Some(quota) => self.store_quota(key, quota),
            None => {
                self.prepare("DELETE FROM quota_scopes WHERE scope = ?1")?
                    .execute([key.as_str()])?;
                Ok(())
            }
        }
    }

    /// Notes up to `limit` overdue holds as expired.
    fn expire(&mut self, limit: usize) -> Result<usize, Failure> {
        const CHUNK: usize = 256;
        let mut noted = 0;
        while noted < limit {
            let wanted = CHUNK.min(limit - noted);
            let overdue = self.overdue(wanted)?;
            for entry in &overdue {
                // It always is: the query has asked for the same.
                if let Some(change) = expire(&entry.hold, self.now) {
                    self.apply(entry, change)?;
                }
            }
            noted += overdue.len();
            if overdue.len() < wanted {
                break;
            }
        }
        Ok(noted)
    }

    fn prepare(&self, sql: &'static str) -> Result<CachedStatement<'tx>, rusqlite::Error> {
        self.tx.connection.prepare_cached(sql)
    }

    // ---- holds ----

    fn load(&self, id: ReservationId) -> Result<Option<Entry>, Failure> {
        let mut statement = self.prepare(
            "SELECT hold, id, ask_tokens, ask_nano_usd, ask_requests, ask_input, ask_output,
                 deadline, phase, actual_tokens, actual_nano_usd, actual_requests, actual_input,
                 actual_output, late, accounts
             FROM quota_holds WHERE id = ?1",
        )?;
        let mut rows = statement.query([id.as_u128().to_be_bytes()])?;
        rows.next()?.map(read_entry).transpose()
    }

    fn overdue(&self, limit: usize) -> Result<Vec<Entry>, Failure> {
        let mut statement = self.prepare(
            "SELECT hold, id, ask_tokens, ask_nano_usd, ask_requests, ask_input, ask_output,
                 deadline, phase, actual_tokens, actual_nano_usd, actual_requests, actual_input,
                 actual_output, late, accounts
             FROM quota_holds WHERE phase = 0 AND deadline <= ?1 ORDER BY deadline LIMIT ?2",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query((self.now.as_nanos(), limit))?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(read_entry(row)?);
        }
        Ok(entries)
    }

    /// The scopes and windows behind the numbers of accounts. One that is forgotten is left out.
    fn places(&self, accounts: &[i64]) -> Result<Vec<Place>, Failure> {
        let mut places = Vec::new();
        for account in accounts {
            let mut statement = self.prepare(
                "SELECT scope, starts_at, ends_at FROM quota_accounts WHERE account = ?1",
            )?;
            let mut rows = statement.query([self.merged(*account)?])?;
            if let Some(row) = rows.next()? {
                let scope = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                places.push(Place {
                    scope: Key::parse(scope).map_err(|error| corrupt(LOADING, error))?,
                    window: window(row.get(1)?, row.get(2)?)?,
                });
            }
        }
        Ok(places)
    }

    /// The account that an account's sums are in now.
    fn merged(&self, mut account: i64) -> Result<i64, Failure> {
        let mut statement =
            self.prepare("SELECT merged_into FROM quota_accounts WHERE account = ?1")?;
        // Accounts merge into younger or older ones but never in a ring: what was merged has no start to be found by.
        while let Some(next) = statement
            .query_row([account], |row| row.get::<_, Option<i64>>(0))
            .optional()?
            .flatten()
        {
            account = next;
        }
        Ok(account)
    }

    fn insert(&self, hold: &Hold, accounts: &[Option<i64>]) -> Result<(), Failure> {
        let [tokens, nano_usd, requests, input, output] = hold.ask.to_measures();
        let accounts: Vec<String> = accounts.iter().flatten().map(i64::to_string).collect();
        self.prepare(
            "INSERT INTO quota_holds (id, ask_tokens, ask_nano_usd, ask_requests, ask_input,
                 ask_output, deadline, since, accounts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute((
            hold.id.as_u128().to_be_bytes(),
            tokens,
            nano_usd,
            requests,
            input,
            output,
            hold.deadline.as_nanos(),
            self.now.as_nanos(),
            accounts.join(" "),
        ))?;
        Ok(())
    }

    /// Takes a change into the books, at every account of the hold. An error undoes the whole call.
    fn apply(&self, entry: &Entry, change: Change) -> Result<(), Failure> {
        for account in &entry.accounts {
            self.book(*account, change)?;
        }
        let (phase, actual, late) = match change.phase {
            Phase::Held => (0, Amount::ZERO, false),
            Phase::Settled { actual, late } => (1, actual, late),
            Phase::Released => (2, Amount::ZERO, false),
            Phase::Expired => (3, Amount::ZERO, false),
            _ => return Err(unknown_word("a phase")),
        };
        let [tokens, nano_usd, requests, input, output] = actual.to_measures();
        self.prepare(
            "UPDATE quota_holds SET phase = ?2, since = ?3, late = ?4,
                 actual_tokens = ?5, actual_nano_usd = ?6, actual_requests = ?7,
                 actual_input = ?8, actual_output = ?9
             WHERE hold = ?1",
        )?
        .execute((
            entry.row,
            phase,
            self.now.as_nanos(),
            late,
            tokens,
            nano_usd,
            requests,
            input,
            output,
        ))?;
        Ok(())
    }

    /// Books a change in one account, if the sums stay within what a ledger counts.
    fn book(&self, account: i64, change: Change) -> Result<(), Failure> {
        let [a, b, c, d, e] = change.spend.to_measures();
        let [v, w, x, y, z] = change.unhold.to_measures();
        let changed = self
            .prepare(
                "UPDATE quota_accounts SET
                     spent_tokens = spent_tokens + ?2, spent_nano_usd = spent_nano_usd + ?3,
                     spent_requests = spent_requests + ?4, spent_input = spent_input + ?5,
                     spent_output = spent_output + ?6,
                     held_tokens = held_tokens - ?7, held_nano_usd = held_nano_usd - ?8,
                     held_requests = held_requests - ?9, held_input = held_input - ?10,
                     held_output = held_output - ?11,
                     changed_at = max(changed_at, ?12)
                 WHERE account = ?1 AND merged_into IS NULL
                     AND spent_tokens <= 9223372036854775807 - ?2
                     AND spent_nano_usd <= 9223372036854775807 - ?3
                     AND spent_requests <= 9223372036854775807 - ?4
                     AND spent_input <= 9223372036854775807 - ?5
                     AND spent_output <= 9223372036854775807 - ?6
                     AND held_tokens >= ?7 AND held_nano_usd >= ?8 AND held_requests >= ?9
                     AND held_input >= ?10 AND held_output >= ?11",
            )?
            .execute((account, a, b, c, d, e, v, w, x, y, z, self.now.as_nanos()))?;
        if changed == 1 {
            return Ok(());
        }
        let merged = self.merged(account)?;
        if merged != account {
            return self.book(merged, change);
        }
        let is_there = self
            .prepare("SELECT 1 FROM quota_accounts WHERE account = ?1")?
            .exists([account])?;
        if is_there {
            Err(invalid(RequestError::Overflow))
        } else {
            // Forgotten, and so should the hold have been: both ended longer ago than is remembered.
            Ok(())
        }
    }

    // ---- forgetting ----

    /// Deletes what ended long ago, now and then. Not at once: costs still come late, and clocks are set back.
    fn tidy(&mut self) -> Result<(), Failure> {
        let grants = &mut self.tx.scratch.quota.grants;
        *grants = grants.wrapping_add(1);
        if !grants.is_multiple_of(TIDY_EVERY) {
            return Ok(());
        }
        let before = self.now.saturating_sub(self.rules.remember).as_nanos();
        self.prepare(
            "DELETE FROM quota_holds WHERE hold IN (SELECT hold FROM quota_holds
                 WHERE phase <> 0 AND since <= ?1 ORDER BY since LIMIT ?2)",
        )?
        .execute((before, TIDY_ROWS))?;
        // An account changes whenever one of its holds ends, so one that has not changed since has no hold to remember.
        // What lasts for ever never ended.
        self.prepare(
            "DELETE FROM quota_accounts WHERE account IN (SELECT account FROM quota_accounts
                 WHERE counted_until <= ?1 AND changed_at <= ?1 AND held_tokens = 0
                     AND held_nano_usd = 0 AND held_requests = 0 AND held_input = 0
                     AND held_output = 0
                 ORDER BY counted_until LIMIT ?2)",
        )?
        .execute((before, TIDY_ROWS))?;
        // Windows that began so long ago raise no alert any more, but for those that last for ever.
        self.prepare(
            "DELETE FROM quota_alerts WHERE (scope, starts_at, measure, mark) IN (
                 SELECT scope, starts_at, measure, mark FROM quota_alerts
                 WHERE raised_at <= ?1 AND starts_at > ?3 ORDER BY raised_at LIMIT ?2)",
        )?
        .execute((
            self.now.saturating_sub(ALERTS_REMEMBERED).as_nanos(),
            TIDY_ROWS,
            i64::MIN,
        ))?;
        Ok(())
    }
}
