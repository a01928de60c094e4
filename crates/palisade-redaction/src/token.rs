//! Secrets that can be told by their own shape: the rules of the table, and the few formats that have no prefix.

use crate::{
    checksum::base64_prefix,
    gate::ENCODED_MIN,
    hidden::{find_hex, invisible_at},
    kind::Label,
    rule::{Alphabet, Prefix, Rule},
    table,
    text::{Makeup, contains_any_case, is_stand_in, is_word},
    view::View,
};

/// A place where a secret, or something else of note, was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) label: Label,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) confidence: f32,
}

impl Hit {
    pub(crate) const fn new(label: Label, start: usize, end: usize, confidence: f32) -> Self {
        Self {
            label,
            start,
            end,
            confidence,
        }
    }
}

/// The rules in use, found by the first two bytes of their prefixes.
pub(crate) struct TokenRules {
    entries: Vec<(&'static str, &'static Rule)>,
    heads: Box<[(u16, u16)]>,
    /// The rules for what has no prefix.
    named: Vec<&'static Rule>,
}

const fn pair(first: u8, second: u8) -> usize {
    ((first & 127) as usize) << 7 | (second & 127) as usize
}

impl TokenRules {
    pub(crate) fn new(is_on: impl Fn(&str) -> bool) -> Self {
        let mut entries: Vec<(&'static str, &'static Rule)> = Rule::all()
            .iter()
            .filter(|rule| is_on(rule.id))
            .flat_map(|rule| rule.prefixes.iter().map(move |prefix| (*prefix, rule)))
            .collect();
        let named = table::named::NAMED
            .iter()
            .filter(|rule| is_on(rule.id))
            .collect();
        let key = |prefix: &str| pair(prefix.as_bytes()[0], prefix.as_bytes()[1]);
        // Stable: among prefixes of the same beginning the longer one first, then the order of the table.
        entries.sort_by_key(|(prefix, _)| (key(prefix), usize::MAX - prefix.len()));
        let mut heads = vec![(0, 0); 1 << 14].into_boxed_slice();
        for (at, (prefix, _)) in entries.iter().enumerate() {
            let head = &mut heads[key(prefix)];
            if head.1 == 0 {
                head.0 = at as u16;
            }
            head.1 = at as u16 + 1;
        }
        Self {
            entries,
            heads,
            named,
        }
    }

    /// The secret that begins at `at`.
    #[inline]
    pub(crate) fn find(&self, view: &View<'_>, at: usize) -> Option<Hit> {
        let (from, to) = self.heads[pair(view.at(at), view.at(at + 1))];
        if from == to {
            return None;
        }
        self.entries[usize::from(from)..usize::from(to)]
            .iter()
            .find_map(|(prefix, rule)| matches(view, at, prefix, rule))
    }

    /// The rule for a value without a mark, assigned to `name`.
    pub(crate) fn find_named(&self, name: &[u8], value: &[u8]) -> Option<Label> {
        let rule = self.named.iter().find(|rule| {
            (rule.min..=rule.max).contains(&value.len())
                && value.iter().all(|byte| rule.body.has(*byte))
                && (rule.body != Alphabet::Uuid || is_uuid(value))
                && rule
                    .assigned_to
                    .iter()
                    .any(|word| contains_any_case(name, word.as_bytes()))
        })?;
        Some(rule.label())
    }

    /// Whether the first two of the bytes at `at` begin a prefix.
    #[inline]
    pub(crate) fn may_begin(&self, word: &[u8], at: usize) -> bool {
        matches!(word.get(at..), Some(&[first, second, ..]) if {
            let (from, to) = self.heads[pair(first, second)];
            from != to
        })
    }

    /// Whether text that begins like this could be one of these secrets: for text that has to be decoded first.
    pub(crate) fn could_begin(&self, head: &[u8]) -> bool {
        let &[first, second, ..] = head else {
            return false;
        };
        let (from, to) = self.heads[pair(first, second)];
        self.entries[usize::from(from)..usize::from(to)]
            .iter()
            .any(|(prefix, _)| prefix.len() >= 3 && head.starts_with(prefix.as_bytes()))
    }
}

fn matches(view: &View<'_>, at: usize, prefix: &str, rule: &Rule) -> Option<Hit> {
    if !view.has(at, prefix.as_bytes()) {
        return None;
    }
    let common = rule.prefix_is == Prefix::Common;
    let before = view.before(at);
    if common
        && (matches!(before, b'-' | b'_' | b'.' | b'+') || (before == b'/' && prefix.len() < 3))
    {
        return None;
    }
    // What must fit exactly need not be read past where it no longer fits.
    let most = if common { rule.max + 1 } else { usize::MAX };
    // Most of what is none can be told by its beginning: then the rest is not read, for there may be much of it.
    let from = at + prefix.len();
    let mut body = Body::read(view, from, rule.body, HEAD.min(most));
    let begins = body.head().first();
    if body.length < rule.min.min(HEAD)
        || !begins.is_some_and(|byte| rule.body.may_begin_with(*byte))
    {
        return None;
    }
    let makeup = Makeup::of(body.head());
    let dull = makeup.distinct < 6 || (!common && prefix.len() <= 3 && makeup.digits == 0);
    if dull || is_stand_in(body.head()) {
        return None;
    }
    if body.length == HEAD {
        body = Body::read(view, from, rule.body, most);
    }
    if body.length < rule.min || (common && body.length > rule.max) {
        return None;
    }
    if rule.body == Alphabet::Uuid && !is_uuid(body.head()) {
        return None;
    }
    if common {
        if is_word(view.at(body.end)) {
            return None;
        }
        let makeup = Makeup::of(body.head());
        let random = match rule.body {
            Alphabet::Letters => makeup.is_random_letters(),
            // Long enough to be taken for random although an upper-case alphabet has few digits.
            Alphabet::Upper | Alphabet::Base32Upper | Alphabet::Base32Lower => {
                makeup.distinct >= 6 && (makeup.digits >= 1 || makeup.vowels * 4 <= makeup.length)
            }
            // Hex has its own, more common owners under the shorter prefixes.
            Alphabet::Alnum | Alphabet::Url if prefix.len() < 3 => {
                makeup.is_random() && makeup.upper > 1 && makeup.lower > 1
            }
            _ => makeup.is_random(),
        };
        if !random {
            return None;
        }
    }
    // A longer token than is known: nothing of it may stay behind, padding included.
    let mut end = body.end;
    loop {
        end = view.run(end, usize::MAX, |b| is_word(b) || b == b'=');
        if view.has_any_case(end, b"%3d") {
            end += 3;
            continue;
        }
        let unseen = invisible_at(view, end);
        if unseen == 0 || !is_word(view.at(end + unseen)) {
            break;
        }
        end += unseen;
    }
    if rule.body == Alphabet::UrlColon && common && !crate::text::contains(body.head(), b":APA") {
        return None;
    }
    let known = if common { 0.8 } else { 0.9 };
    let confidence = match rule.verify(prefix.len(), view.slice(at, body.end)) {
        Some(true) => 1.0,
        Some(false) => 0.6,
        None if body.length > rule.max => known - 0.2,
        None => known,
    };
    Some(Hit::new(rule.label(), at, end, confidence))
}

/// How much of a body is looked at before the rest is.
const HEAD: usize = 48;

/// The body of a token, put together again where it was wrapped over lines.
struct Body {
    end: usize,
    length: usize,
    head: [u8; 256],
}

impl Body {
    fn read(view: &View<'_>, from: usize, alphabet: Alphabet, most: usize) -> Self {
        let mut body = Self {
            end: from,
            length: 0,
            head: [0; 256],
        };
        let mut at = from;
        loop {
            let mut end = view.run(at, most - body.length.min(most), |b| alphabet.has(b));
            // A full stop after a token ends the sentence.
            while end > at && view.at(end - 1) == b'.' {
                end -= 1;
            }
            for &byte in view.slice(at, end) {
                if let Some(slot) = body.head.get_mut(body.length) {
                    *slot = byte;
                }
                body.length += 1;
            }
            body.end = end;
            match continuation(view, end) {
                Some(next)
                    if (end - at >= 4 || view.at(end) >= 128) && alphabet.has(view.at(next)) =>
                {
                    at = next;
                }
                // An empty last piece of what was wrapped belongs to it.
                Some(next) if at > from => {
                    body.end = next;
                    return body;
                }
                _ => return body,
            }
        }
    }

    fn head(&self) -> &[u8] {
        &self.head[..self.length.min(self.head.len())]
    }
}

/// Where a value goes on after a line break that is not part of it: a backslash at the end of the line, or a string
/// literal closed there and opened again on the next line.
pub(crate) fn continuation(view: &View<'_>, at: usize) -> Option<usize> {
    let blank = |b: u8| matches!(b, b' ' | b'\t');
    let newline = |at: usize| match (view.at(at), view.at(at + 1)) {
        (b'\n', _) => Some(at + 1),
        (b'\r', b'\n') => Some(at + 2),
        _ => None,
    };
    match view.at(at) {
        b'\\' => Some(view.run(newline(at + 1)?, 64, blank)),
        quote @ (b'"' | b'\'') => {
            let mut next = view.run(at + 1, 8, |b| blank(b) || matches!(b, b'+' | b'\\' | b'.'));
            next = view.run(newline(next)?, 64, |b| blank(b) || matches!(b, b'+' | b'.'));
            (view.at(next) == quote).then_some(next + 1)
        }
        128.. => match invisible_at(view, at) {
            0 => None,
            length => Some(at + length),
        },
        _ => None,
    }
}

pub(crate) fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, &byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

const JWT: Label = Label::secret("jwt");
const DISCORD: Label = Label::secret("discord_bot_token");
const TELEGRAM: Label = Label::secret("telegram_bot_token");
const AZURE_KEY: Label = Label::secret("azure_key");
const AZURE_SECRET: Label = Label::secret("azure_client_secret");
const MAILCHIMP: Label = Label::secret("mailchimp_key");
const TERRAFORM: Label = Label::secret("terraform_cloud_token");
const NEWRELIC: Label = Label::secret("newrelic_license_key");
const MAXMIND: Label = Label::secret("maxmind_key");
const RAPIDAPI: Label = Label::secret("rapidapi_key");
const ENCODED: Label = Label::secret("encoded_secret");

pub(crate) const SHAPED: [Label; 11] = [
    JWT,
    DISCORD,
    TELEGRAM,
    AZURE_KEY,
    AZURE_SECRET,
    MAILCHIMP,
    TERRAFORM,
    NEWRELIC,
    MAXMIND,
    RAPIDAPI,
    ENCODED,
];

/// A secret without a prefix of its own that begins at `at`, where a run of word bytes up to `end` begins.
pub(crate) fn find_shaped(
    view: &View<'_>,
    at: usize,
    end: usize,
    rules: &TokenRules,
) -> Option<Hit> {
    let url = |b: u8| is_word(b);
    let length = end - at;
    let next = view.at(end);
    let hit = |label, end, confidence| Some(Hit::new(label, at, end, confidence));
    if length >= 10 && view.has(at, b"eyJ") {
        return jwt(view, at, end);
    }
    match next {
        b'.' if length == 14 && view.has(end, b".atlasv1.") => {
            let to = view.run(end + 9, usize::MAX, url);
            if to - end > 40 {
                return hit(TERRAFORM, to, 0.95);
            }
        }
        b'.' if matches!(length, 23..=28) => {
            let middle = view.run(end + 1, 16, url);
            let to = view.run(middle + 1, 80, url);
            let mut id = [0; 20];
            let filled = base64_prefix(view.slice(at, end), &mut id);
            if matches!(middle - end - 1, 5..=7)
                && view.at(middle) == b'.'
                && to - middle > 26
                && filled >= 15
                && id[..filled].iter().all(u8::is_ascii_digit)
            {
                return hit(DISCORD, to, 1.0);
            }
        }
        b':' if matches!(length, 8..=10) && view.at(end + 1) == b'A' => {
            let to = view.run(end + 1, 64, url);
            let digits = view.slice(at, end).iter().all(u8::is_ascii_digit);
            if digits && to - end - 1 == 35 && Makeup::of(view.slice(end + 1, to)).is_random() {
                return hit(TELEGRAM, to, 0.95);
            }
        }
        b'~' if length >= 5 && view.at(end - 1) == b'Q' && view.at(end - 2).is_ascii_digit() => {
            let to = view.run(end + 1, 64, |b| is_word(b) || matches!(b, b'~' | b'.'));
            if matches!(to - end - 1, 30..=36) {
                return hit(AZURE_SECRET, to, 0.95);
            }
        }
        _ => {}
    }
    if length < 32
        && !matches!(next, b'+' | b'/' | b'=')
        && !(length >= 20 && rules_may_be_encoded(view, at))
    {
        return None;
    }
    let word = view.slice(at, end);
    let hex = |part: &[u8]| part.iter().all(|&b| Alphabet::Hex.has(b));
    if matches!(length, 36..=38) && hex(&word[..32]) && word[32..].starts_with(b"-us") {
        return hit(MAILCHIMP, end, 0.95);
    }
    if length == 40 && hex(&word[..36]) && word.ends_with(b"NRAL") {
        return hit(NEWRELIC, end, 0.95);
    }
    if length == 40 && word.ends_with(b"_mmk") {
        return hit(MAXMIND, end, 0.95);
    }
    if matches!(length, 48..=52)
        && word[10..].starts_with(b"msh")
        && crate::text::contains(word, b"jsn")
        && Makeup::of(word).is_random()
    {
        return hit(RAPIDAPI, end, 0.95);
    }
    find_base64(view, at, end, rules).or_else(|| find_hex(view, at, end, rules))
}

fn rules_may_be_encoded(view: &View<'_>, at: usize) -> bool {
    let first = view.at(at);
    first.is_ascii_alphanumeric() && view.at(at + 3) != b'-'
}

/// A secret in base64, or one that is itself base64 and carries the signature Azure puts into its keys.
pub(crate) fn find_base64(
    view: &View<'_>,
    at: usize,
    word_end: usize,
    rules: &TokenRules,
) -> Option<Hit> {
    if matches!(view.before(at), b'+' | b'/' | b'=') || view.is_inside_word(at) {
        return None;
    }
    let encoded = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'_' | b'-');
    let is_longer = matches!(view.at(word_end), b'+' | b'/');
    let length = if is_longer {
        view.run(word_end, AZURE_MAX + 1, encoded) - at
    } else {
        word_end - at
    };
    if length < ENCODED_MIN {
        return None;
    }
    if length <= AZURE_MAX
        && let Some(hit) = azure_key(view, at, length)
    {
        return Some(hit);
    }
    // Four characters are three bytes: most of what is no token is told by them.
    let mut head = [0; 24];
    let filled = base64_prefix(view.slice(at, at + 4), &mut head);
    if filled < 3 || !rules.may_begin(&head, 0) {
        return None;
    }
    let filled = base64_prefix(view.slice(at, at + 32), &mut head);
    if !rules.could_begin(&head[..filled]) {
        return None;
    }
    let end = view.run(at, usize::MAX, encoded);
    let mut decoded = [0; 384];
    let filled = base64_prefix(view.slice(at, end), &mut decoded);
    let inner = View::new(&decoded[..filled], 0, true);
    let found = rules.find(&inner, 0)?;
    // The whole of it, or a line of it: not a picture that happens to begin like a token.
    if found.end + 2 < filled && decoded[found.end] >= 128 {
        return None;
    }
    let end = view.run(end, 2, |b| b == b'=');
    Some(Hit::new(ENCODED, at, end, found.confidence - 0.1))
}

/// The longest of Azure's keys, without padding.
const AZURE_MAX: usize = 86;

/// A key with the signature Azure puts into it at a place that depends on its length.
fn azure_key(view: &View<'_>, at: usize, length: usize) -> Option<Hit> {
    let end = at + length;
    let signed = |offset: usize, signature: &[u8]| view.has(at + offset, signature);
    let azure = match length {
        84 | 86 => {
            signed(76, b"+ASt")
                || signed(76, b"ACDb")
                || signed(76, b"AZDO")
                || signed(52, b"JQQJ99")
        }
        50..=56 => signed(42, b"+ACR") || signed(42, b"AzSe") || signed(44, b"AzFu"),
        43..=44 => {
            signed(33, b"AzCa") || signed(33, b"+ASb") || signed(33, b"+AEh") || signed(33, b"+ARm")
        }
        _ => false,
    };
    azure.then(|| Hit::new(AZURE_KEY, at, view.run(end, 2, |b| b == b'='), 0.95))
}

/// JSON Web Tokens and their encrypted kin (RFC 7519, RFC 7516): parts in base64url, the first a JSON object.
fn jwt(view: &View<'_>, at: usize, end: usize) -> Option<Hit> {
    if view.at(end) != b'.' {
        return None;
    }
    let mut head = [0; 192];
    let filled = base64_prefix(view.slice(at, end), &mut head);
    let header = &head[..filled];
    let names = [&b"\"alg\""[..], b"\"typ\"", b"\"enc\"", b"\"kid\""];
    if !header.starts_with(b"{") || !names.iter().any(|name| crate::text::contains(header, name)) {
        return None;
    }
    let mut to = end;
    let mut parts = 1;
    while view.at(to) == b'.' && parts < 5 {
        let next = view.run(to + 1, usize::MAX, is_word);
        if next == to + 1 && parts == 1 {
            break;
        }
        // The claims are JSON as well; what is encrypted has no beginning of its own, but is long.
        if parts == 1 && next - to - 1 < 16 && !view.has(to + 1, b"eyJ") {
            break;
        }
        parts += 1;
        if next == to + 1 && view.at(next) != b'.' {
            break;
        }
        to = next;
    }
    (parts >= 3 || (parts == 2 && to - end > 16))
        .then(|| Hit::new(JWT, at, to, if parts >= 3 { 1.0 } else { 0.8 }))
}
