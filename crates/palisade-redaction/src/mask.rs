use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::{kind::Label, redactor::Sink, view::View};

/// How many bytes of a secret a partial mask may ever show.
pub const PARTIAL_MAX: usize = 4;

/// What is written in place of what was found.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Mask {
    /// `[REDACTED:github_pat]`: the rule and nothing else, no byte and no length. The default.
    #[default]
    Full,
    /// The last few characters stay, as in `[REDACTED:credit_card:…4242]`: never more than [`PARTIAL_MAX`] bytes and
    /// never more than an eighth of what was found, and nothing at all of a private key.
    Partial {
        /// How many bytes to show at most.
        shown: usize,
    },
    /// `[REDACTED:github_pat:5f0c91ab27e4d380]`: the same value gives the same token under the same key, so that
    /// findings can be matched with one another. Without the key the value cannot be guessed and tried.
    Hash(HashKey),
}

impl Mask {
    /// A keyed hash of what was found.
    #[must_use]
    pub fn hash(key: HashKey) -> Self {
        Self::Hash(key)
    }

    pub(crate) fn writer(&self, label: Label) -> MaskWriter {
        let seen = match self {
            Self::Full => Seen::Nothing,
            Self::Partial { shown } => Seen::Tail {
                shown: (*shown).min(PARTIAL_MAX),
                tail: Zeroizing::new([0; PARTIAL_MAX]),
                length: 0,
            },
            Self::Hash(key) => Seen::Hash(Box::new(blake3::Hasher::new_keyed(&key.0))),
        };
        MaskWriter { label, seen }
    }
}

/// Shows the mode, never the key.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("Full"),
            Self::Partial { shown } => write!(f, "Partial({shown})"),
            Self::Hash(_) => f.write_str("Hash"),
        }
    }
}

/// The key of a hashing mask: 32 bytes, wiped when dropped.
#[derive(Clone)]
pub struct HashKey(pub(crate) Zeroizing<[u8; 32]>);

impl HashKey {
    /// A key of 32 random bytes. Keep it: another key gives other tokens.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey")
    }
}

/// Takes in what is to be masked, piece by piece, and writes the mask at the end.
pub(crate) struct MaskWriter {
    label: Label,
    seen: Seen,
}

enum Seen {
    Nothing,
    Tail {
        shown: usize,
        tail: Zeroizing<[u8; PARTIAL_MAX]>,
        length: usize,
    },
    Hash(Box<blake3::Hasher>),
}

impl MaskWriter {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.seen {
            Seen::Nothing => {}
            Seen::Tail { tail, length, .. } => {
                for &byte in bytes.iter().skip(bytes.len().saturating_sub(PARTIAL_MAX)) {
                    tail.rotate_left(1);
                    tail[PARTIAL_MAX - 1] = byte;
                }
                *length = length.saturating_add(bytes.len());
            }
            Seen::Hash(hasher) => {
                hasher.update(bytes);
            }
        }
    }

    /// Writes the mask; `rule` is the id as the scanner knows it.
    pub(crate) fn write(&self, rule: &str, out: &mut impl Sink) {
        out.put(b"[REDACTED:");
        out.put(rule.as_bytes());
        match &self.seen {
            Seen::Nothing => {}
            Seen::Tail {
                shown,
                tail,
                length,
            } => {
                let may_show = (*shown).min(length / 8);
                let end = &tail[PARTIAL_MAX - may_show..];
                // Text only, and nothing that could be read as the end of the mask.
                if !end.is_empty()
                    && self.label.id != PRIVATE_KEY
                    && end.iter().all(u8::is_ascii_alphanumeric)
                {
                    out.put(":…".as_bytes());
                    out.put(end);
                }
            }
            Seen::Hash(hasher) => {
                out.put(b":");
                put_hash(&hasher.finalize(), out);
            }
        }
        out.put(b"]");
    }
}

impl Drop for MaskWriter {
    fn drop(&mut self) {
        if let Seen::Hash(hasher) = &mut self.seen {
            // The state holds the key and the last block of the value.
            hasher.zeroize();
        }
    }
}

impl fmt::Debug for MaskWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label.id)
    }
}

/// How many bytes of a hash are shown, two digits for each.
pub(crate) const SHOWN: usize = 8;

/// Writes as much of a hash as is shown.
pub(crate) fn put_hash(hash: &blake3::Hash, out: &mut impl Sink) {
    for byte in &hash.as_bytes()[..SHOWN] {
        out.put(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// Where what follows the rule in one of our masks ends, if it stands at `at`: a hash, or the last few characters.
pub(crate) fn tail_end(view: &View<'_>, at: usize) -> usize {
    if view.at(at) != b':' {
        return at;
    }
    let shown = view.run(at + 4, PARTIAL_MAX + 1, |b| b.is_ascii_alphanumeric());
    if view.has(at + 1, "…".as_bytes()) && (1..=PARTIAL_MAX).contains(&(shown - at - 4)) {
        return shown;
    }
    let hash = view.run(at + 1, 2 * SHOWN, |b| HEX.contains(&b));
    if hash - at - 1 == 2 * SHOWN { hash } else { at }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The rule whose findings are never shown in part.
pub(crate) const PRIVATE_KEY: &str = "private_key";

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(mask: &Mask, rule: &'static str, pieces: &[&[u8]]) -> String {
        let mut writer = mask.writer(Label::secret(rule));
        for piece in pieces {
            writer.update(piece);
        }
        let mut out = Vec::new();
        writer.write(rule, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_full_mask_does_not_depend_on_the_value() {
        assert_eq!(masked(&Mask::Full, "x", &[b"abc"]), "[REDACTED:x]");
        assert_eq!(
            masked(&Mask::Full, "x", &[b"a much longer one"]),
            "[REDACTED:x]"
        );
    }

    #[test]
    fn a_partial_mask_shows_no_more_than_an_eighth_and_no_more_than_four() {
        let greedy = Mask::Partial { shown: 1000 };
        assert_eq!(masked(&greedy, "x", &[b"1234567"]), "[REDACTED:x]");
        assert_eq!(masked(&greedy, "x", &[b"12345678"]), "[REDACTED:x:…8]");
        assert_eq!(
            masked(&greedy, "x", &[&[b'a'; 400], b"wxyz"]),
            "[REDACTED:x:…wxyz]"
        );
        assert_eq!(
            masked(&greedy, PRIVATE_KEY, &[&[b'a'; 400]]),
            "[REDACTED:private_key]"
        );
        assert_eq!(
            masked(&greedy, "x", &["ééééééééé".as_bytes()]),
            "[REDACTED:x]"
        );
    }

    #[test]
    fn a_hash_is_the_same_for_the_same_value_and_key_only() {
        let mask = Mask::hash(HashKey::new([7; 32]));
        let other = Mask::hash(HashKey::new([8; 32]));
        let one = masked(&mask, "x", &[b"se", b"cret"]);
        assert_eq!(one, masked(&mask, "x", &[b"secret"]));
        assert_ne!(one, masked(&mask, "x", &[b"Secret"]));
        assert_ne!(one, masked(&other, "x", &[b"secret"]));
        assert_eq!(one.len(), "[REDACTED:x:]".len() + 16);
    }

    #[test]
    fn debug_output_shows_neither_key_nor_value() {
        let mask = Mask::hash(HashKey::new([7; 32]));
        assert_eq!(
            format!("{mask:?} {:?}", HashKey::new([7; 32])),
            "Hash HashKey"
        );
        let mut writer = mask.writer(Label::secret("x"));
        writer.update(b"secret");
        assert_eq!(format!("{writer:?}"), "x");
    }
}
