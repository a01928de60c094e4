use std::time::Duration;

use palisade_core::{
    Clock, Decision, Dimension, Key, ManualClock, RetryAfter, StoreError, StoreErrorKind,
    Timestamp, Tokens,
};
use palisade_quota::{
    Amount, Balance, Defaults, Granted, Measure, Outcome, Quota, QuotaLedger, Refusal, Refused,
    RequestError, ReservationId, ReserveRequest, Resolution, SettleRequest,
};

use super::{Make, Setup};
use crate::{Broken, Verdict, verdict::ensure};

/// 2026-11-20T12:00:00Z: noon, so that a rule meets midnight only when it wants to.
pub(crate) const NOON: Timestamp = Timestamp::from_secs(1_795_176_000);
pub(crate) const TICK: Duration = Duration::from_nanos(1);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

/// A ledger under test and its clock, with shorthand for the rules.
pub(crate) struct Bench<L> {
    pub(crate) ledger: L,
    pub(crate) clock: ManualClock,
}

impl<L: QuotaLedger> Bench<L> {
    /// A fresh ledger at noon where every scope has 100 tokens and 100 nano-dollars a day in UTC.
    pub(crate) async fn new<M: Make<Ledger = L>>(make: &M) -> Self {
        Self::with(make, Defaults::new(quota(100, 100)), NOON).await
    }

    pub(crate) async fn with<M: Make<Ledger = L>>(
        make: &M,
        defaults: Defaults,
        now: Timestamp,
    ) -> Self {
        let clock = ManualClock::at(now);
        let ledger = make.make(Setup::new(clock.clone(), defaults)).await;
        Self { ledger, clock }
    }

    /// Reserves so many tokens of user "a" for ten minutes.
    pub(crate) async fn tokens(&self, bits: u128, tokens: i64) -> Answer {
        self.reserve(bits, &[user("a")], amount(tokens, 0)).await
    }

    pub(crate) async fn reserve(&self, bits: u128, scopes: &[Key], ask: Amount) -> Answer {
        let request = ReserveRequest::new(id(bits), scopes.to_vec(), ask);
        self.ledger
            .reserve(request.map_err(|error| Broken::new(error.to_string()))?)
            .await
            .map_err(Broken::from)
    }

    pub(crate) async fn settle(
        &self,
        bits: u128,
        actual: Amount,
    ) -> Result<Resolution, StoreError> {
        self.ledger
            .settle(SettleRequest::new(id(bits), actual))
            .await
    }

    pub(crate) async fn release(&self, bits: u128) -> Result<Resolution, StoreError> {
        self.ledger.release(id(bits)).await
    }

    pub(crate) async fn balance(&self, scope: &Key) -> Result<Balance, Broken> {
        let balance = self.ledger.balance(scope).await?;
        for measure in Measure::ALL {
            let whole = |count: u64| i128::from(count);
            let part = |amount: Amount| i128::from(amount.get(measure));
            let (limit, free) = (balance.limit.get(measure), balance.free.get(measure));
            if let (Some(limit), Some(free)) = (limit.map(whole), free.map(whole)) {
                let (spent, held, debt) =
                    (part(balance.spent), part(balance.held), part(balance.debt));
                ensure!(
                    limit + debt == spent + held + free && (free == 0 || debt == 0),
                    "limit and debt are not spent, held and free: {balance:?}"
                );
            }
        }
        ensure!(
            balance.window.contains(self.clock.now()),
            "the window is not the one around {}: {balance:?}",
            self.clock.now()
        );
        Ok(balance)
    }

    /// User "a" has spent and holds exactly this many tokens.
    pub(crate) async fn stands(&self, spent: i64, held: i64) -> Verdict {
        self.scope_stands(&user("a"), amount(spent, 0), amount(held, 0))
            .await
    }

    pub(crate) async fn scope_stands(&self, scope: &Key, spent: Amount, held: Amount) -> Verdict {
        let balance = self.balance(scope).await?;
        ensure!(
            (balance.spent, balance.held) == (spent, held),
            "expected {spent:?} spent and {held:?} held, found {balance:?}"
        );
        Ok(())
    }

    pub(crate) async fn set(&self, scope: &Key, quota: Option<Quota>) -> Verdict {
        self.ledger
            .set_quota(scope, quota)
            .await
            .map_err(Broken::from)
    }
}

pub(crate) type Answer = Result<Decision<Granted, Refused>, Broken>;

pub(crate) fn granted(answer: Answer) -> Result<Granted, Broken> {
    match answer? {
        Decision::Allow(granted) => Ok(granted),
        Decision::Deny(refused) => Err(Broken::new(format!("expected a grant, found {refused:?}"))),
    }
}

pub(crate) fn refused(answer: Answer) -> Result<Refused, Broken> {
    match answer? {
        Decision::Deny(refused) => Ok(refused),
        Decision::Allow(granted) => Err(Broken::new(format!(
            "expected a refusal, found {granted:?}"
        ))),
    }
}

/// The request is refused for want of something, with this advice.
pub(crate) fn exhausted(answer: Answer, advice: RetryAfter) -> Verdict {
    let refused = refused(answer)?;
    ensure!(
        matches!(refused.why, Refusal::Exhausted { .. }) && refused.retry_after == advice,
        "expected a refusal that advises {advice:?}, found {refused:?}"
    );
    Ok(())
}

pub(crate) fn ended(
    resolution: Result<Resolution, StoreError>,
    outcome: Outcome,
    earlier: bool,
) -> Verdict {
    let (found, expected) = (resolution?, Resolution::new(outcome, earlier));
    ensure!(found == expected, "expected {expected:?}, found {found:?}");
    Ok(())
}

/// The question is refused as wrong, for this reason.
pub(crate) fn invalid<T: std::fmt::Debug>(
    answer: Result<T, StoreError>,
    reason: RequestError,
) -> Verdict {
    let error = match answer {
        Ok(answer) => {
            return Err(Broken::new(format!(
                "expected {reason:?}, found {answer:?}"
            )));
        }
        Err(error) => error,
    };
    ensure!(
        error.kind() == StoreErrorKind::Invalid && request_error(&error) == Some(reason),
        "expected an invalid request because of {reason:?}, found {error:?}"
    );
    Ok(())
}

pub(crate) fn request_error(error: &StoreError) -> Option<RequestError> {
    std::error::Error::source(error)?.downcast_ref().copied()
}

pub(crate) fn settled(tokens: i64) -> Outcome {
    Outcome::Settled {
        actual: amount(tokens, 0),
        late: false,
    }
}

pub(crate) fn late(tokens: i64) -> Outcome {
    Outcome::Settled {
        actual: amount(tokens, 0),
        late: true,
    }
}

pub(crate) const fn id(bits: u128) -> ReservationId {
    ReservationId::from_u128(bits)
}

/// The numbers of a rule are small constants, so they always fit.
pub(crate) fn amount(tokens: i64, nano_usd: i64) -> Amount {
    Amount::from_columns(tokens, nano_usd).unwrap_or(Amount::ZERO)
}

/// As [`amount`]: always fits.
pub(crate) fn quota(tokens: i64, nano_usd: i64) -> Quota {
    let most = amount(tokens, nano_usd);
    Quota::default()
        .with_tokens(Some(most.tokens()))
        .and_then(|quota| quota.with_money(Some(most.money())))
        .unwrap_or_default()
}

pub(crate) fn unlimited_tokens(nano_usd: i64) -> Quota {
    quota(0, nano_usd).with_tokens(None).unwrap_or_default()
}

pub(crate) fn tokens(count: u64) -> Option<Tokens> {
    Some(Tokens::new(count))
}

pub(crate) fn user(name: &str) -> Key {
    key(Dimension::User, name)
}

/// The names in rules are short, so this never falls back.
pub(crate) fn key(dimension: Dimension, name: &str) -> Key {
    Key::new(dimension, name).unwrap_or_else(|_| Key::global())
}
