use std::time::Duration;

use palisade_core::Timestamp;

use crate::{PeriodError, Window};

/// How long a rolling period is, and how finely it rolls.
///
/// What is spent is counted in slices, a sixtieth of the length each, and a slice counts until all of it is longer ago than
/// the length. So what was spent counts for the length at least, and for a sixtieth more at most: in no stretch of the
/// length is more spent than the limit.
///
/// A refusal advises to come back when the oldest slice falls out, which is the first instant at which more may be left;
/// whether it is enough depends on what was spent in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "u32", into = "u32")
)]
pub struct Rolling {
    minutes: u32,
}

impl Rolling {
    /// The shortest.
    pub const MIN: Duration = Duration::from_secs(60);
    /// The longest: a year of 366 days.
    pub const MAX: Duration = Duration::from_secs(366 * 86_400);
    /// How many slices there are to a length.
    const SLICES: u32 = 60;

    /// A rolling period of whole minutes.
    ///
    /// # Errors
    ///
    /// [`PeriodError`] if it is not whole minutes, one at least and 366 days at most.
    pub fn new(length: Duration) -> Result<Self, PeriodError> {
        let fits = (Self::MIN..=Self::MAX).contains(&length)
            && length.as_secs().is_multiple_of(60)
            && length.subsec_nanos() == 0;
        let minutes = u32::try_from(length.as_secs() / 60).ok().filter(|_| fits);
        let minutes = minutes.ok_or(PeriodError::Rolling)?;
        Ok(Self { minutes })
    }

    /// How long what was spent counts, at least.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(self.minutes as u64 * 60)
    }

    /// How long a slice is.
    #[must_use]
    pub const fn slice(self) -> Duration {
        Duration::from_secs(self.minutes as u64 * 60 / Self::SLICES as u64)
    }

    /// The slice that `now` lies in. Slices are counted from 1970, so every node finds the same.
    pub(crate) fn window(self, now: Timestamp) -> Window {
        let slice = i64::try_from(self.slice().as_nanos()).unwrap_or(i64::MAX);
        let start = now.as_nanos().div_euclid(slice).checked_mul(slice);
        let start = start.map_or(Timestamp::MIN, Timestamp::from_nanos);
        // It ends after it starts.
        Window::new(start, start.saturating_add(self.slice())).unwrap_or(Window::FOREVER)
    }
}

impl TryFrom<u32> for Rolling {
    type Error = PeriodError;

    /// A length in seconds.
    fn try_from(seconds: u32) -> Result<Self, PeriodError> {
        Self::new(Duration::from_secs(u64::from(seconds)))
    }
}

impl From<Rolling> for u32 {
    /// The length in seconds.
    fn from(rolling: Rolling) -> Self {
        rolling.minutes * 60
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Period, Zone};

    #[test]
    fn what_was_spent_counts_for_the_length_and_a_slice_at_most() {
        for seconds in [60, 3_600, 86_400, 30 * 86_400] {
            let rolling = Rolling::try_from(seconds).expect("whole minutes");
            let period = Period::Rolling(rolling);
            let spent_at = Timestamp::from_millis(1_795_178_096_789);
            let slice = period.window(spent_at, &Zone::utc());
            assert!(slice.contains(spent_at));
            let counts = |now: Timestamp| {
                let span = period.span(period.window(now, &Zone::utc()));
                span.start() <= slice.start() && slice.end() <= span.end()
            };
            assert!(counts(spent_at));
            assert!(counts(spent_at.saturating_add(rolling.length())));
            let longest = rolling.length() + rolling.slice();
            assert!(!counts(
                spent_at
                    .saturating_add(longest)
                    .saturating_add(rolling.slice())
            ));
            assert!(!counts(slice.end().saturating_add(longest)));
        }
    }

    #[test]
    fn a_rolling_period_is_whole_minutes() {
        for bad in [0, 1, 59, 61, 366 * 86_400 + 60] {
            assert_eq!(Rolling::try_from(bad), Err(PeriodError::Rolling), "{bad}");
        }
        assert!(Rolling::new(Duration::from_millis(60_001)).is_err());
        assert_eq!(u32::from(Rolling::try_from(86_400).expect("a day")), 86_400);
    }
}
