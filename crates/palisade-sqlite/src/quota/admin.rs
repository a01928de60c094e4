//! The administrator's part: changes, the log of them, and lists.

use palisade_core::{Key, StoreError, Timestamp};
use palisade_quota::{
    AdminAction, AdminChange, AlertKey, AlertLog, Amount, AuditEntry, AuditPage, AuditQuery,
    ChangeId, Measure, Quota, QuotaAdmin, RequestError, ScopeEntry, ScopePage, ScopeQuery,
    ScopeState, Window, balance,
};
use rusqlite::Row;

use super::{
    Book, LOADING, Rules, invalid, period_name, read_amount, read_quota, unknown_word, window,
};
use crate::{
    Sqlite,
    error::{Failure, corrupt},
    writer::Transaction,
};

impl QuotaAdmin for Sqlite {
    async fn change(&self, change: AdminChange) -> Result<AuditEntry, StoreError> {
        let rules = Rules::of(self);
        let work = move |tx: &mut Transaction<'_>| Book::new(tx, &rules).change(&change);
        self.write("changing a quota", work).await
    }

    async fn scopes(&self, query: ScopeQuery) -> Result<ScopePage, StoreError> {
        let rules = Rules::of(self);
        let work = move |tx: &mut Transaction<'_>| Book::new(tx, &rules).list(&query);
        self.write("listing quotas", work).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        let rules = Rules::of(self);
        let work = move |tx: &mut Transaction<'_>| Book::new(tx, &rules).audit(&query);
        self.write("reading the audit log of quotas", work).await
    }
}

impl AlertLog for Sqlite {
    async fn first(&self, key: AlertKey) -> Result<bool, StoreError> {
        let work = move |tx: &mut Transaction<'_>| {
            let measure = match key.measure {
                Measure::Tokens => "tokens",
                Measure::Money => "money",
                Measure::Requests => "requests",
                Measure::Input => "input",
                Measure::Output => "output",
                _ => return Err(unknown_word("a measure")),
            };
            let taken = tx
                .connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO quota_alerts (scope, starts_at, measure, mark, raised_at)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((
                    key.scope.as_str(),
                    key.starts_at.as_nanos(),
                    measure,
                    key.mark.to_string(),
                    tx.now().as_nanos(),
                ))?;
            Ok(taken == 1)
        };
        self.write("raising an alert of quota", work).await
    }
}

impl Book<'_, '_> {
    fn change(&mut self, change: &AdminChange) -> Result<AuditEntry, Failure> {
        self.expire(usize::MAX)?;
        self.charge_lessees()?;
        if let Some(entry) = self.line(change.id)? {
            return match entry.change == *change {
                true => Ok(entry),
                false => Err(invalid(RequestError::IdInUse)),
            };
        }
        let before = self.scope(&change.scope)?;
        let state = &before.state;
        let first = state.quota.period().span(state.window).start();
        match &change.action {
            AdminAction::SetQuota(quota) => self.set_quota(&change.scope, quota.as_ref())?,
            AdminAction::Grant(extra) => {
                fits(state.extra, *extra)?;
                self.add(state, before.account, Amount::ZERO, *extra)?;
            }
            AdminAction::Charge(cost) => {
                fits(state.spent, *cost)?;
                self.add(state, before.account, *cost, Amount::ZERO)?;
            }
            AdminAction::Refund(cost) => {
                if !state.spent.covers(*cost) {
                    return Err(invalid(RequestError::Refund));
                }
                self.take_back(state, first, *cost)?;
            }
            AdminAction::Reset => self.take_back(state, first, state.spent)?,
            AdminAction::Block => {
                self.prepare("INSERT OR IGNORE INTO quota_blocks (scope) VALUES (?1)")?
                    .execute([change.scope.as_str()])?;
            }
            AdminAction::Unblock => {
                self.prepare("DELETE FROM quota_blocks WHERE scope = ?1")?
                    .execute([change.scope.as_str()])?;
            }
            _ => return Err(unknown_word("an action")),
        }
        let span = state.quota.period().span(state.window);
        self.write_line(change, span, state.spent)?;
        let line = self.line(change.id)?;
        line.ok_or_else(|| corrupt(LOADING, "a line of the audit log is gone"))
    }

    /// Adds to what the running window of a scope has spent, and to what was granted there.
    fn add(
        &mut self,
        state: &ScopeState,
        account: Option<i64>,
        spent: Amount,
        extra: Amount,
    ) -> Result<(), Failure> {
        let account = match account {
            Some(account) => account,
            None => self.open(state, state.window)?,
        };
        let ([a, b, c, d, e], [v, w, x, y, z]) = (spent.to_measures(), extra.to_measures());
        self.prepare(
            "UPDATE quota_accounts SET
                 spent_tokens = spent_tokens + ?2, spent_nano_usd = spent_nano_usd + ?3,
                 spent_requests = spent_requests + ?4, spent_input = spent_input + ?5,
                 spent_output = spent_output + ?6,
                 extra_tokens = extra_tokens + ?7, extra_nano_usd = extra_nano_usd + ?8,
                 extra_requests = extra_requests + ?9, extra_input = extra_input + ?10,
                 extra_output = extra_output + ?11,
                 changed_at = max(changed_at, ?12)
             WHERE account = ?1",
        )?
        .execute((account, a, b, c, d, e, v, w, x, y, z, self.now.as_nanos()))?;
        Ok(())
    }

    /// Takes a cost out of the windows that count, from the latest back.
    fn take_back(
        &self,
        state: &ScopeState,
        first: Timestamp,
        mut rest: Amount,
    ) -> Result<(), Failure> {
        let mut statement = self.prepare(
            "SELECT account, spent_tokens, spent_nano_usd, spent_requests, spent_input,
                 spent_output
             FROM quota_accounts WHERE scope = ?1 AND starts_at BETWEEN ?2 AND ?3
             ORDER BY starts_at DESC",
        )?;
        let last = state.window.start().as_nanos();
        let mut rows = statement.query((state.scope.as_str(), first.as_nanos(), last))?;
        let mut parts: Vec<(i64, Amount)> = Vec::new();
        while let Some(row) = rows.next()? {
            let part = read_amount(row, 1)?.min(rest);
            rest = rest.saturating_sub(part);
            parts.push((row.get(0)?, part));
        }
        for (account, part) in parts {
            let [tokens, nano_usd, requests, input, output] = part.to_measures();
            self.prepare(
                "UPDATE quota_accounts SET
                     spent_tokens = spent_tokens - ?2, spent_nano_usd = spent_nano_usd - ?3,
                     spent_requests = spent_requests - ?4, spent_input = spent_input - ?5,
                     spent_output = spent_output - ?6, changed_at = max(changed_at, ?7)
                 WHERE account = ?1",
            )?
            .execute((
                account,
                tokens,
                nano_usd,
                requests,
                input,
                output,
                self.now.as_nanos(),
            ))?;
        }
        Ok(())
    }

    fn write_line(&self, change: &AdminChange, span: Window, was: Amount) -> Result<(), Failure> {
        let (mut units, mut calendar) = ([None; 5], (None, None));
        match &change.action {
            AdminAction::SetQuota(Some(quota)) => {
                units = Measure::ALL.map(|measure| quota.limit(measure));
                let zone = quota.zone().name().to_owned();
                calendar = (Some(period_name(quota.period())?), Some(zone));
            }
            AdminAction::Grant(amount)
            | AdminAction::Charge(amount)
            | AdminAction::Refund(amount) => units = amount.to_measures().map(Some),
            _ => {}
        }
        let [w0, w1, w2, w3, w4] = was.to_measures();
        self.prepare(
            "INSERT INTO quota_audit (id, at, scope, action, tokens, nano_usd, requests, input,
                 output, period, zone, who, why, starts_at, ends_at, was_tokens, was_nano_usd,
                 was_requests, was_input, was_output)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                 ?18, ?19, ?20)",
        )?
        .execute(rusqlite::params![
            change.id.as_u128().to_be_bytes(),
            self.now.as_nanos(),
            change.scope.as_str(),
            action_name(&change.action)?,
            units[0],
            units[1],
            units[2],
            units[3],
            units[4],
            calendar.0,
            calendar.1,
            change.who,
            change.why,
            span.start().as_nanos(),
            span.end().as_nanos(),
            w0,
            w1,
            w2,
            w3,
            w4,
        ])?;
        Ok(())
    }

    fn line(&self, id: ChangeId) -> Result<Option<AuditEntry>, Failure> {
        let mut statement = self.prepare(
            "SELECT number, id, at, scope, action, tokens, nano_usd, requests, input, output,
                 period, zone, who, why, starts_at, ends_at, was_tokens, was_nano_usd,
                 was_requests, was_input, was_output
             FROM quota_audit WHERE id = ?1",
        )?;
        let mut rows = statement.query([id.as_u128().to_be_bytes()])?;
        rows.next()?.map(read_line).transpose()
    }

    fn audit(&mut self, query: &AuditQuery) -> Result<AuditPage, Failure> {
        let before = query.before.and_then(|number| i64::try_from(number).ok());
        let scope = query.scope.as_ref().map(Key::as_str);
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let mut statement = match scope {
            Some(_) => self.prepare(
                "SELECT number, id, at, scope, action, tokens, nano_usd, requests, input, output,
                     period, zone, who, why, starts_at, ends_at, was_tokens, was_nano_usd,
                     was_requests, was_input, was_output
                 FROM quota_audit WHERE scope = ?2 AND number < ?1
                 ORDER BY number DESC LIMIT ?3",
            ),
            None => self.prepare(
                "SELECT number, id, at, scope, action, tokens, nano_usd, requests, input, output,
                     period, zone, who, why, starts_at, ends_at, was_tokens, was_nano_usd,
                     was_requests, was_input, was_output
                 FROM quota_audit WHERE ?2 IS NULL AND number < ?1
                 ORDER BY number DESC LIMIT ?3",
            ),
        }?;
        let before = before.unwrap_or(i64::MAX);
        let mut rows = statement.query((before, scope, limit.saturating_add(1)))?;
        let mut page = AuditPage::default();
        while let Some(row) = rows.next()? {
            page.more = page.entries.len() == query.limit;
            if page.more {
                break;
            }
            page.entries.push(read_line(row)?);
        }
        Ok(page)
    }

    fn list(&mut self, query: &ScopeQuery) -> Result<ScopePage, Failure> {
        self.expire(usize::MAX)?;
        self.charge_lessees()?;
        let mut page = ScopePage::default();
        // No key is as small as nothing at all, but that of everybody.
        let mut after = query.after.as_ref().map(|key| key.as_str().to_owned());
        loop {
            let keys = self.keys_after(after.as_deref())?;
            let Some(last) = keys.last() else {
                return Ok(page);
            };
            after = Some(last.as_str().to_owned());
            for key in &keys {
                let state = self.scope(key)?.state;
                let entry = ScopeEntry::new(balance(&state), self.own_quota(key)?);
                if !entry.is_listed() {
                    continue;
                }
                if page.scopes.len() == query.limit {
                    page.more = true;
                    return Ok(page);
                }
                page.scopes.push(entry);
            }
        }
    }

    /// Some keys of which there may be something to say.
    fn keys_after(&self, after: Option<&str>) -> Result<Vec<Key>, Failure> {
        let mut statement = self.prepare(
            "SELECT scope FROM quota_scopes WHERE ?1 IS NULL OR scope > ?1
             UNION SELECT scope FROM quota_blocks WHERE ?1 IS NULL OR scope > ?1
             UNION SELECT scope FROM quota_accounts
                 WHERE (?1 IS NULL OR scope > ?1) AND starts_at IS NOT NULL AND counted_until > ?2
             ORDER BY scope LIMIT 256",
        )?;
        let mut rows = statement.query((after, self.now.as_nanos()))?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            keys.push(Key::parse(text).map_err(|error| corrupt(LOADING, error))?);
        }
        Ok(keys)
    }
}

fn fits(sum: Amount, more: Amount) -> Result<(), Failure> {
    match sum.checked_add(more) {
        Some(_) => Ok(()),
        None => Err(invalid(RequestError::Overflow)),
    }
}

fn action_name(action: &AdminAction) -> Result<&'static str, Failure> {
    Ok(match action {
        AdminAction::SetQuota(_) => "set_quota",
        AdminAction::Grant(_) => "grant",
        AdminAction::Reset => "reset",
        AdminAction::Block => "block",
        AdminAction::Unblock => "unblock",
        AdminAction::Charge(_) => "charge",
        AdminAction::Refund(_) => "refund",
        _ => return Err(unknown_word("an action")),
    })
}

fn read_line(row: &Row<'_>) -> Result<AuditEntry, Failure> {
    let id: [u8; 16] = row.get(1)?;
    let text = |column: usize| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let action = match text(4)? {
        "set_quota" => AdminAction::SetQuota(read_limits(row)?),
        "grant" => AdminAction::Grant(read_amount(row, 5)?),
        "reset" => AdminAction::Reset,
        "block" => AdminAction::Block,
        "unblock" => AdminAction::Unblock,
        "charge" => AdminAction::Charge(read_amount(row, 5)?),
        "refund" => AdminAction::Refund(read_amount(row, 5)?),
        _ => return Err(corrupt(LOADING, "the audit log has an unknown action")),
    };
    let change = AdminChange::new(
        ChangeId::from_u128(u128::from_be_bytes(id)),
        Key::parse(text(3)?).map_err(|error| corrupt(LOADING, error))?,
        action,
        text(12)?,
        text(13)?,
    );
    let number: i64 = row.get(0)?;
    Ok(AuditEntry::new(
        number.unsigned_abs(),
        Timestamp::from_nanos(row.get(2)?),
        change.map_err(|error| corrupt(LOADING, error))?,
        window(row.get(14)?, row.get(15)?)?,
        read_amount(row, 16)?,
    ))
}

fn read_limits(row: &Row<'_>) -> Result<Option<Quota>, Failure> {
    read_quota(row, 5)
}
