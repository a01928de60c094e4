//! The ledger in memory keeps every rule of the kit: as itself, and behind the erased companion.

use std::future::{Future, Ready, ready};

use palisade_conformance::quota::Setup;
use palisade_core::ManualClock;
use palisade_quota::{DynQuotaLedger, InMemory};

fn in_memory(setup: Setup) -> Ready<InMemory<ManualClock>> {
    ready(InMemory::new(setup.clock, setup.defaults))
}

fn erased(setup: Setup) -> Ready<DynQuotaLedger> {
    ready(DynQuotaLedger::new(InMemory::new(
        setup.clock,
        setup.defaults,
    )))
}

fn run<F: Future>(future: F) -> F::Output {
    palisade_conformance::block_on(future)
}

mod memory {
    palisade_conformance::quota_ledger_suite!(super::in_memory);
    palisade_conformance::quota_breadth_suite!(super::in_memory);
    palisade_conformance::quota_admin_suite!(super::in_memory);
}

mod companion {
    // With an executor of its own, as a backend that needs a runtime would.
    palisade_conformance::quota_ledger_suite!(super::erased, super::run);
}
