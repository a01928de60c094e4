//! Work on several threads, results in order.

use std::{
    num::NonZero,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Below this many items starting threads costs more than it gains.
const WORTH_IT: usize = 16;

/// `work` on each item, on as many threads as the machine has; the results in the order of the items.
pub(crate) fn map<T: Sync, U: Send + Sync>(items: &[T], work: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    if threads == 1 || items.len() < WORTH_IT {
        return items.iter().map(work).collect();
    }
    let results: Vec<OnceLock<U>> = items.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    // Each takes the next few items, not a fixed half: one long text must not hold up all the others.
    let worker = || {
        loop {
            let start = next.fetch_add(WORTH_IT / 4, Ordering::Relaxed);
            if start >= items.len() {
                return;
            }
            let end = (start + WORTH_IT / 4).min(items.len());
            for (item, result) in items[start..end].iter().zip(&results[start..end]) {
                // Never set before: every index is taken once.
                result.get_or_init(|| work(item));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
    results
        .into_iter()
        .filter_map(OnceLock::into_inner)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for count in [0, 1, WORTH_IT, 1001] {
            let items: Vec<usize> = (0..count).collect();
            let squares: Vec<usize> = items.iter().map(|item| item * item).collect();
            assert_eq!(map(&items, |item| item * item), squares);
        }
    }
}
