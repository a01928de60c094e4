//! Check digits. A fit makes a finding certain; a misfit makes it doubtful but no less worth hiding, for a token that
//! was cut or mistyped is still most of a token.

/// CRC-32 as in IEEE 802.3, bit by bit: candidates are rare and short.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

fn digits(mut value: u32, alphabet: &[u8], out: &mut [u8]) {
    let base = alphabet.len() as u32;
    for digit in out.iter_mut().rev() {
        *digit = alphabet[(value % base) as usize];
        value /= base;
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Six digits of base 62.
pub(crate) fn base62(value: u32) -> [u8; 6] {
    let mut out = [0; 6];
    digits(value, BASE62, &mut out);
    out
}

/// The last 6 of a GitHub or npm token.
pub(crate) fn crc32_base62(body: &[u8]) -> bool {
    let Some((text, check)) = body.split_last_chunk::<6>() else {
        return false;
    };
    base62(crc32(text)) == *check
}

/// The last 7 of a routable GitLab token.
pub(crate) fn crc32_base36(token: &[u8]) -> bool {
    let Some((text, check)) = token.split_last_chunk::<7>() else {
        return false;
    };
    let mut expected = [0; 7];
    digits(
        crc32(text),
        b"0123456789abcdefghijklmnopqrstuvwxyz",
        &mut expected,
    );
    expected == *check
}

/// The last 8 of `text`, as hex of what stands before, leaving out one separating `_`.
pub(crate) fn crc32_hex(text: &[u8], length: usize, upper: bool) -> bool {
    let Some((text, check)) = text[..length].split_last_chunk::<8>() else {
        return false;
    };
    let text = if upper {
        text
    } else {
        text.strip_suffix(b"_").unwrap_or(text)
    };
    let alphabet: &[u8] = if upper {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    let mut expected = [0; 8];
    digits(crc32(text), alphabet, &mut expected);
    expected == *check
}

/// The last 8 of a Grafana service-account token.
pub(crate) fn crc32_little_endian_hex(token: &[u8]) -> bool {
    let Some((text, check)) = token.split_last_chunk::<8>() else {
        return false;
    };
    let text = text.strip_suffix(b"_").unwrap_or(text);
    let mut expected = [0; 8];
    digits(crc32(text).swap_bytes(), b"0123456789abcdef", &mut expected);
    expected == *check
}

const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// What BIP 173 computes over a human-readable part that ends in the separator `1`, and the data behind it.
fn bech32_state(prefix: &[u8], values: impl Iterator<Item = u8>) -> Option<u32> {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let human = prefix.strip_suffix(b"1")?;
    let high = human.iter().map(|byte| byte.to_ascii_lowercase() >> 5);
    let low = human.iter().map(|byte| byte.to_ascii_lowercase() & 31);
    let state = high
        .chain([0])
        .chain(low)
        .chain(values)
        .fold(1u32, |state, value| {
            let top = state >> 25;
            let mut state = ((state & 0x01ff_ffff) << 5) ^ u32::from(value);
            for (bit, generator) in GENERATOR.iter().enumerate() {
                if (top >> bit) & 1 == 1 {
                    state ^= generator;
                }
            }
            state
        });
    Some(state)
}

fn bech32_value(byte: u8) -> Option<u8> {
    let byte = byte.to_ascii_lowercase();
    BECH32.iter().position(|&c| c == byte).map(|at| at as u8)
}

/// Whether the checksum of BIP 173 fits.
pub(crate) fn bech32(prefix: &[u8], body: &[u8]) -> bool {
    body.iter().all(|byte| bech32_value(*byte).is_some())
        && bech32_state(prefix, body.iter().filter_map(|byte| bech32_value(*byte))) == Some(1)
}

/// The six characters that make the checksum of BIP 173 fit. What is not of its alphabet counts as nothing.
pub(crate) fn bech32_digits(prefix: &[u8], data: &[u8]) -> [u8; 6] {
    let values = data.iter().filter_map(|byte| bech32_value(*byte));
    let state = bech32_state(prefix, values.chain([0; 6])).unwrap_or_default() ^ 1;
    std::array::from_fn(|at| BECH32[(state >> (5 * (5 - at)) & 31) as usize])
}

/// The Luhn formula (ISO/IEC 7812-1) over decimal digit values.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &digit)| {
            let digit = u32::from(digit);
            match (i % 2, digit * 2) {
                (0, _) => digit,
                (_, doubled) if doubled > 9 => doubled - 9,
                (_, doubled) => doubled,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 7064 mod 97-10 of an IBAN given without spaces: the first four go to the end, letters count from 10.
pub(crate) fn iban_mod97(iban: &[u8]) -> bool {
    let Some((head, rest)) = iban.split_first_chunk::<4>() else {
        return false;
    };
    let mut remainder = 0u32;
    for &byte in rest.iter().chain(head) {
        remainder = match byte {
            b'0'..=b'9' => remainder * 10 + u32::from(byte - b'0'),
            b'A'..=b'Z' => remainder * 100 + u32::from(byte - b'A') + 10,
            b'a'..=b'z' => remainder * 100 + u32::from(byte - b'a') + 10,
            _ => return false,
        } % 97;
    }
    remainder == 1
}

/// Decodes the beginning of standard or URL-safe base64 into `out` and returns how much of it was filled. Stops at the
/// first byte that is none.
pub(crate) fn base64_prefix(text: &[u8], out: &mut [u8]) -> usize {
    let (mut bits, mut have, mut filled) = (0u32, 0, 0);
    for &byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = (bits << 6) | u32::from(value);
        have += 6;
        if have >= 8 {
            have -= 8;
            let Some(slot) = out.get_mut(filled) else {
                break;
            };
            *slot = (bits >> have) as u8;
            filled += 1;
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_agrees_with_the_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn luhn_catches_every_single_wrong_digit() {
        let card = [4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        assert!(luhn(&card));
        for at in 0..card.len() {
            let mut wrong = card;
            wrong[at] = (wrong[at] + 1) % 10;
            assert!(!luhn(&wrong), "digit {at}");
        }
    }

    #[test]
    fn the_iban_of_the_standard_fits_and_its_neighbour_does_not() {
        assert!(iban_mod97(b"GB82WEST12345698765432"));
        assert!(iban_mod97(b"gb82west12345698765432"));
        assert!(!iban_mod97(b"GB82WEST12345698765433"));
        assert!(!iban_mod97(b"GB"));
    }

    #[test]
    fn bech32_agrees_with_bip_173() {
        assert!(bech32(b"A1", b"2UEL5L"));
        assert!(!bech32(b"A1", b"2UEL5K"));
        assert!(!bech32(b"A", b"2UEL5L"));
    }

    #[test]
    fn base64_is_decoded_in_both_alphabets_as_far_as_it_goes() {
        let mut out = [0; 8];
        assert_eq!(base64_prefix(b"aGVsbG8=", &mut out), 5);
        assert_eq!(&out[..5], b"hello");
        assert_eq!(base64_prefix(b"_-8 more", &mut out), 2);
        assert_eq!(base64_prefix(b"AAAAAAAAAAAAAAAA", &mut out), 8);
    }
}
