//! The key store keeps every rule of the kit.

use palisade_postgres::{Postgres, PostgresConfig};

use crate::support::{block_on, fresh};

async fn make() -> Postgres {
    fresh(PostgresConfig::default()).await
}

palisade_conformance::key_store_suite!(make, block_on);
