//! Dates of birth and postal addresses. A date says nothing about whose it is, and neither does a street: the words
//! before them must.

use palisade_core::Severity;

use crate::{
    Locale,
    kind::{Kind, Label},
    text::starts_any_case,
    token::Hit,
    view::View,
};

use super::date;

pub(crate) const BIRTH: Label = Label::new("date_of_birth", Kind::Pii, Severity::Medium);
pub(crate) const ADDRESS: Label = Label::new("postal_address", Kind::Pii, Severity::Medium);

/// What says that a value follows. A blank stands for a blank, `_`, `-` or nothing: `dateOfBirth`.
struct Sign {
    text: &'static str,
    is_address: bool,
    locale: Locale,
}

const fn birth(text: &'static str, locale: Locale) -> Sign {
    Sign {
        text,
        is_address: false,
        locale,
    }
}

const fn address(text: &'static str, locale: Locale) -> Sign {
    Sign {
        text,
        is_address: true,
        locale,
    }
}

use Locale::{English, French, German, Spanish};

const SIGNS: [Sign; 46] = [
    birth("dob", English),
    birth("d.o.b.", English),
    birth("date of birth", English),
    birth("birth date", English),
    birth("birthday", English),
    birth("born on", English),
    birth("born", English),
    birth("geburtsdatum", German),
    birth("geburtstag", German),
    birth("geboren am", German),
    birth("geboren", German),
    birth("geb.", German),
    birth("date de naissance", French),
    birth("né le", French),
    birth("née le", French),
    birth("né(e) le", French),
    birth("fecha de nacimiento", Spanish),
    birth("fecha nacimiento", Spanish),
    birth("nacido el", Spanish),
    birth("nacida el", Spanish),
    address("address line 1", English),
    address("address", English),
    address("home address", English),
    address("street address", English),
    address("mailing address", English),
    address("postal address", English),
    address("billing address", English),
    address("shipping address", English),
    address("delivery address", English),
    address("residential address", English),
    address("street", English),
    address("live at", English),
    address("lives at", English),
    address("living at", English),
    address("anschrift", German),
    address("adresse", German),
    address("wohnhaft", German),
    address("wohne in der", German),
    address("adresse postale", French),
    address("adresse", French),
    address("habite au", French),
    address("demeurant", French),
    address("direccion", Spanish),
    address("dirección", Spanish),
    address("domicilio", Spanish),
    address("vivo en", Spanish),
];

/// The words such signs begin with.
pub(crate) fn heads() -> impl Iterator<Item = &'static [u8]> {
    SIGNS.iter().map(|sign| sign.text.as_bytes())
}

/// A date of birth or an address that is announced at `at`.
pub(crate) fn find(view: &View<'_>, at: usize, is_on: impl Fn(Locale) -> bool) -> Option<Hit> {
    let first = view.at(at) | 0x20;
    SIGNS
        .iter()
        .filter(|sign| sign.text.as_bytes()[0] == first && is_on(sign.locale))
        .find_map(|sign| {
            let end = spelled(view, at, sign.text.as_bytes())?;
            let start = value(view, end)?;
            if sign.is_address {
                let end = place(view, start, sign.locale)?;
                Some(Hit::new(ADDRESS, start, end, 0.8))
            } else {
                let end = date::end(view, start)?;
                Some(Hit::new(BIRTH, start, end, 0.85))
            }
        })
}

/// The end of `text`, given in lower case, if it stands at `at` as whole words.
fn spelled(view: &View<'_>, at: usize, text: &[u8]) -> Option<usize> {
    let mut at = at;
    for &byte in text {
        if byte == b' ' {
            at += usize::from(matches!(view.at(at), b' ' | b'_' | b'-'));
        } else if view.at(at).to_ascii_lowercase() == byte {
            at += 1;
        } else {
            return None;
        }
    }
    (!view.at(at).is_ascii_alphanumeric() && view.at(at) < 128).then_some(at)
}

/// Words between a sign and its value.
const BETWEEN: [&[u8]; 12] = [
    b"is", b"was", b"on", b"at", b"ist", b"am", b"in", b"est", b"es", b"el", b"le", b"der",
];

/// Where the value begins that belongs to the sign that ends at `at`.
fn value(view: &View<'_>, at: usize) -> Option<usize> {
    let mut at = at;
    for _ in 0..3 {
        let start = at;
        at = view.run(at, 12, |b| b" \t\"'\\:=>(|*-".contains(&b));
        let word = view.run(at, 4, |b| b.is_ascii_alphabetic());
        let skipped = BETWEEN
            .iter()
            .any(|between| view.slice(at, word).eq_ignore_ascii_case(between));
        if !skipped || view.at(word) != b' ' {
            return (at > start).then_some(at);
        }
        at = word;
    }
    None
}

/// How long an address may be, and how far into it the street must be.
const ADDRESS_MAX: usize = 140;
const STREET_MAX: usize = 72;

/// The end of the address at `start`, if it names a street and a number as they are written where `locale` is spoken.
fn place(view: &View<'_>, start: usize, locale: Locale) -> Option<usize> {
    let first = view.at(start);
    if !(first.is_ascii_alphanumeric() || first >= 128) {
        return None;
    }
    let is = |word: &[u8], names: &[&str]| {
        let name = |name: &&str| word.len() == name.len() && starts_any_case(word, name.as_bytes());
        names.iter().any(name)
    };
    // Most of what is none is told by its first word.
    let end = view.run(start, 24, |b| b.is_ascii_alphanumeric() || b >= 128);
    let head = view.slice(start, end);
    let begins = match locale {
        English => is_number(head) || is(head, &UNITS),
        French => is_number(head),
        // A postcode may come first, a house number does not.
        German => head.len() == 5 || !is_number(head),
        Spanish => is(head, &CALLES),
    };
    if !begins {
        return None;
    }
    let stop = view.run(start, ADDRESS_MAX, |b| {
        !b"\n\r\t\"<>|;\\{}[]=\0".contains(&b)
    });
    let text = view.slice(start, stop);
    let near = &text[..text.len().min(STREET_MAX)];
    let words: [&[u8]; WORDS] = {
        let mut words: [&[u8]; WORDS] = [&[]; WORDS];
        let parts = near.split(|b| !(b.is_ascii_alphanumeric() || *b >= 128));
        for (slot, word) in words.iter_mut().zip(parts.filter(|word| !word.is_empty())) {
            *slot = word;
        }
        words
    };
    let fits = match locale {
        English => {
            is_number(words[0]) && words[2..7].iter().any(|word| is(word, &STREETS))
                || is(words[0], &UNITS) && words.iter().any(|w| is_number(w))
        }
        French => is_number(words[0]) && words[1..4].iter().any(|word| is(word, &RUES)),
        German => words
            .windows(2)
            .any(|pair| ends_as_street(pair[0]) && is_number(pair[1])),
        Spanish => is(words[0], &CALLES) && words[2..].iter().any(|word| is_number(word)),
    };
    fits.then(|| start + sentence(text))
}

/// How many words of an address are looked at.
const WORDS: usize = 10;

const UNITS: [&str; 5] = ["po", "flat", "apt", "unit", "suite"];

const STREETS: [&str; 29] = [
    "street",
    "st",
    "avenue",
    "ave",
    "road",
    "rd",
    "lane",
    "ln",
    "boulevard",
    "blvd",
    "drive",
    "dr",
    "way",
    "court",
    "ct",
    "place",
    "pl",
    "square",
    "sq",
    "terrace",
    "close",
    "crescent",
    "highway",
    "hwy",
    "parkway",
    "pkwy",
    "circle",
    "trail",
    "gardens",
];

const RUES: [&str; 12] = [
    "rue",
    "avenue",
    "av",
    "boulevard",
    "bd",
    "place",
    "chemin",
    "impasse",
    "allée",
    "route",
    "quai",
    "cours",
];

const CALLES: [&str; 12] = [
    "calle",
    "c",
    "avenida",
    "avda",
    "av",
    "plaza",
    "paseo",
    "camino",
    "ronda",
    "carrer",
    "travesía",
    "carretera",
];

/// `12`, `12b`, `1600`.
fn is_number(word: &[u8]) -> bool {
    let digits = word.iter().take_while(|b| b.is_ascii_digit()).count();
    (1..=5).contains(&digits)
        && word.len() <= digits + 1
        && word[digits..].iter().all(u8::is_ascii_alphabetic)
}

fn ends_as_street(word: &[u8]) -> bool {
    const ENDS: [&str; 12] = [
        "straße", "strasse", "str", "weg", "platz", "allee", "gasse", "ring", "damm", "ufer",
        "chaussee", "steig",
    ];
    ENDS.iter().any(|end| {
        word.len() >= end.len() && starts_any_case(&word[word.len() - end.len()..], end.as_bytes())
    })
}

/// How much of a line is the address: up to the end of the sentence, or to what goes on behind it.
fn sentence(text: &[u8]) -> usize {
    let mut end = text.len();
    for stop in [
        " and ",
        " but ",
        " please ",
        " und ",
        " et ",
        ", please ",
        ") ",
        "'",
    ] {
        let stop = stop.as_bytes();
        // A house has its number and its street before anything is said about it.
        if let Some(at) = (6..end).find(|at| text[*at..].starts_with(stop)) {
            end = at;
        }
    }
    // A full stop behind a long word is no abbreviation.
    let full = (6..end).find(|&at| {
        let word = text[..at]
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_alphanumeric());
        text[at] == b'.'
            && text.get(at + 1).is_none_or(|b| *b == b' ')
            && !text.get(at + 2).is_some_and(u8::is_ascii_digit)
            && word.count() > 4
    });
    let end = full.unwrap_or(end);
    let tail = text[..end]
        .iter()
        .rev()
        .take_while(|b| b" .,)'*".contains(b));
    end - tail.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&'static str, &str)> {
        let view = View::new(text.as_bytes(), 0, true);
        find(&view, 0, |_| true).map(|hit| (hit.label.id, &text[hit.start..hit.end]))
    }

    #[test]
    fn a_date_is_one_of_birth_where_it_is_said_so() {
        for (text, date) in [
            ("DOB: 1984-03-12", "1984-03-12"),
            ("date_of_birth=12/03/1984,", "12/03/1984"),
            ("dateOfBirth\": \"1984-03-12\"", "1984-03-12"),
            ("born on 12th of March 1984.", "12th of March 1984"),
            ("birthday is March 12, 1984", "March 12, 1984"),
            ("Geburtsdatum: 12.3.1984", "12.3.1984"),
            ("geboren am 12. März 1984 in", "12. März 1984"),
            ("Date de naissance : 1er février 1990", "1er février 1990"),
            ("née le 12/03/84", "12/03/84"),
            (
                "Fecha de nacimiento: 12 de marzo de 1984",
                "12 de marzo de 1984",
            ),
        ] {
            assert_eq!(found(text), Some(("date_of_birth", date)), "{text}");
        }
        for text in [
            "date: 1984-03-12",
            "born to run 1984",
            "dob: 1984-13-42",
            "dob: 31/31/1984",
            "dobbin: 1984-03-12",
            "birthday: 3.12.19841",
            "geboren in 12 Monaten",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_is_a_street_and_a_number_where_it_is_said_so() {
        for (text, place) in [
            (
                "Address: 12 Oak Tree Lane, Springfield, IL 62704\n",
                "12 Oak Tree Lane, Springfield, IL 62704",
            ),
            (
                "home_address\": \"221b Baker St., London\"",
                "221b Baker St., London",
            ),
            ("live at 5 Park Avenue and work", "5 Park Avenue"),
            (
                "Anschrift: Lange Straße 12, 10115 Berlin. Danke",
                "Lange Straße 12, 10115 Berlin",
            ),
            (
                "Adresse: Hauptstr. 5a, 8001 Zürich",
                "Hauptstr. 5a, 8001 Zürich",
            ),
            (
                "adresse : 12 bis rue de la Paix, 75002 Paris",
                "12 bis rue de la Paix, 75002 Paris",
            ),
            (
                "Dirección: Calle de Alcalá, 45, 28014 Madrid",
                "Calle de Alcalá, 45, 28014 Madrid",
            ),
        ] {
            assert_eq!(found(text), Some(("postal_address", place)), "{text}");
        }
        for text in [
            "address: 10.1.2.3",
            "address = 0x7fff5fbff8c0",
            "address: 12 items in the list",
            "street: one way to go",
            "12 Oak Street",
            "adresse: rue de la Paix",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_language_that_is_off_is_not_understood() {
        let text = "Geburtsdatum: 12.3.1984";
        let view = View::new(text.as_bytes(), 0, true);
        assert!(find(&view, 0, |locale| locale == German).is_some());
        assert!(find(&view, 0, |locale| locale != German).is_none());
    }
}
