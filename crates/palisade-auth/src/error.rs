use palisade_core::StoreError;

use crate::{Credentials, Principal};

/// Why a text is not an API key. It never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// It does not begin as this service's keys do: it is a secret of somebody else.
    #[error("not a key of this service: its keys begin with pal_")]
    Foreign,
    /// It is cut short, has something added, or holds characters that no key has.
    #[error("a key has 80 characters of a-z, 2-7 and _; found {length} bytes, or others")]
    Malformed {
        /// The length found, in bytes.
        length: usize,
    },
    /// The check sum does not match: a character was mistyped.
    #[error("the key was mistyped: its check sum does not match")]
    Mistyped,
    /// The text of an id alone is not one.
    #[error("a key's id has 16 characters of a-z and 2-7; found {length} bytes, or others")]
    Id {
        /// The length found, in bytes.
        length: usize,
    },
}

/// Why a request's header fields hold no credentials. It never repeats them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// There is neither an `Authorization` nor an `x-api-key` field.
    #[error("no credentials; send Authorization: Bearer <key> or x-api-key: <key>")]
    Missing,
    /// `Authorization` uses another scheme.
    #[error("the only scheme of Authorization understood here is Bearer")]
    Scheme,
    /// The token is empty or holds characters that no token has.
    #[error("a token is made of letters, digits and - . _ ~ + / with = at the end")]
    Malformed,
    /// The token is longer than anything that is one.
    #[error("a token has at most {max} bytes; found {length}", max = Credentials::TOKEN_BYTES_MAX)]
    TooLong {
        /// The length found, in bytes.
        length: usize,
    },
    /// Both fields are there and say different things. Guessing which is meant would let one smuggle past a proxy that
    /// looks at the other.
    #[error("Authorization and x-api-key differ; send one of them")]
    Ambiguous,
}

/// Why a principal cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrincipalError {
    /// An id is empty or longer than a key can hold.
    #[error("the {part} id must have 1 to {max} bytes; found {length}", max = Principal::ID_BYTES_MAX)]
    Id {
        /// Whose id it is: `organisation`, `project` or `user`.
        part: &'static str,
        /// The length found, in bytes.
        length: usize,
    },
    /// The text names no role.
    #[error("a role is one of viewer, developer, admin, owner")]
    Role,
}

/// Why a key could not be issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random(#[source] getrandom::Error),
    /// The key would be born expired.
    #[error("the key would expire before it is issued")]
    Expired,
    /// The label is too long to keep.
    #[error("a label has at most {max} bytes; found {length}")]
    Label {
        /// The length found, in bytes.
        length: usize,
        /// The most a label may have.
        max: usize,
    },
    /// The id is taken. It has 80 random bits: look at the source of randomness.
    #[error("a fresh random id is taken already; the source of randomness is broken")]
    Taken,
    /// The store gave no answer.
    #[error("the key could not be stored")]
    Store(#[from] StoreError),
}
