//! The rules, one function each, named after the promise.

#![expect(
    clippy::missing_errors_doc,
    reason = "a rule's one error is that the promise it is named after is broken"
)]

use std::time::Duration;

use palisade_core::{Clock as _, Dimension, Key, ManualClock, Timestamp, Tokens};
use palisade_quota::{
    Amount, Defaults, Exchange, Exchanged, LeaseEntry, LesseeId, Period, Quota, QuotaLedger,
    QuotaLender,
};

use super::Make;
use crate::{Broken, Verdict, quota::Setup, verdict::ensure};

/// 2026-11-20T12:00:00Z.
const NOON: Timestamp = Timestamp::from_secs(1_795_176_000);
const TTL: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// A lender under test where every scope has 100 tokens a day in UTC, at noon.
struct Bench<L> {
    lender: L,
    clock: ManualClock,
}

impl<L: QuotaLedger + QuotaLender> Bench<L> {
    async fn new<M: Make<Lender = L>>(make: &M) -> Result<Self, Broken> {
        let clock = ManualClock::at(NOON);
        let setup = Setup::new(clock.clone(), Defaults::new(quota(100)?));
        let lender = make.make(setup).await;
        Ok(Self { lender, clock })
    }

    async fn exchange(
        &self,
        lessee: u128,
        turn: u64,
        entry: LeaseEntry,
    ) -> Result<Exchanged, Broken> {
        let exchange = Exchange::new(LesseeId::from_u128(lessee), turn, TTL, vec![entry]);
        let exchange = exchange.map_err(|error| Broken::new(error.to_string()))?;
        Ok(self.lender.exchange(exchange).await?)
    }

    /// What a lessee has after saying that it spent so much and needs so much.
    async fn lent(&self, lessee: u128, turn: u64, spent: i64, need: i64) -> Result<i64, Broken> {
        let entry = look()
            .spent(tokens(spent))
            .wanting(tokens(need), tokens(need));
        let exchanged = self.exchange(lessee, turn, entry).await?;
        let [lease] = &exchanged.leases[..] else {
            return Err(Broken::new(format!("one entry, one lease: {exchanged:?}")));
        };
        ensure!(
            lease.state.scope == scope() && lease.state.window.contains(self.clock.now()),
            "the lease is of another scope or window: {lease:?}"
        );
        Ok(lease.lent.to_columns().0)
    }

    async fn stands(&self, spent: i64, held: i64) -> Verdict {
        let balance = self.lender.balance(&scope()).await?;
        ensure!(
            (balance.spent, balance.held) == (tokens(spent), tokens(held)),
            "expected {spent} spent and {held} held, found {balance:?}"
        );
        Ok(())
    }
}

fn quota(count: u64) -> Result<Quota, Broken> {
    Quota::UNLIMITED
        .with_tokens(Some(Tokens::new(count)))
        .map_err(|error| Broken::new(error.to_string()))
}

fn scope() -> Key {
    Key::new(Dimension::User, "a").unwrap_or_else(|_| Key::global())
}

fn tokens(count: i64) -> Amount {
    Amount::from_columns(count, 0).unwrap_or(Amount::ZERO)
}

fn look() -> LeaseEntry {
    LeaseEntry::look(scope())
}

/// What a lessee has on lease is part of what the scope holds.
pub async fn what_is_lent_counts_as_held<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await?;
    bench.stands(0, 0).await?;
    let lent = bench.lent(1, 1, 0, 30).await?;
    ensure!(lent == 30, "30 of 100 needed, {lent} lent");
    bench.stands(0, 30).await
}

/// A need is met as long as there is room, and no lease takes a scope above its limit.
pub async fn a_need_is_met_to_the_last_unit_and_no_further<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await?;
    ensure!(
        bench.lent(1, 1, 0, 100).await? == 100,
        "the last unit was not lent"
    );
    ensure!(
        bench.lent(2, 1, 0, 1).await? == 0,
        "a unit more than there is was lent"
    );
    ensure!(
        bench.lent(1, 2, 0, 101).await? == 100,
        "who cannot have more keeps what it has"
    );
    bench.stands(0, 100).await
}

/// A lease shrinks to what its lessee wants, and by what it has spent.
pub async fn what_is_not_wanted_is_given_back<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await?;
    bench.lent(1, 1, 0, 80).await?;
    ensure!(
        bench.lent(1, 2, 10, 20).await? == 20,
        "20 wanted, something else is on lease"
    );
    bench.stands(10, 20).await?;
    ensure!(
        bench.lent(1, 3, 0, 0).await? == 0,
        "nothing wanted, something is on lease"
    );
    bench.stands(10, 0).await
}

/// The same number again changes nothing and answers the same; the next number counts.
pub async fn an_exchange_that_is_repeated_counts_once<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await?;
    let entry = look().spent(tokens(7)).wanting(tokens(20), tokens(20));
    let first = bench.exchange(1, 1, entry.clone()).await?;
    let again = bench.exchange(1, 1, entry).await?;
    ensure!(
        !first.repeated && again.repeated && first.leases == again.leases,
        "first {first:?}, then {again:?}"
    );
    bench.stands(7, 20).await?;
    bench.lent(1, 2, 7, 20).await?;
    bench.stands(14, 20).await
}

/// A number of the past is an error and changes nothing.
pub async fn an_exchange_older_than_the_last_is_refused<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await?;
    bench.lent(1, 1, 0, 10).await?;
    bench.lent(1, 2, 0, 20).await?;
    ensure!(
        bench.lent(1, 1, 5, 10).await.is_err(),
        "an exchange of the past was made"
    );
    bench.stands(0, 20).await
}

/// More spent than lent is a debt that shuts the scope.
pub async fn what_was_spent_is_booked_also_beyond_the_lease<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await?;
    bench.lent(1, 1, 0, 10).await?;
    ensure!(
        bench.lent(1, 2, 130, 1).await? == 0,
        "something was lent in a debt"
    );
    bench.stands(130, 0).await
}

/// A silent lessee's lease is shown as spent, at exactly its time, and nobody else gets it.
pub async fn a_lease_whose_time_is_over_goes_on_counting<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await?;
    bench.lent(1, 1, 5, 60).await?;
    bench.clock.advance(TTL - Duration::from_nanos(1));
    bench.stands(5, 60).await?;
    bench.clock.advance(Duration::from_nanos(1));
    bench.stands(65, 0).await?;
    ensure!(
        bench.lent(2, 1, 0, 36).await? == 0,
        "what a silent lessee may have spent was lent again"
    );
    Ok(())
}

/// Silence costs a lessee nothing but the looks.
pub async fn a_lessee_that_comes_back_finds_its_lease<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await?;
    bench.lent(1, 1, 0, 60).await?;
    bench.clock.advance(TTL * 2);
    bench.stands(60, 0).await?;
    ensure!(
        bench.lent(1, 2, 25, 10).await? == 10,
        "its lease was not there"
    );
    bench.stands(25, 10).await
}

/// Yesterday's spending is booked yesterday, and yesterday's lease takes no room today.
pub async fn what_was_spent_in_a_window_stays_there_when_it_has_ended<M: Make>(
    make: &M,
) -> Verdict {
    let bench = Bench::new(make).await?;
    let yesterday = bench
        .exchange(1, 1, look().wanting(tokens(60), tokens(60)))
        .await?;
    let window = yesterday.leases.first().map(|lease| lease.window);
    let window = window.ok_or_else(|| Broken::new("no lease"))?;
    bench.clock.advance(DAY);
    let entry = look().within(window).spent(tokens(40));
    let exchanged = bench.exchange(1, 2, entry).await?;
    ensure!(
        exchanged
            .leases
            .first()
            .is_some_and(|lease| lease.window == window),
        "booked in another window: {exchanged:?}"
    );
    bench.stands(0, 0).await?;
    ensure!(
        bench.lent(1, 3, 0, 100).await? == 100,
        "yesterday's lease takes room today"
    );
    Ok(())
}

/// Where a window moves, its leases move with it, and entries that still name the old one find them.
pub async fn a_change_of_calendar_takes_the_lease_along<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await?;
    let first = bench
        .exchange(1, 1, look().wanting(tokens(60), tokens(60)))
        .await?;
    let window = first.leases.first().map(|lease| lease.window);
    let window = window.ok_or_else(|| Broken::new("no lease"))?;
    let monthly = quota(100)?.with_period(Period::Month);
    bench.lender.set_quota(&scope(), Some(monthly)).await?;
    bench.stands(0, 60).await?;
    let entry = look()
        .within(window)
        .spent(tokens(40))
        .wanting(tokens(15), tokens(15));
    let exchanged = bench.exchange(1, 2, entry).await?;
    let moved = exchanged.leases.first();
    ensure!(
        moved.is_some_and(|lease| lease.window == lease.state.window && lease.lent == tokens(15)),
        "the lease did not move with the window: {exchanged:?}"
    );
    bench.stands(40, 15).await
}

/// However many borrow, what is lent in all stays below the limit.
pub async fn lessees_never_share_the_last_unit<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await?;
    let mut lent = 0;
    for lessee in 1..=8 {
        lent += bench.lent(lessee, 1, 0, 30).await?;
    }
    ensure!(lent == 90, "{lent} of 100 lent in parts of 30");
    bench.stands(0, 90).await
}
