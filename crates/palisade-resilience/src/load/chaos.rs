use std::{fmt, sync::Arc, time::Duration};

use palisade_core::Timer;

use crate::{ConfigError, Failure, Random, error, random};

/// Makes a share of calls slow or makes them fail, for tests of what stands around them.
///
/// A retry that never retried and a breaker that never opened are untested code on the one path that matters. With a seed, a
/// run repeats itself: the same calls are hit in the same order.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::ManualClock;
/// use palisade_resilience::{Chaos, ErrorKind, Failure};
///
/// let chaos = Chaos::<Result<u32, Failure>>::seeded(7)
///     .with_result(1_000_000, || Err(Failure::new(ErrorKind::Overloaded)))?;
/// let clock = ManualClock::default();
/// let call = std::pin::pin!(chaos.run(&clock, async { Ok(1) }));
/// let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// assert!(matches!(call.poll(&mut cx), std::task::Poll::Ready(Err(_))));
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
pub struct Chaos<O> {
    random: Random,
    latency: Option<Latency>,
    results: Vec<(u32, Arc<dyn Fn() -> O + Send + Sync>)>,
}

#[derive(Clone, Copy, Debug)]
struct Latency {
    rate: u32,
    least: Duration,
    most: Duration,
}

/// What becomes of one call.
#[non_exhaustive]
pub struct Injection<O> {
    /// It is held up for so long first.
    pub delay: Option<Duration>,
    /// It is not made; this is what comes of it.
    pub result: Option<O>,
}

impl<O> Chaos<O> {
    /// Rates are in millionths; this is all.
    pub const ALWAYS: u32 = 1_000_000;
    /// The longest delay.
    pub const DELAY_MAX: Duration = Duration::from_secs(3_600);

    /// Does nothing yet. The same seed makes the same choices.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self {
            random: Random::seeded(seed),
            latency: None,
            results: Vec::new(),
        }
    }

    /// The same, holding up `rate` millionths of the calls for `least` to `most`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the rate is over a million, or the times are the wrong way round or over
    /// [`DELAY_MAX`](Chaos::DELAY_MAX).
    pub fn with_latency(
        mut self,
        rate: u32,
        least: Duration,
        most: Duration,
    ) -> Result<Self, ConfigError> {
        error::number("chaos latency rate", rate.into(), 0, Self::ALWAYS.into())?;
        error::duration("chaos latency", most, least, Self::DELAY_MAX)?;
        self.latency = Some(Latency { rate, least, most });
        Ok(self)
    }

    /// The same, answering `rate` millionths of the calls with what `result` makes, an error or an answer, instead of making them.
    /// May be said several times.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if all rates together are over a million.
    pub fn with_result(
        mut self,
        rate: u32,
        result: impl Fn() -> O + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        let so_far: u64 = self.results.iter().map(|(rate, _)| u64::from(*rate)).sum();
        let sum = so_far + u64::from(rate);
        error::number("chaos result rates together", sum, 0, Self::ALWAYS.into())?;
        self.results.push((rate, Arc::new(result)));
        Ok(self)
    }

    /// What becomes of the next call.
    pub fn next(&self) -> Injection<O> {
        let delay = self.latency.and_then(|latency| {
            let length = latency.most.saturating_sub(latency.least);
            self.hits()
                .is_some_and(|number| number < latency.rate)
                .then(|| latency.least + random::part(length, self.random.next()))
        });
        let mut number = self.hits().unwrap_or(u32::MAX);
        let chosen = self.results.iter().find(|(rate, _)| {
            let hit = number < *rate;
            number = number.saturating_sub(*rate);
            hit
        });
        Injection {
            delay,
            result: chosen.map(|(_, result)| result()),
        }
    }

    /// Makes the call, or what chance makes of it. A delay comes before either.
    ///
    /// # Cancel safety
    ///
    /// That of `work`, which is not begun during the delay.
    pub async fn run(&self, timer: &impl Timer, work: impl Future<Output = O>) -> O {
        let injection = self.next();
        if let Some(delay) = injection.delay {
            timer.sleep(delay).await;
        }
        match injection.result {
            Some(result) => result,
            None => work.await,
        }
    }

    /// A number below a million.
    fn hits(&self) -> Option<u32> {
        let number = (u128::from(self.random.next()) * u128::from(Self::ALWAYS)) >> 64;
        u32::try_from(number).ok()
    }
}

impl<T> Chaos<Result<T, Failure>> {
    /// The same, failing `rate` millionths of the calls.
    ///
    /// # Errors
    ///
    /// As [`with_result`](Chaos::with_result).
    pub fn with_failure(self, rate: u32, failure: Failure) -> Result<Self, ConfigError> {
        self.with_result(rate, move || Err(failure.clone()))
    }
}

impl<O> fmt::Debug for Chaos<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates: Vec<u32> = self.results.iter().map(|(rate, _)| *rate).collect();
        f.debug_struct("Chaos")
            .field("latency", &self.latency)
            .field("result_rates", &rates)
            .finish_non_exhaustive()
    }
}

impl<O> fmt::Debug for Injection<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injection")
            .field("delay", &self.delay)
            .field("answered", &self.result.is_some())
            .finish()
    }
}
