use std::{fmt, time::Duration};

use palisade_core::{Clock, Decision, StoreError, SystemClock, Timestamp};

use crate::{
    ApiKey, Authenticator, Credentials, IssueError, KeyDigest, KeyId, KeyStore, Principal, Reason,
    Refusal, StoredKey, cache::Cache,
};

/// Issues API keys, and knows them again.
///
/// A text that is no key of this service, or a mistyped one, is refused without asking the store.
///
/// Every request asks the store, so a revoked key stops working at once. Where that is too much,
/// [`with_cache`](ApiKeys::with_cache) remembers proven keys for a stated time, and a revocation by another process takes
/// that long to be felt here.
pub struct ApiKeys<S, C = SystemClock> {
    store: S,
    clock: C,
    cache: Option<Cache>,
}

/// A key to issue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssueRequest {
    /// Whose key it will be, and what it may do.
    pub principal: Principal,
    /// What its owner calls it; at most [`StoredKey::LABEL_BYTES_MAX`] bytes.
    pub label: String,
    /// When it stops working, if it does.
    pub expires_at: Option<Timestamp>,
}

impl IssueRequest {
    /// A key that does not expire, without a label.
    #[must_use]
    pub const fn new(principal: Principal) -> Self {
        Self {
            principal,
            label: String::new(),
            expires_at: None,
        }
    }

    /// The same with a label.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The same, valid until then.
    #[must_use]
    pub const fn with_expiry(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }
}

/// A key just issued: the key itself, to show once, and what was stored of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The key. After this it exists nowhere in the service.
    pub key: ApiKey,
    /// What was stored.
    pub stored: StoredKey,
}

impl<S: KeyStore, C: Clock> ApiKeys<S, C> {
    /// The longest time a proven key may be remembered: five minutes.
    pub const CACHE_TTL_MAX: Duration = Duration::from_secs(300);

    /// Keys in this store, by this clock, without a cache.
    #[must_use]
    pub const fn new(store: S, clock: C) -> Self {
        Self {
            store,
            clock,
            cache: None,
        }
    }

    /// The same, remembering up to 10,000 proven keys for this long: at most [`ApiKeys::CACHE_TTL_MAX`]. A revocation
    /// through this value is felt at once, one through another process after this time at the latest. Expiry is always
    /// felt at once.
    #[must_use]
    pub fn with_cache(mut self, ttl: Duration) -> Self {
        self.cache = Some(Cache::new(ttl.min(Self::CACHE_TTL_MAX)));
        self
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Makes a new key and stores its digest.
    ///
    /// # Errors
    ///
    /// [`IssueError`] if the request is wrong or the store did not keep it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, a key that nobody knows may have been stored. It opens nothing; revoke it when listing.
    pub async fn issue(&self, request: IssueRequest) -> Result<Issued, IssueError> {
        let now = self.clock.now();
        if request.label.len() > StoredKey::LABEL_BYTES_MAX {
            return Err(IssueError::Label {
                length: request.label.len(),
                max: StoredKey::LABEL_BYTES_MAX,
            });
        }
        if request.expires_at.is_some_and(|at| at <= now) {
            return Err(IssueError::Expired);
        }
        let key = ApiKey::generate().map_err(IssueError::Random)?;
        let mut stored = StoredKey::new(key.id(), key.digest(), request.principal, now);
        stored.label = request.label;
        stored.expires_at = request.expires_at;
        if self.store.put(stored.clone()).await? {
            Ok(Issued { key, stored })
        } else {
            Err(IssueError::Taken)
        }
    }

    /// Takes a key back, now. `false` if there is no such key.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer: the key may still be valid, so ask again.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the key may or may not be revoked. Asking again is safe.
    pub async fn revoke(&self, id: KeyId) -> Result<bool, StoreError> {
        let revoked = self.store.revoke(id, self.clock.now()).await;
        // After the store, also when it did not answer: whoever looked it up meanwhile is forgotten too.
        if let Some(cache) = &self.cache {
            cache.forget(id);
        }
        revoked
    }

    async fn find(&self, id: KeyId) -> Result<Found, StoreError> {
        let asked = self.clock.instant();
        if let Some(key) = self.cache.as_ref().and_then(|cache| cache.find(id, asked)) {
            return Ok(Found {
                key: Some(key),
                asked: None,
            });
        }
        let key = self.store.find(id).await?;
        Ok(Found {
            key,
            asked: Some(asked),
        })
    }

    fn judge(&self, key: &StoredKey, digest: KeyDigest) -> Result<(), Reason> {
        // The secret first: whoever does not have it learns nothing of the rest.
        if key.digest != digest {
            return Err(Reason::Wrong);
        }
        if key.revoked_at.is_some() {
            return Err(Reason::Revoked);
        }
        if key.expires_at.is_some_and(|at| at <= self.clock.now()) {
            return Err(Reason::Expired);
        }
        Ok(())
    }
}

/// What is known of a key, and when the store was asked for it, if it was.
struct Found {
    key: Option<StoredKey>,
    asked: Option<palisade_core::Instant>,
}

impl<S: KeyStore, C: Clock> Authenticator for ApiKeys<S, C> {
    async fn authenticate(
        &self,
        credentials: &Credentials,
    ) -> Result<Decision<Principal, Refusal>, StoreError> {
        let Ok(presented) = ApiKey::parse(credentials.token()) else {
            return Ok(Decision::Deny(Refusal::new(Reason::Malformed)));
        };
        let digest = presented.digest();
        let found = self.find(presented.id()).await?;
        let Some(key) = found.key else {
            // As much work as for a known one.
            let _ = std::hint::black_box(digest == KeyDigest::from_bytes([0; 32]));
            return Ok(Decision::Deny(Refusal::new(Reason::Unknown)));
        };
        if let Err(reason) = self.judge(&key, digest) {
            return Ok(Decision::Deny(Refusal::new(reason)));
        }
        let principal = key.principal.clone();
        if let (Some(cache), Some(asked)) = (&self.cache, found.asked) {
            cache.put(key, asked);
        }
        Ok(Decision::Allow(principal))
    }
}

impl<S: fmt::Debug, C> fmt::Debug for ApiKeys<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("store", &self.store)
            .field("cached", &self.cache.is_some())
            .finish_non_exhaustive()
    }
}
