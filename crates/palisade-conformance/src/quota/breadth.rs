//! The rules about measures and periods, one function each, named after the promise.

#![expect(
    clippy::missing_errors_doc,
    reason = "a rule's one error is that the promise it is named after is broken"
)]

use std::time::Duration;

use palisade_core::{Clock as _, RetryAfter, Timestamp};
use palisade_quota::{
    Amount, Measure, Period, Quota, QuotaLedger, Refusal, Rolling, SettleRequest, Zone,
};

use super::Make;
use crate::{
    Broken, Verdict,
    quota::bench::{Bench, HOUR, TICK, amount, exhausted, granted, id, quota, refused, user},
    verdict::ensure,
};

/// So much of one measure.
fn of(measure: Measure, units: i64) -> Amount {
    let units = Measure::ALL.map(|other| if other == measure { units } else { 0 });
    Amount::from_measures(units).unwrap_or_default()
}

/// Ten of every measure.
fn ten_of_each() -> Quota {
    let of_each = || {
        Quota::default()
            .with_tokens(Some(10.into()))?
            .with_money(Some(amount(0, 10).money()))?
            .with_requests(Some(10))?
            .with_input(Some(10.into()))?
            .with_output(Some(10.into()))
    };
    of_each().unwrap_or_default()
}

/// Tokens, money, requests, input and output: each decides alone, and who asks nothing of one does not need it.
pub async fn every_measure_is_held_spent_and_limited_on_its_own<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    for (bits, measure) in (0_u128..).zip(Measure::ALL) {
        let scope = [user(&format!("of {measure}"))];
        bench.set(&scope[0], Some(ten_of_each())).await?;
        granted(bench.reserve(bits * 10, &scope, of(measure, 4)).await)?;
        let balance = bench.balance(&scope[0]).await?;
        ensure!(
            balance.held == of(measure, 4) && balance.limit.get(measure) == Some(10),
            "four of {measure} are not held: {balance:?}"
        );
        let refusal = refused(bench.reserve(bits * 10 + 1, &scope, of(measure, 7)).await)?;
        ensure!(
            matches!(&refusal.why, Refusal::Exhausted { measure: of, .. } if *of == measure),
            "it is {measure} that there is not enough of: {refusal:?}"
        );
        bench.settle(bits * 10, of(measure, 10)).await?;
        exhausted(
            bench.reserve(bits * 10 + 2, &scope, of(measure, 1)).await,
            RetryAfter::After(12 * HOUR),
        )?;
        let balance = bench.balance(&scope[0]).await?;
        ensure!(
            balance.spent == of(measure, 10) && balance.held.is_zero(),
            "ten of {measure} and nothing else is spent: {balance:?}"
        );
        // Who asks nothing of it does not need it.
        let other = Measure::ALL[(bits as usize + 1) % Measure::ALL.len()];
        granted(bench.reserve(bits * 10 + 3, &scope, of(other, 10)).await)?;
    }
    Ok(())
}

/// A week is the ISO week of the zone, to the nanosecond.
pub async fn a_week_ends_on_sunday_night_of_its_zone<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let tokyo = Zone::named("Asia/Tokyo").map_err(|error| Broken::new(error.to_string()))?;
    let weekly = quota(100, 100).with_period(Period::Week).with_zone(tokyo);
    bench.set(&user("a"), Some(weekly)).await?;
    granted(bench.tokens(1, 100).await)?;
    bench.settle(1, amount(100, 0)).await?;
    // From Friday noon in UTC to Monday midnight in Tokyo, which is Sunday 15:00 in UTC.
    let rest = 51 * HOUR;
    exhausted(bench.tokens(2, 1).await, RetryAfter::After(rest))?;
    bench.clock.advance(rest.saturating_sub(TICK));
    exhausted(bench.tokens(3, 1).await, RetryAfter::After(TICK))?;
    bench.clock.advance(TICK);
    granted(bench.tokens(4, 100).await).map(drop)
}

fn rolling(length: Duration) -> Result<Quota, Broken> {
    let rolling = Rolling::new(length).map_err(|error| Broken::new(error.to_string()))?;
    Ok(quota(100, 100).with_period(Period::Rolling(rolling)))
}

/// What was spent counts for the length, and a slice longer at most.
pub async fn a_rolling_budget_comes_back_when_it_is_longer_ago_than_its_length<M: Make>(
    make: &M,
) -> Verdict {
    let bench = Bench::new(make).await;
    // Slices of a minute. Noon is the first instant of one.
    bench.set(&user("a"), Some(rolling(HOUR)?)).await?;
    granted(bench.tokens(1, 60).await)?;
    bench.settle(1, amount(60, 0)).await?;
    bench.clock.advance(HOUR / 2);
    granted(bench.tokens(2, 40).await)?;
    bench.settle(2, amount(40, 0)).await?;
    bench.stands(100, 0).await?;
    // Still within the hour: nothing is left.
    bench.clock.advance(HOUR / 2);
    exhausted(bench.tokens(3, 1).await, RetryAfter::After(HOUR / 60))?;
    bench.clock.advance((HOUR / 60).saturating_sub(TICK));
    bench.stands(100, 0).await?;
    bench.clock.advance(TICK);
    bench.stands(40, 0).await?;
    granted(bench.tokens(4, 60).await)?;
    bench.release(4).await?;
    bench.clock.advance(HOUR / 2);
    bench.stands(0, 0).await?;
    let balance = bench.balance(&user("a")).await?;
    ensure!(
        balance.window.contains(bench.clock.now()),
        "the balance speaks of another time: {balance:?}"
    );
    Ok(())
}

/// However greedily it is asked.
pub async fn no_stretch_of_a_rolling_period_has_more_than_the_limit<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    bench.set(&user("a"), Some(rolling(HOUR)?)).await?;
    let mut booked: Vec<(Timestamp, i64)> = Vec::new();
    // A caller that takes whatever it can get, at odd times. 29 and 60 have no factor in common.
    for bits in 0_u128..200 {
        let now = bench.clock.now();
        let free = bench.balance(&user("a")).await?.free.tokens;
        let free = i64::try_from(free.map_or(0, palisade_core::Tokens::get)).unwrap_or(0);
        let ask = free.min(7 + i64::try_from(bits % 13).unwrap_or(0));
        if ask > 0 {
            granted(bench.tokens(bits, ask).await)?;
            let settle = SettleRequest::new(id(bits), amount(ask, 0));
            bench.ledger.settle(settle).await?;
            booked.push((now, ask));
        }
        let since = now.saturating_sub(HOUR);
        let lately = booked.iter().filter(|(at, _)| *at > since);
        let sum: i64 = lately.map(|(_, ask)| *ask).sum();
        ensure!(sum <= 100, "{sum} tokens within the hour before {now}");
        bench.clock.advance(Duration::from_secs(29 * 7));
    }
    ensure!(booked.len() > 50, "it hardly ever had anything to give");
    Ok(())
}

/// What still counts comes along, there and back.
pub async fn a_change_between_calendar_and_rolling_gives_no_second_allowance<M: Make>(
    make: &M,
) -> Verdict {
    let bench = Bench::new(make).await;
    granted(bench.tokens(1, 30).await)?;
    bench.settle(1, amount(30, 0)).await?;
    granted(bench.tokens(2, 20).await)?;
    bench.set(&user("a"), Some(rolling(HOUR)?)).await?;
    bench.stands(30, 20).await?;
    bench.clock.advance(HOUR / 2);
    granted(bench.tokens(3, 10).await)?;
    bench.settle(3, amount(10, 0)).await?;
    // The hold of the day has expired and is a late cost now, in the slice it was moved to.
    bench.settle(2, amount(20, 0)).await?;
    bench.stands(60, 0).await?;
    // Back to days: what still counts comes along, of all slices.
    bench.set(&user("a"), None).await?;
    bench.stands(60, 0).await?;
    bench.clock.advance(12 * HOUR);
    bench.stands(0, 0).await
}
