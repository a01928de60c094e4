use std::{fmt, sync::LazyLock};

use crate::Scanner;

/// A value that shows itself redacted: whatever is printed, logged or serialised of it has passed a scanner.
///
/// A request that derives `Debug` ends up in a log one day. What the fields hold is not known beforehand, so it is looked
/// at when it is shown, not when it is made. The value itself is whole, for those who ask for it by name.
///
/// ```
/// use palisade_redaction::Redacted;
///
/// let prompt = Redacted::new("mail jo@mail.example about it".to_owned());
/// assert_eq!(format!("{prompt}"), "mail [REDACTED:email] about it");
/// assert_eq!(format!("{prompt:?}"), r#""mail [REDACTED:email] about it""#);
/// assert_eq!(prompt.expose(), "mail jo@mail.example about it");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redacted<T> {
    value: T,
}

/// Built once: what a value shows must not depend on who shows it.
static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::new);

impl<T> Redacted<T> {
    /// Shows `value` only redacted, by the built-in rules and the policy for outputs.
    pub const fn new(value: T) -> Self {
        Self { value }
    }

    /// The value as it is.
    pub const fn expose(&self) -> &T {
        &self.value
    }

    /// The value as it is, no longer guarded.
    pub fn into_exposed(self) -> T {
        self.value
    }
}

impl<T> From<T> for Redacted<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if f.alternate() {
            format!("{:#?}", self.value)
        } else {
            format!("{:?}", self.value)
        };
        f.write_str(&SCANNER.redact(&zeroize::Zeroizing::new(shown)))
    }
}

impl<T: fmt::Display> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&SCANNER.redact(&zeroize::Zeroizing::new(self.value.to_string())))
    }
}

/// Serialises the redacted text. It is read back as it is written, mask and all.
#[cfg(feature = "serde")]
impl<T: AsRef<str>> serde::Serialize for Redacted<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&SCANNER.redact(self.value.as_ref()))
    }
}

#[cfg(feature = "serde")]
impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Redacted<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}
