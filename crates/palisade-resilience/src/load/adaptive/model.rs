use std::time::Duration;

use palisade_core::Instant;

use super::config::{Adaptation, AdaptivePolicy};
use crate::random;

/// The learning of a limit as a pure machine: what a call took goes in, how many may be under way comes out.
///
/// Three rules hold for every [`Adaptation`]:
///
/// - One event lowers the limit once: a drop of a call that began before the limit was lowered last is the same news again.
/// - The limit rises only while it is used, as nobody learns from an empty road how many cars it carries.
/// - The time without load is measured without load: every so often the limit goes down to the floor for a few calls, and only
///   calls that began then count. A minimum taken from loaded calls would creep upwards for ever.
#[derive(Clone, Debug)]
pub struct AdaptiveModel {
    policy: AdaptivePolicy,
    limit: f64,
    lowered_at: Option<Instant>,
    /// The time of a call without load, in nanoseconds.
    unloaded: Option<f64>,
    probe: Probe,
    dice: u64,
}

#[derive(Clone, Copy, Debug)]
enum Probe {
    /// Measure from this time on.
    Due(Instant),
    /// Calls that began since count.
    Measuring {
        since: Instant,
        seen: u32,
        least: f64,
    },
}

/// What one call taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// When it began.
    pub began: Instant,
    /// How many were under way when it ended, itself included.
    pub in_flight: u32,
    /// What came of it.
    pub verdict: Verdict,
}

impl Sample {
    /// What one call taught.
    #[must_use]
    pub const fn new(began: Instant, in_flight: u32, verdict: Verdict) -> Self {
        Self {
            began,
            in_flight,
            verdict,
        }
    }
}

/// What a call says about the load on the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// It was carried out, and its time tells something.
    Done,
    /// It was refused for load, or timed out.
    Dropped,
    /// Its time tells nothing, unless it was so long that it counts as dropped: it was cancelled, or failed at once for another
    /// reason.
    Nothing,
}

impl AdaptiveModel {
    /// A model that has learnt nothing.
    #[must_use]
    pub fn new(policy: AdaptivePolicy) -> Self {
        Self {
            limit: f64::from(policy.config().initial),
            policy,
            lowered_at: None,
            unloaded: None,
            probe: Probe::Due(Instant::ORIGIN),
            dice: 0,
        }
    }

    /// The same, with other chances.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.dice = seed;
        self
    }

    /// How many calls may be under way.
    #[must_use]
    pub fn limit(&self) -> u32 {
        let config = self.policy.config();
        match self.probe {
            Probe::Measuring { .. } => config.floor,
            // Between floor and ceiling, so it fits.
            Probe::Due(_) => self.limit as u32,
        }
    }

    /// What a call takes when the upstream has nothing else to do, as far as is known.
    #[must_use]
    pub fn unloaded(&self) -> Option<Duration> {
        self.unloaded
            .map(|nanos| Duration::from_nanos(nanos as u64))
    }

    /// A call has ended.
    pub fn sample(&mut self, sample: Sample, now: Instant) {
        let config = *self.policy.config();
        let took = now.saturating_since(sample.began);
        let dropped = sample.verdict == Verdict::Dropped || took >= config.drop_after;
        if dropped {
            self.end_probe(now);
            let news = self.lowered_at.is_none_or(|at| sample.began >= at);
            if news {
                self.set(self.limit * f64::from(config.keep) / 100.0);
                self.lowered_at = Some(now);
            }
            return;
        }
        if sample.verdict == Verdict::Nothing {
            return;
        }
        // Below a nanosecond there is nothing to divide by.
        let took = (took.as_nanos() as f64).max(1.0);
        if config.adaptation != Adaptation::Aimd {
            self.measure(sample, took, now);
        }
        if matches!(self.probe, Probe::Measuring { .. }) {
            return;
        }
        // What began under a higher limit says nothing for the lower one.
        let before_the_drop = self.lowered_at.is_some_and(|at| sample.began < at);
        let used = f64::from(sample.in_flight) * 2.0 >= self.limit && !before_the_drop;
        match config.adaptation {
            Adaptation::Aimd if used => self.set(self.limit + 1.0 / self.limit),
            Adaptation::Aimd => {}
            Adaptation::Gradient => self.gradient(took, used),
            Adaptation::Vegas => self.vegas(took, used),
        }
    }

    fn gradient(&mut self, took: f64, used: bool) {
        let Some(unloaded) = self.unloaded else {
            return;
        };
        let tolerance = 1.0 + f64::from(self.policy.config().tolerance) / 100.0;
        let gradient = (tolerance * unloaded / took).clamp(0.5, 1.0);
        let wanted = self.limit * gradient + self.limit.sqrt();
        if wanted < self.limit || used {
            // A call is one of `limit` that run side by side; together they move it by about a fifth of the way.
            self.set(self.limit + (wanted - self.limit) * 0.2 / self.limit.sqrt());
        }
    }

    fn vegas(&mut self, took: f64, used: bool) {
        let Some(unloaded) = self.unloaded else {
            return;
        };
        let tolerance = 1.0 + f64::from(self.policy.config().tolerance) / 100.0;
        let queued = self.limit * (1.0 - (tolerance * unloaded / took).min(1.0));
        let scale = self.limit.log10().max(1.0);
        let step = scale / self.limit;
        if queued > 6.0 * scale {
            self.set(self.limit - step.max(1.0 / self.limit) * 2.0);
        } else if queued < 3.0 * scale && used {
            self.set(self.limit + step);
        }
    }

    fn measure(&mut self, sample: Sample, took: f64, now: Instant) {
        match &mut self.probe {
            Probe::Due(at) if now >= *at => {
                self.probe = Probe::Measuring {
                    since: now,
                    seen: 0,
                    least: f64::MAX,
                };
                // The first measure of all, until there is a better one.
                self.unloaded.get_or_insert(took);
            }
            Probe::Measuring { since, seen, least } if sample.began >= *since => {
                *seen += 1;
                *least = least.min(took);
                if *seen >= self.policy.config().probe_calls {
                    self.unloaded = Some(*least);
                    self.end_probe(now);
                }
            }
            Probe::Due(_) | Probe::Measuring { .. } => {}
        }
    }

    /// The next measurement comes about when it should, and not when everybody else's does.
    fn end_probe(&mut self, now: Instant) {
        let every = self.policy.config().probe_every;
        let spread = random::part(every / 5, random::step(&mut self.dice));
        self.probe = Probe::Due(now.saturating_add(every - every / 10 + spread));
    }

    fn set(&mut self, limit: f64) {
        let config = self.policy.config();
        self.limit = limit.clamp(f64::from(config.floor), f64::from(config.ceiling));
    }
}
