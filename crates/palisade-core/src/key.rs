use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr, sync::Arc};

/// What a part of a [`Key`] identifies.
///
/// The order is the order of the parts in a key: from the widest circle to the narrowest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dimension {
    /// An organisation.
    Org,
    /// A project of an organisation.
    Project,
    /// A user.
    User,
    /// An API key, by its id and never by its secret.
    ApiKey,
    /// A session or conversation.
    Session,
    /// A network address.
    Ip,
    /// A route of the service.
    Endpoint,
    /// A provider of models.
    Provider,
    /// A model.
    Model,
    /// The name of a limit, a quota or a breaker, where several share one subject.
    Policy,
    /// Anything else a host counts by. The name is one to 32 characters of `a-z`, `0-9` and `_`.
    Custom(Cow<'static, str>),
}

impl Dimension {
    /// The name, as it stands in the text of a key.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Org => "org",
            Self::Project => "project",
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::Session => "session",
            Self::Ip => "ip",
            Self::Endpoint => "endpoint",
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Policy => "policy",
            Self::Custom(name) => name,
        }
    }

    /// The dimension of this name. A name that is not one of the named dimensions is a custom one.
    ///
    /// # Errors
    ///
    /// [`KeyError::Dimension`] if the name is not one to 32 characters of `a-z`, `0-9` and `_`.
    pub fn from_name(name: &str) -> Result<Self, KeyError> {
        Ok(match name {
            "org" => Self::Org,
            "project" => Self::Project,
            "user" => Self::User,
            "api_key" => Self::ApiKey,
            "session" => Self::Session,
            "ip" => Self::Ip,
            "endpoint" => Self::Endpoint,
            "provider" => Self::Provider,
            "model" => Self::Model,
            "policy" => Self::Policy,
            _ => {
                let fits = (1..=32).contains(&name.len())
                    && name
                        .bytes()
                        .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
                if !fits {
                    return Err(KeyError::Dimension { length: name.len() });
                }
                Self::Custom(Cow::Owned(name.to_owned()))
            }
        })
    }
}

/// Whom a decision is about: a set of named parts, such as *organisation acme, user alice, endpoint chat*.
///
/// A bare string invites collisions: `"acme:a" + ":" + "b"` and `"acme" + ":" + "a:b"` are one string and two tenants.
/// A key is built from parts, and its text form escapes every byte that could be read as structure. So two keys are
/// equal exactly if they have the same parts, in memory, in Redis, in SQL, whatever bytes the values hold. The order in
/// which the parts were given does not matter.
///
/// ```
/// use palisade_core::{Dimension, Key};
///
/// let key = Key::new(Dimension::User, "al/ice")?.with(Dimension::Org, "acme")?;
/// assert_eq!(key.as_str(), "org=acme/user=al%2Fice");
/// assert_eq!(key, Key::parse("org=acme/user=al%2Fice")?);
/// # Ok::<(), palisade_core::KeyError>(())
/// ```
///
/// Cloning is cheap. Keys appear in logs and stores: put ids into them, never secrets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The most bytes one value may have. Longer ones are refused: a store must not grow with what a stranger sends.
    pub const VALUE_BYTES_MAX: usize = 256;
    /// The most parts one key may have.
    pub const PARTS_MAX: usize = 8;

    /// The key of everything: it has no parts.
    #[must_use]
    pub fn global() -> Self {
        Self(Arc::from(""))
    }

    /// A key with one part.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the value is longer than [`Key::VALUE_BYTES_MAX`] or a custom dimension's name is not allowed.
    pub fn new(dimension: Dimension, value: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::global().with(dimension, value)
    }

    /// This key and one part more.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the value is too long, the dimension's name is not allowed, the key has that dimension already,
    /// or it has [`Key::PARTS_MAX`] parts.
    pub fn with(&self, dimension: Dimension, value: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let value = value.as_ref();
        // A custom dimension spelled like a named one *is* the named one.
        let dimension = Dimension::from_name(dimension.name())?;
        if value.len() > Self::VALUE_BYTES_MAX {
            return Err(KeyError::TooLong {
                dimension,
                length: value.len(),
            });
        }
        // The text is in order already, so the place of the new part is found by the names alone.
        let mut place = self.0.len();
        let (mut count, mut at) = (0, 0);
        for part in self.0.split('/').filter(|part| !part.is_empty()) {
            let name = part.split_once('=').map_or(part, |(name, _)| name);
            match rank(name).cmp(&rank(dimension.name())) {
                Ordering::Equal => return Err(KeyError::Repeated { dimension }),
                Ordering::Greater => place = place.min(at),
                Ordering::Less => {}
            }
            count += 1;
            at += part.len() + 1;
        }
        if count == Self::PARTS_MAX {
            return Err(KeyError::TooManyParts);
        }
        let (before, after) = self.0.split_at(place);
        let mut text =
            String::with_capacity(self.0.len() + dimension.name().len() + value.len() + 2);
        text.push_str(before);
        // Something stands before the new part without a slash only if the part comes last.
        if after.is_empty() && !before.is_empty() {
            text.push('/');
        }
        push_part(&mut text, &dimension, value);
        if !after.is_empty() {
            text.push('/');
            text.push_str(after);
        }
        Ok(Self(text.into()))
    }

    /// Reads the text form back.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the text is not one that [`Key::as_str`] gives.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut key = Self::global();
        if text.is_empty() {
            return Ok(key);
        }
        for part in text.split('/') {
            let (name, value) = part.split_once('=').ok_or(KeyError::Malformed)?;
            let value = unescape(value).ok_or(KeyError::Malformed)?;
            key = key.with(Dimension::from_name(name)?, value)?;
        }
        // One key, one text: an unsorted or over-escaped spelling would be a second name for the same thing.
        if &*key.0 == text {
            Ok(key)
        } else {
            Err(KeyError::Malformed)
        }
    }

    /// The text form: printable ASCII, injective, the same for every order of the parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts, from the widest dimension to the narrowest.
    pub fn parts(&self) -> impl Iterator<Item = (Dimension, Cow<'_, [u8]>)> + '_ {
        self.0
            .split('/')
            .filter(|part| !part.is_empty())
            .filter_map(|part| {
                // Both always succeed: the text was built by `push_part`.
                let (name, value) = part.split_once('=')?;
                Some((Dimension::from_name(name).ok()?, unescape(value)?))
            })
    }

    /// The part of one dimension as it stands in the text, name and all: escaped, so that two values never look alike. For stores
    /// that keep parts apart.
    #[must_use]
    pub fn part(&self, dimension: &Dimension) -> Option<&str> {
        self.0
            .split('/')
            .find(|part| part.split('=').next() == Some(dimension.name()))
    }

    /// The value of one dimension.
    #[must_use]
    pub fn value(&self, dimension: &Dimension) -> Option<Cow<'_, [u8]>> {
        self.parts()
            .find(|(present, _)| present == dimension)
            .map(|(_, value)| value)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Why a key could not be built. It names lengths and dimensions, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A value is longer than a store should have to hold.
    #[error("the value of {name} has {length} bytes; at most {max} are allowed", name = dimension.name(), max = Key::VALUE_BYTES_MAX)]
    TooLong {
        /// The dimension whose value it is.
        dimension: Dimension,
        /// The length found, in bytes.
        length: usize,
    },
    /// A dimension was given twice.
    #[error("the key has a part {name} already", name = dimension.name())]
    Repeated {
        /// The dimension.
        dimension: Dimension,
    },
    /// The key is full.
    #[error("a key has at most {} parts", Key::PARTS_MAX)]
    TooManyParts,
    /// A custom dimension's name is not allowed.
    #[error("a dimension's name is 1 to 32 characters of a-z, 0-9 and _; found {length} bytes")]
    Dimension {
        /// The length found, in bytes.
        length: usize,
    },
    /// The text is not the text form of a key.
    #[error(
        "not the text of a key; expected dimension=value parts joined by /, such as org=acme/user=7"
    )]
    Malformed,
}

/// Where a part stands among the others: the named dimensions in their order, then the custom ones by name.
fn rank(name: &str) -> (usize, &str) {
    const NAMED: [&str; 10] = [
        "org", "project", "user", "api_key", "session", "ip", "endpoint", "provider", "model",
        "policy",
    ];
    match NAMED.iter().position(|named| *named == name) {
        Some(place) => (place, ""),
        None => (NAMED.len(), name),
    }
}

fn push_part(text: &mut String, dimension: &Dimension, value: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    text.push_str(dimension.name());
    text.push('=');
    for &byte in value {
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// The unreserved characters of RFC 3986 §2.3, and `:` and `@`, which addresses and model names use.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'@')
}

fn unescape(text: &str) -> Option<Cow<'_, [u8]>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (hex(*rest.next()?)?, hex(*rest.next()?)?);
            bytes.push(high << 4 | low);
        } else {
            bytes.push(byte);
        }
    }
    Some(Cow::Owned(bytes))
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
