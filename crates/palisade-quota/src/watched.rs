use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use palisade_core::{Clock, Decision, Key, StoreError, Timestamp};

use crate::{
    Alert, AlertKey, AlertLog, AlertSink, Amount, Balance, Granted, Outcome, Quota, QuotaLedger,
    Refusal, Refused, ReservationId, ReserveRequest, Resolution, SettleRequest, exhausted_at,
    reached,
};

/// At how many hundredths of a limit somebody is told, if nobody says otherwise.
const PERCENTS_DEFAULT: [u8; 4] = [50, 80, 90, 100];
/// The most scopes and holds that one process watches at a time. Beyond, it asks the ledger more often.
const WATCHED_MAX: usize = 100_000;

/// A ledger that tells somebody when a quota is half gone, nearly gone and gone, or will be before its window ends.
///
/// Each alert is raised once a window, however many processes watch: the [`AlertLog`] says who was first. Balances are seen
/// where reservations are granted or refused, so watching costs no question; after a settlement that may reach a mark, the
/// ledger is asked how the scope stands. What another process spends is seen when this one asks next.
///
/// An alert is raised at most once: a process that dies between taking its key and raising it takes it along, as does a log
/// that gives no answer. [`failures`](Watched::failures) counts the latter; the reservation is not touched by it.
pub struct Watched<L, C> {
    ledger: L,
    clock: C,
    watch: Arc<Watch>,
}

struct Watch {
    sink: Box<dyn AlertSink>,
    percents: Vec<u8>,
    seen: Mutex<Seen>,
    failures: AtomicU64,
}

/// What this process has seen.
#[derive(Default)]
struct Seen {
    /// The scopes of the holds that were granted here.
    holds: HashMap<ReservationId, Vec<Key>>,
    /// How the scopes stood when they were last seen, with what was settled here since.
    scopes: HashMap<Key, Balance>,
    /// Alerts that need not be asked about again.
    raised: BTreeSet<AlertKey>,
}

impl<L: QuotaLedger + AlertLog, C: Clock> Watched<L, C> {
    /// Watches `ledger`, at 50, 80, 90 and 100 hundredths of every limit.
    pub fn new(ledger: L, clock: C, sink: impl AlertSink + 'static) -> Self {
        Self::with_percents(ledger, clock, sink, PERCENTS_DEFAULT)
    }

    /// Watches `ledger` at these hundredths of every limit.
    pub fn with_percents(
        ledger: L,
        clock: C,
        sink: impl AlertSink + 'static,
        percents: impl IntoIterator<Item = u8>,
    ) -> Self {
        let percents: BTreeSet<u8> = percents
            .into_iter()
            .filter(|percent| *percent > 0)
            .collect();
        Self {
            ledger,
            clock,
            watch: Arc::new(Watch {
                sink: Box::new(sink),
                percents: percents.into_iter().collect(),
                seen: Mutex::default(),
                failures: AtomicU64::new(0),
            }),
        }
    }

    /// How often the log of alerts gave no answer.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.watch.failures.load(Ordering::Relaxed)
    }

    /// Raises what a balance has reached and nobody has raised.
    async fn look(&self, balance: &Balance) {
        let now = self.clock.now();
        for (measure, mark) in reached(balance, &self.watch.percents, now) {
            let key = AlertKey::of(balance, measure, mark);
            // Taken before the log is asked: the others of this process need not ask.
            if !self.watch.lock().raised.insert(key.clone()) {
                continue;
            }
            match self.ledger.first(key).await {
                Ok(true) => self.watch.sink.raise(Alert {
                    measure,
                    mark,
                    balance: balance.clone(),
                    exhausted_at: exhausted_at(balance, measure, now),
                }),
                Ok(false) => {}
                Err(_) => {
                    self.watch.failures.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// Books a settlement in what was seen; the scopes that have reached a mark by it.
    fn settled(&self, id: ReservationId, actual: Amount, now: Timestamp) -> Vec<Key> {
        let mut seen = self.watch.lock();
        let seen = &mut *seen;
        let Some(scopes) = seen.holds.remove(&id) else {
            return Vec::new();
        };
        let mut marked = Vec::new();
        for scope in scopes {
            let Some(balance) = seen.scopes.get_mut(&scope) else {
                marked.push(scope);
                continue;
            };
            balance.spent = balance.spent.saturating_add(actual);
            // What others hold may be spent by now.
            let mut perhaps = balance.clone();
            perhaps.spent = perhaps
                .spent
                .saturating_add(perhaps.held.saturating_sub(actual));
            let marks = reached(&perhaps, &self.watch.percents, now);
            let mut keys = marks
                .into_iter()
                .map(|(measure, mark)| AlertKey::of(balance, measure, mark));
            if keys.any(|key| !seen.raised.contains(&key)) {
                marked.push(scope);
            }
        }
        marked
    }
}

impl Watch {
    /// Its tables are whole after every step: a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn granted(&mut self, granted: &Granted, now: Timestamp) {
        if self.holds.len() >= WATCHED_MAX {
            // Never resolved here, most of them. Their settlements are seen at the next reservation.
            self.holds.clear();
        }
        if self.scopes.len() >= WATCHED_MAX {
            self.scopes
                .retain(|_, balance| balance.window.contains(now));
        }
        if self.scopes.len() >= WATCHED_MAX {
            self.scopes.clear();
        }
        if self.raised.len() >= WATCHED_MAX {
            // The log remembers.
            self.raised.clear();
        }
        let scopes = granted.balances.iter().map(|balance| balance.scope.clone());
        self.holds.insert(granted.id, scopes.collect());
        for balance in &granted.balances {
            self.scopes.insert(balance.scope.clone(), balance.clone());
        }
    }
}

impl<L: QuotaLedger + AlertLog, C: Clock> QuotaLedger for Watched<L, C> {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        let decision = self.ledger.reserve(request).await?;
        match &decision {
            Decision::Allow(granted) => {
                self.watch.lock().granted(granted, self.clock.now());
                for balance in &granted.balances {
                    self.look(balance).await;
                }
            }
            Decision::Deny(refused) => {
                if let Refusal::Exhausted { balance, .. } = &refused.why {
                    self.look(balance).await;
                }
            }
        }
        Ok(decision)
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        let resolution = self.ledger.settle(request).await?;
        if let (Outcome::Settled { actual, .. }, false) = (resolution.outcome, resolution.earlier) {
            for scope in self.settled(request.id, actual, self.clock.now()) {
                // The settlement stands, whatever becomes of the alert.
                match self.ledger.balance(&scope).await {
                    Ok(balance) => self.look(&balance).await,
                    Err(_) => {
                        self.watch.failures.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
        Ok(resolution)
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        self.watch.lock().holds.remove(&id);
        self.ledger.release(id).await
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        self.ledger.balance(scope).await
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        self.ledger.set_quota(scope, quota).await
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        self.ledger.expire(limit).await
    }
}

impl<L: Clone, C: Clone> Clone for Watched<L, C> {
    fn clone(&self) -> Self {
        Self {
            ledger: self.ledger.clone(),
            clock: self.clock.clone(),
            watch: Arc::clone(&self.watch),
        }
    }
}

impl<L, C> fmt::Debug for Watched<L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}
