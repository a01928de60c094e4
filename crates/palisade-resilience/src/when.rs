use std::time::Duration;

use palisade_core::Timestamp;

use crate::retry_after::{Asked, days_from_civil, decimal_seconds, http_date, short_text};

/// Reads a length of time as people, and Go, write it: `250ms`, `1m30s`, `1.5h`, `6m0s`, `0`.
///
/// Units are `ns`, `us` (or `µs`), `ms`, `s`, `m`, `h` and `d`, each used at most once and the longest first; a bare `0`
/// is allowed, any other bare number is not, since nobody can tell its unit. Rounded up to a nanosecond; what is longer
/// than 584 years is [`Duration::MAX`].
///
/// ```
/// use std::time::Duration;
/// use palisade_resilience::parse_duration;
///
/// assert_eq!(parse_duration("1m30s"), Some(Duration::from_secs(90)));
/// assert_eq!(parse_duration("59.964s"), Some(Duration::from_millis(59_964)));
/// assert_eq!(parse_duration("30"), None);
/// ```
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 8] = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("µs", 1_000),
        ("ns", 1),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
    ];
    let mut rest = short_text(text.as_bytes())?;
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total: Option<Duration> = None;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .filter(|end| *end > 0)?;
        let (number, tail) = rest.split_at(digits);
        let (name, unit) = UNITS
            .into_iter()
            .find(|(name, _)| tail.starts_with(name))
            .filter(|(_, unit)| *unit < last)?;
        // `.5s` and `5.s` are as good as `0.5s` to Go.
        let number = number.strip_suffix('.').unwrap_or(number);
        let part = if let Some(fraction) = number.strip_prefix('.') {
            decimal_seconds(&format!("0.{fraction}"), unit)?
        } else {
            decimal_seconds(number, unit)?
        };
        total = Some(total.unwrap_or_default().saturating_add(part));
        last = unit;
        rest = &tail[name.len()..];
    }
    total
}

/// Writes a length of time so that [`parse_duration`] reads it again.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    for (name, unit) in [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
    ] {
        if nanos >= unit && nanos.is_multiple_of(unit) {
            return format!("{}{name}", nanos / unit);
        }
    }
    if nanos == 0 {
        "0".to_owned()
    } else {
        format!("{nanos}ns")
    }
}

/// When a limit is reset, in any form that is in use: a Go duration (`6m0s`), RFC 3339, an HTTP date, seconds or
/// milliseconds since the epoch, or plain seconds from now.
///
/// The plain numbers are told apart by their size: as a wait, the smallest that counts as a date would be 31 years.
pub(crate) fn reset(value: &[u8]) -> Option<Asked> {
    const SECONDS_SINCE_EPOCH: u128 = 1_000_000_000;
    const MILLIS_SINCE_EPOCH: u128 = 1_000_000_000_000;
    const NANOS_SINCE_EPOCH: u128 = 1_000_000_000_000_000_000;
    let text = short_text(value)?;
    if let Some(date) = http_date(text).or_else(|| rfc_3339(text)) {
        return Some(Asked::Until(date));
    }
    // Already past, whatever its unit.
    if let Some(past) = text.strip_prefix('-') {
        let reads = parse_duration(past).or_else(|| decimal_seconds(past, 1));
        return reads.map(|_| Asked::Wait(Duration::ZERO));
    }
    let nanos = match decimal_seconds(text, 1_000_000_000) {
        None => return parse_duration(text).map(Asked::Wait),
        // What is as large as this is nothing sensible in any unit.
        Some(Duration::MAX) => match text.parse::<u128>() {
            Ok(number) if number < NANOS_SINCE_EPOCH * 10 => number * 1_000_000_000,
            _ => return Some(Asked::Wait(Duration::MAX)),
        },
        Some(wait) => wait.as_nanos(),
    };
    let number = nanos / 1_000_000_000;
    let since_epoch = match number {
        ..SECONDS_SINCE_EPOCH => {
            return u64::try_from(nanos)
                .ok()
                .map(|nanos| Asked::Wait(Duration::from_nanos(nanos)));
        }
        SECONDS_SINCE_EPOCH..MILLIS_SINCE_EPOCH => nanos,
        MILLIS_SINCE_EPOCH..NANOS_SINCE_EPOCH => nanos / 1_000,
        NANOS_SINCE_EPOCH.. => number,
    };
    let until = i64::try_from(since_epoch).map_or(Timestamp::MAX, Timestamp::from_nanos);
    Some(Asked::Until(until))
}

/// A date and time of RFC 3339 §5.6, such as `2026-11-20T23:59:59Z` or `2026-11-21T00:59:59.5+01:00`.
pub(crate) fn rfc_3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let number = |from: usize, length: usize| {
        let digits = text.get(from..from + length)?;
        let all = digits.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| digits.parse::<i64>().ok()).flatten()
    };
    let is = |at: usize, allowed: &[u8]| bytes.get(at).is_some_and(|byte| allowed.contains(byte));
    let shape = is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":");
    if !shape {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let mut rest = text.get(19..)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction
            .find(|c: char| !c.is_ascii_digit())
            .filter(|end| *end > 0)?;
        // Rounded up, so that nobody comes back too early.
        let part = decimal_seconds(&format!("0.{}", &fraction[..end]), 1_000_000_000)?;
        nanos = i64::try_from(part.as_nanos()).ok()?;
        rest = &fraction[end..];
    }
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let at = text.len() - 5;
            let (hours, minutes) = (number(at, 2)?, number(at + 3, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3_600 + minutes * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    let days = days_from_civil(year, month, day);
    let exists = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (day <= 28 || days < days_from_civil(year + month / 12, month % 12 + 1, 1));
    if !exists || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Some(Timestamp::from_nanos(
        seconds.saturating_mul(1_000_000_000).saturating_add(nanos),
    ))
}

/// Lengths of time as text, in a configuration.
#[cfg(feature = "serde")]
pub(crate) mod text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(
        length: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&super::format_duration(*length))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        super::parse_duration(&text).ok_or_else(|| {
            D::Error::custom(format_args!(
                "{text:?} is no length of time; it must be like \"250ms\", \"30s\" or \"1m30s\""
            ))
        })
    }
}

/// The same where there may be none.
#[cfg(feature = "serde")]
pub(crate) mod text_or_none {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    struct Text(#[serde(with = "super::text")] Duration);

    #[expect(clippy::ref_option, reason = "the shape serde asks for")]
    pub(crate) fn serialize<S: Serializer>(
        length: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match length {
            Some(length) => super::text::serialize(length, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<Text>::deserialize(deserializer)?;
        Ok(text.map(|Text(length)| length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20T00:00:00Z.
    const NOW: Timestamp = Timestamp::from_secs(1_795_132_800);

    fn millis(value: &str) -> Option<u128> {
        reset(value.as_bytes()).map(|asked| asked.from(NOW).as_millis())
    }

    #[test]
    fn every_form_of_a_reset_is_read() {
        for (value, expected) in [
            // Go durations
            ("6m0s", 360_000),
            ("1s", 1_000),
            ("59.964s", 59_964),
            ("120ms", 120),
            ("2m59.56s", 179_560),
            ("1h0m0.5s", 3_600_500),
            ("1d2h", 93_600_000),
            ("1500us", 1),
            ("1500µs", 1),
            ("0s", 0),
            ("-3s", 0),
            ("-12", 0),
            // Plain seconds
            ("0", 0),
            ("7", 7_000),
            ("1.5", 1_500),
            ("999999999", 999_999_999_000),
            // RFC 3339
            ("2026-11-20T00:00:30Z", 30_000),
            ("2026-11-20t00:00:30.250z", 30_250),
            ("2026-11-20T01:00:30+01:00", 30_000),
            ("2026-11-19T19:00:30-05:00", 30_000),
            ("2026-11-19T00:00:30Z", 0),
            // An HTTP date
            ("Fri, 20 Nov 2026 00:00:30 GMT", 30_000),
            // Since the epoch: seconds, fractions of them, milliseconds, microseconds, nanoseconds
            ("1795132830", 30_000),
            ("1795132830.5", 30_500),
            ("1795132830000", 30_000),
            ("1795132830000000000", 30_000),
            ("1000000000", 0),
        ] {
            assert_eq!(millis(value), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_is_absurd_is_long_and_what_is_malformed_is_nothing() {
        for value in ["184467440737095516160000", "99999999999999999999"] {
            assert_eq!(
                reset(value.as_bytes()).unwrap().from(NOW),
                Duration::MAX,
                "{value}"
            );
        }
        for value in [
            "",
            " ",
            "soon",
            "s",
            "1x",
            "1s1m",
            "1s1s",
            "1 s",
            "+1s",
            "--1s",
            "1e3",
            "1..5s",
            ".s",
            "2026-13-20T00:00:30Z",
            "2026-02-29T00:00:30Z",
            "2026-11-20T24:00:30Z",
            "2026-11-20T00:00:30",
            "2026-11-20T00:00:30.Z",
            "2026-11-20T00:00:30+1:00",
            "2026-11-20T00:00:30+99:00",
            "2026-11-20",
            "µ",
            "NaN",
            "inf",
        ] {
            assert_eq!(reset(value.as_bytes()), None, "{value:?}");
        }
        assert_eq!(reset(&[b'1'; 129]), None);
        assert_eq!(reset(&[0xff]), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for nanos in [
            0,
            1,
            999,
            1_000,
            1_500_000,
            250_000_000,
            90_000_000_000,
            86_400_000_000_000,
            u64::MAX,
        ] {
            let duration = Duration::from_nanos(nanos);
            let text = format_duration(duration);
            assert_eq!(parse_duration(&text), Some(duration), "{text}");
        }
        assert_eq!(format_duration(Duration::from_secs(90)), "90s");
        assert_eq!(format_duration(Duration::from_millis(250)), "250ms");
    }
}
