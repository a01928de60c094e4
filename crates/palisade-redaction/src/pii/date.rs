//! Dates as people write them, in four languages.

use crate::{text::starts_any_case, view::View};

/// How months begin, in English, German, French and Spanish.
const MONTHS: [&str; 26] = [
    "jan", "feb", "mar", "mär", "apr", "may", "mai", "jun", "jul", "aug", "sep", "oct", "okt",
    "nov", "dec", "dez", "fév", "fev", "avr", "jui", "aoû", "déc", "ene", "abr", "ago", "dic",
];

/// The end of a date that begins at `at`: `1984-03-12`, `12.3.1984`, `3/12/84`, `12 March 1984`, `March 12, 1984`.
pub(super) fn end(view: &View<'_>, at: usize) -> Option<usize> {
    let end = if view.at(at).is_ascii_digit() {
        in_digits(view, at).or_else(|| day_first(view, at))
    } else {
        month_first(view, at)
    }?;
    let next = view.at(end);
    let dotted = next == b'.' && view.at(end + 1).is_ascii_digit();
    (!next.is_ascii_digit() && !dotted).then_some(end)
}

fn in_digits(view: &View<'_>, at: usize) -> Option<usize> {
    let (first, end) = number(view, at, 8)?;
    if end - at == 8 {
        let fits = is_year(first / 10_000) && is_day(first / 100 % 100, first % 100);
        return fits.then_some(end);
    }
    let sign = view.at(end);
    if !matches!(sign, b'-' | b'/' | b'.') {
        return None;
    }
    let skip = |end: usize| end + 1 + usize::from(sign == b'.' && view.at(end + 1) == b' ');
    let from = skip(end);
    let (second, second_end) = number(view, from, 2)?;
    if view.at(second_end) != sign {
        return None;
    }
    let from = skip(second_end);
    let (third, third_end) = number(view, from, 4)?;
    let fits = match (end - at, third_end - from) {
        (4, 1 | 2) => is_year(first) && is_day(second, third),
        (1 | 2, 4) => is_year(third) && is_either_day(first, second),
        (1 | 2, 2) => is_either_day(first, second),
        _ => false,
    };
    fits.then_some(third_end)
}

/// `12 March 1984`, `12th of March, 1984`, `12. März 1984`, `1er février 1990`, `12 de marzo de 1984`.
fn day_first(view: &View<'_>, at: usize) -> Option<usize> {
    let (day, mut at) = number(view, at, 2)?;
    at = suffix(view, at);
    at = filler(view, view.run(at, 2, |b| b" -".contains(&b)));
    let at = month(view, at)?;
    let (year, end) = number(view, filler(view, gap(view, at)), 4)?;
    ((1..=31).contains(&day) && is_year(year)).then_some(end)
}

/// `March 12, 1984`
fn month_first(view: &View<'_>, at: usize) -> Option<usize> {
    let at = month(view, at)?;
    let (day, at) = number(view, gap(view, at), 2)?;
    let (year, end) = number(view, gap(view, suffix(view, at)), 4)?;
    ((1..=31).contains(&day) && is_year(year)).then_some(end)
}

fn number(view: &View<'_>, at: usize, most: usize) -> Option<(u32, usize)> {
    let end = view.run(at, most, |b| b.is_ascii_digit());
    let value = view
        .slice(at, end)
        .iter()
        .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    (end > at).then_some((value, end))
}

fn suffix(view: &View<'_>, at: usize) -> usize {
    const SUFFIXES: [&[u8]; 6] = [b"st", b"nd", b"rd", b"th", b"er", b"."];
    let found = SUFFIXES.iter().find(|suffix| view.has(at, suffix));
    at + found.map_or(0, |suffix| suffix.len())
}

fn gap(view: &View<'_>, at: usize) -> usize {
    view.run(at, 3, |b| b" .,-".contains(&b))
}

fn filler(view: &View<'_>, at: usize) -> usize {
    const FILLERS: [&[u8]; 3] = [b"of ", b"de ", b"del "];
    let found = FILLERS.iter().find(|filler| view.has(at, filler));
    at + found.map_or(0, |filler| filler.len())
}

fn month(view: &View<'_>, at: usize) -> Option<usize> {
    let end = view.run(at, 12, |b| b.is_ascii_alphabetic() || b >= 128);
    let word = view.slice(at, end);
    MONTHS
        .iter()
        .any(|month| starts_any_case(word, month.as_bytes()))
        .then_some(end)
}

fn is_year(year: u32) -> bool {
    (1900..2030).contains(&year)
}

fn is_day(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

fn is_either_day(first: u32, second: u32) -> bool {
    is_day(first, second) || is_day(second, first)
}
