//! The base 32 of RFC 4648 §6, in lower case and without padding: it survives being read aloud, double-clicked, and put
//! into a URL, a header or a file name.

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// How many characters `bytes` bytes become.
pub(crate) const fn length(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

pub(crate) fn encode(bytes: &[u8], text: &mut String) {
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &byte in bytes {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(ALPHABET[(bits >> held) as usize & 31]));
        }
    }
    if held > 0 {
        text.push(char::from(ALPHABET[(bits << (5 - held)) as usize & 31]));
    }
}

/// Reads exactly `N` bytes. One value has one text: upper case, other lengths and bits left over are refused.
pub(crate) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != length(N) {
        return None;
    }
    let mut bytes = [0; N];
    let (mut bits, mut held, mut filled) = (0_u32, 0_u32, 0);
    for &character in text {
        let value = match character {
            b'a'..=b'z' => character - b'a',
            b'2'..=b'7' => character - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            // Never beyond the end: the length was checked above.
            bytes[filled] = (bits >> held) as u8;
            filled += 1;
        }
    }
    let left_over = bits & ((1 << held) - 1);
    (filled == N && left_over == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_hold() {
        fn check<const N: usize>(bytes: &[u8; N], text: &str) {
            let mut encoded = String::new();
            encode(bytes, &mut encoded);
            assert_eq!(encoded, text);
            assert_eq!(encoded.len(), length(N));
            assert_eq!(decode::<N>(text.as_bytes()), Some(*bytes));
        }
        check(b"", "");
        check(b"f", "my");
        check(b"fo", "mzxq");
        check(b"foo", "mzxw6");
        check(b"foob", "mzxw6yq");
        check(b"fooba", "mzxw6ytb");
        check(b"foobar", "mzxw6ytboi");
    }

    #[test]
    fn one_value_has_one_text() {
        assert_eq!(decode::<1>(b"mz"), None, "bits left over");
        assert_eq!(decode::<1>(b"MY"), None, "upper case");
        assert_eq!(decode::<1>(b"m"), None, "too short");
        assert_eq!(decode::<1>(b"my="), None, "padding");
        assert_eq!(decode::<1>(b"m1"), None, "no such digit");
    }
}
