//! What every store of traces must do: a [`TraceSink`] and the [`TraceStore`] that shows what it took.
//!
//! In the tests of a backend, one line makes a test of every rule:
//!
//! ```
//! use palisade_conformance::trace::Setup;
//! use palisade_trace::InMemory;
//!
//! async fn make(setup: Setup) -> InMemory {
//!     InMemory::new(setup.bytes_max)
//! }
//!
//! palisade_conformance::trace_store_suite!(make);
//! # fn main() {}
//! ```
//!
//! A sink never waits, so a store may write behind; [`Store::flush`] is how a rule knows that it has. A backend that needs
//! a runtime names, as a second argument, a function that runs a future to its end on any thread:
//! `trace_store_suite!(make, my_block_on)`.

mod agreement;
mod bench;
mod oracle;
mod rules;

use std::future::Future;

use palisade_core::StoreError;
use palisade_trace::{InMemory, TraceSink, TraceStore};

use crate::Verdict;

pub use agreement::agrees_with_the_oracle;
pub use rules::*;

/// What a fresh, empty store under test is built from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// The most bytes of traces the store holds, or, if it writes behind, the queue in front of it.
    pub bytes_max: usize,
}

impl Setup {
    /// A store with so much room.
    #[must_use]
    pub const fn new(bytes_max: usize) -> Self {
        Self { bytes_max }
    }
}

/// A store under test: both ports, and an end to wait for.
pub trait Store: TraceSink + TraceStore {
    /// Waits until every trace that was recorded before is kept, or counted as lost.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if that cannot be known.
    fn flush(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What is recorded here is kept at once.
impl Store for InMemory {
    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Builds the store under test: any `async fn(Setup) -> S`.
pub trait Make: Sync {
    /// The store.
    type Store: Store + 'static;

    /// A fresh, empty store.
    fn make(&self, setup: Setup) -> impl Future<Output = Self::Store>;
}

impl<F, A> Make for F
where
    F: Fn(Setup) -> A + Sync,
    A: Future<Output: Store + 'static>,
{
    type Store = A::Output;

    fn make(&self, setup: Setup) -> impl Future<Output = A::Output> {
        self(setup)
    }
}

/// Asks a store about every rule and says what each has found.
pub async fn all<M: Make>(make: &M) -> Vec<(&'static str, Verdict)> {
    crate::__trace_rules!([crate::suite::ask_each] make)
}

/// The names of the rules, in one place: calls the macro `$then` with `[$args] rule rule …`.
#[doc(hidden)]
#[macro_export]
macro_rules! __trace_rules {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)*! {
            [$($args)*]
            a_trace_comes_back_as_it_went_in
            an_unknown_trace_is_an_empty_answer
            requests_of_one_trace_come_together_the_oldest_first
            one_trace_shows_no_more_requests_than_a_page_may_hold
            the_newest_come_first
            no_tenant_is_shown_anothers_traces
            principals_that_look_alike_stay_apart
            pages_have_no_gap_and_no_duplicate
            pages_stay_whole_while_others_record
            a_cursor_shows_nothing_that_the_query_would_not
            a_page_may_begin_where_no_trace_is
            every_filter_holds_alone
            filters_hold_together
            a_repeated_trace_counts_once
            recorders_at_once_lose_nothing
            a_trace_too_large_takes_no_other_with_it
            what_is_kept_and_what_is_lost_add_up
        }
    };
}

/// Makes a `#[test]` of every rule for a store of traces, and one that compares it with a naive one.
///
/// `trace_store_suite!(make)` or `trace_store_suite!(make, block_on)`; see the [module](crate::trace).
#[macro_export]
macro_rules! trace_store_suite {
    ($make:expr) => {
        $crate::trace_store_suite!($make, $crate::block_on);
    };
    ($make:expr, $run:expr) => {
        $crate::__trace_rules! { [$crate::__tests] trace $make, $run }

        #[test]
        fn it_agrees_with_the_oracle() {
            $crate::suite::play(|seed| ($run)($crate::trace::agrees_with_the_oracle(&$make, seed)));
        }
    };
}
