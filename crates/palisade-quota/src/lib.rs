#![doc = include_str!("../README.md")]

mod admin;
mod alert;
mod amount;
mod book;
mod config;
mod error;
mod hold;
mod id;
mod lease;
mod ledger;
mod memory;
mod model;
mod reservation;
mod rolling;
mod settler;
mod watched;
mod window;

pub use admin::{
    AdminAction, AdminChange, AuditEntry, AuditPage, AuditQuery, QuotaAdmin, ScopeEntry, ScopePage,
    ScopeQuery,
};
pub use alert::{Alert, AlertKey, AlertLog, AlertMark, AlertSink, exhausted_at, reached};
pub use amount::{Amount, Measure};
pub use config::{Allowance, Defaults, Quota};
pub use error::{
    AmountError, ChangeError, IdError, PeriodError, QuotaError, RequestError, ZoneError,
};
pub use hold::{Hold, Outcome, Phase, Place, Resolution};
pub use id::{ChangeId, LesseeId, ReservationId};
pub use lease::{
    Exchange, Exchanged, Lease, LeaseConfig, LeaseEntry, LeaseTask, Leased, QuotaLender, keep, lend,
};
pub use ledger::{
    DynQuotaLedger, Granted, QuotaLedger, Refusal, Refused, ReserveRequest, SettleRequest,
};
pub use memory::{Bounds, InMemory};
pub use model::{
    Balance, Change, Move, Resolve, ScopeState, Step, balance, decide, expire, moved, moves,
    repeat, resolve,
};
pub use reservation::Reservation;
pub use rolling::Rolling;
pub use settler::{Settler, SettlerCounts, SettlerTask};
pub use watched::Watched;
pub use window::{Period, Window, Zone};
