//! What was hidden from a model, given back in its answer.
//!
//! A model that is asked to write to `[REDACTED:email]` can only answer with the mask. Where the answer is for the one
//! who asked, a vault keeps what was taken out of the prompt under a placeholder of its own, and puts it back where the
//! answer holds that placeholder.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    HashKey, Scanner,
    buffer::WipedBuffer,
    kind::Label,
    mask::{Mask, SHOWN, put_hash},
    redactor::{Sink, replace_whole},
    scanner::{MASK_ID_MAX, Rules},
};

/// How many values a vault keeps.
pub const VAULT_VALUES_MAX: usize = 1024;

/// How many bytes all values of a vault may have.
pub const VAULT_BYTES_MAX: usize = 256 * 1024;

/// What was taken out of one request, to be put back into its answer.
///
/// Make one for each request, with a key of its own: placeholders are keyed hashes, so nobody who does not know the key
/// can write one that is given a value, and those of another request mean nothing. Clones share what is kept; with the
/// last of them, and the last [`Restorer`], it is wiped.
///
/// What is hidden in decoded text is to be restored in decoded text, and what is hidden in the bytes of a JSON document
/// in such bytes: a value comes back as it stood.
///
/// ```
/// use palisade_redaction::{HashKey, Scanner, Vault};
///
/// # let random = [7; 32];
/// let vault = Vault::new(HashKey::new(random));
/// let prompt = vault.hide(&Scanner::new(), "Write to jo@mail.example, please.");
/// assert!(prompt.starts_with("Write to [REDACTED:email:"));
///
/// let answer = prompt.replace("Write to", "I have written to");
/// assert_eq!(vault.restore(&answer), "I have written to jo@mail.example, please.");
/// ```
#[derive(Clone)]
pub struct Vault {
    key: HashKey,
    values: Arc<Mutex<Values>>,
}

#[derive(Default)]
struct Values {
    /// By the hash in the placeholder.
    places: HashMap<[u8; 2 * SHOWN], Place>,
    bytes: WipedBuffer,
    refused: u64,
}

struct Place {
    rule: Box<str>,
    range: Range<usize>,
}

impl Vault {
    /// An empty vault. The key should be 32 random bytes, new for each request.
    #[must_use]
    pub fn new(key: HashKey) -> Self {
        Self {
            key,
            values: Arc::default(),
        }
    }

    /// The text with a placeholder for everything that the scanner's policy would redact or block. The same value has
    /// the same placeholder, in this text and in others that the vault hides.
    ///
    /// Beyond [`VAULT_VALUES_MAX`] values or [`VAULT_BYTES_MAX`] bytes, what is found is masked and not kept.
    #[must_use]
    pub fn hide(&self, scanner: &Scanner, text: &str) -> String {
        let rules = scanner.rules();
        let mut values = self.values();
        replace_whole(rules, text, |label, value, out| {
            self.put(&mut values, rules, label, value, out);
        })
    }

    fn put(&self, values: &mut Values, rules: &Rules, label: Label, value: &str, out: &mut String) {
        let rule = rules.id(label);
        let mut hasher = blake3::Hasher::new_keyed(&self.key.0);
        hasher.update(rule.as_bytes()).update(b"\0");
        let hash = hasher.update(value.as_bytes()).finalize();
        let mut token = Vec::with_capacity(2 * SHOWN);
        put_hash(&hash, &mut token);
        let kept = <[u8; 2 * SHOWN]>::try_from(token.as_slice())
            .is_ok_and(|token| values.keep(token, rule, value));
        if kept {
            out.push_str("[REDACTED:");
            out.push_str(rule);
            out.push(':');
            out.put(&token);
            out.push(']');
        } else {
            values.refused += 1;
            Mask::Full.writer(label).write(rule, out);
        }
        zeroize::Zeroize::zeroize(&mut hasher);
    }

    /// The text with the values in the place of their placeholders. Those of other vaults stay as they are.
    #[must_use]
    pub fn restore(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut restorer = self.restorer();
        restorer.push(text, &mut out);
        restorer.finish(&mut out);
        out
    }

    /// What restores one answer that comes in pieces.
    #[must_use]
    pub fn restorer(&self) -> Restorer {
        Restorer {
            values: Arc::clone(&self.values),
            held: String::new(),
        }
    }

    /// How many different values are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values().places.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often something was masked and not kept, because the vault was full.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.values().refused
    }

    fn values(&self) -> MutexGuard<'_, Values> {
        lock(&self.values)
    }
}

/// Nothing panics under the lock; should it, what is kept is still what it was.
fn lock(values: &Mutex<Values>) -> MutexGuard<'_, Values> {
    values.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows how much is kept, never what.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("values", &self.len())
            .finish_non_exhaustive()
    }
}

impl Values {
    /// Keeps a value under its hash; `false` if there is no room, or another value has the hash.
    fn keep(&mut self, token: [u8; 2 * SHOWN], rule: &str, value: &str) -> bool {
        let count = self.places.len();
        match self.places.entry(token) {
            Entry::Occupied(place) => {
                let range = place.get().range.clone();
                &*place.get().rule == rule && self.bytes.as_slice()[range] == *value.as_bytes()
            }
            Entry::Vacant(place) => {
                let from = self.bytes.len();
                if count == VAULT_VALUES_MAX || from + value.len() > VAULT_BYTES_MAX {
                    return false;
                }
                self.bytes.extend(value.as_bytes());
                place.insert(Place {
                    rule: rule.into(),
                    range: from..self.bytes.len(),
                });
                true
            }
        }
    }

    /// The value behind what stands between `[REDACTED:` and `]`.
    fn find(&self, inner: &str) -> Option<&str> {
        let (rule, token) = inner.rsplit_once(':')?;
        let token = <[u8; 2 * SHOWN]>::try_from(token.as_bytes()).ok()?;
        let place = self
            .places
            .get(&token)
            .filter(|place| *place.rule == *rule)?;
        std::str::from_utf8(&self.bytes.as_slice()[place.range.clone()]).ok()
    }
}

const OPENING: &str = "[REDACTED:";

/// The longest placeholder, and so the most that a [`Restorer`] holds back.
const PLACEHOLDER_MAX: usize = OPENING.len() + MASK_ID_MAX + 1 + 2 * SHOWN + 1;

/// Puts values back into one answer, piece by piece. Whatever the pieces, what comes out is what [`Vault::restore`] makes
/// of the whole; held back is only what may become a placeholder, and that is less than 80 bytes.
///
/// ```
/// use palisade_redaction::{HashKey, Scanner, Vault};
///
/// let vault = Vault::new(HashKey::new([7; 32]));
/// let hidden = vault.hide(&Scanner::new(), "jo@mail.example");
/// let (head, tail) = hidden.split_at(9);
///
/// let mut out = String::new();
/// let mut restorer = vault.restorer();
/// for piece in ["Mail ", head, tail, " again."] {
///     restorer.push(piece, &mut out);
/// }
/// restorer.finish(&mut out);
/// assert_eq!(out, "Mail jo@mail.example again.");
/// ```
pub struct Restorer {
    values: Arc<Mutex<Values>>,
    /// The beginning of a placeholder.
    held: String,
}

impl Restorer {
    /// Takes the next piece and appends to `out` what is certain by now.
    pub fn push(&mut self, piece: &str, out: &mut String) {
        let mut rest = piece;
        loop {
            if self.held.is_empty() {
                let Some(at) = rest.find('[') else {
                    out.push_str(rest);
                    return;
                };
                out.push_str(&rest[..at]);
                self.held.push('[');
                rest = &rest[at + 1..];
            }
            let Some(next) = rest.chars().next() else {
                return;
            };
            // What cannot go on as a placeholder is none; a bracket may begin the next.
            if !goes_on(&self.held, next) {
                out.push_str(&self.held);
                self.held.clear();
                continue;
            }
            rest = &rest[next.len_utf8()..];
            if next != ']' {
                self.held.push(next);
                continue;
            }
            let values = lock(&self.values);
            if let Some(value) = values.find(&self.held[OPENING.len()..]) {
                out.push_str(value);
            } else {
                out.push_str(&self.held);
                out.push(']');
            }
            self.held.clear();
        }
    }

    /// Ends the answer and appends the rest.
    pub fn finish(self, out: &mut String) {
        out.push_str(&self.held);
    }

    /// How many bytes have come in and not left.
    #[must_use]
    pub fn held_back(&self) -> usize {
        self.held.len()
    }
}

/// Whether `next` may follow `held` in a placeholder.
fn goes_on(held: &str, next: char) -> bool {
    if let Some(wanted) = OPENING[held.len().min(OPENING.len())..].chars().next() {
        return next == wanted;
    }
    let inner = matches!(next, 'a'..='z' | '0'..='9' | '_' | '-' | ':');
    held.len() < PLACEHOLDER_MAX && (inner || next == ']')
}

/// Shows how much is held, never what is kept.
impl fmt::Debug for Restorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restorer")
            .field("held_back", &self.held_back())
            .finish_non_exhaustive()
    }
}
