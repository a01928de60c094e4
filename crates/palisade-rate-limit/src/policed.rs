mod controls;

use std::time::Duration;

use palisade_core::{Decision, Key, RetryAfter, StoreError};

use crate::{
    Allowed, Charge, Denied, Limit, Listed, Outcome, RateLimiter, ReserveRequest, SettleRequest,
    Settled, Source, Status, Use,
};

pub use controls::{Consumer, Controls, Counts, Mode};
use controls::{Number, Plan};

/// A limiter that does what its [`Controls`] say: frees and shuts out who is listed, puts other limits in the place of those
/// a request is charged with, only observes some, and counts what comes of it.
///
/// It keeps the contract of the limiter behind it, for the limits that refuse. A limit that is observed is charged after
/// those have let the request pass, under the same hold, and by itself; if it has no room, nothing is charged to it, and the
/// answer says that it [would have refused](Allowed::would_refuse). That costs one more question a limit, so observe for a
/// while, not for ever.
///
/// ```
/// use palisade_core::{Dimension, Key};
/// use palisade_rate_limit::{
///     Charge, CheckRequest, Controls, InMemory, Limit, Lists, Mode, Policed, RateLimiterExt,
/// };
///
/// # async fn call() -> Result<(), Box<dyn std::error::Error>> {
/// let controls = Controls::with_top(100);
/// let limiter = Policed::new(InMemory::default(), controls.clone());
/// let chat = Limit::per_minute("chat", 60)?.with_burst(1)?;
/// let alice = Key::new(Dimension::User, "alice")?;
/// let charge = Charge::new(&chat, &alice, 1);
///
/// controls.set_mode("chat", Mode::Observe)?;
/// assert!(limiter.check(CheckRequest::one(&charge)).await?.is_allow());
/// assert!(limiter.check(CheckRequest::one(&charge)).await?.is_allow());
/// assert_eq!(controls.counts("chat").would_refuse, 1);
///
/// controls.set_lists(Lists::new().with_shut(alice.clone())?);
/// assert!(limiter.check(CheckRequest::one(&charge)).await?.is_deny());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Policed<L> {
    limiter: L,
    controls: Controls,
}

impl<L> Policed<L> {
    /// Does what `controls` say with what `limiter` answers.
    pub const fn new(limiter: L, controls: Controls) -> Self {
        Self { limiter, controls }
    }

    /// The controls.
    pub const fn controls(&self) -> &Controls {
        &self.controls
    }
}

impl<L: RateLimiter> RateLimiter for Policed<L> {
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let charges = request.charges;
        let plan = self.controls.plan(charges.iter().map(|c| (c.limit, c.key)));
        let answer = match plan {
            Plan::AsIs => self.limiter.reserve(request).await,
            Plan::Listed(listed) => return Ok(self.listed(&request, listed)),
            Plan::Changed(limits) => {
                let charges: Vec<_> = charges
                    .iter()
                    .zip(&limits)
                    .map(|(charge, (limit, _))| Charge::new(limit, charge.key, charge.cost))
                    .collect();
                if limits.iter().any(|(_, observed)| *observed) {
                    let observed: Vec<bool> = limits.iter().map(|limit| limit.1).collect();
                    return self.observing(request, &charges, &observed).await;
                }
                let request = ReserveRequest {
                    charges: &charges,
                    ..request
                };
                self.limiter.reserve(request).await
            }
        };
        self.note(&request, &answer);
        answer
    }

    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        let uses = request.uses();
        match self.controls.plan(uses.iter().map(|u| (u.limit, u.key))) {
            Plan::AsIs => self.limiter.settle(request).await,
            // Nothing was reserved, and nothing is owed.
            Plan::Listed(_) => {
                let statuses = uses.iter().map(|u| untouched(u.limit, None)).collect();
                Ok(Settled::new(Outcome::Settled, statuses))
            }
            Plan::Changed(limits) => {
                let uses: Vec<_> = uses
                    .iter()
                    .zip(&limits)
                    .map(|(used, (limit, _))| Use::new(limit, used.key, used.reserved, used.used))
                    .collect();
                // As unambiguous as they were: the names are the same.
                match SettleRequest::new(request.id, &uses) {
                    Ok(request) => self.limiter.settle(request).await,
                    Err(_) => unreachable!("limits in force keep their names"),
                }
            }
        }
    }

    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        self.limiter
            .reset(&self.controls.in_force(limit), key)
            .await
    }
}

impl<L: RateLimiter> Policed<L> {
    /// An answer without a question.
    fn listed(&self, request: &ReserveRequest<'_>, listed: Listed) -> Decision<Allowed, Denied> {
        let (number, wait) = match listed {
            Listed::Free => (Number::Free, None),
            Listed::Shut => (Number::Shut, Some(RetryAfter::Never)),
        };
        let charges = request.charges;
        if !request.dry_run {
            for charge in charges {
                self.controls.note(charge.limit, charge.key, &[(number, 1)]);
            }
        }
        let statuses = charges.iter().map(|charge| untouched(charge.limit, wait));
        match listed {
            Listed::Free => {
                let allowed = Allowed::from_statuses(statuses).expect("no status refuses");
                Decision::Allow(allowed.with_source(Source::Default))
            }
            Listed::Shut => {
                let denied = Denied::from_statuses(statuses).expect("every status refuses");
                Decision::Deny(denied.with_source(Source::Default))
            }
        }
    }

    /// Asks those that refuse together, and then each of those that only look.
    async fn observing(
        &self,
        request: ReserveRequest<'_>,
        charges: &[Charge<'_>],
        observed: &[bool],
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let mut statuses: Vec<Status> = charges
            .iter()
            .map(|charge| untouched(charge.limit, None))
            .collect();
        let (mut source, mut refused) = (Source::Store, false);
        let enforced: Vec<Charge<'_>> = (charges.iter().zip(observed))
            .filter(|(_, observed)| !**observed)
            .map(|(charge, _)| *charge)
            .collect();
        if !enforced.is_empty() {
            let request = ReserveRequest {
                charges: &enforced,
                ..request
            };
            let answer = self.limiter.reserve(request).await;
            self.note(&request, &answer);
            let found: Vec<Status> = match &answer? {
                Decision::Allow(allowed) => {
                    source = allowed.source();
                    allowed.statuses().copied().collect()
                }
                Decision::Deny(denied) => {
                    (source, refused) = (denied.source(), true);
                    denied.statuses().copied().collect()
                }
            };
            let places = (0..charges.len()).filter(|index| !observed[*index]);
            for (index, status) in places.zip(found) {
                statuses[index] = status;
            }
        }
        let mut would = Vec::new();
        for index in (0..charges.len()).filter(|index| observed[*index]) {
            let charge = charges[index];
            let alone = ReserveRequest {
                charges: std::slice::from_ref(&charge),
                // Who was refused takes nothing here either.
                dry_run: request.dry_run || refused,
                ..request
            };
            match self.limiter.reserve(alone).await {
                Ok(Decision::Allow(allowed)) => {
                    statuses[index] = *allowed.binding();
                    if !alone.dry_run {
                        self.controls.note_status(allowed.binding(), &charge, true);
                    }
                }
                Ok(Decision::Deny(denied)) => {
                    let status = *denied.binding();
                    if !alone.dry_run {
                        self.controls
                            .note(charge.limit, charge.key, &[(Number::WouldRefuse, 1)]);
                    }
                    would.push(status);
                    statuses[index] = Status {
                        retry_after: None,
                        ..status
                    };
                }
                // A limit that only looks stops nobody, also when it cannot see.
                Err(_) => self
                    .controls
                    .note(charge.limit, charge.key, &[(Number::Failed, 1)]),
            }
        }
        Ok(if refused {
            let denied = Denied::from_statuses(statuses).expect("a status that refuses");
            Decision::Deny(denied.with_source(source))
        } else {
            let allowed = Allowed::from_statuses(statuses).expect("no status that refuses");
            Decision::Allow(allowed.with_source(source).with_would_refuse(would))
        })
    }

    fn note(
        &self,
        request: &ReserveRequest<'_>,
        answer: &Result<Decision<Allowed, Denied>, StoreError>,
    ) {
        if request.dry_run {
            return;
        }
        let note = |status: &Status, charge, passed| {
            self.controls.note_status(status, charge, passed);
        };
        match answer {
            Ok(Decision::Allow(allowed)) => (allowed.statuses().zip(request.charges))
                .for_each(|(status, charge)| note(status, charge, true)),
            Ok(Decision::Deny(denied)) => (denied.statuses().zip(request.charges))
                .for_each(|(status, charge)| note(status, charge, false)),
            Err(_) => {
                for charge in request.charges {
                    self.controls
                        .note(charge.limit, charge.key, &[(Number::Failed, 1)]);
                }
            }
        }
    }
}

/// A limit that nobody was asked about.
fn untouched(limit: &Limit, retry_after: Option<RetryAfter>) -> Status {
    let remaining = match retry_after {
        Some(_) => 0,
        None => limit.burst(),
    };
    Status::new(*limit, remaining, Duration::ZERO, retry_after)
}
