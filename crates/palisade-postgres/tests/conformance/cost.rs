//! The usage log keeps every rule of the kit.

use palisade_postgres::{Postgres, PostgresConfig};

use crate::support::{block_on, fresh};

async fn make() -> Postgres {
    fresh(PostgresConfig::default()).await
}

palisade_conformance::cost_ledger_suite!(make, block_on);
