use std::time::Duration;

use palisade_core::{Clock, Dimension, Key, ManualClock, StoreError, StoreErrorKind, Timestamp};
use palisade_quota::{
    Amount, Defaults, Period, Quota, QuotaLedger, RequestError, ReserveRequest, Resolve,
    SettleRequest, Zone,
};

use super::{
    Make, Oracle, Setup,
    bench::{NOON, TICK, amount, id, key, quota, request_error, unlimited_tokens, user},
};
use crate::{Broken, Random, Verdict, verdict::ensure};

const STEPS: u32 = 250;

/// Plays one random sequence of operations to the ledger and to the [`Oracle`] and compares every answer.
///
/// The same seed plays the same sequence.
///
/// # Errors
///
/// [`Broken`] at the first answer that differs.
pub async fn agrees_with_the_model<M: Make>(make: &M, seed: u64) -> Verdict {
    let mut play = Play::new(seed);
    let ledger = make
        .make(Setup::new(play.clock.clone(), play.defaults.clone()))
        .await;
    for step in 0..STEPS {
        play.step(&ledger)
            .await
            .map_err(|broken| broken.at(format!("PALISADE_SEED={seed}, step {step}")))?;
    }
    Ok(())
}

struct Play {
    random: Random,
    clock: ManualClock,
    defaults: Defaults,
    oracle: Oracle,
    scopes: Vec<Key>,
    requests: Vec<(Timestamp, ReserveRequest)>,
}

/// How long ago a reservation may have been made that is still spoken of. Ledgers may forget what ended a day ago.
const MEMORY: Duration = Duration::from_secs(12 * 3_600);

impl Play {
    fn new(seed: u64) -> Self {
        // Defaults of two kinds, so that a backend which takes the wrong one is found out.
        let defaults = Defaults::new(quota(100, 1_000)).with(Dimension::Org, quota(150, 1_500));
        Self {
            random: Random::new(seed),
            clock: ManualClock::at(NOON),
            oracle: Oracle::new(defaults.clone()),
            defaults,
            scopes: vec![
                user("a"),
                user("b"),
                key(Dimension::Org, "o"),
                key(Dimension::Project, "p"),
                Key::global(),
            ],
            requests: Vec::new(),
        }
    }

    async fn step(&mut self, ledger: &impl QuotaLedger) -> Verdict {
        let now = self.clock.now();
        match self.random.below(20) {
            0..=7 => {
                let Some(request) = self.request() else {
                    return Ok(());
                };
                let expected = self.oracle.reserve(&request, now);
                let found = ledger.reserve(request.clone()).await;
                same(&expected, found, &format!("at {now} {request:?}"))?;
            }
            8..=13 => {
                // One that was made lately, or one that nobody has heard of.
                let id = self.recent().map_or(id(u128::MAX), |request| request.id());
                let how = if self.random.one_in(3) {
                    Resolve::Release
                } else {
                    Resolve::Settle(self.cost())
                };
                let expected = self.oracle.resolve(id, how, now);
                let found = match how {
                    Resolve::Settle(actual) => ledger.settle(SettleRequest::new(id, actual)).await,
                    _ => ledger.release(id).await,
                };
                same(&expected, found, &format!("at {now} {how:?} of {id}"))?;
            }
            14..=16 => {
                let pause = self.pause();
                self.clock.advance(pause);
            }
            17 => {
                let (scope, quota) = (self.scope(), self.quota());
                self.oracle.set_quota(&scope, quota.clone(), now);
                ledger.set_quota(&scope, quota).await?;
            }
            18 => {
                let limit = usize::try_from(self.random.below(4)).unwrap_or(0);
                let noted = ledger.expire(limit).await?;
                ensure!(noted <= limit, "asked to sweep {limit}, it swept {noted}");
            }
            _ => {}
        }
        // Every scope after every step: a wrong sum shows itself where it arises.
        let now = self.clock.now();
        for scope in &self.scopes {
            let found = ledger.balance(scope).await;
            same(
                &self.oracle.balance(scope, now),
                found,
                &format!("at {now} the balance of {scope}"),
            )?;
        }
        Ok(())
    }

    /// A new reservation, an old one again, or an old id for something else.
    fn request(&mut self) -> Option<ReserveRequest> {
        if self.random.one_in(6)
            && let Some(old) = self.recent()
        {
            let ask = if self.random.one_in(3) {
                self.cost()
            } else {
                old.ask()
            };
            return ReserveRequest::new(old.id(), old.scopes().to_vec(), ask).ok();
        }
        let count = 1 + self.random.below(4);
        let scopes: Vec<Key> = (0..count).map(|_| self.scope()).collect();
        let timeout = Duration::from_secs(1 + self.random.below(7_200));
        let bits = u128::try_from(self.requests.len()).ok()?;
        let request = ReserveRequest::new(id(bits), scopes, self.cost())
            .ok()?
            .with_timeout(timeout)
            .ok()?;
        self.requests.push((self.clock.now(), request.clone()));
        Some(request)
    }

    fn recent(&mut self) -> Option<ReserveRequest> {
        let since = self.clock.now().saturating_sub(MEMORY);
        let first = self.requests.partition_point(|(made, _)| *made < since);
        let recent = self.requests.get(first..).unwrap_or_default();
        self.random.pick(recent).map(|(_, request)| request.clone())
    }

    fn scope(&mut self) -> Key {
        self.random
            .pick(&self.scopes)
            .cloned()
            .unwrap_or_else(Key::global)
    }

    fn cost(&mut self) -> Amount {
        let mut part = |most| match self.random.below(6) {
            0 => 0,
            _ => i64::try_from(self.random.below(most)).unwrap_or(0),
        };
        amount(part(60), part(600))
    }

    fn quota(&mut self) -> Option<Quota> {
        let zones = ["UTC", "Asia/Tokyo", "Africa/Cairo", "America/Havana"];
        let periods = [Period::Day, Period::Day, Period::Month, Period::Lifetime];
        let base = match self.random.below(5) {
            0 => return None,
            1 => unlimited_tokens(2_000),
            n => quota(i64::try_from(n * 60).unwrap_or(0), 1_200),
        };
        let zone = self
            .random
            .pick(&zones)
            .and_then(|name| Zone::named(name).ok());
        let period = self.random.pick(&periods).copied();
        Some(
            base.with_zone(zone.unwrap_or_default())
                .with_period(period.unwrap_or_default()),
        )
    }

    /// Often to an instant at which something changes, or next to it.
    fn pause(&mut self) -> Duration {
        let now = self.clock.now();
        let windows = self
            .scopes
            .iter()
            .filter_map(|scope| self.oracle.balance(scope, now).ok()?.window.remaining(now));
        let deadlines = self
            .oracle
            .deadlines(now)
            .map(|deadline| deadline.saturating_since(now));
        let next = match self.random.below(8) {
            0 | 1 => windows.min(),
            2 | 3 => deadlines.min(),
            _ => None,
        };
        match next {
            Some(next) if self.random.one_in(2) => next.saturating_sub(TICK),
            Some(next) => next,
            None => Duration::from_secs(self.random.below(3_600)),
        }
    }
}

fn same<T: std::fmt::Debug + PartialEq>(
    expected: &Result<T, RequestError>,
    found: Result<T, StoreError>,
    asked: &str,
) -> Verdict {
    let agrees = match (expected, &found) {
        (Ok(expected), Ok(found)) => expected == found,
        (Err(expected), Err(found)) => {
            found.kind() == StoreErrorKind::Invalid && request_error(found) == Some(*expected)
        }
        _ => false,
    };
    if agrees {
        return Ok(());
    }
    Err(Broken::new(format!(
        "{asked}: expected {expected:?}, found {found:?}"
    )))
}
