//! The rules are tested too: an honest ledger passes all of them, and every lie is caught.

mod common;

use std::{
    collections::HashMap,
    future::{Ready, ready},
    sync::{Mutex, MutexGuard, PoisonError},
};

use palisade_conformance::{
    Verdict, block_on,
    quota::{self, Oracle, Setup},
};
use palisade_core::{Clock, Decision, Key, ManualClock, StoreError, StoreErrorKind, Timestamp};
use palisade_quota::{
    Amount, Balance, Granted, Outcome, Quota, QuotaLedger, Refused, RequestError, ReservationId,
    ReserveRequest, Resolution, Resolve, SettleRequest,
};

use common::{
    Suspect, each_breaks_the_rule_made_for_it, keeps_every_rule, random_play_finds, tells_its_seed,
    yield_once,
};

/// The ways in which a ledger has been seen to be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    /// Grants, and does not keep the hold.
    ForgetsHolds,
    /// Forgets what has ended, so that a repeated call acts again.
    ForgetsEndings,
    /// Books a second settlement of the same reservation.
    SpendsTwice,
    /// Reads, waits, and writes back what it read: another's change in between is lost.
    ChecksThenActs,
    /// Its clock stands still.
    ClockStandsStill,
    /// Its clock starts over with every call, as after a restart of a machine without a battery.
    ClockStartsOver,
    /// A settlement after the deadline is dropped.
    DropsLateCosts,
    /// A cost above the hold is cut down to the hold.
    ForgetsDebt,
    /// Costs are booked in the window in which they arrive.
    BooksOnArrival,
    /// Only the first scope is charged.
    ChargesOneScope,
    /// Shows held amounts as spent.
    SpendsHolds,
    /// Counts in days of 24 hours in UTC, whatever the zone.
    IgnoresZones,
    /// Refunds a call that is settled with nothing, as if no usage had come: nothing is wrong with the sum, but the
    /// reservation is reported as released.
    TakesZeroForMissing,
    /// Refuses the last unit.
    OffByOne,
    /// Upper and lower case are one.
    FoldsCase,
}

struct Liar {
    lie: Lie,
    clock: ManualClock,
    started: Timestamp,
    oracle: Mutex<Oracle>,
    /// The first scope of every reservation.
    scopes: Mutex<HashMap<ReservationId, Key>>,
    late: Mutex<u128>,
}

impl Liar {
    fn new(lie: Lie, setup: Setup) -> Self {
        Self {
            lie,
            started: setup.clock.now(),
            clock: setup.clock,
            oracle: Mutex::new(Oracle::new(setup.defaults)),
            scopes: Mutex::default(),
            late: Mutex::new(u128::MAX),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scopes(&self) -> MutexGuard<'_, HashMap<ReservationId, Key>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        match self.lie {
            Lie::ClockStandsStill => self.started,
            Lie::ClockStartsOver => Timestamp::UNIX_EPOCH,
            _ => self.clock.now(),
        }
    }

    /// Books something that no caller asked for.
    fn book(&self, oracle: &mut Oracle, scope: Key, amount: Amount, now: Timestamp) {
        let mut next = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        *next -= 1;
        let id = ReservationId::from_u128(*next);
        let hold = ReserveRequest::new(id, [scope], Amount::ZERO).expect("one scope");
        let _ = oracle.reserve(&hold, now);
        let _ = oracle.resolve(id, Resolve::Settle(amount), now);
    }

    fn scope(&self, scope: &Key) -> Key {
        match self.lie {
            Lie::FoldsCase => {
                Key::parse(&scope.as_str().to_lowercase()).unwrap_or_else(|_| scope.clone())
            }
            _ => scope.clone(),
        }
    }
}

impl QuotaLedger for Liar {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        let now = self.now();
        let (id, ask) = (request.id(), request.ask());
        let mut scopes: Vec<Key> = request
            .scopes()
            .iter()
            .map(|scope| self.scope(scope))
            .collect();
        if self.lie == Lie::ChargesOneScope {
            scopes.truncate(1);
        }
        self.scopes().insert(id, scopes[0].clone());
        let mut asked = ReserveRequest::new(id, scopes, ask).expect("one scope or more");
        asked = asked
            .with_timeout(request.timeout())
            .expect("a time-out that was one before");
        if self.lie == Lie::ChecksThenActs {
            let mut read = self.lock().clone();
            let answer = read.reserve(&asked, now);
            yield_once().await;
            *self.lock() = read;
            return answer.map_err(invalid);
        }
        let mut oracle = self.lock();
        match self.lie {
            Lie::OffByOne => {
                let balance = oracle.balance(&asked.scopes()[0], now).map_err(invalid)?;
                if balance.free.tokens == Some(ask.tokens()) {
                    return Ok(Decision::Deny(Refused::new(
                        palisade_quota::Refusal::Exhausted {
                            measure: palisade_quota::Measure::Tokens,
                            balance: Box::new(balance.clone()),
                        },
                        palisade_core::RetryAfter::After(
                            balance.window.remaining(now).unwrap_or_default(),
                        ),
                    )));
                }
            }
            Lie::ForgetsHolds => {
                return oracle.clone().reserve(&asked, now).map_err(invalid);
            }
            _ => {}
        }
        oracle.reserve(&asked, now).map_err(invalid)
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        let now = self.now();
        let mut oracle = self.lock();
        let mut actual = request.actual;
        let ended = oracle
            .clone()
            .resolve(request.id, Resolve::Settle(actual), now);
        let ended = ended.map_err(invalid)?;
        let scope = self
            .scopes()
            .get(&request.id)
            .cloned()
            .unwrap_or_else(Key::global);
        match (self.lie, ended.outcome) {
            (Lie::SpendsTwice, Outcome::Settled { .. }) if ended.earlier => {
                self.book(&mut oracle, scope, actual, now);
            }
            (Lie::ForgetsEndings, Outcome::Settled { .. } | Outcome::Released) if ended.earlier => {
                return Ok(Resolution::new(Outcome::Unknown, true));
            }
            (Lie::DropsLateCosts, Outcome::Settled { late: true, .. }) => {
                return Ok(Resolution::new(Outcome::Expired, true));
            }
            (Lie::ForgetsDebt, _) => {
                let held = oracle.balance(&scope, now).map_err(invalid)?.held;
                if !held.is_zero() && actual.tokens() > held.tokens() {
                    actual = held;
                }
            }
            (Lie::BooksOnArrival, Outcome::Settled { late: false, .. }) if !ended.earlier => {
                let resolution = oracle.resolve(request.id, Resolve::Settle(Amount::ZERO), now);
                self.book(&mut oracle, scope, actual, now);
                return resolution
                    .map(|_| {
                        Resolution::new(
                            Outcome::Settled {
                                actual,
                                late: false,
                            },
                            false,
                        )
                    })
                    .map_err(invalid);
            }
            (Lie::TakesZeroForMissing, _) if actual.is_zero() => {
                return oracle
                    .resolve(request.id, Resolve::Release, now)
                    .map_err(invalid);
            }
            _ => {}
        }
        oracle
            .resolve(request.id, Resolve::Settle(actual), now)
            .map_err(invalid)
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        self.lock()
            .resolve(id, Resolve::Release, self.now())
            .map_err(invalid)
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        let mut balance = self
            .lock()
            .balance(&self.scope(scope), self.now())
            .map_err(invalid)?;
        if self.lie == Lie::SpendsHolds {
            balance.spent = balance
                .spent
                .checked_add(balance.held)
                .unwrap_or(Amount::MAX);
            balance.held = Amount::ZERO;
        }
        Ok(balance)
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        self.lock().set_quota(&self.scope(scope), quota, self.now());
        Ok(())
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        Ok(self.lock().expire(self.now()).min(limit))
    }
}

fn make(lie: Lie, mut setup: Setup) -> Ready<Liar> {
    if lie == Lie::IgnoresZones {
        let quota = setup.defaults.quota(&Key::global()).clone();
        setup.defaults =
            palisade_quota::Defaults::new(quota.with_zone(palisade_quota::Zone::utc()));
    }
    ready(Liar::new(lie, setup))
}

fn invalid(error: RequestError) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, "asking the oracle").with_source(error)
}

impl Suspect for Lie {
    fn ask(self) -> Vec<(&'static str, Verdict)> {
        block_on(quota::all(&move |setup| make(self, setup)))
    }

    fn play(self, seed: u64) -> Verdict {
        let make = move |setup| make(self, setup);
        block_on(quota::agrees_with_the_model(&make, seed))
    }
}

mod honest {
    use super::{Liar, Lie, Ready, Setup};

    fn make(setup: Setup) -> Ready<Liar> {
        super::make(Lie::None, setup)
    }

    palisade_conformance::quota_ledger_suite!(make);
}

#[test]
fn every_liar_breaks_the_rule_made_for_it() {
    each_breaks_the_rule_made_for_it(&[
        (Lie::ForgetsHolds, "a_hold_is_held_and_not_spent"),
        (Lie::ForgetsEndings, "every_order_of_endings_has_one_effect"),
        (Lie::SpendsTwice, "every_order_of_endings_has_one_effect"),
        (Lie::ChecksThenActs, "racers_never_share_the_last_unit"),
        (
            Lie::ClockStandsStill,
            "a_hold_expires_at_its_deadline_and_not_before",
        ),
        (
            Lie::ClockStartsOver,
            "a_refusal_ends_at_exactly_the_announced_instant",
        ),
        (
            Lie::DropsLateCosts,
            "a_late_cost_is_booked_and_never_vanishes",
        ),
        (Lie::ForgetsDebt, "a_debt_shuts_the_scope_for_its_window"),
        (
            Lie::BooksOnArrival,
            "a_hold_across_midnight_stays_in_its_own_day",
        ),
        (Lie::ChargesOneScope, "all_scopes_are_charged_or_none"),
        (Lie::SpendsHolds, "a_hold_is_held_and_not_spent"),
        (Lie::IgnoresZones, "a_day_is_as_long_as_the_zone_says"),
        (
            Lie::TakesZeroForMissing,
            "a_settlement_replaces_the_hold_by_the_cost",
        ),
        (
            Lie::OffByOne,
            "the_last_unit_is_granted_and_one_more_is_not",
        ),
        (Lie::FoldsCase, "keys_that_look_alike_stay_apart"),
    ]);
}

#[test]
fn random_play_finds_the_liars_that_need_no_race_and_no_special_key() {
    random_play_finds(&[
        Lie::ForgetsHolds,
        Lie::ForgetsEndings,
        Lie::SpendsTwice,
        Lie::ClockStandsStill,
        Lie::ClockStartsOver,
        Lie::DropsLateCosts,
        Lie::BooksOnArrival,
        Lie::ChargesOneScope,
        Lie::SpendsHolds,
        Lie::TakesZeroForMissing,
        Lie::OffByOne,
    ]);
}

#[test]
fn a_broken_promise_says_how_to_play_it_again() {
    tells_its_seed(Lie::ForgetsHolds);
}

#[test]
fn the_ledger_in_memory_keeps_every_rule() {
    let make = |setup: Setup| ready(palisade_quota::InMemory::new(setup.clock, setup.defaults));
    keeps_every_rule(block_on(quota::all(&make)));
    for seed in 0..100 {
        palisade_conformance::suite::hold(block_on(quota::agrees_with_the_model(&make, seed)));
    }
}
