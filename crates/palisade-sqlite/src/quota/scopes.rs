//! Scopes, and the accounts of their windows.

use palisade_core::Key;
use palisade_quota::{Amount, Measure, Move, Quota, RequestError, ScopeState, Window};
use rusqlite::OptionalExtension;

use super::{Book, Scope, counted_until, invalid, period_name, read_amount, read_quota};
use crate::error::Failure;

impl Book<'_, '_> {
    /// Looking at a scope leaves no trace: strangers' keys take no room.
    pub(super) fn scope(&mut self, key: &Key) -> Result<Scope, Failure> {
        let mut statement = self.prepare(
            "SELECT tokens, nano_usd, requests, input, output, period, zone,
                 EXISTS (SELECT 1 FROM quota_blocks WHERE quota_blocks.scope = ?1)
             FROM (SELECT 1) LEFT JOIN quota_scopes ON quota_scopes.scope = ?1",
        )?;
        let mut rows = statement.query([key.as_str()])?;
        let (own, blocked) = match rows.next()? {
            Some(row) => (read_quota(row, 0)?, row.get(7)?),
            None => (None, false),
        };
        let quota = own.unwrap_or_else(|| self.rules.defaults.quota(key).clone());
        let window = self.tx.scratch.quota.window(&quota, self.now);
        // For a rolling period, all slices that count.
        let first = quota.period().span(window).start();
        let mut statement = self.prepare(
            "SELECT account, starts_at,
                 spent_tokens, spent_nano_usd, spent_requests, spent_input, spent_output,
                 held_tokens, held_nano_usd, held_requests, held_input, held_output,
                 extra_tokens, extra_nano_usd, extra_requests, extra_input, extra_output
             FROM quota_accounts WHERE scope = ?1 AND starts_at BETWEEN ?2 AND ?3",
        )?;
        let start = window.start().as_nanos();
        let mut rows = statement.query((key.as_str(), first.as_nanos(), start))?;
        let mut account = None;
        let mut sums = [Amount::ZERO; 3];
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? == start {
                account = Some(row.get(0)?);
            }
            for (sum, column) in sums.iter_mut().zip([2, 7, 12]) {
                let part = read_amount(row, column)?;
                *sum = sum
                    .checked_add(part)
                    .ok_or_else(|| invalid(RequestError::Overflow))?;
            }
        }
        let [spent, held, extra] = sums;
        let state = ScopeState::new(key.clone(), quota, window, spent, held);
        let state = state.with_extra(extra).with_blocked(blocked);
        Ok(Scope { state, account })
    }

    pub(super) fn own_quota(&self, key: &Key) -> Result<Option<Quota>, Failure> {
        let mut statement = self.prepare(
            "SELECT tokens, nano_usd, requests, input, output, period, zone
             FROM quota_scopes WHERE scope = ?1",
        )?;
        let mut rows = statement.query([key.as_str()])?;
        match rows.next()? {
            Some(row) => read_quota(row, 0),
            None => Ok(None),
        }
    }

    pub(super) fn store_quota(&self, key: &Key, quota: &Quota) -> Result<(), Failure> {
        self.prepare(
            "INSERT INTO quota_scopes
                 (scope, tokens, nano_usd, requests, input, output, period, zone)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (scope) DO UPDATE SET tokens = excluded.tokens,
                 nano_usd = excluded.nano_usd, requests = excluded.requests,
                 input = excluded.input, output = excluded.output,
                 period = excluded.period, zone = excluded.zone",
        )?
        .execute((
            key.as_str(),
            quota.limit(Measure::Tokens),
            quota.limit(Measure::Money),
            quota.limit(Measure::Requests),
            quota.limit(Measure::Input),
            quota.limit(Measure::Output),
            period_name(quota.period())?,
            quota.zone().name(),
        ))?;
        Ok(())
    }

    /// Puts what one window has spent and holds into another. The holds follow by the number of their account.
    pub(super) fn take(&self, key: &Key, step: Move, new: &Quota) -> Result<(), Failure> {
        let find = |window: Window| {
            self.prepare("SELECT account FROM quota_accounts WHERE scope = ?1 AND starts_at = ?2")?
                .query_row((key.as_str(), window.start().as_nanos()), |row| {
                    row.get::<_, i64>(0)
                })
                .optional()
        };
        let Some(from) = find(step.from)? else {
            return Ok(());
        };
        let to = find(step.to)?.filter(|to| *to != from);
        if let Some(to) = to {
            // It may have begun as a window of another calendar.
            self.prepare(
                "UPDATE quota_accounts SET ends_at = ?2, counted_until = ?3 WHERE account = ?1",
            )?
            .execute((to, step.to.end().as_nanos(), counted_until(step.to, new)))?;
        }
        match to {
            None => {
                self.prepare(
                    "UPDATE quota_accounts SET starts_at = ?2, ends_at = ?3, counted_until = ?4
                     WHERE account = ?1",
                )?
                .execute((
                    from,
                    step.to.start().as_nanos(),
                    step.to.end().as_nanos(),
                    counted_until(step.to, new),
                ))?;
                Ok(())
            }
            Some(to) => self.merge(from, to),
        }
    }

    fn merge(&self, from: i64, to: i64) -> Result<(), Failure> {
        let merged = self
            .prepare(
                "UPDATE quota_accounts SET
                     spent_tokens = quota_accounts.spent_tokens + old.spent_tokens,
                     spent_nano_usd = quota_accounts.spent_nano_usd + old.spent_nano_usd,
                     spent_requests = quota_accounts.spent_requests + old.spent_requests,
                     spent_input = quota_accounts.spent_input + old.spent_input,
                     spent_output = quota_accounts.spent_output + old.spent_output,
                     held_tokens = quota_accounts.held_tokens + old.held_tokens,
                     held_nano_usd = quota_accounts.held_nano_usd + old.held_nano_usd,
                     held_requests = quota_accounts.held_requests + old.held_requests,
                     held_input = quota_accounts.held_input + old.held_input,
                     held_output = quota_accounts.held_output + old.held_output,
                     extra_tokens = quota_accounts.extra_tokens + old.extra_tokens,
                     extra_nano_usd = quota_accounts.extra_nano_usd + old.extra_nano_usd,
                     extra_requests = quota_accounts.extra_requests + old.extra_requests,
                     extra_input = quota_accounts.extra_input + old.extra_input,
                     extra_output = quota_accounts.extra_output + old.extra_output,
                     changed_at = max(quota_accounts.changed_at, old.changed_at)
                 FROM (SELECT * FROM quota_accounts WHERE account = ?1) AS old
                 WHERE quota_accounts.account = ?2
                     AND quota_accounts.spent_tokens <= 9223372036854775807 - old.spent_tokens
                     AND quota_accounts.spent_nano_usd <= 9223372036854775807 - old.spent_nano_usd
                     AND quota_accounts.spent_requests <= 9223372036854775807 - old.spent_requests
                     AND quota_accounts.spent_input <= 9223372036854775807 - old.spent_input
                     AND quota_accounts.spent_output <= 9223372036854775807 - old.spent_output
                     AND quota_accounts.held_tokens <= 9223372036854775807 - old.held_tokens
                     AND quota_accounts.held_nano_usd <= 9223372036854775807 - old.held_nano_usd
                     AND quota_accounts.held_requests <= 9223372036854775807 - old.held_requests
                     AND quota_accounts.held_input <= 9223372036854775807 - old.held_input
                     AND quota_accounts.held_output <= 9223372036854775807 - old.held_output
                     AND quota_accounts.extra_tokens <= 9223372036854775807 - old.extra_tokens
                     AND quota_accounts.extra_nano_usd <= 9223372036854775807 - old.extra_nano_usd
                     AND quota_accounts.extra_requests <= 9223372036854775807 - old.extra_requests
                     AND quota_accounts.extra_input <= 9223372036854775807 - old.extra_input
                     AND quota_accounts.extra_output <= 9223372036854775807 - old.extra_output",
            )?
            .execute((from, to))?;
        if merged == 0 {
            return Err(invalid(RequestError::Overflow));
        }
        self.prepare(
            "UPDATE quota_accounts SET starts_at = NULL, merged_into = ?2,
                 spent_tokens = 0,
                 spent_nano_usd = 0,
                 spent_requests = 0,
                 spent_input = 0,
                 spent_output = 0,
                 held_tokens = 0,
                 held_nano_usd = 0,
                 held_requests = 0,
                 held_input = 0,
                 held_output = 0,
                 extra_tokens = 0,
                 extra_nano_usd = 0,
                 extra_requests = 0,
                 extra_input = 0,
                 extra_output = 0
             WHERE account = ?1",
        )?
        .execute((from, to))?;
        self.merge_leases(from, to)
    }

    /// Adds to what a window holds, and says in which account. In range: the sum is at most the limit that `decide`
    /// compared it with.
    pub(super) fn hold_back(
        &self,
        state: &ScopeState,
        account: Option<i64>,
        ask: Amount,
    ) -> Result<i64, Failure> {
        let account = match account {
            Some(account) => account,
            None => self.open(state, state.window)?,
        };
        let [tokens, nano_usd, requests, input, output] = ask.to_measures();
        self.prepare(
            "UPDATE quota_accounts SET held_tokens = held_tokens + ?2,
                 held_nano_usd = held_nano_usd + ?3, held_requests = held_requests + ?4,
                 held_input = held_input + ?5, held_output = held_output + ?6
             WHERE account = ?1",
        )?
        .execute((account, tokens, nano_usd, requests, input, output))?;
        Ok(account)
    }

    /// A new account for one window of a scope.
    pub(super) fn open(&self, state: &ScopeState, window: Window) -> Result<i64, Failure> {
        self.prepare(
            "INSERT INTO quota_accounts (scope, starts_at, ends_at, counted_until, changed_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            state.scope.as_str(),
            window.start().as_nanos(),
            window.end().as_nanos(),
            counted_until(window, &state.quota),
            self.now.as_nanos(),
        ))?;
        Ok(self.tx.connection.last_insert_rowid())
    }
}
