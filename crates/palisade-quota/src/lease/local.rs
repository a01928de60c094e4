use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use foldhash::quality::RandomState;
use palisade_core::{Key, StoreError, Timestamp};

use super::{Exchange, Exchanged};
use crate::{Amount, Bounds, LesseeId, book::Book};

/// What a node knows and what it owes: the book of its own reservations, and its talk with the store.
pub(super) struct Local {
    pub(super) book: Book,
    lessee: LesseeId,
    ttl: Duration,
    turn: u64,
    /// Sent, and no answer has come. It is sent again before anything else is.
    in_flight: Option<Exchange>,
    /// The scopes that this node has something of, or had in this round.
    touched: BTreeSet<Key>,
    /// What those want who wait for their turn to ask the store.
    waiting: HashMap<Key, Amount, RandomState>,
    heard_at: Timestamp,
}

impl Local {
    pub(super) fn new(lessee: LesseeId, ttl: Duration, bounds: Bounds) -> Self {
        Self {
            book: Book::of_a_node(bounds),
            lessee,
            ttl,
            turn: 0,
            in_flight: None,
            touched: BTreeSet::new(),
            waiting: HashMap::default(),
            heard_at: Timestamp::MIN,
        }
    }

    pub(super) fn touch(&mut self, scopes: &[Key]) {
        for scope in scopes {
            if !self.touched.contains(scope) {
                self.touched.insert(scope.clone());
            }
        }
    }

    pub(super) fn wait(&mut self, scopes: &[Key], ask: Amount) {
        for scope in scopes {
            let waiting = self.waiting.entry(scope.clone()).or_insert(Amount::ZERO);
            *waiting = waiting.saturating_add(ask);
        }
    }

    pub(super) fn wait_no_more(&mut self, scopes: &[Key], ask: Amount) {
        for scope in scopes {
            if let Some(waiting) = self.waiting.get_mut(scope) {
                *waiting = waiting.saturating_sub(ask);
                if waiting.is_zero() {
                    self.waiting.remove(scope);
                }
            }
        }
    }

    /// What was sent and not answered, to be sent again.
    pub(super) fn unanswered(&self) -> Option<Exchange> {
        self.in_flight.clone()
    }

    /// An exchange about these scopes, of each of which `ask` more is needed.
    pub(super) fn about(
        &mut self,
        scopes: &[Key],
        ask: Amount,
        now: Timestamp,
    ) -> Result<Exchange, StoreError> {
        self.touch(scopes);
        let mut entries = Vec::with_capacity(scopes.len());
        for scope in scopes {
            // Whoever asks now is one of those who wait.
            let waiting = self.waiting.get(scope).copied().unwrap_or_default();
            let wish = waiting.saturating_sub(ask);
            entries.extend(self.book.entries(scope, ask, wish, now));
        }
        self.send(entries)
    }

    /// An exchange of what this round has left to tell, if there is anything, and the end of the round.
    pub(super) fn round(&mut self, now: Timestamp) -> Result<Option<Exchange>, StoreError> {
        let mut entries = Vec::new();
        let (mut is_open, mut rest) = (false, BTreeSet::new());
        let mut touched = std::mem::take(&mut self.touched).into_iter();
        for scope in touched.by_ref() {
            if self.book.is_dirty(&scope, now) {
                let wish = self.waiting.get(&scope).copied().unwrap_or_default();
                entries.extend(self.book.entries(&scope, Amount::ZERO, wish, now));
            }
            if self.book.round(&scope) {
                is_open = true;
                rest.insert(scope);
            }
            // A scope has few windows; what does not fit is told in the next round.
            if entries.len() + 8 > Exchange::ENTRIES_MAX {
                break;
            }
        }
        rest.extend(touched);
        self.touched = rest;
        let is_quiet = is_open && self.heard_at.saturating_add(self.ttl / 2) <= now;
        if entries.is_empty() && !is_quiet {
            return Ok(None);
        }
        self.send(entries).map(Some)
    }

    fn send(&mut self, entries: Vec<super::LeaseEntry>) -> Result<Exchange, StoreError> {
        let exchange =
            Exchange::new(self.lessee, self.turn + 1, self.ttl, entries).map_err(|error| {
                StoreError::new(
                    palisade_core::StoreErrorKind::Invalid,
                    "exchanging leases of quota",
                )
                .with_source(error)
            })?;
        self.turn += 1;
        self.in_flight = Some(exchange.clone());
        Ok(exchange)
    }

    pub(super) fn answered(
        &mut self,
        exchange: &Exchange,
        exchanged: &Exchanged,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.in_flight = None;
        self.heard_at = now;
        self.book.exchanged(exchange, exchanged, now)
    }

    /// The store refused the exchange, which changed nothing.
    pub(super) fn refused(&mut self) {
        self.in_flight = None;
    }
}
