//! The rules about holds, windows and permits, one function each, named after the promise.

#![expect(
    clippy::missing_errors_doc,
    reason = "a rule's one error is that the promise it is named after is broken"
)]

use std::time::Duration;

use palisade_core::{Decision, Key, RetryAfter};
use palisade_rate_limit::{
    Charge, CheckRequest, Hold, HoldId, Limit, LimitError, Outcome, Over, RateLimiter,
    ReserveRequest, SettleRequest, Settled, Status, Use,
};

use super::{
    Make,
    bench::{Bench, TICK, bench, limit, user},
};
use crate::{Broken, Verdict, verdict::ensure};

const SECOND: Duration = Duration::from_secs(1);

fn hold(id: u128) -> Hold {
    Hold::new(HoldId::from_u128(id))
}

fn built(limit: Result<Limit, LimitError>) -> Result<Limit, Broken> {
    limit.map_err(|error| Broken::new(error.to_string()))
}

/// 1,000 a second, 2,000 at once.
fn tokens() -> Result<Limit, Broken> {
    limit("tokens", 1_000, SECOND, 2_000)
}

impl<L: RateLimiter> Bench<L> {
    async fn reserve(
        &self,
        limit: &Limit,
        key: &Key,
        cost: u64,
        hold: Hold,
        over: Over,
    ) -> Result<Decision<Status, RetryAfter>, Broken> {
        let charge = Charge::new(limit, key, cost);
        let request = ReserveRequest::hold(CheckRequest::one(&charge), hold).with_over(over);
        Ok(match self.limiter.reserve(request).await? {
            Decision::Allow(allowed) => Decision::Allow(*allowed.binding()),
            Decision::Deny(denied) => Decision::Deny(denied.retry_after()),
        })
    }

    /// Reserves what must be there.
    async fn holds(&self, limit: &Limit, key: &Key, cost: u64, hold: Hold) -> Verdict {
        let answer = self.reserve(limit, key, cost, hold, Over::Refuse).await?;
        ensure!(
            answer.is_allow(),
            "expected {cost} of {limit:?}, found {answer:?}"
        );
        Ok(())
    }

    async fn settles(
        &self,
        limit: &Limit,
        key: &Key,
        reserved: u64,
        used: u64,
        hold: Hold,
    ) -> Result<Settled, Broken> {
        let uses = [Use::new(limit, key, reserved, used)];
        let request =
            SettleRequest::new(hold.id(), &uses).map_err(|error| Broken::new(error.to_string()))?;
        Ok(self.limiter.settle(request).await?)
    }

    async fn leaves(&self, limit: &Limit, key: &Key, expected: u64) -> Verdict {
        let found = self.remaining(limit, key).await?;
        ensure!(
            found == expected,
            "expected {expected} to remain, found {found}"
        );
        Ok(())
    }
}

/// Of what was reserved, what was used stays taken, and the rest is there for others at once.
pub async fn what_was_not_used_comes_back<M: Make>(make: &M) -> Verdict {
    let (bench, tokens, alice) = (bench(make).await, tokens()?, user("alice")?);
    bench.holds(&tokens, &alice, 1_500, hold(1)).await?;
    bench.leaves(&tokens, &alice, 500).await?;
    let settled = bench.settles(&tokens, &alice, 1_500, 300, hold(1)).await?;
    ensure!(settled.outcome() == Outcome::Settled, "found {settled:?}");
    bench.leaves(&tokens, &alice, 1_700).await
}

/// What was used beyond the reservation is charged, also if it is not there, and nobody passes until it is paid.
pub async fn what_was_used_beyond_is_owed<M: Make>(make: &M) -> Verdict {
    let (bench, tokens, alice) = (bench(make).await, tokens()?, user("alice")?);
    bench.passes(&tokens, &alice, 1_990).await?;
    bench.holds(&tokens, &alice, 10, hold(1)).await?;
    bench.settles(&tokens, &alice, 10, 5_010, hold(1)).await?;
    bench.leaves(&tokens, &alice, 0).await?;
    // 5,000 beyond the burst come back in five seconds, and one more in a millisecond.
    bench.clock.advance(5 * SECOND);
    bench.fails(&tokens, &alice, 1).await?;
    bench.clock.advance(TICK);
    bench.passes(&tokens, &alice, 1).await?;
    Ok(())
}

/// Who lost the answer and asks again is charged once.
pub async fn a_repeated_reservation_counts_once<M: Make>(make: &M) -> Verdict {
    let (bench, tokens, alice) = (bench(make).await, tokens()?, user("alice")?);
    for _ in 0..5 {
        bench.holds(&tokens, &alice, 700, hold(1)).await?;
    }
    bench.leaves(&tokens, &alice, 1_300).await
}

/// A settlement that is repeated changes nothing, and says that it came before.
pub async fn a_settlement_counts_once<M: Make>(make: &M) -> Verdict {
    let (bench, tokens, alice) = (bench(make).await, tokens()?, user("alice")?);
    bench.passes(&tokens, &alice, 1_000).await?;
    bench.holds(&tokens, &alice, 400, hold(1)).await?;
    bench.settles(&tokens, &alice, 400, 100, hold(1)).await?;
    bench.leaves(&tokens, &alice, 900).await?;
    for used in [100, 0, 9_999] {
        let settled = bench.settles(&tokens, &alice, 400, used, hold(1)).await?;
        ensure!(settled.outcome() == Outcome::Earlier, "found {settled:?}");
        bench.leaves(&tokens, &alice, 900).await?;
    }
    Ok(())
}

/// A refund goes into the window that was charged. When that has ended, nobody gets it.
pub async fn nothing_comes_back_into_another_window<M: Make>(make: &M) -> Verdict {
    let (bench, alice) = (bench(make).await, user("alice")?);
    let fixed = built(Limit::fixed_window("fixed", 10, 10 * SECOND))?;
    bench.holds(&fixed, &alice, 8, hold(1)).await?;
    bench.holds(&fixed, &alice, 2, hold(2)).await?;
    bench.settles(&fixed, &alice, 2, 1, hold(2)).await?;
    bench.leaves(&fixed, &alice, 1).await?;
    bench.clock.advance(10 * SECOND);
    bench.passes(&fixed, &alice, 7).await?;
    bench.settles(&fixed, &alice, 8, 0, hold(1)).await?;
    bench.leaves(&fixed, &alice, 3).await
}

/// A refund gives back what is left of the charge. What time has brought back meanwhile, somebody else may have taken.
pub async fn nothing_comes_back_that_time_has_brought_back<M: Make>(make: &M) -> Verdict {
    let (bench, tokens, alice) = (bench(make).await, tokens()?, user("alice")?);
    bench.holds(&tokens, &alice, 2_000, hold(1)).await?;
    bench.clock.advance(2 * SECOND);
    // The bucket is full again, and somebody empties it.
    bench.passes(&tokens, &alice, 2_000).await?;
    bench.settles(&tokens, &alice, 2_000, 0, hold(1)).await?;
    bench.leaves(&tokens, &alice, 0).await?;
    // Half of the time, half of it.
    bench.clock.advance(2 * SECOND);
    bench.holds(&tokens, &alice, 2_000, hold(2)).await?;
    bench.clock.advance(SECOND);
    bench.passes(&tokens, &alice, 1_000).await?;
    bench.settles(&tokens, &alice, 2_000, 0, hold(2)).await?;
    bench.leaves(&tokens, &alice, 1_000).await
}

/// A permit comes back at its own time, though others come and go meanwhile; given back before, it is free at once.
pub async fn a_permit_comes_back_however_busy_its_key_is<M: Make>(make: &M) -> Verdict {
    let (bench, alice) = (bench(make).await, user("alice")?);
    let open = built(Limit::concurrency("open", 2))?;
    let brief = |id| {
        let brief = hold(id).with_ttl(30 * SECOND);
        brief.map_err(|error| Broken::new(error.to_string()))
    };
    bench.holds(&open, &alice, 1, brief(1)?).await?;
    for round in 0..29 {
        bench.holds(&open, &alice, 1, brief(100 + round)?).await?;
        let third = bench
            .reserve(&open, &alice, 1, brief(99)?, Over::Refuse)
            .await?;
        ensure!(third.is_deny(), "three of two at once");
        bench
            .settles(&open, &alice, 1, 1, brief(100 + round)?)
            .await?;
        bench.clock.advance(SECOND);
    }
    bench.leaves(&open, &alice, 1).await?;
    bench.clock.advance(SECOND);
    bench.leaves(&open, &alice, 2).await
}

/// Asked again with a higher cost, a hold takes what is missing; refused, it stays as it was and can be settled.
pub async fn a_top_up_takes_the_difference_or_nothing<M: Make>(make: &M) -> Verdict {
    let (bench, tokens, alice) = (bench(make).await, tokens()?, user("alice")?);
    bench.holds(&tokens, &alice, 500, hold(1)).await?;
    bench.holds(&tokens, &alice, 1_200, hold(1)).await?;
    bench.leaves(&tokens, &alice, 800).await?;
    let refused = bench
        .reserve(&tokens, &alice, 2_001, hold(1), Over::Refuse)
        .await?;
    let wait = RetryAfter::After(TICK);
    ensure!(
        refused.denied() == Some(wait),
        "801 of 800 passed, or wait for another time"
    );
    bench.leaves(&tokens, &alice, 800).await?;
    let settled = bench
        .settles(&tokens, &alice, 1_200, 1_000, hold(1))
        .await?;
    ensure!(settled.outcome() == Outcome::Settled, "found {settled:?}");
    bench.leaves(&tokens, &alice, 1_000).await
}

/// What must go on may go on, and owes what is not there.
pub async fn who_may_owe_passes_and_owes<M: Make>(make: &M) -> Verdict {
    let (bench, tokens, alice) = (bench(make).await, tokens()?, user("alice")?);
    bench.passes(&tokens, &alice, 2_000).await?;
    let answer = bench
        .reserve(&tokens, &alice, 500, hold(1), Over::Owe)
        .await?;
    ensure!(answer.is_allow(), "expected a debt, found {answer:?}");
    bench.clock.advance(SECOND / 2);
    bench.fails(&tokens, &alice, 1).await?;
    bench.clock.advance(TICK);
    bench.passes(&tokens, &alice, 1).await?;
    Ok(())
}

/// A question that is only a question is answered as if it were none, and changes nothing.
pub async fn a_dry_run_changes_nothing<M: Make>(make: &M) -> Verdict {
    let (bench, tokens, alice) = (bench(make).await, tokens()?, user("alice")?);
    bench.passes(&tokens, &alice, 1_500).await?;
    for (cost, passes) in [(500, true), (501, false), (500, true)] {
        let charge = Charge::new(&tokens, &alice, cost);
        let request = ReserveRequest::hold(CheckRequest::one(&charge), hold(1));
        let answer = bench.limiter.reserve(request.as_dry_run()).await?;
        ensure!(answer.is_allow() == passes, "{cost} of 500: {answer:?}");
        bench.leaves(&tokens, &alice, 500).await?;
    }
    Ok(())
}

/// A key that was reset is as one never seen; its neighbours are not touched.
pub async fn a_reset_forgets_what_was_used<M: Make>(make: &M) -> Verdict {
    let (bench, alice, bob) = (bench(make).await, user("alice")?, user("bob")?);
    let limits = [
        tokens()?,
        built(Limit::fixed_window("fixed", 10, 10 * SECOND))?,
        built(Limit::sliding_window("sliding", 10, 10 * SECOND))?,
        built(Limit::sliding_log("log", 10, 10 * SECOND))?,
    ];
    for limit in &limits {
        for key in [&alice, &bob] {
            bench.passes(limit, key, limit.burst()).await?;
        }
        bench.limiter.reset(limit, &alice).await?;
        bench.leaves(limit, &alice, limit.burst()).await?;
        bench.leaves(limit, &bob, 0).await?;
    }
    Ok(())
}

/// Whatever comes when: in no interval as long as the period does a log let more pass than its amount.
pub async fn no_interval_of_a_log_holds_more_than_its_amount<M: Make>(make: &M) -> Verdict {
    let (bench, alice) = (bench(make).await, user("alice")?);
    let log = built(Limit::sliding_log("log", 5, 10 * SECOND))?;
    let mut passed: Vec<u64> = Vec::new();
    // Every 700 milliseconds, and in bursts around the ends of the clock's windows.
    for step in 0..400_u64 {
        if bench.one(&log, &alice, 1).await?.is_allow() {
            passed.push(step * 350);
        }
        bench.clock.advance(Duration::from_millis(350));
    }
    for (index, first) in passed.iter().enumerate() {
        let count = passed[index..]
            .iter()
            .filter(|at| *at - first < 10_000)
            .count();
        ensure!(count <= 5, "{count} of 5 passed within ten seconds");
    }
    // And as many as may.
    ensure!(passed.len() >= 65, "only {} of 70 passed", passed.len());
    Ok(())
}
