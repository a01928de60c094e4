//! What the tests of this crate share: a runtime that outlives them, and a schema of its own for each store.

#![allow(dead_code, reason = "every test program uses its part of what is here")]

use std::{
    future::Future,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use palisade_postgres::{Postgres, PostgresConfig};
use tokio::runtime::{Builder, Runtime};

/// Where the server is. Without one these tests prove nothing, so they fail.
pub(crate) fn url() -> String {
    std::env::var("PALISADE_POSTGRES_URL").expect(
        "PALISADE_POSTGRES_URL names a server; `cargo xtask services up` starts one and prints it",
    )
}

/// Runs a future on a runtime that lives as long as the process, as the connections do.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        let built = builder.worker_threads(2).enable_all().build();
        built.expect("threads are to be had")
    });
    runtime.block_on(future)
}

/// The name of a schema that nobody has.
pub(crate) fn fresh_schema() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut random = [0; 8];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| std::io::Read::read_exact(&mut source, &mut random))
        .expect("there is randomness");
    let random = u64::from_ne_bytes(random);
    format!("t{random:016x}_{count}")
}

/// A store in a schema of its own, with few connections: many tests run at once.
pub(crate) async fn fresh(config: PostgresConfig) -> Postgres {
    let config = config
        .with_schema(fresh_schema())
        .and_then(|config| config.with_connections_max(4))
        .expect("a good configuration");
    Postgres::connect(&url(), config)
        .await
        .expect("the server answers")
}

/// Has the server run these statements, in a session of their own.
pub(crate) async fn sql(
    schema: &str,
    statements: &str,
) -> Result<Vec<tokio_postgres::SimpleQueryMessage>, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(&url(), tokio_postgres::NoTls)
        .await
        .expect("the server answers");
    tokio::spawn(connection);
    let path = format!("SET search_path = {schema}");
    client.batch_execute(&path).await.expect("a good name");
    client.simple_query(statements).await
}

/// What the last of these statements says in its first column.
pub(crate) async fn read(schema: &str, statements: &str) -> String {
    let messages = sql(schema, statements).await.expect("good statements");
    let row = messages.iter().rev().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    row.expect("a row").to_owned()
}
