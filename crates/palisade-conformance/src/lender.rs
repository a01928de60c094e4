//! What every [`QuotaLender`] must do.
//!
//! ```
//! use palisade_conformance::quota::Setup;
//! use palisade_core::ManualClock;
//! use palisade_quota::InMemory;
//!
//! async fn make(setup: Setup) -> InMemory<ManualClock> {
//!     InMemory::new(setup.clock, setup.defaults)
//! }
//!
//! palisade_conformance::quota_lender_suite!(make);
//! # fn main() {}
//! ```
//!
//! A lender is a ledger too, and is asked by its own suite, [`quota`](crate::quota); so is what is built on it: a
//! [`Leased`](palisade_quota::Leased) ledger over the lender keeps the rules of the ledger.

mod rules;

use std::future::Future;

use palisade_quota::{QuotaLedger, QuotaLender};

use crate::{Verdict, quota::Setup};

pub use rules::*;

/// Builds the lender under test: any `async fn(Setup) -> L`.
pub trait Make: Sync {
    /// The lender.
    type Lender: QuotaLedger + QuotaLender + 'static;

    /// A fresh, empty one.
    fn make(&self, setup: Setup) -> impl Future<Output = Self::Lender>;
}

impl<F, A> Make for F
where
    F: Fn(Setup) -> A + Sync,
    A: Future<Output: QuotaLedger + QuotaLender + 'static>,
{
    type Lender = A::Output;

    fn make(&self, setup: Setup) -> impl Future<Output = A::Output> {
        self(setup)
    }
}

/// Asks a lender about every rule and says what each has found.
pub async fn all<M: Make>(make: &M) -> Vec<(&'static str, Verdict)> {
    crate::__lender_rules!([crate::suite::ask_each] make)
}

/// The names of the rules, in one place: calls the macro `$then` with `[$args] rule rule …`.
#[doc(hidden)]
#[macro_export]
macro_rules! __lender_rules {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)*! {
            [$($args)*]
            what_is_lent_counts_as_held
            a_need_is_met_to_the_last_unit_and_no_further
            what_is_not_wanted_is_given_back
            an_exchange_that_is_repeated_counts_once
            an_exchange_older_than_the_last_is_refused
            what_was_spent_is_booked_also_beyond_the_lease
            a_lease_whose_time_is_over_goes_on_counting
            a_lessee_that_comes_back_finds_its_lease
            what_was_spent_in_a_window_stays_there_when_it_has_ended
            a_change_of_calendar_takes_the_lease_along
            lessees_never_share_the_last_unit
        }
    };
}

/// Makes a `#[test]` of every rule for a lender.
///
/// `quota_lender_suite!(make)` or `quota_lender_suite!(make, block_on)`; see the [module](crate::lender).
#[macro_export]
macro_rules! quota_lender_suite {
    ($make:expr) => {
        $crate::quota_lender_suite!($make, $crate::block_on);
    };
    ($make:expr, $run:expr) => {
        $crate::__lender_rules! { [$crate::__tests] lender $make, $run }
    };
}
