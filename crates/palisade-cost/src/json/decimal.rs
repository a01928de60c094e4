//! A JSON number as an amount of money, read as decimal text: through a float, `0.005134` is another number.

use palisade_core::Money;

/// Digits after the point of a pico-dollar.
const SCALE: i64 = 12;
/// More digits than any amount has; beyond them a text is not one.
const DIGITS_MAX: usize = 64;

/// The amount, rounded to the nearest pico-dollar; `None` if it is negative, too large or no number.
///
/// Rounding, because providers compute this number in floats: the digits beyond a pico-dollar are noise.
pub(super) fn amount(text: &str) -> Option<Money> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = !whole.is_empty()
        && whole.len() + fraction.len() <= DIGITS_MAX
        && whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    // The value is the digits times ten to the shift, in pico-dollars.
    let shift = exponent
        .checked_add(SCALE)?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let digits = whole
        .bytes()
        .chain(fraction.bytes())
        .map(|byte| i128::from(byte - b'0'));
    let mut pico: i128 = 0;
    let mut remaining = i64::try_from(whole.len() + fraction.len()).ok()?;
    let mut round_up = false;
    for digit in digits {
        remaining -= 1;
        // The place of this digit, counted from the pico-dollar.
        match remaining.checked_add(shift)? {
            0.. => pico = pico.checked_mul(10)?.checked_add(digit)?,
            -1 => round_up = digit >= 5,
            _ => {}
        }
    }
    for _ in 0..shift.max(0) {
        if pico == 0 {
            break;
        }
        pico = pico.checked_mul(10)?;
    }
    pico.checked_add(i128::from(round_up))
        .map(Money::from_pico_usd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_written() {
        for (text, usd) in [
            ("0", "0"),
            ("0.005134", "0.005134"),
            ("1.4e-05", "0.000014"),
            ("1.4E-5", "0.000014"),
            ("12e2", "1200"),
            ("1e-12", "0.000000000001"),
            ("5e-13", "0.000000000001"),
            ("4e-13", "0"),
            ("1e-400", "0"),
            ("0e400", "0"),
            ("0.0051340000000000005", "0.005134"),
            ("0.0051339999999999999", "0.005134"),
        ] {
            assert_eq!(
                amount(text).map(|amount| amount.to_string()).as_deref(),
                Some(usd),
                "{text}"
            );
        }
        for text in [
            "-1",
            "1e40",
            "",
            ".5",
            "1e",
            "1e999999999999999999999",
            "nan",
            "\"1\"",
            "1 ",
        ] {
            assert_eq!(amount(text), None, "{text}");
        }
    }
}
