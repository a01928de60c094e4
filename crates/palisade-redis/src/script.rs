use std::sync::OnceLock;

use fred::util::sha1_hash;

/// A script and its digest. Its text names its version, so that two versions of this crate on one server never mistake one
/// for the other: a digest is of the text.
pub(crate) struct Script {
    text: &'static str,
    digest: OnceLock<String>,
}

impl Script {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self {
            text,
            digest: OnceLock::new(),
        }
    }

    pub(crate) const fn text(&self) -> &'static str {
        self.text
    }

    pub(crate) fn digest(&self) -> &str {
        self.digest.get_or_init(|| sha1_hash(self.text))
    }
}
