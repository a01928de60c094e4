//! Which names promise that what is assigned to them is secret.

use crate::{
    Rule,
    text::{contains, starts_any_case},
    view::View,
};

/// The longest name that is understood.
const NAME_MAX: usize = 64;

/// What a name promises about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Password,
    Secret,
    /// `key` alone, and others that name harmless things just as often.
    Vague,
    Authorization,
    Phrase,
}

/// Which letters must occur, as a bit set, for a word to be worth a closer look.
const fn letters(word: &[u8]) -> u32 {
    let (mut set, mut at) = (0, 0);
    while at < word.len() {
        set |= 1 << (word[at] & 31);
        at += 1;
    }
    set
}

const HINTS: [u32; 11] = [
    letters(b"pas"),
    letters(b"pw"),
    letters(b"secrt"),
    letters(b"token"),
    letters(b"key"),
    letters(b"auth"),
    letters(b"credntial"),
    letters(b"sig"),
    letters(b"mneoic"),
    letters(b"phrase"),
    letters(b"seed"),
];

/// Whether a word made of these letters can be a name worth a look.
#[inline]
pub(crate) fn may_name(set: u32) -> bool {
    HINTS.iter().any(|hint| set & hint == *hint)
}

/// Whether a name made of these letters may promise a phrase of words, or a scheme before the value.
#[inline]
pub(super) fn names_words(set: u32) -> bool {
    const WORDS: [u32; 3] = [letters(b"mneoic"), letters(b"phrase"), letters(b"authoriz")];
    WORDS.iter().any(|word| set & word == *word)
}

/// The roots of the words that name secrets.
const ROOTS: [&[u8]; 13] = [
    b"auth",
    b"credential",
    b"key",
    b"mnemonic",
    b"oauth",
    b"pass",
    b"pw",
    b"phrase",
    b"pat",
    b"pswd",
    b"secret",
    b"sig",
    b"token",
];

/// Which second letters a root has behind its first, by the low five bits of both.
const BEGINS_ROOT: [u32; 32] = {
    let mut begins = [0; 32];
    let mut at = 0;
    while at < ROOTS.len() {
        begins[(ROOTS[at][0] & 31) as usize] |= 1 << (ROOTS[at][1] & 31);
        at += 1;
    }
    begins
};

/// Whether one of the words that name secrets is in a longer one: what the letters alone could not rule out.
pub(super) fn has_a_root(word: &[u8]) -> bool {
    word.windows(2).enumerate().any(|(at, two)| {
        BEGINS_ROOT[usize::from(two[0] & 31)] >> (two[1] & 31) & 1 == 1
            && ROOTS.iter().any(|root| starts_any_case(&word[at..], root))
    })
}

/// A name in one form, and the letters it is made of: most of what it might hold is ruled out by them.
struct Flat<'a> {
    text: &'a [u8],
    letters: u32,
}

impl Flat<'_> {
    #[inline]
    fn has(&self, letters: u32, part: &[u8]) -> bool {
        self.letters & letters == letters && contains(self.text, part)
    }
}

/// Whether a name holds one of some parts.
macro_rules! has_one {
    ($flat:expr, $($part:literal),+ $(,)?) => {
        false $(|| $flat.has(const { letters($part) }, $part))+
    };
}

/// What a word names.
pub(crate) fn name(view: &View<'_>, at: usize, end: usize) -> Option<Name> {
    let word = view.slice(at, end);
    if word.len() > NAME_MAX {
        return None;
    }
    // In lower case, with `_` around and between the parts, so that parts can be compared whole.
    let mut flat = [0u8; NAME_MAX * 2 + 2];
    let mut length = 1;
    flat[0] = b'_';
    let mut last = b'_';
    for &byte in word {
        let starts_a_part = byte.is_ascii_uppercase() && last.is_ascii_lowercase();
        if starts_a_part && last != b'_' {
            flat[length] = b'_';
            length += 1;
        }
        flat[length] = if byte == b'-' {
            b'_'
        } else {
            byte.to_ascii_lowercase()
        };
        length += 1;
        last = byte;
    }
    flat[length] = b'_';
    let text = &flat[..=length];
    let flat = Flat {
        text,
        letters: letters(text),
    };
    let named = promise(view, at, word, &flat)?;
    (!is_harmless(&flat)).then_some(named)
}

/// Whether a name that holds a telling word tells of something else.
fn is_harmless(flat: &Flat<'_>) -> bool {
    const HARMLESS_ENDS: [&[u8]; 42] = [
        b"id",
        b"ids",
        b"name",
        b"names",
        b"type",
        b"count",
        b"length",
        b"len",
        b"limit",
        b"size",
        b"file",
        b"path",
        b"url",
        b"uri",
        b"hash",
        b"field",
        b"label",
        b"ttl",
        b"expiry",
        b"expires",
        b"in",
        b"at",
        b"policy",
        b"version",
        b"ref",
        b"usage",
        b"budget",
        b"price",
        b"bucket",
        b"arn",
        b"endpoint",
        b"prefix",
        b"algorithm",
        b"alg",
        b"hint",
        b"status",
        b"digest",
        b"checksum",
        b"fingerprint",
        b"format",
        b"pattern",
        b"tokens",
    ];
    let parts = &flat.text[..flat.text.len() - 1];
    let last = parts.rsplit(|b| *b == b'_').next().unwrap_or(parts);
    HARMLESS_ENDS.contains(&last)
        || has_one!(
            flat,
            b"public",
            b"primary_key",
            b"foreign_key",
            b"cache_key",
            b"sort_key",
            b"partition_key",
            b"keyboard",
            b"keyword",
            b"tokeniz",
            b"max_token",
            b"idempotency",
            b"csrf",
            b"page_token",
            b"keyframe"
        )
}

/// What a name promises by the words it holds.
fn promise(view: &View<'_>, at: usize, word: &[u8], flat: &Flat<'_>) -> Option<Name> {
    if has_one!(flat, b"authorization") {
        return Some(Name::Authorization);
    }
    if has_one!(
        flat,
        b"mnemonic",
        b"seed_phrase",
        b"recovery_phrase",
        b"seedphrase"
    ) {
        return Some(Name::Phrase);
    }
    if has_one!(
        flat,
        b"passw",
        b"passphrase",
        b"pwd_",
        b"_pass_",
        b"passcode",
        b"_pw_",
        b"_pswd_",
        b"_pwd"
    ) {
        return Some(Name::Password);
    }
    let key = has_one!(flat, b"key_", b"_key");
    if has_one!(
        flat,
        b"secret",
        b"token",
        b"credential",
        b"apikey",
        b"oauth",
        b"_pat_"
    ) {
        return Some(Name::Secret);
    }
    if key
        && has_one!(
            flat,
            b"api",
            b"access",
            b"secret",
            b"private",
            b"auth",
            b"account",
            b"shared",
            b"signing",
            b"encryption",
            b"master",
            b"license",
            b"app",
            b"service",
            b"admin",
            b"deploy",
            b"webhook",
            b"storage",
            b"client",
            b"sdk"
        )
    {
        return Some(Name::Secret);
    }
    if has_one!(flat, b"_key_", b"_auth_") || flat.text == b"_sig_" || flat.text == b"_signature_" {
        // `api key`, `secret key`: the part before the space belongs to the name.
        let behind = view.behind(at);
        let behind = behind.strip_suffix(b" ").unwrap_or(&[]);
        let spoken = [&b"api"[..], b"secret", b"access", b"private", b"license"];
        let named = spoken.iter().any(|part| {
            behind.len() >= part.len()
                && behind[behind.len() - part.len()..].eq_ignore_ascii_case(part)
        });
        // `ACME_KEY` names a credential more often than `key` does.
        let loud = key
            && word.len() > 4
            && word
                .iter()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
        let issuer = flat.text[1..].split(|b| *b == b'_').next().unwrap_or(&[]);
        let issued = key
            && issuer.len() > 3
            && Rule::all()
                .iter()
                .any(|rule| rule.provider.as_bytes().eq_ignore_ascii_case(issuer));
        return Some(if named || loud || issued {
            Name::Secret
        } else {
            Name::Vague
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(word: &str) -> Option<Name> {
        name(&View::new(word.as_bytes(), 0, true), 0, word.len())
    }

    #[test]
    fn names_of_secrets_are_told_in_every_style() {
        for word in ["DB_PASSWORD", "smtpPassword", "pwd", "user-pass"] {
            assert_eq!(named(word), Some(Name::Password), "{word}");
        }
        for word in [
            "api_key",
            "apiKey",
            "X-Api-Key",
            "CLIENT_SECRET",
            "authToken",
            "AccountKey",
            "ACME_KEY",
            "heroku_key",
        ] {
            assert_eq!(named(word), Some(Name::Secret), "{word}");
        }
        assert_eq!(named("key"), Some(Name::Vague));
        assert_eq!(named("Proxy-Authorization"), Some(Name::Authorization));
        assert_eq!(named("seed_phrase"), Some(Name::Phrase));
    }

    #[test]
    fn names_of_harmless_things_are_not() {
        for word in [
            "max_tokens",
            "token_type",
            "tokenizer",
            "primary_key",
            "public_key",
            "password_hash",
            "secret_name",
            "access_key_id",
            "keyboard",
            "monkey",
            "compass",
            "signal",
            "author",
        ] {
            assert_eq!(named(word), None, "{word}");
        }
    }

    #[test]
    fn the_letters_of_every_root_are_hinted_at() {
        for root in [
            "pass",
            "pwd",
            "secret",
            "token",
            "key",
            "auth",
            "credential",
            "sig",
            "mnemonic",
            "phrase",
            "pat",
        ] {
            let set = root.bytes().fold(0, |set, b| set | 1 << (b & 31));
            assert!(may_name(set) || root == "pat", "{root}");
        }
    }
}
