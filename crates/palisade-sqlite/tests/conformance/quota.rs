//! The ledger keeps every rule of the kit, in a file and in memory.

use std::future::{Ready, ready};

use palisade_conformance::quota::Setup;
use palisade_core::ManualClock;
use palisade_quota::{LeaseConfig, Leased, QuotaLedger};
use palisade_sqlite::{Sqlite, SqliteConfig};
use tempfile::TempDir;

/// A ledger, and the directory that goes with it.
struct InFile {
    sqlite: Sqlite,
    _directory: TempDir,
}

fn config(setup: Setup) -> SqliteConfig {
    SqliteConfig::default()
        .with_clock(setup.clock)
        .with_quota_defaults(setup.defaults)
}

fn in_memory(setup: Setup) -> Ready<Sqlite> {
    ready(Sqlite::in_memory(config(setup)).expect("memory is there"))
}

fn in_file(setup: Setup) -> Ready<InFile> {
    let directory = tempfile::tempdir().expect("a directory for tests");
    let path = directory.path().join("palisade.db");
    ready(InFile {
        sqlite: Sqlite::open(path, config(setup)).expect("the directory is writable"),
        _directory: directory,
    })
}

mod file {
    palisade_conformance::quota_ledger_suite!(super::in_file);
}

mod memory {
    palisade_conformance::quota_ledger_suite!(super::in_memory);
    palisade_conformance::quota_breadth_suite!(super::in_memory);
    palisade_conformance::quota_admin_suite!(super::in_memory);
}

/// Borrowed from the file and spent in memory.
fn borrowed(setup: Setup) -> Ready<Leased<Sqlite, ManualClock>> {
    let clock = setup.clock.clone();
    let sqlite = Sqlite::in_memory(config(setup)).expect("memory is there");
    let (ledger, _task) =
        Leased::new(sqlite, clock, LeaseConfig::default()).expect("there is randomness");
    ready(ledger)
}

mod lender {
    palisade_conformance::quota_lender_suite!(super::in_memory);
}

mod leased {
    palisade_conformance::quota_ledger_suite!(super::borrowed);
    palisade_conformance::quota_breadth_suite!(super::borrowed);
}

macro_rules! forward {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl QuotaLedger for InFile {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$answer, palisade_core::StoreError> {
                self.sqlite.$name($($arg),*).await
            })*
        }
    };
}

forward! {
    reserve(request: palisade_quota::ReserveRequest)
        -> palisade_core::Decision<palisade_quota::Granted, palisade_quota::Refused>;
    settle(request: palisade_quota::SettleRequest) -> palisade_quota::Resolution;
    release(id: palisade_quota::ReservationId) -> palisade_quota::Resolution;
    balance(scope: &palisade_core::Key) -> palisade_quota::Balance;
    set_quota(scope: &palisade_core::Key, quota: Option<palisade_quota::Quota>) -> ();
    expire(limit: usize) -> usize;
}
