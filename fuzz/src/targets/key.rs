use palisade_core::{Dimension, Key};

pub(super) const PIECES: &[&str] = &[
    "org=",
    "project=",
    "user=",
    "api_key=",
    "ip=",
    "model=",
    "custom_1=",
    "/",
    "=",
    "%",
    "%2F",
    "%2f",
    "%41",
    "acme",
    "a:b@c",
    "\u{e4}",
    "\u{0}",
];

/// A key and its text are one to one: a text that is read is the text that is written, and values come back byte by
/// byte.
pub fn key(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(key) = Key::parse(text)
    {
        assert_eq!(key.as_str(), text);
        let rebuilt = key
            .parts()
            .try_fold(Key::global(), |rebuilt, (dimension, value)| {
                rebuilt.with(dimension, value)
            });
        assert_eq!(rebuilt.as_ref(), Ok(&key));
    }
    // The same bytes as values of two parts.
    let (user, org) = data.split_at(data.len() / 2);
    let built = Key::new(Dimension::User, user).and_then(|key| key.with(Dimension::Org, org));
    let fits = user.len().max(org.len()) <= Key::VALUE_BYTES_MAX;
    assert_eq!(built.is_ok(), fits);
    if let Ok(key) = built {
        assert_eq!(Key::parse(key.as_str()).as_ref(), Ok(&key));
        assert_eq!(key.value(&Dimension::User).as_deref(), Some(user));
        assert_eq!(key.value(&Dimension::Org).as_deref(), Some(org));
    }
}
