//! National numbers. Most have check digits that one number in ten or eleven passes by chance, so the text around them
//! must name them as well.

use super::record::Record;
use crate::{
    checksum::luhn,
    kind::{Kind, Label},
    text::contains_any_case,
    token::Hit,
    view::View,
};
use palisade_core::Severity;

const fn label(id: &'static str) -> Label {
    Label::new(id, Kind::Pii, Severity::Medium)
}

/// A number, how it is written, and how it is told.
struct Format {
    label: Label,
    /// `9` is a digit, `A` a letter, `*` either; blanks, dots and hyphens may stand between them.
    shape: &'static [u8],
    fits: fn(&[u8]) -> bool,
    /// What a number must satisfy besides where nothing but the row of a table speaks for it.
    issued: fn(&[u8]) -> bool,
    /// What it is called. Empty: the shape and the check digits say enough.
    names: &'static [&'static str],
}

const FORMATS: [Format; 15] = [
    Format {
        label: label("cn_resident_id"),
        shape: b"99999999999999999*",
        fits: cn_id,
        issued: any,
        names: &[],
    },
    Format {
        label: label("br_cpf"),
        shape: b"99999999999",
        fits: cpf,
        issued: any,
        names: &["cpf"],
    },
    Format {
        label: label("es_dni"),
        shape: b"99999999A",
        fits: dni,
        issued: any,
        names: &["dni", "documento", "nif"],
    },
    Format {
        label: label("uk_nino"),
        shape: b"AA999999A",
        fits: nino,
        issued: any,
        names: &["nino", "ni number", "ni_number", "insurance"],
    },
    Format {
        label: label("uk_nhs"),
        shape: b"9999999999",
        fits: nhs,
        issued: no_moment,
        names: &["nhs"],
    },
    Format {
        label: label("ca_sin"),
        shape: b"999999999",
        fits: sin,
        issued: any,
        names: &["sin ", "sin:", "sin=", "sin\"", "social insurance"],
    },
    Format {
        label: label("nl_bsn"),
        shape: b"999999999",
        fits: bsn,
        issued: any,
        names: &["bsn", "burgerservice"],
    },
    Format {
        label: label("us_routing_number"),
        shape: b"999999999",
        fits: aba,
        issued: reserve_bank,
        names: &["aba", "routing"],
    },
    Format {
        label: label("pl_pesel"),
        shape: b"99999999999",
        fits: pesel,
        issued: born,
        names: &["pesel"],
    },
    Format {
        label: label("de_tax_id"),
        shape: b"99999999999",
        fits: steuer_id,
        issued: any,
        names: &[
            "steuer-id",
            "steuerid",
            "steuer_id",
            "steuer-ident",
            "steuerident",
            "idnr",
        ],
    },
    Format {
        label: label("fr_nir"),
        shape: b"999999999999999",
        fits: nir,
        issued: any,
        names: &[
            "nir ",
            "nir:",
            "nir=",
            "nir\"",
            "insee",
            "sécu",
            "securite sociale",
        ],
    },
    Format {
        label: label("in_aadhaar"),
        shape: b"999999999999",
        fits: aadhaar,
        issued: any,
        names: &["aadhaar", "uidai"],
    },
    Format {
        label: label("in_pan"),
        shape: b"AAAAA9999A",
        fits: any,
        issued: pan_holder,
        names: &["pan ", "pan:", "pan=", "pan\"", "pan_", "pan card"],
    },
    Format {
        label: label("sg_nric"),
        shape: b"A9999999A",
        fits: nric,
        issued: any,
        names: &["nric", "fin "],
    },
    Format {
        label: label("imei"),
        shape: b"999999999999999",
        fits: imei,
        issued: no_card,
        names: &["imei"],
    },
];

pub(crate) const LABELS: [Label; FORMATS.len()] = {
    let mut labels = [FORMATS[0].label; FORMATS.len()];
    let mut at = 0;
    while at < FORMATS.len() {
        labels[at] = FORMATS[at].label;
        at += 1;
    }
    labels
};

/// How far around a number it may be named.
const BEHIND: usize = 36;
const AHEAD: usize = 44;

pub(super) fn find(view: &View<'_>, at: usize) -> Option<Hit> {
    if view.is_inside_word(at) || matches!(view.before(at), b'.' | b'-' | b'/') {
        return None;
    }
    let number = Compact::read(view, at);
    if number.ends >> SHORTEST == 0 || number.digits.count_ones() < 4 {
        return None;
    }
    let (mut record, mut has_read) = (Record::default(), false);
    FORMATS.iter().enumerate().find_map(|(place, format)| {
        let length = format.shape.len();
        if !number.has_shape(place) {
            return None;
        }
        let text = &number.text[..length];
        if !(format.fits)(text) {
            return None;
        }
        let end = at + usize::from(number.places[length - 1]) + 1;
        let grouped = end - at > length;
        let behind = view.said_before(at);
        let behind = &behind[behind.len().saturating_sub(BEHIND)..];
        let named = |around: &[u8]| {
            format
                .names
                .iter()
                .any(|name| contains_any_case(around, name.as_bytes()))
        };
        let certain = format.names.is_empty() || (format.label.id == "br_cpf" && grouped);
        if certain {
            return Some(Hit::new(format.label, at, end, 0.9));
        }
        // `(63102518941) but support said the PESEL is wrong`
        if named(behind) || (view.at(end) == b')' && named(view.slice(end, end + AHEAD))) {
            return Some(Hit::new(format.label, at, end, 0.8));
        }
        if !has_read {
            record = Record::around(view, at, end).unwrap_or_default();
            has_read = true;
        }
        if named(record.column) {
            return Some(Hit::new(format.label, at, end, 0.8));
        }
        let tells = record.is_personal && (format.issued)(text);
        tells.then(|| Hit::new(format.label, at, end, 0.5))
    })
}

const LONGEST: usize = 18;
const SHORTEST: usize = 9;

/// A number without the blanks, dots and hyphens between its characters.
struct Compact {
    text: [u8; LONGEST],
    /// Where each character stands, counted from the first.
    places: [u8; LONGEST],
    /// Which of the characters are digits.
    digits: u32,
    /// After how many characters the number may end.
    ends: u32,
    count: usize,
}

impl Compact {
    fn read(view: &View<'_>, at: usize) -> Self {
        let mut number = Self {
            text: [0; LONGEST],
            places: [0; LONGEST],
            digits: 0,
            ends: 0,
            count: 0,
        };
        let mut place = 0;
        while number.count < LONGEST {
            let mut byte = view.at(at + place);
            if number.count > 0 {
                if !(byte.is_ascii_alphanumeric() || byte == b'_') {
                    number.ends |= 1 << number.count;
                }
                if matches!(byte, b' ' | b'-' | b'.') {
                    place += 1;
                    byte = view.at(at + place);
                }
            }
            if !byte.is_ascii_alphanumeric() {
                break;
            }
            number.digits |= u32::from(byte.is_ascii_digit()) << number.count;
            number.text[number.count] = byte.to_ascii_uppercase();
            number.places[number.count] = place as u8;
            number.count += 1;
            place += 1;
            // `1 2 3`: a list, not a number.
            if number.count == 2
                && place == 3
                && matches!(view.at(at + 3), b' ' | b'.' | b'-' | b',')
            {
                return number;
            }
            // Words are no numbers: six letters in a row are enough to see it.
            if number.count == 6 && number.digits == 0 {
                return number;
            }
        }
        if number.count == LONGEST {
            let after = view.at(at + place);
            if !(after.is_ascii_alphanumeric() || after == b'_') {
                number.ends |= 1 << LONGEST;
            }
        }
        number
    }

    fn has_shape(&self, at: usize) -> bool {
        let (digits, letters) = SHAPES[at];
        self.ends >> FORMATS[at].shape.len() & 1 == 1
            && self.digits & digits == digits
            && self.digits & letters == 0
    }
}

/// Where each format has digits, and where letters.
const SHAPES: [(u32, u32); FORMATS.len()] = {
    let mut shapes = [(0, 0); FORMATS.len()];
    let mut format = 0;
    while format < FORMATS.len() {
        let shape = FORMATS[format].shape;
        let mut at = 0;
        while at < shape.len() {
            match shape[at] {
                b'9' => shapes[format].0 |= 1 << at,
                b'A' => shapes[format].1 |= 1 << at,
                _ => {}
            }
            at += 1;
        }
        format += 1;
    }
    shapes
};

fn digit(text: &[u8], at: usize) -> u32 {
    u32::from(text[at].wrapping_sub(b'0'))
}

fn weighted(text: &[u8], weights: &[u32]) -> u32 {
    weights
        .iter()
        .enumerate()
        .map(|(at, weight)| weight * digit(text, at))
        .sum()
}

fn passes_luhn(text: &[u8]) -> bool {
    let mut values = [0; 18];
    for (value, byte) in values.iter_mut().zip(text) {
        *value = byte.wrapping_sub(b'0');
    }
    luhn(&values[..text.len()])
}

fn any(_: &[u8]) -> bool {
    true
}

/// The first two digits name a Federal Reserve district, or a kind of bank.
fn reserve_bank(text: &[u8]) -> bool {
    matches!(weighted(text, &[10, 1]), 1..=12 | 21..=32 | 61..=72 | 80)
}

/// A moment counted in seconds has ten digits as well, and begins so for sixty years.
fn no_moment(text: &[u8]) -> bool {
    !matches!(text[0], b'0' | b'1')
}

/// A date of birth, whose month also tells the century.
fn born(text: &[u8]) -> bool {
    (1..=12).contains(&(weighted(&text[2..], &[10, 1]) % 20))
        && (1..=31).contains(&weighted(&text[4..], &[10, 1]))
}

/// Fifteen digits with a Luhn digit are also what American Express has.
fn no_card(text: &[u8]) -> bool {
    text[0] != b'3'
}

/// The fourth letter says what kind of person has the number.
fn pan_holder(text: &[u8]) -> bool {
    b"ABCFGHJLPT".contains(&text[3])
}

fn imei(text: &[u8]) -> bool {
    passes_luhn(text)
}

fn sin(text: &[u8]) -> bool {
    text[0] != b'0' && text[0] != b'8' && passes_luhn(text)
}

/// A date of birth in the middle, and ISO 7064 mod 11-2 at the end.
fn cn_id(text: &[u8]) -> bool {
    let year = weighted(&text[6..], &[1000, 100, 10, 1]);
    let (month, day) = (
        weighted(&text[10..], &[10, 1]),
        weighted(&text[12..], &[10, 1]),
    );
    let sum = weighted(text, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let check = b"10X98765432"[(sum % 11) as usize];
    (1900..2100).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && text[17] == check
}

fn cpf(text: &[u8]) -> bool {
    let check = |count: usize| {
        let sum: u32 = (0..count)
            .map(|at| digit(text, at) * (count + 1 - at) as u32)
            .sum();
        sum * 10 % 11 % 10 == digit(text, count)
    };
    !text.iter().all(|b| *b == text[0]) && check(9) && check(10)
}

fn dni(text: &[u8]) -> bool {
    let number = text[..8]
        .iter()
        .fold(0u32, |number, byte| number * 10 + u32::from(byte - b'0'));
    b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize] == text[8]
}

fn nino(text: &[u8]) -> bool {
    !b"DFIQUV".contains(&text[0])
        && !b"DFIOQUV".contains(&text[1])
        && (b'A'..=b'D').contains(&text[8])
}

fn nhs(text: &[u8]) -> bool {
    let sum = weighted(text, &[10, 9, 8, 7, 6, 5, 4, 3, 2]);
    (11 - sum % 11) % 11 == digit(text, 9)
}

fn bsn(text: &[u8]) -> bool {
    let sum = weighted(text, &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum > 0 && sum % 11 == digit(text, 8)
}

fn aba(text: &[u8]) -> bool {
    let sum = weighted(text, &[3, 7, 1, 3, 7, 1, 3, 7, 1]);
    sum > 0 && sum.is_multiple_of(10)
}

fn pesel(text: &[u8]) -> bool {
    weighted(text, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

/// The German tax number: of its first ten digits one comes twice or three times and no other more than once, and the
/// last is that of ISO 7064 mod 11,10.
fn steuer_id(text: &[u8]) -> bool {
    let mut counts = [0; 10];
    let mut product = 10;
    for at in 0..10 {
        counts[digit(text, at) as usize % 10] += 1;
        let sum = (digit(text, at) + product) % 10;
        product = if sum == 0 { 10 } else { sum } * 2 % 11;
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    let most = counts.iter().max().copied().unwrap_or_default();
    text[0] != b'0' && repeated == 1 && most <= 3 && (11 - product) % 10 == digit(text, 10)
}

/// The French number of the registry of persons: sex, year and month of birth, place, rank, and a key modulo 97.
fn nir(text: &[u8]) -> bool {
    let value = |from: usize, to: usize| {
        text[from..to].iter().fold(0u64, |value, byte| {
            value * 10 + u64::from(byte.wrapping_sub(b'0'))
        })
    };
    // From 20 on the month is not known.
    matches!(text[0], b'1'..=b'4' | b'7' | b'8')
        && matches!(value(3, 5), 1..=12 | 20..=42 | 50..=99)
        && 97 - value(0, 13) % 97 == value(13, 15)
}

fn nric(text: &[u8]) -> bool {
    let offset = match text[0] {
        b'S' | b'F' => 0,
        b'T' | b'G' => 4,
        b'M' => 3,
        _ => return false,
    };
    let sum = offset + weighted(&text[1..], &[2, 7, 6, 5, 4, 3, 2]);
    let letters: &[u8; 11] = match text[0] {
        b'S' | b'T' => b"JZIHGFEDCBA",
        b'F' | b'G' => b"XWUTRQPNMLK",
        _ => b"KLJNPQRTUWX",
    };
    let at = (sum % 11) as usize;
    letters[if text[0] == b'M' { 10 - at } else { at }] == text[8]
}

/// The dihedral check of Verhoeff.
fn aadhaar(text: &[u8]) -> bool {
    const TURN: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let multiply = |a: usize, b: usize| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    if text[0] <= b'1' {
        return false;
    }
    let mut check = 0;
    for (place, byte) in text.iter().rev().enumerate() {
        let mut value = usize::from(byte - b'0');
        for _ in 0..place % 8 {
            value = TURN[value];
        }
        check = multiply(check, value);
    }
    check == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, at: usize) -> Option<(&'static str, &str)> {
        let view = View::new(text.as_bytes(), at, true);
        find(&view, at).map(|hit| (hit.label.id, &text[hit.start..hit.end]))
    }

    #[test]
    fn a_number_is_found_where_it_is_named_and_fits() {
        for (name, number, id) in [
            ("cpf=", "52998224725", "br_cpf"),
            ("DNI: ", "12345678Z", "es_dni"),
            ("NI number: ", "AB 12 34 56 C", "uk_nino"),
            ("NHS number: ", "943 476 5919", "uk_nhs"),
            ("SIN: ", "130-692-544", "ca_sin"),
            ("bsn=", "111222333", "nl_bsn"),
            ("routing number ", "021000021", "us_routing_number"),
            ("PESEL ", "44051401359", "pl_pesel"),
            ("Steuer-ID: ", "86 095 742 719", "de_tax_id"),
            ("steuerid=", "65929970489", "de_tax_id"),
            ("NIR: ", "2 55 08 14 168 025 38", "fr_nir"),
            ("numéro de sécu ", "255081416802538", "fr_nir"),
            ("pan card: ", "ABCPE1234F", "in_pan"),
            ("nric: ", "S1234567D", "sg_nric"),
            ("IMEI ", "490154203237518", "imei"),
            ("Aadhaar ", "2363 5", "none"),
        ] {
            let text = format!("{name}{number}.");
            let expected = (id != "none").then_some((id, number));
            assert_eq!(found(&text, name.len()), expected, "{text}");
            assert_eq!(found(&format!("item {number}."), 5), None, "{number}");
        }
        assert_eq!(
            found("529.982.247-25", 0),
            Some(("br_cpf", "529.982.247-25"))
        );
        assert_eq!(
            found("11010519491231002X", 0),
            Some(("cn_resident_id", "11010519491231002X"))
        );
        assert_eq!(found("11010519491231002Y", 0), None);
        assert_eq!(
            found("(44051401359) but they say the PESEL is wrong", 1),
            Some(("pl_pesel", "44051401359"))
        );
    }

    #[test]
    fn a_wrong_digit_makes_a_number_nobodys() {
        for (name, number) in [
            ("Steuer-ID: ", "86095742710"),
            ("Steuer-ID: ", "12345678901"),
            ("Steuer-ID: ", "06095742719"),
            ("NIR: ", "255081416802539"),
            ("NIR: ", "955081416802538"),
        ] {
            let text = format!("{name}{number}.");
            assert_eq!(found(&text, name.len()), None, "{text}");
        }
    }

    #[test]
    fn between_separators_a_number_is_found_where_the_row_is_about_a_person() {
        for (text, at, expected) in [
            ("Jerry Daniel,285 906 111,2026-01-05", 13, Some("ca_sin")),
            ("Jerry Daniel;26045012L;2026-01-05", 13, Some("es_dni")),
            ("[\"Jo Lenz\", \"961 467 0207\"]", 13, Some("uk_nhs")),
            ("| Jo Lenz | 47040855371 |", 12, Some("pl_pesel")),
            ("no,ABA\n7,111301630", 9, Some("us_routing_number")),
            ("Blue Widget,285 906 111,2026-01-05", 12, None),
            ("Jerry Daniel,285 906 113,2026-01-05", 13, None),
            ("name,ticket\nJerry Daniel,285 906 111", 25, None),
        ] {
            assert_eq!(found(text, at).map(|(id, _)| id), expected, "{text}");
        }
    }

    #[test]
    fn verhoeff_catches_every_single_wrong_digit_and_every_swap() {
        let number = *b"234123412346";
        assert!(aadhaar(&number));
        for at in 1..12 {
            let mut wrong = number;
            wrong[at] = b'0' + (wrong[at] - b'0' + 1) % 10;
            assert!(!aadhaar(&wrong), "digit {at}");
            let mut swapped = number;
            swapped.swap(at - 1, at);
            assert!(swapped == number || !aadhaar(&swapped), "swap {at}");
        }
    }
}
