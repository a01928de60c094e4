use std::sync::atomic::Ordering;

use palisade_core::Instant;

use crate::{
    model::bucket::State,
    sync::{AtomicU64, pause},
};

/// How many places a line has.
pub(crate) const WAYS: usize = 4;
/// How many lines a key may sit in.
pub(crate) const CHOICES: usize = 4;

/// Token buckets by the hash of their key: a fixed number of places, four to a cache line, in one piece of memory.
///
/// A key sits in the first of its four lines that had room when it came, so nearly every question touches one line. A place
/// whose state is fresh again says nothing that an unknown key would not, so it is free, and nobody has to sweep. Within
/// its line a key is told by 31 bits of its hash that did not choose the line: two keys that agree in all of them would
/// share one place, which with a million keys and a secret seed happens to a pair of them in one process of some thousand,
/// and then gives them less, never more.
///
/// Each line has its own lock, one bit in the line itself: so a question costs one exchange with the memory, and whoever
/// asks for another key is not in the way. It is held for some dozen nanoseconds, and never while anything waits.
pub(crate) struct Table {
    lines: Box<[Line]>,
}

/// One cache line.
#[cfg_attr(not(palisade_loom), repr(align(64)))]
#[derive(Default)]
struct Line(
    [Slot; WAYS],
    // The model checker gets the lock as a word of its own: it has no one order of the stores and the exchanges of one word,
    // which every machine has.
    #[cfg(palisade_loom)] AtomicU64,
);

impl Line {
    /// The word with the lock.
    #[inline]
    fn lock(&self) -> &AtomicU64 {
        #[cfg(not(palisade_loom))]
        return &self.0[0].meta;
        #[cfg(palisade_loom)]
        return &self.1;
    }
}

/// One place: whose it is, and its state. All zero, it is a fresh state of whomever asks. Written and read under the lock of
/// its line alone; what is not under it is no more than a hint.
#[derive(Default)]
struct Slot {
    /// From the top: in the first slot of a line its lock, in the second whether a key was ever sent elsewhere; 31 bits of
    /// tag; 32 of fraction.
    meta: AtomicU64,
    /// Whether the key is in debt, and 63 bits of time.
    nanos: AtomicU64,
}

/// Where a bucket's state is, or will be when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    line: usize,
    way: usize,
}

const LOCKED: u64 = 1 << 63;
const SPILLED: u64 = 1 << 63;
/// The lower half of a slot's first word is the fraction.
const TAG: u64 = 0x7FFF_FFFF << 32;
const INDEBTED: u64 = 1 << 63;

impl Table {
    pub(crate) fn new(lines: usize) -> Self {
        Self {
            lines: (0..lines.max(1)).map(|_| Line::default()).collect(),
        }
    }

    /// The first line of a key, locked.
    #[inline]
    pub(crate) fn home(&self, hash: u64) -> Locked<'_> {
        self.lock(self.line(hash, 0))
    }

    /// The first lines of these keys, locked.
    pub(crate) fn homes(&self, hashes: impl Iterator<Item = u64>) -> Lines<'_> {
        self.lock_all(hashes.map(|hash| self.line(hash, 0)).collect())
    }

    /// All lines of these keys, locked.
    pub(crate) fn all(&self, hashes: impl Iterator<Item = u64>) -> Lines<'_> {
        let lines = hashes.flat_map(|hash| (0..CHOICES).map(move |choice| (hash, choice)));
        self.lock_all(
            lines
                .map(|(hash, choice)| self.line(hash, choice))
                .collect(),
        )
    }

    /// How many places hold something at this time. One line after the other, so it is no picture of one moment.
    pub(crate) fn live(&self, now: Instant) -> usize {
        (0..self.lines.len())
            .map(|line| {
                let line = self.lock(line);
                (0..WAYS)
                    .filter(|way| !line.state(*way).is_fresh(now))
                    .count()
            })
            .sum()
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        self.lines.len() * WAYS
    }

    /// Always in ascending order, each once: so no two requests wait for one another.
    fn lock_all(&self, mut lines: Vec<usize>) -> Lines<'_> {
        lines.sort_unstable();
        lines.dedup();
        Lines {
            locked: lines
                .into_iter()
                .map(|line| (line, self.lock(line)))
                .collect(),
            table: self,
        }
    }

    #[inline]
    fn lock(&self, line: usize) -> Locked<'_> {
        let line = &self.lines[line];
        let meta = line.lock();
        while meta.fetch_or(LOCKED, Ordering::Acquire) & LOCKED != 0 {
            wait(meta);
        }
        Locked { line }
    }

    #[inline]
    fn line(&self, hash: u64, choice: usize) -> usize {
        // The tag is the low 31 bits. The first line draws on those above; the others on products whose top halves depend on
        // all of them (Knuth, TAOCP vol. 3, §6.4). Scaling replaces a division (Lemire 2016).
        let half = match choice {
            0 => hash >> 32,
            1 => hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32,
            2 => hash.wrapping_mul(0xD134_2543_DE82_EF95) >> 32,
            _ => hash.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32,
        };
        ((half * self.lines.len() as u64) >> 32) as usize
    }
}

/// Waits until a line may be free: awake for a moment, then behind everybody who has something to do.
#[cfg(not(palisade_loom))]
#[cold]
fn wait(meta: &AtomicU64) {
    const SPINS: u32 = 128;
    let mut spins = 0;
    while meta.load(Ordering::Relaxed) & LOCKED != 0 {
        pause(spins >= SPINS);
        spins = spins.saturating_add(1);
    }
}

/// The model checker lets everybody else go first, and would look at the same stale bit for ever.
#[cfg(palisade_loom)]
fn wait(_: &AtomicU64) {
    pause(true);
}

/// A line under its lock. Dropped, it is free.
pub(crate) struct Locked<'a> {
    line: &'a Line,
}

impl Locked<'_> {
    /// The way and the state of a key that has a place here.
    #[inline]
    pub(crate) fn find(&self, hash: u64) -> Option<(usize, State)> {
        let tag = tag(hash);
        let way =
            (0..WAYS).find(|way| self.line.0[*way].meta.load(Ordering::Relaxed) & TAG == tag)?;
        Some((way, self.state(way)))
    }

    /// The place for a key that has none, where this is its first line and none of its others can have it.
    #[inline]
    pub(crate) fn seat(&self, now: Instant) -> Option<usize> {
        let spilled = self.line.0[1].meta.load(Ordering::Relaxed) & SPILLED != 0;
        if spilled {
            None
        } else {
            self.free(now, |_| false)
        }
    }

    /// The place that has been free the longest: whoever had it last is the least likely to come back.
    #[inline]
    fn free(&self, now: Instant, taken: impl Fn(usize) -> bool) -> Option<usize> {
        (0..WAYS)
            .filter(|way| !taken(*way))
            .map(|way| (self.state(way), way))
            .min()
            .filter(|(state, _)| state.is_fresh(now))
            .map(|(_, way)| way)
    }

    /// Notes that a key whose first line this is sits, or shares, elsewhere.
    fn spill(&self) {
        let meta = &self.line.0[1].meta;
        meta.store(meta.load(Ordering::Relaxed) | SPILLED, Ordering::Relaxed);
    }

    /// Writes the state of a key.
    #[inline]
    pub(crate) fn put(&self, hash: u64, way: usize, state: State) {
        let slot = &self.line.0[way];
        // The lock and the note stay as they are.
        let kept = slot.meta.load(Ordering::Relaxed) & LOCKED;
        let debt = if state.is_indebted() { INDEBTED } else { 0 };
        slot.meta.store(
            kept | tag(hash) | u64::from(state.fraction()),
            Ordering::Relaxed,
        );
        slot.nanos.store(state.nanos() | debt, Ordering::Relaxed);
    }

    #[inline]
    fn state(&self, way: usize) -> State {
        let slot = &self.line.0[way];
        let nanos = slot.nanos.load(Ordering::Relaxed);
        // The lower half.
        let fraction = slot.meta.load(Ordering::Relaxed) as u32;
        State::from_parts(nanos & !INDEBTED, fraction, nanos & INDEBTED != 0)
    }
}

impl Drop for Locked<'_> {
    #[inline]
    fn drop(&mut self) {
        let meta = self.line.lock();
        // Nobody else changes anything here while the lock is held, so a plain store gives it back. The model checker may
        // put such a store off for ever behind those of the waiting, which no machine does; an exchange it may not.
        #[cfg(not(palisade_loom))]
        meta.store(meta.load(Ordering::Relaxed) & !LOCKED, Ordering::Release);
        #[cfg(palisade_loom)]
        meta.fetch_and(!LOCKED, Ordering::Release);
    }
}

/// Several lines under their locks.
pub(crate) struct Lines<'a> {
    locked: Vec<(usize, Locked<'a>)>,
    table: &'a Table,
}

impl Lines<'_> {
    /// The place and the state of a key that has one in these lines.
    pub(crate) fn find(&self, hash: u64) -> Option<(Place, State)> {
        (0..CHOICES).find_map(|choice| {
            let line = self.table.line(hash, choice);
            let (way, state) = self.at(line)?.find(hash)?;
            Some((Place { line, way }, state))
        })
    }

    /// A place for a key that has none; `taken` are those that other charges of the same request were given. If there is
    /// none, when the first will be free. All lines of the key are among these.
    pub(crate) fn seat(
        &self,
        hash: u64,
        now: Instant,
        taken: impl Fn(Place) -> bool,
    ) -> Result<Place, Instant> {
        let mut free_at = None;
        for choice in 0..CHOICES {
            let line = self.table.line(hash, choice);
            let Some(locked) = self.at(line) else {
                continue;
            };
            let taken = |way| taken(Place { line, way });
            if let Some(way) = locked.free(now, taken) {
                return Ok(Place { line, way });
            }
            for way in (0..WAYS).filter(|way| !taken(*way)) {
                let fresh_at = locked.state(way).fresh_at();
                free_at = Some(free_at.map_or(fresh_at, |first: Instant| first.min(fresh_at)));
            }
            if choice == 0 {
                locked.spill();
            }
        }
        // If this very request took all: ask again at once, for fewer keys.
        Err(free_at.unwrap_or(now))
    }

    /// Writes the state of a key to the place it was given.
    pub(crate) fn put(&self, hash: u64, place: Place, state: State) {
        if let Some(line) = self.at(place.line) {
            line.put(hash, place.way, state);
        }
    }

    fn at(&self, line: usize) -> Option<&Locked<'_>> {
        let index = self.locked.binary_search_by_key(&line, |locked| locked.0);
        Some(&self.locked[index.ok()?].1)
    }
}

/// The low 31 bits, where a slot has them.
#[inline]
const fn tag(hash: u64) -> u64 {
    (hash & 0x7FFF_FFFF) << 32
}

#[cfg(all(test, not(palisade_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_cache_line() {
        assert_eq!(size_of::<Line>(), 64);
    }

    #[test]
    fn what_is_written_is_read_in_every_place_and_leaves_the_lock_alone() {
        let table = Table::new(1);
        let state = |n: u64| State::from_parts((1 << 63) - 1 - n, u32::MAX - n as u32, n % 2 == 1);
        for n in 0..WAYS as u64 {
            let lines = table.all([n].into_iter());
            let place = lines.seat(n, Instant::ORIGIN, |_| false).unwrap();
            lines.put(n, place, state(n));
        }
        let lines = table.all([0].into_iter());
        for n in 0..WAYS as u64 {
            assert_eq!(lines.find(n).unwrap().1, state(n));
        }
        assert!(lines.seat(9, Instant::ORIGIN, |_| false).is_err());
        drop(lines);
        assert_eq!(table.live(Instant::ORIGIN), WAYS);
    }
}
