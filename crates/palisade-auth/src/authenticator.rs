use std::{fmt, future::Future, sync::Arc};

use async_trait::async_trait;
use palisade_core::{Decision, StoreError};

use crate::{Credentials, Principal};

/// Who asks?
///
/// # Contract
///
/// - *Refusals are alike.* Whether credentials are unknown, wrong, expired or revoked, the answer a client can see is the
///   same, and takes about the same time.
/// - *No answer is not a yes.* An `Err` means that nobody knows who asks. A host closes the door then.
///
/// # Cancel safety
///
/// Asking changes nothing, so a dropped future leaves nothing behind.
pub trait Authenticator: Send + Sync {
    /// Says who brings these credentials.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there was no answer.
    fn authenticate(
        &self,
        credentials: &Credentials,
    ) -> impl Future<Output = Result<Decision<Principal, Refusal>, StoreError>> + Send;
}

/// The credentials prove nothing.
///
/// As text it says no more than that, whatever the reason. The reason is for the service's own audit log: a revoked key
/// still in use is worth knowing about.
#[derive(Clone, Copy)]
pub struct Refusal {
    reason: Reason,
}

/// Why credentials were refused. Never tell the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// They are of no kind that is known here, or mistyped.
    Malformed,
    /// Nothing is known of them.
    Unknown,
    /// The secret is not the right one.
    Wrong,
    /// Their time is over.
    Expired,
    /// They were taken back.
    Revoked,
}

impl Refusal {
    /// A refusal for this reason.
    #[must_use]
    pub const fn new(reason: Reason) -> Self {
        Self { reason }
    }

    /// Why, for the audit log.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The value of the `WWW-Authenticate` field that goes with status 401 (RFC 9110 §11.6.1, RFC 6750 §3).
    #[must_use]
    pub const fn challenge(&self) -> &'static str {
        "Bearer error=\"invalid_token\""
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the credentials are not valid")
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Alike here too: a `{:?}` in an error page is an easy slip. Who wants the reason asks for it.
        f.write_str("Refusal")
    }
}

impl<A: Authenticator + ?Sized> Authenticator for Arc<A> {
    async fn authenticate(
        &self,
        credentials: &Credentials,
    ) -> Result<Decision<Principal, Refusal>, StoreError> {
        (**self).authenticate(credentials).await
    }
}

/// An authenticator chosen at run time.
#[derive(Clone)]
pub struct DynAuthenticator(Arc<dyn Erased>);

impl DynAuthenticator {
    /// Hides which one it is.
    pub fn new(authenticator: impl Authenticator + 'static) -> Self {
        Self(Arc::new(authenticator))
    }
}

impl Authenticator for DynAuthenticator {
    async fn authenticate(
        &self,
        credentials: &Credentials,
    ) -> Result<Decision<Principal, Refusal>, StoreError> {
        self.0.authenticate_erased(credentials).await
    }
}

impl fmt::Debug for DynAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynAuthenticator")
    }
}

#[async_trait]
trait Erased: Send + Sync {
    async fn authenticate_erased(
        &self,
        credentials: &Credentials,
    ) -> Result<Decision<Principal, Refusal>, StoreError>;
}

#[async_trait]
impl<A: Authenticator> Erased for A {
    async fn authenticate_erased(
        &self,
        credentials: &Credentials,
    ) -> Result<Decision<Principal, Refusal>, StoreError> {
        self.authenticate(credentials).await
    }
}
