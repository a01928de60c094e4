use std::{fmt, time::Duration};

/// Buckets for each power of two.
const PER_OCTAVE: usize = 16;
/// Values below 16 have a bucket each; then 60 octaves of 16.
const BUCKETS: usize = 61 * PER_OCTAVE;

/// How durations are distributed: counts in buckets of at most 1/16 relative width, in a fixed 8 KB.
///
/// Any quantile it names is off by at most 6.25 %, upwards: a target that is met by the histogram is met in truth.
/// Two histograms add up to the one that saw both their values, so those of many windows, threads or machines merge
/// without loss. The bucket layout is that of `HdrHistogram` (Gil Tene) with four bits of precision.
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram {
    buckets: Box<[u64; BUCKETS]>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: Box::new([0; BUCKETS]),
            count: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// One with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a duration; one beyond 584 years counts as that.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = &mut self.buckets[index(nanos)];
        *bucket = bucket.saturating_add(1);
        self.count = self.count.saturating_add(1);
        self.max = self.max.max(nanos);
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets.iter()) {
            *bucket = bucket.saturating_add(*more);
        }
        self.count = self.count.saturating_add(other.count);
        self.max = self.max.max(other.max);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.buckets.fill(0);
        self.count = 0;
        self.max = 0;
    }

    /// How many durations were added.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The longest, exactly; `None` if there is none.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(self.max))
    }

    /// A duration that `per_mille` thousandths of all do not exceed (500 is the median); `None` if there is none.
    ///
    /// It is the upper edge of the bucket in which the exact one lies: never less than that, and at most 1/16 more. The
    /// 1000th is the longest, exactly.
    #[must_use]
    pub fn quantile(&self, per_mille: u16) -> Option<Duration> {
        let per_mille = u128::from(per_mille.min(1_000));
        // The rank of the wanted value, counted from one: the nearest-rank method.
        let rank = (u128::from(self.count) * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                return Some(Duration::from_nanos(upper_edge(index).min(self.max)));
            }
        }
        None
    }
}

fn index(nanos: u64) -> usize {
    let Some(exponent) = nanos.checked_ilog2().filter(|&exponent| exponent >= 4) else {
        return nanos as usize; // below 16
    };
    let within = (nanos >> (exponent - 4)) as usize & (PER_OCTAVE - 1);
    (exponent as usize - 3) * PER_OCTAVE + within
}

/// The largest value of a bucket.
const fn upper_edge(index: usize) -> u64 {
    if index < PER_OCTAVE {
        return index as u64;
    }
    let shift = index / PER_OCTAVE - 1;
    let lower = ((PER_OCTAVE + index % PER_OCTAVE) as u64) << shift;
    lower + ((1 << shift) - 1)
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count)
            .field("p50", &self.quantile(500))
            .field("p95", &self.quantile(950))
            .field("p99", &self.quantile(990))
            .field("max", &self.max())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_one_another_without_gap_or_overlap() {
        let mut next = 0_u64;
        for bucket in 0..BUCKETS {
            assert_eq!(index(next), bucket, "the least value of bucket {bucket}");
            assert_eq!(index(upper_edge(bucket)), bucket);
            assert!(upper_edge(bucket) - next <= next / 16);
            next = upper_edge(bucket).wrapping_add(1);
        }
        assert_eq!(next, 0, "the last bucket ends at the largest value");
    }
}
