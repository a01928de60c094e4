//! The rules that every backend keeps, kept by the one in memory.

use std::future::{Ready, ready};

use palisade_cost::InMemory;

fn make() -> Ready<InMemory> {
    ready(InMemory::new(10_000))
}

palisade_conformance::cost_ledger_suite!(make);
