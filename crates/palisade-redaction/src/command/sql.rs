use palisade_core::Severity;

use super::{Line, keyword};
use crate::{kind::Label, text::contains, view::View};

pub(crate) const DROP: Label = keyword("sql_drop", Severity::High);
pub(crate) const TRUNCATE: Label = keyword("sql_truncate", Severity::High);
pub(crate) const DELETE: Label = keyword("sql_delete_all", Severity::High);
pub(crate) const CHANGE: Label = keyword("sql_update_all", Severity::High);
pub(crate) const INJECTION: Label = keyword("sql_injection", Severity::High);

type Verdict = (Label, usize, f32);

/// What a statement in its plain form destroys, if it does, and up to where it says so.
pub(super) fn judge(line: &Line) -> Option<Verdict> {
    let all = line.as_bytes();
    let mut words = Words { all, at: 0 };
    match words.next()? {
        b"drop" => {
            let what = words.next()?;
            let what = if what == b"materialized" {
                words.next()?
            } else {
                what
            };
            if !matches!(
                what,
                b"table"
                    | b"database"
                    | b"schema"
                    | b"user"
                    | b"index"
                    | b"view"
                    | b"keyspace"
                    | b"collection"
                    | b"role"
                    | b"owned"
            ) {
                return None;
            }
            words.skip(b"if").then(|| words.skip(b"exists"));
            words.object(line.loud).map(|end| (DROP, end, 0.9))
        }
        b"truncate" => {
            let table = words.skip(b"table");
            words
                .object(line.loud && table)
                .map(|end| (TRUNCATE, end, 0.9))
        }
        b"delete" => {
            if !words.skip(b"from") {
                return None;
            }
            let end = words.object(false);
            if end.is_some() {
                return end.map(|end| (DELETE, end, 0.85));
            }
            words.always().map(|end| (DELETE, end, 0.85))
        }
        b"update" => {
            words.name()?;
            if !words.skip(b"set") {
                return None;
            }
            let rest = &all[words.at..];
            let end = rest.iter().position(|b| *b == b';').unwrap_or(rest.len());
            let unbound = !contains(&rest[..end], b" where ") && contains(&rest[..end], b"=");
            unbound.then_some((CHANGE, words.at + end, 0.75))
        }
        b"alter" => {
            if !words.skip(b"table") {
                return None;
            }
            words.skip(b"if").then(|| words.skip(b"exists"));
            words.name()?;
            (words.skip(b"drop")).then_some((DROP, words.at, 0.85))
        }
        b"union" => {
            words.skip(b"all");
            let selects = words.skip(b"select");
            let columns = words.name().is_some() && contains(&all[words.at..], b"from")
                || contains(all, b"null,")
                || contains(all, b",null");
            (selects && columns).then_some((INJECTION, all.len().min(words.at + 40), 0.8))
        }
        b"exec" | b"execute" => {
            let shell = contains(all, b"xp_cmdshell")
                || contains(all, b"sp_oacreate")
                || contains(all, b"xp_regwrite");
            shell.then_some((INJECTION, all.len(), 0.9))
        }
        b"xp_cmdshell" => Some((INJECTION, all.len(), 0.85)),
        _ => None,
    }
}

/// A quote mark followed by a condition that is always true, or by a second statement.
pub(super) fn injection(view: &View<'_>, at: usize) -> Option<usize> {
    let next = view.at(view.run(at + 1, 16, |b| matches!(b, b' ' | b'\t' | b')')));
    if !matches!(next | 32, b'o' | b'|' | b'u' | b';') {
        return None;
    }
    let mut text = [0; 48];
    let mut from = [0; 48];
    let (mut length, mut raw) = (0, at + 1);
    while length < text.len() && raw < at + 96 {
        let byte = view.at(raw);
        match byte {
            0 | b'\n' => break,
            b' ' | b'\t' => {}
            _ => {
                text[length] = byte.to_ascii_lowercase();
                from[length] = raw;
                length += 1;
            }
        }
        raw += 1;
    }
    let text = &text[..length];
    const ALWAYS: [&[u8]; 8] = [
        b"or'1'='1",
        b"or1=1",
        b"or''='",
        b"or'a'='a",
        b"or'x'='x",
        b"ortrue--",
        b"or\"1\"=\"1",
        b"||1=1",
    ];
    let text = text.strip_prefix(b")").unwrap_or(text);
    let skipped = length - text.len();
    if let Some(found) = ALWAYS.iter().find(|found| text.starts_with(found)) {
        return Some(from[skipped + found.len() - 1] + 1);
    }
    let second: [&[u8]; 5] = [
        b"unionselect",
        b"unionallselect",
        b";drop",
        b";delete",
        b";exec",
    ];
    second
        .iter()
        .find(|found| text.starts_with(found))
        .map(|found| from[skipped + found.len() - 1] + 1)
}

/// The words of a statement.
struct Words<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        while self.all.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        let from = self.at;
        while self.all.get(self.at).is_some_and(|b| is_name(*b)) {
            self.at += 1;
        }
        (self.at > from).then(|| &self.all[from..self.at])
    }

    fn skip(&mut self, word: &[u8]) -> bool {
        let at = self.at;
        let found = self.next() == Some(word);
        if !found {
            self.at = at;
        }
        found
    }

    fn name(&mut self) -> Option<&'a [u8]> {
        self.next()
    }

    /// The end of an object's name, if a statement and not a sentence goes on after it.
    fn object(&mut self, loud: bool) -> Option<usize> {
        let name = self.next()?;
        let end = self.at;
        let rest = self.all[end..].trim_ascii_start();
        let closes = match rest.first() {
            None => true,
            Some(
                b';' | b',' | b')' | b'`' | b'-' | b'|' | b'&' | b'#' | b'}' | b']' | b'.' | b'?'
                | b'!',
            ) => true,
            Some(_) => [&b"cascade"[..], b"restrict", b"restart"]
                .iter()
                .any(|word| rest.starts_with(word)),
        };
        const SENTENCE: [&[u8]; 22] = [
            b"is",
            b"are",
            b"was",
            b"at",
            b"and",
            b"or",
            b"in",
            b"to",
            b"on",
            b"will",
            b"can",
            b"should",
            b"removes",
            b"statement",
            b"statements",
            b"command",
            b"commands",
            b"the",
            b"reservation",
            b"means",
            b"does",
            b"would",
        ];
        let spoken = SENTENCE.contains(&name);
        (!spoken && (closes || loud)).then_some(end)
    }

    /// The end of a condition that is always true.
    fn always(&mut self) -> Option<usize> {
        if !self.skip(b"where") {
            return None;
        }
        let rest = self.all[self.at..].trim_ascii_start();
        let skipped = self.all.len() - rest.len();
        [&b"1=1"[..], b"true", b"1 = 1"]
            .iter()
            .find(|word| rest.starts_with(word))
            .map(|word| skipped + word.len())
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'`' | b'[' | b']' | b'$')
        || byte >= 128
        || byte == b'.'
}
