//! Personal data that can be told by its shape and its check digits: addresses, numbers, accounts.

mod date;
mod email;
mod iban;
mod ip;
mod labelled;
mod national;
mod number;
mod record;

use crate::{kind::Label, text::is_word, token::Hit, view::View};

pub(crate) use labelled::{find as find_labelled, heads};

const COMMON: [Label; 11] = [
    labelled::BIRTH,
    labelled::ADDRESS,
    email::LABEL,
    iban::LABEL,
    ip::V4,
    ip::V6,
    ip::MAC,
    number::CARD,
    number::SSN,
    number::PHONE,
    number::TAX_ID,
];

/// Every rule of this kind.
pub(crate) fn labels() -> impl Iterator<Item = Label> {
    COMMON.into_iter().chain(national::LABELS)
}

/// Personal data that begins with the run of word bytes `at..end`, or with the `+` or `(` before it.
#[inline]
pub(crate) fn find(view: &View<'_>, at: usize, end: usize, has_digits: bool) -> Option<Hit> {
    let first = view.at(at);
    let next = view.at(end);
    if end > at
        && (matches!(next, b'@' | b'.' | b'+' | b'%' | b'\'') || next >= 128)
        && let Some(hit) = email::find(view, at)
    {
        return Some(hit);
    }
    if has_digits && is_date(view, at) {
        return None;
    }
    let opens_groups = end - at == 2 && next == b' ' && view.at(end + 1).is_ascii_digit();
    if has_digits || opens_groups || first == b'(' || first == b'+' {
        if first.is_ascii_digit()
            && next == b'.'
            && let Some(hit) = ip::v4(view, at)
        {
            return Some(hit);
        }
        if end > at
            && let Some(hit) = national::find(view, at)
        {
            return Some(hit);
        }
        if matches!(first, b'0'..=b'9' | b'(' | b'+')
            && let Some(hit) = number::find(view, at)
        {
            return Some(hit);
        }
        if end - at >= 4
            && let Some(hit) = iban::find(view, at)
        {
            return Some(hit);
        }
    }
    if (next == b':' && end - at <= 4) || (end - at == 17 && view.at(at + 2) == b'-') {
        return ip::v6_or_mac(view, at);
    }
    None
}

/// Whether a date as ISO 8601 writes it begins at `at`. Logs are full of them.
#[inline]
fn is_date(view: &View<'_>, at: usize) -> bool {
    matches!(view.at(at), b'1' | b'2')
        && view.at(at + 4) == b'-'
        && view.at(at + 7) == b'-'
        && view.at(at + 5).is_ascii_digit()
        && view.at(at + 8).is_ascii_digit()
}

/// An address of version 6 that begins with `::`.
pub(crate) fn find_at_colon(view: &View<'_>, at: usize) -> Option<Hit> {
    ip::v6_or_mac(view, at)
}

/// A mail address whose first letter, at `at`, is one beyond ASCII.
pub(crate) fn find_at_letter(view: &View<'_>, at: usize) -> Option<Hit> {
    if is_word(view.before(at)) || view.before(at) >= 128 {
        return None;
    }
    email::find(view, at)
}
