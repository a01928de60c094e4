mod admin;
mod lessees;
mod loans;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use foldhash::quality::RandomState;
use palisade_core::{Decision, Key, StoreError, StoreErrorKind, Timestamp};

use admin::Audit;
use lessees::Lessees;

use crate::{
    AlertKey, Amount, Balance, Bounds, Change, Defaults, Granted, Hold, Move, Outcome, Phase,
    Quota, Refused, RequestError, ReservationId, ReserveRequest, Resolution, Resolve, ScopeState,
    SettleRequest, Window, balance, decide, expire, moves, repeat, resolve,
};

/// A whole ledger as plain state: input and time go in, an answer comes out.
///
/// What it keeps besides the pure decision are sums, so that no decision walks over the holds of a scope, and two
/// orders of time, so that no decision walks over the holds of everybody.
#[derive(Debug)]
pub(crate) struct Book {
    defaults: Defaults,
    bounds: Bounds,
    scopes: HashMap<Key, Scope, RandomState>,
    holds: HashMap<ReservationId, Entry, RandomState>,
    /// The holds still in phase `Held`, the first to expire in front.
    deadlines: BTreeSet<(Timestamp, ReservationId)>,
    /// The holds that ended, the oldest ending in front.
    ended: BTreeSet<(Timestamp, ReservationId)>,
    /// Before this, a search for scopes to forget finds none.
    tidy_after: Timestamp,
    lessees: Lessees,
    audit: Audit,
    /// Which alerts were raised, by the start of their windows.
    alerts: BTreeSet<(Timestamp, AlertKey)>,
    /// Whether the sums are a store's, of which this book keeps account of its own part.
    borrows: bool,
}

#[derive(Debug)]
struct Entry {
    hold: Hold,
    /// When it last changed phase.
    since: Timestamp,
}

#[derive(Debug, Default)]
struct Scope {
    own: Option<Quota>,
    /// Shut by an administrator.
    blocked: bool,
    /// For how long after its end a window of this scope still counts: the longest that a quota of it said.
    reach: Duration,
    /// The last window computed under the present quota: most decisions fall into it.
    current: Option<Window>,
    /// By the start of their windows.
    accounts: BTreeMap<Timestamp, Account>,
}

#[derive(Debug)]
struct Account {
    window: Window,
    spent: Amount,
    held: Amount,
    /// Granted by an administrator on top of the quota.
    extra: Amount,
    loan: Loan,
}

/// What a node knows of its own part in a sum that it shares with others: see [`Leased`](crate::Leased). Nothing in a
/// ledger that is the store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loan {
    /// What is on lease.
    pub(crate) lent: Amount,
    /// What was spent of it and the store does not know yet.
    pub(crate) unposted: Amount,
    /// What live reservations of this node hold.
    pub(crate) live: Amount,
    /// What was asked for in this round, after the first call: one call alone is no demand.
    pub(crate) recent: Amount,
    pub(crate) was_asked: bool,
}

impl Book {
    pub(crate) fn new(defaults: Defaults, bounds: Bounds) -> Self {
        Self {
            defaults,
            bounds,
            scopes: HashMap::default(),
            holds: HashMap::default(),
            deadlines: BTreeSet::new(),
            ended: BTreeSet::new(),
            tidy_after: Timestamp::MIN,
            lessees: Lessees::default(),
            audit: Audit::default(),
            alerts: BTreeSet::new(),
            borrows: false,
        }
    }

    /// The book of a node that borrows. A store tells it every quota.
    pub(crate) fn of_a_node(bounds: Bounds) -> Self {
        Self {
            borrows: true,
            ..Self::new(Defaults::default(), bounds)
        }
    }

    pub(crate) fn reserve(
        &mut self,
        request: &ReserveRequest,
        now: Timestamp,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        const DOING: &str = "reserving quota";
        self.expire(usize::MAX, now);
        let states = self
            .states(request.scopes(), now)
            .map_err(|error| invalid(DOING, error))?;
        if let Some(entry) = self.holds.get(&request.id()) {
            return repeat(request, &entry.hold, &states, now)
                .map_err(|error| invalid(DOING, error));
        }
        let decision = decide(request, &states, now);
        if decision.is_allow() {
            self.grant(request, &states, now)?;
        }
        Ok(decision)
    }

    /// Notes the hold of a request that was allowed on these scopes.
    fn grant(
        &mut self,
        request: &ReserveRequest,
        states: &[ScopeState],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "reserving quota";
        self.room_for_hold(now, DOING)?;
        self.room_for_scopes(request.scopes(), now, DOING)?;
        let hold = Hold::granted(request, states, now);
        for state in states {
            let scope = self.scopes.entry(state.scope.clone()).or_default();
            scope.reach = scope.reach.max(state.quota.period().reach());
            scope.forget_before(now, self.bounds.remember());
            let account = scope.account(state.window);
            // In range: the sum is at most the limit that `decide` compared it with.
            if let Some(held) = account.held.checked_add(request.ask()) {
                account.held = held;
            }
            if self.borrows {
                account.loan.ask(request.ask());
            }
        }
        self.deadlines.insert((hold.deadline, hold.id));
        self.holds.insert(hold.id, Entry { hold, since: now });
        Ok(())
    }

    pub(crate) fn settle(
        &mut self,
        request: SettleRequest,
        now: Timestamp,
    ) -> Result<Resolution, StoreError> {
        self.resolve(request.id, Resolve::Settle(request.actual), now)
            .map_err(|error| invalid("settling quota", error))
    }

    pub(crate) fn release(
        &mut self,
        id: ReservationId,
        now: Timestamp,
    ) -> Result<Resolution, StoreError> {
        self.resolve(id, Resolve::Release, now)
            .map_err(|error| invalid("releasing quota", error))
    }

    pub(crate) fn balance(&mut self, scope: &Key, now: Timestamp) -> Result<Balance, StoreError> {
        self.expire(usize::MAX, now);
        self.charge_lessees(now);
        self.state(scope, now)
            .map(|state| balance(&state))
            .map_err(|error| invalid("reading a balance of quota", error))
    }

    pub(crate) fn set_quota(
        &mut self,
        key: &Key,
        quota: Option<Quota>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "setting a quota";
        self.room_for_scopes(std::slice::from_ref(key), now, DOING)?;
        let default = self.defaults.quota(key);
        let scope = self.scopes.entry(key.clone()).or_default();
        let (old, new) = (
            scope.own.as_ref().unwrap_or(default),
            quota.as_ref().unwrap_or(default),
        );
        let steps = moves(old, new, now);
        scope
            .can_take(&steps)
            .map_err(|error| invalid(DOING, error))?;
        for step in steps {
            scope.take(step).map_err(|error| invalid(DOING, error))?;
            let places = self
                .holds
                .values_mut()
                .flat_map(|entry| &mut entry.hold.places);
            for place in places
                .filter(|place| place.scope == *key && place.window.start() == step.from.start())
            {
                place.window = step.to;
            }
            self.lessees.take(key, step);
        }
        let reach = new.period().reach();
        scope.reach = scope.reach.max(reach);
        scope.current = None;
        scope.own = quota;
        // Perhaps it is forgettable now, which the last search could not know.
        self.tidy_after = Timestamp::MIN;
        Ok(())
    }

    /// Notes up to `limit` overdue holds as expired.
    pub(crate) fn expire(&mut self, limit: usize, now: Timestamp) -> usize {
        let mut noted = 0;
        while noted < limit {
            let Some(&(deadline, id)) = self.deadlines.first() else {
                break;
            };
            if deadline > now {
                break;
            }
            let change = self
                .holds
                .get(&id)
                .and_then(|entry| expire(&entry.hold, now));
            // It always is: the two tables change together.
            let Some(change) = change else { break };
            // Nothing is spent by an expiry, so nothing can overflow.
            if self.apply(id, change, now).is_err() {
                break;
            }
            noted += 1;
        }
        noted
    }

    fn resolve(
        &mut self,
        id: ReservationId,
        how: Resolve,
        now: Timestamp,
    ) -> Result<Resolution, RequestError> {
        let Some(entry) = self.holds.get(&id) else {
            return Ok(Resolution::new(Outcome::Unknown, true));
        };
        let step = resolve(&entry.hold, how, now);
        if let Some(change) = step.change {
            self.apply(id, change, now)?;
        }
        Ok(step.resolution)
    }

    /// Takes a change into the books: at every place of the hold, or at none.
    fn apply(
        &mut self,
        id: ReservationId,
        change: Change,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let Some(entry) = self.holds.get_mut(&id) else {
            return Ok(());
        };
        let mut sums = Vec::with_capacity(entry.hold.places.len());
        for place in &entry.hold.places {
            let account = self
                .scopes
                .get(&place.scope)
                .and_then(|scope| scope.accounts.get(&place.window.start()));
            let (spent, held) = account.map_or((Amount::ZERO, Amount::ZERO), |account| {
                (account.spent, account.held)
            });
            let spent = spent
                .checked_add(change.spend)
                .ok_or(RequestError::Overflow)?;
            let held = held
                .checked_sub(change.unhold)
                .ok_or(RequestError::Overflow)?;
            sums.push((spent, held));
        }
        for (place, (spent, held)) in entry.hold.places.iter().zip(sums) {
            // A cost that comes so late that its window is forgotten is booked all the same.
            let scope = self.scopes.entry(place.scope.clone()).or_default();
            let account = scope.account(place.window);
            (account.spent, account.held) = (spent, held);
            if self.borrows {
                let loan = &mut account.loan;
                loan.unposted = loan.unposted.saturating_add(change.spend);
                loan.live = loan.live.saturating_sub(change.unhold);
            }
        }
        if entry.hold.phase == Phase::Held {
            self.deadlines.remove(&(entry.hold.deadline, id));
        } else {
            self.ended.remove(&(entry.since, id));
        }
        entry.hold.phase = change.phase;
        entry.since = now;
        self.ended.insert((now, id));
        Ok(())
    }

    fn states(&mut self, keys: &[Key], now: Timestamp) -> Result<Vec<ScopeState>, RequestError> {
        keys.iter().map(|key| self.state(key, now)).collect()
    }

    /// One scope as the pure decision wants to see it. Looking leaves no trace: strangers' keys take no room.
    fn state(&mut self, key: &Key, now: Timestamp) -> Result<ScopeState, RequestError> {
        let default = self.defaults.quota(key);
        let Some(scope) = self.scopes.get_mut(key) else {
            let window = default.window(now);
            return Ok(ScopeState::new(
                key.clone(),
                default.clone(),
                window,
                Amount::ZERO,
                Amount::ZERO,
            ));
        };
        let quota = scope.own.as_ref().unwrap_or(default);
        let window = match scope.current {
            Some(window) if window.contains(now) => window,
            _ => *scope.current.insert(quota.window(now)),
        };
        // What a node knows of a window is the sum of all that counts there already.
        let first = match quota.period().reach().is_zero() || self.borrows {
            true => window.start(),
            false => quota.span(now).start(),
        };
        let mut sums = [Amount::ZERO; 3];
        for account in scope
            .accounts
            .range(first..=window.start())
            .map(|(_, account)| account)
        {
            for (sum, part) in sums
                .iter_mut()
                .zip([account.spent, account.held, account.extra])
            {
                *sum = sum.checked_add(part).ok_or(RequestError::Overflow)?;
            }
        }
        let [spent, held, extra] = sums;
        let state = ScopeState::new(key.clone(), quota.clone(), window, spent, held);
        Ok(state.with_extra(extra).with_blocked(scope.blocked))
    }

    /// Makes room for one hold. Live ones are never forgotten for it.
    fn room_for_hold(&mut self, now: Timestamp, doing: &'static str) -> Result<(), StoreError> {
        let remember = self.bounds.remember();
        while let Some(&(since, id)) = self.ended.first() {
            if self.holds.len() < self.bounds.holds_max() && since.saturating_add(remember) > now {
                break;
            }
            self.ended.remove(&(since, id));
            self.holds.remove(&id);
        }
        if self.holds.len() < self.bounds.holds_max() {
            Ok(())
        } else {
            Err(StoreError::new(StoreErrorKind::Busy, doing))
        }
    }

    /// Makes room for these scopes. What others have spent is never forgotten for it.
    fn room_for_scopes(
        &mut self,
        keys: &[Key],
        now: Timestamp,
        doing: &'static str,
    ) -> Result<(), StoreError> {
        let new = keys
            .iter()
            .filter(|key| !self.scopes.contains_key(*key))
            .count();
        let max = self.bounds.scopes_max();
        if new > 0 && self.scopes.len() + new > max && now >= self.tidy_after {
            self.forget_scopes(now);
        }
        if new == 0 || self.scopes.len() + new <= max {
            Ok(())
        } else {
            Err(StoreError::new(StoreErrorKind::Busy, doing))
        }
    }

    /// Forgets scopes that have nothing to remember, and when the next one will have nothing.
    fn forget_scopes(&mut self, now: Timestamp) {
        let remember = self.bounds.remember();
        let mut next = Timestamp::MAX;
        self.scopes.retain(|_, scope| {
            scope.forget_before(now, remember);
            let last = scope
                .accounts
                .values()
                .map(|account| account.window.end())
                .max();
            if let Some(end) = last {
                next = next.min(end.saturating_add(remember.max(scope.reach)));
            }
            scope.own.is_some() || scope.blocked || last.is_some()
        });
        // An overdue account that still holds something makes `next` lie in the past: search again then, not at once.
        self.tidy_after = next.max(now.saturating_add(Duration::from_secs(1)));
    }
}

impl Loan {
    /// Both parts together.
    fn with(self, other: Self) -> Self {
        Self {
            lent: self.lent.saturating_add(other.lent),
            unposted: self.unposted.saturating_add(other.unposted),
            live: self.live.saturating_add(other.live),
            recent: self.recent.saturating_add(other.recent),
            was_asked: self.was_asked || other.was_asked,
        }
    }

    fn ask(&mut self, ask: Amount) {
        self.live = self.live.saturating_add(ask);
        if self.was_asked {
            self.recent = self.recent.saturating_add(ask);
        }
        self.was_asked = true;
    }

    /// Whether there is something between this node and the store.
    fn is_open(&self) -> bool {
        !(self.lent.is_zero() && self.unposted.is_zero())
    }

    /// What is taken of the lease.
    pub(crate) fn taken(&self) -> Amount {
        self.live.saturating_add(self.unposted)
    }
}

impl Scope {
    fn account(&mut self, window: Window) -> &mut Account {
        self.accounts.entry(window.start()).or_insert(Account {
            window,
            spent: Amount::ZERO,
            held: Amount::ZERO,
            extra: Amount::ZERO,
            loan: Loan::default(),
        })
    }

    /// Whether the sums stay within what a ledger counts when these moves are made.
    fn can_take(&self, steps: &[Move]) -> Result<(), RequestError> {
        let starts: BTreeSet<Timestamp> = steps
            .iter()
            .flat_map(|step| [step.from.start(), step.to.start()])
            .collect();
        let mut sums = [Amount::ZERO; 3];
        for account in starts.iter().filter_map(|start| self.accounts.get(start)) {
            for (sum, part) in sums
                .iter_mut()
                .zip([account.spent, account.held, account.extra])
            {
                *sum = sum.checked_add(part).ok_or(RequestError::Overflow)?;
            }
        }
        Ok(())
    }

    /// Puts what one window has spent and holds into another.
    fn take(&mut self, step: Move) -> Result<(), RequestError> {
        let sum = |a: Amount, b| a.checked_add(b).ok_or(RequestError::Overflow);
        let Some(from) = self.accounts.get(&step.from.start()) else {
            return Ok(());
        };
        let (mut spent, mut held, mut extra) = (from.spent, from.held, from.extra);
        let mut loan = from.loan;
        if step.from.start() != step.to.start()
            && let Some(to) = self.accounts.get(&step.to.start())
        {
            (spent, held) = (sum(spent, to.spent)?, sum(held, to.held)?);
            extra = sum(extra, to.extra)?;
            loan = loan.with(to.loan);
        }
        self.accounts.remove(&step.from.start());
        let window = step.to;
        self.accounts.insert(
            window.start(),
            Account {
                window,
                spent,
                held,
                extra,
                loan,
            },
        );
        Ok(())
    }

    /// Forgets windows that ended long ago. Not at once: costs still come late, and clocks are set back.
    fn forget_before(&mut self, now: Timestamp, remember: Duration) {
        let remember = remember.max(self.reach);
        self.accounts.retain(|_, account| {
            !account.held.is_zero()
                || account.loan.is_open()
                || account.window.end() == Timestamp::MAX
                || account.window.end().saturating_add(remember) > now
        });
    }
}

fn invalid(doing: &'static str, error: RequestError) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, doing).with_source(error)
}

#[cfg(test)]
mod tests {
    use palisade_core::Dimension;

    use super::*;

    #[test]
    fn a_scope_in_daily_use_does_not_grow() {
        let mut book = Book::new(Defaults::default(), Bounds::default());
        let scope = Key::new(Dimension::User, "a").expect("short");
        let mut now = Timestamp::from_secs(1_795_176_000);
        for bits in 0..1_000 {
            let id = ReservationId::from_u128(bits);
            let ask = Amount::from_units(1, 1);
            let request = ReserveRequest::new(id, [scope.clone()], ask).expect("one scope");
            assert!(book.reserve(&request, now).expect("room").is_allow());
            assert!(book.settle(SettleRequest::new(id, ask), now).is_ok());
            now = now.saturating_add(Duration::from_secs(43_200));
        }
        let accounts: usize = book.scopes.values().map(|scope| scope.accounts.len()).sum();
        assert!(accounts <= 3, "{accounts} windows are kept");
        assert!(book.holds.len() <= 4 && book.ended.len() <= 4 && book.deadlines.is_empty());
    }
}
