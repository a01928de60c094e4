//! What every [`QuotaLedger`] must do.
//!
//! In the tests of a backend, one line makes a test of every rule:
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
//! palisade_conformance::quota_ledger_suite!(make);
//! # fn main() {}
//! ```
//!
//! A backend that needs a runtime names, as a second argument, a function that runs a future to its end on any thread:
//! `quota_ledger_suite!(make, my_block_on)`.

pub(crate) mod agreement;
pub(crate) mod bench;
mod breadth;
mod oracle;
mod rules;
#[doc(hidden)]
pub mod threads;

use std::future::Future;

use palisade_core::ManualClock;
use palisade_quota::{Defaults, QuotaLedger};

use crate::Verdict;

pub use agreement::agrees_with_the_model;
pub use breadth::*;
pub use oracle::Oracle;
pub use rules::*;

/// What a fresh, empty ledger under test is built from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// The ledger's one clock. A rule moves it; the ledger reads it at every call.
    pub clock: ManualClock,
    /// The quotas of scopes that have none of their own.
    pub defaults: Defaults,
}

impl Setup {
    /// A ledger on this clock, with these defaults.
    #[must_use]
    pub const fn new(clock: ManualClock, defaults: Defaults) -> Self {
        Self { clock, defaults }
    }
}

/// Builds the ledger under test: any `async fn(Setup) -> L`.
///
/// A ledger under test remembers ended reservations and windows for at least a day of its clock, and a thousand of
/// them.
pub trait Make: Sync {
    /// The ledger.
    type Ledger: QuotaLedger + 'static;

    /// A fresh, empty ledger.
    fn make(&self, setup: Setup) -> impl Future<Output = Self::Ledger>;
}

impl<F, A> Make for F
where
    F: Fn(Setup) -> A + Sync,
    A: Future<Output: QuotaLedger + 'static>,
{
    type Ledger = A::Output;

    fn make(&self, setup: Setup) -> impl Future<Output = A::Output> {
        self(setup)
    }
}

/// Asks a ledger about every rule and says what each has found.
pub async fn all<M: Make>(make: &M) -> Vec<(&'static str, Verdict)> {
    crate::__quota_rules!([crate::suite::ask_each] make)
}

/// The names of the rules, in one place: calls the macro `$then` with `[$args] rule rule …`.
#[doc(hidden)]
#[macro_export]
macro_rules! __quota_rules {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)*! {
            [$($args)*]
            a_hold_is_held_and_not_spent
            a_settlement_replaces_the_hold_by_the_cost
            a_release_leaves_nothing_behind
            all_scopes_are_charged_or_none
            a_scope_given_twice_counts_once
            the_last_unit_is_granted_and_one_more_is_not
            more_than_the_limit_is_never_granted
            a_repeated_reserve_holds_once
            an_id_in_use_for_something_else_is_invalid
            an_ended_id_is_used_up
            an_unknown_id_is_called_unknown
            every_order_of_endings_has_one_effect
            a_hold_expires_at_its_deadline_and_not_before
            a_late_cost_is_booked_and_never_vanishes
            a_debt_shuts_the_scope_for_its_window
            sweeping_changes_no_answer
            the_largest_amounts_never_wrap
            an_untouched_scope_has_the_default_quota
            keys_that_look_alike_stay_apart
            an_unlimited_measure_is_counted_and_never_refuses
            a_free_call_passes_a_debt_and_a_blind_one_does_not
            a_lowered_limit_shuts_and_a_raised_one_opens
            a_quota_taken_back_leaves_the_default
            a_refusal_ends_at_exactly_the_announced_instant
            a_hold_across_midnight_stays_in_its_own_day
            a_day_is_as_long_as_the_zone_says
            longer_periods_refill_when_they_end_or_never
            a_change_of_calendar_gives_no_second_allowance
            windows_that_meet_are_added_up
            the_most_scopes_a_request_may_have_are_served
            racers_never_share_the_last_unit
            crossed_scopes_never_lock_each_other_out
            a_stampede_on_one_id_has_one_effect
        }
    };
}

/// The names of the rules about measures and periods that not every ledger keeps.
#[doc(hidden)]
#[macro_export]
macro_rules! __quota_breadth_rules {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)*! {
            [$($args)*]
            every_measure_is_held_spent_and_limited_on_its_own
            a_week_ends_on_sunday_night_of_its_zone
            a_rolling_budget_comes_back_when_it_is_longer_ago_than_its_length
            no_stretch_of_a_rolling_period_has_more_than_the_limit
            a_change_between_calendar_and_rolling_gives_no_second_allowance
        }
    };
}

/// Makes a `#[test]` of every rule for a ledger that keeps all measures and periods.
///
/// A ledger that keeps tokens and money alone, by day, month or lifetime, refuses what it cannot keep with
/// [`NotKept`](palisade_quota::RequestError::NotKept), and does without this suite.
#[macro_export]
macro_rules! quota_breadth_suite {
    ($make:expr) => {
        $crate::quota_breadth_suite!($make, $crate::block_on);
    };
    ($make:expr, $run:expr) => {
        $crate::__quota_breadth_rules! { [$crate::__tests] quota $make, $run }
    };
}

/// Asks a ledger about every rule of measures and periods and says what each has found.
pub async fn all_of_breadth<M: Make>(make: &M) -> Vec<(&'static str, Verdict)> {
    crate::__quota_breadth_rules!([crate::suite::ask_each] make)
}

/// Makes a `#[test]` of every rule for a ledger, one that compares it with the model, and a race of threads.
///
/// `quota_ledger_suite!(make)` or `quota_ledger_suite!(make, block_on)`; see the [module](crate::quota).
#[macro_export]
macro_rules! quota_ledger_suite {
    ($make:expr) => {
        $crate::quota_ledger_suite!($make, $crate::block_on);
    };
    ($make:expr, $run:expr) => {
        $crate::__quota_rules! { [$crate::__tests] quota $make, $run }

        #[test]
        fn it_agrees_with_the_model() {
            $crate::suite::play(|seed| ($run)($crate::quota::agrees_with_the_model(&$make, seed)));
        }

        #[test]
        fn threads_never_share_the_last_unit() {
            let ledger = ($run)($crate::quota::threads::ledger(&$make));
            let granted = $crate::suite::race(|racer| {
                ($run)($crate::quota::threads::race(&ledger, racer.into()))
            });
            $crate::suite::hold(($run)($crate::quota::threads::judge(
                &ledger,
                granted.iter().sum(),
            )));
        }
    };
}
