//! The pieces of the race of threads, which the macro puts together around the backend's own executor.

use std::time::Duration;

use palisade_core::ManualClock;
use palisade_rate_limit::{Charge, CheckRequest, Limit, RateLimiter, RateLimiterExt as _};

use super::{
    Make, Setup,
    bench::{Bench, NOON, limit, user},
};
use crate::{Broken, Verdict, verdict::ensure};

const ATTEMPTS: u64 = 25;

/// A limiter for eight racers who together want twice what there is.
pub async fn limiter<M: Make>(make: &M) -> M::Limiter {
    make.make(Setup::new(ManualClock::at(NOON))).await
}

/// Asks as often as it may, for itself and for all, and says how often it was let through.
///
/// # Panics
///
/// If the limiter does not answer.
pub async fn race<L: RateLimiter>(limiter: &L, racer: u64) -> u64 {
    let (shared, own) = limits().expect("limits");
    let (everyone, racer) = (
        user("everyone").expect("a short name"),
        user(racer.to_string()).expect("a short name"),
    );
    let mut allowed = 0;
    for _ in 0..ATTEMPTS {
        let charges = [
            Charge::new(&shared, &everyone, 10),
            Charge::new(&own, &racer, 1),
        ];
        let request = CheckRequest::new(&charges).expect("two charges");
        let answer = limiter.check(request).await.expect("an answer");
        allowed += u64::from(answer.is_allow());
    }
    allowed
}

/// Exactly all was given, and each racer was charged for what it got.
///
/// # Errors
///
/// [`Broken`] if not.
pub async fn judge<L: RateLimiter>(limiter: &L, allowed: u64) -> Verdict {
    ensure!(
        allowed == 100,
        "of 1,000 units, ten at a time, {allowed} racers got theirs"
    );
    let bench = Bench {
        limiter,
        clock: ManualClock::at(NOON),
    };
    let (shared, own) = limits()?;
    let left = bench.remaining(&shared, &user("everyone")?).await?;
    ensure!(left == 0, "nothing should remain, found {left}");
    let mut charged = 0;
    for racer in 0..8_u64 {
        charged += ATTEMPTS - bench.remaining(&own, &user(racer.to_string())?).await?;
    }
    ensure!(
        charged == allowed,
        "{allowed} requests passed and {charged} were charged to those who asked"
    );
    Ok(())
}

fn limits() -> Result<(Limit, Limit), Broken> {
    let day = Duration::from_secs(86_400);
    Ok((
        limit("all", 1_000, day, 1_000)?,
        limit("own", ATTEMPTS, day, ATTEMPTS)?,
    ))
}
