use std::cell::RefCell;

/// Random bytes for a name: of a trace, of a reservation. `None` if the system has none to give.
///
/// They come from the system's secure source, many at a time for each thread: a call into the system for every name would
/// cost more than most of what is named. What is drawn ahead waits in memory, so it is not for secrets. More than 512 bytes do
/// not compile.
#[must_use]
pub fn random<const N: usize>() -> Option<[u8; N]> {
    const POOL: usize = 512;
    const { assert!(N <= POOL, "more than is drawn at once") };
    thread_local! {
        static UNUSED: RefCell<(usize, [u8; POOL])> = const { RefCell::new((POOL, [0; POOL])) };
    }
    UNUSED.with_borrow_mut(|(used, pool)| {
        if *used + N > POOL {
            getrandom::fill(pool).ok()?;
            *used = 0;
        }
        let (drawn, _) = pool[*used..].split_first_chunk()?;
        *used += N;
        Some(*drawn)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::random;

    #[test]
    fn names_differ_across_the_borders_of_what_is_drawn_at_once() {
        let long: HashSet<[u8; 16]> = (0..200).map(|_| random().unwrap()).collect();
        let short: HashSet<[u8; 9]> = (0..200).map(|_| random().unwrap()).collect();
        assert_eq!((long.len(), short.len()), (200, 200));
    }
}
