//! Values in the shape of a secret that nobody was ever given, for tests and documentation.
//!
//! They are put together here and stored nowhere, so that no file of this repository holds anything that looks live.

use super::{Alphabet, Checksum, Rule};
use crate::checksum;

/// No longer than needed to be of the format.
const BODY_MAX: usize = 200;

impl Rule {
    /// A value of this format, made up: the same each time, with check digits that fit where the format has any.
    ///
    /// ```
    /// use palisade_redaction::{Rule, Scanner};
    ///
    /// let rule = Rule::all().iter().find(|rule| rule.id == "github_pat").expect("a built-in rule");
    /// let findings = Scanner::new().scan(&rule.example_text());
    /// assert_eq!(findings[0].rule, "github_pat");
    /// ```
    #[must_use]
    pub fn example(&self) -> String {
        let prefix = self.prefixes.first().copied().unwrap_or_default();
        let mut random = Random::new(self.id, prefix);
        let length = self.max.min(BODY_MAX).max(self.min);
        let mut body = body(self.body, length, &mut random);
        self.complete(prefix, &mut body);
        format!("{prefix}{}", String::from_utf8_lossy(&body))
    }

    /// A line of text in which [`example`](Self::example) stands where it is to be found.
    #[must_use]
    pub fn example_text(&self) -> String {
        match self.assigned_to.first() {
            Some(name) => format!("{name}_token = \"{}\"", self.example()),
            None => format!("use {} here", self.example()),
        }
    }

    /// A line that only looks as if it held such a value: the same length and beginning, and a stand-in behind.
    #[must_use]
    pub fn counter_example_text(&self) -> String {
        let stand_in = "x".repeat(self.max.min(BODY_MAX).max(self.min));
        match (self.assigned_to.first(), self.prefixes.first()) {
            (Some(name), _) => format!("{name}_token = \"{stand_in}\""),
            (None, prefix) => format!("use {}{stand_in} here", prefix.copied().unwrap_or_default()),
        }
    }

    /// Puts check digits where the body has some.
    fn complete(&self, prefix: &str, body: &mut [u8]) {
        let all = [prefix.as_bytes(), body].concat();
        let fill = |body: &mut [u8], count: usize, digits: &[u8]| {
            let from = body.len() - count;
            body[from..].copy_from_slice(digits);
        };
        let without = |text: &[u8], count: usize| text[..text.len() - count].to_vec();
        match self.checksum {
            Checksum::None | Checksum::Crc32Base36 => {}
            Checksum::Crc32Base62 => {
                let digits = checksum::base62(checksum::crc32(&without(body, 6)));
                fill(body, 6, &digits);
            }
            Checksum::Crc32UpperHexAll => {
                let digits = format!("{:08X}", checksum::crc32(&without(&all, 8)));
                fill(body, 8, digits.as_bytes());
            }
            Checksum::Crc32HexBody => {
                let digits = format!("{:08x}", checksum::crc32(&without(body, 8)));
                fill(body, 8, digits.as_bytes());
            }
            Checksum::Crc32LittleEndianHex => {
                let digits = format!("{:08x}", checksum::crc32(&without(&all, 8)).swap_bytes());
                fill(body, 8, digits.as_bytes());
            }
            Checksum::Bech32 => {
                // The alphabet leaves out what people confuse.
                for byte in body.iter_mut().filter(|byte| b"1BIO".contains(byte)) {
                    *byte = b'Q';
                }
                let data = without(body, 6).to_ascii_lowercase();
                let digits = checksum::bech32_digits(prefix.as_bytes(), &data);
                fill(body, 6, &digits.to_ascii_uppercase());
            }
        }
    }
}

/// A small generator (splitmix64), seeded by what it is for.
struct Random(u64);

impl Random {
    fn new(id: &str, prefix: &str) -> Self {
        let bytes = id.bytes().chain(prefix.bytes());
        Self(bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        }))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

fn body(alphabet: Alphabet, length: usize, random: &mut Random) -> Vec<u8> {
    const ALNUM: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let letters: &[u8] = match alphabet {
        Alphabet::Hex | Alphabet::Uuid => b"0123456789abcdef",
        Alphabet::Digits => &ALNUM[..10],
        Alphabet::Upper => &ALNUM[..36],
        Alphabet::Base32Upper => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        Alphabet::Base32Lower => b"abcdefghijklmnopqrstuvwxyz234567",
        Alphabet::Lower => b"0123456789abcdefghijklmnopqrstuvwxyz",
        Alphabet::Letters => &ALNUM[10..],
        _ => ALNUM,
    };
    let mut body: Vec<u8> = (0..length)
        .map(|_| letters[random.below(letters.len())])
        .collect();
    // Enough of everything the alphabet has for a short body to look random too.
    for (at, byte) in b"7kQ3wZ".iter().enumerate() {
        if letters.contains(byte) && length > 12 {
            body[at] = *byte;
        }
    }
    if alphabet == Alphabet::Uuid {
        for at in [8, 13, 18, 23] {
            body[at] = b'-';
        }
    }
    // Firebase puts this behind the first part of its keys.
    if alphabet == Alphabet::UrlColon && length > 100 {
        body[12..19].copy_from_slice(b":APA91b");
    }
    body
}
