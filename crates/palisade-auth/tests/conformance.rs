//! The rules that every backend keeps, kept by the one in memory.

use palisade_auth::InMemory;

async fn make() -> InMemory {
    InMemory::default()
}

palisade_conformance::key_store_suite!(make);
