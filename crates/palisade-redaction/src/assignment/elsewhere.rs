//! Values that are none: pieces of code, and words that say where the secret is kept.

use crate::text::{contains, is_word, starts_any_case};

/// Whether a value is code or a pointer to where the secret is kept.
pub(super) fn refers_elsewhere(value: &[u8], quoted: bool) -> bool {
    let first = value[0];
    if matches!(
        first,
        b'<' | b'[' | b'{' | b'(' | b')' | b',' | b';' | b':' | b'>' | b'|'
    ) {
        return true;
    }
    if matches!(first, b'$' | b'%' | b'@' | b'#' | b'&' | b'*' | b'!')
        && (value.len() < 2
            || matches!(value[1], b'{' | b'(' | b'[')
            || value[1..]
                .iter()
                .all(|b| is_word(*b) && !b.is_ascii_digit() || matches!(b, b'%' | b'.' | b'*')))
    {
        return true;
    }
    const ELSEWHERE: [&[u8]; 12] = [
        b"process.env",
        b"os.environ",
        b"env.",
        b"env(",
        b"getenv",
        b"op://",
        b"vault:",
        b"arn:",
        b"file:",
        b"secretref",
        b"system.getenv",
        b"ssm:",
    ];
    if ELSEWHERE.iter().any(|word| starts_any_case(value, word))
        || contains(value, b"://")
        || contains(value, b"()")
        || contains(value, b"${")
        || contains(value, b"{{")
    {
        return true;
    }
    if contains(value, b"::") {
        return true;
    }
    // `config.get(...)`, `items[3].key`: code, unless it was quoted.
    let call = value.iter().position(|b| matches!(b, b'(' | b'['));
    !quoted
        && call.is_some_and(|at| {
            at > 2
                && value[..at]
                    .iter()
                    .all(|b| b.is_ascii_alphabetic() || matches!(b, b'.' | b'_' | b':' | b'?'))
        })
}

/// Whether a value without quote marks, with `next` behind it, is what programs are made of: a number with its type, a
/// function that is called, a constant, a type. `tight` says that it follows the sign directly, as in files of settings:
/// there a name is no name but a value.
pub(super) fn is_code(value: &[u8], next: u8, tight: bool) -> bool {
    let head = value.split(|b| *b == b'(').next().unwrap_or(value);
    let is_called = next == b'(' || head.len() < value.len();
    is_number(value) || (!tight && is_name_of_code(head, is_called))
}

/// `0x8009000A`, `-2147212282i32`, `34818u64`. A longer one in hex is more than a machine counts with, and may be a key.
fn is_number(value: &[u8]) -> bool {
    const TYPES: [&[u8]; 14] = [
        b"i8", b"i16", b"i32", b"i64", b"isize", b"u8", b"u16", b"u32", b"u64", b"usize", b"u",
        b"l", b"ul", b"ull",
    ];
    let value = value.strip_prefix(b"-").unwrap_or(value);
    let hex = value
        .strip_prefix(b"0x")
        .or_else(|| value.strip_prefix(b"0X"));
    let digits = hex.unwrap_or(value);
    let is_digit = |b: &u8| match hex {
        Some(_) => b.is_ascii_hexdigit(),
        None => b.is_ascii_digit(),
    };
    let count = digits.iter().take_while(|b| is_digit(b)).count();
    let kind = digits[count..]
        .strip_prefix(b"_")
        .unwrap_or(&digits[count..]);
    let typed = TYPES.iter().any(|name| kind.eq_ignore_ascii_case(name));
    // Digits alone may be a PIN.
    (1..=20).contains(&count) && (typed || hex.is_some_and(|_| kind.is_empty() && count <= 16))
}

/// `DOT11_DIALOG_TOKEN`, `sqlite3_value_text`, `X509CertificateFlag`: words, with few numbers among them. Chance strews
/// its digits and capitals.
fn is_name_of_code(value: &[u8], is_called: bool) -> bool {
    let (mut words, mut letters, mut numbers, mut digits) = (0, 0, 0, 0);
    let mut last = b'_';
    for &byte in value {
        match byte {
            b'A'..=b'Z' => {
                letters += 1;
                words += usize::from(!last.is_ascii_uppercase());
            }
            b'a'..=b'z' => {
                letters += 1;
                words += usize::from(!last.is_ascii_alphabetic());
            }
            b'0'..=b'9' => {
                digits += 1;
                numbers += usize::from(!last.is_ascii_digit());
            }
            b'_' => {}
            _ => return false,
        }
        last = byte;
    }
    let joined = value.contains(&b'_') || value.iter().any(u8::is_ascii_lowercase);
    let enough = if is_called { 1 } else { 3 };
    joined && words >= enough && letters >= 4 * words && numbers <= 4 && digits * 2 <= letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_programs_are_told_from_values() {
        for number in [
            "0x8009000A",
            "0xC000090A_u32",
            "-2147212282i32",
            "34818u64",
            "16384UL",
        ] {
            assert!(is_code(number.as_bytes(), b';', true), "{number}");
        }
        let key = format!("0x{}", "4c0883a69102937d".repeat(4));
        for value in ["483920", "12i7k3z9", "0x12zz", key.as_str(), "-", ""] {
            assert!(!is_code(value.as_bytes(), b';', true), "{value}");
        }
    }

    #[test]
    fn names_of_programs_are_told_from_values() {
        for name in [
            "DOT11_DIALOG_TOKEN",
            "TLS13_CHACHA20_POLY1305_SHA256_INTERNAL",
            "X509CertificateTemplatePrivateKeyFlag",
            "x25519_check_private_key_bytes",
        ] {
            assert!(is_code(name.as_bytes(), b',', false), "{name}");
            assert!(!is_code(name.as_bytes(), b',', true), "{name} as a setting");
        }
        assert!(is_code(b"sqlite3Strlen30NN(p", b')', false));
        assert!(is_code(b"sqlite3_value_bytes", b'(', false));
        for value in [
            "hunter2",
            "Summit8665",
            "k3J9dLq2ZtVb7Xw1",
            "A1B2_C3D4_E5F6",
            "correct7horse",
            "q8zt4wvl0kpq2mxc9rty",
        ] {
            assert!(!is_code(value.as_bytes(), b'\n', false), "{value}");
        }
    }
}
