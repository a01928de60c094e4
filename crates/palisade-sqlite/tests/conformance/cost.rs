//! The usage log keeps every rule of the kit, in a file and in memory.

use std::future::{Ready, ready};

use palisade_core::StoreError;
use palisade_cost::{CostLedger, Recorded, Report, ReportQuery, UsageRecord};
use palisade_sqlite::{Sqlite, SqliteConfig};
use tempfile::TempDir;

/// A usage log, and the directory that goes with it.
struct InFile {
    sqlite: Sqlite,
    _directory: TempDir,
}

impl CostLedger for InFile {
    async fn record(&self, record: UsageRecord) -> Result<Recorded, StoreError> {
        self.sqlite.record(record).await
    }

    async fn report(&self, query: ReportQuery) -> Result<Report, StoreError> {
        self.sqlite.report(query).await
    }
}

fn in_memory() -> Ready<Sqlite> {
    ready(Sqlite::in_memory(SqliteConfig::default()).expect("memory is there"))
}

fn in_file() -> Ready<InFile> {
    let directory = tempfile::tempdir().expect("a directory for tests");
    let path = directory.path().join("palisade.db");
    ready(InFile {
        sqlite: Sqlite::open(path, SqliteConfig::default()).expect("the directory is writable"),
        _directory: directory,
    })
}

mod file {
    palisade_conformance::cost_ledger_suite!(super::in_file);
}

mod memory {
    palisade_conformance::cost_ledger_suite!(super::in_memory);
}
