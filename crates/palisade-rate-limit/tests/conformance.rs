//! The rules that every backend keeps, kept by the one in memory.

use palisade_conformance::rate_limit::Setup;
use palisade_core::ManualClock;
use palisade_rate_limit::{InMemory, MemoryConfig};

async fn make(setup: Setup) -> InMemory<ManualClock> {
    InMemory::new(MemoryConfig::default(), setup.clock).expect("a capacity in range")
}

palisade_conformance::rate_limiter_suite!(make);
