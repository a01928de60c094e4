use crate::{
    checksum::iban_mod97,
    kind::{Kind, Label},
    token::Hit,
    view::View,
};
use palisade_core::Severity;

pub(crate) const LABEL: Label = Label::new("iban", Kind::Pii, Severity::Medium);

/// The countries of the IBAN registry (ISO 13616) and the lengths of their numbers.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// An IBAN, with or without spaces between its groups.
pub(super) fn find(view: &View<'_>, at: usize) -> Option<Hit> {
    let country = [
        view.at(at).to_ascii_uppercase(),
        view.at(at + 1).to_ascii_uppercase(),
    ];
    if !country.iter().all(u8::is_ascii_uppercase)
        || !view.at(at + 2).is_ascii_digit()
        || !view.at(at + 3).is_ascii_digit()
    {
        return None;
    }
    let length = LENGTHS.iter().find(|(code, _)| **code == country)?.1;
    let mut number = [0; 34];
    let (mut filled, mut from) = (0, at);
    while filled < length {
        let byte = view.at(from);
        if byte.is_ascii_alphanumeric() {
            number[filled] = byte;
            filled += 1;
        } else if !(matches!(byte, b' ' | b'-')
            && filled > 1
            && view.at(from + 1).is_ascii_alphanumeric())
        {
            return None;
        }
        from += 1;
    }
    let ends = !view.at(from).is_ascii_alphanumeric();
    (ends && iban_mod97(&number[..length])).then(|| Hit::new(LABEL, at, from, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let view = View::new(text.as_bytes(), 0, true);
        find(&view, 0).map(|hit| &text[hit.start..hit.end])
    }

    #[test]
    fn an_iban_is_found_in_groups_in_one_piece_and_in_lower_case() {
        assert_eq!(
            found("GB82 WEST 1234 5698 7654 32 please"),
            Some("GB82 WEST 1234 5698 7654 32")
        );
        assert_eq!(
            found("GB82WEST12345698765432."),
            Some("GB82WEST12345698765432")
        );
        assert_eq!(
            found("gb82west12345698765432"),
            Some("gb82west12345698765432")
        );
    }

    #[test]
    fn wrong_check_digits_lengths_and_countries_are_none() {
        for text in [
            "GB82 WEST 1234 5698 7654 33",
            "GB82WEST123456987654321",
            "ZZ82WEST12345698765432",
            "GB82 WEST",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
