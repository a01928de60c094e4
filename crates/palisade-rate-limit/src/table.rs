use palisade_core::Instant;

use crate::{Overflow, model::State};

/// How many places one bucket has. Eight hashes are one cache line.
pub(crate) const WAYS: usize = 8;

/// The keys of one shard: a fixed number of places, in buckets of eight.
///
/// Each key has two buckets, chosen by its hash, and sits in whichever had more room when it came; so hardly any key
/// finds no place before the table is three quarters full. A place whose state is fresh again says nothing that an
/// unknown key would not, so it is free, and nobody has to sweep. Places are found by the whole 64-bit hash: two keys of
/// equal hash would share one bucket, which with a million keys and a secret seed happens once in tens of millions of
/// processes, and then gives them less, never more.
pub(crate) struct Table {
    /// The latest time this table has decided at. Threads read the clock before they take the lock, so a later one may
    /// bring an earlier time; it is then told this one.
    latest: Instant,
    buckets: Box<[Bucket]>,
    overflowed: u64,
}

/// Three cache lines: the hashes, the times, the rest. Hash zero marks a place that was never used; its state is fresh.
#[derive(Clone, Default)]
#[repr(align(64))]
struct Bucket {
    hashes: [u64; WAYS],
    nanos: [u64; WAYS],
    fractions: [u32; WAYS],
    // A ninth place, for all keys of one limit together that found no place of their own here.
    shared_fraction: u32,
    shared_limit: u64,
    shared_nanos: u64,
}

/// One key of one limit, as the table knows it.
#[derive(Clone, Copy)]
pub(crate) struct Hashed {
    /// The limit and the key; never zero.
    pub(crate) key: u64,
    /// The limit alone.
    pub(crate) limit: u64,
}

/// Where a key's state is, or will be when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A place of its own.
    Own { bucket: usize, way: usize },
    /// The one that keys without a place share in this bucket.
    Shared { bucket: usize },
    /// None, and none to share. One is free at this time.
    None { free_at: Instant },
}

impl Table {
    pub(crate) fn new(buckets: usize) -> Self {
        Self {
            latest: Instant::ORIGIN,
            buckets: vec![Bucket::default(); buckets].into(),
            overflowed: 0,
        }
    }

    /// The time to decide at, when the clock said `now`.
    pub(crate) fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }

    /// Finds the place and the state of a key. `taken` are the places that other charges of the same request were given.
    pub(crate) fn locate(
        &mut self,
        hashed: Hashed,
        now: Instant,
        overflow: Overflow,
        taken: &[Place],
    ) -> (Place, State) {
        let (first, second) = self.buckets_of(hashed.key);
        for bucket in [first, second] {
            if let Some(way) = self.buckets[bucket].find(hashed.key) {
                let place = Place::Own { bucket, way };
                // Its place was free, and another key of this request has it now: look for a new one.
                if taken.contains(&place) {
                    continue;
                }
                return (place, self.buckets[bucket].state(way));
            }
        }
        self.seat(hashed, [first, second], now, overflow, taken)
    }

    /// Writes the state of a key to the place it was given.
    pub(crate) fn put(&mut self, hashed: Hashed, place: Place, state: State) {
        match place {
            Place::Own { bucket, way } => self.buckets[bucket].put(way, hashed.key, state),
            Place::Shared { bucket } => self.buckets[bucket].share(hashed.limit, state),
            Place::None { .. } => {}
        }
    }

    /// How many places hold something at this time, and how often a key has found none.
    pub(crate) fn occupancy(&self, now: Instant) -> (usize, u64) {
        let now = self.latest.max(now);
        let live = self
            .buckets
            .iter()
            .map(|bucket| WAYS - bucket.free(now).count())
            .sum();
        (live, self.overflowed)
    }

    #[cold]
    fn seat(
        &mut self,
        hashed: Hashed,
        buckets: [usize; 2],
        now: Instant,
        overflow: Overflow,
        taken: &[Place],
    ) -> (Place, State) {
        // A key that shared before must not start afresh in a place of its own: it begins where they all stand.
        let shared = buckets
            .into_iter()
            .filter(|bucket| self.buckets[*bucket].shared_limit == hashed.limit)
            .map(|bucket| self.buckets[bucket].shared())
            .max()
            .unwrap_or(State::FRESH);
        let free = |bucket: usize| {
            let place = move |way| Place::Own { bucket, way };
            self.buckets[bucket]
                .free(now)
                .map(place)
                .filter(|place| !taken.contains(place))
        };
        let [first, second] = buckets;
        let roomier = if free(second).count() > free(first).count() {
            second
        } else {
            first
        };
        if let Some(place) = free(roomier).next() {
            return (place, shared);
        }

        self.overflowed += 1;
        // Two keys of one request are never charged to one shared place: in one step, they would be charged as one.
        let sharable = |bucket: &usize| {
            let present = &self.buckets[*bucket];
            let open = present.shared_limit == hashed.limit || present.shared().is_fresh(now);
            open && !taken.contains(&Place::Shared { bucket: *bucket })
        };
        if overflow == Overflow::Share
            && let Some(bucket) = buckets.into_iter().find(sharable)
        {
            return (Place::Shared { bucket }, shared);
        }
        let free_at = buckets
            .into_iter()
            .flat_map(|bucket| (0..WAYS).map(move |way| (bucket, way)))
            .map(|(bucket, way)| self.buckets[bucket].state(way).fresh_at())
            .min()
            .unwrap_or(now);
        (Place::None { free_at }, State::FRESH)
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        self.buckets.len() * WAYS
    }

    fn buckets_of(&self, hash: u64) -> (usize, usize) {
        let count = self.buckets.len() as u64;
        // The shard was chosen by the top bits, so these two draw on the others: on the low half, and on a product whose
        // top half depends on all of them (Knuth, TAOCP vol. 3, §6.4). Scaling replaces a division (Lemire 2016).
        let scale = |half: u64| ((half * count) >> 32) as usize;
        let first = scale(hash & 0xFFFF_FFFF);
        let second = scale(hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32);
        if first == second {
            (first, (first + 1) % self.buckets.len())
        } else {
            (first, second)
        }
    }
}

impl Bucket {
    fn find(&self, hash: u64) -> Option<usize> {
        self.hashes.iter().position(|present| *present == hash)
    }

    fn state(&self, way: usize) -> State {
        State::from_parts(self.nanos[way], self.fractions[way])
    }

    fn put(&mut self, way: usize, hash: u64, state: State) {
        self.hashes[way] = hash;
        self.nanos[way] = state.nanos();
        self.fractions[way] = state.fraction();
    }

    fn shared(&self) -> State {
        State::from_parts(self.shared_nanos, self.shared_fraction)
    }

    fn share(&mut self, limit: u64, state: State) {
        self.shared_limit = limit;
        self.shared_nanos = state.nanos();
        self.shared_fraction = state.fraction();
    }

    fn free(&self, now: Instant) -> impl Iterator<Item = usize> + '_ {
        (0..WAYS).filter(move |way| self.state(*way).is_fresh(now))
    }
}
