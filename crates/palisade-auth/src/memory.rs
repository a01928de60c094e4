use std::{
    collections::BTreeMap,
    fmt,
    ops::Bound,
    sync::{PoisonError, RwLock},
};

use palisade_core::{StoreError, StoreErrorKind, Timestamp};

use crate::{KeyId, KeyPage, KeyStore, ListRequest, StoredKey};

/// API keys in the memory of one process: for tests, and for services whose few keys come from a configuration.
///
/// Bounded: once it holds as many keys as it was made for, `put` answers
/// [`Unwritable`](StoreErrorKind::Unwritable). Revoked keys count, since an id once used stays used.
pub struct InMemory {
    keys: RwLock<BTreeMap<KeyId, StoredKey>>,
    capacity: usize,
}

impl InMemory {
    /// How many keys it holds by default.
    pub const CAPACITY_DEFAULT: usize = 10_000;

    /// An empty store for at most this many keys.
    #[must_use]
    pub const fn with_capacity(capacity: usize) -> Self {
        Self {
            keys: RwLock::new(BTreeMap::new()),
            capacity,
        }
    }
}

impl Default for InMemory {
    fn default() -> Self {
        Self::with_capacity(Self::CAPACITY_DEFAULT)
    }
}

impl KeyStore for InMemory {
    async fn find(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.get(&id).cloned())
    }

    async fn put(&self, key: StoredKey) -> Result<bool, StoreError> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.contains_key(&key.id) {
            return Ok(false);
        }
        if keys.len() >= self.capacity {
            return Err(StoreError::new(
                StoreErrorKind::Unwritable,
                "storing an API key",
            ));
        }
        keys.insert(key.id, key);
        Ok(true)
    }

    async fn revoke(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = keys.get_mut(&id) else {
            return Ok(false);
        };
        key.revoked_at.get_or_insert(at);
        Ok(true)
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<KeyPage, StoreError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let from = request.after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = keys
            .range((from, Bound::Unbounded))
            .map(|(_, key)| key)
            .filter(|key| key.principal.org() == request.org)
            .filter(|key| {
                request
                    .project
                    .is_none_or(|project| key.principal.project() == Some(project))
            });
        let page: Vec<StoredKey> = found.by_ref().take(request.limit()).cloned().collect();
        let next = found.next().and_then(|_| page.last()).map(|last| last.id);
        Ok(KeyPage::new(page, next))
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
