use crate::{ConfigError, MemoryConfig, table::WAYS};

/// How the memory for so many keys is cut.
pub(crate) struct Sizes {
    /// Lines of the table.
    pub(crate) lines: usize,
    /// Parts of what lies beside the table.
    pub(crate) parts: usize,
    /// Counters of other algorithms, in each part.
    pub(crate) counters: usize,
    /// Holds, in each part.
    pub(crate) holds: usize,
}

/// Enough that threads rarely meet; a table smaller than this many keys a part has fewer.
const PARTS_MAX: usize = 64;
const KEYS_PER_PART_MIN: usize = 1_024;

impl Sizes {
    pub(crate) fn new(config: MemoryConfig) -> Result<Self, ConfigError> {
        for found in [config.capacity, config.holds] {
            if !(1..=MemoryConfig::CAPACITY_MAX).contains(&found) {
                return Err(ConfigError::Capacity { found });
            }
        }
        let parts = (config.capacity / KEYS_PER_PART_MIN).clamp(1, PARTS_MAX);
        let parts = 1 << parts.ilog2();
        // Two places and an eighth for each key, which is 34 bytes: so a few keys in a hundred thousand find their four
        // lines full when the table holds as many as it was made for.
        let places = (config.capacity * 17).div_ceil(8);
        Ok(Self {
            lines: places.div_ceil(WAYS),
            parts,
            counters: config.capacity.div_ceil(parts).max(16),
            holds: config.holds.div_ceil(parts).max(16),
        })
    }
}
