//! What stands in the columns, in the words of the room.

use std::borrow::Cow;

use palisade_core::{Money, StoreError, StoreErrorKind, Timestamp, Tokens};
use palisade_quota::{
    Amount, Hold, Period, Phase, Quota, RequestError, ReservationId, Rolling, Window, Zone,
};
use rusqlite::Row;

use super::{Entry, LOADING};
use crate::error::{Failure, corrupt};

pub(super) fn window(start: i64, end: i64) -> Result<Window, Failure> {
    Window::new(Timestamp::from_nanos(start), Timestamp::from_nanos(end))
        .ok_or_else(|| corrupt(LOADING, "a window ends before it starts"))
}

/// An amount from the five columns of its measures: tokens, nano-dollars, requests, input, output.
pub(super) fn read_amount(row: &Row<'_>, column: usize) -> Result<Amount, Failure> {
    let mut units = [0; 5];
    for (place, units) in units.iter_mut().enumerate() {
        *units = row.get(column + place)?;
    }
    Amount::from_measures(units).map_err(|error| corrupt(LOADING, error))
}

/// A quota from seven columns: the limits of its measures, the period and the zone. `None` if they are empty.
pub(super) fn read_quota(row: &Row<'_>, column: usize) -> Result<Option<Quota>, Failure> {
    let Some(period) = row.get::<_, Option<String>>(column + 5)? else {
        return Ok(None);
    };
    // Not negative: the table says so.
    let limit = |place: usize| {
        let limit: Result<Option<i64>, _> = row.get(column + place);
        limit.map(|limit| limit.map(i64::unsigned_abs))
    };
    let money: Option<i64> = row.get(column + 1)?;
    let zone: String = row.get(column + 6)?;
    let zone = Zone::named(&zone).map_err(|error| corrupt(LOADING, error))?;
    let quota = Quota::default()
        .with_tokens(limit(0)?.map(Tokens::new))
        .and_then(|quota| quota.with_money(money.map(Money::from_nano_usd)));
    let (requests, input, output) = (limit(2)?, limit(3)?, limit(4)?);
    quota
        .and_then(|quota| quota.with_requests(requests))
        .and_then(|quota| quota.with_input(input.map(Tokens::new)))
        .and_then(|quota| quota.with_output(output.map(Tokens::new)))
        .map_err(|error| corrupt(LOADING, error))
        .and_then(|quota| {
            Ok(Some(
                quota.with_period(read_period(&period)?).with_zone(zone),
            ))
        })
}

fn read_period(name: &str) -> Result<Period, Failure> {
    let unknown = || corrupt(LOADING, "a quota has an unknown period");
    Ok(match name {
        "day" => Period::Day,
        "week" => Period::Week,
        "month" => Period::Month,
        "lifetime" => Period::Lifetime,
        _ => {
            let seconds = name.strip_prefix(ROLLING).ok_or_else(unknown)?;
            let seconds: u32 = seconds.parse().map_err(|_| unknown())?;
            Period::Rolling(Rolling::try_from(seconds).map_err(|_| unknown())?)
        }
    })
}

pub(super) fn period_name(period: Period) -> Result<Cow<'static, str>, Failure> {
    Ok(Cow::Borrowed(match period {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
        Period::Lifetime => "lifetime",
        Period::Rolling(rolling) => {
            return Ok(Cow::Owned(format!("{ROLLING}{}", u32::from(rolling))));
        }
        _ => return Err(unknown_word("a period")),
    }))
}

/// What stands before the seconds of a rolling period.
const ROLLING: &str = "rolling ";

pub(super) fn read_entry(row: &Row<'_>) -> Result<Entry, Failure> {
    let id: [u8; 16] = row.get(1)?;
    let phase = match row.get(8)? {
        0 => Phase::Held,
        1 => Phase::Settled {
            actual: read_amount(row, 9)?,
            late: row.get(14)?,
        },
        2 => Phase::Released,
        3 => Phase::Expired,
        other => return Err(corrupt(LOADING, format!("a hold is in phase {other}"))),
    };
    let accounts = row.get_ref(15)?.as_str().map_err(rusqlite::Error::from)?;
    let accounts: Result<Vec<i64>, _> = accounts.split(' ').map(str::parse).collect();
    Ok(Entry {
        row: row.get(0)?,
        hold: Hold::new(
            ReservationId::from_u128(u128::from_be_bytes(id)),
            Vec::new(),
            read_amount(row, 2)?,
            Timestamp::from_nanos(row.get(7)?),
            phase,
        ),
        accounts: accounts.map_err(|error| corrupt(LOADING, error))?,
    })
}

pub(super) fn invalid(error: RequestError) -> Failure {
    Failure::Store(StoreError::new(StoreErrorKind::Invalid, "booking quota").with_source(error))
}

/// The room has a word that this version cannot store.
pub(super) fn unknown_word(what: &str) -> Failure {
    let source = format!("{what} that this version cannot store");
    Failure::Store(StoreError::new(StoreErrorKind::Invalid, "storing quota").with_source(source))
}
