#![doc = include_str!("../README.md")]

mod amount;
mod config;
mod error;
mod hold;
mod id;
mod ledger;
mod model;
mod window;

pub use amount::{Amount, Measure};
pub use config::{Allowance, Defaults, Quota};
pub use error::{AmountError, IdError, QuotaError, RequestError, ZoneError};
pub use hold::{Hold, Outcome, Phase, Place, Resolution};
pub use id::ReservationId;
pub use ledger::{
    DynQuotaLedger, Granted, QuotaLedger, Refusal, Refused, ReserveRequest, SettleRequest,
};
pub use model::{
    Balance, Change, Resolve, ScopeState, Step, balance, decide, expire, repeat, resolve,
};
pub use window::{Period, Window, Zone};
