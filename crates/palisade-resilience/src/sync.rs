//! What threads share, in one place, so that a model checker can stand in for it.

#[cfg(not(palisade_loom))]
pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard, RwLock,
    atomic::{AtomicU64, Ordering},
};

#[cfg(palisade_loom)]
pub(crate) use loom::sync::{
    Arc, Mutex, MutexGuard, RwLock,
    atomic::{AtomicU64, Ordering},
};

/// A number of this thread's own, given out in turn, for choosing among stripes.
#[cfg(not(palisade_loom))]
pub(crate) fn thread_number() -> usize {
    use std::{cell::Cell, sync::atomic::AtomicUsize};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    MINE.with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed) & (usize::MAX >> 1));
        }
        mine.get()
    })
}

/// All on one stripe: the checker should see them meet.
#[cfg(palisade_loom)]
pub(crate) fn thread_number() -> usize {
    0
}

/// How many stripes keep the threads of this machine mostly apart.
#[cfg(not(palisade_loom))]
pub(crate) fn stripes() -> usize {
    static STRIPES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *STRIPES.get_or_init(|| {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        (2 * threads).next_power_of_two().min(16)
    })
}

/// One is enough to be raced for.
#[cfg(palisade_loom)]
pub(crate) fn stripes() -> usize {
    1
}
