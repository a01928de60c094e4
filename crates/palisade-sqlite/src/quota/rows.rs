//! What stands in the columns, in the words of the room.

use palisade_core::{Money, StoreError, StoreErrorKind, Timestamp, Tokens};
use palisade_quota::{
    Amount, Hold, Period, Phase, Quota, RequestError, ReservationId, Window, Zone,
};
use rusqlite::Row;

use super::{Entry, LOADING};
use crate::error::{Failure, corrupt};

pub(super) fn window(start: i64, end: i64) -> Result<Window, Failure> {
    Window::new(Timestamp::from_nanos(start), Timestamp::from_nanos(end))
        .ok_or_else(|| corrupt(LOADING, "a window ends before it starts"))
}

pub(super) fn read_amount(row: &Row<'_>, column: usize) -> Result<Amount, Failure> {
    Amount::from_columns(row.get(column)?, row.get(column + 1)?)
        .map_err(|error| corrupt(LOADING, error))
}

pub(super) fn read_quota(row: &Row<'_>) -> Result<Quota, Failure> {
    let tokens: Option<i64> = row.get(0)?;
    let nano_usd: Option<i64> = row.get(1)?;
    let period = match row.get_ref(2)?.as_str() {
        Ok("day") => Period::Day,
        Ok("month") => Period::Month,
        Ok("lifetime") => Period::Lifetime,
        _ => return Err(corrupt(LOADING, "a quota has an unknown period")),
    };
    let zone: String = row.get(3)?;
    let zone = Zone::named(&zone).map_err(|error| corrupt(LOADING, error))?;
    Quota::default()
        // Not negative: the table says so.
        .with_tokens(tokens.map(|tokens| Tokens::new(tokens.unsigned_abs())))
        .and_then(|quota| quota.with_money(nano_usd.map(Money::from_nano_usd)))
        .map(|quota| quota.with_period(period).with_zone(zone))
        .map_err(|error| corrupt(LOADING, error))
}

pub(super) fn period_name(period: Period) -> Result<&'static str, Failure> {
    match period {
        Period::Day => Ok("day"),
        Period::Month => Ok("month"),
        Period::Lifetime => Ok("lifetime"),
        _ => Err(unknown_word("a period")),
    }
}

pub(super) fn read_entry(row: &Row<'_>) -> Result<Entry, Failure> {
    let id: [u8; 16] = row.get(1)?;
    let phase = match row.get(5)? {
        0 => Phase::Held,
        1 => Phase::Settled {
            actual: read_amount(row, 6)?,
            late: row.get(8)?,
        },
        2 => Phase::Released,
        3 => Phase::Expired,
        other => return Err(corrupt(LOADING, format!("a hold is in phase {other}"))),
    };
    let accounts = row.get_ref(9)?.as_str().map_err(rusqlite::Error::from)?;
    let accounts: Result<Vec<i64>, _> = accounts.split(' ').map(str::parse).collect();
    Ok(Entry {
        row: row.get(0)?,
        hold: Hold::new(
            ReservationId::from_u128(u128::from_be_bytes(id)),
            Vec::new(),
            read_amount(row, 2)?,
            Timestamp::from_nanos(row.get(4)?),
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
