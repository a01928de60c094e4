//! The limits keep every rule of the kit, in a file and in memory.

use std::future::{Ready, ready};

use palisade_conformance::rate_limit::Setup;
use palisade_core::{Decision, Key, StoreError};
use palisade_rate_limit::{
    Allowed, Denied, Limit, RateLimiter, ReserveRequest, SettleRequest, Settled,
};
use palisade_sqlite::{Sqlite, SqliteConfig};
use tempfile::TempDir;

/// Limits, and the directory that goes with them.
struct InFile {
    sqlite: Sqlite,
    _directory: TempDir,
}

fn in_memory(setup: Setup) -> Ready<Sqlite> {
    let config = SqliteConfig::default().with_clock(setup.clock);
    ready(Sqlite::in_memory(config).expect("memory is there"))
}

fn in_file(setup: Setup) -> Ready<InFile> {
    let directory = tempfile::tempdir().expect("a directory for tests");
    let path = directory.path().join("palisade.db");
    let config = SqliteConfig::default().with_clock(setup.clock);
    ready(InFile {
        sqlite: Sqlite::open(path, config).expect("the directory is writable"),
        _directory: directory,
    })
}

mod file {
    palisade_conformance::rate_limiter_suite!(super::in_file);
}

mod memory {
    palisade_conformance::rate_limiter_suite!(super::in_memory);
}

impl RateLimiter for InFile {
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        self.sqlite.reserve(request).await
    }

    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        self.sqlite.settle(request).await
    }

    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        self.sqlite.reset(limit, key).await
    }
}
