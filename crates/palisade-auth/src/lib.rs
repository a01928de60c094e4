#![doc = include_str!("../README.md")]

mod api_key;
mod api_keys;
mod authenticator;
mod base32;
mod cache;
mod credentials;
mod error;
mod key_store;
mod memory;
mod principal;

pub use api_key::{ApiKey, KeyDigest, KeyId};
pub use api_keys::{ApiKeys, IssueRequest, Issued};
pub use authenticator::{Authenticator, DynAuthenticator, Reason, Refusal};
pub use credentials::Credentials;
pub use error::{ApiKeyError, CredentialsError, IssueError, PrincipalError};
pub use key_store::{DynKeyStore, KeyPage, KeyStore, ListRequest, StoredKey};
pub use memory::InMemory;
pub use principal::{Principal, Role};
