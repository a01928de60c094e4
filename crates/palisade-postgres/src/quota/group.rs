//! Calls that come at the same time go to the database together.
//!
//! A durable commit takes as long as the disk takes, and calls that charge one key commit one after the other. So a few
//! groups are under way at a time; who comes meanwhile waits for the next one, in which all that waited go. One caller alone
//! waits for nobody.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use palisade_core::{Key, StoreError, StoreErrorKind};
use palisade_quota::{Amount, Measure, ReservationId, ReserveRequest};
use tokio::sync::oneshot;
use tokio_postgres::Row;

use super::{DOING, known::Belief, rows::nanos, uuid};
use crate::{Postgres, handle::Shared};

/// The most groups under way. More of them take fewer calls each, and on one key wait for one another.
const LANES_MAX: usize = 4;
/// The most calls in a group.
const CALLS_MAX: usize = 64;
/// The most calls that wait. Beyond it the answer is `Busy`.
const WAITING_MAX: usize = 8_192;

const GROUP: &str = "SELECT status, now, spent_tokens, spent_nano_usd, held_tokens, held_nano_usd,
         ask_tokens, ask_nano_usd, deadline, phase, actual_tokens, actual_nano_usd, late, known
     FROM quota_group($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";

/// What is asked of the ledger.
pub(super) enum Ask {
    Reserve {
        request: ReserveRequest,
        belief: Arc<Belief>,
        may_open: bool,
    },
    /// With a cost it is a settlement, without one a release.
    Resolve {
        id: ReservationId,
        cost: Option<Amount>,
    },
}

/// Calls that wait for the next group.
#[derive(Default)]
pub(crate) struct Groups(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: VecDeque<Call>,
    lanes: usize,
}

struct Call {
    ask: Ask,
    answer: oneshot::Sender<Result<Row, StoreError>>,
}

impl Postgres {
    /// Asks in the next group, and answers with the row for this call.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Row, StoreError> {
        let (answer, row) = oneshot::channel();
        let shared = &self.shared;
        let is_new_lane = {
            let mut state = shared.groups.lock();
            if state.waiting.len() >= WAITING_MAX {
                return Err(StoreError::new(StoreErrorKind::Busy, DOING));
            }
            state.waiting.push_back(Call { ask, answer });
            let lanes_max = LANES_MAX.min(shared.config.connections_max);
            let is_new_lane = state.lanes < lanes_max;
            if is_new_lane {
                state.lanes += 1;
            }
            is_new_lane
        };
        if is_new_lane {
            let lane = Lane {
                shared: Arc::clone(shared),
                is_open: true,
            };
            // A task of its own, so that a caller who goes away does not take the others' answers along.
            tokio::spawn(async move { lane.run().await });
        }
        // The group has the deadline of a call, and says better than a mere time-out what went wrong.
        let patience = shared.config.deadline + shared.config.deadline / 8;
        match tokio::time::timeout(patience, row).await {
            Ok(Ok(answer)) => answer,
            // A lane has died with its runtime.
            Ok(Err(_)) => Err(StoreError::new(StoreErrorKind::Closed, DOING)),
            Err(_) => Err(StoreError::new(StoreErrorKind::Timeout, DOING)),
        }
    }
}

impl Groups {
    /// Nothing panics between two changes that belong together, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends one group after the other, as long as somebody waits.
struct Lane {
    shared: Arc<Shared>,
    is_open: bool,
}

/// Also where its task is dropped, others may open a lane.
impl Drop for Lane {
    fn drop(&mut self) {
        if self.is_open {
            self.shared.groups.lock().lanes -= 1;
        }
    }
}

impl Lane {
    async fn run(mut self) {
        while let Some(calls) = self.next() {
            if !calls.is_empty() {
                self.send(calls).await;
            }
        }
    }

    /// Those who wait. Nobody, and the lane is closed, under the lock under which a caller looks for one.
    fn next(&mut self) -> Option<Vec<Call>> {
        let mut state = self.shared.groups.lock();
        if state.waiting.is_empty() {
            state.lanes -= 1;
            self.is_open = false;
            return None;
        }
        let count = state.waiting.len().min(CALLS_MAX);
        let calls = state.waiting.drain(..count);
        // Those who went away ask nothing any more.
        Some(calls.filter(|call| !call.answer.is_closed()).collect())
    }

    async fn send(&self, calls: Vec<Call>) {
        let asks: Vec<&Ask> = calls.iter().map(|call| &call.ask).collect();
        match self.shared.group(&asks).await {
            Ok(rows) => {
                for (call, row) in calls.into_iter().zip(rows) {
                    // Whoever went away hears nothing.
                    let _ = call.answer.send(Ok(row));
                }
            }
            // One that cannot be booked does not take the others with it.
            Err(error) if calls.len() > 1 && error.kind() == StoreErrorKind::Invalid => {
                for call in calls {
                    let rows = self.shared.group(&[&call.ask]).await;
                    let row = rows.map(|mut rows| rows.swap_remove(0));
                    let _ = call.answer.send(row);
                }
            }
            Err(error) => {
                let (kind, text) = (error.kind(), format!("{error:?}"));
                let mut calls = calls.into_iter();
                if let Some(first) = calls.next() {
                    let _ = first.answer.send(Err(error));
                }
                for call in calls {
                    let error = StoreError::new(kind, DOING).with_source(text.clone());
                    let _ = call.answer.send(Err(error));
                }
            }
        }
    }
}

/// The values of a group, as the function in the database takes them.
#[derive(Default)]
struct Values<'a> {
    kinds: Vec<i16>,
    ids: Vec<uuid::Uuid>,
    tokens: Vec<i64>,
    nano_usd: Vec<i64>,
    timeouts: Vec<i64>,
    firsts: Vec<i32>,
    lasts: Vec<i32>,
    sinces: Vec<i64>,
    untils: Vec<i64>,
    scopes: Vec<&'a str>,
    revisions: Vec<i64>,
    starts: Vec<i64>,
    ends: Vec<i64>,
    limit_tokens: Vec<i64>,
    limit_nano_usd: Vec<i64>,
    opens: Vec<bool>,
}

impl<'a> Values<'a> {
    fn add(&mut self, ask: &'a Ask) {
        let first = self.scopes.len() + 1;
        let (kind, id, amount, timeout, since, until) = match ask {
            Ask::Reserve {
                request,
                belief,
                may_open,
            } => {
                self.add_scopes(request.scopes(), belief, *may_open);
                let timeout = nanos(request.timeout());
                let (since, until) = (belief.since(), belief.until());
                (0, request.id(), request.ask(), timeout, since, until)
            }
            Ask::Resolve { id, cost } => {
                let kind = if cost.is_some() { 1 } else { 2 };
                (kind, *id, cost.unwrap_or(Amount::ZERO), 0, 0, 0)
            }
        };
        let (tokens, nano_usd) = amount.to_columns();
        self.kinds.push(kind);
        self.ids.push(uuid(id));
        self.tokens.push(tokens);
        self.nano_usd.push(nano_usd);
        self.timeouts.push(timeout);
        // Few: a group is limited, and so are the scopes of a call.
        self.firsts.push(i32::try_from(first).unwrap_or(i32::MAX));
        let last = self.scopes.len();
        self.lasts.push(i32::try_from(last).unwrap_or(i32::MAX));
        self.sinces.push(since);
        self.untils.push(until);
    }

    fn add_scopes(&mut self, scopes: &'a [Key], belief: &Belief, may_open: bool) {
        self.scopes.extend(scopes.iter().map(Key::as_str));
        self.revisions.extend(&belief.revisions);
        self.starts.extend(belief.starts());
        self.ends.extend(belief.ends());
        for quota in &belief.quotas {
            let limit = |measure| quota.limit(measure).unwrap_or(i64::MAX);
            self.limit_tokens.push(limit(Measure::Tokens));
            self.limit_nano_usd.push(limit(Measure::Money));
            self.opens.push(may_open);
        }
    }
}

impl Shared {
    /// One row for each of these, in their order.
    async fn group(&self, asks: &[&Ask]) -> Result<Vec<Row>, StoreError> {
        let mut values = Values::default();
        for ask in asks {
            values.add(ask);
        }
        let set_now = self
            .config
            .clock
            .as_ref()
            .map(|clock| clock.now().as_nanos());
        let rows = self
            .query(
                DOING,
                GROUP,
                &[
                    &set_now,
                    &values.kinds,
                    &values.ids,
                    &values.tokens,
                    &values.nano_usd,
                    &values.timeouts,
                    &values.firsts,
                    &values.lasts,
                    &values.sinces,
                    &values.untils,
                    &values.scopes,
                    &values.revisions,
                    &values.starts,
                    &values.ends,
                    &values.limit_tokens,
                    &values.limit_nano_usd,
                    &values.opens,
                ],
            )
            .await?;
        if rows.len() == asks.len() {
            Ok(rows)
        } else {
            Err(crate::error::corrupt(DOING, "another number of answers"))
        }
    }
}
