use std::time::Duration;

use palisade_rate_limit::{Algorithm, Limit};

use crate::{Broken, Verdict};

/// What a limit has let pass, by whom and where ever: proof that it kept its bound in *every* interval.
///
/// Each admission is known to lie between the moment it was asked for and the moment it was answered. Only admissions that
/// lie in an interval for certain are counted for it, so a history that is found to break the bound has broken it.
///
/// ```
/// use std::time::Duration;
/// use palisade_conformance::rate_limit::History;
/// use palisade_rate_limit::Limit;
///
/// let limit = Limit::per_second("chat", 10)?.with_burst(2)?;
/// let mut history = History::new();
/// for millis in [0, 0, 100, 200] {
///     history.admitted(millis * 1_000_000, millis * 1_000_000, 1);
/// }
/// assert!(history.check(&limit, Duration::ZERO, 0).is_ok());
/// history.admitted(250_000_000, 250_000_000, 1);
/// assert!(history.check(&limit, Duration::ZERO, 0).is_err());
/// # Ok::<(), palisade_rate_limit::LimitError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct History {
    /// When it was asked for, when it was answered, how much.
    admissions: Vec<(u64, u64, u64)>,
}

impl History {
    /// Nothing has passed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So much has passed, asked for and answered at these times, in nanoseconds on one clock.
    pub fn admitted(&mut self, asked: u64, answered: u64, units: u64) {
        self.admissions.push((asked, answered, units));
    }

    /// How many admissions there were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.admissions.len()
    }

    /// Whether there were none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.admissions.is_empty()
    }

    /// Whether every interval had at most what the limit's algorithm says of one that is longer by `late`, and `more`.
    ///
    /// It looks at all pairs of admissions: a few thousand are looked at in a second.
    ///
    /// # Errors
    ///
    /// [`Broken`] with the first interval found that had more.
    ///
    /// # Panics
    ///
    /// For a limit on concurrency, which lets pass any number.
    pub fn check(&self, limit: &Limit, late: Duration, more: u64) -> Verdict {
        let mut by_answer = self.admissions.clone();
        by_answer.sort_unstable_by_key(|admission| admission.1);
        let mut starts: Vec<u64> = by_answer.iter().map(|admission| admission.0).collect();
        starts.sort_unstable();
        starts.dedup();
        for start in starts {
            let mut sum = 0_u128;
            for (_, end, units) in by_answer.iter().filter(|admission| admission.0 >= start) {
                sum += u128::from(*units);
                let length = u128::from(end.saturating_sub(start)) + late.as_nanos();
                let most = bound(limit, length) + u128::from(more);
                if sum > most {
                    return Err(Broken::new(format!(
                        "{sum} units of {limit:?} passed between {start} and {end} ns, where at most {most} may"
                    )));
                }
            }
        }
        Ok(())
    }
}

/// What a closed interval of so many nanoseconds may have.
fn bound(limit: &Limit, length: u128) -> u128 {
    let (amount, period) = (u128::from(limit.amount()), limit.period().as_nanos());
    match limit.algorithm() {
        Algorithm::TokenBucket => u128::from(limit.burst()) + amount * length / period,
        Algorithm::SlidingLog => amount * (length / period + 1),
        Algorithm::FixedWindow | Algorithm::SlidingWindow => amount * (length / period + 2),
        other => panic!("a {other:?} has no bound on an interval"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_too_many_in_any_interval_is_found() {
        let limit = Limit::per_second("x", 10)
            .and_then(|limit| limit.with_burst(3))
            .unwrap();
        // Three at once after any silence, then one every 100 ms.
        let mut history = History::new();
        for at in [0, 0, 0, 100, 200, 300, 900, 900, 900, 1_000] {
            history.admitted(at * 1_000_000, at * 1_000_000, 1);
        }
        assert!(history.check(&limit, Duration::ZERO, 0).is_ok());
        let mut one_more = history.clone();
        one_more.admitted(999_999_999, 1_000_000_000, 1);
        assert!(one_more.check(&limit, Duration::ZERO, 0).is_err());
        assert!(one_more.check(&limit, Duration::ZERO, 1).is_ok());
        assert!(
            one_more
                .check(&limit, Duration::from_millis(100), 0)
                .is_ok()
        );
        // What may as well have passed earlier proves nothing.
        let mut uncertain = history;
        uncertain.admitted(0, 1_000_000_000, 1);
        assert!(uncertain.check(&limit, Duration::ZERO, 0).is_ok());
    }

    #[test]
    fn windows_are_held_to_their_own_bounds() {
        let second = Duration::from_secs(1);
        let log = Limit::sliding_log("x", 2, second).unwrap();
        let window = Limit::fixed_window("x", 2, second).unwrap();
        let mut history = History::new();
        for at in [900, 900, 1_000, 1_000] {
            history.admitted(at * 1_000_000, at * 1_000_000, 1);
        }
        assert!(history.check(&log, Duration::ZERO, 0).is_err());
        assert!(history.check(&window, Duration::ZERO, 0).is_ok());
        history.admitted(1_899_999_999, 1_899_999_999, 1);
        assert!(history.check(&window, Duration::ZERO, 0).is_err());
    }
}
