//! All guards of one upstream as one policy: its data, what it does, and how it is changed while it runs.

mod cell;
mod config;
mod policy;

pub use cell::PolicyCell;
pub use config::{
    ConcurrencyConfig, GateConfig, HedgeConfig, PolicyConfig, PolicyError, RetryConfig,
    UnsoundPolicy,
};
pub use policy::{Failed, Policy, Step};
