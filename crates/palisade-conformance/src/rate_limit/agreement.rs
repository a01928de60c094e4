use std::{collections::HashMap, time::Duration};

use palisade_core::{Clock, Dimension, Key, ManualClock};
use palisade_rate_limit::{
    Charge, CheckRequest, Limit, RateLimiter,
    model::{State, decide_all},
};

use super::{
    Make, Setup,
    bench::{NOON, limit, user},
};
use crate::{Broken, Random, Verdict};

const STEPS: u32 = 300;

/// Plays one random sequence of requests to the limiter and to the model and compares every answer, down to the wait of
/// every limit.
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
    states: HashMap<(&'static str, Key), State>,
}

const NAMES: [&str; 4] = ["chat", "api", "tokens", "daily"];

impl Play {
    fn new(seed: u64, clock: ManualClock) -> Result<Self, Broken> {
        let second = Duration::from_secs(1);
        Ok(Self {
            random: Random::new(seed),
            clock,
            limits: vec![
                limit(NAMES[0], 60, 60 * second, 10)?,
                limit(NAMES[1], 100, 60 * second, 20)?,
                limit(NAMES[2], 1_000, second, 2_500)?,
                limit(NAMES[3], 24, 86_400 * second, 3)?,
            ],
            keys: vec![
                user("a")?,
                user("b")?,
                Key::new(Dimension::Org, "a").map_err(|error| Broken::new(error.to_string()))?,
                Key::global(),
            ],
            states: HashMap::new(),
        })
    }

    async fn step(&mut self, limiter: &impl RateLimiter) -> Verdict {
        self.pause();
        let wants: Vec<(usize, usize, u64)> =
            (0..=self.random.below(3)).map(|_| self.want()).collect();
        let limits = self.limits.clone();
        let keys = self.keys.clone();
        let charges: Vec<Charge<'_>> = wants
            .iter()
            .map(|(limit, key, cost)| Charge::new(&limits[*limit], &keys[*key], *cost))
            .collect();
        let Ok(request) = CheckRequest::new(&charges) else {
            // The same counter twice: nothing that a backend is ever asked.
            return Ok(());
        };

        let name = |(limit, key, _): &(usize, usize, u64)| (NAMES[*limit], keys[*key].clone());
        let mut states: Vec<State> = wants
            .iter()
            .map(|want| self.states.get(&name(want)).copied().unwrap_or_default())
            .collect();
        let now = self.clock.instant();
        let expected = decide_all(request, &mut states, now);
        for (want, state) in wants.iter().zip(states) {
            self.states.insert(name(want), state);
        }
        let found = limiter.check(request).await?;
        if found != expected {
            return Err(Broken::new(format!(
                "at {now:?} {charges:?}: expected {expected:?}, found {found:?}"
            )));
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

    fn want(&mut self) -> (usize, usize, u64) {
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
