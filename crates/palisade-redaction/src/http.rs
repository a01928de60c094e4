//! Headers and URLs, as they stand in access logs, traces and errors. What is secret there is told by where it stands
//! and not by its shape: the value of `Authorization`, of a cookie, of `?token=`.

use std::borrow::Cow;

use crate::{
    Scanner,
    kind::{Kind, Label},
    text::contains_any_case,
};
use palisade_core::Severity;

const HEADER: Label = Label::secret("authorization_header");
const COOKIE: Label = Label::new("cookie", Kind::Secret, Severity::High);
const SECRET: Label = Label::secret("assigned_secret");
const USER_INFO: Label = Label::secret("url_credentials");

/// The rules that only headers know.
pub(crate) const LABELS: [Label; 1] = [COOKIE];

/// What a header or a parameter is called that carries a credential, or a part of it.
const TELLING: [&[u8]; 16] = [
    b"token",
    b"secret",
    b"password",
    b"passwd",
    b"pwd",
    b"api-key",
    b"api_key",
    b"apikey",
    b"access-key",
    b"access_key",
    b"signature",
    b"credential",
    b"session",
    b"csrf",
    b"xsrf",
    b"private",
];

/// Parameters that are too short to be found within others.
const EXACTLY: [&[u8]; 7] = [b"key", b"sig", b"code", b"auth", b"pass", b"jwt", b"sid"];

impl Scanner {
    /// The value of the header `name` as it may be shown: nothing of a credential or a cookie but its scheme and its
    /// name, and of others what [`redact`](Self::redact) leaves.
    ///
    /// ```
    /// use palisade_redaction::Scanner;
    ///
    /// let scanner = Scanner::new();
    /// assert_eq!(scanner.redact_header("Authorization", "Bearer abc"), "Bearer [REDACTED:authorization_header]");
    /// assert_eq!(scanner.redact_header("Cookie", "id=abc; theme=dark"), "id=[REDACTED:cookie]; theme=[REDACTED:cookie]");
    /// assert_eq!(scanner.redact_header("Accept", "text/html"), "text/html");
    /// ```
    #[must_use]
    pub fn redact_header<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is(&["authorization", "proxy-authorization"]) {
            let scheme = value.split(' ').next().unwrap_or_default();
            // A value without a scheme is all credential.
            let named = scheme.len() < value.trim_end().len()
                && scheme
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-');
            let mut out = if named {
                format!("{scheme} ")
            } else {
                String::new()
            };
            self.mask(HEADER, &value[out.len()..], &mut out);
            return Cow::Owned(out);
        }
        if is(&["cookie", "set-cookie"]) {
            let first_only = is(&["set-cookie"]);
            let mut out = String::new();
            for (at, pair) in value.split(';').enumerate() {
                if at > 0 {
                    out.push(';');
                }
                match pair.split_once('=') {
                    // What follows in `Set-Cookie` are its attributes.
                    Some(_) | None if first_only && at > 0 => out.push_str(&self.redact(pair)),
                    Some((name, value)) => {
                        out.push_str(name);
                        out.push('=');
                        self.mask(COOKIE, value, &mut out);
                    }
                    None => self.mask(COOKIE, pair, &mut out),
                }
            }
            return Cow::Owned(out);
        }
        if is(&["location", "referer", "content-location"]) {
            return self.redact_url(value);
        }
        if is_telling(name) && !value.is_empty() {
            let mut out = String::new();
            self.mask(SECRET, value, &mut out);
            return Cow::Owned(out);
        }
        self.redact_cow(value)
    }

    /// The URL as it may be shown: without the password before its host, without the values of parameters whose names
    /// tell of a credential, and of the rest what [`redact`](Self::redact) leaves. Parameters of the fragment count too:
    /// some sign-in flows answer there.
    ///
    /// ```
    /// use palisade_redaction::Scanner;
    ///
    /// let shown = Scanner::new().redact_url("https://jo:x@api.example/v1?page=2&access_token=abc#code=d");
    /// assert_eq!(
    ///     shown,
    ///     "https://jo:[REDACTED:url_credentials]@api.example/v1?page=2&access_token=[REDACTED:assigned_secret]\
    ///      #code=[REDACTED:assigned_secret]",
    /// );
    /// ```
    #[must_use]
    pub fn redact_url<'a>(&self, url: &'a str) -> Cow<'a, str> {
        let mut out = String::with_capacity(url.len());
        let mut rest = url;
        if let Some((scheme, after)) = url.split_once("://") {
            let authority = after
                .find(['/', '?', '#'])
                .map_or(after, |end| &after[..end]);
            if let Some((user_info, _)) = authority.rsplit_once('@') {
                out.push_str(scheme);
                out.push_str("://");
                match user_info.split_once(':') {
                    Some((user, password)) => {
                        out.push_str(user);
                        out.push(':');
                        self.mask(USER_INFO, password, &mut out);
                    }
                    // A token may stand there alone.
                    None => out.push_str(&self.redact(user_info)),
                }
                rest = &after[user_info.len()..];
            }
        }
        let mut separator = '/';
        let mut from = 0;
        let ends = rest
            .char_indices()
            .filter(|(_, sign)| matches!(sign, '?' | '&' | '#' | ';'))
            .chain([(rest.len(), '/')]);
        for (end, sign) in ends {
            let part = &rest[from..end];
            match part.split_once('=') {
                Some((name, value)) if separator != '/' && is_telling(name) => {
                    out.push_str(name);
                    out.push('=');
                    if !value.is_empty() {
                        self.mask(SECRET, value, &mut out);
                    }
                }
                _ => out.push_str(part),
            }
            if end < rest.len() {
                out.push(sign);
            }
            (separator, from) = (sign, end + 1);
        }
        // What has no name that tells is told by its shape.
        let out = self.redact(&out);
        if out == url {
            Cow::Borrowed(url)
        } else {
            Cow::Owned(out)
        }
    }

    fn redact_cow<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let out = self.redact(text);
        if out == text {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(out)
        }
    }

    fn mask(&self, label: Label, value: &str, out: &mut String) {
        let mut writer = self.rules().mask.writer(label);
        writer.update(value.as_bytes());
        writer.write(label.id, out);
    }
}

fn is_telling(name: &str) -> bool {
    let name = name.as_bytes();
    TELLING.iter().any(|word| contains_any_case(name, word))
        || EXACTLY.iter().any(|word| name.eq_ignore_ascii_case(word))
}
