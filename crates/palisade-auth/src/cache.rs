use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use palisade_core::Instant;

use crate::{KeyId, StoredKey};

/// Keys that were found and proven a moment ago.
///
/// Only a key whose secret was right comes in, so strangers cannot fill it, and what is unknown is never remembered as
/// unknown. The secret is still compared each time: what is saved is the way to the store.
pub(crate) struct Cache {
    ttl: Duration,
    keys: Mutex<HashMap<KeyId, (Instant, StoredKey)>>,
}

/// Entries beyond this are not kept.
const ENTRIES_MAX: usize = 10_000;

impl Cache {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            keys: Mutex::default(),
        }
    }

    pub(crate) fn find(&self, id: KeyId, now: Instant) -> Option<StoredKey> {
        let mut keys = self.lock();
        let (until, key) = keys.get(&id)?;
        if now < *until {
            return Some(key.clone());
        }
        keys.remove(&id);
        None
    }

    /// Keeps a key that the store was asked for at `asked`: its age counts from then, not from when the answer came.
    pub(crate) fn put(&self, key: StoredKey, asked: Instant) {
        let until = asked.saturating_add(self.ttl);
        let mut keys = self.lock();
        if keys.len() >= ENTRIES_MAX {
            keys.retain(|_, (until, _)| asked < *until);
        }
        if keys.len() < ENTRIES_MAX {
            keys.insert(key.id, (until, key));
        }
    }

    pub(crate) fn forget(&self, id: KeyId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<KeyId, (Instant, StoredKey)>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
