use crate::kind::Kind;
use crate::{kind::Label, token::Hit, view::View};
use palisade_core::Severity;

pub(crate) const LABEL: Label = Label::new("email", Kind::Pii, Severity::Medium);

/// RFC 5321, section 4.5.3.1: 64 octets before the `@`.
const LOCAL_MAX: usize = 64;

/// An address (RFC 5322, without its rarer forms) whose local part begins at `at`.
pub(super) fn find(view: &View<'_>, at: usize) -> Option<Hit> {
    let local = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'&' | b'=' | b'~' | 128..
            )
    };
    let sign = view.run(at, LOCAL_MAX, local);
    if view.at(sign) != b'@' || sign == at || matches!(view.before(at), b'/' | b'@') {
        return None;
    }
    // `key=name@host` and `text.name@host` at the end of a sentence are told from the address by their last sign.
    let end = domain(view, sign + 1)?;
    // `git@host:path` is a remote, not an address.
    if view.at(end) == b':' && view.at(end + 1).is_ascii_alphabetic() {
        return None;
    }
    let skip = view
        .slice(at, sign)
        .iter()
        .rposition(|b| matches!(b, b'=' | b'&'))
        .map_or(0, |p| p + 1);
    (at + skip < sign).then(|| Hit::new(LABEL, at + skip, end, 0.9))
}

/// The end of a host name with at least two labels, the last of letters.
fn domain(view: &View<'_>, from: usize) -> Option<usize> {
    let label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b >= 128;
    let mut at = from;
    let mut end = None;
    for _ in 0..8 {
        let to = view.run(at, 64, label);
        if to == at || view.at(at) == b'-' {
            break;
        }
        let letters = view
            .slice(at, to)
            .iter()
            .take_while(|b| b.is_ascii_alphabetic() || **b >= 128)
            .count();
        let name = view.slice(at, to);
        let top = name.starts_with(b"xn--") || letters == to - at;
        if at > from && top && to - at >= 2 {
            end = Some(to);
        } else if at > from {
            end = None;
        }
        if view.at(to) != b'.' || !label(view.at(to + 1)) {
            break;
        }
        at = to + 1;
    }
    // Letters of another script straight after an ASCII name are the sentence going on.
    let end = end?;
    let last = view
        .slice(from, end)
        .iter()
        .rposition(|b| *b == b'.')
        .map_or(from, |p| from + p + 1);
    if view.at(last).is_ascii() {
        let ascii = view.run(last, 64, |b| b.is_ascii_alphanumeric() || b == b'-');
        return (ascii - last >= 2).then_some(ascii);
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let view = View::new(text.as_bytes(), 0, true);
        find(&view, 0).map(|hit| &text[hit.start..hit.end])
    }

    #[test]
    fn an_address_is_found_to_its_last_letter() {
        assert_eq!(
            found("jo.doe+tag@mail.example.org, hi"),
            Some("jo.doe+tag@mail.example.org")
        );
        assert_eq!(
            found("ROBERT36@EXAMPLE.MUSEUM."),
            Some("ROBERT36@EXAMPLE.MUSEUM")
        );
        assert_eq!(found("a@b.example是我"), Some("a@b.example"));
        assert_eq!(found("o'hara@x.example"), Some("o'hara@x.example"));
    }

    #[test]
    fn packages_remotes_and_handles_are_no_addresses() {
        for text in [
            "cli@4.12.8",
            "git@git.example:team/repo.git",
            "user@",
            "user@localhost",
            "@a@b.c",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
