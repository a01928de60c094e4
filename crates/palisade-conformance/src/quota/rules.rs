//! The rules, one function each, named after the promise.

#![expect(
    clippy::missing_errors_doc,
    reason = "a rule's one error is that the promise it is named after is broken"
)]

mod holds;
mod quotas;
mod races;

pub use holds::*;
pub use quotas::*;
pub use races::*;
