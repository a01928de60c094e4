//! Telling somebody before a quota is gone, and once.

use std::{fmt, future::Future, sync::Arc};

use palisade_core::{Key, StoreError, Timestamp};

use crate::{Balance, Measure, Period, Window};

/// What an alert says of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum AlertMark {
    /// So many hundredths of the limit are spent.
    Percent(u8),
    /// At the pace of this window so far, the limit is reached before the window ends.
    Projected,
}

impl fmt::Display for AlertMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent} %"),
            Self::Projected => f.write_str("projected"),
        }
    }
}

/// Names one alert: it is raised once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct AlertKey {
    /// Whose quota.
    pub scope: Key,
    /// The start of the window. For a rolling period, which has no windows of its own, that of the stretch of its length,
    /// counted from 1970, in which it is raised.
    pub starts_at: Timestamp,
    /// Of what.
    pub measure: Measure,
    /// What is said of it.
    pub mark: AlertMark,
}

impl AlertKey {
    /// The name of an alert about this balance.
    #[must_use]
    pub fn of(balance: &Balance, measure: Measure, mark: AlertMark) -> Self {
        let starts_at = match balance.period {
            Period::Rolling(rolling) => {
                let length = i64::try_from(rolling.length().as_nanos()).unwrap_or(i64::MAX);
                let end = balance.window.end().as_nanos();
                Timestamp::from_nanos(end - end.rem_euclid(length))
            }
            _ => balance.window.start(),
        };
        Self {
            scope: balance.scope.clone(),
            starts_at,
            measure,
            mark,
        }
    }
}

/// Something that somebody should know of a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Alert {
    /// Of what.
    pub measure: Measure,
    /// What is said of it.
    pub mark: AlertMark,
    /// How the scope stood when it was seen.
    pub balance: Balance,
    /// When, at the pace of the window so far, the limit is reached; `None` if not in this window.
    pub exhausted_at: Option<Timestamp>,
}

/// Where alerts go: a log, a channel, a web hook behind a queue.
///
/// It is called on the way of a request, so it must not wait. A closure is one.
pub trait AlertSink: Send + Sync {
    /// Takes an alert.
    fn raise(&self, alert: Alert);
}

impl<F: Fn(Alert) + Send + Sync> AlertSink for F {
    fn raise(&self, alert: Alert) {
        self(alert);
    }
}

/// Who remembers which alerts were raised, for all processes that watch one ledger.
///
/// # Contract
///
/// - *Once.* Of all calls with one key, whoever makes them and however many at the same time, exactly one is answered with
///   `true`.
/// - *For the window.* A key is remembered at least until its window has ended; one of a window that never ends, for ever.
///
/// # Errors
///
/// An `Err` means that there was no answer. After one it is not known whether the key is taken: the alert may be lost, and
/// it is never raised twice.
///
/// # Cancel safety
///
/// A dropped future may or may not have taken the key.
pub trait AlertLog: Send + Sync {
    /// Takes the key, and says whether nobody had.
    fn first(&self, key: AlertKey) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

impl<L: AlertLog + ?Sized> AlertLog for Arc<L> {
    async fn first(&self, key: AlertKey) -> Result<bool, StoreError> {
        (**self).first(key).await
    }
}

/// When a measure reaches its limit, if it goes on as it did since the window began; `None` if that is not in this window,
/// or if there is no pace to go by: nothing is spent, the window never ends, or it rolls.
///
/// What is held is not spent, and does not count.
#[must_use]
pub fn exhausted_at(balance: &Balance, measure: Measure, now: Timestamp) -> Option<Timestamp> {
    let limit = i128::from(balance.limit.get(measure)?);
    let spent = i128::from(balance.spent.get(measure));
    let window: Window = balance.window;
    if spent <= 0 || matches!(balance.period, Period::Rolling(_)) || window.remaining(now).is_none()
    {
        return None;
    }
    if spent >= limit {
        return Some(now);
    }
    let start = i128::from(window.start().as_nanos());
    let elapsed = i128::from(now.as_nanos()) - start;
    let until = elapsed.checked_mul(limit)?.checked_div(spent)?;
    let at = Timestamp::from_nanos(i64::try_from(start.checked_add(until)?).ok()?);
    (elapsed > 0 && at < window.end()).then_some(at)
}

/// The marks that a balance has reached, in the order of measures and marks: the pure decision.
///
/// A projection is made when a tenth of the window is over; before, one call would be a trend.
#[must_use]
pub fn reached(balance: &Balance, percents: &[u8], now: Timestamp) -> Vec<(Measure, AlertMark)> {
    let mut marks = Vec::new();
    for measure in Measure::ALL {
        let Some(limit) = balance.limit.get(measure).map(i128::from) else {
            continue;
        };
        let spent = i128::from(balance.spent.get(measure));
        for percent in percents {
            // Without a limit to speak of, all of nothing is spent by the first unit.
            if spent > 0 && spent * 100 >= limit * i128::from(*percent) {
                marks.push((measure, AlertMark::Percent(*percent)));
            }
        }
        let (start, end) = (
            balance.window.start().as_nanos(),
            balance.window.end().as_nanos(),
        );
        let length = i128::from(end) - i128::from(start);
        let elapsed = i128::from(now.as_nanos()) - i128::from(start);
        if elapsed * 10 >= length && exhausted_at(balance, measure, now).is_some() {
            marks.push((measure, AlertMark::Projected));
        }
    }
    marks
}
