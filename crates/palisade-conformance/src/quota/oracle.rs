use std::ops::RangeInclusive;

use palisade_core::{Decision, Key, Timestamp};
use palisade_quota::{
    AdminAction, AdminChange, Amount, AuditEntry, AuditPage, AuditQuery, Balance, Defaults,
    Granted, Hold, Outcome, Quota, Refused, RequestError, ReservationId, ReserveRequest,
    Resolution, Resolve, ScopeEntry, ScopePage, ScopeQuery, ScopeState, balance, decide, expire,
    moves, repeat, resolve,
};

/// The slowest ledger there is, and the easiest to believe: it keeps lists, forgets nothing, and adds everything up for
/// every answer. Decisions come from the room's pure model.
#[derive(Clone, Debug)]
pub struct Oracle {
    defaults: Defaults,
    quotas: Vec<(Key, Quota)>,
    holds: Vec<Hold>,
    /// What was booked, by the scope and the start of the window.
    booked: Vec<(Key, Timestamp, Amount)>,
    /// What an administrator granted, likewise.
    extra: Vec<(Key, Timestamp, Amount)>,
    blocked: Vec<Key>,
    audit: Vec<AuditEntry>,
}

impl Oracle {
    /// An empty ledger.
    #[must_use]
    pub const fn new(defaults: Defaults) -> Self {
        Self {
            defaults,
            quotas: Vec::new(),
            holds: Vec::new(),
            booked: Vec::new(),
            extra: Vec::new(),
            blocked: Vec::new(),
            audit: Vec::new(),
        }
    }

    /// What [`reserve`](palisade_quota::QuotaLedger::reserve) must answer.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the question is wrong.
    pub fn reserve(
        &mut self,
        request: &ReserveRequest,
        now: Timestamp,
    ) -> Result<Decision<Granted, Refused>, RequestError> {
        let states = request.scopes().iter().map(|scope| self.state(scope, now));
        let states = states.collect::<Result<Vec<_>, _>>()?;
        if let Some(hold) = self.holds.iter().find(|hold| hold.id == request.id()) {
            return repeat(request, hold, &states, now);
        }
        let decision = decide(request, &states, now);
        if decision.is_allow() {
            self.holds.push(Hold::granted(request, &states, now));
        }
        Ok(decision)
    }

    /// What [`settle`](palisade_quota::QuotaLedger::settle) and [`release`](palisade_quota::QuotaLedger::release) must
    /// answer.
    ///
    /// # Errors
    ///
    /// [`RequestError::Overflow`] if a sum leaves its range.
    pub fn resolve(
        &mut self,
        id: ReservationId,
        how: Resolve,
        now: Timestamp,
    ) -> Result<Resolution, RequestError> {
        let Some(index) = self.holds.iter().position(|hold| hold.id == id) else {
            return Ok(Resolution::new(Outcome::Unknown, true));
        };
        let step = resolve(&self.holds[index], how, now);
        if let Some(change) = step.change {
            let hold = self.holds[index].clone();
            for place in &hold.places {
                let start = place.window.start();
                let booked = sum(&self.booked, &place.scope, start..=start)?;
                booked
                    .checked_add(change.spend)
                    .ok_or(RequestError::Overflow)?;
            }
            for place in hold.places {
                self.booked
                    .push((place.scope, place.window.start(), change.spend));
            }
            self.holds[index].phase = change.phase;
        }
        Ok(step.resolution)
    }

    /// What [`balance`](palisade_quota::QuotaLedger::balance) must answer.
    ///
    /// # Errors
    ///
    /// [`RequestError::Overflow`] if a sum leaves its range.
    pub fn balance(&self, scope: &Key, now: Timestamp) -> Result<Balance, RequestError> {
        self.state(scope, now).map(|state| balance(&state))
    }

    /// What [`set_quota`](palisade_quota::QuotaLedger::set_quota) must do.
    pub fn set_quota(&mut self, scope: &Key, quota: Option<Quota>, now: Timestamp) {
        let before = self.quota(scope).clone();
        self.quotas.retain(|(key, _)| key != scope);
        if let Some(quota) = quota {
            self.quotas.push((scope.clone(), quota));
        }
        for step in moves(&before, self.quota(scope), now) {
            let from = step.from.start();
            for (key, start, _) in self.booked.iter_mut().chain(&mut self.extra) {
                if key == scope && *start == from {
                    *start = step.to.start();
                }
            }
            for place in self.holds.iter_mut().flat_map(|hold| &mut hold.places) {
                if place.scope == *scope && place.window.start() == from {
                    place.window = step.to;
                }
            }
        }
    }

    /// What [`change`](palisade_quota::QuotaAdmin::change) must answer.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the change is wrong.
    pub fn change(
        &mut self,
        change: &AdminChange,
        now: Timestamp,
    ) -> Result<AuditEntry, RequestError> {
        if let Some(entry) = self.audit.iter().find(|entry| entry.change.id == change.id) {
            return match entry.change == *change {
                true => Ok(entry.clone()),
                false => Err(RequestError::IdInUse),
            };
        }
        let scope = &change.scope;
        let state = self.state(scope, now)?;
        let (here, span) = (state.window.start(), state.quota.span(now));
        let counted = span.start()..=here;
        let fits = |a: Amount, b: Amount| a.checked_add(b).ok_or(RequestError::Overflow);
        match &change.action {
            AdminAction::SetQuota(quota) => self.set_quota(scope, quota.clone(), now),
            AdminAction::Grant(extra) => {
                fits(state.extra, *extra)?;
                self.extra.push((scope.clone(), here, *extra));
            }
            AdminAction::Charge(cost) => {
                fits(state.spent, *cost)?;
                self.booked.push((scope.clone(), here, *cost));
            }
            AdminAction::Refund(cost) if !state.spent.covers(*cost) => {
                return Err(RequestError::Refund);
            }
            AdminAction::Refund(cost) => {
                let mut rest = *cost;
                let mut booked: Vec<_> = self
                    .booked
                    .iter_mut()
                    .filter(|(key, start, _)| key == scope && counted.contains(start))
                    .collect();
                booked.sort_by_key(|(_, start, _)| std::cmp::Reverse(*start));
                for (.., amount) in booked {
                    let part = amount.min(rest);
                    *amount = amount.saturating_sub(part);
                    rest = rest.saturating_sub(part);
                }
            }
            AdminAction::Reset => self
                .booked
                .retain(|(key, start, _)| key != scope || !counted.contains(start)),
            AdminAction::Block => self.blocked.push(scope.clone()),
            AdminAction::Unblock => self.blocked.retain(|key| key != scope),
            _ => {}
        }
        let number = self.audit.len() as u64 + 1;
        let entry = AuditEntry::new(number, now, change.clone(), span, state.spent);
        self.audit.push(entry.clone());
        Ok(entry)
    }

    /// What [`audit`](palisade_quota::QuotaAdmin::audit) must answer.
    #[must_use]
    pub fn audit(&self, query: &AuditQuery) -> AuditPage {
        let mut entries = self.audit.iter().rev().filter(|entry| {
            query.before.is_none_or(|before| entry.number < before)
                && query
                    .scope
                    .as_ref()
                    .is_none_or(|scope| *scope == entry.change.scope)
        });
        let page = entries.by_ref().take(query.limit).cloned().collect();
        AuditPage::new(page, entries.next().is_some())
    }

    /// What [`scopes`](palisade_quota::QuotaAdmin::scopes) must answer, of these scopes in the order of their keys.
    ///
    /// # Errors
    ///
    /// [`RequestError::Overflow`] if a sum leaves its range.
    pub fn scopes<'k>(
        &self,
        query: &ScopeQuery,
        keys: impl IntoIterator<Item = &'k Key>,
        now: Timestamp,
    ) -> Result<ScopePage, RequestError> {
        let mut page = ScopePage::default();
        for key in keys {
            let own = self.quotas.iter().find(|(scope, _)| scope == key);
            let own = own.map(|(_, quota)| quota.clone());
            let entry = ScopeEntry::new(self.balance(key, now)?, own);
            if entry.is_listed() && query.after.as_ref().is_none_or(|after| key > after) {
                page.more = page.scopes.len() == query.limit;
                if page.more {
                    break;
                }
                page.scopes.push(entry);
            }
        }
        Ok(page)
    }

    /// How many holds [`expire`](palisade_quota::QuotaLedger::expire) may note at most.
    pub fn expire(&mut self, now: Timestamp) -> usize {
        let mut noted = 0;
        for hold in &mut self.holds {
            if let Some(change) = expire(hold, now) {
                hold.phase = change.phase;
                noted += 1;
            }
        }
        noted
    }

    /// When what is held at `now` will expire.
    pub(super) fn deadlines(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        self.holds
            .iter()
            .filter(move |hold| hold.is_live(now))
            .map(|hold| hold.deadline)
    }

    fn quota(&self, scope: &Key) -> &Quota {
        let own = self.quotas.iter().find(|(key, _)| key == scope);
        own.map_or_else(|| self.defaults.quota(scope), |(_, quota)| quota)
    }

    fn state(&self, scope: &Key, now: Timestamp) -> Result<ScopeState, RequestError> {
        let quota = self.quota(scope).clone();
        let window = quota.window(now);
        let counted = quota.span(now).start()..=window.start();
        let spent = sum(&self.booked, scope, counted.clone())?;
        let extra = sum(&self.extra, scope, counted.clone())?;
        let here = |hold: &&Hold| {
            let mut places = hold.places.iter();
            places.any(|place| place.scope == *scope && counted.contains(&place.window.start()))
        };
        let live = self.holds.iter().filter(|hold| hold.is_live(now));
        let held = live
            .filter(here)
            .try_fold(Amount::ZERO, |sum, hold| sum.checked_add(hold.ask))
            .ok_or(RequestError::Overflow)?;
        let state = ScopeState::new(scope.clone(), quota, window, spent, held);
        Ok(state
            .with_extra(extra)
            .with_blocked(self.blocked.contains(scope)))
    }
}

/// The sum of what stands under a scope and windows that start in a stretch of time.
fn sum(
    amounts: &[(Key, Timestamp, Amount)],
    scope: &Key,
    counted: RangeInclusive<Timestamp>,
) -> Result<Amount, RequestError> {
    amounts
        .iter()
        .filter(|(key, start, _)| key == scope && counted.contains(start))
        .try_fold(Amount::ZERO, |sum, (.., amount)| sum.checked_add(*amount))
        .ok_or(RequestError::Overflow)
}
