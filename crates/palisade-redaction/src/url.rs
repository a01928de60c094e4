//! Credentials in URLs: `scheme://user:password@host` (RFC 3986, section 3.2.1).

use crate::{
    kind::Label,
    text::{is_placeholder, is_word},
    token::Hit,
    view::View,
};

pub(crate) const LABEL: Label = Label::secret("url_credentials");
pub(crate) const TEAMS: Label = Label::secret("teams_webhook");

/// The longest user information that is looked through.
const USER_INFO_MAX: usize = 256;

/// The password in a URL whose scheme stands at `at..colon`, or the whole URL where knowing it is enough.
pub(crate) fn find(view: &View<'_>, at: usize, colon: usize) -> Option<Hit> {
    if !view.has(colon, b"://") {
        return None;
    }
    let from = colon + 3;
    let host = view.run(from, 128, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')
    });
    if view.slice(from, host).ends_with(b".webhook.office.com") && view.has(host, b"/webhookb2/") {
        let end = view.run(host, 400, |b| is_word(b) || matches!(b, b'/' | b'@'));
        return (end - host > 60).then(|| Hit::new(TEAMS, at, end, 0.95));
    }
    let mut password = None;
    let mut sign = None;
    let mut at = from;
    while at < from + USER_INFO_MAX {
        match view.at(at) {
            b':' if password.is_none() => password = Some(at + 1),
            b'@' => sign = Some(at),
            // A slash ends the authority; a generated password may hold one, but a host never stands before it.
            b'/' | b'?' | b'#' if password.is_none() || sign.is_some() => break,
            0..=b' ' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b'/' | 127.. => break,
            _ => {}
        }
        at += 1;
    }
    let (start, end) = (password?, sign?);
    if end < start + 3 {
        return None;
    }
    let value = view.slice(start, end);
    let known = [
        &b"password"[..],
        b"pass",
        b"passwd",
        b"pwd",
        b"secret",
        b"user",
        b"xxx",
    ];
    let refers = matches!(value[0], b'$' | b'{' | b'<' | b'[' | b'*' | b'%')
        && value.len() > 2
        && !value[1].is_ascii_hexdigit();
    if is_placeholder(value) || refers || known.iter().any(|word| value.eq_ignore_ascii_case(word))
    {
        return None;
    }
    Some(Hit::new(LABEL, start, end, 0.9))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let colon = text.find("://")?;
        let view = View::new(text.as_bytes(), 0, true);
        find(&view, 0, colon).map(|hit| &text[hit.start..hit.end])
    }

    #[test]
    fn the_password_alone_is_found() {
        assert_eq!(
            found("postgres://app:Summit8665@db.example:5432/app"),
            Some("Summit8665")
        );
        assert_eq!(
            found("redis://:QNp2efnz1fF@cache:6379"),
            Some("QNp2efnz1fF")
        );
        assert_eq!(found("amqp://u:p%40ss9wd@host/vhost"), Some("p%40ss9wd"));
    }

    #[test]
    fn a_url_without_a_password_or_with_a_stand_in_is_none() {
        for text in [
            "https://example.org:8080/a@b",
            "https://git@example.org/x",
            "postgres://app:${DB_PASSWORD}@db/app",
            "postgres://app:password@db/app",
            "https://a:b@c",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
