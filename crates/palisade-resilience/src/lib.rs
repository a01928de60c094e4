#![doc = include_str!("../README.md")]

mod backoff;
mod breaker;
mod budget;
mod budgets;
mod classify;
mod compose;
mod connection;
mod deadline;
mod error;
mod failure;
mod fallback;
mod health;
mod hedge;
#[cfg(feature = "http")]
mod http;
mod kind;
mod latency;
mod limits;
mod load;
mod owner;
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

pub use backoff::{Backoff, Growth, Jitter, LongAdvice, Wait};
#[cfg(feature = "tracing")]
pub use breaker::TracedChanges;
pub use breaker::{
    BorrowedPermit, Breaker, BreakerConfig, BreakerEvent, BreakerEvents, BreakerModel,
    BreakerObserver, BreakerPolicy, BreakerRegistry, BreakerStatus, Cause, Change, Counts, Denied,
    DeniedWhy, Ended, Overflow, Permit, Phase, Subscription, Ticket, Window,
};
pub use budget::{RetryBudget, RetryBudgetConfig};
pub use budgets::RetryBudgets;
pub use classify::{AsFailure, Classify, DynClassify, OnError};
pub use compose::{
    ConcurrencyConfig, Failed, GateConfig, HedgeConfig, Policy, PolicyCell, PolicyConfig,
    PolicyError, RetryConfig, Step, UnsoundPolicy,
};
pub use connection::OfError;
pub use deadline::{Deadline, Elapsed, Timeout, timeout};
pub use error::ConfigError;
pub use failure::{Certainty, Failure, Fault};
pub use fallback::{Served, Target, fallback};
pub use health::{HealthCheck, HealthMonitor, HealthReport, Need, PartHealth};
pub use hedge::{Hedge, HedgeCounts, HedgeDelay, HedgePolicy, Hedger, hedge};
#[cfg(feature = "http")]
pub use http::HttpClassifier;
pub use kind::ErrorKind;
pub use latency::Latencies;
pub use limits::{LimitOf, UpstreamLimit, UpstreamLimits};
pub use load::{
    Adaptation, AdaptiveConfig, AdaptiveLimit, AdaptiveModel, AdaptivePolicy, AdaptiveSlot, Asked,
    Bulkhead, Busy, Chaos, ClientThrottle, Injection, PushbackGate, Sample, Slot, ThrottleConfig,
    Verdict,
};
pub use owner::RetryOwner;
pub use policy::RetryPolicy;
pub use problem::Problem;
pub use provider::ProviderError;
pub use random::Random;
pub use report::{Report, Reporter, Reporting};
pub use retry::{
    Attempt, AttemptFailed, Call, GaveUp, GaveUpParts, Idempotency, Next, Retry, RetryCounter,
    RetryCounts, RetryExt, RetryObserver, Retrying, Stop, retry,
};
pub use retry_after::parse_retry_after;
pub use status::HttpReply;
#[cfg(feature = "tokio")]
pub use tokio::TokioTimer;
pub use when::{format_duration, parse_duration};
