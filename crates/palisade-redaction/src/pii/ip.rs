use crate::{
    kind::{Kind, Label},
    text::is_word,
    token::Hit,
    view::View,
};
use palisade_core::Severity;

pub(crate) const V4: Label = Label::new("ipv4", Kind::Pii, Severity::Low);
pub(crate) const V6: Label = Label::new("ipv6", Kind::Pii, Severity::Low);
pub(crate) const MAC: Label = Label::new("mac_address", Kind::Pii, Severity::Low);

/// Four numbers below 256, not part of a version or a section number.
pub(super) fn v4(view: &View<'_>, at: usize) -> Option<Hit> {
    if matches!(view.before(at), b'.' | b'-') || view.is_inside_word(at) {
        return None;
    }
    let mut from = at;
    let mut parts = [0u16; 4];
    for (i, part) in parts.iter_mut().enumerate() {
        let end = view.run(from, 4, |b| b.is_ascii_digit());
        if !matches!(end - from, 1..=3) || (end - from > 1 && view.at(from) == b'0') {
            return None;
        }
        for &digit in view.slice(from, end) {
            *part = *part * 10 + u16::from(digit - b'0');
        }
        if *part > 255 || (i < 3 && view.at(end) != b'.') {
            return None;
        }
        from = end + 1;
    }
    let end = from - 1;
    let goes_on = match view.at(end) {
        b'.' => view.at(end + 1).is_ascii_alphanumeric(),
        b'-' => view.at(end + 1).is_ascii_alphabetic(),
        byte => byte.is_ascii_alphanumeric() || byte == b'_',
    };
    let nobody = parts[0] == 0 || parts[..2] == [127, 0] || parts == [255; 4];
    (!goes_on && !nobody && !is_numbering(view, at)).then(|| Hit::new(V4, at, end, 0.8))
}

/// Whether the words before speak of a version or a section.
fn is_numbering(view: &View<'_>, at: usize) -> bool {
    let behind = view.behind(at);
    let behind = &behind[behind.len().saturating_sub(24)..];
    [
        &b"version"[..],
        b"section",
        b"chapter",
        b"release",
        b"ver. ",
    ]
    .iter()
    .any(|word| crate::text::contains_any_case(behind, word))
}

/// Eight groups of hex, or fewer around one `::` (RFC 4291, section 2.2), or the six of a MAC address.
pub(super) fn v6_or_mac(view: &View<'_>, at: usize) -> Option<Hit> {
    // `ip:fe80::1`: a name may stand before the first colon, a group may not.
    let named = at >= 2 && (b'g'..=b'z').contains(&(view.at(at - 2) | 32));
    if view.is_inside_word(at) || view.before(at) == b'.' || (view.before(at) == b':' && !named) {
        return None;
    }
    let hex = |b: u8| b.is_ascii_hexdigit();
    if view.run(at, 3, hex) == at + 2
        && let separator @ (b':' | b'-') = view.at(at + 2)
    {
        let pairs = (0..6).all(|i| {
            let pair = at + 3 * i;
            view.run(pair, 3, hex) == pair + 2 && (i == 5 || view.at(pair + 2) == separator)
        });
        if pairs && !is_word(view.at(at + 17)) && view.at(at + 17) != separator {
            return Some(Hit::new(MAC, at, at + 17, 0.9));
        }
    }
    let (mut from, mut groups, mut gap, mut longest, mut digits) = (at, 0, false, 0, false);
    if view.has(at, b"::") {
        gap = true;
        from += 2;
    }
    let end = loop {
        let end = view.run(from, 5, hex);
        if end == from || end - from > 4 {
            break if end == from { end } else { return None };
        }
        groups += 1;
        longest = longest.max(end - from);
        digits |= view.slice(from, end).iter().any(u8::is_ascii_digit);
        if view.at(end) != b':' || groups == 8 {
            break end;
        }
        if view.at(end + 1) == b':' {
            if gap {
                return None;
            }
            gap = true;
            from = end + 2;
        } else if hex(view.at(end + 1)) {
            from = end + 1;
        } else {
            break end;
        }
    };
    let whole =
        (groups == 8 && !gap) || (gap && (2..=7).contains(&groups) && longest >= 3 && digits);
    let clear = !(is_word(view.at(end)) || view.at(end) == b':' && view.at(end + 1) == b':');
    (whole && clear).then(|| Hit::new(V6, at, end, 0.85))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four(text: &str) -> Option<&str> {
        let view = View::new(text.as_bytes(), 0, true);
        v4(&view, 0).map(|hit| &text[hit.start..hit.end])
    }

    fn six(text: &str) -> Option<(&'static str, &str)> {
        let view = View::new(text.as_bytes(), 0, true);
        v6_or_mac(&view, 0).map(|hit| (hit.label.id, &text[hit.start..hit.end]))
    }

    #[test]
    fn addresses_are_found_and_numbering_is_not() {
        assert_eq!(four("103.116.105.57:8080"), Some("103.116.105.57"));
        assert_eq!(four("33.237.155.18."), Some("33.237.155.18"));
        for text in [
            "8.4.8.709",
            "1.2.3.4.5",
            "8.0.28.8-rc1",
            "127.0.0.1",
            "01.2.3.4",
            "1.2.3",
        ] {
            assert_eq!(four(text), None, "{text}");
        }
    }

    #[test]
    fn version_six_is_told_from_paths_and_times() {
        assert_eq!(
            six("2001:db8::bd5c:73d7 up"),
            Some(("ipv6", "2001:db8::bd5c:73d7"))
        );
        assert_eq!(
            six("fe80::12fa:d032:a063:24a7"),
            Some(("ipv6", "fe80::12fa:d032:a063:24a7"))
        );
        assert_eq!(
            six("bac8:9325:e89f:f747:b090:21ea:9d22:6d8d"),
            Some(("ipv6", "bac8:9325:e89f:f747:b090:21ea:9d22:6d8d"))
        );
        assert_eq!(
            six("a4:f4:9d:38:3c:62"),
            Some(("mac_address", "a4:f4:9d:38:3c:62"))
        );
        assert_eq!(
            six("d5-95-8d-12-45-97"),
            Some(("mac_address", "d5-95-8d-12-45-97"))
        );
        for text in [
            "a::b::c::d",
            "12:00:00::00",
            "cafe::bad",
            "1:2:3:4",
            "a4:f4:9d:38:3c:62:11",
        ] {
            assert_eq!(six(text), None, "{text}");
        }
    }
}
