use std::time::Duration;

use palisade_core::{
    Clock, Dimension, Key, ManualClock, StoreError, StoreErrorKind, Timestamp, Tokens,
};
use palisade_quota::{
    AdminAction, AdminChange, Amount, AuditQuery, ChangeId, Defaults, Measure, Period, Quota,
    QuotaAdmin, QuotaLedger, RequestError, ReserveRequest, Resolve, Rolling, ScopeQuery,
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

/// The same in every measure and every period, with an administrator at work.
///
/// # Errors
///
/// [`Broken`] at the first answer that differs.
pub(crate) async fn agrees_in_full<L: QuotaLedger + QuotaAdmin>(
    ledger: impl AsyncFnOnce(Setup) -> L,
    seed: u64,
) -> Verdict {
    let mut play = Play::new(seed);
    play.in_full = true;
    let ledger = ledger(Setup::new(play.clock.clone(), play.defaults.clone())).await;
    for step in 0..STEPS {
        let verdict = match play.random.one_in(6) {
            true => play.administrate(&ledger).await,
            false => play.step(&ledger).await,
        };
        verdict.map_err(|broken| broken.at(format!("PALISADE_SEED={seed}, step {step}")))?;
    }
    Ok(())
}

struct Play {
    random: Random,
    /// Whether there are more measures than tokens and money, and more periods than days, months and lifetimes.
    in_full: bool,
    changes: Vec<AdminChange>,
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
            in_full: false,
            changes: Vec::new(),
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

    async fn administrate(&mut self, ledger: &impl QuotaAdmin) -> Verdict {
        let now = self.clock.now();
        let again = self.random.one_in(6);
        let old = self.random.pick(&self.changes).filter(|_| again).cloned();
        let change = match old {
            Some(change) => change,
            None => self.change()?,
        };
        let expected = self.oracle.change(&change, now);
        let found = ledger.change(change.clone()).await;
        same(&expected, found, &format!("at {now} {change:?}"))?;

        let limit = 1 + usize::try_from(self.random.below(4)).unwrap_or(0);
        let mut query = ScopeQuery::first(limit);
        if self.random.one_in(2) {
            query = query.after(self.scope());
        }
        let mut keys = self.scopes.clone();
        keys.sort_unstable();
        let expected = self.oracle.scopes(&query, &keys, now);
        let found = ledger.scopes(query.clone()).await;
        same(&expected, found, &format!("at {now} {query:?}"))?;

        let mut query = AuditQuery::latest(limit);
        if self.random.one_in(2) {
            query = query.of(self.scope());
        }
        if self.random.one_in(2) {
            query = query.before(self.random.below(20));
        }
        let expected = Ok(self.oracle.audit(&query));
        let found = ledger.audit(query.clone()).await;
        same(&expected, found, &format!("at {now} {query:?}"))
    }

    fn change(&mut self) -> Result<AdminChange, Broken> {
        let scope = self.scope();
        let action = match self.random.below(9) {
            0 | 1 => AdminAction::SetQuota(self.quota()),
            2 | 3 => AdminAction::Grant(self.cost()),
            4 => AdminAction::Charge(self.cost()),
            5 => AdminAction::Refund(self.cost()),
            6 => AdminAction::Reset,
            7 if self.random.one_in(2) => AdminAction::Block,
            _ => AdminAction::Unblock,
        };
        let id = ChangeId::from_u128(self.changes.len() as u128);
        let change = AdminChange::new(id, scope, action, "root", "because")
            .map_err(|error| Broken::new(error.to_string()))?;
        self.changes.push(change.clone());
        Ok(change)
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
        let (tokens, money) = (part(60), part(600));
        if !self.in_full {
            return amount(tokens, money);
        }
        let more = [part(60), part(60), part(60)];
        Amount::from_measures([tokens, money, more[0], more[1], more[2]]).unwrap_or_default()
    }

    fn quota(&mut self) -> Option<Quota> {
        let zones = ["UTC", "Asia/Tokyo", "Africa/Cairo", "America/Havana"];
        let mut periods = vec![Period::Day, Period::Day, Period::Month, Period::Lifetime];
        if self.in_full {
            let rolling = [3_600, 86_400].map(Rolling::try_from);
            periods.extend(rolling.into_iter().flatten().map(Period::Rolling));
            periods.push(Period::Week);
        }
        let base = match self.random.below(5) {
            0 => return None,
            1 => unlimited_tokens(2_000),
            n => quota(i64::try_from(n * 60).unwrap_or(0), 1_200),
        };
        let limits = [Measure::Requests, Measure::Input, Measure::Output];
        let base = match self.random.pick(&limits).filter(|_| self.in_full) {
            Some(Measure::Requests) => base.with_requests(Some(90)).unwrap_or_default(),
            Some(Measure::Input) => base.with_input(Tokens::new(90).into()).unwrap_or_default(),
            Some(_) => base.with_output(Tokens::new(90).into()).unwrap_or_default(),
            None => base,
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
