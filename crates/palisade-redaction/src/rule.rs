mod example;

use std::sync::LazyLock;

use palisade_core::Severity;

use crate::{
    checksum,
    kind::{Kind, Label},
    table,
};

/// A format of secrets: a body of known alphabet and length, told by what it begins with or by what it is assigned to.
///
/// The rules are data, see [`Rule::all`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The stable id, as it stands in findings and masks.
    pub id: &'static str,
    /// Who issues such secrets.
    pub provider: &'static str,
    /// What the secret is to whoever holds it.
    pub name: &'static str,
    /// What the secret begins with: one of these. Empty if nothing marks it.
    pub prefixes: &'static [&'static str],
    /// What the name that the secret is assigned to must hold, if nothing marks the secret itself: one of these.
    pub assigned_to: &'static [&'static str],
    /// What the rest is made of.
    pub body: Alphabet,
    /// The shortest rest that counts.
    pub min: usize,
    /// The longest rest that is known to be issued.
    pub max: usize,
    /// The check digits, where the format has any.
    pub checksum: Checksum,
    /// How much the prefix says by itself.
    pub prefix_is: Prefix,
}

/// What the body of a secret is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alphabet {
    /// `0-9a-f`
    Hex,
    /// `0-9`
    Digits,
    /// `A-Z0-9`
    Upper,
    /// `A-Z2-7`
    Base32Upper,
    /// `a-z2-7`
    Base32Lower,
    /// `a-z0-9`
    Lower,
    /// `A-Za-z`
    Letters,
    /// `A-Za-z0-9`
    Alnum,
    /// `A-Za-z0-9_-`
    Url,
    /// `A-Za-z0-9_-.`
    UrlDot,
    /// `A-Za-z0-9_-:`
    UrlColon,
    /// `A-Za-z0-9_-/`
    UrlSlash,
    /// `A-Za-z0-9_-%`
    UrlPercent,
    /// `A-Za-z0-9._!`
    Session,
    /// `A-Za-z0-9_-=`
    UrlPad,
    /// `A-Za-z0-9+/=`
    Base64,
    /// `A-Za-z0-9+/=_-`, base64 of either kind
    AnyBase64,
    /// `A-Za-z0-9./$`, the alphabet of password hashes
    Crypt,
    /// `0-9a-f` in groups of 8-4-4-4-12
    Uuid,
}

impl Alphabet {
    #[inline]
    pub(crate) const fn has(self, byte: u8) -> bool {
        match self {
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Digits => byte.is_ascii_digit(),
            Self::Upper => matches!(byte, b'0'..=b'9' | b'A'..=b'Z'),
            Self::Base32Upper => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Base32Lower => matches!(byte, b'a'..=b'z' | b'2'..=b'7'),
            Self::Lower => matches!(byte, b'0'..=b'9' | b'a'..=b'z'),
            Self::Letters => byte.is_ascii_alphabetic(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::UrlDot => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::UrlColon => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':'),
            Self::UrlSlash => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/'),
            Self::UrlPercent => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'%'),
            Self::Session => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'!'),
            Self::UrlPad => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'='),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Self::AnyBase64 => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-')
            }
            Self::Crypt => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'$'),
            Self::Uuid => matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'),
        }
    }

    /// Whether a body may begin with `byte`: no issuer begins one with a sign that separates parts or pads the end. The
    /// gate counts on it, for two such signs in a row are common, and the beginning of a token in front of them is not.
    #[inline]
    pub(crate) const fn may_begin_with(self, byte: u8) -> bool {
        match self {
            // Hashes of passwords have no such signs: all of them are digits.
            Self::Crypt => self.has(byte),
            _ => self.has(byte) && !matches!(byte, b'.' | b':' | b'!' | b'%' | b'='),
        }
    }
}

/// How much a prefix says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prefix {
    /// Nothing else begins like that: what follows may be longer than known, or cut short.
    Telling,
    /// Other things begin like that too: the rest must fit exactly and look random.
    Common,
    /// There is none: the name that the value is assigned to says what it is.
    Absent,
}

/// The check digits of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checksum {
    /// None, or none that is published.
    None,
    /// The last 6 are the CRC-32 of the body in base 62, digits before upper before lower case.
    Crc32Base62,
    /// The last 7 are the CRC-32 of all before, in base 36.
    Crc32Base36,
    /// The last 8 are the CRC-32 of all before, prefix included, in upper-case hex.
    Crc32UpperHexAll,
    /// The last 8 are the CRC-32 of the body (without a separating `_`), in lower-case hex.
    Crc32HexBody,
    /// The last 8 are the CRC-32 of prefix and body (without the separating `_`), as little-endian hex.
    Crc32LittleEndianHex,
    /// The bech32 checksum of BIP 173, over the prefix too.
    Bech32,
}

impl Rule {
    /// Every built-in rule of this make, in the order of the tables: those told by a prefix, then those told by a name.
    #[must_use]
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Rule>> =
            LazyLock::new(|| [table::SHAPED, table::named::NAMED].concat());
        &ALL
    }

    /// Where the provider documents how such secrets are made and revoked.
    #[must_use]
    pub fn documentation(&self) -> &'static str {
        let pages = table::documentation::DOCUMENTATION;
        let page = pages
            .iter()
            .find(|(provider, _)| *provider == self.provider);
        page.map_or("", |(_, page)| page)
    }

    pub(crate) const fn label(&self) -> Label {
        Label::new(self.id, Kind::Secret, Severity::High)
    }

    /// Whether the check digits of a whole token fit; `None` if the format has none.
    pub(crate) fn verify(&self, prefix: usize, token: &[u8]) -> Option<bool> {
        let (head, body) = token.split_at_checked(prefix)?;
        match self.checksum {
            Checksum::None => None,
            Checksum::Crc32Base62 => Some(checksum::crc32_base62(body)),
            Checksum::Crc32Base36 => token.contains(&b'.').then(|| checksum::crc32_base36(token)),
            Checksum::Crc32UpperHexAll => Some(checksum::crc32_hex(token, token.len(), true)),
            Checksum::Crc32HexBody => Some(checksum::crc32_hex(body, body.len(), false)),
            Checksum::Crc32LittleEndianHex => Some(checksum::crc32_little_endian_hex(token)),
            Checksum::Bech32 => Some(checksum::bech32(head, body)),
        }
    }
}
