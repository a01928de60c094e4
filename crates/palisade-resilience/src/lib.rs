#![doc = include_str!("../README.md")]

mod backoff;
mod breaker;
mod budget;
mod bulkhead;
mod classify;
mod connection;
mod deadline;
mod error;
mod failure;
#[cfg(feature = "http")]
mod http;
mod kind;
mod limits;
mod policy;
mod problem;
mod provider;
mod random;
mod report;
mod retry;
mod retry_after;
mod status;
mod sync;
#[cfg(feature = "tokio")]
mod tokio;
mod when;

pub use backoff::{Backoff, Jitter, LongAdvice, Wait};
pub use breaker::{
    BorrowedPermit, Breaker, BreakerConfig, BreakerModel, BreakerObserver, BreakerPolicy,
    BreakerRegistry, BreakerStatus, Cause, Change, Counts, Denied, DeniedWhy, Ended, Overflow,
    Permit, Phase, Ticket, Window,
};
pub use budget::{RetryBudget, RetryBudgetConfig};
pub use bulkhead::{Bulkhead, Slot};
pub use classify::{AsFailure, Classify, DynClassify, OnError};
pub use connection::OfError;
pub use deadline::{Deadline, Elapsed, Timeout, timeout};
pub use error::ConfigError;
pub use failure::{Certainty, Failure, Fault};
#[cfg(feature = "http")]
pub use http::HttpClassifier;
pub use kind::ErrorKind;
pub use limits::{LimitOf, UpstreamLimit, UpstreamLimits};
pub use policy::RetryPolicy;
pub use problem::Problem;
pub use provider::ProviderError;
pub use random::Random;
pub use report::{Report, Reporter, Reporting};
pub use retry::{
    Attempt, AttemptFailed, Call, GaveUp, Idempotency, Next, RetryObserver, Stop, retry,
};
pub use retry_after::parse_retry_after;
pub use status::HttpReply;
#[cfg(feature = "tokio")]
pub use tokio::TokioTimer;
pub use when::{format_duration, parse_duration};
