//! What every [`KeyStore`] must do.
//!
//! In the tests of a backend, one line makes a test of every rule:
//!
//! ```
//! use palisade_auth::InMemory;
//!
//! async fn make() -> InMemory {
//!     InMemory::default()
//! }
//!
//! palisade_conformance::key_store_suite!(make);
//! # fn main() {}
//! ```
//!
//! A backend that needs a runtime names, as a second argument, a function that runs a future to its end on any thread:
//! `key_store_suite!(make, my_block_on)`.
//!
//! A key store has no clock: every time it keeps is given to it, and comes back to the nanosecond.

mod agreement;
mod bench;
mod oracle;
mod rules;
#[doc(hidden)]
pub mod threads;

use std::future::Future;

use palisade_auth::KeyStore;

use crate::Verdict;

pub use agreement::agrees_with_the_oracle;
pub use rules::*;

/// Builds the store under test: any `async fn() -> S`.
///
/// A store under test has room for a thousand keys.
pub trait Make: Sync {
    /// The store.
    type Store: KeyStore + 'static;

    /// A fresh, empty store.
    fn make(&self) -> impl Future<Output = Self::Store>;
}

impl<F, A> Make for F
where
    F: Fn() -> A + Sync,
    A: Future<Output: KeyStore + 'static>,
{
    type Store = A::Output;

    fn make(&self) -> impl Future<Output = A::Output> {
        self()
    }
}

/// Asks a store about every rule and says what each has found.
pub async fn all<M: Make>(make: &M) -> Vec<(&'static str, Verdict)> {
    crate::__auth_rules!([crate::suite::ask_each] make)
}

/// The names of the rules, in one place: calls the macro `$then` with `[$args] rule rule …`.
#[doc(hidden)]
#[macro_export]
macro_rules! __auth_rules {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)*! {
            [$($args)*]
            a_key_comes_back_as_it_went_in
            an_unknown_id_is_told_as_such
            a_taken_id_is_not_overwritten
            revoking_is_final
            the_first_revocation_keeps_its_time
            revoking_one_key_leaves_the_others
            lists_see_what_was_written_at_once
            pages_hold_every_key_once_in_the_order_of_ids
            a_page_may_begin_after_an_id_that_is_not_there
            keys_put_between_pages_move_no_other
            organisations_that_look_alike_stay_apart
            a_project_is_listed_alone_and_only_in_its_organisation
            revoked_and_expired_keys_are_listed
            racers_for_one_id_have_one_winner
            racing_revocations_agree_on_one_time
        }
    };
}

/// Makes a `#[test]` of every rule for a store, one that compares it with the oracle, and a race of threads.
///
/// `key_store_suite!(make)` or `key_store_suite!(make, block_on)`; see the [module](crate::auth).
#[macro_export]
macro_rules! key_store_suite {
    ($make:expr) => {
        $crate::key_store_suite!($make, $crate::block_on);
    };
    ($make:expr, $run:expr) => {
        $crate::__auth_rules! { [$crate::__tests] auth $make, $run }

        #[test]
        fn it_agrees_with_the_oracle() {
            $crate::suite::play(|seed| ($run)($crate::auth::agrees_with_the_oracle(&$make, seed)));
        }

        #[test]
        fn threads_never_share_an_id() {
            let store = ($run)($crate::auth::threads::store(&$make));
            let won =
                $crate::suite::race(|racer| ($run)($crate::auth::threads::race(&store, racer)));
            $crate::suite::hold(($run)($crate::auth::threads::judge(&store, &won)));
        }
    };
}
