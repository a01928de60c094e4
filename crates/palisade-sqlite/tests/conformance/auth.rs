//! The key store keeps every rule of the kit, in a file and in memory.

use std::future::{Ready, ready};

use palisade_auth::{KeyId, KeyPage, KeyStore, ListRequest, StoredKey};
use palisade_core::{StoreError, Timestamp};
use palisade_sqlite::{Sqlite, SqliteConfig};
use tempfile::TempDir;

/// A store, and the directory that goes with it.
struct InFile {
    sqlite: Sqlite,
    _directory: TempDir,
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
    palisade_conformance::key_store_suite!(super::in_file);
}

mod memory {
    palisade_conformance::key_store_suite!(super::in_memory);
}

impl KeyStore for InFile {
    async fn find(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.sqlite.find(id).await
    }

    async fn put(&self, key: StoredKey) -> Result<bool, StoreError> {
        self.sqlite.put(key).await
    }

    async fn revoke(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        self.sqlite.revoke(id, at).await
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<KeyPage, StoreError> {
        self.sqlite.list(request).await
    }
}
