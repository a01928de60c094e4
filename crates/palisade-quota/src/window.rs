use std::{fmt, sync::OnceLock, time::Duration};

use jiff::{
    civil::{Date, DateTime, date},
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use palisade_core::Timestamp;

use crate::{Rolling, ZoneError};

/// How long an allowance lasts before a fresh one begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Period {
    /// A civil day of the quota's zone: 23, 24 or 25 hours, and what else the zone's history holds.
    #[default]
    Day,
    /// A week of the quota's zone, from Monday on (ISO 8601).
    Week,
    /// A calendar month of the quota's zone.
    Month,
    /// For ever: a credit that is spent once.
    Lifetime,
    /// The time that has just passed: a budget of the last 24 hours, say. Zones do not matter.
    Rolling(Rolling),
}

impl Period {
    /// The window that `now` lies in. The windows of a period and a zone partition time: every instant lies in exactly
    /// one.
    ///
    /// There is no reset and nothing that could run late, twice or never: a window is a function of the time.
    ///
    /// ```
    /// use palisade_core::Timestamp;
    /// use palisade_quota::{Period, Zone};
    ///
    /// // Clocks in Cairo jump over midnight into 2026-04-24: that day begins at 01:00 and has 23 hours.
    /// let noon = Timestamp::from_secs(1_777_024_800);
    /// let day = Period::Day.window(noon, &Zone::named("Africa/Cairo")?);
    /// assert_eq!(day.start().to_string(), "2026-04-23T22:00:00Z");
    /// assert_eq!(day.end().to_string(), "2026-04-24T21:00:00Z");
    /// # Ok::<(), palisade_quota::ZoneError>(())
    /// ```
    #[must_use]
    pub fn window(self, now: Timestamp, zone: &Zone) -> Window {
        // Every nanosecond of an i64 is within the years -9999 to 9999 that jiff knows.
        let local = jiff::Timestamp::from_nanosecond(i128::from(now.as_nanos()))
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned(zone.0.clone())
            .date();
        let step = |first: Date, by: i8| match self {
            Self::Week => first.checked_add(jiff::Span::new().weeks(by)),
            Self::Month => first.checked_add(jiff::Span::new().months(by)),
            Self::Day | Self::Lifetime | Self::Rolling(_) => {
                first.checked_add(jiff::Span::new().days(by))
            }
        };
        let first = match self {
            Self::Day => local,
            Self::Week => {
                let days = local.weekday().to_monday_zero_offset();
                // Before the first Monday there is, the week begins with time itself.
                local
                    .checked_sub(jiff::Span::new().days(days))
                    .unwrap_or(Date::MIN)
            }
            Self::Rolling(rolling) => return rolling.window(now),
            Self::Month => date(local.year(), local.month(), 1),
            Self::Lifetime => return Window::FOREVER,
        };
        // A zone may repeat the end of a day, skip a day, or begin one in mid-hour, so the civil date alone does not
        // tell which pair of boundaries is around `now`: look one further on either side.
        let mut start = Timestamp::MIN;
        for by in -1..=2 {
            let boundary = step(first, by).map_or(Timestamp::MAX, |date| zone.first_instant(date));
            if now < boundary {
                return Window {
                    start,
                    end: boundary,
                };
            }
            start = boundary;
        }
        Window {
            start,
            end: Timestamp::MAX,
        }
    }

    /// The time that is counted together with `window`, one of this period's: that window, or the slices before it.
    #[must_use]
    pub fn span(self, window: Window) -> Window {
        Window {
            start: window.start.saturating_sub(self.reach()),
            end: window.end,
        }
    }

    /// For how long after its end a window still counts: not at all, but for the slices of a rolling period.
    #[must_use]
    pub const fn reach(self) -> Duration {
        match self {
            Self::Rolling(rolling) => rolling.length(),
            _ => Duration::ZERO,
        }
    }
}

/// A stretch of time with an allowance of its own: from `start`, up to but not including `end`.
///
/// It is identified by its start, in the zone it was computed for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
}

impl Window {
    /// All of time. It does not end, not even at the last instant there is.
    pub const FOREVER: Self = Self {
        start: Timestamp::MIN,
        end: Timestamp::MAX,
    };

    /// A window as a store holds it, or `None` if it would end before it starts.
    #[must_use]
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start <= end).then_some(Self { start, end })
    }

    /// Its first instant.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// The first instant after it.
    #[must_use]
    pub const fn end(self) -> Timestamp {
        self.end
    }

    /// Whether `now` lies in it.
    #[must_use]
    pub fn contains(self, now: Timestamp) -> bool {
        self.start <= now && (now < self.end || self.end == Timestamp::MAX)
    }

    /// How long until it ends, or `None` if it never does.
    #[must_use]
    pub fn remaining(self, now: Timestamp) -> Option<Duration> {
        (self.end < Timestamp::MAX).then(|| self.end.saturating_since(now))
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Window({} .. {})", self.start, self.end)
    }
}

/// A time zone of the IANA database, by name.
///
/// The database is compiled in, so every node that runs the same program agrees on when a day ends, whatever its
/// operating system believes.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    #[must_use]
    pub const fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone of this name, such as `Europe/Berlin`; upper and lower case are one.
    ///
    /// # Errors
    ///
    /// [`ZoneError::Unknown`] if the database has no such name.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
        let zone = DATABASE
            .get_or_init(TimeZoneDatabase::bundled)
            .get(name)
            .map_err(|_| ZoneError::Unknown)?;
        zone.iana_name().ok_or(ZoneError::Unknown)?;
        Ok(Self(zone))
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        // Only zones with a name are built.
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The first instant at which the calendar of this zone shows `date` or a later day.
    fn first_instant(&self, date: Date) -> Timestamp {
        let midnight = DateTime::from_parts(date, jiff::civil::Time::midnight());
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(midnight).ok();
        let instant = match self.0.to_ambiguous_timestamp(midnight).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            // Midnight comes twice; the day begins with the first.
            AmbiguousOffset::Fold { before, .. } => at(before),
            // Midnight does not exist: the day begins where the clocks jump over it. Read with the offset after the
            // jump, the missing midnight is an instant before the jump, and no other change lies between.
            AmbiguousOffset::Gap { after, .. } => at(after).and_then(|before_jump| {
                let jump = self.0.following(before_jump).next();
                jump.map(|transition| transition.timestamp())
            }),
        };
        let nanos = instant.map_or(i128::MAX, jiff::Timestamp::as_nanosecond);
        Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(if nanos < 0 {
            i64::MIN
        } else {
            i64::MAX
        }))
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::named(&name).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(name).expect("a zone of the database")
    }

    fn at(text: &str) -> Timestamp {
        let instant: jiff::Timestamp = text.parse().expect("a time");
        let nanos = i64::try_from(instant.as_nanosecond());
        Timestamp::from_nanos(nanos.expect("within 1677 to 2262"))
    }

    /// Zone, first instant of the day, first instant of the next, and its length in minutes.
    const DAYS: &[(&str, &str, &str, u64)] = &[
        ("UTC", "2026-06-30T00:00:00Z", "2026-07-01T00:00:00Z", 1_440),
        ("UTC", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z", 1_440),
        // Offsets that are no whole hours, and both sides of the date line.
        (
            "Asia/Kathmandu",
            "2026-06-29T18:15:00Z",
            "2026-06-30T18:15:00Z",
            1_440,
        ),
        (
            "Pacific/Kiritimati",
            "2025-12-31T10:00:00Z",
            "2026-01-01T10:00:00Z",
            1_440,
        ),
        (
            "Pacific/Niue",
            "2026-01-01T11:00:00Z",
            "2026-01-02T11:00:00Z",
            1_440,
        ),
        // Clocks forward and back.
        (
            "America/Los_Angeles",
            "2026-03-08T08:00:00Z",
            "2026-03-09T07:00:00Z",
            1_380,
        ),
        (
            "America/Los_Angeles",
            "2026-11-01T07:00:00Z",
            "2026-11-02T08:00:00Z",
            1_500,
        ),
        (
            "Europe/London",
            "2026-03-29T00:00:00Z",
            "2026-03-29T23:00:00Z",
            1_380,
        ),
        (
            "Europe/London",
            "2026-10-24T23:00:00Z",
            "2026-10-26T00:00:00Z",
            1_500,
        ),
        // By half an hour, and by two.
        (
            "Australia/Lord_Howe",
            "2026-04-04T13:00:00Z",
            "2026-04-05T13:30:00Z",
            1_470,
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-03T13:30:00Z",
            "2026-10-04T13:00:00Z",
            1_410,
        ),
        (
            "Antarctica/Troll",
            "2026-03-29T00:00:00Z",
            "2026-03-29T22:00:00Z",
            1_320,
        ),
        // Midnight does not exist.
        (
            "Africa/Cairo",
            "2026-04-23T22:00:00Z",
            "2026-04-24T21:00:00Z",
            1_380,
        ),
        (
            "America/Santiago",
            "2026-09-06T04:00:00Z",
            "2026-09-07T03:00:00Z",
            1_380,
        ),
        (
            "Asia/Beirut",
            "2026-03-28T22:00:00Z",
            "2026-03-29T21:00:00Z",
            1_380,
        ),
        (
            "America/Havana",
            "2026-03-08T05:00:00Z",
            "2026-03-09T04:00:00Z",
            1_380,
        ),
        // Midnight comes twice.
        (
            "America/Havana",
            "2026-11-01T04:00:00Z",
            "2026-11-02T05:00:00Z",
            1_500,
        ),
        // The last hour of the day comes twice.
        (
            "Africa/Cairo",
            "2026-10-28T21:00:00Z",
            "2026-10-29T22:00:00Z",
            1_500,
        ),
        (
            "America/Santiago",
            "2026-04-04T03:00:00Z",
            "2026-04-05T04:00:00Z",
            1_500,
        ),
        // The last hour does not exist.
        (
            "America/Nuuk",
            "2026-03-28T02:00:00Z",
            "2026-03-29T01:00:00Z",
            1_380,
        ),
        // A minute past midnight the clocks fell back into the day before, which was over by then.
        (
            "America/St_Johns",
            "2010-11-06T02:30:00Z",
            "2010-11-07T02:30:00Z",
            1_440,
        ),
        (
            "America/St_Johns",
            "2010-11-07T02:30:00Z",
            "2010-11-08T03:30:00Z",
            1_500,
        ),
        // The clocks jumped from 23:30 to 00:30: a day that began in mid-hour.
        (
            "America/Toronto",
            "1919-03-30T05:00:00Z",
            "1919-03-31T04:30:00Z",
            1_410,
        ),
        (
            "America/Toronto",
            "1919-03-31T04:30:00Z",
            "1919-04-01T04:00:00Z",
            1_410,
        ),
        // A whole day was left out, 2011-12-30.
        (
            "Pacific/Apia",
            "2011-12-29T10:00:00Z",
            "2011-12-30T10:00:00Z",
            1_440,
        ),
        (
            "Pacific/Apia",
            "2011-12-30T10:00:00Z",
            "2011-12-31T10:00:00Z",
            1_440,
        ),
    ];

    #[test]
    fn a_day_is_the_civil_day_of_its_zone_to_the_nanosecond() {
        let tick = Duration::from_nanos(1);
        for (name, start, end, minutes) in DAYS {
            let (start, end, zone) = (at(start), at(end), zone(name));
            let day = Window::new(start, end).expect("a day ends after it starts");
            assert_eq!(
                end.saturating_since(start).as_secs(),
                minutes * 60,
                "{name}"
            );
            let noon = start.saturating_add(Duration::from_secs(minutes * 30));
            for inside in [start, noon, end.saturating_sub(tick)] {
                assert_eq!(Period::Day.window(inside, &zone), day, "{name} at {inside}");
            }
            assert_eq!(Period::Day.window(end, &zone).start(), end, "{name}");
            let before = start.saturating_sub(tick);
            assert_eq!(Period::Day.window(before, &zone).end(), start, "{name}");
            assert_eq!(day.remaining(noon), Some(end.saturating_since(noon)));
        }
    }

    #[test]
    fn a_month_is_the_calendar_month_of_its_zone() {
        for (name, start, end) in [
            (
                "Europe/Berlin",
                "2026-02-28T23:00:00Z",
                "2026-03-31T22:00:00Z",
            ),
            (
                "America/New_York",
                "2026-11-01T04:00:00Z",
                "2026-12-01T05:00:00Z",
            ),
            (
                "Africa/Cairo",
                "2026-03-31T22:00:00Z",
                "2026-04-30T21:00:00Z",
            ),
            ("UTC", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
            ("UTC", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ] {
            let (start, end) = (at(start), at(end));
            for inside in [start, end.saturating_sub(Duration::from_nanos(1))] {
                let month = Period::Month.window(inside, &zone(name));
                assert_eq!((month.start(), month.end()), (start, end), "{name}");
            }
        }
    }

    #[test]
    fn a_week_begins_on_monday_in_its_zone() {
        for (name, start, end) in [
            ("UTC", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
            ("Asia/Tokyo", "2026-11-15T15:00:00Z", "2026-11-22T15:00:00Z"),
            // The clocks go back on its last day: a week of 169 hours.
            (
                "America/New_York",
                "2026-10-26T04:00:00Z",
                "2026-11-02T05:00:00Z",
            ),
            // And over the turn of a year.
            ("UTC", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"),
        ] {
            let (start, end) = (at(start), at(end));
            for inside in [start, end.saturating_sub(Duration::from_nanos(1))] {
                let week = Period::Week.window(inside, &zone(name));
                assert_eq!((week.start(), week.end()), (start, end), "{name}");
            }
        }
    }

    #[test]
    fn the_ends_of_time_lie_in_a_window_too() {
        for name in ["UTC", "Pacific/Kiritimati", "Pacific/Niue"] {
            let rolling = Rolling::try_from(86_400).expect("a day");
            for period in [
                Period::Day,
                Period::Week,
                Period::Month,
                Period::Lifetime,
                Period::Rolling(rolling),
            ] {
                for now in [Timestamp::MIN, Timestamp::MAX] {
                    let window = period.window(now, &zone(name));
                    assert!(window.contains(now), "{name} {period:?} {now}: {window:?}");
                }
            }
        }
        assert_eq!(Window::FOREVER.remaining(Timestamp::UNIX_EPOCH), None);
        assert_eq!(Window::new(Timestamp::MAX, Timestamp::MIN), None);
    }

    #[test]
    fn a_zone_is_known_by_its_name_or_not_at_all() {
        assert_eq!(zone("europe/berlin").name(), "Europe/Berlin");
        assert_eq!(zone("UTC"), Zone::utc());
        for unknown in [
            "",
            "Mars/Olympus",
            "../../etc/passwd",
            "UTC+25",
            "Etc/Unknown",
        ] {
            assert_eq!(Zone::named(unknown), Err(ZoneError::Unknown), "{unknown}");
        }
    }
}
