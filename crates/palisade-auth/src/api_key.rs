use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{ApiKeyError, base32};

/// An API key, with its secret.
///
/// ```text
/// pal_aebagbafaydqqcik_mvtgo2djnjvwy3lon5yhc4ttor2xm53ypf5hw7d5pz7ybamcqocaplfxrha
/// ─┬─ ───────┬──────── ─────────────────────────┬────────────────────────── ───┬───
/// kind       id              secret: 256 random bits, 52 characters        check sum
/// ```
///
/// - *The kind* makes a leaked key recognisable to scanners, and a foreign secret sent here by mistake to us.
/// - *The id* is not secret. It finds the key in the store and stands in logs.
/// - *The secret* comes from the operating system's generator.
/// - *The check sum* (CRC-32 over all before it) refuses a mistyped key without asking the store. It guards against typing
///   errors and load, not against attackers.
///
/// Show the text once, when the key is issued, and keep [`ApiKey::digest`]. The text is wiped from memory when this is
/// dropped, and no `Debug`, `Display` or serialisation shows it.
pub struct ApiKey {
    id: KeyId,
    text: Zeroizing<String>,
}

const KIND: &str = "pal_";
const ID_BYTES: usize = 10;
const SECRET_BYTES: usize = 32;
const CHECK_BYTES: usize = 4;
const ID_END: usize = KIND.len() + base32::length(ID_BYTES);
const SECRET_END: usize = ID_END + 1 + base32::length(SECRET_BYTES);

impl ApiKey {
    /// How long the text of every key is, in bytes.
    pub const LENGTH: usize = SECRET_END + base32::length(CHECK_BYTES);

    /// A new key, never seen before.
    ///
    /// # Errors
    ///
    /// [`getrandom::Error`] if the operating system gives no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut id = [0; ID_BYTES];
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        getrandom::fill(&mut id)?;
        getrandom::fill(&mut *secret)?;
        Ok(Self::assemble(KeyId(id), &secret))
    }

    /// Reads a key that somebody presents.
    ///
    /// # Errors
    ///
    /// [`ApiKeyError`] if it is none. Nothing was compared with any key yet.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        let Some(rest) = text.strip_prefix(KIND) else {
            return Err(ApiKeyError::Foreign);
        };
        let malformed = ApiKeyError::Malformed { length: text.len() };
        let bytes = text.as_bytes();
        if text.len() != Self::LENGTH || bytes[ID_END] != b'_' {
            return Err(malformed);
        }
        let id = base32::decode(&rest.as_bytes()[..ID_END - KIND.len()]).ok_or(malformed)?;
        // Read only to see that it can be: one secret has one text.
        base32::decode(&bytes[ID_END + 1..SECRET_END])
            .map(Zeroizing::<[u8; SECRET_BYTES]>::new)
            .ok_or(malformed)?;
        let sum: [u8; CHECK_BYTES] = base32::decode(&bytes[SECRET_END..]).ok_or(malformed)?;
        if sum != check_sum(&bytes[..SECRET_END]) {
            return Err(ApiKeyError::Mistyped);
        }
        Ok(Self {
            id: KeyId(id),
            text: Zeroizing::new(text.to_owned()),
        })
    }

    /// The id: public, and the way to the key in a store.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The whole text, secret included: for the eyes of its owner, once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What to store instead of the key.
    ///
    /// SHA-256 over the whole text. The id in it is the salt: no two keys share a digest. A slow password hash would
    /// protect guessable secrets; this one has 256 random bits, which no speed of hashing makes guessable, and every
    /// request would pay for it.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        let mut hash = Sha256::new();
        // A context, so that this digest is no valid digest of anything else.
        hash.update(b"palisade-auth api key v1\0");
        hash.update(self.text.as_bytes());
        KeyDigest(hash.finalize().into())
    }

    fn assemble(id: KeyId, secret: &[u8; SECRET_BYTES]) -> Self {
        // Its full length at once: a string that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(Self::LENGTH));
        text.push_str(KIND);
        base32::encode(&id.0, &mut text);
        text.push('_');
        base32::encode(secret, &mut text);
        let sum = check_sum(text.as_bytes());
        base32::encode(&sum, &mut text);
        Self { id, text }
    }
}

fn check_sum(text: &[u8]) -> [u8; CHECK_BYTES] {
    crc32fast::hash(text).to_be_bytes()
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({KIND}{}_…)", self.id)
    }
}

/// The public part of an API key: 80 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID_BYTES]);

impl KeyId {
    /// The id of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 10]) -> Self {
        Self(bytes)
    }

    /// The bytes. Their order is the order of ids; that of the texts is another, since digits come after letters here.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 10] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(base32::length(ID_BYTES));
        base32::encode(&self.0, &mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = ApiKeyError;

    fn from_str(text: &str) -> Result<Self, ApiKeyError> {
        base32::decode(text.as_bytes())
            .map(Self)
            .ok_or(ApiKeyError::Id { length: text.len() })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for KeyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for KeyId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What is kept of an API key's secret. Compared in constant time, so that the time of a refusal does not tell how much
/// of it was right. That is the only comparison there is.
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// A digest as a store has kept it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl ConstantTimeEq for KeyDigest {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for KeyDigest {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for KeyDigest {}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(…)")
    }
}
