//! What every [`CostLedger`] must do.
//!
//! In the tests of a backend, one line makes a test of every rule:
//!
//! ```
//! use palisade_cost::InMemory;
//!
//! async fn make() -> InMemory {
//!     InMemory::new(10_000)
//! }
//!
//! palisade_conformance::cost_ledger_suite!(make);
//! # fn main() {}
//! ```
//!
//! A backend that needs a runtime names, as a second argument, a function that runs a future to its end on any thread:
//! `cost_ledger_suite!(make, my_block_on)`.
//!
//! A record brings its own time, so a ledger under test needs no clock.

mod agreement;
mod bench;
mod oracle;
mod rules;
#[doc(hidden)]
pub mod threads;

use std::future::Future;

use palisade_cost::CostLedger;

use crate::Verdict;

pub use agreement::agrees_with_the_model;
pub use oracle::Oracle;
pub use rules::*;

/// Builds the ledger under test: any `async fn() -> L`.
///
/// A ledger under test has room for ten thousand records.
pub trait Make: Sync {
    /// The ledger.
    type Ledger: CostLedger + 'static;

    /// A fresh, empty ledger.
    fn make(&self) -> impl Future<Output = Self::Ledger>;
}

impl<F, A> Make for F
where
    F: Fn() -> A + Sync,
    A: Future<Output: CostLedger + 'static>,
{
    type Ledger = A::Output;

    fn make(&self) -> impl Future<Output = A::Output> {
        self()
    }
}

/// Asks a ledger about every rule and says what each has found.
pub async fn all<M: Make>(make: &M) -> Vec<(&'static str, Verdict)> {
    crate::__cost_rules!([crate::suite::ask_each] make)
}

/// The names of the rules, in one place: calls the macro `$then` with `[$args] rule rule …`.
#[doc(hidden)]
#[macro_export]
macro_rules! __cost_rules {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)*! {
            [$($args)*]
            an_empty_ledger_reports_nothing
            what_was_recorded_is_in_the_next_report
            a_record_counts_once_and_the_first_one_stands
            ids_that_look_alike_are_two_records
            an_unknown_cost_is_counted_and_never_summed_as_zero
            every_count_is_summed
            the_finest_amounts_add_up_exactly
            a_sum_that_does_not_fit_is_refused_and_never_wraps
            a_report_begins_with_its_start_and_ends_before_its_end
            days_are_those_of_utc_also_before_1970
            every_way_to_group_names_its_groups
            what_belongs_to_nobody_is_a_group
            users_of_two_tenants_stay_apart
            keys_that_look_alike_stay_apart
            a_report_is_narrowed_by_every_part_given
            pages_hold_each_group_once_in_the_order_of_their_text
            the_total_is_that_of_all_pages
            the_dearest_come_first_and_equals_by_their_keys
            the_largest_page_is_served
            racers_with_one_id_count_once
        }
    };
}

/// Makes a `#[test]` of every rule for a ledger, one that compares it with the model, and a race of threads.
///
/// `cost_ledger_suite!(make)` or `cost_ledger_suite!(make, block_on)`; see the [module](crate::cost).
#[macro_export]
macro_rules! cost_ledger_suite {
    ($make:expr) => {
        $crate::cost_ledger_suite!($make, $crate::block_on);
    };
    ($make:expr, $run:expr) => {
        $crate::__cost_rules! { [$crate::__tests] cost $make, $run }

        #[test]
        fn it_agrees_with_the_model() {
            $crate::suite::play(|seed| ($run)($crate::cost::agrees_with_the_model(&$make, seed)));
        }

        #[test]
        fn threads_with_the_same_ids_count_once() {
            let ledger = ($run)($crate::cost::threads::ledger(&$make));
            let new = $crate::suite::race(|_| ($run)($crate::cost::threads::race(&ledger)));
            $crate::suite::hold(($run)($crate::cost::threads::judge(
                &ledger,
                new.iter().sum(),
            )));
        }
    };
}
