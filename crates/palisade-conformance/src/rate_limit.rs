//! What every [`RateLimiter`] must do.
//!
//! In the tests of a backend, one line makes a test of every rule:
//!
//! ```
//! use palisade_conformance::rate_limit::Setup;
//! use palisade_core::ManualClock;
//! use palisade_rate_limit::{InMemory, MemoryConfig};
//!
//! async fn make(setup: Setup) -> InMemory<ManualClock> {
//!     InMemory::new(MemoryConfig::default(), setup.clock).expect("a capacity in range")
//! }
//!
//! palisade_conformance::rate_limiter_suite!(make);
//! # fn main() {}
//! ```
//!
//! A backend that needs a runtime names, as a second argument, a function that runs a future to its end on any thread:
//! `rate_limiter_suite!(make, my_block_on)`.
//!
//! The rules move the clock in whole milliseconds, so a backend whose clock is coarser than the model's may round a wait
//! up by less than one.

mod agreement;
mod bench;
mod history;
mod hold_rules;
mod rules;
#[doc(hidden)]
pub mod threads;

use std::future::Future;

use palisade_core::ManualClock;
use palisade_rate_limit::RateLimiter;

use crate::Verdict;

pub use agreement::agrees_with_the_model;
pub use history::History;
pub use hold_rules::*;
pub use rules::*;

/// What a fresh, empty limiter under test is built from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// The limiter's one clock. A rule moves it; the limiter reads it at every call.
    pub clock: ManualClock,
}

impl Setup {
    /// A limiter on this clock.
    #[must_use]
    pub const fn new(clock: ManualClock) -> Self {
        Self { clock }
    }
}

/// Builds the limiter under test: any `async fn(Setup) -> L`.
///
/// A limiter under test has room for a thousand keys.
pub trait Make: Sync {
    /// The limiter.
    type Limiter: RateLimiter + 'static;

    /// A fresh, empty limiter.
    fn make(&self, setup: Setup) -> impl Future<Output = Self::Limiter>;
}

impl<F, A> Make for F
where
    F: Fn(Setup) -> A + Sync,
    A: Future<Output: RateLimiter + 'static>,
{
    type Limiter = A::Output;

    fn make(&self, setup: Setup) -> impl Future<Output = A::Output> {
        self(setup)
    }
}

/// Asks a limiter about every rule and says what each has found.
pub async fn all<M: Make>(make: &M) -> Vec<(&'static str, Verdict)> {
    crate::__rate_limit_rules!([crate::suite::ask_each] make)
}

/// The names of the rules, in one place: calls the macro `$then` with `[$args] rule rule …`.
#[doc(hidden)]
#[macro_export]
macro_rules! __rate_limit_rules {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)*! {
            [$($args)*]
            the_burst_passes_and_one_more_does_not
            a_refusal_charges_nothing
            a_refusal_ends_at_exactly_the_announced_instant
            a_rate_of_no_whole_nanosecond_does_not_drift
            the_amount_comes_back_evenly
            an_idle_key_gathers_no_more_than_its_burst
            no_window_has_an_edge_to_slip_through
            a_cost_above_the_burst_is_never_and_charges_nothing
            a_charge_of_nothing_passes_and_tells_what_remains
            several_limits_are_charged_together_or_not_at_all
            the_longest_wait_binds
            answers_come_in_the_order_of_the_charges
            keys_that_look_alike_stay_apart
            limits_of_one_key_stay_apart
            a_changed_limit_keeps_what_was_used
            the_largest_amounts_never_wrap
            the_most_charges_a_request_may_have_are_served
            racers_never_share_the_last_unit
            crossed_keys_never_lock_each_other_out
            what_was_not_used_comes_back
            what_was_used_beyond_is_owed
            a_repeated_reservation_counts_once
            a_settlement_counts_once
            nothing_comes_back_into_another_window
            nothing_comes_back_that_time_has_brought_back
            a_permit_comes_back_however_busy_its_key_is
            a_top_up_takes_the_difference_or_nothing
            who_may_owe_passes_and_owes
            a_dry_run_changes_nothing
            a_reset_forgets_what_was_used
            no_interval_of_a_log_holds_more_than_its_amount
        }
    };
}

/// Makes a `#[test]` of every rule for a limiter, one that compares it with the model, and a race of threads.
///
/// `rate_limiter_suite!(make)` or `rate_limiter_suite!(make, block_on)`; see the [module](crate::rate_limit).
#[macro_export]
macro_rules! rate_limiter_suite {
    ($make:expr) => {
        $crate::rate_limiter_suite!($make, $crate::block_on);
    };
    ($make:expr, $run:expr) => {
        $crate::__rate_limit_rules! { [$crate::__tests] rate_limit $make, $run }

        #[test]
        fn it_agrees_with_the_model() {
            $crate::suite::play(|seed| {
                ($run)($crate::rate_limit::agrees_with_the_model(&$make, seed))
            });
        }

        #[test]
        fn threads_never_share_the_last_unit() {
            let limiter = ($run)($crate::rate_limit::threads::limiter(&$make));
            let allowed = $crate::suite::race(|racer| {
                ($run)($crate::rate_limit::threads::race(&limiter, racer.into()))
            });
            $crate::suite::hold(($run)($crate::rate_limit::threads::judge(
                &limiter,
                allowed.iter().sum(),
            )));
        }
    };
}
