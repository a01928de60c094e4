//! The ledger.
//!
//! A decision is one call of a function in the database, which locks the accounts in the order of their keys, compares and
//! books. What it needs to know beside them, the limits and the windows, comes along with the call: the calendar is
//! computed here and nowhere else. The function refuses to decide if what came along is not so, be it that a quota was
//! changed or that the server's clock has left a window; then the node learns, and asks again. The words of the answer are
//! the room's pure functions'.

mod group;
mod known;
mod lessees;
mod rows;

use std::sync::{Arc, atomic::Ordering};

use palisade_core::{Decision, Key, StoreError, StoreErrorKind, Timestamp};
use palisade_quota::{
    Balance, Granted, Hold, Outcome, Quota, QuotaLedger, Refused, RequestError, ReservationId,
    ReserveRequest, Resolution, Resolve, ScopeState, SettleRequest, balance, decide, moved, repeat,
    resolve,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Postgres, error::corrupt};

use group::Ask;
pub(crate) use group::Groups;
pub(crate) use known::Known;
use known::Quotas;
use rows::{amount, nanos, period_name, phase, read_places};

const DOING: &str = "booking quota";
/// How often what a node believes may turn out not to be so in one call.
const ATTEMPTS: usize = 16;
/// Every so many grants, what nobody needs to remember is deleted: a little at a time, and nobody waits for it.
const TIDY_EVERY: u32 = 256;
/// How much is deleted then. More than can have come in the meantime, so that the tables stop growing.
const TIDY_ROWS: i64 = 1_024;

const HOLD: &str =
    "SELECT ask_tokens, ask_nano_usd, deadline, phase, actual_tokens, actual_nano_usd, late,
         scopes, starts, ends
     FROM quota_hold($1)";
const LOOK: &str = "SELECT is_stale, now, spent_tokens, spent_nano_usd, held_tokens, held_nano_usd
     FROM quota_look($1, $2, $3, $4, $5)";
const SET: &str =
    "SELECT is_stale FROM quota_set($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

impl QuotaLedger for Postgres {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        keeps(request.ask().is_tokens_and_money())?;
        let mut may_open = false;
        for _ in 0..ATTEMPTS {
            let belief = Arc::new(self.believe(request.scopes()));
            let ask = Ask::Reserve {
                request: request.clone(),
                belief: Arc::clone(&belief),
                may_open,
            };
            let row = self.ask(ask).await?;
            let now = Timestamp::from_nanos(get(&row, 1)?);
            match get::<i32>(&row, 0)? {
                status @ (0 | 1) => {
                    let states = belief.states(request.scopes(), &row, 2)?;
                    let decision = decide(&request, &states, now);
                    if decision.is_allow() != (status == 0) {
                        return Err(corrupt(DOING, "the database decided otherwise"));
                    }
                    if decision.is_allow() {
                        self.tidy();
                    }
                    return Ok(decision);
                }
                2 => {
                    let states = belief.states(request.scopes(), &row, 2)?;
                    if let Some(hold) = self.hold(request.id()).await? {
                        return repeat(&request, &hold, &states, now).map_err(invalid);
                    }
                }
                3 => drop(self.learn(request.scopes()).await?),
                4 => may_open = true,
                _ => return Err(corrupt(DOING, "an unknown answer")),
            }
        }
        Err(StoreError::new(StoreErrorKind::Busy, DOING))
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        keeps(request.actual.is_tokens_and_money())?;
        self.resolve(request.id, Resolve::Settle(request.actual))
            .await
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        self.resolve(id, Resolve::Release).await
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        let scopes = std::slice::from_ref(scope);
        for _ in 0..ATTEMPTS {
            let belief = self.believe(scopes);
            let (quota, window) = (&belief.quotas[0], belief.windows[0]);
            let row = self
                .query_one(
                    DOING,
                    LOOK,
                    &[
                        &self.set_now(),
                        &scope.as_str(),
                        &belief.revisions[0],
                        &window.start().as_nanos(),
                        &window.end().as_nanos(),
                    ],
                )
                .await?;
            if get(&row, 0)? {
                self.learn(scopes).await?;
                continue;
            }
            let (spent, held) = (amount(&row, 2)?, amount(&row, 4)?);
            let state = ScopeState::new(scope.clone(), quota.clone(), window, spent, held);
            return Ok(balance(&state));
        }
        Err(StoreError::new(StoreErrorKind::Busy, DOING))
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        keeps(quota.as_ref().is_none_or(Quota::is_tokens_and_money))?;
        let scopes = std::slice::from_ref(scope);
        let default = self.shared.config.quota_defaults.quota(scope);
        let new = quota.as_ref().unwrap_or(default);
        let (mut period, mut zone) = (None, None);
        if let Some(quota) = &quota {
            period = Some(period_name(quota.period())?);
            zone = Some(quota.zone().name());
        }
        for _ in 0..ATTEMPTS {
            let now = self.learn(scopes).await?;
            let belief = self.believe(scopes);
            let old = &belief.quotas[0];
            let step = moved(old, new, now);
            // In these the answer would be the same.
            let (from, to) = (old.window(now), new.window(now));
            let limit = |measure| quota.as_ref().and_then(|quota| quota.limit(measure));
            let row = self
                .query_one(
                    DOING,
                    SET,
                    &[
                        &self.set_now(),
                        &scope.as_str(),
                        &belief.revisions[0],
                        &from.start().max(to.start()).as_nanos(),
                        &from.end().min(to.end()).as_nanos(),
                        &limit(palisade_quota::Measure::Tokens),
                        &limit(palisade_quota::Measure::Money),
                        &period,
                        &zone,
                        &step.map(|step| step.from.start().as_nanos()),
                        &step.map(|step| step.to.start().as_nanos()),
                        &step.map(|step| step.to.end().as_nanos()),
                    ],
                )
                .await
                .map_err(overflow)?;
            if !get::<bool>(&row, 0)? {
                self.learn(scopes).await?;
                return Ok(());
            }
        }
        Err(StoreError::new(StoreErrorKind::Busy, DOING))
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        const CHUNK: usize = 256;
        let mut noted = 0;
        while noted < limit {
            let wanted = CHUNK.min(limit - noted);
            let most = i64::try_from(wanted).unwrap_or(i64::MAX);
            let sql = "SELECT quota_expire($1, $2)";
            let row = self
                .query_one(DOING, sql, &[&self.set_now(), &most])
                .await?;
            let found = usize::try_from(get::<i64>(&row, 0)?).unwrap_or(0);
            noted += found;
            if found < wanted {
                break;
            }
        }
        Ok(noted)
    }
}

impl Postgres {
    async fn hold(&self, id: ReservationId) -> Result<Option<Hold>, StoreError> {
        let rows = self.query(DOING, HOLD, &[&uuid(id)]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        read_hold(id, row, 0, read_places(row, 7)?).map(Some)
    }

    async fn resolve(&self, id: ReservationId, how: Resolve) -> Result<Resolution, StoreError> {
        let cost = match how {
            Resolve::Settle(actual) => Some(actual),
            Resolve::Release => None,
            _ => return Err(rows::unknown_word("a way to end a reservation")),
        };
        let ask = Ask::Resolve { id, cost };
        let row = self.ask(ask).await.map_err(overflow)?;
        if !get::<bool>(&row, 13)? {
            return Ok(Resolution::new(Outcome::Unknown, true));
        }
        let hold = read_hold(id, &row, 6, Vec::new())?;
        let now = Timestamp::from_nanos(get(&row, 1)?);
        // The database has made the very step that this function names.
        Ok(resolve(&hold, how, now).resolution)
    }

    /// Forgets what ended long ago, now and then, behind the caller's back.
    fn tidy(&self) {
        let grants = &self.shared.quota.grants;
        if !(grants.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(TIDY_EVERY) {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            let remember = nanos(this.shared.config.quota_remember);
            let sql = "SELECT quota_expire($1, $3), quota_tidy($1, $2, $3)";
            // Tidiness alone: if it fails, the next one does it.
            let _ = this
                .query(
                    "tidying quota",
                    sql,
                    &[&this.set_now(), &remember, &TIDY_ROWS],
                )
                .await;
        });
    }
}

/// From the columns of the amount, the deadline and the phase.
fn read_hold(
    id: ReservationId,
    row: &Row,
    column: usize,
    places: Vec<palisade_quota::Place>,
) -> Result<Hold, StoreError> {
    let deadline = Timestamp::from_nanos(get(row, column + 2)?);
    let phase = phase(row, column + 3)?;
    Ok(Hold::new(id, places, amount(row, column)?, deadline, phase))
}

fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    column: usize,
) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| corrupt(DOING, error))
}

fn uuid(id: ReservationId) -> Uuid {
    Uuid::from_u128(id.as_u128())
}

/// Its columns are tokens and money: what is more is refused, not lost.
fn keeps(all: bool) -> Result<(), StoreError> {
    if all {
        Ok(())
    } else {
        Err(invalid(RequestError::NotKept))
    }
}

fn invalid(error: RequestError) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, DOING).with_source(error)
}

/// A sum that leaves its range is reported by the server as such, and undoes the call.
fn overflow(error: StoreError) -> StoreError {
    let cause = std::error::Error::source(&error);
    let code = cause
        .and_then(|cause| cause.downcast_ref::<tokio_postgres::Error>())
        .and_then(tokio_postgres::Error::code);
    if code == Some(&tokio_postgres::error::SqlState::NUMERIC_VALUE_OUT_OF_RANGE) {
        return invalid(RequestError::Overflow);
    }
    error
}
