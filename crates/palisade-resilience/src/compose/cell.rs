use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use palisade_core::{Clock, SystemClock};

use super::{
    config::{PolicyConfig, UnsoundPolicy},
    policy::Policy,
};

/// A [`Policy`] that can be changed while calls are under way.
///
/// A call takes the policy that holds when it begins and keeps it to its end, so a change drops nothing and surprises
/// nobody in the middle. What was not changed goes on as it is: an open breaker stays open, what was spent stays spent, and
/// calls under way keep their places. A budget that is changed begins with what is left of the old one; a breaker that is
/// changed begins closed, a throttle has seen nothing, an adaptive limit begins where it is told to and does not count the calls
/// that the old one let in; a gate stays shut. A configuration that is refused changes nothing.
///
/// ```
/// use palisade_core::{Key, SystemClock};
/// use palisade_resilience::{Policy, PolicyCell, PolicyConfig, RetryConfig};
///
/// let config = PolicyConfig::new("acme").with_retry(RetryConfig::default());
/// let cell = PolicyCell::new(Policy::new(config.clone(), Key::global(), SystemClock)?);
/// let under_way = cell.load();
///
/// cell.change(config.clone().with_retry(RetryConfig::default().with_attempts(5)))?;
/// assert_eq!(cell.load().to_string(), "acme: retry 5 > call");
/// assert_eq!(under_way.to_string(), "acme: retry 3 > call");
///
/// let wrong = config.with_retry(RetryConfig::default().with_attempts(0));
/// assert_eq!(
///     cell.change(wrong).unwrap_err().to_string(),
///     r#"the policy of "acme" is refused: retry.attempts: retry attempts is 0; it must be from 1 to 100"#,
/// );
/// assert_eq!(cell.load().to_string(), "acme: retry 5 > call");
/// # Ok::<(), palisade_resilience::UnsoundPolicy>(())
/// ```
pub struct PolicyCell<K: Clock = SystemClock>(RwLock<Arc<Policy<K>>>);

impl<K: Clock + Clone> PolicyCell<K> {
    /// A cell that begins with `policy`.
    #[must_use]
    pub fn new(policy: Policy<K>) -> Self {
        Self(RwLock::new(Arc::new(policy)))
    }

    /// The policy that holds now.
    #[must_use]
    pub fn load(&self) -> Arc<Policy<K>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the policy for calls that begin from now on.
    ///
    /// The limit on concurrency is one for all calls, so it holds at once; those under way are not cut off.
    ///
    /// # Errors
    ///
    /// [`UnsoundPolicy`], with every field that is wrong. The old policy then stays.
    pub fn change(&self, config: PolicyConfig) -> Result<(), UnsoundPolicy> {
        // Built under the lock, so that of two changes at once the later takes over from the earlier.
        let mut policy = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *policy = Arc::new(Policy::succeed(&policy, config)?);
        Ok(())
    }
}

impl<K: Clock> fmt::Debug for PolicyCell<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyCell")
    }
}
