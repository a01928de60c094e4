//! Values that are secret because a name says so: `DB_PASSWORD=...`, `"api_key": "..."`, `Authorization: Bearer ...`.
//!
//! A name is read once, forwards, and the value after it is judged from there: nothing has to be looked up behind.

mod elsewhere;
mod name;

use elsewhere::{is_code, refers_elsewhere};
pub(crate) use name::may_name;
use name::{Name, has_a_root, name, names_words};

use std::ops::Range;

use crate::{
    gate::{ENCODED_MIN, TOKEN_MIN},
    hidden::invisible_at,
    kind::Label,
    text::{Makeup, is_identifier, is_placeholder, is_word},
    token::{Hit, TokenRules, continuation, find_shaped, is_uuid},
    view::{LOOK_BEHIND, View},
};

const PASSWORD: Label = Label::secret("password");
const SECRET: Label = Label::secret("assigned_secret");
const HEADER: Label = Label::secret("authorization_header");
const PHRASE: Label = Label::secret("seed_phrase");

pub(crate) const LABELS: [Label; 4] = [PASSWORD, SECRET, HEADER, PHRASE];

/// The most that may stand between a name and its value.
const SEPARATOR_MAX: usize = 64;
/// The longest token after `Bearer` or in a table.
const VALUE_MAX: usize = 400;
/// How much of a value is judged. What it turns out to be, the rest of it is.
const JUDGED_MAX: usize = 96;

/// The value assigned to the name at `at..end`, if it is one that is made of `letters`, and the value a secret.
pub(crate) fn find(
    view: &View<'_>,
    at: usize,
    end: usize,
    letters: u32,
    rules: &TokenRules,
) -> Option<Hit> {
    if !may_name(letters) || !may_be_assigned(view, at, end) || !has_a_root(view.slice(at, end)) {
        return None;
    }
    // Most names stand before mere words, and what the name promises is the dearer question.
    let mut link = Link::read(view, at, end)?;
    if !names_words(letters) && link.leads_to_a_mere_word(view) {
        return None;
    }
    let name = name(view, at, end)?;
    if name == Name::Authorization {
        link.skip_scheme(view);
    }
    let from = link.value;
    if let Some(hit) = rules.find(view, from) {
        return Some(hit);
    }
    let word_end = view.run(from, usize::MAX, is_word);
    if let Some(hit) = find_shaped(view, from, word_end, rules) {
        return Some(hit);
    }
    if name == Name::Phrase {
        return phrase(view, from);
    }
    if view.has(from, b"-----") || view.has(from, b"PuTTY-") || view.has(word_end, b"://") {
        return None;
    }
    let to = link.value_end(view, name, JUDGED_MAX);
    let value = view.slice(from, to);
    if value.len() < 6 || is_dull(value, name) {
        return None;
    }
    let is_longer = value.len() >= JUDGED_MAX;
    // So long without a digit, it is no secret whatever its name. To see it here is to read names over and over less.
    if (is_longer && !value.iter().any(u8::is_ascii_digit))
        || refers_elsewhere(value, link.quote != 0)
        || link.quote == 0 && is_code(value, view.at(to), link.tight)
    {
        return None;
    }
    let makeup = Makeup::of(value);
    if makeup.distinct >= 6
        && makeup.digits > 0
        && let Some(label) = rules.find_named(view.slice(at, end), value)
        && !is_placeholder(value)
    {
        return Some(Hit::new(label, from, to, 0.9));
    }
    let confidence = match name {
        Name::Password if !is_longer => password(value, makeup, &link)?,
        Name::Password => secret(value, makeup)?,
        Name::Secret | Name::Phrase => secret(value, makeup)?,
        Name::Authorization => 0.5 + secret(value, makeup)? / 2.0,
        Name::Vague => {
            let strong = makeup.length >= 20
                && makeup.upper > 2
                && makeup.lower > 2
                && makeup.digits > 2
                && !is_identifier(value);
            (strong && makeup.is_random()).then_some(0.5)?
        }
    };
    let label = match name {
        Name::Password => PASSWORD,
        Name::Authorization => HEADER,
        _ => SECRET,
    };
    let to = if is_longer {
        // Not to cut a character in two.
        let whole = view.run(to, 3, |b| (128..192).contains(&b));
        view.run(whole, usize::MAX, goes_on)
    } else {
        to
    };
    Some(Hit::new(label, from, to, confidence))
}

/// Whether what follows a name can lead to a value. Most words are followed by none, and need not be read as names.
#[inline]
fn may_be_assigned(view: &View<'_>, at: usize, end: usize) -> bool {
    match view.at(end) {
        b'.' | b',' | b';' | b'/' | b'<' | b'?' | b'!' | b'\n' | b'\r' => false,
        // `is`, `was`, `to`
        b' ' => {
            let next = view.at(end + 1);
            !next.is_ascii_alphanumeric()
                || matches!(next, b'i' | b'w' | b't' | b'I' | b'W' | b'T')
                || view.at(at) == b'-'
        }
        _ => true,
    }
}

/// Whether the beginning of a value is enough to see that nothing made it up at random: names and signs over and over
/// are not to be read again for each of them.
fn is_dull(value: &[u8], name: Name) -> bool {
    const SEEN: usize = 32;
    let Some(head) = value.get(..SEEN) else {
        return false;
    };
    let makeup = Makeup::of(head);
    name != Name::Password
        && (makeup.distinct < 8 || makeup.digits == 0 && (makeup.upper == 0 || makeup.lower == 0))
}

/// The value at `at` in a table whose first line, shortly before, names its column.
pub(crate) fn column(view: &View<'_>, at: usize, word_end: usize) -> Option<Hit> {
    if !is_one_piece(view, at, word_end) {
        return None;
    }
    let cell = column_name(view, at)?;
    if cell.is_empty() || !view.slice(cell.start, cell.end).iter().all(|b| is_word(*b)) {
        return None;
    }
    let name = name(view, cell.start, cell.end)?;
    let to = view.run(at, VALUE_MAX, |b| {
        is_word(b) || matches!(b, b'.' | b'+' | b'/' | b'=' | b'~')
    });
    let value = view.slice(at, to);
    let named = matches!(name, Name::Secret | Name::Password)
        && matches!(view.at(to), b',' | b'\n' | b'\r' | 0);
    (named && secret(value, Makeup::of(value)).is_some()).then(|| Hit::new(SECRET, at, to, 0.7))
}

/// Where the name of the column stands, if the line before the one of `at` begins a table.
pub(crate) fn column_name(view: &View<'_>, at: usize) -> Option<Range<usize>> {
    let behind = view.behind(at);
    let row = behind.iter().rposition(|b| *b == b'\n')?;
    let line = behind[..row]
        .iter()
        .rposition(|b| *b == b'\n')
        .map(|line| line + 1);
    // A first line that is not in sight as a whole cannot be counted.
    let line = line.or((behind.len() < LOOK_BEHIND).then_some(0))?;
    let head = &behind[line..row];
    let column = behind[row..].iter().filter(|b| **b == b',').count();
    let before: usize = head
        .split(|b| *b == b',')
        .take(column)
        .map(|cell| cell.len() + 1)
        .sum();
    let cell = head.split(|b| *b == b',').nth(column)?.trim_ascii_end();
    let start = at - behind.len() + line + before;
    Some(start..start + cell.len())
}

/// Whether as much stands at `at` in one piece as makes the pass look there at all.
fn is_one_piece(view: &View<'_>, at: usize, word_end: usize) -> bool {
    let encoded = || view.run(at, ENCODED_MIN, |b| is_word(b) || matches!(b, b'+' | b'/'));
    word_end - at >= TOKEN_MIN || encoded() - at >= ENCODED_MIN
}

/// The token at `at` if `Bearer` or `Basic` stands before it (RFC 6750, RFC 7617).
pub(crate) fn scheme(view: &View<'_>, at: usize, word_end: usize) -> Option<Hit> {
    let stands_before = |word: &[u8]| {
        let start = at.wrapping_sub(word.len() + 1);
        at > word.len() && view.has_any_case(start, word) && !is_word(view.before(start))
    };
    if !(stands_before(b"bearer") || stands_before(b"basic")) {
        return None;
    }
    if !is_one_piece(view, at, word_end) {
        return None;
    }
    let to = view.run(at, VALUE_MAX, |b| {
        is_word(b) || matches!(b, b'.' | b'+' | b'/' | b'=' | b'~')
    });
    let value = view.slice(at, to);
    let random = value.len() >= 20
        && !is_placeholder(value)
        && !is_identifier(value)
        && Makeup::of(value).is_random();
    random.then(|| Hit::new(HEADER, at, to, 0.8))
}

/// What stands between a name and its value.
struct Link {
    value: usize,
    /// The quote mark the value stands in, or 0.
    quote: u8,
    /// Whether that mark is escaped, as in JSON within JSON.
    escaped: bool,
    /// Whether the name stands in a query string.
    in_query: bool,
    /// Whether the value follows the sign directly, as in an environment file.
    tight: bool,
}

impl Link {
    fn read(view: &View<'_>, name_at: usize, name_end: usize) -> Option<Self> {
        let stop = name_end + SEPARATOR_MAX;
        let mut at = name_end;
        let (mut assigned, mut newlines, mut opened) = (false, 0, false);
        let mut sign = 0;
        loop {
            if at >= stop {
                return None;
            }
            let byte = view.at(at);
            match byte {
                b' ' | b'*' | b'{' | b'[' | b']' | b')' | b'@' => at += 1,
                b'"' | b'\'' | b'`' => {
                    opened = true;
                    at += 1;
                }
                b'\t' | b'|' => {
                    assigned = true;
                    at += 1;
                }
                b'(' => {
                    assigned |= matches!(view.at(at + 1), b'"' | b'\'');
                    at += 1;
                }
                b'\n' | b'\r' if newlines < 4 && assigned => {
                    newlines += 1;
                    at += 1;
                }
                b'\\' => match view.at(at + 1) {
                    b'n' | b't' if assigned => at += 2,
                    b'"' | b'\'' | b'\\' | b'\n' => at += 1,
                    _ => return None,
                },
                b':' if view.at(at + 1) == b':' => return None,
                b':' | b'=' | b'>' => {
                    assigned = true;
                    at += 1;
                    sign = at;
                }
                b',' if opened => {
                    assigned = true;
                    at += 1;
                }
                b'%' if view.has(at, b"%3D") || view.has(at, b"%3A") || view.has(at, b"%22") => {
                    assigned = true;
                    at += 3;
                }
                b'&' if view.has(at, b"&quot;") => at += 6,
                b'-' if view.at(at + 1) == b'>' => at += 1,
                b'i' | b'w' | b't' if at > name_end && view.at(at - 1) == b' ' && !assigned => {
                    let skip = [&b"is "[..], b"was ", b"to "]
                        .into_iter()
                        .find(|word| view.has_any_case(at, word))?;
                    assigned = true;
                    at += skip.len();
                }
                _ => {
                    // A type between the name and the value: `key: &str = "..."`.
                    if assigned
                        && sign > 0
                        && let Some(next) = after_type(view, at)
                    {
                        at = next;
                        sign = next;
                        continue;
                    }
                    break;
                }
            }
        }
        let quote = match view.before(at) {
            quote @ (b'"' | b'\'' | b'`') if at > name_end => quote,
            _ => 0,
        };
        let flag = name_end - name_at > 2 && view.has(name_at, b"--") && at == name_end + 1;
        let quoted_after_space = quote != 0 && view.at(name_end) == b' ';
        if at == name_end || !(assigned || flag || quoted_after_space) {
            return None;
        }
        Some(Self {
            value: at,
            quote,
            escaped: quote != 0 && view.before(at - 1) == b'\\',
            in_query: matches!(view.before(name_at), b'?' | b'&'),
            tight: sign == at || flag,
        })
    }

    /// Goes on behind `Bearer`.
    fn skip_scheme(&mut self, view: &View<'_>) {
        let word = view.run(self.value, 16, is_word);
        if view.at(word) == b' ' {
            self.value = word + 1;
        }
    }

    /// Whether the value is a short word without a digit or a sign: a type, a call, another name. None of the judgements
    /// below would take it, and no token is so short.
    fn leads_to_a_mere_word(&self, view: &View<'_>) -> bool {
        let from = self.value + usize::from(view.at(self.value) == b'&');
        let end = view.run(from, TOKEN_MIN - 4, |b| {
            b.is_ascii_alphabetic() || b == b'_'
        });
        let length = end - from;
        if length == TOKEN_MIN - 4 {
            return false;
        }
        let then = || view.at(end + 1);
        match view.at(end) {
            b'\n' | b'\r' | b'\t' => true,
            b' ' | b'<' | b'>' => self.quote == 0,
            b'(' | b'[' => self.quote == 0 && length > 2,
            b',' | b';' | b')' => self.quote == 0 && matches!(then(), b' ' | b'\n'),
            b':' => length > 0 && then() == b':',
            b'$' => length == 0 && from == self.value && matches!(then(), b'{' | b'('),
            // A string that is closed here may be opened again and go on.
            b'"' | b'\'' | b'`' if view.at(end) == self.quote => {
                matches!(then(), b',' | b';' | b')' | b']' | b'}')
            }
            _ => false,
        }
    }

    /// Where the value ends.
    fn value_end(&self, view: &View<'_>, name: Name, most: usize) -> usize {
        let printable = name == Name::Password;
        let mut at = self.value;
        let stop = at.saturating_add(most);
        while at < stop {
            at = view.run(at, stop - at, goes_on);
            if at >= stop {
                break;
            }
            let byte = view.at(at);
            let goes_on = match byte {
                128.. if invisible_at(view, at) > 0 => {
                    at += invisible_at(view, at);
                    continue;
                }
                // JSON may write a slash as `\/`.
                b'\\' if view.at(at + 1) == b'/' => {
                    at += 2;
                    continue;
                }
                b'"' | b'\'' | b'\\' | b'`' => {
                    if let Some(next) = continuation(view, at) {
                        at = next;
                        continue;
                    }
                    let escape =
                        byte == b'\\' && !self.escaped && self.quote != 0 && view.at(at + 1) != 0;
                    if escape && printable {
                        at += 2;
                        continue;
                    }
                    printable && self.quote != 0 && byte != self.quote && byte != b'\\'
                }
                b' ' => printable && self.quote != 0,
                0..=b' ' | 127 => false,
                b'&' if self.in_query => false,
                b'&' | b';' | b',' if self.quote == 0 => printable && !ends_a_field(view, at),
                b'<' | b'>' => printable && self.quote != 0,
                128.. => printable && self.quote != 0,
                _ => printable,
            };
            if !goes_on {
                break;
            }
            at += 1;
        }
        if self.quote == 0 {
            while at > self.value
                && matches!(
                    view.at(at - 1),
                    b'.' | b',' | b';' | b':' | b')' | b']' | b'}'
                )
            {
                at -= 1;
            }
            while at > self.value
                && name != Name::Password
                && matches!(view.at(at - 1), b'!' | b'#' | b'@' | b'$')
            {
                at -= 1;
            }
        }
        at
    }
}

/// Whether a byte carries any value on.
#[inline]
const fn goes_on(byte: u8) -> bool {
    is_word(byte)
        || matches!(
            byte,
            b'.' | b'+' | b'/' | b'=' | b'~' | b':' | b'%' | b'!' | b'$' | b'#' | b'@'
        )
}

/// Whether a separator at `at` ends the value: another field, or nothing, follows.
fn ends_a_field(view: &View<'_>, at: usize) -> bool {
    let word = view.run(at + 1, 48, |b| is_word(b) || b == b' ');
    view.at(word) == b'=' || matches!(view.at(at + 1), 0..=b' ' | b'"' | b'\'' | b'<' | 128..)
}

fn after_type(view: &View<'_>, at: usize) -> Option<usize> {
    let end = view.run(at, 32, |b| {
        b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'_' | b'&' | b'<' | b'>' | b'[' | b']' | b'\'' | b' ' | b'.'
            )
    });
    let word = view.slice(at, end);
    let typed =
        end > at && view.at(end) == b'=' && view.at(end + 1) != b'=' && word.ends_with(b" ");
    typed.then_some(end + 1)
}

fn password(value: &[u8], makeup: Makeup, link: &Link) -> Option<f32> {
    const SPECIAL: &[u8] = b"!@#$%^&*?~+=|<>(){}[]";
    let special = value.iter().filter(|b| SPECIAL.contains(b)).count();
    let sure = link.quote != 0 || link.tight;
    let spaces = value.iter().filter(|b| **b == b' ').count();
    if spaces > 3 {
        return None;
    }
    if makeup.length > 256
        || makeup.distinct < 4
        || is_placeholder(value)
        || makeup.digits + special == 0
    {
        return None;
    }
    if makeup.digits == 0
        && (special < 2 || makeup.letters() + special < makeup.length)
        && !(special > 0 && makeup.upper > 0 && makeup.lower > 0)
    {
        return None;
    }
    if makeup.length < 8 && !(sure && makeup.letters() > 0) {
        return None;
    }
    if !sure && is_identifier(value) && value.iter().any(|b| matches!(b, b'-' | b'.' | b'/')) {
        return None;
    }
    Some(if sure { 0.8 } else { 0.65 })
}

fn secret(value: &[u8], makeup: Makeup) -> Option<f32> {
    // A date, a version, a price: no letters at all.
    if makeup.letters() < 2 || makeup.digits < 1 || !makeup.is_random() && makeup.length < 24 {
        return None;
    }
    let uuid = is_uuid(value);
    if is_placeholder(value) || (!uuid && is_identifier(value)) {
        return None;
    }
    let varied = makeup.upper > 0 && makeup.lower > 0 && makeup.digits > 1;
    match makeup.length {
        16.. => makeup.is_random().then_some(0.75),
        10..=15 if varied => makeup.is_random().then_some(0.55),
        _ => None,
    }
}

/// Twelve or more short words in a row (BIP 39 phrases have 12 to 24).
fn phrase(view: &View<'_>, from: usize) -> Option<Hit> {
    let (mut at, mut end, mut words) = (from, from, 0);
    while words < 25 {
        let to = view.run(at, 9, |b| b.is_ascii_lowercase());
        if !(3..=8).contains(&(to - at)) {
            break;
        }
        words += 1;
        end = to;
        at = view.run(to, 4, |b| matches!(b, b' ' | b'\n'));
        if at == to {
            break;
        }
    }
    (words >= 12).then(|| Hit::new(PHRASE, from, end, 0.9))
}
