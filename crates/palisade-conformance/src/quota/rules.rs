use palisade_core::{Dimension, Key, ManualClock, Timestamp};
use palisade_quota::{Amount, Defaults, QuotaLedger};

use super::{Make, Setup};
use crate::{Broken, Verdict, verdict::ensure};

/// A scope nobody has heard of stands as the defaults say.
pub async fn an_untouched_scope_has_the_default_quota<M: Make>(make: &M) -> Verdict {
    let defaults = Defaults::default();
    let clock = ManualClock::at(Timestamp::from_secs(1_795_219_200));
    let ledger = make.make(Setup::new(clock, defaults.clone())).await;
    let scope =
        Key::new(Dimension::User, "alice").map_err(|error| Broken::new(error.to_string()))?;
    let balance = ledger.balance(&scope).await?;
    let expected = defaults.quota(&scope).allowance();
    ensure!(
        balance.limit == expected && balance.free == expected && balance.spent == Amount::ZERO,
        "expected {expected:?} limited and free and nothing spent, found {balance:?}"
    );
    Ok(())
}
