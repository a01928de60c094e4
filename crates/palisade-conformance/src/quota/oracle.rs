use palisade_core::{Decision, Key, Timestamp};
use palisade_quota::{
    Amount, Balance, Defaults, Granted, Hold, Outcome, Quota, Refused, RequestError, ReservationId,
    ReserveRequest, Resolution, Resolve, ScopeState, balance, decide, expire, moved, repeat,
    resolve,
};

/// The slowest ledger there is, and the easiest to believe: it keeps lists, forgets nothing, and adds everything up for
/// every answer. Decisions come from the room's pure model.
#[derive(Clone, Debug)]
pub struct Oracle {
    defaults: Defaults,
    quotas: Vec<(Key, Quota)>,
    holds: Vec<Hold>,
    /// What was booked, by the scope and the start of the window.
    booked: Vec<(Key, Timestamp, Amount)>,
}

impl Oracle {
    /// An empty ledger.
    #[must_use]
    pub const fn new(defaults: Defaults) -> Self {
        Self {
            defaults,
            quotas: Vec::new(),
            holds: Vec::new(),
            booked: Vec::new(),
        }
    }

    /// What [`reserve`](palisade_quota::QuotaLedger::reserve) must answer.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the question is wrong.
    pub fn reserve(
        &mut self,
        request: &ReserveRequest,
        now: Timestamp,
    ) -> Result<Decision<Granted, Refused>, RequestError> {
        let states = request.scopes().iter().map(|scope| self.state(scope, now));
        let states = states.collect::<Result<Vec<_>, _>>()?;
        if let Some(hold) = self.holds.iter().find(|hold| hold.id == request.id()) {
            return repeat(request, hold, &states, now);
        }
        let decision = decide(request, &states, now);
        if decision.is_allow() {
            self.holds.push(Hold::granted(request, &states, now));
        }
        Ok(decision)
    }

    /// What [`settle`](palisade_quota::QuotaLedger::settle) and [`release`](palisade_quota::QuotaLedger::release) must
    /// answer.
    ///
    /// # Errors
    ///
    /// [`RequestError::Overflow`] if a sum leaves its range.
    pub fn resolve(
        &mut self,
        id: ReservationId,
        how: Resolve,
        now: Timestamp,
    ) -> Result<Resolution, RequestError> {
        let Some(index) = self.holds.iter().position(|hold| hold.id == id) else {
            return Ok(Resolution::new(Outcome::Unknown, true));
        };
        let step = resolve(&self.holds[index], how, now);
        if let Some(change) = step.change {
            let hold = self.holds[index].clone();
            for place in &hold.places {
                let booked = self.spent(&place.scope, place.window.start())?;
                booked
                    .checked_add(change.spend)
                    .ok_or(RequestError::Overflow)?;
            }
            for place in hold.places {
                self.booked
                    .push((place.scope, place.window.start(), change.spend));
            }
            self.holds[index].phase = change.phase;
        }
        Ok(step.resolution)
    }

    /// What [`balance`](palisade_quota::QuotaLedger::balance) must answer.
    ///
    /// # Errors
    ///
    /// [`RequestError::Overflow`] if a sum leaves its range.
    pub fn balance(&self, scope: &Key, now: Timestamp) -> Result<Balance, RequestError> {
        self.state(scope, now).map(|state| balance(&state))
    }

    /// What [`set_quota`](palisade_quota::QuotaLedger::set_quota) must do.
    pub fn set_quota(&mut self, scope: &Key, quota: Option<Quota>, now: Timestamp) {
        let before = self.quota(scope).clone();
        self.quotas.retain(|(key, _)| key != scope);
        if let Some(quota) = quota {
            self.quotas.push((scope.clone(), quota));
        }
        let Some(step) = moved(&before, self.quota(scope), now) else {
            return;
        };
        let from = step.from.start();
        for (key, start, _) in &mut self.booked {
            if key == scope && *start == from {
                *start = step.to.start();
            }
        }
        for place in self.holds.iter_mut().flat_map(|hold| &mut hold.places) {
            if place.scope == *scope && place.window.start() == from {
                place.window = step.to;
            }
        }
    }

    /// How many holds [`expire`](palisade_quota::QuotaLedger::expire) may note at most.
    pub fn expire(&mut self, now: Timestamp) -> usize {
        let mut noted = 0;
        for hold in &mut self.holds {
            if let Some(change) = expire(hold, now) {
                hold.phase = change.phase;
                noted += 1;
            }
        }
        noted
    }

    /// When what is held at `now` will expire.
    pub(super) fn deadlines(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        self.holds
            .iter()
            .filter(move |hold| hold.is_live(now))
            .map(|hold| hold.deadline)
    }

    fn quota(&self, scope: &Key) -> &Quota {
        let own = self.quotas.iter().find(|(key, _)| key == scope);
        own.map_or_else(|| self.defaults.quota(scope), |(_, quota)| quota)
    }

    fn state(&self, scope: &Key, now: Timestamp) -> Result<ScopeState, RequestError> {
        let quota = self.quota(scope).clone();
        let window = quota.window(now);
        let spent = self.spent(scope, window.start())?;
        let here = |hold: &&Hold| {
            let mut places = hold.places.iter();
            places.any(|place| place.scope == *scope && place.window.start() == window.start())
        };
        let live = self.holds.iter().filter(|hold| hold.is_live(now));
        let held = live
            .filter(here)
            .try_fold(Amount::ZERO, |sum, hold| sum.checked_add(hold.ask))
            .ok_or(RequestError::Overflow)?;
        Ok(ScopeState::new(scope.clone(), quota, window, spent, held))
    }

    fn spent(&self, scope: &Key, start: Timestamp) -> Result<Amount, RequestError> {
        self.booked
            .iter()
            .filter(|(key, window, _)| key == scope && *window == start)
            .try_fold(Amount::ZERO, |sum, (.., amount)| sum.checked_add(*amount))
            .ok_or(RequestError::Overflow)
    }
}
