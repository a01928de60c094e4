//! The administrator's part of the book.

use std::collections::{HashMap, VecDeque};

use palisade_core::{Key, StoreError, Timestamp};

use super::{Book, invalid};
use crate::{
    AdminAction, AdminChange, AlertKey, Amount, AuditEntry, AuditPage, AuditQuery, ChangeId,
    RequestError, ScopeEntry, ScopePage, ScopeQuery, balance,
};

/// The most alerts that are remembered.
const ALERTS_MAX: usize = 100_000;

/// Who changed what, the latest behind. What does not fit falls out in front.
#[derive(Debug, Default)]
pub(super) struct Audit {
    entries: VecDeque<AuditEntry>,
    /// The lines by their ids.
    numbers: HashMap<ChangeId, u64>,
    last: u64,
}

impl Audit {
    fn find(&self, id: ChangeId) -> Option<&AuditEntry> {
        let number = self.numbers.get(&id)?;
        let first = self.entries.front()?.number;
        // Numbers follow one another without a gap.
        let at = usize::try_from(number.checked_sub(first)?).ok()?;
        self.entries.get(at)
    }

    fn push(&mut self, entry: AuditEntry, max: usize) {
        while self.entries.len() >= max.max(1) {
            if let Some(oldest) = self.entries.pop_front() {
                self.numbers.remove(&oldest.change.id);
            }
        }
        self.last = entry.number;
        self.numbers.insert(entry.change.id, entry.number);
        self.entries.push_back(entry);
    }
}

impl Book {
    pub(crate) fn change(
        &mut self,
        change: &AdminChange,
        now: Timestamp,
    ) -> Result<AuditEntry, StoreError> {
        const DOING: &str = "changing a quota";
        self.expire(usize::MAX, now);
        self.charge_lessees(now);
        if let Some(entry) = self.audit.find(change.id) {
            if entry.change == *change {
                return Ok(entry.clone());
            }
            return Err(invalid(DOING, RequestError::IdInUse));
        }
        let before = self
            .state(&change.scope, now)
            .map_err(|error| invalid(DOING, error))?;
        if let AdminAction::SetQuota(quota) = &change.action {
            self.set_quota(&change.scope, quota.clone(), now)?;
        } else {
            self.room_for_scopes(std::slice::from_ref(&change.scope), now, DOING)?;
            self.act(&change.scope, &change.action, now)
                .map_err(|error| invalid(DOING, error))?;
        }
        let window = before.quota.span(now);
        let number = self.audit.last + 1;
        let entry = AuditEntry::new(number, now, change.clone(), window, before.spent);
        self.audit.push(entry.clone(), self.bounds.audit_max());
        Ok(entry)
    }

    fn act(&mut self, key: &Key, action: &AdminAction, now: Timestamp) -> Result<(), RequestError> {
        let state = self.state(key, now)?;
        let scope = self.scopes.entry(key.clone()).or_default();
        scope.reach = scope.reach.max(state.quota.period().reach());
        let counted = state.quota.span(now).start()..=state.window.start();
        let sum = |a: Amount, b: &Amount| a.checked_add(*b).ok_or(RequestError::Overflow);
        match action {
            AdminAction::Grant(extra) => {
                sum(state.extra, extra)?;
                let account = scope.account(state.window);
                account.extra = sum(account.extra, extra)?;
            }
            AdminAction::Charge(cost) => {
                sum(state.spent, cost)?;
                let account = scope.account(state.window);
                account.spent = sum(account.spent, cost)?;
            }
            AdminAction::Refund(cost) => {
                if !state.spent.covers(*cost) {
                    return Err(RequestError::Refund);
                }
                let mut rest = *cost;
                for (_, account) in scope.accounts.range_mut(counted).rev() {
                    let part = account.spent.min(rest);
                    account.spent = account.spent.saturating_sub(part);
                    rest = rest.saturating_sub(part);
                }
            }
            AdminAction::Reset => {
                for (_, account) in scope.accounts.range_mut(counted) {
                    account.spent = Amount::ZERO;
                }
            }
            AdminAction::Block => scope.blocked = true,
            AdminAction::Unblock => scope.blocked = false,
            // Done by the caller.
            AdminAction::SetQuota(_) => {}
        }
        // Perhaps it is forgettable now, which the last search could not know.
        self.tidy_after = Timestamp::MIN;
        Ok(())
    }

    pub(crate) fn list(
        &mut self,
        query: &ScopeQuery,
        now: Timestamp,
    ) -> Result<ScopePage, StoreError> {
        self.expire(usize::MAX, now);
        self.charge_lessees(now);
        let is_after = |key: &&Key| query.after.as_ref().is_none_or(|after| *key > after);
        let mut keys: Vec<Key> = self.scopes.keys().filter(is_after).cloned().collect();
        keys.sort_unstable();
        let mut page = ScopePage::default();
        for key in keys {
            let state = self
                .state(&key, now)
                .map_err(|error| invalid("listing quotas", error))?;
            let own = self.scopes.get(&key).and_then(|scope| scope.own.clone());
            let entry = ScopeEntry::new(balance(&state), own);
            if !entry.is_listed() {
                continue;
            }
            if page.scopes.len() == query.limit {
                page.more = true;
                break;
            }
            page.scopes.push(entry);
        }
        Ok(page)
    }

    /// Takes an alert's key and says whether nobody had.
    pub(crate) fn first_alert(&mut self, key: AlertKey) -> bool {
        let is_first = self.alerts.insert((key.starts_at, key));
        while self.alerts.len() > ALERTS_MAX {
            // The oldest windows first, but for the one that has no beginning and never ends.
            let oldest = self
                .alerts
                .iter()
                .find(|(start, _)| *start > Timestamp::MIN)
                .or_else(|| self.alerts.first())
                .cloned();
            let Some(oldest) = oldest else { break };
            self.alerts.remove(&oldest);
        }
        is_first
    }

    pub(crate) fn audit(&self, query: &AuditQuery) -> AuditPage {
        let mut entries = self.audit.entries.iter().rev().filter(|entry| {
            query.before.is_none_or(|before| entry.number < before)
                && query
                    .scope
                    .as_ref()
                    .is_none_or(|scope| *scope == entry.change.scope)
        });
        let page = entries.by_ref().take(query.limit).cloned().collect();
        AuditPage::new(page, entries.next().is_some())
    }
}
