//! The ledger as a lender: who has borrowed how much of which window.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
};

use palisade_core::{Key, StoreError, StoreErrorKind, Timestamp};

use super::{Book, invalid};
use crate::{
    Amount, Exchange, Exchanged, Lease, LeaseEntry, LesseeId, Move, RequestError, ScopeState,
    Window, keep, lend,
};

const DOING: &str = "exchanging leases of quota";
/// The most processes that borrow from one ledger in memory, those included that may still come back.
const LESSEES_MAX: usize = 1_024;

/// Everybody who has borrowed.
#[derive(Debug, Default)]
pub(super) struct Lessees(HashMap<LesseeId, Lessee>);

#[derive(Debug)]
struct Lessee {
    turn: u64,
    until: Timestamp,
    /// Whether its leases are shown as spent, because it was not heard of.
    charged: bool,
    leases: Leases,
}

/// What is lent, by scope and start of window. Nothing is not kept.
type Leases = BTreeMap<(Key, Timestamp), Amount>;

/// One entry's effect, worked out before any is applied.
struct Effect {
    scope: Key,
    window: Window,
    spent: Amount,
    held: Amount,
    lent: Amount,
}

impl Lessees {
    /// A scope's window was moved into another.
    pub(super) fn take(&mut self, scope: &Key, step: Move) {
        for lessee in self.0.values_mut() {
            if let Some(lent) = lessee.leases.remove(&(scope.clone(), step.from.start())) {
                let to = lessee
                    .leases
                    .entry((scope.clone(), step.to.start()))
                    .or_insert(Amount::ZERO);
                *to = to.saturating_add(lent);
            }
        }
    }
}

impl Book {
    pub(crate) fn exchange(
        &mut self,
        exchange: &Exchange,
        now: Timestamp,
    ) -> Result<Exchanged, StoreError> {
        self.expire(usize::MAX, now);
        self.charge_lessees(now);
        let known = self.lessees.0.get(&exchange.lessee);
        if known.is_none() && self.lessees.0.len() >= LESSEES_MAX {
            return Err(StoreError::new(StoreErrorKind::Busy, DOING));
        }
        let last = known.map(|lessee| lessee.turn);
        if last.is_some_and(|last| exchange.turn < last) {
            return Err(invalid(DOING, RequestError::IdInUse));
        }
        self.welcome_back(exchange.lessee);
        let repeated = last == Some(exchange.turn);
        if !repeated {
            for entry in &exchange.entries {
                self.room_for_entry(entry, now)?;
            }
            // An entry sees what those before it have done, should they speak of one window.
            let mut undo = Vec::new();
            for entry in &exchange.entries {
                match self.effect(exchange.lessee, entry, now) {
                    Ok(effect) => undo.push(self.put(exchange.lessee, effect)),
                    Err(error) => {
                        for before in undo.into_iter().rev() {
                            self.put(exchange.lessee, before);
                        }
                        if last.is_none() {
                            self.lessees.0.remove(&exchange.lessee);
                        }
                        return Err(invalid(DOING, error));
                    }
                }
            }
        }
        let lessee = self.lessee(exchange.lessee);
        lessee.turn = exchange.turn;
        lessee.until = now.saturating_add(exchange.ttl);
        let leases: Result<Vec<Lease>, RequestError> = exchange
            .entries
            .iter()
            .map(|entry| {
                let state = self.state(&entry.scope, now)?;
                let window = self.place(&state, entry.window, now);
                let lent = self.lent(exchange.lessee, &entry.scope, window);
                Ok(Lease::new(state, window, lent))
            })
            .collect();
        let leases = leases.map_err(|error| invalid(DOING, error))?;
        Ok(Exchanged::new(repeated, leases))
    }

    /// Shows the leases of those as spent who have not been heard of in time, and forgets them when they have nothing to
    /// tell any more.
    pub(super) fn charge_lessees(&mut self, now: Timestamp) {
        let remember = self.bounds.remember();
        let overdue: Vec<LesseeId> = self
            .lessees
            .0
            .iter()
            .filter(|(_, lessee)| !lessee.charged && lessee.until <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in overdue {
            self.relabel(id, true);
        }
        let Self {
            lessees, scopes, ..
        } = self;
        lessees.0.retain(|_, lessee| {
            // While its windows run, it may come back and say that it spent less.
            let may_tell = |(scope, start): &(Key, Timestamp)| {
                let account = scopes
                    .get(scope)
                    .and_then(|scope| scope.accounts.get(start));
                account.is_some_and(|account| account.window.end().saturating_add(remember) > now)
            };
            !lessee.charged
                || lessee.until.saturating_add(remember) > now
                || lessee.leases.keys().any(may_tell)
        });
    }

    fn welcome_back(&mut self, id: LesseeId) {
        if self.lessees.0.get(&id).is_some_and(|lessee| lessee.charged) {
            self.relabel(id, false);
        }
    }

    /// Moves what a lessee has between held and spent.
    fn relabel(&mut self, id: LesseeId, charged: bool) {
        let Some(lessee) = self.lessees.0.get_mut(&id) else {
            return;
        };
        lessee.charged = charged;
        for ((scope, start), lent) in &lessee.leases {
            let account = self
                .scopes
                .get_mut(scope)
                .and_then(|scope| scope.accounts.get_mut(start));
            if let Some(account) = account {
                let (from, to) = if charged {
                    (&mut account.held, &mut account.spent)
                } else {
                    (&mut account.spent, &mut account.held)
                };
                *from = from.saturating_sub(*lent);
                *to = to.saturating_add(*lent);
            }
        }
    }

    fn lessee(&mut self, id: LesseeId) -> &mut Lessee {
        self.lessees.0.entry(id).or_insert_with(|| Lessee {
            turn: 0,
            until: Timestamp::MAX,
            charged: false,
            leases: Leases::new(),
        })
    }

    fn lent(&self, id: LesseeId, scope: &Key, window: Window) -> Amount {
        self.lessees
            .0
            .get(&id)
            .and_then(|lessee| lessee.leases.get(&(scope.clone(), window.start())))
            .copied()
            .unwrap_or(Amount::ZERO)
    }

    /// The window an entry speaks of. One that should be running and is not in the scope's calendar was moved into the
    /// running one.
    fn place(&self, state: &ScopeState, window: Option<Window>, now: Timestamp) -> Window {
        let Some(window) = window else {
            return state.window;
        };
        let account = self
            .scopes
            .get(&state.scope)
            .and_then(|scope| scope.accounts.get(&window.start()));
        match account {
            Some(account) => account.window,
            None if window.end() <= now || state.quota.window(window.start()) == window => window,
            None => state.window,
        }
    }

    fn room_for_entry(&mut self, entry: &LeaseEntry, now: Timestamp) -> Result<(), StoreError> {
        // A mere look takes no room.
        if entry.spent.is_zero() && entry.wish.is_zero() && entry.need.is_zero() {
            return Ok(());
        }
        self.room_for_scopes(std::slice::from_ref(&entry.scope), now, DOING)
    }

    fn effect(
        &mut self,
        lessee: LesseeId,
        entry: &LeaseEntry,
        now: Timestamp,
    ) -> Result<Effect, RequestError> {
        let state = self.state(&entry.scope, now)?;
        let window = self.place(&state, entry.window, now);
        let old = self.lent(lessee, &entry.scope, window);
        let lent = if window == state.window {
            lend(&state, old, entry)
        } else {
            keep(old, entry)
        };
        // The window's own sums: what is judged may be those of several slices.
        let account = self
            .scopes
            .get(&entry.scope)
            .and_then(|scope| scope.accounts.get(&window.start()));
        let (spent, held) = account.map_or((Amount::ZERO, Amount::ZERO), |account| {
            (account.spent, account.held)
        });
        let spent = spent
            .checked_add(entry.spent)
            .ok_or(RequestError::Overflow)?;
        let held = held
            .saturating_sub(old)
            .checked_add(lent)
            .ok_or(RequestError::Overflow)?;
        Ok(Effect {
            scope: entry.scope.clone(),
            window,
            spent,
            held,
            lent,
        })
    }

    /// Puts sums in their places and says what was there.
    fn put(&mut self, lessee: LesseeId, effect: Effect) -> Effect {
        let Effect {
            scope: key,
            window,
            spent,
            held,
            lent,
        } = effect;
        let leases = &mut self.lessee(lessee).leases;
        let place = (key.clone(), window.start());
        let lent_before = if lent.is_zero() {
            leases.remove(&place)
        } else {
            leases.insert(place, lent)
        };
        let mut before = Effect {
            scope: key.clone(),
            window,
            spent: Amount::ZERO,
            held: Amount::ZERO,
            lent: lent_before.unwrap_or(Amount::ZERO),
        };
        let is_known = self
            .scopes
            .get(&key)
            .is_some_and(|scope| scope.accounts.contains_key(&window.start()));
        // Looking leaves no trace.
        if is_known || !spent.is_zero() || !held.is_zero() {
            let scope = self.scopes.entry(key).or_default();
            let account = scope.account(window);
            before.spent = mem::replace(&mut account.spent, spent);
            before.held = mem::replace(&mut account.held, held);
        }
        before
    }
}
