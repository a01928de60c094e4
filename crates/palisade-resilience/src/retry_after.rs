use std::time::Duration;

use palisade_core::Timestamp;

/// Reads a `Retry-After` field (RFC 9110 §10.2.3): how long to wait from `now`.
///
/// Understands whole seconds, the decimal seconds that some services send, all three forms of an HTTP date (§5.6.7), and
/// lists of seconds, as proxies make them of repeated fields, of which the longest counts. A date in the past means no
/// wait. An absurd number is a very long wait, not an error: the [`Backoff`](crate::Backoff) decides what is too long. What
/// is negative or malformed is `None`.
///
/// ```
/// use std::time::Duration;
/// use palisade_core::Timestamp;
/// use palisade_resilience::parse_retry_after;
///
/// let now = Timestamp::from_secs(784_111_777); // 1994-11-06T08:49:37Z
/// let seconds = |value: &str| parse_retry_after(value.as_bytes(), now).map(|wait| wait.as_secs());
/// assert_eq!(seconds("120"), Some(120));
/// assert_eq!(seconds("Sun, 06 Nov 1994 08:50:07 GMT"), Some(30));
/// assert_eq!(seconds("soon"), None);
/// ```
#[must_use]
pub fn parse_retry_after(value: &[u8], now: Timestamp) -> Option<Duration> {
    Asked::parse(value).map(|asked| asked.from(now))
}

/// What a server asked for, before it is compared with a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Wait(Duration),
    Until(Timestamp),
}

impl Asked {
    /// The value of a `retry-after` field.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let text = short_text(value)?;
        if let Some(date) = http_date(text) {
            return Some(Self::Until(date));
        }
        let mut longest = None;
        for part in text.split(',') {
            longest = longest.max(Some(decimal_seconds(part.trim_ascii(), 1_000_000_000)?));
        }
        longest.map(Self::Wait)
    }

    /// The value of a `retry-after-ms` field.
    pub(crate) fn parse_ms(value: &[u8]) -> Option<Self> {
        decimal_seconds(short_text(value)?, 1_000_000).map(Self::Wait)
    }

    /// A protobuf duration in JSON, such as `34.074824224s`.
    #[cfg(feature = "json")]
    pub(crate) fn parse_proto(text: &str) -> Option<Self> {
        decimal_seconds(text.strip_suffix('s')?, 1_000_000_000).map(Self::Wait)
    }

    pub(crate) fn from(self, now: Timestamp) -> Duration {
        match self {
            Self::Wait(wait) => wait,
            Self::Until(until) => until.saturating_since(now),
        }
    }
}

/// The text of a field. No sensible value is longer than 128 bytes, and what is not sensible need not be read.
pub(crate) fn short_text(value: &[u8]) -> Option<&str> {
    let value = (value.len() <= 128).then_some(value)?;
    Some(std::str::from_utf8(value).ok()?.trim_ascii())
}

/// A decimal number without sign, in units of `unit` nanoseconds. Rounded up, so that nobody comes back too early.
pub(crate) fn decimal_seconds(text: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        return None;
    }
    let Ok(whole) = whole.parse::<u64>() else {
        return Some(Duration::MAX);
    };
    let mut nanos = u128::from(whole) * u128::from(unit);
    // Digit by digit in units of a billionth of a unit: exact, however many digits there are.
    let mut scale = u128::from(unit) * 1_000_000_000;
    let mut rest: u128 = 0;
    for byte in fraction.bytes().take(18) {
        scale /= 10;
        rest += scale * u128::from(byte - b'0');
    }
    nanos += rest.div_ceil(1_000_000_000);
    Some(u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos))
}

/// The three forms of RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and
/// `Sun Nov  6 08:49:37 1994`. The name of the day must be one but is not compared with the date.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    let mut tokens = [""; 8];
    let mut count = 0;
    for token in text.split([' ', ',', '-', ':']).filter(|t| !t.is_empty()) {
        *tokens.get_mut(count)? = token;
        count += 1;
    }
    let (day, month, year, clock) = match tokens {
        [_, day, month, year, h, m, s, "GMT" | "UTC"] if count == 8 => {
            (day, month, year, [h, m, s])
        }
        [_, month, day, h, m, s, year, _] if count == 7 => (day, month, year, [h, m, s]),
        _ => return None,
    };
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    if !DAYS.contains(&tokens[0].get(..3)?) {
        return None;
    }
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = 1 + MONTHS.iter().position(|name| *name == month)? as i64;
    let year = match (year.len(), number(year)?) {
        (4, year) => year,
        // Two digits: the RFC puts what would lie more than 50 years ahead into the past. Seen from 2026.
        (2, year) if year > 76 => 1_900 + year,
        (2, year) => 2_000 + year,
        _ => return None,
    };
    let day = number(day)?;
    let [hour, minute, second] = [number(clock[0])?, number(clock[1])?, number(clock[2])?];
    let days = days_from_civil(year, month, day);
    // A day that its month does not have would be read as one of the next month.
    let exists = (1..=31).contains(&day)
        && (day <= 28 || days < days_from_civil(year + month / 12, month % 12 + 1, 1));
    // A leap second counts as the first second after it.
    if !exists || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(Timestamp::from_secs(
        days * 86_400 + hour * 3_600 + minute * 60 + second,
    ))
}

/// A number of one to four digits.
fn number(text: &str) -> Option<i64> {
    let fits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// Days since 1970-01-01 of a date of the Gregorian calendar. After Howard Hinnant, *chrono-Compatible Low-Level Date
/// Algorithms*, `days_from_civil`.
pub(crate) const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(784_111_777);

    fn nanos(value: &str) -> Option<u128> {
        parse_retry_after(value.as_bytes(), NOW).map(|wait| wait.as_nanos())
    }

    #[test]
    fn every_form_of_seconds_is_read() {
        for (value, seconds) in [
            ("0", 0.0),
            ("120", 120.0),
            (" 7 ", 7.0),
            ("1.5", 1.5),
            ("0.25", 0.25),
            ("3, 20, 5", 20.0),
            ("007", 7.0),
        ] {
            assert_eq!(nanos(value), Some((seconds * 1e9) as u128), "{value}");
        }
        assert_eq!(nanos("0.0000000001"), Some(1), "rounded up, not away");
        assert_eq!(
            Asked::parse_ms(b"1500"),
            Some(Asked::Wait(Duration::from_millis(1_500)))
        );
        assert_eq!(
            Asked::parse_ms(b"0.5"),
            Some(Asked::Wait(Duration::from_micros(500)))
        );
        #[cfg(feature = "json")]
        assert_eq!(
            Asked::parse_proto("34.07s"),
            Some(Asked::Wait(Duration::from_millis(34_070)))
        );
    }

    #[test]
    fn what_is_absurd_is_long_and_what_is_malformed_is_nothing() {
        for value in [
            "99999999999",
            "18446744073709551616",
            "184467440737095516160000",
        ] {
            assert_eq!(
                parse_retry_after(value.as_bytes(), NOW),
                Some(Duration::MAX),
                "{value}"
            );
        }
        for value in [
            "",
            " ",
            "-1",
            "+5",
            "1e3",
            "5s",
            ".5",
            "5.",
            "1,,2",
            "5, x",
            "0x10",
            "NaN",
            "inf",
            "1.2.3",
            "\u{661}\u{662}",
        ] {
            assert_eq!(nanos(value), None, "{value:?}");
        }
        assert_eq!(parse_retry_after(&[0xff, 0xfe], NOW), None);
        assert_eq!(parse_retry_after(&[b'1'; 129], NOW), None);
    }

    #[test]
    fn all_three_forms_of_an_http_date_are_read() {
        for value in [
            "Sun, 06 Nov 1994 08:50:07 GMT",
            "Sunday, 06-Nov-94 08:50:07 GMT",
            "Sun Nov  6 08:50:07 1994",
        ] {
            assert_eq!(nanos(value), Some(30_000_000_000), "{value}");
        }
        assert_eq!(nanos("Sun, 06 Nov 1994 08:49:00 GMT"), Some(0), "the past");
        assert_eq!(
            http_date("Thu, 29 Feb 2024 23:59:60 GMT"),
            Some(Timestamp::from_secs(1_709_251_200))
        );
        for value in [
            "Sun, 06 Nov 1994 08:50:07 EST",
            "Sun, 31 Nov 1994 08:50:07 GMT",
            "Sun, 00 Nov 1994 08:50:07 GMT",
            "Thu, 29 Feb 2023 00:00:00 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Foo, 06 Nov 1994 08:50:07 GMT",
            "Sun, 06 Nov 1994 08:50 GMT",
            "Sun, 06 Nov 94 08:50:07 GMT x",
        ] {
            assert_eq!(nanos(value), None, "{value}");
        }
    }
}
