use std::time::Duration;

use palisade_core::{Clock, Decision, Dimension, Key, ManualClock, RetryAfter, StoreErrorKind};
use palisade_rate_limit::{
    Allowed, Charge, CheckRequest, Denied, Hold, HoldId, Limit, LimitError, Over, RateLimiter,
    ReserveRequest, SettleRequest, Status, Use, model::Book,
};

use super::{
    Make, Setup,
    bench::{NOON, TICK, limit, user},
};
use crate::{Broken, Random, Verdict, verdict::ensure};

const STEPS: u32 = 300;

/// Plays one random sequence of checks, reservations, top-ups, settlements and resets to the limiter and to the model, under
/// limits of every algorithm, and compares every answer, down to the wait of every limit. A wait may be rounded up by less
/// than a millisecond.
///
/// The same seed plays the same sequence.
///
/// # Errors
///
/// [`Broken`] at the first answer that differs.
pub async fn agrees_with_the_model<M: Make>(make: &M, seed: u64) -> Verdict {
    let clock = ManualClock::at(NOON);
    let limiter = make.make(Setup::new(clock.clone())).await;
    let mut play = Play::new(seed, clock)?;
    for step in 0..STEPS {
        play.step(&limiter)
            .await
            .map_err(|broken| broken.at(format!("PALISADE_SEED={seed}, step {step}")))?;
    }
    Ok(())
}

struct Play {
    random: Random,
    clock: ManualClock,
    /// Units of whole milliseconds, so that a store with a coarser clock has nothing to round.
    limits: Vec<Limit>,
    keys: Vec<Key>,
    book: Book,
    holds: Vec<Held>,
    next_hold: u128,
}

/// Whether two answers are the same, but for waits that a store whose clock is coarser has rounded up.
fn agree(expected: &Decision<Allowed, Denied>, found: &Decision<Allowed, Denied>) -> bool {
    let (Decision::Deny(expected), Decision::Deny(found)) = (expected, found) else {
        return expected == found;
    };
    let waits_agree =
        |expected: Option<RetryAfter>, found: Option<RetryAfter>| match (expected, found) {
            (Some(RetryAfter::After(expected)), Some(RetryAfter::After(found))) => {
                (expected..expected + TICK).contains(&found)
            }
            _ => expected == found,
        };
    let without_wait =
        |status: &Status| Status::new(status.limit, status.remaining, status.reset, None);
    expected.source() == found.source()
        && expected.statuses().len() == found.statuses().len()
        && expected
            .statuses()
            .zip(found.statuses())
            .all(|(expected, found)| {
                without_wait(expected) == without_wait(found)
                    && waits_agree(expected.retry_after, found.retry_after)
            })
}

/// A hold that was asked for: what for, and how much in all.
#[derive(Clone)]
struct Held {
    hold: Hold,
    wants: Vec<Want>,
}

/// A limit and a key, by number, and a cost.
type Want = (usize, usize, u64);

/// How many holds are open at a time, at most.
const HOLDS_MAX: usize = 12;

impl Play {
    fn new(seed: u64, clock: ManualClock) -> Result<Self, Broken> {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let broken = |error: LimitError| Broken::new(error.to_string());
        Ok(Self {
            random: Random::new(seed),
            clock,
            limits: vec![
                limit("chat", 60, minute, 10)?,
                limit("api", 100, minute, 20)?,
                limit("tokens", 1_000, second, 2_500)?,
                limit("daily", 24, 86_400 * second, 3)?,
                Limit::fixed_window("fixed", 10, 10 * second).map_err(broken)?,
                Limit::sliding_window("sliding", 16, 8 * second).map_err(broken)?,
                Limit::sliding_log("log", 5, 20 * second).map_err(broken)?,
                Limit::concurrency("open", 6).map_err(broken)?,
            ],
            keys: vec![
                user("a")?,
                user("b")?,
                Key::new(Dimension::Org, "a").map_err(|error| Broken::new(error.to_string()))?,
                Key::global(),
            ],
            book: Book::default(),
            holds: Vec::new(),
            next_hold: 0,
        })
    }

    async fn step(&mut self, limiter: &impl RateLimiter) -> Verdict {
        self.pause();
        match self.random.below(10) {
            0..=3 => self.ask(limiter, None).await,
            4..=5 => {
                self.next_hold += 1;
                let millis = [1_000, 5_000, 60_000, 600_000][self.index(4)];
                let hold = Hold::new(HoldId::from_u128(self.next_hold))
                    .with_ttl(Duration::from_millis(millis))
                    .map_err(|error| Broken::new(error.to_string()))?;
                self.ask(limiter, Some(hold)).await
            }
            6 => self.again(limiter).await,
            7..=8 => self.end(limiter).await,
            _ => {
                let (limit, key) = (self.index(self.limits.len()), self.index(self.keys.len()));
                // Rare enough that counters fill up in between.
                if self.random.one_in(4) {
                    let now = self.clock.instant();
                    self.book.reset(&self.limits[limit], &self.keys[key], now);
                    limiter.reset(&self.limits[limit], &self.keys[key]).await?;
                }
                Ok(())
            }
        }
    }

    /// A new request.
    async fn ask(&mut self, limiter: &impl RateLimiter, hold: Option<Hold>) -> Verdict {
        let wants: Vec<Want> = (0..=self.random.below(3)).map(|_| self.want()).collect();
        if self.reserve(limiter, &wants, hold).await?
            && let Some(hold) = hold
        {
            if self.holds.len() == HOLDS_MAX {
                self.holds.remove(0);
            }
            self.holds.push(Held { hold, wants });
        }
        Ok(())
    }

    /// A hold is asked for again: as it was, or with more of something.
    async fn again(&mut self, limiter: &impl RateLimiter) -> Verdict {
        if self.holds.is_empty() {
            return Ok(());
        }
        let index = self.index(self.holds.len());
        let mut held = self.holds[index].clone();
        for want in &mut held.wants {
            want.2 += self.random.below(4);
        }
        if self.reserve(limiter, &held.wants, Some(held.hold)).await? {
            self.holds[index] = held;
        }
        Ok(())
    }

    /// Asks both, and says whether the request passed.
    async fn reserve(
        &mut self,
        limiter: &impl RateLimiter,
        wants: &[Want],
        hold: Option<Hold>,
    ) -> Result<bool, Broken> {
        let charges: Vec<Charge<'_>> = wants
            .iter()
            .map(|(limit, key, cost)| Charge::new(&self.limits[*limit], &self.keys[*key], *cost))
            .collect();
        let Ok(request) = CheckRequest::new(&charges) else {
            // The same counter twice: nothing that a backend is ever asked.
            return Ok(false);
        };
        let mut request = match hold {
            Some(hold) => ReserveRequest::hold(request, hold),
            None => ReserveRequest::check(request),
        };
        if self.random.one_in(8) {
            request = request.with_over(Over::Owe);
        }
        if self.random.one_in(8) {
            request = request.as_dry_run();
        }
        let now = self.clock.instant();
        let expected = self.book.reserve(request, now);
        let found = limiter.reserve(request).await;
        match (expected, found) {
            (Ok(expected), Ok(found)) if agree(&expected, &found) => {
                Ok(found.is_allow() && !request.dry_run)
            }
            (Err(expected), Err(found)) if found.kind() == StoreErrorKind::Invalid => {
                let source = std::error::Error::source(&found).map(ToString::to_string);
                ensure!(
                    source.as_deref() == Some(&expected.to_string()),
                    "expected {expected}, found {found:?}"
                );
                Ok(false)
            }
            (expected, found) => Err(Broken::new(format!(
                "at {now:?} {request:?}: expected {expected:?}, found {found:?}"
            ))),
        }
    }

    /// A hold is settled, once or again, in time or late.
    async fn end(&mut self, limiter: &impl RateLimiter) -> Verdict {
        if self.holds.is_empty() {
            return Ok(());
        }
        let index = self.index(self.holds.len());
        let held = self.holds[index].clone();
        let kind = self.random.below(5);
        let uses: Vec<Use<'_>> = held
            .wants
            .iter()
            .map(|(limit, key, cost)| {
                let used = match kind {
                    0 => 0,
                    1 => *cost,
                    2 => cost + 1 + self.random.below(20),
                    3 => cost + self.random.below(4) * self.limits[*limit].burst(),
                    _ => self.random.below(cost + 1),
                };
                Use::new(&self.limits[*limit], &self.keys[*key], *cost, used)
            })
            .collect();
        let request = SettleRequest::new(held.hold.id(), &uses)
            .map_err(|error| Broken::new(error.to_string()))?;
        let now = self.clock.instant();
        let expected = self.book.settle(request, now);
        let found = limiter.settle(request).await?;
        ensure!(
            found == expected,
            "at {now:?} {request:?}: expected {expected:?}, found {found:?}"
        );
        if self.random.one_in(2) {
            self.holds.remove(index);
        }
        Ok(())
    }

    fn pause(&mut self) {
        let millis = match self.random.below(10) {
            0..=3 => 0,
            4..=6 => self.random.below(1_500),
            7 => 600,
            8 => self.random.below(60_000),
            _ => self.random.below(7_200_000),
        };
        self.clock.advance(Duration::from_millis(millis));
    }

    fn want(&mut self) -> Want {
        let limit = self.index(self.limits.len());
        let key = self.index(self.keys.len());
        let burst = self.limits[limit].burst();
        let cost = match self.random.below(20) {
            0 => 0,
            1 => burst,
            2 => burst + 1,
            3..=9 => 1 + self.random.below(burst),
            _ => 1,
        };
        (limit, key, cost)
    }

    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.random.below(end as u64)).unwrap_or(0)
    }
}
