#![doc = include_str!("../README.md")]

mod ledger;
mod memory;
mod record;
mod report;
mod status;

pub use ledger::{CostLedger, DynCostLedger, Recorded};
pub use memory::InMemory;
pub use record::{Layer, RecordId, RecordNameError, UsageRecord};
pub use report::{
    GroupBy, Report, ReportOrder, ReportQuery, ReportQueryError, ReportRow, Totals, TotalsError,
};
pub use status::{CostStatus, CostStatusError};
