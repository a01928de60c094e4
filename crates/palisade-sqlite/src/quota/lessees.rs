//! The ledger as a lender: who has borrowed how much of which account.

use palisade_core::StoreError;
use palisade_quota::{
    Amount, Exchange, Exchanged, Lease, LeaseEntry, QuotaLender, RequestError, Window, keep, lend,
};

use super::{Book, LOADING, Rules, Scope, invalid, read_amount, window};
use crate::{
    Sqlite,
    error::{Failure, corrupt},
    writer::Transaction,
};

impl QuotaLender for Sqlite {
    async fn exchange(&self, exchange: Exchange) -> Result<Exchanged, StoreError> {
        let rules = Rules::of(self);
        let work = move |tx: &mut Transaction<'_>| Book::new(tx, &rules).exchange(&exchange);
        self.write("exchanging leases of quota", work).await
    }
}

/// An account of a scope, in whichever window, as an exchange finds it.
struct Place {
    account: Option<i64>,
    window: Window,
    is_running: bool,
}

impl Book<'_, '_> {
    fn exchange(&mut self, exchange: &Exchange) -> Result<Exchanged, Failure> {
        self.expire(usize::MAX)?;
        self.charge_lessees()?;
        let lessee = exchange.lessee.as_u128().to_be_bytes();
        let last = self.welcome(&lessee)?;
        if last.is_some_and(|last| exchange.turn < last) {
            return Err(invalid(RequestError::IdInUse));
        }
        let repeated = last == Some(exchange.turn);
        if !repeated {
            for entry in &exchange.entries {
                self.take_in(&lessee, entry)?;
            }
        }
        let turn = i64::try_from(exchange.turn).map_err(|_| invalid(RequestError::Overflow))?;
        let until = self.now.saturating_add(exchange.ttl).as_nanos();
        self.prepare(
            "INSERT INTO quota_lessees (lessee, turn, until) VALUES (?1, ?2, ?3)
             ON CONFLICT (lessee) DO UPDATE SET turn = excluded.turn, until = excluded.until",
        )?
        .execute((lessee, turn, until))?;
        let leases = exchange.entries.iter().map(|entry| {
            let scope = self.scope(&entry.scope)?;
            let place = self.place(&scope, entry)?;
            let lent = self.lent(&lessee, place.account)?;
            Ok(Lease::new(scope.state, place.window, lent))
        });
        let leases: Result<Vec<Lease>, Failure> = leases.collect();
        Ok(Exchanged::new(repeated, leases?))
    }

    /// Books what was spent, and sets the lease anew.
    fn take_in(&mut self, lessee: &[u8; 16], entry: &LeaseEntry) -> Result<(), Failure> {
        let scope = self.scope(&entry.scope)?;
        let place = self.place(&scope, entry)?;
        let old = self.lent(lessee, place.account)?;
        let new = if place.is_running {
            lend(&scope.state, old, entry)
        } else {
            keep(old, entry)
        };
        // Looking leaves no trace.
        if entry.spent.is_zero() && old == new {
            return Ok(());
        }
        let account = match place.account {
            Some(account) => account,
            None => self.open(&scope.state, place.window)?,
        };
        let spent = entry.spent.to_measures();
        let (before, after) = (old.to_measures(), new.to_measures());
        let changed = self
            .prepare(
                "UPDATE quota_accounts SET
                     spent_tokens = spent_tokens + ?2,
                     spent_nano_usd = spent_nano_usd + ?3,
                     spent_requests = spent_requests + ?4,
                     spent_input = spent_input + ?5,
                     spent_output = spent_output + ?6,
                     held_tokens = held_tokens - ?7 + ?12,
                     held_nano_usd = held_nano_usd - ?8 + ?13,
                     held_requests = held_requests - ?9 + ?14,
                     held_input = held_input - ?10 + ?15,
                     held_output = held_output - ?11 + ?16,
                     changed_at = max(changed_at, ?17)
                 WHERE account = ?1
                     AND spent_tokens <= 9223372036854775807 - ?2
                     AND spent_nano_usd <= 9223372036854775807 - ?3
                     AND spent_requests <= 9223372036854775807 - ?4
                     AND spent_input <= 9223372036854775807 - ?5
                     AND spent_output <= 9223372036854775807 - ?6
                     AND held_tokens - ?7 BETWEEN 0 AND 9223372036854775807 - ?12
                     AND held_nano_usd - ?8 BETWEEN 0 AND 9223372036854775807 - ?13
                     AND held_requests - ?9 BETWEEN 0 AND 9223372036854775807 - ?14
                     AND held_input - ?10 BETWEEN 0 AND 9223372036854775807 - ?15
                     AND held_output - ?11 BETWEEN 0 AND 9223372036854775807 - ?16",
            )?
            .execute(rusqlite::params_from_iter(
                std::iter::once(account)
                    .chain(spent)
                    .chain(before)
                    .chain(after)
                    .chain([self.now.as_nanos()]),
            ))?;
        if changed == 0 {
            return Err(invalid(RequestError::Overflow));
        }
        if new.is_zero() {
            self.prepare("DELETE FROM quota_leases WHERE lessee = ?1 AND account = ?2")?
                .execute((lessee, account))?;
        } else {
            self.prepare(
                "INSERT INTO quota_leases
                     (lessee, account, tokens, nano_usd, requests, input, output)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (lessee, account) DO UPDATE SET tokens = excluded.tokens,
                     nano_usd = excluded.nano_usd, requests = excluded.requests,
                     input = excluded.input, output = excluded.output",
            )?
            .execute((
                lessee, account, after[0], after[1], after[2], after[3], after[4],
            ))?;
        }
        Ok(())
    }

    /// The account that an entry speaks of. A window that should be running and is not in the scope's calendar was moved
    /// into the running one.
    fn place(&mut self, scope: &Scope, entry: &LeaseEntry) -> Result<Place, Failure> {
        let running = Place {
            account: scope.account,
            window: scope.state.window,
            is_running: true,
        };
        let Some(wanted) = entry.window else {
            return Ok(running);
        };
        if wanted.start() == running.window.start() {
            return Ok(running);
        }
        let mut statement = self.prepare(
            "SELECT account, ends_at FROM quota_accounts WHERE scope = ?1 AND starts_at = ?2",
        )?;
        let mut rows = statement.query((entry.scope.as_str(), wanted.start().as_nanos()))?;
        let (account, window) = match rows.next()? {
            Some(row) => (
                Some(row.get(0)?),
                window(wanted.start().as_nanos(), row.get(1)?)?,
            ),
            None if wanted.end() <= self.now
                || scope.state.quota.window(wanted.start()) == wanted =>
            {
                (None, wanted)
            }
            None => return Ok(running),
        };
        Ok(Place {
            account,
            window,
            is_running: false,
        })
    }

    fn lent(&self, lessee: &[u8; 16], account: Option<i64>) -> Result<Amount, Failure> {
        let Some(account) = account else {
            return Ok(Amount::ZERO);
        };
        let mut statement = self.prepare(
            "SELECT tokens, nano_usd, requests, input, output
             FROM quota_leases WHERE lessee = ?1 AND account = ?2",
        )?;
        let mut rows = statement.query((lessee, account))?;
        match rows.next()? {
            Some(row) => read_amount(row, 0),
            None => Ok(Amount::ZERO),
        }
    }

    /// The number of a lessee's last exchange. What was charged while it was not heard of is its lease again.
    fn welcome(&mut self, lessee: &[u8; 16]) -> Result<Option<u64>, Failure> {
        let mut statement =
            self.prepare("SELECT turn, charged FROM quota_lessees WHERE lessee = ?1")?;
        let mut rows = statement.query([lessee])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let turn: i64 = row.get(0)?;
        if row.get::<_, bool>(1)? {
            self.relabel(lessee, false)?;
        }
        let turn = u64::try_from(turn).map_err(|error| corrupt(LOADING, error))?;
        Ok(Some(turn))
    }

    /// Shows the leases of those as spent who have not been heard of in time, and forgets them when nobody needs to
    /// remember.
    pub(super) fn charge_lessees(&mut self) -> Result<(), Failure> {
        let overdue: Vec<[u8; 16]> = self
            .prepare("SELECT lessee FROM quota_lessees WHERE until <= ?1 AND charged = 0")?
            .query_map([self.now.as_nanos()], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if overdue.is_empty() {
            return Ok(());
        }
        for lessee in &overdue {
            self.relabel(lessee, true)?;
        }
        // While its windows run, a lessee may come back and say that it spent less.
        let before = self.now.saturating_sub(self.rules.remember).as_nanos();
        self.prepare(
            "DELETE FROM quota_lessees WHERE until <= ?1 AND charged = 1 AND NOT EXISTS (
                 SELECT 1 FROM quota_leases JOIN quota_accounts USING (account)
                 WHERE quota_leases.lessee = quota_lessees.lessee
                     AND (ends_at > ?1 OR ends_at = 9223372036854775807))",
        )?
        .execute([before])?;
        self.prepare(
            "DELETE FROM quota_leases WHERE NOT EXISTS (
                 SELECT 1 FROM quota_lessees WHERE quota_lessees.lessee = quota_leases.lessee)",
        )?
        .execute(())?;
        Ok(())
    }

    /// Moves what a lessee has between held and spent. An administrator may have written off what was shown as spent.
    fn relabel(&self, lessee: &[u8; 16], charged: bool) -> Result<(), Failure> {
        let sign = if charged { 1_i64 } else { -1 };
        self.prepare(
            "UPDATE quota_accounts SET
                 spent_tokens = max(0, spent_tokens + ?2 * lease.tokens),
                 spent_nano_usd = max(0, spent_nano_usd + ?2 * lease.nano_usd),
                 spent_requests = max(0, spent_requests + ?2 * lease.requests),
                 spent_input = max(0, spent_input + ?2 * lease.input),
                 spent_output = max(0, spent_output + ?2 * lease.output),
                 held_tokens = max(0, held_tokens - ?2 * lease.tokens),
                 held_nano_usd = max(0, held_nano_usd - ?2 * lease.nano_usd),
                 held_requests = max(0, held_requests - ?2 * lease.requests),
                 held_input = max(0, held_input - ?2 * lease.input),
                 held_output = max(0, held_output - ?2 * lease.output),
                 changed_at = max(changed_at, ?3)
             FROM (SELECT * FROM quota_leases WHERE lessee = ?1) AS lease
             WHERE quota_accounts.account = lease.account",
        )?
        .execute((lessee, sign, self.now.as_nanos()))?;
        self.prepare("UPDATE quota_lessees SET charged = ?2 WHERE lessee = ?1")?
            .execute((lessee, charged))?;
        Ok(())
    }

    /// An account was put into another.
    pub(super) fn merge_leases(&self, from: i64, to: i64) -> Result<(), Failure> {
        self.prepare(
            "INSERT INTO quota_leases
                 (lessee, account, tokens, nano_usd, requests, input, output)
             SELECT lessee, ?2, tokens, nano_usd, requests, input, output
             FROM quota_leases WHERE account = ?1
             ON CONFLICT (lessee, account) DO UPDATE SET
                 tokens = tokens + excluded.tokens, nano_usd = nano_usd + excluded.nano_usd,
                 requests = requests + excluded.requests, input = input + excluded.input,
                 output = output + excluded.output",
        )?
        .execute((from, to))?;
        self.prepare("DELETE FROM quota_leases WHERE account = ?1")?
            .execute([from])?;
        Ok(())
    }
}
