use std::collections::HashSet;

use palisade_core::Key;

use crate::ListsError;

/// Keys that no limit counts, and keys that get nothing.
///
/// A listed key stands for every charge whose key is the same, begins with it, or has it as one of its parts: `org=acme` for
/// `org=acme/user=7`, and `ip=192.0.2.7` for `ip=192.0.2.7/endpoint=chat`. Who stands on both lists gets nothing.
///
/// ```
/// use palisade_core::Key;
/// use palisade_rate_limit::Lists;
///
/// let lists = Lists::new()
///     .with_free(Key::parse("org=us")?)?
///     .with_shut(Key::parse("ip=192.0.2.7")?)?;
/// # let _ = lists;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    free: HashSet<Box<str>>,
    shut: HashSet<Box<str>>,
}

/// What the lists say of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listed {
    /// No limit counts it.
    Free,
    /// It gets nothing.
    Shut,
}

impl Lists {
    /// The most keys both lists have together.
    pub const KEYS_MAX: usize = 1_000_000;

    /// Two empty lists.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, and no limit counts this key: the allow list.
    ///
    /// # Errors
    ///
    /// [`ListsError`] for the key of everything, or one too many.
    pub fn with_free(mut self, key: Key) -> Result<Self, ListsError> {
        self.check(&key)?;
        self.free.insert(key.as_str().into());
        Ok(self)
    }

    /// The same, and this key gets nothing: the deny list.
    ///
    /// # Errors
    ///
    /// [`ListsError`] for the key of everything, or one too many.
    pub fn with_shut(mut self, key: Key) -> Result<Self, ListsError> {
        self.check(&key)?;
        self.shut.insert(key.as_str().into());
        Ok(self)
    }

    /// What they say of a key; nothing, of most.
    #[must_use]
    pub fn say(&self, key: &Key) -> Option<Listed> {
        if self.is_empty() {
            return None;
        }
        let text = key.as_str();
        let has = |list: &HashSet<Box<str>>| {
            if list.is_empty() {
                return false;
            }
            let begins = text.match_indices('/').map(|(end, _)| &text[..end]);
            std::iter::once(text)
                .chain(begins)
                .chain(text.split('/'))
                .any(|part| list.contains(part))
        };
        if has(&self.shut) {
            return Some(Listed::Shut);
        }
        has(&self.free).then_some(Listed::Free)
    }

    /// Whether nobody is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.free.is_empty() && self.shut.is_empty()
    }

    fn check(&self, key: &Key) -> Result<(), ListsError> {
        if key.as_str().is_empty() {
            return Err(ListsError::Everything);
        }
        if self.free.len() + self.shut.len() >= Self::KEYS_MAX {
            return Err(ListsError::Full);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    #[test]
    fn a_listed_key_stands_for_all_that_it_is_a_part_of() {
        let lists = Lists::new()
            .with_free(key("org=us"))
            .and_then(|lists| lists.with_free(key("org=them/user=ann")))
            .and_then(|lists| lists.with_shut(key("ip=192.0.2.7")))
            .unwrap();
        for (text, said) in [
            ("org=us", Some(Listed::Free)),
            ("org=us/user=7", Some(Listed::Free)),
            ("org=us/ip=192.0.2.7", Some(Listed::Shut)),
            ("ip=192.0.2.7/endpoint=chat", Some(Listed::Shut)),
            ("org=them/user=ann/model=x", Some(Listed::Free)),
            ("user=ann", None),
            ("org=them", None),
            ("org=use", None),
            ("ip=192.0.2.70", None),
            ("", None),
        ] {
            assert_eq!(lists.say(&key(text)), said, "{text}");
        }
    }

    #[test]
    fn everybody_cannot_be_listed() {
        let error = Lists::new().with_shut(Key::global()).unwrap_err();
        assert_eq!(error, ListsError::Everything);
    }
}
