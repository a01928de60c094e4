//! What the rules build and ask with.

use std::time::Duration;

use palisade_core::{Decision, Dimension, Key, ManualClock, RetryAfter, StoreError, Timestamp};
use palisade_rate_limit::{
    Allowed, Charge, CheckRequest, Denied, Limit, LimitError, RateLimiter, RateLimiterExt as _,
    Status,
};

use super::{Make, Setup};
use crate::{Broken, verdict::ensure};

/// 2026-03-02T12:00:00Z, for stores that decide by the wall.
pub(super) const NOON: Timestamp = Timestamp::from_secs(1_772_452_800);
/// The finest step of the rules.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// A limiter and its clock.
pub(super) struct Bench<L> {
    pub(super) limiter: L,
    pub(super) clock: ManualClock,
}

pub(super) async fn bench<M: Make>(make: &M) -> Bench<M::Limiter> {
    let clock = ManualClock::at(NOON);
    // A clock that has run a while: some mistakes show only away from zero.
    clock.advance(Duration::from_secs(1_000));
    Bench {
        limiter: make.make(Setup::new(clock.clone())).await,
        clock,
    }
}

impl<L: RateLimiter> Bench<L> {
    pub(super) async fn ask(
        &self,
        charges: &[Charge<'_>],
    ) -> Result<Decision<Allowed, Denied>, Broken> {
        let request = CheckRequest::new(charges).map_err(|e| Broken::new(e.to_string()))?;
        let answer: Result<_, StoreError> = self.limiter.check(request).await;
        let answer = answer?;
        let found = match &answer {
            Decision::Allow(allowed) => allowed.statuses().len(),
            Decision::Deny(denied) => denied.statuses().len(),
        };
        ensure!(
            found == charges.len(),
            "{} charges got {found} statuses",
            charges.len()
        );
        Ok(answer)
    }

    pub(super) async fn one(
        &self,
        limit: &Limit,
        key: &Key,
        cost: u64,
    ) -> Result<Decision<Allowed, Denied>, Broken> {
        self.ask(&[Charge::new(limit, key, cost)]).await
    }

    /// The status after a charge that must pass.
    pub(super) async fn passes(
        &self,
        limit: &Limit,
        key: &Key,
        cost: u64,
    ) -> Result<Status, Broken> {
        match self.one(limit, key, cost).await? {
            Decision::Allow(allowed) => Ok(*allowed.binding()),
            Decision::Deny(denied) => Err(Broken::new(format!(
                "expected {cost} of {limit:?} to pass for {key}, found {denied:?}"
            ))),
        }
    }

    /// The refusal of a charge that must not pass.
    pub(super) async fn fails(
        &self,
        limit: &Limit,
        key: &Key,
        cost: u64,
    ) -> Result<Denied, Broken> {
        match self.one(limit, key, cost).await? {
            Decision::Deny(denied) => Ok(denied),
            Decision::Allow(allowed) => Err(Broken::new(format!(
                "expected {cost} of {limit:?} to be refused for {key}, found {allowed:?}"
            ))),
        }
    }

    /// What remains of a limit, by a charge of nothing.
    pub(super) async fn remaining(&self, limit: &Limit, key: &Key) -> Result<u64, Broken> {
        Ok(self.passes(limit, key, 0).await?.remaining)
    }
}

pub(super) fn limit(
    name: &str,
    amount: u64,
    period: Duration,
    burst: u64,
) -> Result<Limit, Broken> {
    let built: Result<Limit, LimitError> =
        Limit::new(name, amount, period).and_then(|limit| limit.with_burst(burst));
    built.map_err(|error| Broken::new(error.to_string()))
}

/// 60 a minute, 10 at once: a unit comes back every second.
pub(super) fn chat() -> Result<Limit, Broken> {
    limit("chat", 60, Duration::from_secs(60), 10)
}

pub(super) fn user(name: impl AsRef<[u8]>) -> Result<Key, Broken> {
    Key::new(Dimension::User, name).map_err(|error| Broken::new(error.to_string()))
}

/// The wait that a refusal announces: `exact`, or less than a tick more.
pub(super) fn wait(denied: &Denied, exact: Duration) -> Result<Duration, Broken> {
    match denied.retry_after() {
        RetryAfter::After(wait) if wait >= exact && wait < exact + TICK => Ok(wait),
        other => Err(Broken::new(format!(
            "expected a wait of {exact:?}, found {other:?}"
        ))),
    }
}
