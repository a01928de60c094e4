//! How many bytes of memory does a key take? The growth of the process itself, with a million keys in it.
//!
//! Each case runs in a process of its own, so that none finds memory that another has left. What ours takes, it takes for its
//! capacity and never grows beyond; the keys themselves are the caller's in both.

use std::{env, fs, hint::black_box, num::NonZeroU32, process::Command};

use governor::{DefaultKeyedRateLimiter, RateLimiter};
use palisade::{
    core::SystemClock,
    rate_limit::{Keyed, Limit, MemoryConfig},
};

const KEYS: u64 = 1_000_000;
const PER_SECOND: u32 = 1;
const CASE: &str = "PALISADE_BENCH_MEMORY_CASE";

const CASES: [(&str, fn()); 5] = [
    ("palisade, numbers", || ours(numbers())),
    ("palisade, 19-byte strings", || ours(strings())),
    ("palisade, ten times as many strings", || flooded()),
    ("governor, numbers", || governors(numbers())),
    ("governor, 19-byte strings", || governors(strings())),
];

fn main() -> anyhow::Result<()> {
    if let Ok(case) = env::var(CASE) {
        for (_, run) in CASES.iter().filter(|(name, _)| *name == case) {
            run();
        }
        return Ok(());
    }
    for (name, _) in CASES {
        let mut child = Command::new(env::current_exe()?);
        let output = child.env(CASE, name).output()?;
        let bytes = String::from_utf8_lossy(&output.stdout);
        println!("{name:40} {:>8} bytes a key", bytes.trim());
    }
    Ok(())
}

fn numbers() -> impl Iterator<Item = u64> {
    0..KEYS
}

fn strings() -> impl Iterator<Item = String> {
    numbers().map(|number| format!("user-{number:014}"))
}

fn ours<K: std::hash::Hash>(keys: impl Iterator<Item = K>) {
    let before = resident();
    let limit = Limit::per_second("keys", PER_SECOND.into()).expect("a valid limit");
    let config = MemoryConfig::new().with_capacity(KEYS as usize);
    let limiter = Keyed::<K, _>::new(limit, config, SystemClock).expect("a bucket");
    for key in keys {
        black_box(limiter.decide(&key, 1).is_allow());
    }
    report(before, &limiter);
}

/// A flood of invented keys, ten times what the table was made for.
fn flooded() {
    let keys = (0..10 * KEYS).map(|number| format!("user-{number:014}"));
    ours(keys);
}

fn governors<K: std::hash::Hash + Eq + Clone>(keys: impl Iterator<Item = K>) {
    let before = resident();
    let per_second = NonZeroU32::new(PER_SECOND).expect("not zero");
    let limiter: DefaultKeyedRateLimiter<K> =
        RateLimiter::keyed(governor::Quota::per_second(per_second));
    for key in keys {
        black_box(limiter.check_key(&key).is_ok());
    }
    report(before, &limiter);
}

fn report<L>(before: u64, limiter: &L) {
    let after = resident();
    black_box(limiter);
    println!("{:.1}", (after - before) as f64 / KEYS as f64);
}

/// Bytes of the process in memory, as Linux tells; zero elsewhere.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.trim().parse::<u64>().ok())
        .unwrap_or(0)
        * 1_024
}
