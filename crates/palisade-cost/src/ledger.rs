use std::{fmt, future::Future, sync::Arc};

use async_trait::async_trait;
use palisade_core::StoreError;

use crate::{Report, ReportQuery, UsageRecord};

/// The usage log: every attempt once, and sums over them.
///
/// # Contract
///
/// * A record is kept once under its id. Recording an id again changes nothing and answers [`Recorded::Before`], also
///   where the rest of the record differs: the first one stands.
/// * A report that begins after `record` has answered holds that record, unless the ledger is bounded and has let it go.
/// * Sums are exact: counts and money are added as integers, and a sum that does not fit is an error, never a wrong
///   number. [`ReportQuery::matches`], [`GroupBy::group_of`](crate::GroupBy::group_of) and [`ReportQuery::report`] say
///   what the answer is.
/// * A failed `record` may have been kept. Send it again under the same id.
pub trait CostLedger: Send + Sync {
    /// Keeps a record.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be said whether the record was kept.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may or may not have kept the record; recording it again is harmless.
    fn record(
        &self,
        record: UsageRecord,
    ) -> impl Future<Output = Result<Recorded, StoreError>> + Send;

    /// Sums records.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is no answer. A sum that does not fit is
    /// [`Invalid`](palisade_core::StoreErrorKind::Invalid).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    fn report(&self, query: ReportQuery)
    -> impl Future<Output = Result<Report, StoreError>> + Send;
}

/// Whether a record was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recorded {
    /// It was not there and is now.
    New,
    /// A record of this id was there already; nothing has changed.
    Before,
}

/// A [`CostLedger`] chosen at run time.
#[derive(Clone)]
pub struct DynCostLedger(Arc<dyn Erased>);

impl DynCostLedger {
    /// The ledger, its type forgotten.
    #[must_use]
    pub fn new(ledger: impl CostLedger + 'static) -> Self {
        Self(Arc::new(ledger))
    }
}

impl CostLedger for DynCostLedger {
    async fn record(&self, record: UsageRecord) -> Result<Recorded, StoreError> {
        self.0.record_boxed(record).await
    }

    async fn report(&self, query: ReportQuery) -> Result<Report, StoreError> {
        self.0.report_boxed(query).await
    }
}

impl fmt::Debug for DynCostLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynCostLedger").finish_non_exhaustive()
    }
}

impl<L: CostLedger> CostLedger for Arc<L> {
    async fn record(&self, record: UsageRecord) -> Result<Recorded, StoreError> {
        (**self).record(record).await
    }

    async fn report(&self, query: ReportQuery) -> Result<Report, StoreError> {
        (**self).report(query).await
    }
}

#[async_trait]
trait Erased: Send + Sync {
    async fn record_boxed(&self, record: UsageRecord) -> Result<Recorded, StoreError>;
    async fn report_boxed(&self, query: ReportQuery) -> Result<Report, StoreError>;
}

#[async_trait]
impl<L: CostLedger> Erased for L {
    async fn record_boxed(&self, record: UsageRecord) -> Result<Recorded, StoreError> {
        self.record(record).await
    }

    async fn report_boxed(&self, query: ReportQuery) -> Result<Report, StoreError> {
        self.report(query).await
    }
}
