//! The rules are tested too: every lie of a lender is caught.

mod common;

use std::{
    collections::HashMap,
    future::{Ready, ready},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use palisade_conformance::{Verdict, block_on, lender, quota::Setup};
use palisade_core::{Clock as _, Decision, Key, ManualClock, StoreError, Timestamp};
use palisade_quota::{
    Amount, Balance, Exchange, Exchanged, Granted, InMemory, LesseeId, Quota, QuotaLedger,
    QuotaLender, Refused, ReservationId, ReserveRequest, Resolution, SettleRequest,
};

/// The ways in which a lender can be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    /// Lends and holds nothing back for it.
    LendsFromNothing,
    /// Says that every need is met.
    SaysYes,
    /// Keeps what is given back.
    TakesNothingBack,
    /// Counts every exchange as a new one.
    CountsTwice,
    /// Takes an exchange of the past for a repeated one.
    TakesThePast,
    /// Books no more than was lent.
    ForgetsDebt,
    /// Gives back what a silent lessee had.
    RefundsByTime,
    /// Takes who comes back for somebody new.
    ForgetsFaces,
    /// Books everything in the running window.
    BooksOnArrival,
    /// Takes the lease of a window that is gone for none.
    LosesTheMoved,
}

struct Liar {
    lie: Lie,
    clock: ManualClock,
    honest: InMemory<ManualClock>,
    /// When each was heard, with its last turn and under how many names.
    heard: Mutex<HashMap<LesseeId, (Timestamp, u64, u128)>>,
    last: Mutex<Option<Exchange>>,
}

impl QuotaLender for Liar {
    async fn exchange(&self, mut exchange: Exchange) -> Result<Exchanged, StoreError> {
        let now = self.clock.now();
        let truth = exchange.clone();
        {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            let (at, turn, names) = heard.entry(truth.lessee).or_insert((now, 0, 0));
            match self.lie {
                Lie::CountsTwice => exchange.turn = *turn + 1,
                Lie::TakesThePast => exchange.turn = truth.turn.max(*turn),
                Lie::ForgetsFaces if at.saturating_add(truth.ttl) <= now => *names += 1,
                _ => {}
            }
            (*at, *turn) = (now, exchange.turn);
            let name = truth.lessee.as_u128() + (*names << 64);
            exchange.lessee = LesseeId::from_u128(name);
        }
        for entry in &mut exchange.entries {
            match self.lie {
                Lie::LendsFromNothing => (entry.need, entry.wish) = (Amount::ZERO, Amount::ZERO),
                Lie::TakesNothingBack => entry.wish = Amount::MAX,
                Lie::ForgetsDebt if entry.spent.to_columns().0 > 100 => {
                    entry.spent = Amount::from_columns(10, 0).unwrap_or(Amount::ZERO);
                }
                Lie::BooksOnArrival => entry.window = None,
                Lie::LosesTheMoved if entry.window.is_some() => {
                    let today = self.honest.balance(&entry.scope).await?.window;
                    if entry.window != Some(today) {
                        (entry.need, entry.wish) = (Amount::ZERO, Amount::ZERO);
                    }
                }
                _ => {}
            }
        }
        let mut exchanged = self.honest.exchange(exchange.clone()).await?;
        if matches!(self.lie, Lie::LendsFromNothing | Lie::SaysYes) {
            for (lease, entry) in exchanged.leases.iter_mut().zip(&truth.entries) {
                lease.lent = entry.need;
            }
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(exchange);
        Ok(exchanged)
    }
}

impl QuotaLedger for Liar {
    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        let last = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut last) = last {
            let heard = self
                .heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .values()
                .map(|(at, ..)| *at)
                .max();
            let is_over = heard.is_some_and(|at| at.saturating_add(last.ttl) <= self.clock.now());
            if self.lie == Lie::RefundsByTime && is_over {
                last.turn += 1;
                for entry in &mut last.entries {
                    (entry.spent, entry.need, entry.wish) =
                        (Amount::ZERO, Amount::ZERO, Amount::ZERO);
                }
                self.honest.exchange(last).await?;
            } else {
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
            }
        }
        self.honest.balance(scope).await
    }

    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        self.honest.reserve(request).await
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        self.honest.settle(request).await
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        self.honest.release(id).await
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        self.honest.set_quota(scope, quota).await
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        self.honest.expire(limit).await
    }
}

fn make(lie: Lie, setup: Setup) -> Ready<Liar> {
    ready(Liar {
        lie,
        clock: setup.clock.clone(),
        honest: InMemory::new(setup.clock, setup.defaults),
        heard: Mutex::default(),
        last: Mutex::default(),
    })
}

impl common::Suspect for Lie {
    fn ask(self) -> Vec<(&'static str, Verdict)> {
        block_on(lender::all(&move |setup| make(self, setup)))
    }

    /// What is built on a lender is what is played with: see the suite of the ledger.
    fn play(self, _: u64) -> Verdict {
        Ok(())
    }
}

#[test]
fn every_liar_breaks_the_rule_made_for_it() {
    common::each_breaks_the_rule_made_for_it(&[
        (Lie::LendsFromNothing, "what_is_lent_counts_as_held"),
        (
            Lie::SaysYes,
            "a_need_is_met_to_the_last_unit_and_no_further",
        ),
        (Lie::SaysYes, "lessees_never_share_the_last_unit"),
        (Lie::TakesNothingBack, "what_is_not_wanted_is_given_back"),
        (Lie::CountsTwice, "an_exchange_that_is_repeated_counts_once"),
        (
            Lie::TakesThePast,
            "an_exchange_older_than_the_last_is_refused",
        ),
        (
            Lie::ForgetsDebt,
            "what_was_spent_is_booked_also_beyond_the_lease",
        ),
        (
            Lie::RefundsByTime,
            "a_lease_whose_time_is_over_goes_on_counting",
        ),
        (
            Lie::ForgetsFaces,
            "a_lessee_that_comes_back_finds_its_lease",
        ),
        (
            Lie::BooksOnArrival,
            "what_was_spent_in_a_window_stays_there_when_it_has_ended",
        ),
        (
            Lie::LosesTheMoved,
            "a_change_of_calendar_takes_the_lease_along",
        ),
    ]);
}

#[test]
fn the_time_a_lease_is_shown_as_held_has_bounds() {
    let lessee = LesseeId::from_u128(1);
    let exchange = |ttl| Exchange::new(lessee, 1, ttl, Vec::new());
    assert!(exchange(Duration::ZERO).is_err());
    assert!(exchange(Duration::from_secs(86_400)).is_ok());
    assert!(exchange(Duration::from_secs(86_401)).is_err());
}
