//! What a value looks like: random, a placeholder, or a piece of code.

/// The bytes a token is made of, in most formats and in identifiers alike.
#[inline]
pub(crate) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// How a value is composed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Makeup {
    pub(crate) length: usize,
    pub(crate) digits: usize,
    pub(crate) lower: usize,
    pub(crate) upper: usize,
    pub(crate) other: usize,
    pub(crate) distinct: u32,
    /// Neighbours that are equal or follow one another, as in `aaaa` or `3456`.
    pub(crate) steps: usize,
    /// Upper-case letters that follow one another, which `camelCase` has few of.
    pub(crate) shouting: usize,
    pub(crate) vowels: usize,
}

impl Makeup {
    pub(crate) fn of(value: &[u8]) -> Self {
        let mut makeup = Self {
            length: value.len(),
            ..Self::default()
        };
        let mut seen = 0u128;
        let mut last = 0u8;
        for &byte in value {
            match byte {
                b'0'..=b'9' => makeup.digits += 1,
                b'a'..=b'z' => makeup.lower += 1,
                b'A'..=b'Z' => makeup.upper += 1,
                _ => makeup.other += 1,
            }
            makeup.steps += usize::from(byte == last || byte == last.wrapping_add(1));
            makeup.shouting += usize::from(byte.is_ascii_uppercase() && last.is_ascii_uppercase());
            makeup.vowels += usize::from(matches!(byte | 32, b'a' | b'e' | b'i' | b'o' | b'u'));
            seen |= 1 << (byte & 127);
            last = byte;
        }
        makeup.distinct = seen.count_ones();
        makeup
    }

    pub(crate) fn letters(&self) -> usize {
        self.lower + self.upper
    }

    /// Whether a generator could have made it: varied, without runs, and not letters alone.
    pub(crate) fn is_random(&self) -> bool {
        (self.is_varied() && self.digits >= 2 && self.letters() >= 2)
            || (self.length >= 16 && self.is_random_letters())
    }

    /// Like [`is_random`](Self::is_random), for formats of letters alone: then both cases must be mixed as words
    /// never mix them.
    pub(crate) fn is_random_letters(&self) -> bool {
        self.is_varied()
            && self.upper * 5 >= self.length
            && self.lower * 5 >= self.length
            && self.shouting * 34 >= self.length
    }

    fn is_varied(&self) -> bool {
        let wanted = (self.length / 3).clamp(4, 8) as u32;
        self.distinct >= wanted && self.steps * 3 <= self.length
    }
}

/// Whether a value stands in for a secret rather than being one.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    const NAMED: [&[u8]; 7] = [
        b"1234567890",
        b"abcdefgh",
        b"01234567",
        b"my-secret",
        b"my_secret",
        b"mysecret",
        b"mypassword",
    ];
    is_stand_in(value) || NAMED.iter().any(|word| contains_any_case(value, word))
}

/// What stand-ins say of themselves.
const STAND_INS: [&[u8]; 22] = [
    b"xxxx",
    b"your",
    b"placeholder",
    b"changeme",
    b"change-me",
    b"change_me",
    b"redacted",
    b"dummy",
    b"replace",
    b"insert",
    b"...",
    b"****",
    b"_here",
    b"-here",
    b"sample",
    b"todo",
    b"0000000000",
    b"\xe2\x80\xa2\xe2\x80\xa2",
    b"hidden",
    b"masked",
    b"removed",
    b"deadbeef",
];

/// Which two letters, by their low five bits, one of them or `example` begins with.
const BEGINS_STAND_IN: [u32; 32] = {
    let mut begins = [0; 32];
    let mut at = 0;
    while at < STAND_INS.len() {
        begins[(STAND_INS[at][0] & 31) as usize] |= 1 << (STAND_INS[at][1] & 31);
        at += 1;
    }
    begins[(b'e' & 31) as usize] |= 1 << (b'x' & 31);
    begins
};

/// Whether a value says itself that it is none. Where a prefix has already said what the value is, one that was merely
/// typed in a row is not let pass.
pub(crate) fn is_stand_in(value: &[u8]) -> bool {
    let makeup = Makeup::of(value);
    // A generated value that someone marked as an example keeps the shape of the real ones.
    let generated = makeup.length >= 16 && makeup.digits > 0 && makeup.upper > 2;
    let (mut run, mut last) = (0, 0);
    for (at, &byte) in value.iter().enumerate() {
        run = if byte == last { run + 1 } else { 1 };
        if run >= 7 {
            return true;
        }
        last = byte;
        let next = value.get(at + 1).copied().unwrap_or(0);
        if BEGINS_STAND_IN[usize::from(byte & 31)] >> (next & 31) & 1 == 0 {
            continue;
        }
        let low = byte.to_ascii_lowercase();
        let rest = &value[at..];
        let says = |word: &[u8]| {
            // Among sixty random letters a short word in mixed case is no word.
            let found = word[0] == low && starts_any_case(rest, word);
            found && (!generated || is_one_case(&rest[..word.len()]))
        };
        if STAND_INS.iter().any(|word| says(word)) || (!generated && says(b"example")) {
            return true;
        }
    }
    value.len() >= 8 && makeup.distinct <= 3
}

fn is_one_case(word: &[u8]) -> bool {
    let has = |test: fn(&u8) -> bool| word.iter().any(test);
    !(has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase))
}

pub(crate) fn starts_any_case(value: &[u8], lower: &[u8]) -> bool {
    value.len() >= lower.len()
        && value
            .iter()
            .zip(lower)
            .all(|(a, b)| a.to_ascii_lowercase() == *b)
}

#[inline]
pub(crate) fn contains(value: &[u8], word: &[u8]) -> bool {
    let (Some(&first), Some(last)) = (word.first(), value.len().checked_sub(word.len())) else {
        return word.is_empty();
    };
    // Values and words are short: to compare the first byte here is cheaper than to call for a comparison.
    (0..=last).any(|at| value[at] == first && value[at..at + word.len()] == *word)
}

pub(crate) fn contains_any_case(value: &[u8], lower: &[u8]) -> bool {
    let (Some(&first), Some(last)) = (lower.first(), value.len().checked_sub(lower.len())) else {
        return lower.is_empty();
    };
    (0..=last)
        .any(|at| value[at].to_ascii_lowercase() == first && starts_any_case(&value[at..], lower))
}

/// More than the longest timestamp, and what follows it.
pub(crate) const TIMESTAMP_MAX: usize = 34;

/// The end of a date, and the time behind it, as ISO 8601 and logs write them: `2026-07-24T10:47:00.123Z`. Nothing may
/// follow that would make it a part of something else; what lies past the end of `text` is not known.
pub(crate) fn timestamp(text: &[u8]) -> Option<usize> {
    let fits = |from: usize, shape: &[u8]| {
        text.len() > from + shape.len()
            && shape
                .iter()
                .zip(&text[from..])
                .all(|(wanted, byte)| match wanted {
                    b'9' => byte.is_ascii_digit(),
                    b'T' => matches!(byte, b'T' | b' '),
                    b'.' => matches!(byte, b'.' | b','),
                    wanted => wanted == byte,
                })
    };
    if !fits(0, b"9999-99-99T99:99") || !matches!(text[0], b'1' | b'2') {
        return None;
    }
    let mut end = 16;
    if fits(end, b":99") {
        end += 3;
        if fits(end, b".9") {
            let digits = text[end + 1..].iter().take_while(|b| b.is_ascii_digit());
            end += 1 + digits.take(10).count();
        }
    }
    if text.get(end) == Some(&b'Z') {
        end += 1;
    }
    let next = *text.get(end)?;
    (!is_word(next) && !matches!(next, b':' | b'.' | b'+')).then_some(end)
}

/// Whether a value is built of words and numbers, as identifiers and host names are: `session-token-layer-v2`.
pub(crate) fn is_identifier(value: &[u8]) -> bool {
    let mut words = 0;
    for part in value.split(|b| matches!(b, b'-' | b'_' | b'.' | b'/' | b':')) {
        let makeup = Makeup::of(part);
        let word =
            makeup.digits == 0 && (makeup.upper <= 1 + makeup.lower / 3 || makeup.lower == 0);
        let number = makeup.letters() == 0;
        let version = makeup.length <= 3;
        let numbered = makeup.digits <= 3
            && makeup.upper == 0
            && part
                .iter()
                .skip_while(|b| b.is_ascii_lowercase())
                .all(u8::is_ascii_digit);
        if !(word || number || version || numbered) {
            return false;
        }
        words += usize::from(word && makeup.length > 2);
    }
    words > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_generator_makes_looks_random_and_what_people_write_does_not() {
        for random in [
            "9f86d081884c7d659a2f",
            "q8Zt4WvL0kPq2mXc",
            "k3j5h2g9d8s7a1q0",
        ] {
            assert!(Makeup::of(random.as_bytes()).is_random(), "{random}");
        }
        for written in [
            "getTokenFromHeader",
            "aaaaaaaaaaaaaaaa1234",
            "1234567890123456",
            "abcdefghijklmnop12",
        ] {
            assert!(!Makeup::of(written.as_bytes()).is_random(), "{written}");
        }
        assert!(Makeup::of(b"zSncUCeGqNLscjmpKDmlTWOUqEliMQWRTu").is_random_letters());
        assert!(!Makeup::of(b"resolveHandlerForTheGivenStreamItem").is_random_letters());
    }

    #[test]
    fn placeholders_are_told_from_values() {
        for no in [
            "sk-xxxxxxxx",
            "YOUR_API_KEY",
            "AIza...",
            "00000000-0000-0000",
            "put-key-here",
            "aaaaaaaaaaaa",
        ] {
            assert!(is_placeholder(no.as_bytes()), "{no}");
        }
        assert!(!is_placeholder(b"q8Zt4WvL0kPq2mXc"));
    }

    #[test]
    fn a_timestamp_is_one_when_nothing_makes_it_part_of_something_else() {
        for (text, end) in [
            ("2026-07-24T10:47:00.123Z ", Some(24)),
            ("2026-07-24 10:47:00,123 ", Some(23)),
            ("2026-07-24 10:47 ", Some(16)),
            ("2026-07-24T10:47:00Z", None),
            ("2026-07-24T10:47:00.123Zabc ", None),
            ("2026-07-24T10:47:00.1.2 ", None),
            ("2026-07-24 at ten o'clock", None),
            ("9026-07-24 10:47:00 ", None),
        ] {
            assert_eq!(timestamp(text.as_bytes()), end, "{text}");
        }
    }

    #[test]
    fn identifiers_are_told_from_values() {
        for identifier in [
            "session-token-layer-v2",
            "resource_item_17",
            "cluster0.prod.internal",
        ] {
            assert!(is_identifier(identifier.as_bytes()), "{identifier}");
        }
        assert!(!is_identifier(b"q8Zt4WvL0kPq2mXc"));
        assert!(!is_identifier(b"1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"));
    }
}
