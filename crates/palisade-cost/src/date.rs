//! Dates and times as text, read without a calendar library.

use palisade_core::Timestamp;

/// A day such as `2026-11-20` (its first instant in UTC) or a time in RFC 3339; `None` if the text is neither.
#[cfg(feature = "json")]
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    day(text).or_else(|| rfc_3339(text))
}

/// `2026-11-20` as the first instant of that day in UTC.
pub(crate) fn day(text: &str) -> Option<Timestamp> {
    days(text.as_bytes()).map(|days| Timestamp::from_secs(days * 86_400))
}

/// RFC 3339, such as `2026-11-20T18:53:10Z` or `2026-11-20T18:53:10.5+01:00`. A leap second counts as the second after.
#[cfg(feature = "json")]
pub(crate) fn rfc_3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let days = days(bytes.get(..10)?)?;
    if !matches!(bytes.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let two = |at: usize, max: i64| {
        let value = digits(bytes.get(at..at + 2)?)?;
        (value <= max).then_some(value)
    };
    let colon = |at: usize| (*bytes.get(at)? == b':').then_some(());
    let (hour, minute, second) = (two(11, 23)?, two(14, 59)?, two(17, 60)?);
    colon(13)?;
    colon(16)?;
    let mut rest = bytes.get(19..)?;
    let mut nanos = 0;
    if let [b'.', fraction @ ..] = rest {
        let length = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        let (fraction, after) = fraction.split_at(length);
        for place in 0..9 {
            nanos = nanos * 10
                + fraction
                    .get(place)
                    .map_or(0, |digit| i64::from(digit - b'0'));
        }
        rest = after;
    }
    let offset = match rest {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -60 } else { 60 }
        }
        _ => return None,
    };
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    seconds
        .checked_mul(1_000_000_000)?
        .checked_add(nanos)
        .map(Timestamp::from_nanos)
}

/// Whether `text` is a date of the calendar, eight digits without separators.
pub(crate) fn is_compact_date(text: &[u8]) -> bool {
    text.len() == 8
        && match (digits(&text[..4]), digits(&text[4..6]), digits(&text[6..])) {
            (Some(year), Some(month), Some(day)) => is_date(year, month, day),
            _ => false,
        }
}

/// Whether `text` is a date of the calendar, as `2026-11-20`.
pub(crate) fn is_date_text(text: &[u8]) -> bool {
    days(text).is_some()
}

/// Days since the epoch.
///
/// After Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms*, `days_from_civil`.
fn days(text: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else {
        return None;
    };
    let (year, month, day) = (
        digits(&[y1, y2, y3, y4])?,
        digits(&[m1, m2])?,
        digits(&[d1, d2])?,
    );
    if !is_date(year, month, day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn is_date(year: i64, month: i64, day: i64) -> bool {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    // Model names carry years of this age of the world; anything else that looks like one is a version.
    (1970..2200).contains(&year) && (1..=length).contains(&day)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value: i64, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_reads_back_as_core_prints_it() {
        for text in ["1970-01-01", "2000-02-29", "2026-11-20", "2199-12-31"] {
            assert_eq!(day(text).unwrap().to_string(), format!("{text}T00:00:00Z"));
        }
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "26-11-20",
            "",
            "9999-01-01",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_time_reads_back_as_core_prints_it() {
        for (text, back) in [
            ("2026-11-20T18:53:10Z", "2026-11-20T18:53:10Z"),
            ("2026-11-20T18:53:10.25+01:00", "2026-11-20T17:53:10.250Z"),
            (
                "2026-11-20t18:53:10.123456789123z",
                "2026-11-20T18:53:10.123456789Z",
            ),
            ("2026-12-31T23:59:60-00:30", "2027-01-01T00:30:00Z"),
        ] {
            assert_eq!(rfc_3339(text).unwrap().to_string(), back);
        }
        for text in [
            "2026-11-20",
            "2026-11-20T18:53:10",
            "2026-11-20T24:00:00Z",
            "2026-11-20T18:53:10.Z",
            "2026-11-20T18:53:10+25:00",
            "é",
        ] {
            assert_eq!(rfc_3339(text), None, "{text}");
        }
    }
}
