//! Who takes the most, in bounded memory: *Space-Saving* (Metwally, Agrawal and El Abbadi, 2005).
//!
//! So many keys are counted. When another comes, it takes the place of the one with the least and begins at its count, which
//! is remembered as its error. *Bound*: of *n* units taken under a table of *m* places, a count is too high by its error at
//! most, no error is above *n / m*, and every key that took more than *n / m* is in the table.

use std::{collections::HashMap, hash::Hash};

/// The table.
#[derive(Clone, Debug)]
pub struct Top<K> {
    places: usize,
    counts: HashMap<K, Count>,
}

/// What is known about one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count {
    /// What it took; no less than the truth.
    pub taken: u64,
    /// By how much that may be too high.
    pub error: u64,
    /// How often it was refused since it has its place.
    pub refused: u64,
}

impl<K: Clone + Eq + Hash + Ord> Top<K> {
    /// A table of so many places; with none, it counts nothing.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self {
            places,
            counts: HashMap::new(),
        }
    }

    /// Notes what a key took, or that it was refused.
    pub fn note(&mut self, key: &K, taken: u64, refused: bool) {
        if let Some(count) = self.counts.get_mut(key) {
            count.taken = count.taken.saturating_add(taken);
            count.refused = count.refused.saturating_add(u64::from(refused));
            return;
        }
        // Who takes nothing pushes nobody out.
        if self.places == 0 || (taken == 0 && self.counts.len() >= self.places) {
            return;
        }
        let mut least = 0;
        if self.counts.len() >= self.places {
            let found = self
                .counts
                .iter()
                .min_by_key(|(key, count)| (count.taken, *key));
            if let Some((key, count)) = found.map(|(key, count)| (key.clone(), *count)) {
                self.counts.remove(&key);
                least = count.taken;
            }
        }
        let count = Count {
            taken: least.saturating_add(taken),
            error: least,
            refused: u64::from(refused),
        };
        self.counts.insert(key.clone(), count);
    }

    /// Those that took the most, at most so many, the largest first.
    #[must_use]
    pub fn most(&self, many: usize) -> Vec<(K, Count)> {
        let mut all: Vec<_> = self
            .counts
            .iter()
            .map(|(key, count)| (key.clone(), *count))
            .collect();
        all.sort_unstable_by(|a, b| b.1.taken.cmp(&a.1.taken).then_with(|| a.0.cmp(&b.0)));
        all.truncate(many);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_more_than_their_share_is_found_among_any_number_of_others() {
        let mut top = Top::new(10);
        let mut sum = 0;
        for round in 0..1_000_u64 {
            top.note(&7, 3, false);
            top.note(&(1_000 + round), 1, false);
            sum += 4;
        }
        let most = top.most(3);
        assert_eq!(most[0].0, 7);
        let count = most[0].1;
        assert!(count.taken >= 3_000 && count.taken - count.error <= 3_000);
        assert!(most.iter().all(|(_, count)| count.error <= sum / 10));
    }

    #[test]
    fn the_refused_are_noted_and_push_nobody_out() {
        let mut top = Top::new(1);
        top.note(&"a", 1, false);
        top.note(&"b", 0, true);
        top.note(&"a", 0, true);
        assert_eq!(
            top.most(9),
            [(
                "a",
                Count {
                    taken: 1,
                    error: 0,
                    refused: 1
                }
            )]
        );
        let mut none = Top::new(0);
        none.note(&"a", 1, false);
        assert!(none.most(9).is_empty());
    }
}
