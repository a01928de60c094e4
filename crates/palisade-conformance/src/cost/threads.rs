//! The pieces of the race of threads, which the macro puts together around the backend's own executor.

use palisade_cost::{CostLedger, GroupBy, Recorded};

use super::{
    Make,
    bench::{always, record},
};
use crate::{Verdict, verdict::ensure};

const RECORDS: u64 = 25;

/// A ledger for eight racers who all have the same to record.
pub async fn ledger<M: Make>(make: &M) -> M::Ledger {
    make.make().await
}

/// Records everything and says how much of it was new.
///
/// # Panics
///
/// If the ledger does not answer.
pub async fn race<L: CostLedger>(ledger: &L) -> u64 {
    let mut new = 0;
    for id in 0..RECORDS {
        let record = record(&format!("race-{id}"), "org=acme").expect("a short id");
        let answer = ledger.record(record).await.expect("an answer");
        new += u64::from(answer == Recorded::New);
    }
    new
}

/// Each record was new to one racer, and counts once.
///
/// # Errors
///
/// [`Broken`](crate::Broken) if not.
pub async fn judge<L: CostLedger>(ledger: &L, new: u64) -> Verdict {
    ensure!(
        new == RECORDS,
        "{RECORDS} records from eight racers were new {new} times"
    );
    let calls = ledger.report(always(GroupBy::Org)).await?.total.calls;
    ensure!(
        calls == RECORDS,
        "expected {RECORDS} records in the report, found {calls}"
    );
    Ok(())
}
