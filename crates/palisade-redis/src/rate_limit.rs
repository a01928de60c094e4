mod answer;
mod ask;

use fred::types::Value;
use palisade_core::{Decision, Key, StoreError, StoreErrorKind};
use palisade_rate_limit::{
    Algorithm, Allowed, Charge, Denied, Hold, HoldError, Limit, Over, RateLimiter, ReserveRequest,
    SettleRequest, Settled,
};

use self::{
    answer::Answer,
    ask::{EXACT, Names, Packed, counter},
};
use crate::{PlacementError, Redis, script::Script};

static CHECK: Script = Script::new(include_str!("../scripts/check.lua"));
static RESERVE: Script = Script::new(concat!(
    include_str!("../scripts/buckets.lua"),
    include_str!("../scripts/counters.lua"),
    include_str!("../scripts/reserve.lua")
));
static SETTLE: Script = Script::new(concat!(
    include_str!("../scripts/time.lua"),
    include_str!("../scripts/counters.lua"),
    include_str!("../scripts/settle.lua")
));
static RESET: Script = Script::new(concat!(
    include_str!("../scripts/time.lua"),
    include_str!("../scripts/counters.lua"),
    include_str!("../scripts/reset.lua")
));

const RESERVING: &str = "reserving a rate in Redis";
const SETTLING: &str = "settling a rate in Redis";
const RESETTING: &str = "resetting a rate in Redis";

/// Why a limit cannot be kept in Redis, whose scripts count in doubles and whose clock counts microseconds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnfitLimit {
    /// More than a double counts exactly.
    #[error("limit {name:?}: at most 2^53 are counted exactly; found {found}")]
    Amount {
        /// The name of the limit.
        name: String,
        /// The burst, or the cost.
        found: u64,
    },
    /// Windows begin and end at whole microseconds.
    #[error("limit {name:?}: the period of a window or a log is a whole number of microseconds")]
    Period {
        /// The name of the limit.
        name: String,
    },
}

impl Redis {
    /// Whether this limit can be kept: to be asked when a service is configured. Every question about one that cannot is
    /// [`Invalid`](StoreErrorKind::Invalid), with this as its source.
    ///
    /// # Errors
    ///
    /// [`UnfitLimit`].
    pub fn check_limit(limit: &Limit) -> Result<(), UnfitLimit> {
        let name = || limit.name().to_owned();
        if limit.burst() > EXACT {
            return Err(UnfitLimit::Amount {
                name: name(),
                found: limit.burst(),
            });
        }
        let in_periods = !matches!(
            limit.algorithm(),
            Algorithm::TokenBucket | Algorithm::Concurrency
        );
        if in_periods && !limit.period().subsec_nanos().is_multiple_of(1_000) {
            return Err(UnfitLimit::Period { name: name() });
        }
        Ok(())
    }

    /// Decides about one charge of one bucket, which is what most checks are, by a script that knows nothing else.
    /// `None` if it does not know enough.
    async fn reserve_one(
        &self,
        charge: &Charge<'_>,
    ) -> Result<Option<Decision<Allowed, Denied>>, StoreError> {
        let Some((cost, fill)) = ask::whole_micros(charge) else {
            return Ok(None);
        };
        let names = self.names([charge.key], RESERVING)?;
        let keys = vec![names.counter(charge.limit, charge.key).into()];
        let arguments = vec![
            self.time(),
            Value::Integer(cost),
            Value::Integer(fill),
            Value::Integer(self.slack()),
        ];
        let value = self.run(&CHECK, keys, arguments, RESERVING).await?;
        answer::one(charge.limit, charge.cost, &value).map_err(|()| corrupt(RESERVING))
    }

    fn names<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a Key>,
        doing: &'static str,
    ) -> Result<Names, StoreError> {
        let config = &self.shared.config;
        let tag = config
            .placement
            .tag(&config.prefix, keys)
            .map_err(|error: PlacementError| invalid(doing, error))?;
        Ok(Names::new(tag))
    }

    /// The time of the tests, or nothing for the server's own.
    fn time(&self) -> Value {
        match &self.shared.config.clock {
            None => Value::from_static_str(""),
            Some(clock) => {
                let micros = clock.instant().as_nanos() / 1_000;
                Value::Integer(i64::try_from(micros).unwrap_or(i64::MAX))
            }
        }
    }

    /// By how many milliseconds a key outlives its use. Where time is not the server's, the server must not be trusted to
    /// know when a key is of no use.
    fn slack(&self) -> i64 {
        match self.shared.config.clock {
            None => 0,
            Some(_) => 600_000,
        }
    }
}

impl RateLimiter for Redis {
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let simple = request.over == Over::Refuse && !request.dry_run;
        if let ([charge], None, true) = (request.charges, request.hold, simple)
            && let Some(decision) = self.reserve_one(charge).await?
        {
            return Ok(decision);
        }
        for charge in request.charges {
            Self::check_limit(charge.limit).map_err(|error| invalid(RESERVING, error))?;
            if request.over == Over::Owe && charge.cost > EXACT {
                return Err(invalid(RESERVING, too_much(charge.limit, charge.cost)));
            }
        }
        let names = self.names(request.charges.iter().map(|c| c.key), RESERVING)?;
        let hold = request.hold.map(|hold: Hold| hold.id());
        let counters = request.charges.iter().map(|c| (c.limit, c.key));
        let keys = names.all(counters, hold);
        let ttl = request.hold.map_or(0, |hold| hold.ttl().as_micros() as u64);
        let head = Packed::default()
            .and(request.charges.len() as u64)
            .and(ttl)
            .and((request.over == Over::Owe).into())
            .and(request.dry_run.into())
            .and(self.slack().unsigned_abs())
            .and((simple && ask::are_simple(request.charges)).into());
        let mut arguments = vec![self.time(), head.value(), ask::id(hold)];
        arguments.extend(
            request
                .charges
                .iter()
                .map(|charge| counter(charge.limit, charge.cost, 0)),
        );
        let value = self.run(&RESERVE, keys, arguments, RESERVING).await?;
        let costs = request.charges.iter().map(|charge| charge.cost);
        let answer = Answer::read(&value)
            .or_else(|| Answer::read_simple(&value, costs))
            .ok_or_else(|| corrupt(RESERVING))?;
        match answer.code {
            2 => Err(invalid(RESERVING, HoldError::Settled)),
            code => answer
                .decision(request.charges.iter().map(|c| c.limit), code == 0)
                .ok_or_else(|| corrupt(RESERVING)),
        }
    }

    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        let uses = request.uses();
        for used in uses {
            Self::check_limit(used.limit).map_err(|error| invalid(SETTLING, error))?;
        }
        let names = self.names(uses.iter().map(|used| used.key), SETTLING)?;
        let keys = names.all(uses.iter().map(|u| (u.limit, u.key)), Some(request.id));
        let head = Packed::default()
            .and(uses.len() as u64)
            .and(Hold::TTL_DEFAULT.as_micros() as u64)
            .and(0)
            .and(0)
            .and(self.slack().unsigned_abs());
        let mut arguments = vec![self.time(), head.value(), ask::id(Some(request.id))];
        arguments.extend(
            uses.iter()
                .map(|used| counter(used.limit, used.used, used.reserved)),
        );
        let value = self.run(&SETTLE, keys, arguments, SETTLING).await?;
        let answer = Answer::read(&value).ok_or_else(|| corrupt(SETTLING))?;
        answer
            .settled(uses.iter().map(|used| used.limit))
            .ok_or_else(|| corrupt(SETTLING))
    }

    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        Self::check_limit(limit).map_err(|error| invalid(RESETTING, error))?;
        let keys = self.names([key], RESETTING)?.all([(limit, key)], None);
        let head = Packed::default().and(1).and(0).and(0).and(0);
        let head = head.and(self.slack().unsigned_abs());
        let arguments = vec![
            self.time(),
            head.value(),
            ask::id(None),
            counter(limit, 0, 0),
        ];
        self.run(&RESET, keys, arguments, RESETTING).await.map(drop)
    }
}

fn too_much(limit: &Limit, found: u64) -> UnfitLimit {
    UnfitLimit::Amount {
        name: limit.name().to_owned(),
        found,
    }
}

fn invalid(
    doing: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, doing).with_source(source)
}

fn corrupt(doing: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, doing)
}
