//! The store of traces keeps every rule of the kit, in a file and in memory.

use std::future::{Ready, ready};

use palisade_conformance::{
    block_on,
    trace::{self, Setup, Store},
};
use palisade_core::{Key, StoreError};
use palisade_sqlite::{Sqlite, SqliteConfig};
use palisade_trace::{Losses, Page, Trace, TraceId, TraceQuery, TraceSink, TraceStore};
use tempfile::TempDir;

/// A store, and the directory that goes with it if it is in a file.
struct Traces {
    sqlite: Sqlite,
    _directory: Option<TempDir>,
}

fn config(setup: &Setup) -> SqliteConfig {
    SqliteConfig::default().with_trace_queue_bytes_max(setup.bytes_max)
}

fn in_memory(setup: Setup) -> Ready<Traces> {
    ready(Traces {
        sqlite: Sqlite::in_memory(config(&setup)).expect("memory is there"),
        _directory: None,
    })
}

fn in_file(setup: Setup) -> Ready<Traces> {
    let directory = tempfile::tempdir().expect("a directory for tests");
    let path = directory.path().join("palisade.db");
    ready(Traces {
        sqlite: Sqlite::open(path, config(&setup)).expect("the directory is writable"),
        _directory: Some(directory),
    })
}

mod file {
    palisade_conformance::trace_store_suite!(super::in_file);
}

mod memory {
    palisade_conformance::trace_store_suite!(super::in_memory);
}

/// Where the file is what is too small.
#[test]
fn what_makes_room_in_the_file_adds_up_too() {
    let make = |setup: Setup| {
        let config = config(&setup).with_traces_max(5).expect("room for some");
        ready(Traces {
            sqlite: Sqlite::in_memory(config).expect("memory is there"),
            _directory: None,
        })
    };
    let verdict = block_on(trace::what_is_kept_and_what_is_lost_add_up(&make));
    assert!(verdict.is_ok(), "{verdict:?}");
}

impl TraceSink for Traces {
    fn record(&self, trace: Trace) {
        self.sqlite.record(trace);
    }

    fn losses(&self) -> Losses {
        self.sqlite.losses()
    }
}

impl TraceStore for Traces {
    async fn get(&self, id: TraceId, within: &Key) -> Result<Vec<Trace>, StoreError> {
        self.sqlite.get(id, within).await
    }

    async fn list(&self, query: &TraceQuery) -> Result<Page, StoreError> {
        self.sqlite.list(query).await
    }
}

impl Store for Traces {
    async fn flush(&self) -> Result<(), StoreError> {
        self.sqlite.flush_traces().await
    }
}
