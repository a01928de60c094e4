//! The ledger keeps every rule of the kit, and so does what is borrowed from it.

use palisade_conformance::quota::Setup;
use palisade_core::ManualClock;
use palisade_postgres::{Postgres, PostgresConfig};
use palisade_quota::{LeaseConfig, Leased};

use crate::support::{block_on, fresh};

async fn make(setup: Setup) -> Postgres {
    let config = PostgresConfig::default()
        .with_clock(setup.clock)
        .with_quota_defaults(setup.defaults);
    fresh(config).await
}

mod direct {
    palisade_conformance::quota_ledger_suite!(super::make, super::block_on);
}

mod lender {
    palisade_conformance::quota_lender_suite!(super::make, super::block_on);
}

/// Borrowed from the server and spent in memory.
async fn borrowed(setup: Setup) -> Leased<Postgres, ManualClock> {
    let clock = setup.clock.clone();
    let (ledger, _task) =
        Leased::new(make(setup).await, clock, LeaseConfig::default()).expect("there is randomness");
    ledger
}

mod leased {
    palisade_conformance::quota_ledger_suite!(super::borrowed, super::block_on);
}
