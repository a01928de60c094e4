//! The pieces of the race of threads, which the macro puts together around the backend's own executor.

use palisade_core::ManualClock;
use palisade_quota::{Amount, Defaults, QuotaLedger};

use super::{
    Make, Setup,
    bench::{Bench, NOON, amount, quota, user},
};
use crate::{Verdict, verdict::ensure};

const ATTEMPTS: u128 = 25;

/// A ledger with room for half of what the racers want: 8 times 25 reservations of 10 tokens, and 1,000 tokens.
pub async fn ledger<M: Make>(make: &M) -> M::Ledger {
    make.make(Setup::new(
        ManualClock::at(NOON),
        Defaults::new(quota(1_000, 0)),
    ))
    .await
}

/// Reserves as often as it can, settles every other one, and says how many were granted.
///
/// # Panics
///
/// If the ledger does not answer.
pub async fn race<L: QuotaLedger>(ledger: &L, racer: u128) -> u32 {
    let bench = Bench {
        ledger,
        clock: ManualClock::at(NOON),
    };
    let mut granted = 0;
    for attempt in 0..ATTEMPTS {
        let bits = racer << 64 | attempt;
        let answer = bench.tokens(bits, 10).await.expect("an answer");
        if answer.is_allow() {
            granted += 1;
            if attempt % 2 == 0 {
                bench.settle(bits, amount(10, 0)).await.expect("an answer");
            }
        }
    }
    granted
}

/// Exactly all was granted, and spent and held are exactly the limit.
///
/// # Errors
///
/// [`Broken`](crate::Broken) if not.
pub async fn judge<L: QuotaLedger>(ledger: &L, granted: u32) -> Verdict {
    ensure!(
        granted == 100,
        "of 1,000 tokens, ten at a time, {granted} racers got theirs"
    );
    let bench = Bench {
        ledger,
        clock: ManualClock::at(NOON),
    };
    let balance = bench.balance(&user("a")).await?;
    let charged = balance.spent.checked_add(balance.held);
    ensure!(
        charged == Some(amount(1_000, 0)) && balance.debt == Amount::ZERO,
        "expected 1,000 charged, found {balance:?}"
    );
    Ok(())
}
