use palisade_core::{Dimension, RetryAfter};
use palisade_quota::{
    Amount, Defaults, Outcome, Period, QuotaLedger, Refusal, RequestError, ReserveRequest,
    Resolution, SettleRequest,
};

use crate::{
    Broken, Verdict,
    quota::{
        Make,
        bench::{
            Bench, HOUR, NOON, TICK, amount, ended, exhausted, granted, id, invalid, key, late,
            quota, refused, settled, user,
        },
    },
    verdict::ensure,
};

/// What a reservation holds back is not spent, and both leave what is free.
pub async fn a_hold_is_held_and_not_spent<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let grant = granted(bench.reserve(1, &[user("a")], amount(30, 40)).await)?;
    ensure!(
        grant.id == id(1) && grant.ask == amount(30, 40) && !grant.repeated,
        "the grant is not what was asked for: {grant:?}"
    );
    let deadline = NOON.saturating_add(ReserveRequest::TIMEOUT_DEFAULT);
    ensure!(
        grant.deadline == deadline,
        "expected to hold until {deadline}, found {grant:?}"
    );
    let balance = bench.balance(&user("a")).await?;
    ensure!(
        grant.balances == [balance.clone()],
        "the grant reports {grant:?}, the ledger {balance:?}"
    );
    bench
        .scope_stands(&user("a"), Amount::ZERO, amount(30, 40))
        .await
}

/// After a settlement the cost is spent and nothing is held, whether it cost less, the same or nothing.
pub async fn a_settlement_replaces_the_hold_by_the_cost<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    for (bits, cost, spent) in [(1, 10, 10), (2, 30, 40), (3, 0, 40)] {
        granted(bench.tokens(bits, 30).await)?;
        ended(
            bench.settle(bits, amount(cost, 0)).await,
            settled(cost),
            false,
        )?;
        bench.stands(spent, 0).await?;
    }
    Ok(())
}

/// A released reservation has cost nothing and holds nothing.
pub async fn a_release_leaves_nothing_behind<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    granted(bench.tokens(1, 100).await)?;
    ended(bench.release(1).await, Outcome::Released, false)?;
    bench.stands(0, 0).await?;
    granted(bench.tokens(2, 100).await).map(drop)
}

/// A reservation holds in every scope, and if one has not enough, in none.
pub async fn all_scopes_are_charged_or_none<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let (org, project) = (key(Dimension::Org, "o"), key(Dimension::Project, "p"));
    let scopes = [user("a"), org.clone(), project.clone()];
    bench.set(&project, Some(quota(50, 100))).await?;
    granted(bench.reserve(1, &scopes, amount(40, 1)).await)?;
    let refusal = refused(bench.reserve(2, &scopes, amount(20, 1)).await)?;
    ensure!(
        matches!(&refusal.why, Refusal::Exhausted { balance, .. } if balance.scope == project),
        "expected the project to be named, found {refusal:?}"
    );
    for scope in &scopes {
        bench
            .scope_stands(scope, Amount::ZERO, amount(40, 1))
            .await?;
    }
    ended(bench.settle(1, amount(5, 0)).await, settled(5), false)?;
    for scope in &scopes {
        bench
            .scope_stands(scope, amount(5, 0), Amount::ZERO)
            .await?;
    }
    Ok(())
}

/// A scope that a request names twice is charged once.
pub async fn a_scope_given_twice_counts_once<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    granted(
        bench
            .reserve(1, &[user("a"), user("b"), user("a")], amount(60, 0))
            .await,
    )?;
    bench.stands(0, 60).await?;
    ended(bench.settle(1, amount(60, 0)).await, settled(60), false)?;
    bench.stands(60, 0).await
}

/// The limit may be used to the last unit of each measure, and not one more.
pub async fn the_last_unit_is_granted_and_one_more_is_not<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    granted(bench.reserve(1, &[user("a")], amount(99, 0)).await)?;
    ended(bench.settle(1, amount(99, 0)).await, settled(99), false)?;
    refused(bench.tokens(2, 2).await)?;
    granted(bench.tokens(3, 1).await)?;
    refused(bench.tokens(4, 1).await)?;
    granted(bench.reserve(5, &[user("b")], amount(0, 100)).await)?;
    refused(bench.reserve(6, &[user("b")], amount(0, 1)).await).map(drop)
}

/// Who asks for more than the limit is told that waiting is no use, also while nothing is spent.
pub async fn more_than_the_limit_is_never_granted<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    exhausted(bench.tokens(1, 101).await, RetryAfter::Never)?;
    exhausted(
        bench.reserve(2, &[user("a")], amount(1, i64::MAX)).await,
        RetryAfter::Never,
    )?;
    exhausted(
        bench
            .reserve(3, &[user("a")], amount(i64::MAX, i64::MAX))
            .await,
        RetryAfter::Never,
    )?;
    bench.stands(0, 0).await
}

/// The same reservation asked for again, after a lost answer, is granted again and held once.
pub async fn a_repeated_reserve_holds_once<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let first = granted(
        bench
            .reserve(1, &[user("a"), user("b")], amount(60, 0))
            .await,
    )?;
    bench.clock.advance(TICK);
    let second = granted(
        bench
            .reserve(1, &[user("b"), user("a")], amount(60, 0))
            .await,
    )?;
    ensure!(
        second.repeated && second.deadline == first.deadline,
        "expected the first grant again, found {second:?} after {first:?}"
    );
    bench.stands(0, 60).await
}

/// An id that belongs to another reservation is refused as a wrong question, and nothing happens.
pub async fn an_id_in_use_for_something_else_is_invalid<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    granted(bench.tokens(1, 60).await)?;
    for (scopes, ask) in [
        (vec![user("a")], amount(61, 0)),
        (vec![user("b")], amount(60, 0)),
        (vec![user("a"), user("b")], amount(60, 0)),
    ] {
        let request = ReserveRequest::new(id(1), scopes, ask);
        let request = request.map_err(|error| Broken::new(error.to_string()))?;
        invalid(bench.ledger.reserve(request).await, RequestError::IdInUse)?;
    }
    bench
        .scope_stands(&user("b"), Amount::ZERO, Amount::ZERO)
        .await?;
    bench.stands(0, 60).await
}

/// A reservation that has ended is not granted a second time under its id.
pub async fn an_ended_id_is_used_up<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    granted(bench.tokens(1, 10).await)?;
    ended(bench.settle(1, amount(7, 0)).await, settled(7), false)?;
    granted(bench.tokens(2, 10).await)?;
    ended(bench.release(2).await, Outcome::Released, false)?;
    granted(bench.tokens(3, 10).await)?;
    bench.clock.advance(ReserveRequest::TIMEOUT_DEFAULT);
    for (bits, outcome) in [
        (1, settled(7)),
        (2, Outcome::Released),
        (3, Outcome::Expired),
    ] {
        let refusal = refused(bench.tokens(bits, 10).await)?;
        let expected = Refusal::Ended(Resolution::new(outcome, true));
        ensure!(
            refusal.why == expected && refusal.retry_after == RetryAfter::Never,
            "expected {expected:?} and no retry, found {refusal:?}"
        );
    }
    bench.stands(7, 0).await
}

/// Nothing is known of an id that was never granted, and resolving it books nothing.
pub async fn an_unknown_id_is_called_unknown<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    refused(bench.tokens(1, 101).await)?;
    for bits in [1, 2] {
        ended(
            bench.settle(bits, amount(9, 9)).await,
            Outcome::Unknown,
            true,
        )?;
        ended(bench.release(bits).await, Outcome::Unknown, true)?;
    }
    bench.stands(0, 0).await
}

/// In whatever order settlements, a release and the deadline arrive: the first ends the hold, later ones report it. A
/// settlement after the deadline still books its cost, once.
pub async fn every_order_of_endings_has_one_effect<M: Make>(make: &M) -> Verdict {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum End {
        Settle(i64),
        Release,
        Deadline,
    }
    let ends = [
        End::Settle(20),
        End::Settle(30),
        End::Release,
        End::Deadline,
    ];
    // One user an order, with a window that does not end: time only moves on.
    let defaults = Defaults::new(quota(100, 100).with_period(Period::Lifetime));
    let bench = Bench::with(make, defaults, NOON).await;
    for number in 0..256_usize {
        let (bits, scope) = (
            u128::try_from(number).unwrap_or(0),
            user(&number.to_string()),
        );
        let order = [number & 3, number >> 2 & 3, number >> 4 & 3, number >> 6];
        let order = order.map(|n| ends[n]);
        granted(
            bench
                .reserve(bits, std::slice::from_ref(&scope), amount(25, 0))
                .await,
        )?;
        let mut outcome: Option<Outcome> = None;
        for end in &order {
            let place = |broken: Broken| broken.at(format!("{end:?} of {order:?}"));
            let (answer, next) = match end {
                End::Deadline => {
                    bench.clock.advance(ReserveRequest::TIMEOUT_DEFAULT);
                    outcome = outcome.or(Some(Outcome::Expired));
                    continue;
                }
                End::Settle(cost) if outcome == Some(Outcome::Expired) => (
                    bench.settle(bits, amount(*cost, 0)).await,
                    Some(late(*cost)),
                ),
                End::Settle(cost) => (
                    bench.settle(bits, amount(*cost, 0)).await,
                    outcome.is_none().then(|| settled(*cost)),
                ),
                End::Release => (
                    bench.release(bits).await,
                    outcome.is_none().then_some(Outcome::Released),
                ),
            };
            let earlier = next.is_none();
            outcome = next.or(outcome);
            ended(answer, outcome.unwrap_or(Outcome::Unknown), earlier).map_err(place)?;
            let spent = match outcome {
                Some(Outcome::Settled { actual, .. }) => actual,
                _ => Amount::ZERO,
            };
            bench
                .scope_stands(&scope, spent, Amount::ZERO)
                .await
                .map_err(place)?;
        }
    }
    Ok(())
}

/// A hold that nobody resolves is free again from its deadline on, not a tick before, and nobody has to sweep.
pub async fn a_hold_expires_at_its_deadline_and_not_before<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let request = ReserveRequest::new(id(1), [user("a")], amount(100, 0))
        .and_then(|request| request.with_timeout(HOUR));
    let request = request.map_err(|error| Broken::new(error.to_string()))?;
    granted(bench.ledger.reserve(request).await.map_err(Broken::from))?;
    bench.clock.advance(HOUR.saturating_sub(TICK));
    refused(bench.tokens(2, 1).await)?;
    bench.stands(0, 100).await?;
    bench.clock.advance(TICK);
    granted(bench.tokens(3, 100).await)?;
    ended(bench.release(1).await, Outcome::Expired, true)?;
    bench.stands(0, 100).await
}

/// A cost that arrives after the deadline is booked, though others have taken the freed amount, and the debt is shown.
pub async fn a_late_cost_is_booked_and_never_vanishes<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    granted(bench.tokens(1, 80).await)?;
    bench.clock.advance(ReserveRequest::TIMEOUT_DEFAULT);
    granted(bench.tokens(2, 90).await)?;
    ended(bench.settle(1, amount(80, 0)).await, late(80), false)?;
    ended(bench.settle(1, amount(80, 0)).await, late(80), true)?;
    bench.stands(80, 90).await?;
    let debt = bench.balance(&user("a")).await?.debt;
    ensure!(
        debt == amount(70, 0),
        "expected a debt of 70 tokens, found {debt:?}"
    );
    Ok(())
}

/// A call that cost more than it had reserved leaves a debt, which shuts the scope until the window ends.
pub async fn a_debt_shuts_the_scope_for_its_window<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    granted(bench.tokens(1, 50).await)?;
    ended(bench.settle(1, amount(130, 0)).await, settled(130), false)?;
    let balance = bench.balance(&user("a")).await?;
    ensure!(
        balance.debt == amount(30, 0),
        "expected a debt of 30 tokens, found {balance:?}"
    );
    let midnight = HOUR.saturating_mul(12);
    exhausted(bench.tokens(2, 1).await, RetryAfter::After(midnight))?;
    bench.clock.advance(midnight.saturating_sub(TICK));
    exhausted(bench.tokens(3, 1).await, RetryAfter::After(TICK))?;
    bench.clock.advance(TICK);
    granted(bench.tokens(4, 100).await).map(drop)
}

/// Sweeping notes no more than it is asked to and changes no answer.
pub async fn sweeping_changes_no_answer<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    for bits in 1..=5 {
        granted(bench.tokens(bits, 10).await)?;
    }
    ensure!(
        bench.ledger.expire(10).await? == 0,
        "holds were swept before their deadline"
    );
    bench.stands(0, 50).await?;
    bench.clock.advance(ReserveRequest::TIMEOUT_DEFAULT);
    let first = bench.ledger.expire(2).await?;
    ensure!(first <= 2, "asked for two, it swept {first}");
    bench.stands(0, 0).await?;
    let rest = bench.ledger.expire(100).await?;
    ensure!(first + rest <= 5, "of five holds it swept {}", first + rest);
    ensure!(
        bench.ledger.expire(100).await? == 0,
        "a hold was swept twice"
    );
    for bits in 1..=5 {
        ended(bench.release(bits).await, Outcome::Expired, true)?;
    }
    bench.stands(0, 0).await
}

/// At the end of what a ledger can count it refuses loudly and changes nothing; it neither wraps nor saturates.
pub async fn the_largest_amounts_never_wrap<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    bench
        .set(&user("a"), Some(palisade_quota::Quota::UNLIMITED))
        .await?;
    granted(bench.tokens(1, i64::MAX - 1).await)?;
    granted(bench.tokens(2, 1).await)?;
    exhausted(
        bench.tokens(3, 1).await,
        RetryAfter::After(HOUR.saturating_mul(12)),
    )?;
    ended(
        bench.settle(1, amount(i64::MAX - 1, 0)).await,
        settled(i64::MAX - 1),
        false,
    )?;
    invalid(
        bench
            .ledger
            .settle(SettleRequest::new(id(2), amount(2, 0)))
            .await,
        RequestError::Overflow,
    )?;
    bench.stands(i64::MAX - 1, 1).await?;
    ended(bench.settle(2, amount(1, 0)).await, settled(1), false)?;
    bench.stands(i64::MAX, 0).await
}
