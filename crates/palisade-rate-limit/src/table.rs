use palisade_core::Instant;

use crate::model::bucket::State;

/// How many places a line has.
pub(crate) const WAYS: usize = 4;
/// How many lines a key may sit in.
const CHOICES: usize = 3;

/// The buckets of one shard: a fixed number of places, four to a cache line.
///
/// A key sits in the first of its three lines that had room when it came, so nearly every check touches one line. A place
/// whose state is fresh again says nothing that an unknown key would not, so it is free, and nobody has to sweep. Within
/// its line a key is told by 32 bits of its hash that chose neither the shard nor the line: two keys that agree in all of
/// them would share one place, which with a million keys and a secret seed happens to a pair of them in one process of some
/// hundred, and then gives them less, never more.
pub(crate) struct Table {
    /// The latest time this table has decided at. Threads read the clock before they take the lock, so a later one may
    /// bring an earlier time; it is then told this one.
    latest: Instant,
    lines: Box<[Line]>,
}

/// One cache line.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Line([Slot; WAYS]);

/// One place: whose it is, and its state. All zero, it is a fresh state of whomever asks.
#[derive(Clone, Copy, Default)]
struct Slot {
    tag: u32,
    fraction: u32,
    /// The highest bit says that the key is in debt; a state has no more than 63.
    nanos: u64,
}

/// Where a bucket's state is, or will be when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    line: usize,
    way: usize,
}

const INDEBTED: u64 = 1 << 63;

impl Table {
    pub(crate) fn new(lines: usize) -> Self {
        Self {
            latest: Instant::ORIGIN,
            lines: vec![Line::default(); lines.max(1)].into(),
        }
    }

    /// The time to decide at, when the clock said `now`.
    #[inline]
    pub(crate) fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }

    /// The place and the state of a key that has one.
    #[inline]
    pub(crate) fn find(&self, hash: u64) -> Option<(Place, State)> {
        let tag = tag(hash);
        for choice in 0..CHOICES {
            let line = self.line(hash, choice);
            let slots = &self.lines[line].0;
            if let Some(way) = slots.iter().position(|slot| slot.tag == tag) {
                return Some((Place { line, way }, slots[way].state()));
            }
        }
        None
    }

    /// A place for a key that has none; `taken` are those that other charges of the same request were given. If there is
    /// none, when the first will be free.
    #[cold]
    pub(crate) fn seat(
        &self,
        hash: u64,
        now: Instant,
        taken: impl Fn(Place) -> bool,
    ) -> Result<Place, Instant> {
        let mut free_at = Instant::from_nanos(u64::MAX);
        for choice in 0..CHOICES {
            let line = self.line(hash, choice);
            for (way, slot) in self.lines[line].0.iter().enumerate() {
                let place = Place { line, way };
                if taken(place) {
                    continue;
                }
                if slot.state().is_fresh(now) {
                    return Ok(place);
                }
                free_at = free_at.min(slot.state().fresh_at());
            }
        }
        // All that are not live were taken by this very request: ask again at once, for fewer keys.
        Err(if free_at.as_nanos() == u64::MAX {
            now
        } else {
            free_at
        })
    }

    /// Writes the state of a key to the place it was given.
    #[inline]
    pub(crate) fn put(&mut self, hash: u64, place: Place, state: State) {
        self.lines[place.line].0[place.way] = Slot {
            tag: tag(hash),
            fraction: state.fraction(),
            nanos: state.nanos() | if state.is_indebted() { INDEBTED } else { 0 },
        };
    }

    /// How many places hold something at this time.
    pub(crate) fn live(&self, now: Instant) -> usize {
        let now = self.latest.max(now);
        let live = |slot: &&Slot| !slot.state().is_fresh(now);
        self.lines
            .iter()
            .map(|line| line.0.iter().filter(live).count())
            .sum()
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        self.lines.len() * WAYS
    }

    #[inline]
    fn line(&self, hash: u64, choice: usize) -> usize {
        // The shard was chosen by the top eight bits and the tag is the low 32, so the first line draws on those between;
        // the others on products whose top halves depend on all of them (Knuth, TAOCP vol. 3, §6.4). Scaling replaces a
        // division (Lemire 2016).
        let half = match choice {
            0 => hash >> 24 & 0xFFFF_FFFF,
            1 => hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32,
            _ => hash.wrapping_mul(0xD134_2543_DE82_EF95) >> 32,
        };
        ((half * self.lines.len() as u64) >> 32) as usize
    }
}

impl Slot {
    #[inline]
    const fn state(self) -> State {
        State::from_parts(
            self.nanos & !INDEBTED,
            self.fraction,
            self.nanos & INDEBTED != 0,
        )
    }
}

#[inline]
const fn tag(hash: u64) -> u32 {
    hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_cache_line() {
        assert_eq!(size_of::<Line>(), 64);
    }
}
