//! What a node believes: the quotas that scopes have of their own, and the windows around now.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicU32},
};

use palisade_core::{Clock, Key, StoreError, SystemClock, Timestamp};
use palisade_quota::{Period, Quota, ScopeState, Window};
use tokio_postgres::Row;

use super::{DOING, get, rows};
use crate::{Postgres, error::corrupt};

/// More scopes with quotas of their own than this are asked for again.
const OWN_MAX: usize = 100_000;
/// More calendars than this in use at once is not what a cache is for.
const WINDOWS_MAX: usize = 1_024;

const FACTS: &str =
    "SELECT palisade_now($2), revisions, tokens, nano_usd, periods, zones FROM quota_facts($1)";

/// What a node believes. It may be wrong; the database knows.
#[derive(Debug, Default)]
pub(crate) struct Known {
    own: Mutex<HashMap<Key, (i64, Quota)>>,
    windows: Mutex<HashMap<(Period, String), Window>>,
    pub(super) grants: AtomicU32,
}

/// What a node believes of some scopes, in their order.
pub(super) struct Belief {
    pub(super) revisions: Vec<i64>,
    pub(super) quotas: Vec<Quota>,
    pub(super) windows: Vec<Window>,
}

impl Belief {
    pub(super) fn starts(&self) -> Vec<i64> {
        let starts = self.windows.iter().map(|window| window.start().as_nanos());
        starts.collect()
    }

    pub(super) fn ends(&self) -> Vec<i64> {
        let ends = self.windows.iter().map(|window| window.end().as_nanos());
        ends.collect()
    }

    /// From here on, all windows have begun.
    pub(super) fn since(&self) -> i64 {
        self.starts().into_iter().max().unwrap_or(i64::MIN)
    }

    /// From here on, one of the windows is over.
    pub(super) fn until(&self) -> i64 {
        self.ends().into_iter().min().unwrap_or(i64::MAX)
    }

    /// The scopes, with their sums from four columns of arrays.
    pub(super) fn states(
        &self,
        scopes: &[Key],
        row: &Row,
        column: usize,
    ) -> Result<Vec<ScopeState>, StoreError> {
        let sums = rows::sums(row, column)?;
        if sums.len() != scopes.len() {
            return Err(corrupt(
                DOING,
                "another number of scopes than was asked for",
            ));
        }
        let known = self.quotas.iter().zip(&self.windows);
        let states = scopes.iter().zip(known).zip(sums);
        Ok(states
            .map(|((scope, (quota, window)), (spent, held))| {
                ScopeState::new(scope.clone(), quota.clone(), *window, spent, held)
            })
            .collect())
    }
}

/// What is believed of quotas.
pub(super) trait Quotas {
    /// What this node believes of these scopes.
    fn believe(&self, scopes: &[Key]) -> Belief;
    /// Asks the database for the quotas of these scopes, and for the time.
    async fn learn(&self, scopes: &[Key]) -> Result<Timestamp, StoreError>;
}

impl Quotas for Postgres {
    fn believe(&self, scopes: &[Key]) -> Belief {
        let mut belief = Belief {
            revisions: Vec::with_capacity(scopes.len()),
            quotas: Vec::with_capacity(scopes.len()),
            windows: Vec::with_capacity(scopes.len()),
        };
        let known = &self.shared.quota;
        let own = lock(&known.own);
        for scope in scopes {
            let (revision, quota) = match own.get(scope) {
                Some((revision, quota)) => (*revision, quota.clone()),
                None => (0, self.shared.config.quota_defaults.quota(scope).clone()),
            };
            let set = self.set_now().map(Timestamp::from_nanos);
            belief.windows.push(known.window(&quota, set));
            belief.revisions.push(revision);
            belief.quotas.push(quota);
        }
        belief
    }

    async fn learn(&self, scopes: &[Key]) -> Result<Timestamp, StoreError> {
        let names: Vec<&str> = scopes.iter().map(Key::as_str).collect();
        let row = self
            .query_one(DOING, FACTS, &[&names, &self.set_now()])
            .await?;
        let now = Timestamp::from_nanos(get(&row, 0)?);
        let own = rows::quotas(&row, 1)?;
        let known = &self.shared.quota;
        // The time has left a window, which one is not said: forget them, and begin with the server's time.
        lock(&known.windows).clear();
        let mut map = lock(&known.own);
        if map.len() + own.len() > OWN_MAX {
            map.clear();
        }
        for (scope, own) in scopes.iter().zip(own) {
            let quota = match own {
                Some((revision, quota)) => {
                    map.insert(scope.clone(), (revision, quota.clone()));
                    quota
                }
                None => {
                    map.remove(scope);
                    self.shared.config.quota_defaults.quota(scope).clone()
                }
            };
            known.window(&quota, Some(now));
        }
        Ok(now)
    }
}

impl Known {
    /// The window of a quota around `now`; without a time, the one the server's time was last seen in. Should that be over,
    /// the database says so.
    fn window(&self, quota: &Quota, now: Option<Timestamp>) -> Window {
        let key = (quota.period(), quota.zone().name().to_owned());
        let mut windows = lock(&self.windows);
        if let Some(window) = windows.get(&key)
            && now.is_none_or(|now| window.contains(now))
        {
            return *window;
        }
        if windows.len() >= WINDOWS_MAX {
            windows.clear();
        }
        let window = quota.window(now.unwrap_or_else(|| SystemClock.now()));
        windows.insert(key, window);
        window
    }
}

/// Nothing panics between two changes that belong together, so a poisoned lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
