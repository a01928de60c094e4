use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    hash::Hash,
};

use foldhash::quality::RandomState;
use palisade_core::Instant;

/// A map that holds no more than so many entries and drops none that still counts.
///
/// Each entry has an end, which may move on. Entries whose end has passed make room for new ones, a few at a time, so no
/// call has to sweep.
pub(crate) struct Bounded<K, V> {
    map: HashMap<K, V, RandomState>,
    /// Each entry once, by an end it had at some time; never later than its end now.
    ends: BinaryHeap<Reverse<(Instant, K)>>,
    max: usize,
}

/// When an entry no longer counts.
pub(crate) trait Ends {
    fn end(&self) -> Instant;
}

/// How many entries one insertion looks at for each place it takes: more than one, so that the dead cannot pile up.
const LOOKS: usize = 4;

impl<K: Copy + Eq + Hash + Ord, V: Ends> Bounded<K, V> {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            map: HashMap::default(),
            ends: BinaryHeap::new(),
            max,
        }
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.map.get(&key)
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.map.get_mut(&key)
    }

    pub(crate) fn remove(&mut self, key: K) {
        // Its end stays behind, and finds nothing when it comes.
        self.map.remove(&key);
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// Makes sure that an entry for `key` can be put, or says when it can.
    pub(crate) fn make_room(&mut self, key: K, now: Instant) -> Result<(), Instant> {
        if self.map.contains_key(&key) {
            return Ok(());
        }
        for _ in 0..LOOKS {
            let Some(Reverse((end, found))) = self.ends.peek().copied() else {
                break;
            };
            if end > now {
                break;
            }
            self.ends.pop();
            match self.map.get(&found).map(Ends::end) {
                Some(end) if end > now => self.ends.push(Reverse((end, found))),
                Some(_) => {
                    self.map.remove(&found);
                }
                None => {}
            }
        }
        // Ends left behind by removed entries count too: the heap is bounded as the map is.
        if self.map.len() < self.max && self.ends.len() < 2 * self.max {
            return Ok(());
        }
        let first = self.ends.peek().map_or(now, |Reverse((end, _))| *end);
        Err(first.max(now))
    }

    /// Puts an entry that there is room for.
    pub(crate) fn put(&mut self, key: K, value: V) {
        let end = value.end();
        if self.map.insert(key, value).is_none() {
            self.ends.push(Reverse((end, key)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Until(u64);

    impl Ends for Until {
        fn end(&self) -> Instant {
            Instant::from_nanos(self.0)
        }
    }

    #[test]
    fn what_still_counts_is_never_dropped_and_what_does_not_makes_room() {
        let at = Instant::from_nanos;
        let mut map = Bounded::new(2);
        for key in [1, 2] {
            assert_eq!(map.make_room(key, at(0)), Ok(()));
            map.put(key, Until(key * 10));
        }
        assert_eq!(map.make_room(3, at(5)), Err(at(10)));
        // The end of the first moves on: only the second goes when its time has come.
        map.get_mut(1).unwrap().0 = 100;
        assert_eq!(map.make_room(3, at(15)), Err(at(20)));
        assert_eq!(map.make_room(3, at(20)), Ok(()));
        map.put(3, Until(30));
        assert!(map.get(1).is_some() && map.get(2).is_none());
        assert_eq!(map.make_room(4, at(21)), Err(at(30)));
    }

    #[test]
    fn what_is_removed_by_hand_leaves_no_more_behind_than_the_map_holds() {
        let mut map = Bounded::new(2);
        let mut put = 0;
        for key in 0..100_u64 {
            if map.make_room(key, Instant::ORIGIN).is_ok() {
                map.put(key, Until(1_000));
                map.remove(key);
                put += 1;
            }
        }
        assert_eq!((put, map.len()), (4, 0));
    }
}
