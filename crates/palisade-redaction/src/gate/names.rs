/// Whether the two letters at `at` belong to a root of a name that makes its value a secret.
///
/// The masks know two letters of each root; this looks at those beside them.
#[inline]
pub(super) fn may_hold_root(bytes: &[u8], at: usize) -> bool {
    let byte = |at: usize| bytes.get(at).map_or(0, |byte| byte | 0x20);
    let before = if at == 0 { 0 } else { byte(at - 1) };
    match (byte(at), byte(at + 1)) {
        // pass, pat; what `pat` stands in is seldom more than a path.
        (b'p', b'a') => match byte(at + 2) {
            b's' => byte(at + 3) == b's',
            b't' => !bytes.get(at + 3).is_some_and(u8::is_ascii_lowercase),
            _ => false,
        },
        (b'p', b's') => byte(at + 2) == b'w',
        (b'p', b'h') => byte(at + 2) == b'r',
        (b'o', b'k') => before == b't',
        (b'e', b'y') => before == b'k',
        (b'a', b'u') => byte(at + 2) == b't' && byte(at + 3) == b'h',
        (b'm', b'n') => byte(at + 2) == b'e',
        (b'i', b'g') => before == b's' && matches!(byte(at + 2), b'n' | 0..b'a' | 123..),
        (b'c', b'r') => byte(at + 2) == b'e' && (before == b'e' || byte(at + 3) == b'd'),
        _ => true,
    }
}

/// What may stand between a name and its value, next to the name.
const LINKS: [bool; 256] = {
    let mut links = [false; 256];
    let signs = b" *{[])@\"'`\t|(\\:=>%&";
    let mut at = 0;
    while at < signs.len() {
        links[signs[at] as usize] = true;
        at += 1;
    }
    let mut byte = 128;
    while byte < 256 {
        links[byte] = true;
        byte += 1;
    }
    links
};

/// Whether `next` and `then` behind a word may lead to a value that is assigned to it.
#[inline]
pub(super) fn may_link(next: u8, then: Option<u8>) -> bool {
    LINKS[usize::from(next)]
        && match (next, then) {
            // `is`, `was`, `to`
            (b' ', Some(then)) => {
                !then.is_ascii_alphanumeric() || matches!(then | 0x20, b'i' | b'w' | b't')
            }
            (b':', Some(then)) => then != b':',
            _ => true,
        }
}
