use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError},
    time::Duration,
};

use palisade_core::{Clock, Decision, Instant, Key, RetryAfter, SystemClock, Timer};

use crate::{
    ConfigError, ErrorKind, Failure, Fault, Random, error, random,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering},
};

/// What one caller was told, all callers obey.
///
/// A provider that answers "429, come back in 20 s" means the account, not the request that happened to ask. Without a common
/// gate every other caller asks as well, is told the same, and keeps the account over its limit; and after the 20 s they all
/// come at once.
///
/// A gate is shut for a [`Key`], such as provider, model and credential, for as long as was told. Whoever asks meanwhile is told
/// to come back later than that by a part of the *spread*, each by another, so that they arrive one after the other.
///
/// **The limit.** At most [`limit`](PushbackGate::with_limit) keys are shut at a time (1,024 unless told otherwise). If one more
/// is told, the one that ends soonest is let go.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::{Dimension, Key, ManualClock, RetryAfter};
/// use palisade_resilience::PushbackGate;
///
/// let clock = ManualClock::default();
/// let gate = PushbackGate::new(clock.clone());
/// let key = Key::new(Dimension::Provider, "acme")?;
/// gate.push(&key, Duration::from_secs(20));
/// let wait = gate.ask(&key).denied().and_then(RetryAfter::duration).unwrap();
/// assert!(wait >= Duration::from_secs(20));
/// clock.advance(wait);
/// assert!(gate.ask(&key).is_allow());
/// # Ok::<(), palisade_core::KeyError>(())
/// ```
pub struct PushbackGate<C = SystemClock>(Arc<Shared<C>>);

struct Shared<C> {
    clock: C,
    random: Random,
    limit: usize,
    longest: Duration,
    /// How many are shut, as far as is known without the lock. None, nearly always.
    shut: AtomicU64,
    gates: Mutex<HashMap<Key, Shut>>,
}

#[derive(Clone, Copy)]
struct Shut {
    until: Instant,
    spread: Duration,
}

impl<C: Clock> PushbackGate<C> {
    /// The part of a wait over which the return is spread.
    const SPREAD: u32 = 4;
    /// The least spread, as 100 ms apart is together.
    const SPREAD_MIN: Duration = Duration::from_secs(1);
    /// The most keys that may be configured.
    pub const LIMIT_MAX: usize = 1 << 20;
    /// The longest wait that may be configured.
    pub const WAIT_MAX: Duration = Duration::from_secs(86_400);

    /// A gate that is shut for nobody, and for nobody longer than five minutes.
    #[must_use]
    pub fn new(clock: C) -> Self {
        Self(Arc::new(Shared {
            clock,
            random: Random::from_system(),
            limit: 1_024,
            longest: Duration::from_secs(300),
            shut: AtomicU64::new(0),
            gates: Mutex::default(),
        }))
    }

    /// The same, empty, with at most `limit` keys, and shut for at most `longest` however long was told.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless the limit is from 1 to [`LIMIT_MAX`](PushbackGate::LIMIT_MAX) and the time from 1 ms to
    /// [`WAIT_MAX`](PushbackGate::WAIT_MAX).
    pub fn with_limit(self, limit: usize, longest: Duration) -> Result<Self, ConfigError>
    where
        C: Clone,
    {
        let found = u64::try_from(limit).unwrap_or(u64::MAX);
        error::number("gate limit", found, 1, Self::LIMIT_MAX as u64)?;
        let ms = Duration::from_millis(1);
        error::duration("gate longest", longest, ms, Self::WAIT_MAX)?;
        Ok(Self(Arc::new(Shared {
            clock: self.0.clock.clone(),
            random: Random::seeded(self.0.random.next()),
            limit,
            longest,
            shut: AtomicU64::new(0),
            gates: Mutex::default(),
        })))
    }

    /// May the upstream be asked for `key`? If not, the advice is the caller's own, and later than what the server told.
    pub fn ask(&self, key: &Key) -> Decision {
        // A caller that misses a gate which is being shut at this moment was simply a moment earlier.
        if self.0.shut.load(Ordering::Acquire) == 0 {
            return Decision::Allow(());
        }
        let now = self.0.clock.instant();
        let mut gates = self.0.lock();
        let Some(shut) = gates.get(key).copied() else {
            return Decision::Allow(());
        };
        let left = shut.until.saturating_since(now);
        if left.is_zero() {
            gates.remove(key);
            self.0.count(&gates);
            return Decision::Allow(());
        }
        let later = random::part(shut.spread, self.0.random.next());
        Decision::Deny(RetryAfter::After(left.saturating_add(later)))
    }

    /// The server told that nobody should ask for `key` for so long. A longer word that was told before stands.
    pub fn push(&self, key: &Key, wait: Duration) {
        let wait = wait.min(self.0.longest);
        if wait.is_zero() {
            return;
        }
        let now = self.0.clock.instant();
        let new = Shut {
            until: now.saturating_add(wait),
            spread: (wait / Self::SPREAD).max(Self::SPREAD_MIN),
        };
        let mut gates = self.0.lock();
        if let Some(old) = gates.get_mut(key) {
            if old.until < new.until {
                *old = new;
            }
            return;
        }
        if gates.len() >= self.0.limit {
            gates.retain(|_, shut| shut.until > now);
        }
        if gates.len() >= self.0.limit {
            let soonest = gates.iter().min_by_key(|(_, shut)| shut.until);
            if let Some(key) = soonest.map(|(key, _)| key.clone()) {
                gates.remove(&key);
            }
        }
        gates.insert(key.clone(), new);
        self.0.count(&gates);
    }

    /// Shuts the gate if `failure` is a throttled or overloaded upstream's and says for how long.
    pub fn heard(&self, key: &Key, failure: &Failure) {
        let told = match failure.kind() {
            ErrorKind::RateLimited => true,
            // Unless a guard of ours was in trouble, and not the upstream.
            ErrorKind::Overloaded | ErrorKind::Unavailable => failure.fault() == Fault::Upstream,
            _ => false,
        };
        if let Some(wait) = failure.advice().and_then(RetryAfter::duration)
            && told
        {
            self.push(key, wait);
        }
    }

    /// Waits until the upstream may be asked for `key`, for up to `patience`; refused at once if that is not enough.
    ///
    /// # Cancel safety
    ///
    /// Nothing is held while waiting.
    pub async fn wait(&self, key: &Key, patience: Duration, timer: &impl Timer) -> Decision {
        let began = self.0.clock.instant();
        loop {
            let advice = match self.ask(key) {
                Decision::Allow(()) => return Decision::Allow(()),
                Decision::Deny(advice) => advice,
            };
            let spent = self.0.clock.instant().saturating_since(began);
            match advice.duration() {
                Some(wait) if wait <= patience.saturating_sub(spent) => timer.sleep(wait).await,
                _ => return Decision::Deny(advice),
            }
        }
    }

    /// Opens the gate for `key`, whatever was told.
    pub fn release(&self, key: &Key) {
        let mut gates = self.0.lock();
        gates.remove(key);
        self.0.count(&gates);
    }

    /// For whom it is shut, and how long yet, in the order of the keys.
    #[must_use]
    pub fn shut(&self) -> Vec<(Key, Duration)> {
        let now = self.0.clock.instant();
        let gates = self.0.lock();
        let mut shut: Vec<_> = gates
            .iter()
            .map(|(key, shut)| (key.clone(), shut.until.saturating_since(now)))
            .filter(|(_, left)| !left.is_zero())
            .collect();
        drop(gates);
        shut.sort();
        shut
    }
}

impl<C> Shared<C> {
    /// The map is whole after every statement, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Shut>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Under the lock of `gates`.
    fn count(&self, gates: &HashMap<Key, Shut>) {
        self.shut.store(gates.len() as u64, Ordering::Release);
    }
}

impl<C> Clone for PushbackGate<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> fmt::Debug for PushbackGate<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushbackGate")
            .field("shut", &self.0.lock().len())
            .finish_non_exhaustive()
    }
}
