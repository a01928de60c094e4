#![doc = include_str!("../README.md")]

mod book;
mod breakdown;
mod budget;
mod call;
mod catalog;
mod changes;
mod class;
mod complexity;
mod date;
mod estimate;
mod export;
#[cfg(feature = "json")]
mod json;
mod ledger;
mod memory;
#[cfg(feature = "json")]
mod meter;
mod model;
mod names;
mod outcome;
mod record;
mod report;
mod router;
mod row;
mod shared;
mod status;

pub use book::{PriceBook, Resolved};
pub use breakdown::{Breakdown, Part};
pub use budget::{Budget, BudgetState, Mode, ModeRules};
pub use call::CallFacts;
pub use catalog::{CatalogError, CatalogErrorKind};
pub use changes::{PriceChange, PriceChanges, SuspiciousPrices};
pub use class::{PriceClass, Variant};
pub use complexity::{Complexity, Signal, Task, complexity};
#[cfg(feature = "json")]
pub use date::parse_time;
pub use estimate::{EstimateFacts, estimate};
pub use export::{EXPORT_COLUMNS, ExportFormat};
#[cfg(feature = "json")]
pub use json::{
    LineAnswer, LineError, RowError, UsageCollector, UsageCounts, UsageShape, price_line,
    read_usage,
};
pub use ledger::{CostLedger, DynCostLedger, Recorded};
pub use memory::InMemory;
#[cfg(feature = "json")]
pub use meter::{AttemptCost, Meter};
pub use model::{Assumption, Priced, PricedAs, price};
pub use outcome::{Counts, Reading, SearchContext, UsageFault, UsageOutcome, check_usage};
pub use record::{Layer, RecordId, RecordNameError, UsageRecord};
pub use report::{
    GroupBy, Report, ReportOrder, ReportQuery, ReportQueryError, ReportRow, Totals, TotalsError,
};
pub use router::{
    Route, RouteCandidate, RouteModel, RouteReason, RouteRequest, RouteVerdict, Router,
};
pub use row::{Crossing, PriceError, PriceRow};
pub use shared::{PriceReader, SharedPrices};
pub use status::{CostStatus, CostStatusError};
