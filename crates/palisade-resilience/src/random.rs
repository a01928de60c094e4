use std::{
    fmt,
    hash::{BuildHasher, Hasher},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A small source of chance for jitter, shared by reference and never locked.
///
/// Seeded, it repeats itself, so a test or a simulation can print its seed and be run again. It is `SplitMix64` (Steele,
/// Lea and Flood, *Fast Splittable Pseudorandom Number Generators*, 2014) over an atomic counter. It spreads load;
/// it keeps no secret, so never draw keys or identifiers from it.
pub struct Random {
    state: AtomicU64,
}

/// 2^64 divided by the golden ratio, made odd: the step of `SplitMix64`.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// A source that gives the same numbers for the same seed.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self {
            state: AtomicU64::new(seed),
        }
    }

    /// A source seeded by the process, different for every call.
    #[must_use]
    pub fn from_system() -> Self {
        // The standard library seeds each `RandomState` from the operating system, then steps it.
        Self::seeded(
            std::collections::hash_map::RandomState::new()
                .build_hasher()
                .finish(),
        )
    }

    /// The next 64 bits.
    #[must_use]
    pub fn next(&self) -> u64 {
        mix(self
            .state
            .fetch_add(STEP, Ordering::Relaxed)
            .wrapping_add(STEP))
    }

    /// The source that [`retry`](crate::retry) uses when it is given none.
    pub(crate) fn process() -> &'static Self {
        static PROCESS: std::sync::OnceLock<Random> = std::sync::OnceLock::new();
        PROCESS.get_or_init(Self::from_system)
    }
}

/// The next 64 bits of a source that one owner keeps.
pub(crate) const fn step(state: &mut u64) -> u64 {
    *state = state.wrapping_add(STEP);
    mix(*state)
}

/// A part of `whole` by chance, from nothing to all of it.
pub(crate) fn part(whole: Duration, random: u64) -> Duration {
    let nanos = whole.as_nanos() * u128::from(random) / u128::from(u64::MAX);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

impl Default for Random {
    fn default() -> Self {
        Self::from_system()
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself() {
        // The first outputs of the published `SplitMix64` for seed 0.
        let random = Random::seeded(0);
        assert_eq!(random.next(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(random.next(), 0x6E78_9E6A_A1B9_65F4);
        assert_eq!(random.next(), 0x06C4_5D18_8009_454F);
    }

    #[test]
    fn two_sources_of_one_process_differ() {
        assert_ne!(Random::from_system().next(), Random::from_system().next());
    }
}
