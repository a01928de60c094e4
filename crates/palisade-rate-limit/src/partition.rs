use std::fmt;

use palisade_core::Key;

use crate::Limit;

/// What hides the keys of clients in the fields they are sent: a secret of 16 random bytes, the same on every node.
///
/// A partition key lets a client tell two of its counters apart, for instance those of two organisations it works for. Sent
/// in the clear it would tell how the service tells its users apart, and a bare hash of it could be guessed. This is a keyed
/// one, SipHash-2-4 (Aumasson and Bernstein, 2012), of the limit's name and the key.
#[derive(Clone, Copy)]
pub struct PartitionSecret([u64; 2]);

/// A hashed partition key: the same for the same limit and key, and nothing can be learned from it. It prints as the byte
/// sequence of a structured field (RFC 9651 §3.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartitionKey([u8; 8]);

impl PartitionSecret {
    /// From 16 bytes that nobody can guess.
    #[must_use]
    pub fn new(secret: [u8; 16]) -> Self {
        let bits = u128::from_le_bytes(secret);
        // The two halves.
        Self([bits as u64, (bits >> 64) as u64])
    }

    /// The partition key of a counter.
    #[must_use]
    pub fn of(&self, limit: &Limit, key: &Key) -> PartitionKey {
        let mut text = Vec::with_capacity(limit.name().len() + 1 + key.as_str().len());
        text.extend_from_slice(limit.name().as_bytes());
        // A byte that no name has.
        text.push(0);
        text.extend_from_slice(key.as_str().as_bytes());
        PartitionKey(siphash(self.0, &text).to_be_bytes())
    }
}

impl fmt::Debug for PartitionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartitionSecret")
    }
}

impl fmt::Display for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = [b':'; 14];
        for (group, digits) in self.0.chunks(3).zip(text[1..13].chunks_mut(4)) {
            let part = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
            let bits = part(0) << 16 | part(1) << 8 | part(2);
            for (index, digit) in digits.iter_mut().enumerate() {
                *digit = match index <= group.len() {
                    true => DIGITS[(bits >> (18 - 6 * index) & 63) as usize],
                    false => b'=',
                };
            }
        }
        // ASCII, all of it.
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

fn siphash(key: [u64; 2], text: &[u8]) -> u64 {
    let mut v = [
        key[0] ^ 0x736f_6d65_7073_6575,
        key[1] ^ 0x646f_7261_6e64_6f6d,
        key[0] ^ 0x6c79_6765_6e65_7261,
        key[1] ^ 0x7465_6462_7974_6573,
    ];
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    // The length modulo 256.
    last[7] = text.len() as u8;
    for word in words.iter().chain([&last]) {
        let word = u64::from_le_bytes(*word);
        v[3] ^= word;
        rounds(&mut v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    rounds(&mut v, 4);
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

fn rounds(v: &mut [u64; 4], count: u32) {
    for _ in 0..count {
        v[0] = v[0].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[2] = v[2].rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::Dimension;

    use super::*;

    #[test]
    fn the_hash_is_that_of_the_paper() {
        // Appendix A: the key 00 01 … 0f, the text 00 01 … 0e.
        let secret = PartitionSecret::new(std::array::from_fn(|n| n as u8));
        let text: Vec<u8> = (0..15).collect();
        assert_eq!(siphash(secret.0, &text), 0xa129_ca61_49be_45e5);
        assert_eq!(siphash(secret.0, b""), 0x726f_db47_dd0e_0e31);
    }

    #[test]
    fn it_prints_as_bytes_and_tells_nothing_of_the_key() {
        assert_eq!(
            PartitionKey(*b"\x00\x10\x83\x10\x51\x87\x20\x92").to_string(),
            ":ABCDEFGHIJI=:"
        );
        let secret = PartitionSecret::new([7; 16]);
        let (chat, api) = (crate::presets::CHAT, crate::presets::API);
        let alice = Key::new(Dimension::User, "alice").unwrap();
        let text = secret.of(&chat, &alice).to_string();
        assert_eq!(text, secret.of(&chat, &alice.clone()).to_string());
        assert_ne!(text, secret.of(&api, &alice).to_string());
        assert_ne!(text, secret.of(&chat, &Key::global()).to_string());
        let other = PartitionSecret::new([8; 16]);
        assert_ne!(text, other.of(&chat, &alice).to_string());
        assert_eq!(format!("{secret:?}"), "PartitionSecret");
    }
}
