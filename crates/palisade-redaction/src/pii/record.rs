//! Rows of tables: CSV in its variants, JSON arrays, Markdown. What stands beside a number there are separators and not
//! its name, so the row itself must say that it is about a person: by a cell with a name, or by its header.

use std::ops::Range;

use crate::{
    text::{contains_any_case, starts_any_case},
    view::{LOOK_BEHIND, View},
};

/// How far behind a value its row is read.
const AHEAD: usize = 96;

/// The most cells of a row that are looked at.
const CELLS_MAX: usize = 32;

/// What the row around a value says about it.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    /// Whether the row is about a person, and the value not of a column that is named as something else.
    pub(super) is_personal: bool,
    /// What the value's column is called, where the line before is a header.
    pub(super) column: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record of which `start..end` is one whole cell.
    pub(super) fn around(view: &View<'a>, start: usize, end: usize) -> Option<Self> {
        let behind = view.behind(start);
        let first = start - behind.len();
        let before = behind.iter().rposition(|b| !is_padding(*b));
        let mut after = end;
        while after < end + 8 && is_padding(view.at(after)) {
            after += 1;
        }
        let left = before.map_or(b'\n', |at| behind[at]);
        let right = view.at(after);
        let separator = match (left, right) {
            (b',' | b';' | b'|' | b'\t', _) => left,
            (_, b',' | b';' | b'|' | b'\t') => right,
            _ => return None,
        };
        let closes = matches!(right, b']' | b'\n' | b'\r' | b'\\' | 0) || right == separator;
        let opens = matches!(left, b'[' | b'\n') || left == separator;
        if !(closes && opens) {
            return None;
        }
        let line = behind.iter().rposition(|b| *b == b'\n');
        let whole = line.is_some() || behind.len() < LOOK_BEHIND;
        let mut from = line.map_or(0, |at| at + 1);
        if !whole {
            // A first cell that is not in sight as a whole says nothing.
            from = behind.iter().position(|b| *b == separator)? + 1;
        }
        let to = view.run(end, AHEAD, |b| !matches!(b, b'\n' | b'\r' | 0));
        let row = Range {
            start: first + from,
            end: to,
        };
        let column = line
            .and_then(|line| {
                let begins = behind.len() < LOOK_BEHIND;
                header(&behind[..line], begins, &behind[line..], separator)
            })
            .unwrap_or_default();
        let mut cells = view
            .slice(row.start, row.end)
            .split(|b| *b == separator)
            .take(CELLS_MAX);
        let named = cells.any(is_name) || is_of_a_person(column.head);
        Some(Self {
            is_personal: named && !is_of_a_thing(column.cell),
            column: column.cell,
        })
    }
}

/// A header, and the cell of it that stands over the value.
#[derive(Default)]
struct Header<'a> {
    head: &'a [u8],
    cell: &'a [u8],
}

/// The header of a table, if the text before its row ends with one; `begins` says that it is there from its beginning.
fn header<'a>(before: &'a [u8], begins: bool, row: &[u8], separator: u8) -> Option<Header<'a>> {
    let before = before.strip_suffix(b"\r").unwrap_or(before);
    let begin = |text: &[u8]| text.iter().rposition(|b| *b == b'\n');
    let mut line = begin(before);
    let mut head = &before[line.map_or(0, |at| at + 1)..];
    // `|---|:--:|` stands below the header of a Markdown table.
    if separator == b'|' && head.iter().all(|b| b"|-: ".contains(b)) {
        let above = &before[..line?];
        line = begin(above);
        head = &above[line.map_or(0, |at| at + 1)..];
    }
    // A first line that is not in sight as a whole cannot be counted.
    if line.is_none() && !begins {
        return None;
    }
    if head.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let count = row.iter().filter(|b| **b == separator).count();
    let cell = head.split(|b| *b == separator).nth(count)?;
    Some(Header { head, cell })
}

const fn is_padding(byte: u8) -> bool {
    matches!(byte, b' ' | b'"' | b'\'')
}

/// Whether a cell is the name of a person, as far as its shape can say: two words or more, capitalised.
fn is_name(cell: &[u8]) -> bool {
    let trimmed = |b: &u8| is_padding(*b) || matches!(b, b'[' | b']');
    let start = cell.iter().position(|b| !trimmed(b)).unwrap_or(0);
    let end = cell
        .iter()
        .rposition(|b| !trimmed(b))
        .map_or(0, |at| at + 1);
    if !(5..=60).contains(&end.saturating_sub(start)) {
        return false;
    }
    let (mut words, mut names) = (0, 0);
    for word in cell[start..end].split(|b| *b == b' ') {
        words += 1;
        let plain = |b: &u8| b.is_ascii_alphabetic() || *b >= 128 || b".-'".contains(b);
        let capital = |b: &u8| b.is_ascii_uppercase() || *b >= 128;
        if word.is_empty() || !word.iter().all(plain) || is_thing(word) {
            return false;
        }
        if capital(&word[0]) {
            names += usize::from(word.len() > 1);
        } else if !PARTICLES.contains(&word) {
            return false;
        }
    }
    names >= 2 && words <= 7
}

/// What may stand uncapitalised within a name.
const PARTICLES: [&[u8]; 22] = [
    b"de", b"la", b"van", b"von", b"der", b"den", b"di", b"da", b"du", b"del", b"dos", b"des",
    b"le", b"el", b"y", b"e", b"al", b"bin", b"zu", b"ten", b"do", b"d'",
];

/// Capitalised words that begin or end the names of things.
const THINGS: [&[u8]; 32] = [
    b"order",
    b"item",
    b"invoice",
    b"payment",
    b"batch",
    b"build",
    b"job",
    b"task",
    b"error",
    b"status",
    b"total",
    b"version",
    b"shipment",
    b"product",
    b"report",
    b"request",
    b"server",
    b"widget",
    b"system",
    b"service",
    b"inc",
    b"ltd",
    b"gmbh",
    b"llc",
    b"corp",
    b"company",
    b"street",
    b"united",
    b"new",
    b"test",
    b"the",
    b"unit",
];

fn is_thing(word: &[u8]) -> bool {
    THINGS
        .iter()
        .any(|thing| word.len() == thing.len() && starts_any_case(word, thing))
}

/// Whether one of the columns is for people's names.
fn is_of_a_person(head: &[u8]) -> bool {
    const PEOPLE: [&[u8]; 13] = [
        b"first_name",
        b"firstname",
        b"first name",
        b"last_name",
        b"lastname",
        b"last name",
        b"surname",
        b"full_name",
        b"full name",
        b"vorname",
        b"nachname",
        b"apellido",
        b"patient",
    ];
    PEOPLE.iter().any(|name| contains_any_case(head, name))
}

/// Whether a column is for the numbers of something that is no person.
fn is_of_a_thing(column: &[u8]) -> bool {
    const NUMBERED: [&[u8]; 22] = [
        b"order",
        b"sku",
        b"track",
        b"time",
        b"stamp",
        b"invoice",
        b"amount",
        b"price",
        b"qty",
        b"quantity",
        b"hash",
        b"build",
        b"version",
        b"transaction",
        b"product",
        b"batch",
        b"isbn",
        b"ticket",
        b"bytes",
        b"count",
        b"size",
        b"serial",
    ];
    NUMBERED.iter().any(|name| contains_any_case(column, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_personal(text: &str, value: &str) -> bool {
        let start = text.find(value).unwrap();
        let view = View::new(text.as_bytes(), start, true);
        Record::around(&view, start, start + value.len()).is_some_and(|record| record.is_personal)
    }

    #[test]
    fn a_row_with_a_name_is_about_a_person_whatever_separates_its_cells() {
        for text in [
            "Jerry Daniel,285906111,2026-01-05",
            "285906111;2026-01-05;Jerónimo Carretero-Páez",
            "\"O'Hara, Jo\"\t285906111\tDr. Anna Lenz",
            "| Ada de la Torre | 285906111 | x |\n",
            "[[\"Émile Perrin\", \"285906111\", 7]]",
            "last_name,first_name,number\nLenz,Anna,285906111\n",
            "| First name | No |\n|---|---|\n| Anna | 285906111 |",
            "17,Jerry Daniel,285906111",
        ] {
            assert!(is_personal(text, "285906111"), "{text}");
        }
    }

    #[test]
    fn rows_about_things_sentences_and_objects_are_not() {
        for text in [
            "Jerry Daniel 285906111 2026-01-05",
            "{\"name\": \"Jerry Daniel\", \"id\": \"285906111\"}",
            "blue widget,285906111,2026-01-05",
            "Order Placed,285906111,2026-01-05",
            "name,order_id,date\nJerry Daniel,285906111,2026-01-05",
            "| name | sku |\n|---|---|\n| Jerry Daniel | 285906111 |",
            "Jerry Daniel\n17,285906111,2026-01-05",
            "we met, 285906111, and left",
            "Acme GmbH,285906111,5",
            "Jerry Daniel,285906111-1,5",
        ] {
            assert!(!is_personal(text, "285906111"), "{text}");
        }
    }
}
