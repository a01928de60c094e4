use palisade_core::Severity;

use super::record::Record;
use crate::{
    checksum::luhn,
    kind::{Kind, Label},
    text::{contains_any_case, is_word},
    token::Hit,
    view::View,
};

pub(crate) const CARD: Label = Label::new("credit_card", Kind::Pii, Severity::Medium);
pub(crate) const SSN: Label = Label::new("us_ssn", Kind::Pii, Severity::Medium);
pub(crate) const TAX_ID: Label = Label::new("us_itin", Kind::Pii, Severity::Medium);
pub(crate) const PHONE: Label = Label::new("phone", Kind::Pii, Severity::Medium);

const GROUPS_MAX: usize = 8;
const DIGITS_MAX: usize = 24;

/// A number as it is written: groups of digits and what stands between them.
struct Number {
    digits: [u8; DIGITS_MAX],
    count: usize,
    /// How long each group is, and what separates it from the next.
    groups: [(usize, u8); GROUPS_MAX],
    group_count: usize,
    /// One past each group.
    ends: [usize; GROUPS_MAX],
    plus: bool,
}

impl Number {
    fn read(view: &View<'_>, at: usize) -> Option<Self> {
        let mut number = Self {
            digits: [0; DIGITS_MAX],
            count: 0,
            groups: [(0, 0); GROUPS_MAX],
            group_count: 0,
            ends: [0; GROUPS_MAX],
            plus: view.at(at) == b'+',
        };
        let mut from = at + usize::from(number.plus);
        if view.at(from) == b'(' {
            from += 1;
        }
        loop {
            let end = view.run(from, DIGITS_MAX, |b| b.is_ascii_digit());
            if end == from
                || number.group_count == GROUPS_MAX
                || number.count + (end - from) > DIGITS_MAX
            {
                break;
            }
            for &digit in view.slice(from, end) {
                number.digits[number.count] = digit - b'0';
                number.count += 1;
            }
            let (mut next, mut between) = (end, 0);
            // `(0)`, `) `, ` (` and one separator, or a slash with blanks.
            while next < end + 3 && matches!(view.at(next), b' ' | b'-' | b'.' | b'/' | b'(' | b')')
            {
                between = match (between, view.at(next)) {
                    (0, byte) => byte,
                    (first, b' ' | b'(') => first,
                    (b' ', byte) => byte,
                    (first, _) => first,
                };
                next += 1;
            }
            number.groups[number.group_count] = (end - from, between);
            number.ends[number.group_count] = end;
            number.group_count += 1;
            if between == 0 {
                break;
            }
            from = next;
        }
        (number.group_count > 0).then_some(number)
    }

    /// The first `count` groups' lengths, if the same separator, one of `allowed`, stands between all of them.
    fn even(&self, count: usize, allowed: &[u8]) -> bool {
        let first = self.groups[0].1;
        allowed.contains(&first)
            && self.groups[..count - 1]
                .iter()
                .all(|group| group.1 == first)
    }

    fn lengths(&self, count: usize, wanted: &[usize]) -> bool {
        self.group_count >= count
            && count == wanted.len()
            && self.groups[..count]
                .iter()
                .zip(wanted)
                .all(|(group, want)| group.0 == *want)
    }

    fn value(&self, from: usize, count: usize) -> u32 {
        self.digits[from..from + count]
            .iter()
            .fold(0, |value, digit| value * 10 + u32::from(*digit))
    }
}

/// A card, a social security number or a telephone number that begins at `at`.
pub(super) fn find(view: &View<'_>, at: usize) -> Option<Hit> {
    let before = view.before(at);
    let glued = view.is_inside_word(at) || matches!(before, b'.' | b'$' | b'#' | b'%' | b'+');
    if glued || (matches!(before, b'-' | b'/') && at >= 2 && is_word(view.at(at - 2))) {
        return None;
    }
    // `1 2 3`: a list, not a number.
    let list = !is_digit(view, at + 1)
        && is_digit(view, at)
        && is_digit(view, at + 2)
        && !is_digit(view, at + 3);
    if list || !is_long(view, at) {
        return None;
    }
    let number = Number::read(view, at)?;
    if number.count < 7 {
        return None;
    }
    card(view, at, &number)
        .or_else(|| ssn(view, at, &number))
        .or_else(|| phone(view, at, &number))
}

fn is_digit(view: &View<'_>, at: usize) -> bool {
    view.at(at).is_ascii_digit()
}

/// Whether a number of seven digits or more may begin at `at`. Most numbers are short, and not worth taking apart.
fn is_long(view: &View<'_>, at: usize) -> bool {
    let (mut digits, mut between) = (0, 0);
    for at in at..at + 16 {
        match view.at(at) {
            b'0'..=b'9' => {
                digits += 1;
                between = 0;
            }
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+' if between < 3 => between += 1,
            _ => break,
        }
    }
    digits >= 7
}

/// Whether nothing that would make the number a part of something else follows.
fn ends(view: &View<'_>, end: usize) -> bool {
    match view.at(end) {
        b'-' | b'.' | b'/' => !view.at(end + 1).is_ascii_alphanumeric(),
        b':' => !view.at(end + 1).is_ascii_digit(),
        byte => !(byte.is_ascii_alphanumeric() || byte == b'_'),
    }
}

/// ISO/IEC 7812: the issuer's range and length, and the Luhn digit.
fn card(view: &View<'_>, at: usize, number: &Number) -> Option<Hit> {
    if number.plus || view.at(at) == b'(' || number.count < 12 {
        return None;
    }
    let one = number.groups[0].0;
    let (groups, digits) = if matches!(one, 12..=19) {
        (1, one)
    } else if number.lengths(3, &[4, 6, 5]) || number.lengths(3, &[4, 6, 4]) {
        (3, 10 + number.groups[2].0)
    } else if one == 4
        && number.group_count >= 4
        && number.groups[..3].iter().all(|group| group.0 == 4)
    {
        let fifth = number.group_count > 4
            && number.groups[3].0 == 4
            && number.groups[4].0 == 3
            && number.even(5, b" -.");
        if fifth {
            (5, 19)
        } else {
            (4, 12 + number.groups[3].0)
        }
    } else {
        return None;
    };
    if groups > 1 && !number.even(groups, b" -.")
        || !issued(number, digits)
        || !luhn(&number.digits[..digits])
    {
        return None;
    }
    let end = number.ends[groups - 1];
    ends(view, end).then(|| Hit::new(CARD, at, end, 0.95))
}

fn issued(number: &Number, digits: usize) -> bool {
    match (number.value(0, 2), number.value(0, 4)) {
        (34 | 37, _) => digits == 15,
        (36 | 38 | 39, _) | (_, 3000..=3059 | 3095) => matches!(digits, 14 | 16 | 19),
        (35, 3528..=3589) => matches!(digits, 16..=19),
        (40..=49, _) => matches!(digits, 13 | 16 | 19),
        (51..=55, _) | (_, 2221..=2720) => digits == 16,
        (50 | 56..=58 | 63 | 67 | 69, _) | (_, 6390) => matches!(digits, 12..=19),
        (60 | 62 | 64 | 65 | 68 | 81, _) => matches!(digits, 16..=19),
        (_, 2200..=2204) => matches!(digits, 16..=19),
        _ => false,
    }
}

/// The ranges the Social Security Administration has never issued are not numbers of people.
fn ssn(view: &View<'_>, at: usize, number: &Number) -> Option<Hit> {
    if number.plus || view.at(at) == b'(' {
        return None;
    }
    let end = if number.lengths(3, &[3, 2, 4]) && number.even(3, b"- .") {
        number.ends[2]
    } else if number.group_count >= 1
        && number.groups[0].0 == 9
        && is_about(view, at, &[b"ssn", b"social sec", b"ss#"])
    {
        number.ends[0]
    } else {
        return None;
    };
    let (area, group, serial) = (number.value(0, 3), number.value(3, 2), number.value(5, 4));
    if !ends(view, end) || group == 0 || serial == 0 || area == 0 || area == 666 {
        return None;
    }
    // 900 and above are tax numbers, in a few ranges of the middle group.
    if area >= 900 {
        if !matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99) {
            return None;
        }
        if is_about(view, at, &[b"itin", b"tax"]) {
            return Some(Hit::new(TAX_ID, at, end, 0.85));
        }
        let hyphens = number.groups[0].1 == b'-';
        let recorded = hyphens && is_personal(view, at, end);
        return recorded.then(|| Hit::new(TAX_ID, at, end, 0.6));
    }
    let placed = number.groups[0].1 == b'-' || is_about(view, at, &[b"ssn", b"social", b"ss#"]);
    Some(Hit::new(SSN, at, end, if placed { 0.9 } else { 0.6 }))
}

/// Whether `at..end` is a cell of a row about a person.
fn is_personal(view: &View<'_>, at: usize, end: usize) -> bool {
    Record::around(view, at, end).is_some_and(|record| record.is_personal)
}

/// Whether one of `words` stands shortly before.
fn is_about(view: &View<'_>, at: usize, words: &[&[u8]]) -> bool {
    let behind = view.said_before(at);
    let behind = &behind[behind.len().saturating_sub(32)..];
    words.iter().any(|word| contains_any_case(behind, word))
}

/// Numbers in international form (E.164), and the national ways of writing them that cannot be anything else.
fn phone(view: &View<'_>, at: usize, number: &Number) -> Option<Hit> {
    let hit = |groups: usize, confidence| {
        let end = number.ends[groups - 1];
        ends(view, end).then(|| Hit::new(PHONE, at, end, confidence))
    };
    let all = number.group_count;
    if number.plus {
        // The groups that still fit into fifteen digits, if a trunk zero in brackets is not counted.
        let mut digits = 0;
        let mut groups = 0;
        while groups < all && digits + number.groups[groups].0 <= 16 {
            digits += number.groups[groups].0;
            groups += 1;
        }
        return if digits >= 8 && number.digits[0] != 0 {
            hit(groups, 0.9)
        } else {
            None
        };
    }
    let zero = number.digits[0] == 0;
    if zero
        && number.digits[1] == 0
        && number.groups[0].0 <= 4
        && all >= 3
        && (10..=17).contains(&number.count)
    {
        return hit(all, 0.8);
    }
    let nanp = |from: usize| number.digits[from] >= 2 && number.digits[from + 3] >= 2;
    let opened = view.at(at) == b'(';
    for (lengths, from) in [(&[3, 3, 4][..], 0), (&[1, 3, 3, 4][..], 1)] {
        if number.lengths(lengths.len(), lengths)
            && nanp(from)
            && (from == 0 || number.digits[0] == 1)
        {
            let brackets = opened || number.groups[from].1 == b')' || number.groups[0].1 == b'(';
            // Blanks alone also separate other numbers of ten digits.
            if brackets
                || number.even(lengths.len(), b"-.")
                || (number.even(lengths.len(), b" ")
                    && (is_a_call(view, at)
                        || is_personal(view, at, number.ends[lengths.len() - 1])))
            {
                return hit(lengths.len(), 0.85);
            }
        }
    }
    if opened {
        return None;
    }
    const NATIONAL: [(&[usize], &[u8]); 14] = [
        (&[2, 2, 2, 2, 2], b". -"),
        (&[5, 6], b" "),
        (&[5, 3, 3], b" "),
        (&[4, 3, 4], b" -"),
        (&[4, 3, 3], b" -"),
        (&[3, 4, 4], b" -"),
        (&[2, 4, 4], b" -"),
        (&[3, 3, 4], b" -/"),
        (&[4, 8], b"/"),
        (&[4, 7], b"/-"),
        (&[3, 8], b"/"),
        (&[3, 7], b"/-"),
        (&[5, 5], b"/"),
        (&[4, 6], b"/-"),
    ];
    if zero {
        for (lengths, between) in NATIONAL {
            if number.lengths(lengths.len(), lengths)
                && number.even(lengths.len(), between)
                && number.digits[1] != 0
            {
                return hit(lengths.len(), 0.7);
            }
        }
    }
    if matches!(number.groups[0].0, 10..=11) && is_a_call(view, at) {
        return hit(1, 0.6);
    }
    None
}

fn is_a_call(view: &View<'_>, at: usize) -> bool {
    is_about(
        view,
        at,
        &[
            b"phone",
            b"tel:",
            b"mobile",
            b"call me",
            b"call us",
            b"cell",
            b"fax",
            b"whatsapp",
            b"sms",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&'static str, &str)> {
        let at = text.find(|c: char| c.is_ascii_digit() || c == '+' || c == '(')?;
        let view = View::new(text.as_bytes(), at, true);
        find(&view, at).map(|hit| (hit.label.id, &text[hit.start..hit.end]))
    }

    #[test]
    fn cards_need_an_issuer_a_length_and_a_luhn_digit() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "5500-0000-0000-0004",
            "3782 822463 10005",
            "6304000000000000",
        ] {
            assert_eq!(found(card), Some(("credit_card", card)));
        }
        for text in [
            "4111111111111112",
            "9111111111111111",
            "411111111111111",
            "4111 1111-1111 1111",
            "4111111111111111a",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn social_security_numbers_are_of_the_ranges_that_were_issued() {
        assert_eq!(found("356-84-1871"), Some(("us_ssn", "356-84-1871")));
        assert_eq!(found("222 88 0507,"), Some(("us_ssn", "222 88 0507")));
        assert_eq!(found("ssn: 356841871"), Some(("us_ssn", "356841871")));
        assert_eq!(
            found("James Oliver,978-90-2040,2026-01-05"),
            Some(("us_itin", "978-90-2040"))
        );
        for text in [
            "000-84-1871",
            "666-84-1871",
            "923-72-5511",
            "356-00-1871",
            "356-84-0000",
            "356841871",
            "343-73-433 = 720",
            "978-90-2040,Order Placed",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn telephone_numbers_are_found_as_people_write_them() {
        for phone in [
            "+81 90-3258-4319",
            "+49 (0)89 3775424",
            "+33 6 91 71 01 21",
            "07800 168629",
            "0171/60317231",
            "03-6128-2801",
            "06.15.33.49.42",
            "00 39 333 858 9629",
            "781-779-3667",
            "(516) 440-0682",
            "1-800-967-2021",
            "+14155552671",
        ] {
            assert_eq!(found(phone), Some(("phone", phone)));
        }
    }

    #[test]
    fn orders_dates_versions_and_prices_are_no_telephone_numbers() {
        for text in [
            "8486612662",
            "2026-07-24 10:47:00",
            "1654932607",
            "978-0-5436-6077-3",
            "1.833.603,82",
            "141162329207229440",
            "0.9284535544463438",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
