//! Makes tokens of the published shapes. They are put together here and stored nowhere, so that no file of this
//! repository holds anything that looks like a live secret.

use palisade_redaction::{Alphabet, Rule};

/// A small generator (splitmix64): the same seed gives the same tokens.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

fn letters(alphabet: Alphabet) -> &'static [u8] {
    const ALNUM: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    match alphabet {
        Alphabet::Hex | Alphabet::Uuid => b"0123456789abcdef",
        Alphabet::Digits => b"0123456789",
        Alphabet::Upper => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        Alphabet::Base32Upper => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        Alphabet::Base32Lower => b"abcdefghijklmnopqrstuvwxyz234567",
        Alphabet::Lower => b"0123456789abcdefghijklmnopqrstuvwxyz",
        Alphabet::Letters => &ALNUM[10..],
        _ => ALNUM,
    }
}

/// A body of `length`, with enough of everything the alphabet has for it to look random.
pub(crate) fn body(alphabet: Alphabet, length: usize, random: &mut Random) -> String {
    let letters = letters(alphabet);
    let mut body: Vec<u8> = (0..length)
        .map(|_| letters[random.below(letters.len())])
        .collect();
    let has = |byte: u8| letters.contains(&byte);
    for (at, byte) in b"7kQ3wZ".iter().enumerate() {
        if has(*byte) && length > 12 {
            body[at] = *byte;
        }
    }
    if alphabet == Alphabet::Uuid {
        for at in [8, 13, 18, 23] {
            body[at] = b'-';
        }
    }
    if alphabet == Alphabet::UrlColon && length > 60 {
        body[12..19].copy_from_slice(b":APA91b");
    }
    String::from_utf8(body).expect("ASCII")
}

/// A token of `rule`, as long as the longest that is issued.
pub(crate) fn token(rule: &Rule, random: &mut Random) -> String {
    let prefix = match rule.prefixes.len() {
        0 => "",
        count => rule.prefixes[random.below(count)],
    };
    format!("{prefix}{}", body(rule.body, rule.max, random))
}

/// The rules that tell a secret by what it begins with.
#[allow(dead_code, reason = "not every test program asks for it")]
pub(crate) fn shaped() -> impl Iterator<Item = &'static Rule> {
    Rule::all().iter().filter(|rule| !rule.prefixes.is_empty())
}
