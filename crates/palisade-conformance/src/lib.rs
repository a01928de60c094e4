#![doc = include_str!("../README.md")]

mod executor;
mod random;
mod verdict;

#[doc(hidden)]
pub mod suite;

pub mod auth;
pub mod cost;
pub mod lender;
pub mod quota;
pub mod quota_admin;
pub mod rate_limit;
pub mod trace;

pub use executor::{block_on, join_all};
pub use random::{Random, seed};
pub use verdict::{Broken, Verdict};
