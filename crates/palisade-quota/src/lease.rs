//! Quota by the slice: a node borrows a part of each scope's allowance from the store, spends it in its own memory, and
//! tells the store afterwards, in batches.

mod leased;
mod lend;
mod lender;
mod local;

pub use leased::{LeaseConfig, LeaseTask, Leased};
pub use lend::{keep, lend};
pub use lender::{Exchange, Exchanged, Lease, LeaseEntry, QuotaLender};
