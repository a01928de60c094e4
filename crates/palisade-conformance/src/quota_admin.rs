//! What every [`QuotaAdmin`] must do. Its random play speaks of all measures and periods, so a ledger under test keeps the
//! rules of [`quota_breadth_suite!`](crate::quota_breadth_suite) too.
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
//! palisade_conformance::quota_admin_suite!(make);
//! # fn main() {}
//! ```

mod rules;

use std::future::Future;

use palisade_quota::{QuotaAdmin, QuotaLedger};

use crate::{
    Verdict,
    quota::{Setup, agreement::agrees_in_full, bench::Bench},
};

pub use rules::*;

/// Builds the ledger under test: any `async fn(Setup) -> L`.
pub trait Make: Sync {
    /// The ledger.
    type Ledger: QuotaLedger + QuotaAdmin + 'static;

    /// A fresh, empty one.
    fn make(&self, setup: Setup) -> impl Future<Output = Self::Ledger>;
}

impl<F, A> Make for F
where
    F: Fn(Setup) -> A + Sync,
    A: Future<Output: QuotaLedger + QuotaAdmin + 'static>,
{
    type Ledger = A::Output;

    fn make(&self, setup: Setup) -> impl Future<Output = A::Output> {
        self(setup)
    }
}

/// Asks a ledger about every rule and says what each has found.
pub async fn all<M: Make>(make: &M) -> Vec<(&'static str, Verdict)> {
    crate::__quota_admin_rules!([crate::suite::ask_each] make)
}

/// Plays one random sequence of operations and changes to the ledger and to the [oracle](crate::quota::Oracle) and
/// compares every answer.
///
/// # Errors
///
/// [`Broken`](crate::Broken) at the first answer that differs.
pub async fn agrees_with_the_model<M: Make>(make: &M, seed: u64) -> Verdict {
    agrees_in_full(async |setup| make.make(setup).await, seed).await
}

/// A fresh ledger at noon where every scope has 100 tokens and 100 nano-dollars a day in UTC.
async fn bench<M: Make>(make: &M) -> Bench<M::Ledger> {
    use crate::quota::bench::{NOON, quota};
    use palisade_core::ManualClock;
    use palisade_quota::Defaults;

    let clock = ManualClock::at(NOON);
    let setup = Setup::new(clock.clone(), Defaults::new(quota(100, 100)));
    let ledger = make.make(setup).await;
    Bench { ledger, clock }
}

/// The names of the rules, in one place: calls the macro `$then` with `[$args] rule rule …`.
#[doc(hidden)]
#[macro_export]
macro_rules! __quota_admin_rules {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)*! {
            [$($args)*]
            a_grant_counts_in_its_window_only
            a_top_up_of_a_lifetime_stays
            a_reset_writes_off_what_is_spent_and_not_what_is_held
            a_blocked_scope_refuses_until_it_is_opened
            a_charge_is_booked_and_a_refund_never_exceeds_it
            a_repeated_change_has_one_effect_and_one_line
            the_audit_log_says_who_did_what_and_why
            pages_show_every_scope_once
        }
    };
}

/// Makes a `#[test]` of every rule for a ledger, and one that compares it with the model.
///
/// `quota_admin_suite!(make)` or `quota_admin_suite!(make, block_on)`; see the [module](crate::quota_admin).
#[macro_export]
macro_rules! quota_admin_suite {
    ($make:expr) => {
        $crate::quota_admin_suite!($make, $crate::block_on);
    };
    ($make:expr, $run:expr) => {
        $crate::__quota_admin_rules! { [$crate::__tests] quota_admin $make, $run }

        #[test]
        fn it_agrees_with_the_model_in_full() {
            $crate::suite::play(|seed| {
                ($run)($crate::quota_admin::agrees_with_the_model(&$make, seed))
            });
        }
    };
}
