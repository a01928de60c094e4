//! What every [`QuotaLedger`](palisade_quota::QuotaLedger) must do.

mod rules;

use std::future::Future;

use palisade_core::ManualClock;
use palisade_quota::{Defaults, QuotaLedger};

pub use rules::an_untouched_scope_has_the_default_quota;

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
