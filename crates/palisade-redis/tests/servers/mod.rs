//! The servers that `cargo xtask test` starts, and a runtime to reach them from any thread.

#![allow(dead_code, reason = "each test program uses its part")]

pub(crate) mod own;

use std::{
    future::Future,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use palisade_redis::{Redis, RedisConfig};
use tokio::runtime::Runtime;

/// Runs a future to its end, on any thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"));
    runtime.block_on(future)
}

/// What an environment variable says. Without it nothing can be tested, and nothing is skipped.
pub(crate) fn given(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set; run `cargo xtask test`, or take what `cargo xtask services up` prints")
    })
}

pub(crate) fn node() -> RedisConfig {
    RedisConfig::node(given("PALISADE_REDIS")).expect("an address")
}

pub(crate) fn cluster() -> RedisConfig {
    RedisConfig::cluster(given("PALISADE_REDIS_CLUSTER").split(',')).expect("addresses")
}

pub(crate) fn sentinel() -> RedisConfig {
    RedisConfig::sentinel(given("PALISADE_REDIS_SENTINEL").split(','), "palisade")
        .expect("addresses")
}

/// A prefix that no other test has, nor an earlier run.
pub(crate) fn fresh_prefix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let run = palisade_rate_limit::HoldId::unique();
    format!("test-{run}-{next}")
}

/// A handle that shares no key with any other. Patient: the machine may be busy with other tests.
pub(crate) async fn fresh(config: RedisConfig) -> Redis {
    let config = config
        .with_deadline(std::time::Duration::from_secs(10))
        .expect("a deadline")
        .with_prefix(fresh_prefix())
        .expect("a prefix");
    Redis::connect(config).await.expect("the server answers")
}
