use std::{
    fmt,
    sync::{Arc, PoisonError},
    time::Duration,
};

use palisade_core::{Clock, Decision, RetryAfter, SystemClock};

use crate::{
    ConfigError, Counts, ErrorKind, Failure, Fault, Random,
    breaker::{Mark, Sliding, Window},
    error,
    sync::{Mutex, MutexGuard},
};

/// Turns calls away here that the upstream would turn away there.
///
/// An upstream in overload spends its last strength on saying no. A breaker answers with all or nothing; this one answers in
/// proportion: it counts how many calls were asked for and how many the upstream accepted, and once it is asked for more than
/// `ratio` times what was accepted, it refuses the surplus by chance. What passes keeps telling how things are, so it opens
/// again by itself.
///
/// The chance of a refusal is `max(0, (requests − ratio · accepts) / (requests + 1))`, from the chapter *Handling Overload* of
/// Google's *Site Reliability Engineering* (2016), where the ratio is 2 and the window two minutes. Two things are otherwise here,
/// as that formula lets one call in a whole window through to an upstream that has been dead for one, and then takes many
/// windows to trust it again: the window is shorter, and a small share always passes.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::{Decision, ManualClock};
/// use palisade_resilience::{ClientThrottle, ErrorKind, Failure, ThrottleConfig};
///
/// let throttle = ClientThrottle::new(ThrottleConfig::default(), ManualClock::default())?;
/// if let Decision::Allow(asked) = throttle.ask() {
///     asked.outcome(Some(&Failure::new(ErrorKind::Overloaded)));
/// }
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// ```
pub struct ClientThrottle<C = SystemClock>(Arc<Shared<C>>);

struct Shared<C> {
    clock: C,
    config: ThrottleConfig,
    random: Random,
    /// Calls asked for, and in the place of slow ones those that were accepted.
    window: Mutex<Sliding>,
}

/// How readily a [`ClientThrottle`] refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct ThrottleConfig {
    /// How many calls may be asked for to one that is accepted, in percent. 200 lets twice as many pass as succeed, so that a
    /// recovery is noticed soon; less is kinder to the upstream.
    pub ratio: u32,
    /// How far back it looks. Trust comes back about as fast.
    #[cfg_attr(feature = "serde", serde(with = "crate::when::text"))]
    pub window: Duration,
    /// The most it refuses, in percent. The rest finds out whether the upstream is back.
    pub refuse_max: u32,
}

/// Two calls to one accepted, over half a minute; a twentieth always passes.
impl Default for ThrottleConfig {
    fn default() -> Self {
        Self {
            ratio: 200,
            window: Duration::from_secs(30),
            refuse_max: 95,
        }
    }
}

impl ThrottleConfig {
    /// The same with another ratio, in percent.
    #[must_use]
    pub const fn with_ratio(mut self, percent: u32) -> Self {
        self.ratio = percent;
        self
    }

    /// The same, refusing at most another share, in percent.
    #[must_use]
    pub const fn with_refuse_max(mut self, percent: u32) -> Self {
        self.refuse_max = percent;
        self
    }

    /// The same, looking back otherwise.
    #[must_use]
    pub const fn with_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }
}

impl ThrottleConfig {
    /// Whether a throttle can be built of it.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        error::number("throttle ratio", self.ratio.into(), 101, 10_000)?;
        error::number("throttle refuse_max", self.refuse_max.into(), 1, 99)?;
        let second = Duration::from_secs(1);
        error::duration("throttle window", self.window, second, Window::TIME_MAX)
    }

    /// The chance of a refusal as a part of a whole. In hundredths of calls, so that nothing is rounded.
    fn refusal(&self, seen: Counts) -> (u64, u64) {
        let carried = seen.slow.saturating_mul(self.ratio.into());
        let surplus = seen.calls.saturating_mul(100).saturating_sub(carried);
        let most = (seen.calls + 1).saturating_mul(self.refuse_max.into());
        (surplus.min(most), (seen.calls + 1).saturating_mul(100))
    }
}

impl<C: Clock> ClientThrottle<C> {
    /// A throttle that has seen nothing and refuses nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless the ratio is from 101 to 10,000 percent, the window from 1 s to a day, and the most it refuses from 1
    /// to 99 percent.
    pub fn new(config: ThrottleConfig, clock: C) -> Result<Self, ConfigError> {
        Self::with_random(config, clock, Random::from_system())
    }

    /// The same, with chances of the host's own.
    ///
    /// # Errors
    ///
    /// As [`new`](ClientThrottle::new).
    pub fn with_random(
        config: ThrottleConfig,
        clock: C,
        random: Random,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self(Arc::new(Shared {
            clock,
            config,
            random,
            window: Mutex::new(Sliding::new(Window::Time(config.window))),
        })))
    }

    /// One like it that has seen nothing. For one throttle for each upstream.
    #[must_use]
    pub fn another(&self) -> Self
    where
        C: Clone,
    {
        Self(Arc::new(Shared {
            clock: self.0.clock.clone(),
            config: self.0.config,
            random: Random::seeded(self.0.random.next()),
            window: Mutex::new(Sliding::new(Window::Time(self.0.config.window))),
        }))
    }

    /// May the upstream be asked? Every question counts as a request: one that is refused here at once, one that is let through
    /// when its outcome is told. Counted any sooner, calls that take long would look like calls that were turned away.
    pub fn ask(&self) -> Decision<Asked<C>, RetryAfter> {
        let now = self.0.clock.instant();
        let random = self.0.random.next();
        let mut window = self.0.lock();
        let (part, whole) = self.0.config.refusal(window.counts(now));
        // Compared without dividing: random / 2^64 < part / whole.
        if u128::from(random) * u128::from(whole) < u128::from(part) << 64 {
            window.record(mark(false), now);
            return Decision::Deny(RetryAfter::Unknown);
        }
        drop(window);
        Decision::Allow(Asked {
            shared: Arc::clone(&self.0),
            told: false,
        })
    }

    /// How many of a hundred calls it would refuse now.
    #[must_use]
    pub fn refuses_percent(&self) -> u32 {
        let now = self.0.clock.instant();
        let seen = self.0.lock().counts(now);
        let (part, whole) = self.0.config.refusal(seen);
        // A part of a whole is at most a hundred percent.
        u32::try_from(u128::from(part) * 100 / u128::from(whole)).unwrap_or(100)
    }

    /// The failure of a call that was refused here: ours, and not made.
    #[must_use]
    pub fn refused() -> Failure {
        Failure::new(ErrorKind::Overloaded)
            .with_fault(Fault::Us)
            .with_advice(RetryAfter::Unknown)
            .not_processed()
    }
}

impl<C: Clock> Shared<C> {
    /// The window is whole after every step, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Sliding> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, accepted: bool) {
        let now = self.clock.instant();
        self.lock().record(mark(accepted), now);
    }
}

/// A request, and whether it was accepted.
const fn mark(accepted: bool) -> Mark {
    Mark {
        call: true,
        failed: false,
        slow: accepted,
    }
}

impl<C> Clone for ClientThrottle<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> fmt::Debug for ClientThrottle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientThrottle")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}

/// A call that a [`ClientThrottle`] let through. Say how it went.
///
/// Dropped without a word, the call counts as accepted: somebody who walks away is no sign of overload.
#[must_use = "a call that nobody tells about counts as accepted"]
pub struct Asked<C: Clock = SystemClock> {
    shared: Arc<Shared<C>>,
    told: bool,
}

impl<C: Clock> Asked<C> {
    /// The call ended as a [`Classify`](crate::Classify) says. Only what overload causes counts as not accepted: an upstream that
    /// finds a request malformed had the strength to look.
    pub fn outcome(mut self, failure: Option<&Failure>) {
        let turned_away = matches!(
            failure.map(Failure::kind),
            Some(
                ErrorKind::RateLimited
                    | ErrorKind::Overloaded
                    | ErrorKind::Timeout
                    | ErrorKind::Unavailable
            )
        );
        self.told = true;
        self.shared.told(!turned_away);
    }
}

impl<C: Clock> Drop for Asked<C> {
    fn drop(&mut self) {
        if !self.told {
            self.shared.told(true);
        }
    }
}

impl<C: Clock> fmt::Debug for Asked<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asked")
    }
}
