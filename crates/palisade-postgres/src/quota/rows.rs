//! What stands in the columns, in the words of the room.

use std::time::Duration;

use palisade_core::{Key, Money, StoreError, StoreErrorKind, Timestamp, Tokens};
use palisade_quota::{Amount, Period, Phase, Place, Quota, Window, Zone};
use tokio_postgres::Row;

use super::{DOING, get};
use crate::error::corrupt;

pub(super) fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

pub(super) fn window(start: i64, end: i64) -> Result<Window, StoreError> {
    Window::new(Timestamp::from_nanos(start), Timestamp::from_nanos(end))
        .ok_or_else(|| corrupt(DOING, "a window ends before it starts"))
}

pub(super) fn columns(tokens: i64, nano_usd: i64) -> Result<Amount, StoreError> {
    Amount::from_columns(tokens, nano_usd).map_err(|error| corrupt(DOING, error))
}

pub(super) fn amount(row: &Row, column: usize) -> Result<Amount, StoreError> {
    columns(get(row, column)?, get(row, column + 1)?)
}

/// What is spent and held, from four columns of arrays.
pub(super) fn sums(row: &Row, column: usize) -> Result<Vec<(Amount, Amount)>, StoreError> {
    let column = |at: usize| get::<Vec<i64>>(row, column + at);
    let (tokens, money) = (column(0)?, column(1)?);
    let (held_tokens, held_money) = (column(2)?, column(3)?);
    let spent = tokens.into_iter().zip(money);
    let held = held_tokens.into_iter().zip(held_money);
    spent
        .zip(held)
        .map(|(spent, held)| Ok((columns(spent.0, spent.1)?, columns(held.0, held.1)?)))
        .collect()
}

/// The quotas that scopes have of their own, with their revisions.
pub(super) fn quotas(row: &Row, column: usize) -> Result<Vec<Option<(i64, Quota)>>, StoreError> {
    let revisions: Option<Vec<i64>> = get(row, column)?;
    let tokens: Option<Vec<Option<i64>>> = get(row, column + 1)?;
    let nano_usd: Option<Vec<Option<i64>>> = get(row, column + 2)?;
    let periods: Option<Vec<Option<&str>>> = get(row, column + 3)?;
    let zones: Option<Vec<Option<&str>>> = get(row, column + 4)?;
    let limits = tokens.unwrap_or_default().into_iter();
    let limits = limits.zip(nano_usd.unwrap_or_default());
    let calendars = periods.unwrap_or_default().into_iter();
    let calendars = calendars.zip(zones.unwrap_or_default());
    revisions
        .unwrap_or_default()
        .into_iter()
        .zip(limits.zip(calendars))
        .map(|(revision, ((tokens, nano_usd), calendar))| {
            let (Some(period), Some(zone)) = calendar else {
                return Ok(None);
            };
            Ok(Some((revision, quota(tokens, nano_usd, period, zone)?)))
        })
        .collect()
}

fn quota(
    tokens: Option<i64>,
    nano_usd: Option<i64>,
    period: &str,
    zone: &str,
) -> Result<Quota, StoreError> {
    let period = match period {
        "day" => Period::Day,
        "month" => Period::Month,
        "lifetime" => Period::Lifetime,
        _ => return Err(corrupt(DOING, "a quota has an unknown period")),
    };
    let zone = Zone::named(zone).map_err(|error| corrupt(DOING, error))?;
    Quota::default()
        // Not negative: the table says so.
        .with_tokens(tokens.map(|tokens| Tokens::new(tokens.unsigned_abs())))
        .and_then(|quota| quota.with_money(nano_usd.map(Money::from_nano_usd)))
        .map(|quota| quota.with_period(period).with_zone(zone))
        .map_err(|error| corrupt(DOING, error))
}

pub(super) fn period_name(period: Period) -> Result<&'static str, StoreError> {
    match period {
        Period::Day => Ok("day"),
        Period::Month => Ok("month"),
        Period::Lifetime => Ok("lifetime"),
        _ => Err(unknown_word("a period")),
    }
}

/// From the columns of the phase, the cost, and whether it came late.
pub(super) fn phase(row: &Row, column: usize) -> Result<Phase, StoreError> {
    Ok(match get::<i16>(row, column)? {
        0 => Phase::Held,
        1 => Phase::Settled {
            actual: amount(row, column + 1)?,
            late: get(row, column + 3)?,
        },
        2 => Phase::Released,
        3 => Phase::Expired,
        other => return Err(corrupt(DOING, format!("a hold is in phase {other}"))),
    })
}

/// From three columns of arrays: scopes, and when their windows start and end.
pub(super) fn read_places(row: &Row, column: usize) -> Result<Vec<Place>, StoreError> {
    let scopes: Vec<&str> = get(row, column)?;
    let starts: Vec<i64> = get(row, column + 1)?;
    let ends: Vec<i64> = get(row, column + 2)?;
    scopes
        .into_iter()
        .zip(starts.into_iter().zip(ends))
        .map(|(scope, (start, end))| {
            Ok(Place {
                scope: Key::parse(scope).map_err(|error| corrupt(DOING, error))?,
                window: window(start, end)?,
            })
        })
        .collect()
}

/// The room has a word that this version cannot store.
pub(super) fn unknown_word(what: &str) -> StoreError {
    let source = format!("{what} that this version cannot store");
    StoreError::new(StoreErrorKind::Invalid, "storing quota").with_source(source)
}
