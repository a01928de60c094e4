use crate::sync::{AtomicU64, Ordering, stripes, thread_number};

/// Successes that have been counted but not yet told to the model.
///
/// A success cannot change what a closed breaker does, so it need not wait for the lock that the model is under: it is
/// added to a number of the thread's own, and whoever takes the lock next collects them first. The model then has seen the
/// same calls in the same order as if each had taken the lock.
///
/// Each number carries the *tag* under which it may be added to. Whoever collects may set another, in one step, so that a
/// success of an earlier generation, or of a part of the window that has ended, finds the door shut and goes to the model.
pub(super) struct Pending(Box<[Stripe]>);

/// Two cache lines, as processors fetch them in pairs.
#[repr(align(128))]
struct Stripe(AtomicU64);

/// The count's share of a word.
const BITS: u32 = 28;
const MASK: u64 = (1 << BITS) - 1;

/// Under which successes may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(u64);

impl Tag {
    /// No success adds under this one, as its generation's lowest bits would have to be those of no generation.
    pub(super) const SHUT: Self = Self(u64::MAX >> BITS);

    /// For one part of the window in one generation. It is a summary: a caller would have to sleep between two instructions
    /// through exactly 2^15 changes of phase to be taken for another generation's.
    pub(super) const fn new(generation: u64, turn: u64) -> Self {
        Self((generation & 0x7FFF) << 20 | turn & 0xF_FFFF)
    }
}

impl Pending {
    pub(super) fn new(tag: Tag) -> Self {
        let stripe = |_| Stripe(AtomicU64::new(tag.0 << BITS));
        Self((0..stripes()).map(stripe).collect())
    }

    /// Adds one under `tag`. False if another one holds now, or the number is full.
    pub(super) fn add(&self, tag: Tag) -> bool {
        // The number of stripes is a power of two.
        let Stripe(word) = &self.0[thread_number() & (self.0.len() - 1)];
        let mut seen = word.load(Ordering::Relaxed);
        loop {
            if seen >> BITS != tag.0 || seen & MASK == MASK {
                return false;
            }
            // Only the number itself is shared through the word, so no order is needed.
            match word.compare_exchange_weak(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
    }

    /// Takes all that were added, and lets the next be added under `tag`. For the holder of the lock.
    pub(super) fn collect(&self, tag: Tag) -> u64 {
        let taken = |Stripe(word): &Stripe| word.swap(tag.0 << BITS, Ordering::Relaxed) & MASK;
        self.0.iter().map(taken).sum()
    }
}
