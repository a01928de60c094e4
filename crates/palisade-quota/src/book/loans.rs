//! The ledger of a node that borrows: what it knows of the store's sums, and its own part in them.

use palisade_core::{Decision, Key, StoreError, Timestamp};

use super::{Book, Loan, invalid};
use crate::{
    Amount, Exchange, Exchanged, Granted, LeaseEntry, Measure, Outcome, Refused, ReservationId,
    ReserveRequest, Resolution, Resolve, Window, decide, repeat,
};

impl Loan {
    /// What to have in hand besides, so that calls seldom wait for a slice: two rounds' worth of demand.
    const fn ahead(&self) -> Amount {
        self.recent.saturating_add(self.recent)
    }
}

impl Book {
    /// Decides as far as this node can. `None` if the store must be asked: it does not know a scope, has too little on
    /// lease, or (unless what it knows is `fresh`) would have to refuse.
    pub(crate) fn reserve_lent(
        &mut self,
        request: &ReserveRequest,
        now: Timestamp,
        fresh: bool,
    ) -> Result<Option<Decision<Granted, Refused>>, StoreError> {
        const DOING: &str = "reserving quota";
        self.expire(usize::MAX, now);
        if !request.scopes().iter().all(|key| self.knows(key, now)) {
            return Ok(None);
        }
        let states = self
            .states(request.scopes(), now)
            .map_err(|error| invalid(DOING, error))?;
        if let Some(entry) = self.holds.get(&request.id()) {
            let answer = repeat(request, &entry.hold, &states, now);
            return answer.map(Some).map_err(|error| invalid(DOING, error));
        }
        let decision = decide(request, &states, now);
        if !decision.is_allow() {
            return Ok(fresh.then_some(decision));
        }
        let ask = request.ask();
        let has_room = states.iter().all(|state| {
            let loan = self.loan(&state.scope, state.window.start());
            let taken = loan.taken().saturating_add(ask);
            // Who asks nothing of a measure needs nothing on lease there, also in a debt.
            Measure::ALL.into_iter().all(|measure| {
                ask.get(measure) == 0 || loan.lent.get(measure) >= taken.get(measure)
            })
        });
        if !has_room {
            return Ok(None);
        }
        self.grant(request, &states, now)?;
        Ok(Some(decision))
    }

    /// Resolves a hold of this node, and says whether its leases cover all that is taken of them; if not, the store must
    /// hear of it before anybody is told. `None` if it is no hold of this node.
    pub(crate) fn resolve_lent(
        &mut self,
        id: ReservationId,
        how: Resolve,
        now: Timestamp,
    ) -> Result<Option<(Resolution, bool)>, StoreError> {
        let resolution = self
            .resolve(id, how, now)
            .map_err(|error| invalid("resolving quota", error))?;
        if resolution.outcome == Outcome::Unknown {
            return Ok(None);
        }
        let places = self.holds.get(&id).map(|entry| &entry.hold.places);
        let is_covered = places.into_iter().flatten().all(|place| {
            let loan = self.loan(&place.scope, place.window.start());
            loan.lent.covers(loan.taken())
        });
        Ok(Some((resolution, is_covered)))
    }

    /// The scopes that a hold is charged to.
    pub(crate) fn scopes_of(&self, id: ReservationId) -> Vec<Key> {
        let places = self.holds.get(&id).map(|entry| &entry.hold.places);
        let scopes = places.into_iter().flatten();
        scopes.map(|place| place.scope.clone()).collect()
    }

    /// What the store is to be told of a scope: one entry for each window there is something to say about, the running
    /// one always, for which `ask` more is needed and `wish` more is welcome.
    pub(crate) fn entries(
        &mut self,
        key: &Key,
        ask: Amount,
        wish: Amount,
        now: Timestamp,
    ) -> Vec<LeaseEntry> {
        let mut entries = Vec::new();
        let mut current = None;
        if let Some(scope) = self.scopes.get(key) {
            for account in scope.accounts.values() {
                let loan = account.loan;
                let entry = LeaseEntry::look(key.clone())
                    .within(account.window)
                    .spent(loan.unposted);
                if account.window.contains(now) {
                    let need = loan.live.saturating_add(ask);
                    let ahead = wish.saturating_add(loan.ahead());
                    current = Some(entry.wanting(need, need.saturating_add(ahead)));
                } else if loan.is_open() {
                    entries.push(entry.wanting(loan.live, loan.live));
                }
            }
        }
        let look = || LeaseEntry::look(key.clone()).wanting(ask, ask.saturating_add(wish));
        entries.push(current.unwrap_or_else(look));
        entries
    }

    /// Whether the store should hear of a scope: something was spent, or more is on lease than is wanted.
    pub(crate) fn is_dirty(&self, key: &Key, now: Timestamp) -> bool {
        let Some(scope) = self.scopes.get(key) else {
            return false;
        };
        scope.accounts.values().any(|account| {
            let loan = account.loan;
            let wanted = if account.window.contains(now) {
                loan.live.saturating_add(loan.ahead())
            } else {
                loan.live
            };
            !loan.unposted.is_zero() || !wanted.covers(loan.lent)
        })
    }

    /// A round is over: demand is counted anew. Whether this node still has anything of the scope on lease.
    pub(crate) fn round(&mut self, key: &Key) -> bool {
        let Some(scope) = self.scopes.get_mut(key) else {
            return false;
        };
        let mut open = false;
        for account in scope.accounts.values_mut() {
            (account.loan.recent, account.loan.was_asked) = (Amount::ZERO, false);
            open |= account.loan.is_open();
        }
        open
    }

    /// Takes in what the store has answered.
    pub(crate) fn exchanged(
        &mut self,
        exchange: &Exchange,
        exchanged: &Exchanged,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for (entry, lease) in exchange.entries.iter().zip(&exchanged.leases) {
            let key = &lease.state.scope;
            self.room_for_mirror(key);
            let known = self.scopes.get(key).and_then(|scope| scope.own.as_ref());
            if known != Some(&lease.state.quota) {
                self.set_quota(key, Some(lease.state.quota.clone()), now)?;
            }
            let scope = self.scopes.entry(key.clone()).or_default();
            scope.forget_before(now, self.bounds.remember());
            // Where a change of calendar has moved the sums, those of this book have moved with them just now.
            let told = entry.window.map(Window::start);
            let told = told.filter(|start| scope.accounts.contains_key(start));
            if let Some(account) = told.and_then(|start| scope.accounts.get_mut(&start)) {
                account.loan.unposted = account.loan.unposted.saturating_sub(entry.spent);
                account.loan.lent = Amount::ZERO;
            }
            let account = scope.account(lease.window);
            account.window = lease.window;
            if told.is_none() {
                account.loan.unposted = account.loan.unposted.saturating_sub(entry.spent);
            }
            account.loan.lent = lease.lent;
            if lease.window == lease.state.window {
                let (state, loan) = (&lease.state, account.loan);
                let elsewhere = state.held.saturating_sub(lease.lent);
                account.held = elsewhere.saturating_add(loan.live);
                account.spent = state.spent.saturating_add(loan.unposted);
                account.extra = state.extra;
                scope.blocked = state.blocked;
                scope.current = Some(state.window);
            }
        }
        Ok(())
    }

    /// Whether the store has told how the scope stands in the window around now.
    fn knows(&self, key: &Key, now: Timestamp) -> bool {
        self.scopes.get(key).is_some_and(|scope| {
            scope.own.is_some()
                && scope.current.is_some_and(|window| {
                    window.contains(now) && scope.accounts.contains_key(&window.start())
                })
        })
    }

    fn loan(&self, key: &Key, start: Timestamp) -> Loan {
        self.scopes
            .get(key)
            .and_then(|scope| scope.accounts.get(&start))
            .map_or_else(Loan::default, |account| account.loan)
    }

    /// Scopes of which nothing is on lease can be asked for again.
    fn room_for_mirror(&mut self, key: &Key) {
        if self.scopes.len() >= self.bounds.scopes_max() && !self.scopes.contains_key(key) {
            self.scopes.retain(|_, scope| {
                let mut accounts = scope.accounts.values();
                accounts.any(|account| account.loan.is_open() || !account.loan.live.is_zero())
            });
        }
    }
}
