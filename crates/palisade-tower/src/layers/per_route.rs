use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::Extensions;
use palisade_core::Key;
use palisade_resilience::{Deadline, Failure};

use super::{
    admit::{Admit, Held, Refused},
    breaker::key,
};

/// One guard for each upstream and model, as the [`Route`](crate::Route) names them, made when it is first needed.
///
/// A limit learnt from one model says nothing of another, and a slow one must not fill the places of the fast ones.
///
/// **The limit.** At most [`KEYS_MAX`](PerRoute::KEYS_MAX) guards are made; routes beyond that share one.
pub struct PerRoute<G> {
    make: Box<dyn Fn() -> G + Send + Sync>,
    made: Mutex<Made<G>>,
}

struct Made<G> {
    guards: HashMap<Key, Arc<G>>,
    shared: Option<Arc<G>>,
}

impl<G> PerRoute<G> {
    /// The most guards, besides the shared one.
    pub const KEYS_MAX: usize = 1_024;

    /// Guards that `make` makes.
    #[must_use]
    pub fn new(make: impl Fn() -> G + Send + Sync + 'static) -> Self {
        Self {
            make: Box::new(make),
            made: Mutex::new(Made {
                guards: HashMap::new(),
                shared: None,
            }),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().guards.len()
    }

    /// Whether none has been needed yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn of(&self, key: Key) -> Arc<G> {
        let mut made = self.lock();
        if let Some(guard) = made.guards.get(&key) {
            return Arc::clone(guard);
        }
        if made.guards.len() >= Self::KEYS_MAX {
            let shared = made.shared.get_or_insert_with(|| Arc::new((self.make)()));
            return Arc::clone(shared);
        }
        let guard = Arc::new((self.make)());
        made.guards.insert(key, Arc::clone(&guard));
        guard
    }

    /// The map is whole after every statement, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Made<G>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<G> fmt::Debug for PerRoute<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerRoute")
            .field("guards", &self.len())
            .finish_non_exhaustive()
    }
}

impl<G: Admit> Admit for PerRoute<G> {
    type Held = G::Held;

    async fn admit(
        &self,
        extensions: &Extensions,
        until: Option<Deadline>,
    ) -> Result<G::Held, Refused> {
        let guard = self.of(key(extensions.get()));
        guard.admit(extensions, until).await
    }
}

/// A guard that may be switched off: nothing lets everything pass.
impl<G: Admit> Admit for Option<G> {
    type Held = Option<G::Held>;

    async fn admit(
        &self,
        extensions: &Extensions,
        until: Option<Deadline>,
    ) -> Result<Option<G::Held>, Refused> {
        match self {
            Some(guard) => guard.admit(extensions, until).await.map(Some),
            None => Ok(None),
        }
    }
}

impl<H: Held> Held for Option<H> {
    fn answered(&mut self, failure: Option<&Failure>) {
        if let Some(held) = self {
            held.answered(failure);
        }
    }

    fn ended(self, failure: Option<&Failure>) {
        if let Some(held) = self {
            held.ended(failure);
        }
    }
}

/// Both must let it pass; the first is asked first, and what it gave is given back if the second refuses.
impl<A: Admit, B: Admit> Admit for (A, B) {
    type Held = (A::Held, B::Held);

    async fn admit(
        &self,
        extensions: &Extensions,
        until: Option<Deadline>,
    ) -> Result<Self::Held, Refused> {
        let first = self.0.admit(extensions, until).await?;
        let second = self.1.admit(extensions, until).await?;
        Ok((first, second))
    }
}

impl<A: Held, B: Held> Held for (A, B) {
    fn answered(&mut self, failure: Option<&Failure>) {
        self.0.answered(failure);
        self.1.answered(failure);
    }

    fn ended(self, failure: Option<&Failure>) {
        self.0.ended(failure);
        self.1.ended(failure);
    }
}
