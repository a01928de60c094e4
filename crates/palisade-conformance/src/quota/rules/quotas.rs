use std::time::Duration;

use palisade_core::{Dimension, Key, RetryAfter, Timestamp};
use palisade_quota::{Amount, Defaults, Period, Quota, RequestError, ReserveRequest, Zone};

use crate::{
    Broken, Verdict,
    quota::{
        Make,
        bench::{
            Bench, HOUR, NOON, TICK, amount, ended, exhausted, granted, key, quota, refused,
            settled, tokens, unlimited_tokens, user,
        },
    },
    verdict::ensure,
};

/// A scope nobody has heard of stands as the defaults say, and looking at it changes nothing.
pub async fn an_untouched_scope_has_the_default_quota<M: Make>(make: &M) -> Verdict {
    let defaults = Defaults::default().with(Dimension::Org, quota(7, 7));
    let bench = Bench::with(make, defaults.clone(), NOON).await;
    for scope in [user("a"), key(Dimension::Org, "o"), Key::global()] {
        let expected = defaults.quota(&scope).allowance();
        for _ in 0..2 {
            let balance = bench.balance(&scope).await?;
            ensure!(
                balance.scope == scope && balance.limit == expected && balance.free == expected,
                "expected {expected:?} limited and free, found {balance:?}"
            );
            bench
                .scope_stands(&scope, Amount::ZERO, Amount::ZERO)
                .await?;
        }
    }
    Ok(())
}

/// What one key spends is never another's, however alike their texts are.
pub async fn keys_that_look_alike_stay_apart<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let both = user("a")
        .with(Dimension::Org, "o")
        .map_err(|error| Broken::new(error.to_string()))?;
    let keys = [
        user("a"),
        user("A"),
        user("a "),
        user("a/b"),
        user("a%2Fb"),
        user(""),
        user("\0"),
        user("%"),
        user("_"),
        user("a' OR '1'='1"),
        key(Dimension::Org, "a"),
        key(Dimension::ApiKey, "a"),
        both,
        Key::global(),
    ];
    for (bits, scope) in (1..).zip(&keys) {
        granted(
            bench
                .reserve(bits, std::slice::from_ref(scope), amount(100, 0))
                .await,
        )
        .map_err(|broken| broken.at(scope))?;
    }
    for (spent, (bits, scope)) in (1..).zip((1..).zip(&keys)) {
        ended(
            bench.settle(bits, amount(spent, 0)).await,
            settled(spent),
            false,
        )?;
        bench
            .scope_stands(scope, amount(spent, 0), Amount::ZERO)
            .await
            .map_err(|broken| broken.at(scope))?;
    }
    Ok(())
}

/// A measure without a limit refuses nobody, and what is spent of it is counted all the same.
pub async fn an_unlimited_measure_is_counted_and_never_refuses<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    bench.set(&user("a"), Some(unlimited_tokens(10))).await?;
    granted(
        bench
            .reserve(1, &[user("a")], amount(1_000_000_000_000, 10))
            .await,
    )?;
    let balance = bench.balance(&user("a")).await?;
    ensure!(
        balance.limit.tokens.is_none() && balance.free.tokens.is_none() && balance.debt.is_zero(),
        "expected no limit of tokens, found {balance:?}"
    );
    bench
        .scope_stands(&user("a"), Amount::ZERO, amount(1_000_000_000_000, 10))
        .await?;
    refused(bench.reserve(2, &[user("a")], amount(1, 1)).await)?;
    granted(bench.reserve(3, &[user("a")], amount(1, 0)).await).map(drop)
}

/// Who asks no money needs none: a free model may run in debt. Who asks nothing at all has not estimated, and may not.
pub async fn a_free_call_passes_a_debt_and_a_blind_one_does_not<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    granted(bench.reserve(1, &[user("a")], amount(1, 100)).await)?;
    granted(bench.reserve(2, &[user("a")], Amount::ZERO).await)?;
    bench.settle(1, amount(1, 101)).await?;
    refused(bench.reserve(3, &[user("a")], amount(0, 1)).await)?;
    refused(bench.reserve(4, &[user("a")], Amount::ZERO).await)?;
    granted(bench.reserve(5, &[user("a")], amount(1, 0)).await).map(drop)
}

/// A limit lowered below what is spent and held leaves a debt and takes nothing back; raised, it opens at once.
pub async fn a_lowered_limit_shuts_and_a_raised_one_opens<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    granted(bench.tokens(1, 50).await)?;
    ended(bench.settle(1, amount(50, 0)).await, settled(50), false)?;
    granted(bench.tokens(2, 20).await)?;
    bench.set(&user("a"), Some(quota(40, 100))).await?;
    let balance = bench.balance(&user("a")).await?;
    ensure!(
        balance.limit.tokens == tokens(40) && balance.debt == amount(30, 0),
        "expected a limit of 40 and a debt of 30, found {balance:?}"
    );
    refused(bench.tokens(3, 1).await)?;
    ended(bench.settle(2, amount(20, 0)).await, settled(20), false)?;
    bench.set(&user("a"), Some(quota(71, 100))).await?;
    granted(bench.tokens(4, 1).await)?;
    bench.stands(70, 1).await
}

/// A scope whose own quota is taken back is under the defaults again, with what it has spent.
pub async fn a_quota_taken_back_leaves_the_default<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    bench.set(&user("a"), Some(quota(1_000, 1_000))).await?;
    granted(bench.tokens(1, 90).await)?;
    bench.set(&user("a"), None).await?;
    refused(bench.tokens(2, 11).await)?;
    granted(bench.tokens(3, 10).await)?;
    bench.set(&user("b"), None).await?;
    bench.stands(0, 100).await
}

/// A refusal names the end of the window, and the same request passes at exactly that instant, not a tick before.
pub async fn a_refusal_ends_at_exactly_the_announced_instant<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    granted(bench.tokens(1, 100).await)?;
    ended(bench.settle(1, amount(100, 0)).await, settled(100), false)?;
    let wait = HOUR.saturating_mul(12);
    exhausted(bench.tokens(2, 100).await, RetryAfter::After(wait))?;
    bench.clock.advance(wait.saturating_sub(TICK));
    exhausted(bench.tokens(2, 100).await, RetryAfter::After(TICK))?;
    bench.clock.advance(TICK);
    bench.stands(0, 0).await?;
    granted(bench.tokens(2, 100).await).map(drop)
}

/// A hold taken a second before midnight is resolved in the day it was taken in; the new day knows nothing of it.
pub async fn a_hold_across_midnight_stays_in_its_own_day<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let second = Duration::from_secs(1);
    bench
        .clock
        .advance(HOUR.saturating_mul(12).saturating_sub(second));
    for bits in 1..=3 {
        granted(bench.tokens(bits, 30).await)?;
    }
    bench.clock.advance(second.saturating_mul(2));
    bench.stands(0, 0).await?;
    granted(bench.tokens(4, 100).await)?;
    ended(bench.settle(1, amount(200, 0)).await, settled(200), false)?;
    bench.release(2).await?;
    bench
        .clock
        .advance(ReserveRequest::TIMEOUT_DEFAULT.saturating_sub(second));
    bench.stands(0, 100).await?;
    // An operator sets the clock back: the old day is as it was left, and gives no second allowance.
    bench
        .clock
        .set_wall(NOON.saturating_add(HOUR.saturating_mul(11)));
    let balance = bench.balance(&user("a")).await?;
    ensure!(
        balance.spent == amount(200, 0),
        "the day before has spent 200 tokens, found {balance:?}"
    );
    refused(bench.tokens(5, 1).await).map(drop)
}

/// The days of a zone are its civil days: 23 hours where the clocks jump over midnight, 25 where an hour comes twice.
pub async fn a_day_is_as_long_as_the_zone_says<M: Make>(make: &M) -> Verdict {
    // First and last second of 2026-04-24 and 2026-10-29 in Cairo, and of 2026-04-05 on Lord Howe Island.
    for (name, start, end) in [
        ("Africa/Cairo", 1_776_981_600, 1_777_064_400),
        ("Africa/Cairo", 1_793_221_200, 1_793_311_200),
        ("Australia/Lord_Howe", 1_775_307_600, 1_775_395_800),
    ] {
        let (start, end) = (Timestamp::from_secs(start), Timestamp::from_secs(end));
        let zone = Zone::named(name).map_err(|error| Broken::new(error.to_string()))?;
        let quota = quota(100, 100).with_zone(zone);
        let bench = Bench::with(make, Defaults::new(quota), start.saturating_sub(TICK)).await;
        granted(bench.tokens(1, 100).await)?;
        exhausted(bench.tokens(2, 1).await, RetryAfter::After(TICK))?;
        bench.clock.advance(TICK);
        granted(bench.tokens(3, 100).await)?;
        ended(bench.settle(3, amount(100, 0)).await, settled(100), false)?;
        let length = end.saturating_since(start);
        exhausted(bench.tokens(4, 1).await, RetryAfter::After(length))
            .map_err(|broken| broken.at(name))?;
        bench.clock.advance(length.saturating_sub(TICK));
        refused(bench.tokens(5, 1).await)?;
        bench.clock.advance(TICK);
        granted(bench.tokens(6, 100).await)?;
    }
    Ok(())
}

/// A month lasts from its first day to the next month's, and a lifetime does not end.
pub async fn longer_periods_refill_when_they_end_or_never<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    bench
        .set(&user("a"), Some(quota(100, 100).with_period(Period::Month)))
        .await?;
    bench
        .set(
            &user("b"),
            Some(quota(100, 100).with_period(Period::Lifetime)),
        )
        .await?;
    for (bits, name) in [(1, "a"), (2, "b")] {
        granted(bench.reserve(bits, &[user(name)], amount(60, 0)).await)?;
        ended(bench.settle(bits, amount(60, 0)).await, settled(60), false)?;
    }
    let rest_of_november = HOUR.saturating_mul(12 + 10 * 24);
    exhausted(
        bench.tokens(3, 41).await,
        RetryAfter::After(rest_of_november),
    )?;
    exhausted(
        bench.reserve(4, &[user("b")], amount(41, 0)).await,
        RetryAfter::Unknown,
    )?;
    // Of several refusals the advice is the one that keeps waiting longest.
    let both = [user("a"), user("b")];
    exhausted(
        bench.reserve(5, &both, amount(41, 0)).await,
        RetryAfter::Unknown,
    )?;
    exhausted(
        bench.reserve(6, &both, amount(101, 0)).await,
        RetryAfter::Never,
    )?;
    bench.set(&user("0"), Some(quota(5, 5))).await?;
    let never = [user("0"), user("a")];
    exhausted(
        bench.reserve(11, &never, amount(41, 0)).await,
        RetryAfter::Never,
    )?;
    bench.clock.advance(rest_of_november);
    granted(bench.tokens(7, 100).await)?;
    refused(bench.reserve(8, &[user("b")], amount(41, 0)).await)?;
    bench.clock.advance(HOUR.saturating_mul(24 * 3_650));
    refused(bench.reserve(9, &[user("b")], amount(41, 0)).await)?;
    granted(bench.reserve(10, &[user("b")], amount(40, 0)).await).map(drop)
}

/// A change of zone or period in the middle of a day hands out no second allowance, and later windows are whole.
pub async fn a_change_of_calendar_gives_no_second_allowance<M: Make>(make: &M) -> Verdict {
    let tokyo = Zone::named("Asia/Tokyo").map_err(|error| Broken::new(error.to_string()))?;
    let changes: [(Quota, u32); 3] = [
        // Midnight in Tokyo is in three hours, at midnight in Greenwich in twelve, at the end of the month in 252.
        (quota(100, 100).with_zone(tokyo), 3),
        (quota(100, 100).with_period(Period::Month), 252),
        (quota(100, 100).with_period(Period::Day), 12),
    ];
    for (changed, hours) in changes {
        let bench = Bench::new(make).await;
        granted(bench.tokens(1, 60).await)?;
        ended(bench.settle(1, amount(60, 0)).await, settled(60), false)?;
        granted(bench.tokens(2, 30).await)?;
        bench.set(&user("a"), Some(changed.clone())).await?;
        bench
            .stands(60, 30)
            .await
            .map_err(|broken| broken.at(format!("{changed:?}")))?;
        refused(bench.tokens(3, 11).await)?;
        granted(bench.tokens(3, 10).await)?;
        // What was held before the change is resolved where it was held.
        ended(bench.settle(2, amount(25, 0)).await, settled(25), false)?;
        bench.stands(85, 10).await?;
        // There and back again changes nothing.
        bench.set(&user("a"), None).await?;
        bench.stands(85, 10).await?;
        bench.set(&user("a"), Some(changed)).await?;
        bench.clock.advance(HOUR.saturating_mul(hours));
        bench.stands(0, 0).await?;
        granted(bench.tokens(4, 100).await)?;
    }
    Ok(())
}

/// Where a changed calendar meets a window that has spent already, because the clock was set back, both count.
pub async fn windows_that_meet_are_added_up<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let month = quota(100, 100).with_period(Period::Month);
    granted(bench.tokens(1, 50).await)?;
    ended(bench.settle(1, amount(50, 0)).await, settled(50), false)?;
    bench.clock.advance(HOUR.saturating_mul(13));
    granted(bench.tokens(2, 20).await)?;
    granted(bench.tokens(3, 15).await)?;
    bench.set(&user("a"), Some(month)).await?;
    bench.clock.set_wall(NOON.saturating_add(HOUR));
    bench.set(&user("a"), None).await?;
    bench.stands(50, 35).await?;
    ended(bench.settle(2, amount(20, 0)).await, settled(20), false)?;
    bench.release(3).await?;
    bench.stands(70, 0).await
}

/// A request with more scopes than a ledger locks at once cannot even be made; the most it may have is served.
pub async fn the_most_scopes_a_request_may_have_are_served<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let scopes: Vec<Key> = (0..=ReserveRequest::SCOPES_MAX)
        .map(|n| user(&n.to_string()))
        .collect();
    let id = palisade_quota::ReservationId::from_u128(1);
    let found = ReserveRequest::SCOPES_MAX + 1;
    ensure!(
        ReserveRequest::new(id, scopes.clone(), Amount::ZERO)
            == Err(RequestError::TooManyScopes { found }),
        "a request with {found} scopes was made"
    );
    let most = scopes.get(1..).unwrap_or_default();
    granted(bench.reserve(1, most, amount(100, 0)).await)?;
    for scope in most {
        bench
            .scope_stands(scope, Amount::ZERO, amount(100, 0))
            .await?;
    }
    Ok(())
}
