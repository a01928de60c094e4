use std::{fmt, future::Future, sync::Arc};

use async_trait::async_trait;
use palisade_core::{StoreError, Timestamp};

use crate::{KeyDigest, KeyId, Principal};

/// Where API keys are kept: as digests, never as keys.
///
/// # Contract
///
/// - *What was put is found*, unchanged, until it is revoked; then it is found as revoked. Nothing is ever deleted by
///   this port: an id once used stays used, and the log can say whose it was.
/// - *Revoking is for good.* The first revocation's time stands, and no `put` undoes it.
/// - *Seen at once.* After `put` or `revoke` has answered, every `find` and `list` sees it.
///
/// # Cancel safety
///
/// A dropped `put` or `revoke` may or may not have taken effect. Both may be repeated.
pub trait KeyStore: Send + Sync {
    /// The key of this id.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer.
    fn find(&self, id: KeyId)
    -> impl Future<Output = Result<Option<StoredKey>, StoreError>> + Send;

    /// Keeps a new key. `false` if its id is taken; the key that has it is left as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer; [`Unwritable`](palisade_core::StoreErrorKind::Unwritable) if the store is
    /// full.
    fn put(&self, key: StoredKey) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Takes a key back at the given time. `false` if there is no such key; `true` if there is one, which is revoked now,
    /// or was before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer: the key may still be valid, so ask again.
    fn revoke(
        &self,
        id: KeyId,
        at: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The keys of an organisation or a project, revoked and expired ones among them, page by page, in an order of their
    /// ids that does not change.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer.
    fn list(
        &self,
        request: ListRequest<'_>,
    ) -> impl Future<Output = Result<KeyPage, StoreError>> + Send;
}

/// What a store keeps of an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredKey {
    /// The id.
    pub id: KeyId,
    /// The digest of the key.
    pub digest: KeyDigest,
    /// Whose key it is, and what it may do. Its [`key_id`](Principal::key_id) is the id.
    pub principal: Principal,
    /// What the owner calls it, such as `ci`; may be empty.
    pub label: String,
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it is not valid any more, if it expires.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl StoredKey {
    /// The longest label, in bytes.
    pub const LABEL_BYTES_MAX: usize = 128;

    /// A key that neither expires nor is revoked, without a label.
    #[must_use]
    pub fn new(id: KeyId, digest: KeyDigest, principal: Principal, created_at: Timestamp) -> Self {
        Self {
            id,
            digest,
            principal: principal.with_key_id(id),
            label: String::new(),
            created_at,
            expires_at: None,
            revoked_at: None,
        }
    }
}

/// Which keys to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListRequest<'a> {
    /// The organisation.
    pub org: &'a str,
    /// Only those of this project, if given.
    pub project: Option<&'a str>,
    /// Only those after this id: the [`next`](KeyPage::next) of the page before.
    pub after: Option<KeyId>,
    /// At most this many.
    limit: usize,
}

impl<'a> ListRequest<'a> {
    /// The most keys one page holds.
    pub const LIMIT_MAX: usize = 1_000;

    /// The first 100 keys of an organisation.
    #[must_use]
    pub const fn new(org: &'a str) -> Self {
        Self {
            org,
            project: None,
            after: None,
            limit: 100,
        }
    }

    /// The same for one project.
    #[must_use]
    pub const fn with_project(mut self, project: &'a str) -> Self {
        self.project = Some(project);
        self
    }

    /// The same from after this id.
    #[must_use]
    pub const fn with_after(mut self, id: KeyId) -> Self {
        self.after = Some(id);
        self
    }

    /// The same with at most this many keys: at least one, at most [`ListRequest::LIMIT_MAX`]; numbers outside are taken
    /// for the nearest.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit.clamp(1, Self::LIMIT_MAX);
        self
    }

    /// At most this many.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }
}

/// One page of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<StoredKey>,
    /// Where the next page begins after, if there is one.
    pub next: Option<KeyId>,
}

impl KeyPage {
    /// A page. For stores.
    #[must_use]
    pub const fn new(keys: Vec<StoredKey>, next: Option<KeyId>) -> Self {
        Self { keys, next }
    }
}

impl<S: KeyStore + ?Sized> KeyStore for Arc<S> {
    async fn find(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        (**self).find(id).await
    }

    async fn put(&self, key: StoredKey) -> Result<bool, StoreError> {
        (**self).put(key).await
    }

    async fn revoke(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        (**self).revoke(id, at).await
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<KeyPage, StoreError> {
        (**self).list(request).await
    }
}

/// A key store chosen at run time.
#[derive(Clone)]
pub struct DynKeyStore(Arc<dyn Erased>);

impl DynKeyStore {
    /// Hides which one it is.
    pub fn new(store: impl KeyStore + 'static) -> Self {
        Self(Arc::new(store))
    }
}

impl KeyStore for DynKeyStore {
    async fn find(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.0.find_erased(id).await
    }

    async fn put(&self, key: StoredKey) -> Result<bool, StoreError> {
        self.0.put_erased(key).await
    }

    async fn revoke(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        self.0.revoke_erased(id, at).await
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<KeyPage, StoreError> {
        self.0.list_erased(request).await
    }
}

impl fmt::Debug for DynKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynKeyStore")
    }
}

#[async_trait]
trait Erased: Send + Sync {
    async fn find_erased(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError>;
    async fn put_erased(&self, key: StoredKey) -> Result<bool, StoreError>;
    async fn revoke_erased(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError>;
    async fn list_erased(&self, request: ListRequest<'_>) -> Result<KeyPage, StoreError>;
}

#[async_trait]
impl<S: KeyStore> Erased for S {
    async fn find_erased(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.find(id).await
    }

    async fn put_erased(&self, key: StoredKey) -> Result<bool, StoreError> {
        self.put(key).await
    }

    async fn revoke_erased(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        self.revoke(id, at).await
    }

    async fn list_erased(&self, request: ListRequest<'_>) -> Result<KeyPage, StoreError> {
        self.list(request).await
    }
}
