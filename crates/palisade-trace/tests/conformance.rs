//! The rules that every store of traces keeps, kept by the one in memory.

use palisade_conformance::trace::Setup;
use palisade_trace::InMemory;

async fn make(setup: Setup) -> InMemory {
    InMemory::new(setup.bytes_max)
}

palisade_conformance::trace_store_suite!(make);
