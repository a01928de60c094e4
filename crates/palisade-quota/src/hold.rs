use palisade_core::{Key, Timestamp};

use crate::{Amount, ReservationId, ReserveRequest, ScopeState, Window};

/// A reservation as a ledger keeps it. It is never part of what a window has *spent*.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// Its name.
    pub id: ReservationId,
    /// Where it is charged: each scope once, in the order of the keys.
    pub places: Vec<Place>,
    /// What it holds back in each of these places.
    pub ask: Amount,
    /// From this instant on it holds nothing back, whether or not anybody has noted it.
    pub deadline: Timestamp,
    /// How far it has come.
    pub phase: Phase,
}

impl Hold {
    /// A hold as a store has kept it.
    #[must_use]
    pub const fn new(
        id: ReservationId,
        places: Vec<Place>,
        ask: Amount,
        deadline: Timestamp,
        phase: Phase,
    ) -> Self {
        Self {
            id,
            places,
            ask,
            deadline,
            phase,
        }
    }

    /// The fresh hold of a request that was granted on these scopes.
    #[must_use]
    pub fn granted(request: &ReserveRequest, scopes: &[ScopeState], now: Timestamp) -> Self {
        let place = |state: &ScopeState| Place {
            scope: state.scope.clone(),
            window: state.window,
        };
        Self {
            id: request.id(),
            places: scopes.iter().map(place).collect(),
            ask: request.ask(),
            deadline: request.deadline(now),
            phase: Phase::Held,
        }
    }

    /// Whether it holds anything back at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.phase == Phase::Held && now < self.deadline
    }
}

/// A scope, and the window of it that a hold was taken in. Whatever becomes of the hold is booked there, even if the
/// window has ended by then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a place is a scope and a window")]
pub struct Place {
    /// The scope.
    pub scope: Key,
    /// The window.
    pub window: Window,
}

/// How far a hold has come. It leaves `Held` once; the one step after that is a settlement that comes after expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// It holds its amount back, up to its deadline.
    Held,
    /// It cost this much.
    Settled {
        /// What was booked as spent.
        actual: Amount,
        /// Whether that came after the deadline.
        late: bool,
    },
    /// It cost nothing.
    Released,
    /// Nobody resolved it in time. A settlement that arrives still books the cost.
    Expired,
}

/// How a hold ended: the answer to `settle` and `release`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolution {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it had ended so before this call. If so, this call changed nothing.
    pub earlier: bool,
}

impl Resolution {
    /// An ending, by this call or an earlier one.
    #[must_use]
    pub const fn new(outcome: Outcome, earlier: bool) -> Self {
        Self { outcome, earlier }
    }
}

/// The ways a hold can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It cost this much, which is booked as spent in the window the hold was taken in.
    Settled {
        /// What was booked.
        actual: Amount,
        /// Whether it came after the deadline, when the held amount was free for others already.
        late: bool,
    },
    /// It cost nothing; what it held is free.
    Released,
    /// It was not resolved in time; what it held is free.
    Expired,
    /// The ledger knows no such reservation: it was never granted, or ended so long ago that it is forgotten.
    Unknown,
}
