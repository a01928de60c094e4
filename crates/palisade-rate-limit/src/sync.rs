//! The locks and atomics of the limiters in memory. Under `--cfg palisade_loom` they are loom's, whose tests run every
//! order in which threads can meet at them.

#[cfg(not(palisade_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicU64};

#[cfg(palisade_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic::AtomicU64};

/// Gives way to whoever holds what this thread waits for: to the other half of the core, or to any thread at all.
#[cfg(not(palisade_loom))]
pub(crate) fn pause(long: bool) {
    if long {
        std::thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}

#[cfg(palisade_loom)]
pub(crate) fn pause(_: bool) {
    loom::thread::yield_now();
}
