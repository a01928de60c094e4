//! The store of traces keeps every rule of the kit.

use palisade_conformance::trace::{Setup, Store};
use palisade_core::{Key, StoreError};
use palisade_postgres::{Postgres, PostgresConfig};
use palisade_trace::{Losses, Page, Trace, TraceId, TraceQuery, TraceSink, TraceStore};

use crate::support::{block_on, fresh};

struct Traces(Postgres);

async fn make(setup: Setup) -> Traces {
    let config = PostgresConfig::default().with_trace_queue_bytes_max(setup.bytes_max);
    Traces(fresh(config).await)
}

palisade_conformance::trace_store_suite!(make, block_on);

impl TraceSink for Traces {
    fn record(&self, trace: Trace) {
        self.0.record(trace);
    }

    fn losses(&self) -> Losses {
        self.0.losses()
    }
}

impl TraceStore for Traces {
    async fn get(&self, id: TraceId, within: &Key) -> Result<Vec<Trace>, StoreError> {
        self.0.get(id, within).await
    }

    async fn list(&self, query: &TraceQuery) -> Result<Page, StoreError> {
        self.0.list(query).await
    }
}

impl Store for Traces {
    async fn flush(&self) -> Result<(), StoreError> {
        self.0.flush_traces().await;
        Ok(())
    }
}
