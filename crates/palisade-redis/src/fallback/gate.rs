//! Whether the store is asked at all.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use palisade_core::Instant;

/// A small circuit breaker: so many failures in a row open it, and then one question at a time tries whether the store is
/// back, after waits that double.
pub(super) struct Gate {
    failures_max: u32,
    waits: (Duration, Duration),
    /// When the next question may try, in nanoseconds; zero while the gate is closed. Read by every question.
    open_until: AtomicU64,
    state: Mutex<State>,
    opened: AtomicU64,
}

struct State {
    failures: u32,
    wait: Duration,
    trying: bool,
}

/// Leave to ask the store. Dropped without an outcome, it lets the next one try.
pub(super) struct Leave<'a> {
    gate: &'a Gate,
    tries: bool,
    told: bool,
}

impl Gate {
    pub(super) const fn new(failures_max: u32, waits: (Duration, Duration)) -> Self {
        Self {
            failures_max,
            waits,
            open_until: AtomicU64::new(0),
            state: Mutex::new(State {
                failures: 0,
                wait: waits.0,
                trying: false,
            }),
            opened: AtomicU64::new(0),
        }
    }

    /// Leave to ask, or how long there will be none.
    pub(super) fn ask(&self, now: Instant) -> Result<Leave<'_>, Duration> {
        let open_until = self.open_until.load(Ordering::Acquire);
        if open_until == 0 {
            return Ok(self.leave(false));
        }
        let left = Instant::from_nanos(open_until).saturating_since(now);
        if left > Duration::ZERO {
            return Err(left);
        }
        let mut state = self.lock();
        if state.trying {
            return Err(state.wait);
        }
        // Somebody else may have been answered meanwhile.
        let tries = self.open_until.load(Ordering::Acquire) != 0;
        state.trying = tries;
        Ok(self.leave(tries))
    }

    pub(super) fn is_open(&self) -> bool {
        self.open_until.load(Ordering::Acquire) != 0
    }

    /// How often it has opened.
    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    const fn leave(&self, tries: bool) -> Leave<'_> {
        Leave {
            gate: self,
            tries,
            told: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whole after every statement, so a poisoned lock is still good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// The store has answered, whatever it said.
    pub(super) fn answered(mut self) {
        self.told = true;
        let mut state = self.gate.lock();
        state.failures = 0;
        if self.tries {
            state.trying = false;
            state.wait = self.gate.waits.0;
            self.gate.open_until.store(0, Ordering::Release);
        }
    }

    /// It has not. How long it will not be asked now.
    pub(super) fn failed(mut self, now: Instant) -> Duration {
        self.told = true;
        let gate = self.gate;
        let mut state = gate.lock();
        state.failures = state.failures.saturating_add(1);
        let open = gate.is_open();
        if self.tries {
            state.trying = false;
            state.wait = (state.wait * 2).min(gate.waits.1);
        } else if open || state.failures < gate.failures_max {
            return Duration::ZERO;
        } else {
            gate.opened.fetch_add(1, Ordering::Relaxed);
        }
        let until = now.saturating_add(state.wait).as_nanos().max(1);
        gate.open_until.store(until, Ordering::Release);
        state.wait
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if self.tries && !self.told {
            self.gate.lock().trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));

    fn at(secs: u64) -> Instant {
        Instant::ORIGIN.saturating_add(Duration::from_secs(secs))
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_try_at_a_time() {
        let gate = Gate::new(3, WAITS);
        for _ in 0..2 {
            gate.ask(at(10)).ok().unwrap().failed(at(10));
        }
        gate.ask(at(10)).ok().unwrap().answered();
        for _ in 0..2 {
            gate.ask(at(10)).ok().unwrap().failed(at(10));
        }
        assert!(!gate.is_open());
        gate.ask(at(10)).ok().unwrap().failed(at(10));
        assert!(gate.is_open());
        assert_eq!(gate.ask(at(10)).err(), Some(Duration::from_secs(1)));

        let tries = gate.ask(at(11)).ok().unwrap();
        assert!(gate.ask(at(11)).is_err(), "one is trying");
        assert_eq!(tries.failed(at(11)), Duration::from_secs(2));
        gate.ask(at(13)).ok().unwrap().failed(at(13));
        assert_eq!(gate.ask(at(13)).err(), Some(Duration::from_secs(3)));
        gate.ask(at(16)).ok().unwrap().answered();
        assert!(!gate.is_open() && gate.ask(at(16)).is_ok());
        assert_eq!(gate.opened(), 1);
    }

    #[test]
    fn who_goes_away_while_trying_lets_the_next_one_try() {
        let gate = Gate::new(1, WAITS);
        gate.ask(at(1)).ok().unwrap().failed(at(1));
        drop(gate.ask(at(2)).ok().unwrap());
        gate.ask(at(2)).ok().unwrap().answered();
        assert!(!gate.is_open());
    }

    #[test]
    fn who_fails_late_does_not_keep_it_open() {
        let gate = Gate::new(1, WAITS);
        let late = gate.ask(at(1)).ok().unwrap();
        gate.ask(at(1)).ok().unwrap().failed(at(1));
        assert_eq!(late.failed(at(9)), Duration::ZERO);
        assert!(gate.ask(at(2)).is_ok());
    }
}
